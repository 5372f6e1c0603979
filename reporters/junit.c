/*
 * JUnit XML. First the cases are decided (junit_cases.c), then they are counted, then written, so that the counts
 * cannot be wrong. Everything is made in memory: no half-written file is ever seen.
 */
#include "junit.h"

#include "base/mem.h"
#include "junit_text.h"
#include "outfile.h"
#include "reporters.h"
#include "summary_words.h"
#include "workflow.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <string.h>

#define LINE_BYTES 500 /* of a name or a message: they are shown in lists */

/* Escaped here: what libxml2 makes of characters beyond ASCII in an attribute depends on its version. */
static void attribute(struct bs_junit *junit, const char *name, const char *value)
{
	BS_AUTOFREE char *clean = bs_junit_clean(value, LINE_BYTES);
	struct bs_buf out = BS_BUF_INIT;

	for (const char *c = clean; *c; c++)
		switch (*c) {
		case '&': bs_buf_adds(&out, "&amp;"); break;
		case '<': bs_buf_adds(&out, "&lt;"); break;
		case '>': bs_buf_adds(&out, "&gt;"); break;
		case '"': bs_buf_adds(&out, "&quot;"); break;
		default: bs_buf_addc(&out, *c);
		}
	xmlTextWriterStartAttribute(junit->writer, BAD_CAST name);
	xmlTextWriterWriteRaw(junit->writer, BAD_CAST bs_buf_text(&out));
	xmlTextWriterEndAttribute(junit->writer);
	bs_buf_release(&out);
}

static void number(struct bs_junit *junit, const char *name, uint64_t value)
{
	BS_AUTOFREE char *text = bs_xasprintf("%" PRIu64, value);

	attribute(junit, name, text);
}

/* Seconds with three decimals: the form that every reader takes. */
static void time_attribute(struct bs_junit *junit, uint64_t us)
{
	BS_AUTOFREE char *text = bs_xasprintf("%" PRIu64 ".%03" PRIu64, us / 1000000, us / 1000 % 1000);

	attribute(junit, "time", text);
}

static void start(struct bs_junit *junit, const char *element)
{
	xmlTextWriterStartElement(junit->writer, BAD_CAST element);
}

static void end(struct bs_junit *junit)
{
	xmlTextWriterEndElement(junit->writer);
}

static void property(struct bs_junit *junit, const char *name, const char *value)
{
	if (!value)
		return;
	start(junit, "property");
	attribute(junit, "name", name);
	attribute(junit, "value", value);
	end(junit);
}

/* How each finding stands, where a reader sees it that cuts the output of a passing test short (Jenkins does). */
static void case_properties(struct bs_junit *junit, const struct bs_junit_case *one)
{
	if (!one->rule && !one->finding_count)
		return;
	start(junit, "properties");
	if (one->rule) {
		BS_AUTOFREE char *checked = bs_xasprintf("%" PRIu64, one->rule->end.checked);
		BS_AUTOFREE char *violations = bs_xasprintf("%" PRIu64, one->rule->end.violations);
		property(junit, "severity", bs_words_or(one->rule->declared.severity, one->rule->end.severity));
		property(junit, "checked", one->rule->ended ? checked : NULL);
		property(junit, "violations", one->rule->ended ? violations : NULL);
	}
	for (size_t i = 0; i < one->finding_count; i++) {
		BS_AUTOFREE char *name = bs_xasprintf("finding.%s", bs_words_or(one->findings[i]->fingerprint, "?"));
		struct bs_buf line = BS_BUF_INIT;
		bs_junit_line(&line, &junit->summary, one->findings[i]);
		property(junit, name, bs_buf_text(&line));
		bs_buf_release(&line);
	}
	end(junit);
}

static void properties(struct bs_junit *junit)
{
	const struct bs_ev_run_start *run = &junit->summary.run;
	BS_AUTOFREE char *seed = bs_xasprintf("%" PRIu64, run->seed);

	start(junit, "properties");
	property(junit, "backstep.version", junit->summary.stream.version);
	property(junit, "model", run->model);
	property(junit, "model.sha256", run->model_sha256);
	property(junit, "seed", run->model ? seed : NULL);
	property(junit, "target", run->target);
	property(junit, "revision", run->revision);
	property(junit, "branch", run->branch);
	property(junit, "fail_on", run->gate);
	property(junit, "gate", junit->summary.ended ? junit->summary.end.gate : "incomplete");
	property(junit, "limit", junit->summary.end.limit);
	end(junit);
}

static bool rich(const struct bs_junit *junit)
{
	return junit->profile == BS_JUNIT_RICH;
}

static void output(struct bs_junit *junit, const char *element, const char *text)
{
	BS_AUTOFREE char *clean = bs_junit_clean_output(text);

	start(junit, element);
	if (*clean)
		xmlTextWriterWriteString(junit->writer, BAD_CAST clean);
	end(junit);
}

static void outcome(struct bs_junit *junit, const struct bs_junit_case *one)
{
	static const char *const elements[] = {[BS_JUNIT_FAILED] = "failure", [BS_JUNIT_ERROR] = "error", [BS_JUNIT_SKIPPED] = "skipped"};

	if (one->verdict == BS_JUNIT_PASSED)
		return;
	start(junit, elements[one->verdict]);
	attribute(junit, "message", one->message);
	if (one->type)
		attribute(junit, "type", one->type);
	if (one->text.len) {
		BS_AUTOFREE char *clean = bs_junit_clean(bs_buf_text(&one->text), 0);
		xmlTextWriterWriteString(junit->writer, BAD_CAST clean);
	}
	end(junit);
}

static const char *suite_name(const struct bs_junit *junit)
{
	return bs_words_or(junit->summary.run.model_name, "backstep");
}

static void write_case(struct bs_junit *junit, const struct bs_junit_case *one)
{
	start(junit, "testcase");
	attribute(junit, "name", one->name);
	attribute(junit, "classname", suite_name(junit));
	time_attribute(junit, one->elapsed_us);
	if (rich(junit) && one->at.file) {
		attribute(junit, "file", one->at.file);
		if (one->at.line)
			number(junit, "line", one->at.line);
	}
	if (rich(junit))
		case_properties(junit, one);
	outcome(junit, one);
	if (rich(junit) && one->output.len)
		output(junit, "system-out", bs_buf_text(&one->output));
	end(junit);
}

static void counts(struct bs_junit *junit)
{
	uint64_t count[4] = {0};

	for (size_t i = 0; i < junit->case_count; i++)
		count[junit->cases[i].verdict]++;
	number(junit, "tests", junit->case_count);
	number(junit, "failures", count[BS_JUNIT_FAILED]);
	number(junit, "errors", count[BS_JUNIT_ERROR]);
	number(junit, "skipped", count[BS_JUNIT_SKIPPED]);
	time_attribute(junit, junit->summary.end.elapsed_us);
}

/* Local times are what JUnit's own format has; ours is UTC, without its Z. NULL: none is known. */
static char *moment(const struct bs_junit *junit)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	const char *started = bs_words_or(junit->summary.run.started, "");
	size_t n = 0;

	while (shape[n] && (shape[n] == 'd' ? started[n] >= '0' && started[n] <= '9' : started[n] == shape[n]))
		n++;
	return shape[n] ? NULL : bs_xstrndup(started, n);
}

static void suite_attributes(struct bs_junit *junit)
{
	BS_AUTOFREE char *began = moment(junit);

	attribute(junit, "name", suite_name(junit));
	if (!rich(junit)) { /* that an attribute is required does not make it known: these are the schema's own defaults */
		attribute(junit, "package", suite_name(junit));
		attribute(junit, "id", "0");
		attribute(junit, "hostname", "localhost");
	}
	counts(junit);
	if (began || !rich(junit))
		attribute(junit, "timestamp", began ? began : "1970-01-01T00:00:00");
}

/* The warnings; and in the strict profile, whose testcases have no output, what these had to say. */
static void suite_output(struct bs_junit *junit)
{
	struct bs_buf text = BS_BUF_INIT;

	for (size_t i = 0; i < junit->summary.warning_count; i++) {
		bs_buf_adds(&text, "warning: ");
		bs_words_notice(&text, &junit->summary.warnings[i]);
		bs_buf_addc(&text, '\n');
	}
	for (size_t i = 0; !rich(junit) && i < junit->case_count; i++)
		if (junit->cases[i].output.len)
			bs_buf_addf(&text, "\n%s:\n%s", junit->cases[i].name, bs_buf_text(&junit->cases[i].output));
	if (text.len || !rich(junit))
		output(junit, "system-out", bs_buf_text(&text));
	if (!rich(junit))
		output(junit, "system-err", "");
	bs_buf_release(&text);
}

static void write_document(struct bs_junit *junit)
{
	xmlTextWriterSetIndent(junit->writer, 1);
	xmlTextWriterSetIndentString(junit->writer, BAD_CAST "  ");
	xmlTextWriterStartDocument(junit->writer, NULL, "UTF-8", NULL);
	start(junit, "testsuites");
	if (rich(junit)) {
		attribute(junit, "name", "backstep");
		counts(junit);
	}
	start(junit, "testsuite");
	suite_attributes(junit);
	properties(junit);
	for (size_t i = 0; i < junit->case_count; i++)
		write_case(junit, &junit->cases[i]);
	suite_output(junit);
	xmlTextWriterEndDocument(junit->writer); /* closes what is open */
}

/* --- The reporter ----------------------------------------------------------------------------------------------------- */

static int open_junit(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter, struct bs_err *err)
{
	(void)err;
	struct bs_junit *junit = bs_xcalloc(1, sizeof *junit);
	junit->reporter.ops = &bs_reporter_junit;
	junit->profile = bs_words_equal(options->profile, "strict") ? BS_JUNIT_STRICT : BS_JUNIT_RICH;
	junit->path = bs_xstrdup(options->path ? options->path : bs_reporter_junit.default_path);
	bs_summary_init(&junit->summary);
	*ret_reporter = &junit->reporter;
	return 0;
}

static void on_event(struct bs_reporter *reporter, const struct bs_event *event)
{
	bs_summary_event(&((struct bs_junit *)reporter)->summary, event);
}

static void release(struct bs_junit *junit)
{
	for (size_t i = 0; i < junit->case_count; i++) {
		free(junit->cases[i].name);
		free(junit->cases[i].message);
		free(junit->cases[i].findings);
		bs_buf_release(&junit->cases[i].text);
		bs_buf_release(&junit->cases[i].output);
	}
	free(junit->cases);
	bs_summary_release(&junit->summary);
	free(junit->path);
	free(junit);
}

/* Standard output may be the log of a job, in which no text is to be a command. */
static int write_bytes(const char *path, const char *text, size_t len, struct bs_err *err)
{
	struct bs_buf quiet = BS_BUF_INIT;

	if (strcmp(path, "-") != 0)
		return bs_outfile_write(path, text, len, err);
	bs_workflow_quiet(&quiet, text, len, BS_QUIET_XML);
	int r = bs_outfile_write(path, quiet.data, quiet.len, err);
	bs_buf_release(&quiet);
	return r;
}

static int write_file(struct bs_junit *junit, struct bs_err *err)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	int r = BS_EINTERNAL;

	junit->writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	if (junit->writer) {
		write_document(junit);
		xmlFreeTextWriter(junit->writer);
		r = write_bytes(junit->path, (const char *)xmlBufferContent(buffer), (size_t)xmlBufferLength(buffer), err);
	} else {
		bs_err_set(err, BS_EINTERNAL, "libxml2 gave no writer");
	}
	xmlBufferFree(buffer);
	return r;
}

static int close_junit(struct bs_reporter *reporter, struct bs_err *err)
{
	struct bs_junit *junit = (struct bs_junit *)reporter;

	bs_junit_decide(junit);
	int r = write_file(junit, err);
	release(junit);
	return r;
}

static const struct bs_reporter_profile profiles[] = {
	{"rich", "with the place, the properties and the output of each test (the default)"},
	{"strict", "valid by Jenkins' junit-10.xsd and by Windy Road's JUnit.xsd"},
	{NULL, NULL},
};

const struct bs_reporter_ops bs_reporter_junit = {
	.name = "junit",
	.description = "JUnit XML, one testcase for each rule: GitLab, Jenkins, GitHub actions",
	.default_path = "backstep.junit.xml",
	.profiles = profiles,
	.open = open_junit,
	.on_event = on_event,
	.close = close_junit,
};
