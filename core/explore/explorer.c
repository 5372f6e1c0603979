/* The loop of exploring. See explorer.h. */
#include "explorer.h"

#include "base/mem.h"
#include "base/now.h"
#include "judge/evidence.h"

#include <inttypes.h>
#include <string.h>

#define SAMPLE_EVERY 50
#define SAMPLE_PERCENT 5

void bs_explorer_warn(struct bs_explorer *explorer, const char *code, struct bs_at at, const char *hint,
		      const char *format, ...)
{
	va_list args;
	BS_AUTOFREE char *message = NULL;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		abort();
	va_end(args);
	struct bs_event event = {.kind = BS_EVENT_WARNING,
				 .notice = {.code = code,
					    .message = message,
					    .hint = hint,
					    .at = bs_model_place(explorer->model, at)}};
	bs_emit(explorer->emitter, &event);
}

void bs_explorer_init(struct bs_explorer *explorer, const struct bs_model *model, struct bs_world *world,
		      struct bs_emitter *emitter, const volatile sig_atomic_t *stop)
{
	*explorer = (struct bs_explorer){
		.model = model, .world = world, .emitter = emitter, .stop = stop, .closed_depth = UINT32_MAX};
	bs_judge_init(&explorer->judge, model, world);
	bs_graph_init(&explorer->graph);
	explorer->identity = bs_identity_new(model, &world->stores);
	bs_walk_init(&explorer->walk, &explorer->graph, world, &explorer->judge, explorer->identity);
	explorer->walk.replay = world->stores.count == 0;
	explorer->walk.restart_undoes = model->app.restart_undoes;
	bs_coverage_init(&explorer->coverage, model->operation_count);
	explorer->shortest = bs_xcalloc(explorer->judge.rules.count, sizeof *explorer->shortest);
	explorer->warned_blind = bs_xcalloc(model->operation_count, sizeof *explorer->warned_blind);
	explorer->warned_unsent = bs_xcalloc(model->operation_count, sizeof *explorer->warned_unsent);
	explorer->sampled = bs_xcalloc(model->operation_count, sizeof *explorer->sampled);
}

void bs_explorer_release(struct bs_explorer *explorer)
{
	bs_explorer_forget_mechanisms(explorer);
	bs_walk_release(&explorer->walk);
	bs_identity_free(explorer->identity);
	bs_graph_release(&explorer->graph);
	bs_judge_release(&explorer->judge);
	bs_coverage_release(&explorer->coverage);
	bs_arena_release(&explorer->scratch);
	for (size_t i = 0; i < explorer->suspect_count; i++)
		bs_suspect_release(&explorer->suspects[i]);
	free(explorer->suspects);
	for (size_t i = 0; i < explorer->cause_count; i++)
		free(explorer->causes[i].subject);
	free(explorer->causes);
	free(explorer->shortest);
	free(explorer->frontier);
	free(explorer->warned_blind);
	free(explorer->warned_unsent);
	free(explorer->sampled);
	*explorer = (struct bs_explorer){0};
}

/* --- The frontier ---------------------------------------------------------------------------------- */

static void open_state(struct bs_explorer *explorer, uint32_t state)
{
	if (explorer->graph.states[state].depth >= explorer->model->explore.max_depth) {
		explorer->depth_limited = true;
		return;
	}
	struct bs_frontier_entry *entry = BS_PUSH(explorer->frontier, explorer->frontier_count);
	entry->state = state;
}

/* The entry to go on with; NULL when nothing is left. */
static struct bs_frontier_entry *next_entry(struct bs_explorer *explorer)
{
	size_t operations = explorer->model->operation_count;
	bool breadth = explorer->model->explore.strategy == BS_BFS;

	while (explorer->frontier_head < explorer->frontier_count) {
		size_t i = breadth ? explorer->frontier_head : explorer->frontier_count - 1;
		struct bs_frontier_entry *entry = &explorer->frontier[i];
		if (entry->next < operations) {
			if (breadth)
				explorer->complete_depth = explorer->graph.states[entry->state].depth;
			return entry;
		}
		if (breadth)
			explorer->frontier_head++;
		else
			explorer->frontier_count--;
	}
	explorer->complete_depth = explorer->model->explore.max_depth;
	return NULL;
}

/* --- What a step leads to -------------------------------------------------------------------------- */

/* Whether the visible part of a state is that of `from` or of one before it on the path. */
static bool seen_on_path(const struct bs_graph *graph, uint32_t from, struct bs_hash visible)
{
	for (uint32_t s = from;; s = graph->states[s].parent) {
		if (bs_hash_equal(graph->states[s].visible, visible))
			return true;
		if (s == 0)
			return false;
	}
}

static const struct bs_memory *remember(struct bs_explorer *explorer, const struct bs_state *at, size_t operation,
					int status)
{
	const struct bs_memory *old = at->memory;
	uint32_t keep = explorer->model->explore.remember, have = old ? old->count : 0;

	if (!keep)
		return NULL;
	uint32_t from = have < keep ? 0 : have - keep + 1, count = have - from + 1;
	struct bs_memory *memory =
		bs_arena_alloc(&explorer->scratch, sizeof *memory + count * sizeof memory->items[0]);
	if (have)
		memcpy(memory->items, old->items + from, (count - 1) * sizeof memory->items[0]);
	memory->count = count;
	memory->items[count - 1].place = at->visible.lo;
	memory->items[count - 1].operation = (uint32_t)operation;
	memory->items[count - 1].status = status;
	return memory;
}

/* A write that succeeded and that we could not see: it may have gone anywhere. */
static bool is_blind(struct bs_explorer *explorer, const struct bs_step *step, const struct bs_delta *delta)
{
	const struct bs_exchange *x = &step->response.exchange;
	const struct bs_action *action =
		&explorer->model->actions[explorer->model->operations[step->operation].action];

	if (delta || x->status < 200 || x->status > 299 || !bs_unsafe_method(x->method))
		return false;
	if (explorer->world->stores.count && !explorer->warned_blind[step->operation]) {
		explorer->warned_blind[step->operation] = true;
		bs_explorer_warn(explorer, "blind-write", action->at,
				 "if it writes elsewhere, add that store to the model",
				 "%s succeeded and changed no row that Backstep can see", action->name);
	}
	explorer->blind_writes++;
	return true;
}

/* The state that the step led to: a new one, or one that is known. */
static uint32_t arrive(struct bs_explorer *explorer, uint32_t from, const struct bs_step *step,
		       const struct bs_delta *delta, const struct bs_failing *failing, bool *ret_new)
{
	struct bs_graph *graph = &explorer->graph;
	struct bs_state state = graph->states[from];
	int status = step->response.exchange.status;

	state.visible = bs_identity_visible(explorer->identity, graph, from, (uint32_t)step->operation, delta,
					    step->context);
	if (is_blind(explorer, step, delta))
		state.blind = explorer->blind_writes;
	else if (seen_on_path(graph, from, state.visible))
		state.memory = remember(explorer, &graph->states[from], step->operation, status);
	state.key = bs_identity_key(state.visible, state.memory, state.blind);
	uint32_t known = bs_graph_find(graph, state.key);
	*ret_new = known == BS_MAP_NONE || graph->states[known].depth > graph->states[from].depth + 1;
	if (!*ret_new)
		return known;
	graph->again += known != BS_MAP_NONE;
	state.delta = delta ? bs_delta_new(&graph->arena, delta->items, delta->count) : NULL;
	state.context = bs_context_ref(step->context);
	if (state.memory != graph->states[from].memory)
		state.memory = bs_arena_dup(&graph->arena, state.memory,
					    sizeof *state.memory + state.memory->count * sizeof state.memory->items[0]);
	if (failing != graph->states[from].failing && failing)
		failing = bs_arena_dup(&graph->arena, failing,
				       sizeof *failing + failing->count * sizeof failing->items[0]);
	state.failing = failing;
	state.parent = from;
	state.operation = (uint32_t)step->operation;
	state.depth++;
	return bs_graph_add(graph, &state);
}

static void emit_state(struct bs_explorer *explorer, uint32_t id)
{
	const struct bs_state *state = &explorer->graph.states[id];
	char key[33];

	snprintf(key, sizeof key, "%016" PRIx64 "%016" PRIx64, state->key.hi, state->key.lo);
	struct bs_event event = {
		.kind = BS_EVENT_STATE_NEW,
		.state = {.id = id, .parent = state->parent, .depth = state->depth, .key = key}};
	bs_emit(explorer->emitter, &event);
}

static void emit_step(struct bs_explorer *explorer, uint32_t from, uint32_t to, const struct bs_step *step,
		      const struct bs_delta *delta)
{
	const struct bs_operation *operation = &explorer->model->operations[step->operation];
	const struct bs_exchange *x = &step->response.exchange;
	struct bs_event event = {.kind = BS_EVENT_STEP,
				 .step = {.from = from,
					  .to = to,
					  .operation = operation->label,
					  .action = explorer->model->actions[operation->action].name,
					  .actor = explorer->model->actors[0],
					  .status = x->status,
					  .outcome = step->advanced ? "advanced" : bs_outcome_name(x->outcome),
					  .elapsed_us = x->elapsed_us,
					  .changed_rows = delta ? delta->count : 0,
					  .steps = explorer->steps,
					  .states = explorer->graph.count - explorer->graph.again,
					  .findings = explorer->cause_count,
					  .run_us = bs_now_us() - explorer->since_us}};

	bs_emit(explorer->emitter, &event);
}

/* --- Violations ------------------------------------------------------------------------------------ */

static size_t cause_of(struct bs_explorer *explorer, const struct bs_violation *violation, size_t operation,
		       int status_class)
{
	const char *subject = violation->subject ? violation->subject : "";

	for (size_t i = 0; i < explorer->cause_count; i++) {
		const struct bs_cause *cause = &explorer->causes[i];
		if (cause->rule == violation->rule && cause->operation == operation &&
		    cause->status_class == status_class && strcmp(cause->subject, subject) == 0)
			return i;
	}
	*BS_PUSH(explorer->causes, explorer->cause_count) = (struct bs_cause){
		.rule = violation->rule,
		.operation = operation,
		.status_class = status_class,
		.subject = bs_xstrdup(subject),
	};
	return explorer->cause_count - 1;
}

static void emit_violation(struct bs_explorer *explorer, const struct bs_violation *violation, uint32_t state,
			   const struct bs_step *step, const size_t *path, size_t length)
{
	bool hidden = explorer->secrets && bs_secrets_full(explorer->secrets);
	const struct bs_rule *rule = &explorer->judge.rules.items[violation->rule];
	BS_AUTOFREE const char **labels = bs_xcalloc(length, sizeof *labels);

	if (explorer->secrets && !hidden)
		bs_secrets_learn(explorer->secrets, step);
	for (size_t i = 0; i < length; i++)
		labels[i] = explorer->model->operations[path[i]].label;
	struct bs_event event = {
		.kind = BS_EVENT_VIOLATION,
		.violation = {.rule = rule->name,
			      .severity = bs_severity_name(rule->severity),
			      .message = hidden ? "(not told: too many credentials were seen to hide them all)"
						 : violation->message,
			      .state = state,
			      .path = labels,
			      .path_count = length,
			      .at = bs_model_place(explorer->model, violation->at)}};
	bs_emit(explorer->emitter, &event);
}

static void add_suspect(struct bs_explorer *explorer, const struct bs_violation *violation, int status_class,
			size_t *path, size_t length)
{
	size_t cause = cause_of(explorer, violation, path[length - 1], status_class);

	if (explorer->causes[cause].count++ >= BS_SUSPECTS_OF_CAUSE) {
		explorer->suspects_dropped++;
		free(path);
		return;
	}
	struct bs_suspect *s = BS_PUSH(explorer->suspects, explorer->suspect_count);
	s->subject = bs_xstrdup(violation->subject);
	s->signature = (struct bs_signature){
		.rule = violation->rule, .subject = s->subject, .status_class = status_class};
	s->path = path;
	s->length = length;
	s->message = bs_xstrdup(violation->message);
	s->cause = cause;
}

static void suspect(struct bs_explorer *explorer, uint32_t from, uint32_t to, const struct bs_step *step,
		    const struct bs_violation *violation)
{
	size_t length;
	size_t *path = bs_graph_path(&explorer->graph, from, &length);
	size_t *shortest = &explorer->shortest[violation->rule];

	path = bs_xrealloc(path, length + 1, sizeof *path);
	path[length++] = step->operation;
	explorer->violations++;
	if (!*shortest || length < *shortest)
		*shortest = length;
	emit_violation(explorer, violation, to, step, path, length);
	add_suspect(explorer, violation, step->response.exchange.status / 100, path, length);
}

/* --- Steps ------------------------------------------------------------------------------------------ */

static bool out_of_time(const struct bs_explorer *explorer)
{
	uint64_t time_ms = explorer->model->explore.time_ms;

	return time_ms && bs_now_us() - explorer->since_us >= time_ms * 1000;
}

static enum bs_limit limit_met(const struct bs_explorer *explorer)
{
	if (explorer->stop && *explorer->stop)
		return BS_LIMIT_INTERRUPTED;
	if (explorer->model->explore.max_steps && explorer->steps >= explorer->model->explore.max_steps)
		return BS_LIMIT_STEPS;
	return out_of_time(explorer) ? BS_LIMIT_TIME : BS_LIMIT_NONE;
}

static bool enabled(struct bs_explorer *explorer, size_t operation, const struct bs_context *context)
{
	struct bs_err err = BS_ERR_INIT;
	bool yes = bs_world_enabled(explorer->world, operation, context, &err);

	if (err.code && !explorer->warned_guard) {
		const struct bs_action *action =
			&explorer->model->actions[explorer->model->operations[operation].action];
		explorer->warned_guard = true;
		bs_explorer_warn(explorer, "guard-error", action->at, NULL, "the guard of %s could not be evaluated: %s",
				 action->name, bs_err_text(&err));
	}
	bs_err_release(&err);
	return yes;
}

static void warn_unsent(struct bs_explorer *explorer, const struct bs_step *step)
{
	const struct bs_action *action =
		&explorer->model->actions[explorer->model->operations[step->operation].action];

	if (explorer->warned_unsent[step->operation])
		return;
	explorer->warned_unsent[step->operation] = true;
	bs_explorer_warn(explorer, "not-sent", action->at, NULL, "%s could not be sent: %s", action->name,
			 step->reason);
}

/* After a request without an answer only a fresh application can go on: one that hangs would make every later step
 * look like a violation. */
static int revive(struct bs_explorer *explorer, struct bs_err *err)
{
	BS_AUTOFREE char *how = NULL;

	if (!bs_world_app_alive(explorer->world, &how))
		bs_explorer_warn(explorer, "app-died", (struct bs_at){0}, NULL,
				 "the application %s and was started again", how ? how : "ended");
	return bs_walk_clean_start(&explorer->walk, err);
}

static bool sample_due(const struct bs_explorer *explorer, const struct bs_step *step, const struct bs_delta *delta)
{
	if (explorer->walk.replay || step->response.exchange.outcome != BS_OUTCOME_RESPONSE)
		return false;
	if (delta && !explorer->sampled[step->operation])
		return true;
	uint64_t spent = bs_now_us() - explorer->since_us;
	return explorer->steps % SAMPLE_EVERY == 0 && explorer->sample_us * 100 < spent * SAMPLE_PERCENT;
}

static int take_sample(struct bs_explorer *explorer, uint32_t from, const struct bs_step *step,
		       const struct bs_delta *delta, struct bs_err *err)
{
	uint64_t since = bs_now_us();

	if (!sample_due(explorer, step, delta))
		return 0;
	/* What is beyond is undone by going back, and its memory may go with that: keep what is compared. */
	struct bs_arena arena = BS_ARENA_INIT;
	const struct bs_delta *kept = delta ? bs_delta_new(&arena, delta->items, delta->count) : NULL;
	int r = bs_explorer_sample(explorer, from, step->operation, step->response.exchange.status, kept,
				   step->context, err);
	explorer->sampled[step->operation] |= delta != NULL;
	bs_arena_release(&arena);
	explorer->samples++;
	explorer->sample_us += bs_now_us() - since;
	return r;
}

/* Rows came after the last step was read and judged: it is taken once more, now that the walk waits longer. */
static void note_late(struct bs_explorer *explorer, uint32_t settle_ms_before)
{
	explorer->repeat |= explorer->walk.settle_ms != settle_ms_before;
	if (!explorer->walk.late_rows || explorer->warned_late)
		return;
	explorer->warned_late = true;
	bs_explorer_warn(explorer, "late-rows", (struct bs_at){0}, NULL,
			 "the application writes rows after it has answered; they are joined to the step before, which is waited for from now on");
}

static int judge_step(struct bs_explorer *explorer, uint32_t from, struct bs_step *step,
		      const struct bs_delta *delta, struct bs_err *err)
{
	struct bs_violations violations = {0};
	const struct bs_failing *failing = NULL;
	bool fresh = false;
	int r = bs_judge_step(&explorer->judge, step, explorer->graph.states[from].failing, &explorer->scratch,
			      &failing, &violations, err);

	if (r == 0) {
		uint32_t to = arrive(explorer, from, step, delta, failing, &fresh);
		if (fresh)
			emit_state(explorer, to);
		for (size_t i = 0; i < violations.count; i++)
			suspect(explorer, from, to, step, &violations.items[i]);
		emit_step(explorer, from, to, step, delta);
		if (fresh)
			bs_walk_settle(&explorer->walk, to, true);
		else if (to == from && !delta)
			bs_walk_settle(&explorer->walk, from, false);
		if (fresh && step->response.exchange.outcome == BS_OUTCOME_RESPONSE)
			open_state(explorer, to);
		else if (fresh && explorer->graph.states[to].depth < explorer->closed_depth)
			explorer->closed_depth = explorer->graph.states[to].depth;
	}
	bs_violations_release(&violations);
	return r;
}

static int explore_step(struct bs_explorer *explorer, uint32_t from, size_t operation, struct bs_err *err)
{
	struct bs_step step;
	const struct bs_delta *delta = NULL;
	size_t previous = from ? explorer->graph.states[from].operation : SIZE_MAX;
	uint32_t settle_ms = explorer->walk.settle_ms;
	int r = bs_walk_to(&explorer->walk, from, err);

	note_late(explorer, settle_ms);
	if (r == 0)
		r = bs_judge_before_step(&explorer->judge, explorer->walk.context, err);
	if (r < 0)
		return r;
	bs_step_init(&step);
	r = bs_walk_step(&explorer->walk, operation, &step, &delta, err);
	bs_explorer_tell_mechanisms(explorer);
	if (r == 0 && !step.sent) {
		warn_unsent(explorer, &step);
	} else if (r == 0) {
		explorer->steps++;
		bs_coverage_step(&explorer->coverage, previous, operation, step.response.exchange.status,
				 step.succeeded, step.advanced ? NULL : &step.response.exchange.elapsed_us);
		r = judge_step(explorer, from, &step, delta, err);
		if (r == 0)
			r = take_sample(explorer, from, &step, delta, err);
		if (r == 0 && step.response.exchange.outcome != BS_OUTCOME_RESPONSE)
			r = revive(explorer, err);
	}
	bs_step_release(&step);
	if (explorer->scratch.total > ((size_t)1 << 20))
		bs_arena_release(&explorer->scratch);
	return r;
}

void bs_explorer_rekey(struct bs_explorer *explorer)
{
	struct bs_graph *graph = &explorer->graph;

	for (size_t i = 0; i < graph->count; i++) {
		struct bs_state *state = &graph->states[i];
		state->visible = bs_identity_visible(explorer->identity, graph, state->parent,
						     i ? state->operation : BS_AT_ROOT, i ? state->delta : NULL,
						     state->context);
		state->key = bs_identity_key(state->visible, state->memory, state->blind);
	}
	bs_graph_rekey_all(graph);
}

int bs_explorer_root(struct bs_explorer *explorer, struct bs_err *err)
{
	struct bs_violations violations = {0};
	struct bs_state root = {.context = bs_context_ref(explorer->world->root)};

	root.visible = bs_identity_visible(explorer->identity, &explorer->graph, 0, BS_AT_ROOT, NULL, root.context);
	root.key = root.visible;
	int r = bs_judge_root(&explorer->judge, &explorer->graph.arena, &root.failing, &violations, err);
	for (size_t i = 0; i < violations.count; i++)
		bs_explorer_warn(explorer, "fails-at-root", violations.items[i].at,
				 "only what a step adds to it is reported", "%s fails before any step: %s",
				 explorer->judge.rules.items[violations.items[i].rule].name,
				 violations.items[i].message);
	bs_violations_release(&violations);
	bs_graph_add(&explorer->graph, &root);
	emit_state(explorer, 0);
	return r;
}

int bs_explorer_run(struct bs_explorer *explorer, struct bs_err *err)
{
	struct bs_frontier_entry *entry, last = {0};
	int r = 0;

	explorer->since_us = bs_now_us();
	open_state(explorer, 0);
	while (r == 0 && (entry = next_entry(explorer))) {
		explorer->limit = limit_met(explorer);
		if (explorer->limit != BS_LIMIT_NONE)
			break;
		size_t operation = entry->next++;
		uint32_t state = entry->state;
		if (enabled(explorer, operation, explorer->graph.states[state].context))
			r = explore_step(explorer, state, operation, err);
		if (r == 0 && explorer->repeat) {
			explorer->repeat = false;
			r = explore_step(explorer, last.state, last.next, err);
		}
		last = (struct bs_frontier_entry){state, (uint32_t)operation};
	}
	if (r < 0)
		explorer->limit = r == BS_EINTERRUPTED ? BS_LIMIT_INTERRUPTED : BS_LIMIT_ERROR;
	explorer->explore_us = bs_now_us() - explorer->since_us;
	return r;
}
