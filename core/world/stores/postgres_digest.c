/*
 * PostgreSQL: a digest of everything, read on a fresh connection that has no part in tracking, so that it can tell
 * whether tracking is right. Rows are hashed as text in the server and added up, so their order plays no part; all
 * tables at one moment.
 */
#include "postgres.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

#define AT_ONCE 100 /* tables in one statement, as each is a round trip */

static void add_table(const struct bs_postgres *s, size_t t, struct bs_buf *sql)
{
	if (t == s->table_count)
		bs_pg_add_positions(s, sql);
	else
		bs_buf_addf(sql, "(SELECT count(*) || ' ' || coalesce(sum(hashtextextended((x.*)::text COLLATE \"C\", 0)), 0) "
				 "FROM %s%s x)", s->tables[t].partitioned ? "" : "ONLY ", s->tables[t].quoted);
}

static int digest_tables(const struct bs_postgres *s, PGconn *conn, size_t from, uint64_t *tables, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	struct bs_buf sql = BS_BUF_INIT;
	size_t to = from + AT_ONCE < s->schema_count ? from + AT_ONCE : s->schema_count;

	for (size_t t = from; t < to; t++) {
		bs_buf_adds(&sql, t == from ? "SELECT " : ", ");
		add_table(s, t, &sql);
	}
	int r = bs_pg_exec_within(conn, BS_PG_COPY_MS, bs_buf_text(&sql), &result, err);
	for (size_t t = from; r == 0 && t < to; t++) {
		int column = (int)(t - from);
		tables[t] = bs_hash_bytes(bs_pg_text(result, 0, column), (size_t)PQgetlength(result, 0, column)).lo;
	}
	bs_buf_release(&sql);
	return r;
}

int bs_pg_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err)
{
	struct bs_postgres *s = (struct bs_postgres *)store;
	BS_AUTOFREE uint64_t *tables = bs_xcalloc(s->schema_count + 1, sizeof *tables);
	PGconn *conn = NULL;

	if (!s->schema_known)
		return bs_err_set(err, BS_EINTERNAL, "digest before begin");
	int r = bs_pg_connect(s, s->live_name, &conn, err);
	if (r == 0)
		r = bs_pg_fix_formats(conn, err);
	if (r == 0)
		r = bs_pg_execf(conn, err, "SET statement_timeout = %d; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
				BS_PG_COPY_MS);
	for (size_t t = 0; r == 0 && t < s->schema_count; t += AT_ONCE)
		r = digest_tables(s, conn, t, tables, err);
	bs_pg_finish(&conn);
	if (r < 0)
		return r;
	*ret_digest = bs_hash_bytes(tables, s->schema_count * sizeof *tables).lo;
	for (size_t t = 0; ret_tables && t < s->schema_count; t++)
		ret_tables[t] = tables[t];
	return 0;
}
