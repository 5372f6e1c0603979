/* JUnit XML, read back with libxml2: its shape, its counts, and that no file is green that should not be. */
#include "base/buf.h"
#include "base/mem.h"
#include "fixture.h"
#include "golden.h"
#include "reporters/junit.h"
#include "reporters/reporters.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_junit.XXXXXX";

/* --- Helpers -------------------------------------------------------------------------------------------------- */

static void to_reporter(void *ctx, const struct bs_event *event)
{
	bs_reporter_junit.on_event(ctx, event);
}

typedef void change_fn(struct bs_event *event);

struct changed {
	struct bs_reporter *reporter;
	change_fn *change;
};

static void to_changed(void *ctx, const struct bs_event *event)
{
	struct changed *changed = ctx;
	struct bs_event copy = *event;

	changed->change(&copy);
	to_reporter(changed->reporter, &copy);
}

/* The report of a stream, each event of which went through change() first where there is one. */
static char *report(enum fixture which, enum bs_junit_profile profile, change_fn *change, size_t *ret_len)
{
	struct bs_reporter_options options = {.path = path, .profile = profile == BS_JUNIT_STRICT ? "strict" : NULL};
	struct bs_reporter *reporter;

	assert_int_equal(bs_reporter_junit.open(&options, &reporter, NULL), 0);
	struct changed changed = {reporter, change};
	fixture_feed(which, change ? (struct bs_sink){&changed, to_changed} : (struct bs_sink){reporter, to_reporter});
	assert_int_equal(bs_reporter_junit.close(reporter, NULL), 0);
	return golden_read(path, ret_len);
}

static xmlDocPtr parse_text(const char *text, size_t len)
{
	xmlDocPtr doc = xmlReadMemory(text, (int)len, "junit.xml", NULL, XML_PARSE_NONET);

	assert_non_null(doc);
	return doc;
}

static xmlDocPtr parse(enum fixture which, change_fn *change)
{
	size_t len;
	BS_AUTOFREE char *text = report(which, BS_JUNIT_RICH, change, &len);

	return parse_text(text, len);
}

static double number(xmlDocPtr doc, const char *xpath)
{
	xmlXPathContextPtr context = xmlXPathNewContext(doc);
	xmlXPathObjectPtr result = xmlXPathEvalExpression(BAD_CAST xpath, context);

	assert_non_null(result);
	double value = xmlXPathCastToNumber(result);
	xmlXPathFreeObject(result);
	xmlXPathFreeContext(context);
	return value;
}

/* Whether the XPath expression is true of doc. */
static void holds(xmlDocPtr doc, const char *xpath)
{
	BS_AUTOFREE char *whole = bs_xasprintf("number(boolean(%s))", xpath);

	if (number(doc, whole) != 1)
		fail_msg("does not hold: %s", xpath);
}

/* --- Its shape --------------------------------------------------------------------------------------------------- */

static void looks_as_it_was_agreed(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		size_t len;
		if (i == FIXTURE_HOSTILE) /* large, and nothing to look at: hostile_text_is_text() knows what matters */
			continue;
		BS_AUTOFREE char *name = bs_xasprintf("junit-%s.xml", fixture_name((enum fixture)i));
		BS_AUTOFREE char *text = report((enum fixture)i, BS_JUNIT_RICH, NULL, &len);
		golden_check(name, text, len);
	}
}

/* Whether the document is valid by a schema of ours; what is wrong is printed by libxml2. */
static bool valid(const char *name, xmlDocPtr doc)
{
	BS_AUTOFREE char *file = bs_xasprintf("%s/junit-%s.xsd", REPORTER_TESTS_DIR, name);
	xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(file);
	xmlSchemaPtr schema = xmlSchemaParse(parser);

	assert_non_null(schema);
	xmlSchemaValidCtxtPtr validator = xmlSchemaNewValidCtxt(schema);
	bool is = xmlSchemaValidateDoc(validator, doc) == 0;
	xmlSchemaFreeValidCtxt(validator);
	xmlSchemaFree(schema);
	xmlSchemaFreeParserCtxt(parser);
	return is;
}

static void is_valid(enum fixture which, enum bs_junit_profile profile, const char *schema, bool wanted)
{
	size_t len;
	BS_AUTOFREE char *text = report(which, profile, NULL, &len);
	xmlDocPtr doc = parse_text(text, len);

	if (valid(schema, doc) != wanted)
		fail_msg("%s is %svalid by %s", fixture_name(which), wanted ? "not " : "", schema);
	xmlFreeDoc(doc);
}

static void rich_is_valid_whatever_happened(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++)
		is_valid((enum fixture)i, BS_JUNIT_RICH, "rich", true);
}

static void strict_is_valid_for_jenkins_and_windyroad_whatever_happened(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		is_valid((enum fixture)i, BS_JUNIT_STRICT, "jenkins", true);
		is_valid((enum fixture)i, BS_JUNIT_STRICT, "windyroad", true);
	}
}

static void what_rich_adds_the_strict_schemas_refuse(void **state)
{
	(void)state;
	is_valid(FIXTURE_RICH, BS_JUNIT_RICH, "jenkins", false);
	is_valid(FIXTURE_RICH, BS_JUNIT_RICH, "windyroad", false);
	is_valid(FIXTURE_RICH, BS_JUNIT_STRICT, "rich", false);
}

static void strict_leaves_off_what_jenkins_refuses(void **state)
{
	size_t len;
	BS_AUTOFREE char *text = report(FIXTURE_RICH, BS_JUNIT_STRICT, NULL, &len);
	xmlDocPtr strict = parse_text(text, len), rich = parse(FIXTURE_RICH, NULL);

	(void)state;
	golden_check("junit-rich-strict.xml", text, len);
	holds(strict, "not(//testcase/@file or //testcase/@line or /testsuites/@*)");
	holds(rich, "//testcase[@name='refunds_within_total'][@file='payments.yaml'][@line='38']");
	holds(rich, "/testsuites/@skipped = 1");
	/* What a testcase has no room for is told by the suite. */
	holds(strict, "//testsuite/system-out[contains(., 'refunded_orders_stay:')][contains(., 'abad1dea00000003')]");
	xmlFreeDoc(strict);
	xmlFreeDoc(rich);
}

static void counts_are_those_of_the_cases(void **state)
{
	static const char *const counts[][2] = {{"tests", "//testcase"},
						{"failures", "//testcase/failure"},
						{"errors", "//testcase/error"},
						{"skipped", "//testcase/skipped"}};

	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		xmlDocPtr doc = parse((enum fixture)i, NULL);
		for (size_t k = 0; k < BS_COUNT(counts); k++) {
			BS_AUTOFREE char *same = bs_xasprintf("/testsuites/@%s = count(%s) and //testsuite/@%s = count(%s)",
							      counts[k][0], counts[k][1], counts[k][0], counts[k][1]);
			holds(doc, same);
		}
		xmlFreeDoc(doc);
	}
}

static void properties_say_what_was_run(void **state)
{
	xmlDocPtr doc = parse(FIXTURE_RICH, NULL);

	(void)state;
	holds(doc, "//property[@name='seed'][@value='1']");
	holds(doc, "//property[@name='model.sha256'][starts-with(@value, '5f70bf18')]");
	holds(doc, "//property[@name='revision'][starts-with(@value, '0123456789')]");
	holds(doc, "//property[@name='target'][starts-with(@value, './payments')]");
	holds(doc, "//property[@name='gate'][@value='failed']");
	holds(doc, "//testsuite[@timestamp='2026-11-25T10:00:00'][@time='14.250'][not(@hostname)]");
	xmlFreeDoc(doc);
}

/* --- What each case says --------------------------------------------------------------------------------------------- */

static void each_outcome_has_its_element(void **state)
{
	xmlDocPtr doc = parse(FIXTURE_RICH, NULL);

	(void)state;
	holds(doc, "//testcase[@name='refunds_within_total']/failure[@type='critical']");
	holds(doc, "//testcase[@name='no_server_error']/failure"); /* flaky counts */
	holds(doc, "//testcase[@name='listed_totals_agree'][not(failure or error or skipped)]");
	holds(doc, "//testcase[@name='vip_discount_capped']/skipped[starts-with(@message, 'never reached: ')]");
	holds(doc, "//testcase[@name='totals_add_up']/error[@type='check-error'][contains(@message, 'totl')]");
	holds(doc, "//testcase[@name='check-error']/error");
	holds(doc, "//testcase[@name='no-response'][not(failure or error or skipped)]"); /* an oracle that was checked and not broken */
	holds(doc, "//testcase[@name='reach: invite_vip']/failure[@type='reach']");
	holds(doc, "not(//testcase[@classname != 'payments'])");
	xmlFreeDoc(doc);
}

static void what_does_not_gate_does_not_fail_and_is_told(void **state)
{
	xmlDocPtr doc = parse(FIXTURE_RICH, NULL);

	(void)state;
	holds(doc, "//testcase[@name='refunded_orders_stay'][not(failure or error or skipped)]");
	holds(doc, "//testcase[@name='refunded_orders_stay']/system-out[contains(., 'never from a clean start')]");
	/* The baseline has accepted one of the two findings. */
	holds(doc, "//testcase[@name='refunds_within_total']/system-out[contains(., 'c0ffee')]");
	holds(doc, "not(//testcase[@name='refunds_within_total']/failure[contains(., 'c0ffee')])");
	xmlFreeDoc(doc);
}

static void a_failure_holds_the_minimal_sequences_of_its_findings(void **state)
{
	xmlDocPtr doc = parse(FIXTURE_RICH, NULL);

	(void)state;
	holds(doc, "//failure[starts-with(., 'payments.yaml:38:3: ')]");
	holds(doc, "//failure[contains(., '1. create_order amount=100   POST /orders → 201')]");
	holds(doc, "//failure[contains(., '3. refund_order   POST /orders/1/refund → 200   ← breaks here')]");
	holds(doc, "//failure[contains(., 'db.orders #1   refunded 0 → 100, status paid → refunded')]");
	holds(doc, "//failure[contains(., 'id = 1, amount = 100, refunded = 200')]");
	holds(doc, "//failure[contains(., 'backstep replay .backstep/events.ndjson --finding 9f2c41')]");
	xmlFreeDoc(doc);
}

/* --- The gate ------------------------------------------------------------------------------------------------------- */

static const char *fail_on, *severity_of_all;

/* The clean stream, in which one rule was broken after all. */
static void break_one(struct bs_event *event)
{
	if (event->kind == BS_EVENT_RUN_START)
		event->run_start.gate = fail_on;
	else if (event->kind == BS_EVENT_FINDING)
		event->finding.severity = severity_of_all;
}

static void a_finding_fails_its_case_exactly_when_the_gate_counts_it(void **state)
{
	static const char *const severities[] = {"low", "medium", "high", "critical"};
	static const char *const gates[] = {"low", "medium", "high", "critical", "never"};

	(void)state;
	for (size_t g = 0; g < BS_COUNT(gates); g++)
		for (size_t s = 0; s < BS_COUNT(severities); s++) {
			fail_on = gates[g];
			severity_of_all = severities[s];
			xmlDocPtr doc = parse(FIXTURE_RICH, break_one);
			bool counts = s >= g;
			if (number(doc, "count(//testcase[@name='refunds_within_total']/failure)") != counts)
				fail_msg("a %s finding, fail_on %s", severities[s], gates[g]);
			holds(doc, counts ? "//failure[contains(., 'fails the gate')]"
					  : "//testcase[@name='refunds_within_total']/system-out[contains(., "
					    "'9f2c41')][contains(., 'does not fail the gate: fail_on is')]");
			holds(doc, "//testcase[@name='refunds_within_total']/properties/property[starts-with(@name, "
				   "'finding.9f2c41')]");
			holds(doc, "//testcase[@name='check-error']/error"); /* whatever fail_on says */
			xmlFreeDoc(doc);
		}
	fail_on = NULL;
	severity_of_all = "low";
	xmlDocPtr doc = parse(FIXTURE_RICH, break_one); /* not known: nothing that is confirmed passes */
	holds(doc, "//testcase[@name='refunds_within_total']/failure");
	xmlFreeDoc(doc);
}

static void readers_find_the_place_in_the_text_of_a_failure(void **state)
{
	xmlDocPtr doc = parse(FIXTURE_RICH, NULL);

	(void)state;
	/* dorny/test-reporter takes the first line that ends so for the place of its annotation. */
	holds(doc, "//failure[contains(., '\n    at refunds_within_total (payments.yaml:38:3)\n')]");
	xmlFreeDoc(doc);
}

static void make_known_new(struct bs_event *event)
{
	if (event->kind == BS_EVENT_FINDING)
		event->finding.baseline = "new";
}

static void two_findings_of_a_rule_are_one_failure(void **state)
{
	xmlDocPtr doc = parse(FIXTURE_RICH, make_known_new);

	(void)state;
	holds(doc, "count(//testcase[@name='refunds_within_total']/failure) = 1");
	holds(doc, "//testcase[@name='refunds_within_total']/failure[contains(., '9f2c41')][contains(., 'c0ffee')]");
	xmlFreeDoc(doc);
}

/* --- Green, and not ----------------------------------------------------------------------------------------------------- */

static void only_a_run_that_passed_is_green(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		xmlDocPtr doc = parse((enum fixture)i, NULL);
		double bad = number(doc, "count(//failure | //error)");
		if ((bad == 0) != (i == FIXTURE_CLEAN))
			fail_msg("%s has %.0f failures and errors", fixture_name((enum fixture)i), bad);
		xmlFreeDoc(doc);
	}
}

static void an_incomplete_run_is_an_error_of_its_own(void **state)
{
	static const enum fixture incomplete[] = {FIXTURE_CUT,	 FIXTURE_CUT_FINDINGS, FIXTURE_INTERRUPTED, FIXTURE_FAILED_START,
						  FIXTURE_EMPTY, FIXTURE_NOTHING};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(incomplete); i++) {
		xmlDocPtr doc = parse(incomplete[i], NULL);
		holds(doc, "//testcase[@name='run']/error[@type='incomplete'][starts-with(@message, 'incomplete: ')]");
		xmlFreeDoc(doc);
	}
	xmlDocPtr doc = parse(FIXTURE_FAILED_START, NULL);
	holds(doc, "//testcase[@name='run']/error[contains(@message, 'no such file')]");
	holds(doc, "count(//testcase/skipped) = 9");
	xmlFreeDoc(doc);
	doc = parse(FIXTURE_INTERRUPTED, NULL); /* seen, and no time was left to confirm it */
	holds(doc, "//testcase[@name='refunds_within_total']/error[@type='not-judged']");
	xmlFreeDoc(doc);
}

static void leave_one_unreached(struct bs_event *event)
{
	if (event->kind == BS_EVENT_INVARIANT_END && strcmp(event->invariant_end.name, "vip_discount_capped") == 0) {
		event->invariant_end.outcome = "unreached";
		event->invariant_end.checked = 0;
	} else if (event->kind == BS_EVENT_RUN_END) {
		event->run_end.gate = "failed";
		event->run_end.exit_status = 1;
		event->run_end.reason = "a rule was never checked on data";
	}
}

static void a_gate_that_failed_for_what_is_only_skipped_shows(void **state)
{
	xmlDocPtr doc = parse(FIXTURE_CLEAN, leave_one_unreached);

	(void)state;
	holds(doc, "//testcase[@name='vip_discount_capped']/skipped");
	holds(doc, "//testcase[@name='run']/failure[@type='gate'][contains(@message, 'never checked on data')]");
	xmlFreeDoc(doc);
}

static void name_one_like_an_oracle(struct bs_event *event)
{
	if (event->kind == BS_EVENT_INVARIANT_DECLARED && strcmp(event->invariant.name, "totals_add_up") == 0)
		event->invariant.name = "check-error";
	if (event->kind == BS_EVENT_INVARIANT_END && strcmp(event->invariant_end.name, "totals_add_up") == 0)
		event->invariant_end.name = "check-error";
}

static void names_are_unique(void **state)
{
	xmlDocPtr doc = parse(FIXTURE_RICH, name_one_like_an_oracle);

	(void)state;
	holds(doc, "count(//testcase[@name='check-error']) = 1");
	holds(doc, "//testcase[@name='check-error (2)']/error[contains(., 'totl')]");
	xmlFreeDoc(doc);
}

/* --- Hostile text ----------------------------------------------------------------------------------------------------------- */

static void hostile_text_is_text(void **state)
{
	size_t len;
	BS_AUTOFREE char *text = report(FIXTURE_HOSTILE, BS_JUNIT_RICH, NULL, &len);
	xmlDocPtr doc = parse_text(text, len);

	(void)state;
	holds(doc, "not(//script)");
	holds(doc, "contains(//failure, '<script>')");
	holds(doc, "contains(//failure, ']]>')");
	holds(doc, "not(//testcase/@*[string-length() > 520])");
	assert_null(memchr(text, 0x1b, len));
	assert_null(memchr(text, 0x07, len));
	holds(doc, "//testcase/system-out");
	holds(doc, "not(//system-out[contains(., '[[ATTACHMENT')])");
	xmlFreeDoc(doc);
}

static void a_path_that_cannot_be_written_is_an_error(void **state)
{
	struct bs_err err = BS_ERR_INIT;
	struct bs_reporter_options options = {.path = "/nonexistent/folder/junit.xml"};

	(void)state;
	assert_int_equal(fixture_report(FIXTURE_CLEAN, &bs_reporter_junit, &options, &err), BS_EIO);
	assert_non_null(err.message);
	bs_err_release(&err);
}

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	xmlCleanupParser();
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_as_it_was_agreed),
		cmocka_unit_test(rich_is_valid_whatever_happened),
		cmocka_unit_test(strict_is_valid_for_jenkins_and_windyroad_whatever_happened),
		cmocka_unit_test(what_rich_adds_the_strict_schemas_refuse),
		cmocka_unit_test(strict_leaves_off_what_jenkins_refuses),
		cmocka_unit_test(counts_are_those_of_the_cases),
		cmocka_unit_test(properties_say_what_was_run),
		cmocka_unit_test(each_outcome_has_its_element),
		cmocka_unit_test(what_does_not_gate_does_not_fail_and_is_told),
		cmocka_unit_test(a_finding_fails_its_case_exactly_when_the_gate_counts_it),
		cmocka_unit_test(readers_find_the_place_in_the_text_of_a_failure),
		cmocka_unit_test(a_failure_holds_the_minimal_sequences_of_its_findings),
		cmocka_unit_test(two_findings_of_a_rule_are_one_failure),
		cmocka_unit_test(only_a_run_that_passed_is_green),
		cmocka_unit_test(an_incomplete_run_is_an_error_of_its_own),
		cmocka_unit_test(a_gate_that_failed_for_what_is_only_skipped_shows),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(hostile_text_is_text),
		cmocka_unit_test(a_path_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("junit", tests, make_path, remove_path);
}
