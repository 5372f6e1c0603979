/* libfaketime's file and variables. See clock.h, and faketime(1). */
#include "clock.h"

#include "base/mem.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct bs_clock {
	char *library;
	char *path, *next_path; /* the file, and the one that is renamed to it */
};

/* The build for programs with threads serves those without as well. */
static char *find_library(void)
{
	static const char *const patterns[] = {"/usr/lib/*/faketime/libfaketimeMT.so.1",
					       "/usr/lib*/faketime/libfaketimeMT.so.1",
					       "/usr/local/lib*/faketime/libfaketimeMT.so.1"};
	char *found = NULL;

	for (size_t i = 0; !found && i < BS_COUNT(patterns); i++) {
		glob_t list;
		if (glob(patterns[i], 0, NULL, &list) == 0) {
			found = bs_xstrdup(list.gl_pathv[0]);
			globfree(&list);
		}
	}
	return found;
}

int bs_clock_new(const char *folder, struct bs_clock **ret_clock, struct bs_err *err)
{
	char *library = find_library();

	if (!library)
		return bs_err_set(err, BS_ETARGET,
				  "'advance' needs libfaketime, which is not here; install the package libfaketime");
	struct bs_clock *clock = bs_xcalloc(1, sizeof *clock);
	clock->library = library;
	clock->path = bs_xasprintf("%s/clock", folder);
	clock->next_path = bs_xasprintf("%s/clock.next", folder);
	int r = bs_clock_set(clock, 0, err);
	if (r < 0)
		bs_clock_free(clock);
	else
		*ret_clock = clock;
	return r;
}

void bs_clock_free(struct bs_clock *clock)
{
	if (!clock)
		return;
	unlink(clock->path);
	free(clock->library);
	free(clock->path);
	free(clock->next_path);
	free(clock);
}

/* Renamed, so that nobody reads half a number. */
int bs_clock_set(struct bs_clock *clock, uint64_t ahead_ms, struct bs_err *err)
{
	FILE *file = fopen(clock->next_path, "we");
	bool good = file && fprintf(file, "+%" PRIu64 ".%03u\n", ahead_ms / 1000, (unsigned)(ahead_ms % 1000)) > 0;

	good &= file && fclose(file) == 0;
	if (good && rename(clock->next_path, clock->path) == 0)
		return 0;
	return bs_err_set(err, BS_EIO, "cannot set the clock in '%s': %s", clock->path, strerror(errno));
}

char **bs_clock_env(const struct bs_clock *clock, const char *preload)
{
	char **env = bs_xcalloc(7, sizeof *env);

	env[0] = bs_xasprintf("LD_PRELOAD=%s%s%s", clock->library, preload && *preload ? ":" : "", preload ? preload : "");
	env[1] = bs_xasprintf("FAKETIME_TIMESTAMP_FILE=%s", clock->path);
	env[2] = bs_xstrdup("FAKETIME_NO_CACHE=1");
	env[3] = bs_xstrdup("FAKETIME_DONT_FAKE_MONOTONIC=1");
	env[4] = bs_xstrdup("FAKETIME_DONT_RESET=1");
	env[5] = bs_xstrdup("NO_FAKE_STAT=1"); /* files keep their times: what was written a month ago looks so */
	return env;
}

bool bs_clock_loaded(pid_t pid)
{
	BS_AUTOFREE char *path = bs_xasprintf("/proc/%ld/maps", (long)pid);
	BS_AUTOFREE char *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *maps = fopen(path, "re");

	while (maps && !found && getline(&line, &size, maps) > 0)
		found = strstr(line, "/libfaketime") != NULL;
	if (maps)
		fclose(maps);
	return found;
}
