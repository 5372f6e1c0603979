/* What is hard to see, and hard to put back, on Redis: each is done by the application, told, undone, and compared. */
#include "redis_fixture.h"

#include <sys/socket.h>
#include <time.h>

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* The commands change what is expected, and undoing it gives the root back. */
static void do_and_undo(struct fixture *f, const char *const *commands, const char *expected)
{
	uint64_t root = digest(f);

	for (; *commands; commands++)
		run(f->app, *commands);
	struct bs_changes list = changes(f);
	BS_AUTOFREE char *text = as_text(f, &list);
	assert_string_equal(text ? text : "", expected);
	assert_int_equal(list.count == 0, digest(f) == root);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	assert_changes(f, "");
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void every_type_is_told_as_people_read_it(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SET string:1 old", "HSET hash a 1", "RPUSH list x", "SADD set b a", "ZADD zset 1 ann"));
	do_and_undo(f,
		    LIST("SET string:1 new", "SET string:2 42", "SET string:3 {\"total\":3.50}", "SET string:4 007",
			 "SET string:5 19.90", "HSET hash b text", "LPUSH list 7", "SADD set c 10", "ZADD zset 2.5 bob",
			 "ZADD zset +inf cy", "XADD stream 1-1 who ann"),
		    "hash {\"a\":1} -> {\"a\":1,\"b\":\"text\"}\n"
		    "list [\"x\"] -> [7,\"x\"]\n"
		    "set [\"a\",\"b\"] -> [10,\"a\",\"b\",\"c\"]\n"
		    "stream null -> {\"last\":\"1-1\",\"entries\":[{\"id\":\"1-1\",\"fields\":{\"who\":\"ann\"}}],\"groups\":[]}\n"
		    "string:1 \"old\" -> \"new\"\n"
		    "string:2 null -> 42\n"
		    "string:3 null -> {\"total\":3.50}\n"
		    "string:4 null -> \"007\"\n"
		    "string:5 null -> 19.90\n"
		    "zset {\"ann\":1} -> {\"ann\":1,\"bob\":2.5,\"cy\":\"inf\"}\n");
	assert_value(f->app, "GET string:1", "old");
	assert_value(f->app, "KEYS string:*", "string:1");
}

static void rows_have_the_columns_that_rules_use(void **state)
{
	struct fixture *f = *state;
	size_t count;

	begin(f, NULL);
	run(f->app, "SET session:9f8e7d6c5b4a39281706 {\"user\":7} PXAT 4102444800000");
	struct bs_changes list = changes(f);
	const struct bs_table *table = f->store->ops->schema(f->store, &count);
	assert_int_equal(count, 1);
	assert_string_equal(table->name, "keys");
	cJSON *row = bs_row_to_json(table, list.items[0].after);
	BS_AUTOFREE char *text = bs_json_print(row, false);
	cJSON_Delete(row);
	assert_string_equal(text, "{\"key\":\"session:9f8e7d6c5b4a39281706\",\"db\":2,\"type\":\"string\",\"value\":{\"user\":7},"
				  "\"expires_at\":4102444800000}");
}

static void names_and_values_of_any_bytes_survive(void **state)
{
	struct fixture *f = *state;
	uint64_t root;

	begin(f, NULL);
	freeReplyObject(redisCommand(f->app, "SET %b %b", "\xff\x00k", (size_t)3, "a\x00\xfe", (size_t)3));
	freeReplyObject(redisCommand(f->app, "HSET h %b %b", "\x00", (size_t)1, "\xc0\x80", (size_t)2));
	freeReplyObject(redisCommand(f->app, "SET %b empty-name", "", (size_t)0));
	changes(f);
	root = digest(f);
	run(f->app, "FLUSHDB");
	struct bs_changes list = changes(f);
	assert_int_equal(list.count, 3);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	redisReply *reply = redisCommand(f->app, "GET %b", "\xff\x00k", (size_t)3);
	assert_int_equal(reply->len, 3);
	assert_memory_equal(reply->str, "a\x00\xfe", 3);
	freeReplyObject(reply);
}

/* JSON has no word for such bytes: two values that people see as the same are two all the same. */
static void values_that_look_alike_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct bs_blob cells[2];

	begin(f, LIST("SADD set x'ff'"));
	freeReplyObject(redisCommand(f->app, "SADD bytes %b", "\xff", (size_t)1));
	run(f->app, "SADD text x'ff'");
	struct bs_changes list = changes(f);
	assert_int_equal(list.count, 2);
	for (int i = 0; i < 2; i++)
		assert_true(bs_row_bytes(list.items[i].after, BS_REDIS_LOSSY, &cells[i]));
	assert_false(bs_blob_equal(cells[0], cells[1]));
}

static void times_of_expiry_are_exact(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SET a 1 PXAT 4102444800123", "SET b 1", "HSET c f 1"));
	do_and_undo(f, LIST("PEXPIREAT a 4102444800999", "PEXPIREAT b 4102444800456", "EXPIRE c 1000", "PERSIST c"),
		    "a 1 -> 1\nb 1 -> 1\n");
	assert_value(f->app, "PEXPIRETIME a", "4102444800123");
	assert_value(f->app, "PEXPIRETIME b", "-1");
	do_and_undo(f, LIST("DEL a"), "a 1 -> null\n");
	assert_value(f->app, "PEXPIRETIME a", "4102444800123");
}

static void a_key_that_expires_is_a_change_and_gets_its_life_back(void **state)
{
	struct fixture *f = *state;
	struct bs_changes list = {0};

	begin(f, LIST("SET kept 1", "SET session:1 ann PX 400"));
	uint64_t root = digest(f);
	for (int tries = 0; tries < 100 && list.count == 0; tries++) {
		pause_ms(20);
		list = changes(f);
	}
	BS_AUTOFREE char *text = as_text(f, &list);
	assert_string_equal(text, "session:1 \"ann\" -> null\n");
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root); /* its time is past, and counts as it was */
	BS_AUTOFREE char *left = value(f->app, "PTTL session:1");
	assert_true(strtol(left, NULL, 10) > 0 && strtol(left, NULL, 10) <= 400);
	assert_value(f->app, "GET session:1", "ann");
	assert_changes(f, "");
}

static void a_clean_start_gives_life_to_what_expired_meanwhile(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SET session:1 ann PX 300"));
	uint64_t root = digest(f);
	pause_ms(400);
	redisFree(f->app);
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	f->app = connect_to(live_url(f));
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	assert_value(f->app, "GET session:1", "ann");
	assert_int_equal(digest(f), root);
}

static void what_consumer_groups_do_is_seen(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("XADD s 1-1 lag 1", "XADD s 2-1 a 2", "XGROUP CREATE s g 0"));
	uint64_t root = digest(f);
	static const char *const commands[] = {"XREADGROUP GROUP g ann COUNT 1 STREAMS s >", "XCLAIM s g bob 0 1-1",
					       "XACK s g 1-1", "XGROUP CREATE s other $", "XGROUP SETID s g 0",
					       "XGROUP DELCONSUMER s g ann", "XGROUP DESTROY s g", "XDEL s 2-1"};
	struct bs_changes list;
	for (size_t i = 0; i < BS_COUNT(commands); i++) {
		uint64_t before = digest(f);
		run(f->app, commands[i]);
		list = changes(f);
		if (list.count != 1 || digest(f) == before)
			fail_msg("%s is not seen", commands[i]);
		struct bs_change kept = list.items[0];
		struct bs_buf after = BS_BUF_INIT, image = BS_BUF_INIT;
		bs_buf_add(&after, kept.after.data, kept.after.len);
		bs_buf_add(&image, kept.before.data, kept.before.len);
		assert_ok(f, undo(f, &list));
		assert_int_equal(digest(f), before);
		struct bs_net_row redo[2] = {{0, -1, {image.data, (uint32_t)image.len}},
					     {0, 1, {after.data, (uint32_t)after.len}}};
		assert_ok(f, f->store->ops->apply(f->store, redo, 2, &f->err));
		assert_changes(f, "");
		bs_buf_release(&after);
		bs_buf_release(&image);
	}
	assert_int_not_equal(digest(f), root);
	run(f->app, "XGROUP CREATE s g 0");
	changes(f);
	run(f->app, "XREADGROUP GROUP g ann COUNT 9 STREAMS s >");
	changes(f);
	run(f->app, "XREADGROUP GROUP g ann COUNT 9 STREAMS s >"); /* nothing new: only that ann looked */
	assert_changes(f, "");
}

static void everything_flushed_comes_back(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SET a 1", "SET b 2 EX 1000"));
	do_and_undo(f, LIST("FLUSHDB"), "a 1 -> null\nb 2 -> null\n");
	do_and_undo(f, LIST("FLUSHALL ASYNC", "SET a 3"), "a 1 -> 3\nb 2 -> null\n");
	do_and_undo(f, LIST("MULTI", "FLUSHALL", "SET c 1", "EXEC"), "a 1 -> null\nb 2 -> null\nc null -> 1\n");
}

static void other_databases_are_the_applications_too(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SET a 1", "SELECT 5", "SET a five", "SELECT 2"));
	do_and_undo(f, LIST("SELECT 5", "SET a six", "SELECT 7", "SET b 1", "SELECT 2"),
		    "5/a \"five\" -> \"six\"\n7/b null -> 1\n");
	do_and_undo(f, LIST("MOVE a 9"), "a 1 -> null\n9/a null -> 1\n");
}

static void swapped_databases_are_swapped_back(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SET a 1", "SELECT 5", "SET b 2", "SELECT 2"));
	do_and_undo(f, LIST("SWAPDB 2 5"), "a 1 -> null\nb null -> 2\n5/a null -> 1\n5/b 2 -> null\n");
	do_and_undo(f, LIST("SWAPDB 2 8"), "a 1 -> null\n8/a null -> 1\n");
	do_and_undo(f, LIST("SWAPDB 2 5", "SET a 7"), "a 1 -> 7\n5/a null -> 1\nb null -> 2\n5/b 2 -> null\n");
}

static void another_encoding_is_the_same_value(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("HSET h a 1 b 2", "SADD s 1 2 3"));
	uint64_t root = digest(f);
	run(f->app, "CONFIG SET hash-max-listpack-entries 1");
	run(f->app, "CONFIG SET set-max-intset-entries 1");
	run(f->app, "HSET h c 3");
	run(f->app, "HDEL h c");
	run(f->app, "SADD s 4");
	run(f->app, "SREM s 4");
	assert_value(f->app, "OBJECT ENCODING h", "hashtable");
	assert_value(f->app, "OBJECT ENCODING s", "hashtable");
	assert_changes(f, "");
	assert_int_equal(digest(f), root);
}

static void a_save_is_no_change_and_hides_none(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SET a 1"));
	run(f->app, "SAVE");
	assert_changes(f, "");
	run(f->app, "SET a 2");
	run(f->app, "SAVE");
	assert_changes(f, "a 1 -> 2\n");
}

static void large_values_are_told_by_their_size(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SETRANGE large 100000 x"));
	uint64_t root = digest(f);
	run(f->app, "SETRANGE large 99999 y");
	struct bs_changes list = changes(f);
	BS_AUTOFREE char *text = as_text(f, &list);
	assert_string_equal(text, "large \"(string of 100023 bytes)\" -> \"(string of 100023 bytes)\"\n");
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
}

static void a_step_that_writes_too_many_keys_is_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, NULL);
	((struct bs_redis *)f->store)->keys_max = 3;
	run(f->app, "MSET a 1 b 1 c 1 d 1");
	assert_refused(f, try_changes(f), BS_ESTORE, "one step wrote more than 3 keys");
}

/* --- Connections ------------------------------------------------------------------------------------- */

static void an_open_connection_sees_what_is_put_back(void **state)
{
	struct fixture *f = *state;
	redisContext *other;

	begin(f, LIST("SET a 1"));
	other = connect_to(live_url(f));
	run(f->app, "SET a 2");
	run(other, "WATCH a");
	assert_value(other, "GET a", "2");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	run(other, "MULTI");
	run(other, "SET b 1");
	assert_value(other, "EXEC", "nil"); /* it is told, as of anybody's write */
	assert_value(other, "GET a", "1");
	redisFree(other);
}

static void a_cut_connection_loses_no_change(void **state)
{
	struct fixture *f = *state;
	uint64_t root;

	begin(f, LIST("SET a 1", "SET b 1"));
	root = digest(f);
	run(f->app, "SET a 2");
	run(f->app, "CLIENT KILL TYPE normal SKIPME yes");
	run(f->app, "SET b 2");
	struct bs_changes list = changes(f);
	BS_AUTOFREE char *text = as_text(f, &list);
	assert_string_equal(text, "a 1 -> 2\nb 1 -> 2\n");
	run(f->app, "CLIENT KILL TYPE normal SKIPME yes");
	assert_ok(f, undo(f, &list) == BS_EBUSY ? (changes(f), 0) : 0);
	list = changes(f);
	assert_int_equal(list.count, 0);
	run(f->app, "SET a 1");
	run(f->app, "SET b 1");
	run(f->app, "CLIENT KILL TYPE pubsub"); /* the one that is told */
	assert_int_equal(changes(f).count, digest(f) == root ? 2 : 0);
	assert_int_equal(digest(f), root);
}

/* Cut at any moment, a put is whole or not at all, and which of them is known. */
static void a_put_that_is_cut_off_is_seen_whole_or_not_at_all(void **state)
{
	struct fixture *f = *state;
	unsigned done = 0;

	begin(f, LIST("SET a 1", "SET b 1"));
	struct bs_redis *s = (struct bs_redis *)f->store;
	uint64_t root = digest(f);
	for (int round = 0; round < 20; round++) {
		run(f->app, "MSET a 2 b 2");
		struct bs_changes list = changes(f);
		assert_int_equal(list.count, 2);
		/* The request leaves, and the answer is never read; or not even the request leaves. */
		shutdown(s->live->fd, round % 2 ? SHUT_RD : SHUT_WR);
		int r = undo(f, &list);
		if (r == BS_EBUSY) {
			assert_int_equal(changes(f).count, 0);
			run(f->app, "MSET a 1 b 1");
			changes(f);
		} else {
			assert_ok(f, r);
			done++;
		}
		assert_int_equal(digest(f), root);
		assert_int_equal(changes(f).count, 0);
	}
	assert_true(done > 0 && done < 20);
}

static void a_server_without_memory_applies_nothing(void **state)
{
	struct fixture *f = *state;

	begin(f, LIST("SET a 1", "SET b 1"));
	run(f->app, "DEL a b");
	run(f->app, "SET c 1");
	struct bs_changes list = changes(f);
	uint64_t there = digest(f);
	run(f->app, "CONFIG SET maxmemory 1");
	assert_refused(f, undo(f, &list), BS_ESTORE, "maxmemory");
	run(f->app, "CONFIG SET maxmemory 0");
	assert_int_equal(digest(f), there);
	assert_ok(f, undo(f, &list));
	assert_value(f->app, "EXISTS a b", "2");
	assert_value(f->app, "DBSIZE", "2");
}

static void a_server_that_was_shut_down_is_said(void **state)
{
	struct fixture *f = *state;

	begin(f, NULL);
	freeReplyObject(redisCommand(f->app, "SHUTDOWN NOSAVE"));
	pause_ms(200);
	assert_refused(f, try_changes(f), BS_ESTORE, "the application's Redis is gone");
	assert_refused(f, try_changes(f), BS_ESTORE, "the application's Redis is gone");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_type_is_told_as_people_read_it),
		TEST(rows_have_the_columns_that_rules_use),
		TEST(names_and_values_of_any_bytes_survive),
		TEST(values_that_look_alike_are_told_apart),
		TEST(times_of_expiry_are_exact),
		TEST(a_key_that_expires_is_a_change_and_gets_its_life_back),
		TEST(a_clean_start_gives_life_to_what_expired_meanwhile),
		TEST(what_consumer_groups_do_is_seen),
		TEST(everything_flushed_comes_back),
		TEST(other_databases_are_the_applications_too),
		TEST(swapped_databases_are_swapped_back),
		TEST(another_encoding_is_the_same_value),
		TEST(a_save_is_no_change_and_hides_none),
		TEST(large_values_are_told_by_their_size),
		TEST(a_step_that_writes_too_many_keys_is_refused),
		TEST(an_open_connection_sees_what_is_put_back),
		TEST(a_cut_connection_loses_no_change),
		TEST(a_put_that_is_cut_off_is_seen_whole_or_not_at_all),
		TEST(a_server_without_memory_applies_nothing),
		TEST(a_server_that_was_shut_down_is_said),
	};

	redis_server_start(&server, NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	redis_server_stop(&server);
	return failed;
}
