/*
 * The one line that moves: how far the run has come, while it comes. It is drawn on a terminal only, at most ten
 * times a second by the clock of the events, and gone before anything that stays is written.
 */
#include "console.h"

#include "base/mem.h"
#include "summary_words.h"

#include <inttypes.h>

#define REDRAW_NS 100000000u

static void separate(struct bs_buf *line)
{
	bs_buf_adds(line, "   ");
}

static void add_clock(struct bs_buf *line, double seconds)
{
	uint64_t s = seconds < 0 ? 0 : seconds > 359999 ? 359999 : (uint64_t)(seconds + 0.5);

	if (s >= 3600)
		bs_buf_addf(line, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60, s % 60);
	else
		bs_buf_addf(line, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
}

/* Until the first of both limits, at the pace so far; without limits the time that has passed. */
static void add_time(struct bs_buf *line, const struct bs_ev_run_start *run, const struct bs_ev_step *step)
{
	double spent = (double)step->run_us / 1e6, left = -1;

	if (run->time_ms)
		left = (double)run->time_ms / 1e3 - spent;
	if (run->max_steps && step->steps) {
		double rest = step->steps < run->max_steps ? (double)(run->max_steps - step->steps) : 0;
		double by_steps = rest * spent / (double)step->steps;
		left = left < 0 || by_steps < left ? by_steps : left;
	}
	add_clock(line, run->time_ms || run->max_steps ? left : spent);
	bs_buf_adds(line, run->time_ms || run->max_steps ? " left" : "");
}

static void explore_line(struct bs_buf *line, const struct bs_ev_run_start *run, const struct bs_ev_step *step)
{
	double seconds = (double)step->run_us / 1e6;

	bs_buf_adds(line, "  ");
	bs_words_number(line, step->steps);
	if (run->max_steps) {
		bs_buf_adds(line, " / ");
		bs_words_number(line, run->max_steps);
	}
	bs_buf_adds(line, " steps");
	separate(line);
	bs_words_count(line, step->states, "state", "states");
	separate(line);
	bs_words_number(line, seconds > 0 ? (uint64_t)((double)step->steps / seconds) : 0);
	bs_buf_adds(line, " steps/s");
	separate(line);
	bs_words_count(line, step->findings, "finding", "findings");
	separate(line);
	add_time(line, run, step);
}

static void shrink_line(struct bs_buf *line, const struct bs_ev_shrink *shrink)
{
	bs_buf_addf(line, "  shrinking %s", bs_words_or(shrink->rule, "?"));
	separate(line);
	bs_words_count(line, shrink->length, "step", "steps");
	bs_buf_addf(line, " of %" PRIu32, shrink->from_length);
	separate(line);
	bs_words_count(line, shrink->candidates, "sequence tried", "sequences tried");
}

static void phase_line(struct bs_buf *line, const struct bs_ev_phase *phase)
{
	if (bs_words_equal(phase->name, "start"))
		bs_buf_adds(line, "  starting the application");
	else if (bs_words_equal(phase->name, "self-check"))
		bs_buf_adds(line, "  checking that the stores can be put back");
	else if (bs_words_equal(phase->name, "confirm"))
		bs_buf_addf(line, "  replaying %s from a clean start", bs_words_or(phase->rule, "?"));
}

static bool due(const struct bs_console_progress *progress, const struct bs_event *event)
{
	return !progress->drawn_once || event->at_ns < progress->at_ns || event->at_ns - progress->at_ns >= REDRAW_NS;
}

static void compose(struct bs_buf *line, const struct bs_console *console, const struct bs_event *event)
{
	if (event->kind == BS_EVENT_STEP)
		explore_line(line, &console->summary.run, &event->step);
	else if (event->kind == BS_EVENT_SHRINK_PROGRESS)
		shrink_line(line, &event->shrink);
	else if (event->kind == BS_EVENT_PHASE_START)
		phase_line(line, &event->phase);
}

void bs_console_progress(struct bs_console *console, const struct bs_event *event)
{
	struct bs_console_progress *progress = &console->progress;
	struct bs_buf words = BS_BUF_INIT;

	bs_buf_clear(&progress->line);
	if (!console->tty || !due(progress, event))
		return;
	compose(&words, console, event);
	if (words.len) {
		BS_AUTOFREE char *clean = bs_console_clean(bs_buf_text(&words));
		bs_console_cut(&progress->line, clean, console->width - 1); /* the last column would wrap */
		progress->at_ns = event->at_ns;
		progress->drawn_once = true;
	}
	bs_buf_release(&words);
}
