/* The sentences at the end. See summary_end.h. */
#include "summary_end.h"

#include "base/mem.h"
#include "summary_words.h"

#include <inttypes.h>

static uint64_t count_rules(const struct bs_summary *summary, const char *outcome)
{
	uint64_t count = 0;

	for (size_t i = 0; i < summary->rule_count; i++)
		count += summary->rules[i].ended && bs_words_equal(summary->rules[i].end.outcome, outcome);
	return count;
}

void bs_end_rules(struct bs_buf *out, const struct bs_summary *summary)
{
	static const struct {
		const char *outcome, *words;
	} others[] = {{"violated", "violated"}, {"unreached", "never reached"}, {"error", "not to be evaluated"}};
	uint64_t held = count_rules(summary, "held"), ended = held;

	for (size_t i = 0; i < BS_COUNT(others); i++)
		ended += count_rules(summary, others[i].outcome);
	if (!ended)
		return;
	bs_buf_addf(out, "%" PRIu64 " of %zu rules held", held, summary->rule_count);
	for (size_t i = 0, told = 0; i < BS_COUNT(others); i++) {
		uint64_t count = count_rules(summary, others[i].outcome);
		if (count)
			bs_buf_addf(out, "%s%" PRIu64 " %s", told++ ? ", " : "; ", count, others[i].words);
	}
	bs_buf_addc(out, '.');
}

static void add_severities(struct bs_buf *out, const struct bs_summary *summary)
{
	static const char *const names[] = {"low", "medium", "high", "critical"};
	bool first = true;

	for (size_t i = BS_COUNT(names); i-- > 0;)
		if (summary->severities[i]) {
			bs_buf_addf(out, "%s%zu %s", first ? " (" : ", ", summary->severities[i], names[i]);
			first = false;
		}
	if (summary->unconfirmed) {
		bs_buf_addf(out, "%s%zu unconfirmed", first ? " (" : ", ", summary->unconfirmed);
		first = false;
	}
	bs_buf_adds(out, first ? "" : ")");
}

void bs_end_explored(struct bs_buf *out, const struct bs_summary *summary)
{
	uint64_t states = summary->ended ? summary->end.states : summary->states;
	uint64_t steps = summary->ended ? summary->end.steps : summary->steps;
	uint64_t violations = summary->ended ? summary->end.violations : summary->violations;

	if (!states && !steps && !summary->finding_count)
		return;
	bs_buf_adds(out, "Explored ");
	bs_words_count(out, states, "state", "states");
	bs_buf_adds(out, " in ");
	bs_words_count(out, steps, "step", "steps");
	bs_buf_adds(out, ", found ");
	if (violations || summary->finding_count) {
		bs_words_count(out, violations, "violation", "violations");
		bs_buf_adds(out, ": ");
		bs_words_count(out, summary->finding_count, "finding", "findings");
		add_severities(out, summary);
	} else {
		bs_buf_adds(out, "no violation");
	}
	bs_buf_addc(out, '.');
}

static void add_left_over(struct bs_buf *out, const struct bs_ev_run_end *end)
{
	bs_buf_adds(out, "; ");
	bs_words_count(out, end->frontier, "state was", "states were");
	bs_buf_adds(out, " left to explore.");
}

/* What ended the exploration is part of the result: nothing found is worth little when much was left. */
void bs_end_limit(struct bs_buf *out, const struct bs_summary *summary)
{
	const struct bs_ev_run_start *run = &summary->run;
	const struct bs_ev_run_end *end = &summary->end;

	if (!summary->ended)
		return;
	if (bs_words_equal(end->limit, "steps")) {
		bs_buf_adds(out, "Ended by the limit of ");
		bs_words_count(out, run->max_steps, "step", "steps");
		add_left_over(out, end);
	} else if (bs_words_equal(end->limit, "time")) {
		bs_buf_adds(out, "Ended by the limit of ");
		bs_words_us(out, run->time_ms > UINT64_MAX / 1000 ? UINT64_MAX : run->time_ms * 1000);
		add_left_over(out, end);
	} else if (bs_words_equal(end->limit, "depth")) {
		bs_buf_addf(out, "Everything up to depth %" PRIu32 " was explored.", run->max_depth);
	} else if (bs_words_equal(end->limit, "exhausted")) {
		bs_buf_adds(out, "Every state that these actions reach was explored.");
	}
}
