/*
 * Evidence: a finding as the event that every report shows. Everything that came from the API is capped here;
 * secrets are taken out when the event is emitted (events/emit.h).
 */
#ifndef BS_JUDGE_EVIDENCE_H
#define BS_JUDGE_EVIDENCE_H

#include "events/redact.h"
#include "finding.h"

#include <backstep/event.h>

struct bs_evidence {
	const struct bs_judge *judge;
	const struct bs_redactor *redactor; /* for the curl lines; NULL: no secrets */
	const char *events_path; /* for the replay command; NULL: none */
	uint32_t complete_depth; /* every sequence of so many operations was explored */
	const size_t *shortest;  /* the shortest path that was seen to break each rule; 0: none */
	struct bs_arena arena;   /* of the events that were built */
};

/* Fills ret_event; what it points to lives in the arena. */
void bs_evidence_build(struct bs_evidence *evidence, const struct bs_finding *finding,
		       struct bs_ev_finding *ret_event);

#endif
