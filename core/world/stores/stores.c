/* Several stores as one. See stores.h. */
#include "stores.h"

#include "base/mem.h"
#include "base/now.h"
#include "files.h"
#include "postgres.h"
#include "redis.h"
#include "sqlite.h"

#include <string.h>
#include <time.h>

/* How long a store may be locked by the application before that is an error. */
#define PATIENCE_MS 5000

static const struct bs_store_ops *const drivers[] = {
	&bs_store_sqlite,
	&bs_store_postgres,
	&bs_store_redis,
	&bs_store_files,
};

const struct bs_store_ops *bs_store_driver(const char *name)
{
	for (size_t i = 0; i < BS_COUNT(drivers); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

const char *bs_store_driver_name(size_t index)
{
	return index < BS_COUNT(drivers) ? drivers[index]->name : NULL;
}

int bs_stores_add(struct bs_stores *stores, const char *driver, const struct bs_store_options *options,
		  struct bs_err *err)
{
	const struct bs_store_ops *ops = bs_store_driver(driver);
	struct bs_store *store;
	size_t names = stores->count;

	if (!ops)
		return bs_err_set(err, BS_EMODEL, "no such store driver: '%s'", driver);
	int r = ops->open(options, &store, err);
	if (r < 0) {
		bs_err_wrap(err, "store '%s'", options->name);
		return r;
	}
	*BS_PUSH(stores->items, stores->count) = store;
	*BS_PUSH(stores->names, names) = bs_xstrdup(options->name);
	return 0;
}

/* The result as it is, and an error with the store's name. */
static int named(const struct bs_stores *stores, size_t store, int r, struct bs_err *err)
{
	if (r < 0)
		bs_err_wrap(err, "store '%s'", stores->names[store]);
	return r;
}

int bs_stores_clone(struct bs_stores *stores, struct bs_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < stores->count; i++)
		r = named(stores, i, stores->items[i]->ops->clone(stores->items[i], err), err);
	return r;
}

bool bs_stores_snapshot_alone(const struct bs_stores *stores)
{
	for (size_t i = 0; i < stores->count; i++)
		if (stores->items[i]->snapshot_alone)
			return true;
	return false;
}

int bs_stores_snapshot(struct bs_stores *stores, struct bs_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < stores->count; i++)
		r = named(stores, i, stores->items[i]->ops->snapshot(stores->items[i], err), err);
	return r;
}

static void number_tables(struct bs_stores *stores)
{
	stores->table_count = 0;
	free(stores->first_table);
	stores->first_table = bs_xcalloc(stores->count, sizeof *stores->first_table);
	for (size_t i = 0; i < stores->count; i++) {
		size_t count, owners;
		const struct bs_table *tables = stores->items[i]->ops->schema(stores->items[i], &count);
		stores->first_table[i] = stores->table_count;
		for (size_t t = 0; t < count; t++) {
			owners = stores->table_count;
			*BS_PUSH(stores->tables, stores->table_count) = &tables[t];
			*BS_PUSH(stores->table_store, owners) = i;
		}
	}
}

int bs_stores_begin(struct bs_stores *stores, struct bs_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < stores->count; i++)
		r = named(stores, i, stores->items[i]->ops->begin(stores->items[i], err), err);
	if (r == 0)
		number_tables(stores);
	return r;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static int patient_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err)
{
	int r = store->ops->changes(store, ret_changes, err);

	for (int64_t until_ms = r == BS_EBUSY ? (int64_t)bs_now_ms() + PATIENCE_MS : 0; r == BS_EBUSY;) {
		if ((int64_t)bs_now_ms() > until_ms)
			return bs_err_set(err, BS_ESTORE, "the application answered and keeps a lock: what it changed "
					  "cannot be read (%s)", bs_err_text(err));
		pause_ms(5);
		r = store->ops->changes(store, ret_changes, err);
	}
	return r;
}

int bs_stores_changes(struct bs_stores *stores, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct bs_changes one;

	stores->change_count = 0;
	for (size_t i = 0; i < stores->count; i++) {
		int r = named(stores, i, patient_changes(stores->items[i], &one, err), err);
		if (r < 0)
			return r;
		for (size_t c = 0; c < one.count; c++) {
			struct bs_change *change = BS_PUSH(stores->changes, stores->change_count);
			*change = one.items[c];
			change->table += (uint32_t)stores->first_table[i];
		}
	}
	*ret_changes = (struct bs_changes){stores->changes, stores->change_count};
	return 0;
}

/* The rows of one store, with its own table numbers. sign -1 takes them back. */
static struct bs_net_row *rows_of(const struct bs_stores *stores, size_t store, const struct bs_net_row *rows,
				  size_t count, int sign, size_t *ret_count)
{
	struct bs_net_row *own = bs_xcalloc(count, sizeof *own);
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (stores->table_store[rows[i].table] != store)
			continue;
		own[n] = rows[i];
		own[n].table -= (uint32_t)stores->first_table[store];
		own[n++].count *= sign;
	}
	*ret_count = n;
	return own;
}

static int apply_one(struct bs_stores *stores, size_t store, const struct bs_net_row *rows, size_t count,
		     int sign, struct bs_err *err)
{
	size_t own_count;
	BS_AUTOFREE struct bs_net_row *own = rows_of(stores, store, rows, count, sign, &own_count);
	struct bs_store *s = stores->items[store];

	return own_count ? s->ops->apply(s, own, own_count, err) : 0;
}

int bs_stores_apply(struct bs_stores *stores, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	for (size_t i = 0; i < stores->count; i++) {
		int r = apply_one(stores, i, rows, count, 1, err);
		if (r == 0)
			continue;
		for (size_t done = i; done-- > 0;) {
			struct bs_err again = BS_ERR_INIT;
			if (apply_one(stores, done, rows, count, -1, &again) < 0) {
				r = bs_err_set(err, BS_EINTERNAL, "store '%s' could not be taken back: %s",
					       stores->names[done], bs_err_text(&again));
				bs_err_release(&again);
				return r;
			}
		}
		if (r != BS_EBUSY)
			bs_err_wrap(err, "store '%s'", stores->names[i]);
		return r;
	}
	return 0;
}

int bs_stores_digest(struct bs_stores *stores, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err)
{
	uint64_t all = 0;

	for (size_t i = 0; i < stores->count; i++) {
		uint64_t digest = 0;
		struct bs_store *s = stores->items[i];
		uint64_t *own_tables = ret_tables ? ret_tables + stores->first_table[i] : NULL;
		int r = named(stores, i, s->ops->digest(s, &digest, own_tables, err), err);
		if (r < 0)
			return r;
		all = (all ^ digest) * 0x9E3779B97F4A7C15u;
	}
	*ret_digest = all;
	return 0;
}

const char *bs_stores_property(const struct bs_stores *stores, const char *store, const char *property)
{
	for (size_t i = 0; i < stores->count; i++)
		if (strcmp(stores->names[i], store) == 0)
			return stores->items[i]->ops->property(stores->items[i], property);
	return NULL;
}

uint64_t bs_stores_applied_rows(const struct bs_stores *stores)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < stores->count; i++) {
		struct bs_store_stats stats;
		stores->items[i]->ops->stats(stores->items[i], &stats);
		rows += stats.applied_rows;
	}
	return rows;
}

void bs_stores_close(struct bs_stores *stores)
{
	for (size_t i = 0; i < stores->count; i++) {
		stores->items[i]->ops->close(stores->items[i]);
		free(stores->names[i]);
	}
	free(stores->items);
	free(stores->names);
	free(stores->tables);
	free(stores->table_store);
	free(stores->first_table);
	free(stores->changes);
	*stores = (struct bs_stores){0};
}
