/*
 * The world and the walk on the demo application: a real process that commits to SQLite over its own connection.
 * What cannot be seen in a report is looked at here: processes, triggers, counted rows.
 */
#include "base/mem.h"
#include "explore/explorer.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct real {
	struct bs_model *model;
	struct bs_world *world;
	struct bs_emitter emitter;
	struct bs_explorer explorer;
};

static void ignore_event(void *ctx, const struct bs_event *event)
{
	(void)ctx, (void)event;
}

static int open_real(void **state)
{
	struct real *real = bs_xcalloc(1, sizeof *real);
	struct bs_problems problems = {0};
	struct bs_world_options options = {0};
	struct bs_err err = BS_ERR_INIT;

	assert_int_equal(bs_model_load(SOURCE_DIR "/templates/payments.yaml", &real->model, &problems, &err), 0);
	if (bs_world_open(real->model, &options, &real->world, &err) < 0)
		fail_msg("%s", bs_err_text(&err));
	bs_emitter_init(&real->emitter, (struct bs_sink){NULL, ignore_event}, NULL);
	bs_explorer_init(&real->explorer, real->model, real->world, &real->emitter, NULL);
	assert_int_equal(bs_explorer_root(&real->explorer, &err), 0);
	bs_problems_release(&problems);
	*state = real;
	return 0;
}

static int close_real(void **state)
{
	struct real *real = *state;

	bs_explorer_release(&real->explorer);
	bs_world_close(real->world);
	bs_model_free(real->model);
	free(real);
	return 0;
}

static size_t operation(const struct real *real, const char *label)
{
	for (size_t i = 0; i < real->model->operation_count; i++)
		if (strcmp(real->model->operations[i].label, label) == 0)
			return i;
	fail_msg("no operation %s", label);
	return 0;
}

/* One number that a query on the clone gives. */
static int64_t ask(const struct real *real, const char *sql)
{
	const char *path = bs_stores_property(&real->world->stores, "db", "path");
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return value;
}

static pid_t run_clean(struct real *real, const size_t *path, size_t count)
{
	struct bs_trace trace = {0};
	struct bs_err err = BS_ERR_INIT;

	if (bs_explorer_run_path(&real->explorer, path, count, true, &trace, &err) < 0)
		fail_msg("%s", bs_err_text(&err));
	assert_true(trace.complete);
	assert_int_equal(trace.count, count);
	pid_t pid = trace.app_pid;
	bs_trace_release(&trace);
	return pid;
}

static void a_clean_replay_has_a_new_process_and_a_new_clone(void **state)
{
	struct real *real = *state;
	const size_t path[] = {operation(real, "create_order(amount=100)"), operation(real, "refund_order")};

	pid_t first = run_clean(real, path, 2);
	assert_int_equal(ask(real, "SELECT count(*) FROM orders"), 1);
	pid_t second = run_clean(real, path, 2);
	assert_int_equal(ask(real, "SELECT count(*) FROM orders"), 1); /* and not 2: the clone is another */
	assert_true(first > 0 && second > 0 && first != second);
	assert_int_equal(kill(first, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(kill(second, 0), 0);
}

static void the_demo_runs_on_triggers(void **state)
{
	struct real *real = *state;
	struct bs_store_stats stats;

	real->world->stores.items[0]->ops->stats(real->world->stores.items[0], &stats);
	assert_string_equal(stats.mechanism, "triggers");
	assert_true(ask(real, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'orders'") > 0);
}

static void a_restore_applies_only_the_rows_that_changed(void **state)
{
	struct real *real = *state;
	struct bs_explorer *explorer = &real->explorer;
	const size_t create = operation(real, "create_order(amount=100)"), refund = operation(real, "refund_order");
	struct bs_err err = BS_ERR_INIT;
	struct bs_step step;
	const struct bs_delta *delta;

	for (int i = 0; i < 10; i++) { /* ten orders at a state of the tree, and one refund beyond it */
		bs_step_init(&step);
		assert_int_equal(bs_walk_step(&explorer->walk, create, &step, &delta, &err), 0);
		bs_step_release(&step);
	}
	struct bs_state ten = {.delta = bs_delta_new(&explorer->graph.arena, explorer->walk.beyond->items,
						     explorer->walk.beyond->count),
			       .context = bs_context_ref(explorer->walk.context),
			       .depth = 10};
	uint32_t id = bs_graph_add(&explorer->graph, &ten);
	bs_walk_settle(&explorer->walk, id, true);
	bs_step_init(&step);
	assert_int_equal(bs_walk_step(&explorer->walk, refund, &step, &delta, &err), 0);
	bs_step_release(&step);
	assert_int_equal(delta->count, 1);
	assert_int_equal(ask(real, "SELECT sum(refunded) FROM orders"), 100);

	uint64_t before = bs_stores_applied_rows(&real->world->stores);
	assert_int_equal(bs_walk_to(&explorer->walk, id, &err), 0);
	assert_int_equal(bs_stores_applied_rows(&real->world->stores) - before, 2); /* out with one, in with one */
	assert_int_equal(ask(real, "SELECT sum(refunded) FROM orders"), 0);
	assert_int_equal(ask(real, "SELECT count(*) FROM orders"), 10);
}

static void the_self_check_acts_on_a_real_row_and_is_exact(void **state)
{
	struct real *real = *state;
	struct bs_err err = BS_ERR_INIT;
	char *text = NULL;

	assert_int_equal(bs_explorer_self_check(&real->explorer, &text, &err), 0);
	assert_non_null(strstr(text, "exact ("));
	assert_true(real->explorer.walk.redo_after_restart);
	assert_false(real->explorer.walk.replay);
	assert_int_equal(ask(real, "SELECT count(*) FROM orders"), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_clean_replay_has_a_new_process_and_a_new_clone, open_real, close_real),
		cmocka_unit_test_setup_teardown(the_demo_runs_on_triggers, open_real, close_real),
		cmocka_unit_test_setup_teardown(a_restore_applies_only_the_rows_that_changed, open_real, close_real),
		cmocka_unit_test_setup_teardown(the_self_check_acts_on_a_real_row_and_is_exact, open_real, close_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
