/*
 * Markdown, made for GitHub's job summary and good in any pull request. GitHub discards a summary of more than 1 MiB
 * altogether, so the document ends before, on a whole item, and says how many findings are left out. The tables have
 * at most half of the room, so that the findings are never crowded out by them.
 */
#include "markdown.h"

#include "base/mem.h"
#include "markdown_text.h"
#include "outfile.h"
#include "reporters.h"
#include "summary_end.h"
#include "summary_gate.h"
#include "summary_words.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define NOTE_BYTES 300 /* for the sentence about what was left out */

struct markdown {
	struct bs_reporter reporter;
	struct bs_summary summary;
	char *path;
	bool append;
};

/* --- The top ---------------------------------------------------------------------------------------------------- */

static void verdict(struct bs_buf *out, const struct bs_summary *summary)
{
	const char *gate = bs_gate_verdict(summary), *reason = bs_gate_reason(summary);
	const char *sign = bs_words_equal(gate, "passed") ? "✅" : bs_words_equal(gate, "failed") ? "❌" : "⚠️";

	bs_buf_addf(out, "## %s Backstep: ", sign);
	bs_md_prose(out, bs_words_or(summary->run.model_name, "no model"), BS_MD_NAME);
	bs_buf_addf(out, ", gate %s\n\n**Gate %s**", gate, gate);
	if (reason) {
		bs_buf_adds(out, ": ");
		bs_md_prose(out, reason, BS_MD_LINE);
	}
	bs_buf_adds(out, ".\n\n");
}

/* "3 findings fail the gate, 2 do not: 1 unconfirmed, 1 known. 1 is flaky." */
static void counts(struct bs_buf *out, const struct bs_summary *summary)
{
	size_t counting = bs_gate_count(summary), others = summary->finding_count - counting, known = 0;

	if (!summary->finding_count)
		return;
	for (size_t i = 0; i < summary->finding_count; i++)
		known += bs_words_equal(summary->findings[i].baseline, "known") &&
			 !bs_gate_counts(summary, &summary->findings[i]);
	bs_buf_adds(out, "**");
	bs_words_count(out, counting, "finding fails", "findings fail");
	bs_buf_adds(out, " the gate**");
	if (others)
		bs_buf_addf(out, ", %zu %s not", others, others == 1 ? "does" : "do");
	if (summary->unconfirmed || known) {
		bs_buf_adds(out, ":");
		if (summary->unconfirmed)
			bs_buf_addf(out, " %zu unconfirmed", summary->unconfirmed);
		if (known)
			bs_buf_addf(out, "%s %zu known", summary->unconfirmed ? "," : "", known);
	}
	bs_buf_adds(out, ".");
	if (summary->flaky)
		bs_buf_addf(out, " %zu %s flaky.", summary->flaky, summary->flaky == 1 ? "is" : "are");
	bs_buf_adds(out, "\n\n");
}

/* A paragraph of the sentences that there are. */
static void sentences(struct bs_buf *out, const struct bs_summary *summary)
{
	void (*const all[])(struct bs_buf *, const struct bs_summary *) = {bs_end_explored, bs_end_rules, bs_end_limit};
	size_t begin = out->len;

	for (size_t i = 0; i < BS_COUNT(all); i++) {
		struct bs_buf one = BS_BUF_INIT;
		all[i](&one, summary);
		if (one.len)
			bs_buf_addf(out, "%s%s", out->len > begin ? " " : "", bs_buf_text(&one));
		bs_buf_release(&one);
	}
	bs_buf_adds(out, out->len > begin ? "\n\n" : "");
}

static void facts(struct bs_buf *out, const struct bs_summary *summary)
{
	const struct bs_ev_run_start *run = &summary->run;

	if (!run->model)
		return;
	bs_buf_adds(out, "Model ");
	bs_md_code(out, run->model, BS_MD_NAME);
	bs_buf_addf(out, " · seed %" PRIu64, run->seed);
	if (run->revision) {
		bs_buf_adds(out, " · revision ");
		bs_md_code(out, run->revision, 40);
	}
	if (run->branch) {
		bs_buf_adds(out, " · branch ");
		bs_md_code(out, run->branch, BS_MD_NAME);
	}
	if (run->target) {
		bs_buf_adds(out, " · target ");
		bs_md_code(out, run->target, BS_MD_NAME);
	}
	bs_buf_adds(out, "\n\n");
}

static void head(struct bs_buf *out, const struct bs_summary *summary)
{
	verdict(out, summary);
	counts(out, summary);
	sentences(out, summary);
	facts(out, summary);
	bs_md_errors(out, summary);
}

/* --- What there is room for --------------------------------------------------------------------------------------- */

static void tables(struct bs_buf *out, const struct bs_summary *summary, size_t room)
{
	void (*const all[])(struct bs_buf *, const struct bs_summary *) = {bs_md_warnings, bs_md_rules, bs_md_coverage};

	for (size_t i = 0; i < BS_COUNT(all); i++) {
		struct bs_buf one = BS_BUF_INIT;
		all[i](&one, summary);
		if (out->len + one.len <= room)
			bs_buf_add(out, one.data, one.len);
		bs_buf_release(&one);
	}
}

static void findings(struct bs_buf *out, const struct bs_summary *summary, size_t room)
{
	const struct bs_ev_finding **order = bs_gate_order(summary);
	size_t end = out->len + room, shown = 0;

	for (bool fits = true; fits && shown < summary->finding_count;) {
		struct bs_buf one = BS_BUF_INIT;
		bool last = shown + 1 == summary->finding_count;
		bs_md_finding(&one, summary, order[shown], shown + 1);
		fits = out->len + one.len + (last ? 0 : NOTE_BYTES) <= end;
		if (fits) {
			bs_buf_add(out, one.data, one.len);
			shown++;
		}
		bs_buf_release(&one);
	}
	if (shown < summary->finding_count) {
		bs_buf_adds(out, "**");
		bs_words_count(out, summary->finding_count - shown, "more finding is", "more findings are");
		bs_buf_adds(out, " left out**: a job summary has no room for more. The other reports have them.\n\n");
	}
	free(order);
}

/* A document of at most `room` bytes, but always with its top. */
static void compose(struct bs_buf *out, const struct bs_summary *summary, size_t room)
{
	struct bs_buf below = BS_BUF_INIT;

	head(out, summary);
	room = room > out->len ? room - out->len : 0;
	tables(&below, summary, room / 2);
	findings(out, summary, room - below.len);
	bs_buf_add(out, below.data, below.len);
	bs_buf_release(&below);
}

/* --- The reporter ------------------------------------------------------------------------------------------------- */

static int open_markdown(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter,
			 struct bs_err *err)
{
	(void)err;
	struct markdown *markdown = bs_xcalloc(1, sizeof *markdown);
	markdown->reporter.ops = &bs_reporter_markdown;
	markdown->path = bs_xstrdup(options->path ? options->path : bs_reporter_markdown.default_path);
	markdown->append = options->append;
	bs_summary_init(&markdown->summary);
	*ret_reporter = &markdown->reporter;
	return 0;
}

static void on_event(struct bs_reporter *reporter, const struct bs_event *event)
{
	bs_summary_event(&((struct markdown *)reporter)->summary, event);
}

/* What others wrote there stays, and is not to be lost because of us. */
static int append(struct markdown *markdown, struct bs_err *err)
{
	struct bs_buf out = BS_BUF_INIT;
	struct stat status;
	size_t before = stat(markdown->path, &status) == 0 && S_ISREG(status.st_mode) ? (size_t)status.st_size : 0;
	int r;

	if (before)
		bs_buf_addc(&out, '\n'); /* their last line may have no end */
	compose(&out, &markdown->summary, before < BS_MD_BYTES_MAX ? BS_MD_BYTES_MAX - before : 0);
	if (before + out.len > BS_MD_GITHUB_MAX)
		r = bs_err_set(err, BS_EIO, "no room is left in '%s': beyond 1 MiB GitHub discards all of it",
			       markdown->path);
	else
		r = bs_outfile_append(markdown->path, out.data, out.len, err);
	bs_buf_release(&out);
	return r;
}

static int replace(struct markdown *markdown, struct bs_err *err)
{
	struct bs_buf out = BS_BUF_INIT;

	compose(&out, &markdown->summary, BS_MD_BYTES_MAX);
	int r = bs_outfile_write(markdown->path, out.data, out.len, err);
	bs_buf_release(&out);
	return r;
}

static int close_markdown(struct bs_reporter *reporter, struct bs_err *err)
{
	struct markdown *markdown = (struct markdown *)reporter;
	int r = markdown->append ? append(markdown, err) : replace(markdown, err);

	bs_summary_release(&markdown->summary);
	free(markdown->path);
	free(markdown);
	return r;
}

const struct bs_reporter_ops bs_reporter_markdown = {
	.name = "markdown",
	.description = "a summary for a pull request or a job: verdict, sequences, tables",
	.default_path = "backstep.md",
	.open = open_markdown,
	.on_event = on_event,
	.close = close_markdown,
};
