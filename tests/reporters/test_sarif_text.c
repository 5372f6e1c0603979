/* SARIF's texts: what an API or a careless model says is never taken for anything but text, and no path for a URI. */
#include "base/mem.h"
#include "base/utf8.h"
#include "reporters/sarif_json.h"
#include "sarif_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* --- Messages ------------------------------------------------------------------------------------------------- */

static void says(const char *text, const char *wanted)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_sarif_say(&out, text);
	assert_string_equal(bs_buf_text(&out), wanted);
	bs_buf_release(&out);
}

static void nothing_in_a_message_is_a_link_or_a_placeholder(void **state)
{
	(void)state;
	says("[click](https://evil.example)", "[click] (https://evil.example)");
	says("[a](1) [b](2)", "[a] (1) [b] (2)");
	says("](](", "] (] (");
	says("{0} and {12}", "{{0}} and {{12}}");
	says("{{0}}", "{{{0}}}");
	says("{\"id\":1} {} {x}", "{\"id\":1} {} {x}");
}

static void what_drives_a_terminal_is_made_visible(void **state)
{
	(void)state;
	says("\x1b[31mred\x07", "\\x1b[31mred\\x07");
	says("a\r\n\tb", "a   b");
	says("\xe2\x80\xae" "evil", "\\u202eevil");
	says("\xed\xa0\x80 \xff", "\\xed\\xa0\\x80 \\xff");
}

static void a_link_that_we_make_ends_where_we_end_it(void **state)
{
	struct bs_buf out = BS_BUF_INIT;

	(void)state;
	bs_sarif_say_link(&out, "a]b[c\\", 1);
	assert_string_equal(bs_buf_text(&out), "[a\\]b\\[c\\\\](1)");
	bs_buf_release(&out);
}

static void a_line_is_cut_between_characters(void **state)
{
	BS_AUTOFREE char *whole = bs_sarif_one_line("ääää", 8);
	BS_AUTOFREE char *cut = bs_sarif_one_line("äääää", 8);

	(void)state;
	assert_string_equal(whole, "ääää");
	assert_string_equal(cut, "ää…");
}

/* --- Places ------------------------------------------------------------------------------------------------------- */

static void lies_at(const char *path, const char *uri, bool relative)
{
	cJSON *location = bs_sarif_artifact_location(path);

	sarif_is(location, "/uri", uri);
	assert_int_equal(sarif_find(location, "/uriBaseId") != NULL, relative);
	cJSON_Delete(location);
}

static void a_path_becomes_a_uri(void **state)
{
	(void)state;
	lies_at("payments.yaml", "payments.yaml", true);
	lies_at("./api/.//payments.yaml", "api/./payments.yaml", true);
	lies_at("../payments.yaml", "../payments.yaml", true);
	lies_at("a b/ä%.yaml", "a%20b/%C3%A4%25.yaml", true);
	lies_at("what?#x.yaml", "what%3F%23x.yaml", true);
	lies_at("c:evil\\x", "c%3Aevil%5Cx", true);
	lies_at("http://evil.example", "http%3A/evil.example", true);
	lies_at("//evil.example/x", "file:///evil.example/x", false);
	lies_at("/home/ann/a b.yaml", "file:///home/ann/a%20b.yaml", false);
	lies_at("\xff\x01", "%FF%01", true);
	lies_at("", ".", true);
}

static void region_of(struct bs_ev_place at, int64_t line, int64_t column)
{
	cJSON *location = bs_sarif_location(&at, "other.yaml");

	assert_int_equal(sarif_integer(location, "/physicalLocation/region/startLine"), line);
	if (column)
		assert_int_equal(sarif_integer(location, "/physicalLocation/region/startColumn"), column);
	else
		assert_null(sarif_find(location, "/physicalLocation/region/startColumn"));
	sarif_is(location, "/physicalLocation/artifactLocation/uri", at.file ? "m.yaml" : "other.yaml");
	cJSON_Delete(location);
}

static void a_place_that_is_not_known_is_the_beginning_of_the_file(void **state)
{
	(void)state;
	region_of((struct bs_ev_place){"m.yaml", 7, 3}, 7, 3);
	region_of((struct bs_ev_place){"m.yaml", 7, 0}, 7, 0);
	region_of((struct bs_ev_place){"m.yaml", 0, 0}, 1, 0);
	region_of((struct bs_ev_place){NULL, 7, 3}, 1, 0);
	region_of((struct bs_ev_place){"m.yaml", INT32_MAX, INT32_MAX}, INT32_MAX, INT32_MAX);
	region_of((struct bs_ev_place){"m.yaml", (uint32_t)INT32_MAX + 1, 4000000000u}, 1, 0);
}

/* --- A whole report -------------------------------------------------------------------------------------------- */

static size_t links;

static void is_harmless(const char *parent, const char *key, const char *text)
{
	assert_true(bs_utf8_valid(text, strlen(text)));
	if (strcmp(key, "text") == 0 && strcmp(parent, "body") != 0 && strstr(text, "](")) {
		assert_non_null(strstr(text, "](1)"));
		assert_null(strstr(strstr(text, "](") + 1, "]("));
		links++;
	}
	if (strcmp(key, "markdown") == 0)
		assert_null(strpbrk(text, "\x1b\x07\r"));
	if (strcmp(key, "id") == 0 || strcmp(key, "ruleId") == 0 || strcmp(key, "name") == 0)
		assert_true(strlen(text) <= 255 && !strpbrk(text, "\x1b\x07\r\n\t"));
}

static void hostile_text_is_text(void **state)
{
	char *text;
	cJSON *sarif = sarif_of(FIXTURE_HOSTILE, NULL, NULL, &text);

	(void)state;
	links = 0;
	sarif_each_string(sarif, is_harmless);
	assert_int_equal(links, 3); /* one for each finding whose rule has a place, and those are ours */
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c >= 0x20 || *c == '\n');
	const cJSON *rule = sarif_find(sarif, "/runs/0/tool/driver/rules/0");
	sarif_contains(rule, "/help/markdown", "\\<script\\>");
	sarif_contains(rule, "/help/markdown", "\\@&#8203;octocat");
	free(text);
	cJSON_Delete(sarif);
}

static char endless[5000];

static void make_endless(struct bs_event *event)
{
	memset(endless, 'a', sizeof endless - 1);
	if (event->kind == BS_EVENT_INVARIANT_DECLARED)
		event->invariant.name = event->invariant.title = event->invariant.rule = endless;
	else if (event->kind == BS_EVENT_FINDING)
		event->finding.rule = event->finding.title = event->finding.message = event->finding.reason = endless;
}

static void endless_text_is_cut_to_what_github_takes(void **state)
{
	cJSON *sarif = sarif_of(FIXTURE_RICH, make_endless, NULL, NULL);
	const cJSON *rule = sarif_find(sarif, "/runs/0/tool/driver/rules/0");

	(void)state;
	assert_int_equal(strlen(sarif_string(rule, "/id")), 255);
	assert_in_range(strlen(sarif_string(rule, "/name")), 1, 255);
	assert_int_equal(strlen(sarif_string(rule, "/shortDescription/text")), 1024);
	assert_int_equal(strlen(sarif_string(rule, "/fullDescription/text")), 1024);
	assert_in_range(strlen(sarif_string(sarif, "/runs/0/results/0/message/text")), 8000, 16384);
	cJSON_Delete(sarif);
}

static void what_was_sent_and_answered_is_not_changed(void **state)
{
	static const char path[] = "/runs/0/results/1/codeFlows/0/threadFlows/0/locations/0/webRequest/body/text";
	cJSON *sarif = sarif_of(FIXTURE_HOSTILE, NULL, NULL, NULL);

	(void)state;
	sarif_contains(sarif, path, "\x1b[31mred\x1b[0m");
	sarif_contains(sarif, path, "![i](u)");
	sarif_contains(sarif, path, "\r\n\tnext\x01");
	sarif_contains(sarif, path, "\xEF\xBF\xBD("); /* which was no UTF-8 */
	cJSON_Delete(sarif);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_in_a_message_is_a_link_or_a_placeholder),
		cmocka_unit_test(what_drives_a_terminal_is_made_visible),
		cmocka_unit_test(a_link_that_we_make_ends_where_we_end_it),
		cmocka_unit_test(a_line_is_cut_between_characters),
		cmocka_unit_test(a_path_becomes_a_uri),
		cmocka_unit_test(a_place_that_is_not_known_is_the_beginning_of_the_file),
		cmocka_unit_test(hostile_text_is_text),
		cmocka_unit_test(endless_text_is_cut_to_what_github_takes),
		cmocka_unit_test(what_was_sent_and_answered_is_not_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
