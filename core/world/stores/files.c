/* Files: the driver's table, and the life of a copy. See files.h. */
#include "files.h"

#include "base/mem.h"
#include "base/rmtree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MAX 1000000

/* --- Opening and closing ----------------------------------------------------------------------------- */

static int open_original(const struct bs_files *s, int *ret_fd, struct bs_err *err)
{
	*ret_fd = open(s->original, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd >= 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTDIR)
		return bs_err_set(err, BS_ESTORE, "'%s' is no directory", s->original);
	return bs_err_set(err, BS_ESTORE, "cannot read '%s': %s", s->original, strerror(errno));
}

/* Says plainly what is wrong with the user's directory, before the application is started. */
static int look_at_original(struct bs_files *s, struct bs_err *err)
{
	struct bs_files_walk walk;
	int fd, r = open_original(s, &fd, err);

	if (r < 0 || fd < 0)
		return r;
	r = bs_files_walk(s, fd, &walk, err);
	if (r == 0)
		bs_files_walk_release(&walk);
	else
		bs_err_wrap(err, "%s", s->original);
	close(fd);
	return r;
}

static void name_folders(struct bs_files *s, const struct bs_store_options *options)
{
	size_t len = strlen(options->path);

	while (len > 1 && options->path[len - 1] == '/')
		len--;
	s->original = bs_xstrndup(options->path, len);
	const char *slash = strrchr(s->original, '/');
	const char *base = slash && slash[1] ? slash + 1 : "files";
	s->folder = bs_xasprintf("%s/%s", options->workdir, options->name);
	s->live_path = bs_xasprintf("%s/live/%s", s->folder, base);
}

static void files_close(struct bs_store *store);

static int files_open(const struct bs_store_options *options, struct bs_store **ret_store, struct bs_err *err)
{
	if (!options->path)
		return bs_err_set(err, BS_EMODEL, "a files store needs a path");
	struct bs_files *s = bs_xcalloc(1, sizeof *s);
	s->store.ops = &bs_store_files;
	s->stats.mechanism = "times and hashes";
	s->entries_max = ENTRIES_MAX;
	s->live_fd = s->objects_fd = s->staging_fd = -1;
	name_folders(s, options);
	int r = look_at_original(s, err);
	if (r < 0) {
		files_close(&s->store);
		return r;
	}
	*ret_store = &s->store;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void remove_folder(const struct bs_files *s)
{
	int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	bs_rmtree_empty(fd);
	close(fd);
	rmdir(s->folder);
}

static void files_close(struct bs_store *store)
{
	struct bs_files *s = (struct bs_files *)store;

	if (!s)
		return;
	close_fd(&s->live_fd);
	close_fd(&s->objects_fd);
	close_fd(&s->staging_fd);
	bs_files_forget_changes(s);
	bs_files_entries_release(&s->original_entries);
	bs_files_entries_release(&s->root);
	bs_files_entries_release(&s->shadow);
	remove_folder(s);
	free(s->original);
	free(s->folder);
	free(s->live_path);
	free(s);
}

/* --- Copies ------------------------------------------------------------------------------------------ */

static int make_folder(const char *path, int *ret_fd, struct bs_err *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return bs_err_set(err, BS_EIO, "cannot make '%s': %s", path, strerror(errno));
	if (!ret_fd || *ret_fd >= 0)
		return 0;
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd >= 0 ? 0 : bs_err_set(err, BS_EIO, "cannot open '%s': %s", path, strerror(errno));
}

static int make_folders(struct bs_files *s, struct bs_err *err)
{
	BS_AUTOFREE char *objects = bs_xasprintf("%s/objects", s->folder);
	BS_AUTOFREE char *staging = bs_xasprintf("%s/staging", s->folder);
	BS_AUTOFREE char *above = bs_xasprintf("%s/live", s->folder);
	int r = make_folder(s->folder, NULL, err);

	if (r == 0)
		r = make_folder(above, NULL, err);
	if (r == 0)
		r = make_folder(objects, &s->objects_fd, err);
	if (r == 0)
		r = make_folder(staging, &s->staging_fd, err);
	return r;
}

static int read_original(struct bs_files *s, struct bs_err *err)
{
	int fd, r = open_original(s, &fd, err);

	if (r == 0 && fd >= 0) {
		r = bs_files_look(s, fd, &s->original_entries, err);
		if (r == BS_EBUSY)
			r = bs_err_set(err, BS_ESTORE, "something writes to '%s' while it is copied", s->original);
		close(fd);
	}
	bs_files_forget_changes(s);
	s->has_original = r == 0;
	return r;
}

/* The whole tree, into an empty directory. */
static int fill(struct bs_files *s, const struct bs_files_entries *from, struct bs_err *err)
{
	BS_AUTOFREE struct bs_net_row *rows = bs_xcalloc(from->count, sizeof *rows);
	struct bs_files_plan plan;
	size_t n = 0;

	for (size_t i = 0; i < from->count; i++)
		if (from->items[i].image)
			rows[n++] = (struct bs_net_row){0, 1, {from->items[i].image, from->items[i].image_len}};
	int r = bs_files_plan(s, rows, n, &plan, err);
	if (r < 0)
		return r;
	r = bs_files_run(s, &plan, err);
	bs_files_plan_release(&plan);
	return r;
}

/* The directory itself is the original's in its mode. */
static int make_live(struct bs_files *s, struct bs_err *err)
{
	struct stat st;
	mode_t mode = stat(s->original, &st) == 0 ? st.st_mode & 07777 : 0755;

	close_fd(&s->live_fd);
	int r = make_folder(s->live_path, &s->live_fd, err);
	if (r == 0 && fchmod(s->live_fd, mode | 0700) < 0)
		r = bs_err_set(err, BS_EIO, "cannot make '%s': %s", s->live_path, strerror(errno));
	if (r == 0 && !bs_rmtree_empty(s->live_fd))
		r = bs_err_set(err, BS_ESTORE, "cannot empty '%s'", s->live_path);
	return r;
}

static int files_clone(struct bs_store *store, struct bs_err *err)
{
	struct bs_files *s = (struct bs_files *)store;
	int r = make_folders(s, err);

	s->tracking = false;
	bs_files_entries_release(&s->shadow);
	if (r == 0 && !s->has_original)
		r = read_original(s, err);
	if (r == 0)
		r = make_live(s, err);
	return r == 0 ? fill(s, s->has_snapshot ? &s->root : &s->original_entries, err) : r;
}

/* What the application writes while its directory is read: it should have answered by now. */
static int settled(int r, struct bs_err *err)
{
	return r == BS_EBUSY ? bs_err_set(err, BS_ESTORE, "%s: the application must have written when it is ready",
					  bs_err_text(err))
			     : r;
}

static int files_snapshot(struct bs_store *store, struct bs_err *err)
{
	struct bs_files *s = (struct bs_files *)store;

	bs_files_entries_release(&s->root);
	s->has_snapshot = false;
	int r = settled(bs_files_look(s, s->live_fd, &s->root, err), err);
	bs_files_forget_changes(s);
	if (r < 0)
		return r;
	s->has_snapshot = true;
	bs_files_entries_release(&s->original_entries);
	return 0;
}

static int files_begin(struct bs_store *store, struct bs_err *err)
{
	struct bs_files *s = (struct bs_files *)store;

	bs_files_entries_release(&s->shadow);
	int r = settled(bs_files_look(s, s->live_fd, &s->shadow, err), err);
	bs_files_forget_changes(s);
	s->tracking = r == 0;
	s->stats.size_bytes = 0;
	for (size_t i = 0; i < s->shadow.count; i++)
		if (S_ISREG(s->shadow.items[i].st.st_mode))
			s->stats.size_bytes += (uint64_t)s->shadow.items[i].st.st_size;
	return r;
}

/* --- Asked by others --------------------------------------------------------------------------------- */

static int files_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		       struct bs_err *err)
{
	(void)store;
	(void)query;
	(void)timeout_ms;
	(void)fn;
	(void)ctx;
	return bs_err_set(err, BS_ESTORE, "a files store has no query language; use changes(\"files\") or observe");
}

static const struct bs_table *files_schema(struct bs_store *store, size_t *ret_count)
{
	(void)store;
	*ret_count = 1;
	return &bs_files_table;
}

static void files_stats(struct bs_store *store, struct bs_store_stats *ret_stats)
{
	*ret_stats = ((struct bs_files *)store)->stats;
}

static const char *files_property(struct bs_store *store, const char *name)
{
	return strcmp(name, "path") == 0 ? ((struct bs_files *)store)->live_path : NULL;
}

const struct bs_store_ops bs_store_files = {
	.name = "files",
	.open = files_open,
	.clone = files_clone,
	.snapshot = files_snapshot,
	.begin = files_begin,
	.changes = bs_files_changes,
	.apply = bs_files_apply,
	.digest = bs_files_digest,
	.query = files_query,
	.close = files_close,
	.schema = files_schema,
	.stats = files_stats,
	.property = files_property,
};
