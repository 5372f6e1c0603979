/* The sandbox: nothing outside can be reached, and no time or memory gets out of hand. */
#include "expr/state.h" /* only to see that memory does not grow */
#include "tests/unit/expr_fixture.h"

#include <time.h>

static void nothing_outside_can_be_reached(void **state)
{
	static const char *const table[] = {
		"io.open(\"/etc/passwd\")",
		"os.execute(\"id\")",
		"require(\"os\")",
		"load(\"return 1\")()",
		"loadstring(\"return 1\")()",
		"loadfile(\"x\")",
		"dofile(\"/etc/passwd\")",
		"pcall(type)",
		"xpcall(type, type)",
		"error(\"x\")",
		"assert(false)",
		"setmetatable({}, {})",
		"getmetatable(\"\").__index.rep",
		"rawset({}, 1, 1)",
		"rawget({}, 1)",
		"rawequal(1, 1)",
		"rawlen({})",
		"collectgarbage(\"stop\")",
		"debug.getregistry()",
		"coroutine.create(type)",
		"package.loadlib",
		"print(1)",
		"next({})",
		"select(1, 2)",
		"table.concat({})",
		"_G.io",
		"_VERSION",
		"_ENV.io",
		"_ENV",
		"(function(_ENV) return x end)({})",
		"(function() local _ENV = {} return x end)()",
		"string.rep(\"x\", 1000000000)",
		"(\"x\"):rep(1000000000)",
		"string.find(\"a\", \"a\")",
		"(\"a\"):gsub(\"a\", \"b\")",
		"(\"a\"):match(\"a\")",
		"(\"a\"):gmatch(\"a\")",
		"string.dump(type)",
		"(\"a\"):pack()",
		"string[\"re\" .. \"p\"](\"x\", 3)",
		"math.random()",
		"math.randomseed(1)",
		"(function() math.pi = 3 return true end)()",
		"(function() string.upper = nil return true end)()",
		"(function() all = nil return true end)()",
		"(function() status = 1 return true end)()",
		"(function() function all() end return true end)()",
		"(function() local s = \"\" s.x = 1 return true end)()",
		"(function() (\"\").len = 1 return true end)()",
		"(ipairs({}))(\"x\", 1)",
		"(pairs({}))(\"x\", 1)",
		"(pairs({}))({}, \"no key\")",
		"(ipairs({}))(headers, 1)",
		"string.format(\"%s\", {}, {}):rep(9)",
		"utf8.char(1)",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *got = result(f, table[i]);
		if (strncmp(got, "error: ", 7) != 0 && strncmp(got, "refused: ", 9) != 0)
			fail_msg("%s gave %s", table[i], got);
	}
	static const struct example intact[] = {
		{"(pairs(body))(1, 1)", "null"},
		{"math.pi > 3 and status == 200 and string.upper(\"a\") == \"A\"", "true"},
		{"all({1}, function() return true end)", "true"},
		{"tostring(type) .. tostring({})", "\"functiontable\""},
	};
	CHECK(state, intact);
}

static void what_does_not_end_is_stopped_and_leaves_the_state_usable(void **state)
{
	static const char *const table[] = {
		"(function() while true do end end)()",
		"(function() for i = 1, math.huge do end end)()",
		"(function() ::a:: goto a end)()",
		"(function() repeat until false end)()",
		"(function() local s = 'x' while true do s = s .. s end end)()",
		"(function() local s = 'x' while true do s = s .. 'x' end end)()",
		"(function() local s = 'x' for i = 1, 20 do s = s .. s end while true do local t = s:upper() end end)()",
		"(function() local t = {} while true do t[#t + 1] = {} end end)()",
		"(function() local function f() return 1 + f() end return f() end)()",
		"(function() local function f() return f() end return f() end)()",
		"(function() local function f() return all({1}, f) end return f() end)()",
		"(function() while true do local x = body == twin end end)()",
		"(function() while true do local x = tostring(list) end end)()",
		"(function() while true do local x = matches(text, '.*.*.*.*x') end end)()",
		"(function() local t = {} for i = 1, 1e6 do t[i] = 'xxxxxxxxxxxxxxxxxxxxx' .. i end return #t end)()",
		"(function() local s = 'x' for i = 1, 22 do s = s .. s end return (s:byte(1, -1)) end)()",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *got = result(f, table[i]);
		if (strncmp(got, "error: ", 7) != 0)
			fail_msg("%s gave %.100s", table[i], got);
		BS_AUTOFREE char *after = result(f, "sum(list, function(o) return o.amount end)");
		assert_string_equal(after, "150");
	}
	BS_AUTOFREE char *got = result(f, table[0]);
	assert_string_equal(got, "error: stopped after 10 million instructions: it does not end, or works on too much data");
	BS_AUTOFREE char *memory = result(f, table[4]);
	assert_string_equal(memory, "error: stopped: it needs more than 32 MiB of memory");
	BS_AUTOFREE char *recursion = result(f, table[10]);
	assert_string_equal(recursion, "error: a function calls itself too often");
}

static void one_evaluation_does_not_shorten_the_next(void **state)
{
	struct fixture *f = *state;
	struct bs_expr *expr = compile(f, "(function() local n = 0 for i = 1, 2000000 do n = n + 1 end return n end)()");
	struct bs_err err = BS_ERR_INIT;
	struct bs_value value;

	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(bs_expr_eval(expr, &f->scope, &value, &err), 0);
		assert_int_equal(value.integer, 2000000);
	}
	bs_expr_free(expr);
}

static void a_million_evaluations_do_not_grow_memory(void **state)
{
	struct fixture *f = *state;
	struct bs_expr *rule = compile(f, "body.id == 7 and list[2].refunded > list[2].amount and status < 500");
	struct bs_expr *busy = compile(f, "all(list, function(o) return o.id > 0 end) and text .. status ~= ''");
	struct bs_expr *wrong = compile(f, "body.id < body.total");
	struct bs_err err = BS_ERR_INIT;
	struct timespec from, to;
	size_t used = 0;
	bool holds = false;

	for (size_t i = 0; i < 20000; i++) {
		assert_int_equal(bs_expr_test(busy, &f->scope, &holds, &err), 0);
		assert_int_equal(bs_expr_test(wrong, &f->scope, &holds, i % 2 ? &err : NULL), BS_EEXPR);
		bs_err_release(&err);
		if (i == 5000)
			used = f->lua->used_bytes;
	}
	assert_true(f->lua->used_bytes < used + used / 2 + 65536);
	bs_expr_test(rule, &f->scope, &holds, &err); /* Lua keeps the room for its deepest call */
	used = f->lua->used_bytes;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < 1000000; i++)
		if (bs_expr_test(rule, &f->scope, &holds, &err) < 0 || !holds)
			fail_msg("%s", bs_err_text(&err));
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("%.0f ns for one evaluation\n", (double)(to.tv_sec - from.tv_sec) * 1e3 +
							      (double)(to.tv_nsec - from.tv_nsec) / 1e6);
	assert_int_equal(f->lua->used_bytes, used); /* simple rules make no garbage at all */
	bs_expr_free(rule);
	bs_expr_free(busy);
	bs_expr_free(wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_outside_can_be_reached),
		cmocka_unit_test(what_does_not_end_is_stopped_and_leaves_the_state_usable),
		cmocka_unit_test(one_evaluation_does_not_shorten_the_next),
		cmocka_unit_test(a_million_evaluations_do_not_grow_memory),
	};

	return cmocka_run_group_tests_name("expr sandbox", tests, open_fixture, close_fixture);
}
