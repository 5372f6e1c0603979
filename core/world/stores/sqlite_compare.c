/*
 * SQLite: what differs between two connections, found by reading both. Tables with a rowid are read side by side in
 * its order, so that memory holds two rows at a time. Others, and lists of rows, are compared as multisets; there the
 * key cells tell which old and which new row are one that changed.
 */
#include "sqlite.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

#define NO_ROW ((struct bs_blob){NULL, 0})

static struct bs_blob blob_of(const struct bs_buf *bytes)
{
	return (struct bs_blob){bs_buf_text(bytes), (uint32_t)bytes->len};
}

/* --- Side by side ------------------------------------------------------------------------------------ */

struct reader {
	sqlite3_stmt *stmt;
	bool row;
	int64_t key;
	int key_column;
	struct bs_buf image;
};

static int next(struct reader *reader, struct bs_err *err)
{
	if (!reader->stmt)
		return 0;
	int rc = sqlite3_step(reader->stmt);
	reader->row = rc == SQLITE_ROW;
	if (!reader->row)
		return rc == SQLITE_DONE ? 0 : bs_sqlite_fail(sqlite3_db_handle(reader->stmt), rc, "comparing", err);
	bs_buf_clear(&reader->image);
	bs_sqlite_pack(reader->stmt, &reader->image);
	reader->key = sqlite3_column_int64(reader->stmt, reader->key_column);
	return 0;
}

static int start(struct reader *reader, sqlite3 *db, const struct bs_sqlite_table *table, bool ordered,
		 struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;

	*reader = (struct reader){.image = BS_BUF_INIT};
	if (!table)
		return 0;
	bs_buf_adds(&sql, "SELECT ");
	bs_sqlite_add_columns(&sql, table);
	if (table->kind == BS_SQLITE_PRAGMA)
		bs_buf_adds(&sql, " FROM pragma_user_version, pragma_application_id");
	else
		bs_sqlite_add(&sql, " FROM main.\"%w\"", table->name);
	if (ordered) {
		bs_sqlite_add(&sql, " ORDER BY \"%w\"", table->rowid);
		reader->key_column = (int)table->key_cells[0];
	}
	int r = bs_sqlite_prepare(db, bs_buf_text(&sql), &reader->stmt, err);
	bs_buf_release(&sql);
	return r;
}

static void stop(struct reader *reader)
{
	sqlite3_finalize(reader->stmt);
	bs_buf_release(&reader->image);
}

static int merge(struct reader *before, struct reader *after, bs_sqlite_pair_fn fn, void *ctx, struct bs_err *err)
{
	int r = next(before, err);

	if (r == 0)
		r = next(after, err);
	while (r == 0 && (before->row || after->row)) {
		bool old = before->row && (!after->row || before->key <= after->key);
		bool new = after->row && (!before->row || after->key <= before->key);
		struct bs_blob was = old ? blob_of(&before->image) : NO_ROW, is = new ? blob_of(&after->image) : NO_ROW;
		if (!bs_blob_equal(was, is))
			r = fn(ctx, was, is, err);
		if (r == 0 && old)
			r = next(before, err);
		if (r == 0 && new)
			r = next(after, err);
	}
	return r;
}

/* --- Lists ------------------------------------------------------------------------------------------- */

/* What is left of both when equal rows are taken out, and where: rows[i] is a row of the list. */
struct rest {
	size_t *rows;
	size_t count;
};

static void take_equal_out(const struct bs_sqlite_rows *before, const struct bs_sqlite_rows *after, struct rest *old,
			   struct rest *new)
{
	struct bs_map index = {0};
	BS_AUTOFREE bool *used = bs_xcalloc(before->count, sizeof *used);

	for (size_t i = 0; i < before->count; i++) {
		struct bs_blob row = bs_sqlite_rows_at(before, i);
		bs_map_add(&index, bs_hash_bytes(row.data, row.len).lo, (uint32_t)i);
	}
	for (size_t i = 0; i < after->count; i++) {
		struct bs_blob row = bs_sqlite_rows_at(after, i);
		uint64_t hash = bs_hash_bytes(row.data, row.len).lo;
		size_t at = 0;
		uint32_t found;
		while ((found = bs_map_next(&index, hash, &at)) != BS_MAP_NONE)
			if (!used[found] && bs_blob_equal(bs_sqlite_rows_at(before, found), row))
				break;
		if (found != BS_MAP_NONE)
			used[found] = true;
		else
			*BS_PUSH(new->rows, new->count) = i;
	}
	for (size_t i = 0; i < before->count; i++)
		if (!used[i])
			*BS_PUSH(old->rows, old->count) = i;
	bs_map_release(&index);
}

static bool same_key(struct bs_blob a, struct bs_blob b, const size_t *key_cells, size_t key_count)
{
	struct bs_blob x, y;

	for (size_t k = 0; k < key_count; k++)
		if (!bs_row_bytes(a, key_cells[k], &x) || !bs_row_bytes(b, key_cells[k], &y) || !bs_blob_equal(x, y))
			return false;
	return key_count > 0;
}

static uint64_t key_hash(struct bs_blob row, const size_t *key_cells, size_t key_count)
{
	struct bs_blob cell;
	uint64_t hash = 0;

	for (size_t k = 0; k < key_count && bs_row_bytes(row, key_cells[k], &cell); k++)
		hash = hash * 31 + bs_hash_bytes(cell.data, cell.len).lo;
	return hash;
}

int bs_sqlite_compare_lists(const struct bs_sqlite_rows *before, const struct bs_sqlite_rows *after,
			    const size_t *key_cells, size_t key_count, bs_sqlite_pair_fn fn, void *ctx,
			    struct bs_err *err)
{
	struct rest old = {0}, new = {0};
	struct bs_map by_key = {0};
	int r = 0;

	take_equal_out(before, after, &old, &new);
	BS_AUTOFREE bool *paired = bs_xcalloc(new.count, sizeof *paired);
	for (size_t i = 0; i < new.count && key_count; i++)
		bs_map_add(&by_key, key_hash(bs_sqlite_rows_at(after, new.rows[i]), key_cells, key_count), (uint32_t)i);
	for (size_t i = 0; r == 0 && i < old.count; i++) {
		struct bs_blob was = bs_sqlite_rows_at(before, old.rows[i]), is = NO_ROW;
		uint64_t hash = key_hash(was, key_cells, key_count);
		size_t at = 0;
		uint32_t found;
		while (!is.data && (found = bs_map_next(&by_key, hash, &at)) != BS_MAP_NONE)
			if (!paired[found] &&
			    same_key(was, bs_sqlite_rows_at(after, new.rows[found]), key_cells, key_count)) {
				paired[found] = true;
				is = bs_sqlite_rows_at(after, new.rows[found]);
			}
		r = fn(ctx, was, is, err);
	}
	for (size_t i = 0; r == 0 && i < new.count; i++)
		if (!paired[i])
			r = fn(ctx, NO_ROW, bs_sqlite_rows_at(after, new.rows[i]), err);
	bs_map_release(&by_key);
	free(old.rows);
	free(new.rows);
	return r;
}

static int read_list(struct reader *reader, struct bs_sqlite_rows *rows, struct bs_err *err)
{
	int rc = SQLITE_DONE;

	while (reader->stmt && (rc = sqlite3_step(reader->stmt)) == SQLITE_ROW)
		bs_sqlite_rows_add(rows, reader->stmt);
	return rc == SQLITE_DONE ? 0 : bs_sqlite_fail(sqlite3_db_handle(reader->stmt), rc, "comparing", err);
}

static int compare_unordered(struct reader *before, struct reader *after, const struct bs_sqlite_table *table,
			     bs_sqlite_pair_fn fn, void *ctx, struct bs_err *err)
{
	struct bs_sqlite_rows old = {.bytes = BS_BUF_INIT}, new = {.bytes = BS_BUF_INIT};
	bool bookkeeping = table->kind != BS_SQLITE_ROWS;
	int r = read_list(before, &old, err);

	if (r == 0)
		r = read_list(after, &new, err);
	if (r == 0)
		r = bs_sqlite_compare_lists(&old, &new, bookkeeping ? NULL : table->key_cells,
					    bookkeeping ? 0 : table->key_count, fn, ctx, err);
	bs_sqlite_rows_release(&old);
	bs_sqlite_rows_release(&new);
	return r;
}

int bs_sqlite_compare(sqlite3 *before_db, const struct bs_sqlite_table *before, sqlite3 *after_db,
		      const struct bs_sqlite_table *after, bs_sqlite_pair_fn fn, void *ctx, struct bs_err *err)
{
	const struct bs_sqlite_table *table = before ? before : after;
	bool ordered = table->rowid && table->key_count == 1;
	struct reader old, new;
	int r = start(&old, before_db, before, ordered, err);
	int opened = start(&new, after_db, after, ordered, r < 0 ? NULL : err);

	if (r == 0)
		r = opened;
	if (r == 0)
		r = ordered ? merge(&old, &new, fn, ctx, err) : compare_unordered(&old, &new, table, fn, ctx, err);
	stop(&old);
	stop(&new);
	return r;
}
