/* What a client can do: setup, actions with their variants, and the actions that a run must reach. */
#include "loader.h"

#include "base/mem.h"

#include <string.h>

static void read_setup(struct bs_loader *l, const struct bs_yaml *node)
{
	if (!node || !bs_read_list(l, node, "'setup'"))
		return;
	l->model->setup = bs_arena_alloc(l->arena, node->count * sizeof *l->model->setup);
	l->model->setup_count = node->count;
	for (size_t i = 0; i < node->count; i++) {
		BS_AUTOFREE char *what = bs_xasprintf("setup request %zu", i + 1);
		bs_read_request(l, node->items[i], BS_OF_SETUP, (struct bs_place){BS_AT_SETUP, i}, what,
				&l->model->setup[i]);
	}
}

/* --- Variants -------------------------------------------------------------------------------------- */

static bool stands_before(const struct bs_variant *variant, const cJSON *value)
{
	for (size_t i = 0; i < variant->count; i++)
		if (bs_json_equal(variant->values[i], value))
			return true;
	return false;
}

static void read_variant(struct bs_loader *l, const struct bs_yaml_pair *pair, struct bs_action *action)
{
	struct bs_variant *variant = &action->variants[action->variant_count];
	BS_AUTOFREE char *what = bs_xasprintf("'%s' in 'with'", pair->key->text);

	if (!bs_read_identifier(l, pair->key, "a variant") || !bs_read_list(l, pair->value, what))
		return;
	action->variant_count++; /* even when its values are wrong: its uses are not */
	variant->name = pair->key->text;
	variant->values = bs_arena_alloc(l->arena, pair->value->count * sizeof *variant->values);
	if (!pair->value->count)
		bs_problem_add(l->problems, pair->value->at, "%s has no values; the action could never be tried", what);
	for (size_t i = 0; i < pair->value->count; i++) {
		const struct bs_yaml *node = pair->value->items[i];
		const cJSON *value = bs_read_value(l, node);
		if (!value)
			continue;
		if (pair->value->count <= 1000 && stands_before(variant, value))
			bs_problem_add(l->problems, node->at, "%s has %s twice", what, bs_yaml_describe(l->arena, node));
		variant->values[variant->count++] = value;
	}
}

static void read_variants(struct bs_loader *l, const struct bs_yaml *node, struct bs_action *action)
{
	size_t product = 1;

	if (!bs_read_map(l, node, "'with'"))
		return;
	action->variants = bs_arena_alloc(l->arena, node->count * sizeof *action->variants);
	for (size_t i = 0; i < node->count; i++)
		read_variant(l, &node->pairs[i], action);
	for (size_t i = 0; i < action->variant_count && product <= BS_VARIANTS_MAX; i++)
		product *= action->variants[i].count;
	if (product > BS_VARIANTS_MAX)
		bs_problem_add(l->problems, node->at,
			       "action '%s' has more than %d variants (the product of its lists); name fewer values",
			       action->name, BS_VARIANTS_MAX);
}

/* --- Actions --------------------------------------------------------------------------------------- */

#define SETTLE_DEFAULT_MS 200

/* An action that moves the clock. */
static void read_advance(struct bs_loader *l, const struct bs_yaml *map, const char *what, struct bs_action *action)
{
	static const char *const keys[] = {"advance", "settle", "title", "when", NULL};
	const struct bs_yaml *node = bs_yaml_get(map, "advance");
	struct bs_segment *span = bs_arena_alloc(l->arena, sizeof *span);
	bool good = bs_read_span(l, node, "'advance'", &action->advance_ms);

	bs_read_keys(l, map, what, keys);
	action->settle_ms = SETTLE_DEFAULT_MS;
	*span = (struct bs_segment){.text = good ? node->text : "", .len = good ? node->len : 0};
	action->request = (struct bs_request){.method = BS_METHOD_ADVANCE,
					      .path = {.segments = span, .count = 1, .at = node->at},
					      .at = node->at};
	l->model->moves_clock = true;
	if ((node = bs_yaml_get(map, "settle")))
		bs_read_duration(l, node, "'settle'", &action->settle_ms);
	for (size_t i = 0; i < l->model->app.env.count; i++)
		if (strcmp(l->model->app.env.items[i].name, "LD_PRELOAD") == 0)
			bs_problem_add(l->problems, action->at,
				       "'advance' loads libfaketime into the application by LD_PRELOAD, which app.env sets to "
				       "something else; set it for Backstep itself, and both are loaded");
	if (l->model->app.base_url)
		bs_problem_add(l->problems, action->at,
			       "'advance' needs an application that Backstep starts; replace app.base_url by app.command");
}

static void read_action(struct bs_loader *l, const struct bs_yaml_pair *pair)
{
	size_t index = l->model->action_count++;
	struct bs_action *action = &l->model->actions[index];
	BS_AUTOFREE char *what = bs_xasprintf("action '%s'", pair->key->text);
	const struct bs_yaml *node;

	action->name = pair->key->text;
	action->at = pair->key->at;
	bs_read_name(l, pair->key, "an action");
	if (pair->value->kind == BS_Y_MAP) {
		if ((node = bs_yaml_get(pair->value, "title")))
			bs_read_text(l, node, "'title'", &action->title);
		if ((node = bs_yaml_get(pair->value, "with")))
			read_variants(l, node, action);
		if ((node = bs_yaml_get(pair->value, "when")))
			action->when = bs_read_expr(l, node, (struct bs_place){BS_AT_WHEN, index}, "'when'");
	}
	if (bs_yaml_get(pair->value, "advance"))
		read_advance(l, pair->value, what, action);
	else
		bs_read_request(l, pair->value, BS_OF_ACTION, (struct bs_place){BS_AT_ACTION, index}, what,
				&action->request);
}

static void check_total(struct bs_loader *l, const struct bs_yaml *node)
{
	size_t total = 0;

	for (size_t a = 0; a < l->model->action_count; a++) {
		size_t product = 1;
		for (size_t i = 0; i < l->model->actions[a].variant_count && product <= BS_VARIANTS_MAX; i++)
			product *= l->model->actions[a].variants[i].count;
		total += product;
	}
	if (total > BS_OPERATIONS_MAX)
		bs_problem_add(l->problems, node->at, "the actions have %zu variants together; at most %d can be walked",
			       total, BS_OPERATIONS_MAX);
}

static void read_action_list(struct bs_loader *l, const struct bs_yaml *root)
{
	const struct bs_yaml *node = bs_yaml_get(root, "actions");

	if (!node) {
		bs_problem_add(l->problems, root->at, "the model has no actions; add what a client can do");
		return;
	}
	if (!bs_read_map(l, node, "'actions'"))
		return;
	if (!node->count)
		bs_problem_add(l->problems, node->at, "the model has no actions; add what a client can do");
	l->model->actions = bs_arena_alloc(l->arena, node->count * sizeof *l->model->actions);
	for (size_t i = 0; i < node->count; i++)
		read_action(l, &node->pairs[i]);
	check_total(l, node);
}

static void reach(struct bs_loader *l, const struct bs_yaml *node)
{
	struct bs_suggestion guess;
	const char *name;

	if (!bs_read_text(l, node, "an entry of 'reach'", &name))
		return;
	bs_suggest_init(&guess, name, strlen(name));
	for (size_t i = 0; i < l->model->action_count; i++) {
		if (strcmp(l->model->actions[i].name, name) == 0) {
			l->model->reach[l->model->reach_count++] = i;
			return;
		}
		bs_suggest_offer(&guess, l->model->actions[i].name);
	}
	BS_AUTOFREE char *suggestion = bs_suggest_text(&guess);
	bs_problem_add(l->problems, node->at, "unknown action '%s' in 'reach'%s", name, suggestion);
}

void bs_read_actions(struct bs_loader *l, const struct bs_yaml *root)
{
	const struct bs_yaml *node = bs_yaml_get(root, "reach");

	read_setup(l, bs_yaml_get(root, "setup"));
	read_action_list(l, root);
	if (!node || !bs_read_list(l, node, "'reach'"))
		return;
	l->model->reach = bs_arena_alloc(l->arena, node->count * sizeof *l->model->reach);
	for (size_t i = 0; i < node->count; i++)
		reach(l, node->items[i]);
}
