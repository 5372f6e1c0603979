/*
 * The application as a child process: started in its own process group, with a guard that ends the
 * group when Backstep dies in whatever way, its output captured, stopped with TERM and then KILL.
 *
 * The guard: a small process forked before the app, holding the read end of a pipe whose write end only
 * Backstep has. When the pipe closes (exit, crash, kill -9), it kills the app's group and removes the
 * run's work directory, and ends. On an orderly stop it is told that there is nothing left to do.
 */
#ifndef BS_WORLD_APP_H
#define BS_WORLD_APP_H

#include <backstep/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BS_LOG_KEPT ((size_t)64 << 10) /* bytes of output kept between two takes; older lines go first */

struct bs_app;

struct bs_app_options {
	char *const *argv;  /* NULL-terminated; argv[0] with a slash is relative to folder, else looked up in PATH */
	char *const *env;   /* NULL-terminated NAME=value, on top of Backstep's own environment */
	const char *folder; /* absolute; the working directory */
	const char *workdir; /* removed by the guard when Backstep dies; NULL: none */
	uint32_t stop_timeout_ms; /* between TERM and KILL; 0: 2000 */
};

/* A free TCP port on 127.0.0.1, bound and released just now. */
int bs_app_free_port(uint16_t *ret_port, struct bs_err *err);

/* Starts the process; it may still end at once: see alive. BS_ETARGET: no such program, not executable. */
int bs_app_start(const struct bs_app_options *options, struct bs_app **ret_app, struct bs_err *err);

pid_t bs_app_pid(const struct bs_app *app);

/* False when the process ended; ret_how (may be NULL) gets "exited with status 3", "killed by signal 11". The
 * caller's to free. */
bool bs_app_alive(struct bs_app *app, char **ret_how);

/* The output (both streams, whole lines where possible) since the last take, read without waiting. The caller's
 * to free; "" when there is none. ret_dropped (may be NULL) gets the bytes that did not fit. */
char *bs_app_take_log(struct bs_app *app, uint64_t *ret_dropped);

/* Stops the whole group, waits, frees. Accepts NULL. */
void bs_app_stop(struct bs_app *app);

#endif
