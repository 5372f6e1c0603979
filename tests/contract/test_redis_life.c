/* Redis stores from beginning to end: what they leave behind, also when they are killed, and two at once. */
#include "redis_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE_MS 20000

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool answers(const char *url)
{
	struct bs_redis_url parts;

	assert_int_equal(bs_redis_url_read(url, &parts, NULL), 0);
	redisContext *conn = redisConnect(parts.host, parts.port);
	bool there = conn && !conn->err;
	redisFree(conn);
	bs_redis_url_release(&parts);
	return there;
}

static void the_copy_has_everything_of_the_original(void **state)
{
	struct fixture *f = *state;

	on_original(f, "SET a 1 PXAT 4102444800123");
	on_original(f, "XADD s 1-1 a b");
	on_original(f, "XGROUP CREATE s g 0");
	on_original(f, "XREADGROUP GROUP g ann STREAMS s >");
	on_original(f, "CONFIG SET notify-keyspace-events KEA");
	redisContext *conn = connect_to(f->url);
	freeReplyObject(redisCommand(conn, "FUNCTION LOAD REPLACE %s",
				     "#!lua name=shop\nredis.register_function('twice', function(k, a) return a[1] * 2 end)"));
	freeReplyObject(redisCommand(conn, "SELECT 7"));
	freeReplyObject(redisCommand(conn, "SET other 1"));
	redisFree(conn);
	begin(f, NULL);
	assert_string_not_equal(live_url(f), f->url);
	assert_value(f->app, "PEXPIRETIME a", "4102444800123");
	assert_value(f->app, "XPENDING s g", "1 1-1 1-1 ann 1");
	assert_value(f->app, "CONFIG GET notify-keyspace-events", "notify-keyspace-events AKE");
	assert_value(f->app, "FCALL twice 0 21", "42");
	run(f->app, "SELECT 7");
	assert_value(f->app, "GET other", "1");
	on_original(f, "FUNCTION FLUSH");
	conn = connect_to(f->url);
	freeReplyObject(redisCommand(conn, "CONFIG SET notify-keyspace-events %s", ""));
	redisFree(conn);
}

static void what_the_application_does_never_reaches_the_original(void **state)
{
	struct fixture *f = *state;

	on_original(f, "SET a 1");
	begin(f, NULL);
	run(f->app, "FLUSHALL");
	run(f->app, "SELECT 0");
	run(f->app, "SET b 1");
	redisContext *conn = connect_to(f->url);
	assert_value(conn, "GET a", "1");
	assert_value(conn, "DBSIZE", "1");
	assert_value(conn, "CLIENT LIST TYPE pubsub", "");
	redisFree(conn);
}

static void a_store_without_a_url_begins_empty(void **state)
{
	struct fixture *f = *state;

	free(f->url);
	f->url = NULL;
	begin(f, NULL);
	assert_value(f->app, "DBSIZE", "0");
	run(f->app, "SET a 1");
	assert_int_equal(changes(f).count, 1);
}

static void two_runs_on_one_server_do_not_meet(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *workdir = bs_xasprintf("%s/other", f->folder);
	struct fixture other = {.workdir = workdir, .url = f->url};

	on_original(f, "SET a 1");
	assert_int_equal(mkdir(workdir, 0700), 0);
	begin(f, NULL);
	begin(&other, NULL);
	run(f->app, "SET a 2");
	run(other.app, "SET a 3");
	struct bs_changes list = changes(f);
	assert_int_equal(list.count, 1);
	assert_ok(f, undo(f, &list));
	assert_value(other.app, "GET a", "3");
	assert_value(f->app, "GET a", "1");
	redisFree(other.app);
	other.store->ops->close(other.store);
	bs_err_release(&other.err);
	assert_int_equal(rmdir(workdir), 0);
}

static void a_closed_store_leaves_no_server(void **state)
{
	struct fixture *f = *state;

	begin(f, NULL);
	BS_AUTOFREE char *url = bs_xstrdup(live_url(f));
	redisFree(f->app);
	f->app = NULL;
	f->store->ops->close(f->store);
	f->store = NULL;
	assert_false(answers(url));
}

/* --- Killed ------------------------------------------------------------------------------------------ */

/* A run in a process of its own, which is killed when it has done what fn does. url: of its copy; the caller's. */
static char *killed_run(struct fixture *f, void (*fn)(struct fixture *f))
{
	int fds[2];
	char url[128] = "";

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		fn(f);
		(void)!write(fds[1], live_url(f), strlen(live_url(f)));
		close(fds[1]);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_true(read(fds[0], url, sizeof url - 1) > 0);
	close(fds[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return bs_xstrdup(url);
}

static void write_in_the_middle(struct fixture *f)
{
	begin(f, LIST("SET setup 1"));
	run(f->app, "SET a 2");
	run(f->app, "DEL b");
	changes(f);
	run(f->app, "SET unread 1 EX 1000");
}

static void remove_work(struct fixture *f)
{
	BS_AUTOFREE char *folder = bs_xasprintf("%s/cache", f->workdir);
	BS_AUTOFREE char *log = bs_xasprintf("%s/log", folder);
	BS_AUTOFREE char *socket = bs_xasprintf("%s/socket", folder);

	unlink(log);
	unlink(socket);
	rmdir(folder);
}

static void a_killed_run_leaves_no_server_and_the_original_as_it_was(void **state)
{
	struct fixture *f = *state;

	on_original(f, "MSET a 1 b 1");
	BS_AUTOFREE char *url = killed_run(f, write_in_the_middle);
	for (int waited_ms = 0; answers(url) && waited_ms < PATIENCE_MS; waited_ms += 5)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	assert_false(answers(url));
	redisContext *conn = connect_to(f->url);
	assert_value(conn, "MGET a b", "1 1");
	assert_value(conn, "DBSIZE", "2");
	redisFree(conn);
	remove_work(f); /* the guard's, in a run */
}

static void check_put_back(struct fixture *f)
{
	redisContext *conn = connect_to(f->url);

	assert_value(conn, "MGET a b", "1 1");
	assert_value(conn, "DBSIZE", "2");
	redisFree(conn);
}

static void in_place_the_next_run_puts_back_what_a_killed_one_left(void **state)
{
	struct fixture *f = *state;

	on_original(f, "MSET a 1 b 1");
	free(killed_run(f, write_in_the_middle));
	redisContext *conn = connect_to(f->url);
	assert_value(conn, "MGET a b", "2 nil");
	redisFree(conn);
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	check_put_back(f);
	const char *warning = f->store->ops->warning(f->store, 0);
	assert_non_null(warning);
	assert_non_null(strstr(warning, "a run that was killed"));
}

static void in_place_recover_alone_does_it_too(void **state)
{
	struct fixture *f = *state;

	on_original(f, "MSET a 1 b 1");
	free(killed_run(f, write_in_the_middle));
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->recover(f->store, &f->err));
	check_put_back(f);
}

static char *kept_file(struct fixture *f)
{
	struct bs_redis *s = (struct bs_redis *)f->store;

	return bs_xasprintf("%s/keys", s->leftover_path);
}

static void in_place_a_damaged_file_is_refused_and_kept(void **state)
{
	struct fixture *f = *state;

	on_original(f, "MSET a 1 b 1");
	free(killed_run(f, write_in_the_middle));
	assert_ok(f, open_store(f));
	BS_AUTOFREE char *path = kept_file(f);
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, 60), 1);
	close(fd);
	assert_refused(f, f->store->ops->clone(f->store, &f->err), BS_EIO, "left by a run that was killed, cannot be used");
	assert_int_equal(unlink(path), 0);
}

/* --- In place ---------------------------------------------------------------------------------------- */

static void in_place_the_database_is_as_before_in_the_end(void **state)
{
	struct fixture *f = *state;

	on_original(f, "MSET a 1 b 1");
	on_original(f, "EXPIREAT a 4102444800");
	begin(f, LIST("SET setup 1", "DEL b"));
	assert_string_equal(live_url(f), f->url);
	run(f->app, "SET a 2");
	run(f->app, "FLUSHDB");
	assert_int_equal(changes(f).count, 2);
	run(f->app, "SET unread 1");
	f->store->ops->close(f->store);
	f->store = NULL;
	check_put_back(f);
	redisContext *conn = connect_to(f->url);
	assert_value(conn, "EXPIRETIME a", "4102444800");
	redisFree(conn);
}

static void in_place_a_second_run_is_refused(void **state)
{
	struct fixture *f = *state;
	struct fixture other = {.workdir = f->workdir, .url = f->url, .in_place = true};
	BS_AUTOFREE char *elsewhere = bs_xasprintf("%s/elsewhere", f->folder);
	BS_AUTOFREE char *kept = bs_xasprintf("%s/backstep", elsewhere);

	begin(f, NULL);
	assert_refused(&other, open_store(&other), BS_ESTORE, "another run uses");
	/* One of another user or machine does not see the lock. */
	setenv("XDG_STATE_HOME", elsewhere, 1);
	assert_refused(&other, open_store(&other), BS_ESTORE, "another run uses");
	assert_int_equal(rmdir(kept), 0);
	assert_int_equal(rmdir(elsewhere), 0);
	bs_err_release(&other.err);
	assert_changes(f, "");
}

static void in_place_another_database_is_another_run(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *url = bs_xasprintf("redis://127.0.0.1:%u/3", server.port);
	struct fixture other = {.workdir = f->workdir, .url = url, .in_place = true};

	begin(f, NULL);
	assert_ok(&other, open_store(&other));
	other.store->ops->close(other.store);
	bs_err_release(&other.err);
}

static void in_place_a_write_to_another_database_is_an_error(void **state)
{
	struct fixture *f = *state;

	on_original(f, "SET a 1");
	redisContext *conn = connect_to(f->url);
	run(conn, "SELECT 4");
	run(conn, "SET theirs 1");
	begin(f, NULL);
	run(f->app, "SELECT 5");
	run(f->app, "SET a 2");
	assert_refused(f, try_changes(f), BS_ESTORE, "database 5 of");
	run(f->app, "DEL a");
	assert_changes(f, "");
	run(f->app, "FLUSHALL");
	assert_refused(f, try_changes(f), BS_ESTORE, "database 4 of");
	redisFree(conn);
}

static void in_place_the_same_key_of_another_database_is_none_of_ours(void **state)
{
	struct fixture *f = *state;

	on_original(f, "SET a 1");
	redisContext *conn = connect_to(f->url);
	run(conn, "SELECT 4");
	run(conn, "SET a theirs");
	begin(f, NULL);
	run(conn, "SET a changed");
	assert_changes(f, "");
	redisFree(conn);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_IN_PLACE(name) cmocka_unit_test_setup_teardown(name, set_up_in_place, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_copy_has_everything_of_the_original),
		TEST(what_the_application_does_never_reaches_the_original),
		TEST(a_store_without_a_url_begins_empty),
		TEST(two_runs_on_one_server_do_not_meet),
		TEST(a_closed_store_leaves_no_server),
		TEST(a_killed_run_leaves_no_server_and_the_original_as_it_was),
		TEST_IN_PLACE(in_place_the_next_run_puts_back_what_a_killed_one_left),
		TEST_IN_PLACE(in_place_recover_alone_does_it_too),
		TEST_IN_PLACE(in_place_a_damaged_file_is_refused_and_kept),
		TEST_IN_PLACE(in_place_the_database_is_as_before_in_the_end),
		TEST_IN_PLACE(in_place_a_second_run_is_refused),
		TEST_IN_PLACE(in_place_another_database_is_another_run),
		TEST_IN_PLACE(in_place_a_write_to_another_database_is_an_error),
		TEST_IN_PLACE(in_place_the_same_key_of_another_database_is_none_of_ours),
	};

	redis_server_start(&server, NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	redis_server_stop(&server);
	return failed;
}
