/*
 * Which revision of the application a run looked at: from the CI's variables, else from git in the model's
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

/* git rev-parse in a folder. */
static char *ask_git(const char *folder, bool branch)
{
	const char *revision_of[] = {"git", "-C", folder, "rev-parse", "HEAD", NULL};
	const char *branch_of[] = {"git", "-C", folder, "rev-parse", "--abbrev-ref", "HEAD", NULL};
	char *const *argv = (char *const *)(uintptr_t)(branch ? branch_of : revision_of);
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

void bs_find_revision(const char *folder, char **ret_revision, char **ret_branch)
{
	static const char *const revisions[] = {"GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", NULL};
	static const char *const branches[] = {"GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", NULL};

	*ret_revision = from_environment(revisions);
	*ret_branch = from_environment(branches);
	if (!*ret_revision)
		*ret_revision = ask_git(folder, false);
	if (!*ret_branch && *ret_revision)
		*ret_branch = ask_git(folder, true);
}
