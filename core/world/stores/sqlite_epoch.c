/*
 * SQLite: what rows alone cannot bring back.
 *
 * A *version* is an exact content of the clone. Version 0 stands for all that rows lead to from the root. When the
 * application does what rows cannot undo, a new *epoch* begins: its first version has an image of all pages, and the
 * versions after it have the rows that lead to them from the one before. So each version is either an image, or an
 * image and some rows. The program is told of a change of versions as of a row, {version: 3} → {version: 4}, in a
 * table of bookkeeping; in the net change of a walk these rows sum up to where it leads, and the driver knows the way.
 *
 * Going back to version 0 needs the state of it from which the epoch was entered: an image of the shadow is kept before
 * the epoch begins. From there on rows lead, the net change less what was told since.
 *
 * A restore is made in a new shadow, an image and the rows, and then goes into the clone as pages in one transaction:
 * all or nothing. Images hold the triggers of their epoch, so that nothing needs to be installed afterwards.
 */
#include "sqlite.h"

#include "base/mem.h"
#include "delta.h"

#include <string.h>

/* --- Settling for less ------------------------------------------------------------------------------- */

static void name_mechanism(struct bs_sqlite *s)
{
	struct bs_buf text = BS_BUF_INIT;

	bs_buf_adds(&text, s->by_image ? "images" : s->compare_whole ? "whole comparison" : "triggers");
	if (!s->compare_whole && s->virtual_tables)
		bs_buf_adds(&text, ", virtual tables by whole comparison");
	if (!s->by_image && s->tables_changed)
		bs_buf_adds(&text, ", images where tables changed");
	free(s->mechanism);
	s->mechanism = bs_buf_take(&text);
	s->stats.mechanism = s->mechanism;
	s->stats.why = s->why;
}

static void say_why(struct bs_sqlite *s, const char *why)
{
	char *text = bs_xstrdup(why);

	free(s->why);
	s->why = text;
}

void bs_sqlite_settle_for(struct bs_sqlite *s, bool *flag, const char *why)
{
	say_why(s, why);
	*flag = true;
	s->compare_whole |= s->by_image;
	name_mechanism(s);
}

int bs_sqlite_install_all(struct bs_sqlite *s, struct bs_err *err)
{
	int r = bs_sqlite_uninstall(s->live, err);

	if (r == 0)
		r = bs_sqlite_read_catalog(s->live, &s->now, err);
	if (r == 0 && !s->by_image)
		r = bs_sqlite_try_writing(s->live, &s->now, err);
	if (r == 0 && s->now.by_image && !s->by_image)
		bs_sqlite_settle_for(s, &s->by_image, s->now.by_image);
	if (s->by_image)
		bs_sqlite_any_collation(s->live);
	if (r == 0 && !s->compare_whole)
		r = bs_sqlite_install(s, s->live, err);
	if (r == BS_ESTORE && !s->compare_whole) { /* the application's statements would fail with our triggers */
		bs_sqlite_settle_for(s, &s->compare_whole, bs_err_text(err));
		r = bs_sqlite_uninstall(s->live, err);
	}
	if (r == 0 && s->now.unnoted && !s->virtual_tables && !s->compare_whole)
		say_why(s, "tables of virtual tables (full text, R-tree ...) must have no triggers");
	s->virtual_tables |= s->now.unnoted > 0;
	name_mechanism(s);
	return r;
}

/* --- What is another --------------------------------------------------------------------------------- */

/* Between the tables as they were, in the shadow, and as they are, in the clone. */
struct difference {
	struct bs_sqlite *s;
	const struct bs_sqlite_catalog *old;
	const struct bs_sqlite_table *table;
	bool differs; /* also in what is not told */
};

static int take_pair(void *ctx, struct bs_blob before, struct bs_blob after, struct bs_err *err)
{
	struct difference *d = ctx;

	d->differs = true;
	bs_sqlite_tell_row(d->s, d->table, before, after);
	if (d->s->told_count > d->s->notes_max)
		return bs_err_set(err, BS_ESTORE, "one step changed more than %llu rows, too many to be put back",
				  (unsigned long long)d->s->notes_max);
	return 0;
}

static int take_definition_pair(void *ctx, struct bs_blob before, struct bs_blob after, struct bs_err *err)
{
	struct difference *d = ctx;

	(void)err;
	d->differs = true;
	bs_sqlite_tell(d->s, d->s->told.definitions, before, after);
	return 0;
}

static int add_row(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	bs_sqlite_rows_add(ctx, row);
	return 0;
}

static int compare_definitions(struct difference *d, struct bs_err *err)
{
	static const size_t key[] = {0, 1};
	struct bs_sqlite_rows before = {.bytes = BS_BUF_INIT}, after = {.bytes = BS_BUF_INIT};
	int r = bs_sqlite_each(d->s->shadow, BS_SQLITE_DEFINITIONS, NULL, add_row, &before, err);

	if (r == 0)
		r = bs_sqlite_each(d->s->live, BS_SQLITE_DEFINITIONS, NULL, add_row, &after, err);
	if (r == 0)
		r = bs_sqlite_compare_lists(&before, &after, key, BS_COUNT(key), take_definition_pair, d, err);
	bs_sqlite_rows_release(&before);
	bs_sqlite_rows_release(&after);
	return r;
}

static bool comparable(const struct bs_sqlite_table *a, const struct bs_sqlite_table *b)
{
	if (strcmp(a->name, b->name) != 0 || a->kind != b->kind || a->told_as != b->told_as ||
	    a->column_count != b->column_count || !a->rowid != !b->rowid)
		return false;
	for (size_t c = 0; c < a->column_count; c++)
		if (strcmp(a->columns[c], b->columns[c]) != 0)
			return false;
	return !a->rowid || (a->key_count == b->key_count && strcmp(a->rowid, b->rowid) == 0 &&
			     (!a->key_count || a->key_cells[0] == b->key_cells[0]));
}

static const struct bs_sqlite_table *counterpart(const struct bs_sqlite_table *table,
						 const struct bs_sqlite_catalog *catalog)
{
	for (size_t t = 0; t < catalog->table_count; t++)
		if (comparable(table, &catalog->tables[t]))
			return &catalog->tables[t];
	return NULL;
}

static int compare_tables(struct difference *d, struct bs_err *err)
{
	struct bs_sqlite *s = d->s;
	int r = 0;

	for (size_t t = 0; r == 0 && t < d->old->table_count; t++) {
		d->table = &d->old->tables[t];
		r = bs_sqlite_compare(s->shadow, d->table, s->live, counterpart(d->table, &s->now), take_pair, d, err);
	}
	for (size_t t = 0; r == 0 && t < s->now.table_count; t++) {
		d->table = &s->now.tables[t];
		if (!counterpart(d->table, d->old))
			r = bs_sqlite_compare(s->shadow, NULL, s->live, d->table, take_pair, d, err);
	}
	return r;
}

/* VACUUM may put tables in another order, and rows name them by number. */
static bool same_numbers(const struct bs_sqlite_catalog *a, const struct bs_sqlite_catalog *b)
{
	for (size_t t = 0; t < a->table_count && a->table_count == b->table_count; t++)
		if (!comparable(&a->tables[t], &b->tables[t]))
			return false;
	return a->table_count == b->table_count;
}

/* --- A new epoch ------------------------------------------------------------------------------------- */

/* While s->live is writing, another connection reads what was committed last. */
static int copy_committed(void *ctx, sqlite3 *to, struct bs_err *err)
{
	return bs_sqlite_copy(((struct bs_sqlite *)ctx)->watch, to, err);
}

/* The new shadow gets the triggers that the clone has got. */
static int install_in_shadow(struct bs_sqlite *s, struct bs_err *err)
{
	int r = bs_sqlite_exec(s->shadow, "BEGIN", err);

	if (r < 0)
		return r;
	r = bs_sqlite_uninstall(s->shadow, err);
	if (r == 0 && !s->compare_whole)
		r = bs_sqlite_install(s, s->shadow, err);
	return bs_sqlite_end(s->shadow, r, err);
}

static int look_again(struct bs_sqlite *s, int64_t *ret_version, int64_t *ret_schema, struct bs_err *err)
{
	int r = bs_sqlite_number(s->data_version, ret_version, err);

	return r < 0 ? r : bs_sqlite_number(s->schema_version, ret_schema, err);
}

/* In a write transaction on the clone. */
static int take_anew(struct difference *d, int64_t *ret_version, int64_t *ret_schema, sqlite3 **ret_old_shadow,
		     struct bs_err *err)
{
	struct bs_sqlite *s = d->s;
	int r = bs_sqlite_check_ours(s, err);

	if (r == 0)
		r = bs_sqlite_install_all(s, err);
	if (r == 0)
		bs_sqlite_match_told(s, &s->now);
	if (r == 0)
		r = compare_definitions(d, err);
	if (r == 0)
		r = compare_tables(d, err);
	if (r == 0)
		r = look_again(s, ret_version, ret_schema, err);
	if (r == 0)
		r = bs_sqlite_new_shadow(s, copy_committed, s, ret_old_shadow, err);
	return r < 0 ? r : install_in_shadow(s, err);
}

static int prepare_both(struct bs_sqlite *s, struct bs_err *err)
{
	int r = bs_sqlite_prepare_side(s, BS_LIVE, err);

	return r < 0 ? r : bs_sqlite_prepare_side(s, BS_SHADOW, err);
}

static uint32_t push_version(struct bs_sqlite *s, struct bs_sqlite_version version)
{
	if (!s->version_count)
		*BS_PUSH(s->versions, s->version_count) =
			(struct bs_sqlite_version){.image = BS_SQLITE_NO_IMAGE, .before = BS_SQLITE_NO_IMAGE};
	version.parent = s->at;
	bs_sqlite_tell_version(s, s->at, (uint32_t)s->version_count);
	version.told = bs_delta_new(&s->deltas, s->told_changes, s->told_count);
	s->at = (uint32_t)s->version_count;
	*BS_PUSH(s->versions, s->version_count) = version;
	return s->at;
}

static int enter_epoch(struct bs_sqlite *s, uint32_t before, struct bs_changes *ret_changes, struct bs_err *err)
{
	uint32_t image = BS_SQLITE_NO_IMAGE;
	int r = bs_sqlite_keep_image(s, &image, err);

	if (r < 0)
		return r;
	push_version(s, (struct bs_sqlite_version){.image = image, .before = before});
	*ret_changes = (struct bs_changes){s->told_changes, s->told_count};
	return 0;
}

int bs_sqlite_new_epoch(struct bs_sqlite *s, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct bs_sqlite_catalog old = s->now;
	struct difference d = {.s = s, .old = &old};
	uint32_t before = BS_SQLITE_NO_IMAGE;
	sqlite3 *old_shadow = NULL;
	int64_t version = 0, schema = 0;
	int r = s->at == 0 ? bs_sqlite_keep_image(s, &before, err) : 0;

	bs_sqlite_forget_changes(s);
	if (r == 0)
		r = bs_sqlite_exec(s->live, "BEGIN IMMEDIATE", err);
	if (r < 0)
		return r;
	s->now = (struct bs_sqlite_catalog){.tables = NULL};
	r = bs_sqlite_end(s->live, take_anew(&d, &version, &schema, &old_shadow, err), err);
	if (r < 0) {
		bs_sqlite_forget_catalog(&s->now);
		s->now = old;
		if (old_shadow)
			bs_sqlite_back_to_old_shadow(s, old_shadow);
		return r;
	}
	bool moved = d.differs || !same_numbers(&old, &s->now);
	if (old.digest != s->now.digest && !s->tables_changed && !s->by_image) {
		s->tables_changed = true;
		say_why(s, "the application changed its tables during the run");
		name_mechanism(s);
	}
	bs_sqlite_forget_catalog(&old);
	bs_sqlite_drop_old_shadow(s, old_shadow);
	s->version = version;
	s->schema_at_begin = schema;
	s->watermark = 0;
	*ret_changes = (struct bs_changes){NULL, 0};
	r = prepare_both(s, err);
	if (r < 0 || !moved)
		return r;
	s->image_here = BS_SQLITE_NO_IMAGE;
	return enter_epoch(s, before, ret_changes, err);
}

void bs_sqlite_new_version(struct bs_sqlite *s, struct bs_changes *ret_changes)
{
	for (size_t i = 0; i < s->change_count; i++)
		bs_sqlite_tell_row(s, &s->now.tables[s->changes[i].table], s->changes[i].before, s->changes[i].after);
	push_version(s, (struct bs_sqlite_version){.image = BS_SQLITE_NO_IMAGE,
						   .before = BS_SQLITE_NO_IMAGE,
						   .rows = bs_delta_new(&s->deltas, s->changes, s->change_count)});
	*ret_changes = (struct bs_changes){s->told_changes, s->told_count};
}

/* --- From version to version ------------------------------------------------------------------------- */

/* The version of the same epoch that has the image. */
static uint32_t entry_of(const struct bs_sqlite *s, uint32_t version)
{
	while (version && s->versions[version].image == BS_SQLITE_NO_IMAGE)
		version = s->versions[version].parent;
	return version;
}

static int load_image(void *ctx, sqlite3 *to, struct bs_err *err)
{
	struct bs_sqlite *s = ctx;

	return bs_sqlite_copy_from(s->images_kept[s->image_wanted].path, to, err);
}

static int fill_shadow(struct bs_sqlite *s, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	int r = 0;

	if (s->compare_whole) /* the image may be from when there were triggers */
		r = bs_sqlite_uninstall(s->shadow, err);
	if (r == 0)
		r = bs_sqlite_read_catalog(s->shadow, &s->now, err);
	if (r < 0)
		return r;
	bs_sqlite_match_told(s, &s->now);
	r = bs_sqlite_prepare_side(s, BS_SHADOW, err);
	if (r == 0 && count)
		r = bs_sqlite_exec(s->shadow, "BEGIN", err);
	if (r < 0 || !count)
		return r;
	return bs_sqlite_end(s->shadow, bs_sqlite_put(s, BS_SHADOW, rows, count, err), err);
}

/* The image with the rows changed becomes the clone and its shadow. */
static int put_pages(struct bs_sqlite *s, uint32_t image, const struct bs_net_row *rows, size_t count,
		     struct bs_err *err)
{
	struct bs_sqlite_catalog old = s->now;
	sqlite3 *old_shadow = NULL;

	s->image_wanted = image;
	s->now = (struct bs_sqlite_catalog){.tables = NULL};
	int r = bs_sqlite_new_shadow(s, load_image, s, &old_shadow, err);
	bool made = r == 0;
	if (r == 0)
		r = fill_shadow(s, rows, count, err);
	if (r == 0)
		r = bs_sqlite_pages_to_live(s, err);
	if (r < 0) {
		bs_sqlite_forget_catalog(&s->now);
		s->now = old;
		if (made)
			bs_sqlite_back_to_old_shadow(s, old_shadow);
		return r;
	}
	bs_sqlite_forget_catalog(&old);
	bs_sqlite_drop_old_shadow(s, old_shadow);
	s->schema_at_begin++; /* so does the backup API */
	s->watermark = 0;
	s->image_here = count ? BS_SQLITE_NO_IMAGE : image;
	return bs_sqlite_prepare_side(s, BS_LIVE, err);
}

/* A higher number is never an ancestor. Up to the images where the epochs differ. */
static void sum_up(const struct bs_sqlite *s, uint32_t from, uint32_t to, struct bs_net *net)
{
	while (from != to)
		if (from > to) {
			bs_net_add(net, s->versions[from].rows, BS_UNDO);
			from = s->versions[from].parent;
		} else {
			bs_net_add(net, s->versions[to].rows, BS_REDO);
			to = s->versions[to].parent;
		}
}

static int to_version(struct bs_sqlite *s, uint32_t to, struct bs_net *net, struct bs_err *err)
{
	uint32_t entry = entry_of(s, to);
	size_t count;
	bool same_epoch = s->at && entry_of(s, s->at) == entry;

	sum_up(s, same_epoch ? s->at : entry, to, net);
	const struct bs_net_row *rows = bs_net_rows(net, &count);
	return same_epoch ? bs_sqlite_put_both(s, rows, count, err)
			  : put_pages(s, s->versions[entry].image, rows, count, err);
}

/* The rows that are asked for lead from `from` to where they should; those told on the way to `from` led there from
 * the state that the image holds. */
static int to_rows(struct bs_sqlite *s, uint32_t from, struct bs_net *net, const struct bs_net_row *rows, size_t count,
		   struct bs_err *err)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_change *changes = NULL;
	size_t change_count = 0, sum_count;
	uint32_t version = from;

	for (size_t i = 0; i < count; i++)
		for (int32_t n = rows[i].count; n; n += n < 0 ? 1 : -1)
			*BS_PUSH(changes, change_count) = n < 0
				? (struct bs_change){.table = rows[i].table, .before = rows[i].image}
				: (struct bs_change){.table = rows[i].table, .after = rows[i].image};
	bs_net_add(net, bs_delta_new(&arena, changes, change_count), BS_REDO);
	for (;; version = s->versions[version].parent) {
		bs_net_add(net, s->versions[version].told, BS_REDO);
		if (!s->versions[version].parent)
			break;
	}
	const struct bs_net_row *sum = bs_net_rows(net, &sum_count);
	int r = 0;
	if (sum_count && sum[sum_count - 1].table >= s->told.root_count) /* ordered by table */
		r = bs_err_set(err, BS_EINTERNAL, "rows of '%s' are left over", s->told.tables[sum[sum_count - 1].table].name);
	if (r == 0)
		r = put_pages(s, s->versions[version].before, sum, sum_count, err);
	free(changes);
	bs_arena_release(&arena);
	return r;
}

int bs_sqlite_restore(struct bs_sqlite *s, uint32_t from, uint32_t to, const struct bs_net_row *rows, size_t count,
		      struct bs_err *err)
{
	struct bs_net *net = bs_net_new();
	int r = 0;

	if (from != s->at || to >= s->version_count)
		r = bs_err_set(err, BS_EINTERNAL, "version %u is asked for from %u, at %u", to, from, s->at);
	else if (to)
		r = to == s->at ? 0 : to_version(s, to, net, err);
	else
		r = to_rows(s, from, net, rows, count, err);
	bs_net_free(net);
	if (r == 0)
		s->at = to;
	return r;
}
