/*
 * SQLite: reading everything. A digest trusts neither notes nor shadow: it is what rollback is held against. Rows are
 * summed up, so their order, which a rollback may change on disk, does not count.
 */
#include "sqlite.h"

#include "base/hash.h"
#include "base/mem.h"

static uint64_t hash_row(const struct bs_buf *image)
{
	struct bs_hash hash = bs_hash_bytes(bs_buf_text(image), image->len);

	return hash.lo ^ (hash.hi * 0x9E3779B97F4A7C15u);
}

static int sum_rows(sqlite3 *db, const char *sql, const char *table, uint64_t *ret_sum, struct bs_err *err)
{
	struct bs_buf image = BS_BUF_INIT;
	sqlite3_stmt *stmt;
	uint64_t sum = 0;
	int rc, r = bs_sqlite_prepare(db, sql, &stmt, err);

	if (r < 0)
		return r;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		bs_buf_clear(&image);
		bs_sqlite_pack(stmt, &image);
		sum += hash_row(&image);
	}
	if (rc != SQLITE_DONE)
		r = bs_sqlite_fail(db, rc, table, err);
	else
		*ret_sum = sum;
	sqlite3_finalize(stmt);
	bs_buf_release(&image);
	return r;
}

static int digest_pragmas(sqlite3 *db, uint64_t *ret_digest, struct bs_err *err)
{
	uint64_t version = 0, id = 0;
	int r = sum_rows(db, "PRAGMA main.user_version", "user_version", &version, err);

	if (r == 0)
		r = sum_rows(db, "PRAGMA main.application_id", "application_id", &id, err);
	if (r == 0)
		*ret_digest = version * 31 + id;
	return r;
}

int bs_sqlite_digest_table(struct bs_sqlite *s, sqlite3 *db, size_t table, uint64_t *ret_digest,
			   struct bs_err *err)
{
	const struct bs_sqlite_table *t = &s->tables[table];
	struct bs_buf sql = BS_BUF_INIT;

	if (t->kind == BS_SQLITE_PRAGMA)
		return digest_pragmas(db, ret_digest, err);
	bs_buf_adds(&sql, "SELECT ");
	for (size_t c = 0; c < t->column_count; c++)
		bs_sqlite_add(&sql, "%s\"%w\"", c ? ", " : "", t->columns[c]);
	bs_sqlite_add(&sql, " FROM main.\"%w\"", t->name);
	int r = sum_rows(db, bs_buf_text(&sql), t->name, ret_digest, err);
	bs_buf_release(&sql);
	return r;
}

int bs_sqlite_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	uint64_t all = 0;
	sqlite3 *db;

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "digest before begin");
	int r = bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, &db, err);
	if (r < 0)
		return r;
	r = bs_sqlite_exec(db, "BEGIN", err); /* all tables as they are at one moment */
	for (size_t t = 0; r == 0 && t < s->table_count; t++) {
		uint64_t one = 0;
		r = bs_sqlite_digest_table(s, db, t, &one, err);
		if (ret_tables)
			ret_tables[t] = one;
		all = (all ^ one) * 0x9E3779B97F4A7C15u + t;
	}
	sqlite3_close(db);
	if (r == 0)
		*ret_digest = all;
	return r;
}
