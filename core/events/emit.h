/*
 * The way out of the core: everything that a run tells passes through bs_emit(), which numbers it, times it
 * and makes it safe to show. Safe means valid UTF-8 without secrets in every text that can carry what an API,
 * the environment or a file system said (BS_F_FREE in fields.h); names that join events to each other are
 * only made valid, because a redacted name would join nothing. So no reporter has to think of secrets, and
 * what it sees is what a file of events gives back.
 *
 * step and state.new come by the ten thousand a second and hold names and numbers only: they are passed on
 * as they are.
 *
 * Threads: an emitter belongs to one.
 */
#ifndef BS_EVENTS_EMIT_H
#define BS_EVENTS_EMIT_H

#include <backstep/event.h>

struct bs_redactor;

struct bs_emitter {
	struct bs_sink sink;
	const struct bs_redactor *redactor; /* borrowed; NULL: there are no secrets */
	uint64_t seq;      /* of the last event; 0: none yet */
	uint64_t since_ns; /* when the stream began, on the monotonic clock */
};

/* The stream begins now. Secrets may still be added to the redactor. */
void bs_emitter_init(struct bs_emitter *emitter, struct bs_sink sink, const struct bs_redactor *redactor);

/* Passes event on, with seq and at_ns set: what the caller put there is ignored. */
void bs_emit(struct bs_emitter *emitter, const struct bs_event *event);

#endif
