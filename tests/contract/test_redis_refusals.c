/* Servers that cannot be read or put back, and users who may not: what is said, and that following it helps. */
#include "base/port.h"
#include "redis_fixture.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void urls_are_read_or_refused_without_their_password(void **state)
{
	static const struct {
		const char *url, *host, *user, *password;
		uint16_t port;
		unsigned db;
	} good[] = {
		{"redis://localhost", "localhost", NULL, NULL, 6379, 0},
		{"redis://127.0.0.1:7000/3", "127.0.0.1", NULL, NULL, 7000, 3},
		{"redis://ann:pass@db.example:1/", "db.example", "ann", "pass", 1, 0},
		{"redis://:p%40ss%2f@h/2", "h", NULL, "p@ss/", 6379, 2},
		{"redis://ann@h", "h", "ann", NULL, 6379, 0},
		{"redis://[::1]:7000/1", "::1", NULL, NULL, 7000, 1},
	};
	static const char *const bad[] = {"redis://", "localhost:6379", "rediss://h", "redis://:s3cret@", "redis://h:0",
					  "redis://h:65536", "redis://h/x", "redis://:s3cret%@h", "redis://:s3cret%00@h",
					  "redis://h/1?db=2", "redis://h/-1", "redis://[::1", "redis://h/1/2", "http://s3cret@h"};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(good); i++) {
		struct bs_redis_url url;
		assert_int_equal(bs_redis_url_read(good[i].url, &url, NULL), 0);
		assert_string_equal(url.host, good[i].host);
		assert_string_equal(url.user ? url.user : "-", good[i].user ? good[i].user : "-");
		assert_string_equal(url.password ? url.password : "-", good[i].password ? good[i].password : "-");
		assert_int_equal(url.port, good[i].port);
		assert_int_equal(url.db, good[i].db);
		bs_redis_url_release(&url);
	}
	for (size_t i = 0; i < BS_COUNT(bad); i++) {
		struct bs_redis_url url;
		struct bs_err err = BS_ERR_INIT;
		assert_int_equal(bs_redis_url_read(bad[i], &url, &err), BS_EMODEL);
		assert_null(strstr(bs_err_text(&err), "s3cret"));
		bs_err_release(&err);
	}
	BS_AUTOFREE char *secret = bs_store_redis.secret("redis://ann:s3cret@h");
	assert_string_equal(secret, "s3cret");
	assert_null(bs_store_redis.secret("redis://h"));
}

/* --- Users ------------------------------------------------------------------------------------------- */

static void use_url(struct fixture *f, const char *format, unsigned port)
{
	struct bs_buf url = BS_BUF_INIT;

	bs_buf_addf(&url, "redis://%s@127.0.0.1:%u/2", format, port);
	bs_buf_add(&url, "", 0);
	free(f->url);
	f->url = bs_buf_take(&url);
}

static void a_wrong_password_is_said_and_not_repeated(void **state)
{
	struct fixture *f = *state;

	on_original(f, "ACL SETUSER ann on >right ~* +@all");
	use_url(f, "ann:wr0ng", server.port);
	assert_refused(f, open_store(f), BS_ESTORE, "WRONGPASS");
	assert_null(strstr(bs_err_text(&f->err), "wr0ng"));
	use_url(f, "ann:right", server.port);
	assert_ok(f, open_store(f));
}

/* What stands behind "give it with: ". */
static const char *advice(struct fixture *f)
{
	const char *begin = strstr(bs_err_text(&f->err), "ACL SETUSER ");

	if (!begin)
		fail_msg("no rule in '%s'", bs_err_text(&f->err));
	return begin;
}

static int whole_life(struct fixture *f)
{
	struct bs_changes list;
	uint64_t sum;
	int r = open_store(f);

	if (r == 0)
		r = f->store->ops->clone(f->store, &f->err);
	if (r == 0)
		r = f->store->ops->snapshot(f->store, &f->err);
	if (r == 0)
		r = f->store->ops->begin(f->store, &f->err);
	if (r == 0 && f->in_place) {
		BS_AUTOFREE char *url = bs_xasprintf("redis://127.0.0.1:%u/2", server.port);
		redisContext *conn = connect_to(url);
		run(conn, "SET a 2");
		run(conn, "SET new 2");
		redisFree(conn);
		r = f->store->ops->changes(f->store, &list, &f->err);
		if (r == 0)
			r = undo(f, &list);
	}
	if (r == 0)
		r = f->store->ops->digest(f->store, &sum, NULL, &f->err);
	if (r < 0 && f->store) {
		f->store->ops->close(f->store);
		f->store = NULL;
	}
	return r;
}

/* A user who may do nothing, and is given what the messages ask for, one rule after the other. */
static void follow_advice(struct fixture *f, unsigned rules_max)
{
	unsigned rules = 0;
	redisContext *conn = connect_to(f->url);

	run(conn, "MSET a 1 b 1");
	run(conn, "ACL SETUSER ann reset on >right");
	use_url(f, "ann:right", server.port);
	while (whole_life(f) < 0) {
		if (++rules > rules_max)
			fail_msg("still refused: %s", bs_err_text(&f->err));
		run(conn, advice(f));
	}
	assert_true(rules > 0);
	BS_AUTOFREE char *all = value(conn, "ACL LIST");
	assert_null(strstr(all, "user ann on +@all"));
	redisFree(conn);
}

static void the_rules_that_are_named_are_those_that_copying_needs(void **state)
{
	follow_advice(*state, 2);
}

static void the_rules_that_are_named_are_those_that_in_place_needs(void **state)
{
	struct fixture *f = *state;

	follow_advice(f, 3);
	f->store->ops->close(f->store);
	f->store = NULL;
	BS_AUTOFREE char *url = bs_xasprintf("redis://127.0.0.1:%u/2", server.port);
	redisContext *conn = connect_to(url);
	assert_value(conn, "MGET a b new", "1 1 nil");
	redisFree(conn);
}

/* --- Servers ----------------------------------------------------------------------------------------- */

static void refuse(struct fixture *f, const struct redis_server *at, const char *text)
{
	free(f->url);
	f->url = bs_xasprintf("redis://127.0.0.1:%u/0", at->port);
	assert_refused(f, open_store(f), BS_ESTORE, text);
}

static void nobody_there_is_said(void **state)
{
	struct fixture *f = *state;
	struct redis_server gone;

	redis_server_start(&gone, NULL);
	redis_server_stop(&gone);
	refuse(f, &gone, "cannot connect to redis://127.0.0.1:");
}

static void clusters_are_refused(void **state)
{
	struct redis_server cluster;
	uint16_t bus;

	assert_int_equal(bs_port_free(&bus, NULL), 0);
	BS_AUTOFREE char *port = bs_xasprintf("%u", bus);
	redis_server_start(&cluster, (const char *const[]){"--cluster-enabled", "yes", "--cluster-port", port, NULL});
	refuse(*state, &cluster, "part of a cluster");
	redis_server_stop(&cluster);
}

static void replicas_are_refused_with_the_name_of_their_server(void **state)
{
	struct redis_server replica;
	BS_AUTOFREE char *port = bs_xasprintf("%u", server.port);

	redis_server_start(&replica, (const char *const[]){"--replicaof", "127.0.0.1", port, NULL});
	refuse(*state, &replica, "is a replica; name the server that it copies (127.0.0.1)");
	redis_server_stop(&replica);
}

/* A server that answers everything with the same text. */
static pid_t fake_server(const char *info, struct redis_server *ret_server)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	ret_server->port = ntohs(address.sin_port);
	pid_t pid = fork();
	for (int conn; pid == 0 && (conn = accept(fd, NULL, NULL)) >= 0; close(conn)) {
		char question[1024];
		while (read(conn, question, sizeof question) > 0)
			dprintf(conn, "$%zu\r\n%s\r\n", strlen(info), info);
	}
	close(fd);
	return pid;
}

static void old_servers_and_sentinels_are_refused(void **state)
{
	static const struct {
		const char *info, *text;
	} table[] = {{"redis_version:6.2.14\r\nredis_mode:standalone\r\nrole:master", "is version 6.2.14; Backstep needs 7.0"},
		     {"redis_version:7.0.15\r\nredis_mode:sentinel\r\nrole:master", "is a sentinel"},
		     {"hello", "is version ; Backstep needs 7.0"}};

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct redis_server fake;
		pid_t pid = fake_server(table[i].info, &fake);
		refuse(*state, &fake, table[i].text);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void a_missing_redis_server_names_its_package(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *path = bs_xstrdup(getenv("PATH"));

	assert_ok(f, open_store(f));
	setenv("PATH", f->folder, 1);
	int r = f->store->ops->clone(f->store, &f->err);
	setenv("PATH", path, 1);
	assert_int_equal(r, BS_ESTORE);
	assert_non_null(strstr(bs_err_text(&f->err), "install the package redis-server"));
}

static void fields_that_expire_are_noticed(void **state)
{
	struct bs_redis_info info;

	(void)state;
	bs_redis_info_read("# Keyspace\r\ndb0:keys=5,expires=1,avg_ttl=7,subexpiry=0\r\ndb3:keys=2,expires=0,avg_ttl=0,subexpiry=2\r\n",
			   &info);
	assert_true(info.field_expiry);
	assert_int_equal(info.count_count, 2);
	assert_int_equal(info.counts[1].db, 3);
	assert_int_equal(info.counts[1].keys, 2);
	bs_redis_info_release(&info);
	bs_redis_info_read("# Keyspace\r\ndb0:keys=5,expires=1,avg_ttl=7,subexpiry=0\r\n", &info);
	assert_false(info.field_expiry);
	bs_redis_info_release(&info);
}

static void in_place_needs_a_place_to_keep_keys(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *home = bs_xstrdup(getenv("HOME"));

	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	int r = open_store(f);
	if (home)
		setenv("HOME", home, 1);
	assert_int_equal(r, BS_EIO);
	assert_non_null(strstr(bs_err_text(&f->err), "XDG_STATE_HOME"));
}

static void sql_is_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, NULL);
	assert_refused(f, f->store->ops->query(f->store, "SELECT 1", 100, NULL, NULL, &f->err), BS_ESTORE,
		       "no query language");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_read_or_refused_without_their_password),
		TEST(a_wrong_password_is_said_and_not_repeated),
		TEST(the_rules_that_are_named_are_those_that_copying_needs),
		cmocka_unit_test_setup_teardown(the_rules_that_are_named_are_those_that_in_place_needs, set_up_in_place,
						tear_down),
		TEST(nobody_there_is_said),
		TEST(clusters_are_refused),
		TEST(replicas_are_refused_with_the_name_of_their_server),
		TEST(old_servers_and_sentinels_are_refused),
		TEST(a_missing_redis_server_names_its_package),
		cmocka_unit_test(fields_that_expire_are_noticed),
		cmocka_unit_test_setup_teardown(in_place_needs_a_place_to_keep_keys, set_up_in_place, tear_down),
		TEST(sql_is_refused),
	};

	redis_server_start(&server, NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	redis_server_stop(&server);
	return failed;
}
