/* Deltas as multisets: what sums to zero is not touched, and what is left is what two states differ in. */
#include "world/stores/delta.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct bs_blob blob(const char *text)
{
	return (struct bs_blob){text, text ? (uint32_t)strlen(text) : 0};
}

static struct bs_change change(uint32_t table, const char *before, const char *after)
{
	return (struct bs_change){table, blob(before), blob(after)};
}

/* "1:-old 1:+new", in the order of tables and then of text. */
static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void expect(struct bs_net *net, const char *wanted)
{
	size_t count;
	const struct bs_net_row *rows = bs_net_rows(net, &count);
	BS_AUTOFREE char **texts = bs_xcalloc(count, sizeof *texts);
	char all[512] = "";

	for (size_t i = 0; i < count; i++) {
		texts[i] = bs_xasprintf("%u:%+d%.*s", rows[i].table, rows[i].count, (int)rows[i].image.len,
					(const char *)rows[i].image.data);
		if (i)
			assert_true(rows[i - 1].table <= rows[i].table);
	}
	if (count > 1)
		qsort(texts, count, sizeof *texts, by_text);
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(all);
		snprintf(all + n, sizeof all - n, "%s%s", i ? " " : "", texts[i]);
		free(texts[i]);
	}
	assert_string_equal(all, wanted);
}

static void undoing_what_was_done_touches_nothing(void **state)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_net *net = bs_net_new();
	const struct bs_change items[] = {change(0, NULL, "a"), change(1, "b", "c"), change(0, "d", NULL)};
	const struct bs_delta *delta = bs_delta_new(&arena, items, 3);

	(void)state;
	bs_net_add(net, delta, BS_REDO);
	expect(net, "0:+1a 0:-1d 1:+1c 1:-1b");
	bs_net_add(net, delta, BS_UNDO);
	expect(net, "");
	bs_net_add(net, delta, BS_UNDO);
	expect(net, "0:+1d 0:-1a 1:+1b 1:-1c");
	bs_net_free(net);
	bs_arena_release(&arena);
}

static void a_chain_of_edges_is_one_change(void **state)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_net *net = bs_net_new();
	const char *values[] = {"v0", "v1", "v2", "v3", "v4"};

	(void)state;
	for (int i = 4; i > 0; i--) { /* from v4 back to v0, edge by edge */
		struct bs_change item = change(0, values[i - 1], values[i]);
		bs_net_add(net, bs_delta_new(&arena, &item, 1), BS_UNDO);
	}
	expect(net, "0:+1v0 0:-1v4");
	bs_net_clear(net);
	expect(net, "");
	bs_net_free(net);
	bs_arena_release(&arena);
}

static void equal_rows_of_a_table_without_a_key_are_counted(void **state)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_net *net = bs_net_new();
	const struct bs_change items[] = {change(0, NULL, "x"), change(0, NULL, "x"), change(1, NULL, "x")};

	(void)state;
	bs_net_add(net, bs_delta_new(&arena, items, 3), BS_UNDO);
	expect(net, "0:-2x 1:-1x");
	bs_net_free(net);
	bs_arena_release(&arena);
}

static void a_delta_owns_its_images_and_joins_in_order(void **state)
{
	struct bs_arena arena = BS_ARENA_INIT;
	char text[] = "mine";
	struct bs_change first = change(0, NULL, text), second = change(2, "p", "q");
	const struct bs_delta *delta = bs_delta_new(&arena, &first, 1);

	(void)state;
	text[0] = 'X';
	const struct bs_delta *both = bs_delta_join(&arena, delta, bs_delta_new(&arena, &second, 1));
	assert_int_equal(both->count, 2);
	assert_memory_equal(both->items[0].after.data, "mine", 4);
	assert_null(both->items[0].before.data);
	assert_int_equal(both->items[1].table, 2);
	assert_ptr_equal(bs_delta_join(&arena, NULL, delta), delta);
	assert_ptr_equal(bs_delta_join(&arena, delta, NULL), delta);
	assert_null(bs_delta_new(&arena, NULL, 0));
	bs_arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undoing_what_was_done_touches_nothing),
		cmocka_unit_test(a_chain_of_edges_is_one_change),
		cmocka_unit_test(equal_rows_of_a_table_without_a_key_are_counted),
		cmocka_unit_test(a_delta_owns_its_images_and_joins_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
