/*
 * The application of the contract test for SQLite: see writer.h. What it does is in sqlite_statements.h.
 *
 *   contract_sqlite_writer wal|delete[+FEATURE ...] PATH
 */
#include "sqlite_statements.h"
#include "writer_program.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static sqlite3 *db;
static const char *mode;
static bool has[COUNT(features)];
static sqlite3_stmt *held; /* prepared at the start, as applications do */

static void answer_bad(const char *what)
{
	printf("bad %s: %s\n", what, sqlite3_errmsg(db));
}

static const char *choose(void)
{
	const struct feature *feature = &features[writer_below(COUNT(features))];

	if (has[feature - features] && feature->count)
		return feature->statements[writer_below((unsigned)feature->count)];
	return writer_below(120) == 0 ? clearing[writer_below(COUNT(clearing))] : plain[writer_below(COUNT(plain))];
}

/* What a constraint or a trigger refuses is part of life, and where tables come and go, so is that one is missing;
 * anything else is an error of the test. */
static bool run_one(void)
{
	static const char *const clauses[] = {"", " OR REPLACE", " OR IGNORE", " OR FAIL", " OR ABORT", " OR REPLACE"};
	char text[600];

	writer_fill_in(choose(), clauses, COUNT(clauses), text, sizeof text);
	int rc = sqlite3_exec(db, text, NULL, NULL, NULL);
	if (rc == SQLITE_OK || (rc & 0xFF) == SQLITE_CONSTRAINT)
		return true;
	if (has[1] && rc == SQLITE_ERROR && !strstr(sqlite3_errmsg(db), "_backstep"))
		return true;
	answer_bad(text);
	return false;
}

static void act(uint64_t seed)
{
	writer_seed(seed);
	unsigned count = 1 + writer_below(5), transaction = writer_below(3);

	if (transaction && sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
		answer_bad("BEGIN");
		return;
	}
	for (unsigned i = 0; i < count; i++)
		if (!run_one())
			return;
	const char *end = transaction == 2 && writer_below(4) == 0 ? "ROLLBACK" : "COMMIT";
	if (!sqlite3_get_autocommit(db) && sqlite3_exec(db, end, NULL, NULL, NULL) != SQLITE_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* a deferred foreign key does not hold */
	sqlite3_step(held);
	sqlite3_reset(held);
	puts("ok");
}

static void setup(void)
{
	bool good = sqlite3_exec(db, plain_schema, NULL, NULL, NULL) == SQLITE_OK;

	for (size_t i = 0; good && i < COUNT(features); i++)
		good = !has[i] || sqlite3_exec(db, features[i].schema, NULL, NULL, NULL) == SQLITE_OK;
	if (!good) {
		answer_bad("schema");
		return;
	}
	for (uint64_t seed = 1; seed <= 30; seed++) {
		writer_seed(seed);
		if (!run_one())
			return;
	}
	sqlite3_finalize(held);
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM person", -1, &held, NULL) != SQLITE_OK)
		answer_bad("prepare");
	else
		puts("ok");
}

static uint64_t sum_row(sqlite3_stmt *row)
{
	uint64_t sum = WRITER_SUM_INIT;

	for (int i = 0; i < sqlite3_column_count(row); i++) {
		int type = sqlite3_column_type(row, i);
		sum = writer_mix(sum, &type, sizeof type);
		if (type == SQLITE_BLOB)
			sum = writer_mix(sum, sqlite3_column_blob(row, i), (size_t)sqlite3_column_bytes(row, i));
		else if (type != SQLITE_NULL)
			sum = writer_mix(sum, sqlite3_column_text(row, i), (size_t)sqlite3_column_bytes(row, i));
	}
	return sum;
}

static bool sum_rows(sqlite3_stmt *stmt, uint64_t *sum)
{
	int rc;

	*sum *= 31;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		*sum += sum_row(stmt);
	return rc == SQLITE_DONE;
}

static bool sum_query(const char *sql, uint64_t *sum)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return false;
	bool good = sum_rows(stmt, sum);
	sqlite3_finalize(stmt);
	return good;
}

/* All tables that there are; those of virtual tables by themselves and through their module. In SQLite's own a rowid
 * means nothing. */
static bool sum_tables(uint64_t *sum)
{
	sqlite3_stmt *list;
	bool good = sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND "
					   "name NOT GLOB '_backstep_*' ORDER BY name", -1, &list, NULL) == SQLITE_OK;

	while (good && sqlite3_step(list) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(list, 0);
		char *rows = sqlite3_mprintf("SELECT _rowid_, * FROM \"%w\"", name);
		char *keys = sqlite3_mprintf("SELECT * FROM \"%w\"", name);
		bool internal = strncmp(name, "sqlite_", 7) == 0;
		good = (!internal && sum_query(rows, sum)) || sum_query(keys, sum);
		sqlite3_free(rows);
		sqlite3_free(keys);
	}
	sqlite3_finalize(list);
	return good;
}

/* Prepared once, as applications do. */
static bool sum_prepared(uint64_t *sum)
{
	static const char *const all[] = {
		"SELECT * FROM person", "SELECT * FROM post", "SELECT * FROM seat", "SELECT rowid, * FROM log",
		"SELECT rowid, * FROM setting", "SELECT * FROM tree", "SELECT _rowid_, * FROM number",
		"SELECT _rowid_, * FROM \"odd \"\"name\"", "SELECT * FROM sqlite_sequence"};
	static sqlite3_stmt *stmts[COUNT(all)];
	bool good = true;

	for (size_t i = 0; good && i < COUNT(all); i++) {
		if (!stmts[i])
			good = sqlite3_prepare_v2(db, all[i], -1, &stmts[i], NULL) == SQLITE_OK;
		good = good && sum_rows(stmts[i], sum);
		sqlite3_reset(stmts[i]);
	}
	return good;
}

static void sum(void)
{
	static const char *const all[] = {
		"PRAGMA user_version",
		/* by index, as rows and indexes must agree */
		"SELECT email FROM person ORDER BY email", "SELECT tag FROM post ORDER BY tag",
		"SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT GLOB '_backstep_*'"};
	uint64_t digest = 0;
	bool ordinary = !strchr(mode, '+');
	bool good = ordinary ? sum_prepared(&digest) : sum_tables(&digest);

	for (size_t i = 0; good && i < COUNT(all) - ordinary; i++)
		good = sum_query(all[i], &digest);
	if (good)
		printf("sum %" PRIx64 "\n", digest);
	else
		answer_bad("sum");
}

static void check(void)
{
	sqlite3_stmt *stmt;
	bool good = sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM pragma_foreign_key_check), integrity_check "
					   "FROM pragma_integrity_check", -1, &stmt, NULL) == SQLITE_OK &&
		    sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) == 0 &&
		    strcmp((const char *)sqlite3_column_text(stmt, 1), "ok") == 0;

	for (size_t i = 0; i < COUNT(features); i++)
		if (has[i] && features[i].check)
			good = good && sqlite3_exec(db, features[i].check, NULL, NULL, NULL) == SQLITE_OK;
	puts(good ? "ok" : "bad the database is not consistent");
	sqlite3_finalize(stmt);
}

/* --- A collation and a function of its own ------------------------------------------------------------ */

/* By length first, which no other collation does. */
static int compare_lengths(void *ctx, int a_len, const void *a, int b_len, const void *b)
{
	(void)ctx;
	return a_len == b_len ? memcmp(a, b, (size_t)a_len) : a_len - b_len;
}

static void half(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_result_int64(context, sqlite3_value_int64(values[0]) / 2);
}

static void prepare_connection(void)
{
	sqlite3_busy_timeout(db, 5000);
	sqlite3_exec(db, mode[0] == 'w' ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	sqlite3_exec(db, "PRAGMA foreign_keys=ON; PRAGMA synchronous=OFF", NULL, NULL, NULL);
	sqlite3_create_collation(db, "german", SQLITE_UTF8, NULL, compare_lengths);
	sqlite3_create_function(db, "half", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, half, NULL, NULL);
	for (size_t i = 0; i < COUNT(features); i++)
		has[i] = strstr(mode, features[i].name) != NULL;
	if (strstr(mode, "recursive"))
		sqlite3_exec(db, "PRAGMA recursive_triggers=ON", NULL, NULL, NULL);
}

int main(int argc, char **argv)
{
	if (argc != 3 || sqlite3_open(argv[2], &db) != SQLITE_OK)
		return 2;
	mode = argv[1];
	prepare_connection();
	sqlite3_prepare_v2(db, "SELECT count(*) FROM person", -1, &held, NULL);
	writer_serve(&(struct writer_program){setup, act, sum, check});
	sqlite3_finalize(held);
	sqlite3_close_v2(db);
	return 0;
}
