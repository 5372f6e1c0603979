/*
 * The application's process and the guard: nothing is lost of what it says, nothing is left of what it starts.
 * The test process is a subreaper, so that whatever outlives its parent becomes a child of this process:
 * "nothing is left" is then that there is no child, which every test is asked at its end.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "world/app.h"
#include "world/guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the three above first */
#include <arpa/inet.h>
#include <cmocka.h>

#define PATIENCE_MS 20000 /* only ever waited for when the test fails */

static char folder[] = "/tmp/backstep-test-XXXXXX";
static int at = -1; /* folder, for openat() and friends */

/* Waiting, always for something that can be seen. */

static bool pause_until(int *waited_ms)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return ++*waited_ms < PATIENCE_MS;
}

static void wait_for_file(const char *name)
{
	int waited_ms = 0;

	while (faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		assert_true(pause_until(&waited_ms));
}

static void make_file(const char *name, const char *text, mode_t mode)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Waits for an orphan that became our child, reaping what else ends meanwhile. */
static void wait_for_end(pid_t pid)
{
	int waited_ms = 0;

	while (kill(pid, 0) == 0) {
		waitpid(-1, NULL, WNOHANG);
		assert_true(pause_until(&waited_ms));
	}
	assert_int_equal(errno, ESRCH);
}

static void assert_gone(pid_t pid)
{
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

/* Valgrind keeps some of its own, with high numbers. */
static size_t count_fds(pid_t pid)
{
	BS_AUTOFREE char *path = bs_xasprintf("/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) < 200)
			count++;
	closedir(dir);
	return count;
}

static int no_child_is_left(void **state)
{
	int waited_ms = 0;

	(void)state;
	bs_guard_end();
	while (waitpid(-1, NULL, WNOHANG) >= 0) /* a guard that still cleans up is no zombie */
		if (!pause_until(&waited_ms))
			return -1;
	return errno == ECHILD ? 0 : -1;
}

/* Applications: one line of shell each. */

/* argv and env are NULL-terminated; env and the options' defaults may be left out with NULL and 0. */
static struct bs_app *start_program(const char *const *argv, const char *const *env, uint32_t stop_timeout_ms)
{
	struct bs_app_options options = {.argv = (char *const *)(uintptr_t)argv,
					 .env = (char *const *)(uintptr_t)env,
					 .folder = folder,
					 .stop_timeout_ms = stop_timeout_ms};
	struct bs_app *app = NULL;
	struct bs_err err = BS_ERR_INIT;

	if (bs_app_start(&options, &app, &err) < 0)
		fail_msg("%s", bs_err_text(&err));
	return app;
}

static struct bs_app *start_stubborn(const char *script, uint32_t stop_timeout_ms)
{
	return start_program((const char *const[]){"sh", "-c", script, NULL}, NULL, stop_timeout_ms);
}

static struct bs_app *start_shell(const char *script)
{
	return start_stubborn(script, 0);
}

/* Takes the log until it holds the text; all of it is the caller's. */
static char *log_with(struct bs_app *app, const char *text)
{
	struct bs_buf all = BS_BUF_INIT;
	int waited_ms = 0;

	do {
		char *more = bs_app_take_log(app, NULL);
		bs_buf_adds(&all, more);
		free(more);
	} while (!strstr(bs_buf_text(&all), text) && pause_until(&waited_ms));
	if (!strstr(bs_buf_text(&all), text))
		fail_msg("no '%s' in '%s'", text, bs_buf_text(&all));
	return bs_buf_take(&all);
}

static char *how_it_ends(struct bs_app *app)
{
	char *how = NULL;
	int waited_ms = 0;

	while (bs_app_alive(app, &how))
		assert_true(pause_until(&waited_ms));
	return how;
}

/* What a script prints, to its end. */
static void assert_prints(struct bs_app *app, const char *expected)
{
	free(how_it_ends(app));
	BS_AUTOFREE char *text = bs_app_take_log(app, NULL);
	assert_string_equal(text, expected);
	bs_app_stop(app);
}

static pid_t pid_in(const char *text)
{
	pid_t pid = (pid_t)strtol(text, NULL, 10);

	assert_true(pid > 1);
	return pid;
}

/* Starting. */

static void the_way_it_ended_is_told(void **state)
{
	static const struct {
		const char *script, *how;
	} cases[] = {
		{"exit 0", "exited with status 0"},     {"exit 3", "exited with status 3"},
		{"kill -11 $$", "killed by signal 11"}, {"kill -9 $$", "killed by signal 9"},
		{"kill -15 $$", "killed by signal 15"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_app *app = start_shell(cases[i].script);
		for (int again = 0; again < 2; again++) { /* asking does not use it up */
			BS_AUTOFREE char *how = how_it_ends(app);
			assert_string_equal(how, cases[i].how);
		}
		bs_app_stop(app);
	}
}

static void an_app_that_runs_is_alive(void **state)
{
	struct bs_app *app = start_shell("echo up; exec sleep 1000");
	char *how = NULL;

	(void)state;
	free(log_with(app, "up"));
	assert_true(bs_app_alive(app, &how));
	assert_null(how);
	assert_int_equal(getpgid(bs_app_pid(app)), bs_app_pid(app));
	bs_app_stop(app);
}

static void what_cannot_be_started_is_told_and_leaves_nothing(void **state)
{
	static const struct {
		const char *program, *folder, *message;
	} cases[] = {
		{"./missing", folder, "cannot start './missing': No such file or directory"},
		{"/missing", folder, "cannot start '/missing': No such file or directory"},
		{"backstep-missing", folder, "cannot start 'backstep-missing': not found in PATH"},
		{"./text", folder, "cannot start './text': Permission denied"},
		{"./", folder, "cannot start './': Permission denied"},
		{"true", "/missing", "cannot start 'true': cannot enter '/missing': No such file or directory"},
	};
	size_t fds = count_fds(getpid());

	(void)state;
	make_file("text", "text\n", 0644);
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		char *argv[] = {(char *)(uintptr_t)cases[i].program, NULL};
		char *env[] = {(char[]){"PATH=/usr/bin:/bin"}, NULL};
		struct bs_app_options options = {.argv = argv, .env = env, .folder = cases[i].folder};
		struct bs_app *app = NULL;
		struct bs_err err = BS_ERR_INIT;
		assert_int_equal(bs_app_start(&options, &app, &err), BS_ETARGET);
		assert_string_equal(bs_err_text(&err), cases[i].message);
		assert_null(app);
		bs_err_release(&err);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
	assert_int_equal(count_fds(getpid()), fds);
}

static void a_missing_interpreter_is_told_from_a_missing_program(void **state)
{
	char *argv[] = {(char[]){"./script"}, NULL};
	struct bs_app_options options = {.argv = argv, .folder = folder};
	struct bs_app *app = NULL;
	struct bs_err err = BS_ERR_INIT;
	const char *preloaded = getenv("LD_PRELOAD");

	(void)state;
	if (preloaded && strstr(preloaded, "vgpreload"))
		skip(); /* valgrind ends a process in which this exec fails */
	make_file("script", "#!/missing/interpreter\n", 0755);
	assert_int_equal(bs_app_start(&options, &app, &err), BS_ETARGET);
	assert_string_equal(bs_err_text(&err),
			    "cannot start './script': it is there, but not the interpreter that it needs");
	bs_err_release(&err);
}

static void the_app_runs_in_its_folder_with_our_environment_and_its_own(void **state)
{
	static const char *const argv[] = {"./print", "a b", NULL};
	static const char *const env[] = {"BS_OURS=replaced", "BS_NEW=x=y", "BS_EMPTY=", NULL};

	(void)state;
	setenv("BS_OURS", "ours", 1);
	setenv("BS_KEPT", "kept", 1);
	make_file("print", "#!/bin/sh\npwd\necho \"$1|$BS_OURS|$BS_KEPT|$BS_NEW|${BS_EMPTY-unset}\"\ncat\n", 0755);
	struct bs_app *app = start_program(argv, env, 0);
	BS_AUTOFREE char *expected = bs_xasprintf("%s\na b|replaced|kept|x=y|\n", folder);
	assert_prints(app, expected); /* and cat ended: its input is empty */
	assert_string_equal(getenv("BS_OURS"), "ours");
}

static void a_program_without_slash_is_found_in_the_path_of_the_app(void **state)
{
	static const char *const argv[] = {"print-path", NULL};
	BS_AUTOFREE char *path = bs_xasprintf("PATH=%s", folder);
	const char *const env[] = {path, NULL};

	(void)state;
	make_file("print-path", "#!/bin/sh\necho found\n", 0755);
	assert_prints(start_program(argv, env, 0), "found\n");
}

static void the_app_inherits_no_descriptor(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0); /* not close-on-exec */
	assert_prints(start_shell("for i in 3 4 5 6 7 8 9; do (: <&$i) 2>/dev/null && echo $i; done; echo end"),
		      "end\n");
	close(ends[0]);
	close(ends[1]);
}

static void the_app_gets_the_signals_as_a_login_would(void **state)
{
	sigset_t blocked, before;

	(void)state;
	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* with which nobody could wait for the app */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	struct bs_app *app = start_shell("kill -15 $$");
	BS_AUTOFREE char *how = how_it_ends(app);
	assert_string_equal(how, "killed by signal 15");
	bs_app_stop(app);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGTERM, SIG_DFL);
}

static void a_free_port_can_be_bound(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	uint16_t port = 0;

	(void)state;
	assert_int_equal(bs_app_free_port(&port, NULL), 0);
	assert_true(port >= 1024);
	address.sin_port = htons(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

/* Output. */

static void output_of_both_streams_is_kept_in_order(void **state)
{
	(void)state;
	assert_prints(start_shell("echo out; echo err >&2; echo out again"), "out\nerr\nout again\n");
	assert_prints(start_shell("printf unfinished"), "unfinished");
	assert_prints(start_shell("exit 0"), "");
}

static void what_was_written_before_the_take_is_in_it(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		unlinkat(at, "written", 0);
		struct bs_app *app = start_shell("echo line; : > written; exec sleep 1000");
		wait_for_file("written");
		BS_AUTOFREE char *text = bs_app_take_log(app, NULL);
		assert_string_equal(text, "line\n");
		bs_app_stop(app);
	}
}

static void an_unfinished_line_is_continued_by_the_next_take(void **state)
{
	struct bs_app *app = start_shell("printf 'whole\\nfirst '; : > first; "
					 "until [ -e go-on ]; do sleep 0.01; done; echo second");

	(void)state;
	wait_for_file("first");
	BS_AUTOFREE char *first = bs_app_take_log(app, NULL);
	assert_string_equal(first, "whole\nfirst ");
	make_file("go-on", "", 0644);
	assert_prints(app, "second\n");
}

static void bytes_that_are_no_text_become_text(void **state)
{
	(void)state;
	assert_prints(start_shell("printf 'a\\377b\\000c\\n'"), "a\xef\xbf\xbd" "b\xef\xbf\xbd" "c\n");
}

static void a_flood_blocks_nobody_and_its_newest_lines_are_kept(void **state)
{
	struct bs_app *app = start_shell("yes 0123456789 | head -n 1000000; echo last; : > flooded");
	uint64_t dropped = 0;

	(void)state;
	wait_for_file("flooded"); /* nobody took anything meanwhile */
	BS_AUTOFREE char *text = bs_app_take_log(app, &dropped);
	assert_true(strlen(text) <= BS_LOG_KEPT);
	assert_true(strlen(text) > BS_LOG_KEPT - 20);
	assert_int_equal(dropped + strlen(text), 11 * 1000000 + 5);
	assert_memory_equal(text, "0123456789\n", 11);
	assert_string_equal(text + strlen(text) - 16, "0123456789\nlast\n");
	BS_AUTOFREE char *again = bs_app_take_log(app, &dropped);
	assert_string_equal(again, "");
	assert_int_equal(dropped, 0);
	bs_app_stop(app);
}

static void one_endless_line_is_cut_and_counted(void **state)
{
	struct bs_app *app = start_shell("head -c 3000000 /dev/zero | tr '\\000' x; : > endless");
	uint64_t dropped = 0;

	(void)state;
	wait_for_file("endless");
	BS_AUTOFREE char *text = bs_app_take_log(app, &dropped);
	assert_int_equal(strlen(text), BS_LOG_KEPT);
	assert_int_equal(dropped, 3000000 - BS_LOG_KEPT);
	bs_app_stop(app);
}

static void taking_from_a_flood_that_never_ends_does_end(void **state)
{
	struct bs_app *app = start_shell("exec yes");
	uint64_t dropped = 0, all = 0;
	int waited_ms = 0;

	(void)state;
	while (all < 50000000) {
		char *text = bs_app_take_log(app, &dropped);
		all += strlen(text) + dropped;
		free(text);
		assert_true(pause_until(&waited_ms));
	}
	assert_true(bs_app_alive(app, NULL));
	bs_app_stop(app);
}

/* Stopping. */

static void term_gives_the_app_time_to_end_well(void **state)
{
	struct bs_app *app = start_shell("trap 'echo bye > ended-well; exit 0' TERM; echo up; "
					 "while :; do sleep 0.01; done");

	(void)state;
	free(log_with(app, "up"));
	bs_app_stop(app);
	assert_int_equal(faccessat(at, "ended-well", F_OK, 0), 0);
}

static void a_stopped_app_is_continued_to_end_well(void **state)
{
	struct bs_app *app = start_shell("trap 'echo bye > continued; exit 0' TERM; kill -STOP $$; "
					 "while :; do sleep 0.01; done");
	siginfo_t info;

	(void)state;
	assert_int_equal(waitid(P_PID, (id_t)bs_app_pid(app), &info, WSTOPPED | WNOWAIT), 0);
	assert_true(bs_app_alive(app, NULL));
	bs_app_stop(app);
	assert_int_equal(faccessat(at, "continued", F_OK, 0), 0);
}

static void who_ignores_term_is_killed(void **state)
{
	struct bs_app *app = start_stubborn("trap '' TERM; echo up; while :; do sleep 1000; done", 50);
	pid_t pid = bs_app_pid(app);

	(void)state;
	free(log_with(app, "up"));
	bs_app_stop(app);
	assert_gone(pid);
	assert_int_equal(kill(-pid, 0), -1);
}

static void grandchildren_end_with_the_app_and_are_reaped(void **state)
{
	static const char *const scripts[] = {
		"sleep 1000 & echo $!; wait",
		"sleep 1000 & echo $!", /* its parent has ended before */
		"(trap '' TERM; echo $(sh -c 'echo $PPID'); exec sleep 1000) & wait",
		"sh -c 'sleep 1000 & echo $!; exit' & wait; exec sleep 1000",
		"sleep 1000 & echo $!; kill -STOP $$",
	};

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 0); /* it is not this test that sees to it */
	for (size_t i = 0; i < BS_COUNT(scripts); i++) {
		struct bs_app *app = start_stubborn(scripts[i], 100);
		BS_AUTOFREE char *text = log_with(app, "\n");
		bs_app_stop(app);
		assert_gone(pid_in(text));
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
}

static void who_left_the_group_does_not_hold_up_the_stop(void **state)
{
	struct bs_app *app = start_shell("setsid sh -c 'echo $$; exec sleep 1000' & wait");
	BS_AUTOFREE char *text = log_with(app, "\n");
	pid_t daemon = pid_in(text); /* it still has our pipe */

	(void)state;
	bs_app_stop(app);
	assert_int_equal(kill(daemon, SIGKILL), 0);
	wait_for_end(daemon);
}

static void many_starts_leave_no_descriptor(void **state)
{
	size_t fds = count_fds(getpid());

	(void)state;
	for (int i = 0; i < 50; i++)
		bs_app_stop(start_shell("echo x; exec sleep 1000"));
	bs_app_stop(NULL);
	assert_int_equal(count_fds(getpid()), fds);
}

/* The guard. */

static char *make_workdir(void)
{
	char *path = bs_xasprintf("%s/work-XXXXXX", folder);

	assert_non_null(mkdtemp(path));
	return path;
}

static bool exists(const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0;
}

static void wait_for_removal(const char *path)
{
	int waited_ms = 0;

	while (exists(path)) {
		waitpid(-1, NULL, WNOHANG); /* the guard waits until a killed group is gone */
		assert_true(pause_until(&waited_ms));
	}
}

/* The guard is the only child of a process that has started nothing else. */
static pid_t only_child(void)
{
	char text[64] = "";
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	return pid_in(text);
}

enum death { DEATH_KILL, DEATH_EXIT, DEATH_ABORT };

/* In a process of its own: starts everything, says so, and dies. */
static _Noreturn void live_and_die(const char *workdir, enum death death)
{
	static const char script[] = "trap '' TERM HUP INT; sleep 1000 & echo $! > pid.new; mv pid.new pid; "
				     "mkdir -p \"$BS_WORK/a/b\"; echo x > \"$BS_WORK/a/b/c\"; : > started; wait";
	BS_AUTOFREE char *work = bs_xasprintf("BS_WORK=%s", workdir);

	if (bs_guard_start(workdir, NULL) < 0)
		_exit(1);
	start_program((const char *const[]){"sh", "-c", script, NULL}, (const char *const[]){work, NULL}, 0);
	wait_for_file("started");
	switch (death) {
	case DEATH_KILL:
		kill(getpid(), SIGKILL);
		break;
	case DEATH_ABORT:
		signal(SIGABRT, SIG_DFL);
		abort();
	case DEATH_EXIT:
		break;
	}
	_exit(0);
}

static pid_t pid_from_file(const char *name)
{
	char text[32] = "";
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	return pid_in(text);
}

static void nothing_survives_backstep(void **state)
{
	static const enum death deaths[] = {DEATH_KILL, DEATH_EXIT, DEATH_ABORT};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(deaths); i++) {
		BS_AUTOFREE char *workdir = make_workdir();
		unlinkat(at, "started", 0);
		pid_t victim = fork();
		if (victim == 0)
			live_and_die(workdir, deaths[i]);
		assert_int_equal(waitpid(victim, NULL, 0), victim);
		wait_for_end(pid_from_file("pid"));
		wait_for_removal(workdir);
		assert_int_equal(no_child_is_left(NULL), 0); /* the app and the guard, which are our children now */
	}
}

/* Between fork and exec: the parent is dead already when the new process tells of its group. */
static _Noreturn void die_while_starting(const char *workdir)
{
	pid_t parent = getpid();

	if (bs_guard_start(workdir, NULL) < 0 || fork() != 0)
		_exit(1);
	setpgid(0, 0);
	while (getppid() == parent)
		sched_yield();
	bs_guard_watch(getpid());
	BS_AUTOFREE char *pid = bs_xasprintf("%d", getpid());
	make_file("pid", pid, 0644);
	execlp("sleep", "sleep", "1000", NULL);
	_exit(1);
}

static void an_app_that_was_just_forked_does_not_survive_either(void **state)
{
	BS_AUTOFREE char *workdir = make_workdir();
	pid_t victim;

	(void)state;
	unlinkat(at, "pid", 0);
	victim = fork();
	if (victim == 0)
		die_while_starting(workdir);
	assert_int_equal(waitpid(victim, NULL, 0), victim);
	wait_for_file("pid");
	wait_for_removal(workdir);
	assert_int_equal(no_child_is_left(NULL), 0);
}

static void an_orderly_end_leaves_nothing(void **state)
{
	BS_AUTOFREE char *first = make_workdir();
	BS_AUTOFREE char *second = make_workdir();
	size_t fds = count_fds(getpid());

	(void)state;
	assert_int_equal(bs_guard_start(first, NULL), 0);
	assert_int_equal(bs_guard_start(second, NULL), 0);
	struct bs_app *app = start_shell("echo up; exec sleep 1000");
	free(log_with(app, "up"));
	bs_app_stop(app);
	app = start_shell("echo up; exec sleep 1000"); /* this one the guard has to end */
	free(log_with(app, "up"));
	bs_guard_end();
	assert_false(exists(first));
	assert_false(exists(second));
	BS_AUTOFREE char *how = how_it_ends(app);
	assert_string_equal(how, "killed by signal 9");
	bs_app_stop(app);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(count_fds(getpid()), fds);
	bs_guard_end();
}

static void a_group_that_was_forgotten_is_left_alone(void **state)
{
	BS_AUTOFREE char *workdir = make_workdir();

	(void)state;
	assert_int_equal(bs_guard_start(workdir, NULL), 0);
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	setpgid(child, child);
	bs_guard_watch(child);
	bs_guard_watch(-1); /* nonsense that would end everything */
	bs_guard_watch(0);
	bs_guard_watch(1);
	bs_guard_forget(child);
	bs_guard_end();
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void signals_that_ask_to_end_do_not_end_the_guard(void **state)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	BS_AUTOFREE char *workdir = make_workdir();

	(void)state;
	assert_int_equal(bs_guard_start(workdir, NULL), 0);
	pid_t guard = only_child();
	for (size_t i = 0; i < BS_COUNT(numbers); i++) /* also before it got so far as to ignore them */
		assert_int_equal(kill(guard, numbers[i]), 0);
	int waited_ms = 0;
	while (getsid(guard) != guard)
		assert_true(pause_until(&waited_ms));
	for (size_t i = 0; i < BS_COUNT(numbers); i++)
		assert_int_equal(kill(guard, numbers[i]), 0);
	assert_int_equal(waitpid(guard, NULL, WNOHANG), 0);
	bs_guard_end();
	assert_false(exists(workdir));
}

/* Else whoever reads Backstep's output to its end waits for the guard as well. */
static void the_guard_keeps_nothing_of_ours_open(void **state)
{
	BS_AUTOFREE char *workdir = make_workdir();
	int ends[2], waited_ms = 0;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(bs_guard_start(workdir, NULL), 0);
	pid_t guard = only_child();
	while (count_fds(guard) != 3 + 1 + 1) /* null, socket, directory */
		assert_true(pause_until(&waited_ms));
	for (int fd = 0; fd < 3; fd++) {
		char target[64] = "";
		BS_AUTOFREE char *path = bs_xasprintf("/proc/%d/fd/%d", guard, fd);
		assert_true(readlink(path, target, sizeof target - 1) > 0);
		assert_string_equal(target, "/dev/null");
	}
	close(ends[1]);
	char byte;
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static void a_guard_that_was_killed_is_replaced_and_hurts_nobody(void **state)
{
	BS_AUTOFREE char *workdir = make_workdir();

	(void)state;
	assert_int_equal(bs_guard_start(workdir, NULL), 0);
	pid_t guard = only_child();
	kill(guard, SIGKILL);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)guard, &info, WEXITED | WNOWAIT), 0);
	bs_guard_forget(99999); /* no SIGPIPE */
	assert_int_equal(bs_guard_start(workdir, NULL), 0);
	bs_guard_end();
	assert_false(exists(workdir));
}

static void only_what_is_below_the_work_directory_is_removed(void **state)
{
	BS_AUTOFREE char *workdir = make_workdir();
	BS_AUTOFREE char *outside = make_workdir();
	BS_AUTOFREE char *kept = bs_xasprintf("%s/kept", outside);
	BS_AUTOFREE char *script = bs_xasprintf(
		"cd '%s' && echo x > '%s' && ln -s '%s' link && mkdir -p deep/er && ln -s '%s' deep/er/link && "
		"ln -s / deep/root && mkfifo fifo && ln '%s' hard && mkdir closed && echo x > closed/x && "
		"mkdir closed/in && chmod 0 closed/in closed && mkdir -p .backstep-removed-0/a && "
		"i=0; while [ $i -lt 300 ]; do mkdir d$i && echo > d$i/f; i=$((i+1)); done",
		workdir, kept, outside, outside, kept);

	(void)state;
	assert_int_equal(bs_guard_start(workdir, NULL), 0);
	assert_prints(start_shell(script), "");
	bs_guard_end();
	assert_false(exists(workdir));
	assert_true(exists(kept));
}

static void no_depth_is_too_deep_to_be_removed(void **state)
{
	BS_AUTOFREE char *workdir = make_workdir();
	int dir = open(workdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(dir, "d", 0700), 0);
		int below = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = below;
	}
	close(dir);
	assert_int_equal(bs_guard_start(workdir, NULL), 0);
	bs_guard_end();
	assert_false(exists(workdir));
}

static void a_directory_that_took_the_name_is_not_the_work_directory(void **state)
{
	BS_AUTOFREE char *workdir = make_workdir();
	BS_AUTOFREE char *moved = bs_xasprintf("%s-moved", workdir);
	BS_AUTOFREE char *precious = bs_xasprintf("%s/precious", workdir);
	int waited_ms = 0;

	(void)state;
	assert_int_equal(bs_guard_start(workdir, NULL), 0);
	while (count_fds(only_child()) != 3 + 1 + 1) /* it has opened it */
		assert_true(pause_until(&waited_ms));
	assert_int_equal(rename(workdir, moved), 0);
	assert_int_equal(mkdir(workdir, 0700), 0);
	assert_int_equal(mkdir(precious, 0700), 0);
	bs_guard_end();
	assert_true(exists(precious));
	rmdir(precious);
	rmdir(workdir);
	rmdir(moved);
}

static void what_is_no_directory_of_ours_is_refused(void **state)
{
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	assert_int_equal(bs_guard_start("/missing", &err), BS_EIO);
	assert_string_equal(bs_err_text(&err), "no work directory '/missing': No such file or directory");
	assert_int_equal(bs_guard_start("/", &err), BS_EIO);
	bs_err_release(&err);
	bs_guard_watch(getpid()); /* without a guard: nothing */
	bs_guard_forget(getpid());
	bs_guard_end();
}

#define TEST(name) cmocka_unit_test_teardown(name, no_child_is_left)

static int make_folder(void **state)
{
	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!mkdtemp(folder))
		return -1;
	at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return at < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
	(void)state;
	close(at);
	if (bs_guard_start(folder, NULL) < 0)
		return -1;
	bs_guard_end();
	return exists(folder) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_way_it_ended_is_told),
		TEST(an_app_that_runs_is_alive),
		TEST(what_cannot_be_started_is_told_and_leaves_nothing),
		TEST(a_missing_interpreter_is_told_from_a_missing_program),
		TEST(the_app_runs_in_its_folder_with_our_environment_and_its_own),
		TEST(a_program_without_slash_is_found_in_the_path_of_the_app),
		TEST(the_app_inherits_no_descriptor),
		TEST(the_app_gets_the_signals_as_a_login_would),
		TEST(a_free_port_can_be_bound),
		TEST(output_of_both_streams_is_kept_in_order),
		TEST(what_was_written_before_the_take_is_in_it),
		TEST(an_unfinished_line_is_continued_by_the_next_take),
		TEST(bytes_that_are_no_text_become_text),
		TEST(a_flood_blocks_nobody_and_its_newest_lines_are_kept),
		TEST(one_endless_line_is_cut_and_counted),
		TEST(taking_from_a_flood_that_never_ends_does_end),
		TEST(term_gives_the_app_time_to_end_well),
		TEST(a_stopped_app_is_continued_to_end_well),
		TEST(who_ignores_term_is_killed),
		TEST(grandchildren_end_with_the_app_and_are_reaped),
		TEST(who_left_the_group_does_not_hold_up_the_stop),
		TEST(many_starts_leave_no_descriptor),
		TEST(nothing_survives_backstep),
		TEST(an_app_that_was_just_forked_does_not_survive_either),
		TEST(an_orderly_end_leaves_nothing),
		TEST(a_group_that_was_forgotten_is_left_alone),
		TEST(signals_that_ask_to_end_do_not_end_the_guard),
		TEST(the_guard_keeps_nothing_of_ours_open),
		TEST(a_guard_that_was_killed_is_replaced_and_hurts_nobody),
		TEST(only_what_is_below_the_work_directory_is_removed),
		TEST(no_depth_is_too_deep_to_be_removed),
		TEST(a_directory_that_took_the_name_is_not_the_work_directory),
		TEST(what_is_no_directory_of_ours_is_refused),
	};

	return cmocka_run_group_tests_name("app", tests, make_folder, remove_folder);
}
