/*
 * SQLite: from notes to changes. Mostly nothing happened, which PRAGMA data_version tells in microseconds. Else the
 * notes above the watermark are read, in the order in which they were written, and each row that they name is
 * compared between clone and shadow. Notes are not removed here, which would be a write of our own at each step;
 * apply removes them.
 *
 * When the data moved and no note says so, everything is read and compared: either nothing that counts has changed
 * (a checkpoint), or something was written that triggers do not see, and that is an error, never a guess.
 */
#include "sqlite.h"

#include "base/hash.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

/* --- Has the ground moved? --------------------------------------------------------------------------- */

static int add_definition(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	bs_sqlite_rows_add(ctx, row);
	return 0;
}

/* The name of something in one list and not in the other; NULL when there is none. The caller's. */
static char *not_in(const struct bs_sqlite_rows *list, const struct bs_sqlite_rows *other)
{
	for (size_t i = 0; i < list->count; i++) {
		struct bs_blob item = bs_sqlite_rows_at(list, i);
		struct bs_cell name;
		bool found = false;
		for (size_t j = 0; !found && j < other->count; j++)
			found = bs_blob_equal(item, bs_sqlite_rows_at(other, j));
		if (!found && bs_row_cell(item, 0, &name))
			return bs_xstrndup(name.data, name.len);
	}
	return NULL;
}

static int say_moved(const char *gone, const char *fresh, struct bs_err *err)
{
	if (gone && strncmp(gone, BS_SQLITE_PREFIX, strlen(BS_SQLITE_PREFIX)) == 0)
		return bs_err_set(err, BS_ESTORE, "the application dropped '%s', with which its changes are seen: let it "
				  "delete rows, not tables that it did not make", gone);
	if (gone || fresh)
		return bs_err_set(err, BS_ESTORE, "the application %s '%s' during the run, and changes of tables cannot be "
				  "put back: let setup do that", gone && fresh ? "changed" : gone ? "dropped" : "created",
				  gone ? gone : fresh);
	return bs_err_set(err, BS_ESTORE, "the application rebuilt its database (VACUUM) during the run, which cannot be "
			  "put back: let it do that outside of the run");
}

static int explain_schema(struct bs_sqlite *s, struct bs_err *err)
{
	static const char sql[] = "SELECT name, sql FROM sqlite_master";
	struct bs_sqlite_rows live = {.bytes = BS_BUF_INIT}, shadow = {.bytes = BS_BUF_INIT};
	int r = bs_sqlite_each(s->live, sql, NULL, add_definition, &live, err);

	if (r == 0)
		r = bs_sqlite_each(s->shadow, sql, NULL, add_definition, &shadow, err);
	if (r == 0) {
		BS_AUTOFREE char *gone = not_in(&shadow, &live);
		BS_AUTOFREE char *fresh = not_in(&live, &shadow);
		r = say_moved(gone, fresh, err);
	}
	bs_sqlite_rows_release(&live);
	bs_sqlite_rows_release(&shadow);
	return r;
}

static int check_file(struct bs_sqlite *s, struct bs_err *err)
{
	int moved = 0;

	sqlite3_file_control(s->live, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (moved)
		return bs_err_set(err, BS_ESTORE, "the application replaced or removed its database file '%s' during the "
				  "run, which cannot be put back", s->live_path);
	return 0;
}

int bs_sqlite_check_schema(struct bs_sqlite *s, struct bs_err *err)
{
	int64_t version = 0;
	int r = check_file(s, err);

	if (r == 0)
		r = bs_sqlite_number(s->schema_version, &version, err);
	if (r == 0 && version != s->schema_at_begin)
		r = explain_schema(s, err);
	return r;
}

/* --- Changes of this call ---------------------------------------------------------------------------- */

void bs_sqlite_forget_changes(struct bs_sqlite *s)
{
	free(s->changes);
	free(s->seen);
	s->changes = NULL;
	s->seen = NULL;
	s->change_count = s->seen_count = 0;
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
	sqlite3_stmt *stmt = s->tables[table].select[side];
	struct bs_buf image = BS_BUF_INIT;
	int r = 0;

	bs_sqlite_bind_image(stmt, key);
	int rc = sqlite3_step(stmt);
	*ret_image = (struct bs_blob){NULL, 0};
	if (rc == SQLITE_ROW) {
		bs_sqlite_pack(stmt, &image);
		*ret_image = keep(s, &image);
	} else if (rc != SQLITE_DONE) {
		r = bs_sqlite_fail(sqlite3_db_handle(stmt), rc, s->tables[table].name, err);
	}
	sqlite3_reset(stmt);
	bs_buf_release(&image);
	return r;
}

/* Two keys may name one row where the index does not tell 'a' from 'A': its images are taken once. */
static int compare_row(struct bs_sqlite *s, uint32_t table, struct bs_blob key, struct bs_err *err)
{
	uint32_t tables = (uint32_t)s->table_count;
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

static int take_note(struct bs_sqlite *s, struct bs_buf *key, struct bs_err *err)
{
	int table = sqlite3_column_int(s->notes, 1);

	if (table == BS_NOTE_RECURSIVE)
		return bs_err_set(err, BS_ESTORE, "the application runs with PRAGMA recursive_triggers=ON, where noting "
				  "its changes could make its UPDATE OR REPLACE fail: run it without");
	if (table < 0)
		return 0;
	if ((size_t)table >= s->table_count || s->tables[table].kind != BS_SQLITE_ROWS)
		return bs_err_set(err, BS_ESTORE, "the application wrote to '" BS_SQLITE_NOTES "'");
	bs_buf_clear(key);
	for (size_t k = 0; k < s->tables[table].key_count; k++)
		bs_sqlite_pack_cell(s->notes, (int)k + 2, key);
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
	sqlite3_bind_int64(s->notes, 1, s->watermark);
	while (r == 0 && (rc = sqlite3_step(s->notes)) == SQLITE_ROW) {
		*ret_last = sqlite3_column_int64(s->notes, 0);
		if (++*ret_count > s->notes_max)
			r = bs_err_set(err, BS_ESTORE, "one step wrote more than %" PRIu64 " rows, too many to be put back",
				       s->notes_max);
		else
			r = take_note(s, &key, err);
	}
	if (r == 0 && rc != SQLITE_DONE)
		r = bs_sqlite_fail(s->live, rc, "reading what changed", err);
	sqlite3_reset(s->notes);
	bs_buf_release(&key);
	return r;
}

/* Nothing was noted, yet the data moved. */
static int audit(struct bs_sqlite *s, struct bs_err *err)
{
	for (size_t t = 0; t < s->table_count; t++) {
		uint64_t live = 0, shadow = 0;
		if (s->tables[t].kind != BS_SQLITE_ROWS)
			continue;
		int r = bs_sqlite_digest_table(s, s->live, t, &live, err);
		if (r == 0)
			r = bs_sqlite_digest_table(s, s->shadow, t, &shadow, err);
		if (r < 0)
			return r;
		if (live != shadow)
			return bs_err_set(err, BS_ESTORE, "table '%s' was changed in a way that triggers do not see "
					  "(sqlite3_blob_write, or a connection with triggers disabled)",
					  s->tables[t].name);
	}
	return 0;
}

/* --- Bookkeeping ------------------------------------------------------------------------------------- */

/* What the one has more of than the other, as changes; the positions of each stay few. */
static void add_surplus(struct bs_sqlite *s, uint32_t table, const struct bs_sqlite_rows *of,
			const struct bs_sqlite_rows *over, bool before)
{
	BS_AUTOFREE bool *used = bs_xcalloc(over->count, sizeof *used);

	for (size_t i = 0; i < of->count; i++) {
		struct bs_blob row = bs_sqlite_rows_at(of, i);
		size_t j = 0;
		while (j < over->count && (used[j] || !bs_blob_equal(row, bs_sqlite_rows_at(over, j))))
			j++;
		if (j < over->count) {
			used[j] = true;
			continue;
		}
		struct bs_blob kept = {bs_arena_dup(&s->images, row.data, row.len), row.len};
		add_change(s, table, before ? kept : (struct bs_blob){NULL, 0}, before ? (struct bs_blob){NULL, 0} : kept);
	}
}

static int compare_whole(struct bs_sqlite *s, uint32_t table, struct bs_err *err)
{
	struct bs_sqlite_rows before = {.bytes = BS_BUF_INIT}, after = {.bytes = BS_BUF_INIT};
	int r = bs_sqlite_read_whole(s, BS_SHADOW, table, &before, err);

	if (r == 0)
		r = bs_sqlite_read_whole(s, BS_LIVE, table, &after, err);
	if (r == 0 && (before.bytes.len != after.bytes.len ||
		       memcmp(bs_buf_text(&before.bytes), bs_buf_text(&after.bytes), after.bytes.len) != 0)) {
		add_surplus(s, table, &before, &after, true);
		add_surplus(s, table, &after, &before, false);
	}
	bs_sqlite_rows_release(&before);
	bs_sqlite_rows_release(&after);
	return r;
}

/* --- All of it --------------------------------------------------------------------------------------- */

/* In a read transaction. */
static int collect(struct bs_sqlite *s, int64_t *ret_version, int64_t *ret_last, struct bs_err *err)
{
	uint64_t notes = 0;
	int r = bs_sqlite_check_schema(s, err);

	if (r == 0)
		r = bs_sqlite_number(s->data_version, ret_version, err);
	if (r == 0)
		r = read_notes(s, ret_last, &notes, err);
	if (r == 0 && !notes)
		r = audit(s, err);
	for (uint32_t t = 0; r == 0 && t < s->table_count; t++)
		if (s->tables[t].kind != BS_SQLITE_ROWS)
			r = compare_whole(s, t, err);
	return r;
}

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
	r = bs_sqlite_put(s, BS_SHADOW, rows, count, err);
	return bs_sqlite_end(s->shadow, r, err);
}

int bs_sqlite_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	int64_t version = 0, last = 0;

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "changes before begin");
	bs_sqlite_forget_changes(s);
	int r = check_file(s, err);
	if (r == 0)
		r = bs_sqlite_number(s->data_version, &version, err);
	if (r == 0 && version == s->version) {
		*ret_changes = (struct bs_changes){NULL, 0};
		return 0;
	}
	if (r == 0)
		r = bs_sqlite_exec(s->live, "BEGIN", err);
	if (r < 0)
		return r;
	r = bs_sqlite_end(s->live, collect(s, &version, &last, err), err);
	if (r == 0)
		r = move_shadow(s, err);
	if (r < 0)
		return r;
	s->version = version;
	s->watermark = last;
	*ret_changes = (struct bs_changes){s->changes, s->change_count};
	return 0;
}
