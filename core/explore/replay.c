/* Running one path from the root, by rollback or from a clean start, for the judge. See judge/trace.h. */
#include "explorer.h"

#include "base/mem.h"

static int run_step(struct bs_explorer *explorer, size_t operation, struct bs_trace *trace,
		    const struct bs_failing **failing, struct bs_err *err)
{
	struct bs_trace_step *step = bs_xcalloc(1, sizeof *step);
	const struct bs_delta *delta;

	*BS_PUSH(trace->steps, trace->count) = step;
	bs_step_init(&step->step);
	int r = bs_judge_before_step(&explorer->judge, explorer->walk.context, err);
	if (r == 0)
		r = bs_walk_step(&explorer->walk, operation, &step->step, &delta, err);
	if (r < 0)
		return r;
	if (!step->step.sent)
		return 1;
	step->delta = delta ? bs_delta_new(&trace->arena, delta->items, delta->count) : NULL;
	step->step.changes.items = step->delta ? (struct bs_change *)(uintptr_t)step->delta->items : NULL;
	return bs_judge_step(&explorer->judge, &step->step, *failing, &trace->arena, failing, &step->violations, err);
}

int bs_explorer_run_path(void *ctx, const size_t *operations, size_t count, bool clean, struct bs_trace *ret_trace,
			 struct bs_err *err)
{
	struct bs_explorer *explorer = ctx;
	bool counting = explorer->judge.count;
	const struct bs_failing *failing = explorer->graph.states[0].failing;
	int r = clean ? bs_walk_clean_start(&explorer->walk, err) : bs_walk_to(&explorer->walk, 0, err);

	explorer->judge.count = false;
	ret_trace->complete = true;
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (explorer->stop && *explorer->stop) {
			r = bs_err_set(err, BS_EINTERRUPTED, "interrupted");
			break;
		}
		if (!bs_world_enabled(explorer->world, operations[i], explorer->walk.context, NULL)) {
			ret_trace->complete = false;
			break;
		}
		r = run_step(explorer, operations[i], ret_trace, &failing, err);
		if (r == 1) {
			ret_trace->complete = false;
			r = 0;
			break;
		}
	}
	ret_trace->app_pid = explorer->world->app ? bs_app_pid(explorer->world->app) : 0;
	explorer->judge.count = counting;
	/* One that hangs or died would fail whatever is sent next. */
	const struct bs_trace_step *last = ret_trace->count ? ret_trace->steps[ret_trace->count - 1] : NULL;
	bool silent = last && last->step.sent && last->step.response.exchange.outcome != BS_OUTCOME_RESPONSE;
	if (r == 0 && (silent || !bs_world_app_alive(explorer->world, NULL)))
		r = bs_walk_clean_start(&explorer->walk, err);
	return r;
}
