/* Evaluating the rules. See check.h. */
#include "check.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/now.h"
#include "world/stores/row.h"

#include <string.h>

#define QUERY_TIMEOUT_MS 5000
#define FAILING_MAX 1000 /* rows of one rule that are told apart; more are the same trouble */

/* One round of checking. */
struct round {
	struct bs_judge *judge;
	struct bs_step *step; /* NULL: the root */
	const struct bs_context *context;
	const struct bs_failing *before;
	struct bs_failing *after; /* grows */
	size_t after_alloc;
	struct bs_violations *violations;
};

void bs_violations_release(struct bs_violations *violations)
{
	for (size_t i = 0; i < violations->count; i++) {
		free(violations->items[i].subject);
		free(violations->items[i].message);
		bs_reads_release(&violations->items[i].reads);
	}
	free(violations->items);
	*violations = (struct bs_violations){0};
}

static bool failed_before(const struct round *round, size_t rule, uint64_t row)
{
	for (uint32_t i = 0; round->before && i < round->before->count; i++)
		if (round->before->items[i].rule == rule && round->before->items[i].row == row)
			return true;
	return false;
}

static void add_failing(struct round *round, size_t rule, uint64_t row)
{
	size_t count = round->after ? round->after->count : 0;

	if (count == round->after_alloc) {
		round->after_alloc = round->after_alloc ? round->after_alloc * 2 : 8;
		round->after = bs_xrealloc(round->after,
					   sizeof *round->after +
						   round->after_alloc * sizeof round->after->items[0], 1);
		round->after->count = (uint32_t)count;
	}
	round->after->items[count].rule = (uint32_t)rule;
	round->after->items[count].row = row;
	round->after->count++;
}

static void keep_failing(struct round *round, size_t rule)
{
	for (uint32_t i = 0; round->before && i < round->before->count; i++)
		if (round->before->items[i].rule == rule)
			add_failing(round, rule, round->before->items[i].row);
}

static struct bs_violation *report(struct round *round, size_t rule, struct bs_at at, char *message)
{
	struct bs_violation *violation = BS_PUSH(round->violations->items, round->violations->count);

	violation->rule = rule;
	violation->message = message;
	violation->at = at;
	if (round->judge->count)
		round->judge->stats[rule].violations++;
	return violation;
}

static void check_error(struct round *round, const char *subject, size_t rule, struct bs_at at, const char *text)
{
	struct bs_judge *judge = round->judge;
	size_t oracle = bs_rule_of_oracle(judge->model, BS_ORACLE_CHECK_ERROR);
	struct bs_violation *violation =
		report(round, oracle, at, bs_xasprintf("%s could not be checked: %s", subject, text));

	violation->subject = bs_xstrdup(subject);
	if (rule < judge->rules.count && judge->count) {
		judge->stats[rule].errors++;
		if (!judge->stats[rule].first_error)
			judge->stats[rule].first_error = bs_xstrdup(text);
	}
}

/* --- Messages ------------------------------------------------------------------------------------ */

static int scope_path(const struct bs_scope *scope, const char *name, struct bs_value *ret_value)
{
	struct bs_err err = BS_ERR_INIT;
	BS_AUTOFREE char *copy = bs_xstrdup(name);
	char *rest = copy;
	const char *first = strsep(&rest, ".");
	int found = scope->get(scope->ctx, first, ret_value, &err);

	while (found == 1 && rest) {
		const char *key = strsep(&rest, ".");
		if (ret_value->kind == BS_V_SCOPE) {
			found = ret_value->scope->get(ret_value->scope->ctx, key, ret_value, &err);
			continue;
		}
		const cJSON *item = ret_value->kind == BS_V_JSON
					    ? cJSON_GetObjectItemCaseSensitive(ret_value->json, key)
					    : NULL;
		if (!item)
			found = 0;
		else
			*ret_value = bs_value_from_json(item);
	}
	bs_err_release(&err);
	return found == 1;
}

static void add_json(struct bs_buf *out, const struct bs_value *value)
{
	if (value->kind == BS_V_TEXT) {
		bs_buf_add(out, value->text.data, value->text.len);
		return;
	}
	cJSON *json = bs_value_to_json(value);
	BS_AUTOFREE char *text = bs_json_print(json, false);
	cJSON_Delete(json);
	bs_buf_adds(out, text);
}

static char *message_of(const struct bs_invariant *invariant, const struct bs_rule *rule,
			const struct bs_scope *scope)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_buf_init(&out, 4096);
	if (!invariant->has_message)
		return rule->title ? bs_xstrdup(rule->title)
				   : bs_xasprintf("%s does not hold: %s", rule->name, rule->text);
	for (size_t i = 0; i < invariant->message.count; i++) {
		const struct bs_segment *segment = &invariant->message.segments[i];
		BS_AUTOFREE char *name = bs_xstrndup(segment->text, segment->len);
		struct bs_value value;
		if (!segment->placeholder)
			bs_buf_adds(&out, name);
		else if (scope && scope_path(scope, name, &value))
			add_json(&out, &value);
		else
			bs_buf_addf(&out, "(no %s)", name);
	}
	return bs_buf_take(&out);
}

/* --- Expression rules ----------------------------------------------------------------------------- */

static void scope_for(struct bs_step_scope *scope, const struct round *round, size_t rule)
{
	const struct bs_judge *judge = round->judge;

	bs_step_scope_init(scope, judge->model, &judge->world->stores);
	scope->step = round->step;
	scope->context = round->context;
	scope->operation = round->step ? &judge->model->operations[round->step->operation] : NULL;
	scope->invariant = &judge->model->invariants[rule];
	scope->observations = judge->width ? &judge->last[rule * judge->width] : NULL;
	scope->before = judge->width ? &judge->before[rule * judge->width] : NULL;
}

static uint64_t element_hash(const struct bs_value *element)
{
	if (!element)
		return 1;
	cJSON *json = bs_value_to_json(element);
	BS_AUTOFREE char *text = bs_json_print(json, false);
	cJSON_Delete(json);
	return bs_hash_bytes(text, strlen(text)).lo;
}

/* `element` is that of `for`, or NULL. Returns false when the rule erred. */
static bool test_once(struct round *round, size_t rule, struct bs_step_scope *scope, const struct bs_value *element)
{
	struct bs_judge *judge = round->judge;
	const struct bs_invariant *invariant = &judge->model->invariants[rule];
	struct bs_err err = BS_ERR_INIT;
	bool holds = true;

	scope->each = element;
	if (judge->count)
		judge->stats[rule].checked++;
	if (bs_expr_test(invariant->holds, &scope->scope, &holds, &err) < 0) {
		check_error(round, invariant->name, rule, invariant->at, bs_err_text(&err));
		bs_err_release(&err);
		return false;
	}
	if (holds)
		return true;
	if (invariant->kind == BS_RULE_STATE) {
		uint64_t row = element_hash(element);
		add_failing(round, rule, row);
		if (failed_before(round, rule, row))
			return true;
	}
	struct bs_violation *violation =
		report(round, rule, invariant->at, message_of(invariant, &judge->rules.items[rule], &scope->scope));
	bs_expr_reads(invariant->holds, &scope->scope, &violation->reads);
	return true;
}

/* The elements of `for`, duplicated: the next evaluation may not keep what this one gave. */
static int each_elements(struct round *round, size_t rule, struct bs_step_scope *scope, cJSON **ret_list)
{
	const struct bs_invariant *invariant = &round->judge->model->invariants[rule];
	struct bs_err err = BS_ERR_INIT;
	struct bs_value list;
	int r = bs_expr_eval(invariant->each_in, &scope->scope, &list, &err);

	if (r == 0 && (list.kind != BS_V_JSON || bs_json_kind(list.json) == BS_J_NUMBER))
		r = bs_err_set(&err, BS_EEXPR, "'for' needs a list");
	if (r < 0)
		check_error(round, invariant->name, rule, invariant->at, bs_err_text(&err));
	else
		*ret_list = cJSON_Duplicate(list.json, true);
	bs_err_release(&err);
	return r;
}

static void test_invariant(struct round *round, size_t rule)
{
	const struct bs_invariant *invariant = &round->judge->model->invariants[rule];
	struct bs_step_scope scope;
	cJSON *list = NULL;

	scope_for(&scope, round, rule);
	if (!invariant->each_name) {
		test_once(round, rule, &scope, NULL);
	} else if (each_elements(round, rule, &scope, &list) == 0) {
		for (const cJSON *item = list->child; item; item = item->next) {
			struct bs_value element = bs_value_from_json(item);
			if (!test_once(round, rule, &scope, &element))
				break; /* one error for each step is enough */
		}
	}
	bs_step_scope_release(&scope);
	cJSON_Delete(list);
}

/* --- SQL rules ------------------------------------------------------------------------------------ */

struct sql_rows {
	struct round *round;
	size_t rule;
	size_t count;
	bool fresh;   /* a row that did not fail before was reported */
	cJSON *first; /* the first fresh row, as read */
};

static int sql_row(void *ctx, const char *const *columns, size_t column_count, struct bs_blob image)
{
	struct sql_rows *rows = ctx;
	uint64_t hash = bs_hash_bytes(image.data, image.len).lo;

	add_failing(rows->round, rows->rule, hash);
	if (!failed_before(rows->round, rows->rule, hash) && !rows->first) {
		rows->fresh = true;
		rows->first = cJSON_CreateObject();
		for (size_t c = 0; c < column_count; c++) {
			struct bs_cell cell;
			if (bs_row_cell(image, c, &cell))
				cJSON_AddItemToObject(rows->first, columns[c], bs_cell_to_json(&cell));
		}
	}
	return ++rows->count >= FAILING_MAX;
}

static int row_get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_step_scope *scope = ctx;
	const cJSON *item = scope->each ? cJSON_GetObjectItemCaseSensitive(scope->each->json, name) : NULL;

	(void)err;
	if (!item)
		return 0;
	*ret_value = bs_value_from_json(item);
	return 1;
}

/* A message of an SQL rule may name the row's columns, and the context. */
static int row_or_context_get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_step_scope *scope = ctx;

	if (row_get(ctx, name, ret_value, err))
		return 1;
	const struct bs_value *row = scope->each;
	scope->each = NULL;
	int r = scope->scope.get(ctx, name, ret_value, err);
	scope->each = row;
	return r;
}

static void report_row(struct sql_rows *rows)
{
	struct round *round = rows->round;
	const struct bs_judge *judge = round->judge;
	const struct bs_invariant *invariant = &judge->model->invariants[rows->rule];
	struct bs_value row = {.kind = BS_V_JSON, .json = rows->first};
	struct bs_step_scope scope;

	scope_for(&scope, round, rows->rule);
	scope.each = &row;
	struct bs_scope names = {.ctx = &scope, .get = row_or_context_get};
	struct bs_violation *violation = report(
		round, rows->rule, invariant->at, message_of(invariant, &judge->rules.items[rows->rule], &names));
	for (cJSON *item = rows->first->child; item; item = item->next) {
		struct bs_read *read = BS_PUSH(violation->reads.items, violation->reads.count);
		read->path = bs_xstrdup(item->string);
		read->value = cJSON_Duplicate(item, true);
	}
	bs_step_scope_release(&scope);
}

static int test_query(struct round *round, size_t rule, struct bs_err *err)
{
	struct bs_judge *judge = round->judge;
	const struct bs_invariant *invariant = &judge->model->invariants[rule];
	struct bs_store *store = judge->world->stores.items[invariant->sql_store];
	struct sql_rows rows = {.round = round, .rule = rule};
	struct bs_err own = BS_ERR_INIT;

	(void)err;
	if (round->step && round->step->changes.count == 0) { /* the same rows give the same answer */
		keep_failing(round, rule);
		return 0;
	}
	if (judge->count && round->step)
		judge->stats[rule].checked++;
	if (store->ops->query(store, invariant->sql_query, QUERY_TIMEOUT_MS, sql_row, &rows, &own) < 0)
		check_error(round, invariant->name, rule, invariant->at, bs_err_text(&own));
	else if (rows.fresh)
		report_row(&rows);
	cJSON_Delete(rows.first);
	bs_err_release(&own);
	return 0;
}

/* --- Observations --------------------------------------------------------------------------------- */

static void drop(struct bs_response **responses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (responses[i])
			bs_response_release(responses[i]);
		free(responses[i]);
		responses[i] = NULL;
	}
}

static int observe(struct bs_judge *judge, size_t rule, const struct bs_context *context, struct bs_err *err)
{
	const struct bs_invariant *invariant = &judge->model->invariants[rule];
	struct bs_response **slots = &judge->last[rule * judge->width];

	drop(slots, judge->width);
	for (size_t i = 0; i < invariant->observation_count; i++) {
		slots[i] = bs_xmalloc(sizeof *slots[i]);
		bs_response_init(slots[i]);
		int r = bs_world_observe(judge->world, &invariant->observations[i].request, context, slots[i], err);
		if (r < 0)
			return r;
		if (slots[i]->exchange.outcome != BS_OUTCOME_RESPONSE)
			return bs_err_set(err, BS_EEXPR, "observation '%s': %s", invariant->observations[i].name,
					  slots[i]->exchange.error);
	}
	return 0;
}

static bool skipped(const struct round *round, const struct bs_invariant *invariant)
{
	if (!round->step)
		return invariant->kind == BS_RULE_STEP || invariant->observation_count == 0;
	return invariant->every_state && round->step->changes.count == 0;
}

static bool uses_answer(const struct bs_expr *expr)
{
	const struct bs_name *name;

	for (size_t i = 0; expr && (name = bs_expr_name(expr, i)); i++)
		if (bs_response_has(name->name))
			return true;
	return false;
}

/* The clock was moved, so there is no answer, and the rule asks for one. */
static bool lacks_answer(const struct round *round, const struct bs_invariant *invariant)
{
	return round->step && round->step->advanced && (uses_answer(invariant->holds) || uses_answer(invariant->each_in));
}

static int check_invariant(struct round *round, size_t rule, struct bs_err *err)
{
	struct bs_judge *judge = round->judge;
	const struct bs_invariant *invariant = &judge->model->invariants[rule];
	/* There is no answer for a step rule to look at, and an application that hangs or died cannot be observed. */
	bool silent = round->step && round->step->response.exchange.outcome != BS_OUTCOME_RESPONSE &&
		      (invariant->kind == BS_RULE_STEP || invariant->observation_count);

	if (invariant->sql_query)
		return test_query(round, rule, err);
	if (silent || lacks_answer(round, invariant) || skipped(round, invariant)) {
		keep_failing(round, rule);
		return 0;
	}
	if (invariant->observation_count) {
		int r = observe(judge, rule, round->context, err);
		if (r == BS_EEXPR) {
			check_error(round, invariant->name, rule, invariant->at, bs_err_text(err));
			bs_err_release(err);
			return 0;
		}
		if (r < 0)
			return r;
	}
	test_invariant(round, rule);
	return 0;
}

/* --- Oracles -------------------------------------------------------------------------------------- */

static void count_oracle(struct bs_judge *judge, enum bs_oracle oracle)
{
	if (judge->count)
		judge->stats[bs_rule_of_oracle(judge->model, oracle)].checked++;
}

static void check_oracles(struct round *round)
{
	struct bs_judge *judge = round->judge;
	const struct bs_step *step = round->step;
	const struct bs_exchange *x = &step->response.exchange;
	const struct bs_action *action = &judge->model->actions[judge->model->operations[step->operation].action];

	count_oracle(judge, BS_ORACLE_NO_RESPONSE);
	count_oracle(judge, BS_ORACLE_CHECK_ERROR);
	if (action->request.expect.text)
		count_oracle(judge, BS_ORACLE_UNEXPECTED_STATUS);
	if (x->outcome != BS_OUTCOME_RESPONSE)
		report(round, bs_rule_of_oracle(judge->model, BS_ORACLE_NO_RESPONSE), action->at,
		       bs_xasprintf("%s got no complete response: %s", action->name, x->error));
	else if (step->unexpected)
		report(round, bs_rule_of_oracle(judge->model, BS_ORACLE_UNEXPECTED_STATUS),
		       action->request.expect.at.line ? action->request.expect.at : action->at,
		       bs_xasprintf("%s was answered with %d, expected %s", action->name, x->status,
				    action->request.expect.text));
	if (step->expression_error)
		check_error(round, action->name, SIZE_MAX, step->expression_at, step->expression_error);
}

/* --- The whole ------------------------------------------------------------------------------------ */

void bs_judge_init(struct bs_judge *judge, const struct bs_model *model, struct bs_world *world)
{
	*judge = (struct bs_judge){.model = model, .world = world, .count = true};
	bs_rules_init(&judge->rules, model);
	judge->stats = bs_xcalloc(judge->rules.count, sizeof *judge->stats);
	for (size_t i = 0; i < model->invariant_count; i++) {
		const struct bs_invariant *invariant = &model->invariants[i];
		if (invariant->observation_count > judge->width)
			judge->width = invariant->observation_count;
		judge->uses_before |= (invariant->holds && bs_expr_uses(invariant->holds, "before")) ||
				      (invariant->each_in && bs_expr_uses(invariant->each_in, "before"));
	}
	judge->last = bs_xcalloc(model->invariant_count * judge->width, sizeof *judge->last);
	judge->before = bs_xcalloc(model->invariant_count * judge->width, sizeof *judge->before);
}

void bs_judge_release(struct bs_judge *judge)
{
	size_t slots = judge->model ? judge->model->invariant_count * judge->width : 0;

	drop(judge->last, slots);
	drop(judge->before, slots);
	free(judge->last);
	free(judge->before);
	for (size_t i = 0; i < judge->rules.count; i++)
		free(judge->stats[i].first_error);
	free(judge->stats);
	bs_rules_release(&judge->rules);
	*judge = (struct bs_judge){0};
}

void bs_judge_moved(struct bs_judge *judge)
{
	judge->last_valid = false;
}

int bs_judge_before_step(struct bs_judge *judge, const struct bs_context *context, struct bs_err *err)
{
	size_t slots = judge->model->invariant_count * judge->width;

	if (!judge->uses_before)
		return 0;
	for (size_t i = 0; !judge->last_valid && i < judge->model->invariant_count; i++) {
		int r = observe(judge, i, context, err);
		if (r == BS_EEXPR)
			bs_err_release(err); /* before.NAME is nil then */
		else if (r < 0)
			return r;
	}
	drop(judge->before, slots);
	memcpy(judge->before, judge->last, slots * sizeof *judge->before);
	memset(judge->last, 0, slots * sizeof *judge->last);
	return 0;
}

static bool same_failing(const struct bs_failing *a, const struct bs_failing *b)
{
	uint32_t n = a ? a->count : 0;

	return n == (b ? b->count : 0) && (!n || memcmp(a->items, b->items, n * sizeof a->items[0]) == 0);
}

static int check_all(struct round *round, struct bs_arena *arena, const struct bs_failing **ret_failing,
		     struct bs_err *err)
{
	struct bs_judge *judge = round->judge;
	int r = 0;

	if (round->step)
		check_oracles(round);
	for (size_t i = 0; r == 0 && i < judge->model->invariant_count; i++) {
		uint64_t since = bs_now_us();
		r = check_invariant(round, i, err);
		if (judge->count)
			judge->stats[i].elapsed_us += bs_now_us() - since;
	}
	judge->last_valid = r == 0;
	if (same_failing(round->before, round->after))
		*ret_failing = round->before;
	else
		*ret_failing = round->after ? bs_arena_dup(arena, round->after,
							   sizeof *round->after +
								   round->after->count * sizeof round->after->items[0])
					    : NULL;
	free(round->after);
	return r;
}

int bs_judge_step(struct bs_judge *judge, struct bs_step *step, const struct bs_failing *failing,
		  struct bs_arena *arena, const struct bs_failing **ret_failing,
		  struct bs_violations *ret_violations, struct bs_err *err)
{
	struct round round = {.judge = judge,
			      .step = step,
			      .context = step->context,
			      .before = failing,
			      .violations = ret_violations};

	return check_all(&round, arena, ret_failing, err);
}

int bs_judge_root(struct bs_judge *judge, struct bs_arena *arena, const struct bs_failing **ret_failing,
		  struct bs_violations *ret_violations, struct bs_err *err)
{
	bool count = judge->count;
	struct round round = {.judge = judge, .context = judge->world->root, .violations = ret_violations};

	judge->count = false;
	int r = check_all(&round, arena, ret_failing, err);
	judge->count = count;
	return r;
}
