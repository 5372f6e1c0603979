/*
 * One finding: what broke and where, the steps that bring it about, what the rule saw, and how to see it again.
 */
#include "console.h"

#include "base/mem.h"
#include "summary_words.h"

#include <ctype.h>
#include <string.h>

#define FINGERPRINT_SHOWN 6 /* enough to tell findings apart, and what the replay command takes */
#define HEADING_COLUMNS 100 /* the verdict stands at the right edge, but not far from the rule */
#define SEVERITY_COLUMNS 12
#define LOG_LINES 5

static enum bs_style severity_style(const char *severity)
{
	if (bs_words_equal(severity, "critical") || bs_words_equal(severity, "high"))
		return BS_STYLE_BAD;
	return bs_words_equal(severity, "medium") ? BS_STYLE_WARN : BS_STYLE_NOTE;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned edge(const struct bs_console *console)
{
	return least(console->width, HEADING_COLUMNS);
}

/* --- Heading ------------------------------------------------------------------------------------------------ */

static char *upper(const char *text)
{
	char *clean = bs_console_clean(bs_words_or(text, "?"));

	for (char *c = clean; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)toupper(*c);
	return clean;
}

static enum bs_style verdict_style(const char *verdict)
{
	if (bs_words_equal(verdict, "confirmed"))
		return BS_STYLE_STRONG;
	return bs_words_equal(verdict, "flaky") ? BS_STYLE_WARN : BS_STYLE_FAINT;
}

/* What stands at the right: "confirmed 3/3   9f2c41" */
static char *verdict_text(const struct bs_ev_finding *finding)
{
	struct bs_buf words = BS_BUF_INIT;

	bs_words_verdict(&words, finding);
	if (finding->fingerprint)
		bs_buf_addf(&words, "   %.*s", FINGERPRINT_SHOWN, finding->fingerprint);
	char *clean = bs_console_clean(bs_buf_text(&words));
	bs_buf_release(&words);
	return clean;
}

/* What stands at the right edge goes below where a narrow terminal has no room for it. */
static void at_edge(struct bs_console *console, enum bs_style style, const char *clean, unsigned left)
{
	unsigned right = bs_console_columns(clean);

	if (!right) {
		bs_buf_addc(&console->out, '\n');
	} else if (left + 2 + right <= edge(console)) {
		bs_console_blanks(console, edge(console) - left - right);
		bs_console_put(console, style, clean);
		bs_buf_addc(&console->out, '\n');
	} else {
		bs_buf_addc(&console->out, '\n');
		bs_console_line(console, style, 2, clean);
	}
}

static void heading(struct bs_console *console, const struct bs_ev_finding *finding)
{
	BS_AUTOFREE char *severity = upper(finding->severity);
	BS_AUTOFREE char *rule = bs_console_clean(bs_words_or(finding->rule, "?"));
	BS_AUTOFREE char *verdict = verdict_text(finding);
	unsigned left = least(bs_console_columns(severity), SEVERITY_COLUMNS);
	unsigned name = least(bs_console_columns(rule), console->width - left - 2);

	bs_buf_addc(&console->out, '\n');
	bs_console_cell(console, severity_style(finding->severity), severity, left);
	bs_buf_adds(&console->out, "  ");
	bs_console_cell(console, BS_STYLE_STRONG, rule, name);
	at_edge(console, verdict_style(finding->verdict), verdict, left + 2 + name);
}

static char *place_text(const struct bs_ev_finding *finding)
{
	struct bs_buf words = BS_BUF_INIT;

	bs_words_place(&words, &finding->at);
	char *clean = bs_console_clean(bs_buf_text(&words));
	bs_buf_release(&words);
	return clean;
}

/* The title with the place at the right edge; a title of several lines has the place below. */
static void title_line(struct bs_console *console, const struct bs_ev_finding *finding)
{
	BS_AUTOFREE char *title =
		bs_console_clean(bs_words_or(finding->title, bs_words_or(finding->message, finding->rule)));
	BS_AUTOFREE char *place = place_text(finding);
	unsigned left = 2 + bs_console_columns(title);

	bs_console_blanks(console, 2);
	if (left <= edge(console)) {
		bs_console_put(console, BS_STYLE_PLAIN, title);
		at_edge(console, BS_STYLE_FAINT, place, left);
	} else {
		bs_console_prose(console, title, 2, 4);
		if (*place)
			bs_console_line(console, BS_STYLE_FAINT, 2, place);
	}
	if (finding->title && finding->message && !bs_words_equal(finding->title, finding->message)) {
		bs_console_blanks(console, 2);
		bs_console_prose(console, finding->message, 2, 4);
	}
}

static void chain(struct bs_console *console, const struct bs_ev_finding *finding)
{
	struct bs_buf words = BS_BUF_INIT;

	bs_words_chain(&words, finding, " → ");
	bs_buf_adds(&console->out, "\n  ");
	bs_console_prose(console, bs_buf_text(&words), 2, 4);
	bs_buf_addc(&console->out, '\n');
	bs_buf_release(&words);
}

/* --- Evidence ------------------------------------------------------------------------------------------------- */

/* The last lines are the ones about the failure. */
static void log_lines(struct bs_console *console, const struct bs_ev_finding_step *step)
{
	size_t first = step->log_count > LOG_LINES ? step->log_count - LOG_LINES : 0;

	for (size_t i = first; i < step->log_count; i++) {
		bs_console_label(console, i == first ? "its log" : NULL);
		BS_AUTOFREE char *clean = bs_console_clean(step->log[i]);
		bs_console_cut(&console->out, clean,
			       console->width > BS_CONSOLE_LABELS ? console->width - BS_CONSOLE_LABELS : 1);
		bs_buf_addc(&console->out, '\n');
	}
}

static void evidence(struct bs_console *console, const struct bs_ev_finding *finding)
{
	const struct bs_ev_finding_step *step = bs_words_failing_step(finding);
	struct bs_buf words = BS_BUF_INIT;

	if (finding->read_count) {
		bs_words_reads(&words, finding);
		bs_console_labelled(console, "the rule saw", bs_buf_text(&words), 4);
		bs_buf_clear(&words);
	}
	bs_words_answer(&words, finding);
	if (words.len)
		bs_console_labelled(console, "the answer", bs_buf_text(&words), 3);
	bs_buf_clear(&words);
	if (step && bs_words_is_fault(step))
		log_lines(console, step);
	bs_words_length(&words, finding);
	bs_console_labelled(console, bs_words_equal(finding->verdict, "unconfirmed") ? "sequence" : "minimal",
			    bs_buf_text(&words), 4);
	bs_buf_release(&words);
	if (finding->reason)
		bs_console_labelled(console, bs_words_equal(finding->verdict, "flaky") ? "flaky because" : "unconfirmed",
				    finding->reason, 4);
}

/* --- Reproducing ---------------------------------------------------------------------------------------------- */

static const char *first_label(bool *labelled)
{
	bool first = !*labelled;

	*labelled = true;
	return first ? "reproduce" : NULL;
}

static void base_url(struct bs_console *console)
{
	if (!bs_words_base_url(&console->out, &console->summary.app))
		bs_console_put(console, BS_STYLE_FAINT, "   # where you start the application afresh");
	bs_buf_addc(&console->out, '\n');
}

static void reproduce(struct bs_console *console, const struct bs_ev_finding *finding)
{
	bool labelled = false, based = false;

	if (finding->replay) {
		BS_AUTOFREE char *replay = bs_console_clean(finding->replay);
		bs_console_label(console, first_label(&labelled));
		bs_buf_addf(&console->out, "%s\n", replay);
	}
	for (size_t i = 0; i < finding->step_count; i++) {
		if (!finding->steps[i].curl)
			continue;
		if (!based) {
			bs_console_label(console, first_label(&labelled));
			base_url(console);
			based = true;
		}
		bs_console_label(console, NULL);
		bs_words_command(&console->out, finding->steps[i].curl);
		bs_buf_addc(&console->out, '\n');
	}
}

void bs_console_finding(struct bs_console *console, const struct bs_ev_finding *finding)
{
	heading(console, finding);
	title_line(console, finding);
	if (finding->step_count) {
		chain(console, finding);
		bs_console_steps(console, finding);
	}
	bs_buf_addc(&console->out, '\n');
	evidence(console, finding);
	reproduce(console, finding);
}
