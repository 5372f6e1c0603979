/*
 * The application as a child process: started in its own process group, its output captured, stopped with
 * TERM and then KILL. The guard (guard.h) is told of the group before the program runs, so that nothing of it
 * survives Backstep, in whatever way Backstep ends.
 *
 * The application gets no descriptor of ours but its output, no input, and the signals' default dispositions.
 * This process becomes the subreaper of its descendants (prctl(2)): what the application leaves of its group is
 * then ours to wait for, and no zombie stays.
 *
 * Threads: a bs_app belongs to one thread. (Its output is read by a thread of its own: output.h.)
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
	char *const *argv;  /* NULL-terminated; argv[0] with a slash is relative to folder, else looked up in the
			     * application's PATH */
	char *const *env;   /* NULL-terminated NAME=value, on top of Backstep's own environment; NULL: nothing */
	const char *folder; /* absolute; the working directory */
	uint32_t stop_timeout_ms; /* between TERM and KILL; 0: 2000 */
};

/* Starts the process; it may still end at once: see alive. BS_ETARGET: no such program, not executable, no such
 * folder. BS_EINTERNAL: no process, pipe or thread to be had. */
int bs_app_start(const struct bs_app_options *options, struct bs_app **ret_app, struct bs_err *err);

pid_t bs_app_pid(const struct bs_app *app); /* also the number of its process group */

/* False when the process ended; ret_how (may be NULL) gets "exited with status 3", "killed by signal 11". The
 * caller's to free; untouched while the process is alive. */
bool bs_app_alive(struct bs_app *app, char **ret_how);

/* The output of both streams since the last take, up to what was written before this call, read without waiting.
 * A line that is not finished yet is given as far as it came, the rest with the next take; after output that did
 * not fit, the text begins with a whole line where there is one. Valid UTF-8: what was not is U+FFFD, as is NUL.
 * The caller's to free; "" when there is none. ret_dropped (may be NULL) gets the bytes that did not fit. */
char *bs_app_take_log(struct bs_app *app, uint64_t *ret_dropped);

/* Stops the whole group, also what is left of it when the process itself has ended; waits, frees. Accepts NULL. */
void bs_app_stop(struct bs_app *app);

#endif
