/* How large a page gets: bodies laid out and bounded, and findings without end. */
#include "page_read.h"

#include "base/mem.h"
#include "reporters/reporters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct many {
	size_t findings;
	const char *body;
};

static void feed_many(void *ctx, struct bs_reporter *reporter)
{
	const struct many *many = ctx;
	struct bs_ev_finding_step step = {.operation = "get", .action = "get", .fails = true};

	step.request = (struct bs_ev_message){.method = "GET", .target = "/"};
	step.response = (struct bs_ev_message){.status = 200, .body = many->body, .body_bytes = strlen(many->body)};
	for (size_t i = 0; i < many->findings; i++) {
		BS_AUTOFREE char *fingerprint = bs_xasprintf("%016zx", i / 2); /* each twice */
		struct bs_event event = {.kind = BS_EVENT_FINDING, .seq = i + 1};
		event.finding = (struct bs_ev_finding){.fingerprint = fingerprint, .rule = "r", .severity = "high",
						       .verdict = "confirmed", .steps = &step, .step_count = 1};
		bs_reporter_html.on_event(reporter, &event);
	}
}

/* The body of the one response in the page of one finding. The caller's to free. */
static char *shown_body(const char *body)
{
	struct many one = {1, body};
	BS_AUTOFREE char *text = page_of(feed_many, &one);
	htmlDocPtr doc = page_parse(text);
	xmlNode *span = NULL;

	assert_int_equal(page_count(page_root(doc), "span", "body", &span), 1);
	xmlChar *content = xmlNodeGetContent(span);
	char *copy = bs_xstrdup((const char *)content);
	xmlFree(content);
	xmlFreeDoc(doc);
	return copy;
}

static void bodies_are_laid_out_and_exact(void **state)
{
	static const struct {
		const char *body, *shown;
	} cases[] = {
		{"{}", "{}"},
		{"{\"id\":9007199254740993,\"x\":1.10}", "{ \"id\": 9007199254740993, \"x\": 1.10 }"},
		{"{\"a\":[],\"b\":{\"c\":\"a text that is long enough\"},\"d\":\"another\"}",
		 "{\n  \"a\": [],\n  \"b\": { \"c\": \"a text that is long enough\" },\n  \"d\": \"another\"\n}"},
		{"{\"cut", "{\"cut"},
		{"\nplain <b>text</b>\n", "\nplain <b>text</b>\n"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		BS_AUTOFREE char *shown = shown_body(cases[i].body);
		assert_string_equal(shown, cases[i].shown);
	}
}

static void brackets_in_brackets_do_not_blow_the_page_up(void **state)
{
	char body[1801];

	(void)state;
	memset(body, '[', 900);
	memset(body + 900, ']', 900);
	body[1800] = 0;
	BS_AUTOFREE char *shown = shown_body(body);
	assert_true(strlen(shown) < 8192);
}

static void beyond_two_hundred_findings_are_lines(void **state)
{
	struct many many = {231, "ok"};
	BS_AUTOFREE char *text = page_of(feed_many, &many);
	htmlDocPtr doc = page_parse(text);
	xmlNode *lines = NULL;

	(void)state;
	assert_int_equal(page_count(page_root(doc), "article", "finding", NULL), 200);
	assert_int_equal(page_count(page_root(doc), "ol", "short", &lines), 1);
	assert_int_equal(page_count(lines, "li", NULL, NULL), 31);
	assert_true(page_says(page_by_id(doc, "findings"), "31 more, in short."));
	page_check_ids(doc);
	xmlFreeDoc(doc);
}

static void long_bodies_share_a_bounded_room(void **state)
{
	BS_AUTOFREE char *body = bs_xmalloc(60001);

	(void)state;
	memset(body, 'x', 60000);
	body[60000] = 0;
	struct many many = {200, body};
	BS_AUTOFREE char *text = page_of(feed_many, &many); /* 12 MB of bodies */
	assert_true(strlen(text) < (size_t)6 << 20);
	assert_non_null(strstr(text, "the rest is in the event file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_laid_out_and_exact),
		cmocka_unit_test(brackets_in_brackets_do_not_blow_the_page_up),
		cmocka_unit_test(beyond_two_hundred_findings_are_lines),
		cmocka_unit_test(long_bodies_share_a_bounded_room),
	};

	if (!page_begin())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	page_end();
	return failed;
}
