/* Shrinking as a search: whatever the noise around it, what is left cannot lose a step. */
#include "judge/shrink.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Operations 0 to 9: actions 0 to 4 in two variants each; an operation's action is its number / 2. */
static struct bs_operation operations[10];
static const struct bs_model model = {.operations = operations, .operation_count = 10};

struct target {
	const size_t *wanted; /* actions that must come in this order */
	size_t count;
	size_t variant; /* operations of the first wanted action must have this variant at least */
	bool error;
};

static int fails(void *ctx, const size_t *path, size_t count, struct bs_err *err)
{
	const struct target *target = ctx;
	size_t found = 0;

	if (target->error)
		return bs_err_set(err, BS_ESTORE, "no");
	for (size_t i = 0; i < count && found < target->count; i++)
		found += path[i] / 2 == target->wanted[found] && (found || path[i] % 2 >= target->variant);
	return found == target->count;
}

static void noise_is_dropped_wherever_it_stands(void **state)
{
	static const size_t wanted[] = {1, 3, 3};
	struct target target = {wanted, 3, 0, false};
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t path[64], count = 0;
		for (size_t w = 0; w < 3; w++) {
			random = random * 1664525 + 1013904223;
			for (uint32_t n = (random >> 16) % 15; n; n--)
				path[count++] = (random >> (n % 24)) % 10;
			path[count++] = wanted[w] * 2 + 1;
		}
		struct bs_shrink shrink = {.model = &model, .ctx = &target, .fails = fails};
		assert_int_equal(bs_shrink_path(&shrink, path, &count, NULL), 0);
		assert_int_equal(count, 3);
		assert_int_equal(path[0], 2); /* and each in its first variant */
		assert_int_equal(path[1], 6);
		assert_int_equal(path[2], 6);
	}
}

static void a_variant_that_matters_stays(void **state)
{
	static const size_t wanted[] = {1, 3};
	struct target target = {wanted, 2, 1, false};
	size_t path[] = {0, 3, 8, 7}, count = 4;
	struct bs_shrink shrink = {.model = &model, .ctx = &target, .fails = fails};

	(void)state;
	assert_int_equal(bs_shrink_path(&shrink, path, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(path[0], 3);
	assert_int_equal(path[1], 6);
}

static void the_search_is_bounded_and_keeps_a_path_that_fails(void **state)
{
	static const size_t wanted[] = {0, 4};
	struct target target = {wanted, 2, 0, false};
	size_t path[40], count = BS_COUNT(path);
	struct bs_shrink shrink = {.model = &model, .ctx = &target, .fails = fails, .max_candidates = 3};

	(void)state;
	for (size_t i = 0; i < count; i++)
		path[i] = i + 1 == count ? 8 : 0;
	assert_int_equal(bs_shrink_path(&shrink, path, &count, NULL), 0);
	assert_int_equal(shrink.candidates, 3);
	assert_int_equal(fails(&target, path, count, NULL), 1);
}

static void an_error_ends_the_search(void **state)
{
	static const size_t wanted[] = {4};
	struct target target = {wanted, 1, 0, true};
	size_t path[] = {0, 8}, count = 2;
	struct bs_shrink shrink = {.model = &model, .ctx = &target, .fails = fails};

	(void)state;
	assert_int_equal(bs_shrink_path(&shrink, path, &count, NULL), BS_ESTORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_is_dropped_wherever_it_stands),
		cmocka_unit_test(a_variant_that_matters_stays),
		cmocka_unit_test(the_search_is_bounded_and_keeps_a_path_that_fails),
		cmocka_unit_test(an_error_ends_the_search),
	};

	for (size_t i = 0; i < 10; i++)
		operations[i].action = i / 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
