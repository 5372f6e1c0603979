/*
 * JUnit XML: one testcase for each rule, one for each action under `reach` that never succeeded, and one for the
 * run itself when it is to blame. First the cases are decided, then they are counted, then written, so that the
 * counts cannot be wrong.
 *
 *   confirmed or flaky finding        failure
 *   finding of check-error            error: the model is at fault, not the application
 *   rule that could not be evaluated  error
 *   rule that was never reached       skipped
 *   unconfirmed or accepted finding   passed, and told in system-out
 *   incomplete run                    error in the testcase "run", so that such a file is never green
 *
 * An oracle that nothing broke passed as soon as it was checked once: it stands for "every request was answered",
 * "no status was unexpected".
 */
#include "base/mem.h"
#include "junit_text.h"
#include "outfile.h"
#include "reporters.h"
#include "summary.h"
#include "summary_words.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <string.h>

#define LINE_BYTES 500 /* of a name or a message: they are shown in lists */

enum profile {
	PROFILE_RICH,   /* with where each rule stands: mikepenz/action-junit-report and others read it */
	PROFILE_STRICT, /* without: valid by the junit-10.xsd that Jenkins checks against */
};

enum verdict { PASSED, FAILED, ERRED, SKIPPED };

struct junit_case {
	char *name; /* not yet cleaned, as all text here */
	struct bs_ev_place at;
	uint64_t elapsed_us;
	enum verdict verdict;
	const char *type; /* of a failure or error */
	char *message;
	struct bs_buf text;
	struct bs_buf output;
};

struct junit {
	struct bs_reporter reporter;
	struct bs_summary summary;
	char *path;
	enum profile profile;
	struct junit_case *cases;
	size_t case_count;
	xmlTextWriterPtr writer;
};

/* --- Deciding ----------------------------------------------------------------------------------------------------- */

static struct junit_case *add_case(struct junit *junit, char *name, struct bs_ev_place at)
{
	struct junit_case *new = BS_PUSH(junit->cases, junit->case_count);

	new->name = name;
	new->at = at;
	bs_buf_init(&new->text, BS_BUF_UNBOUNDED);
	bs_buf_init(&new->output, BS_BUF_UNBOUNDED);
	return new;
}

static void decide(struct junit_case *one, enum verdict verdict, const char *type, char *message)
{
	one->verdict = verdict;
	one->type = type;
	free(one->message);
	one->message = message;
}

static bool is_of(const struct bs_ev_finding *finding, const struct bs_ev_invariant *rule)
{
	return bs_words_equal(finding->rule, rule->name) &&
	       (!finding->kind || !rule->kind || bs_words_equal(finding->kind, rule->kind));
}

static bool fails(const struct bs_ev_finding *finding)
{
	return !bs_words_equal(finding->verdict, "unconfirmed") && !bs_words_equal(finding->baseline, "known");
}

/* Several findings of one rule are one failure; they come most severe first. */
static void add_finding(struct junit_case *one, const struct bs_ev_finding *finding)
{
	struct bs_buf *out = fails(finding) ? &one->text : &one->output;

	if (out->len)
		bs_buf_adds(out, "\n--------\n\n");
	bs_junit_story(out, finding);
	if (!fails(finding) || one->verdict == FAILED || one->verdict == ERRED)
		return;
	if (bs_words_equal(finding->rule, "check-error"))
		decide(one, ERRED, "check-error", bs_xstrdup(bs_words_or(finding->message, bs_junit_headline(finding))));
	else
		decide(one, FAILED, bs_words_or(finding->severity, "violation"), bs_xstrdup(bs_junit_headline(finding)));
}

/* What the end of a rule says where no finding says more. */
static void decide_by_end(struct junit_case *one, const struct bs_summary_rule *rule)
{
	const struct bs_ev_invariant_end *end = &rule->end;

	if (!rule->ended)
		decide(one, SKIPPED, NULL, bs_xstrdup("not checked to the end: the run ended before"));
	else if (bs_words_equal(end->outcome, "error"))
		decide(one, ERRED, "check-error", bs_xstrdup(bs_words_or(end->detail, "it could not be evaluated")));
	else if (bs_words_equal(end->outcome, "violated") && !one->output.len)
		decide(one, ERRED, "not-judged",
		       bs_xasprintf("%" PRIu64 " violations were seen, and the run ended before any was confirmed",
				    end->violations));
	else if (!end->checked && !bs_words_equal(end->outcome, "violated"))
		decide(one, SKIPPED, NULL,
		       bs_xasprintf("never reached: %s",
				    bs_words_or(end->detail, "no step gave it anything to look at")));
}

static void add_rule(struct junit *junit, const struct bs_summary_rule *rule)
{
	const struct bs_summary *summary = &junit->summary;
	struct junit_case *one =
		add_case(junit, bs_xstrdup(bs_words_or(rule->declared.name, "?")), rule->declared.at);

	one->elapsed_us = rule->end.elapsed_us;
	for (size_t i = 0; i < summary->finding_count; i++)
		if (is_of(&summary->findings[i], &rule->declared))
			add_finding(one, &summary->findings[i]);
	if (one->verdict == PASSED)
		decide_by_end(one, rule);
}

/* A finding whose rule was not declared, in a file of events that lost a line, must not be lost as well. */
static void add_strays(struct junit *junit)
{
	const struct bs_summary *summary = &junit->summary;

	for (size_t i = 0; i < summary->finding_count; i++) {
		const struct bs_ev_finding *finding = &summary->findings[i];
		bool declared = false;
		for (size_t k = 0; k < summary->rule_count; k++)
			declared |= is_of(finding, &summary->rules[k].declared);
		if (!declared)
			add_finding(add_case(junit, bs_xstrdup(bs_words_or(finding->rule, "?")), finding->at), finding);
	}
}

static const char *action_at(const struct bs_summary *summary, const struct bs_ev_place *at)
{
	for (size_t i = 0; i < summary->action_count; i++)
		if (at->line && summary->actions[i].at.line == at->line && summary->actions[i].at.column == at->column)
			return summary->actions[i].name;
	return NULL;
}

/* Which action it is stands in the position, and at the beginning of the message. */
static void add_reach(struct junit *junit, const struct bs_ev_notice *notice)
{
	const char *message = bs_words_or(notice->message, "?"), *action = action_at(&junit->summary, &notice->at);
	char *name = action ? bs_xasprintf("reach: %s", action)
			    : bs_xasprintf("reach: %.*s", (int)strcspn(message, " "), message);
	struct junit_case *one = add_case(junit, name, notice->at);

	decide(one, FAILED, "reach", bs_xstrdup(message));
	bs_junit_notice(&one->text, notice);
}

static bool any_bad(const struct junit *junit)
{
	for (size_t i = 0; i < junit->case_count; i++)
		if (junit->cases[i].verdict == FAILED || junit->cases[i].verdict == ERRED)
			return true;
	return false;
}

/* The run has a case of its own when it did not come to its end, and when the gate failed for what no other case
 * shows as bad: a rule that was never reached, say. */
static void add_run(struct junit *junit)
{
	const struct bs_summary *summary = &junit->summary;
	const struct bs_ev_run_end *end = &summary->end;
	bool passed = bs_words_equal(end->gate, "passed"), failed = bs_words_equal(end->gate, "failed");
	struct bs_ev_place at = {.file = summary->run.model};

	if (!summary->ended || (!passed && !failed) || summary->error_count) {
		struct junit_case *one = add_case(junit, bs_xstrdup("run"), at);
		const char *reason = summary->error_count ? summary->errors[0].message : end->reason;
		decide(one, ERRED, "incomplete",
		       bs_xasprintf("incomplete: %s", bs_words_or(reason, "the run did not come to its end")));
		for (size_t i = 0; i < summary->error_count; i++) {
			bs_junit_notice(&one->text, &summary->errors[i]);
			bs_buf_addc(&one->text, '\n');
		}
	} else if (failed && !any_bad(junit)) {
		decide(add_case(junit, bs_xstrdup("run"), at), FAILED, "gate",
		       bs_xasprintf("the gate failed: %s", bs_words_or(end->reason, "no reason is known")));
	}
}

/* GitLab drops a second case of one name. */
static void make_names_unique(struct junit *junit)
{
	for (size_t i = 1; i < junit->case_count; i++) {
		unsigned number = 1;
		for (size_t k = 0; k < i; k++)
			if (strcmp(junit->cases[k].name, junit->cases[i].name) == 0) {
				char *name = bs_xasprintf("%s (%u)", junit->cases[i].name, ++number);
				free(junit->cases[i].name);
				junit->cases[i].name = name;
				k = SIZE_MAX; /* and once more with the new name */
			}
	}
}

static void decide_all(struct junit *junit)
{
	const struct bs_summary *summary = &junit->summary;

	for (size_t i = 0; i < summary->rule_count; i++)
		add_rule(junit, &summary->rules[i]);
	add_strays(junit);
	for (size_t i = 0; i < summary->warning_count; i++)
		if (bs_words_equal(summary->warnings[i].code, "reach-unmet"))
			add_reach(junit, &summary->warnings[i]);
	add_run(junit);
	make_names_unique(junit);
}

/* --- Writing -------------------------------------------------------------------------------------------------------- */

/* Escaped here: what libxml2 makes of characters beyond ASCII in an attribute depends on its version. */
static void attribute(struct junit *junit, const char *name, const char *value)
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

static void number(struct junit *junit, const char *name, uint64_t value)
{
	BS_AUTOFREE char *text = bs_xasprintf("%" PRIu64, value);

	attribute(junit, name, text);
}

/* Seconds with three decimals: the form that every reader takes. */
static void time_attribute(struct junit *junit, uint64_t us)
{
	BS_AUTOFREE char *text = bs_xasprintf("%" PRIu64 ".%03" PRIu64, us / 1000000, us / 1000 % 1000);

	attribute(junit, "time", text);
}

static void start(struct junit *junit, const char *element)
{
	xmlTextWriterStartElement(junit->writer, BAD_CAST element);
}

static void end(struct junit *junit)
{
	xmlTextWriterEndElement(junit->writer);
}

static void property(struct junit *junit, const char *name, const char *value)
{
	if (!value)
		return;
	start(junit, "property");
	attribute(junit, "name", name);
	attribute(junit, "value", value);
	end(junit);
}

static void properties(struct junit *junit)
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

static void output(struct junit *junit, const char *text)
{
	BS_AUTOFREE char *clean = bs_junit_clean_output(text);

	if (!*clean)
		return;
	start(junit, "system-out");
	xmlTextWriterWriteString(junit->writer, BAD_CAST clean);
	end(junit);
}

static void outcome(struct junit *junit, const struct junit_case *one)
{
	static const char *const elements[] = {[FAILED] = "failure", [ERRED] = "error", [SKIPPED] = "skipped"};

	if (one->verdict == PASSED)
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

static const char *suite_name(const struct junit *junit)
{
	return bs_words_or(junit->summary.run.model_name, "backstep");
}

static void write_case(struct junit *junit, const struct junit_case *one)
{
	start(junit, "testcase");
	attribute(junit, "name", one->name);
	attribute(junit, "classname", suite_name(junit));
	time_attribute(junit, one->elapsed_us);
	if (junit->profile == PROFILE_RICH && one->at.file) {
		attribute(junit, "file", one->at.file);
		if (one->at.line)
			number(junit, "line", one->at.line);
	}
	outcome(junit, one);
	output(junit, bs_buf_text(&one->output));
	end(junit);
}

static void counts(struct junit *junit, bool with_skipped)
{
	uint64_t count[4] = {0};

	for (size_t i = 0; i < junit->case_count; i++)
		count[junit->cases[i].verdict]++;
	number(junit, "tests", junit->case_count);
	number(junit, "failures", count[FAILED]);
	number(junit, "errors", count[ERRED]);
	if (with_skipped)
		number(junit, "skipped", count[SKIPPED]);
	time_attribute(junit, junit->summary.end.elapsed_us);
}

/* Local times are what JUnit's own format has; ours is UTC, without its Z. */
static void timestamp(struct junit *junit)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	const char *started = bs_words_or(junit->summary.run.started, "");
	size_t n = 0;

	while (shape[n] && (shape[n] == 'd' ? started[n] >= '0' && started[n] <= '9' : started[n] == shape[n]))
		n++;
	if (shape[n])
		return;
	BS_AUTOFREE char *text = bs_xstrndup(started, n);
	attribute(junit, "timestamp", text);
}

static void warnings(struct junit *junit)
{
	struct bs_buf text = BS_BUF_INIT;

	for (size_t i = 0; i < junit->summary.warning_count; i++) {
		bs_buf_adds(&text, "warning: ");
		bs_junit_notice(&text, &junit->summary.warnings[i]);
		bs_buf_addc(&text, '\n');
	}
	output(junit, bs_buf_text(&text));
	bs_buf_release(&text);
}

static void write_document(struct junit *junit)
{
	xmlTextWriterSetIndent(junit->writer, 1);
	xmlTextWriterSetIndentString(junit->writer, BAD_CAST "  ");
	xmlTextWriterStartDocument(junit->writer, NULL, "UTF-8", NULL);
	start(junit, "testsuites");
	attribute(junit, "name", "backstep");
	counts(junit, junit->profile == PROFILE_RICH);
	start(junit, "testsuite");
	attribute(junit, "name", suite_name(junit));
	counts(junit, true);
	timestamp(junit);
	properties(junit);
	for (size_t i = 0; i < junit->case_count; i++)
		write_case(junit, &junit->cases[i]);
	warnings(junit);
	xmlTextWriterEndDocument(junit->writer); /* closes what is open */
}

/* --- The reporter ----------------------------------------------------------------------------------------------------- */

static int open_junit(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter, struct bs_err *err)
{
	(void)err;
	struct junit *junit = bs_xcalloc(1, sizeof *junit);
	junit->reporter.ops = &bs_reporter_junit;
	junit->profile = PROFILE_RICH;
	junit->path = bs_xstrdup(options->path ? options->path : bs_reporter_junit.default_path);
	bs_summary_init(&junit->summary);
	*ret_reporter = &junit->reporter;
	return 0;
}

static void on_event(struct bs_reporter *reporter, const struct bs_event *event)
{
	bs_summary_event(&((struct junit *)reporter)->summary, event);
}

static void release(struct junit *junit)
{
	for (size_t i = 0; i < junit->case_count; i++) {
		free(junit->cases[i].name);
		free(junit->cases[i].message);
		bs_buf_release(&junit->cases[i].text);
		bs_buf_release(&junit->cases[i].output);
	}
	free(junit->cases);
	bs_summary_release(&junit->summary);
	free(junit->path);
	free(junit);
}

static int write_file(struct junit *junit, struct bs_err *err)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	int r = BS_EINTERNAL;

	junit->writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	if (junit->writer) {
		write_document(junit);
		xmlFreeTextWriter(junit->writer);
		r = bs_outfile_write(junit->path, (const char *)xmlBufferContent(buffer),
				     (size_t)xmlBufferLength(buffer), err);
	} else {
		bs_err_set(err, BS_EINTERNAL, "libxml2 gave no writer");
	}
	xmlBufferFree(buffer);
	return r;
}

static int close_junit(struct bs_reporter *reporter, struct bs_err *err)
{
	struct junit *junit = (struct junit *)reporter;

	decide_all(junit);
	int r = write_file(junit, err);
	release(junit);
	return r;
}

const struct bs_reporter_ops bs_reporter_junit = {
	.name = "junit",
	.description = "JUnit XML, one testcase for each rule: GitLab, Jenkins, GitHub actions",
	.default_path = "backstep.junit.xml",
	.open = open_junit,
	.on_event = on_event,
	.close = close_junit,
};
