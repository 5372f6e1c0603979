/* Making an event safe to show: see emit.h for what that means. */
#ifndef BS_EVENTS_CLEAN_H
#define BS_EVENTS_CLEAN_H

#include "base/arena.h"

#include <backstep/event.h>

struct bs_redactor;

/* Replaces the pointers in event by ones to clean copies in the arena, where copies are needed. What they pointed to
 * is not touched. */
void bs_event_clean(struct bs_event *event, const struct bs_redactor *redactor, struct bs_arena *arena);

#endif
