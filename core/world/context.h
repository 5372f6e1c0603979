/*
 * The context: the variables that captures made along a path. Immutable once shared, and counted: the
 * states of a run share contexts, because most steps capture nothing.
 *
 * A captured identifier knows which table it names: `table` is the table of the row with a generated key
 * of that value which the capturing step wrote. Identity counts it by that row and not by its number.
 */
#ifndef BS_WORLD_CONTEXT_H
#define BS_WORLD_CONTEXT_H

#include "base/buf.h"
#include "base/value.h"

struct bs_variable_value {
	struct bs_value value; /* nil: not captured, or forgotten */
	int32_t table;         /* numbered through all stores; -1: no identifier that we know of */
};

struct bs_context {
	uint32_t references;
	uint32_t count; /* as many as model->vars */
	struct bs_variable_value vars[];
};

struct bs_context *bs_context_new(size_t count);
struct bs_context *bs_context_ref(struct bs_context *context);
void bs_context_unref(struct bs_context *context); /* accepts NULL */

/* A copy with one reference, to be changed before anybody else sees it. */
struct bs_context *bs_context_copy(const struct bs_context *context);
/* Takes ownership of value. */
void bs_context_set(struct bs_context *context, size_t var, struct bs_value value, int32_t table);

#endif
