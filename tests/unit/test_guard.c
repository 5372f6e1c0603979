/*
 * The guard: however Backstep ends, its applications end and its work directory is removed, and nothing else is.
 */
#include "tests/unit/app_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *make_workdir(void)
{
	char *path = bs_xasprintf("%s/work-XXXXXX", folder);

	assert_non_null(mkdtemp(path));
	return path;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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

	return cmocka_run_group_tests_name("guard", tests, make_folder, remove_folder);
}
