/*
 * SQLite: a digest of everything, read on a connection that has no part in tracking, so that it can tell whether
 * tracking is right. The order of rows plays no part: rows of a table are hashed one by one and added up.
 */
#include "sqlite.h"

#include "base/hash.h"
#include "base/mem.h"

static int digest_rows(sqlite3 *db, const char *sql, uint64_t *ret_digest, struct bs_err *err)
{
	sqlite3_stmt *stmt;
	struct bs_buf image = BS_BUF_INIT;
	uint64_t sum = 0;
	int rc, r = bs_sqlite_prepare(db, sql, &stmt, err);

	if (r < 0)
		return r;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		bs_buf_clear(&image);
		bs_sqlite_pack(stmt, &image);
		sum += bs_hash_bytes(image.data, image.len).lo;
	}
	if (rc == SQLITE_DONE)
		*ret_digest = sum;
	else
		r = bs_sqlite_fail(db, rc, sql, err);
	sqlite3_finalize(stmt);
	bs_buf_release(&image);
	return r;
}

int bs_sqlite_digest_table(struct bs_sqlite *s, sqlite3 *db, size_t table, uint64_t *ret_digest,
			   struct bs_err *err)
{
	const struct bs_sqlite_table *t = &s->tables[table];
	struct bs_buf sql = BS_BUF_INIT;

	bs_buf_adds(&sql, "SELECT ");
	for (size_t c = 0; c < t->column_count; c++)
		bs_sqlite_add(&sql, "%s\"%w\"", c ? ", " : "", t->columns[c]);
	if (t->kind == BS_SQLITE_PRAGMA)
		bs_buf_adds(&sql, " FROM pragma_user_version, pragma_application_id");
	else
		bs_sqlite_add(&sql, " FROM main.\"%w\"", t->name);
	int r = digest_rows(db, bs_buf_text(&sql), ret_digest, err);
	bs_buf_release(&sql);
	return r;
}

int bs_sqlite_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	sqlite3 *db = NULL;
	BS_AUTOFREE uint64_t *tables = bs_xcalloc(s->table_count, sizeof *tables);

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "digest before begin");
	int r = bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, &db, err);
	if (r == 0)
		r = bs_sqlite_exec(db, "PRAGMA query_only=ON; BEGIN", err); /* all tables at one moment */
	for (size_t t = 0; r == 0 && t < s->table_count; t++)
		r = bs_sqlite_digest_table(s, db, t, &tables[t], err);
	sqlite3_close(db);
	if (r < 0)
		return r;
	*ret_digest = bs_hash_bytes(tables, s->table_count * sizeof *tables).lo;
	for (size_t t = 0; ret_tables && t < s->table_count; t++)
		ret_tables[t] = tables[t];
	return 0;
}
