/*
 * The application of the contract test for files: see writer.h. It writes as applications do and as they should not:
 * in place, by renaming over, through descriptors that stay open, with hard and symbolic links, in directories that
 * come and go, in names of any bytes, several times within one tick of the clock.
 *
 *   contract_files_writer - DIRECTORY
 */
#include "writer_program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT 4

static const char *const names[] = {"a", "b", "sub/a", "sub/b", "sub/deep/c", "17.txt", "other/17.txt", "\xff\xfe",
				    "caf\xc3\xa9", "a-", "line\nbreak", "sub/deep/d"};
static const char *const directories[] = {"sub", "sub/deep", "other", "empty", "a"};

static int kept[KEPT] = {-1, -1, -1, -1}; /* as a log file stays open */

static const char *any_name(void)
{
	return names[writer_below(COUNT(names))];
}

static size_t any_bytes(char *bytes, size_t size)
{
	size_t len = writer_below(6) ? writer_below(60) : writer_below((unsigned)size);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)writer_below(256);
	return len;
}

static void write_some(int fd)
{
	static char bytes[70000];
	size_t len = any_bytes(bytes, sizeof bytes);

	if (fd >= 0 && write(fd, bytes, len) < 0)
		printf("bad write: %s\n", strerror(errno));
}

static void open_and_write(const char *name, int flags)
{
	int fd = open(name, flags | O_NOFOLLOW | O_NONBLOCK, 0644);

	write_some(fd);
	if (fd >= 0)
		close(fd);
}

static void replace(const char *name)
{
	open_and_write("temporary", O_WRONLY | O_CREAT | O_TRUNC);
	if (rename("temporary", name) < 0)
		unlink("temporary");
}

static void keep_open(const char *name)
{
	int *slot = &kept[writer_below(KEPT)];

	if (*slot >= 0)
		close(*slot);
	*slot = open(name, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | (writer_below(2) ? O_CREAT : 0), 0600);
}

static void use_kept(void)
{
	int fd = kept[writer_below(KEPT)];

	if (fd < 0)
		return;
	if (writer_below(4) == 0)
		(void)!ftruncate(fd, writer_below(40));
	else
		write_some(fd);
}

static void clear(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char inner[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
		if (unlink(inner) < 0)
			clear(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

/* What cannot be done (there is no such file, or one too many) is part of life. */
static void do_one(void)
{
	static const mode_t modes[] = {0644, 0600, 0755, 0400, 0640};
	const char *name = any_name(), *other = any_name();

	switch (writer_below(20)) {
	case 0: case 1: case 2: open_and_write(name, O_WRONLY | O_CREAT | O_TRUNC); break;
	case 3: open_and_write(name, O_WRONLY); break;
	case 4: open_and_write(name, O_WRONLY | O_APPEND); break;
	case 5: (void)!truncate(name, writer_below(90)); break;
	case 6: case 7: replace(name); break;
	case 8: unlink(name); break;
	case 9: (void)!rename(name, other); break;
	case 10: (void)!link(name, other); break;
	case 11: (void)!symlink(other, name); break;
	case 12: case 13: mkdir(directories[writer_below(COUNT(directories))], 0755); break;
	case 14: rmdir(directories[writer_below(COUNT(directories))]); break;
	case 15: (void)!chmod(name, modes[writer_below(COUNT(modes))]); break;
	case 16: keep_open(name); break;
	case 17: case 18: use_kept(); break;
	default:
		if (writer_below(12) == 0)
			clear(directories[writer_below(COUNT(directories))]);
		else
			(void)!rename(directories[writer_below(COUNT(directories))],
				      directories[writer_below(COUNT(directories))]);
		break;
	}
}

static void act(uint64_t seed)
{
	writer_seed(seed);
	for (unsigned count = 1 + writer_below(5); count > 0; count--)
		do_one();
	puts("ok");
}

static void setup(void)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		writer_seed(seed);
		do_one();
	}
	puts("ok");
}

/* --- Everything, as this program sees it -------------------------------------------------------------- */

static uint64_t sum_file(const char *path, const struct stat *st)
{
	static char bytes[1 << 16];
	uint64_t sum = writer_mix(WRITER_SUM_INIT, path, strlen(path));
	ssize_t n;

	sum = writer_mix(sum, &st->st_mode, sizeof st->st_mode);
	if (S_ISDIR(st->st_mode))
		return sum;
	sum = writer_mix(sum, &st->st_mtim.tv_sec, sizeof st->st_mtim.tv_sec);
	sum = writer_mix(sum, &st->st_mtim.tv_nsec, sizeof st->st_mtim.tv_nsec);
	if (S_ISREG(st->st_mode)) /* symbolic links that are hard links of one another become two */
		sum = writer_mix(sum, &st->st_nlink, sizeof st->st_nlink);
	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, bytes, sizeof bytes);
		return writer_mix(sum, bytes, n > 0 ? (size_t)n : 0);
	}
	int fd = open(path, O_RDONLY);
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		sum = writer_mix(sum, bytes, (size_t)n);
	close(fd);
	return sum;
}

static uint64_t sum_directory(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char inner[PATH_MAX];
	struct stat st;
	uint64_t sum = 0;

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
		if (lstat(inner, &st) < 0)
			continue;
		sum += sum_file(inner, &st);
		if (S_ISDIR(st.st_mode))
			sum += sum_directory(inner) * 31;
	}
	if (dir)
		closedir(dir);
	return sum;
}

static void sum(void)
{
	printf("sum %" PRIx64 "\n", sum_directory("."));
}

static void check(void)
{
	puts("ok");
}

int main(int argc, char **argv)
{
	static const struct writer_program program = {setup, act, sum, check};

	if (argc != 3 || chdir(argv[2]) < 0)
		return 2;
	writer_serve(&program);
	return 0;
}
