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
	};

	if (!page_begin())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	page_end();
	return failed;
}
