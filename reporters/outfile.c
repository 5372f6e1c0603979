/* Whole files or none. See outfile.h. */
#include "outfile.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 100 /* temporary names that are tried */

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static int failed(const char *path, struct bs_err *err)
{
	return bs_err_set(err, BS_EIO, "cannot write '%s': %s", path, strerror(errno));
}

/* Writes and closes. On failure errno is that of the first call that failed. */
static bool write_and_close(int fd, const char *data, size_t len)
{
	bool written = write_all(fd, data, len);
	int error = errno;

	if (close(fd) != 0 && written)
		return false;
	errno = error;
	return written;
}

static int write_in_place(const char *path, const char *data, size_t len, struct bs_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	return fd >= 0 && write_and_close(fd, data, len) ? 0 : failed(path, err);
}

/* Creates a file in the folder of path that did not exist. Not mkstemp(): its files are for their owner only, and a
 * report is read by others as the umask allows. */
static int open_temporary(const char *path, char **ret_name)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;

	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char *name = bs_xasprintf("%.*s.backstep-%ld-%u.tmp", folder, path, (long)getpid(), i);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0) {
			*ret_name = name;
			return fd;
		}
		free(name);
		if (errno != EEXIST)
			break;
	}
	return -1;
}

static int replace(const char *path, const char *data, size_t len, struct bs_err *err)
{
	BS_AUTOFREE char *temporary = NULL;
	int fd = open_temporary(path, &temporary);

	if (fd < 0)
		return failed(path, err);
	if (write_and_close(fd, data, len) && rename(temporary, path) == 0)
		return 0;
	int r = failed(path, err);
	unlink(temporary);
	return r;
}

int bs_outfile_write(const char *path, const char *data, size_t len, struct bs_err *err)
{
	struct stat status;

	if (strcmp(path, "-") == 0)
		return fflush(stdout) == 0 && write_all(STDOUT_FILENO, data, len) ? 0 : failed("standard output", err);
	if (lstat(path, &status) != 0)
		return replace(path, data, len, err);
	if (stat(path, &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
		return write_in_place(path, data, len, err);
	BS_AUTOFREE char *target = realpath(path, NULL);
	return replace(target ? target : path, data, len, err);
}

int bs_outfile_append(const char *path, const char *data, size_t len, struct bs_err *err)
{
	struct stat before = {0};
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		return failed(path, err);
	if (fstat(fd, &before) == 0 && write_all(fd, data, len))
		return close(fd) == 0 ? 0 : failed(path, err);
	int r = failed(path, err);
	if (S_ISREG(before.st_mode) && ftruncate(fd, before.st_size) != 0)
		bs_err_wrap(err, "half of the report stands in it");
	close(fd);
	return r;
}
