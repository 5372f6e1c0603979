/*
 * The loop: take a state, try every operation from it, check, keep what is new, step back. It knows no
 * report; everything that happens is told to an emitter.
 */
#ifndef BS_EXPLORE_EXPLORER_H
#define BS_EXPLORE_EXPLORER_H

#include "coverage.h"
#include "events/emit.h"
#include "graph.h"
#include "identity.h"
#include "judge/finding.h"
#include "secrets.h"
#include "walk.h"

#define BS_SUSPECTS_OF_CAUSE 200 /* violations of one cause that are kept to be judged; more are only counted */

/* What violations have in common as far as can be told before they are shrunk. */
struct bs_cause {
	size_t rule, operation; /* the last of the path */
	int status_class;
	char *subject; /* NULL: none */
	size_t count;
};

struct bs_frontier_entry {
	uint32_t state;
	uint32_t next; /* operation to try */
};

enum bs_limit { BS_LIMIT_NONE, BS_LIMIT_STEPS, BS_LIMIT_TIME, BS_LIMIT_INTERRUPTED, BS_LIMIT_ERROR };

struct bs_explorer {
	const struct bs_model *model;
	struct bs_world *world;
	struct bs_emitter *emitter;
	const volatile sig_atomic_t *stop;
	struct bs_secrets *secrets; /* to be learned; NULL: nobody looks for them */
	struct bs_judge judge;
	struct bs_graph graph;
	struct bs_identity *identity;
	struct bs_walk walk;
	struct bs_coverage coverage;
	struct bs_arena scratch; /* of failing sets that no state keeps */

	struct bs_frontier_entry *frontier;
	size_t frontier_head, frontier_count; /* entries from head to count are open */
	uint32_t complete_depth; /* every sequence of so many operations was explored ... */
	uint32_t closed_depth;   /* ... but not those through a state of this depth, that had no answer to go on from */
	bool depth_limited;      /* some state was not expanded because of max_depth */
	enum bs_limit limit;

	struct bs_suspect *suspects;
	size_t suspect_count;
	uint64_t suspects_dropped;
	struct bs_cause *causes;
	size_t cause_count;
	size_t *shortest; /* path that was seen to break each rule; 0: none */

	uint64_t steps;      /* executed while exploring, repeats for sampling not counted */
	uint64_t violations;
	uint64_t blind_writes;
	uint64_t samples;
	uint64_t sample_us;  /* time spent on them */
	uint64_t since_us;   /* when exploring began */
	uint64_t explore_us; /* how long it took */
	bool *warned_blind;  /* for each operation */
	bool *sampled;       /* for each operation: it was run twice once */
	bool *warned_unsent; /* for each operation */
	bool repeat;         /* the step before the last is to be taken once more: its rows came late */
	bool warned_late, warned_outside, warned_guard;
	char **mechanisms; /* of each store, as told last; NULL: none was */
};

void bs_explorer_init(struct bs_explorer *explorer, const struct bs_model *model, struct bs_world *world,
		      struct bs_emitter *emitter, const volatile sig_atomic_t *stop);
void bs_explorer_release(struct bs_explorer *explorer);

/* Makes the root a state. */
int bs_explorer_root(struct bs_explorer *explorer, struct bs_err *err);

/* Explores until a limit is met or nothing is left. */
int bs_explorer_run(struct bs_explorer *explorer, struct bs_err *err);

/* Undoes and repeats the step that led from `from` by `operation` with `delta`, and compares (sample.c). */
int bs_explorer_sample(struct bs_explorer *explorer, uint32_t from, size_t operation, int status,
		       const struct bs_delta *delta, struct bs_context *context, struct bs_err *err);

/* Runs a path from the root for the judge: struct bs_runner's run_path, ctx is the explorer (replay.c). */
int bs_explorer_run_path(void *ctx, const size_t *operations, size_t count, bool clean, struct bs_trace *ret_trace,
			 struct bs_err *err);

/* Measures what rollback is worth before exploring (selfcheck.c). ret_text tells what came of it, for people; the
 * caller's to free. */
int bs_explorer_self_check(struct bs_explorer *explorer, char **ret_text, struct bs_err *err);

/* Keys every state again: a mask was learned. */
void bs_explorer_rekey(struct bs_explorer *explorer);

/* Says by which means stores are put back, where that is not the usual one or has become another (mechanism.c). */
void bs_explorer_tell_mechanisms(struct bs_explorer *explorer);
void bs_explorer_forget_mechanisms(struct bs_explorer *explorer);

void bs_explorer_warn(struct bs_explorer *explorer, const char *code, struct bs_at at, const char *hint,
		      const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
