/*
 * SQLite: putting rows. First all deletes, then all inserts, so that no unique index is in the way and the order of
 * rows does not matter; bookkeeping last, because an insert into an AUTOINCREMENT table moves sqlite_sequence by
 * itself. Clone and shadow move together: the shadow's transaction is complete before the clone's is committed, and
 * is committed only after it. What rows alone cannot bring back is in sqlite_epoch.c.
 */
#include "sqlite.h"

#include "base/mem.h"

#include <string.h>

/* A table of bookkeeping, and the rows that it is to have. */
struct whole {
	size_t table;
	struct bs_sqlite_rows before;
	struct bs_blob *rows;
	size_t count;
};

static sqlite3 *side_db(const struct bs_sqlite *s, enum bs_sqlite_side side)
{
	return side == BS_LIVE ? s->live : s->shadow;
}

static int not_there(const struct bs_sqlite *s, uint32_t table, struct bs_err *err)
{
	return bs_err_set(err, BS_ESTORE, "table '%s': a row to be put back is not as it was left", s->now.tables[table].name);
}

static int delete_row(struct bs_sqlite *s, enum bs_sqlite_side side, const struct bs_net_row *row,
		      struct bs_err *err)
{
	const struct bs_sqlite_table *table = &s->now.tables[row->table];
	sqlite3_stmt *stmt = table->delete[side];

	for (size_t k = 0; k < table->key_count; k++) {
		struct bs_cell cell;
		if (!bs_row_cell(row->image, table->key_cells[k], &cell))
			return bs_err_set(err, BS_EINTERNAL, "table '%s': an image is too short", table->name);
		bs_sqlite_bind(stmt, (int)k + 1, &cell);
	}
	int r = bs_sqlite_run(stmt, err);
	if (r == 0 && sqlite3_changes(side_db(s, side)) != 1)
		return not_there(s, row->table, err);
	return r;
}

static int insert_row(struct bs_sqlite *s, enum bs_sqlite_side side, const struct bs_net_row *row,
		      struct bs_err *err)
{
	sqlite3_stmt *stmt = s->now.tables[row->table].insert[side];

	bs_sqlite_bind_image(stmt, row->image);
	int r = bs_sqlite_run(stmt, err);
	if (r < 0)
		bs_err_wrap(err, "table '%s'", s->now.tables[row->table].name);
	return r;
}

/* --- Bookkeeping ------------------------------------------------------------------------------------- */

static bool touches(const struct bs_sqlite *s, size_t table, const struct bs_net_row *rows, size_t count)
{
	bool sequences = strcmp(s->now.tables[table].name, "sqlite_sequence") == 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].table == table || (sequences && rows[i].count > 0 && s->now.tables[rows[i].table].autoincrement))
			return true;
	return false;
}

static bool take_out(struct whole *whole, struct bs_blob image)
{
	for (size_t i = 0; i < whole->count; i++)
		if (bs_blob_equal(whole->rows[i], image)) {
			memmove(&whole->rows[i], &whole->rows[i + 1], (--whole->count - i) * sizeof *whole->rows);
			return true;
		}
	return false;
}

/* What the table has now, and what it is to have: read before rows are written. */
static int plan_whole(struct bs_sqlite *s, enum bs_sqlite_side side, struct whole *whole,
		      const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	int r = bs_sqlite_read_whole(s, side, whole->table, &whole->before, err);

	for (size_t i = 0; r == 0 && i < whole->before.count; i++)
		*BS_PUSH(whole->rows, whole->count) = bs_sqlite_rows_at(&whole->before, i);
	for (size_t i = 0; r == 0 && i < count; i++)
		for (int n = rows[i].count; r == 0 && rows[i].table == whole->table && n < 0; n++)
			if (!take_out(whole, rows[i].image))
				r = not_there(s, rows[i].table, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (rows[i].table == whole->table && rows[i].count > 0) {
			/* BS_PUSH would lose its place after a take_out: the room is made by hand. */
			whole->rows = bs_xrealloc(whole->rows, whole->count + (size_t)rows[i].count, sizeof *whole->rows);
			for (int n = 0; n < rows[i].count; n++)
				whole->rows[whole->count++] = rows[i].image;
		}
	return r;
}

static void release_plans(struct whole *plans, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bs_sqlite_rows_release(&plans[i].before);
		free(plans[i].rows);
	}
	free(plans);
}

/* --- Both -------------------------------------------------------------------------------------------- */

static int put_rows(struct bs_sqlite *s, enum bs_sqlite_side side, const struct bs_net_row *rows, size_t count,
		    struct bs_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		if (rows[i].count < 0 && s->now.tables[rows[i].table].kind == BS_SQLITE_ROWS)
			r = delete_row(s, side, &rows[i], err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (rows[i].count > 0 && s->now.tables[rows[i].table].kind == BS_SQLITE_ROWS)
			r = insert_row(s, side, &rows[i], err);
	return r;
}

int bs_sqlite_put(struct bs_sqlite *s, enum bs_sqlite_side side, const struct bs_net_row *rows, size_t count,
		  struct bs_err *err)
{
	struct whole *plans = NULL;
	size_t plan_count = 0;
	int r = 0;

	for (size_t t = 0; r == 0 && t < s->now.table_count; t++)
		if (s->now.tables[t].kind != BS_SQLITE_ROWS && touches(s, t, rows, count)) {
			struct whole *whole = BS_PUSH(plans, plan_count);
			*whole = (struct whole){.table = t, .before = {.bytes = BS_BUF_INIT}};
			r = plan_whole(s, side, whole, rows, count, err);
		}
	if (r == 0)
		r = put_rows(s, side, rows, count, err);
	for (size_t i = 0; r == 0 && i < plan_count; i++)
		r = bs_sqlite_write_whole(s, side, plans[i].table, plans[i].rows, plans[i].count, err);
	release_plans(plans, plan_count);
	return r;
}

/* In a write transaction: nobody wrote since we looked, and nobody can now. */
static int check_unchanged(struct bs_sqlite *s, struct bs_err *err)
{
	int64_t version = 0;
	int r = bs_sqlite_check_file(s, err);

	if (r == 0)
		r = bs_sqlite_number(s->data_version, &version, err);
	if (r == 0 && version != s->version)
		r = bs_err_set(err, BS_EBUSY, "the application wrote since its changes were read");
	return r;
}

static int put_live(struct bs_sqlite *s, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	int r = bs_sqlite_exec(s->live, "BEGIN IMMEDIATE", err);

	if (r < 0)
		return r;
	r = check_unchanged(s, err);
	if (r == 0)
		r = bs_sqlite_put(s, BS_LIVE, rows, count, err);
	if (r == 0 && s->now.clear_notes)
		r = bs_sqlite_run(s->now.clear_notes, err);
	return bs_sqlite_end(s->live, r, err);
}

int bs_sqlite_put_both(struct bs_sqlite *s, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	int r = count ? bs_sqlite_exec(s->shadow, "BEGIN", err) : 0;

	if (r < 0 || !count)
		return r;
	r = bs_sqlite_put(s, BS_SHADOW, rows, count, err);
	if (r == 0)
		r = put_live(s, rows, count, err);
	r = bs_sqlite_end(s->shadow, r, err);
	if (r < 0)
		return r;
	s->watermark = 0;
	s->image_here = BS_SQLITE_NO_IMAGE;
	return 0;
}

/* The numbers of the version in the row that goes and in the one that comes; s->at where none does. */
static int versions_in(const struct bs_sqlite *s, const struct bs_net_row *rows, size_t count, uint32_t *ret_from,
		       uint32_t *ret_to, struct bs_err *err)
{
	struct bs_cell cell;
	int32_t goes = 0, comes = 0;

	*ret_from = *ret_to = s->at;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].table != s->told.version || !bs_row_cell(rows[i].image, 0, &cell))
			continue;
		*(rows[i].count < 0 ? ret_from : ret_to) = (uint32_t)cell.integer;
		*(rows[i].count < 0 ? &goes : &comes) += rows[i].count;
	}
	return goes == -comes && comes <= 1
		       ? 0
		       : bs_err_set(err, BS_ESTORE, "the version to be put back is not the one that was left");
}

int bs_sqlite_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "apply before begin");
	if (!count)
		return 0;
	uint32_t from, to;
	int r = versions_in(s, rows, count, &from, &to, err);
	if (r == 0)
		r = from || to ? bs_sqlite_restore(s, from, to, rows, count, err)
			       : bs_sqlite_put_both(s, rows, count, err);
	if (r < 0)
		return r;
	s->stats.applies++;
	for (size_t i = 0; i < count; i++)
		s->stats.applied_rows += (uint64_t)(rows[i].count < 0 ? -rows[i].count : rows[i].count);
	return 0;
}
