/* The leaves: buffers that never grow past their cap, exact JSON, text that drives nothing. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/value.h"

#include <backstep/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>

static void buffer_never_grows_past_its_cap(void **state)
{
	struct bs_buf buf;

	(void)state;
	bs_buf_init(&buf, 5);
	assert_true(bs_buf_adds(&buf, "abc"));
	assert_false(bs_buf_adds(&buf, "def"));
	assert_true(buf.full);
	assert_string_equal(bs_buf_text(&buf), "abc");
	assert_true(bs_buf_addf(&buf, "%d", 12));
	assert_string_equal(bs_buf_text(&buf), "abc12");
	bs_buf_release(&buf);
	assert_string_equal(bs_buf_text(&buf), "");
}

static void buffer_prints_long_text_whole(void **state)
{
	struct bs_buf buf = BS_BUF_INIT;

	(void)state;
	assert_true(bs_buf_addf(&buf, "%0*d", 1000, 7));
	assert_int_equal(buf.len, 1000);
	char *text = bs_buf_take(&buf);
	assert_int_equal(text[999], '7');
	free(text);
}

static void arena_addresses_stay_put(void **state)
{
	struct bs_arena arena = BS_ARENA_INIT;
	char *names[1000];

	(void)state;
	for (int i = 0; i < 1000; i++)
		names[i] = bs_arena_printf(&arena, "name %d", i);
	void *large = bs_arena_alloc(&arena, 1 << 20);
	assert_non_null(large);
	for (int i = 0; i < 1000; i++) {
		char expected[16];
		snprintf(expected, sizeof expected, "name %d", i);
		assert_string_equal(names[i], expected);
	}
	bs_arena_release(&arena);
}

static void json_numbers_come_back_as_they_were(void **state)
{
	static const char *const texts[] = {
		"9007199254740993", "-9223372036854775808", "123456789012345678901234567890", "1.10", "1E400", "0.1",
		"[1,2.50,{\"a\":9007199254740993,\"b\":[\"7\",8]}]",
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(texts); i++) {
		cJSON *json = NULL;
		struct bs_err err = BS_ERR_INIT;
		assert_int_equal(bs_json_parse(texts[i], strlen(texts[i]), &json, &err), 0);
		char *printed = bs_json_print(json, false);
		assert_string_equal(printed, texts[i]);
		free(printed);
		cJSON_Delete(json);
	}
}

static void json_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: strlen */
	} cases[] = {
		{"", 0},	{"  ", 0},   {"01", 0},	     {"1.", 0},	     {"+1", 0},		{".5", 0},
		{"1e", 0},	{"1 2", 0},  {"{", 0},	     {"[1,]", 0},    {"\"a", 0},	{"\"\\u0000\"", 0},
		{"\"\x01\"", 0}, {"\"\xff\"", 0}, {"nul", 0}, {"{\"a\":1}x", 0}, {"[1\0]", 4},  {"--1", 0},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		cJSON *json = NULL;
		struct bs_err err = BS_ERR_INIT;
		size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
		assert_int_equal(bs_json_parse(cases[i].text, len, &json, &err), BS_EEXPR);
		assert_null(json);
		assert_non_null(err.message);
		bs_err_release(&err);
	}
}

static void json_nested_too_deep_is_refused(void **state)
{
	struct bs_buf deep = BS_BUF_INIT;
	cJSON *json = NULL;

	(void)state;
	for (int i = 0; i < 100000; i++)
		bs_buf_addc(&deep, '[');
	assert_int_equal(bs_json_parse(bs_buf_text(&deep), deep.len, &json, NULL), BS_EEXPR);
	bs_buf_release(&deep);
}

static bool equal(const char *a, const char *b)
{
	cJSON *x = NULL, *y = NULL;

	assert_int_equal(bs_json_parse(a, strlen(a), &x, NULL), 0);
	assert_int_equal(bs_json_parse(b, strlen(b), &y, NULL), 0);
	bool same = bs_json_equal(x, y);
	cJSON_Delete(x);
	cJSON_Delete(y);
	return same;
}

static void json_equality_is_by_value(void **state)
{
	(void)state;
	assert_true(equal("{\"a\":1,\"b\":[true,null]}", "{\"b\":[true,null],\"a\":1}"));
	assert_true(equal("1.0", "1"));
	assert_false(equal("9007199254740993", "9007199254740992"));
	assert_false(equal("123456789012345678901", "123456789012345678902"));
	assert_false(equal("{\"a\":1}", "{\"a\":1,\"b\":2}"));
	assert_false(equal("\"1\"", "1"));
}

static void made_reals_read_back_the_same_and_stay_reals(void **state)
{
	static const double values[] = {0.1, 1.0, 1e300, -2.5, 3.0000000000000004, 100.0};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(values); i++) {
		int64_t integer;
		cJSON *json = bs_json_new_real(values[i]);
		assert_memory_equal(&(double){bs_json_real(json)}, &values[i], sizeof(double));
		assert_false(bs_json_int(json, &integer));
		cJSON_Delete(json);
	}
}

static void values_of_json_keep_large_integers_whole(void **state)
{
	cJSON *json = NULL;

	(void)state;
	assert_int_equal(bs_json_parse("18446744073709551616", 20, &json, NULL), 0);
	struct bs_value value = bs_value_from_json(json);
	assert_int_equal(value.kind, BS_V_JSON);
	struct bs_value copy = bs_value_dup(&value);
	assert_true(bs_value_equal(&value, &copy));
	cJSON *back = bs_value_to_json(&copy);
	assert_string_equal(bs_json_token(back), "18446744073709551616");
	cJSON_Delete(back);
	bs_value_release(&copy);
	cJSON_Delete(json);
}

static void numbers_beyond_a_double_stay_what_they_are(void **state)
{
	cJSON *list = NULL;

	(void)state;
	assert_int_equal(bs_json_parse("[1e400,1e500,1e308]", 19, &list, NULL), 0);
	struct bs_value one = bs_value_from_json(cJSON_GetArrayItem(list, 0));
	struct bs_value other = bs_value_from_json(cJSON_GetArrayItem(list, 1));
	assert_int_equal(one.kind, BS_V_JSON);
	assert_false(bs_value_equal(&one, &other));
	assert_int_equal(bs_value_from_json(cJSON_GetArrayItem(list, 2)).kind, BS_V_REAL);
	cJSON_Delete(list);
}

static void cleaned_text_holds_nothing_that_its_place_forbids(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		enum bs_utf8_mode mode;
		const char *clean;
	} cases[] = {
		{"a\0b", 3, BS_UTF8_ANY, "a\xEF\xBF\xBD" "b"},
		{"a\xff" "b", 3, BS_UTF8_ANY, "a\xEF\xBF\xBD" "b"},
		{"\xED\xA0\x80", 3, BS_UTF8_XML, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* a surrogate */
		{"x\x01y", 3, BS_UTF8_XML, "x\xEF\xBF\xBDy"},
		{"\x1b[31mred\x1b[0m", 12, BS_UTF8_XML, "red"},
		{"\xEF\xBF\xBF", 3, BS_UTF8_XML, "\xEF\xBF\xBD"}, /* U+FFFF */
		{"\x1b[2J\r\n", 6, BS_UTF8_CONSOLE, "\\x1b[2J\\x0d\\x0a"},
		{"\xC2\x9B", 2, BS_UTF8_CONSOLE, "\\x9b"},
		{"\xE2\x80\xAE", 3, BS_UTF8_CONSOLE, "\\u202e"},
		{"\xC3\xA9\t\xF0\x9F\x98\x80", 7, BS_UTF8_CONSOLE, "\xC3\xA9\t\xF0\x9F\x98\x80"},
		{"\xff", 1, BS_UTF8_CONSOLE, "\\xff"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_buf out = BS_BUF_INIT;
		bs_utf8_clean(&out, cases[i].text, cases[i].len, cases[i].mode);
		assert_string_equal(bs_buf_text(&out), cases[i].clean);
		assert_true(bs_utf8_valid(bs_buf_text(&out), out.len));
		bs_buf_release(&out);
	}
}

static void overlong_and_truncated_utf8_is_invalid(void **state)
{
	(void)state;
	assert_false(bs_utf8_valid("\xC0\x80", 2));
	assert_false(bs_utf8_valid("\xE0\x80\x80", 3));
	assert_false(bs_utf8_valid("\xF4\x90\x80\x80", 4));
	assert_false(bs_utf8_valid("\xE2\x82", 2));
	assert_true(bs_utf8_valid("\xE2\x82\xAC", 3));
}

static void hashes_are_the_published_ones(void **state)
{
	char hex[BS_SHA256_HEX];

	(void)state;
	bs_sha256_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	struct bs_hash a = bs_hash_bytes("abc", 3), b = bs_hash_bytes("abd", 3);
	assert_false(bs_hash_equal(a, b));
}

static void map_finds_every_value_under_one_hash(void **state)
{
	struct bs_map map = {0};
	size_t seen = 0, at = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		bs_map_add(&map, i % 10, i);
	for (uint32_t v; (v = bs_map_next(&map, 7, &at)) != BS_MAP_NONE; seen++)
		assert_int_equal(v % 10, 7);
	assert_int_equal(seen, 100);
	bs_map_clear(&map);
	at = 0;
	assert_int_equal(bs_map_next(&map, 7, &at), BS_MAP_NONE);
	bs_map_release(&map);
}

static void errors_gather_context_on_the_way_up(void **state)
{
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	assert_int_equal(bs_err_set(&err, BS_EIO, "cannot open '%s'", "x"), BS_EIO);
	assert_int_equal(bs_err_wrap(&err, "reading %d", 1), BS_EIO);
	assert_string_equal(bs_err_text(&err), "reading 1: cannot open 'x'");
	bs_err_release(&err);
	assert_string_equal(bs_err_text(&err), "no error");
	assert_int_equal(bs_err_set(NULL, BS_EIO, "nobody listens"), BS_EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer_never_grows_past_its_cap),
		cmocka_unit_test(buffer_prints_long_text_whole),
		cmocka_unit_test(arena_addresses_stay_put),
		cmocka_unit_test(json_numbers_come_back_as_they_were),
		cmocka_unit_test(json_that_is_none_is_refused),
		cmocka_unit_test(json_nested_too_deep_is_refused),
		cmocka_unit_test(json_equality_is_by_value),
		cmocka_unit_test(made_reals_read_back_the_same_and_stay_reals),
		cmocka_unit_test(values_of_json_keep_large_integers_whole),
		cmocka_unit_test(numbers_beyond_a_double_stay_what_they_are),
		cmocka_unit_test(cleaned_text_holds_nothing_that_its_place_forbids),
		cmocka_unit_test(overlong_and_truncated_utf8_is_invalid),
		cmocka_unit_test(hashes_are_the_published_ones),
		cmocka_unit_test(map_finds_every_value_under_one_hash),
		cmocka_unit_test(errors_gather_context_on_the_way_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
