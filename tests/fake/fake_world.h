/*
 * A world without a process, a network or a database: an order service in a few arrays, behind the same
 * interfaces as the real ones (a store's vtable, the world's `send`). The engine's own tests and its bench
 * run on it, so that what they see is the engine.
 *
 *   POST /orders           201 {"id":N}        a row (id, amount, refunded)
 *   POST /orders/N/refund  200, 404            adds amount to refunded, as often as it is asked
 *   DELETE /orders/N       204, 404
 *   GET /orders/N          200, 404
 *   POST /ping             200                 changes nothing that can be seen
 */
#ifndef BS_TESTS_FAKE_WORLD_H
#define BS_TESTS_FAKE_WORLD_H

#include "world/world.h"

struct fake_row {
	int64_t id, amount, refunded;
};

struct fake_world {
	struct fake_row *rows, *root; /* the table, and as it was when the snapshot was taken */
	size_t row_count, row_alloc, root_count;
	int64_t next_id; /* never goes back: as with AUTOINCREMENT, which rollback does not need to restore here */
	uint64_t requests, clones;
	uint64_t ahead_ms;         /* of the clock */
	uint64_t applied_ahead_ms; /* where the clock stood when rows were put back last */
	/* What to do wrong, for tests: */
	bool cache;          /* GET fills a cache which DELETE forgets to clear */
	bool cached[4096];   /* by id: those in it */
	bool late;           /* a refund's row comes only when the store is asked for the second time */
	bool refuse_apply;   /* rollback restores nothing, and says nothing */
	uint64_t images_after; /* requests: from that many on, the store is put back by other means; 0: never */
	unsigned hang_after; /* deletes: from that many on, no answer until the next clone; 0: never */
	unsigned deletes;

	struct bs_store *store;  /* while a world has it */
	struct bs_stores stores; /* until a world takes them over */
};

void fake_init(struct fake_world *fake);
void fake_release(struct fake_world *fake);

/* What to open a world on it with, once. The model has app.command (which is not run) and no stores. */
struct bs_world_options fake_options(struct fake_world *fake);

/* Loads a model from text; aborts with its problems when there are any. */
struct bs_model *fake_model(const char *yaml);

#endif
