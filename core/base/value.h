/*
 * A value as expressions and contexts see it. A small tagged union; the pointers are borrowed unless
 * the owner says otherwise (context.h owns copies).
 */
#ifndef BS_BASE_VALUE_H
#define BS_BASE_VALUE_H

#include "json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bs_value_kind {
	BS_V_NIL,
	BS_V_BOOL,
	BS_V_INT,
	BS_V_REAL,
	BS_V_TEXT,
	BS_V_JSON,  /* an array, an object, or a number that neither int64_t nor double holds exactly */
	BS_V_SCOPE, /* names that are looked up when they are read: observations, request, before */
};

struct bs_scope;

struct bs_value {
	enum bs_value_kind kind;
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct {
			const char *data; /* NUL-terminated, may hold NUL bytes */
			size_t len;
		} text;
		const cJSON *json;
		const struct bs_scope *scope;
	};
};

/* Deep copy; the copy owns its text and JSON. A scope cannot be copied: it becomes nil. */
struct bs_value bs_value_dup(const struct bs_value *value);
void bs_value_release(struct bs_value *owned);
bool bs_value_equal(const struct bs_value *a, const struct bs_value *b);

/* Scalars become scalars; arrays, objects and very large numbers stay JSON, borrowed. */
struct bs_value bs_value_from_json(const cJSON *json);
cJSON *bs_value_to_json(const struct bs_value *value); /* the caller's; nil and scopes are null */

struct bs_value bs_value_text(const char *text); /* borrowed; NULL gives nil */

#endif
