/*
 * The captured output of the application: a pipe and a small thread that empties it all the time, so that
 * the application never waits for us, however much it prints and whatever we are doing. Only the newest
 * BS_LOG_KEPT bytes (app.h) are kept between two takes.
 *
 * A thread, and not a file: nothing else bounds what a flood costs (a file or memfd grows until somebody looks,
 * and one that refuses to grow makes the application's writes fail), and programs that open /dev/stdout
 * anew truncate a file, but not a pipe. Not on demand either: the application would hang on a full pipe just
 * while we wait for its response.
 *
 * Threads: take and free by one thread; the reader is inside.
 */
#ifndef BS_WORLD_OUTPUT_H
#define BS_WORLD_OUTPUT_H

#include <backstep/err.h>
#include <stdint.h>

struct bs_output;

/* *ret_write_fd is the end for the application's stdout and stderr, close-on-exec; the caller closes it. */
int bs_output_new(struct bs_output **ret_output, int *ret_write_fd, struct bs_err *err);

/* See bs_app_take_log(). */
char *bs_output_take(struct bs_output *output, uint64_t *ret_dropped);

/* Ends the reader, also when somebody still holds the other end. Accepts NULL. */
void bs_output_free(struct bs_output *output);

#endif
