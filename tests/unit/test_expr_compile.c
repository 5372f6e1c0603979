/* The compiler: one expression and nothing else gets through, slips are explained where they stand, names are found. */
#include "tests/unit/expr_fixture.h"

static void slips_are_explained_where_they_stand(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
		const char *part;
	} table[] = {
		{"status != 200", 7, "'!=' is written '~='"},
		{"status !== 200", 7, "'!==' is written '~='"},
		{"status === 200", 7, "'===' is written '=='"},
		{"status <> 200", 7, "'<>' is written '~='"},
		{"status < 500 && true", 13, "'&&' is written 'and'"},
		{"a || b", 2, "'||' is written 'or'"},
		{"!a", 0, "'!' is written 'not'"},
		{"a & b", 2, "write 'and'"},
		{"a | b", 2, "write 'or'"},
		{"~a", 0, "write 'not'"},
		{"x == null", 5, "'null' is written 'nil'"},
		{"x == None", 5, "'None' is written 'nil'"},
		{"x == undefined", 5, "'undefined' is written 'nil'"},
		{"x == True", 5, "'True' is written 'true'"},
		{"a AND b", 2, "'AND' is written 'and'"},
		{"status = 200", 7, "write '=='"},
		{"all(l, function(x) return x = 1 end)", 28, "write '=='"},
		{"(status = 200)", 8, "write '=='"},
		{"a ? b : c", 2, "a and b or c"},
		{"a => b", 2, "is written '>='"},
		{"a =< b", 2, "is written '<='"},
		{"x in list", 2, "any(list"},
		{"if a then b end", 0, "begins a statement"},
		{"return a", 0, "'return' is not needed"},
		{"(function() if a then return 1 else if b then return 2 end end)()", 62, "write 'elseif'"},
		{"not a == b", 6, "'not a == b' means '(not a) == b'"},
		{"x and not a == b", 12, "means"},
		{"0 < a < 9", 6, "comparisons do not chain"},
		{"tags == {1}", 5, "equals nothing but itself"},
		{"{} == tags", 3, "equals nothing but itself"},
		{"[1, 2]", 0, "a list is written {1, 2}"},
		{"f({\"a\": 1})", 6, "{name = value}"},
		{"o.end", 2, "write [\"end\"]"},
		{"list.1", 4, "an operator is missing"},
		{"list.[1]", 5, "without a point"},
		{"status is 200", 7, "an operator is missing before it"},
		{"${order_id} == 1", 0, "write the name alone"},
		{"\xE2\x80\x9C" "a\xE2\x80\x9D == b", 0, "quotes"},
		{"gr\xC3\xB6\xC3\x9F" "e", 2, "names are made of"},
		{"any(l, o => o.x)", 9, "function(x) return"},
		{"any(l, function(o) o.x end)", 19, "'return' is missing"},
		{"any(l, function(o) 1 end)", 19, "'return' is missing"},
		{"any(l, function(o) return o.x)", 29, "end is missing"},
		{"(a", 0, "'(' is not closed"},
		{"a)", 1, "closes nothing"},
		{"status <", 8, "ends too early"},
		{"", 0, "empty"},
		{" -- nothing", 0, "empty"},
		{"a, b", 1, "one value"},
		{"'abc", 0, "does not end"},
		{"[[abc", 0, "does not end"},
		{"a --[[ b", 2, "needs ']]'"},
		{"string.find(a, b)", 7, "use matches(text, pattern)"},
		{"math.random()", 5, "math has no 'random'; there are: abs"},
		{"a += 1", 2, "changes nothing"},
		{"a + 3..2", 4, "malformed number"},
		{"a == \"\\q\"", 5, "invalid escape"},
		{"(function() x = 1 end)()", 12, "'x' cannot be changed"},
		{"function f() end", 9, "has no name here"},
		{"a\x01", 1, "unexpected byte 0x01"},
		{"...", 0, "'...' has no place here"},
		{"18446744073709551616", 0, "does not fit 64 bits"},
	};
	struct fixture *f = *state;
	size_t missed = 0;

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct bs_err err = BS_ERR_INIT;
		struct bs_expr *expr = NULL;
		size_t offset = SIZE_MAX;
		int r = bs_expr_compile(f->lua, table[i].text, &expr, &offset, &err);
		bool is = r == BS_EMODEL && offset == table[i].offset && strstr(bs_err_text(&err), table[i].part);
		if (!is)
			print_error("%s\n  gave     %zd: %s\n  expected %zu: %s\n", table[i].text, (ssize_t)offset,
				    bs_err_text(&err), table[i].offset, table[i].part);
		missed += !is;
		bs_expr_free(expr);
		bs_err_release(&err);
	}
	assert_int_equal(missed, 0);
}

static void only_one_expression_is_accepted(void **state)
{
	static const char *const table[] = {
		"1 end do return 2",
		"1; return 2",
		"1) return (2",
		"1) do end return (2",
		"1\nreturn 2",
		"1)--",
		"1)\n;(2",
		"1 --[[ ]] ) return (2",
		"1 --[==[ ]] ]==] ) ; x = (1",
		"1]] .. [[2",
		"(1",
		"1))(",
		"1 local x = 2",
		"nil, nil",
		"function() end return 1",
		"(function() end end)()",
		"(function() return 1 end)() return 2",
		"goto a",
		"::a::",
		"break",
		"1 ::a::",
		"a;",
		"\x1bLua",
		"#!/usr/bin/lua",
		"1 -- ) \n ) return (2",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *got = result(f, table[i]);
		if (strncmp(got, "refused: ", 9) != 0)
			fail_msg("%s gave %s", table[i], got);
	}
	static const struct example fine[] = {
		{"status -- ) return (2", "200"},
		{"status --[[ ) return (2 ]]", "200"},
		{"--[==[ ]] ]==] status", "200"},
		{"#\"a\\\" ) return (\"", "13"},
		{"'a) return (2'", "\"a) return (2\""},
		{"[==[ ]] ) ]==]", "\" ]] ) \""},
		{"\"\\z\n  a\"", "\"a\""},
		{"((((status))))", "200"},
		{"2^-1^2", "0.5"},
		{"'a' .. 'b' .. 1", "\"ab1\""},
		{"-2 ^ 2", "-4.0"},
		{"(function(...) local a, b = ... return b end)(1, 2)", "2"},
		{"(function() local x <const> = 3; return x; end)()", "3"},
		{"(function() local t = {} t.a, t.b = 1, 2 return t.b end)()", "2"},
		{"(function() for i = 3, 1, -1 do if i == 2 then goto out end end ::out:: return 1 end)()", "1"},
		{"(function() local i = 0 repeat local j = i i = i + 1 until j > 2 return i end)()", "4"},
	};
	CHECK(state, fine);
}

static void long_and_deep_expressions_are_refused_in_words(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *unit, *part;
		size_t times;
	} table[] = {
		{"(", "nested more than", 1000},
		{"not ", "nested more than", 1000},
		{"{", "nested more than", 1000},
		{"a..", "nested more than", 1000},
		{"(function() return ", "nested more than", 1000},
		{"1 + ", "more than 65536 bytes", 30000},
	};

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct bs_buf text = BS_BUF_INIT;
		for (size_t k = 0; k < table[i].times; k++)
			bs_buf_adds(&text, table[i].unit);
		bs_buf_adds(&text, "1");
		BS_AUTOFREE char *got = result(f, text.data);
		if (!strstr(got, table[i].part))
			fail_msg("%s: %.200s", table[i].unit, got);
		bs_buf_release(&text);
	}
	struct bs_buf names = BS_BUF_INIT;
	bs_buf_adds(&names, "0");
	for (int i = 0; i < 2000; i++)
		bs_buf_addf(&names, "+ n%d", i);
	BS_AUTOFREE char *got = result(f, names.data);
	assert_non_null(strstr(got, "more than 1000 names"));
	bs_buf_release(&names);
}

static void free_names_are_found(void **state)
{
	static const struct {
		const char *text, *names;
	} table[] = {
		{"a + b * a", "a@0 b@4 "},
		{"a.b.c == d[e]", "a@0 d@9 e@11 "},
		{"'a' .. [[b]] -- c\n .. d", "d@22 "},
		{"all(list.body, function(o) return o.x > limit end)", "list@4 limit@40 "},
		{"{a = b, [c] = d, e}", "b@5 c@9 d@14 e@17 "},
		{"s:upper()", "s@0 "},
		{"changes \"orders\"", "changes@0 "},
		{"math.floor(x) + string.len(y)", "x@11 y@27 "},
		{"f(function(math) return math.whatever end)", "f@0 "},
		{"(function() local x = x return x end)()", "x@22 "},
		{"(function() local function g() return g end return g end)()", ""},
		{"(function() for i, v in pairs(t) do local w = v end return i end)()", "t@30 i@59 "},
		{"(function() for i = a, b do end end)()", "a@20 b@23 "},
		{"(function() do local x end return x end)()", "x@34 "},
		{"(function() repeat local x = 1 until x end)()", ""},
		{"(function() if a then local b end return b end)()", "a@15 b@41 "},
		{"(function() while a do break end end)()", "a@18 "},
		{"(function() ::l:: local l2 goto l end)()", ""},
		{"(function(a, ...) return a, ... end)(b)", "b@37 "},
		{"0x1F + 1e5 + 0x.8p1 + n", "n@22 "},
		{"(f {x = 1}).y", "f@1 "},
	};
	struct fixture *f = *state;
	size_t missed = 0;

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct bs_expr *expr = compile(f, table[i].text);
		struct bs_buf found = BS_BUF_INIT;
		for (size_t k = 0; bs_expr_name(expr, k); k++) {
			const struct bs_name *name = bs_expr_name(expr, k);
			bs_buf_addf(&found, "%s@%zu ", name->name, name->offset);
			assert_true(bs_expr_uses(expr, name->name));
		}
		if (strcmp(bs_buf_text(&found), table[i].names) != 0) {
			print_error("%s\n  gave %s\n", table[i].text, bs_buf_text(&found));
			missed++;
		}
		assert_false(bs_expr_uses(expr, "nowhere"));
		assert_string_equal(bs_expr_text(expr), table[i].text);
		bs_buf_release(&found);
		bs_expr_free(expr);
	}
	assert_int_equal(missed, 0);
}

static void builtins_are_listed_and_all_there(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	for (; bs_expr_builtin(count); count++) {
		BS_AUTOFREE char *text = bs_xasprintf("type(%s) ~= \"nil\"", bs_expr_builtin(count));
		BS_AUTOFREE char *got = result(f, text);
		assert_string_equal(got, "true");
	}
	assert_int_equal(count, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_are_explained_where_they_stand),
		cmocka_unit_test(only_one_expression_is_accepted),
		cmocka_unit_test(long_and_deep_expressions_are_refused_in_words),
		cmocka_unit_test(free_names_are_found),
		cmocka_unit_test(builtins_are_listed_and_all_there),
	};

	return cmocka_run_group_tests_name("expr compile", tests, open_fixture, close_fixture);
}
