/*
 * Rollback of steps of 5 and 500 rows on PostgreSQL at three sizes, beside the yardsticks: making the database again
 * from a template, and loading all of its rows again. The application is a connection of its own that stays open, and
 * the server is a private one, of this machine, without fsync.
 */
#include "bench.h"

#include "base/mem.h"
#include "server.h"
#include "world/stores/delta.h"
#include "world/stores/stores.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 400
#define LARGE_ROUNDS 100
#define OPTIONS "sslmode=disable&gssencmode=disable"

static struct pg_server server;

static PGconn *connect_to(const char *url)
{
	PGconn *conn = PQconnectdb(url);

	if (PQstatus(conn) != CONNECTION_OK) {
		fprintf(stderr, "bench: %s\n", PQerrorMessage(conn));
		exit(1);
	}
	return conn;
}

static PGconn *connect_database(const char *database)
{
	BS_AUTOFREE char *url = bs_xasprintf("postgresql://boss@127.0.0.1:%u/%s?" OPTIONS, server.port, database);

	return connect_to(url);
}

static void sql(PGconn *conn, const char *text)
{
	PGresult *result = PQexec(conn, text);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		fprintf(stderr, "bench: %s: %s\n", text, PQerrorMessage(conn));
		exit(1);
	}
	PQclear(result);
}

static double number(PGconn *conn, const char *text)
{
	PGresult *result = PQexec(conn, text);
	double value = PQntuples(result) ? strtod(PQgetvalue(result, 0, 0), NULL) : 0;

	PQclear(result);
	return value;
}

/* Four tables as a shop has them; about 1.35 kB for each user. */
static void make(int users)
{
	static const char schema[] =
		"CREATE TABLE users(id serial PRIMARY KEY, email text UNIQUE, name text, prefs jsonb, updated_at timestamptz "
		"  DEFAULT now(), balance numeric(12,2) DEFAULT 0);"
		"CREATE TABLE orders(id serial PRIMARY KEY, user_id int REFERENCES users, total numeric(12,2), meta jsonb, note text);"
		"CREATE TABLE order_items(id serial PRIMARY KEY, order_id int REFERENCES orders, sku text, qty int, price numeric);"
		"CREATE TABLE payments(id serial PRIMARY KEY, order_id int REFERENCES orders, state text, body text);"
		"CREATE INDEX ON orders(user_id); CREATE INDEX ON order_items(order_id); CREATE INDEX ON payments(order_id)";
	PGconn *admin = connect_database("postgres");

	sql(admin, "DROP DATABASE IF EXISTS bench");
	sql(admin, "CREATE DATABASE bench");
	PQfinish(admin);
	PGconn *conn = connect_database("bench");
	sql(conn, schema);
	BS_AUTOFREE char *fill = bs_xasprintf(
		"INSERT INTO users(email, name, prefs) SELECT 'user' || g || '@example.com', 'User ' || g, '{\"theme\": \"dark\"}' "
		"  FROM generate_series(1, %d) g;"
		"INSERT INTO orders(user_id, total, meta, note) SELECT 1 + g %% %d, g %% 1000, '{\"a\": 1}', md5(g::text) "
		"  FROM generate_series(1, %d) g;"
		"INSERT INTO order_items(order_id, sku, qty, price) SELECT 1 + g %% %d, 'sku' || g, 1, 9.5 "
		"  FROM generate_series(1, %d) g;"
		"INSERT INTO payments(order_id, state, body) SELECT 1 + g %% %d, 'paid', repeat(md5(g::text), 3) "
		"  FROM generate_series(1, %d) g",
		users, users, users * 2, users * 2, users * 4, users * 2, users * 2);
	sql(conn, fill);
	sql(conn, "VACUUM ANALYZE");
	PQfinish(conn);
}

/* One request of an application: five rows in one commit, or a hundred times as many. */
static void act(PGconn *app, int times, int round)
{
	BS_AUTOFREE char *text = bs_xasprintf(
		"WITH o AS (INSERT INTO orders(user_id, total, meta, note) SELECT g, 42.5, '{\"a\": 1}', 'it''s \"q\", (x)' "
		"  FROM generate_series(1, %d) g RETURNING id), "
		"i AS (INSERT INTO order_items(order_id, sku, qty, price) SELECT id, 'A', 1, 1.5 FROM o UNION ALL "
		"  SELECT id, 'B', 2, 2.5 FROM o), "
		"p AS (DELETE FROM payments WHERE id > %d AND id <= %d) "
		"UPDATE users SET balance = balance + 1, updated_at = now() WHERE id > %d AND id <= %d",
		times, 100 + round, 100 + round + times, round, round + times);

	sql(app, text);
}

struct samples {
	double read[ROUNDS], undo[ROUNDS], mark[ROUNDS];
};

static void one_round(struct bs_stores *stores, struct bs_net *net, PGconn *app, int rows, int round, struct samples *samples)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_err err = BS_ERR_INIT;
	struct bs_changes changes;
	size_t count, data_rows = 0;

	double start = bench_now_us();
	if (bs_stores_changes(stores, &changes, &err) < 0 || changes.count)
		bench_fail(&err);
	samples->mark[round] = bench_now_us() - start;
	act(app, rows / 5, round % 50);
	start = bench_now_us();
	if (bs_stores_changes(stores, &changes, &err) < 0)
		bench_fail(&err);
	samples->read[round] = bench_now_us() - start;
	for (size_t i = 0; i < changes.count; i++)
		data_rows += !stores->tables[changes.items[i].table]->bookkeeping;
	if (data_rows != (size_t)rows) {
		fprintf(stderr, "bench: %zu rows changed, not %d\n", data_rows, rows);
		exit(1);
	}
	bs_net_clear(net);
	bs_net_add(net, bs_delta_new(&arena, changes.items, changes.count), BS_UNDO);
	const struct bs_net_row *net_rows = bs_net_rows(net, &count);
	start = bench_now_us();
	if (bs_stores_apply(stores, net_rows, count, &err) < 0)
		bench_fail(&err);
	samples->undo[round] = bench_now_us() - start;
	bs_arena_release(&arena);
}

/* Reading what changed and putting it back belong to one rollback. */
static double measure(struct bs_stores *stores, struct bs_net *net, PGconn *app, int rows, const char *size)
{
	static struct samples samples;
	static double both[ROUNDS];
	int rounds = rows > 5 ? LARGE_ROUNDS : ROUNDS;

	for (int i = 0; i < 20; i++) /* statements are prepared, pages read */
		one_round(stores, net, app, rows, i, &samples);
	for (int i = 0; i < rounds; i++) {
		one_round(stores, net, app, rows, i, &samples);
		both[i] = samples.read[i] + samples.undo[i];
	}
	size_t n = (size_t)rounds;
	double median = bench_percentile(both, n, 50);
	printf("  %-8s %4d rows  %6.0f us %6.0f us  %6.0f us %6.0f us  %5.0f us %5.0f us\n", size, rows, median,
	       bench_percentile(both, n, 95), bench_percentile(samples.read, n, 50), bench_percentile(samples.undo, n, 50),
	       bench_percentile(samples.mark, n, 50), bench_percentile(samples.mark, n, 95));
	return median;
}

static double by_template(int rounds)
{
	PGconn *admin = connect_database("postgres");
	double samples[8];

	for (int i = 0; i < rounds; i++) {
		double start = bench_now_us();
		sql(admin, "DROP DATABASE IF EXISTS yardstick");
		sql(admin, "CREATE DATABASE yardstick TEMPLATE bench");
		samples[i] = bench_now_us() - start;
	}
	sql(admin, "DROP DATABASE IF EXISTS yardstick");
	PQfinish(admin);
	return bench_percentile(samples, (size_t)rounds, 50);
}

/* TRUNCATE and loading the rows again from files beside the database. */
static double by_copy(int rounds)
{
	static const char *const tables[] = {"users", "orders", "order_items", "payments"};
	PGconn *conn = connect_database("bench");
	double samples[8];

	for (size_t t = 0; t < BS_COUNT(tables); t++) {
		BS_AUTOFREE char *out = bs_xasprintf("COPY %s TO PROGRAM 'cat > bench-%s.copy'", tables[t], tables[t]);
		sql(conn, out);
	}
	for (int i = 0; i < rounds; i++) {
		double start = bench_now_us();
		sql(conn, "BEGIN; SET LOCAL session_replication_role = replica; "
			  "TRUNCATE users, orders, order_items, payments");
		for (size_t t = 0; t < BS_COUNT(tables); t++) {
			BS_AUTOFREE char *in = bs_xasprintf("COPY %s FROM PROGRAM 'cat bench-%s.copy'", tables[t], tables[t]);
			sql(conn, in);
		}
		sql(conn, "COMMIT");
		samples[i] = bench_now_us() - start;
	}
	PQfinish(conn);
	return bench_percentile(samples, (size_t)rounds, 50);
}

static double bench(int users)
{
	BS_AUTOFREE char *url = bs_xasprintf("postgresql://boss@127.0.0.1:%u/bench?" OPTIONS, server.port);
	struct bs_store_options options = {.name = "db", .url = url, .workdir = "/tmp"};
	struct bs_stores stores = {0};
	struct bs_err err = BS_ERR_INIT;
	struct bs_net *net = bs_net_new();

	make(users);
	if (bs_stores_add(&stores, "postgres", &options, &err) < 0 || bs_stores_clone(&stores, &err) < 0 ||
	    bs_stores_begin(&stores, &err) < 0)
		bench_fail(&err);
	PGconn *app = connect_to(bs_stores_property(&stores, "db", "url"));
	BS_AUTOFREE char *size = bs_xasprintf("%.0f MB", number(app, "SELECT pg_database_size('bench')") / 1e6);
	double median = measure(&stores, net, app, 5, size);
	measure(&stores, net, app, 500, size);
	PQfinish(app);
	bs_stores_close(&stores);
	bs_net_free(net);
	int rounds = users > 100000 ? 3 : 5;
	double template = by_template(rounds), copy = by_copy(rounds);
	printf("           yardsticks: DROP + CREATE ... TEMPLATE %.0f ms, TRUNCATE + COPY %.0f ms\n", template / 1e3, copy / 1e3);
	return median;
}

int main(void)
{
	static const char *const settings[] = {"shared_buffers=512MB", "max_wal_size=4GB", "jit=off", NULL};
	static const int users[] = {1500, 60000, 590000};
	double medians[BS_COUNT(users)], low = 1e12, high = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	pg_server_start(&server, settings);
	puts("rollback on PostgreSQL: read what changed and put it back (aim: 5 rows under 600 us, flat within 1.3)");
	puts("  size                 median      p95   of it read, put back     mark       p95");
	for (size_t i = 0; i < BS_COUNT(users); i++) {
		medians[i] = bench(users[i]);
		low = medians[i] < low ? medians[i] : low;
		high = medians[i] > high ? medians[i] : high;
	}
	printf("  slowest / fastest median of 5 rows: %.2f\n", high / low);
	pg_server_stop(&server);
	return 0;
}
