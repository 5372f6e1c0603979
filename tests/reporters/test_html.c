/*
 * What must hold for every HTML page, read back with libxml2's HTML parser: it is whole, loads nothing from anywhere,
 * runs nothing but its own script, and whatever an API wrote is text and nowhere markup.
 */
#include "page_read.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "reporters/reporters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* --- What must hold for every page --- */

static void check_element(xmlNode *node)
{
	static const char *const known[] = {
		"a", "article", "b", "body", "button", "circle", "code", "dd", "del", "desc", "details", "div", "dl", "dt", "footer", "g",
		"h1", "h2", "h3", "h4", "head", "header", "html", "i", "input", "ins", "kbd", "li", "main", "meta", "nav", "ol",
		"p", "path", "pre", "rect", "script", "section", "span", "style", "summary", "svg", "symbol", "table", "tbody",
		"td", "text", "th", "thead", "time", "title", "tr", "ul", "use"};
	bool found = false;

	for (size_t i = 0; i < BS_COUNT(known) && !found; i++)
		found = page_is(node, known[i]);
	if (!found)
		fail_msg("<%s> is no element of ours", (const char *)node->name);
}

/* Nothing runs from an attribute, nothing is loaded, and every link stays in the page. */
static void check_attributes(htmlDocPtr doc, xmlNode *node)
{
	static const char *const loading[] = {"src",  "srcset", "action",	  "formaction",
					      "data", "poster", "background", "style"};

	for (xmlAttr *attr = node->properties; attr; attr = attr->next) {
		const char *name = (const char *)attr->name;
		assert_false(strncmp(name, "on", 2) == 0);
		for (size_t i = 0; i < BS_COUNT(loading); i++)
			assert_string_not_equal(name, loading[i]);
		if (strcmp(name, "href") != 0 && strcmp(name, "aria-labelledby") != 0)
			continue;
		BS_AUTOFREE char *value = page_attribute(node, name);
		assert_true(strcmp(name, "href") != 0 || *value == '#');
		if (!page_by_id(doc, *value == '#' ? value + 1 : value))
			fail_msg("%s=\"%s\" leads nowhere", name, value);
	}
}

static void check_headings(htmlDocPtr doc)
{
	int level = 0;

	for PAGE_EACH(node, page_root(doc)) {
		if (node->name[0] != 'h' || node->name[1] < '1' || node->name[1] > '6')
			continue;
		int now = node->name[1] - '0';
		assert_true(now <= level + 1);
		level = now;
	}
	assert_int_equal(page_count(page_root(doc), "h1", NULL, NULL), 1);
}

static void every_page_is_whole_and_loads_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		BS_AUTOFREE char *text = page_of_fixture((enum fixture)i);
		htmlDocPtr doc = page_parse(text);
		print_message("%s\n", fixture_name((enum fixture)i));
		for PAGE_EACH(node, page_root(doc)) {
			check_element(node);
			check_attributes(doc, node);
		}
		page_check_ids(doc);
		check_headings(doc);
		assert_int_equal(page_count(page_root(doc), "script", NULL, NULL), 1); /* nothing is compressed */
		assert_int_equal(page_count(page_root(doc), "style", NULL, NULL), 1);
		assert_int_equal(page_count(page_root(doc), "main", NULL, NULL), 1);
		xmlNode *head = NULL;
		assert_int_equal(page_count(page_root(doc), "head", NULL, &head), 1);
		assert_int_equal(page_count(head, "title", NULL, NULL), 1);
		assert_null(strstr(text, "data-slot"));
		xmlFreeDoc(doc);
	}
}

static void the_shell_is_small_and_knows_no_address(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_NOTHING);
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
		BS_AUTOFREE char *a = page_of_fixture((enum fixture)i), *b = page_of_fixture((enum fixture)i);
		assert_string_equal(a, b);
	}
}

/* --- The policy --- */

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
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_RICH);
	const char *policy = strstr(text, "default-src 'none'");

	(void)state;
	assert_non_null(policy);
	assert_null(strstr(text, "unsafe"));
	check_hash(text, policy, "style", "style-src");
	check_hash(text, policy, "script", "script-src");
}

/* --- Hostile text --- */

static void hostile_text_is_shown_as_text(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_HOSTILE);
	htmlDocPtr doc = page_parse(text);
	xmlNode *main_part = NULL;

	(void)state;
	assert_int_equal(page_count(page_root(doc), "main", NULL, &main_part), 1);
	assert_true(page_says(main_part, "<script>alert('x')</script> & &amp; \"q\""));
	assert_int_equal(page_count(main_part, "script", NULL, NULL), 0);
	assert_null(strstr(text, "<script>alert"));
	xmlFreeDoc(doc);
}

static void what_may_scroll_is_reachable_by_keyboard(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_HOSTILE);
	htmlDocPtr doc = page_parse(text);
	size_t tall = 0;

	(void)state;
	for PAGE_EACH(node, page_root(doc)) {
		xmlChar *content = page_is(node, "pre") || page_is(node, "p") ? xmlNodeGetContent(node) : NULL;
		BS_AUTOFREE char *tabindex = page_attribute(node, "tabindex");
		if (content && strlen((const char *)content) > 2000 && !page_has_class(node, "op") && !page_has_class(node, "call")) {
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
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_HOSTILE);

	(void)state;
	for (size_t i = 0; i < BS_COUNT(forbidden); i++)
		assert_null(strstr(text, forbidden[i]));
	assert_non_null(strstr(text, "\\u202ebidi"));
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
		cmocka_unit_test(a_path_that_cannot_be_written_is_an_error),
	};

	if (!page_begin())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	page_end();
	return failed;
}
