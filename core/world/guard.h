/*
 * Nothing is left behind: a small process, forked before anything else is started, that holds the read
 * end of a pipe whose write end only Backstep has. When the pipe closes without a goodbye (exit, crash,
 * kill -9), it kills the process groups that it was told of, removes the work directory, and ends.
 *
 * One guard for each process. Threads: the main thread.
 */
#ifndef BS_WORLD_GUARD_H
#define BS_WORLD_GUARD_H

#include <backstep/err.h>
#include <sys/types.h>

/* Forks the guard. A second call without end does nothing but name another work directory. */
int bs_guard_start(const char *workdir, struct bs_err *err);

/* Tells it of a process group to end, or that it ended by itself. Without a guard they do nothing. */
void bs_guard_watch(pid_t group);
void bs_guard_forget(pid_t group);

/* Says goodbye: the guard removes the work directory, ends, and is reaped. */
void bs_guard_end(void);

#endif
