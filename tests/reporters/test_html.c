/*
 * The HTML page, read back with libxml2's HTML parser: whatever an API wrote is text and nowhere markup, nothing is
 * loaded from anywhere, and everything that a reader is promised is in the page without its script.
 */
#include "fixture.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "reporters/reporters.h"

#include <libxml/HTMLparser.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- Making and reading pages ------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/test_html.XXXXXX";

static void read_file(const char *path, struct bs_buf *out)
{
	FILE *file = fopen(path, "rb");
	char part[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(part, 1, sizeof part, file)) > 0)
		bs_buf_add(out, part, n);
	fclose(file);
	unlink(path);
}

/* The page of what feed(ctx, sink) emits. */
static char *page_of(void (*feed)(void *ctx, struct bs_reporter *reporter), void *ctx)
{
	BS_AUTOFREE char *path = bs_xasprintf("%s/page.html", folder);
	struct bs_reporter_options options = {.path = path};
	struct bs_buf page = BS_BUF_INIT;
	struct bs_reporter *reporter;

	assert_int_equal(bs_reporter_html.open(&options, &reporter, NULL), 0);
	feed(ctx, reporter);
	assert_int_equal(bs_reporter_html.close(reporter, NULL), 0);
	read_file(path, &page);
	return bs_buf_take(&page);
}

static void emit(void *ctx, const struct bs_event *event)
{
	bs_reporter_html.on_event(ctx, event);
}

static void feed_fixture(void *ctx, struct bs_reporter *reporter)
{
	fixture_feed(*(enum fixture *)ctx, (struct bs_sink){reporter, emit});
}

static char *page(enum fixture which)
{
	return page_of(feed_fixture, &which);
}

static htmlDocPtr parse(const char *text)
{
	htmlDocPtr doc = htmlReadMemory(text, (int)strlen(text), "page.html", "UTF-8",
					HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
	assert_non_null(doc);
	return doc;
}

/* The next element in the order of the document, within root. */
static xmlNode *next(const xmlNode *root, xmlNode *node)
{
	xmlNode *to = node->children;

	while (!to && node != root) {
		to = node->next;
		if (!to)
			node = node->parent;
	}
	return to;
}

#define EACH(node, root) (xmlNode *node = (root); node; node = next((root), node)) if (node->type == XML_ELEMENT_NODE)

static bool is(const xmlNode *node, const char *tag)
{
	return strcmp((const char *)node->name, tag) == 0;
}

static char *attribute(xmlNode *node, const char *name) /* the caller's; NULL: none */
{
	xmlChar *value = xmlGetProp(node, BAD_CAST name);
	char *copy = bs_xstrdup((char *)value);

	xmlFree(value);
	return copy;
}

static bool has_class(xmlNode *node, const char *class)
{
	BS_AUTOFREE char *classes = attribute(node, "class");
	BS_AUTOFREE char *padded = bs_xasprintf(" %s ", classes ? classes : ""), *wanted = bs_xasprintf(" %s ", class);

	return strstr(padded, wanted) != NULL;
}

static xmlNode *by_id(htmlDocPtr doc, const char *id)
{
	for EACH(node, xmlDocGetRootElement(doc)) {
		BS_AUTOFREE char *value = attribute(node, "id");
		if (value && strcmp(value, id) == 0)
			return node;
	}
	return NULL;
}

/* How many elements with that tag and class are in root; class NULL: any. first receives the first. */
static size_t count(xmlNode *root, const char *tag, const char *class, xmlNode **ret_first)
{
	size_t n = 0;

	if (!root)
		return 0;
	for EACH(node, root) {
		if (!is(node, tag) || (class && !has_class(node, class)))
			continue;
		if (!n++ && ret_first)
			*ret_first = node;
	}
	return n;
}

static bool says(xmlNode *root, const char *text)
{
	xmlChar *content = xmlNodeGetContent(root);
	bool found = content && strstr((const char *)content, text);

	xmlFree(content);
	return found;
}

static xmlNode *root_of(htmlDocPtr doc)
{
	return xmlDocGetRootElement(doc);
}

/* --- What must hold for every page ---------------------------------------------------------------------------------- */

static void check_element(xmlNode *node)
{
	static const char *const known[] = {
		"a", "article", "b", "body", "button", "circle", "code", "dd", "del", "details", "div", "dl", "dt", "footer",
		"h1", "h2", "h3", "h4", "head", "header", "html", "i", "input", "ins", "kbd", "li", "main", "meta", "nav", "ol",
		"p", "path", "pre", "rect", "script", "section", "span", "style", "summary", "svg", "symbol", "table", "tbody",
		"td", "th", "thead", "time", "title", "tr", "ul", "use"};
	bool found = false;

	for (size_t i = 0; i < BS_COUNT(known) && !found; i++)
		found = is(node, known[i]);
	if (!found)
		fail_msg("<%s> is no element of ours", (const char *)node->name);
}

/* Nothing runs from an attribute, nothing is loaded, and every link stays in the page. */
static void check_attributes(htmlDocPtr doc, xmlNode *node)
{
	static const char *const loading[] = {"src", "srcset", "action", "formaction", "data", "poster", "background", "style"};

	for (xmlAttr *attr = node->properties; attr; attr = attr->next) {
		const char *name = (const char *)attr->name;
		assert_false(strncmp(name, "on", 2) == 0);
		for (size_t i = 0; i < BS_COUNT(loading); i++)
			assert_string_not_equal(name, loading[i]);
		if (strcmp(name, "href") != 0 && strcmp(name, "aria-labelledby") != 0)
			continue;
		BS_AUTOFREE char *value = attribute(node, name);
		assert_true(strcmp(name, "href") != 0 || *value == '#');
		if (!by_id(doc, *value == '#' ? value + 1 : value))
			fail_msg("%s=\"%s\" leads nowhere", name, value);
	}
}

static void check_ids(htmlDocPtr doc)
{
	for EACH(node, root_of(doc)) {
		BS_AUTOFREE char *id = attribute(node, "id");
		if (id)
			assert_ptr_equal(by_id(doc, id), node);
	}
}

/* h1, then no level is left out on the way down. */
static void check_headings(htmlDocPtr doc)
{
	int level = 0;

	for EACH(node, root_of(doc)) {
		if (node->name[0] != 'h' || node->name[1] < '1' || node->name[1] > '6')
			continue;
		int now = node->name[1] - '0';
		assert_true(now <= level + 1);
		level = now;
	}
	assert_int_equal(count(root_of(doc), "h1", NULL, NULL), 1);
}

static void every_page_is_whole_and_loads_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		BS_AUTOFREE char *text = page((enum fixture)i);
		htmlDocPtr doc = parse(text);
		print_message("%s\n", fixture_name((enum fixture)i));
		for EACH(node, root_of(doc)) {
			check_element(node);
			check_attributes(doc, node);
		}
		check_ids(doc);
		check_headings(doc);
		assert_int_equal(count(root_of(doc), "script", NULL, NULL), 1);
		assert_int_equal(count(root_of(doc), "style", NULL, NULL), 1);
		assert_int_equal(count(root_of(doc), "main", NULL, NULL), 1);
		assert_int_equal(count(root_of(doc), "title", NULL, NULL), 1);
		assert_null(strstr(text, "data-slot"));
		xmlFreeDoc(doc);
	}
}

static void the_shell_is_small_and_knows_no_address(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_NOTHING);
	static const char *const loading[] = {"http:", "https:", "url(", "@import", "fetch(", "XMLHttpRequest", "import(",
					      "WebSocket", "sendBeacon", "innerHTML", "document.write", "eval("};

	(void)state;
	assert_true(strlen(text) <= 150 * 1024);
	for (size_t i = 0; i < BS_COUNT(loading); i++)
		assert_null(strstr(text, loading[i]));
}

static void the_same_events_make_the_same_bytes(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		BS_AUTOFREE char *a = page((enum fixture)i), *b = page((enum fixture)i);
		assert_string_equal(a, b);
	}
}

/* --- The policy ------------------------------------------------------------------------------------------------------ */

static unsigned base64_digit(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(alphabet, c);

	assert_non_null(at);
	return (unsigned)(at - alphabet);
}

/* The hex digits of the hash that follows name in the policy. */
static void policy_hash(const char *policy, const char *name, char ret_hex[BS_SHA256_HEX])
{
	const char *c = strstr(policy, name);
	unsigned bits = 0, held = 0;
	size_t n = 0;

	assert_non_null(c);
	c = strstr(c, "'sha256-");
	assert_non_null(c);
	for (c += 8; *c != '='; c++) {
		bits = (bits << 6 | base64_digit(*c)) & 0xFFF;
		for (held += 6; held >= 4 && n < BS_SHA256_HEX - 1; held -= 4)
			ret_hex[n++] = "0123456789abcdef"[bits >> (held - 4) & 15];
	}
	ret_hex[n] = 0;
}

/* Between the tags, byte for byte, as a browser hashes it. */
static void check_hash(const char *text, const char *policy, const char *tag, const char *name)
{
	BS_AUTOFREE char *open = bs_xasprintf("<%s>", tag), *close = bs_xasprintf("</%s>", tag);
	char allowed[BS_SHA256_HEX], real[BS_SHA256_HEX];
	const char *begin = strstr(text, open), *end;

	assert_non_null(begin);
	begin += strlen(open);
	end = strstr(begin, close);
	assert_non_null(end);
	assert_true(end - begin > 1000);
	bs_sha256_hex(begin, (size_t)(end - begin), real);
	policy_hash(policy, name, allowed);
	assert_string_equal(allowed, real);
}

static void only_the_page_s_own_style_and_script_are_allowed(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_RICH);
	const char *policy = strstr(text, "default-src 'none'");

	(void)state;
	assert_non_null(policy);
	assert_null(strstr(text, "unsafe"));
	check_hash(text, policy, "style", "style-src");
	check_hash(text, policy, "script", "script-src");
}

/* --- Hostile text ------------------------------------------------------------------------------------------------------ */

static void hostile_text_is_shown_as_text(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_HOSTILE);
	htmlDocPtr doc = parse(text);
	xmlNode *main_part = NULL;

	(void)state;
	assert_int_equal(count(root_of(doc), "main", NULL, &main_part), 1);
	assert_true(says(main_part, "<script>alert('x')</script> & &amp; \"q\""));
	assert_int_equal(count(main_part, "script", NULL, NULL), 0);
	assert_null(strstr(text, "<script>alert"));
	xmlFreeDoc(doc);
}

static void what_may_scroll_is_reachable_by_keyboard(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_HOSTILE);
	htmlDocPtr doc = parse(text);
	size_t tall = 0;

	(void)state;
	for EACH(node, root_of(doc)) {
		xmlChar *content = is(node, "pre") || is(node, "p") ? xmlNodeGetContent(node) : NULL;
		BS_AUTOFREE char *tabindex = attribute(node, "tabindex");
		if (content && strlen((const char *)content) > 2000 && !has_class(node, "op") && !has_class(node, "call")) {
			assert_non_null(tabindex);
			tall++;
		}
		xmlFree(content);
	}
	assert_true(tall > 3);
	xmlFreeDoc(doc);
}

static void no_text_drives_a_terminal_or_turns_its_neighbours(void **state)
{
	static const char *const forbidden[] = {"\x1b", "\x07", "\x01", "\x7f", "\xc2\x85", "\xe2\x80\xae", "\xef\xbf\xbe"};
	BS_AUTOFREE char *text = page(FIXTURE_HOSTILE);

	(void)state;
	for (size_t i = 0; i < BS_COUNT(forbidden); i++)
		assert_null(strstr(text, forbidden[i]));
	assert_non_null(strstr(text, "\\u202ebidi"));
}

/* --- What a reader is promised ------------------------------------------------------------------------------------------ */

static void the_verdict_is_said_first(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_RICH);
	htmlDocPtr doc = parse(text);
	xmlNode *verdict = NULL, *title = NULL;

	(void)state;
	assert_int_equal(count(root_of(doc), "section", "failed", &verdict), 1);
	assert_true(says(verdict, "Gate failed: "));
	assert_true(says(verdict, "fail_on: critical"));
	assert_true(says(verdict, "backstep replay "));
	assert_int_equal(count(root_of(doc), "title", NULL, &title), 1);
	assert_true(says(title, "Gate failed: "));
	xmlFreeDoc(doc);
}

static void what_is_incomplete_is_never_green(void **state)
{
	static const enum fixture cut[] = {FIXTURE_CUT, FIXTURE_CUT_FINDINGS, FIXTURE_INTERRUPTED, FIXTURE_FAILED_START,
					   FIXTURE_EMPTY, FIXTURE_NOTHING};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cut); i++) {
		BS_AUTOFREE char *text = page(cut[i]);
		htmlDocPtr doc = parse(text);
		assert_int_equal(count(root_of(doc), "section", "incomplete", NULL), 1);
		assert_int_equal(count(root_of(doc), "section", "passed", NULL), 0);
		assert_null(strstr(text, "Gate passed"));
		xmlFreeDoc(doc);
	}
}

static void a_clean_run_is_green_and_says_what_was_explored(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_CLEAN);
	htmlDocPtr doc = parse(text);

	(void)state;
	assert_int_equal(count(root_of(doc), "section", "passed", NULL), 1);
	assert_int_equal(count(root_of(doc), "article", "finding", NULL), 0);
	assert_true(says(by_id(doc, "findings"), "No confirmed sequence breaks a rule"));
	assert_null(by_id(doc, "unconfirmed"));
	xmlFreeDoc(doc);
}

/* The chain and the steps tell the same story, and the step that breaks the rule is marked in both. */
static void check_card(xmlNode *card)
{
	xmlNode *chain = NULL, *bad = NULL, *step = NULL;

	assert_int_equal(count(card, "ol", "chain", &chain), 1);
	size_t steps = count(card, "details", "step", NULL);
	assert_int_equal(count(chain, "p", "op", NULL), steps);
	assert_int_equal(count(chain, "li", "bad", &bad), count(card, "details", "bad", &step));
	if (bad) {
		BS_AUTOFREE char *open = attribute(step, "open");
		assert_true(says(bad, "the rule breaks here"));
		assert_true(says(step, "the rule breaks after this step"));
		assert_non_null(open);
	}
	assert_int_equal(count(card, "pre", "http", NULL), 2 * steps);
	assert_int_equal(count(card, "h3", NULL, NULL), 1);
	assert_true(says(card, "The rule"));
	assert_true(says(card, "What it saw"));
	assert_true(says(card, "How sure"));
	assert_true(says(card, "Rows changed"));
}

static void every_finding_is_a_card_with_its_steps(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_RICH);
	htmlDocPtr doc = parse(text);
	xmlNode *first = NULL;

	(void)state;
	assert_true(count(by_id(doc, "findings"), "article", "finding", &first) >= 2);
	assert_true(count(by_id(doc, "unconfirmed"), "article", "finding", NULL) >= 1);
	for EACH(node, root_of(doc)) {
		if (is(node, "article"))
			check_card(node);
	}
	assert_true(has_class(first, "critical"));
	assert_true(says(first, "An order can be refunded for more than it cost"));
	assert_true(says(first, "Fails in 3 of 3 replays from a clean start."));
	assert_true(says(first, "3 steps, shortened from 5."));
	assert_true(says(first, "refunded 100 → 200"));
	assert_true(says(first, "curl -sS -X POST"));
	xmlFreeDoc(doc);
}

static void changed_rows_are_shown_before_and_after(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_RICH);
	htmlDocPtr doc = parse(text);
	xmlNode *first = NULL, *bad = NULL, *before = NULL, *after = NULL;

	(void)state;
	assert_true(count(by_id(doc, "findings"), "article", "finding", &first) >= 1);
	assert_int_equal(count(first, "details", "bad", &bad), 1);
	assert_int_equal(count(bad, "del", NULL, &before), 1);
	assert_int_equal(count(bad, "ins", NULL, &after), 1);
	assert_true(says(before, "100"));
	assert_true(says(after, "200"));
	xmlFreeDoc(doc);
}

static void rules_coverage_warnings_and_facts_are_there(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_RICH);
	htmlDocPtr doc = parse(text);
	xmlNode *rules = by_id(doc, "rules"), *pairs = by_id(doc, "pairs");

	(void)state;
	assert_non_null(rules);
	assert_true(says(rules, "violated"));
	assert_true(says(rules, "held"));
	assert_true(says(rules, "never checked on data"));
	assert_true(says(rules, "could not be evaluated"));
	assert_true(count(by_id(doc, "coverage"), "tr", NULL, NULL) > 2);
	assert_true(says(by_id(doc, "coverage"), "p95"));
	assert_true(count(pairs, "td", "bad", NULL) >= 1);
	assert_true(says(pairs, "breaks a rule"));
	assert_true(count(by_id(doc, "warnings"), "li", "notice", NULL) >= 1);
	assert_true(says(by_id(doc, "run"), "Seed"));
	assert_true(says(by_id(doc, "run"), "self-check"));
	xmlFreeDoc(doc);
}

static void a_failed_start_shows_its_error(void **state)
{
	BS_AUTOFREE char *text = page(FIXTURE_FAILED_START);
	htmlDocPtr doc = parse(text);

	(void)state;
	assert_int_equal(count(by_id(doc, "errors"), "li", "notice", NULL), 1);
	assert_true(says(by_id(doc, "findings"), "No step was taken"));
	xmlFreeDoc(doc);
}

/* --- Bodies and numbers -------------------------------------------------------------------------------------------------- */

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
	htmlDocPtr doc = parse(text);
	xmlNode *span = NULL;

	assert_int_equal(count(root_of(doc), "span", "body", &span), 1);
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
	htmlDocPtr doc = parse(text);
	xmlNode *lines = NULL;

	(void)state;
	assert_int_equal(count(root_of(doc), "article", "finding", NULL), 200);
	assert_int_equal(count(root_of(doc), "ol", "short", &lines), 1);
	assert_int_equal(count(lines, "li", NULL, NULL), 31);
	assert_true(says(by_id(doc, "findings"), "31 more, in short."));
	check_ids(doc);
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

static void a_path_that_cannot_be_written_is_an_error(void **state)
{
	struct bs_reporter_options options = {.path = "/nowhere/at/all/page.html"};
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	assert_int_equal(fixture_report(FIXTURE_CLEAN, &bs_reporter_html, &options, &err), BS_EIO);
	assert_non_null(strstr(bs_err_text(&err), "/nowhere/at/all"));
	bs_err_release(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_is_whole_and_loads_nothing),
		cmocka_unit_test(the_shell_is_small_and_knows_no_address),
		cmocka_unit_test(the_same_events_make_the_same_bytes),
		cmocka_unit_test(only_the_page_s_own_style_and_script_are_allowed),
		cmocka_unit_test(hostile_text_is_shown_as_text),
		cmocka_unit_test(what_may_scroll_is_reachable_by_keyboard),
		cmocka_unit_test(no_text_drives_a_terminal_or_turns_its_neighbours),
		cmocka_unit_test(the_verdict_is_said_first),
		cmocka_unit_test(what_is_incomplete_is_never_green),
		cmocka_unit_test(a_clean_run_is_green_and_says_what_was_explored),
		cmocka_unit_test(every_finding_is_a_card_with_its_steps),
		cmocka_unit_test(changed_rows_are_shown_before_and_after),
		cmocka_unit_test(rules_coverage_warnings_and_facts_are_there),
		cmocka_unit_test(a_failed_start_shows_its_error),
		cmocka_unit_test(bodies_are_laid_out_and_exact),
		cmocka_unit_test(brackets_in_brackets_do_not_blow_the_page_up),
		cmocka_unit_test(beyond_two_hundred_findings_are_lines),
		cmocka_unit_test(long_bodies_share_a_bounded_room),
		cmocka_unit_test(a_path_that_cannot_be_written_is_an_error),
	};

	if (!mkdtemp(folder))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
