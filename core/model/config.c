/* The parts of the model that are settings: name, actors, explore, gate. See loader.h. */
#include "loader.h"

#include "base/mem.h"

#include <string.h>

static void read_version(struct bs_loader *l, const struct bs_yaml *root)
{
	const struct bs_yaml *node = bs_yaml_get(root, "version");

	if (!node)
		bs_problem_add(l->problems, root->at, "the model has no version; begin it with 'version: 1'");
	else if (node->kind != BS_Y_SCALAR || strcmp(node->text, "1") != 0)
		bs_problem_add(l->problems, node->at, "version must be 1; got %s", bs_yaml_describe(l->arena, node));
}

/* Only the default actor for now: what more there is would be sent as if it were not there. */
static void read_actors(struct bs_loader *l, const struct bs_yaml *node)
{
	if (!node || !bs_read_map(l, node, "'actors'"))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct bs_yaml *key = node->pairs[i].key, *value = node->pairs[i].value;
		bool empty = value->kind == BS_Y_SCALAR && bs_yaml_type(value) == BS_YT_NULL;
		if (!bs_read_name(l, key, "an actor"))
			continue;
		if (i > 0)
			bs_problem_add(l->problems, key->at, "more than one actor is not supported yet; remove '%s'",
				       key->text);
		else if (!empty && bs_read_map(l, value, "an actor"))
			for (size_t k = 0; k < value->count; k++)
				bs_problem_add(l->problems, value->pairs[k].key->at,
					       "'%s' of an actor is not supported yet; put headers into the actions",
					       value->pairs[k].key->text);
		if (i == 0)
			l->model->actors[0] = key->text;
	}
}

static void read_u32(struct bs_loader *l, const struct bs_yaml *map, const char *key, uint32_t low, uint32_t high,
		     uint32_t *ret_value)
{
	const struct bs_yaml *node = bs_yaml_get(map, key);
	BS_AUTOFREE char *what = bs_xasprintf("explore.%s", key);
	uint64_t value;

	if (node && bs_read_uint(l, node, what, low, high, &value))
		*ret_value = (uint32_t)value;
}

/* Race and retry may be switched off already: then a model says so for later versions as well. */
static void read_off(struct bs_loader *l, const struct bs_yaml *map, const char *key)
{
	const struct bs_yaml *node = bs_yaml_get(map, key);

	if (!node)
		return;
	if (node->kind == BS_Y_SCALAR && (strcmp(node->text, "off") == 0 ||
					  (bs_yaml_type(node) == BS_YT_BOOL && !bs_yaml_true(node))))
		return;
	bs_problem_add(l->problems, node->at, "explore.%s is not supported yet; remove it, or write off", key);
}

static void read_times(struct bs_loader *l, const struct bs_yaml *map, struct bs_explore_config *explore)
{
	const struct bs_yaml *node;
	uint32_t ms;

	if ((node = bs_yaml_get(map, "time")) && bs_read_duration(l, node, "explore.time", &ms))
		explore->time_ms = ms;
	if ((node = bs_yaml_get(map, "timeout")) && bs_read_duration(l, node, "explore.timeout", &ms)) {
		if (ms == 0)
			bs_problem_add(l->problems, node->at, "explore.timeout must be more than 0");
		explore->timeout_ms = ms;
	}
}

static void read_explore(struct bs_loader *l, const struct bs_yaml *node)
{
	static const char *const keys[] = {"strategy", "max_steps", "max_depth", "time",  "seed", "remember",
					   "confirm",  "timeout",   "race",	 "retry", NULL};
	static const char *const strategies[] = {"bfs", "dfs", NULL};
	struct bs_explore_config *explore = &l->model->explore;
	const struct bs_yaml *value;
	size_t choice;

	if (!node || !bs_read_map(l, node, "'explore'"))
		return;
	bs_read_keys(l, node, "'explore'", keys);
	if ((value = bs_yaml_get(node, "strategy")) &&
	    bs_read_choice(l, value, "explore.strategy", strategies, &choice))
		explore->strategy = choice ? BS_DFS : BS_BFS;
	if ((value = bs_yaml_get(node, "max_steps")))
		bs_read_uint(l, value, "explore.max_steps", 0, UINT64_MAX, &explore->max_steps);
	if ((value = bs_yaml_get(node, "seed")))
		bs_read_uint(l, value, "explore.seed", 0, UINT64_MAX, &explore->seed);
	read_u32(l, node, "max_depth", 1, 1000000, &explore->max_depth);
	read_u32(l, node, "remember", 0, 1000, &explore->remember);
	read_u32(l, node, "confirm", 0, 1000, &explore->confirm);
	read_times(l, node, explore);
	read_off(l, node, "race");
	read_off(l, node, "retry");
}

static void read_gate(struct bs_loader *l, const struct bs_yaml *node)
{
	static const char *const keys[] = {"fail_on", NULL};
	static const char *const levels[] = {"critical", "high", "medium", "low", "never", NULL};
	static const enum bs_severity severities[] = {BS_CRITICAL, BS_HIGH, BS_MEDIUM, BS_LOW, BS_CRITICAL};
	const struct bs_yaml *value;
	size_t choice;

	if (!node || !bs_read_map(l, node, "'gate'"))
		return;
	bs_read_keys(l, node, "'gate'", keys);
	if ((value = bs_yaml_get(node, "fail_on")) && bs_read_choice(l, value, "gate.fail_on", levels, &choice)) {
		l->model->gate_severity = severities[choice];
		l->model->gate_never = choice == 4;
	}
}

static void set_defaults(struct bs_model *model, struct bs_arena *arena)
{
	model->explore = (struct bs_explore_config){.strategy = BS_BFS, .max_depth = 10, .time_ms = 60000,
						    .seed = 1, .remember = 1, .confirm = 3, .timeout_ms = 10000};
	model->gate_severity = BS_CRITICAL;
	model->actors = bs_arena_alloc(arena, sizeof *model->actors);
	model->actors[0] = "default";
	model->actor_count = 1;
}

/* "payments" for path/to/payments.yaml */
static const char *name_of_file(struct bs_arena *arena, const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *dot = strrchr(base, '.');

	return bs_arena_dup(arena, base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

void bs_read_config(struct bs_loader *l, const struct bs_yaml *root)
{
	static const char *const keys[] = {"version", "name",	    "app",	"stores",  "setup", "actors", "actions",
					   "invariants", "reach", "explore", "gate", "redact", "not_secret", "script",
					   NULL};
	const struct bs_yaml *node;

	set_defaults(l->model, l->arena);
	l->model->name = name_of_file(l->arena, l->model->path);
	bs_read_keys(l, root, "the model", keys);
	read_version(l, root);
	bs_read_unsupported(l, root, "script");
	if ((node = bs_yaml_get(root, "name")))
		bs_read_text(l, node, "'name'", &l->model->name);
	read_actors(l, bs_yaml_get(root, "actors"));
	read_explore(l, bs_yaml_get(root, "explore"));
	read_gate(l, bs_yaml_get(root, "gate"));
}
