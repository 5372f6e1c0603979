/*
 * SQLite: the driver's life. The user's file is only ever read. The application works on a clone in the run's private
 * folder; once setup is done a snapshot of the clone is the root, from which every clean start is cloned again.
 */
#include "sqlite.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGIN_TRIES 500 /* times 10 ms: the application may hold a lock while it starts */
#define SHADOW_MEMORY_MAX ((uint64_t)256 << 20)

static struct bs_sqlite *self(struct bs_store *store)
{
	return (struct bs_sqlite *)store;
}

/* --- Open and close ---------------------------------------------------------------------------------- */

static void stop_tracking(struct bs_sqlite *s)
{
	bs_sqlite_close_reader(s);
	bs_sqlite_finalize(s);
	sqlite3_close(s->live);
	sqlite3_close(s->shadow);
	s->live = s->shadow = NULL;
	bs_sqlite_remove(s->shadow_path);
}

static void close_store(struct bs_store *store)
{
	struct bs_sqlite *s = self(store);

	if (!s)
		return;
	stop_tracking(s);
	bs_sqlite_remove(s->live_path);
	bs_sqlite_remove(s->snapshot_path);
	rmdir(s->folder);
	bs_sqlite_forget_schema(s);
	free(s->changes);
	free(s->seen);
	bs_map_release(&s->seen_index);
	bs_arena_release(&s->images);
	free(s->original);
	free(s->folder);
	free(s->live_path);
	free(s->snapshot_path);
	free(s->shadow_path);
	free(s);
}

/* The clone has the name of the original, for messages of the application. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_store(const struct bs_store_options *options, struct bs_store **ret_store, struct bs_err *err)
{
	bool exists;

	if (!options->path)
		return bs_err_set(err, BS_ESTORE, "a sqlite store needs 'path'");
	int r = bs_sqlite_look_at(options->path, &exists, err);
	if (r < 0)
		return r;
	BS_AUTOFREE char *folder = bs_xasprintf("%s/%s", options->workdir, options->name);
	if (mkdir(folder, 0700) < 0)
		return bs_err_set(err, BS_ESTORE, "cannot make '%s': %s", folder, strerror(errno));
	struct bs_sqlite *s = bs_xcalloc(1, sizeof *s);
	s->store.ops = &bs_store_sqlite;
	s->original = bs_xstrdup(options->path);
	s->folder = bs_xstrdup(folder);
	s->live_path = bs_xasprintf("%s/%s", folder, base_name(options->path));
	s->snapshot_path = bs_xasprintf("%s/%s.root", folder, base_name(options->path));
	s->shadow_path = bs_xasprintf("%s/%s.shadow", folder, base_name(options->path));
	s->shadow_memory_max = SHADOW_MEMORY_MAX;
	s->stats.mechanism = "triggers";
	*ret_store = &s->store;
	return 0;
}

/* --- Clone and snapshot ------------------------------------------------------------------------------ */

static int clone_store(struct bs_store *store, struct bs_err *err)
{
	struct bs_sqlite *s = self(store);
	bool exists = false;

	stop_tracking(s);
	bs_sqlite_remove(s->live_path);
	if (s->has_snapshot)
		return bs_sqlite_copy_file(s->snapshot_path, s->live_path, err);
	int r = bs_sqlite_look_at(s->original, &exists, err);
	return r == 0 && exists ? bs_sqlite_copy_original(s, err) : r;
}

static int open_live(const struct bs_sqlite *s, sqlite3 **ret_db, struct bs_err *err)
{
	struct stat st;

	if (stat(s->live_path, &st) < 0)
		return bs_err_set(err, BS_ESTORE, "the application is ready and has not made its database: '%s' was given "
				  "to it and is not there", s->live_path);
	return bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, ret_db, err);
}

static int snapshot_store(struct bs_store *store, struct bs_err *err)
{
	struct bs_sqlite *s = self(store);
	sqlite3 *db;
	int r = open_live(s, &db, err);

	if (r < 0)
		return r;
	r = bs_sqlite_copy_to(db, s->snapshot_path, err);
	sqlite3_close(db);
	s->has_snapshot = r == 0;
	return r;
}

/* --- Begin ------------------------------------------------------------------------------------------- */

static int install(struct bs_sqlite *s, struct bs_err *err)
{
	int r = bs_sqlite_exec(s->live, "BEGIN IMMEDIATE", err);

	if (r < 0)
		return r;
	r = bs_sqlite_uninstall(s->live, err);
	if (r == 0)
		r = bs_sqlite_read_schema(s, err);
	if (r == 0)
		r = bs_sqlite_install(s, err);
	return bs_sqlite_end(s->live, r, err);
}

static int install_patiently(struct bs_sqlite *s, struct bs_err *err)
{
	for (int tries = 0;; tries++) {
		int r = install(s, err);
		if (r != BS_EBUSY)
			return r;
		if (tries == BEGIN_TRIES)
			return bs_err_set(err, BS_ESTORE, "the application keeps its database locked");
		sqlite3_sleep(10);
	}
}

static int measure(struct bs_sqlite *s, struct bs_err *err)
{
	int64_t pages = 0, bytes = 0;
	int r = bs_sqlite_ask(s->live, "PRAGMA main.page_count", &pages, err);

	if (r == 0)
		r = bs_sqlite_ask(s->live, "PRAGMA main.page_size", &bytes, err);
	s->stats.size_bytes = (uint64_t)(pages * bytes);
	return r;
}

/* What is written while the shadow is made is noted, and the version from before makes sure that the notes are
 * read. */
static int make_shadow(struct bs_sqlite *s, struct bs_err *err)
{
	bool memory = s->stats.size_bytes <= s->shadow_memory_max;
	int r = bs_sqlite_ask(s->live, "PRAGMA main.data_version", &s->version, err);

	if (r == 0)
		r = bs_sqlite_ask(s->live, "PRAGMA main.schema_version", &s->schema_at_begin, err);
	if (r == 0)
		r = bs_sqlite_open(memory ? ":memory:" : s->shadow_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				   &s->shadow, err);
	if (r == 0)
		r = bs_sqlite_copy(s->live, s->shadow, err);
	if (r == 0) /* a crash loses the shadow, and with it the run; nobody else has it open */
		r = bs_sqlite_exec(s->shadow, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF", err);
	return r;
}

static int begin_store(struct bs_store *store, struct bs_err *err)
{
	struct bs_sqlite *s = self(store);

	stop_tracking(s);
	int r = open_live(s, &s->live, err);
	if (r == 0) /* a clone may be lost in a power cut */
		r = bs_sqlite_exec(s->live, "PRAGMA synchronous=OFF", err);
	if (r == 0)
		r = install_patiently(s, err);
	if (r == 0)
		r = measure(s, err);
	if (r == 0)
		r = make_shadow(s, err);
	if (r == 0)
		r = bs_sqlite_prepare_rows(s, err);
	if (r == 0)
		r = bs_sqlite_open_reader(s, err);
	s->watermark = 0;
	if (r == BS_EBUSY)
		r = bs_err_set(err, BS_ESTORE, "the application keeps its database locked");
	if (r < 0)
		stop_tracking(s);
	return r;
}

/* --- The rest ---------------------------------------------------------------------------------------- */

static const struct bs_table *schema_of(struct bs_store *store, size_t *ret_count)
{
	*ret_count = self(store)->table_count;
	return self(store)->schema;
}

static void stats_of(struct bs_store *store, struct bs_store_stats *ret_stats)
{
	*ret_stats = self(store)->stats;
}

static const char *property_of(struct bs_store *store, const char *name)
{
	return strcmp(name, "path") == 0 ? self(store)->live_path : NULL;
}

const struct bs_store_ops bs_store_sqlite = {
	.name = "sqlite",
	.open = open_store,
	.clone = clone_store,
	.snapshot = snapshot_store,
	.begin = begin_store,
	.changes = bs_sqlite_changes,
	.apply = bs_sqlite_apply,
	.digest = bs_sqlite_digest,
	.query = bs_sqlite_query,
	.close = close_store,
	.schema = schema_of,
	.stats = stats_of,
	.property = property_of,
};
