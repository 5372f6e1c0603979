/*
 * Files: putting them. First what is in the way goes to the staging folder, where it needs no room; then what needs
 * room is made or written; and only when all of that is done is anything freed. Until then each deed is noted, and
 * taken back in reverse when one fails.
 */
#include "files.h"

#include "base/mem.h"
#include "base/rmtree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum deed_kind { MOVED, MADE, WROTE };

struct deed {
	enum deed_kind kind;
	const struct bs_files_step *step;
	char staged[BS_FILES_NAME]; /* MOVED: its name in staging */
};

struct running {
	struct bs_files *s;
	const struct bs_files_plan *plan;
	struct deed *deeds;
	size_t deed_count;
};

static int cannot(const struct bs_files_step *step, struct bs_err *err)
{
	return bs_err_set(err, BS_ESTORE, "cannot put back '%s': %s", step->path_text, strerror(errno));
}

static struct deed *note(struct running *run, enum deed_kind kind, const struct bs_files_step *step)
{
	struct deed *deed = BS_PUSH(run->deeds, run->deed_count);

	deed->kind = kind;
	deed->step = step;
	return deed;
}

static void read_row(struct bs_blob image, struct bs_files_row *ret_row)
{
	*ret_row = (struct bs_files_row){0};
	bs_files_row_read(image, ret_row, NULL); /* the plan has read it before */
}

/* --- Files and their metadata ------------------------------------------------------------------------ */

/* Opens a file for writing; one that may not be written is made so, as its mode is set in the end. */
static int open_to_write(int parent, const char *name)
{
	char self[64];
	int fd = openat(parent, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0 || errno != EACCES)
		return fd;
	int handle = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (handle < 0)
		return -1;
	snprintf(self, sizeof self, "/proc/self/fd/%d", handle); /* fchmod() refuses O_PATH */
	if (chmod(self, 0600) == 0)
		fd = openat(parent, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close(handle);
	return fd;
}

static int write_contents(const struct bs_files *s, int fd, const char *sha)
{
	int from = bs_files_object(s, sha);
	int r = from < 0 || lseek(fd, 0, SEEK_SET) < 0 ? -1 : bs_files_copy(from, fd);
	int error = errno;

	if (from >= 0)
		close(from);
	errno = error;
	return r;
}

static int set_metadata(int fd, const struct bs_files_row *row)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
				    {.tv_sec = row->modified_ns / 1000000000, .tv_nsec = row->modified_ns % 1000000000}};
	struct stat st;

	if (times[1].tv_nsec < 0) { /* before 1970 */
		times[1].tv_sec--;
		times[1].tv_nsec += 1000000000;
	}
	if (fstat(fd, &st) < 0)
		return -1;
	if ((st.st_uid != row->uid || st.st_gid != row->gid) && fchown(fd, row->uid, row->gid) < 0)
		return -1;
	if (fchmod(fd, row->mode) < 0)
		return -1;
	return row->type == BS_FILE ? futimens(fd, times) : 0;
}

/* --- What is in the way ------------------------------------------------------------------------------ */

static int move_away(struct running *run, const struct bs_files_step *step, struct bs_err *err)
{
	char staged[BS_FILES_NAME];
	const char *name;
	int parent = bs_files_open_parent(run->s->live_fd, step->path_text, &name);

	bs_files_stage_name(run->s, staged);
	if (parent < 0 || renameat(parent, name, run->s->staging_fd, staged) < 0) {
		cannot(step, err);
		if (parent >= 0)
			close(parent);
		return BS_ESTORE;
	}
	close(parent);
	memcpy(note(run, MOVED, step)->staged, staged, sizeof staged);
	return 0;
}

/* --- What needs room --------------------------------------------------------------------------------- */

static int stage_file(struct running *run, const struct bs_files_step *step, const struct bs_files_row *row,
		      char staged[BS_FILES_NAME], struct bs_err *err)
{
	int fd = bs_files_stage(run->s, staged, err);

	if (fd < 0)
		return fd;
	int r = write_contents(run->s, fd, row->sha) < 0 || set_metadata(fd, row) < 0 ? cannot(step, err) : 0;
	close(fd);
	return r;
}

static int stage_link(struct running *run, const struct bs_files_step *step, const struct bs_files_row *row,
		      char staged[BS_FILES_NAME], struct bs_err *err)
{
	BS_AUTOFREE char *target = bs_xstrndup(row->target.data, row->target.len);
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
				    {.tv_sec = row->modified_ns / 1000000000, .tv_nsec = row->modified_ns % 1000000000}};

	bs_files_stage_name(run->s, staged);
	if (symlinkat(target, run->s->staging_fd, staged) < 0 ||
	    utimensat(run->s->staging_fd, staged, times, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (geteuid() == 0 && fchownat(run->s->staging_fd, staged, row->uid, row->gid, AT_SYMLINK_NOFOLLOW) < 0))
		return cannot(step, err);
	return 0;
}

static int stage_hard_link(struct running *run, const struct bs_files_step *step, const struct bs_files_row *row,
			   char staged[BS_FILES_NAME], struct bs_err *err)
{
	BS_AUTOFREE char *path = bs_xstrndup(row->same_as.data, row->same_as.len);
	const char *name;
	int parent = bs_files_open_parent(run->s->live_fd, path, &name);

	bs_files_stage_name(run->s, staged);
	int r = parent < 0 || linkat(parent, name, run->s->staging_fd, staged, 0) < 0 ? cannot(step, err) : 0;
	if (parent >= 0)
		close(parent);
	return r;
}

static int make(struct running *run, const struct bs_files_step *step, const struct bs_files_row *row,
		struct bs_err *err)
{
	char staged[BS_FILES_NAME];
	const char *name;
	int r = 0;

	if (row->type == BS_DIRECTORY) {
		bs_files_stage_name(run->s, staged);
		if (mkdirat(run->s->staging_fd, staged, 0700) < 0)
			r = cannot(step, err);
	} else {
		r = row->type == BS_LINK     ? stage_link(run, step, row, staged, err)
		    : row->same_as.data	     ? stage_hard_link(run, step, row, staged, err)
					     : stage_file(run, step, row, staged, err);
	}
	if (r < 0)
		return r;
	int parent = bs_files_open_parent(run->s->live_fd, step->path_text, &name);
	if (parent < 0 || renameat2(run->s->staging_fd, staged, parent, name, RENAME_NOREPLACE) < 0)
		r = cannot(step, err);
	if (parent >= 0)
		close(parent);
	if (r == 0)
		note(run, MADE, step);
	return r;
}

static int open_live(const struct running *run, const struct bs_files_step *step)
{
	const char *name;
	int parent = bs_files_open_parent(run->s->live_fd, step->path_text, &name);
	int fd = parent < 0 ? -1 : open_to_write(parent, name);
	int error = errno;

	if (parent >= 0)
		close(parent);
	errno = error;
	return fd;
}

/* Whatever is too long stays for now. */
static int overwrite(struct running *run, const struct bs_files_step *step, const struct bs_files_row *row,
		     struct bs_err *err)
{
	struct bs_files_row was;

	read_row(step->remove, &was);
	if (was.size == row->size && memcmp(was.sha, row->sha, BS_SHA256_HEX - 1) == 0)
		return 0;
	int fd = open_live(run, step);
	if (fd < 0)
		return cannot(step, err);
	note(run, WROTE, step);
	int r = write_contents(run->s, fd, row->sha) < 0 ? cannot(step, err) : 0;
	close(fd);
	return r;
}

/* --- What can no longer fail for want of room -------------------------------------------------------- */

static int finish_directory(struct running *run, const struct bs_files_step *step, const struct bs_files_row *row,
			    struct bs_err *err)
{
	const char *name;
	int parent = bs_files_open_parent(run->s->live_fd, step->path_text, &name);
	int fd = parent < 0 ? -1 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 || set_metadata(fd, row) < 0 ? cannot(step, err) : 0;

	if (fd >= 0)
		close(fd);
	if (parent >= 0)
		close(parent);
	return r;
}

static int finish_file(struct running *run, const struct bs_files_step *step, const struct bs_files_row *row,
		       struct bs_err *err)
{
	int fd = open_live(run, step);
	int r = fd < 0 || ftruncate(fd, (off_t)row->size) < 0 || set_metadata(fd, row) < 0 ? cannot(step, err) : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

/* --- Back again -------------------------------------------------------------------------------------- */

static int take_back_write(struct running *run, const struct deed *deed)
{
	struct bs_files_row row;
	int fd = open_live(run, deed->step);

	read_row(deed->step->remove, &row);
	int r = fd < 0 || write_contents(run->s, fd, row.sha) < 0 || ftruncate(fd, (off_t)row.size) < 0 ||
				set_metadata(fd, &row) < 0
			? -1
			: 0;
	if (fd >= 0)
		close(fd);
	return r;
}

static int take_back(struct running *run, const struct deed *deed)
{
	const char *name;
	struct bs_files_row row;

	if (deed->kind == WROTE)
		return take_back_write(run, deed);
	int parent = bs_files_open_parent(run->s->live_fd, deed->step->path_text, &name);
	if (parent < 0)
		return -1;
	read_row(deed->step->put, &row);
	int r = deed->kind == MOVED ? renameat(run->s->staging_fd, deed->staged, parent, name)
				    : unlinkat(parent, name, row.type == BS_DIRECTORY ? AT_REMOVEDIR : 0);
	close(parent);
	return r;
}

static int take_all_back(struct running *run, int r, struct bs_err *err)
{
	for (size_t i = run->deed_count; i-- > 0;)
		if (take_back(run, &run->deeds[i]) < 0)
			return bs_err_set(err, BS_EINTERNAL, "'%s' could not be put back, nor left as it was: %s",
					  run->deeds[i].step->path_text, strerror(errno));
	return r;
}

/* --- All of it --------------------------------------------------------------------------------------- */

typedef int (*step_fn)(struct running *run, const struct bs_files_step *step, const struct bs_files_row *row,
		       struct bs_err *err);

static bool makes(const struct bs_files_step *step, const struct bs_files_row *row)
{
	return !step->in_place && !row->same_as.data;
}

static bool links(const struct bs_files_step *step, const struct bs_files_row *row)
{
	return !step->in_place && row->same_as.data;
}

static bool writes(const struct bs_files_step *step, const struct bs_files_row *row)
{
	return step->in_place && row->type == BS_FILE;
}

static bool is_directory(const struct bs_files_step *step, const struct bs_files_row *row)
{
	(void)step;
	return row->type == BS_DIRECTORY;
}

static int each(struct running *run, bool (*which)(const struct bs_files_step *, const struct bs_files_row *),
		step_fn fn, bool backwards, struct bs_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->plan->count; i++) {
		const struct bs_files_step *step = &run->plan->steps[backwards ? run->plan->count - 1 - i : i];
		struct bs_files_row row;
		if (!step->put.data)
			continue;
		read_row(step->put, &row);
		if (which(step, &row))
			r = fn(run, step, &row, err);
	}
	return r;
}

int bs_files_run(struct bs_files *s, const struct bs_files_plan *plan, struct bs_err *err)
{
	struct running run = {.s = s, .plan = plan};
	int r = 0;

	for (size_t i = plan->count; r == 0 && i-- > 0;) /* what is in a directory before it */
		if (plan->steps[i].remove.data && !plan->steps[i].in_place)
			r = move_away(&run, &plan->steps[i], err);
	if (r == 0)
		r = each(&run, makes, make, false, err);
	if (r == 0)
		r = each(&run, writes, overwrite, false, err);
	if (r == 0)
		r = each(&run, links, make, false, err);
	if (r == 0)
		r = each(&run, writes, finish_file, false, err);
	if (r == 0)
		r = each(&run, is_directory, finish_directory, true, err);
	if (r < 0)
		r = take_all_back(&run, r, err);
	bs_rmtree_empty(s->staging_fd);
	free(run.deeds);
	return r;
}

/* The shadow learns what is there now; that was written in this very tick, so it is looked at once more. */
static void move_shadow(struct bs_files *s, const struct bs_files_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct bs_files_step *step = &plan->steps[i];
		struct bs_files_entry *entry = bs_files_put(&s->shadow, step->path);
		struct bs_files_row row;
		const char *name;
		if (entry->image) /* a list of changes may still show it */
			*BS_PUSH(s->retired, s->retired_count) = entry->image;
		entry->image = step->put.data ? bs_xmemdup(step->put.data, step->put.len) : NULL;
		entry->image_len = step->put.len;
		entry->racy = true;
		if (!step->put.data)
			continue;
		read_row(step->put, &row);
		entry->linked = row.same_as.data != NULL;
		if (row.type == BS_FILE)
			memcpy(entry->sha, row.sha, BS_SHA256_HEX - 1);
		int parent = bs_files_open_parent(s->live_fd, step->path_text, &name);
		if (parent >= 0) {
			(void)fstatat(parent, name, &entry->st, AT_SYMLINK_NOFOLLOW);
			close(parent);
		}
	}
}

int bs_files_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	struct bs_files *s = (struct bs_files *)store;
	struct bs_files_plan plan;

	if (!s->tracking)
		return bs_err_set(err, BS_EINTERNAL, "apply before begin");
	if (!count)
		return 0;
	int r = bs_files_plan(s, rows, count, &plan, err);
	if (r < 0)
		return r;
	r = bs_files_check_unchanged(s, err);
	if (r == 0)
		r = bs_files_run(s, &plan, err);
	if (r == 0) {
		move_shadow(s, &plan);
		s->stats.applies++;
		s->stats.applied_rows += count;
	}
	bs_files_plan_release(&plan);
	return r;
}
