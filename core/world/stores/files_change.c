/*
 * Files: what changed. All that differs is read first; only when that went well is it taken into memory, so that a
 * file that vanishes meanwhile costs another look and nothing else.
 */
#include "files.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Something that is not as it was remembered. */
struct fresh {
	const struct bs_files_found *found;
	struct bs_buf image;
	struct stat st;
	bool racy;
	char sha[BS_SHA256_HEX];
};

struct looking {
	struct bs_files *s;
	int top_fd;
	struct bs_files_entries *entries;
	struct bs_files_walk walk;
	struct fresh *fresh;
	size_t fresh_count;
};

static struct bs_blob path_of(const struct bs_files_found *found)
{
	return (struct bs_blob){found->path, found->path_len};
}

static bool same_link(const struct bs_files_entry *entry, const struct bs_files_found *found)
{
	struct bs_files_row row;
	struct bs_blob is = found->same_as ? path_of(found->same_as) : (struct bs_blob){NULL, 0};

	if (!found->same_as && !entry->linked) /* nearly always */
		return true;
	return bs_files_row_read((struct bs_blob){entry->image, entry->image_len}, &row, NULL) == 0 &&
	       bs_blob_equal(row.same_as, is);
}

/* True when there is no need to read it. */
static bool as_remembered(const struct bs_files_entry *entry, const struct bs_files_found *found)
{
	return entry && entry->image && !entry->racy && bs_files_same_stat(&entry->st, &found->st) &&
	       (!S_ISREG(found->st.st_mode) || same_link(entry, found));
}

/* --- Looking ----------------------------------------------------------------------------------------- */

static int read_file(struct looking *l, const struct bs_files_found *found, struct fresh *fresh, struct bs_err *err)
{
	struct bs_files_contents contents;
	int r = bs_files_read(l->s, l->top_fd, found->path, &contents, err);

	if (r == 0 && !S_ISREG(contents.st.st_mode))
		r = bs_err_set(err, BS_EBUSY, "'%s' changes while it is looked at", found->path);
	if (r == 0) {
		fresh->st = contents.st;
		fresh->racy = contents.racy;
		memcpy(fresh->sha, contents.sha, sizeof fresh->sha);
		bs_files_image(found, &contents.st, &contents, (struct bs_blob){NULL, 0}, &fresh->image);
	}
	bs_buf_release(&contents.shown);
	return r;
}

static int read_one(struct looking *l, const struct bs_files_found *found, struct bs_err *err)
{
	struct fresh *fresh = BS_PUSH(l->fresh, l->fresh_count);
	struct bs_buf target = BS_BUF_INIT;
	int r = 0;

	fresh->found = found;
	fresh->st = found->st;
	fresh->image = (struct bs_buf)BS_BUF_INIT;
	if (S_ISREG(found->st.st_mode))
		return read_file(l, found, fresh, err);
	if (S_ISLNK(found->st.st_mode))
		r = bs_files_read_link(l->top_fd, found->path, &target, err);
	if (r == 0)
		bs_files_image(found, &found->st, NULL, (struct bs_blob){bs_buf_text(&target), (uint32_t)target.len},
			       &fresh->image);
	bs_buf_release(&target);
	return r;
}

/* --- Taking in --------------------------------------------------------------------------------------- */

static void add_change(struct bs_files *s, struct bs_blob before, struct bs_blob after)
{
	*BS_PUSH(s->changes, s->change_count) = (struct bs_change){.before = before, .after = after};
}

static struct bs_blob image_of(const struct bs_files_entry *entry)
{
	return entry->image ? (struct bs_blob){entry->image, entry->image_len} : (struct bs_blob){NULL, 0};
}

static void take_in(struct looking *l, struct fresh *fresh)
{
	struct bs_files *s = l->s;
	struct bs_files_entry *entry = bs_files_put(l->entries, path_of(fresh->found));
	struct bs_blob after = {fresh->image.data, (uint32_t)fresh->image.len};

	entry->st = fresh->st;
	entry->racy = fresh->racy;
	entry->linked = fresh->found->same_as != NULL;
	memcpy(entry->sha, fresh->sha, sizeof entry->sha);
	if (entry->image && bs_blob_equal(image_of(entry), after))
		return;
	add_change(s, image_of(entry), after);
	if (entry->image)
		*BS_PUSH(s->retired, s->retired_count) = entry->image;
	entry->image_len = after.len;
	entry->image = bs_buf_take(&fresh->image);
}

static void take_out(struct bs_files *s, struct bs_files_entry *entry)
{
	add_change(s, image_of(entry), (struct bs_blob){NULL, 0});
	*BS_PUSH(s->retired, s->retired_count) = entry->image;
	entry->image = NULL;
	entry->image_len = 0;
	entry->racy = false;
}

static int by_path(const void *a, const void *b)
{
	const struct bs_files_entry *x = *(const struct bs_files_entry *const *)a;
	const struct bs_files_entry *y = *(const struct bs_files_entry *const *)b;

	return strcmp(x->path, y->path);
}

/* What the walk did not see. */
static void take_out_gone(struct looking *l)
{
	BS_AUTOFREE struct bs_files_entry **gone = bs_xcalloc(l->entries->count, sizeof *gone);
	size_t n = 0;

	for (size_t i = 0; i < l->walk.count; i++) {
		struct bs_files_entry *entry = bs_files_find(l->entries, path_of(&l->walk.items[i]));
		if (entry)
			entry->seen = l->s->walks;
	}
	for (size_t i = 0; i < l->entries->count; i++)
		if (l->entries->items[i].image && l->entries->items[i].seen != l->s->walks)
			gone[n++] = &l->entries->items[i];
	if (n > 1)
		qsort(gone, n, sizeof *gone, by_path);
	for (size_t i = 0; i < n; i++)
		take_out(l->s, gone[i]);
}

int bs_files_look(struct bs_files *s, int top_fd, struct bs_files_entries *entries, struct bs_err *err)
{
	struct looking l = {.s = s, .top_fd = top_fd, .entries = entries};
	int r = bs_files_walk(s, top_fd, &l.walk, err);

	if (r < 0)
		return r;
	s->walks++;
	for (size_t i = 0; r == 0 && i < l.walk.count; i++)
		if (!as_remembered(bs_files_find(entries, path_of(&l.walk.items[i])), &l.walk.items[i]))
			r = read_one(&l, &l.walk.items[i], err);
	for (size_t i = 0; i < l.fresh_count; i++) {
		if (r == 0)
			take_in(&l, &l.fresh[i]);
		bs_buf_release(&l.fresh[i].image);
	}
	if (r == 0)
		take_out_gone(&l);
	free(l.fresh);
	bs_files_walk_release(&l.walk);
	return r;
}

void bs_files_forget_changes(struct bs_files *s)
{
	for (size_t i = 0; i < s->retired_count; i++)
		free(s->retired[i]);
	free(s->retired);
	free(s->changes);
	s->retired = NULL;
	s->changes = NULL;
	s->retired_count = s->change_count = 0;
}

int bs_files_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct bs_files *s = (struct bs_files *)store;

	if (!s->tracking)
		return bs_err_set(err, BS_EINTERNAL, "changes before begin");
	bs_files_forget_changes(s);
	int r = bs_files_look(s, s->live_fd, &s->shadow, err);
	if (r == 0)
		*ret_changes = (struct bs_changes){s->changes, s->change_count};
	return r;
}

/* --- Is it as we know it? ---------------------------------------------------------------------------- */

static int check_one(struct bs_files *s, const struct bs_files_found *found, bool *ret_same, struct bs_err *err)
{
	const struct bs_files_entry *entry = bs_files_find(&s->shadow, path_of(found));
	char sha[BS_SHA256_HEX];

	*ret_same = false;
	if (!entry || !entry->image)
		return 0;
	if (S_ISDIR(found->st.st_mode)) { /* its times are no matter of rows */
		*ret_same = entry->st.st_mode == found->st.st_mode && entry->st.st_uid == found->st.st_uid &&
			    entry->st.st_gid == found->st.st_gid;
		return 0;
	}
	if (!bs_files_same_stat(&entry->st, &found->st))
		return 0;
	*ret_same = true;
	if (!entry->racy || !S_ISREG(found->st.st_mode))
		return 0;
	int r = bs_files_hash(s, s->live_fd, found->path, sha, err);
	*ret_same = r == 0 && strcmp(sha, entry->sha) == 0;
	return r;
}

int bs_files_check_unchanged(struct bs_files *s, struct bs_err *err)
{
	struct bs_files_walk walk;
	size_t present = 0;
	bool same = true;
	int r = bs_files_walk(s, s->live_fd, &walk, err);

	for (size_t i = 0; i < s->shadow.count; i++)
		present += s->shadow.items[i].image != NULL;
	for (size_t i = 0; r == 0 && same && i < walk.count; i++)
		r = check_one(s, &walk.items[i], &same, err);
	if (r == 0 && (!same || present != walk.count))
		r = bs_err_set(err, BS_EBUSY, "the application wrote since its changes were read");
	bs_files_walk_release(&walk);
	return r;
}

/* --- Digests ----------------------------------------------------------------------------------------- */

static int digest_one(const struct bs_files *s, int top_fd, const struct bs_files_found *found, uint64_t *sum,
		      struct bs_err *err)
{
	struct bs_files_contents contents = {.shown = BS_BUF_INIT, .st = found->st};
	struct bs_buf image = BS_BUF_INIT, target = BS_BUF_INIT;
	int r = 0;

	if (S_ISREG(found->st.st_mode))
		r = bs_files_hash(s, top_fd, found->path, contents.sha, err);
	else if (S_ISLNK(found->st.st_mode))
		r = bs_files_read_link(top_fd, found->path, &target, err);
	if (r == 0) {
		bs_files_image(found, &found->st, &contents, (struct bs_blob){bs_buf_text(&target), (uint32_t)target.len},
			       &image);
		*sum += bs_hash_bytes(image.data, image.len).lo;
	}
	bs_buf_release(&image);
	bs_buf_release(&target);
	return r;
}

int bs_files_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err)
{
	struct bs_files *s = (struct bs_files *)store;
	struct bs_files_walk walk = {0};
	uint64_t sum = 0;

	if (!s->tracking)
		return bs_err_set(err, BS_EINTERNAL, "digest before begin");
	int fd = open(s->live_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return bs_err_set(err, BS_ESTORE, "cannot read '%s': %s", s->live_path, strerror(errno));
	int r = bs_files_walk(s, fd, &walk, err);
	for (size_t i = 0; r == 0 && i < walk.count; i++)
		r = digest_one(s, fd, &walk.items[i], &sum, err);
	bs_files_walk_release(&walk);
	close(fd);
	if (r < 0)
		return r;
	*ret_digest = sum;
	if (ret_tables)
		ret_tables[0] = sum;
	return 0;
}
