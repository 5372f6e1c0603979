/*
 * What the gate counts, decided in one place, so that no report calls a failure what the exit status does not: a
 * red test beside a green job (or the other way round) is believed by nobody. This is the rule of the core
 * (explore/conclude.c), applied to each finding:
 *
 *   confirmed or flaky, new, as severe as fail_on says    counts
 *   an expression that could not be evaluated             counts whatever fail_on says
 *   unconfirmed, known to the baseline, or less severe    does not, and is shown with the reason
 *
 * Where fail_on is not known (a file of events without run.start), everything that is confirmed counts.
 */
#ifndef BS_REPORTERS_SUMMARY_GATE_H
#define BS_REPORTERS_SUMMARY_GATE_H

#include "base/buf.h"
#include "summary.h"

bool bs_gate_counts(const struct bs_summary *summary, const struct bs_ev_finding *finding);
/* Whether a warning says why the gate failed: unmet `reach`, a rule that was never checked. */
bool bs_gate_counts_notice(const struct bs_ev_notice *notice);
size_t bs_gate_count(const struct bs_summary *summary); /* of findings that count */

/* "fails the gate", or "does not fail the gate: " and why. */
void bs_gate_words(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding);

/* passed, failed or incomplete; a stream without an end is incomplete. */
const char *bs_gate_verdict(const struct bs_summary *summary);
/* In plain words; NULL: none is known. */
const char *bs_gate_reason(const struct bs_summary *summary);

/* The findings as they are to be read: what counts first, then by severity, most severe first, else as they came.
 * An array of finding_count, the caller's to free; NULL: there are none. */
const struct bs_ev_finding **bs_gate_order(const struct bs_summary *summary);

#endif
