/* Files: what is there. Directories are opened from their parent, never by a path, and links are not followed. */
#include "files.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 200 /* each takes a descriptor */

struct walking {
	const struct bs_files *s;
	struct bs_files_walk *walk;
	struct bs_buf path;
	unsigned depth;
};

int64_t bs_files_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool bs_files_same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid && bs_files_ns(a->st_mtim) == bs_files_ns(b->st_mtim) &&
	       bs_files_ns(a->st_ctim) == bs_files_ns(b->st_ctim);
}

static int refuse_kind(const struct walking *w, mode_t mode, struct bs_err *err)
{
	const char *kind = S_ISSOCK(mode) ? "a socket" : S_ISFIFO(mode) ? "a pipe" : "a device";

	return bs_err_set(err, BS_ESTORE, "'%s' is %s, which cannot be put back: let the application have it elsewhere",
			  bs_buf_text(&w->path), kind);
}

static int cannot_read(const struct walking *w, struct bs_err *err)
{
	return bs_err_set(err, BS_ESTORE, "cannot read '%s': %s", w->path.len ? bs_buf_text(&w->path) : ".",
			  strerror(errno));
}

static int walk_directory(struct walking *w, int fd, struct bs_err *err);

static int walk_entry(struct walking *w, int dir_fd, const char *name, struct bs_err *err)
{
	struct stat st;
	size_t len = w->path.len;

	if (len)
		bs_buf_addc(&w->path, '/');
	bs_buf_adds(&w->path, name);
	int r = 0;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		r = errno == ENOENT ? 0 : cannot_read(w, err); /* it went while we looked */
	} else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
		r = refuse_kind(w, st.st_mode, err);
	} else if (w->walk->count == w->s->entries_max) {
		r = bs_err_set(err, BS_ESTORE, "there are more than %zu files, too many to look at after each step",
			       w->s->entries_max);
	} else {
		*BS_PUSH(w->walk->items, w->walk->count) = (struct bs_files_found){
			.path = bs_arena_dup(&w->walk->arena, bs_buf_text(&w->path), w->path.len),
			.path_len = (uint32_t)w->path.len,
			.st = st};
		if (S_ISDIR(st.st_mode)) {
			int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (fd >= 0)
				r = walk_directory(w, fd, err);
			else if (errno != ENOENT)
				r = cannot_read(w, err);
		}
	}
	w->path.len = len;
	if (w->path.data)
		w->path.data[len] = 0;
	return r;
}

/* Takes fd over. */
static int walk_directory(struct walking *w, int fd, struct bs_err *err)
{
	const struct dirent *entry;
	int r = 0;

	if (++w->depth > DEPTH_MAX) {
		close(fd);
		return bs_err_set(err, BS_ESTORE, "directories are nested more than %d deep", DEPTH_MAX);
	}
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return cannot_read(w, err);
	}
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = walk_entry(w, dirfd(dir), entry->d_name, err);
	closedir(dir);
	w->depth--;
	return r;
}

/* A directory stands before what is in it. */
static int by_path(const void *a, const void *b)
{
	const struct bs_files_found *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int by_inode(const void *a, const void *b)
{
	const struct bs_files_found *x = *(const struct bs_files_found *const *)a;
	const struct bs_files_found *y = *(const struct bs_files_found *const *)b;

	if (x->st.st_ino != y->st.st_ino)
		return x->st.st_ino < y->st.st_ino ? -1 : 1;
	if (x->st.st_dev != y->st.st_dev)
		return x->st.st_dev < y->st.st_dev ? -1 : 1;
	return strcmp(x->path, y->path);
}

static void find_hard_links(struct bs_files_walk *walk)
{
	BS_AUTOFREE struct bs_files_found **linked = bs_xcalloc(walk->count, sizeof *linked);
	size_t n = 0;

	for (size_t i = 0; i < walk->count; i++)
		if (S_ISREG(walk->items[i].st.st_mode) && walk->items[i].st.st_nlink > 1)
			linked[n++] = &walk->items[i];
	if (n > 1)
		qsort(linked, n, sizeof *linked, by_inode);
	for (size_t i = 1, first = 0; i < n; i++)
		if (linked[i]->st.st_ino == linked[first]->st.st_ino && linked[i]->st.st_dev == linked[first]->st.st_dev)
			linked[i]->same_as = linked[first];
		else
			first = i;
}

int bs_files_walk(const struct bs_files *s, int top_fd, struct bs_files_walk *ret_walk, struct bs_err *err)
{
	struct walking w = {.s = s, .walk = ret_walk, .path = BS_BUF_INIT};
	int fd = openat(top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret_walk = (struct bs_files_walk){0};
	int r = fd < 0 ? cannot_read(&w, err) : walk_directory(&w, fd, err);
	bs_buf_release(&w.path);
	if (r < 0) {
		bs_files_walk_release(ret_walk);
		return r;
	}
	if (ret_walk->count > 1)
		qsort(ret_walk->items, ret_walk->count, sizeof *ret_walk->items, by_path);
	find_hard_links(ret_walk);
	return 0;
}

void bs_files_walk_release(struct bs_files_walk *walk)
{
	free(walk->items);
	bs_arena_release(&walk->arena);
	*walk = (struct bs_files_walk){0};
}

int bs_files_open_parent(int top_fd, const char *path, const char **ret_name)
{
	int fd = openat(top_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (const char *slash; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
		char name[NAME_MAX + 1];
		size_t len = (size_t)(slash - path);
		int next = -1;
		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
		} else {
			memcpy(name, path, len);
			name[len] = 0;
			next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		}
		int error = errno;
		close(fd);
		errno = error;
		fd = next;
	}
	*ret_name = path;
	return fd;
}
