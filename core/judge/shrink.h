/*
 * Shrinking: a pure search over candidates, separate from running them (after Hypothesis and theft). The
 * last operation stays, because it is the one that breaks the rule; the others are dropped in halves,
 * quarters and single steps (delta debugging: Zeller and Hildebrandt, 2002) until no single one can go;
 * then each operation is replaced by an earlier variant of its action where that still fails.
 */
#ifndef BS_JUDGE_SHRINK_H
#define BS_JUDGE_SHRINK_H

#include "model/model.h"

struct bs_shrink {
	const struct bs_model *model;
	void *ctx;
	/* Runs a candidate: 1 it fails in the same way, 0 it does not, negative: an error that ends the search. */
	int (*fails)(void *ctx, const size_t *operations, size_t count, struct bs_err *err);
	unsigned max_candidates; /* 0: 1000 */
	unsigned candidates;     /* run so far */
};

/* Shrinks operations in place; *count gets smaller. The path is one that was seen to fail. */
int bs_shrink_path(struct bs_shrink *shrink, size_t *operations, size_t *count, struct bs_err *err);

#endif
