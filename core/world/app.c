/*
 * Starting and stopping the application. Three things are easy to get wrong here, and each has its place:
 *
 * - that exec failed is told by the child through a pipe that a successful exec closes (start_failed());
 * - the process is not reaped before its group is to be ended: as long as it is a zombie, the kernel gives
 *   its number, which is the group's too, to nobody else (bs_app_alive() only looks);
 * - the group is gone when all of it was reaped, which a subreaper can see exactly (is_gone()).
 */
#include "app.h"

#include "base/mem.h"
#include "base/now.h"
#include "guard.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_TIMEOUT_MS 2000u
#define KILL_TIMEOUT_MS 5000u /* only a process that hangs in the kernel outlives KILL */

struct bs_app {
	pid_t pid;
	bool reaped;
	uint32_t stop_timeout_ms;
	struct bs_output *output;
};

/* What the child says when it cannot become the program. */
enum start_stage { STAGE_DESCRIPTORS, STAGE_FOLDER, STAGE_EXEC };
struct start_failure {
	enum start_stage stage;
	int error;
};

struct start {
	const struct bs_app_options *options;
	char **env; /* merged */
	int output_fd;
	int status_fds[2];
};

/* The environment: borrowed strings in an array of the caller's. */

static void put_env(char **env, size_t *count, char *entry)
{
	size_t name_len = strcspn(entry, "=");

	for (size_t i = 0; i < *count; i++) {
		if (strncmp(env[i], entry, name_len) == 0 && env[i][name_len] == '=') {
			env[i] = entry;
			return;
		}
	}
	env[(*count)++] = entry;
}

static size_t count_strings(char *const *strings)
{
	size_t count = 0;

	while (strings && strings[count])
		count++;
	return count;
}

static char **merge_env(char *const *on_top)
{
	size_t ours = count_strings(environ), theirs = count_strings(on_top), count = ours;
	char **env = bs_xcalloc(ours + theirs + 1, sizeof *env);

	for (size_t i = 0; i < ours; i++)
		env[i] = environ[i];
	for (size_t i = 0; i < theirs; i++)
		put_env(env, &count, on_top[i]);
	return env;
}

/* The child. Other threads may have held any lock when it was forked: only async-signal-safe calls. */

static _Noreturn void give_up(const struct start *start, enum start_stage stage)
{
	struct start_failure failure = {.stage = stage, .error = errno};

	(void)!write(start->status_fds[1], &failure, sizeof failure);
	_exit(127);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL); /* ignored ones would stay ignored across exec */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_on_exec_from(int first)
{
	if (syscall(SYS_close_range, first, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int i = first, limit = (int)sysconf(_SC_OPEN_MAX); i < limit; i++)
		fcntl(i, F_SETFD, FD_CLOEXEC);
}

static void set_streams(struct start *start)
{
	/* Where Backstep itself was started without the standard streams, ours may have their numbers. */
	start->status_fds[1] = fcntl(start->status_fds[1], F_DUPFD_CLOEXEC, 3);
	int output_fd = fcntl(start->output_fd, F_DUPFD_CLOEXEC, 3);
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (output_fd < 0 || null_fd < 0)
		give_up(start, STAGE_DESCRIPTORS);
	if (null_fd == STDIN_FILENO)
		fcntl(null_fd, F_SETFD, 0);
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 ||
	    dup2(output_fd, STDERR_FILENO) < 0)
		give_up(start, STAGE_DESCRIPTORS);
	close_on_exec_from(STDERR_FILENO + 1);
}

static _Noreturn void become_app(struct start *start)
{
	char *const *argv = start->options->argv;

	setpgid(0, 0);
	bs_guard_watch(getpid());
	reset_signals();
	set_streams(start);
	if (chdir(start->options->folder) < 0)
		give_up(start, STAGE_FOLDER);
	environ = start->env; /* its PATH is the one that execvp() searches */
	execvp(argv[0], argv);
	give_up(start, STAGE_EXEC);
}

/* Starting. */

/* The kernel says the same of a script whose interpreter does not exist. */
static bool is_there(const struct bs_app_options *options)
{
	int folder_fd = open(options->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool there = faccessat(folder_fd, options->argv[0], F_OK, 0) == 0;

	if (folder_fd >= 0)
		close(folder_fd);
	return there;
}

static int describe_failure(const struct bs_app_options *options, const struct start_failure *failure,
			    struct bs_err *err)
{
	const char *program = options->argv[0];
	const char *why = strerror(failure->error);

	switch (failure->stage) {
	case STAGE_DESCRIPTORS:
		break;
	case STAGE_FOLDER:
		return bs_err_set(err, BS_ETARGET, "cannot start '%s': cannot enter '%s': %s", program,
				  options->folder, why);
	case STAGE_EXEC:
		if (failure->error == ENOENT && !strchr(program, '/'))
			why = "not found in PATH";
		else if (failure->error == ENOENT && is_there(options))
			why = "it is there, but not the interpreter that it needs";
		break;
	}
	return bs_err_set(err, BS_ETARGET, "cannot start '%s': %s", program, why);
}

/* Waits until the program runs, or tells why it does not. */
static int start_failed(const struct start *start, pid_t pid, struct bs_err *err)
{
	struct start_failure failure;
	ssize_t got;

	do
		got = read(start->status_fds[0], &failure, sizeof failure);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof failure)
		return 0;
	bs_guard_forget(pid);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return describe_failure(start->options, &failure, err);
}

static int spawn(struct start *start, pid_t *ret_pid, struct bs_err *err)
{
	if (pipe2(start->status_fds, O_CLOEXEC) < 0)
		return bs_err_set(err, BS_EINTERNAL, "cannot start '%s': %s", start->options->argv[0],
				  strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		become_app(start);
	int error = errno;
	close(start->status_fds[1]);
	int r = pid < 0 ? bs_err_set(err, BS_EINTERNAL, "cannot start '%s': %s", start->options->argv[0],
				     strerror(error))
			: start_failed(start, pid, err);
	close(start->status_fds[0]);
	if (r == 0)
		*ret_pid = pid;
	return r;
}

/* A parent that ignores SIGCHLD passes that on through exec, and then no child could be waited for. */
static void become_parent(void)
{
	struct sigaction action;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
}

int bs_app_start(const struct bs_app_options *options, struct bs_app **ret_app, struct bs_err *err)
{
	struct bs_app *app = bs_xcalloc(1, sizeof *app);
	struct start start = {.options = options};

	become_parent();
	app->stop_timeout_ms = options->stop_timeout_ms ? options->stop_timeout_ms : STOP_TIMEOUT_MS;
	int r = bs_output_new(&app->output, &start.output_fd, err);
	if (r == 0) {
		start.env = merge_env(options->env);
		r = spawn(&start, &app->pid, err);
		free(start.env);
		close(start.output_fd);
	}
	if (r < 0) {
		bs_output_free(app->output);
		free(app);
		return r;
	}
	*ret_app = app;
	return 0;
}

pid_t bs_app_pid(const struct bs_app *app)
{
	return app->pid;
}

static char *how_it_ended(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return bs_xasprintf("exited with status %d", info->si_status);
	return bs_xasprintf("killed by signal %d", info->si_status);
}

bool bs_app_alive(struct bs_app *app, char **ret_how)
{
	siginfo_t info = {0};
	int r = waitid(P_PID, (id_t)app->pid, &info, WEXITED | WNOHANG | WNOWAIT);

	if (r == 0 && info.si_pid == 0)
		return true;
	if (ret_how)
		*ret_how = r < 0 ? bs_xstrdup("ended, and somebody else took its exit status")
				 : how_it_ended(&info);
	return false;
}

char *bs_app_take_log(struct bs_app *app, uint64_t *ret_dropped)
{
	return bs_output_take(app->output, ret_dropped);
}

/* Stopping. */

static void signal_all(const struct bs_app *app, int number)
{
	kill(-app->pid, number);
	if (!app->reaped) /* it may have moved to another group */
		kill(app->pid, number);
}

/* Reaps who has ended; false while somebody of the group has not. When its parent ends, a process becomes our
 * child before the parent can be reaped, so that having no child in the group means that nobody is left in it. */
static bool is_gone(struct bs_app *app)
{
	siginfo_t info = {0};

	if (!app->reaped) {
		int r = waitid(P_PID, (id_t)app->pid, &info, WEXITED | WNOHANG);
		app->reaped = r < 0 ? errno == ECHILD : info.si_pid != 0;
	}
	do {
		info.si_pid = 0;
		if (waitid(P_PGID, (id_t)app->pid, &info, WEXITED | WNOHANG) < 0)
			return app->reaped && errno == ECHILD;
	} while (info.si_pid);
	return false;
}

static bool wait_gone(struct bs_app *app, uint32_t timeout_ms)
{
	uint64_t limit_ms = bs_now_ms() + timeout_ms;
	long pause_us = 100;

	while (!is_gone(app)) {
		if (bs_now_ms() >= limit_ms)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = pause_us * 1000}, NULL);
		pause_us = pause_us < 5000 ? pause_us * 2 : 5000;
	}
	return true;
}

void bs_app_stop(struct bs_app *app)
{
	if (!app)
		return;
	signal_all(app, SIGTERM);
	signal_all(app, SIGCONT); /* a stopped process would not see TERM */
	bool gone = wait_gone(app, app->stop_timeout_ms);
	if (!gone) {
		signal_all(app, SIGKILL);
		gone = wait_gone(app, KILL_TIMEOUT_MS);
	}
	if (gone)
		bs_guard_forget(app->pid);
	bs_output_free(app->output);
	free(app);
}
