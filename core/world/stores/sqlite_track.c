/*
 * SQLite: from notes to changes. Mostly nothing happened, which PRAGMA data_version tells in microseconds. Else the
 * notes above the watermark are read, in the order in which they were written, and each row that they name is
 * compared between clone and shadow. Notes are not removed here, which would be a write of our own at each step;
 * apply removes them.
 *
 * Tables without triggers are compared whole. When the data moved and neither says so, everything is: a change that
 * triggers do not see is found then. What rows cannot tell or cannot bring back begins a new epoch (sqlite_epoch.c).
 */
#include "sqlite.h"

#include "base/hash.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

/* --- Is it still ours? ------------------------------------------------------------------------------- */

int bs_sqlite_check_file(struct bs_sqlite *s, struct bs_err *err)
{
	int moved = 0;

	sqlite3_file_control(s->live, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (moved)
		return bs_err_set(err, BS_ESTORE, "the application replaced or removed its database file '%s' during the "
				  "run, which cannot be put back", s->live_path);
	return 0;
}

static int say_dropped(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	(void)ctx;
	return bs_err_set(err, BS_ESTORE, "the application dropped '%s', with which its changes are seen: let it delete "
			  "rows, not tables and triggers that it did not make", bs_sqlite_text_at(row, 0));
}

static int take_name(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	bs_sqlite_add(ctx, "%s(%Q, %Q)", ((struct bs_buf *)ctx)->len ? ", " : "", bs_sqlite_text_at(row, 0),
		      bs_sqlite_text_at(row, 1));
	return 0;
}

/* The shadow has what was installed. A trigger may go with its table; a table that got another name keeps it. */
int bs_sqlite_check_ours(struct bs_sqlite *s, struct bs_err *err)
{
	struct bs_buf ours = BS_BUF_INIT, sql = BS_BUF_INIT;
	int r = bs_sqlite_each(s->shadow, "SELECT name, tbl_name FROM main.sqlite_master "
					  "WHERE name GLOB '" BS_SQLITE_PREFIX "*' ORDER BY type, name",
			       NULL, take_name, &ours, err);

	if (r == 0 && ours.len) {
		bs_sqlite_add(&sql, "SELECT column1 FROM (VALUES %s) WHERE column1 NOT IN (SELECT name FROM "
				    "main.sqlite_master) AND (column2 IN (SELECT name FROM main.sqlite_master) OR "
				    "column2 GLOB '" BS_SQLITE_PREFIX "*')", bs_buf_text(&ours));
		r = bs_sqlite_each(s->live, bs_buf_text(&sql), NULL, say_dropped, NULL, err);
	}
	bs_buf_release(&ours);
	bs_buf_release(&sql);
	return r;
}

/* --- Changes of this call ---------------------------------------------------------------------------- */

void bs_sqlite_forget_changes(struct bs_sqlite *s)
{
	free(s->changes);
	free(s->told_changes);
	free(s->seen);
	s->changes = s->told_changes = NULL;
	s->seen = NULL;
	s->change_count = s->told_count = s->seen_count = 0;
	bs_map_clear(&s->seen_index);
	bs_arena_release(&s->images);
}

/* True the first time. tag is the table's number, raised for images so that they never meet keys. */
static bool first_time(struct bs_sqlite *s, uint32_t tag, struct bs_blob bytes)
{
	uint64_t hash = bs_hash_bytes(bytes.data, bytes.len).lo ^ (tag * 0x9E3779B97F4A7C15u);
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&s->seen_index, hash, &at)) != BS_MAP_NONE)
		if (s->seen[i].table == tag && bs_blob_equal(s->seen[i].bytes, bytes))
			return false;
	bs_map_add(&s->seen_index, hash, (uint32_t)s->seen_count);
	*BS_PUSH(s->seen, s->seen_count) = (struct bs_sqlite_seen){tag, bytes};
	return true;
}

static struct bs_blob keep(struct bs_sqlite *s, const struct bs_buf *bytes)
{
	return (struct bs_blob){bs_arena_dup(&s->images, bs_buf_text(bytes), bytes->len), (uint32_t)bytes->len};
}

static void add_change(struct bs_sqlite *s, uint32_t table, struct bs_blob before, struct bs_blob after)
{
	*BS_PUSH(s->changes, s->change_count) = (struct bs_change){.table = table, .before = before, .after = after};
}

/* --- Rows -------------------------------------------------------------------------------------------- */

/* The row with the key of a note; no data where there is none. */
static int read_row(struct bs_sqlite *s, enum bs_sqlite_side side, uint32_t table, struct bs_blob key,
		    struct bs_blob *ret_image, struct bs_err *err)
{
	sqlite3_stmt *stmt = s->now.tables[table].select[side];
	struct bs_buf image = BS_BUF_INIT;
	int r = 0;

	bs_sqlite_bind_image(stmt, key);
	int rc = sqlite3_step(stmt);
	*ret_image = (struct bs_blob){NULL, 0};
	if (rc == SQLITE_ROW) {
		bs_sqlite_pack(stmt, &image);
		*ret_image = keep(s, &image);
	} else if (rc != SQLITE_DONE) {
		r = bs_sqlite_fail(sqlite3_db_handle(stmt), rc, s->now.tables[table].name, err);
	}
	sqlite3_reset(stmt);
	bs_buf_release(&image);
	return r;
}

/* Two keys may name one row where the index does not tell 'a' from 'A': its images are taken once. */
static int compare_row(struct bs_sqlite *s, uint32_t table, struct bs_blob key, struct bs_err *err)
{
	uint32_t tables = (uint32_t)s->now.table_count;
	struct bs_blob before, after;
	int r = read_row(s, BS_SHADOW, table, key, &before, err);

	if (r == 0)
		r = read_row(s, BS_LIVE, table, key, &after, err);
	if (r < 0 || bs_blob_equal(before, after))
		return r;
	bool fresh_before = !before.data || first_time(s, tables + table, before);
	bool fresh_after = !after.data || first_time(s, 2 * tables + table, after);
	if (fresh_before && fresh_after)
		add_change(s, table, before, after);
	return 0;
}

/* Returns 1 where triggers must not stay. */
static int take_note(struct bs_sqlite *s, struct bs_buf *key, struct bs_err *err)
{
	int table = sqlite3_column_int(s->now.notes, 1);

	if (table == BS_NOTE_RECURSIVE)
		return 1;
	if (table < 0)
		return 0;
	if ((size_t)table >= s->now.table_count || !s->now.tables[table].noted)
		return bs_err_set(err, BS_ESTORE, "the application wrote to '" BS_SQLITE_NOTES "'");
	bs_buf_clear(key);
	for (size_t k = 0; k < s->now.tables[table].key_count; k++)
		bs_sqlite_pack_cell(s->now.notes, (int)k + 2, key);
	struct bs_blob bytes = {bs_buf_text(key), (uint32_t)key->len};
	size_t at = s->seen_count;
	if (!first_time(s, (uint32_t)table, bytes))
		return 0;
	s->seen[at].bytes = keep(s, key);
	return compare_row(s, (uint32_t)table, s->seen[at].bytes, err);
}

static int read_notes(struct bs_sqlite *s, int64_t *ret_last, uint64_t *ret_count, struct bs_err *err)
{
	struct bs_buf key = BS_BUF_INIT;
	int rc = SQLITE_DONE, r = 0;

	*ret_last = s->watermark;
	*ret_count = 0;
	sqlite3_bind_int64(s->now.notes, 1, s->watermark);
	while (r == 0 && (rc = sqlite3_step(s->now.notes)) == SQLITE_ROW) {
		*ret_last = sqlite3_column_int64(s->now.notes, 0);
		if (++*ret_count > s->notes_max)
			r = bs_err_set(err, BS_ESTORE, "one step wrote more than %" PRIu64 " rows, too many to be put back",
				       s->notes_max);
		else
			r = take_note(s, &key, err);
	}
	if (r == 0 && rc != SQLITE_DONE)
		r = bs_sqlite_fail(s->live, rc, "reading what changed", err);
	sqlite3_reset(s->now.notes);
	bs_buf_release(&key);
	return r;
}

/* --- By comparing whole ------------------------------------------------------------------------------ */

struct whole {
	struct bs_sqlite *s;
	uint32_t table;
	bool differs;
};

static int take_pair(void *ctx, struct bs_blob before, struct bs_blob after, struct bs_err *err)
{
	struct whole *whole = ctx;
	struct bs_sqlite *s = whole->s;

	whole->differs = true;
	if (s->change_count >= s->notes_max)
		return bs_err_set(err, BS_ESTORE, "one step wrote more than %" PRIu64 " rows, too many to be put back",
				  s->notes_max);
	if (before.data)
		before.data = bs_arena_dup(&s->images, before.data, before.len);
	if (after.data)
		after.data = bs_arena_dup(&s->images, after.data, after.len);
	add_change(s, whole->table, before, after);
	return 0;
}

static int only_look(void *ctx, struct bs_blob before, struct bs_blob after, struct bs_err *err)
{
	(void)before;
	(void)after;
	(void)err;
	((struct whole *)ctx)->differs = true;
	return 0;
}

static int compare_whole(struct bs_sqlite *s, uint32_t table, bs_sqlite_pair_fn fn, bool *ret_differs,
			 struct bs_err *err)
{
	const struct bs_sqlite_table *t = &s->now.tables[table];
	struct whole whole = {.s = s, .table = table};
	int r = bs_sqlite_compare(s->shadow, t, s->live, t, fn, &whole, err);

	*ret_differs |= whole.differs;
	return r;
}

/* Nothing was noted, yet the data moved: either nothing that counts has changed (a checkpoint), or something was
 * written that triggers do not see. Then they are not relied on any more. Returns 1. */
static int audit(struct bs_sqlite *s, struct bs_err *err)
{
	for (uint32_t t = 0; t < s->now.table_count; t++) {
		bool differs = false;
		int r = s->now.tables[t].noted ? compare_whole(s, t, only_look, &differs, err) : 0;
		if (r < 0)
			return r;
		if (!differs)
			continue;
		BS_AUTOFREE char *why = bs_xasprintf("table '%s' was changed in a way that triggers do not see "
						     "(sqlite3_blob_write, or a connection with triggers disabled)",
						     s->now.tables[t].name);
		bs_sqlite_settle_for(s, &s->compare_whole, why);
		return 1;
	}
	return 0;
}

/* --- All of it --------------------------------------------------------------------------------------- */

static int compare_unnoted(struct bs_sqlite *s, bool *ret_differs, struct bs_err *err)
{
	int r = 0;

	for (uint32_t t = 0; r == 0 && t < s->now.table_count; t++)
		if (!s->now.tables[t].noted || s->compare_whole)
			r = compare_whole(s, t, take_pair, ret_differs, err);
	return r;
}

static int collect_noted(struct bs_sqlite *s, int64_t *ret_last, uint64_t *ret_notes, struct bs_err *err)
{
	int r = read_notes(s, ret_last, ret_notes, err);

	if (r > 0)
		bs_sqlite_settle_for(s, &s->compare_whole,
				     "the application runs with PRAGMA recursive_triggers=ON, where a trigger that notes "
				     "changes could make its UPDATE OR REPLACE fail");
	return r;
}

/* In a read transaction. Returns 1 when rows alone do not tell what has changed. */
static int collect(struct bs_sqlite *s, int64_t *ret_version, int64_t *ret_last, struct bs_err *err)
{
	uint64_t notes = 0;
	bool differs = false;
	int64_t schema = 0;
	int r = bs_sqlite_number(s->schema_version, &schema, err);

	if (r < 0 || schema != s->schema_at_begin || s->by_image)
		return r < 0 ? r : 1;
	r = bs_sqlite_number(s->data_version, ret_version, err);
	if (r == 0 && !s->compare_whole)
		r = collect_noted(s, ret_last, &notes, err);
	if (r == 0)
		r = compare_unnoted(s, &differs, err);
	if (r == 0 && !notes && !differs && !s->compare_whole)
		r = audit(s, err);
	return r;
}

/* Returns 1 when a constraint of the database does not let the rows in: then only pages can be put. */
static int move_shadow(struct bs_sqlite *s, struct bs_err *err)
{
	size_t count = 0;
	BS_AUTOFREE struct bs_net_row *rows = bs_xcalloc(s->change_count * 2, sizeof *rows);

	for (size_t i = 0; i < s->change_count; i++) {
		const struct bs_change *change = &s->changes[i];
		if (change->before.data)
			rows[count++] = (struct bs_net_row){change->table, -1, change->before};
		if (change->after.data)
			rows[count++] = (struct bs_net_row){change->table, 1, change->after};
	}
	int r = count ? bs_sqlite_exec(s->shadow, "BEGIN", err) : 0;
	if (r < 0 || !count)
		return r;
	s->image_here = BS_SQLITE_NO_IMAGE;
	r = bs_sqlite_put(s, BS_SHADOW, rows, count, err);
	bool constraint = r < 0 && (sqlite3_errcode(s->shadow) & 0xFF) == SQLITE_CONSTRAINT;
	r = bs_sqlite_end(s->shadow, r, err);
	if (r < 0 && constraint)
		bs_sqlite_settle_for(s, &s->by_image, bs_err_text(err));
	return r < 0 && constraint ? 1 : r;
}

int bs_sqlite_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	int64_t version = 0, last = 0;

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "changes before begin");
	bs_sqlite_forget_changes(s);
	*ret_changes = (struct bs_changes){NULL, 0};
	int r = bs_sqlite_check_file(s, err);
	if (r == 0)
		r = bs_sqlite_number(s->data_version, &version, err);
	if (r < 0 || version == s->version)
		return r;
	r = bs_sqlite_exec(s->live, "BEGIN", err);
	if (r < 0)
		return r;
	last = s->watermark;
	r = collect(s, &version, &last, err);
	int ended = bs_sqlite_end(s->live, r < 0 ? r : 0, err);
	if (r == 0)
		r = ended < 0 ? ended : move_shadow(s, err);
	if (r > 0)
		return bs_sqlite_new_epoch(s, ret_changes, err);
	if (r < 0)
		return r;
	s->version = version;
	s->watermark = last;
	if (s->at && s->change_count)
		bs_sqlite_new_version(s, ret_changes);
	else
		*ret_changes = (struct bs_changes){s->changes, s->change_count};
	return 0;
}
