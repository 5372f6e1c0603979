/*
 * Files: contents. A file may be written while it is read: it is read again then, a few times. When it was last
 * written in the tick in which we began to read, a later write of that tick would leave no trace in its times: then it
 * is called racy, and is read again the next time.
 */
#include "files.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK ((size_t)128 << 10)
#define SHOWN_MAX ((size_t)16 << 10) /* bytes of contents that people and rules see */
#define TRIES 5

/* What was there a moment ago, and is gone or of another kind, is worth another look. */
static int cannot(const char *verb, const char *path, struct bs_err *err)
{
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EINVAL)
		return bs_err_set(err, BS_EBUSY, "'%s' changes while it is looked at", path);
	return bs_err_set(err, BS_ESTORE, "cannot %s '%s': %s", verb, path, strerror(errno));
}

static int open_file(int top_fd, const char *path, struct bs_err *err)
{
	const char *name;
	int parent = bs_files_open_parent(top_fd, path, &name);
	int fd = parent < 0 ? -1 : openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int error = errno;

	if (parent >= 0)
		close(parent);
	errno = error;
	return fd >= 0 ? fd : cannot("read", path, err);
}

/* Hashes what fd gives; to_fd (or -1) gets a copy, shown (or NULL) all of it where it is small. */
static int take_in(int fd, int to_fd, struct bs_buf *shown, char ret_sha[BS_SHA256_HEX])
{
	BS_AUTOFREE char *chunk = bs_xmalloc(CHUNK);
	struct bs_sha256 *sha = bs_sha256_new();
	uint64_t total = 0;
	ssize_t n;

	while ((n = read(fd, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		ssize_t written = n > 0 && to_fd >= 0 ? write(to_fd, chunk, (size_t)n) : n;
		if (n < 0 || written != n) {
			if (n > 0 && written >= 0)
				errno = ENOSPC;
			bs_sha256_end(sha, ret_sha);
			return -1;
		}
		bs_sha256_add(sha, chunk, (size_t)n);
		total += (uint64_t)n;
		if (shown && total <= SHOWN_MAX)
			bs_buf_add(shown, chunk, (size_t)n);
	}
	if (shown && total > SHOWN_MAX)
		bs_buf_clear(shown);
	bs_sha256_end(sha, ret_sha);
	return 0;
}

/* By the clock that files are stamped with. */
static int64_t tick(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return bs_files_ns(t);
}

/* One attempt, of which st and racy say when it was; ret_moved: it was written meanwhile. */
static int read_once(int fd, struct bs_files_contents *contents, bool *ret_moved)
{
	struct stat before;
	int64_t began = tick();

	bs_buf_clear(&contents->shown);
	if (fstat(fd, &before) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    take_in(fd, -1, &contents->shown, contents->sha) < 0 || fstat(fd, &contents->st) < 0)
		return -1;
	*ret_moved = !bs_files_same_stat(&before, &contents->st);
	contents->racy = *ret_moved || bs_files_ns(contents->st.st_ctim) >= began;
	return 0;
}

/* A copy of what fd gives, under the name that was found for it; ret_moved: it is not the same any more. */
static int copy_aside(struct bs_files *s, int fd, const char *sha, bool *ret_moved, struct bs_err *err)
{
	char name[BS_FILES_NAME], copied[BS_SHA256_HEX];
	int to_fd = bs_files_stage(s, name, err);

	if (to_fd < 0)
		return to_fd;
	int bad = lseek(fd, 0, SEEK_SET) < 0 || take_in(fd, to_fd, NULL, copied) < 0;
	int error = errno;
	close(to_fd);
	*ret_moved = !bad && strcmp(copied, sha) != 0;
	if (!bad && !*ret_moved && renameat(s->staging_fd, name, s->objects_fd, sha) == 0)
		return 0;
	if (!bad)
		error = errno;
	unlinkat(s->staging_fd, name, 0);
	return *ret_moved ? 0 : bs_err_set(err, BS_ESTORE, "cannot keep a file aside: %s", strerror(error));
}

/* Most contents were seen before: an undone step is often done again. */
static int keep(struct bs_files *s, int fd, struct bs_files_contents *contents, bool *moved, struct bs_err *err)
{
	int known = bs_files_object(s, contents->sha);

	if (known < 0)
		return copy_aside(s, fd, contents->sha, moved, err);
	close(known);
	return 0;
}

int bs_files_read(struct bs_files *s, int top_fd, const char *path, struct bs_files_contents *ret_contents,
		  struct bs_err *err)
{
	bool moved = true;
	int fd = open_file(top_fd, path, err);

	ret_contents->shown = (struct bs_buf)BS_BUF_INIT;
	if (fd < 0)
		return fd;
	int r = 0;
	for (int try = 0; r == 0 && moved && try < TRIES; try++) {
		if (read_once(fd, ret_contents, &moved) < 0)
			r = cannot("read", path, err);
		else
			r = keep(s, fd, ret_contents, &moved, err);
	}
	close(fd);
	if (r == 0 && moved) /* something writes to it all the time */
		r = bs_err_set(err, BS_EBUSY, "'%s' changes while it is looked at", path);
	if (r < 0 && r != BS_EBUSY)
		bs_err_wrap(err, "'%s'", path);
	return r;
}

int bs_files_hash(const struct bs_files *s, int top_fd, const char *path, char ret_sha[BS_SHA256_HEX],
		  struct bs_err *err)
{
	int fd = open_file(top_fd, path, err);

	(void)s;
	if (fd < 0)
		return fd;
	int r = take_in(fd, -1, NULL, ret_sha) < 0 ? cannot("read", path, err) : 0;
	close(fd);
	return r;
}

int bs_files_read_link(int top_fd, const char *path, struct bs_buf *ret_target, struct bs_err *err)
{
	char target[PATH_MAX];
	const char *name;
	int parent = bs_files_open_parent(top_fd, path, &name);
	ssize_t n = parent < 0 ? -1 : readlinkat(parent, name, target, sizeof target);
	int error = errno;

	if (parent >= 0)
		close(parent);
	errno = error;
	if (n < 0)
		return cannot("read", path, err);
	bs_buf_add(ret_target, target, (size_t)n);
	return 0;
}
