/*
 * Events outlive their call here: what an event points to is copied into an arena, all the way down.
 */
#ifndef BS_REPORTERS_SUMMARY_COPY_H
#define BS_REPORTERS_SUMMARY_COPY_H

#include "base/arena.h"

#include <backstep/event.h>

/* A copy of event, of any kind, that borrows nothing but the arena. NULL stays NULL, and an empty list that is
 * not NULL stays one: a row without columns is still a row. */
struct bs_event bs_event_keep(struct bs_arena *arena, const struct bs_event *event);

#endif
