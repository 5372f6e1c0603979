/*
 * The guard and the few notes that it is sent. A sequenced socket pair and not a pipe: each note stays one
 * piece, a guard that is gone cannot raise SIGPIPE, and shutdown() says goodbye even where a forked copy of
 * Backstep still holds the same end. See guard.h.
 */
#include "guard.h"

#include "base/mem.h"
#include "base/rmtree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_WAIT_MS 2000 /* killed processes are gone in an instant, unless nobody reaps them */
#define KILL_POLL_MS 2
#define GUARD_FD 3

enum note_kind { NOTE_WATCH, NOTE_FORGET, NOTE_DIRECTORY };

struct note {
	enum note_kind kind;
	pid_t group;
	char path[PATH_MAX]; /* sent as far as it is used */
};

/* What is the guard's to end and to remove. */
struct ward_dir {
	char *path;
	int fd; /* of the directory as it was when it was named, whatever has its name later */
};
struct wards {
	pid_t *groups;
	size_t group_count;
	struct ward_dir *dirs;
	size_t dir_count;
};

/* Backstep's side. */
static struct {
	int fd;
	pid_t pid;
	pid_t owner; /* who started it: a forked copy of Backstep has no guard */
} guard = {.fd = -1};

/* The guard's side. */

static void forget(struct wards *wards, pid_t group)
{
	for (size_t i = 0; i < wards->group_count; i++)
		if (wards->groups[i] == group)
			wards->groups[i] = 0;
}

static void watch(struct wards *wards, pid_t group)
{
	if (group <= 1) /* to kill(), -1 is everybody and 0 is ourselves */
		return;
	for (size_t i = 0; i < wards->group_count; i++) {
		if (wards->groups[i] == 0) {
			wards->groups[i] = group;
			return;
		}
	}
	*BS_PUSH(wards->groups, wards->group_count) = group;
}

static void take_dir(struct wards *wards, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		*BS_PUSH(wards->dirs, wards->dir_count) = (struct ward_dir){bs_xstrdup(path), fd};
}

static void take_note(struct wards *wards, const struct note *note)
{
	switch (note->kind) {
	case NOTE_WATCH:
		watch(wards, note->group);
		break;
	case NOTE_FORGET:
		forget(wards, note->group);
		break;
	case NOTE_DIRECTORY:
		take_dir(wards, note->path);
		break;
	}
}

/* Kills every group; true when none has a process left. */
static bool kill_groups(const struct wards *wards)
{
	bool gone = true;

	for (size_t i = 0; i < wards->group_count; i++)
		if (wards->groups[i] && kill(-wards->groups[i], SIGKILL) == 0)
			gone = false;
	return gone;
}

static void clean_up(const struct wards *wards)
{
	struct timespec pause = {.tv_nsec = KILL_POLL_MS * 1000000L};

	for (int ms = 0; !kill_groups(wards) && ms < KILL_WAIT_MS; ms += KILL_POLL_MS)
		nanosleep(&pause, NULL);
	for (size_t i = 0; i < wards->dir_count; i++) {
		bs_rmtree_empty(wards->dirs[i].fd);
		rmdir(wards->dirs[i].path);
	}
}

/* Keeps fd, as GUARD_FD, and nothing else that was open. */
static void close_inherited(int fd)
{
	dup2(fd, GUARD_FD);
	if (syscall(SYS_close_range, GUARD_FD + 1, UINT_MAX, 0) < 0)
		for (int i = GUARD_FD + 1, limit = (int)sysconf(_SC_OPEN_MAX); i < limit; i++)
			close(i);
	for (int i = 0; i < GUARD_FD; i++)
		close(i);
	for (int i = 0; i < GUARD_FD; i++)
		(void)!open("/dev/null", O_RDWR);
}

static _Noreturn void be_guard(int fd)
{
	struct wards wards = {0};
	struct note note;

	setsid();
	close_inherited(fd);
	prctl(PR_SET_NAME, "backstep-guard");
	(void)!chdir("/"); /* keeps no file system busy */
	for (;;) {
		note = (struct note){0};
		ssize_t got = recv(GUARD_FD, &note, sizeof note - 1, 0);
		if (got > 0)
			take_note(&wards, &note);
		else if (got == 0 || errno != EINTR)
			break;
	}
	clean_up(&wards);
	_exit(0);
}

/* Backstep's side. */

static void tell(const struct note *note)
{
	size_t len = offsetof(struct note, path) + strlen(note->path);

	/* Without a guard, or when it is gone, this fails, and there is nobody to tell. */
	while (send(guard.fd, note, len, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static bool is_running(void)
{
	return guard.pid > 0 && guard.owner == getpid() && waitpid(guard.pid, NULL, WNOHANG) == 0;
}

/* The guard is forked with all signals blocked, and leaves them so: there is no moment at which one ends it. */
static int fork_guard(int near, int far, struct bs_err *err)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0) {
		close(near);
		be_guard(far);
	}
	int error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return bs_err_set(err, BS_EINTERNAL, "cannot start the guard process: %s", strerror(error));
	guard.fd = near;
	guard.pid = pid;
	guard.owner = getpid();
	return 0;
}

static int launch(struct bs_err *err)
{
	int ends[2];

	if (guard.fd >= 0) /* of a guard that is gone, or another process's */
		close(guard.fd);
	guard.fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return bs_err_set(err, BS_EINTERNAL, "cannot start the guard process: %s", strerror(errno));
	int r = fork_guard(ends[0], ends[1], err);
	close(ends[1]);
	if (r < 0)
		close(ends[0]);
	return r;
}

int bs_guard_start(const char *workdir, struct bs_err *err)
{
	struct note note = {.kind = NOTE_DIRECTORY};
	BS_AUTOFREE char *path = realpath(workdir, NULL);

	if (!path)
		return bs_err_set(err, BS_EIO, "no work directory '%s': %s", workdir, strerror(errno));
	if (strcmp(path, "/") == 0)
		return bs_err_set(err, BS_EIO, "no work directory: '/'");
	snprintf(note.path, sizeof note.path, "%s", path);
	int r = is_running() ? 0 : launch(err);
	if (r == 0)
		tell(&note);
	return r;
}

void bs_guard_watch(pid_t group)
{
	tell(&(struct note){.kind = NOTE_WATCH, .group = group});
}

void bs_guard_forget(pid_t group)
{
	tell(&(struct note){.kind = NOTE_FORGET, .group = group});
}

void bs_guard_end(void)
{
	if (guard.fd < 0)
		return;
	if (guard.owner == getpid()) {
		shutdown(guard.fd, SHUT_WR);
		while (waitpid(guard.pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(guard.fd);
	guard.fd = -1;
	guard.pid = 0;
}
