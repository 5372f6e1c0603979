/*
 * SQLite: rules that ask in SQL. They have a connection of their own that can only read, statements are prepared once
 * for a run, and a query ends in time: a rule that joins everything with everything is an error, not a hang.
 */
#include "sqlite.h"

#include "base/mem.h"

#include <string.h>
#include <time.h>

#define QUERIES_MAX 256 /* prepared at a time */
#define PROGRESS_STEPS 1000 /* of SQLite's machine between two looks at the clock: well under a millisecond */

int bs_sqlite_open_reader(struct bs_sqlite *s, struct bs_err *err)
{
	sqlite3 *db;
	int r = bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, &db, err);

	if (r < 0)
		return r;
	r = bs_sqlite_exec(db, "PRAGMA query_only=ON", err);
	if (r < 0)
		sqlite3_close(db);
	else
		s->reader = db;
	return r;
}

void bs_sqlite_close_reader(struct bs_sqlite *s)
{
	for (size_t i = 0; i < s->query_count; i++) {
		sqlite3_finalize(s->queries[i].stmt);
		free(s->queries[i].text);
	}
	free(s->queries);
	s->queries = NULL;
	s->query_count = s->next_query = 0;
	sqlite3_close(s->reader);
	s->reader = NULL;
}

/* --- Statements -------------------------------------------------------------------------------------- */

/* One statement, that only reads, asks for nothing to be filled in, and gives columns. */
static int check_query(sqlite3 *db, sqlite3_stmt *stmt, const char *tail, struct bs_err *err)
{
	sqlite3_stmt *more = NULL;

	if (!stmt)
		return bs_err_set(err, BS_ESTORE, "the query is empty");
	if (!sqlite3_stmt_readonly(stmt))
		return bs_err_set(err, BS_ESTORE, "a rule's query must only read");
	if (!sqlite3_column_count(stmt))
		return bs_err_set(err, BS_ESTORE, "a rule's query must be a SELECT");
	if (sqlite3_bind_parameter_count(stmt))
		return bs_err_set(err, BS_ESTORE, "a rule's query has no parameters, but this one has '%s'",
				  sqlite3_bind_parameter_name(stmt, 1) ? sqlite3_bind_parameter_name(stmt, 1) : "?");
	int rc = sqlite3_prepare_v2(db, tail, -1, &more, NULL);
	sqlite3_finalize(more);
	if (rc != SQLITE_OK || more)
		return bs_err_set(err, BS_ESTORE, "a rule's query must be one statement");
	return 0;
}

static int prepare_query(struct bs_sqlite *s, const char *text, sqlite3_stmt **ret_stmt, struct bs_err *err)
{
	const char *tail = "";
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v3(s->reader, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail);
	int r = rc == SQLITE_OK ? check_query(s->reader, stmt, tail, err)
				: bs_sqlite_fail(s->reader, rc, "the query", err);

	if (r < 0)
		sqlite3_finalize(stmt);
	else
		*ret_stmt = stmt;
	return r;
}

static int find_query(struct bs_sqlite *s, const char *text, sqlite3_stmt **ret_stmt, struct bs_err *err)
{
	struct bs_sqlite_query *slot;

	for (size_t i = 0; i < s->query_count; i++)
		if (strcmp(s->queries[i].text, text) == 0) {
			*ret_stmt = s->queries[i].stmt;
			return 0;
		}
	int r = prepare_query(s, text, ret_stmt, err);
	if (r < 0)
		return r;
	if (s->query_count < QUERIES_MAX) {
		slot = BS_PUSH(s->queries, s->query_count);
	} else {
		slot = &s->queries[s->next_query];
		s->next_query = (s->next_query + 1) % QUERIES_MAX;
		sqlite3_finalize(slot->stmt);
		free(slot->text);
	}
	*slot = (struct bs_sqlite_query){bs_xstrdup(text), *ret_stmt};
	return 0;
}

/* --- Running ----------------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int is_late(void *until_ms)
{
	return now_ms() >= *(const uint64_t *)until_ms;
}

static int each_row(sqlite3_stmt *stmt, bs_row_fn fn, void *ctx)
{
	size_t columns = (size_t)sqlite3_column_count(stmt);
	BS_AUTOFREE const char **names = bs_xcalloc(columns, sizeof *names);
	struct bs_buf image = BS_BUF_INIT;
	int rc;

	for (size_t c = 0; c < columns; c++)
		names[c] = sqlite3_column_name(stmt, (int)c);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		bs_buf_clear(&image);
		bs_sqlite_pack(stmt, &image);
		if (fn(ctx, names, columns, (struct bs_blob){bs_buf_text(&image), (uint32_t)image.len})) {
			rc = SQLITE_DONE;
			break;
		}
	}
	bs_buf_release(&image);
	return rc;
}

int bs_sqlite_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		    struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	sqlite3_stmt *stmt;
	uint64_t until_ms = now_ms() + timeout_ms;

	if (!s->reader)
		return bs_err_set(err, BS_EINTERNAL, "query before begin");
	int r = find_query(s, query, &stmt, err);
	if (r < 0)
		return r;
	sqlite3_busy_timeout(s->reader, (int)timeout_ms);
	sqlite3_progress_handler(s->reader, PROGRESS_STEPS, is_late, &until_ms);
	int rc = each_row(stmt, fn, ctx);
	if ((rc & 0xFF) == SQLITE_INTERRUPT)
		r = bs_err_set(err, BS_ESTORE, "the query took longer than %u ms", timeout_ms);
	else if (rc != SQLITE_DONE)
		r = bs_sqlite_fail(s->reader, rc, "the query", err);
	sqlite3_reset(stmt);
	sqlite3_progress_handler(s->reader, 0, NULL, NULL);
	return r;
}
