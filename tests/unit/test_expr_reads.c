/* JSON as expressions see it: strict to read, compared deeply, walked in order; and what was read is noted. */
#include "tests/unit/expr_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_what_is_absent_is_an_error_that_says_what_is_there),
		cmocka_unit_test(json_is_compared_deeply_and_cannot_be_changed),
		cmocka_unit_test(deep_json_is_compared_and_walked),
		cmocka_unit_test(a_long_list_is_walked_in_order_quickly),
		cmocka_unit_test(reads_are_noted_with_their_paths),
		cmocka_unit_test(reads_are_few_and_short),
	};

	return cmocka_run_group_tests_name("expr reads", tests, open_fixture, close_fixture);
}
