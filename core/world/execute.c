/* Executing requests and steps. See execute.h. */
#include "execute.h"

#include "base/hash.h"
#include "base/mem.h"
#include "stores/row.h"

#include <inttypes.h>
#include <string.h>

void bs_world_unique(const struct bs_world *world, uint32_t depth, char ret_unique[BS_UNIQUE_SIZE])
{
	uint64_t from[2] = {world->model->explore.seed, depth};

	snprintf(ret_unique, BS_UNIQUE_SIZE, "bs%012" PRIx64,
		 bs_hash_bytes(from, sizeof from).lo & 0xFFFFFFFFFFFFu);
}

int bs_execute_request(struct bs_world *world, const struct bs_request *request,
		       const struct bs_operation *operation, const struct bs_context *context,
		       const char *unique, struct bs_response *ret_response, struct bs_err *err)
{
	struct bs_render render = {.model = world->model,
				   .stores = &world->stores,
				   .context = context,
				   .operation = operation,
				   .unique = unique,
				   .port = world->port,
				   .base_url = world->base_url};

	if (bs_render_request(&render, request, &ret_response->exchange, err) < 0)
		return BS_EEXPR;
	world->requests++;
	if (world->options.send)
		return world->options.send(world->options.send_ctx, &ret_response->exchange, err);
	return bs_http_send(world->http, &ret_response->exchange, err);
}

static bool in_ranges(const struct bs_expect *expect, int status)
{
	for (size_t i = 0; i < expect->count; i++)
		if (status >= expect->ranges[i].low && status <= expect->ranges[i].high)
			return true;
	return false;
}

static void expression_failed(struct bs_step *step, const char *what, struct bs_at at, struct bs_err *err)
{
	if (!step->expression_error) {
		step->expression_error = bs_xasprintf("%s: %s", what, bs_err_text(err));
		step->expression_at = at;
	}
	bs_err_release(err);
}

/* Sets succeeded and unexpected. */
static void judge_status(const struct bs_request *request, struct bs_step_scope *scope, struct bs_step *step)
{
	const struct bs_expect *expect = &request->expect;
	const struct bs_exchange *x = &step->response.exchange;
	struct bs_err err = BS_ERR_INIT;
	bool met = false;

	if (x->outcome != BS_OUTCOME_RESPONSE)
		return;
	if (expect->expr) {
		if (bs_expr_test(expect->expr, &scope->scope, &met, &err) < 0)
			expression_failed(step, "expect", expect->at, &err);
		step->unexpected = !met;
	} else if (expect->count) {
		met = in_ranges(expect, x->status);
		step->unexpected = !met;
	} else {
		met = x->status >= 200 && x->status <= 299;
	}
	step->succeeded = met;
}

static bool cell_is(const struct bs_cell *cell, const struct bs_value *value)
{
	char number[24];

	if (cell->kind == BS_CELL_INT && value->kind == BS_V_INT)
		return cell->integer == value->integer;
	if (value->kind != BS_V_TEXT)
		return false;
	if (cell->kind == BS_CELL_TEXT)
		return cell->len == value->text.len && memcmp(cell->data, value->text.data, cell->len) == 0;
	if (cell->kind != BS_CELL_INT)
		return false;
	snprintf(number, sizeof number, "%" PRId64, cell->integer);
	return strcmp(number, value->text.data) == 0;
}

/* The table of the row that this step inserted with value as its generated key, or -1. */
static int32_t names_row(const struct bs_world *world, const struct bs_step *step, const struct bs_value *value)
{
	for (size_t i = 0; i < step->changes.count; i++) {
		const struct bs_change *change = &step->changes.items[i];
		const struct bs_table *table = world->stores.tables[change->table];
		if (!change->after.data)
			continue;
		for (size_t c = 0; c < table->column_count; c++) {
			struct bs_cell cell;
			if ((table->columns[c].generated || table->columns[c].key) &&
			    bs_row_cell(change->after, c, &cell) && cell_is(&cell, value))
				return (int32_t)change->table;
		}
	}
	return -1;
}

static void capture_all(struct bs_world *world, const struct bs_request *request, struct bs_step_scope *scope,
			struct bs_step *step)
{
	struct bs_context *after = bs_context_copy(step->context);

	for (size_t i = 0; i < request->forget_count; i++)
		bs_context_set(after, request->forget[i], (struct bs_value){.kind = BS_V_NIL}, -1);
	for (size_t i = 0; i < request->capture_count; i++) {
		const struct bs_capture *capture = &request->captures[i];
		struct bs_err err = BS_ERR_INIT;
		struct bs_value value;
		if (bs_expr_eval(capture->expr, &scope->scope, &value, &err) < 0) {
			expression_failed(step, world->model->vars[capture->var].name, capture->at, &err);
			continue;
		}
		int32_t table = names_row(world, step, &value);
		if (table < 0) { /* captured again from an answer: it still names the row that it named */
			const struct bs_variable_value *old = &step->context->vars[capture->var];
			if (bs_value_equal(&old->value, &value))
				table = old->table;
		}
		bs_context_set(after, capture->var, bs_value_dup(&value), table);
	}
	bs_context_unref(step->context);
	step->context = after;
}

static void take_step_log(struct bs_world *world, struct bs_step *step)
{
	if (!world->app) {
		step->log = bs_xstrdup("");
		return;
	}
	char *text = bs_app_take_log(world->app, NULL);
	if (world->log.len) {
		bs_buf_adds(&world->log, text);
		free(text);
		text = bs_buf_take(&world->log);
	}
	step->log = text;
}

int bs_execute_step(struct bs_world *world, const struct bs_request *request, size_t operation,
		    const struct bs_context *context, uint32_t depth, struct bs_step *ret_step,
		    struct bs_err *err)
{
	const struct bs_operation *op =
		operation == BS_NO_OPERATION ? NULL : &world->model->operations[operation];
	struct bs_step *step = ret_step;
	struct bs_step_scope scope;
	char unique[BS_UNIQUE_SIZE];

	bs_world_unique(world, depth, unique);
	step->operation = operation;
	step->context = bs_context_ref((struct bs_context *)(uintptr_t)context);
	int r = bs_execute_request(world, request, op, context, unique, &step->response, err);
	if (r == BS_EEXPR) {
		step->reason = bs_xstrdup(bs_err_text(err));
		bs_err_release(err);
		return 0;
	}
	if (r < 0)
		return r;
	step->sent = true;
	if (step->response.exchange.outcome == BS_OUTCOME_INTERRUPTED)
		return bs_err_set(err, BS_EINTERRUPTED, "interrupted");
	if (op) /* setup comes before the stores are tracked */
		r = bs_stores_changes(&world->stores, &step->changes, err);
	take_step_log(world, step);
	if (r < 0)
		return r;
	bs_step_scope_init(&scope, world->model, &world->stores);
	scope.step = step;
	scope.context = context;
	scope.operation = op;
	judge_status(request, &scope, step);
	if (step->succeeded && (request->capture_count || request->forget_count))
		capture_all(world, request, &scope, step);
	bs_step_scope_release(&scope);
	return 0;
}

/* Moving the clock is a step without an answer. Whoever waits for what the application makes of it reads the changes. */
static int advance(struct bs_world *world, size_t operation, const struct bs_context *context, struct bs_step *step,
		   struct bs_err *err)
{
	const struct bs_action *action = &world->model->actions[world->model->operations[operation].action];
	const struct bs_segment *span = &action->request.path.segments[0];

	step->operation = operation;
	step->context = bs_context_ref((struct bs_context *)(uintptr_t)context);
	step->response.exchange.method = bs_xstrdup(BS_METHOD_ADVANCE);
	step->response.exchange.url = bs_xstrndup(span->text, span->len);
	step->advanced = step->sent = step->succeeded = true;
	int r = bs_world_set_clock(world, world->ahead_ms + action->advance_ms, err);
	if (r == 0)
		r = bs_stores_changes(&world->stores, &step->changes, err);
	take_step_log(world, step);
	return r;
}

int bs_world_step(struct bs_world *world, size_t operation, const struct bs_context *context, uint32_t depth,
		  struct bs_step *ret_step, struct bs_err *err)
{
	const struct bs_operation *op = &world->model->operations[operation];

	if (world->model->actions[op->action].advance_ms)
		return advance(world, operation, context, ret_step, err);

	return bs_execute_step(world, &world->model->actions[op->action].request, operation, context, depth,
			       ret_step, err);
}

int bs_world_observe(struct bs_world *world, const struct bs_request *request, const struct bs_context *context,
		     struct bs_response *ret_response, struct bs_err *err)
{
	int r = bs_execute_request(world, request, NULL, context, NULL, ret_response, err);

	if (r == 0 && ret_response->exchange.outcome == BS_OUTCOME_INTERRUPTED)
		r = bs_err_set(err, BS_EINTERRUPTED, "interrupted");
	return r;
}

bool bs_world_enabled(const struct bs_world *world, size_t operation, const struct bs_context *context,
		      struct bs_err *err)
{
	const struct bs_operation *op = &world->model->operations[operation];
	const struct bs_action *action = &world->model->actions[op->action];
	struct bs_step_scope scope;
	bool holds = true;

	for (size_t i = 0; i < op->need_count; i++)
		if (context->vars[op->need_vars[i]].value.kind == BS_V_NIL)
			return false;
	if (!action->when)
		return true;
	bs_step_scope_init(&scope, world->model, &world->stores);
	scope.context = context;
	scope.operation = op;
	if (bs_expr_test(action->when, &scope.scope, &holds, err) < 0)
		holds = false;
	bs_step_scope_release(&scope);
	return holds;
}
