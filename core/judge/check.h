/*
 * Checking: every rule after every step. A step rule reports whenever it fails; a state rule when the
 * step added rows (or elements) that fail it, so that what was wrong before is not reported again.
 */
#ifndef BS_JUDGE_CHECK_H
#define BS_JUDGE_CHECK_H

#include "base/arena.h"
#include "rules.h"
#include "world/world.h"

/* The rows that fail state rules in a state. Immutable; states share it. */
struct bs_failing {
	uint32_t count;
	struct {
		uint32_t rule;
		uint64_t row; /* a hash of what fails */
	} items[];
};

struct bs_violation {
	size_t rule;
	char *subject; /* tells causes of one oracle apart: the rule that could not be checked; else NULL */
	char *message;
	struct bs_reads reads;
	struct bs_at at; /* the rule, or the action for oracles */
};

struct bs_violations {
	struct bs_violation *items;
	size_t count;
};
void bs_violations_release(struct bs_violations *violations);

/* What is known of one rule after the run. */
struct bs_rule_stats {
	uint64_t checked;    /* on data: a `for` without elements is none */
	uint64_t violations;
	uint64_t errors;
	uint64_t elapsed_us;
	char *first_error;
};

struct bs_judge {
	const struct bs_model *model;
	struct bs_world *world;
	struct bs_rules rules;
	struct bs_rule_stats *stats; /* one for each rule */
	struct bs_response **last;   /* observations of the state where the world stands: [invariant * width + i] */
	struct bs_response **before; /* and of the one before the step */
	size_t width;                /* the most observations that an invariant has */
	bool uses_before;            /* some rule reads before.NAME */
	bool last_valid;
	bool count;                  /* off while shrinking and confirming: the statistics are those of exploring */
};

void bs_judge_init(struct bs_judge *judge, const struct bs_model *model, struct bs_world *world);
void bs_judge_release(struct bs_judge *judge);

/* The world stands somewhere else now: what was observed is no longer true. */
void bs_judge_moved(struct bs_judge *judge);

/* To be called before a step: takes the observations that before.NAME will need. */
int bs_judge_before_step(struct bs_judge *judge, const struct bs_context *context, struct bs_err *err);

/* Checks all rules after a step. failing is what failed before it (NULL: nothing). ret_failing, in the arena (or
 * the same pointer when nothing changed), is what fails after it. Errors are those of the world; what the rules
 * say is in ret_violations. */
int bs_judge_step(struct bs_judge *judge, struct bs_step *step, const struct bs_failing *failing,
		  struct bs_arena *arena, const struct bs_failing **ret_failing,
		  struct bs_violations *ret_violations, struct bs_err *err);

/* The rows that fail state rules at the root, before any step. */
int bs_judge_root(struct bs_judge *judge, struct bs_arena *arena, const struct bs_failing **ret_failing,
		  struct bs_violations *ret_violations, struct bs_err *err);

#endif
