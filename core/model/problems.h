/*
 * What is wrong with a model: everything at once, in order of position. See model.h for the list itself.
 */
#ifndef BS_MODEL_PROBLEMS_H
#define BS_MODEL_PROBLEMS_H

#include "model.h"

void bs_problem_add(struct bs_problems *problems, struct bs_at at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void bs_problem_warn(struct bs_problems *problems, struct bs_at at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* By line and column; what stands at the same place keeps its order. */
void bs_problems_sort(struct bs_problems *problems);

/* The best guess among names that were offered one by one. */
struct bs_suggestion {
	const char *wrong;
	size_t len; /* of wrong */
	const char *best; /* NULL: nothing is close */
	size_t distance;
};
void bs_suggest_init(struct bs_suggestion *suggestion, const char *wrong, size_t len);
void bs_suggest_offer(struct bs_suggestion *suggestion, const char *name);

/* "; did you mean 'expect'?" or "". The caller's to free. */
char *bs_suggest_text(const struct bs_suggestion *suggestion);

#endif
