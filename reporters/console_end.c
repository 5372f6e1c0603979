/*
 * What stands below the findings: what went wrong on the way, what to look at, which rules held, how far the run
 * came and what the gate says. A run that did not come to its end is called incomplete here, whatever it found.
 */
#include "console.h"

#include "base/mem.h"
#include "summary_words.h"

#include <inttypes.h>

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

/* The last lines are made of our own words and are what scripts look for: they are never wrapped. */
static void whole_line(struct bs_console *console, const struct bs_buf *line)
{
	bs_buf_add(&console->out, line->data, line->len);
	bs_buf_addc(&console->out, '\n');
}

/* --- Rules --------------------------------------------------------------------------------------------------- */

static uint64_t count_rules(const struct bs_summary *summary, const char *outcome)
{
	uint64_t count = 0;

	for (size_t i = 0; i < summary->rule_count; i++)
		count += summary->rules[i].ended && bs_words_equal(summary->rules[i].end.outcome, outcome);
	return count;
}

/* "5 of 9 rules held; 2 were violated, 1 was never reached." */
static void rules(struct bs_console *console)
{
	static const struct {
		const char *outcome, *words;
	} others[] = {{"violated", "violated"}, {"unreached", "never reached"}, {"error", "not to be evaluated"}};
	const struct bs_summary *summary = &console->summary;
	uint64_t held = count_rules(summary, "held"), ended = held;
	struct bs_buf line = BS_BUF_INIT;

	bs_buf_addf(&line, "%" PRIu64 " of %zu rules held", held, summary->rule_count);
	for (size_t i = 0; i < BS_COUNT(others); i++) {
		uint64_t count = count_rules(summary, others[i].outcome);
		if (count)
			bs_buf_addf(&line, "%s%" PRIu64 " %s", ended == held ? "; " : ", ", count, others[i].words);
		ended += count;
	}
	bs_buf_addc(&line, '.');
	if (ended)
		whole_line(console, &line);
	bs_buf_release(&line);
}

/* --- Numbers ------------------------------------------------------------------------------------------------- */

static void add_severities(struct bs_buf *line, const struct bs_summary *summary)
{
	static const char *const names[] = {"low", "medium", "high", "critical"};
	bool first = true;

	for (size_t i = BS_COUNT(names); i-- > 0;)
		if (summary->severities[i]) {
			bs_buf_addf(line, "%s%zu %s", first ? " (" : ", ", summary->severities[i], names[i]);
			first = false;
		}
	if (summary->unconfirmed) {
		bs_buf_addf(line, "%s%zu unconfirmed", first ? " (" : ", ", summary->unconfirmed);
		first = false;
	}
	bs_buf_adds(line, first ? "" : ")");
}

static void explored(struct bs_console *console)
{
	const struct bs_summary *summary = &console->summary;
	uint64_t states = summary->ended ? summary->end.states : summary->states;
	uint64_t steps = summary->ended ? summary->end.steps : summary->steps;
	uint64_t violations = summary->ended ? summary->end.violations : summary->violations;
	struct bs_buf line = BS_BUF_INIT;

	if (!states && !steps && !summary->finding_count)
		return;
	bs_buf_adds(&line, "Explored ");
	bs_words_count(&line, states, "state", "states");
	bs_buf_adds(&line, " in ");
	bs_words_count(&line, steps, "step", "steps");
	bs_buf_adds(&line, ", found ");
	if (violations || summary->finding_count) {
		bs_words_count(&line, violations, "violation", "violations");
		bs_buf_adds(&line, ": ");
		bs_words_count(&line, summary->finding_count, "finding", "findings");
		add_severities(&line, summary);
	} else {
		bs_buf_adds(&line, "no violation");
	}
	bs_buf_addc(&line, '.');
	whole_line(console, &line);
	bs_buf_release(&line);
}

static void add_left_over(struct bs_buf *line, const struct bs_ev_run_end *end)
{
	bs_buf_adds(line, "; ");
	bs_words_count(line, end->frontier, "state was", "states were");
	bs_buf_adds(line, " left to explore.");
}

/* What ended the exploration is part of the result: nothing found is worth little when much was left. */
static void limit(struct bs_console *console)
{
	const struct bs_ev_run_start *run = &console->summary.run;
	const struct bs_ev_run_end *end = &console->summary.end;
	struct bs_buf line = BS_BUF_INIT;

	if (bs_words_equal(end->limit, "steps")) {
		bs_buf_adds(&line, "Ended by the limit of ");
		bs_words_count(&line, run->max_steps, "step", "steps");
		add_left_over(&line, end);
	} else if (bs_words_equal(end->limit, "time")) {
		bs_buf_adds(&line, "Ended by the limit of ");
		bs_words_us(&line, run->time_ms > UINT64_MAX / 1000 ? UINT64_MAX : run->time_ms * 1000);
		add_left_over(&line, end);
	} else if (bs_words_equal(end->limit, "depth")) {
		bs_buf_addf(&line, "Everything up to depth %" PRIu32 " was explored.", run->max_depth);
	} else if (bs_words_equal(end->limit, "exhausted")) {
		bs_buf_adds(&line, "Every state that these actions reach was explored.");
	}
	if (line.len)
		whole_line(console, &line);
	bs_buf_release(&line);
}

/* --- The gate ------------------------------------------------------------------------------------------------ */

/* Why the gate says so; NULL when an error above said it already. */
static const char *gate_reason(const struct bs_summary *summary)
{
	for (size_t i = 0; i < summary->error_count; i++)
		if (bs_words_equal(summary->errors[i].message, summary->end.reason))
			return NULL;
	return summary->ended ? summary->end.reason : "the run did not come to its end";
}

static void gate(struct bs_console *console)
{
	const struct bs_ev_run_end *end = &console->summary.end;
	const char *verdict = console->summary.ended ? bs_words_or(end->gate, "incomplete") : "incomplete";
	const char *reason = gate_reason(&console->summary);
	BS_AUTOFREE char *clean = bs_console_clean(verdict);
	struct bs_buf words = BS_BUF_INIT;
	enum bs_style style = BS_STYLE_WARN;

	if (bs_words_equal(verdict, "passed"))
		style = BS_STYLE_GOOD;
	else if (bs_words_equal(verdict, "failed"))
		style = BS_STYLE_BAD;
	bs_buf_addf(&words, "Gate %s", clean);
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
	rules(console);
	explored(console);
	if (console->summary.ended)
		limit(console);
	gate(console);
}
