/* SARIF: where each thing that a run knows stands in it, and that no file claims more than the run saw. */
#include "base/mem.h"
#include "golden.h"
#include "sarif_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RESULT "/runs/0/results/"
#define STEPS "/runs/0/results/0/codeFlows/0/threadFlows/0/locations/"
#define INVOCATION "/runs/0/invocations/0/"

static cJSON *rich;

static int make_rich(void **state)
{
	(void)state;
	rich = sarif_of(FIXTURE_RICH, NULL, NULL, NULL);
	return 0;
}

static int drop_rich(void **state)
{
	(void)state;
	cJSON_Delete(rich);
	return 0;
}

/* --- Its shape ------------------------------------------------------------------------------------------------ */

static void looks_as_it_was_agreed(void **state)
{
	static const enum fixture looked_at[] = {FIXTURE_RICH, FIXTURE_CUT_FINDINGS, FIXTURE_FAILED_START,
						 FIXTURE_NOTHING};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(looked_at); i++) {
		cJSON *sarif = sarif_of(looked_at[i], NULL, NULL, NULL);
		BS_AUTOFREE char *pretty = bs_json_print(sarif, true);
		BS_AUTOFREE char *text = bs_xasprintf("%s\n", pretty);
		BS_AUTOFREE char *name = bs_xasprintf("sarif-%s.json", fixture_name(looked_at[i]));
		golden_check(name, text, strlen(text));
		cJSON_Delete(sarif);
	}
}

static void rules_say_what_they_are_for(void **state)
{
	(void)state;
	assert_int_equal(sarif_count(rich, "/runs/0/tool/driver/rules"), 9);
	const cJSON *rule = sarif_find(rich, "/runs/0/tool/driver/rules/0");
	sarif_is(rule, "/id", "refunds_within_total");
	sarif_is(rule, "/name", "RefundsWithinTotal");
	sarif_is(rule, "/shortDescription/text", "An order can be refunded for more than it cost.");
	sarif_contains(rule, "/fullDescription/text", "WHERE refunded > amount");
	sarif_contains(rule, "/help/text", "WHERE refunded > amount");
	sarif_contains(rule, "/help/markdown",
		       "```\nSELECT id, amount, refunded FROM orders WHERE refunded > amount\n```");
	sarif_is(rule, "/defaultConfiguration/level", "error");
	for (const cJSON *each = sarif_find(rich, "/runs/0/tool/driver/rules/0"); each; each = each->next)
		assert_in_range(sarif_count(each, "/properties/tags"), 1, 10);
}

static void no_rule_claims_to_be_one_of_security(void **state)
{
	char *text;
	cJSON *sarif = sarif_of(FIXTURE_RICH, NULL, NULL, &text);

	(void)state;
	assert_null(strstr(text, "security"));
	free(text);
	cJSON_Delete(sarif);
}

static void a_finding_of_a_rule_that_was_not_declared_has_a_rule(void **state)
{
	cJSON *sarif = sarif_of(FIXTURE_HOSTILE, NULL, NULL, NULL);
	size_t rules = sarif_count(sarif, "/runs/0/tool/driver/rules");

	(void)state;
	assert_int_equal(sarif_count(sarif, "/runs/0/results"), 4);
	for (const cJSON *result = sarif_find(sarif, "/runs/0/results/0"); result; result = result->next) {
		int64_t index = sarif_integer(result, "/ruleIndex");
		assert_in_range(index, 0, rules - 1);
		const cJSON *rule = cJSON_GetArrayItem(sarif_find(sarif, "/runs/0/tool/driver/rules"), (int)index);
		sarif_is(rule, "/id", sarif_string(result, "/ruleId"));
	}
	cJSON_Delete(sarif);
}

static void an_oracle_and_a_rule_of_one_name(struct bs_event *event)
{
	if (event->kind == BS_EVENT_INVARIANT_DECLARED && strcmp(event->invariant.name, "vip_discount_capped") == 0)
		event->invariant.name = "no-response";
}

static void no_two_rules_have_one_id(void **state)
{
	cJSON *sarif = sarif_of(FIXTURE_RICH, an_oracle_and_a_rule_of_one_name, NULL, NULL);

	(void)state;
	sarif_is(sarif, "/runs/0/tool/driver/rules/4/id", "no-response");
	sarif_is(sarif, "/runs/0/tool/driver/rules/6/id", "no-response-2");
	cJSON_Delete(sarif);
}

/* --- Results --------------------------------------------------------------------------------------------------- */

static void a_result_lies_at_the_action_after_which_the_rule_broke(void **state)
{
	(void)state;
	assert_int_equal(sarif_count(rich, "/runs/0/results"), 5);
	sarif_is(rich, RESULT "0/ruleId", "refunds_within_total");
	assert_int_equal(sarif_count(rich, RESULT "0/locations"), 1);
	sarif_is(rich, RESULT "0/locations/0/physicalLocation/artifactLocation/uri", "payments.yaml");
	sarif_is(rich, RESULT "0/locations/0/physicalLocation/artifactLocation/uriBaseId", "%SRCROOT%");
	assert_int_equal(sarif_integer(rich, RESULT "0/locations/0/physicalLocation/region/startLine"), 22);
	assert_int_equal(sarif_integer(rich, RESULT "0/locations/0/physicalLocation/region/startColumn"), 3);
}

static void the_message_tells_all_and_links_to_the_rule(void **state)
{
	(void)state;
	sarif_is(rich, RESULT "0/message/text",
		 "An order can be refunded for more than it cost: more money was paid back than order 1 cost. "
		 "create_order → refund_order → refund_order breaks the rule [refunds_within_total](1), in 3 of 3 "
		 "replays from a clean start. It fails the gate.");
	assert_int_equal(sarif_count(rich, RESULT "0/relatedLocations"), 1);
	assert_int_equal(sarif_integer(rich, RESULT "0/relatedLocations/0/id"), 1);
	assert_int_equal(sarif_integer(rich, RESULT "0/relatedLocations/0/physicalLocation/region/startLine"), 38);
}

static void forget_places(struct bs_event *event)
{
	if (event->kind == BS_EVENT_FINDING)
		event->finding.at.file = NULL;
	else if (event->kind == BS_EVENT_INVARIANT_DECLARED)
		event->invariant.at.file = NULL;
}

static void without_a_place_of_the_rule_nothing_links_to_one(void **state)
{
	cJSON *sarif = sarif_of(FIXTURE_RICH, forget_places, NULL, NULL);

	(void)state;
	assert_null(sarif_find(sarif, RESULT "0/relatedLocations"));
	sarif_contains(sarif, RESULT "0/message/text", "breaks the rule refunds_within_total, in");
	cJSON_Delete(sarif);
}

static void each_step_has_its_request_and_its_response(void **state)
{
	(void)state;
	assert_int_equal(sarif_count(rich, RESULT "0/codeFlows"), 1);
	assert_int_equal(sarif_count(rich, RESULT "0/codeFlows/0/threadFlows"), 1);
	assert_int_equal(sarif_count(rich, RESULT "0/codeFlows/0/threadFlows/0/locations"), 3);
	assert_int_equal(sarif_integer(rich, STEPS "0/executionOrder"), 1);
	assert_int_equal(sarif_integer(rich, STEPS "0/location/physicalLocation/region/startLine"), 16);
	sarif_contains(rich, STEPS "0/location/message/text",
		       "create_order amount=100: POST /orders, answered with 201");
	sarif_is(rich, STEPS "0/webRequest/method", "POST");
	sarif_is(rich, STEPS "0/webRequest/target", "/orders");
	sarif_is(rich, STEPS "0/webRequest/headers/content-type", "application/json");
	sarif_is(rich, STEPS "0/webRequest/body/text", "{\"amount\":100}");
	assert_int_equal(sarif_integer(rich, STEPS "0/webResponse/statusCode"), 201);
	sarif_is(rich, STEPS "0/webResponse/body/text", "{\"id\":1,\"amount\":100}");
	sarif_is(rich, STEPS "0/state/order_id/text", "1");
	assert_int_equal(sarif_integer(rich, STEPS "2/executionOrder"), 3);
	sarif_is(rich, STEPS "2/importance", "essential");
	sarif_contains(rich, STEPS "2/location/message/text",
		       "db.orders #1: refunded 100 → 200; then the rule is broken.");
}

static void no_answer(struct bs_event *event)
{
	static struct bs_ev_finding_step steps[3];
	static const struct bs_ev_header twice[] = {{"accept", "a/b"}, {"accept", "c/d"}};

	if (event->kind != BS_EVENT_FINDING || event->finding.step_count != 3)
		return;
	memcpy(steps, event->finding.steps, sizeof steps);
	steps[0].request.headers = twice;
	steps[0].request.header_count = 2;
	steps[0].response.body_bytes = 100000;
	steps[0].response.body_sha256 = "ab12";
	steps[2].response = (struct bs_ev_message){.outcome = "timeout", .error = "no answer within 5 s"};
	event->finding.steps = steps;
}

static void what_is_missing_of_an_exchange_is_said(void **state)
{
	cJSON *sarif = sarif_of(FIXTURE_RICH, no_answer, NULL, NULL);

	(void)state;
	sarif_is(sarif, STEPS "0/webRequest/headers/accept", "a/b, c/d");
	assert_true(cJSON_IsTrue(sarif_find(sarif, STEPS "0/webResponse/properties/bodyCut")));
	assert_int_equal(sarif_integer(sarif, STEPS "0/webResponse/properties/bodyBytes"), 100000);
	sarif_is(sarif, STEPS "0/webResponse/properties/bodySha256", "ab12");
	assert_null(sarif_find(sarif, STEPS "1/webResponse/properties")); /* nothing is missing */
	assert_true(cJSON_IsTrue(sarif_find(sarif, STEPS "2/webResponse/noResponseReceived")));
	assert_null(sarif_find(sarif, STEPS "2/webResponse/statusCode"));
	sarif_is(sarif, STEPS "2/webResponse/properties/error", "no answer within 5 s");
	sarif_contains(sarif, STEPS "2/location/message/text", "POST /orders/1/refund, timeout");
	cJSON_Delete(sarif);
}

static void wait_a_month(struct bs_event *event)
{
	static struct bs_ev_finding_step steps[3];

	if (event->kind != BS_EVENT_FINDING || event->finding.step_count != 3)
		return;
	memcpy(steps, event->finding.steps, sizeof steps);
	steps[1].request = (struct bs_ev_message){.method = "ADVANCE", .url = "31d"};
	steps[1].response = (struct bs_ev_message){.outcome = "advanced"};
	event->finding.steps = steps;
}

static void a_step_of_the_clock_is_no_request(void **state)
{
	cJSON *sarif = sarif_of(FIXTURE_RICH, wait_a_month, NULL, NULL);

	(void)state;
	sarif_contains(sarif, STEPS "1/location/message/text", "ADVANCE 31d, advanced");
	assert_null(sarif_find(sarif, STEPS "1/webRequest"));
	assert_null(sarif_find(sarif, STEPS "1/webResponse"));
	assert_non_null(sarif_find(sarif, STEPS "2/webResponse"));
	cJSON_Delete(sarif);
}

static void a_level_is_that_of_the_severity_unless_unconfirmed(void **state)
{
	static const char *const levels[] = {"error", "error", "error", "error", "note"};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(levels); i++) {
		BS_AUTOFREE char *level = bs_xasprintf(RESULT "%zu/level", i);
		BS_AUTOFREE char *kind = bs_xasprintf(RESULT "%zu/kind", i);
		sarif_is(rich, level, levels[i]);
		sarif_is(rich, kind, "fail");
	}
	assert_string_equal(bs_sarif_level("critical"), "error");
	assert_string_equal(bs_sarif_level("high"), "error");
	assert_string_equal(bs_sarif_level("medium"), "warning");
	assert_string_equal(bs_sarif_level("low"), "note");
	sarif_is(rich, RESULT "4/properties/verdict", "unconfirmed");
	sarif_contains(rich, RESULT "4/message/text",
		       "in none of 3 replays from a clean start (it was seen while exploring and never");
	sarif_contains(rich, RESULT "4/message/text",
		       "It does not fail the gate: it was never seen from a clean start.");
	sarif_is(rich, RESULT "1/properties/verdict", "flaky");
	sarif_contains(rich, RESULT "1/message/text",
		       "in 2 of 3 replays from a clean start: it is flaky (it failed in some");
}

static void what_fails_the_gate_comes_first_then_what_is_most_severe(void **state)
{
	(void)state;
	assert_int_equal(sarif_integer(rich, RESULT "0/rank"), 100); /* critical, 3 of 3 */
	assert_int_equal(sarif_integer(rich, RESULT "1/rank"), 96);  /* critical, 2 of 3 */
	sarif_is(rich, RESULT "2/ruleId", "check-error");
	assert_int_equal(sarif_integer(rich, RESULT "2/rank"), 80);  /* high; fails the gate whatever fail_on says */
	assert_int_equal(sarif_integer(rich, RESULT "3/rank"), 100); /* critical, accepted */
	assert_int_equal(sarif_integer(rich, RESULT "4/rank"), 7);   /* high, never confirmed */
}

static void an_accepted_finding_is_suppressed(void **state)
{
	(void)state;
	sarif_is(rich, RESULT "3/suppressions/0/kind", "external");
	sarif_is(rich, RESULT "3/suppressions/0/status", "accepted");
	sarif_contains(rich, RESULT "3/suppressions/0/justification", "baseline");
	sarif_is(rich, RESULT "3/baselineState", "unchanged");
	sarif_is(rich, RESULT "0/baselineState", "new");
	for (const cJSON *each = sarif_find(rich, RESULT "0"); each; each = each->next) /* section 3.27.23 */
		assert_true(cJSON_IsArray(sarif_find(each, "/suppressions")));
	assert_int_equal(sarif_count(rich, RESULT "0/suppressions"), 0);
}

static void each_finding_has_its_own_fingerprint(void **state)
{
	(void)state;
	sarif_is(rich, RESULT "0/partialFingerprints/primaryLocationLineHash", "9f2c41d07be83a65:1");
	sarif_is(rich, RESULT "3/partialFingerprints/primaryLocationLineHash", "c0ffee0000000001:1");
	/* Both end with refund_order, at one line: GitHub's own hash of the line would take them for one. */
	assert_int_equal(sarif_integer(rich, RESULT "0/locations/0/physicalLocation/region/startLine"),
			 sarif_integer(rich, RESULT "3/locations/0/physicalLocation/region/startLine"));
}

/* --- The run -------------------------------------------------------------------------------------------------- */

static void only_a_complete_run_is_successful(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		cJSON *sarif = sarif_of((enum fixture)i, NULL, NULL, NULL);
		bool successful = cJSON_IsTrue(sarif_find(sarif, INVOCATION "executionSuccessful"));
		if (successful != (i == FIXTURE_RICH || i == FIXTURE_CLEAN))
			fail_msg("%s is%s successful", fixture_name((enum fixture)i), successful ? "" : " not");
		if (!successful)
			sarif_is(sarif, INVOCATION "toolExecutionNotifications/0/level", "error");
		cJSON_Delete(sarif);
	}
}

static void the_exit_status_is_told_where_there_is_one(void **state)
{
	cJSON *cut = sarif_of(FIXTURE_CUT, NULL, NULL, NULL);
	cJSON *failed = sarif_of(FIXTURE_FAILED_START, NULL, NULL, NULL);

	(void)state;
	assert_int_equal(sarif_integer(rich, INVOCATION "exitCode"), 1);
	sarif_is(rich, INVOCATION "exitCodeDescription", "an action under reach never succeeded");
	sarif_is(rich, INVOCATION "startTimeUtc", "2026-11-25T10:00:00Z");
	assert_int_equal(sarif_integer(failed, INVOCATION "exitCode"), 3);
	assert_null(sarif_find(cut, INVOCATION "exitCode"));
	cJSON_Delete(cut);
	cJSON_Delete(failed);
}

static void warnings_and_errors_are_notifications(void **state)
{
	cJSON *failed = sarif_of(FIXTURE_FAILED_START, NULL, NULL, NULL);

	(void)state;
	assert_int_equal(sarif_count(rich, INVOCATION "toolExecutionNotifications"), 3);
	const cJSON *unreached = sarif_find(rich, INVOCATION "toolExecutionNotifications/1");
	sarif_is(unreached, "/level", "warning");
	sarif_is(unreached, "/descriptor/id", "unreached");
	sarif_contains(unreached, "/message/text", "never checked on data (raise explore");
	assert_int_equal(sarif_integer(unreached, "/locations/0/physicalLocation/region/startLine"), 58);
	assert_int_equal(sarif_count(failed, INVOCATION "toolExecutionNotifications"), 1);
	sarif_is(failed, INVOCATION "toolExecutionNotifications/0/descriptor/id", "run-failed");
	cJSON_Delete(failed);
}

static void a_clean_run_is_an_empty_list_of_results(void **state)
{
	cJSON *clean = sarif_of(FIXTURE_CLEAN, NULL, NULL, NULL);

	(void)state;
	assert_non_null(sarif_find(clean, "/runs/0/results")); /* without it, nothing would have been looked for */
	assert_int_equal(sarif_count(clean, "/runs/0/results"), 0);
	assert_null(sarif_find(clean, INVOCATION "toolExecutionNotifications"));
	cJSON_Delete(clean);
}

static void forget_the_repository(struct bs_event *event)
{
	if (event->kind == BS_EVENT_RUN_START)
		event->run_start.repository = NULL;
}

static void the_revision_is_told_where_its_repository_is_known(void **state)
{
	cJSON *unknown = sarif_of(FIXTURE_RICH, forget_the_repository, NULL, NULL);
	cJSON *hostile = sarif_of(FIXTURE_HOSTILE, NULL, NULL, NULL);

	(void)state;
	sarif_is(rich, "/runs/0/versionControlProvenance/0/repositoryUri", "https://git.example/shop/payments");
	sarif_is(rich, "/runs/0/versionControlProvenance/0/revisionId", "0123456789abcdef0123456789abcdef01234567");
	sarif_is(rich, "/runs/0/versionControlProvenance/0/branch", "main");
	sarif_is(rich, "/runs/0/versionControlProvenance/0/mappedTo/uriBaseId", "%SRCROOT%");
	assert_null(sarif_find(unknown, "/runs/0/versionControlProvenance"));
	assert_null(sarif_find(hostile, "/runs/0/versionControlProvenance"));
	cJSON_Delete(unknown);
	cJSON_Delete(hostile);
}

static void two_models_have_two_categories(void **state)
{
	(void)state;
	sarif_is(rich, "/runs/0/automationDetails/id", "backstep/payments/");
}

static void the_model_file_is_named_with_its_hash(void **state)
{
	(void)state;
	sarif_is(rich, "/runs/0/artifacts/0/location/uri", "payments.yaml");
	sarif_is(rich, "/runs/0/artifacts/0/hashes/sha-256",
		 "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_as_it_was_agreed),
		cmocka_unit_test(rules_say_what_they_are_for),
		cmocka_unit_test(no_rule_claims_to_be_one_of_security),
		cmocka_unit_test(a_finding_of_a_rule_that_was_not_declared_has_a_rule),
		cmocka_unit_test(no_two_rules_have_one_id),
		cmocka_unit_test(a_result_lies_at_the_action_after_which_the_rule_broke),
		cmocka_unit_test(the_message_tells_all_and_links_to_the_rule),
		cmocka_unit_test(without_a_place_of_the_rule_nothing_links_to_one),
		cmocka_unit_test(each_step_has_its_request_and_its_response),
		cmocka_unit_test(what_is_missing_of_an_exchange_is_said),
		cmocka_unit_test(a_step_of_the_clock_is_no_request),
		cmocka_unit_test(a_level_is_that_of_the_severity_unless_unconfirmed),
		cmocka_unit_test(what_fails_the_gate_comes_first_then_what_is_most_severe),
		cmocka_unit_test(an_accepted_finding_is_suppressed),
		cmocka_unit_test(each_finding_has_its_own_fingerprint),
		cmocka_unit_test(only_a_complete_run_is_successful),
		cmocka_unit_test(the_exit_status_is_told_where_there_is_one),
		cmocka_unit_test(warnings_and_errors_are_notifications),
		cmocka_unit_test(a_clean_run_is_an_empty_list_of_results),
		cmocka_unit_test(the_revision_is_told_where_its_repository_is_known),
		cmocka_unit_test(two_models_have_two_categories),
		cmocka_unit_test(the_model_file_is_named_with_its_hash),
	};

	return cmocka_run_group_tests(tests, make_rich, drop_rich);
}
