/* Names that hold an identifier. */
#include "world/stores/split.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka needs the three above first */
#include <cmocka.h>

static void names_are_split_where_an_identifier_stands(void **state)
{
	static const struct {
		const char *separators, *name, *pattern, *id;
	} table[] = {
		{":", "cart:17", "cart:*", "17"},
		{":", "user:42:cart", "user:*:cart", "42"},
		{":", "user:42:order:7", "user:42:order:*", "7"},
		{":", "session:5b1e0c9a-31c5-4e0e-9b1f-2f4f6a0a7c11", "session:*", "5b1e0c9a-31c5-4e0e-9b1f-2f4f6a0a7c11"},
		{":", "settings", "settings", NULL},
		{":", "user:alice", "user:alice", NULL},
		{":", "12", "*", "12"},
		{":", "a:", "a:", NULL},
		{":", "", "", NULL},
		{":", ":", ":", NULL},
		{":", "pre:abcdefghijklmnopqrstuvwxyz", "pre:abcdefghijklmnopqrstuvwxyz", NULL},
		{":", "pre:abcdefgh1jklmnop", "pre:*", "abcdefgh1jklmnop"},
		{"/.", "uploads/17.png", "uploads/*.png", "17"},
		{"/.", "users/42/photo.jpg", "users/*/photo.jpg", "42"},
		{"/.", "a/b.c", "a/b.c", NULL},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct bs_buf pattern = BS_BUF_INIT;
		struct bs_blob id;
		bs_split_name((struct bs_blob){table[i].name, (uint32_t)strlen(table[i].name)}, table[i].separators,
			      &pattern, &id);
		assert_string_equal(bs_buf_text(&pattern), table[i].pattern);
		assert_int_equal(id.data == NULL, table[i].id == NULL);
		if (table[i].id)
			assert_memory_equal(id.data, table[i].id, strlen(table[i].id));
		bs_buf_release(&pattern);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_split_where_an_identifier_stands)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
