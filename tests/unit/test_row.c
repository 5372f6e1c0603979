/* Packed rows: equal rows have equal bytes and nothing else does; people read them as JSON. */
#include "world/stores/row.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the four above first */
#include <cmocka.h>

static struct bs_blob blob(const struct bs_buf *buf)
{
	return (struct bs_blob){bs_buf_text(buf), (uint32_t)buf->len};
}

static void every_kind_of_cell_comes_back_as_it_went_in(void **state)
{
	struct bs_buf image = BS_BUF_INIT;
	struct bs_cell cell;
	size_t offset = 0;

	(void)state;
	bs_row_add_null(&image);
	bs_row_add_int(&image, INT64_MIN);
	bs_row_add_int(&image, 9007199254740993);
	bs_row_add_real(&image, -0.0);
	bs_row_add_text(&image, "a\0b", 3);
	bs_row_add_text(&image, "", 0);
	bs_row_add_blob(&image, "\xff\x00", 2);
	assert_true(bs_row_next(blob(&image), &offset, &cell));
	assert_int_equal(cell.kind, BS_CELL_NULL);
	assert_true(bs_row_next(blob(&image), &offset, &cell));
	assert_true(cell.kind == BS_CELL_INT && cell.integer == INT64_MIN);
	assert_true(bs_row_next(blob(&image), &offset, &cell));
	assert_true(cell.integer == 9007199254740993);
	assert_true(bs_row_next(blob(&image), &offset, &cell));
	assert_true(cell.kind == BS_CELL_REAL && signbit(cell.real));
	assert_true(bs_row_next(blob(&image), &offset, &cell));
	assert_true(cell.kind == BS_CELL_TEXT && cell.len == 3);
	assert_memory_equal(cell.data, "a\0b", 3);
	assert_true(bs_row_next(blob(&image), &offset, &cell));
	assert_true(cell.kind == BS_CELL_TEXT && cell.len == 0);
	assert_true(bs_row_next(blob(&image), &offset, &cell));
	assert_true(cell.kind == BS_CELL_BLOB && cell.len == 2);
	assert_false(bs_row_next(blob(&image), &offset, &cell));
	bs_buf_release(&image);
}

static void cells_are_found_by_index(void **state)
{
	struct bs_buf image = BS_BUF_INIT;
	struct bs_cell cell;
	struct bs_blob bytes;

	(void)state;
	bs_row_add_text(&image, "long enough", 11);
	bs_row_add_int(&image, 7);
	assert_true(bs_row_cell(blob(&image), 1, &cell));
	assert_int_equal(cell.integer, 7);
	assert_true(bs_row_bytes(blob(&image), 1, &bytes));
	assert_int_equal(bytes.len, 9);
	assert_false(bs_row_cell(blob(&image), 2, &cell));
	assert_false(bs_row_bytes(blob(&image), 2, &bytes));
	assert_false(bs_row_cell((struct bs_blob){NULL, 0}, 0, &cell));
	bs_buf_release(&image);
}

static void an_image_that_was_cut_short_ends_early(void **state)
{
	struct bs_buf image = BS_BUF_INIT;
	struct bs_cell cell;

	(void)state;
	bs_row_add_int(&image, 1);
	bs_row_add_text(&image, "text", 4);
	for (uint32_t len = 0; len < image.len; len++) {
		BS_AUTOFREE char *exact = bs_xmalloc(len); /* so that reading behind it is noticed */
		memcpy(exact, image.data, len);
		assert_false(bs_row_cell((struct bs_blob){exact, len}, 1, &cell));
	}
	char unknown[] = {99, 0, 0};
	assert_false(bs_row_cell((struct bs_blob){unknown, 3}, 0, &cell));
	bs_buf_release(&image);
}

static void what_differs_in_kind_has_other_bytes(void **state)
{
	struct bs_buf images[5] = {BS_BUF_INIT, BS_BUF_INIT, BS_BUF_INIT, BS_BUF_INIT, BS_BUF_INIT};

	(void)state;
	bs_row_add_int(&images[0], 1);
	bs_row_add_real(&images[1], 1.0);
	bs_row_add_text(&images[2], "1", 1);
	bs_row_add_blob(&images[3], "1", 1);
	bs_row_add_null(&images[4]);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(bs_blob_equal(blob(&images[i]), blob(&images[j])), i == j);
	for (size_t i = 0; i < 5; i++)
		bs_buf_release(&images[i]);
}

static void no_row_equals_only_no_row(void **state)
{
	struct bs_blob none = {NULL, 0}, empty = {"", 0};

	(void)state;
	assert_true(bs_blob_equal(none, none));
	assert_false(bs_blob_equal(none, empty));
	assert_true(bs_blob_equal(empty, empty));
}

static void rows_are_shown_without_hidden_columns_and_with_exact_numbers(void **state)
{
	struct bs_column columns[] = {{.name = "rowid", .hidden = true}, {.name = "id"}, {.name = "price"},
				      {.name = "name"},			  {.name = "gone"}, {.name = "photo"}};
	struct bs_table table = {.name = "t", .columns = columns, .column_count = BS_COUNT(columns)};
	struct bs_buf image = BS_BUF_INIT;

	(void)state;
	bs_row_add_int(&image, 5);
	bs_row_add_int(&image, 9007199254740993);
	bs_row_add_real(&image, 0.1);
	bs_row_add_text(&image, "caf\xc3\xa9 \xff", 7);
	bs_row_add_null(&image);
	bs_row_add_blob(&image, "\x1a\x00\xff", 3);
	cJSON *row = bs_row_to_json(&table, blob(&image));
	BS_AUTOFREE char *text = bs_json_print(row, false);
	assert_string_equal(text, "{\"id\":9007199254740993,\"price\":0.1,\"name\":\"caf\xc3\xa9 \xef\xbf\xbd\","
				  "\"gone\":null,\"photo\":\"x'1a00ff'\"}");
	cJSON_Delete(row);
	bs_buf_release(&image);
}

static void truth_values_decimals_and_documents_are_shown_as_what_they_are(void **state)
{
	struct bs_column columns[] = {{.name = "b"}, {.name = "n"}, {.name = "huge"}, {.name = "j"}, {.name = "odd"}, {.name = "nan"}};
	struct bs_table table = {.name = "t", .columns = columns, .column_count = BS_COUNT(columns)};
	struct bs_buf image = BS_BUF_INIT;
	struct bs_cell cell;
	static const char huge[] = "123456789012345678901234567890.1234567890";
	static const char document[] = "{\"a\": [1.50, null]}", odd[] = "\"\\u0000\"";

	(void)state;
	bs_row_add_bool(&image, true);
	bs_row_add_number(&image, "12.50", 5);
	bs_row_add_number(&image, huge, strlen(huge));
	bs_row_add_json(&image, document, strlen(document));
	bs_row_add_json(&image, odd, strlen(odd));
	bs_row_add_number(&image, "NaN", 3);
	cJSON *row = bs_row_to_json(&table, blob(&image));
	BS_AUTOFREE char *text = bs_json_print(row, false);
	assert_string_equal(text, "{\"b\":true,\"n\":12.50,\"huge\":123456789012345678901234567890.1234567890,"
				  "\"j\":{\"a\":[1.50,null]},\"odd\":\"\\\"\\\\u0000\\\"\",\"nan\":\"NaN\"}");
	cJSON_Delete(row);
	assert_true(bs_row_cell(blob(&image), 1, &cell) && cell.kind == BS_CELL_NUMBER && cell.len == 5);
	image.len = 1; /* cut short */
	assert_false(bs_row_cell(blob(&image), 0, &cell));
	bs_buf_release(&image);
}

static void no_row_is_shown_as_null(void **state)
{
	struct bs_table table = {.name = "t"};

	(void)state;
	cJSON *row = bs_row_to_json(&table, (struct bs_blob){NULL, 0});
	assert_int_equal(bs_json_kind(row), BS_J_NULL);
	cJSON_Delete(row);
}

static void a_long_blob_is_shown_by_its_beginning_and_its_size(void **state)
{
	char zeros[1000] = {0};
	struct bs_cell cell = {.kind = BS_CELL_BLOB, .data = zeros, .len = sizeof zeros};

	(void)state;
	cJSON *json = bs_cell_to_json(&cell);
	assert_string_equal(json->valuestring, "x'00000000000000000000000000000000…' (1000 bytes)");
	cJSON_Delete(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_cell_comes_back_as_it_went_in),
		cmocka_unit_test(cells_are_found_by_index),
		cmocka_unit_test(an_image_that_was_cut_short_ends_early),
		cmocka_unit_test(what_differs_in_kind_has_other_bytes),
		cmocka_unit_test(no_row_equals_only_no_row),
		cmocka_unit_test(rows_are_shown_without_hidden_columns_and_with_exact_numbers),
		cmocka_unit_test(truth_values_decimals_and_documents_are_shown_as_what_they_are),
		cmocka_unit_test(no_row_is_shown_as_null),
		cmocka_unit_test(a_long_blob_is_shown_by_its_beginning_and_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
