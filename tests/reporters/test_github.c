/* Annotations: which, of what kind, how many, and that text neither breaks out of a command nor is one by itself. */
#include "base/buf.h"
#include "base/mem.h"
#include "fixture.h"
#include "golden.h"
#include "reporters/reporters.h"
#include "reporters/workflow.h"

#include <fcntl.h>
#include <libxml/parser.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_github.XXXXXX";

/* --- Helpers -------------------------------------------------------------------------------------------------- */

static char *report(enum fixture which, size_t *ret_len)
{
	struct bs_reporter_options options = {.path = path};

	assert_int_equal(fixture_report(which, &bs_reporter_github, &options, NULL), 0);
	return golden_read(path, ret_len);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

/* A run that found so many things of each kind, and whose gate failed. */
static char *many(size_t errors, size_t warnings, size_t *ret_len)
{
	struct bs_reporter_options options = {.path = path};
	struct bs_reporter *reporter;
	struct bs_event event = {.kind = BS_EVENT_RUN_START, .run_start = {.model = "m.yaml", .gate = "high"}};

	assert_int_equal(bs_reporter_github.open(&options, &reporter, NULL), 0);
	bs_reporter_github.on_event(reporter, &event);
	for (size_t i = 0; i < errors + warnings; i++) {
		event = (struct bs_event){.kind = BS_EVENT_FINDING,
					  .finding = {.rule = "r",
						      .severity = i < errors ? "high" : "medium",
						      .verdict = "confirmed",
						      .at = {"m.yaml", 1, 1}}};
		bs_reporter_github.on_event(reporter, &event);
	}
	event = (struct bs_event){.kind = BS_EVENT_RUN_END, .run_end = {.gate = errors ? "failed" : "passed"}};
	bs_reporter_github.on_event(reporter, &event);
	assert_int_equal(bs_reporter_github.close(reporter, NULL), 0);
	return golden_read(path, ret_len);
}

/* --- What is annotated ------------------------------------------------------------------------------------------- */

static void looks_as_it_was_agreed(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		size_t len;
		BS_AUTOFREE char *name = bs_xasprintf("github-%s.txt", fixture_name((enum fixture)i));
		BS_AUTOFREE char *text = report((enum fixture)i, &len);
		golden_check(name, text, len);
	}
}

static void what_fails_the_gate_is_an_error_and_all_else_a_warning(void **state)
{
	size_t len;
	BS_AUTOFREE char *text = report(FIXTURE_RICH, &len);

	(void)state;
	has(text, "::error file=payments.yaml,line=38,col=3,title=critical%3A refunds_within_total::An order can be");
	has(text, "::error file=payments.yaml,line=45,col=3,title=critical%3A no_server_error::");
	has(text, "::error file=payments.yaml,line=62,col=3,title=high%3A check-error::");
	has(text, "::error file=payments.yaml,line=29,col=3,title=reach-unmet::");
	has(text, "::warning file=payments.yaml,line=38,col=3,title=critical%3A refunds_within_total::"); /* known */
	has(text, "::warning file=payments.yaml,line=49,col=3,title=high%3A refunded_orders_stay::"); /* unconfirmed */
	has(text, "::warning file=payments.yaml,line=25,col=3,title=outside-state::");
	has(text, "::notice title=Backstep%3A gate failed::gate failed: an action under reach never succeeded%0AExplored");
	assert_int_equal(count(text, "::notice"), 1);
}

static void a_run_that_is_not_green_has_an_error(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		size_t len;
		BS_AUTOFREE char *text = report((enum fixture)i, &len);
		if ((count(text, "::error ") == 0) != (i == FIXTURE_CLEAN))
			fail_msg("%s: %s", fixture_name((enum fixture)i), text);
	}
}

static void of_more_than_ten_nine_are_sent_and_the_rest_is_counted(void **state)
{
	static const struct {
		size_t errors, warnings, errors_sent, warnings_sent;
		const char *more;
	} cases[] = {
		{10, 0, 10, 0, NULL},
		{11, 0, 10, 0, "::error title=Backstep::2 more are"},
		{1, 10, 1, 10, NULL},
		{10, 11, 10, 10, "::warning title=Backstep::2 more are"},
		{500, 1, 10, 1, "::error title=Backstep::491 more are"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		size_t len;
		BS_AUTOFREE char *text = many(cases[i].errors, cases[i].warnings, &len);
		assert_int_equal(count(text, "::error "), cases[i].errors_sent);
		assert_int_equal(count(text, "::warning "), cases[i].warnings_sent);
		assert_int_equal(count(text, " more are "), cases[i].more != NULL);
		if (cases[i].more)
			has(text, cases[i].more);
	}
}

/* --- Escaping ------------------------------------------------------------------------------------------------------ */

static void messages_and_properties_are_escaped(void **state)
{
	struct bs_buf out = BS_BUF_INIT;

	(void)state;
	bs_workflow_message(&out, "50%, a:b\r\n::error::%0A");
	assert_string_equal(bs_buf_text(&out), "50%25, a:b%0D%0A::error::%250A");
	bs_buf_clear(&out);
	bs_workflow_property(&out, "50%, a:b\r\n%3A");
	assert_string_equal(bs_buf_text(&out), "50%25%2C a%3Ab%0D%0A%253A");
	bs_buf_release(&out);
}

/* As the runner would: every line is one of our commands, up to its own message. */
static void check_commands(const char *text)
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t kind = strncmp(line, "::error ", 8) == 0	    ? 8
			      : strncmp(line, "::warning ", 10) == 0 ? 10
			      : strncmp(line, "::notice ", 9) == 0   ? 9
								      : 0;
		if (!kind)
			fail_msg("no command: %.200s", line);
		for (const char *at = line + kind; strncmp(at, "::", 2) != 0;) {
			size_t name = strcspn(at, "=");
			BS_AUTOFREE char *property = bs_xstrndup(at, name);
			if (!strstr("file line col title", property))
				fail_msg("a property of its own: '%s'", property);
			at += name + 1 + strcspn(at + name + 1, ",:");
			at += *at == ',';
		}
	}
}

static void text_is_made_quiet(void **state)
{
	static const struct {
		enum bs_workflow_quiet how;
		const char *text, *quiet;
	} cases[] = {
		{BS_QUIET_TEXT, "::error::x\n", "\\x3a:error::x\n"},
		{BS_QUIET_TEXT, "a ::error::x\n", "a ::error::x\n"},
		{BS_QUIET_TEXT, "a\n \t::x\n\xc2\xa0\xe3\x80\x80\xe2\x80\xa8::y", "a\n \t\\x3a:x\n\xc2\xa0\xe3\x80\x80\xe2\x80\xa8\\x3a:y"},
		{BS_QUIET_TEXT, "a\r::x", "a\r\\x3a:x"},
		{BS_QUIET_TEXT, ":", ":"},
		{BS_QUIET_TEXT, "", ""},
		{BS_QUIET_TEXT, "\n\n", "\n\n"},
		{BS_QUIET_TEXT, "a ##[error]b ###[x]", "a #\\x23[error]b ##\\x23[x]"},
		{BS_QUIET_XML, "<a>\n::x ##[y]", "<a>\n&#58;:x #&#35;[y]"},
		{BS_QUIET_JSON, "{\"a\":\"##[y]\"}\n", "{\"a\":\"#\\u0023[y]\"}\n"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_buf out = BS_BUF_INIT;
		bs_workflow_quiet(&out, cases[i].text, strlen(cases[i].text), cases[i].how);
		assert_string_equal(bs_buf_text(&out), cases[i].quiet);
		bs_buf_release(&out);
	}
}

/* --- The other reports, where they are printed ------------------------------------------------------------------------ */

#define ATTACK "x\n::add-mask::a\n  ::error::b ##[add-matcher]c"

static void attack(struct bs_reporter *reporter)
{
	static const struct bs_ev_finding_step step = {.operation = ATTACK, .action = ATTACK, .actor = ATTACK,
						       .request = {.method = ATTACK, .target = ATTACK},
						       .response = {.outcome = ATTACK, .error = ATTACK, .body = ATTACK},
						       .curl = "curl 'x'" ATTACK, .fails = true};
	const struct bs_event events[] = {
		{.kind = BS_EVENT_STREAM_START, .seq = 1, .stream_start = {"backstep", "::error::"}},
		{.kind = BS_EVENT_RUN_START, .seq = 2, .run_start = {.model = ATTACK, .model_name = ATTACK, .strategy = ATTACK,
								      .target = ATTACK, .gate = ATTACK, .model_sha256 = ""}},
		{.kind = BS_EVENT_FINDING, .seq = 3, .finding = {.rule = ATTACK, .title = ATTACK, .message = ATTACK,
								  .severity = ATTACK, .fingerprint = ATTACK, .verdict = ATTACK,
								  .kind = "invariant", .baseline = "new", .reason = ATTACK,
								  .replay = "::error::" ATTACK, .steps = &step, .step_count = 1}},
		{.kind = BS_EVENT_WARNING, .seq = 4, .notice = {ATTACK, ATTACK, ATTACK, {ATTACK, 1, 1}}},
		{.kind = BS_EVENT_RUN_END, .seq = 5, .run_end = {.gate = ATTACK, .reason = ATTACK, .limit = ATTACK}},
	};

	for (size_t i = 0; i < BS_COUNT(events); i++)
		reporter->ops->on_event(reporter, &events[i]);
}

/* What a reporter prints on standard output. */
static char *printed(const struct bs_reporter_ops *ops, size_t *ret_len)
{
	struct bs_reporter_options options = {.path = "-", .stream = stdout, .job_log = true};
	struct bs_reporter *reporter;

	fflush(stdout);
	int saved = dup(STDOUT_FILENO), fd = open(path, O_WRONLY | O_TRUNC);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	int opened = ops->open(&options, &reporter, NULL);
	if (opened == 0)
		attack(reporter);
	int closed = opened == 0 ? ops->close(reporter, NULL) : -1;
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(closed, 0);
	return golden_read(path, ret_len);
}

static void hostile_text_stays_in_its_command(void **state)
{
	size_t len;
	BS_AUTOFREE char *text = report(FIXTURE_HOSTILE, &len);

	(void)state;
	check_commands(text);
	BS_AUTOFREE char *attacked = printed(&bs_reporter_github, &len);
	check_commands(attacked);
	assert_null(strstr(attacked, "##["));
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\t');
	assert_true(strlen(text) < 64 * 1024); /* 10 kB of a title and of a message are cut */
}

static void check_silence(const char *name, const char *text)
{
	assert_non_null(strstr(text, "add-matcher")); /* it is shown */
	if (strstr(text, "##["))
		fail_msg("%s prints ##[", name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line + strspn(line, " \t"), "::", 2) == 0)
			fail_msg("%s prints the command %.40s", name, line);
	}
}

static void what_is_printed_in_a_job_is_no_command(void **state)
{
	static const struct bs_reporter_ops *const all[] = {&bs_reporter_console, &bs_reporter_ndjson, &bs_reporter_junit,
							    &bs_reporter_markdown};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(all); i++) {
		size_t len;
		BS_AUTOFREE char *text = printed(all[i], &len);
		check_silence(all[i]->name, text);
	}
}

/* Quiet, and yet the same document. */
static void what_is_printed_says_the_same(void **state)
{
	size_t len;
	BS_AUTOFREE char *xml = printed(&bs_reporter_junit, &len);
	xmlDocPtr doc = xmlReadMemory(xml, (int)len, "junit.xml", NULL, XML_PARSE_NONET);

	(void)state;
	assert_non_null(doc);
	xmlChar *content = xmlNodeGetContent(xmlDocGetRootElement(doc));
	assert_non_null(strstr((const char *)content, "\n::add-mask::a\n  ::error::b ##[add-matcher]c"));
	xmlFree(content);
	xmlFreeDoc(doc);
}

static void a_path_that_cannot_be_written_is_an_error(void **state)
{
	struct bs_reporter_options options = {.path = "/dev/full"};
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	assert_int_equal(fixture_report(FIXTURE_CLEAN, &bs_reporter_github, &options, &err), BS_EIO);
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
		cmocka_unit_test(what_fails_the_gate_is_an_error_and_all_else_a_warning),
		cmocka_unit_test(a_run_that_is_not_green_has_an_error),
		cmocka_unit_test(of_more_than_ten_nine_are_sent_and_the_rest_is_counted),
		cmocka_unit_test(messages_and_properties_are_escaped),
		cmocka_unit_test(hostile_text_stays_in_its_command),
		cmocka_unit_test(text_is_made_quiet),
		cmocka_unit_test(what_is_printed_in_a_job_is_no_command),
		cmocka_unit_test(what_is_printed_says_the_same),
		cmocka_unit_test(a_path_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("github", tests, make_path, remove_path);
}
