/*
 * A trace: a path that was executed from the root, step by step, with what the rules said. And the one
 * way in which judging runs paths: through a function that exploring hands to it.
 */
#ifndef BS_JUDGE_TRACE_H
#define BS_JUDGE_TRACE_H

#include "check.h"
#include "world/stores/delta.h"

#include <sys/types.h>

struct bs_trace_step {
	struct bs_step step; /* its changes are those of delta */
	const struct bs_delta *delta;
	struct bs_violations violations;
};

struct bs_trace {
	struct bs_trace_step **steps;
	size_t count;
	bool complete; /* false: an operation was not enabled where the path wanted it */
	pid_t app_pid; /* 0: not ours */
	struct bs_arena arena;
};
void bs_trace_release(struct bs_trace *trace);

struct bs_runner {
	void *ctx;
	/* Runs a path from the root: clean from a clean start (process restarted, stores cloned again), else by
	 * rollback. Errors are those of the world. */
	int (*run_path)(void *ctx, const size_t *operations, size_t count, bool clean, struct bs_trace *ret_trace,
			struct bs_err *err);
};

/* What makes two violations the same while shrinking. */
struct bs_signature {
	size_t rule;
	const char *subject; /* borrowed; NULL: none */
	int status_class;    /* of the violating step: 2 for 201; 0: no response */
};

/* The violation of that signature at the trace's last step; NULL when the trace does not show it. */
const struct bs_violation *bs_trace_shows(const struct bs_trace *trace, const struct bs_signature *signature);

#endif
