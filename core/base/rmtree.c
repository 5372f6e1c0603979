/*
 * What an application under test leaves in the work directory is not ours to trust: links that lead out of
 * it, directories without permissions, ten thousand levels of nesting. So nothing here goes by a path longer
 * than one name, and nothing recurses: a directory that is found further down is first moved up into the top
 * one, under a name of ours, and emptied there. That needs two descriptors whatever the depth, and as a mount
 * point cannot be renamed, it also keeps us out of file systems that are not the work directory's.
 */
#include "rmtree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIFTED ".backstep-removed-"
#define NAME_SIZE 64

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_lifted(const char *name)
{
	return strncmp(name, LIFTED, sizeof LIFTED - 1) == 0;
}

struct sweep {
	int top;
	dev_t device;    /* the file system of top */
	unsigned serial; /* of the names of ours */
	size_t progress; /* entries of this pass that were removed, or moved up */
	size_t left;     /* entries of this pass that were not removed */
};

/* A directory that its owner may not read is ours to remove all the same, so it is made readable. Returns an
 * O_PATH descriptor, or -1 when there is no directory of that name, or one of another file system. */
static int open_up(const struct sweep *sweep, int parent, const char *name)
{
	char self[NAME_SIZE];
	struct stat about;
	int handle = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (handle < 0)
		return -1;
	if (fstat(handle, &about) < 0 || about.st_dev != sweep->device) {
		close(handle);
		return -1;
	}
	snprintf(self, sizeof self, "/proc/self/fd/%d", handle); /* fchmod() refuses O_PATH */
	(void)!chmod(self, 0700);
	return handle;
}

static DIR *open_dir(const struct sweep *sweep, int parent, const char *name)
{
	int handle = open_up(sweep, parent, name);

	if (handle < 0)
		return NULL;
	int fd = openat(handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(handle);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

/* To move a directory to another one is to write to it: its ".." changes. */
static bool move_up(const struct sweep *sweep, int from, const char *name, const char *new_name)
{
	if (renameat(from, name, sweep->top, new_name) == 0)
		return true;
	if (errno != EACCES)
		return false;
	int handle = open_up(sweep, from, name);
	if (handle < 0)
		return false;
	close(handle);
	return renameat(from, name, sweep->top, new_name) == 0;
}

/* Moves a directory up into top. False for what cannot be moved, such as a mount point. */
static bool lift(struct sweep *sweep, int from, const char *name, char ret_name[NAME_SIZE])
{
	do
		snprintf(ret_name, NAME_SIZE, LIFTED "%u", sweep->serial++);
	while (faccessat(sweep->top, ret_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	if (!move_up(sweep, from, name, ret_name))
		return false;
	sweep->progress++;
	return true;
}

/* Removes a directory of top whose sub-directories are moved up, to be found by a later pass. */
static bool dissolve(struct sweep *sweep, const char *name)
{
	char lifted[NAME_SIZE];
	DIR *dir = open_dir(sweep, sweep->top, name);
	const struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		if (!is_dots(entry->d_name) && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			lift(sweep, dirfd(dir), entry->d_name, lifted);
	closedir(dir);
	return unlinkat(sweep->top, name, AT_REMOVEDIR) == 0;
}

static bool remove_entry(struct sweep *sweep, const char *name)
{
	char lifted[NAME_SIZE];

	if (unlinkat(sweep->top, name, 0) == 0)
		return true;
	if (is_lifted(name)) /* not once more: a pass that renames what it reads might never end */
		return dissolve(sweep, name);
	return lift(sweep, sweep->top, name, lifted) && dissolve(sweep, lifted);
}

static void pass(struct sweep *sweep)
{
	DIR *dir = open_dir(sweep, sweep->top, ".");
	const struct dirent *entry;

	sweep->progress = sweep->left = 0;
	if (!dir) {
		sweep->left = 1;
		return;
	}
	while ((entry = readdir(dir))) {
		if (is_dots(entry->d_name))
			continue;
		if (remove_entry(sweep, entry->d_name))
			sweep->progress++;
		else
			sweep->left++;
	}
	closedir(dir);
}

bool bs_rmtree_empty(int dir_fd)
{
	struct stat about;

	if (fstat(dir_fd, &about) < 0)
		return false;
	struct sweep sweep = {.top = dir_fd, .device = about.st_dev};
	/* Until a pass finds nothing: one that moved something up may not have seen it there. */
	do
		pass(&sweep);
	while (sweep.progress);
	return sweep.left == 0;
}
