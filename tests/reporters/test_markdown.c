/* The job summary: what it says and in which order, that it never grows too large, and that no text becomes markup. */
#include "base/buf.h"
#include "base/mem.h"
#include "fixture.h"
#include "golden.h"
#include "reporters/markdown.h"
#include "reporters/markdown_text.h"
#include "reporters/reporters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_markdown.XXXXXX";

/* --- Helpers -------------------------------------------------------------------------------------------------- */

static char *report(enum fixture which, size_t *ret_len)
{
	struct bs_reporter_options options = {.path = path};

	assert_int_equal(fixture_report(which, &bs_reporter_markdown, &options, NULL), 0);
	return golden_read(path, ret_len);
}

static size_t position(const char *text, const char *part)
{
	const char *at = strstr(text, part);

	if (!at)
		fail_msg("no '%s' in:\n%s", part, text);
	return (size_t)(at - text);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static void write_file(const char *text, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* A stream of `findings` findings and nothing else; the severity of each is for severity() to say. */
static const char *same_severity(size_t index)
{
	(void)index;
	return "critical";
}

static int many(size_t findings, const char *(*severity)(size_t), bool append, struct bs_err *err)
{
	struct bs_reporter_options options = {.path = path, .append = append};
	struct bs_reporter *reporter;
	struct bs_event event = {.kind = BS_EVENT_RUN_START, .run_start = {.model = "m.yaml", .gate = "high"}};
	struct bs_ev_finding_step step = {.operation = "op", .action = "op", .curl = "curl x", .fails = true};

	assert_int_equal(bs_reporter_markdown.open(&options, &reporter, NULL), 0);
	bs_reporter_markdown.on_event(reporter, &event);
	for (size_t i = 0; i < findings; i++) {
		BS_AUTOFREE char *title = bs_xasprintf("finding no %04zu", i);
		event = (struct bs_event){.kind = BS_EVENT_FINDING,
					  .finding = {.rule = "r",
						      .title = title,
						      .severity = severity(i),
						      .verdict = "confirmed",
						      .steps = &step,
						      .step_count = 1}};
		bs_reporter_markdown.on_event(reporter, &event);
	}
	return bs_reporter_markdown.close(reporter, err);
}

static char *many_text(size_t findings, size_t *ret_len)
{
	assert_int_equal(many(findings, same_severity, false, NULL), 0);
	return golden_read(path, ret_len);
}

/* --- What it says ----------------------------------------------------------------------------------------------- */

static void looks_as_it_was_agreed(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		size_t len;
		BS_AUTOFREE char *name = bs_xasprintf("markdown-%s.md", fixture_name((enum fixture)i));
		BS_AUTOFREE char *text = report((enum fixture)i, &len);
		golden_check(name, text, len);
	}
}

static void what_fails_the_gate_comes_first_and_the_most_severe_of_it(void **state)
{
	size_t len;
	BS_AUTOFREE char *text = report(FIXTURE_RICH, &len);

	(void)state;
	size_t refund = position(text, "`9f2c41d07be83a65`"), error = position(text, "`27b1aa09c4d5e6f7`");
	size_t check = position(text, "`5e5e5e5e00000002`"), known = position(text, "`c0ffee0000000001`");
	size_t unconfirmed = position(text, "`abad1dea00000003`");
	assert_true(refund < error && error < check); /* critical, critical, high: these count */
	assert_true(check < known && known < unconfirmed);
}

static const char *rising(size_t index)
{
	static const char *const severities[] = {"low", "medium", "high", "critical"};

	return severities[index % 4];
}

static void findings_of_one_severity_stay_in_order(void **state)
{
	static const size_t order[] = {3, 7, 2, 6, 1, 5, 0, 4};
	size_t len, last = 0;

	(void)state;
	assert_int_equal(many(8, rising, false, NULL), 0);
	BS_AUTOFREE char *text = golden_read(path, &len);
	for (size_t i = 0; i < BS_COUNT(order); i++) {
		BS_AUTOFREE char *title = bs_xasprintf("%zu. finding no %04zu\n", i + 1, order[i]);
		size_t at = position(text, title);
		assert_true(at > last);
		last = at;
	}
}

static void the_verdict_comes_first_with_its_reason(void **state)
{
	static const struct {
		enum fixture which;
		const char *begin;
	} cases[] = {
		{FIXTURE_RICH, "## ❌ Backstep: payments, gate failed\n\n"
			       "**Gate failed**: an action under reach never succeeded.\n"},
		{FIXTURE_CLEAN, "## ✅ Backstep: payments, gate passed\n\n**Gate passed**: fail_on is critical.\n"},
		{FIXTURE_INTERRUPTED, "## ⚠️ Backstep: payments, gate incomplete\n\n**Gate incomplete**: interrupted.\n"},
		{FIXTURE_CUT, "## ⚠️ Backstep: payments, gate incomplete\n\n"
			      "**Gate incomplete**: the run did not come to its end.\n"},
		{FIXTURE_NOTHING, "## ⚠️ Backstep: no model, gate incomplete\n"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		size_t len;
		BS_AUTOFREE char *text = report(cases[i].which, &len);
		if (strncmp(text, cases[i].begin, strlen(cases[i].begin)) != 0)
			fail_msg("%s begins with:\n%.200s", fixture_name(cases[i].which), text);
	}
}

/* --- Its size --------------------------------------------------------------------------------------------------- */

/* At the boundary: as many findings as fit, and one more. */
static void it_ends_on_a_whole_finding_and_says_how_many_are_left_out(void **state)
{
	size_t len, fits = 1, too_many = 20000;

	(void)state;
	while (fits + 1 < too_many) {
		size_t middle = (fits + too_many) / 2;
		BS_AUTOFREE char *text = many_text(middle, &len);
		assert_true(len <= BS_MD_BYTES_MAX);
		*(strstr(text, "left out") ? &too_many : &fits) = middle;
	}
	BS_AUTOFREE char *all = many_text(fits, &len);
	assert_int_equal(count(all, "\n</details>\n"), fits);
	assert_true(len <= BS_MD_BYTES_MAX && len > BS_MD_BYTES_MAX - 1000);
	BS_AUTOFREE char *most = many_text(too_many, &len);
	size_t shown = count(most, "\n### ");
	BS_AUTOFREE char *note = bs_xasprintf("**%zu more finding%s left out**", too_many - shown,
					      too_many - shown == 1 ? " is" : "s are");
	assert_true(len <= BS_MD_BYTES_MAX && shown < too_many);
	assert_true(position(most, note) > 0);
	assert_int_equal(count(most, "\n</details>\n"), shown); /* none is cut in its middle */
	assert_int_equal(count(most, "```") % 2, 0);
}

static void what_others_wrote_to_the_summary_stays(void **state)
{
	static const char before[] = "# Of another tool, without a last newline";
	size_t len;

	(void)state;
	write_file(before, sizeof before - 1);
	assert_int_equal(many(1, same_severity, true, NULL), 0);
	BS_AUTOFREE char *text = golden_read(path, &len);
	assert_memory_equal(text, "# Of another tool, without a last newline\n## ", sizeof before + 3);
	assert_int_equal(many(1, same_severity, true, NULL), 0);
	BS_AUTOFREE char *twice = golden_read(path, &len);
	assert_int_equal(count(twice, "gate incomplete\n"), 2);
}

/* Together they are what GitHub measures. */
static void what_others_wrote_counts(void **state)
{
	size_t before = 600 * 1024, len;
	BS_AUTOFREE char *filled = bs_xmalloc(BS_MD_GITHUB_MAX);
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	memset(filled, '.', BS_MD_GITHUB_MAX);
	write_file(filled, before);
	assert_int_equal(many(5000, same_severity, true, NULL), 0);
	BS_AUTOFREE char *text = golden_read(path, &len);
	assert_true(len > before + 200 * 1024 && len <= BS_MD_BYTES_MAX);
	assert_true(position(text, "left out") > before);
	/* Almost full: the verdict still has room. */
	write_file(filled, BS_MD_BYTES_MAX + 1000);
	assert_int_equal(many(5, same_severity, true, NULL), 0);
	BS_AUTOFREE char *full = golden_read(path, &len);
	assert_true(position(full, "5 more findings are left out") > 0);
	assert_int_equal(count(full, "\n### "), 0);
	/* Full: to write would lose everything. */
	write_file(filled, BS_MD_GITHUB_MAX - 10);
	assert_int_equal(many(5, same_severity, true, &err), BS_EIO);
	assert_non_null(strstr(bs_err_text(&err), "no room is left"));
	BS_AUTOFREE char *same = golden_read(path, &len);
	assert_int_equal(len, BS_MD_GITHUB_MAX - 10);
	assert_memory_equal(same, filled, len);
	bs_err_release(&err);
}

static void a_finding_alone_never_fills_it(void **state)
{
	enum { LONG = 300000, STEPS = 200 };
	BS_AUTOFREE char *text = bs_xmalloc(LONG + 1);
	struct bs_ev_value values[] = {{text, text}};
	struct bs_ev_change changes[20];
	struct bs_ev_finding_step *steps = bs_xcalloc(STEPS, sizeof *steps);
	struct bs_summary summary;
	struct bs_buf out = BS_BUF_INIT;

	(void)state;
	memset(text, '`', LONG);
	text[LONG] = 0;
	for (size_t i = 0; i < BS_COUNT(changes); i++)
		changes[i] = (struct bs_ev_change){text, text, text, values, values, 1, 1};
	for (size_t i = 0; i < STEPS; i++)
		steps[i] = (struct bs_ev_finding_step){.operation = text, .action = text, .actor = i % 2 ? text : "a",
						       .request = {.method = text, .target = text},
						       .response = {.outcome = text, .error = text, .body = text},
						       .changes = changes, .change_count = BS_COUNT(changes),
						       .curl = i % 2 ? text : "curl x", .fails = i + 1 == STEPS};
	struct bs_ev_finding finding = {text, text, text, text, text, text, text, 1, 1, text, 1, 1, text, text,
					{text, 1, 1}, values, 1, steps, STEPS, text};
	bs_summary_init(&summary);
	bs_md_finding(&out, &summary, &finding, 1);
	assert_true(out.len < BS_MD_BYTES_MAX / 2);
	assert_true(position(bs_buf_text(&out), "The first 160 of 200 steps are left out here.\n\n161. ") > 0);
	assert_true(position(bs_buf_text(&out), "**breaks here**") > 0);
	assert_true(position(bs_buf_text(&out), "\n     - and 12 more rows") > 0); /* below the text of "161. " */
	assert_true(position(bs_buf_text(&out), "# request 200 is too long for here") > 0);
	bs_buf_release(&out);
	bs_summary_release(&summary);
	free(steps);
}

/* --- Hostile text ------------------------------------------------------------------------------------------------- */

static void prose_is_escaped(void **state)
{
	static const char *const cases[][2] = {
		{"plain words, with (brackets) and a full stop.", "plain words, with (brackets) and a full stop."},
		{"snake_case but _this_", "snake_case but \\_this\\_"},
		{"<b>&amp;", "\\<b\\>\\&amp;"},
		{"[a](b) ![c](d) `e` *f* ~g~ $h$", "\\[a\\](b) \\!\\[c\\](d) \\`e\\` \\*f\\* \\~g\\~ \\$h\\$"},
		{"@octocat", "\\@&#8203;octocat"},
		{"see #12, # 1", "see \\#&#8203;12, \\# 1"},
		{"::error::x", "\\:\\:error\\:\\:x"},
		{"##[add-mask]", "\\#\\#\\[add-mask\\]"},
		{"http://a.b www.c.d", "http\\://a.b www\\.c.d"},
		{"a|b", "a\\|b"},
		{"a\nb\tc\x1b[1m\x7f", "a\\\\x0ab c\\\\x1b\\[1m\\\\x7f"},
		{"\xe2\x80\xae\xff", "\\\\u202e\\\\xff"},
		{"", "?"},
		{NULL, "?"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_buf out = BS_BUF_INIT;
		bs_md_prose(&out, cases[i][0], 1000);
		assert_string_equal(bs_buf_text(&out), cases[i][1]);
		bs_buf_release(&out);
	}
}

static void code_has_a_fence_that_is_long_enough(void **state)
{
	static const char *const cases[][2] = {
		{"a = 1", "`a = 1`"},
		{"a`b", "``a`b``"},
		{"```a`", "```` ```a` ````"},
		{"`", "`` ` ``"},
		{" a", "`  a `"},
		{"<b> @x", "`<b> @x`"},
		{"a|b`", "<code>a&#124;b&#96;</code>"},
		{"##[error]", "<code>&#35;&#35;&#91;error&#93;</code>"},
		{"a\nb", "`a\\x0ab`"},
		{"`````````````````````````b", "````````````````````` ````````````````````b `````````````````````"},
		{NULL, "`?`"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_buf out = BS_BUF_INIT;
		bs_md_code(&out, cases[i][0], 1000);
		assert_string_equal(bs_buf_text(&out), cases[i][1]);
		bs_buf_release(&out);
	}
	struct bs_buf block = BS_BUF_INIT;
	bs_md_block(&block, "sh", "a ````` b\n");
	assert_string_equal(bs_buf_text(&block), "``````sh\na ````` b\n``````\n");
	bs_buf_release(&block);
}

static void block_is(const char *text, const char *wanted)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_md_text_block(&out, text);
	assert_string_equal(bs_buf_text(&out), wanted);
	bs_buf_release(&out);
}

static void a_block_of_text_ends_only_where_it_ends(void **state)
{
	(void)state;
	block_is("a < b", "```\na < b\n```\n");
	block_is("a\n```\n<script>\n", "````\na\n```\n<script>\n````\n");
	block_is("a````b\r\nc\x1b", "`````\na````b\nc\\x1b\n`````\n");
	block_is("", "```\n```\n");
}

static void long_text_is_cut_at_a_character(void **state)
{
	struct bs_buf out = BS_BUF_INIT;

	(void)state;
	bs_md_prose(&out, "aé", 2);
	assert_string_equal(bs_buf_text(&out), "a…");
	bs_buf_clear(&out);
	bs_md_prose(&out, "aé", 3);
	assert_string_equal(bs_buf_text(&out), "aé");
	bs_buf_release(&out);
}

static void no_line_is_a_workflow_command(void **state)
{
	size_t len;
	BS_AUTOFREE char *text = report(FIXTURE_HOSTILE, &len);

	(void)state;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, " \n");
		assert_true(strncmp(line, "::", 2) != 0);
	}
	assert_null(strstr(text, "##["));
	for (size_t i = 0; i < len; i++)
		assert_true((unsigned char)text[i] >= 0x20 || text[i] == '\n' || text[i] == '\t');
}

static void a_path_that_cannot_be_written_is_an_error(void **state)
{
	struct bs_reporter_options options = {.path = "/dev/full"};
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	assert_int_equal(fixture_report(FIXTURE_CLEAN, &bs_reporter_markdown, &options, &err), BS_EIO);
	options.append = true;
	assert_int_equal(fixture_report(FIXTURE_CLEAN, &bs_reporter_markdown, &options, &err), BS_EIO);
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
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_as_it_was_agreed),
		cmocka_unit_test(what_fails_the_gate_comes_first_and_the_most_severe_of_it),
		cmocka_unit_test(findings_of_one_severity_stay_in_order),
		cmocka_unit_test(the_verdict_comes_first_with_its_reason),
		cmocka_unit_test(it_ends_on_a_whole_finding_and_says_how_many_are_left_out),
		cmocka_unit_test(what_others_wrote_to_the_summary_stays),
		cmocka_unit_test(what_others_wrote_counts),
		cmocka_unit_test(a_finding_alone_never_fills_it),
		cmocka_unit_test(prose_is_escaped),
		cmocka_unit_test(code_has_a_fence_that_is_long_enough),
		cmocka_unit_test(a_block_of_text_ends_only_where_it_ends),
		cmocka_unit_test(long_text_is_cut_at_a_character),
		cmocka_unit_test(no_line_is_a_workflow_command),
		cmocka_unit_test(a_path_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("markdown", tests, make_path, remove_path);
}
