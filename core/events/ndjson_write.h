/*
 * One event as one line of JSON: the format of events.schema.json.
 *
 *   {"v":1,"seq":1,"t_ns":1840023,"type":"step", and the fields of the event}
 *
 * - Texts that are NULL and places without a file are left out; a change without an old or new row has null there.
 * - Numbers are exact: 64-bit integers, and values of the API and its stores as they were written.
 * - headers is an object. A name that comes more than once (in any case) has an array of its values there, and
 *   headers_list holds all of them as [name, value] pairs in their order.
 * - A line is valid JSON and valid UTF-8 whatever the event holds.
 */
#ifndef BS_EVENTS_NDJSON_WRITE_H
#define BS_EVENTS_NDJSON_WRITE_H

#include "base/buf.h"

#include <backstep/event.h>

/* Appends the line, with its line feed. */
void bs_ndjson_write(struct bs_buf *out, const struct bs_event *event);

#endif
