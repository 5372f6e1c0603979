/* What a reader is promised of the HTML page, all of it without its script. */
#include "page_read.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_verdict_is_said_first(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_RICH);
	htmlDocPtr doc = page_parse(text);
	xmlNode *verdict = NULL, *title = NULL;

	(void)state;
	assert_int_equal(page_count(page_root(doc), "section", "failed", &verdict), 1);
	assert_true(page_says(verdict, "Gate failed: "));
	assert_true(page_says(verdict, "fail_on: critical"));
	assert_true(page_says(verdict, "backstep replay "));
	assert_true(page_count(page_root(doc), "title", NULL, &title) >= 1); /* the pictures have titles too */
	assert_true(page_says(title, "Gate failed: "));
	xmlFreeDoc(doc);
}

static void what_is_incomplete_is_never_green(void **state)
{
	static const enum fixture cut[] = {FIXTURE_CUT, FIXTURE_CUT_FINDINGS, FIXTURE_INTERRUPTED, FIXTURE_FAILED_START,
					   FIXTURE_EMPTY, FIXTURE_NOTHING};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cut); i++) {
		BS_AUTOFREE char *text = page_of_fixture(cut[i]);
		htmlDocPtr doc = page_parse(text);
		assert_int_equal(page_count(page_root(doc), "section", "incomplete", NULL), 1);
		assert_int_equal(page_count(page_root(doc), "section", "passed", NULL), 0);
		assert_null(strstr(text, "Gate passed"));
		xmlFreeDoc(doc);
	}
}

static void a_clean_run_is_green_and_says_what_was_explored(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_CLEAN);
	htmlDocPtr doc = page_parse(text);

	(void)state;
	assert_int_equal(page_count(page_root(doc), "section", "passed", NULL), 1);
	assert_int_equal(page_count(page_root(doc), "article", "finding", NULL), 0);
	assert_true(page_says(page_by_id(doc, "findings"), "No confirmed sequence breaks a rule"));
	assert_null(page_by_id(doc, "unconfirmed"));
	xmlFreeDoc(doc);
}

/* The chain and the steps tell the same story, and the step that breaks the rule is marked in both. */
static void check_card(xmlNode *card)
{
	xmlNode *chain = NULL, *bad = NULL, *step = NULL;

	assert_int_equal(page_count(card, "ol", "chain", &chain), 1);
	size_t steps = page_count(card, "details", "step", NULL);
	assert_int_equal(page_count(chain, "p", "op", NULL), steps);
	assert_int_equal(page_count(chain, "li", "bad", &bad), page_count(card, "details", "bad", &step));
	if (bad) {
		BS_AUTOFREE char *open = page_attribute(step, "open");
		assert_true(page_says(bad, "the rule breaks here"));
		assert_true(page_says(step, "the rule breaks after this step"));
		assert_non_null(open);
	}
	assert_int_equal(page_count(card, "pre", "http", NULL), 2 * steps);
	assert_int_equal(page_count(card, "h3", NULL, NULL), 1);
	assert_true(page_says(card, "The rule"));
	assert_true(page_says(card, "What it saw"));
	assert_true(page_says(card, "How sure"));
	assert_true(page_says(card, "Rows changed"));
}

static void every_finding_is_a_card_with_its_steps(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_RICH);
	htmlDocPtr doc = page_parse(text);
	xmlNode *first = NULL;

	(void)state;
	assert_true(page_count(page_by_id(doc, "findings"), "article", "finding", &first) >= 2);
	assert_true(page_count(page_by_id(doc, "unconfirmed"), "article", "finding", NULL) >= 1);
	for PAGE_EACH(node, page_root(doc)) {
		if (page_is(node, "article"))
			check_card(node);
	}
	assert_true(page_has_class(first, "critical"));
	assert_true(page_says(first, "An order can be refunded for more than it cost"));
	assert_true(page_says(first, "Fails in 3 of 3 replays from a clean start."));
	assert_true(page_says(first, "3 steps, shortened from 5."));
	assert_true(page_says(first, "refunded 100 → 200"));
	assert_true(page_says(first, "curl -sS -X POST"));
	xmlFreeDoc(doc);
}

static void changed_rows_are_shown_before_and_after(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_RICH);
	htmlDocPtr doc = page_parse(text);
	xmlNode *first = NULL, *bad = NULL, *before = NULL, *after = NULL;

	(void)state;
	assert_true(page_count(page_by_id(doc, "findings"), "article", "finding", &first) >= 1);
	assert_int_equal(page_count(first, "details", "bad", &bad), 1);
	assert_int_equal(page_count(bad, "del", NULL, &before), 1);
	assert_int_equal(page_count(bad, "ins", NULL, &after), 1);
	assert_true(page_says(before, "100"));
	assert_true(page_says(after, "200"));
	xmlFreeDoc(doc);
}

static void rules_coverage_warnings_and_facts_are_there(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_RICH);
	htmlDocPtr doc = page_parse(text);
	xmlNode *rules = page_by_id(doc, "rules"), *pairs = page_by_id(doc, "pairs");

	(void)state;
	assert_non_null(rules);
	assert_true(page_says(rules, "violated"));
	assert_true(page_says(rules, "held"));
	assert_true(page_says(rules, "never checked on data"));
	assert_true(page_says(rules, "could not be evaluated"));
	assert_true(page_count(page_by_id(doc, "coverage"), "tr", NULL, NULL) > 2);
	assert_true(page_says(page_by_id(doc, "coverage"), "p95"));
	assert_true(page_count(pairs, "td", "bad", NULL) >= 1);
	assert_true(page_says(pairs, "breaks a rule"));
	assert_true(page_count(page_by_id(doc, "warnings"), "li", "notice", NULL) >= 1);
	assert_true(page_says(page_by_id(doc, "run"), "Seed"));
	assert_true(page_says(page_by_id(doc, "run"), "self-check"));
	xmlFreeDoc(doc);
}

static void a_failed_start_shows_its_error(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_FAILED_START);
	htmlDocPtr doc = page_parse(text);

	(void)state;
	assert_int_equal(page_count(page_by_id(doc, "errors"), "li", "notice", NULL), 1);
	assert_true(page_says(page_by_id(doc, "findings"), "No step was taken"));
	xmlFreeDoc(doc);
}

/* --- One finding, made here --- */

struct given {
	const struct bs_ev_finding *findings;
	size_t count;
	struct bs_ev_run_end end;
};

static void feed_given(void *ctx, struct bs_reporter *reporter)
{
	const struct given *given = ctx;
	struct bs_event event = {.kind = BS_EVENT_RUN_START};

	event.run_start = (struct bs_ev_run_start){.model = "shop.yaml", .seed = 4711, .target = "./shop --port 0",
						   .revision = "c0ffee00c0ffee00", .gate = "critical"};
	reporter->ops->on_event(reporter, &event);
	for (size_t i = 0; i < given->count; i++) {
		event = (struct bs_event){.kind = BS_EVENT_FINDING, .finding = given->findings[i]};
		reporter->ops->on_event(reporter, &event);
	}
	event = (struct bs_event){.kind = BS_EVENT_RUN_END, .run_end = given->end};
	reporter->ops->on_event(reporter, &event);
}

static htmlDocPtr page_of_given(struct given given)
{
	BS_AUTOFREE char *text = page_of(feed_given, &given);

	return page_parse(text);
}

static htmlDocPtr page_of_one(const struct bs_ev_finding *finding)
{
	return page_of_given((struct given){finding, 1, {.gate = "failed"}});
}

static void the_headline_counts_what_the_gate_counts(void **state)
{
	static const struct bs_ev_finding findings[] = {
		{.fingerprint = "a", .rule = "r", .severity = "critical", .verdict = "confirmed", .baseline = "known"},
		{.fingerprint = "b", .rule = "r", .severity = "critical", .verdict = "unconfirmed"},
		{.fingerprint = "c", .rule = "r", .severity = "high", .verdict = "confirmed"},
		{.fingerprint = "d", .rule = "r", .severity = "critical", .verdict = "flaky", .baseline = "new"}};
	/* What the run adds up does not matter: the cards below would belie it. */
	htmlDocPtr doc = page_of_given((struct given){findings, 4, {.gate = "failed", .severities = {9, 9, 9, 9}}});
	xmlNode *first = NULL;

	(void)state;
	assert_true(page_says(page_by_id(doc, "verdict"), "Gate failed: 1 critical finding"));
	assert_int_equal(page_count(page_by_id(doc, "findings"), "article", "finding", &first), 3);
	BS_AUTOFREE char *id = page_attribute(first, "id");
	assert_string_equal(id, "f-d"); /* what fails the gate is read first */
	assert_true(page_says(page_by_id(doc, "f-a"), "It does not fail the gate: the baseline has accepted it."));
	assert_true(page_says(page_by_id(doc, "f-c"), "It does not fail the gate: fail_on is critical."));
	assert_false(page_says(first, "fail the gate"));
	xmlFreeDoc(doc);
}

static void the_banner_says_what_it_takes_to_run_it_again(void **state)
{
	static const struct bs_ev_finding finding = {.fingerprint = "a", .rule = "r", .replay = "backstep replay x"};
	htmlDocPtr doc = page_of_one(&finding);
	xmlNode *again = NULL, *header = NULL;

	(void)state;
	assert_int_equal(page_count(page_root(doc), "header", NULL, &header), 1);
	assert_int_equal(page_count(header, "dl", "again", &again), 1);
	assert_true(page_says(again, "shop.yaml"));
	assert_true(page_says(again, "4711"));
	assert_true(page_says(again, "c0ffee00c0"));
	assert_true(page_says(again, "./shop --port 0"));
	assert_true(page_says(header, "backstep replay x"));
	xmlFreeDoc(doc);
}

/* The text that the script copies. The caller's. */
static char *copy_source(htmlDocPtr doc, const char *what)
{
	for PAGE_EACH(node, page_root(doc)) {
		BS_AUTOFREE char *of = page_attribute(node, "data-copy");
		if (!of || strcmp(of, what) != 0)
			continue;
		xmlChar *content = xmlNodeGetContent(node);
		char *copy = bs_xstrdup((const char *)content);
		xmlFree(content);
		return copy;
	}
	return NULL;
}

static const struct bs_ev_value read_ticks[] = {{"note", "\"```` no end\""}};
static const struct bs_ev_finding_step odd_steps[] = {
	{.operation = "buy(a=1)\nrm -rf /", .action = "buy", .curl = "curl \"$BASE_URL\"/buy"},
	{.operation = "pay", .action = "pay", .curl = "curl \"$BASE_URL\"/pay", .fails = true}};
static const struct bs_ev_finding odd_finding = {
	.fingerprint = "0af1", .rule = "no_free_lunch", .title = "# <b>Free</b> *lunch*\n@all", .severity = "high",
	.verdict = "confirmed", .confirmed = 3, .tries = 3, .message = "paid [nothing](x)", .reads = read_ticks,
	.read_count = 1, .steps = odd_steps, .step_count = 2, .replay = "backstep replay e --finding 0af1"};

static void a_finding_can_be_taken_away_as_a_shell_script(void **state)
{
	htmlDocPtr doc = page_of_one(&odd_finding);
	BS_AUTOFREE char *script = copy_source(doc, "script");

	(void)state;
	assert_string_equal(script, "#!/bin/sh\n# # <b>Free</b> *lunch* @all\nset -eu\n"
				    ": \"${BASE_URL:?set it to where the application runs, started afresh}\"\n"
				    "\n# 1 buy(a=1) rm -rf /\ncurl \"$BASE_URL\"/buy\necho\n"
				    "\n# 2 pay\ncurl \"$BASE_URL\"/pay\necho\n");
	BS_AUTOFREE char *curl = copy_source(doc, "curl"), *replay = copy_source(doc, "replay");
	assert_string_equal(curl, "curl \"$BASE_URL\"/buy");
	assert_string_equal(replay, "backstep replay e --finding 0af1");
	xmlFreeDoc(doc);
}

static void a_finding_can_be_taken_away_as_an_issue_as_the_markdown_report_says_it(void **state)
{
	htmlDocPtr doc = page_of_one(&odd_finding);
	BS_AUTOFREE char *issue = copy_source(doc, "issue");

	(void)state;
	assert_memory_equal(issue, "# \\# \\<b\\>Free\\</b\\> ", 20); /* the heading has no number */
	assert_non_null(strstr(issue, "\n2. `pay` · `?` → no response · ❌ **breaks here**\n"));
	assert_non_null(strstr(issue, "```sh\nbackstep replay e --finding 0af1\n"));
	xmlFreeDoc(doc);
}

static void headers_that_only_say_how_a_message_travelled_are_left_out(void **state)
{
	static const struct bs_ev_header headers[] = {{"Date", "Wed, 25 Nov 2026 10:00:00 GMT"}, {"content-length", "2"},
						      {"Connection", "keep-alive"}, {"X-Trace", "77"}};
	static const struct bs_ev_header lying[] = {{"Content-Length", "3"}};
	static const struct bs_ev_finding_step steps[] = {
		{.operation = "a", .response = {.status = 200, .body = "{}", .body_bytes = 2, .headers = headers, .header_count = 4}},
		{.operation = "b", .response = {.status = 200, .body = "{}", .body_bytes = 2, .headers = lying, .header_count = 1}}};
	static const struct bs_ev_finding finding = {.fingerprint = "a", .rule = "r", .steps = steps, .step_count = 2};
	htmlDocPtr doc = page_of_one(&finding);
	xmlNode *card = page_by_id(doc, "f-a");

	(void)state;
	assert_true(page_says(card, "\nX-Trace: 77"));
	assert_true(page_says(card, "\nContent-Length: 3"));
	assert_false(page_says(card, "Date"));
	assert_false(page_says(card, "keep-alive"));
	assert_false(page_says(card, "content-length"));
	assert_true(page_says(page_by_id(doc, "run"), "Headers that only say how"));
	xmlFreeDoc(doc);
}

static void a_long_sequence_is_a_line_of_names_and_its_steps_say_the_rest(void **state)
{
	static const struct bs_ev_value before[] = {{"n", "1"}}, after[] = {{"n", "2"}};
	static const struct bs_ev_change change[] = {{"db", "t", "#1", before, after, 1, 1}};
	struct bs_ev_finding_step steps[6];
	struct bs_ev_finding finding = {.fingerprint = "a", .rule = "r", .steps = steps, .step_count = 5};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(steps); i++)
		steps[i] = (struct bs_ev_finding_step){.operation = "op", .request = {.method = "PUT", .target = "/t"},
						       .changes = change, .change_count = 1, .fails = i == 5};
	for (; finding.step_count <= 6; finding.step_count++) {
		htmlDocPtr doc = page_of_one(&finding);
		xmlNode *chain = NULL, *step = NULL;
		bool is_long = finding.step_count > 5;
		assert_int_equal(page_count(page_by_id(doc, "f-a"), "ol", "chain", &chain), 1);
		assert_true(page_count(page_by_id(doc, "f-a"), "summary", NULL, &step) >= 5);
		assert_int_equal(page_says(chain, "PUT /t"), !is_long);
		assert_int_equal(page_says(chain, "t #1 n 1 → 2"), !is_long);
		assert_int_equal(page_says(step, "PUT /t"), is_long);
		assert_int_equal(page_says(step, "t #1 n 1 → 2"), is_long);
		assert_int_equal(page_says(chain, "the rule breaks here"), is_long);
		xmlFreeDoc(doc);
	}
}

static void actors_are_named_where_there_is_more_than_one(void **state)
{
	struct bs_ev_finding_step steps[] = {{.operation = "a", .actor = "ann"}, {.operation = "b", .actor = "ann"}};
	struct bs_ev_finding finding = {.fingerprint = "a", .rule = "r", .steps = steps, .step_count = 2};
	htmlDocPtr doc = page_of_one(&finding);

	(void)state;
	assert_false(page_says(page_by_id(doc, "f-a"), "as ann"));
	xmlFreeDoc(doc);
	steps[1].actor = "bob";
	doc = page_of_one(&finding);
	assert_true(page_says(page_by_id(doc, "f-a"), "as ann"));
	assert_true(page_says(page_by_id(doc, "f-a"), "as bob"));
	xmlFreeDoc(doc);
}

static void a_card_leads_to_its_way_in_the_picture_and_back(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_RICH);
	htmlDocPtr doc = page_parse(text);
	xmlNode *link = NULL;

	(void)state;
	for PAGE_EACH(node, page_by_id(doc, "f-9f2c41d07be83a65")) {
		if (page_is(node, "a") && page_says(node, "in the graph"))
			link = node;
	}
	assert_non_null(link);
	BS_AUTOFREE char *to = page_attribute(link, "href");
	assert_string_equal(to, "#path-1");
	xmlFreeDoc(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verdict_is_said_first),
		cmocka_unit_test(what_is_incomplete_is_never_green),
		cmocka_unit_test(a_clean_run_is_green_and_says_what_was_explored),
		cmocka_unit_test(every_finding_is_a_card_with_its_steps),
		cmocka_unit_test(changed_rows_are_shown_before_and_after),
		cmocka_unit_test(rules_coverage_warnings_and_facts_are_there),
		cmocka_unit_test(a_failed_start_shows_its_error),
		cmocka_unit_test(the_headline_counts_what_the_gate_counts),
		cmocka_unit_test(the_banner_says_what_it_takes_to_run_it_again),
		cmocka_unit_test(a_finding_can_be_taken_away_as_a_shell_script),
		cmocka_unit_test(a_finding_can_be_taken_away_as_an_issue_as_the_markdown_report_says_it),
		cmocka_unit_test(headers_that_only_say_how_a_message_travelled_are_left_out),
		cmocka_unit_test(a_long_sequence_is_a_line_of_names_and_its_steps_say_the_rest),
		cmocka_unit_test(actors_are_named_where_there_is_more_than_one),
		cmocka_unit_test(a_card_leads_to_its_way_in_the_picture_and_back),
	};

	if (!page_begin())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	page_end();
	return failed;
}
