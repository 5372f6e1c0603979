/*
 * One finding in Markdown: what broke, the sequence as a list with the failing step marked, what each step did to
 * rows, what the rule saw, and, folded away, the commands to see it again. Each text and each list is cut, so that
 * one finding alone never fills the document.
 */
#include "markdown.h"

#include "base/mem.h"
#include "markdown_text.h"
#include "summary_gate.h"
#include "summary_words.h"

#include <inttypes.h>
#include <string.h>

#define STEPS_MAX 40
#define CHANGES_MAX 8 /* of one step */
#define COMMAND_MAX 8192
#define COMMANDS_MAX ((size_t)48 * 1024) /* of one finding */

/* Code of what a function of summary_words.h says. */
#define CODE_OF(out, words, subject) \
	do { \
		struct bs_buf text_ = BS_BUF_INIT; \
		words(&text_, subject); \
		bs_md_code(out, bs_buf_text(&text_), BS_MD_LINE); \
		bs_buf_release(&text_); \
	} while (0)

static const struct bs_summary_rule *rule_of(const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	const struct bs_summary_rule *rule = bs_summary_rule(summary, finding->rule);

	return rule && rule->declared.rule && !bs_words_equal(rule->declared.kind, "oracle") ? rule : NULL;
}

static void heading(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding,
		    size_t number)
{
	const struct bs_summary_rule *rule = rule_of(summary, finding);
	struct bs_buf words = BS_BUF_INIT;

	bs_buf_addf(out, "### %zu. ", number);
	bs_md_prose(out, bs_words_headline(finding), BS_MD_LINE);
	bs_buf_adds(out, "\n\n**");
	bs_md_prose(out, finding->severity, BS_MD_NAME);
	bs_buf_adds(out, "** · ");
	bs_words_verdict(&words, finding);
	bs_buf_adds(&words, "; ");
	bs_gate_words(&words, summary, finding);
	bs_md_prose(out, bs_buf_text(&words), BS_MD_LINE);
	bs_buf_release(&words);
	bs_buf_adds(out, " · rule ");
	bs_md_code(out, finding->rule, BS_MD_NAME);
	if (finding->at.file) {
		bs_buf_adds(out, " at ");
		CODE_OF(out, bs_words_place, &finding->at);
	}
	bs_buf_adds(out, " · finding ");
	bs_md_code(out, finding->fingerprint, BS_MD_NAME);
	bs_buf_adds(out, "\n\n");
	if (bs_words_message(finding)) {
		bs_buf_adds(out, "Seen: ");
		bs_md_prose(out, bs_words_message(finding), BS_MD_LINE);
		bs_buf_adds(out, rule ? "\\\n" : "\n\n");
	}
	if (rule) {
		bs_buf_adds(out, "The rule: ");
		bs_md_code(out, rule->declared.rule, BS_MD_LINE);
		bs_buf_adds(out, "\n\n");
	}
}

/* --- The sequence --------------------------------------------------------------------------------------------- */

/* A list within an item begins where the item's text does. */
static void below(struct bs_buf *out, size_t indent)
{
	bs_buf_addf(out, "%*s- ", (int)indent, "");
}

static void change(struct bs_buf *out, const struct bs_ev_change *change, size_t indent)
{
	below(out, indent);
	CODE_OF(out, bs_words_row, change);
	bs_buf_adds(out, ": ");
	CODE_OF(out, bs_words_change, change);
	bs_buf_addc(out, '\n');
}

static void step(struct bs_buf *out, const struct bs_ev_finding *finding, size_t index)
{
	const struct bs_ev_finding_step *step = &finding->steps[index];
	size_t shown = step->change_count < CHANGES_MAX ? step->change_count : CHANGES_MAX;
	uint64_t more = step->changes_left_out + (step->change_count - shown);
	struct bs_buf status = BS_BUF_INIT;
	size_t line = out->len;

	bs_buf_addf(out, "%zu. ", index + 1);
	size_t indent = out->len - line;
	CODE_OF(out, bs_words_operation, step);
	if (bs_words_several_actors(finding)) {
		bs_buf_adds(out, " as ");
		bs_md_code(out, step->actor, BS_MD_NAME);
	}
	bs_buf_adds(out, " · ");
	CODE_OF(out, bs_words_request, &step->request);
	bs_words_status(&status, &step->response);
	bs_buf_adds(out, " → ");
	bs_md_prose(out, bs_buf_text(&status), BS_MD_NAME);
	bs_buf_adds(out, step->fails ? " · ❌ **breaks here**\n" : "\n");
	for (size_t i = 0; i < shown; i++)
		change(out, &step->changes[i], indent);
	if (more) {
		below(out, indent);
		bs_buf_adds(out, "and ");
		bs_words_count(out, more, "more row", "more rows");
		bs_buf_addc(out, '\n');
	}
	bs_buf_release(&status);
}

/* The last steps are the ones that fail. */
static void sequence(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	size_t first = finding->step_count > STEPS_MAX ? finding->step_count - STEPS_MAX : 0;

	if (first)
		bs_buf_addf(out, "The first %zu of %zu steps are left out here.\n\n", first, finding->step_count);
	for (size_t i = first; i < finding->step_count; i++)
		step(out, finding, i);
	bs_buf_adds(out, finding->step_count ? "\n" : "");
}

static void evidence(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	struct bs_buf words = BS_BUF_INIT;

	if (finding->read_count) {
		bs_buf_adds(out, "- The rule saw ");
		CODE_OF(out, bs_words_reads, finding);
		bs_buf_addc(out, '\n');
	}
	bs_words_answer(&words, finding);
	if (words.len) {
		bs_buf_adds(out, "- The answer was ");
		bs_md_code(out, bs_buf_text(&words), BS_MD_LINE);
		bs_buf_addc(out, '\n');
		bs_buf_clear(&words);
	}
	bs_buf_adds(out, "- Sequence: ");
	bs_words_length(&words, finding);
	bs_md_prose(out, bs_buf_text(&words), BS_MD_LINE);
	bs_buf_addc(out, '\n');
	if (finding->reason) {
		bs_buf_addf(out, "- %s because ", bs_words_equal(finding->verdict, "flaky") ? "Flaky" : "Unconfirmed");
		bs_md_prose(out, finding->reason, BS_MD_LINE);
		bs_buf_addc(out, '\n');
	}
	bs_buf_addc(out, '\n');
	bs_buf_release(&words);
}

/* --- Reproducing ------------------------------------------------------------------------------------------------ */

/* A command is whole or not there: half of one does something else. */
static void command(struct bs_buf *lines, const char *text, size_t number)
{
	struct bs_buf line = BS_BUF_INIT;

	if (strlen(text) <= COMMAND_MAX)
		bs_words_command(&line, text);
	if (line.len && lines->len + line.len <= COMMANDS_MAX)
		bs_buf_addf(lines, "%s\n", bs_buf_text(&line));
	else
		bs_buf_addf(lines, "# request %zu is too long for here\n", number);
	bs_buf_release(&line);
}

static void reproduce(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	size_t first = finding->step_count > STEPS_MAX ? finding->step_count - STEPS_MAX : 0;
	struct bs_buf lines = BS_BUF_INIT;
	bool based = false;

	if (finding->replay && strlen(finding->replay) <= COMMAND_MAX) {
		bs_words_command(&lines, finding->replay);
		bs_buf_addc(&lines, '\n');
	}
	for (size_t i = first; i < finding->step_count; i++) {
		if (!finding->steps[i].curl)
			continue;
		if (!based) {
			bs_buf_adds(&lines, lines.len ? "\n" : "");
			bool there = bs_words_base_url(&lines, &summary->app);
			bs_buf_adds(&lines, there ? "\n" : "   # where you start the application afresh\n");
			based = true;
		}
		command(&lines, finding->steps[i].curl, i + 1);
	}
	if (lines.len) {
		bs_buf_adds(out, "<details><summary>Commands to see it again</summary>\n\n");
		bs_md_block(out, "sh", bs_buf_text(&lines));
		bs_buf_adds(out, "\n</details>\n\n");
	}
	bs_buf_release(&lines);
}

void bs_md_finding(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding,
		   size_t number)
{
	heading(out, summary, finding, number);
	sequence(out, finding);
	evidence(out, finding);
	reproduce(out, summary, finding);
}
