/*
 * SQLite: rules that ask in SQL. They have a connection of their own that cannot write; what a statement may do
 * besides reading is refused when it is prepared, so that a rule can neither change what it judges, nor look into
 * other files, nor keep a transaction open. Statements stay prepared, as the same rules ask after every step.
 */
#include "sqlite.h"

#include "base/mem.h"
#include "base/now.h"

#include <string.h>
#include <strings.h>

#define QUERIES_MAX 64
#define STEPS_BETWEEN_LOOKS 1000 /* of SQLite's machine, at the clock */

/* --- What a rule may do ------------------------------------------------------------------------------ */

static int pragma_allowed(const char *name, const char *argument)
{
	static const char *const reading[] = {"foreign_key_check", "foreign_key_list", "index_info", "index_list",
					      "index_xinfo", "integrity_check", "quick_check", "table_info",
					      "table_list", "table_xinfo"};
	/* The full text modules ask for two of them. */
	static const char *const settings[] = {"application_id", "data_version", "encoding", "page_size", "user_version"};

	for (size_t i = 0; i < BS_COUNT(reading); i++)
		if (strcasecmp(name, reading[i]) == 0)
			return SQLITE_OK;
	for (size_t i = 0; i < BS_COUNT(settings); i++)
		if (strcasecmp(name, settings[i]) == 0 && !argument)
			return SQLITE_OK;
	return SQLITE_DENY;
}

/* Statements that write are told by sqlite3_stmt_readonly; these are not. */
static int authorize(void *ctx, int action, const char *first, const char *second, const char *database,
		     const char *trigger)
{
	(void)ctx;
	(void)database;
	(void)trigger;
	switch (action) {
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_DENY;
	case SQLITE_PRAGMA:
		return pragma_allowed(first, second);
	default:
		return SQLITE_OK;
	}
}

int bs_sqlite_open_reader(struct bs_sqlite *s, struct bs_err *err)
{
	/* Not SQLITE_OPEN_READONLY: that could not recover what an application left that died while it wrote. */
	int r = bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, &s->reader, err);

	if (r == 0)
		r = bs_sqlite_exec(s->reader, "PRAGMA query_only=ON", err);
	if (r == 0)
		sqlite3_set_authorizer(s->reader, authorize, NULL);
	return r;
}

static void drop_query(struct bs_sqlite_query *query)
{
	sqlite3_finalize(query->stmt);
	free(query->text);
	*query = (struct bs_sqlite_query){0};
}

void bs_sqlite_close_reader(struct bs_sqlite *s)
{
	for (size_t i = 0; i < s->query_count; i++)
		drop_query(&s->queries[i]);
	free(s->queries);
	s->queries = NULL;
	s->query_count = s->next_query = 0;
	sqlite3_close(s->reader);
	s->reader = NULL;
}

/* --- Statements -------------------------------------------------------------------------------------- */

static int refuse(sqlite3 *db, int rc, struct bs_err *err)
{
	if ((rc & 0xFF) == SQLITE_AUTH)
		return bs_err_set(err, BS_ESTORE, "the query does something else than read");
	return bs_err_set(err, (rc & 0xFF) == SQLITE_BUSY ? BS_EBUSY : BS_ESTORE, "%s", sqlite3_errmsg(db));
}

/* Whether there is a statement in what stands behind the first one; space and comments are none. */
static bool more_behind(sqlite3 *db, const char *tail)
{
	sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_OK;

	while (rc == SQLITE_OK && !stmt && *tail)
		rc = sqlite3_prepare_v2(db, tail, -1, &stmt, &tail);
	bool more = rc != SQLITE_OK || stmt;
	sqlite3_finalize(stmt);
	return more;
}

static int prepare_query(struct bs_sqlite *s, const char *text, sqlite3_stmt **ret_stmt, struct bs_err *err)
{
	const char *tail;
	sqlite3_stmt *stmt = NULL;
	int r = 0, rc = sqlite3_prepare_v3(s->reader, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail);

	if (rc != SQLITE_OK)
		return refuse(s->reader, rc, err);
	if (!stmt)
		r = bs_err_set(err, BS_ESTORE, "the query is empty");
	else if (more_behind(s->reader, tail))
		r = bs_err_set(err, BS_ESTORE, "the query is more than one statement");
	else if (!sqlite3_stmt_readonly(stmt) || !sqlite3_column_count(stmt))
		r = bs_err_set(err, BS_ESTORE, "the query does something else than read");
	else if (sqlite3_bind_parameter_count(stmt))
		r = bs_err_set(err, BS_ESTORE, "the query has a parameter, for which there is no value");
	if (r < 0)
		sqlite3_finalize(stmt);
	else
		*ret_stmt = stmt;
	return r;
}

static int find_query(struct bs_sqlite *s, const char *text, sqlite3_stmt **ret_stmt, struct bs_err *err)
{
	struct bs_sqlite_query *query;
	sqlite3_stmt *stmt = NULL;

	for (size_t i = 0; i < s->query_count; i++)
		if (strcmp(s->queries[i].text, text) == 0) {
			*ret_stmt = s->queries[i].stmt;
			return 0;
		}
	int r = prepare_query(s, text, &stmt, err);
	if (r < 0)
		return r;
	if (s->query_count < QUERIES_MAX) {
		query = BS_PUSH(s->queries, s->query_count);
	} else {
		query = &s->queries[s->next_query++ % QUERIES_MAX];
		drop_query(query);
	}
	*query = (struct bs_sqlite_query){.text = bs_xstrdup(text), .stmt = stmt};
	*ret_stmt = stmt;
	return 0;
}

/* --- Asking ------------------------------------------------------------------------------------------ */

static int is_late(void *deadline_ms)
{
	return (int64_t)bs_now_ms() > *(const int64_t *)deadline_ms;
}

static int hand_over(sqlite3_stmt *stmt, bs_row_fn fn, void *ctx)
{
	size_t columns = (size_t)sqlite3_column_count(stmt);
	BS_AUTOFREE const char **names = bs_xcalloc(columns, sizeof *names);
	struct bs_buf image = BS_BUF_INIT;
	int rc, stop = 0;

	while (!stop && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (size_t i = 0; i < columns; i++) /* each time: the application may have changed the tables */
			names[i] = sqlite3_column_name(stmt, (int)i);
		bs_buf_clear(&image);
		bs_sqlite_pack(stmt, &image);
		stop = fn(ctx, names, columns, (struct bs_blob){bs_buf_text(&image), (uint32_t)image.len});
	}
	bs_buf_release(&image);
	return stop ? SQLITE_DONE : rc;
}

int bs_sqlite_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		    struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	int64_t deadline_ms = (int64_t)bs_now_ms() + timeout_ms;
	sqlite3_stmt *stmt = NULL;

	if (!s->reader)
		return bs_err_set(err, BS_EINTERNAL, "query before begin");
	sqlite3_busy_timeout(s->reader, timeout_ms ? (int)timeout_ms : 1);
	int r = find_query(s, query, &stmt, err);
	if (r < 0)
		return r;
	sqlite3_progress_handler(s->reader, STEPS_BETWEEN_LOOKS, is_late, &deadline_ms);
	int rc = hand_over(stmt, fn, ctx);
	if ((rc & 0xFF) == SQLITE_INTERRUPT)
		r = bs_err_set(err, BS_ESTORE, "the query took longer than %u ms", timeout_ms);
	else if (rc != SQLITE_DONE)
		r = refuse(s->reader, rc, err);
	sqlite3_reset(stmt);
	sqlite3_progress_handler(s->reader, 0, NULL, NULL);
	return r;
}
