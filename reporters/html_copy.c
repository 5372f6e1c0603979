/*
 * A finding to take away: its sequence as a shell script, and all of it in Markdown as the Markdown report says it.
 * Both stand closed in the card, so that they can be had without the page's script too.
 */
#include "html_page.h"

#include "markdown.h"
#include "summary_words.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

/* In a comment: whatever the text holds, it stays one line. */
static void add_line(struct bs_buf *out, const char *text)
{
	for (; text && *text; text++)
		bs_buf_addc(out, *text == '\n' || *text == '\r' ? ' ' : *text);
}

static bool has_commands(const struct bs_ev_finding *finding)
{
	for (size_t i = 0; i < finding->step_count; i++)
		if (bs_html_has(finding->steps[i].curl))
			return true;
	return false;
}

static void script(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	bs_buf_adds(out, "#!/bin/sh\n# ");
	add_line(out, bs_words_or(finding->title, bs_words_or(finding->rule, "a rule")));
	bs_buf_adds(out, "\nset -eu\n: \"${BASE_URL:?set it to where the application runs, started afresh}\"\n");
	for (size_t i = 0; i < finding->step_count; i++) {
		const struct bs_ev_finding_step *step = &finding->steps[i];
		bs_buf_addf(out, "\n# %zu ", i + 1);
		add_line(out, bs_words_or(step->operation, step->action));
		if (bs_html_has(step->curl)) {
			bs_buf_addc(out, '\n');
			bs_words_command(out, step->curl);
			bs_buf_adds(out, "\necho\n");
		} else {
			bs_buf_adds(out, ": no command is known\n");
		}
	}
}

/* An issue stands alone, so its heading is the first and has no number. */
static void issue(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	static const char numbered[] = "### 1. ";
	struct bs_buf text = BS_BUF_INIT;

	bs_md_finding(&text, summary, finding, 1);
	bool heading = strncmp(bs_buf_text(&text), numbered, strlen(numbered)) == 0;
	bs_buf_addf(out, "%s%s", heading ? "# " : "", bs_buf_text(&text) + (heading ? strlen(numbered) : 0));
	bs_buf_release(&text);
}

static void source(xmlNode *parent, const char *what, const char *title, const struct bs_buf *text)
{
	xmlNode *details = bs_html_add(parent, "details", "copies");

	bs_html_leaf(details, "summary", NULL, title);
	xmlNode *pre = bs_html_add(details, "pre", "copy-source");
	bs_html_attr(pre, "data-copy", what);
	bs_html_text_len(pre, bs_buf_text(text), text->len);
	bs_html_reachable(pre);
}

void bs_html_copies(const struct bs_html_page *page, xmlNode *parent, const struct bs_ev_finding *finding)
{
	struct bs_buf text = BS_BUF_INIT;

	if (has_commands(finding)) {
		script(&text, finding);
		source(parent, "script", "All of it as a shell script", &text);
		bs_buf_clear(&text);
	}
	issue(&text, page->summary, finding);
	source(parent, "issue", "All of it as an issue, in Markdown", &text);
	bs_buf_release(&text);
}
