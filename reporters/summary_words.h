/*
 * How reports in plain text say things: numbers for people, what a step did to a row. The text is raw: what came
 * from an API still has to go through bs_utf8_clean; a command alone is fit to be printed. All append to out.
 */
#ifndef BS_REPORTERS_SUMMARY_WORDS_H
#define BS_REPORTERS_SUMMARY_WORDS_H

#include "base/buf.h"

#include <backstep/event.h>

void bs_words_number(struct bs_buf *out, uint64_t number); /* 1,873 */
void bs_words_count(struct bs_buf *out, uint64_t number, const char *one, const char *many); /* 2 findings */
void bs_words_size(struct bs_buf *out, uint64_t bytes); /* 1.7 MB */
void bs_words_us(struct bs_buf *out, uint64_t us); /* 31 ms */

void bs_words_place(struct bs_buf *out, const struct bs_ev_place *at); /* payments.yaml:38:3; nothing without a file */

/* "create_order amount=100" for the label create_order(amount=100). */
void bs_words_operation(struct bs_buf *out, const struct bs_ev_finding_step *step);
/* "create_order → refund_order", the actions alone. */
void bs_words_chain(struct bs_buf *out, const struct bs_ev_finding *finding, const char *arrow);
/* "POST /orders/1"; nothing for a step that sends nothing */
void bs_words_request(struct bs_buf *out, const struct bs_ev_message *request);
/* 201, or why there is no status: "timeout" */
void bs_words_status(struct bs_buf *out, const struct bs_ev_message *response);

/* "db.orders #1", and "refunded 0 → 100", "new: amount 100" or "deleted". */
void bs_words_row(struct bs_buf *out, const struct bs_ev_change *change);
void bs_words_change(struct bs_buf *out, const struct bs_ev_change *change);
/* "id = 1, amount = 100" */
void bs_words_reads(struct bs_buf *out, const struct bs_ev_finding *finding);

/* "3 steps (first seen with 5); no sequence of ..."; for what was not shrunk "3 steps, not shrunk". */
void bs_words_length(struct bs_buf *out, const struct bs_ev_finding *finding);
/* "confirmed 3/3" */
void bs_words_verdict(struct bs_buf *out, const struct bs_ev_finding *finding);

/* What a violation means, or else what was seen, or else the rule's name. Never NULL. */
const char *bs_words_headline(const struct bs_ev_finding *finding);
/* What was seen, where the headline does not say it already; else NULL. */
const char *bs_words_message(const struct bs_ev_finding *finding);
/* The step after which the rule breaks; NULL: none is marked. */
const struct bs_ev_finding_step *bs_words_failing_step(const struct bs_ev_finding *finding);
/* Whether a step moved the clock: there is no answer, and none is missing. */
bool bs_words_moved_clock(const struct bs_ev_message *response);
/* Whether the application itself is at fault: no response, or a 5xx. */
bool bs_words_is_fault(const struct bs_ev_finding_step *step);
/* "500  {"error":"boom"}", where the answer to the failing step says most: for a fault and an unexpected status. */
void bs_words_answer(struct bs_buf *out, const struct bs_ev_finding *finding);
bool bs_words_several_actors(const struct bs_ev_finding *finding);
/* "payments.yaml:38:3: message (hint)" */
void bs_words_notice(struct bs_buf *out, const struct bs_ev_notice *notice);

/* A curl line to be copied into a shell: whole, on one line, with nothing in it that drives a terminal. */
void bs_words_command(struct bs_buf *out, const char *command);
/* The shell's assignment of BASE_URL. False: where the application will be is not known, and PORT stands there. */
bool bs_words_base_url(struct bs_buf *out, const struct bs_ev_app_ready *app);

bool bs_words_equal(const char *a, const char *b); /* NULL is equal to nothing */
const char *bs_words_or(const char *text, const char *otherwise); /* the other where text is NULL or empty */

#endif
