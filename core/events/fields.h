/*
 * What an event consists of: one table of fields for each kind. The writer, the reader and the cleaning in
 * bs_emit() all walk these tables, so none of them can forget a field that another knows; a new field is one
 * line in fields.c and one in events.schema.json.
 */
#ifndef BS_EVENTS_FIELDS_H
#define BS_EVENTS_FIELDS_H

#include <backstep/event.h>

#define BS_EVENTS_VERSION 1 /* "v": grows when a reader of the old version would misunderstand */

enum bs_field_type {
	/* const char *; NULL is not written. */
	BS_F_NAME, /* from the model or from this program; joins events to each other */
	BS_F_FREE, /* may carry anything: what an API answered, a path, a command line */
	BS_F_BOOL,
	BS_F_INT,
	BS_F_U32,
	BS_F_U64,
	BS_F_OBJECT, /* a struct inside */
	BS_F_PLACE,  /* a struct bs_ev_place; not written without a file */
	BS_F_ARRAY,  /* with a count beside it */
};

enum bs_array_type {
	BS_A_NAMES,   /* const char *const * */
	BS_A_TEXTS,   /* the same, of free text */
	BS_A_LIST,    /* of structs */
	BS_A_VALUES,  /* of struct bs_ev_value: an object */
	BS_A_ROW,     /* the same; a NULL array is null */
	BS_A_HEADERS, /* of struct bs_ev_header: an object, in which a repeated name has an array */
	BS_A_HEADERS_LIST, /* the same array again as pairs in their order; written only when a name is repeated */
};

struct bs_fields;

struct bs_field {
	const char *key; /* as it stands in a line, with the comma: ,"name": */
	enum bs_field_type type;
	enum bs_array_type array; /* of BS_F_ARRAY */
	size_t offset;       /* in the struct */
	size_t count_offset; /* of BS_F_ARRAY */
	const struct bs_fields *of; /* objects and lists: what they consist of */
};

struct bs_fields {
	const struct bs_field *items;
	size_t count;
	size_t size; /* of the struct, in bytes */
};

extern const struct bs_fields bs_place_fields;

/* The fields of a kind; offsets are those in struct bs_event. */
const struct bs_fields *bs_fields_of(enum bs_event_kind kind);

/* Access to a member. */
#define BS_FIELD(type, base, offset) ((type *)(void *)((char *)(base) + (offset)))
#define BS_FIELD_CONST(type, base, offset) ((const type *)(const void *)((const char *)(base) + (offset)))

#endif
