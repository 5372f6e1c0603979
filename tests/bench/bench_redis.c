/*
 * Rollback of a 5-key step on Redis, at two sizes, beside its yardstick: putting all keys back (FLUSHDB and RESTORE in
 * one pipeline). The application is a connection of its own that stays open.
 */
#include "bench.h"

#include "base/mem.h"
#include "world/stores/delta.h"
#include "world/stores/redis.h"
#include "world/stores/stores.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 400

static void command(redisContext *conn, const char *text)
{
	redisReply *reply = redisCommand(conn, text);

	if (!reply || reply->type == REDIS_REPLY_ERROR) {
		fprintf(stderr, "bench: %s: %s\n", text, reply ? reply->str : conn->errstr);
		exit(1);
	}
	freeReplyObject(reply);
}

static redisContext *application(const struct bs_stores *stores)
{
	unsigned port = 0;

	sscanf(bs_stores_property(stores, "cache", "url"), "redis://127.0.0.1:%u", &port);
	redisContext *conn = redisConnect("127.0.0.1", (int)port);
	if (!conn || conn->err)
		exit(1);
	return conn;
}

static void fill(redisContext *app, int keys)
{
	static const char script[] =
		"for i = 1, ARGV[1] / 5 do redis.call('SET', 'string:' .. i, string.rep('v', 50))"
		" redis.call('HSET', 'hash:' .. i, 'a', 1, 'name', 'user' .. i) redis.call('RPUSH', 'list:' .. i, 'a', 'b', 'c')"
		" redis.call('ZADD', 'zset:' .. i, 1, 'a', 2, 'b') redis.call('SET', 'session:' .. i, 'tok', 'EX', 36000) end";

	freeReplyObject(redisCommand(app, "EVAL %s 0 %d", script, keys));
	command(app, "SET visits 5");
}

/* One request of an application: five keys, one command after the other. */
static void act(redisContext *app)
{
	command(app, "INCR visits");
	command(app, "HINCRBY hash:7 a 1");
	command(app, "SET new:1 x EX 1000");
	command(app, "DEL list:9");
	command(app, "RPUSH list:11 d");
}

struct medians {
	double idle, read, undo, undo_95, whole, begin_ms;
};

static double whole(struct bs_redis *s)
{
	redisContext *conn = NULL;
	struct bs_err err = BS_ERR_INIT;
	redisReply *reply;

	if (bs_redis_connect_live(s, &conn, &err) < 0)
		bench_fail(&err);
	double start = bench_now_us();
	redisAppendCommand(conn, "FLUSHDB");
	for (size_t i = 0; i < s->root.count; i++) {
		struct bs_redis_row row;
		if (bs_redis_row_read((struct bs_blob){s->root.items[i].image, s->root.items[i].image_len}, &row, &err) < 0)
			bench_fail(&err);
		redisAppendCommand(conn, "RESTORE %b %lld %b REPLACE ABSTTL", row.name.name.data, (size_t)row.name.name.len,
				   (long long)row.expires_ms, row.dump.data, (size_t)row.dump.len);
	}
	for (size_t i = 0; i <= s->root.count; i++) {
		if (redisGetReply(conn, (void **)&reply) != REDIS_OK || reply->type == REDIS_REPLY_ERROR)
			exit(1);
		freeReplyObject(reply);
	}
	double took = bench_now_us() - start;
	redisFree(conn);
	return took;
}

static struct medians measure(const char *folder, int keys)
{
	static double idles[ROUNDS], reads[ROUNDS], undos[ROUNDS];
	struct bs_stores stores = {0};
	struct bs_store_options options = {.name = "cache", .workdir = folder};
	struct bs_err err = BS_ERR_INIT;
	struct bs_net *net = bs_net_new();
	struct bs_changes changes;
	struct medians m;

	if (bs_stores_add(&stores, "redis", &options, &err) < 0 || bs_stores_clone(&stores, &err) < 0)
		bench_fail(&err);
	redisContext *app = application(&stores);
	fill(app, keys);
	double begin = bench_now_us();
	if (bs_stores_snapshot(&stores, &err) < 0 || bs_stores_begin(&stores, &err) < 0)
		bench_fail(&err);
	m.begin_ms = (bench_now_us() - begin) / 1000;
	for (int i = 0; i < ROUNDS; i++) {
		struct bs_arena arena = BS_ARENA_INIT;
		size_t count;
		double start = bench_now_us();
		if (bs_stores_changes(&stores, &changes, &err) < 0)
			bench_fail(&err);
		idles[i] = bench_now_us() - start;
		act(app);
		start = bench_now_us();
		if (bs_stores_changes(&stores, &changes, &err) < 0)
			bench_fail(&err);
		reads[i] = bench_now_us() - start;
		if (changes.count != 5)
			bench_fail(NULL); /* not five keys: something else was measured */
		bs_net_clear(net);
		bs_net_add(net, bs_delta_new(&arena, changes.items, changes.count), BS_UNDO);
		const struct bs_net_row *rows = bs_net_rows(net, &count);
		start = bench_now_us();
		if (bs_stores_apply(&stores, rows, count, &err) < 0)
			bench_fail(&err);
		undos[i] = bench_now_us() - start;
		bs_arena_release(&arena);
	}
	m.idle = bench_percentile(idles, ROUNDS, 50);
	m.read = bench_percentile(reads, ROUNDS, 50);
	m.undo = bench_percentile(undos, ROUNDS, 50);
	m.undo_95 = bench_percentile(undos, ROUNDS, 95);
	m.whole = whole((struct bs_redis *)stores.items[0]);
	redisFree(app);
	bs_stores_close(&stores);
	bs_net_free(net);
	return m;
}

int main(void)
{
	static const int sizes[] = {1000, 100000};
	char folder[] = "/tmp/backstep-bench-XXXXXX";
	double small = 0;

	if (!mkdtemp(folder))
		return 1;
	puts("rollback of a 5-key step on Redis, medians (aim: undo under 150 us, the same at both sizes)");
	puts("      keys   nothing changed   read 5   undo 5   (p95)   large/small   all keys   root and begin");
	for (size_t i = 0; i < BS_COUNT(sizes); i++) {
		struct medians m = measure(folder, sizes[i]);
		BS_AUTOFREE char *ratio = small > 0 ? bs_xasprintf("%.2f", m.undo / small) : bs_xstrdup("");
		printf("  %8d   %12.0f us %5.0f us %5.0f us %5.0f us %11s %7.0f us   %9.0f ms\n", sizes[i], m.idle, m.read, m.undo,
		       m.undo_95, ratio, m.whole, m.begin_ms);
		small = small > 0 ? small : m.undo;
	}
	rmdir(folder);
	return 0;
}
