/*
 * Rules: a query that must give no row, or an expression that must hold, maybe over what was observed. Whether
 * a rule speaks of the step or of the state follows from the names that it reads.
 */
#include "loader.h"

#include "base/mem.h"

#include <string.h>

/* Where one invariant is read: what its parts need of it. */
struct rule {
	struct bs_loader *loader;
	const struct bs_yaml *key, *map;
	struct bs_invariant *invariant;
	size_t index;
	char *what; /* "invariant 'x'" */
};

static void read_sql(struct rule *rule, const struct bs_yaml *node)
{
	static const char *const keys[] = {"store", "query", NULL};
	struct bs_loader *l = rule->loader;
	const struct bs_yaml *store, *query;
	struct bs_suggestion guess;
	const char *name;

	rule->invariant->sql_query = "";
	if (!bs_read_map(l, node, "'sql'"))
		return;
	bs_read_keys(l, node, "'sql'", keys);
	if (!(query = bs_yaml_get(node, "query")))
		bs_problem_add(l->problems, node->at, "'sql' has no query; add one whose rows are violations");
	else
		bs_read_text(l, query, "'query'", &rule->invariant->sql_query);
	if (!(store = bs_yaml_get(node, "store")))
		bs_problem_add(l->problems, node->at, "'sql' has no store; name the one that the query runs in");
	if (!store || !bs_read_text(l, store, "'store'", &name))
		return;
	bs_suggest_init(&guess, name, strlen(name));
	for (size_t i = 0; i < l->model->store_count; i++) {
		rule->invariant->sql_store = i;
		if (strcmp(l->model->stores[i].name, name) == 0)
			return;
		bs_suggest_offer(&guess, l->model->stores[i].name);
	}
	BS_AUTOFREE char *suggestion = bs_suggest_text(&guess);
	bs_problem_add(l->problems, store->at, "unknown store '%s'%s", name,
		       guess.best ? suggestion : "; declare it in 'stores'");
}

static void read_observations(struct rule *rule, const struct bs_yaml *node)
{
	struct bs_loader *l = rule->loader;
	struct bs_invariant *invariant = rule->invariant;

	if (!bs_read_map(l, node, "'observe'"))
		return;
	invariant->observations = bs_arena_alloc(l->arena, node->count * sizeof *invariant->observations);
	for (size_t i = 0; i < node->count; i++) {
		struct bs_observation *observation = &invariant->observations[invariant->observation_count];
		BS_AUTOFREE char *what = bs_xasprintf("observation '%s'", node->pairs[i].key->text);
		if (!bs_read_identifier(l, node->pairs[i].key, "an observation"))
			continue;
		invariant->observation_count++;
		observation->name = node->pairs[i].key->text;
		bs_read_request(l, node->pairs[i].value, BS_OF_OBSERVATION,
				(struct bs_place){BS_AT_OBSERVE, rule->index}, what, &observation->request);
		const char *method = observation->request.method;
		if (method && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
			bs_problem_add(l->problems, observation->request.at,
				       "%s: observe only sends safe methods, GET and HEAD; got '%s'", what, method);
	}
}

static void read_each(struct rule *rule, const struct bs_yaml *node)
{
	struct bs_loader *l = rule->loader;
	struct bs_invariant *invariant = rule->invariant;

	if (!bs_read_map(l, node, "'for'"))
		return;
	if (node->count != 1) {
		bs_problem_add(l->problems, node->at, "'for' takes one name and its list, such as {o: list.body}");
		return;
	}
	if (!bs_read_identifier(l, node->pairs[0].key, "an element"))
		return;
	invariant->each_name = node->pairs[0].key->text;
	invariant->each_in =
		bs_read_expr(l, node->pairs[0].value, (struct bs_place){BS_AT_FOR, rule->index}, "'for'");
}

static void read_expression_rule(struct rule *rule, const struct bs_yaml *holds)
{
	static const char *const rates[] = {"step", "state", NULL};
	struct bs_loader *l = rule->loader;
	const struct bs_yaml *node;
	size_t rate;

	if ((node = bs_yaml_get(rule->map, "observe")))
		read_observations(rule, node);
	if ((node = bs_yaml_get(rule->map, "for")))
		read_each(rule, node);
	if ((node = bs_yaml_get(rule->map, "every")) && bs_read_choice(l, node, "'every'", rates, &rate))
		rule->invariant->every_state = rate == 1;
	if (holds)
		rule->invariant->holds =
			bs_read_expr(l, holds, (struct bs_place){BS_AT_HOLDS, rule->index}, rule->what);
	else
		bs_problem_add(l->problems, rule->key->at, "%s has no rule; add 'holds' or 'sql'", rule->what);
}

static bool reads_step(const struct bs_expr *expr)
{
	for (size_t i = 0; expr && bs_expr_name(expr, i); i++)
		if (bs_is_step_name(bs_expr_name(expr, i)->name))
			return true;
	return false;
}

/* Only the state can have been wrong before the step: a rule of the state reports what the step added. */
static enum bs_rule_kind kind_of(const struct bs_invariant *invariant)
{
	if (invariant->sql_query)
		return BS_RULE_STATE;
	if (!invariant->observation_count || reads_step(invariant->holds) || reads_step(invariant->each_in))
		return BS_RULE_STEP;
	return BS_RULE_STATE;
}

/* A query has rows of its own: what belongs to expressions would be ignored in silence. */
static void refuse_beside_sql(struct rule *rule)
{
	static const char *const others[] = {"holds", "observe", "for", "every"};

	for (size_t i = 0; i < rule->map->count; i++)
		for (size_t k = 0; k < BS_COUNT(others); k++)
			if (strcmp(rule->map->pairs[i].key->text, others[k]) == 0)
				bs_problem_add(rule->loader->problems, rule->map->pairs[i].key->at,
					       "%s has 'sql' and '%s'; a rule is one or the other", rule->what,
					       others[k]);
}

static void read_rule(struct rule *rule)
{
	static const char *const keys[] = {"title", "severity", "message", "sql",  "observe",
					   "for",   "holds",	"every",   NULL};
	static const char *const levels[] = {"critical", "high", "medium", "low", NULL};
	static const enum bs_severity severities[] = {BS_CRITICAL, BS_HIGH, BS_MEDIUM, BS_LOW};
	struct bs_loader *l = rule->loader;
	struct bs_invariant *invariant = rule->invariant;
	const struct bs_yaml *node;
	size_t level;

	if (!bs_read_map(l, rule->map, rule->what))
		return;
	bs_read_keys(l, rule->map, rule->what, keys);
	if ((node = bs_yaml_get(rule->map, "title")))
		bs_read_text(l, node, "'title'", &invariant->title);
	if ((node = bs_yaml_get(rule->map, "severity")) && bs_read_choice(l, node, "severity", levels, &level))
		invariant->severity = severities[level];
	if ((node = bs_yaml_get(rule->map, "message")))
		invariant->has_message = bs_read_template(l, node, (struct bs_place){BS_AT_MESSAGE, rule->index},
							  "'message'", &invariant->message);
	if ((node = bs_yaml_get(rule->map, "sql"))) {
		refuse_beside_sql(rule);
		read_sql(rule, node);
	} else {
		read_expression_rule(rule, bs_yaml_get(rule->map, "holds"));
	}
	invariant->kind = kind_of(invariant);
}

static void read_invariant(struct bs_loader *l, const struct bs_yaml_pair *pair)
{
	struct rule rule = {.loader = l, .key = pair->key, .map = pair->value, .index = l->model->invariant_count++};

	rule.invariant = &l->model->invariants[rule.index];
	rule.invariant->name = pair->key->text;
	rule.invariant->at = pair->key->at;
	rule.invariant->severity = BS_HIGH;
	rule.what = bs_xasprintf("invariant '%s'", pair->key->text);
	bs_read_name(l, pair->key, "an invariant");
	read_rule(&rule);
	free(rule.what);
}

void bs_read_invariants(struct bs_loader *l, const struct bs_yaml *root)
{
	const struct bs_yaml *node = bs_yaml_get(root, "invariants");

	if (!node || (node->kind == BS_Y_MAP && !node->count)) {
		bs_problem_warn(l->problems, node ? node->at : root->at,
				"the model has no invariants; only crashes and unexpected statuses will be found");
		return;
	}
	if (!bs_read_map(l, node, "'invariants'"))
		return;
	l->model->invariants = bs_arena_alloc(l->arena, node->count * sizeof *l->model->invariants);
	for (size_t i = 0; i < node->count; i++)
		read_invariant(l, &node->pairs[i]);
}
