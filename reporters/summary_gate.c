/* The gate, seen from the reports. See summary_gate.h. */
#include "summary_gate.h"

#include "base/mem.h"
#include "summary_words.h"

static const char *const severities[] = {"low", "medium", "high", "critical"};

/* The index of a severity; -1: it is none. */
static int rank(const char *severity)
{
	for (size_t i = 0; i < BS_COUNT(severities); i++)
		if (bs_words_equal(severity, severities[i]))
			return (int)i;
	return -1;
}

/* A rule of the user may bear the oracle's name. */
static bool is_check_error(const struct bs_ev_finding *finding)
{
	return bs_words_equal(finding->rule, "check-error") && !bs_words_equal(finding->kind, "invariant");
}

static bool severe_enough(const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	int least = rank(summary->run.gate), own = rank(finding->severity);

	if (bs_words_equal(summary->run.gate, "never"))
		return false;
	return least < 0 || own < 0 || own >= least;
}

bool bs_gate_counts(const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	if (is_check_error(finding))
		return true;
	return !bs_words_equal(finding->verdict, "unconfirmed") && !bs_words_equal(finding->baseline, "known") &&
	       severe_enough(summary, finding);
}

bool bs_gate_counts_notice(const struct bs_ev_notice *notice)
{
	return bs_words_equal(notice->code, "reach-unmet") || bs_words_equal(notice->code, "unreached");
}

size_t bs_gate_count(const struct bs_summary *summary)
{
	size_t count = 0;

	for (size_t i = 0; i < summary->finding_count; i++)
		count += bs_gate_counts(summary, &summary->findings[i]);
	return count;
}

void bs_gate_words(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	if (bs_gate_counts(summary, finding)) {
		bs_buf_adds(out, "fails the gate");
		return;
	}
	bs_buf_adds(out, "does not fail the gate: ");
	if (bs_words_equal(finding->verdict, "unconfirmed"))
		bs_buf_adds(out, "it was never seen from a clean start");
	else if (bs_words_equal(finding->baseline, "known"))
		bs_buf_adds(out, "the baseline has accepted it");
	else
		bs_buf_addf(out, "fail_on is %s", bs_words_or(summary->run.gate, "?"));
}

const char *bs_gate_verdict(const struct bs_summary *summary)
{
	const char *gate = summary->ended ? summary->end.gate : NULL;

	return bs_words_equal(gate, "passed") || bs_words_equal(gate, "failed") ? gate : "incomplete";
}

const char *bs_gate_reason(const struct bs_summary *summary)
{
	if (!summary->ended)
		return "the run did not come to its end";
	return bs_words_or(summary->end.reason, NULL);
}

/* Larger comes first. */
static int weight(const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	return (bs_gate_counts(summary, finding) ? 100 : 0) + rank(finding->severity);
}

/* Those of one weight keep the order in which they came, which is that of their addresses. */
static int compare(const void *a, const void *b, void *summary)
{
	const struct bs_ev_finding *x = *(const struct bs_ev_finding *const *)a;
	const struct bs_ev_finding *y = *(const struct bs_ev_finding *const *)b;
	int difference = weight(summary, y) - weight(summary, x);

	return difference ? difference : (x > y) - (x < y);
}

const struct bs_ev_finding **bs_gate_order(const struct bs_summary *summary)
{
	const struct bs_ev_finding **order =
		summary->finding_count ? bs_xcalloc(summary->finding_count, sizeof *order) : NULL;

	for (size_t i = 0; i < summary->finding_count; i++)
		order[i] = &summary->findings[i];
	if (order)
		qsort_r(order, summary->finding_count, sizeof *order, compare, (void *)(uintptr_t)summary);
	return order;
}
