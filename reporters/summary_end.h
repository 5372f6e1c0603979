/*
 * What the end of a run says, in sentences that are the same in every report. They are made of our own words and
 * numbers, but for what an event file may hold instead. All append to out; nothing where there is nothing to say.
 */
#ifndef BS_REPORTERS_SUMMARY_END_H
#define BS_REPORTERS_SUMMARY_END_H

#include "base/buf.h"
#include "summary.h"

/* "5 of 9 rules held; 2 violated, 1 never reached." */
void bs_end_rules(struct bs_buf *out, const struct bs_summary *summary);
/* "Explored 214 states in 1,873 steps, found 60 violations: 5 findings (3 critical, 1 high, 1 unconfirmed)." */
void bs_end_explored(struct bs_buf *out, const struct bs_summary *summary);
/* What ended the exploration, and what was left: "Ended by the limit of 2,000 steps; 37 states were left to explore." */
void bs_end_limit(struct bs_buf *out, const struct bs_summary *summary);

#endif
