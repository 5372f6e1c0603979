/*
 * Changes as values: the delta of a step, kept on an edge of the state tree, and the net change of
 * several of them, which is what a store is asked to apply.
 *
 * The net change is a multiset sum. Going forward over an edge counts +1 for each image after and -1
 * for each image before; going back counts the other way. What sums to zero is not touched. So a walk
 * over many edges costs what differs between its two ends, and the order of the edges does not matter.
 *
 * Tables are numbered over all stores of a world (stores.h).
 */
#ifndef BS_WORLD_DELTA_H
#define BS_WORLD_DELTA_H

#include "base/arena.h"

#include <backstep/store.h>

struct bs_delta {
	uint32_t count;
	struct bs_change items[]; /* in the order of the application's writes */
};

/* A copy whose images lie behind it in one block of the arena. NULL for no changes. */
const struct bs_delta *bs_delta_new(struct bs_arena *arena, const struct bs_change *items, size_t count);

/* The two one behind the other; either may be NULL. For rows that came late. */
const struct bs_delta *bs_delta_join(struct bs_arena *arena, const struct bs_delta *first,
				     const struct bs_delta *second);

struct bs_net;
struct bs_net *bs_net_new(void);
void bs_net_free(struct bs_net *net);
void bs_net_clear(struct bs_net *net); /* keeps the memory: one net serves a whole run */

enum bs_direction { BS_UNDO = -1, BS_REDO = 1 };
void bs_net_add(struct bs_net *net, const struct bs_delta *delta, enum bs_direction direction);

/* The rows that do not sum to zero, ordered by table. Images are borrowed from the deltas that were added.
 * Valid until the next call on net. */
const struct bs_net_row *bs_net_rows(struct bs_net *net, size_t *ret_count);

#endif
