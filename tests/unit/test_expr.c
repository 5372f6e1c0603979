/* Expressions: what they may read, what they are told when they are wrong, and that nothing gets out of hand. */
#include "base/buf.h"
#include "base/mem.h"
#include "expr/expr.h"
#include "expr/state.h" /* only to see that memory does not grow */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* --- A scope over one JSON document -------------------------------------------------------------------- */

#define DOCUMENT                                                                                                       \
	"{\"status\":200,\"order_id\":null,\"text\":\"caf\\u00e9 12\",\"half\":0.5,\"yes\":true,"                       \
	"\"exact\":9007199254740993,\"max\":9223372036854775807,\"min\":-9223372036854775808,"                         \
	"\"huge\":18446744073709551616,\"also_huge\":18446744073709551616,\"huger\":18446744073709551617,"             \
	"\"body\":{\"id\":7,\"total\":null,\"tags\":[\"a\",\"b\"],\"end\":1,\"a-b\":2},"                               \
	"\"twin\":{\"tags\":[\"a\",\"b\"],\"total\":null,\"id\":7,\"a-b\":2,\"end\":1},"                               \
	"\"list\":[{\"id\":1,\"amount\":100,\"refunded\":0},{\"id\":2,\"amount\":50,\"refunded\":70}],"                \
	"\"none\":[],\"nulls\":[1,null,3],\"numbers\":[1,2,3],"                                                        \
	"\"many\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1}}"

struct fixture {
	struct bs_lua *lua;
	cJSON *document;
	cJSON *rows;
	struct bs_scope scope, headers;
};

static int get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct fixture *f = ctx;
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(f->document, name);

	if (strcmp(name, "broken") == 0)
		return bs_err_set(err, BS_ESTORE, "body cannot be read");
	if (strcmp(name, "nul") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_TEXT, .text = {"a\0\xff z", 5}};
	else if (strcmp(name, "headers") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_SCOPE, .scope = &f->headers};
	else if (item)
		*ret_value = bs_value_from_json(item);
	else
		return 0;
	return 1;
}

static int get_header(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	(void)ctx;
	(void)err;
	if (strcmp(name, "nowhere") == 0)
		return 0;
	*ret_value = bs_value_text(strcmp(name, "content-type") == 0 ? "text/html" : NULL);
	return 1;
}

static const char *header_name(void *ctx, size_t index)
{
	(void)ctx;
	return index == 0 ? "content-type" : NULL;
}

static int call(void *ctx, const char *function, const char *argument, struct bs_value *ret_value,
		struct bs_err *err)
{
	struct fixture *f = ctx;

	if (strcmp(function, "changes") != 0)
		return 0;
	if (strcmp(argument, "orders") != 0)
		return bs_err_set(err, BS_EEXPR, "changes: no store has a table '%s'", argument);
	*ret_value = bs_value_from_json(f->rows);
	return 1;
}

static int open_fixture(void **state)
{
	static struct fixture f;
	struct bs_err err = BS_ERR_INIT;

	if (bs_lua_new(&f.lua, &err) < 0 || bs_json_parse(DOCUMENT, strlen(DOCUMENT), &f.document, &err) < 0 ||
	    bs_json_parse("[{\"after\":{\"id\":1}}]", 20, &f.rows, &err) < 0)
		return -1;
	f.scope = (struct bs_scope){.ctx = &f, .get = get, .call = call};
	f.headers = (struct bs_scope){.ctx = &f, .get = get_header, .name = header_name};
	*state = &f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	bs_lua_free(f->lua);
	cJSON_Delete(f->document);
	cJSON_Delete(f->rows);
	return 0;
}

/* --- Shorthand ----------------------------------------------------------------------------------------- */

static struct bs_expr *compile(struct fixture *f, const char *text)
{
	struct bs_err err = BS_ERR_INIT;
	struct bs_expr *expr = NULL;
	size_t offset = 0;

	if (bs_expr_compile(f->lua, text, &expr, &offset, &err) < 0)
		fail_msg("%.200s: %s (at %zu)", text, bs_err_text(&err), offset);
	return expr;
}

/* What text gives, as JSON, or "error: ..." */
static char *result(struct fixture *f, const char *text)
{
	struct bs_err err = BS_ERR_INIT;
	struct bs_expr *expr = NULL;
	struct bs_value value;
	char *printed;

	if (bs_expr_compile(f->lua, text, &expr, NULL, &err) < 0) {
		printed = bs_xasprintf("refused: %s", bs_err_text(&err));
	} else if (bs_expr_eval(expr, &f->scope, &value, &err) < 0) {
		printed = bs_xasprintf("error: %s", bs_err_text(&err));
	} else {
		cJSON *json = bs_value_to_json(&value);
		printed = bs_json_print(json, false);
		cJSON_Delete(json);
	}
	bs_expr_free(expr);
	bs_err_release(&err);
	return printed;
}

struct example {
	const char *text, *expected;
};

static void check(struct fixture *f, const struct example *table, size_t count)
{
	size_t missed = 0;

	for (size_t i = 0; i < count; i++) {
		BS_AUTOFREE char *got = result(f, table[i].text);
		bool is = strncmp(table[i].expected, "error", 5) == 0 || strncmp(table[i].expected, "refused", 7) == 0
				  ? strncmp(got, table[i].expected, strcspn(table[i].expected, ":")) == 0 &&
					    strstr(got, strchr(table[i].expected, ':') + 2)
				  : strcmp(got, table[i].expected) == 0;
		if (!is)
			print_error("%s\n  gave     %.300s\n  expected %s\n", table[i].text, got, table[i].expected);
		missed += !is;
	}
	assert_int_equal(missed, 0);
}
#define CHECK(state, table) check(*(state), table, BS_COUNT(table))

/* --- Values ---------------------------------------------------------------------------------------------- */

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

static void reading_what_is_absent_is_an_error_that_says_what_is_there(void **state)
{
	static const struct example table[] = {
		{"body.id", "7"},
		{"body.total", "null"},
		{"body.total == nil", "true"},
		{"body[\"end\"] + body[\"a-b\"]", "3"},
		{"body.totl", "error: no field 'totl' in 'body'; there are: id, total, tags, end, a-b"},
		{"list[2].amuont", "error: no field 'amuont' in 'list[2]'; there are: id, amount, refunded"},
		{"many.x", "error: a, b, c, d, e, f, g, h and 2 more"},
		{"list[3]", "error: no element [3] in 'list': its length is 2"},
		{"list[0]", "error: the first element is [1]"},
		{"list[-1]", "error: no element [-1]"},
		{"list[1.5]", "error: elements 1 to 2"},
		{"list[1.0].id", "1"},
		{"none[1]", "error: its length is 0"},
		{"list.length", "error: the length by '#'"},
		{"body[1]", "error: has named fields"},
		{"body[nil]", "error: got nil for a name"},
		{"body[\"id\\0x\"]", "error: no field"},
		{"body.total.x", "error: cannot read a field of 'total': it is nil"},
		{"body.x.y", "error: no field 'x' in 'body'"},
		{"unknown", "error: unknown name 'unknown'"},
		{"broken", "error: body cannot be read"},
		{"headers[\"content-type\"]", "\"text/html\""},
		{"headers.etag", "null"},
		{"headers.nowhere", "error: no field 'nowhere' in 'headers'; there are: content-type"},
		{"headers[1]", "error: has named fields"},
	};

	CHECK(state, table);
}

static void json_is_compared_deeply_and_cannot_be_changed(void **state)
{
	static const struct example table[] = {
		{"body == twin", "true"},
		{"body.tags == twin.tags", "true"},
		{"body ~= list", "true"},
		{"list[1] == list[2]", "false"},
		{"headers == headers", "true"},
		{"headers == body", "false"},
		{"#list", "2"},
		{"#none == 0", "true"},
		{"#body", "error: count() counts the fields"},
		{"#text", "8"},
		{"(function() body.id = 8 return 1 end)()", "error: an object in 'body' cannot be changed"},
		{"(function() list[1] = nil return 1 end)()", "error: an array in 'list' cannot be changed"},
		{"body < list", "error: cannot order an object in 'body'"},
		{"body + 1", "error: cannot calculate with an object"},
		{"\"a\" .. list", "error: cannot join a text and an array in 'list'"},
		{"body()", "error: cannot call an object in 'body'"},
		{"tostring(body.tags)", "\"[\\\"a\\\",\\\"b\\\"]\""},
		{"type(body) .. type(list) .. type(headers) .. type(nil)", "\"objectarrayobjectnil\""},
		{"nul", "\"a\xEF\xBF\xBD\xEF\xBF\xBD z\""},
		{"#nul", "5"},
		{"nul == \"a\\0\\255 z\"", "true"},
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

/* --- The sandbox ------------------------------------------------------------------------------------------ */

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

static void deep_json_is_compared_and_walked(void **state)
{
	struct fixture *f = *state;
	struct bs_buf text = BS_BUF_INIT;
	cJSON *deep = NULL;

	for (size_t i = 0; i < 900; i++)
		bs_buf_adds(&text, "[");
	for (size_t i = 0; i < 900; i++)
		bs_buf_adds(&text, "]");
	assert_int_equal(bs_json_parse(text.data, text.len, &deep, NULL), 0);
	cJSON_AddItemToObject(f->document, "deep", deep);
	cJSON_AddItemToObject(f->document, "deeper", cJSON_Duplicate(deep, true));
	static const struct example table[] = {
		{"deep == deeper", "true"},
		{"(function() local n, x = 0, deep while #x > 0 do x = x[1] n = n + 1 end return n end)()", "899"},
		{"#tostring(deep)", "1800"},
	};
	CHECK(state, table);
	cJSON_DeleteItemFromObject(f->document, "deep");
	cJSON_DeleteItemFromObject(f->document, "deeper");
	bs_buf_release(&text);
}

static void a_long_list_is_walked_in_order_quickly(void **state)
{
	struct fixture *f = *state;
	cJSON *list = cJSON_CreateArray();

	for (int i = 1; i <= 50000; i++)
		cJSON_AddItemToArray(list, bs_json_new_int(i));
	cJSON_AddItemToObject(f->document, "long", list);
	static const struct example table[] = {
		{"sum(long)", "1250025000"},
		{"(function() local n = 0 for i = 1, #long do n = n + long[i] end return n end)()", "1250025000"},
		{"(function() local n = 0 for i = #long, 1, -1 do n = n + long[i] end return n end)()", "error: stopped"},
	};
	CHECK(state, table);
	cJSON_DeleteItemFromObject(f->document, "long");
}

/* --- Patterns ---------------------------------------------------------------------------------------------- */

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

/* --- Compiling ---------------------------------------------------------------------------------------------- */

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

/* --- Reads ---------------------------------------------------------------------------------------------------- */

static void reads_are_noted_with_their_paths(void **state)
{
	static const struct {
		const char *text, *reads;
	} table[] = {
		{"status == 200", "status=200 "},
		{"body.id == 7 and body.total == nil", "body.id=7 body.total=null "},
		{"all(list, function(o) return o.refunded <= o.amount end)",
		 "list[1].refunded=0 list[1].amount=100 list[2].refunded=70 list[2].amount=50 "},
		{"sum(numbers) == 6", "numbers[1]=1 numbers[2]=2 numbers[3]=3 "},
		{"status + status == status", "status=200 "},
		{"body.tags == twin.tags", "body.tags=[\"a\",\"b\"] twin.tags=[\"a\",\"b\"] "},
		{"#list == 3", "#list=2 "},
		{"count(none) > 0", "#none=0 "},
		{"any(none, function(x) return x end)", "#none=0 "},
		{"body[\"a-b\"]", "body[\"a-b\"]=2 "},
		{"headers[\"content-type\"] == headers.etag", "headers[\"content-type\"]=\"text/html\" headers.etag=null "},
		{"changes(\"orders\")[1].after.id == 2", "changes(\"orders\")[1].after.id=1 "},
		{"has(body, \"id\")", "body.id=7 "},
		{"has(list[1], \"x\")", "list[1]={\"id\":1,\"amount\":100,\"refunded\":0} "},
		{"huge == huger", "huge=18446744073709551616 huger=18446744073709551617 "},
		{"body.id > 1 and body.nothing", "body.id=7 "},
		{"yes or status == 1", "yes=true "},
		{"body.tags", "body.tags=[\"a\",\"b\"] "},
		{"1 == 2", ""},
	};
	struct fixture *f = *state;
	size_t missed = 0;

	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct bs_expr *expr = compile(f, table[i].text);
		struct bs_reads reads;
		struct bs_buf noted = BS_BUF_INIT;
		bs_expr_reads(expr, &f->scope, &reads);
		for (size_t k = 0; k < reads.count; k++) {
			BS_AUTOFREE char *value = bs_json_print(reads.items[k].value, false);
			bs_buf_addf(&noted, "%s=%s ", reads.items[k].path, value);
		}
		if (strcmp(bs_buf_text(&noted), table[i].reads) != 0) {
			print_error("%s\n  gave %s\n", table[i].text, bs_buf_text(&noted));
			missed++;
		}
		bs_buf_release(&noted);
		bs_reads_release(&reads);
		bs_expr_free(expr);
	}
	assert_int_equal(missed, 0);
}

static void reads_are_few_and_short(void **state)
{
	struct fixture *f = *state;
	cJSON *list = cJSON_CreateArray();
	struct bs_buf text = BS_BUF_INIT;
	struct bs_reads reads;

	for (int i = 1; i <= 500; i++)
		cJSON_AddItemToArray(list, bs_json_new_int(i));
	for (int i = 0; i < 300; i++)
		bs_buf_adds(&text, "\xC3\xA9");
	cJSON_AddItemToObject(f->document, "long", list);
	cJSON_AddItemToObject(f->document, "novel", bs_json_new_text(text.data, text.len));
	struct bs_expr *expr = compile(f, "novel == \"\" or long == list or sum(long) == 0");
	bs_expr_reads(expr, &f->scope, &reads);
	assert_int_equal(reads.count, BS_READS_MAX);
	assert_string_equal(reads.items[0].path, "novel");
	assert_true(strlen(reads.items[0].value->valuestring) < 230);
	assert_non_null(strstr(reads.items[0].value->valuestring, "\xC3\xA9... (600 bytes)"));
	assert_string_equal(reads.items[1].path, "list"); /* long itself is too long to be read by anyone */
	assert_string_equal(reads.items[2].path, "long[1]");
	bs_reads_release(&reads);
	bs_expr_free(expr);
	bs_buf_release(&text);
	cJSON_DeleteItemFromObject(f->document, "long");
	cJSON_DeleteItemFromObject(f->document, "novel");
}

/* --- Lifetimes ------------------------------------------------------------------------------------------------ */

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
		cmocka_unit_test(integers_are_exact_to_the_last_bit),
		cmocka_unit_test(numbers_beyond_64_bits_are_compared_and_never_rounded),
		cmocka_unit_test(reading_what_is_absent_is_an_error_that_says_what_is_there),
		cmocka_unit_test(json_is_compared_deeply_and_cannot_be_changed),
		cmocka_unit_test(helpers_take_lists_and_are_strict),
		cmocka_unit_test(results_may_be_tables),
		cmocka_unit_test(rules_are_true_or_false),
		cmocka_unit_test(errors_speak_to_people),
		cmocka_unit_test(a_scope_that_errs_keeps_its_code),
		cmocka_unit_test(nothing_outside_can_be_reached),
		cmocka_unit_test(what_does_not_end_is_stopped_and_leaves_the_state_usable),
		cmocka_unit_test(one_evaluation_does_not_shorten_the_next),
		cmocka_unit_test(deep_json_is_compared_and_walked),
		cmocka_unit_test(a_long_list_is_walked_in_order_quickly),
		cmocka_unit_test(patterns_are_those_of_lua),
		cmocka_unit_test(catastrophic_patterns_take_linear_time),
		cmocka_unit_test(slips_are_explained_where_they_stand),
		cmocka_unit_test(only_one_expression_is_accepted),
		cmocka_unit_test(long_and_deep_expressions_are_refused_in_words),
		cmocka_unit_test(free_names_are_found),
		cmocka_unit_test(builtins_are_listed_and_all_there),
		cmocka_unit_test(reads_are_noted_with_their_paths),
		cmocka_unit_test(reads_are_few_and_short),
		cmocka_unit_test(a_text_lives_until_the_next_evaluation),
		cmocka_unit_test(a_million_evaluations_do_not_grow_memory),
	};

	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
