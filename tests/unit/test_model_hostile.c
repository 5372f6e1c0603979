/* The loader: no model takes more than its share of memory or stack. */
#include "tests/unit/model_fixture.h"

static char *repeat(const char *before, const char *text, size_t times, const char *after)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_buf_adds(&out, before);
	for (size_t i = 0; i < times; i++)
		bs_buf_adds(&out, text);
	bs_buf_adds(&out, after);
	return bs_buf_take(&out);
}

static void deep_nesting_is_refused(void **state)
{
	static const struct {
		const char *open, *close;
	} table[] = {{"[", "]"}, {"{a: ", "}"}, {"- ", ""}};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *tail = repeat("x", table[i].close, 5000, "\n");
		BS_AUTOFREE char *text = repeat("a:\n ", table[i].open, 5000, tail);
		struct loaded loaded = load_bytes(text, strlen(text));
		assert_int_equal(loaded.code, BS_EMODEL);
		assert_int_equal(loaded.problems.count, 1);
		release(&loaded);
	}
}

static void many_values_are_refused(void **state)
{
	BS_AUTOFREE char *text = repeat("a: [", "x,", 150000, "x]\n");
	struct loaded loaded = load_bytes(text, strlen(text));

	(void)state;
	assert_int_equal(loaded.problems.count, 1);
	assert_non_null(strstr(loaded.problems.items[0].message, "100000"));
	release(&loaded);
}

static void aliases_cannot_multiply_without_end(void **state)
{
	static const char text[] = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
				   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
	struct loaded loaded = load_bytes(text, strlen(text));

	(void)state;
	assert_int_equal(loaded.problems.count, 1);
	assert_non_null(strstr(loaded.problems.items[0].message, "aliases counted in full"));
	release(&loaded);
}

static void a_file_beyond_the_limit_is_not_read(void **state)
{
	BS_AUTOFREE char *text = repeat("a: ", "xxxxxxxx", 600000, "\n");
	struct loaded loaded = load_bytes(text, strlen(text));

	(void)state;
	assert_int_equal(loaded.code, BS_EIO);
	assert_non_null(strstr(bs_err_text(&loaded.err), "4 MiB"));
	release(&loaded);
}

static void variants_cannot_multiply_without_end(void **state)
{
	struct loaded loaded = load_with("  a:\n    request: GET /\n    with:\n"
					 "      x: &l [0,1,2,3,4,5,6,7,8,9]\n      y: *l\n      z: *l\n      u: *l\n" RULES);

	(void)state;
	expect_only(&loaded, 8, 7, "more than 1000 variants");
	release(&loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(many_values_are_refused),
		cmocka_unit_test(aliases_cannot_multiply_without_end),
		cmocka_unit_test(a_file_beyond_the_limit_is_not_read),
		cmocka_unit_test(variants_cannot_multiply_without_end),
	};

	return cmocka_run_group_tests_name("model hostile", tests, set_environment, NULL);
}
