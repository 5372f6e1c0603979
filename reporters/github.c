/*
 * Annotations for GitHub Actions: what fails the gate as errors, all else that was found as warnings, and the
 * verdict as a notice, each at its place in the model. GitHub shows ten of a type for each step and drops the rest
 * without a word; so where there are more, nine are sent and a tenth that says how many more there are.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "outfile.h"
#include "reporters.h"
#include "summary_end.h"
#include "summary_gate.h"
#include "summary_words.h"
#include "workflow.h"

#include <inttypes.h>
#include <string.h>

#define SHOWN_MAX 10 /* of a type, for each step */
#define TITLE_BYTES 200
#define LINE_BYTES 1000

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_COUNT };

static const char *const commands[] = {"error", "warning", "notice"};

struct annotation {
	struct bs_ev_place at;
	char *title;
	struct bs_buf message; /* clean lines */
};

struct github {
	struct bs_reporter reporter;
	struct bs_summary summary;
	char *path;
	struct annotation *lists[LEVEL_COUNT];
	size_t counts[LEVEL_COUNT];
};

/* --- What is said --------------------------------------------------------------------------------------------- */

/* One line without control characters, and without another command within the command. The caller's to free. */
static char *clean(const char *text, size_t bytes_max)
{
	struct bs_buf line = BS_BUF_INIT, out = BS_BUF_INIT;
	size_t len = strlen(text), shown = bs_utf8_fit(text, len, bytes_max);

	bs_utf8_clean(&line, text, shown, BS_UTF8_CONSOLE);
	bs_buf_adds(&line, shown < len ? "…" : "");
	bs_workflow_quiet(&out, bs_buf_text(&line), line.len, BS_QUIET_TEXT);
	bs_buf_release(&line);
	return bs_buf_take(&out);
}

static struct annotation *add(struct github *github, enum level level, struct bs_ev_place at, const char *title)
{
	struct annotation *one = BS_PUSH(github->lists[level], github->counts[level]);

	one->at = at;
	one->title = clean(title, TITLE_BYTES);
	bs_buf_init(&one->message, BS_BUF_UNBOUNDED);
	return one;
}

/* A line of the message; takes what was composed and leaves it empty. */
static void say(struct annotation *one, struct bs_buf *words)
{
	BS_AUTOFREE char *line = clean(bs_buf_text(words), LINE_BYTES);

	if (*line)
		bs_buf_addf(&one->message, "%s%s", one->message.len ? "\n" : "", line);
	bs_buf_release(words);
}

/* Oracles stand nowhere in a model; the action does that broke one. */
static struct bs_ev_place place_of(const struct bs_ev_finding *finding)
{
	const struct bs_ev_finding_step *step = bs_words_failing_step(finding);

	return finding->at.file || !step ? finding->at : step->at;
}

static void add_finding(struct github *github, const struct bs_ev_finding *finding)
{
	bool counts = bs_gate_counts(&github->summary, finding);
	BS_AUTOFREE char *title = bs_xasprintf("%s: %s", bs_words_or(finding->severity, "?"), bs_words_or(finding->rule, "?"));
	struct annotation *one = add(github, counts ? LEVEL_ERROR : LEVEL_WARNING, place_of(finding), title);
	struct bs_buf words = BS_BUF_INIT;

	bs_buf_adds(&words, bs_words_headline(finding));
	say(one, &words);
	bs_buf_adds(&words, bs_words_or(bs_words_message(finding), ""));
	say(one, &words);
	bs_words_chain(&words, finding, " → ");
	say(one, &words);
	bs_words_verdict(&words, finding);
	bs_buf_adds(&words, "; ");
	bs_gate_words(&words, &github->summary, finding);
	say(one, &words);
	if (finding->replay) {
		bs_buf_addf(&words, "reproduce: %s", finding->replay);
		say(one, &words);
	}
}

static void add_notice(struct github *github, enum level level, const struct bs_ev_notice *notice)
{
	struct annotation *one = add(github, level, notice->at, bs_words_or(notice->code, "Backstep"));
	struct bs_buf words = BS_BUF_INIT;

	bs_buf_adds(&words, bs_words_or(notice->message, bs_words_or(notice->code, "?")));
	say(one, &words);
	bs_buf_adds(&words, bs_words_or(notice->hint, ""));
	say(one, &words);
}

static void add_verdict(struct github *github)
{
	const struct bs_summary *summary = &github->summary;
	const char *gate = bs_gate_verdict(summary), *reason = bs_gate_reason(summary);
	bool silent = !bs_words_equal(gate, "passed") && !github->counts[LEVEL_ERROR];
	BS_AUTOFREE char *title = bs_xasprintf("Backstep: gate %s", gate);
	struct annotation *one = add(github, silent ? LEVEL_ERROR : LEVEL_NOTICE, (struct bs_ev_place){0}, title);
	struct bs_buf words = BS_BUF_INIT;

	bs_buf_addf(&words, "gate %s%s%s", gate, reason ? ": " : "", bs_words_or(reason, ""));
	say(one, &words);
	bs_end_explored(&words, summary);
	say(one, &words);
	bs_end_rules(&words, summary);
	say(one, &words);
}

static void decide(struct github *github)
{
	const struct bs_summary *summary = &github->summary;
	const struct bs_ev_finding **order = bs_gate_order(summary);

	for (size_t i = 0; i < summary->error_count; i++)
		add_notice(github, LEVEL_ERROR, &summary->errors[i]);
	for (size_t i = 0; i < summary->finding_count; i++)
		add_finding(github, order[i]);
	for (size_t i = 0; i < summary->warning_count; i++)
		add_notice(github, bs_gate_counts_notice(&summary->warnings[i]) ? LEVEL_ERROR : LEVEL_WARNING,
			   &summary->warnings[i]);
	add_verdict(github);
	free(order);
}

/* --- How it is written ------------------------------------------------------------------------------------------ */

static void property(struct bs_buf *out, const char *name, const char *value, bool *first)
{
	bs_buf_addf(out, "%s%s=", *first ? " " : ",", name);
	bs_workflow_property(out, value);
	*first = false;
}

static void number(struct bs_buf *out, const char *name, uint32_t value, bool *first)
{
	BS_AUTOFREE char *text = bs_xasprintf("%" PRIu32, value);

	if (value)
		property(out, name, text, first);
}

static void write_one(struct bs_buf *out, enum level level, const struct annotation *one)
{
	bool first = true;

	bs_buf_addf(out, "::%s", commands[level]);
	if (one->at.file) {
		BS_AUTOFREE char *file = clean(one->at.file, LINE_BYTES);
		property(out, "file", file, &first);
		number(out, "line", one->at.line, &first);
		number(out, "col", one->at.line ? one->at.column : 0, &first);
	}
	property(out, "title", one->title, &first);
	bs_buf_adds(out, "::");
	bs_workflow_message(out, bs_buf_text(&one->message));
	bs_buf_addc(out, '\n');
}

static void write_level(struct bs_buf *out, const struct github *github, enum level level)
{
	size_t count = github->counts[level], shown = count > SHOWN_MAX ? SHOWN_MAX - 1 : count;

	for (size_t i = 0; i < shown; i++)
		write_one(out, level, &github->lists[level][i]);
	if (count > shown)
		bs_buf_addf(out, "::%s title=Backstep::%zu more are in the job summary and in the reports\n",
			    commands[level], count - shown);
}

/* --- The reporter ------------------------------------------------------------------------------------------------- */

static int open_github(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter, struct bs_err *err)
{
	(void)err;
	struct github *github = bs_xcalloc(1, sizeof *github);
	github->reporter.ops = &bs_reporter_github;
	github->path = bs_xstrdup(options->path ? options->path : bs_reporter_github.default_path);
	bs_summary_init(&github->summary);
	*ret_reporter = &github->reporter;
	return 0;
}

static void on_event(struct bs_reporter *reporter, const struct bs_event *event)
{
	bs_summary_event(&((struct github *)reporter)->summary, event);
}

static void release(struct github *github)
{
	for (size_t level = 0; level < LEVEL_COUNT; level++) {
		for (size_t i = 0; i < github->counts[level]; i++) {
			free(github->lists[level][i].title);
			bs_buf_release(&github->lists[level][i].message);
		}
		free(github->lists[level]);
	}
	bs_summary_release(&github->summary);
	free(github->path);
	free(github);
}

static int close_github(struct bs_reporter *reporter, struct bs_err *err)
{
	struct github *github = (struct github *)reporter;
	struct bs_buf out = BS_BUF_INIT;

	decide(github);
	for (size_t level = 0; level < LEVEL_COUNT; level++)
		write_level(&out, github, (enum level)level);
	int r = bs_outfile_write(github->path, out.data, out.len, err);
	bs_buf_release(&out);
	release(github);
	return r;
}

const struct bs_reporter_ops bs_reporter_github = {
	.name = "github",
	.description = "annotations in a job of GitHub Actions, printed as workflow commands",
	.default_path = "-",
	.open = open_github,
	.on_event = on_event,
	.close = close_github,
};
