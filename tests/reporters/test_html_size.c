/* How large a page gets: bodies laid out and bounded, and findings without end, of which most are compressed. */
#include "page_read.h"

#include "base/buf.h"
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
	size_t from; /* the number of the first */
};

static void feed_many(void *ctx, struct bs_reporter *reporter)
{
	const struct many *many = ctx;
	struct bs_ev_finding_step step = {.operation = "get", .action = "get", .fails = true};

	step.request = (struct bs_ev_message){.method = "GET", .target = "/"};
	step.response = (struct bs_ev_message){.status = 200, .body = many->body, .body_bytes = strlen(many->body)};
	for (size_t i = many->from; i < many->from + many->findings; i++) {
		BS_AUTOFREE char *fingerprint = bs_xasprintf("%016zx", i);
		struct bs_event event = {.kind = BS_EVENT_FINDING, .seq = i + 1};
		step.elapsed_us = 100 * i;
		event.finding = (struct bs_ev_finding){.fingerprint = fingerprint, .rule = "r", .severity = "high",
						       .verdict = "confirmed", .steps = &step, .step_count = 1,
						       .replay = "backstep replay"};
		bs_reporter_html.on_event(reporter, &event);
	}
}

/* The body of the one response in the page of one finding. The caller's to free. */
static char *shown_body(const char *body)
{
	struct many one = {1, body, 0};
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

/* --- Findings without end --- */

struct size {
	size_t findings, steps;
};

static void to_reporter(void *ctx, const struct bs_event *event)
{
	bs_reporter_html.on_event(ctx, event);
}

static void feed_size(void *ctx, struct bs_reporter *reporter)
{
	const struct size *size = ctx;

	fixture_feed_many((struct bs_sink){reporter, to_reporter}, size->findings, size->steps);
}

static size_t count_text(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void a_thousand_findings_of_twelve_steps_fit(void **state)
{
	struct size size = {1000, 12};
	BS_AUTOFREE char *text = page_of(feed_size, &size), *more = page_unpack(text);

	(void)state;
	assert_true(strlen(text) <= 700000);
	assert_non_null(more);
	size_t here = count_text(text, "\n<article "), brief = count_text(text, "\n<article class=\"brief ");
	assert_int_equal(here, 200);
	assert_int_equal(here - brief + count_text(more, "<article "), 1000);
	assert_int_equal(count_text(more, "<details class=\"step"), 12 * (1000 - (here - brief)));
}

/* From one card's beginning to the next, without the numbers that depend on the place in the page, and without what is
 * only in the page. */
static char *card_text(const char *text, const char *fingerprint)
{
	BS_AUTOFREE char *id = bs_xasprintf("id=\"f-%s\"", fingerprint);
	const char *card = strstr(text, id);
	struct bs_buf out = BS_BUF_INIT;

	assert_non_null(card);
	const char *end = strstr(card, "</article>"), *rest = strstr(card, "\n<div class=\"take-away\">");
	for (end = rest && rest < end ? rest : end; card < end; card++) {
		bs_buf_addc(&out, *card);
		if (strncmp(card, "\"h-", 3) == 0)
			card += strcspn(card + 1, "\"");
	}
	return bs_buf_take(&out);
}

static void what_is_compressed_is_what_it_would_be_in_the_page(void **state)
{
	static const char body[] = "{\"a\": \" data-part=\\\"0\\\" data-hole=\\\"x\\\"> &amp; </details>\"}";
	struct many all = {231, body, 0}, last = {31, body, 200};
	BS_AUTOFREE char *page = page_of(feed_many, &all), *more = page_unpack(page), *alone = page_of(feed_many, &last);

	(void)state;
	assert_non_null(more);
	assert_int_equal(count_text(more, "<article "), 31);
	for (size_t i = 200; i < 231; i++) {
		BS_AUTOFREE char *fingerprint = bs_xasprintf("%016zx", i);
		BS_AUTOFREE char *compressed = card_text(more, fingerprint), *whole = card_text(alone, fingerprint);
		assert_string_equal(compressed, whole);
	}
}

static void the_page_says_what_is_compressed_and_what_to_do_without_scripts(void **state)
{
	struct many many = {231, "ok", 0};
	struct size size = {1000, 12};
	BS_AUTOFREE char *some = page_of(feed_many, &many), *most = page_of(feed_size, &size);
	htmlDocPtr doc = page_parse(some);

	(void)state;
	assert_int_equal(page_count(page_root(doc), "article", "finding", NULL), 200);
	assert_int_equal(page_count(page_root(doc), "article", "brief", NULL), 0);
	assert_true(page_says(page_by_id(doc, "more-words"), "31 more are not in this list."));
	assert_true(page_says(page_by_id(doc, "more-words"), "backstep report"));
	page_check_ids(doc);
	xmlFreeDoc(doc);
	doc = page_parse(most);
	assert_true(page_says(page_by_id(doc, "more-words"), "above in brief, and 800 more are not in this list."));
	xmlFreeDoc(doc);
}

static void what_is_in_brief_can_be_read_and_replayed(void **state)
{
	struct size size = {1000, 12};
	BS_AUTOFREE char *text = page_of(feed_size, &size);
	htmlDocPtr doc = page_parse(text);
	size_t whole = 0;

	(void)state;
	for PAGE_EACH(node, page_root(doc)) {
		if (!page_is(node, "article"))
			continue;
		if (!page_has_class(node, "brief")) {
			assert_int_equal(page_count(node, "details", "step", NULL), 12);
			whole++;
			continue;
		}
		xmlNode *path = NULL;
		assert_int_equal(page_count(node, "h3", NULL, NULL), 1);
		assert_int_equal(page_count(node, "p", "path", &path), 1);
		assert_true(page_says(path, "create_order(amount="));
		assert_int_equal(page_count(path, "b", NULL, NULL), 1); /* the step that breaks the rule */
		assert_true(page_says(node, " saw id "));
		assert_true(page_says(node, "backstep replay events.ndjson --finding "));
	}
	assert_true(whole >= 3); /* the most severe */
	xmlFreeDoc(doc);
}

static void a_page_that_is_light_enough_has_nothing_compressed(void **state)
{
	struct size size = {30, 4};
	BS_AUTOFREE char *text = page_of(feed_size, &size);
	htmlDocPtr doc = page_parse(text);

	(void)state;
	assert_int_equal(page_count(page_root(doc), "article", "finding", NULL), 30);
	assert_int_equal(page_count(page_root(doc), "article", "brief", NULL), 0);
	assert_null(page_by_id(doc, "more-findings"));
	assert_null(page_by_id(doc, "more-words"));
	xmlFreeDoc(doc);
}

static void long_bodies_share_a_bounded_room(void **state)
{
	BS_AUTOFREE char *body = bs_xmalloc(60001);

	(void)state;
	memset(body, 'x', 60000);
	body[60000] = 0;
	struct many many = {200, body, 0};
	BS_AUTOFREE char *text = page_of(feed_many, &many), *more = page_unpack(text); /* 12 MB of bodies */
	assert_true(strlen(text) + strlen(more) < (size_t)6 << 20);
	assert_non_null(strstr(more, "the rest is in the event file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_laid_out_and_exact),
		cmocka_unit_test(brackets_in_brackets_do_not_blow_the_page_up),
		cmocka_unit_test(a_thousand_findings_of_twelve_steps_fit),
		cmocka_unit_test(what_is_compressed_is_what_it_would_be_in_the_page),
		cmocka_unit_test(the_page_says_what_is_compressed_and_what_to_do_without_scripts),
		cmocka_unit_test(what_is_in_brief_can_be_read_and_replayed),
		cmocka_unit_test(a_page_that_is_light_enough_has_nothing_compressed),
		cmocka_unit_test(long_bodies_share_a_bounded_room),
	};

	if (!page_begin())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	page_end();
	return failed;
}
