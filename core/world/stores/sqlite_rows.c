/*
 * SQLite: the statements that read and write rows, one set for the clone and one for its shadow. Rows are found by
 * the key that notes hold, compared as the index compares that keeps it unique. Tables of bookkeeping are small and
 * have no key worth the name; they are read and written whole.
 */
#include "sqlite.h"

#include "base/mem.h"

#include <string.h>

/* --- Statements -------------------------------------------------------------------------------------- */

void bs_sqlite_add_columns(struct bs_buf *sql, const struct bs_sqlite_table *table)
{
	for (size_t c = 0; c < table->column_count; c++)
		bs_sqlite_add(sql, "%s\"%w\"", c ? ", " : "", table->columns[c]);
}

static void add_where_key(struct bs_buf *sql, const struct bs_sqlite_table *table)
{
	for (size_t k = 0; k < table->key_count; k++) {
		bs_sqlite_add(sql, "%s\"%w\"", k ? " AND " : " WHERE ", table->keys[k]);
		if (!table->rowid)
			bs_sqlite_add(sql, " COLLATE \"%w\"", table->key_collations[k]);
		bs_sqlite_add(sql, " = ?%d", (int)k + 1);
	}
}

/* OR ABORT, because the table itself may say ON CONFLICT REPLACE, which would delete other rows silently. */
static void add_insert(struct bs_buf *sql, const struct bs_sqlite_table *table)
{
	bs_sqlite_add(sql, "INSERT OR ABORT INTO main.\"%w\"(", table->name);
	bs_sqlite_add_columns(sql, table);
	bs_buf_adds(sql, ") VALUES (");
	for (size_t c = 0; c < table->column_count; c++)
		bs_buf_adds(sql, c ? ", ?" : "?");
	bs_buf_adds(sql, ")");
}

/* One row by its key, or all of a table of bookkeeping. */
static int prepare_table(sqlite3 *db, struct bs_sqlite_table *table, enum bs_sqlite_side side, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;

	bs_buf_adds(&sql, "SELECT ");
	bs_sqlite_add_columns(&sql, table);
	bs_sqlite_add(&sql, " FROM main.\"%w\"", table->name);
	add_where_key(&sql, table);
	int r = bs_sqlite_prepare(db, bs_buf_text(&sql), &table->select[side], err);
	bs_buf_clear(&sql);
	bs_sqlite_add(&sql, "DELETE FROM main.\"%w\"", table->name);
	add_where_key(&sql, table);
	if (r == 0)
		r = bs_sqlite_prepare(db, bs_buf_text(&sql), &table->delete[side], err);
	bs_buf_clear(&sql);
	add_insert(&sql, table);
	if (r == 0)
		r = bs_sqlite_prepare(db, bs_buf_text(&sql), &table->insert[side], err);
	bs_buf_release(&sql);
	return r;
}

static int prepare_notes(struct bs_sqlite *s, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;
	int r = bs_sqlite_prepare(s->live, "DELETE FROM main.\"" BS_SQLITE_NOTES "\"", &s->now.clear_notes, err);

	bs_buf_adds(&sql, "SELECT n, t");
	for (size_t k = 0; k < s->now.note_keys; k++)
		bs_sqlite_add(&sql, ", k%d", (int)k);
	bs_buf_adds(&sql, " FROM main.\"" BS_SQLITE_NOTES "\" WHERE n > ?1 ORDER BY n");
	if (r == 0)
		r = bs_sqlite_prepare(s->live, bs_buf_text(&sql), &s->now.notes, err);
	bs_buf_release(&sql);
	return r;
}

int bs_sqlite_prepare_side(struct bs_sqlite *s, enum bs_sqlite_side side, struct bs_err *err)
{
	sqlite3 *db = side == BS_LIVE ? s->live : s->shadow;
	int r = bs_sqlite_prepare(db, "PRAGMA user_version", &s->now.pragmas[side][0], err);

	if (r == 0)
		r = bs_sqlite_prepare(db, "PRAGMA application_id", &s->now.pragmas[side][1], err);
	for (size_t i = 0; r == 0 && !s->by_image && i < s->now.table_count; i++)
		if (s->now.tables[i].kind != BS_SQLITE_PRAGMA)
			r = prepare_table(db, &s->now.tables[i], side, err);
	if (r == 0 && side == BS_LIVE && !s->compare_whole)
		r = prepare_notes(s, err);
	return r;
}

int bs_sqlite_try_writing(sqlite3 *db, struct bs_sqlite_catalog *catalog, struct bs_err *err)
{
	struct bs_err why = BS_ERR_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && !catalog->by_image && i < catalog->table_count; i++) {
		struct bs_sqlite_table *table = &catalog->tables[i];
		if (table->kind == BS_SQLITE_PRAGMA)
			continue;
		int prepared = prepare_table(db, table, BS_LIVE, &why);
		if (prepared == BS_EBUSY)
			r = bs_err_set(err, BS_EBUSY, "%s", bs_err_text(&why));
		else if (prepared < 0)
			catalog->by_image = bs_arena_printf(&catalog->arena, "table '%s': %s (a function or collation of the "
							    "application's own)", table->name, sqlite3_errmsg(db));
		bs_err_release(&why);
	}
	bs_sqlite_finalize(catalog);
	return r;
}

static void finalize(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
	*stmt = NULL;
}

void bs_sqlite_finalize(struct bs_sqlite_catalog *catalog)
{
	finalize(&catalog->notes);
	finalize(&catalog->clear_notes);
	for (int side = BS_LIVE; side <= BS_SHADOW; side++) {
		finalize(&catalog->pragmas[side][0]);
		finalize(&catalog->pragmas[side][1]);
		for (size_t i = 0; i < catalog->table_count; i++) {
			finalize(&catalog->tables[i].select[side]);
			finalize(&catalog->tables[i].delete[side]);
			finalize(&catalog->tables[i].insert[side]);
		}
	}
}

/* --- Whole tables ------------------------------------------------------------------------------------ */

void bs_sqlite_rows_release(struct bs_sqlite_rows *rows)
{
	bs_buf_release(&rows->bytes);
	free(rows->ends);
	*rows = (struct bs_sqlite_rows){.bytes = BS_BUF_INIT};
}

struct bs_blob bs_sqlite_rows_at(const struct bs_sqlite_rows *rows, size_t index)
{
	size_t start = index ? rows->ends[index - 1] : 0;

	return (struct bs_blob){bs_buf_text(&rows->bytes) + start, (uint32_t)(rows->ends[index] - start)};
}

static void end_row(struct bs_sqlite_rows *rows)
{
	*BS_PUSH(rows->ends, rows->count) = rows->bytes.len;
}

void bs_sqlite_rows_add(struct bs_sqlite_rows *rows, sqlite3_stmt *row)
{
	bs_sqlite_pack(row, &rows->bytes);
	end_row(rows);
}

static int read_pragmas(struct bs_sqlite *s, enum bs_sqlite_side side, struct bs_sqlite_rows *rows,
			struct bs_err *err)
{
	for (int i = 0; i < 2; i++) {
		int64_t value;
		int r = bs_sqlite_number(s->now.pragmas[side][i], &value, err);
		if (r < 0)
			return r;
		bs_row_add_int(&rows->bytes, value);
	}
	end_row(rows);
	return 0;
}

int bs_sqlite_read_whole(struct bs_sqlite *s, enum bs_sqlite_side side, size_t table, struct bs_sqlite_rows *rows,
			 struct bs_err *err)
{
	sqlite3_stmt *stmt = s->now.tables[table].select[side];
	int rc, r = 0;

	if (s->now.tables[table].kind == BS_SQLITE_PRAGMA)
		return read_pragmas(s, side, rows, err);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		bs_sqlite_rows_add(rows, stmt);
	if (rc != SQLITE_DONE)
		r = bs_sqlite_fail(sqlite3_db_handle(stmt), rc, s->now.tables[table].name, err);
	sqlite3_reset(stmt);
	return r;
}

static int write_pragmas(sqlite3 *db, struct bs_blob row, struct bs_err *err)
{
	static const char *const names[] = {"user_version", "application_id"};
	struct bs_cell cell;
	int r = 0;

	for (size_t i = 0; r == 0 && i < BS_COUNT(names) && bs_row_cell(row, i, &cell); i++) {
		BS_AUTOFREE char *sql = bs_xasprintf("PRAGMA main.%s=%lld", names[i], (long long)cell.integer);
		r = bs_sqlite_exec(db, sql, err);
	}
	return r;
}

int bs_sqlite_write_whole(struct bs_sqlite *s, enum bs_sqlite_side side, size_t table,
			  const struct bs_blob *rows, size_t count, struct bs_err *err)
{
	struct bs_sqlite_table *t = &s->now.tables[table];

	if (t->kind == BS_SQLITE_PRAGMA)
		return count == 1 ? write_pragmas(side == BS_LIVE ? s->live : s->shadow, rows[0], err)
				  : bs_err_set(err, BS_EINTERNAL, "user_version cannot have %zu values", count);
	int r = bs_sqlite_run(t->delete[side], err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		bs_sqlite_bind_image(t->insert[side], rows[i]);
		r = bs_sqlite_run(t->insert[side], err);
	}
	return r;
}
