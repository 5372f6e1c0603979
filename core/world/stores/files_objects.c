/* Files: contents kept aside, each once, under its SHA-256; and the folder in which things are made ready. */
#include "files.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK ((size_t)128 << 10)

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int bs_files_copy(int from_fd, int to_fd)
{
	if (ioctl(to_fd, FICLONE, from_fd) == 0)
		return 0;
	BS_AUTOFREE char *chunk = bs_xmalloc(CHUNK);
	for (;;) {
		ssize_t n = read(from_fd, chunk, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : 0;
		if (write_all(to_fd, chunk, (size_t)n) < 0)
			return -1;
	}
}

void bs_files_stage_name(struct bs_files *s, char ret_name[BS_FILES_NAME])
{
	snprintf(ret_name, BS_FILES_NAME, "%" PRIu64, s->staged++);
}

int bs_files_stage(struct bs_files *s, char ret_name[BS_FILES_NAME], struct bs_err *err)
{
	bs_files_stage_name(s, ret_name);
	int fd = openat(s->staging_fd, ret_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : bs_err_set(err, BS_ESTORE, "cannot keep a file aside: %s", strerror(errno));
}

int bs_files_object(const struct bs_files *s, const char *sha)
{
	char name[BS_SHA256_HEX];

	memcpy(name, sha, BS_SHA256_HEX - 1);
	name[BS_SHA256_HEX - 1] = 0;
	return openat(s->objects_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}
