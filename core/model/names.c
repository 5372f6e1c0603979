/*
 * Every name that an expression or a placeholder reads is looked up here, once all are declared: a slip in a
 * name would otherwise be a nil that makes a rule pass. What a place may name is listed by one function, which
 * serves the check and the suggestion alike.
 */
#include "loader.h"

#include "base/mem.h"

#include <string.h>

/* What a response gives; of the step, besides: action, actor, request, changes. */
static const char *const response_names[] = {"status", "body", "text", "headers", "sha256", "elapsed_ms", "error"};

bool bs_is_step_name(const char *name)
{
	static const char *const others[] = {"action", "actor", "request", "changes"};

	for (size_t i = 0; i < BS_COUNT(response_names); i++)
		if (strcmp(response_names[i], name) == 0)
			return true;
	for (size_t i = 0; i < BS_COUNT(others); i++)
		if (strcmp(others[i], name) == 0)
			return true;
	return false;
}

bool bs_is_reserved_name(const char *name)
{
	static const char *const others[] = {"before", "calls", "port", "stores", "env", "unique"};

	for (size_t i = 0; i < BS_COUNT(others); i++)
		if (strcmp(others[i], name) == 0)
			return true;
	return bs_is_step_name(name);
}

/* --- What a place may name ------------------------------------------------------------------------- */

struct lookup {
	const struct bs_model *model;
	struct bs_place place;
	const char *name;
	size_t len;
	bool found;
	bool guessing; /* the second round, for a name that was not found */
	struct bs_suggestion guess;
};

static void offer(struct lookup *lookup, const char *name)
{
	if (lookup->guessing)
		bs_suggest_offer(&lookup->guess, name);
	else
		lookup->found |= strlen(name) == lookup->len && memcmp(name, lookup->name, lookup->len) == 0;
}

static void offer_vars(struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->model->var_count; i++)
		offer(lookup, lookup->model->vars[i].name);
}

static void offer_variants(struct lookup *lookup, size_t action)
{
	for (size_t i = 0; i < lookup->model->actions[action].variant_count; i++)
		offer(lookup, lookup->model->actions[action].variants[i].name);
}

static void offer_response(struct lookup *lookup)
{
	for (size_t i = 0; i < BS_COUNT(response_names); i++)
		offer(lookup, response_names[i]);
}

/* What rules see. */
static void offer_rule(struct lookup *lookup)
{
	const struct bs_invariant *invariant = &lookup->model->invariants[lookup->place.index];

	offer_vars(lookup);
	offer_response(lookup);
	offer(lookup, "action");
	offer(lookup, "actor");
	offer(lookup, "request");
	offer(lookup, "changes");
	offer(lookup, "before");
	for (size_t i = 0; i < invariant->observation_count; i++)
		offer(lookup, invariant->observations[i].name);
	for (size_t i = 0; i < lookup->model->action_count; i++)
		offer_variants(lookup, i);
	if (invariant->each_name && lookup->place.kind != BS_AT_FOR)
		offer(lookup, invariant->each_name);
}

static void offer_names(struct lookup *lookup)
{
	switch (lookup->place.kind) {
	case BS_AT_APP: break;
	case BS_AT_EXPECT: offer_response(lookup); break;
	case BS_AT_OBSERVE: offer_vars(lookup); break;
	case BS_AT_ACTION:
		offer_variants(lookup, lookup->place.index);
		offer_vars(lookup);
		break;
	case BS_AT_SETUP: offer_vars(lookup); break;
	case BS_AT_WHEN:
		offer_variants(lookup, lookup->place.index);
		offer_vars(lookup);
		break;
	case BS_AT_FOR:
	case BS_AT_HOLDS:
	case BS_AT_MESSAGE: offer_rule(lookup); break;
	}
}

static struct lookup lookup_init(const struct bs_loader *l, struct bs_place place, const char *name, size_t len)
{
	struct lookup lookup = {.model = l->model, .place = place, .name = name, .len = len};

	bs_suggest_init(&lookup.guess, name, len);
	return lookup;
}

/* --- Expressions ----------------------------------------------------------------------------------- */

/* A file with hundreds of problems is not a model with slips; guesses would take their time for nothing. */
static bool worth_guessing(const struct bs_loader *l, struct lookup *lookup)
{
	lookup->guessing = true;
	return l->problems->count < 200;
}

static void offer_expression(struct lookup *lookup)
{
	bool action = lookup->place.kind == BS_AT_ACTION;

	offer_names(lookup);
	if (!action && lookup->place.kind != BS_AT_SETUP)
		return;
	offer_response(lookup); /* expect and capture look at what came back */
	offer(lookup, "actor");
	offer(lookup, "request");
	if (action)
		offer(lookup, "action");
}

static void check_name(struct bs_loader *l, const struct bs_use *use, const struct bs_name *name)
{
	struct lookup lookup = lookup_init(l, use->place, name->name, strlen(name->name));

	offer_expression(&lookup);
	if (lookup.found)
		return;
	if (worth_guessing(l, &lookup))
		offer_expression(&lookup);
	for (size_t i = 0; bs_expr_builtin(i); i++)
		bs_suggest_offer(&lookup.guess, bs_expr_builtin(i));
	BS_AUTOFREE char *suggestion = bs_suggest_text(&lookup.guess);
	if (bs_is_step_name(name->name))
		bs_problem_add(l->problems, bs_yaml_at(use->node, name->offset), "'%s' is not known here: %s",
			       name->name, use->place.kind == BS_AT_WHEN ? "no request was sent yet" : "this is no step");
	else
		bs_problem_add(l->problems, bs_yaml_at(use->node, name->offset), "unknown name '%s'%s", name->name,
			       suggestion);
}

/* --- Placeholders ---------------------------------------------------------------------------------- */

static bool is(const struct bs_segment *segment, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(segment->text, name, len) == 0;
}

/* ${stores.db.path}, ${stores.db.url} */
static void check_store(struct bs_loader *l, struct bs_at at, const char *path)
{
	const char *dot = strchr(path, '.');
	size_t len = dot ? (size_t)(dot - path) : strlen(path);
	struct bs_suggestion guess;

	bs_suggest_init(&guess, path, len);
	for (size_t i = 0; i < l->model->store_count; i++) {
		const struct bs_store_config *store = &l->model->stores[i];
		bs_suggest_offer(&guess, store->name);
		if (strlen(store->name) != len || memcmp(store->name, path, len) != 0)
			continue;
		const char *property = bs_driver_property(store->driver);
		if (store->driver && (!dot || strcmp(dot + 1, property) != 0))
			bs_problem_add(l->problems, at, "a %s store gives its %s; write ${stores.%s.%s}", store->driver, property,
				       store->name, property);
		return;
	}
	BS_AUTOFREE char *suggestion = bs_suggest_text(&guess);
	bs_problem_add(l->problems, at, "unknown store '%.*s'%s", (int)len, path,
		       guess.best ? suggestion : "; write ${stores.NAME.path} with a NAME of 'stores'");
}

/* port, stores, env and unique: the names that only placeholders have. True when it was one of them. */
static bool check_special(struct bs_loader *l, const struct bs_use *use, const struct bs_segment *segment,
			  size_t len, struct bs_at at)
{
	BS_AUTOFREE char *rest = len < segment->len ? bs_xstrndup(segment->text + len + 1, segment->len - len - 1)
						    : bs_xstrdup("");

	if (is(segment, len, "stores")) {
		check_store(l, at, rest);
	} else if (is(segment, len, "env")) {
		if (!*rest)
			bs_problem_add(l->problems, at, "'env' needs a variable; write ${env.NAME}");
		else if (!getenv(rest))
			bs_problem_add(l->problems, at, "environment variable '%s' is not set", rest);
		else
			*BS_GROW(l, l->model->env_names, l->model->env_name_count) = bs_arena_strdup(l->arena, rest);
	} else if (is(segment, len, "port") || is(segment, len, "unique")) {
		if (*rest)
			bs_problem_add(l->problems, at, "'%.*s' has no fields; write ${%.*s}", (int)len, segment->text,
				       (int)len, segment->text);
		else if (segment->text[0] == 'u' && use->place.kind != BS_AT_ACTION)
			bs_problem_add(l->problems, at, "'unique' is known in the requests of actions only");
	} else {
		return false;
	}
	return true;
}

static void check_placeholder(struct bs_loader *l, const struct bs_use *use, const struct bs_segment *segment)
{
	static const char *const special[] = {"port", "stores", "env", "unique"};
	const char *dot = memchr(segment->text, '.', segment->len);
	size_t len = dot ? (size_t)(dot - segment->text) : segment->len;
	struct bs_at at = bs_yaml_at(use->node, (size_t)(segment->text - use->node->text));
	bool message = use->place.kind == BS_AT_MESSAGE;
	struct lookup lookup = lookup_init(l, use->place, segment->text, len);

	if (!message && check_special(l, use, segment, len, at))
		return;
	offer_names(&lookup);
	if (lookup.found || (message && l->model->invariants[use->place.index].sql_query)) /* a column */
		return;
	if (worth_guessing(l, &lookup))
		offer_names(&lookup);
	for (size_t i = 0; !message && i < BS_COUNT(special); i++)
		bs_suggest_offer(&lookup.guess, special[i]);
	BS_AUTOFREE char *suggestion = bs_suggest_text(&lookup.guess);
	bs_problem_add(l->problems, at, "unknown name '%.*s'%s", (int)len, segment->text, suggestion);
}

static void check_use(struct bs_loader *l, const struct bs_use *use)
{
	const struct bs_name *name;

	for (size_t i = 0; use->expr && (name = bs_expr_name(use->expr, i)); i++)
		check_name(l, use, name);
	for (size_t i = 0; i < use->template.count; i++)
		if (use->template.segments[i].placeholder)
			check_placeholder(l, use, &use->template.segments[i]);
}

/* --- Declarations ---------------------------------------------------------------------------------- */

static void forget(struct bs_loader *l, struct bs_request *request, const struct bs_yaml *list)
{
	request->forget = bs_arena_alloc(l->arena, list->count * sizeof *request->forget);
	for (size_t i = 0; i < list->count; i++) {
		const struct bs_yaml *node = list->items[i];
		struct bs_suggestion guess;
		const char *name;
		if (!bs_read_text(l, node, "an entry of 'forget'", &name))
			continue;
		size_t var = bs_var_index(l->model, name, node->len);
		bs_suggest_init(&guess, name, node->len);
		for (size_t v = 0; v < l->model->var_count; v++)
			bs_suggest_offer(&guess, l->model->vars[v].name);
		BS_AUTOFREE char *suggestion = bs_suggest_text(&guess);
		if (var != SIZE_MAX)
			request->forget[request->forget_count++] = var;
		else
			bs_problem_add(l->problems, node->at, "unknown name '%s' in 'forget'%s", name,
				       guess.best ? suggestion : "; no action captures it");
	}
}

/* One name for two things: which of them is read would depend on the place. */
static void refuse_shadow(struct bs_loader *l, const char *what, const char *name, struct bs_at at)
{
	if (name && bs_var_index(l->model, name, strlen(name)) != SIZE_MAX)
		bs_problem_add(l->problems, at, "%s '%s' has the name of a captured variable; rename one", what, name);
}

static void check_shadows(struct bs_loader *l)
{
	for (size_t i = 0; i < l->model->action_count; i++) {
		const struct bs_action *action = &l->model->actions[i];
		for (size_t v = 0; v < action->variant_count; v++)
			refuse_shadow(l, "variant", action->variants[v].name, action->at);
	}
	for (size_t i = 0; i < l->model->invariant_count; i++) {
		const struct bs_invariant *invariant = &l->model->invariants[i];
		for (size_t o = 0; o < invariant->observation_count; o++) {
			const char *name = invariant->observations[o].name;
			refuse_shadow(l, "observation", name, invariant->at);
			if (invariant->each_name && strcmp(invariant->each_name, name) == 0)
				bs_problem_add(l->problems, invariant->at,
					       "'for' and 'observe' both have the name '%s'; rename one", name);
		}
		refuse_shadow(l, "element", invariant->each_name, invariant->at);
	}
}

void bs_check_names(struct bs_loader *l)
{
	check_shadows(l);
	for (size_t i = 0; i < l->forget_count; i++)
		forget(l, l->forgets[i].request, l->forgets[i].list);
	for (size_t i = 0; i < l->use_count; i++)
		check_use(l, &l->uses[i]);
}
