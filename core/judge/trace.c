/* Executed paths. See trace.h. */
#include "trace.h"

#include "base/mem.h"

#include <string.h>

void bs_trace_release(struct bs_trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		bs_step_release(&trace->steps[i]->step);
		bs_violations_release(&trace->steps[i]->violations);
		free(trace->steps[i]);
	}
	free(trace->steps);
	bs_arena_release(&trace->arena);
	*trace = (struct bs_trace){0};
}

static bool same_subject(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

const struct bs_violation *bs_trace_shows(const struct bs_trace *trace, const struct bs_signature *signature)
{
	if (!trace->complete || !trace->count)
		return NULL;
	const struct bs_trace_step *last = trace->steps[trace->count - 1];
	if (last->step.response.exchange.status / 100 != signature->status_class)
		return NULL;
	for (size_t i = 0; i < last->violations.count; i++) {
		const struct bs_violation *violation = &last->violations.items[i];
		if (violation->rule == signature->rule && same_subject(violation->subject, signature->subject))
			return violation;
	}
	return NULL;
}
