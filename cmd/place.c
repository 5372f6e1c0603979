/*
 * Where a model lies in its repository. The root is looked for on disk and git is not asked: in a container it is
 * often missing, or refuses a checkout that belongs to another user.
 */
#include "place.h"

#include "base/mem.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* A folder in a checkout, a file in a worktree and in a submodule. */
static bool is_root(const char *folder)
{
	BS_AUTOFREE char *git = bs_xasprintf("%s/.git", folder);

	return access(git, F_OK) == 0;
}

/* The folder or the nearest one above it that is the root of a repository; NULL: there is none. "" is the root of the
 * file system. */
static char *find_root(const char *folder)
{
	char *at = bs_xstrdup(folder);

	while (!is_root(at)) {
		char *slash = strrchr(at, '/');
		if (!slash) {
			free(at);
			return NULL;
		}
		*slash = 0;
	}
	return at;
}

/* What is left of path below folder; NULL: it lies elsewhere. */
static const char *below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	while (n && folder[n - 1] == '/')
		n--;
	return strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

char *bs_place_of_model(const char *folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *between = strcmp(folder, "/") == 0 ? "" : "/";
	BS_AUTOFREE char *whole = bs_xasprintf("%s%s%s", folder, between, slash ? slash + 1 : path);
	BS_AUTOFREE char *root = find_root(folder);
	BS_AUTOFREE char *here = root ? NULL : getcwd(NULL, 0);
	const char *top = root ? root : here, *shown = top ? below(whole, top) : NULL;

	return bs_xstrdup(shown ? shown : path);
}
