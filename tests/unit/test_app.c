/* The application's process: nothing is lost of what it says, nothing is left of what it starts. */
#include "base/port.h"
#include "tests/unit/app_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starting. */

static void assert_gone(pid_t pid)
{
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

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
	assert_int_equal(bs_port_free(&port, NULL), 0);
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
	};

	return cmocka_run_group_tests_name("app", tests, make_folder, remove_folder);
}
