/*
 * The state tree on the in-process world: what counts as the same state, how walking moves rows and the clock, and that
 * it brings back what was there.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "explore/explorer.h"
#include "fake/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void ignore_event(void *ctx, const struct bs_event *event)
{
	(void)ctx, (void)event;
}

struct engine {
	struct fake_world fake;
	struct bs_model *model;
	struct bs_world *world;
	struct bs_emitter emitter;
	struct bs_explorer explorer;
};

static void engine_open(struct engine *e, const char *yaml)
{
	struct bs_err err = BS_ERR_INIT;

	fake_init(&e->fake);
	e->model = fake_model(yaml);
	struct bs_world_options options = fake_options(&e->fake);
	assert_int_equal(bs_world_open(e->model, &options, &e->world, &err), 0);
	bs_emitter_init(&e->emitter, (struct bs_sink){NULL, ignore_event}, NULL);
	bs_explorer_init(&e->explorer, e->model, e->world, &e->emitter, NULL);
	assert_int_equal(bs_explorer_root(&e->explorer, &err), 0);
}

static void engine_close(struct engine *e)
{
	bs_explorer_release(&e->explorer);
	bs_world_close(e->world);
	bs_model_free(e->model);
	fake_release(&e->fake);
}

static void engine_explore(struct engine *e)
{
	struct bs_err err = BS_ERR_INIT;

	assert_int_equal(bs_explorer_run(&e->explorer, &err), 0);
}

/* The state at the end of a path of operation labels; NULL where the tree does not have it as such. */
static uint32_t state_at(const struct engine *e, const char *const *labels, size_t count)
{
	const struct bs_graph *graph = &e->explorer.graph;

	for (uint32_t s = 0; s < graph->count; s++) {
		size_t n;
		BS_AUTOFREE size_t *path = bs_graph_path(graph, s, &n);
		bool same = n == count;
		for (size_t i = 0; same && i < n; i++)
			same = strcmp(e->model->operations[path[i]].label, labels[i]) == 0;
		if (same)
			return s;
	}
	return BS_MAP_NONE;
}
#define STATE_AT(e, ...) \
	state_at(e, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Rows only, nothing captured that could tell states apart. */
#define ROWS_MODEL                                                                                                  \
	"version: 1\nname: rows\napp: {command: [nothing]}\nactions:\n"                                             \
	"  a: {request: POST /orders, json: {amount: 1}, capture: {id: body.id}}\n"                                  \
	"  b: {request: POST /orders, json: {amount: 2}, capture: {id: body.id}}\n"                                  \
	"  del: {request: 'DELETE /orders/${id}', forget: [id]}\n"                                                   \
	"explore: {max_depth: 4, remember: 0}\n"

static void create_delete_create_meets_create_though_its_key_is_another(void **state)
{
	struct engine e;

	(void)state;
	engine_open(&e, ROWS_MODEL);
	engine_explore(&e);
	assert_true(STATE_AT(&e, "a") != BS_MAP_NONE);
	assert_true(STATE_AT(&e, "a", "del") == BS_MAP_NONE);      /* it is the root */
	assert_true(STATE_AT(&e, "a", "del", "a") == BS_MAP_NONE); /* it is `a` */
	assert_true(STATE_AT(&e, "a", "b") != BS_MAP_NONE);
	assert_true(STATE_AT(&e, "b", "a") != BS_MAP_NONE); /* another order of writes is another state */
	engine_close(&e);
}

static void a_dead_token_differs_from_one_that_was_never_captured(void **state)
{
	struct engine e;

	(void)state;
	engine_open(&e, "version: 1\nname: rows\napp: {command: [nothing]}\nactions:\n"
			"  a: {request: POST /orders, json: {amount: 1}, capture: {id: body.id}}\n"
			"  del: {request: 'DELETE /orders/${id}'}\n"
			"explore: {max_depth: 3, remember: 0}\n");
	engine_explore(&e);
	uint32_t dead = STATE_AT(&e, "a", "del");
	assert_true(dead != BS_MAP_NONE); /* no row differs from the root, and yet it is not the root */
	assert_true(STATE_AT(&e, "a", "del", "a") == BS_MAP_NONE);
	engine_close(&e);
}

static void a_write_that_changes_nothing_visible_makes_a_new_state(void **state)
{
	struct engine e;

	(void)state;
	engine_open(&e, "version: 1\nname: ping\napp: {command: [nothing]}\nactions:\n"
			"  ping: {request: POST /ping}\n"
			"explore: {max_depth: 4}\n");
	engine_explore(&e);
	assert_int_equal(e.explorer.graph.count, 5);
	engine_close(&e);
}

static void a_walk_moves_only_the_rows_that_differ_and_never_goes_back_through_the_root(void **state)
{
	struct engine e;
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	engine_open(&e, ROWS_MODEL);
	engine_explore(&e);
	uint32_t aaa = STATE_AT(&e, "a", "a", "a"), aab = STATE_AT(&e, "a", "a", "b"), aa = STATE_AT(&e, "a", "a");
	static const struct {
		int from, to; /* 0 root, 1 aa, 2 aaa, 3 aab */
		unsigned rows;
	} walks[] = {{0, 2, 3}, {2, 3, 2}, {3, 1, 1}, {1, 2, 1}, {2, 2, 0}, {2, 0, 3}};
	const uint32_t states[] = {0, aa, aaa, aab};
	assert_int_equal(bs_walk_to(&e.explorer.walk, 0, &err), 0);
	for (size_t i = 0; i < BS_COUNT(walks); i++) {
		uint64_t before = bs_stores_applied_rows(&e.world->stores);
		assert_int_equal(e.explorer.walk.at, states[walks[i].from]);
		assert_int_equal(bs_walk_to(&e.explorer.walk, states[walks[i].to], &err), 0);
		assert_int_equal(bs_stores_applied_rows(&e.world->stores) - before, walks[i].rows);
	}
	engine_close(&e);
}

static void coming_back_gives_the_same_rows_from_wherever_one_comes(void **state)
{
	struct engine e;
	struct bs_err err = BS_ERR_INIT;
	uint32_t random = 12345;

	(void)state;
	engine_open(&e, ROWS_MODEL);
	engine_explore(&e);
	size_t count = e.explorer.graph.count;
	BS_AUTOFREE uint64_t *digests = bs_xcalloc(count, sizeof *digests);
	for (int i = 0; i < 3000; i++) {
		random = random * 1664525 + 1013904223;
		uint32_t to = (random >> 8) % (uint32_t)count;
		uint64_t digest;
		assert_int_equal(bs_walk_to(&e.explorer.walk, to, &err), 0);
		assert_int_equal(bs_stores_digest(&e.world->stores, &digest, NULL, &err), 0);
		digest++;
		if (!digests[to])
			digests[to] = digest;
		assert_true(digests[to] == digest);
	}
	engine_close(&e);
}

#define CLOCK_MODEL                                                                                                 \
	"version: 1\nname: clock\napp: {command: [nothing]}\nactions:\n"                                           \
	"  a: {request: POST /orders, json: {amount: 1}}\n"                                                         \
	"  day: {advance: 1d, settle: 0}\n"                                                                         \
	"explore: {max_depth: 3, remember: 0}\n"

static void where_the_clock_stands_is_part_of_a_state(void **state)
{
	struct engine e;

	(void)state;
	engine_open(&e, CLOCK_MODEL);
	engine_explore(&e);
	assert_true(STATE_AT(&e, "day") != BS_MAP_NONE);
	assert_true(STATE_AT(&e, "day", "day") != BS_MAP_NONE);
	/* The same rows at the same time: one state, whichever came first, as no column tells when it was written. */
	assert_true((STATE_AT(&e, "a", "day") == BS_MAP_NONE) != (STATE_AT(&e, "day", "a") == BS_MAP_NONE));
	assert_int_equal(e.fake.ahead_ms / 86400000, 3);
	engine_close(&e);
}

static void the_clock_goes_back_before_the_rows_and_on_after_them(void **state)
{
	static const struct {
		int to; /* 0 root, 1 a, 2 a a day */
		uint64_t days, days_at_apply;
	} walks[] = {{2, 1, 0}, {1, 0, 0}, {2, 1, 0}, {0, 0, 0}, {2, 1, 0}, {2, 1, 0}};
	struct engine e;
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	engine_open(&e, CLOCK_MODEL);
	engine_explore(&e);
	const uint32_t states[] = {0, STATE_AT(&e, "a"), STATE_AT(&e, "a", "a", "day")};
	assert_true(states[2] != BS_MAP_NONE);
	assert_int_equal(bs_walk_to(&e.explorer.walk, 0, &err), 0);
	for (size_t i = 0; i < BS_COUNT(walks); i++) {
		assert_int_equal(bs_walk_to(&e.explorer.walk, states[walks[i].to], &err), 0);
		assert_int_equal(e.fake.ahead_ms / 86400000, walks[i].days);
		assert_int_equal(e.fake.applied_ahead_ms / 86400000, walks[i].days_at_apply);
	}
	assert_int_equal(bs_walk_clean_start(&e.explorer.walk, &err), 0);
	assert_int_equal(e.fake.ahead_ms, 0);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_delete_create_meets_create_though_its_key_is_another),
		cmocka_unit_test(a_dead_token_differs_from_one_that_was_never_captured),
		cmocka_unit_test(a_write_that_changes_nothing_visible_makes_a_new_state),
		cmocka_unit_test(a_walk_moves_only_the_rows_that_differ_and_never_goes_back_through_the_root),
		cmocka_unit_test(coming_back_gives_the_same_rows_from_wherever_one_comes),
		cmocka_unit_test(where_the_clock_stands_is_part_of_a_state),
		cmocka_unit_test(the_clock_goes_back_before_the_rows_and_on_after_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
