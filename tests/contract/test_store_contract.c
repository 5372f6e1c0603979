/*
 * What every store driver promises, held against a program that writes through its own connection. A driver is a row
 * in the table at the end; nothing else here knows which one it is.
 */
#include "base/arena.h"
#include "base/mem.h"
#include "redis_server.h"
#include "server.h"
#include "world/stores/delta.h"
#include "world/stores/stores.h"
#include "writer.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#define ACTIONS 2500
#define DIGEST_EVERY 4 /* of the states of a walk; each is summed up by the writer */

struct world;

struct driver {
	const char *name;     /* of bs_store_driver */
	const char *program;  /* the writer */
	const char *mode;     /* its first argument */
	const char *property; /* where the live copy is: its second argument */
	unsigned actions;     /* of a walk; 0: ACTIONS */
	const char *mechanism; /* named in the end; NULL: any */
	void (*make_original)(struct world *w, struct bs_store_options *options); /* NULL: a file that is not there yet */
	int (*remove_original)(struct world *w); /* 0: nothing else was left; NULL: there is nothing */
	bool in_place;
};

struct world {
	const struct driver *driver;
	char workdir[64];
	char *path, *url;
	struct bs_store *store;
	struct writer writer;
	struct bs_err err;
};

#define assert_ok(w, call) \
	do { \
		int result_ = (call); \
		if (result_ < 0) \
			fail_msg("%s: %s", #call, bs_err_text(&(w)->err)); \
	} while (0)

/* --- Fixture ----------------------------------------------------------------------------------------- */

static void start_writer(struct world *w)
{
	const char *where = w->store->ops->property(w->store, w->driver->property);

	writer_start(&w->writer, w->driver->program, w->driver->mode, where);
}

static int set_up(void **state)
{
	struct world *w = bs_xcalloc(1, sizeof *w);

	w->driver = *state;
	snprintf(w->workdir, sizeof w->workdir, "/tmp/backstep-contract-XXXXXX");
	assert_non_null(mkdtemp(w->workdir));
	w->path = bs_xasprintf("%s/missing.db", w->workdir);
	struct bs_store_options options = {
		.name = "db", .path = w->path, .workdir = w->workdir, .in_place = w->driver->in_place};
	if (w->driver->make_original)
		w->driver->make_original(w, &options);
	const struct bs_store_ops *ops = bs_store_driver(w->driver->name);
	assert_non_null(ops);
	assert_ok(w, ops->open(&options, &w->store, &w->err));
	assert_ok(w, ops->clone(w->store, &w->err));
	start_writer(w);
	writer_setup(&w->writer);
	if (w->store->snapshot_alone)
		writer_stop(&w->writer);
	assert_ok(w, ops->snapshot(w->store, &w->err));
	if (w->store->snapshot_alone)
		start_writer(w);
	assert_ok(w, ops->begin(w->store, &w->err));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	writer_stop(&w->writer);
	w->store->ops->close(w->store);
	int left = rmdir(w->workdir); /* fails where something is left in it */
	if (w->driver->remove_original)
		left |= w->driver->remove_original(w);
	bs_err_release(&w->err);
	free(w->path);
	free(w->url);
	free(w);
	return left;
}

static uint64_t digest(struct world *w)
{
	uint64_t value = 0;

	assert_ok(w, w->store->ops->digest(w->store, &value, NULL, &w->err));
	return value;
}

static struct bs_changes changes(struct world *w)
{
	struct bs_changes list;

	assert_ok(w, w->store->ops->changes(w->store, &list, &w->err));
	return list;
}

static uint64_t applied_rows(struct world *w)
{
	struct bs_store_stats stats;

	w->store->ops->stats(w->store, &stats);
	return stats.applied_rows;
}

static const char *mechanism(struct world *w)
{
	struct bs_store_stats stats;

	w->store->ops->stats(w->store, &stats);
	return stats.mechanism;
}

/* Acts until a row changes; the delta is in arena. */
static const struct bs_delta *act_until_change(struct world *w, uint64_t *seed, struct bs_arena *arena)
{
	for (;;) {
		writer_act(&w->writer, (*seed)++);
		struct bs_changes list = changes(w);
		if (list.count)
			return bs_delta_new(arena, list.items, list.count);
	}
}

/* --- The walk ---------------------------------------------------------------------------------------- */

struct state {
	size_t parent;
	const struct bs_delta *delta;
	uint64_t digest; /* by a full read of the driver; 0: not read yet, as that takes long */
	uint64_t sum;    /* by a full read of the application */
};

struct walk {
	struct world *w;
	struct state *states;
	size_t count, at;
	struct bs_arena arena;
	struct bs_net *net;
	uint64_t random;
	unsigned jumps;
};

static size_t below(struct walk *walk, size_t limit)
{
	walk->random = walk->random * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(walk->random >> 33) % limit;
}

static void step(struct walk *walk, uint64_t seed)
{
	struct world *w = walk->w;

	writer_act(&w->writer, seed);
	struct bs_changes list = changes(w);
	uint64_t sum = writer_sum(&w->writer);
	if (!list.count) {
		assert_int_equal(sum, walk->states[walk->at].sum);
		return;
	}
	size_t parent = walk->at;
	walk->at = walk->count;
	*BS_PUSH(walk->states, walk->count) = (struct state){
		.parent = parent,
		.delta = bs_delta_new(&walk->arena, list.items, list.count),
		.digest = seed % DIGEST_EVERY == 0 ? digest(w) : 0,
		.sum = sum};
}

/* States are numbered as they were found, so an ancestor has the lower number. */
static void sum_up(struct walk *walk, size_t target)
{
	size_t from = walk->at, to = target;

	bs_net_clear(walk->net);
	while (from != to)
		if (from > to) {
			bs_net_add(walk->net, walk->states[from].delta, BS_UNDO);
			from = walk->states[from].parent;
		} else {
			bs_net_add(walk->net, walk->states[to].delta, BS_REDO);
			to = walk->states[to].parent;
		}
}

static void jump(struct walk *walk, size_t target)
{
	struct world *w = walk->w;
	uint64_t before = applied_rows(w), images = 0;
	size_t count;

	sum_up(walk, target);
	const struct bs_net_row *rows = bs_net_rows(walk->net, &count);
	for (size_t i = 0; i < count; i++)
		images += (uint64_t)(rows[i].count < 0 ? -rows[i].count : rows[i].count);
	assert_ok(w, w->store->ops->apply(w->store, rows, count, &w->err));
	walk->at = target;
	assert_int_equal(applied_rows(w) - before, images);
	assert_int_equal(writer_sum(&w->writer), walk->states[target].sum);
	if (walk->states[target].digest)
		assert_int_equal(digest(w), walk->states[target].digest);
	assert_int_equal(changes(w).count, 0); /* what we put back ourselves is no change */
	if (++walk->jumps % 16 == 0)
		writer_check(&w->writer);
}

static void walk_randomly(struct world *w, uint64_t seed)
{
	struct walk walk = {.w = w, .arena = BS_ARENA_INIT, .net = bs_net_new(), .random = seed};

	*BS_PUSH(walk.states, walk.count) = (struct state){.digest = digest(w), .sum = writer_sum(&w->writer)};
	unsigned actions = w->driver->actions ? w->driver->actions : ACTIONS;
	for (uint64_t i = 0; i < actions; i++) {
		step(&walk, seed * 1000003 + i * 7919);
		if (below(&walk, 3) != 0)
			continue;
		size_t near = walk.count > 25 ? walk.count - 25 : 0;
		jump(&walk, below(&walk, 10) < 7 ? near + below(&walk, walk.count - near) : below(&walk, walk.count));
	}
	jump(&walk, 0);
	assert_true(walk.count > actions / 2);
	assert_true(walk.jumps > actions / 5);
	if (w->driver->mechanism)
		assert_string_equal(mechanism(w), w->driver->mechanism);
	free(walk.states);
	bs_net_free(walk.net);
	bs_arena_release(&walk.arena);
}

static void every_jump_in_a_tree_of_states_restores_exactly(void **state)
{
	walk_randomly(*state, 1);
}

static void every_jump_restores_exactly_with_another_seed(void **state)
{
	walk_randomly(*state, 20);
}

/* --- Single promises --------------------------------------------------------------------------------- */

static void nothing_written_is_no_change(void **state)
{
	struct world *w = *state;

	assert_int_equal(changes(w).count, 0);
	writer_sum(&w->writer);
	assert_int_equal(changes(w).count, 0);
}

static void a_clean_start_brings_the_root_back(void **state)
{
	struct world *w = *state;
	struct bs_arena arena = BS_ARENA_INIT;
	uint64_t root = digest(w), root_sum = writer_sum(&w->writer), seed = 100;

	for (int round = 0; round < 2; round++) {
		act_until_change(w, &seed, &arena);
		assert_true(digest(w) != root);
		writer_stop(&w->writer);
		assert_ok(w, w->store->ops->clone(w->store, &w->err));
		start_writer(w);
		assert_ok(w, w->store->ops->begin(w->store, &w->err));
		assert_int_equal(digest(w), root);
		assert_int_equal(writer_sum(&w->writer), root_sum);
		assert_int_equal(changes(w).count, 0);
	}
	bs_arena_release(&arena);
}

static void deltas_of_one_clone_apply_to_the_next(void **state)
{
	struct world *w = *state;
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_net *net = bs_net_new();
	uint64_t seed = 500;
	size_t count;

	for (int i = 0; i < 20; i++)
		bs_net_add(net, act_until_change(w, &seed, &arena), BS_REDO);
	uint64_t there = digest(w);
	writer_stop(&w->writer);
	assert_ok(w, w->store->ops->clone(w->store, &w->err));
	start_writer(w);
	assert_ok(w, w->store->ops->begin(w->store, &w->err));
	const struct bs_net_row *rows = bs_net_rows(net, &count);
	assert_ok(w, w->store->ops->apply(w->store, rows, count, &w->err));
	assert_int_equal(digest(w), there);
	bs_net_free(net);
	bs_arena_release(&arena);
}

static void an_unread_write_makes_apply_busy_and_nothing_is_applied(void **state)
{
	struct world *w = *state;
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_net *net = bs_net_new();
	uint64_t root = digest(w), seed = 900;
	size_t count;

	bs_net_add(net, act_until_change(w, &seed, &arena), BS_UNDO);
	uint64_t one = digest(w), unread = one;
	for (; unread == one; unread = digest(w))
		writer_act(&w->writer, seed++);
	const struct bs_net_row *rows = bs_net_rows(net, &count);
	assert_int_equal(w->store->ops->apply(w->store, rows, count, &w->err), BS_EBUSY);
	assert_int_equal(digest(w), unread);
	struct bs_changes late = changes(w);
	assert_true(late.count > 0);
	bs_net_add(net, bs_delta_new(&arena, late.items, late.count), BS_UNDO);
	rows = bs_net_rows(net, &count);
	assert_ok(w, w->store->ops->apply(w->store, rows, count, &w->err));
	assert_int_equal(digest(w), root);
	bs_net_free(net);
	bs_arena_release(&arena);
}

static void apply_is_all_or_nothing(void **state)
{
	struct world *w = *state;
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_net *net = bs_net_new();
	uint64_t root = digest(w), seed = 1300;
	size_t count;

	for (int i = 0; i < 5; i++)
		bs_net_add(net, act_until_change(w, &seed, &arena), BS_UNDO);
	uint64_t there = digest(w);
	const struct bs_net_row *rows = bs_net_rows(net, &count);
	BS_AUTOFREE struct bs_net_row *twice = bs_xcalloc(count * 2, sizeof *twice);
	memcpy(twice, rows, count * sizeof *rows);
	memcpy(twice + count, rows, count * sizeof *rows); /* a row cannot be deleted twice */
	assert_int_equal(w->store->ops->apply(w->store, twice, count * 2, &w->err), BS_ESTORE);
	assert_int_equal(digest(w), there);
	assert_ok(w, w->store->ops->apply(w->store, rows, count, &w->err));
	assert_int_equal(digest(w), root);
	bs_net_free(net);
	bs_arena_release(&arena);
}

static void a_digest_names_the_tables_that_differ(void **state)
{
	struct world *w = *state;
	struct bs_arena arena = BS_ARENA_INIT;
	uint64_t seed = 1700, all;
	size_t count;

	w->store->ops->schema(w->store, &count);
	BS_AUTOFREE uint64_t *before = bs_xcalloc(count, sizeof *before);
	BS_AUTOFREE uint64_t *after = bs_xcalloc(count, sizeof *after);
	assert_ok(w, w->store->ops->digest(w->store, &all, before, &w->err));
	const struct bs_delta *delta = act_until_change(w, &seed, &arena);
	assert_ok(w, w->store->ops->digest(w->store, &all, after, &w->err));
	for (size_t t = 0; t < count; t++) {
		bool touched = false;
		for (uint32_t i = 0; i < delta->count; i++)
			touched |= delta->items[i].table == t;
		assert_int_equal(before[t] != after[t], touched);
	}
	bs_arena_release(&arena);
}

/* --- The drivers ------------------------------------------------------------------------------------- */

#define SQLITE(mode, actions, mechanism) \
	{"sqlite", SQLITE_WRITER, mode, "path", actions, mechanism, NULL, NULL, false}
static struct driver sqlite_wal = SQLITE("wal", 3000, "triggers");
static struct driver sqlite_delete = SQLITE("delete", 3000, "triggers");
/* What triggers cannot reach: the ordinary tables, and more. */
#define SEARCH "triggers, virtual tables by whole comparison"
#define TABLES "triggers, virtual tables by whole comparison, images where tables changed"
#define WHOLE "whole comparison"
static struct driver wal_search = SQLITE("wal+search", 250, SEARCH);
static struct driver delete_search = SQLITE("delete+search", 250, SEARCH);
static struct driver wal_tables = SQLITE("wal+tables", 250, TABLES);
static struct driver delete_tables = SQLITE("delete+tables", 250, TABLES);
static struct driver wal_recursive = SQLITE("wal+recursive", 250, WHOLE);
static struct driver delete_recursive = SQLITE("delete+recursive", 250, WHOLE);
static struct driver wal_own = SQLITE("wal+own", 250, "images");
static struct driver delete_own = SQLITE("delete+own", 250, "images");
static struct driver wal_all = SQLITE("wal+search+tables+own", 250, "images");
static struct driver delete_all = SQLITE("delete+search+tables+recursive", 250, WHOLE ", images where tables changed");

static struct pg_server server;

/* The first column of the first row; NULL when the statement gives none. The caller's. */
static char *on_server(const char *database, const char *sql)
{
	BS_AUTOFREE char *url = bs_xasprintf("host=127.0.0.1 port=%u user=boss sslmode=disable gssencmode=disable "
					     "dbname=%s", server.port, database);
	PGconn *conn = PQconnectdb(url);
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	char *value = PQntuples(result) ? bs_xstrdup(PQgetvalue(result, 0, 0)) : NULL;
	PQclear(result);
	PQfinish(conn);
	return value;
}

static void empty_database(struct world *w, struct bs_store_options *options)
{
	if (!server.pid)
		pg_server_start(&server, NULL);
	free(on_server("postgres", "DROP DATABASE IF EXISTS \"the app's\"")); /* of a test that failed */
	free(on_server("postgres", "CREATE DATABASE \"the app's\""));
	w->url = bs_xasprintf("postgresql://boss@127.0.0.1:%u/the%%20app's?sslmode=disable&gssencmode=disable",
			      server.port);
	options->url = w->url;
}

static int drop_database(struct world *w)
{
	(void)w;
	BS_AUTOFREE char *schemas =
		on_server("'the app\\'s'", "SELECT count(*) FROM pg_namespace WHERE nspname LIKE '\\_backstep%'");
	free(on_server("postgres", "DROP DATABASE \"the app's\" WITH (FORCE)"));
	BS_AUTOFREE char *clones = on_server("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'backstep%'");
	return strcmp(schemas, "0") != 0 || strcmp(clones, "0") != 0;
}

static struct driver postgres = {
	"postgres", POSTGRES_WRITER, "", "url", 0, "triggers", empty_database, drop_database, false};
static struct driver postgres_in_place = {
	"postgres", POSTGRES_WRITER, "", "url", 0, "triggers, in place", empty_database, drop_database, true};

/* --- Redis */

static struct redis_server redis_server;

static void on_redis(const char *command)
{
	redisContext *conn = redis_server_connect(&redis_server, 2);
	redisReply *reply = redisCommand(conn, command);

	assert_true(reply && reply->type != REDIS_REPLY_ERROR);
	freeReplyObject(reply);
	redisFree(conn);
}

static void some_keys(struct world *w, struct bs_store_options *options)
{
	if (!redis_server.pid)
		redis_server_start(&redis_server, NULL);
	on_redis("FLUSHALL");
	on_redis("HSET hash:3 a 1 b 2");
	on_redis("SET string:1 before EX 100000");
	free(w->path);
	w->path = bs_xstrdup("/tmp/backstep-state-XXXXXX");
	assert_non_null(mkdtemp(w->path));
	setenv("XDG_STATE_HOME", w->path, 1);
	w->url = bs_xasprintf("redis://127.0.0.1:%u/2", redis_server.port);
	options->url = w->url;
}

/* The user's keys are as they were, and nothing is kept for the case of a kill. */
static int those_keys(struct world *w)
{
	redisContext *conn = redis_server_connect(&redis_server, 2);
	redisReply *reply = redisCommand(conn, "EVAL %s 0", "return {redis.call('DBSIZE'), redis.call('HGET', 'hash:3', 'b'),"
							    " redis.call('GET', 'string:1'), redis.call('TTL', 'string:1')}");
	BS_AUTOFREE char *kept = bs_xasprintf("%s/backstep", w->path);
	bool same = reply && reply->elements == 4 && reply->element[0]->integer == 2 &&
		    strcmp(reply->element[1]->str, "2") == 0 && strcmp(reply->element[2]->str, "before") == 0 &&
		    reply->element[3]->integer > 90000;

	freeReplyObject(reply);
	redisFree(conn);
	if (w->driver->in_place && rmdir(kept) < 0)
		same = false;
	return rmdir(w->path) < 0 || !same;
}

static struct driver redis = {"redis", REDIS_WRITER, "several", "url", 0, "tracking", some_keys, those_keys, false};
static struct driver redis_in_place = {
	"redis", REDIS_WRITER, "one", "url", 0, "tracking", some_keys, those_keys, true};

/* --- Files */

static void some_files(struct world *w, struct bs_store_options *options)
{
	free(w->path);
	w->path = bs_xstrdup("/tmp/backstep-files-XXXXXX");
	assert_non_null(mkdtemp(w->path));
	BS_AUTOFREE char *file = bs_xasprintf("%s/a", w->path);
	FILE *f = fopen(file, "w");
	assert_true(f && fputs("before", f) >= 0 && fclose(f) == 0);
	options->path = w->path;
}

/* The user's file is as it was, and alone. */
static int that_file(struct world *w)
{
	BS_AUTOFREE char *file = bs_xasprintf("%s/a", w->path);
	char text[16] = "";
	FILE *f = fopen(file, "r");

	if (f) {
		(void)!fgets(text, sizeof text, f);
		fclose(f);
		unlink(file);
	}
	return rmdir(w->path) < 0 || strcmp(text, "before") != 0;
}

static struct driver files = {"files", FILES_WRITER, "-", "path", 0, NULL, some_files, that_file, false};

#define PROMISE(test, driver) {#test " (" #driver ")", test, set_up, tear_down, &(driver)}
#define PROMISES(driver) \
	PROMISE(nothing_written_is_no_change, driver), PROMISE(a_digest_names_the_tables_that_differ, driver), \
		PROMISE(every_jump_restores_exactly_with_another_seed, driver), HARD(driver)
/* Those that say something new where more than rows must be put back. */
#define HARD(driver) \
	PROMISE(a_clean_start_brings_the_root_back, driver), PROMISE(deltas_of_one_clone_apply_to_the_next, driver), \
		PROMISE(an_unread_write_makes_apply_busy_and_nothing_is_applied, driver), \
		PROMISE(apply_is_all_or_nothing, driver), \
		PROMISE(every_jump_in_a_tree_of_states_restores_exactly, driver)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PROMISES(sqlite_wal),
		PROMISES(sqlite_delete),
		HARD(wal_search),
		HARD(delete_search),
		HARD(wal_tables),
		HARD(delete_tables),
		HARD(wal_recursive),
		HARD(delete_recursive),
		HARD(wal_own),
		HARD(delete_own),
		HARD(wal_all),
		HARD(delete_all),
		PROMISES(postgres),
		PROMISES(postgres_in_place),
		PROMISES(redis),
		PROMISES(redis_in_place),
		PROMISES(files),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_server_stop(&server);
	redis_server_stop(&redis_server);
	return failed;
}
