/* Delta debugging over operations. See shrink.h. */
#include "shrink.h"

#include "base/mem.h"

#include <string.h>

static int try_candidate(struct bs_shrink *shrink, const size_t *operations, size_t count, struct bs_err *err)
{
	unsigned max = shrink->max_candidates ? shrink->max_candidates : 1000;

	if (shrink->candidates >= max)
		return 0;
	shrink->candidates++;
	return shrink->fails(shrink->ctx, operations, count, err);
}

/* Tries to drop `size` operations from `at`. 1: dropped. */
static int drop(struct bs_shrink *shrink, size_t *operations, size_t *count, size_t at, size_t size,
		struct bs_err *err)
{
	size_t shorter = *count - size;
	BS_AUTOFREE size_t *candidate = bs_xcalloc(shorter, sizeof *candidate);

	memcpy(candidate, operations, at * sizeof *candidate);
	memcpy(candidate + at, operations + at + size, (*count - at - size) * sizeof *candidate);
	int r = try_candidate(shrink, candidate, shorter, err);
	if (r == 1) {
		memcpy(operations, candidate, shorter * sizeof *candidate);
		*count = shorter;
	}
	return r;
}

static int drop_pass(struct bs_shrink *shrink, size_t *operations, size_t *count, size_t size, bool *ret_progress,
		     struct bs_err *err)
{
	for (size_t at = 0; *count > 1 && at + size <= *count - 1;) {
		int r = drop(shrink, operations, count, at, size, err);
		if (r < 0)
			return r;
		if (r == 1)
			*ret_progress = true;
		else
			at += size > 1 ? size / 2 : 1;
	}
	return 0;
}

static int drop_all(struct bs_shrink *shrink, size_t *operations, size_t *count, struct bs_err *err)
{
	bool progress = true;

	while (progress && *count > 1) {
		progress = false;
		for (size_t size = *count - 1; size; size /= 2) {
			int r = drop_pass(shrink, operations, count, size, &progress, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Earlier variants count as simpler: users list the plain one first. */
static int simplify(struct bs_shrink *shrink, size_t *operations, size_t count, bool *ret_progress,
		    struct bs_err *err)
{
	for (size_t i = 0; i < count; i++) {
		size_t own = operations[i];
		for (size_t other = 0; other < own; other++) {
			if (shrink->model->operations[other].action != shrink->model->operations[own].action)
				continue;
			operations[i] = other;
			int r = try_candidate(shrink, operations, count, err);
			if (r == 1) {
				*ret_progress = true;
				break;
			}
			operations[i] = own;
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int bs_shrink_path(struct bs_shrink *shrink, size_t *operations, size_t *count, struct bs_err *err)
{
	bool progress = true;

	while (progress) {
		int r = drop_all(shrink, operations, count, err);
		if (r < 0)
			return r;
		progress = false;
		r = simplify(shrink, operations, *count, &progress, err);
		if (r < 0)
			return r;
	}
	return 0;
}
