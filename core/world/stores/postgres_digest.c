/*
 * PostgreSQL: a digest of everything, read on a fresh connection that has no part in tracking, so that it can tell
 * whether tracking is right. Rows are hashed as text in the server and added up, so their order plays no part; all
 * tables at one moment.
 */
#include "postgres.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

static int digest_of(PGconn *conn, const char *sql, uint64_t *ret_digest, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_exec(conn, sql, &result, err);

	if (r == 0)
		*ret_digest = bs_hash_bytes(bs_pg_text(result, 0, 0), (size_t)PQgetlength(result, 0, 0)).lo;
	return r;
}

static int digest_table(const struct bs_postgres *s, PGconn *conn, size_t t, uint64_t *ret_digest, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;

	if (t == s->table_count) {
		bs_buf_adds(&sql, "SELECT ");
		bs_pg_add_positions(s, &sql);
	} else {
		bs_buf_addf(&sql, "SELECT count(*) || ' ' || coalesce(sum(hashtextextended((x.*)::text COLLATE \"C\", 0)), 0) "
				  "FROM %s%s x", s->tables[t].partitioned ? "" : "ONLY ", s->tables[t].quoted);
	}
	int r = digest_of(conn, bs_buf_text(&sql), ret_digest, err);
	bs_buf_release(&sql);
	return r < 0 ? bs_err_wrap(err, "table '%s'", s->schema[t].name) : 0;
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
	for (size_t t = 0; r == 0 && t < s->schema_count; t++)
		r = digest_table(s, conn, t, &tables[t], err);
	bs_pg_finish(&conn);
	if (r < 0)
		return r;
	*ret_digest = bs_hash_bytes(tables, s->schema_count * sizeof *tables).lo;
	for (size_t t = 0; ret_tables && t < s->schema_count; t++)
		ret_tables[t] = tables[t];
	return 0;
}
