/*
 * A finding to take away: its sequence as a shell script, and all of it as an issue in Markdown. Both stand closed in
 * the card, so that they can be had without the page's script too. Code goes into fences that no text can close;
 * what stands outside of them has every character escaped that Markdown would act on.
 */
#include "html_page.h"

#include "summary_words.h"

#include "base/buf.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

static void add_escaped(struct bs_buf *out, const char *text)
{
	for (; text && *text; text++) {
		if (*text == '\n' || *text == '\r') {
			bs_buf_addc(out, ' ');
			continue;
		}
		if (strchr("\\`*_{}[]()#+!|<>~&@-", *text))
			bs_buf_addc(out, '\\');
		bs_buf_addc(out, *text);
	}
}

static size_t longest_run(const char *text, char of)
{
	size_t longest = 0, run = 0;

	for (; *text; text++) {
		run = *text == of ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void add_fenced(struct bs_buf *out, const char *language, const char *text)
{
	size_t ticks = longest_run(text, '`') + 1;
	struct bs_buf fence = BS_BUF_INIT;

	for (size_t i = 0; i < (ticks < 3 ? 3 : ticks); i++)
		bs_buf_addc(&fence, '`');
	bs_buf_addf(out, "%s%s\n%s\n%s\n", bs_buf_text(&fence), language, text, bs_buf_text(&fence));
	bs_buf_release(&fence);
}

/* A line of a comment or a list: whatever the text holds, it stays one line. */
static void add_line(struct bs_buf *out, const char *text)
{
	for (; text && *text; text++)
		bs_buf_addc(out, *text == '\n' || *text == '\r' ? ' ' : *text);
}

static const char *title_of(const struct bs_ev_finding *finding)
{
	return bs_words_or(finding->title, bs_words_or(finding->rule, "a rule"));
}

static bool has_commands(const struct bs_ev_finding *finding)
{
	for (size_t i = 0; i < finding->step_count; i++)
		if (bs_html_has(finding->steps[i].curl))
			return true;
	return false;
}

/* --- The script --- */

static void add_commands(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	for (size_t i = 0; i < finding->step_count; i++) {
		const struct bs_ev_finding_step *step = &finding->steps[i];
		bs_buf_addf(out, "\n# %zu ", i + 1);
		add_line(out, bs_words_or(step->operation, step->action));
		if (bs_html_has(step->curl))
			bs_buf_addf(out, "\n%s\necho\n", step->curl);
		else
			bs_buf_adds(out, ": no command is known\n");
	}
}

static void script(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	bs_buf_adds(out, "#!/bin/sh\n# ");
	add_line(out, title_of(finding));
	bs_buf_adds(out, "\nset -eu\n: \"${BASE_URL:?set it to where the application runs, started afresh}\"\n");
	add_commands(out, finding);
}

/* --- The issue --- */

static void add_step(struct bs_buf *out, const struct bs_ev_finding_step *step, size_t number)
{
	struct bs_buf line = BS_BUF_INIT;

	bs_words_operation(&line, step);
	bs_buf_adds(&line, "   ");
	bs_words_request(&line, &step->request);
	bs_buf_adds(&line, " -> ");
	bs_words_status(&line, &step->response);
	bs_buf_addf(out, "%s%zu. ", number > 1 ? "\n" : "", number);
	add_line(out, bs_buf_text(&line));
	if (step->fails)
		bs_buf_adds(out, "   <- the rule breaks here");
	for (size_t i = 0; i < step->change_count; i++) {
		bs_buf_clear(&line);
		bs_words_row(&line, &step->changes[i]);
		bs_buf_adds(&line, ": ");
		bs_words_change(&line, &step->changes[i]);
		bs_buf_adds(out, "\n      ");
		add_line(out, bs_buf_text(&line));
	}
	bs_buf_release(&line);
}

static void add_steps(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	struct bs_buf steps = BS_BUF_INIT;

	for (size_t i = 0; i < finding->step_count; i++)
		add_step(&steps, &finding->steps[i], i + 1);
	add_fenced(out, "", bs_buf_text(&steps));
	bs_buf_release(&steps);
}

static void add_reads(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	struct bs_buf reads = BS_BUF_INIT;

	for (size_t i = 0; i < finding->read_count; i++) {
		bs_buf_addf(&reads, "%s", i ? "\n" : "");
		add_line(&reads, finding->reads[i].name);
		bs_buf_adds(&reads, " = ");
		add_line(&reads, finding->reads[i].json);
	}
	bs_buf_adds(out, "\nWhat the rule saw:\n\n");
	add_fenced(out, "", bs_buf_text(&reads));
	bs_buf_release(&reads);
}

static void issue(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	bs_buf_adds(out, "## ");
	add_escaped(out, title_of(finding));
	bs_buf_adds(out, "\n\n");
	if (bs_html_has(finding->message)) {
		add_escaped(out, finding->message);
		bs_buf_adds(out, "\n\n");
	}
	bs_buf_adds(out, "Rule: ");
	add_escaped(out, finding->rule);
	bs_buf_adds(out, " (");
	add_escaped(out, bs_words_or(finding->severity, "?"));
	bs_buf_adds(out, ", ");
	add_escaped(out, bs_words_or(finding->verdict, "?"));
	bs_buf_addf(out, " %" PRIu32 "/%" PRIu32 ")\n\n", finding->confirmed, finding->tries);
	add_steps(out, finding);
	if (finding->read_count)
		add_reads(out, finding);
	if (bs_html_has(finding->replay)) {
		bs_buf_adds(out, "\nSee it again:\n\n");
		add_fenced(out, "sh", finding->replay);
	}
	bs_buf_adds(out, "\nFingerprint: ");
	add_escaped(out, finding->fingerprint);
	bs_buf_addc(out, '\n');
}

/* --- In the card --- */

static void source(xmlNode *parent, const char *what, const char *title, const struct bs_buf *text)
{
	xmlNode *details = bs_html_add(parent, "details", "copies");

	bs_html_leaf(details, "summary", NULL, title);
	xmlNode *pre = bs_html_add(details, "pre", "copy-source");
	bs_html_attr(pre, "data-copy", what);
	bs_html_text_len(pre, bs_buf_text(text), text->len);
	bs_html_reachable(pre);
}

void bs_html_copies(xmlNode *parent, const struct bs_ev_finding *finding)
{
	struct bs_buf text = BS_BUF_INIT;

	if (has_commands(finding)) {
		script(&text, finding);
		source(parent, "script", "All of it as a shell script", &text);
		bs_buf_clear(&text);
	}
	issue(&text, finding);
	source(parent, "issue", "All of it as an issue, in Markdown", &text);
	bs_buf_release(&text);
}
