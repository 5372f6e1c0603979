/* What the tests of the application and of the guard share; the header tells what each is for. */
#include "tests/unit/app_fixture.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000 /* only ever waited for when the test fails */

char folder[] = "/tmp/backstep-test-XXXXXX";
int at = -1;

int make_folder(void **state)
{
	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!mkdtemp(folder))
		return -1;
	at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return at < 0 ? -1 : 0;
}

int remove_folder(void **state)
{
	(void)state;
	close(at);
	if (bs_guard_start(folder, NULL) < 0)
		return -1;
	bs_guard_end();
	return exists(folder) ? -1 : 0;
}

int no_child_is_left(void **state)
{
	int waited_ms = 0;

	(void)state;
	bs_guard_end();
	while (waitpid(-1, NULL, WNOHANG) >= 0) /* a guard that still cleans up is no zombie */
		if (!pause_until(&waited_ms))
			return -1;
	return errno == ECHILD ? 0 : -1;
}

bool pause_until(int *waited_ms)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return ++*waited_ms < PATIENCE_MS;
}

void wait_for_file(const char *name)
{
	int waited_ms = 0;

	while (faccessat(at, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		assert_true(pause_until(&waited_ms));
}

void wait_for_end(pid_t pid)
{
	int waited_ms = 0;

	while (kill(pid, 0) == 0) {
		waitpid(-1, NULL, WNOHANG);
		assert_true(pause_until(&waited_ms));
	}
	assert_int_equal(errno, ESRCH);
}

bool exists(const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0;
}

void make_file(const char *name, const char *text, mode_t mode)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Valgrind keeps some of its own, with high numbers. */
size_t count_fds(pid_t pid)
{
	BS_AUTOFREE char *path = bs_xasprintf("/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) < 200)
			count++;
	closedir(dir);
	return count;
}

pid_t pid_in(const char *text)
{
	pid_t pid = (pid_t)strtol(text, NULL, 10);

	assert_true(pid > 1);
	return pid;
}

struct bs_app *start_program(const char *const *argv, const char *const *env, uint32_t stop_timeout_ms)
{
	struct bs_app_options options = {.argv = (char *const *)(uintptr_t)argv,
					 .env = (char *const *)(uintptr_t)env,
					 .folder = folder,
					 .stop_timeout_ms = stop_timeout_ms};
	struct bs_app *app = NULL;
	struct bs_err err = BS_ERR_INIT;

	if (bs_app_start(&options, &app, &err) < 0)
		fail_msg("%s", bs_err_text(&err));
	return app;
}

struct bs_app *start_stubborn(const char *script, uint32_t stop_timeout_ms)
{
	return start_program((const char *const[]){"sh", "-c", script, NULL}, NULL, stop_timeout_ms);
}

struct bs_app *start_shell(const char *script)
{
	return start_stubborn(script, 0);
}

char *log_with(struct bs_app *app, const char *text)
{
	struct bs_buf all = BS_BUF_INIT;
	int waited_ms = 0;

	do {
		char *more = bs_app_take_log(app, NULL);
		bs_buf_adds(&all, more);
		free(more);
	} while (!strstr(bs_buf_text(&all), text) && pause_until(&waited_ms));
	if (!strstr(bs_buf_text(&all), text))
		fail_msg("no '%s' in '%s'", text, bs_buf_text(&all));
	return bs_buf_take(&all);
}

char *how_it_ends(struct bs_app *app)
{
	char *how = NULL;
	int waited_ms = 0;

	while (bs_app_alive(app, &how))
		assert_true(pause_until(&waited_ms));
	return how;
}

void assert_prints(struct bs_app *app, const char *expected)
{
	free(how_it_ends(app));
	BS_AUTOFREE char *text = bs_app_take_log(app, NULL);
	assert_string_equal(text, expected);
	bs_app_stop(app);
}
