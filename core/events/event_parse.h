/* One line of an event file as an event. See ndjson_read.h. */
#ifndef BS_EVENTS_EVENT_PARSE_H
#define BS_EVENTS_EVENT_PARSE_H

#include "base/arena.h"

#include <backstep/event.h>

/* Reads line, which it overwrites: the texts of the event stay in it, its arrays are in the arena. Returns 1 for an
 * event, 0 for one of a type that this version does not know (ret_event is untouched). Errors: BS_EUSAGE. */
int bs_event_parse(char *line, size_t len, struct bs_arena *arena, struct bs_event *ret_event, struct bs_err *err);

#endif
