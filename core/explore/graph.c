/* The state tree. See graph.h. */
#include "graph.h"

#include "base/mem.h"

void bs_graph_init(struct bs_graph *graph)
{
	*graph = (struct bs_graph){0};
}

void bs_graph_release(struct bs_graph *graph)
{
	for (size_t i = 0; i < graph->count; i++)
		bs_context_unref(graph->states[i].context);
	free(graph->states);
	bs_map_release(&graph->by_key);
	bs_arena_release(&graph->arena);
	bs_graph_init(graph);
}

uint32_t bs_graph_find(const struct bs_graph *graph, struct bs_hash key)
{
	uint32_t i, best = BS_MAP_NONE;
	size_t at = 0;

	while ((i = bs_map_next(&graph->by_key, key.lo, &at)) != BS_MAP_NONE)
		if (bs_hash_equal(graph->states[i].key, key) &&
		    (best == BS_MAP_NONE || graph->states[i].depth < graph->states[best].depth))
			best = i;
	return best;
}

uint32_t bs_graph_add(struct bs_graph *graph, const struct bs_state *state)
{
	if (graph->count == graph->alloc) {
		graph->alloc += graph->alloc / 2 + 64;
		graph->states = bs_xrealloc(graph->states, graph->alloc, sizeof *graph->states);
	}
	uint32_t id = (uint32_t)graph->count++;
	graph->states[id] = *state;
	bs_map_add(&graph->by_key, state->key.lo, id);
	return id;
}

void bs_graph_rekey(struct bs_graph *graph, uint32_t id, struct bs_hash key)
{
	graph->states[id].key = key;
	if (bs_graph_find(graph, key) == BS_MAP_NONE)
		bs_map_add(&graph->by_key, key.lo, id);
}

void bs_graph_rekey_all(struct bs_graph *graph)
{
	bs_map_clear(&graph->by_key);
	for (size_t i = 0; i < graph->count; i++)
		if (bs_graph_find(graph, graph->states[i].key) == BS_MAP_NONE)
			bs_map_add(&graph->by_key, graph->states[i].key.lo, (uint32_t)i);
}

uint32_t bs_graph_common_ancestor(const struct bs_graph *graph, uint32_t a, uint32_t b)
{
	const struct bs_state *s = graph->states;

	while (s[a].depth > s[b].depth)
		a = s[a].parent;
	while (s[b].depth > s[a].depth)
		b = s[b].parent;
	while (a != b) {
		a = s[a].parent;
		b = s[b].parent;
	}
	return a;
}

size_t *bs_graph_path(const struct bs_graph *graph, uint32_t state, size_t *ret_count)
{
	size_t count = graph->states[state].depth;
	size_t *path = bs_xcalloc(count, sizeof *path);

	for (size_t i = count; i-- > 0; state = graph->states[state].parent)
		path[i] = graph->states[state].operation;
	*ret_count = count;
	return path;
}

uint32_t *bs_graph_lineage(const struct bs_graph *graph, uint32_t state, size_t *ret_count)
{
	size_t count = (size_t)graph->states[state].depth + 1;
	uint32_t *lineage = bs_xcalloc(count, sizeof *lineage);

	for (size_t i = count; i-- > 0; state = graph->states[state].parent)
		lineage[i] = state;
	*ret_count = count;
	return lineage;
}
