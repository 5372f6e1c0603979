/*
 * backstep demo: the shipped model against the demo application, a separate process with its own database.
 * Nothing here knows what will be found: the demo is a run like any other.
 */
#include "cmd.h"

#include "base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where the demo's files are, seen from the executable: installed, or in the build tree. */
static const struct {
	const char *app, *model;
} places[] = {
	{"/../libexec/backstep/payments", "/../share/backstep/payments.yaml"},
	{"/tests/apps/payments/payments", "/share/backstep/payments.yaml"},
};

static bool executable_folder(char *ret_folder, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", ret_folder, size - 1);

	if (n <= 0)
		return false;
	ret_folder[n] = 0;
	char *slash = strrchr(ret_folder, '/');
	if (slash)
		*slash = 0;
	return slash != NULL;
}

/* The model names the program without a folder, as anybody's model would. */
static void find_app_in(const char *app)
{
	const char *path = getenv("PATH");
	BS_AUTOFREE char *folder = bs_xstrndup(app, (size_t)(strrchr(app, '/') - app));
	BS_AUTOFREE char *longer = bs_xasprintf("%s%s%s", folder, path ? ":" : "", path ? path : "");

	setenv("PATH", longer, 1);
}

/* As people would type it: relative where it lies below the working directory. */
static const char *shown_path(const char *path)
{
	BS_AUTOFREE char *here = getcwd(NULL, 0);
	size_t n = here ? strlen(here) : 0;

	return n && strncmp(path, here, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

int bs_cmd_demo(const struct bs_options *options)
{
	char folder[PATH_MAX];
	struct bs_options run = *options;

	if (options->operand_count) {
		fprintf(stderr, "backstep: demo takes no operand: '%s'\n", options->operands[0]);
		return BS_EXIT_USAGE;
	}
	for (size_t i = 0; executable_folder(folder, sizeof folder) && i < BS_COUNT(places); i++) {
		BS_AUTOFREE char *app = bs_xasprintf("%s%s", folder, places[i].app);
		BS_AUTOFREE char *model = bs_xasprintf("%s%s", folder, places[i].model);
		char *operands[] = {model + (shown_path(model) - model)};
		if (access(app, X_OK) != 0 || access(model, R_OK) != 0)
			continue;
		find_app_in(app);
		if (options->fixed)
			setenv("APP_FIXED", "1", 1);
		else
			unsetenv("APP_FIXED");
		run.operands = operands;
		run.operand_count = 1;
		if (!run.fail_on)
			run.fail_on = "never"; /* finding the bugs is what the demo is for */
		return bs_cmd_run(&run);
	}
	fprintf(stderr, "backstep: the demo application was not found beside the program; it is built with the tests "
			"(cmake -DBUILD_TESTING=ON)\n");
	return BS_EXIT_INTERNAL;
}
