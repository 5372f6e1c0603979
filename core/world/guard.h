/*
 * Nothing is left behind: a small process, forked before anything else is started, that holds one end of a
 * socket whose other end only Backstep has. When that end closes (goodbye, exit, crash, kill -9), it kills the
 * process groups that it was told of, removes the work directories that it was told of, and ends.
 *
 * A group is told of by its first process itself, between fork and exec: that process holds Backstep's end
 * of the socket too until it execs. So however early Backstep dies, the guard cannot see the end before it
 * has heard of the group.
 *
 * The guard has its own session, so that Ctrl-C does not reach it, blocks all signals, and keeps nothing of
 * Backstep open: whoever waits for Backstep's output to end does not wait for the guard.
 *
 * One guard for each process; a forked copy of this process has none. Threads: the main thread.
 */
#ifndef BS_WORLD_GUARD_H
#define BS_WORLD_GUARD_H

#include <backstep/err.h>
#include <sys/types.h>

/* Forks the guard. A second call without end only names another directory, which is removed as well.
 * BS_EIO: no such directory, or it is '/'; BS_EINTERNAL: no guard could be forked. */
int bs_guard_start(const char *workdir, struct bs_err *err);

/* Tells it of a process group to end, or that nothing of the group is left. Without a guard they do nothing.
 * watch may be called between fork and exec: it is async-signal-safe. */
void bs_guard_watch(pid_t group);
void bs_guard_forget(pid_t group);

/* Says goodbye: the guard kills the groups that are still watched, removes the directories, ends, and is
 * reaped. Nothing without a guard. */
void bs_guard_end(void);

#endif
