/*
 * The application's clock, moved by libfaketime: a library that is loaded into the application and reads how far its
 * clock is ahead from a file, each time that the clock is asked. Only the date moves; timers go on as they would
 * (CLOCK_MONOTONIC is left alone), so that nothing that sleeps wakes up too late or never.
 *
 * Threads: a clock belongs to one thread.
 */
#ifndef BS_WORLD_CLOCK_H
#define BS_WORLD_CLOCK_H

#include <backstep/err.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct bs_clock;

/* Keeps its file in folder, which must outlive it. BS_ETARGET: libfaketime is not installed. */
int bs_clock_new(const char *folder, struct bs_clock **ret_clock, struct bs_err *err);
void bs_clock_free(struct bs_clock *clock); /* accepts NULL */

/* How far the application's clock is ahead, in ms; at once for processes that run, and for those that start later. */
int bs_clock_set(struct bs_clock *clock, uint64_t ahead_ms, struct bs_err *err);

/* What the application's environment needs: NAME=value. preload is what it would load anyhow (NULL: nothing). The
 * caller's to free, NULL-terminated. */
char **bs_clock_env(const struct bs_clock *clock, const char *preload);

/* Whether the program of a process has loaded libfaketime: one that is linked statically does not. */
bool bs_clock_loaded(pid_t pid);

#endif
