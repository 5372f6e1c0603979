/*
 * Redis in place: one run at a time has the database, and a run that is killed leaves a file with the keys as they
 * were, from which the next one puts them back. The file is not in the server, where the application could flush it.
 * It lies in $XDG_STATE_HOME/backstep (~/.local/state/backstep), in a folder of its own that is locked as long as the
 * run lives. Runs of other users or machines, which do not see that lock, see the name of a connection.
 */
#include "redis.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "keys"
#define FILE_NEW "keys.new"
#define MAGIC "backstep redis keys 1\n"
#define MAGIC_LEN (sizeof MAGIC - 1)

/* --- The folder -------------------------------------------------------------------------------------- */

static int make_folder(const char *path, struct bs_err *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return bs_err_set(err, BS_EIO, "cannot make '%s': %s", path, strerror(errno));
	return 0;
}

static int make_folders(struct bs_redis *s, struct bs_err *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	bool own = state && state[0] == '/';
	struct bs_hash hash = bs_hash_bytes(s->location, strlen(s->location));
	int r = 0;

	if (!own && (!home || home[0] != '/'))
		return bs_err_set(err, BS_EIO, "in place a file is kept to put the keys back after a kill, and neither HOME "
				  "nor XDG_STATE_HOME says where");
	BS_AUTOFREE char *base = own ? bs_xstrdup(state) : bs_xasprintf("%s/.local/state", home);
	BS_AUTOFREE char *ours = bs_xasprintf("%s/backstep", base);
	for (char *slash = strchr(base + 1, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		r = make_folder(base, err);
		*slash = '/';
	}
	if (r == 0)
		r = make_folder(base, err);
	if (r == 0)
		r = make_folder(ours, err);
	free(s->leftover_path);
	s->leftover_path = bs_xasprintf("%s/redis-%016" PRIx64, ours, hash.lo);
	return r == 0 ? make_folder(s->leftover_path, err) : r;
}

static int taken(const struct bs_redis *s, struct bs_err *err)
{
	return bs_err_set(err, BS_ESTORE, "another run uses %s in place; wait for it to end", s->location);
}

static int lock_folder(struct bs_redis *s, struct bs_err *err)
{
	for (;;) {
		struct stat st;
		int r = make_folders(s, err);
		if (r < 0)
			return r;
		int fd = open(s->leftover_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue; /* removed by a run that ended just now */
		if (fd < 0)
			return bs_err_set(err, BS_EIO, "cannot open '%s': %s", s->leftover_path, strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			close(fd);
			return taken(s, err);
		}
		if (fstat(fd, &st) == 0 && st.st_nlink > 0) {
			s->leftover_fd = fd;
			return 0;
		}
		close(fd);
	}
}

/* --- The connection's name --------------------------------------------------------------------------- */

static int hold_name(struct bs_redis *s, struct bs_err *err)
{
	BS_AUTOFREE char *name = bs_xasprintf("backstep:in-place:%u", s->url.db);
	BS_AUTOFREE char *needle = bs_xasprintf(" name=%s ", name);
	BS_REPLY *list = NULL;
	int r = bs_redis_connect_live(s, &s->hold, err);

	if (r == 0)
		r = bs_redis_ask(s, s->hold, NULL, err, "CLIENT SETNAME %s", name);
	if (r == 0)
		r = bs_redis_ask(s, s->hold, &list, err, "CLIENT LIST");
	if (r < 0)
		return r;
	const char *first = strstr(list->str, needle);
	return first && strstr(first + 1, needle) ? taken(s, err) : 0;
}

int bs_redis_leftover_open(struct bs_redis *s, struct bs_err *err)
{
	int r = lock_folder(s, err);

	return r == 0 ? hold_name(s, err) : r;
}

void bs_redis_leftover_close(struct bs_redis *s)
{
	bs_redis_hang_up(&s->hold);
	if (s->leftover_fd >= 0) {
		rmdir(s->leftover_path); /* stays where keys are in it */
		close(s->leftover_fd);
	}
	free(s->leftover_path);
	s->leftover_path = NULL;
	s->leftover_fd = -1;
}

/* --- The file ---------------------------------------------------------------------------------------- */

/* Magic, then each image with its length in front, then a length of 0 and a hash of everything before. */
static void add_images(const struct bs_redis_keys *keys, struct bs_buf *bytes)
{
	uint32_t end = 0;

	bs_buf_adds(bytes, MAGIC);
	for (size_t i = 0; i < keys->count; i++) {
		if (!keys->items[i].image)
			continue;
		bs_buf_add(bytes, &keys->items[i].image_len, sizeof end);
		bs_buf_add(bytes, keys->items[i].image, keys->items[i].image_len);
	}
	bs_buf_add(bytes, &end, sizeof end);
	struct bs_hash hash = bs_hash_bytes(bytes->data, bytes->len);
	bs_buf_add(bytes, &hash, sizeof hash);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

int bs_redis_leftover_write(struct bs_redis *s, const struct bs_redis_keys *keys, struct bs_err *err)
{
	struct bs_buf bytes = BS_BUF_INIT;
	int fd = openat(s->leftover_fd, FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	add_images(keys, &bytes);
	int bad = fd < 0 || write_all(fd, bytes.data, bytes.len) < 0 ||
		  renameat(s->leftover_fd, FILE_NEW, s->leftover_fd, FILE_NAME) < 0;
	int error = errno;
	if (fd >= 0)
		close(fd);
	bs_buf_release(&bytes);
	if (!bad)
		return 0;
	unlinkat(s->leftover_fd, FILE_NEW, 0);
	return bs_err_set(err, BS_EIO, "cannot write '%s/" FILE_NAME "', from which keys are put back after a kill: %s",
			  s->leftover_path, strerror(error));
}

static int read_file(struct bs_redis *s, struct bs_buf *bytes, bool *ret_found, struct bs_err *err)
{
	char part[65536];
	ssize_t n = 0;
	int fd = openat(s->leftover_fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*ret_found = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		return 0;
	while (fd >= 0 && (n = read(fd, part, sizeof part)) > 0)
		bs_buf_add(bytes, part, (size_t)n);
	int error = errno;
	if (fd >= 0)
		close(fd);
	return fd < 0 || n < 0 ? bs_err_set(err, BS_EIO, "cannot read '%s/" FILE_NAME "': %s", s->leftover_path,
					     strerror(error))
			       : 0;
}

static int take_images(const char *data, size_t len, struct bs_redis_keys *keys, struct bs_err *err)
{
	struct bs_hash hash;
	uint32_t n = 1;
	size_t at = MAGIC_LEN, end = len < sizeof hash ? 0 : len - sizeof hash;

	if (end < MAGIC_LEN || memcmp(data, MAGIC, MAGIC_LEN) != 0)
		return bs_err_set(err, BS_EIO, "it is no file of keys");
	memcpy(&hash, data + end, sizeof hash);
	if (!bs_hash_equal(hash, bs_hash_bytes(data, end)))
		return bs_err_set(err, BS_EIO, "it is damaged");
	while (at + sizeof n <= end) {
		struct bs_redis_row row;
		memcpy(&n, data + at, sizeof n);
		at += sizeof n;
		if (!n || n > end - at)
			break;
		int r = bs_redis_row_read((struct bs_blob){data + at, n}, &row, err);
		if (r < 0 || row.name.db >= keys->databases)
			return r < 0 ? r : bs_err_set(err, BS_EIO, "it is of a server with more databases");
		bs_redis_keys_set(keys, &row.name, bs_xmemdup(data + at, n), n, &row, row.expires_ms, NULL);
		at += n;
	}
	return 0;
}

int bs_redis_leftover_read(struct bs_redis *s, struct bs_redis_keys *keys, bool *ret_found, struct bs_err *err)
{
	struct bs_buf bytes = BS_BUF_INIT;
	int r = read_file(s, &bytes, ret_found, err);

	if (r == 0 && *ret_found) {
		r = take_images(bs_buf_text(&bytes), bytes.len, keys, err);
		if (r < 0)
			bs_err_wrap(err, "'%s/" FILE_NAME "', left by a run that was killed, cannot be used; remove it when the "
				    "keys are as they should be", s->leftover_path);
	}
	bs_buf_release(&bytes);
	return r;
}

void bs_redis_leftover_remove(struct bs_redis *s)
{
	if (s->leftover_fd >= 0)
		unlinkat(s->leftover_fd, FILE_NAME, 0);
}
