/* What the tests of the loader share. */
#include "tests/unit/model_fixture.h"

#include <unistd.h>

int set_environment(void **state)
{
	(void)state;
	setenv("BACKSTEP_DEMO_APP", "./payments", 1);
	setenv("BACKSTEP_DEMO_FLAGS", "", 1); /* set, though empty */
	setenv("BACKSTEP_TEST_APP", "./app", 1);
	setenv("BACKSTEP_TEST_FLAGS", "", 1);
	setenv("BACKSTEP_TEST_TOKEN", "t", 1);
	unsetenv("BACKSTEP_TEST_UNSET");
	return 0;
}

struct loaded load_path(const char *path)
{
	struct loaded loaded = {.err = BS_ERR_INIT};

	loaded.code = bs_model_load(path, &loaded.model, &loaded.problems, &loaded.err);
	return loaded;
}

struct loaded load_bytes(const char *data, size_t len)
{
	char path[] = "/tmp/backstep-model-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, data + done, len - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	close(fd);
	struct loaded loaded = load_path(path);
	unlink(path);
	for (size_t i = 0; i < loaded.problems.count; i++)
		loaded.problems.items[i].at.file = NULL; /* was ours */
	return loaded;
}

struct loaded load_with(const char *more)
{
	BS_AUTOFREE char *text = bs_xasprintf(BASICS ACTIONS "%s", more);

	return load_bytes(text, strlen(text));
}

void release(struct loaded *loaded)
{
	bs_model_free(loaded->model);
	bs_problems_release(&loaded->problems);
	bs_err_release(&loaded->err);
}

void expect_clean(const struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->problems.count; i++)
		print_error("%u:%u: %s\n", loaded->problems.items[i].at.line, loaded->problems.items[i].at.column,
			    loaded->problems.items[i].message);
	assert_int_equal(loaded->problems.count, 0);
	assert_int_equal(loaded->code, BS_OK);
	assert_non_null(loaded->model);
}

void expect_problem(const struct bs_problem *problem, uint32_t line, uint32_t column, const char *part)
{
	if (problem->at.line != line || problem->at.column != column || !strstr(problem->message, part))
		fail_msg("expected %u:%u: ...%s...; got %u:%u: %s", line, column, part, problem->at.line,
			 problem->at.column, problem->message);
}

void expect_only(const struct loaded *loaded, uint32_t line, uint32_t column, const char *part)
{
	for (size_t i = 0; loaded->problems.count != 1 && i < loaded->problems.count; i++)
		print_error("%u:%u: %s\n", loaded->problems.items[i].at.line, loaded->problems.items[i].at.column,
			    loaded->problems.items[i].message);
	assert_int_equal(loaded->problems.count, 1);
	expect_problem(&loaded->problems.items[0], line, column, part);
}
