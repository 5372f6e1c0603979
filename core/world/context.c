/* Counted, immutable sets of captured variables. See context.h. */
#include "context.h"

#include "base/mem.h"

#include <string.h>

struct bs_context *bs_context_new(size_t count)
{
	struct bs_context *context = bs_xcalloc(1, sizeof *context + count * sizeof context->vars[0]);

	context->references = 1;
	context->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		context->vars[i].table = -1;
	return context;
}

struct bs_context *bs_context_ref(struct bs_context *context)
{
	context->references++;
	return context;
}

void bs_context_unref(struct bs_context *context)
{
	if (!context || --context->references)
		return;
	for (uint32_t i = 0; i < context->count; i++)
		bs_value_release(&context->vars[i].value);
	free(context);
}

struct bs_context *bs_context_copy(const struct bs_context *context)
{
	struct bs_context *copy = bs_context_new(context->count);

	for (uint32_t i = 0; i < context->count; i++) {
		copy->vars[i].value = bs_value_dup(&context->vars[i].value);
		copy->vars[i].table = context->vars[i].table;
	}
	return copy;
}

void bs_context_set(struct bs_context *context, size_t var, struct bs_value value, int32_t table)
{
	bs_value_release(&context->vars[var].value);
	context->vars[var].value = value;
	context->vars[var].table = table;
}
