/*
 * The fold that every report starts from: the events of one run, copied and counted once, so that no two
 * reports can disagree. Steps, states and progress are only counted; everything that a report shows by
 * itself (declarations, stores, findings, warnings, coverage, the end) is kept whole.
 *
 * An embedding struct does bs_summary_event() for each event and reads the fields when it closes. Strings and
 * arrays live in the arena until release. Threads: one.
 */
#ifndef BS_REPORTERS_SUMMARY_H
#define BS_REPORTERS_SUMMARY_H

#include "base/arena.h"

#include <backstep/event.h>

struct bs_summary_rule { /* one for each invariant.declared, in that order */
	struct bs_ev_invariant declared;
	bool ended;                     /* invariant.end came */
	struct bs_ev_invariant_end end; /* zero unless ended */
};

struct bs_summary {
	struct bs_arena arena;
	struct bs_ev_stream_start stream;
	struct bs_ev_run_start run; /* run.model NULL: run.start did not come */
	struct bs_ev_app_ready app; /* app.base_url NULL: it never got ready */
	struct bs_ev_store *stores;
	size_t store_count;
	struct bs_ev_action *actions;
	size_t action_count;
	struct bs_summary_rule *rules;
	size_t rule_count;
	struct bs_ev_finding *findings; /* in the order of the events: most severe first */
	size_t finding_count;
	struct bs_ev_coverage coverage;
	struct bs_ev_notice *warnings, *errors;
	size_t warning_count, error_count;
	struct bs_ev_run_end end;
	bool ended; /* run.end came; a stream without it is incomplete and never green */

	/* Counted: */
	uint64_t steps, states, violations;
	size_t confirmed, flaky, unconfirmed;
	size_t severities[4]; /* confirmed and flaky findings, low first */
};

void bs_summary_init(struct bs_summary *summary);
void bs_summary_event(struct bs_summary *summary, const struct bs_event *event);
void bs_summary_release(struct bs_summary *summary);

/* Whether an operation moves the clock instead of sending a request: its steps have no status, and lack none. */
bool bs_summary_moves_clock(const struct bs_summary *summary, const char *operation);

/* The rule of that name; NULL: none was declared. */
const struct bs_summary_rule *bs_summary_rule(const struct bs_summary *summary, const char *name);

#endif
