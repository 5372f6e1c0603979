/* SQLite: the driver's table, and the life of a clone. See sqlite.h. */
#include "sqlite.h"

#include "base/mem.h"
#include "base/now.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 5000 /* with an application that holds a lock while tracking begins */
#define SHADOW_MEMORY_MAX ((uint64_t)256 << 20)
#define NOTES_MAX 1000000
#define IMAGES_MAX ((uint64_t)4 << 30)

/* --- Opening and closing ----------------------------------------------------------------------------- */

static void name_files(struct bs_sqlite *s, const struct bs_store_options *options)
{
	const char *slash = strrchr(options->path, '/');
	const char *base = slash && slash[1] ? slash + 1 : options->path;

	s->original = bs_xstrdup(options->path);
	s->folder = bs_xasprintf("%s/%s", options->workdir, options->name);
	s->live_path = bs_xasprintf("%s/%s", s->folder, base); /* an application may look at how it ends */
	s->snapshot_path = bs_xasprintf("%s.root", s->live_path);
	s->shadow_path = bs_xasprintf("%s.shadow", s->live_path);
	s->spare_path = bs_xasprintf("%s.shadow-2", s->live_path);
}

static int sqlite_open(const struct bs_store_options *options, struct bs_store **ret_store, struct bs_err *err)
{
	bool exists;

	if (!options->path)
		return bs_err_set(err, BS_EMODEL, "a sqlite store needs a path");
	int r = bs_sqlite_look_at(options->path, &exists, err);
	if (r < 0)
		return r;
	struct bs_sqlite *s = bs_xcalloc(1, sizeof *s);
	s->store.ops = &bs_store_sqlite;
	s->shadow_memory_max = SHADOW_MEMORY_MAX;
	s->notes_max = NOTES_MAX;
	s->images_max = IMAGES_MAX;
	s->image_here = BS_SQLITE_NO_IMAGE;
	s->stats.mechanism = "triggers";
	name_files(s, options);
	*ret_store = &s->store;
	return 0;
}

static void end_tracking(struct bs_sqlite *s)
{
	bs_sqlite_forget_catalog(&s->now);
	sqlite3_finalize(s->data_version);
	sqlite3_finalize(s->schema_version);
	s->data_version = s->schema_version = NULL;
	bs_sqlite_close_reader(s);
	sqlite3_close(s->live);
	sqlite3_close(s->shadow);
	sqlite3_close(s->watch);
	s->live = s->shadow = s->watch = NULL;
	s->at = 0;
	s->image_here = BS_SQLITE_NO_IMAGE;
	bs_sqlite_remove(s->shadow_path);
}

static void sqlite_close(struct bs_store *store)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;

	if (!s)
		return;
	end_tracking(s);
	bs_sqlite_told_release(&s->told);
	bs_sqlite_forget_changes(s);
	bs_sqlite_drop_images(s);
	free(s->versions);
	bs_arena_release(&s->deltas);
	bs_map_release(&s->seen_index);
	bs_sqlite_remove(s->live_path);
	bs_sqlite_remove(s->snapshot_path);
	rmdir(s->folder);
	free(s->original);
	free(s->folder);
	free(s->live_path);
	free(s->snapshot_path);
	free(s->shadow_path);
	free(s->spare_path);
	free(s->why);
	free(s->mechanism);
	free(s);
}

/* --- Clones ------------------------------------------------------------------------------------------ */

/* What a run that was killed left in a database that became an original since. */
static int sqlite_recover(struct bs_store *store, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	sqlite3 *db;
	int64_t left = 0;

	if (access(s->live_path, F_OK) < 0)
		return 0;
	int r = bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, &db, err);
	if (r < 0)
		return r;
	r = bs_sqlite_ask(db, "SELECT count(*) FROM sqlite_master WHERE name GLOB '" BS_SQLITE_PREFIX "*'", &left, err);
	if (r == 0 && left) {
		r = bs_sqlite_exec(db, "BEGIN IMMEDIATE", err);
		if (r == 0)
			r = bs_sqlite_end(db, bs_sqlite_uninstall(db, err), err);
	}
	sqlite3_close(db);
	return r;
}

static int sqlite_clone(struct bs_store *store, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	bool exists = false;
	int r = 0;

	end_tracking(s);
	if (mkdir(s->folder, 0700) < 0 && errno != EEXIST)
		return bs_err_set(err, BS_EIO, "cannot make '%s': %s", s->folder, strerror(errno));
	bs_sqlite_remove(s->live_path);
	if (s->has_snapshot)
		return bs_sqlite_copy_file(s->snapshot_path, s->live_path, err);
	r = bs_sqlite_look_at(s->original, &exists, err);
	if (r < 0 || !exists)
		return r;
	r = bs_sqlite_copy_original(s, err);
	if (r < 0)
		return r;
	r = sqlite_recover(store, err);
	if (r < 0)
		bs_err_wrap(err, "'%s'", s->original);
	return r;
}

static int open_live(struct bs_sqlite *s, sqlite3 **ret_db, struct bs_err *err)
{
	if (access(s->live_path, F_OK) < 0)
		return bs_err_set(err, BS_ESTORE, "the application made no database at '%s': is this path, the store's "
				  "placeholder, handed to it?", s->live_path);
	return bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, ret_db, err);
}

static int sqlite_snapshot(struct bs_store *store, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	sqlite3 *db;
	int r = open_live(s, &db, err);

	if (r < 0)
		return r;
	s->has_snapshot = false;
	r = bs_sqlite_copy_to(db, s->snapshot_path, err);
	sqlite3_close(db);
	if (r == 0)
		s->has_snapshot = true;
	return r;
}

/* --- Tracking ---------------------------------------------------------------------------------------- */

/* Waits as long as the application may reasonably hold a lock. */
static int begin_immediate(struct bs_sqlite *s, struct bs_err *err)
{
	uint64_t until_ms = bs_now_ms() + PATIENCE_MS;

	for (;;) {
		int r = bs_sqlite_exec(s->live, "BEGIN IMMEDIATE", err);
		if (r != BS_EBUSY)
			return r;
		if (bs_now_ms() > until_ms)
			return bs_err_set(err, BS_ESTORE, "the application keeps '%s' locked: it must end its transactions "
					  "before it answers, and cannot use locking_mode=EXCLUSIVE", s->live_path);
	}
}

/* Deltas name tables and columns by number, so every start must bring the same ones. */
static int tell(struct bs_sqlite *s, struct bs_err *err)
{
	if (!s->told.tables) {
		bs_sqlite_tell_root(s);
		s->root_digest = s->now.digest;
	}
	if (s->now.digest != s->root_digest)
		return bs_err_set(err, BS_ESTORE, "the tables are not those of the first start: the application changed "
				  "them when it was started again; let setup go as far as to where it stops doing so");
	bs_sqlite_match_told(s, &s->now);
	return 0;
}

static int install(struct bs_sqlite *s, struct bs_err *err)
{
	int r = begin_immediate(s, err);

	if (r < 0)
		return r;
	r = bs_sqlite_install_all(s, err);
	if (r == 0)
		r = tell(s, err);
	return bs_sqlite_end(s->live, r, err);
}

static int measure(struct bs_sqlite *s, struct bs_err *err)
{
	int64_t pages = 0, page_bytes = 0;
	int r = bs_sqlite_ask(s->live, "PRAGMA page_count", &pages, err);

	if (r == 0)
		r = bs_sqlite_ask(s->live, "PRAGMA page_size", &page_bytes, err);
	s->stats.size_bytes = (uint64_t)(pages * page_bytes);
	return r;
}

static int copy_live(void *ctx, sqlite3 *to, struct bs_err *err)
{
	return bs_sqlite_copy(((struct bs_sqlite *)ctx)->live, to, err);
}

/* In one read transaction, so that version, watermark and shadow speak of the same moment. */
static int take_shadow(struct bs_sqlite *s, struct bs_err *err)
{
	sqlite3 *none;
	int r = bs_sqlite_exec(s->live, "BEGIN", err);

	if (r < 0)
		return r;
	r = bs_sqlite_ask(s->live, "PRAGMA schema_version", &s->schema_at_begin, err);
	if (r == 0)
		r = bs_sqlite_ask(s->live, "PRAGMA data_version", &s->version, err);
	s->watermark = 0;
	if (r == 0 && !s->compare_whole)
		r = bs_sqlite_ask(s->live, "SELECT coalesce(max(n), 0) FROM \"" BS_SQLITE_NOTES "\"", &s->watermark, err);
	if (r == 0)
		r = measure(s, err);
	if (r == 0)
		r = bs_sqlite_new_shadow(s, copy_live, s, &none, err);
	return bs_sqlite_end(s->live, r, err);
}

static int start_tracking(struct bs_sqlite *s, struct bs_err *err)
{
	int r = open_live(s, &s->live, err);

	if (r == 0)
		r = bs_sqlite_exec(s->live, "PRAGMA synchronous=OFF", err);
	if (r == 0)
		r = install(s, err);
	if (r == 0)
		r = take_shadow(s, err);
	if (r == 0)
		r = bs_sqlite_prepare(s->live, "PRAGMA main.data_version", &s->data_version, err);
	if (r == 0)
		r = bs_sqlite_prepare(s->live, "PRAGMA main.schema_version", &s->schema_version, err);
	if (r == 0)
		r = bs_sqlite_prepare_side(s, BS_LIVE, err);
	if (r == 0)
		r = bs_sqlite_prepare_side(s, BS_SHADOW, err);
	if (r == 0)
		r = bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, &s->watch, err);
	if (r == 0)
		r = bs_sqlite_open_reader(s, err);
	return r;
}

static int sqlite_begin(struct bs_store *store, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;

	end_tracking(s);
	int r = start_tracking(s, err);
	if (r < 0)
		end_tracking(s);
	return r == BS_EBUSY ? bs_err_set(err, BS_ESTORE, "the application keeps '%s' locked", s->live_path) : r;
}

/* --- Asked by others --------------------------------------------------------------------------------- */

static const struct bs_table *sqlite_schema(struct bs_store *store, size_t *ret_count)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;

	*ret_count = s->told.count;
	return s->told.tables;
}

static void sqlite_stats(struct bs_store *store, struct bs_store_stats *ret_stats)
{
	*ret_stats = ((struct bs_sqlite *)store)->stats;
}

static const char *sqlite_property(struct bs_store *store, const char *name)
{
	return strcmp(name, "path") == 0 ? ((struct bs_sqlite *)store)->live_path : NULL;
}

const struct bs_store_ops bs_store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.clone = sqlite_clone,
	.snapshot = sqlite_snapshot,
	.begin = sqlite_begin,
	.changes = bs_sqlite_changes,
	.apply = bs_sqlite_apply,
	.digest = bs_sqlite_digest,
	.query = bs_sqlite_query,
	.recover = sqlite_recover,
	.close = sqlite_close,
	.schema = sqlite_schema,
	.stats = sqlite_stats,
	.property = sqlite_property,
};
