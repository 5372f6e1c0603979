/* Expressions: what they give, and what they are told when they are wrong. */
#include "tests/unit/expr_fixture.h"

static void integers_are_exact_to_the_last_bit(void **state)
{
	static const struct example table[] = {
		{"exact", "9007199254740993"},
		{"exact + 1", "9007199254740994"},
		{"exact == 9007199254740993", "true"},
		{"exact == 9007199254740992", "false"},
		{"max", "9223372036854775807"},
		{"min", "-9223372036854775808"},
		{"half + half", "1.0"},
		{"7 // 2", "3"},
		{"sum({exact, 1})", "9007199254740994"},
		{"tostring(exact)", "\"9007199254740993\""},
		{"tonumber(\"9007199254740993\") == exact", "true"},
		{"tonumber(\"18446744073709551616\")", "error: does not fit 64 bits"},
		{"tonumber(\"abc\")", "null"},
		{"tonumber(\"0.5\")", "0.5"},
		{"sum({max, 1})", "error: does not fit 64 bits"},
	};

	CHECK(state, table);
}

static void numbers_beyond_64_bits_are_compared_and_never_rounded(void **state)
{
	static const struct example table[] = {
		{"huge", "18446744073709551616"},
		{"huge == also_huge", "true"},
		{"huge == huger", "false"},
		{"huge ~= huger", "true"},
		{"tostring(huge) == \"18446744073709551616\"", "true"},
		{"type(huge)", "\"number\""},
		{"huge + 1", "error: the number 18446744073709551616 in 'huge' does not fit 64 bits"},
		{"1 < huge", "error: 'huge' does not fit 64 bits"},
		{"-huge", "error: 'huge' does not fit 64 bits"},
		{"huge.x", "error: does not fit 64 bits"},
		{"#huge", "error: does not fit 64 bits"},
		{"sum({huge})", "error: not a number that fits 64 bits"},
		{"huge == 18446744073709551616", "refused: does not fit 64 bits"},
		{"0x1ffffffffffffffff", "refused: does not fit 64 bits"},
		{"{huge}", "[18446744073709551616]"},
	};

	CHECK(state, table);
}

static void helpers_take_lists_and_are_strict(void **state)
{
	static const struct example table[] = {
		{"all(list, function(o) return o.refunded <= o.amount end)", "false"},
		{"any(list, function(o) return o.refunded > o.amount end)", "true"},
		{"all(none, function(o) return false end)", "true"},
		{"any(none, function(o) return true end)", "false"},
		{"all(list, function(o, i) return o.id == i end)", "true"},
		{"count(list)", "2"},
		{"count(body)", "5"},
		{"count(nulls, function(x) return x == nil end)", "1"},
		{"sum(list, function(o) return o.amount end)", "150"},
		{"sum(numbers)", "6"},
		{"sum({0.5, 1})", "1.5"},
		{"sum(nulls)", "error: element 2 is nil, not a number"},
		{"map(list, function(o) return o.id end)", "[1,2]"},
		{"map(list, function(o) return o end)[2].id", "2"},
		{"map(nulls, function(x) return x end)", "error: gave nil for element 2"},
		{"all(list, function(o) return 1 end)", "error: the function gave a number for element 1"},
		{"all(list, function(o) end)", "error: the function gave nil"},
		{"all(list)", "error: needs a function as its second argument; got nil"},
		{"all(body, type)", "error: all() needs a list; got an object in 'body'"},
		{"all(order_id, type)", "error: all() needs a list; got nil"},
		{"has(body, \"id\")", "true"},
		{"has(body, \"total\")", "true"},
		{"has(body, \"nothing\")", "false"},
		{"has(headers, \"content-type\")", "true"},
		{"has(headers, \"etag\")", "false"},
		{"has({a = 1}, \"a\")", "true"},
		{"has(list, \"a\")", "error: has() needs an object; got an array in 'list'"},
		{"has(body)", "error: has() takes an object and the name"},
		{"(function() local n = 0 for i, x in ipairs(nulls) do n = n + i end return n end)()", "6"},
		{"(function() local s = '' for k, v in pairs(body) do s = s .. k end return s end)()",
		 "\"idtotaltagsenda-b\""},
		{"(function() local n = 0 for k, v in pairs({a = 1, b = 2}) do n = n + v end return n end)()", "3"},
		{"changes(\"orders\")[1].after.id", "1"},
		{"changes \"orders\" == changes(\"orders\")", "true"},
		{"changes(\"other\")", "error: no store has a table 'other'"},
		{"changes(1)", "error: changes() takes one text"},
		{"chages(\"orders\")", "error: unknown function 'chages'"},
		{"utf8.len(text)", "7"},
		{"text:upper():sub(1, 3)", "\"CAF\""},
		{"string.format(\"%d-%s\", 7, text:sub(1, 3))", "\"7-caf\""},
		{"math.max(1, 2) + math.floor(2.5)", "4"},
	};

	CHECK(state, table);
}

static void results_may_be_tables(void **state)
{
	static const struct example table[] = {
		{"{}", "[]"},
		{"{1, {a = \"x\"}, list[1].id}", "[1,{\"a\":\"x\"},1]"},
		{"{a = body.tags}", "{\"a\":[\"a\",\"b\"]}"},
		{"{[1] = 1, a = 2}", "error: neither a list nor has texts for keys"},
		{"{type}", "error: the result holds a function"},
		{"type", "error: gives a function, no value"},
		{"{headers}", "error: cannot be kept"},
		{"(function() local t = {} t.t = t return t end)()", "error: nested too deeply"},
		{"(function() local t = {} for i = 1, 60 do t = {t, t} end return t end)()", "error: stopped"},
	};

	CHECK(state, table);
}

static void rules_are_true_or_false(void **state)
{
	static const struct {
		const char *text, *message; /* NULL: true */
	} table[] = {
		{"status == 200", NULL},
		{"yes", NULL},
		{"order_id", "gives nil, not true or false: 'order_id' is nil; ask for it with '== nil'"},
		{"yes and body.total", "'body.total' is nil"},
		{"status", "gives the number 200, not true or false"},
		{"text:sub(1,1)", "gives the string \"c\", not true or false"},
		{"body.tags", "gives the array [\"a\",\"b\"]"},
		{"headers", "gives an object"},
		{"{}", "gives the array []"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct bs_err err = BS_ERR_INIT;
		struct bs_expr *expr = compile(f, table[i].text);
		bool holds = false;
		int r = bs_expr_test(expr, &f->scope, &holds, &err);
		assert_int_equal(r, table[i].message ? BS_EEXPR : 0);
		assert_int_equal(holds, !table[i].message);
		if (table[i].message && !strstr(bs_err_text(&err), table[i].message))
			fail_msg("%s: %s", table[i].text, bs_err_text(&err));
		bs_err_release(&err);
		bs_expr_free(expr);
	}
}

static void errors_speak_to_people(void **state)
{
	static const struct example table[] = {
		{"order_id < 3", "error: cannot order nil and number; 'order_id' is nil"},
		{"3 < body.total", "error: cannot order number and nil; 'body.total' is nil"},
		{"order_id + 1", "error: cannot calculate with 'order_id': it is nil"},
		{"\"10\" + 1", "error: tonumber() makes a number of a text"},
		{"\"a\" .. order_id", "error: cannot join to a text: 'order_id': it is nil"},
		{"#order_id", "error: cannot count the length of 'order_id': it is nil"},
		{"order_id.x", "error: cannot read a field of 'order_id': it is nil"},
		{"order_id()", "error: cannot call 'order_id': it is nil"},
		{"true < false", "error: cannot order boolean and boolean"},
		{"1 // 0", "error: division by zero"},
		{"1 % 0", "error: division by zero"},
		{"math.floor(order_id)", "error: argument 1 of floor(): number expected, got nil"},
		{"({})[nil]", "null"},
	};
	struct fixture *f = *state;

	CHECK(state, table);
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *got = result(f, table[i].text);
		assert_null(strstr(got, "attempt to"));
		assert_null(strchr(got, '\x01'));
	}
}

static void a_scope_that_errs_keeps_its_code(void **state)
{
	struct fixture *f = *state;
	struct bs_err err = BS_ERR_INIT;
	struct bs_expr *expr = compile(f, "yes and broken");
	struct bs_value value;

	assert_int_equal(bs_expr_eval(expr, &f->scope, &value, &err), BS_ESTORE);
	assert_string_equal(bs_err_text(&err), "body cannot be read");
	bs_err_release(&err);
	bs_expr_free(expr);
}

static void a_text_lives_until_the_next_evaluation(void **state)
{
	struct fixture *f = *state;
	struct bs_err err = BS_ERR_INIT;
	struct bs_expr *expr = compile(f, "text .. ' and more'");
	struct bs_value value;

	assert_int_equal(bs_expr_eval(expr, &f->scope, &value, &err), 0);
	assert_int_equal(value.kind, BS_V_TEXT);
	assert_string_equal(value.text.data, "caf\xC3\xA9 12 and more");
	bs_expr_free(expr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_exact_to_the_last_bit),
		cmocka_unit_test(numbers_beyond_64_bits_are_compared_and_never_rounded),
		cmocka_unit_test(helpers_take_lists_and_are_strict),
		cmocka_unit_test(results_may_be_tables),
		cmocka_unit_test(rules_are_true_or_false),
		cmocka_unit_test(errors_speak_to_people),
		cmocka_unit_test(a_scope_that_errs_keeps_its_code),
		cmocka_unit_test(a_text_lives_until_the_next_evaluation),
	};

	return cmocka_run_group_tests_name("expr", tests, open_fixture, close_fixture);
}
