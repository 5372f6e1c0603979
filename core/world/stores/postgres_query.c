/*
 * PostgreSQL: rules that ask in SQL. They have a connection of their own, and each question a transaction that is
 * READ ONLY and always rolled back, so that a rule can neither change what it judges nor its own session. Names
 * mean what they mean to the application. Statements stay prepared, as the same rules ask after every step.
 */
#include "postgres.h"

#include "base/mem.h"
#include "base/now.h"

#include <inttypes.h>
#include <string.h>

#define QUERIES_MAX 64

static void drop_query(struct bs_pg_query *query)
{
	for (size_t c = 0; c < query->column_count; c++)
		free(query->names[c]);
	free(query->names);
	free(query->kinds);
	free(query->text);
	*query = (struct bs_pg_query){0};
}

void bs_pg_close_reader(struct bs_postgres *s)
{
	for (size_t i = 0; i < s->query_count; i++)
		drop_query(&s->queries[i]);
	free(s->queries);
	s->queries = NULL;
	s->query_count = s->next_query = 0;
	bs_pg_finish(&s->reader);
}

static int open_reader(struct bs_postgres *s, struct bs_err *err)
{
	if (s->reader && PQstatus(s->reader) != CONNECTION_BAD)
		return 0;
	bs_pg_close_reader(s);
	int r = bs_pg_connect(s, s->live_name, &s->reader, err);
	if (r == 0) /* what rows show in reports must not depend on the server's configuration */
		r = bs_pg_exec(s->reader, "SET default_transaction_read_only = on; SET timezone = 'UTC'; "
					  "SET datestyle = 'ISO, YMD'; SET intervalstyle = postgres; SET bytea_output = hex; "
					  "SET extra_float_digits = 1; SET jit = off", NULL, err);
	if (r < 0)
		bs_pg_finish(&s->reader);
	return r;
}

/* --- Preparing --------------------------------------------------------------------------------------- */

static int describe(struct bs_postgres *s, struct bs_pg_query *query, const char *name, struct bs_err *err)
{
	PGresult *result = NULL, *end = NULL;
	int r = PQsendDescribePrepared(s->reader, name) ? 0 : bs_pg_fail(s->reader, NULL, err);

	if (r == 0)
		r = bs_pg_next(s->reader, BS_PG_STATEMENT_MS, &result, err);
	if (r == 0 && (!result || PQresultStatus(result) != PGRES_COMMAND_OK))
		r = bs_pg_fail(s->reader, result, err);
	else if (r == 0 && PQnparams(result))
		r = bs_err_set(err, BS_ESTORE, "the query has a parameter, for which there is no value");
	else if (r == 0 && PQnfields(result) == 0)
		r = bs_err_set(err, BS_ESTORE, "the query does something else than read");
	for (int c = 0; r == 0 && c < PQnfields(result); c++) {
		size_t kinds = query->column_count;
		*BS_PUSH(query->names, query->column_count) = bs_xstrdup(PQfname(result, c));
		*BS_PUSH(query->kinds, kinds) = bs_pg_kind_of_type(PQftype(result, c));
	}
	PQclear(result);
	while (PQstatus(s->reader) == CONNECTION_OK && bs_pg_next(s->reader, BS_PG_STATEMENT_MS, &end, NULL) == 0 && end)
		PQclear(end);
	return r;
}

/* A slot for one more: the oldest one's when there are many. */
static struct bs_pg_query *new_slot(struct bs_postgres *s)
{
	if (s->query_count < QUERIES_MAX)
		return BS_PUSH(s->queries, s->query_count);
	struct bs_pg_query *query = &s->queries[s->next_query++ % QUERIES_MAX];
	bs_pg_execf(s->reader, NULL, "DEALLOCATE q%zu", query->id);
	drop_query(query);
	return query;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n;")] == 0;
}

static int find_query(struct bs_postgres *s, const char *text, struct bs_pg_query **ret_query, struct bs_err *err)
{
	char name[32];

	for (size_t i = 0; i < s->query_count; i++)
		if (s->queries[i].text && strcmp(s->queries[i].text, text) == 0) {
			*ret_query = &s->queries[i];
			return 0;
		}
	if (is_blank(text))
		return bs_err_set(err, BS_ESTORE, "the query is empty");
	struct bs_pg_query fresh = {.id = ++s->query_id};
	snprintf(name, sizeof name, "q%zu", fresh.id);
	int r = bs_pg_prepare(s->reader, name, text, err);
	if (r == 0)
		r = describe(s, &fresh, name, err);
	if (r < 0) {
		drop_query(&fresh);
		return r;
	}
	fresh.text = bs_xstrdup(text);
	struct bs_pg_query *query = new_slot(s);
	*query = fresh;
	*ret_query = query;
	return 0;
}

/* --- Asking ------------------------------------------------------------------------------------------ */

struct asking {
	const struct bs_pg_query *query;
	bs_row_fn fn;
	void *ctx;
	size_t rows; /* handed over */
	bool stop;
};

static void hand_over(struct asking *asking, const PGresult *row)
{
	const struct bs_pg_query *query = asking->query;
	struct bs_buf image = BS_BUF_INIT;

	for (size_t c = 0; c < query->column_count; c++)
		if (PQgetisnull(row, 0, (int)c))
			bs_row_add_null(&image);
		else
			bs_pg_add_cell(&image, query->kinds[c], bs_pg_text(row, 0, (int)c), (size_t)PQgetlength(row, 0, (int)c));
	struct bs_blob blob = {bs_buf_text(&image), (uint32_t)image.len};
	asking->rows++;
	asking->stop = asking->fn(asking->ctx, (const char *const *)query->names, query->column_count, blob) != 0;
	bs_buf_release(&image);
}

/* The results of one statement of the pipeline, and the NULL behind them. */
static int receive(PGconn *conn, struct asking *asking, uint32_t ms, struct bs_err *err)
{
	PGresult *result = NULL;
	int r = 0;

	if (asking)
		PQsetSingleRowMode(conn);
	for (;;) {
		int waited = bs_pg_next(conn, ms, &result, r < 0 ? NULL : err);
		if (waited < 0)
			return r < 0 ? r : waited;
		if (!result)
			return r;
		ExecStatusType status = PQresultStatus(result);
		if (status == PGRES_SINGLE_TUPLE && !asking->stop)
			hand_over(asking, result);
		else if (r == 0 && (status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED))
			r = bs_pg_fail(conn, result, err);
		PQclear(result);
		if (status == PGRES_PIPELINE_SYNC || PQstatus(conn) == CONNECTION_BAD)
			return r;
	}
}

/* BEGIN, the limit, the question, ROLLBACK: all at once. */
static int ask(struct bs_postgres *s, struct asking *asking, uint32_t timeout_ms, struct bs_err *err)
{
	PGconn *conn = s->reader;
	BS_AUTOFREE char *limit = bs_xasprintf("SET LOCAL statement_timeout = %" PRIu32, timeout_ms ? timeout_ms : 1);
	char name[32];
	int r = 0;

	snprintf(name, sizeof name, "q%zu", asking->query->id);
	bool sent = PQenterPipelineMode(conn) && PQsendQueryParams(conn, "BEGIN READ ONLY", 0, NULL, NULL, NULL, NULL, 0) &&
		    PQsendQueryParams(conn, limit, 0, NULL, NULL, NULL, NULL, 0) &&
		    PQsendQueryPrepared(conn, name, 0, NULL, NULL, NULL, 0) && PQpipelineSync(conn);
	if (!sent)
		return bs_pg_fail(conn, NULL, err);
	for (int i = 0; i < 4; i++) {
		int one = receive(conn, i == 2 ? asking : NULL, timeout_ms + BS_PG_GRACE_MS, r < 0 ? NULL : err);
		if (r == 0)
			r = one;
		if (PQstatus(conn) == CONNECTION_BAD)
			return r;
	}
	PQexitPipelineMode(conn);
	int back = bs_pg_exec(conn, "ROLLBACK", NULL, r < 0 ? NULL : err);
	return r < 0 ? r : back;
}

static int ask_once(struct bs_postgres *s, const char *query, uint32_t timeout_ms, struct asking *asking,
		    struct bs_err *err)
{
	struct bs_pg_query *found = NULL;
	int r = open_reader(s, err);

	if (r == 0)
		r = find_query(s, query, &found, err);
	if (r < 0)
		return r;
	uint64_t since_ms = bs_now_ms();
	asking->query = found;
	r = ask(s, asking, timeout_ms, err);
	if (r < 0 && bs_now_ms() - since_ms >= timeout_ms)
		return bs_err_set(err, BS_ESTORE, "the query took longer than %u ms", timeout_ms);
	return r;
}

int bs_pg_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		struct bs_err *err)
{
	struct bs_postgres *s = (struct bs_postgres *)store;
	struct asking asking = {.fn = fn, .ctx = ctx};

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "query before begin");
	int r = ask_once(s, query, timeout_ms, &asking, err);
	if (r < 0 && s->reader && PQstatus(s->reader) == CONNECTION_BAD && !asking.rows)
		r = ask_once(s, query, timeout_ms, &asking, err); /* the connection was cut before */
	return r;
}
