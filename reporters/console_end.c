/*
 * What stands below the findings: what went wrong on the way, what to look at, which rules held, how far the run
 * came and what the gate says. A run that did not come to its end is called incomplete here, whatever it found.
 */
#include "console.h"

#include "base/mem.h"
#include "summary_end.h"
#include "summary_gate.h"
#include "summary_words.h"

/* --- Notices ------------------------------------------------------------------------------------------------ */

static void notice(struct bs_console *console, const char *word, unsigned columns, enum bs_style style,
		   const struct bs_ev_notice *notice)
{
	struct bs_buf words = BS_BUF_INIT;

	bs_buf_adds(&words, bs_words_or(notice->message, bs_words_or(notice->code, "?")));
	if (notice->at.file) {
		bs_buf_adds(&words, "  (");
		bs_words_place(&words, &notice->at);
		bs_buf_addc(&words, ')');
	}
	bs_console_put(console, style, word);
	bs_console_prose(console, bs_buf_text(&words), columns, 4);
	if (notice->hint) {
		bs_console_blanks(console, columns);
		bs_console_prose(console, notice->hint, columns, 4);
	}
	bs_buf_release(&words);
}

static void notices(struct bs_console *console)
{
	const struct bs_summary *summary = &console->summary;

	if (summary->warning_count || summary->error_count)
		bs_buf_addc(&console->out, '\n');
	for (size_t i = 0; i < summary->warning_count; i++)
		notice(console, "warning: ", 9, BS_STYLE_WARN, &summary->warnings[i]);
	for (size_t i = 0; i < summary->error_count; i++)
		notice(console, "error: ", 7, BS_STYLE_BAD, &summary->errors[i]);
}

/* These lines are made of our own words and are what scripts look for: they are never wrapped. */
static void whole_line(struct bs_console *console, void (*sentence)(struct bs_buf *, const struct bs_summary *))
{
	size_t before = console->out.len;

	sentence(&console->out, &console->summary);
	if (console->out.len > before)
		bs_buf_addc(&console->out, '\n');
}

/* --- The gate ------------------------------------------------------------------------------------------------ */

/* Why the gate says so; NULL when an error above said it already. */
static const char *gate_reason(const struct bs_summary *summary)
{
	for (size_t i = 0; i < summary->error_count; i++)
		if (bs_words_equal(summary->errors[i].message, summary->end.reason))
			return NULL;
	return bs_gate_reason(summary);
}

static void gate(struct bs_console *console)
{
	const char *verdict = bs_gate_verdict(&console->summary), *reason = gate_reason(&console->summary);
	struct bs_buf words = BS_BUF_INIT;
	enum bs_style style = BS_STYLE_WARN;

	if (bs_words_equal(verdict, "passed"))
		style = BS_STYLE_GOOD;
	else if (bs_words_equal(verdict, "failed"))
		style = BS_STYLE_BAD;
	bs_buf_addf(&words, "Gate %s", verdict);
	bs_console_put(console, style, bs_buf_text(&words));
	if (reason && *reason) {
		unsigned column = bs_console_columns(bs_buf_text(&words)) + 2;
		bs_buf_clear(&words);
		bs_buf_addf(&words, "%s.", reason);
		bs_buf_adds(&console->out, ": ");
		bs_console_prose(console, bs_buf_text(&words), column, 4);
	} else {
		bs_buf_adds(&console->out, ".\n");
	}
	bs_buf_release(&words);
}

void bs_console_end(struct bs_console *console)
{
	notices(console);
	bs_buf_addc(&console->out, '\n');
	whole_line(console, bs_end_rules);
	whole_line(console, bs_end_explored);
	whole_line(console, bs_end_limit);
	gate(console);
}
