/*
 * The self-check: trust in rollback is measured before it is used. It acts until a row changes, rolls
 * back, and compares a digest of every table, read on a fresh connection, and the answer to a safe request,
 * with what they were before. When the rows are as they were and the answer is not, the application keeps state in
 * memory: it is started again over those rows, and when that gives the answer, each step back does so from then on.
 * Then it starts the application again, redoes, and asks once more: when the answer is the same, the stores alone
 * carry the state, and states can be reached by redo after a restart.
 */
#include "explorer.h"

#include "base/mem.h"
#include "base/now.h"

#include <inttypes.h>
#include <string.h>

#define STEPS_MAX 20 /* to find one that changes a row */

struct answer {
	int status;
	char *body;
};

static void answer_release(struct answer *answer)
{
	free(answer->body);
	*answer = (struct answer){0};
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
	return a->status == b->status && strcmp(a->body ? a->body : "", b->body ? b->body : "") == 0;
}

static bool safe_method(const struct bs_request *request)
{
	return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

/* A safe request that can be sent with this context; NULL when the model has none. */
static const struct bs_request *find_safe(const struct bs_explorer *explorer, const struct bs_context *context)
{
	const struct bs_model *model = explorer->model;

	for (size_t i = 0; i < model->invariant_count; i++)
		if (model->invariants[i].observation_count)
			return &model->invariants[i].observations[0].request;
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct bs_request *request = &model->actions[model->operations[i].action].request;
		if (safe_method(request) && !model->operations[i].need_count &&
		    !model->actions[model->operations[i].action].variant_count &&
		    bs_world_enabled(explorer->world, i, context, NULL))
			return request;
	}
	return NULL;
}

static int ask(struct bs_explorer *explorer, const struct bs_request *request, struct answer *ret_answer,
	       struct bs_err *err)
{
	struct bs_response response;
	int r = 0;

	if (!request)
		return 0;
	bs_response_init(&response);
	r = bs_world_observe(explorer->world, request, explorer->walk.context, &response, err);
	if (r == 0) {
		ret_answer->status = response.exchange.status;
		ret_answer->body = bs_xstrdup(response.exchange.body);
	}
	bs_response_release(&response);
	return r == BS_EEXPR ? 0 : r;
}

/* Acts until a row changes. Returns the number of rows, 0 when nothing did, or an error. */
static int act(struct bs_explorer *explorer, struct bs_err *err)
{
	size_t operations = explorer->model->operation_count;

	for (size_t i = 0, tried = 0; i < operations && tried < STEPS_MAX; i++) {
		struct bs_step step;
		const struct bs_delta *delta;
		if (!bs_world_enabled(explorer->world, i, explorer->walk.context, NULL))
			continue;
		bs_step_init(&step);
		int r = bs_walk_step(&explorer->walk, i, &step, &delta, err);
		int rows = delta ? (int)delta->count : 0;
		bs_step_release(&step);
		tried++;
		if (r < 0 || rows)
			return r < 0 ? r : rows;
	}
	return 0;
}

static char *name_difference(struct bs_explorer *explorer, const uint64_t *before, const uint64_t *after)
{
	const struct bs_stores *stores = &explorer->world->stores;

	for (size_t t = 0; t < stores->table_count; t++)
		if (before[t] != after[t])
			return bs_xasprintf("%s.%s", stores->names[stores->table_store[t]], stores->tables[t]->name);
	return bs_xstrdup("a table");
}

/* Redo after a restart: the same rows, and the same answer from a process that never saw the steps? */
static int check_redo(struct bs_explorer *explorer, const struct bs_request *request, const struct answer *acted,
		      const struct bs_delta *delta, struct bs_err *err)
{
	struct bs_net *net = bs_net_new();
	struct answer answer = {0};
	size_t count;
	int r = bs_walk_clean_start(&explorer->walk, err);

	bs_net_add(net, delta, BS_REDO);
	const struct bs_net_row *rows = bs_net_rows(net, &count);
	if (r == 0)
		r = bs_stores_apply(&explorer->world->stores, rows, count, err);
	if (r == 0) {
		r = ask(explorer, request, &answer, err);
		explorer->walk.redo_after_restart = r == 0 && request && same_answer(&answer, acted);
	}
	answer_release(&answer);
	bs_net_free(net);
	int clean = bs_walk_clean_start(&explorer->walk, r < 0 ? NULL : err);
	explorer->walk.restarted = false;
	return r < 0 ? r : clean;
}

static const char in_memory[] = "after a rollback a safe request is answered otherwise: the application keeps state "
				"outside its stores";

/* The rows are as they were and the answer is not. */
static int try_restart(struct bs_explorer *explorer, const struct answer *first, const struct bs_request *request,
		       struct bs_err *err)
{
	struct answer answer = {0};
	bool can = explorer->model->app.command && !explorer->walk.restart_undoes;
	int r = can ? bs_walk_restart(&explorer->walk, err) : 0;

	if (r == 0 && can)
		r = ask(explorer, request, &answer, err);
	if (r == 0 && can && same_answer(&answer, first)) {
		explorer->walk.restart_undoes = true;
		bs_explorer_warn(explorer, "outside-state", request->at,
				 "set app.rollback: restart to say so yourself, or keep its state in a store",
				 "%s; it is started again with each step back", in_memory);
	} else if (r == 0) {
		bs_explorer_warn(explorer, "outside-state", request->at,
				 "findings are confirmed from a clean start, so none is wrong because of it", "%s%s", in_memory,
				 can ? ", and starting it again does not bring it back" : "");
	}
	answer_release(&answer);
	return r;
}

static int compare(struct bs_explorer *explorer, const uint64_t *tables_before, uint64_t digest_before,
		   const struct answer *first, const struct bs_request *request, char **ret_trouble,
		   struct bs_err *err)
{
	BS_AUTOFREE uint64_t *tables = bs_xcalloc(explorer->world->stores.table_count, sizeof *tables);
	struct answer answer = {0};
	uint64_t digest;
	int r = bs_stores_digest(&explorer->world->stores, &digest, tables, err);

	if (r < 0)
		return r;
	if (digest != digest_before) {
		BS_AUTOFREE char *where = name_difference(explorer, tables_before, tables);
		*ret_trouble = bs_xasprintf("%s is not as it was", where);
		return 0;
	}
	r = ask(explorer, request, &answer, err);
	bool same = !request || same_answer(&answer, first);
	answer_release(&answer);
	return r < 0 || same ? r : try_restart(explorer, first, request, err);
}

static int check(struct bs_explorer *explorer, const struct bs_request *request, char **ret_text, struct bs_err *err)
{
	struct answer first = {0}, acted = {0};
	char *trouble = NULL;
	uint64_t digest;
	BS_AUTOFREE uint64_t *tables = bs_xcalloc(explorer->world->stores.table_count, sizeof *tables);
	int r = bs_stores_digest(&explorer->world->stores, &digest, tables, err);

	if (r == 0)
		r = ask(explorer, request, &first, err);
	if (r == 0)
		r = ask(explorer, request, &acted, err);
	if (!same_answer(&first, &acted)) /* it tells the time, or counts: nothing can be told by it */
		request = NULL;
	answer_release(&acted);
	if (r == 0)
		r = act(explorer, err);
	if (r <= 0) {
		*ret_text = bs_xstrdup("not possible: no operation changed a row");
		goto out;
	}
	int rows = r;
	struct bs_arena arena = BS_ARENA_INIT;
	const struct bs_delta *delta =
		bs_delta_new(&arena, explorer->walk.beyond->items, explorer->walk.beyond->count);
	r = ask(explorer, request, &acted, err);
	uint64_t since = bs_now_us();
	if (r == 0)
		r = bs_walk_to(&explorer->walk, 0, err);
	uint64_t took = bs_now_us() - since;
	if (r == 0)
		r = compare(explorer, tables, digest, &first, request, &trouble, err);
	if (r == 0 && trouble) {
		explorer->walk.replay = true;
		*ret_text = bs_xasprintf("not exact: %s", trouble);
		bs_explorer_warn(explorer, "rollback-not-exact", (struct bs_at){0}, NULL,
				 "rollback did not restore the store: %s; exploring by restart and replay instead",
				 trouble);
		r = bs_walk_clean_start(&explorer->walk, err);
	} else if (r == 0) {
		*ret_text = bs_xasprintf("exact (%d row%s, %.1f ms%s)", rows, rows == 1 ? "" : "s",
					 (double)took / 1000.0,
					 explorer->walk.restart_undoes ? ", with a restart of the application" : "");
		r = check_redo(explorer, request, &acted, delta, err);
	}
	bs_arena_release(&arena);
out:
	free(trouble);
	answer_release(&first);
	answer_release(&acted);
	return r < 0 ? r : 0;
}

int bs_explorer_self_check(struct bs_explorer *explorer, char **ret_text, struct bs_err *err)
{
	*ret_text = NULL;
	if (!explorer->world->stores.count)
		return 0;
	return check(explorer, find_safe(explorer, explorer->walk.context), ret_text, err);
}
