/*
 * All stores of a world as one: their tables are numbered through, a step's changes span them all, and a
 * net change is applied to each. The order is that of the model.
 */
#ifndef BS_WORLD_STORES_H
#define BS_WORLD_STORES_H

#include <backstep/store.h>

struct bs_stores {
	struct bs_store **items;
	char **names;
	size_t count;
	/* After begin: */
	const struct bs_table **tables; /* every table of every store */
	size_t *table_store;            /* the store that it is in */
	size_t *first_table;            /* of each store */
	size_t table_count;
	struct bs_change *changes;      /* of the last bs_stores_changes, tables numbered through */
	size_t change_count;
};

/* The driver of that name; NULL when there is none. */
const struct bs_store_ops *bs_store_driver(const char *name);
const char *bs_store_driver_name(size_t index); /* NULL past the last */

int bs_stores_add(struct bs_stores *stores, const char *driver, const struct bs_store_options *options,
		  struct bs_err *err);
int bs_stores_clone(struct bs_stores *stores, struct bs_err *err);
/* Whether one of them is copied only while nobody uses it. */
bool bs_stores_snapshot_alone(const struct bs_stores *stores);
int bs_stores_snapshot(struct bs_stores *stores, struct bs_err *err);
int bs_stores_begin(struct bs_stores *stores, struct bs_err *err);

/* What changed since the last call, in all stores: valid until the next call. A store that the application keeps
 * locked is asked again for some seconds; then that is BS_ESTORE, since what others reported cannot be kept back. */
int bs_stores_changes(struct bs_stores *stores, struct bs_changes *ret_changes, struct bs_err *err);

/* Applies a net change, rows ordered by table. BS_EBUSY with nothing applied: changes came meanwhile, read them
 * first. Where one store fails after another was changed, the others are taken back; if that fails too, the
 * error is BS_EINTERNAL and the world is broken. */
int bs_stores_apply(struct bs_stores *stores, const struct bs_net_row *rows, size_t count, struct bs_err *err);

int bs_stores_digest(struct bs_stores *stores, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err);

/* "path" or "url" of a store by name, for placeholders; NULL when there is none. */
const char *bs_stores_property(const struct bs_stores *stores, const char *store, const char *property);

uint64_t bs_stores_applied_rows(const struct bs_stores *stores);

/* Closes everything and forgets it. */
void bs_stores_close(struct bs_stores *stores);

#endif
