/*
 * Rollback of a 5-row step on SQLite, at two sizes and in both journal modes, beside its yardstick: putting the
 * whole database back with the backup API. Then the same where the step also makes a table, so that an epoch begins
 * with images. The application is a connection of its own that stays open.
 */
#include "bench.h"

#include "base/mem.h"
#include "world/stores/stores.h"
#include "world/stores/delta.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 400
#define IMAGE_ROUNDS 12
#define YARDSTICK_ROUNDS 20

static void sql(sqlite3 *db, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "bench: %s: %s\n", text, message);
		exit(1);
	}
}

static sqlite3 *open_db(const char *path)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK)
		exit(1);
	sqlite3_busy_timeout(db, 5000);
	return db;
}

static void make(const char *path, const char *mode, int rows)
{
	sqlite3 *db = open_db(path);
	BS_AUTOFREE char *journal = bs_xasprintf("PRAGMA journal_mode = %s", mode);
	BS_AUTOFREE char *fill = bs_xasprintf(
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		"INSERT INTO items SELECT i, 'item ' || i, hex(randomblob(100)), i FROM n", rows);

	sql(db, journal);
	sql(db, "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT UNIQUE, filler TEXT, amount INTEGER)");
	sql(db, fill);
	sqlite3_close(db);
}

/* One request of an application: five rows in one commit. */
static void act(sqlite3 *app)
{
	sql(app, "BEGIN IMMEDIATE; UPDATE items SET amount = amount + 1 WHERE id IN (3, 30, 300);"
		 "INSERT INTO items (name, filler, amount) VALUES ('new', 'x', 1); DELETE FROM items WHERE id = 7; COMMIT");
}

struct medians {
	double read, undo;
};

static struct medians measure(const char *folder, const char *path, int rounds, const char *also, size_t expected)
{
	static double reads[ROUNDS], undos[ROUNDS];
	struct bs_stores stores = {0};
	struct bs_store_options options = {.name = "db", .path = path, .workdir = folder};
	struct bs_err err = BS_ERR_INIT;
	struct bs_net *net = bs_net_new();

	if (bs_stores_add(&stores, "sqlite", &options, &err) < 0 || bs_stores_clone(&stores, &err) < 0 ||
	    bs_stores_snapshot(&stores, &err) < 0 || bs_stores_begin(&stores, &err) < 0)
		bench_fail(&err);
	sqlite3 *app = open_db(bs_stores_property(&stores, "db", "path"));
	for (int i = 0; i < rounds; i++) {
		struct bs_arena arena = BS_ARENA_INIT;
		struct bs_changes changes;
		size_t count;
		sql(app, also);
		act(app);
		double start = bench_now_us();
		if (bs_stores_changes(&stores, &changes, &err) < 0)
			bench_fail(&err);
		reads[i] = bench_now_us() - start;
		if (changes.count != expected)
			bench_fail(NULL); /* something else was measured */
		bs_net_clear(net);
		bs_net_add(net, bs_delta_new(&arena, changes.items, changes.count), BS_UNDO);
		const struct bs_net_row *rows = bs_net_rows(net, &count);
		start = bench_now_us();
		if (bs_stores_apply(&stores, rows, count, &err) < 0)
			bench_fail(&err);
		undos[i] = bench_now_us() - start;
		bs_arena_release(&arena);
	}
	sqlite3_close(app);
	bs_stores_close(&stores);
	bs_net_free(net);
	return (struct medians){bench_percentile(reads, (size_t)rounds, 50), bench_percentile(undos, (size_t)rounds, 50)};
}

/* The backup API into the live file, while the application is connected. */
static double yardstick(const char *folder, const char *path)
{
	static double samples[YARDSTICK_ROUNDS];
	BS_AUTOFREE char *live_path = bs_xasprintf("%s/yardstick", folder);
	sqlite3 *root = open_db(path), *live = open_db(live_path);

	for (int i = -1; i < YARDSTICK_ROUNDS; i++) { /* the first one makes the file */
		double start = bench_now_us();
		sqlite3_backup *backup = sqlite3_backup_init(live, "main", root, "main");
		if (!backup || sqlite3_backup_step(backup, -1) != SQLITE_DONE ||
		    sqlite3_backup_finish(backup) != SQLITE_OK)
			exit(1);
		if (i >= 0)
			samples[i] = bench_now_us() - start;
	}
	sqlite3_close(live);
	sqlite3_close(root);
	unlink(live_path);
	return bench_percentile(samples, YARDSTICK_ROUNDS, 50);
}

int main(void)
{
	static const struct {
		const char *mode;
		int rows;
	} cases[] = {{"WAL", 6000}, {"WAL", 390000}, {"DELETE", 6000}, {"DELETE", 390000}};
	char folder[] = "/tmp/backstep-bench-XXXXXX";
	struct medians small = {0};

	if (!mkdtemp(folder))
		return 1;
	puts("rollback of a 5-row step, medians (aim: undo under 500 us, large/small under 1.5)");
	puts("  journal      size     read     undo   large/small   backup API   with a new table: read      undo");
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		BS_AUTOFREE char *path = bs_xasprintf("%s/original-%zu.db", folder, i);
		struct stat st;
		make(path, cases[i].mode, cases[i].rows);
		struct medians m = measure(folder, path, ROUNDS, "", 5);
		/* Five rows, the table, and the version. */
		struct medians images = measure(folder, path, IMAGE_ROUNDS, "CREATE TABLE late(x)", 7);
		double whole = yardstick(folder, path);
		stat(path, &st);
		BS_AUTOFREE char *ratio = i % 2 ? bs_xasprintf("%.2f", m.undo / small.undo) : bs_xstrdup("");
		printf("  %-7s %6.1f MB %5.0f us %5.0f us   %11s   %7.0f us            %7.0f us %7.0f us\n", cases[i].mode,
		       (double)st.st_size / 1e6, m.read, m.undo, ratio, whole, images.read, images.undo);
		if (i % 2 == 0)
			small = m;
		unlink(path);
	}
	rmdir(folder);
	return 0;
}
