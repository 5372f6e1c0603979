/* matches(): the patterns of Lua, without those that take more than linear time. */
#include "tests/unit/expr_fixture.h"

#include <time.h>

static void patterns_are_those_of_lua(void **state)
{
	static const struct {
		const char *text, *pattern;
		bool matches;
	} table[] = {
		{"", "", true},
		{"abc", "", true},
		{"abc", "b", true},
		{"abc", "^b", false},
		{"abc", "c$", true},
		{"abc", "b$", false},
		{"abc", "^abc$", true},
		{"a$c", "a$c", true},
		{"a^c", "a^c", true},
		{"abc", "a.c", true},
		{"ac", "ab?c", true},
		{"abbc", "ab?c", false},
		{"abbc", "ab*c", true},
		{"ac", "ab+c", false},
		{"abbbc", "^ab-c$", true},
		{"123-45-6789", "^%d%d%d%-%d%d%-%d%d%d%d$", true},
		{"my ssn 123-45-6789.", "%d%d%d%-%d%d%-%d%d%d%d", true},
		{"123-45-678", "%d%d%d%-%d%d%-%d%d%d%d", false},
		{"x", "[]]", false},
		{"]", "[]]", true},
		{"]", "[^]]", false},
		{"-", "[a-]", true},
		{"b", "[a-c]", true},
		{"d", "[^a-c]", true},
		{"%", "[%%]", true},
		{"5", "[%a%d]", true},
		{"A", "%l", false},
		{" ", "%S", false},
		{"THE (quick) fox", "%f[%a]%a+%f[%A]", true},
		{"the end", "%f[%w]end%f[%W]$", true},
		{"bend", "%f[%w]end", false},
		{"aXb", "(a)(X)(b)", true},
		{"", "x*$", true},
		{"a\xC3\xA9", "\xC3\xA9", true},
		{"ab", "^(a)b$", true},
		{"*a", "*a", true},
		{"a", "a-", true},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *text = bs_xasprintf("matches([==[%s]==], [==[%s]==])", table[i].text, table[i].pattern);
		BS_AUTOFREE char *got = result(f, text);
		if (strcmp(got, table[i].matches ? "true" : "false") != 0)
			fail_msg("%s gave %s", text, got);
	}
	static const struct example wrong[] = {
		{"matches(text, \"%\")", "error: it ends with '%'"},
		{"matches(text, \"[a\")", "error: ']' is missing"},
		{"matches(text, \"[a%\")", "error: ']' is missing"},
		{"matches(text, \"[\")", "error: ']' is missing"},
		{"matches(text, \"(a\")", "error: '(' is not closed"},
		{"matches(text, \"a)\")", "error: ')' closes nothing"},
		{"matches(text, \"%bxy\")", "error: not supported"},
		{"matches(text, \"(a)%1\")", "error: not supported"},
		{"matches(text, \"%fa\")", "error: '[' is missing"},
		{"matches(status, \"2\")", "error: got a number"},
		{"matches(order_id, \"2\")", "error: got nil"},
		{"matches(\"a\\0b\", \"a%zb\")", "true"},
		{"matches(\"a\\0b\", \"a\\0b\")", "true"},
	};
	CHECK(state, wrong);
}

static void catastrophic_patterns_take_linear_time(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "(function() local s = 'a' for i = 1, 18 do s = s .. s end "
				   "return matches(s, '%s') end)()";
	static const struct {
		const char *pattern, *expected;
	} table[] = {
		{"a*a*a*a*a*a*b", "false"},
		{".-.-.-.-.-.-b$", "false"},
		{"[ab]*[ab]*[ab]*[ab]*b", "false"},
		{"a-a-a-a-a-$", "true"},
	};
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *expression = NULL;
		const char *mark = strstr(text, "%s");
		expression = bs_xasprintf("%.*s%s%s", (int)(mark - text), text, table[i].pattern, mark + 2);
		BS_AUTOFREE char *got = result(f, expression);
		assert_string_equal(got, table[i].expected);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 10);
	/* what is more than the budget is an error, never false */
	BS_AUTOFREE char *got = result(f, "(function() local s = 'a' for i = 1, 22 do s = s .. s end "
					  "return matches(s, 'a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b') end)()");
	assert_non_null(strstr(got, "error: stopped after"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_are_those_of_lua),
		cmocka_unit_test(catastrophic_patterns_take_linear_time),
	};

	return cmocka_run_group_tests_name("expr patterns", tests, open_fixture, close_fixture);
}
