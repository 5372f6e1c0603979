/*
 * The engine on the in-process world: what is explored, in which order, what ends it, and what becomes of
 * violations. Whole runs go through bs_run(); their events are folded here.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "explore/explorer.h"
#include "fake/fake_world.h"

#include <backstep/run.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MODEL(explore)                                                                                              \
	"version: 1\n"                                                                                              \
	"name: fake\n"                                                                                              \
	"app: {command: [nothing]}\n"                                                                               \
	"actions:\n"                                                                                                \
	"  create: {request: POST /orders, with: {amount: [100, 7]}, json: {amount: '${amount}'}, expect: 201,\n"    \
	"    capture: {id: body.id, gone: false}}\n"                                                                \
	"  refund: {request: 'POST /orders/${id}/refund', capture: {refunded: true}}\n"                              \
	"  delete: {request: 'DELETE /orders/${id}', capture: {gone: true}}\n"                                       \
	"  get: {request: 'GET /orders/${id}'}\n"                                                                   \
	"invariants:\n"                                                                                             \
	"  no_double:\n"                                                                                            \
	"    severity: critical\n"                                                                                  \
	"    holds: not any(changes('orders'), function(c) return c.after ~= nil and "                              \
	"c.after.refunded > c.after.amount end)\n"                                                                  \
	"  gone_is_gone: {severity: high, holds: not (action == 'get' and gone and status == 200)}\n"               \
	"explore: {" explore "}\n"

/* What a run told. */
struct told {
	struct bs_buf findings; /* one line each: rule verdict ratio path */
	struct bs_buf warnings; /* codes, one a line */
	struct bs_buf all;      /* everything but times: for comparing runs */
	struct bs_ev_run_end end;
	uint64_t states, steps;
};

static void on_finding(struct told *told, const struct bs_ev_finding *f)
{
	bs_buf_addf(&told->findings, "%s %s %u/%u", f->rule, f->verdict, f->confirmed, f->tries);
	for (size_t i = 0; i < f->step_count; i++)
		bs_buf_addf(&told->findings, "%s%s", i ? " > " : " ", f->steps[i].operation);
	bs_buf_addf(&told->findings, "%s%s\n", f->minimality ? "; " : "", f->minimality ? f->minimality : "");
	bs_buf_addf(&told->all, "finding %s %s %llu\n", f->rule, f->fingerprint, (unsigned long long)f->count);
}

static void on_event(void *ctx, const struct bs_event *event)
{
	struct told *told = ctx;

	bs_buf_addf(&told->all, "%s\n", bs_event_type(event->kind));
	if (event->kind == BS_EVENT_FINDING) {
		on_finding(told, &event->finding);
	} else if (event->kind == BS_EVENT_WARNING) {
		bs_buf_addf(&told->warnings, "%s: %s\n", event->notice.code, event->notice.message);
	} else if (event->kind == BS_EVENT_STATE_NEW) {
		told->states++;
		bs_buf_addf(&told->all, "%llu %s\n", (unsigned long long)event->state.parent, event->state.key);
	} else if (event->kind == BS_EVENT_STEP) {
		told->steps++;
		bs_buf_addf(&told->all, "%llu %s %d\n", (unsigned long long)event->step.from, event->step.operation,
			    event->step.status);
	} else if (event->kind == BS_EVENT_RUN_END) {
		told->end = event->run_end; /* its strings are gone after the call: only numbers are used */
		bs_buf_addf(&told->warnings, "gate %s: %s, limit %s\n", event->run_end.gate, event->run_end.reason,
			    event->run_end.limit);
	}
}

static void told_init(struct told *told)
{
	*told = (struct told){0};
	bs_buf_init(&told->findings, BS_BUF_UNBOUNDED);
	bs_buf_init(&told->warnings, BS_BUF_UNBOUNDED);
	bs_buf_init(&told->all, BS_BUF_UNBOUNDED);
}

static void told_release(struct told *told)
{
	bs_buf_release(&told->findings);
	bs_buf_release(&told->warnings);
	bs_buf_release(&told->all);
}

static int run(struct fake_world *fake, const char *yaml, struct told *told)
{
	struct bs_model *model = fake_model(yaml);
	struct bs_world_options world = fake_options(fake);
	struct bs_run_options options = {.sink = {told, on_event}, .world = &world};
	struct bs_run_result result;

	told_init(told);
	int r = bs_run(model, &options, &result, NULL);
	bs_model_free(model);
	return r < 0 ? r : result.exit_status;
}

static bool has(const struct bs_buf *text, const char *part)
{
	return strstr(bs_buf_text(text), part) != NULL;
}

/* The same, showing what is there instead. */
static void assert_has(const struct bs_buf *text, const char *part)
{
	if (!has(text, part))
		fail_msg("no '%s' in:\n%s", part, bs_buf_text(text));
}

/* --- Findings ------------------------------------------------------------------------------------------ */

static void the_double_refund_is_found_minimal_and_confirmed(void **state)
{
	struct fake_world fake;
	struct told told;

	(void)state;
	fake_init(&fake);
	assert_int_equal(run(&fake, MODEL("max_depth: 5, max_steps: 2000"), &told), 1);
	assert_string_equal(bs_buf_text(&told.findings),
			    "no_double confirmed 3/3 create(amount=100) > refund > refund; no sequence of up to 2 of "
			    "these 5 operations breaks this rule\n");
	assert_true(told.end.violations > 1); /* many paths show it, one finding joins them */
	assert_has(&told.warnings, "gate failed: fail_on is critical");
	told_release(&told);
	fake_release(&fake);
}

static void depth_first_finds_the_same_minimal_sequence_from_a_long_one(void **state)
{
	struct fake_world fake;
	struct told told;

	(void)state;
	fake_init(&fake);
	run(&fake, MODEL("strategy: dfs, max_depth: 8, max_steps: 300"), &told);
	assert_has(&told.findings, "no_double confirmed 3/3 create(amount=100) > refund > refund");
	assert_false(has(&told.findings, "breaks this rule")); /* not all shorter ones were tried */
	told_release(&told);
	fake_release(&fake);
}

static void a_stale_cache_is_found_by_memory_and_only_by_it(void **state)
{
	struct fake_world fake;
	struct told told;

	(void)state;
	fake_init(&fake);
	fake.cache = true;
	run(&fake, MODEL("max_depth: 4, max_steps: 5000"), &told);
	assert_has(&told.findings, "gone_is_gone confirmed 3/3 create(amount=100) > get > delete > get");
	assert_false(has(&told.findings, "unconfirmed")); /* those that rollback made up are joined to it */
	told_release(&told);
	fake_release(&fake);
	fake_init(&fake);
	fake.cache = true;
	run(&fake, MODEL("max_depth: 4, max_steps: 5000, remember: 0"), &told);
	assert_false(has(&told.findings, "gone_is_gone confirmed"));
	told_release(&told);
	fake_release(&fake);
}

static void rows_that_come_late_are_joined_and_judged(void **state)
{
	struct fake_world fake;
	struct told told;

	(void)state;
	fake_init(&fake);
	fake.late = true;
	run(&fake, MODEL("max_depth: 3, max_steps: 200"), &told);
	assert_has(&told.warnings, "late-rows");
	assert_has(&told.findings, "no_double confirmed 3/3 create(amount=100) > refund > refund");
	told_release(&told);
	fake_release(&fake);
}

static size_t count_of(const struct bs_buf *text, const char *part)
{
	size_t count = 0;

	for (const char *at = bs_buf_text(text); (at = strstr(at, part)); at++)
		count++;
	return count;
}

static void means_of_rollback_that_change_during_the_run_are_told_once_with_the_reason(void **state)
{
	struct fake_world fake;
	struct told told;

	(void)state;
	fake_init(&fake);
	fake.images_after = 100;
	run(&fake, MODEL("max_depth: 4, max_steps: 300"), &told);
	assert_has(&told.warnings, "mechanism-changed: store 'db' is put back otherwise from now on, by fake images "
				   "(before: by fake): rows are not enough\n");
	assert_int_equal(count_of(&told.warnings, "mechanism"), 1);
	told_release(&told);
	fake_release(&fake);
}

static void unusual_means_of_rollback_are_told_at_the_start(void **state)
{
	struct fake_world fake;
	struct told told;

	(void)state;
	fake_init(&fake);
	fake.images_after = 1;
	run(&fake, MODEL("max_depth: 3, max_steps: 100"), &told);
	assert_has(&told.warnings, "mechanism: store 'db' is put back by fake images: rows are not enough\n");
	assert_int_equal(count_of(&told.warnings, "mechanism"), 1);
	told_release(&told);
	fake_release(&fake);
}

static void an_application_that_hangs_is_one_finding_and_no_wrong_alarm(void **state)
{
	struct fake_world fake;
	struct told told;

	(void)state;
	fake_init(&fake);
	fake.hang_after = 1;
	run(&fake, MODEL("max_depth: 3, max_steps: 500"), &told);
	assert_has(&told.findings, "no-response confirmed 3/3 create(amount=100) > delete > ");
	assert_false(has(&told.findings, "unconfirmed"));
	told_release(&told);
	fake_release(&fake);
}

static void a_rollback_that_does_not_restore_is_named_and_not_used(void **state)
{
	struct fake_world fake;
	struct told told;

	(void)state;
	fake_init(&fake);
	fake.refuse_apply = true;
	run(&fake, MODEL("max_depth: 4, max_steps: 200"), &told);
	assert_has(&told.warnings, "rollback-not-exact");
	assert_has(&told.findings, "no_double confirmed 3/3 create(amount=100) > refund > refund");
	assert_false(has(&told.findings, "unconfirmed"));
	told_release(&told);
	fake_release(&fake);
}

static void the_same_seed_tells_the_same(void **state)
{
	struct fake_world fake;
	struct told first, second;

	(void)state;
	fake_init(&fake);
	run(&fake, MODEL("max_depth: 5, max_steps: 500, seed: 3"), &first);
	fake_release(&fake);
	fake_init(&fake);
	run(&fake, MODEL("max_depth: 5, max_steps: 500, seed: 3"), &second);
	assert_string_equal(bs_buf_text(&first.all), bs_buf_text(&second.all));
	told_release(&first);
	told_release(&second);
	fake_release(&fake);
}

/* --- Limits and the gate ------------------------------------------------------------------------------- */

static void limits_end_a_run_and_are_named(void **state)
{
	static const struct {
		const char *yaml, *limit;
		bool left;
	} cases[] = {
		{MODEL("max_steps: 7"), "limit steps", true},
		{MODEL("max_depth: 2"), "limit depth", false},
		{MODEL("time: 1ms, max_depth: 100"), "limit time", true},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct fake_world fake;
		struct told told;
		fake_init(&fake);
		run(&fake, cases[i].yaml, &told);
		if (!has(&told.warnings, cases[i].limit))
			fail_msg("%s: %s", cases[i].limit, bs_buf_text(&told.warnings));
		assert_int_equal(told.end.frontier > 0, cases[i].left);
		if (i == 0)
			assert_int_equal(told.steps, 7);
		told_release(&told);
		fake_release(&fake);
	}
}

#define GATE_MODEL(invariants, rest)                                                                                \
	"version: 1\nname: gate\napp: {command: [nothing]}\nactions:\n"                                             \
	"  create: {request: POST /orders, json: {amount: 1}, expect: 201, capture: {id: body.id}}\n"               \
	"  delete: {request: 'DELETE /orders/${id}', when: 'id == 77'}\n"                                           \
	"invariants:\n" invariants "explore: {max_depth: 2}\n" rest

static void nothing_is_green_that_was_not_checked(void **state)
{
	static const struct {
		const char *yaml, *says;
		int status;
	} cases[] = {
		{GATE_MODEL("  ok: {severity: low, holds: status < 500}\n", ""), "gate passed", 0},
		{GATE_MODEL("  ok: {severity: low, holds: status < 500}\n", "reach: [delete]\n"),
		 "gate failed: an action under reach never succeeded", 1},
		{GATE_MODEL("  ok: {severity: low, holds: status < 500}\n", "reach: [delete]\ngate: {fail_on: never}\n"),
		 "gate failed: an action under reach never succeeded", 1},
		{GATE_MODEL("  bad: {severity: low, holds: body.nothing == 1}\n", "gate: {fail_on: never}\n"),
		 "gate failed: an expression could not be evaluated", 1},
		{GATE_MODEL("  far: {severity: low, for: {c: \"changes('orders')\"}, holds: 'c.after.id > 0'}\n",
			    "reach: [create]\n"),
		 "gate passed", 0},
		{GATE_MODEL("  none: {severity: low, for: {c: 'map({}, function(x) return x end)'}, holds: 'c > 0'}\n", ""),
		 "gate failed", 1},
		{GATE_MODEL("  low: {severity: low, holds: status ~= 201}\n", ""), "gate passed", 0},
		{GATE_MODEL("  low: {severity: low, holds: status ~= 201}\n", "gate: {fail_on: low}\n"),
		 "gate failed: fail_on is low", 1},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct fake_world fake;
		struct told told;
		fake_init(&fake);
		int status = run(&fake, cases[i].yaml, &told);
		if (!has(&told.warnings, cases[i].says) || status != cases[i].status)
			fail_msg("case %zu: status %d, %s", i, status, bs_buf_text(&told.warnings));
		assert_true(has(&told.warnings, "never-executed") || has(&told.warnings, "reach-unmet"));
		told_release(&told);
		fake_release(&fake);
	}
}

/* --- Clones ------------------------------------------------------------------------------------------------ */

static void a_finding_is_confirmed_on_a_fresh_clone(void **state)
{
	static const struct {
		const char *yaml;
		unsigned confirm;
	} cases[] = {
		{MODEL("max_depth: 3, confirm: 1"), 1},
		{MODEL("max_depth: 3"), 3},
		{MODEL("max_depth: 3, confirm: 5"), 5},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct fake_world fake;
		struct told told;
		fake_init(&fake);
		run(&fake, cases[i].yaml, &told);
		/* The self-check starts anew to redo, and again to leave nothing. Two sequences are judged, as the
		 * order may be created with either amount: each is replayed as it was seen, and what it was shrunk
		 * to (by rollback) as often as it is to be confirmed. */
		assert_int_equal(fake.clones, 2 + 2 * (1 + cases[i].confirm));
		told_release(&told);
		fake_release(&fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_double_refund_is_found_minimal_and_confirmed),
		cmocka_unit_test(depth_first_finds_the_same_minimal_sequence_from_a_long_one),
		cmocka_unit_test(a_stale_cache_is_found_by_memory_and_only_by_it),
		cmocka_unit_test(rows_that_come_late_are_joined_and_judged),
		cmocka_unit_test(means_of_rollback_that_change_during_the_run_are_told_once_with_the_reason),
		cmocka_unit_test(unusual_means_of_rollback_are_told_at_the_start),
		cmocka_unit_test(an_application_that_hangs_is_one_finding_and_no_wrong_alarm),
		cmocka_unit_test(a_rollback_that_does_not_restore_is_named_and_not_used),
		cmocka_unit_test(the_same_seed_tells_the_same),
		cmocka_unit_test(limits_end_a_run_and_are_named),
		cmocka_unit_test(nothing_is_green_that_was_not_checked),
		cmocka_unit_test(a_finding_is_confirmed_on_a_fresh_clone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
