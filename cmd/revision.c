/*
 * Which revision of which repository a run looked at: from the CI's variables, else from git in the model's
 * folder. Not knowing is no error.
 */
#include "revision.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256

extern char **environ;

static char *from_environment(const char *const *names)
{
	for (; *names; names++) {
		const char *value = getenv(*names);
		if (value && *value)
			return bs_xstrdup(value);
	}
	return NULL;
}

/* Reads to the end, so that the child never blocks; keeps the first line. */
static char *first_line(int fd)
{
	char kept[LINE_MAX_BYTES] = "", chunk[LINE_MAX_BYTES];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
		for (ssize_t i = 0; i < n; i++)
			if (len + 1 < sizeof kept)
				kept[len++] = chunk[i];
	kept[len] = 0;
	kept[strcspn(kept, "\r\n")] = 0;
	return *kept ? bs_xstrdup(kept) : NULL;
}

/* The first line that git prints in a folder. */
static char *ask_git(const char *folder, const char *command, const char *option, const char *what)
{
	const char *words[] = {"git", "-C", folder, command, option, what, NULL};
	char *const *argv = (char *const *)(uintptr_t)words;
	posix_spawn_file_actions_t actions;
	char *line = NULL;
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	int spawned = posix_spawnp(&pid, "git", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (spawned == 0) {
		line = first_line(ends[0]);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			free(line);
			line = NULL;
		}
	}
	close(ends[0]);
	return line;
}

/* A remote as git has it, as a URL that anybody may read: user names, passwords and tokens are left out, and the short
 * form of ssh, git@host:path, is written out. NULL for what is none, such as a folder of this machine. */
static char *public_url(const char *remote)
{
	const char *scheme = strstr(remote, "://"), *rest = scheme ? scheme + 3 : remote;
	size_t authority = strcspn(rest, scheme ? "/?#" : ":/"), secret = strcspn(rest, "?#");
	const char *at = memrchr(rest, '@', authority), *host = at ? at + 1 : rest;
	size_t host_len = (size_t)(rest + authority - host);
	bool file = strncmp(remote, "file:", 5) == 0;

	if (!host_len || file || strpbrk(remote, " \t\\"))
		return NULL;
	if (scheme)
		return bs_xasprintf("%.*s%.*s", (int)(rest - remote), remote, (int)(rest + secret - host), host);
	if (rest[authority] != ':' || !rest[authority + 1])
		return NULL;
	return bs_xasprintf("ssh://%.*s/%s", (int)host_len, host, rest + authority + 1 + (rest[authority + 1] == '/'));
}

static char *find_repository(const char *folder)
{
	static const char *const urls[] = {"CI_PROJECT_URL", "GIT_URL", NULL};
	const char *server = getenv("GITHUB_SERVER_URL"), *name = getenv("GITHUB_REPOSITORY");
	BS_AUTOFREE char *remote = server && *server && name && *name ? bs_xasprintf("%s/%s", server, name)
								     : from_environment(urls);

	if (!remote)
		remote = ask_git(folder, "config", "--get", "remote.origin.url");
	return remote ? public_url(remote) : NULL;
}

void bs_find_revision(const char *folder, struct bs_revision *ret_revision)
{
	static const char *const revisions[] = {"GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", NULL};
	static const char *const branches[] = {"GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", NULL};

	struct bs_revision found = {.id = from_environment(revisions), .branch = from_environment(branches)};

	if (!found.id)
		found.id = ask_git(folder, "rev-parse", "--verify", "HEAD");
	if (!found.branch && found.id)
		found.branch = ask_git(folder, "rev-parse", "--abbrev-ref", "HEAD");
	if (found.id)
		found.repository = find_repository(folder);
	*ret_revision = found;
}

void bs_revision_release(struct bs_revision *revision)
{
	free(revision->id);
	free(revision->branch);
	free(revision->repository);
}
