/* The fold: nothing of an event is borrowed after its call, and every number is counted once. */
#include "base/mem.h"
#include "fixture.h"
#include "reporters/summary.h"
#include "reporters/summary_copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void direct(void *ctx, const struct bs_event *event)
{
	bs_summary_event(ctx, event);
}

/* Lends the event for the call only: with AddressSanitizer, whatever still points into it is found. */
static void lend(void *ctx, const struct bs_event *event)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_event lent = bs_event_keep(&arena, event);

	bs_summary_event(ctx, &lent);
	bs_arena_release(&arena);
}

static void fold(struct bs_summary *summary, enum fixture which)
{
	bs_summary_init(summary);
	fixture_feed(which, (struct bs_sink){summary, lend});
}

static const struct bs_ev_finding *finding(const struct bs_summary *summary, const char *fingerprint)
{
	for (size_t i = 0; i < summary->finding_count; i++)
		if (strcmp(summary->findings[i].fingerprint, fingerprint) == 0)
			return &summary->findings[i];
	fail_msg("no finding %s", fingerprint);
	return NULL;
}

static void findings_outlive_their_events(void **state)
{
	struct bs_summary summary;

	(void)state;
	fold(&summary, FIXTURE_RICH);
	const struct bs_ev_finding *found = finding(&summary, "9f2c41d07be83a65");
	assert_string_equal(found->rule, "refunds_within_total");
	assert_string_equal(found->at.file, "payments.yaml");
	assert_int_equal(found->read_count, 3);
	assert_string_equal(found->reads[2].json, "200");
	assert_int_equal(found->step_count, 3);
	assert_string_equal(found->steps[0].request.headers[0].value, "application/json");
	assert_string_equal(found->steps[0].request.body, "{\"amount\":100}");
	assert_string_equal(found->steps[1].changes[0].before[2].json, "0");
	assert_string_equal(found->steps[1].changes[0].after[2].json, "100");
	assert_true(found->steps[2].fails);
	found = finding(&summary, "27b1aa09c4d5e6f7");
	assert_string_equal(found->steps[2].log[1], "payments.c:212: order 1 is gone");
	bs_summary_release(&summary);
}

static void declarations_outlive_their_events(void **state)
{
	struct bs_summary summary;

	(void)state;
	fold(&summary, FIXTURE_RICH);
	assert_string_equal(summary.stream.version, "0.1.0");
	assert_string_equal(summary.run.model_name, "payments");
	assert_string_equal(summary.app.base_url, "http://127.0.0.1:40211");
	assert_int_equal(summary.store_count, 1);
	assert_string_equal(summary.stores[0].self_check, "exact (5 rows, 0.2 ms)");
	assert_int_equal(summary.action_count, 5);
	assert_string_equal(summary.actions[0].operations[1], "create_order(amount=1)");
	assert_int_equal(summary.coverage.status_count, 5);
	assert_string_equal(summary.coverage.pairs[1].second, "refund_order");
	assert_string_equal(summary.coverage.latencies[1].operation, "refund_order");
	assert_string_equal(summary.warnings[1].hint,
			    "raise explore.max_depth or explore.time, or add an action that makes such data");
	assert_string_equal(summary.end.reason, "an action under reach never succeeded");
	bs_summary_release(&summary);
}

static void a_list_that_is_missing_differs_from_an_empty_one(void **state)
{
	struct bs_arena arena = BS_ARENA_INIT;
	static const struct bs_ev_value nothing[1];
	const struct bs_ev_change changes[] = {{.store = "db", .table = "t", .before = NULL, .after = nothing}};
	const struct bs_ev_finding_step steps[] = {{.changes = changes, .change_count = 1}};
	struct bs_event event = {.kind = BS_EVENT_FINDING, .finding = {.steps = steps, .step_count = 1}};

	(void)state;
	struct bs_event kept = bs_event_keep(&arena, &event);
	assert_null(kept.finding.steps[0].changes[0].before);
	assert_non_null(kept.finding.steps[0].changes[0].after);
	assert_ptr_not_equal(kept.finding.steps[0].changes[0].after, nothing);
	assert_null(kept.finding.title);
	bs_arena_release(&arena);
}

static void everything_is_counted_once(void **state)
{
	static const struct {
		enum fixture which;
		uint64_t steps, states, violations;
		size_t confirmed, flaky, unconfirmed, rules, warnings, errors;
		bool ended;
	} expected[] = {
		{FIXTURE_RICH, 4, 5, 2, 3, 1, 1, 9, 3, 0, true},
		{FIXTURE_CLEAN, 2, 3, 0, 0, 0, 0, 9, 0, 0, true},
		{FIXTURE_CUT, 3, 4, 0, 0, 0, 0, 9, 1, 0, false},
		{FIXTURE_CUT_FINDINGS, 4, 5, 2, 1, 1, 0, 9, 1, 0, false},
		{FIXTURE_INTERRUPTED, 4, 5, 2, 0, 0, 0, 9, 1, 0, true},
		{FIXTURE_FAILED_START, 0, 0, 0, 0, 0, 0, 9, 0, 1, true},
		{FIXTURE_EMPTY, 0, 0, 0, 0, 0, 0, 0, 0, 0, false},
		{FIXTURE_NOTHING, 0, 0, 0, 0, 0, 0, 0, 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(expected); i++) {
		struct bs_summary summary;
		fold(&summary, expected[i].which);
		assert_int_equal(summary.steps, expected[i].steps);
		assert_int_equal(summary.states, expected[i].states);
		assert_int_equal(summary.violations, expected[i].violations);
		assert_int_equal(summary.confirmed, expected[i].confirmed);
		assert_int_equal(summary.flaky, expected[i].flaky);
		assert_int_equal(summary.unconfirmed, expected[i].unconfirmed);
		assert_int_equal(summary.rule_count, expected[i].rules);
		assert_int_equal(summary.warning_count, expected[i].warnings);
		assert_int_equal(summary.error_count, expected[i].errors);
		assert_int_equal(summary.ended, expected[i].ended);
		bs_summary_release(&summary);
	}
}

static void unconfirmed_findings_have_no_part_in_the_severities(void **state)
{
	struct bs_summary summary;

	(void)state;
	fold(&summary, FIXTURE_RICH);
	assert_int_equal(summary.severities[0], 0);
	assert_int_equal(summary.severities[1], 0);
	assert_int_equal(summary.severities[2], 1); /* check-error; the other high one is unconfirmed */
	assert_int_equal(summary.severities[3], 3);
	bs_summary_release(&summary);
}

static void rules_are_found_by_name_and_know_their_end(void **state)
{
	struct bs_summary summary;

	(void)state;
	fold(&summary, FIXTURE_RICH);
	const struct bs_summary_rule *rule = bs_summary_rule(&summary, "vip_discount_capped");
	assert_non_null(rule);
	assert_true(rule->ended);
	assert_string_equal(rule->end.outcome, "unreached");
	assert_null(bs_summary_rule(&summary, "no_such_rule"));
	assert_null(bs_summary_rule(&summary, NULL));
	bs_summary_release(&summary);
	fold(&summary, FIXTURE_CUT);
	assert_false(bs_summary_rule(&summary, "vip_discount_capped")->ended);
	bs_summary_release(&summary);
}

static void an_end_without_a_declaration_makes_its_rule(void **state)
{
	struct bs_summary summary;
	struct bs_event event = {.kind = BS_EVENT_INVARIANT_END,
				 .invariant_end = {.name = "lost", .severity = "high", .outcome = "held", .checked = 3}};

	(void)state;
	bs_summary_init(&summary);
	direct(&summary, &event);
	assert_int_equal(summary.rule_count, 1);
	assert_string_equal(summary.rules[0].declared.name, "lost");
	assert_int_equal(summary.rules[0].end.checked, 3);
	bs_summary_release(&summary);
}

static void two_rules_of_one_name_end_each_for_itself(void **state)
{
	struct bs_summary summary;
	struct bs_event declared = {.kind = BS_EVENT_INVARIANT_DECLARED, .invariant = {.name = "twin"}};
	struct bs_event end = {.kind = BS_EVENT_INVARIANT_END, .invariant_end = {.name = "twin", .outcome = "held"}};

	(void)state;
	bs_summary_init(&summary);
	direct(&summary, &declared);
	direct(&summary, &declared);
	direct(&summary, &end);
	assert_true(summary.rules[0].ended);
	assert_false(summary.rules[1].ended);
	direct(&summary, &end);
	assert_int_equal(summary.rule_count, 2);
	assert_true(summary.rules[1].ended);
	bs_summary_release(&summary);
}

static void hostile_events_are_kept_as_they_are(void **state)
{
	struct bs_summary summary;

	(void)state;
	fold(&summary, FIXTURE_HOSTILE);
	assert_int_equal(summary.finding_count, 4);
	assert_int_equal(strlen(summary.findings[0].message), 10240);
	assert_non_null(strstr(summary.findings[0].title, "\x1b[31m"));
	bs_summary_release(&summary);
	bs_summary_release(&summary); /* and again: it is empty */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_outlive_their_events),
		cmocka_unit_test(declarations_outlive_their_events),
		cmocka_unit_test(a_list_that_is_missing_differs_from_an_empty_one),
		cmocka_unit_test(everything_is_counted_once),
		cmocka_unit_test(unconfirmed_findings_have_no_part_in_the_severities),
		cmocka_unit_test(rules_are_found_by_name_and_know_their_end),
		cmocka_unit_test(an_end_without_a_declaration_makes_its_rule),
		cmocka_unit_test(two_rules_of_one_name_end_each_for_itself),
		cmocka_unit_test(hostile_events_are_kept_as_they_are),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
