/*
 * Reads an event file back (ndjson_write.h, events.schema.json): the sink is given events that are equal, field
 * by field, to those that were written, so that every report of a run can be made again from its file.
 *
 * - Unknown fields and events of unknown types are skipped: a newer version only adds. A file of another "v" is
 *   refused.
 * - A last line that is no whole JSON and has no line feed was cut off by the end of the run: it is dropped, and
 *   `truncated` says so. Whoever reads must look at `ended`: without run.end the run is incomplete.
 * - Blank lines are skipped. Any other line that is no event is an error with its number.
 * - A line of more than 64 MiB is an error.
 */
#ifndef BS_EVENTS_NDJSON_READ_H
#define BS_EVENTS_NDJSON_READ_H

#include <backstep/event.h>
#include <stdio.h>

#define BS_NDJSON_LINE_MAX ((size_t)64 << 20)

struct bs_ndjson_end {
	uint64_t lines;
	uint64_t events;  /* given to the sink */
	uint64_t unknown; /* events of types that this version does not know */
	bool truncated;   /* the last line was cut off */
	bool ended;       /* run.end came */
};

/* Reads file to its end; name is for messages. Strings and arrays of an event are borrowed for the call of the sink.
 * ret_end is filled also on failure, with what was read until then. Errors: BS_EUSAGE (no event file), BS_EIO. */
int bs_ndjson_read(FILE *file, const char *name, struct bs_sink sink, struct bs_ndjson_end *ret_end,
		   struct bs_err *err);

#endif
