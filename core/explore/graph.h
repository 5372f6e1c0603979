/*
 * The state tree. Every new state is a node; the edge from its parent keeps the delta of the step that
 * made it. States are numbered in the order of their discovery, the root is 0. Everything lives in one
 * arena and goes with it.
 */
#ifndef BS_EXPLORE_GRAPH_H
#define BS_EXPLORE_GRAPH_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"
#include "judge/check.h"
#include "world/context.h"
#include "world/stores/delta.h"

/* The last steps of a path that led to nothing new on it: what the application may have remembered of
 * them is invisible, so states that differ in them are not the same. Where such a step was taken counts too: an order
 * that was read before it was refunded is another memory than one that was read after it. */
struct bs_memory {
	uint32_t count;
	struct {
		uint64_t place; /* of the visible part of the state */
		uint32_t operation;
		int32_t status;
	} items[];
};

struct bs_state {
	struct bs_hash key;     /* identity: visible, memory and blindness */
	struct bs_hash visible; /* rows, context and clock */
	const struct bs_delta *delta; /* of the edge from the parent; NULL: no row changed */
	struct bs_context *context;   /* one reference is the state's */
	const struct bs_memory *memory; /* shared with the parent where equal; NULL: none */
	const struct bs_failing *failing; /* the rows that fail state rules here; shared; NULL: none */
	uint64_t blind;     /* a number of its own for each write that we could not see; 0: none */
	uint32_t parent;
	uint32_t operation; /* of the edge */
	uint32_t depth;
};

struct bs_graph {
	struct bs_state *states;
	size_t count, alloc;
	struct bs_map by_key;
	struct bs_arena arena;
	size_t again; /* of count, those that have the key of another one */
};

void bs_graph_init(struct bs_graph *graph);
void bs_graph_release(struct bs_graph *graph);

/* The state with that key that is nearest to the root, or BS_MAP_NONE. There are several when depth-first exploring met
 * one again on a shorter way: what follows it was cut off by the depth before. */
uint32_t bs_graph_find(const struct bs_graph *graph, struct bs_hash key);

/* Adds a state and gives its number. Takes over the reference to its context. Pointers to states are good
 * until the next add. */
uint32_t bs_graph_add(struct bs_graph *graph, const struct bs_state *state);

/* Gives a state another key: rows came late. The old key leads nowhere then, as finding compares keys. Where
 * another state has the new key already, that one is found. */
void bs_graph_rekey(struct bs_graph *graph, uint32_t id, struct bs_hash key);

/* The same for all, after their keys were changed: a mask was learned. */
void bs_graph_rekey_all(struct bs_graph *graph);

uint32_t bs_graph_common_ancestor(const struct bs_graph *graph, uint32_t a, uint32_t b);

/* The operations from the root to a state. The caller's to free; *ret_count is the state's depth. */
size_t *bs_graph_path(const struct bs_graph *graph, uint32_t state, size_t *ret_count);

/* The states from the root (included) to a state (included): depth + 1 of them. The caller's to free. */
uint32_t *bs_graph_lineage(const struct bs_graph *graph, uint32_t state, size_t *ret_count);

#endif
