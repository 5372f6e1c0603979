/* From state to state. See walk.h. */
#include "walk.h"

#include "base/mem.h"

#include <time.h>

#define SETTLE_MIN_MS 10
#define SETTLE_MAX_MS 160
#define SETTLE_ROUNDS 20 /* an application that never stops writing is not waited for */
#define APPLY_TRIES 20 /* the application may write while we put back; each time we read first */

static void pause_ms(uint32_t ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

void bs_walk_init(struct bs_walk *walk, struct bs_graph *graph, struct bs_world *world, struct bs_judge *judge,
		  struct bs_identity *identity)
{
	*walk = (struct bs_walk){.graph = graph, .world = world, .judge = judge, .identity = identity};
	walk->net = bs_net_new();
	walk->context = bs_context_ref(world->root);
}

void bs_walk_release(struct bs_walk *walk)
{
	bs_net_free(walk->net);
	bs_arena_release(&walk->scratch);
	bs_context_unref(walk->context);
	*walk = (struct bs_walk){0};
}

static void stand_at(struct bs_walk *walk, uint32_t state, struct bs_context *context)
{
	struct bs_context *old = walk->context;

	walk->at = state;
	walk->beyond = NULL;
	walk->steps_beyond = 0;
	walk->fresh = false;
	walk->context = bs_context_ref(context);
	bs_context_unref(old);
	if (walk->scratch.total > ((size_t)1 << 20))
		bs_arena_release(&walk->scratch);
}

/* The edge of the state that the last step made gets the rows that came late; what the state is changes with it. */
static void join_to_edge(struct bs_walk *walk, const struct bs_change *items, size_t count)
{
	struct bs_state *state = &walk->graph->states[walk->at];
	const struct bs_delta *late = bs_delta_new(&walk->graph->arena, items, count);

	state->delta = bs_delta_join(&walk->graph->arena, state->delta, late);
	state->visible = bs_identity_visible(walk->identity, walk->graph, state->parent, state->operation, state->delta,
					     state->context);
	bs_graph_rekey(walk->graph, walk->at, bs_identity_key(state->visible, state->memory, state->blind));
}

int bs_walk_collect_late(struct bs_walk *walk, struct bs_err *err)
{
	struct bs_changes changes;
	int r = bs_stores_changes(&walk->world->stores, &changes, err);

	if (r < 0 || changes.count == 0)
		return r;
	walk->late_rows += changes.count;
	walk->settle_ms = !walk->settle_ms		       ? SETTLE_MIN_MS
			  : walk->settle_ms < SETTLE_MAX_MS ? walk->settle_ms * 2
							    : SETTLE_MAX_MS;
	if (walk->fresh && !walk->steps_beyond)
		join_to_edge(walk, changes.items, changes.count);
	else
		walk->beyond = bs_delta_join(&walk->scratch, walk->beyond,
					     bs_delta_new(&walk->scratch, changes.items, changes.count));
	return (int)changes.count;
}

/* What has to change between where the world stands and a state. */
static void sum_up(struct bs_walk *walk, uint32_t state)
{
	const struct bs_state *states = walk->graph->states;
	uint32_t ancestor = bs_graph_common_ancestor(walk->graph, walk->at, state);

	bs_net_clear(walk->net);
	bs_net_add(walk->net, walk->beyond, BS_UNDO);
	for (uint32_t s = walk->at; s != ancestor; s = states[s].parent)
		bs_net_add(walk->net, states[s].delta, BS_UNDO);
	for (uint32_t s = state; s != ancestor; s = states[s].parent)
		bs_net_add(walk->net, states[s].delta, BS_REDO);
}

/* How far the application's clock is ahead in a state. */
static uint64_t ahead_in(const struct bs_walk *walk, uint32_t state)
{
	const struct bs_state *states = walk->graph->states;
	const struct bs_model *model = walk->world->model;
	uint64_t ahead_ms = 0;

	for (uint32_t s = state; model->moves_clock && s != 0; s = states[s].parent)
		ahead_ms += model->actions[model->operations[states[s].operation].action].advance_ms;
	return ahead_ms;
}

/* Returns 1 when rows were moved, 0 when there was nothing to move. */
static int roll_rows(struct bs_walk *walk, uint32_t state, struct bs_err *err)
{
	for (int try = 0; try < APPLY_TRIES; try++) {
		size_t count;
		int r = bs_walk_collect_late(walk, err);
		if (r < 0)
			return r;
		sum_up(walk, state);
		const struct bs_net_row *rows = bs_net_rows(walk->net, &count);
		if (!count)
			return 0;
		r = bs_stores_apply(&walk->world->stores, rows, count, err);
		if (r == 0) {
			walk->restores++;
			return 1;
		}
		if (r != BS_EBUSY)
			return r;
		pause_ms(2U << (try < 8 ? try : 8));
	}
	return bs_err_set(err, BS_ESTORE, "the application keeps writing or keeps a lock: the store could not be put back");
}

/* A job that runs by the clock must find the rows of its time: going back, those of later are due as soon as they are
 * there, so the clock is put back first; going on, those of before are due once the clock is there, so it moves last. */
static int roll(struct bs_walk *walk, uint32_t state, struct bs_err *err)
{
	uint64_t ahead_ms = ahead_in(walk, state);
	bool back = ahead_ms < walk->world->ahead_ms, moved = ahead_ms != walk->world->ahead_ms;
	int r = back ? bs_world_set_clock(walk->world, ahead_ms, err) : 0;

	if (r == 0)
		r = roll_rows(walk, state, err);
	if (r >= 0 && !back && bs_world_set_clock(walk->world, ahead_ms, err) < 0)
		r = BS_EIO;
	return r >= 0 && moved ? 1 : r;
}

static int send_again(struct bs_walk *walk, uint32_t state, struct bs_err *err)
{
	size_t count;
	int r = bs_walk_clean_start(walk, err);
	BS_AUTOFREE size_t *path = bs_graph_path(walk->graph, state, &count);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct bs_step step;
		const struct bs_delta *delta;
		bs_step_init(&step);
		if (!bs_world_enabled(walk->world, path[i], walk->context, NULL))
			walk->drifts++;
		else
			r = bs_walk_step(walk, path[i], &step, &delta, err);
		bs_step_release(&step);
	}
	walk->replays++;
	return r;
}

int bs_walk_to(struct bs_walk *walk, uint32_t state, struct bs_err *err)
{
	bool here = walk->at == state && !walk->steps_beyond && !walk->beyond;
	/* The root needs no memory of the process: a new one is as good there. */
	bool resend = walk->replay || (state != 0 && walk->restarted && !walk->redo_after_restart);
	struct bs_context *context;
	int r = 0;

	if (here && (walk->replay || !resend)) {
		r = walk->replay ? 0 : bs_walk_collect_late(walk, err);
		if (r <= 0)
			return r;
	}
	if (resend)
		r = send_again(walk, state, err);
	/* Sent again, rows may have got other keys than those in the tree: they are made the same. */
	if (r >= 0 && !walk->replay)
		r = roll(walk, state, err);
	if (r < 0)
		return r;
	context = bs_context_ref(walk->replay ? walk->context : walk->graph->states[state].context);
	stand_at(walk, state, context);
	bs_context_unref(context);
	if (resend)
		walk->restarted = false;
	else if (walk->restart_undoes && bs_walk_restart(walk, err) < 0)
		return BS_ETARGET;
	bs_judge_moved(walk->judge);
	return 0;
}

/* Waits until no more rows come, and joins them to the step's. */
static int settle(struct bs_walk *walk, uint32_t ms, const struct bs_delta **delta, struct bs_err *err)
{
	for (int round = 0; ms && round < SETTLE_ROUNDS; round++) {
		struct bs_changes changes;
		pause_ms(ms);
		int r = bs_stores_changes(&walk->world->stores, &changes, err);
		if (r < 0 || changes.count == 0)
			return r;
		*delta = bs_delta_join(&walk->scratch, *delta,
				       bs_delta_new(&walk->scratch, changes.items, changes.count));
	}
	return 0;
}

static uint32_t settle_after_advance(const struct bs_walk *walk, size_t operation)
{
	const struct bs_model *model = walk->world->model;
	uint32_t ms = model->actions[model->operations[operation].action].settle_ms;

	return ms > walk->settle_ms ? ms : walk->settle_ms;
}

int bs_walk_step(struct bs_walk *walk, size_t operation, struct bs_step *ret_step,
		 const struct bs_delta **ret_delta, struct bs_err *err)
{
	uint32_t depth = walk->graph->states[walk->at].depth + walk->steps_beyond + 1;
	const struct bs_context *context = walk->context;
	int r = bs_world_step(walk->world, operation, context, depth, ret_step, err);

	walk->fresh = false;
	walk->steps_beyond++;
	if (ret_step->context) {
		bs_context_unref(walk->context);
		walk->context = bs_context_ref(ret_step->context);
	}
	*ret_delta = bs_delta_new(&walk->scratch, ret_step->changes.items, ret_step->changes.count);
	if (r == 0 && ret_step->advanced)
		r = settle(walk, settle_after_advance(walk, operation), ret_delta, err);
	else if (r == 0 && bs_unsafe_method(ret_step->response.exchange.method))
		r = settle(walk, walk->settle_ms, ret_delta, err);
	if (*ret_delta)
		ret_step->changes = (struct bs_changes){(struct bs_change *)(uintptr_t)(*ret_delta)->items,
							(*ret_delta)->count};
	walk->beyond = bs_delta_join(&walk->scratch, walk->beyond, *ret_delta);
	return r;
}

void bs_walk_settle(struct bs_walk *walk, uint32_t state, bool fresh)
{
	struct bs_context *context = bs_context_ref(walk->context);

	stand_at(walk, state, context);
	bs_context_unref(context);
	walk->fresh = fresh;
}

int bs_walk_restart(struct bs_walk *walk, struct bs_err *err)
{
	struct bs_changes changes;
	int r = bs_world_restart(walk->world, err);

	walk->restarts++;
	if (r == 0)
		r = bs_stores_changes(&walk->world->stores, &changes, err);
	if (r == 0 && changes.count)
		walk->beyond = bs_delta_join(&walk->scratch, walk->beyond,
					     bs_delta_new(&walk->scratch, changes.items, changes.count));
	return r;
}

int bs_walk_clean_start(struct bs_walk *walk, struct bs_err *err)
{
	int r = bs_world_clean_start(walk->world, err);

	stand_at(walk, 0, walk->world->root);
	walk->restarted = true;
	bs_judge_moved(walk->judge);
	return r;
}
