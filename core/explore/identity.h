/*
 * When two states are the same. The key of a state is a hash of what we can observe of it:
 *
 * - the canonical net delta from the root: the rows that differ from it, the new ones in the order in
 *   which they were made, with generated keys, and declared references to them, replaced by their place
 *   in that order. So `create, delete, create` meets `create` though the row has another number. Its
 *   cost depends on what changed on the path, never on the size of the database;
 * - the context: a captured identifier counts by the row that it names (a dead token when that row is
 *   gone, which is not the same as never captured), other values as they are;
 * - masks: volatile columns count only as NULL or not NULL, and by where the clock stood when their row was written;
 * - how far the application's clock was moved on.
 *
 * Memory and blindness are mixed in by bs_identity_key: see graph.h.
 */
#ifndef BS_EXPLORE_IDENTITY_H
#define BS_EXPLORE_IDENTITY_H

#include "graph.h"
#include "world/world.h"

struct bs_identity;

/* Reads the tables of the stores and the model's `ignore:`; both must outlive it. */
struct bs_identity *bs_identity_new(const struct bs_model *model, const struct bs_stores *stores);
void bs_identity_free(struct bs_identity *identity);

/* Masks a column. Returns false when it was masked already. Known states are to be keyed again then. */
bool bs_identity_mask(struct bs_identity *identity, uint32_t table, uint32_t column);
bool bs_identity_masked(const struct bs_identity *identity, uint32_t table, uint32_t column);
bool bs_identity_mask_variable(struct bs_identity *identity, size_t var);

/* The visible part of the state that is reached from `parent` by an operation with `delta`, with that context. The root
 * is its own parent, with no delta. */
#define BS_AT_ROOT UINT32_MAX
struct bs_hash bs_identity_visible(struct bs_identity *identity, const struct bs_graph *graph, uint32_t parent,
				   uint32_t operation, const struct bs_delta *delta, const struct bs_context *context);

struct bs_hash bs_identity_key(struct bs_hash visible, const struct bs_memory *memory, uint64_t blind);

#endif
