/*
 * What a testcase says about its findings, in plain text.
 */
#ifndef BS_REPORTERS_JUNIT_TEXT_H
#define BS_REPORTERS_JUNIT_TEXT_H

#include "base/buf.h"
#include "summary.h"

/* The whole story of a finding: place, verdict, steps, what the rule saw, how to see it again. */
void bs_junit_story(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding);
/* The story in a line: "confirmed 3/3, critical, fails the gate: create_order → refund_order" */
void bs_junit_line(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding);

/* Text as XML 1.0 can hold it. The caller's to free(). `line_bytes` other than 0: one line, cut to so many bytes. */
char *bs_junit_clean(const char *text, size_t line_bytes);
/* The same for system-out, in which GitLab takes "[[ATTACHMENT|path]]" for an order to show a file. */
char *bs_junit_clean_output(const char *text);

#endif
