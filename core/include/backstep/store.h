/*
 * What a data store driver is. A driver only *reports* and *applies* changes; the tree, the walking and
 * the combining of changes live in explore/, once for all drivers.
 *
 * Images are packed rows (row.h): the cells of a row in the order of its table's columns, hidden row
 * identifiers included, so that an image alone is enough to delete the row or to put it back. All
 * thinking is in multisets: a net change is a list of images with a count, negative to delete and
 * positive to insert, and its order does not matter.
 *
 * Life of a store:  open → clone (live file or database for the app, from the user's original; the app
 * starts, setup runs) → snapshot (this is the root) → begin (install what is needed to see changes) →
 * changes/apply ... → close. A clean start is: app stopped, clone(from the snapshot), app started, begin.
 *
 * Threads: a store belongs to one thread. Errors are BS_ESTORE unless said otherwise.
 */
#ifndef BACKSTEP_STORE_H
#define BACKSTEP_STORE_H

#include <backstep/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bs_blob { /* bytes that somebody else owns; data NULL: no row */
	const void *data;
	uint32_t len;
};

struct bs_column {
	const char *name;
	bool hidden;        /* a row identifier that no SELECT * shows: identity yes, reports no */
	bool key;           /* part of what names a row for people: "orders #1" */
	bool generated;     /* the store made the value up (a sequence, a rowid): renamed in identities */
	int ref_table;      /* a declared reference: index of the table, else -1 */
	int ref_column;     /* and of the column in it */
	bool volatile_default; /* the schema itself says so: DEFAULT CURRENT_TIMESTAMP, now(), ... */
};

struct bs_table {
	const char *name;
	struct bs_column *columns; /* in the order of the cells of an image */
	size_t column_count;
	bool bookkeeping; /* positions of sequences and the like: moved with the rest, no part of identity or reports */
};

/* One row that a step changed. Tables are given by their index in schema(). */
struct bs_change {
	uint32_t table;
	struct bs_blob before; /* data NULL: inserted */
	struct bs_blob after;  /* data NULL: deleted */
};
struct bs_changes { /* in the order in which the application wrote */
	struct bs_change *items;
	size_t count;
};

/* One entry of a net change: count < 0 deletes that many copies of the image, > 0 inserts them. */
struct bs_net_row {
	uint32_t table;
	int32_t count;
	struct bs_blob image;
};

struct bs_store_stats {
	uint64_t applied_rows;  /* images deleted and inserted by apply since open */
	uint64_t applies;       /* calls of apply that changed something */
	const char *mechanism;  /* "triggers", "images": what the report names; may become another during a run */
	const char *why;        /* why it is not the driver's usual one; NULL: it is. Both borrowed until the next call */
	uint64_t size_bytes;
	const char *location;   /* where the original is, for people: without a password; NULL: the path says it */
};

/* How a driver hands over rows of a query: cells as JSON-ready text would lose types, so one packed image
 * for each row, and the names of the columns. Borrowed for the call. Return nonzero to stop. */
typedef int (*bs_row_fn)(void *ctx, const char *const *columns, size_t column_count, struct bs_blob image);

struct bs_store;

struct bs_store_options {
	const char *name;    /* the store's name in the model */
	const char *path;    /* absolute, or NULL */
	const char *url;     /* or NULL */
	bool in_place;       /* the user allows it: no clone, the original itself is used and put back at the end */
	const char *workdir; /* a private directory of this run: clones and snapshots go here */
};

struct bs_store_ops {
	const char *name; /* "sqlite" */

	/* Optional. What in a url must never be shown: a password. The caller's; NULL: nothing. */
	char *(*secret)(const char *url);
	/* Required. Looks at the user's original without changing it. */
	int (*open)(const struct bs_store_options *options, struct bs_store **ret_store, struct bs_err *err);
	/* Required. Makes the live copy that the app uses, from the snapshot if there is one, else from the
	 * original. Called while no app runs. A second call replaces the live copy. */
	int (*clone)(struct bs_store *store, struct bs_err *err);
	/* Required. Keeps the live copy as it is now as the root. */
	int (*snapshot)(struct bs_store *store, struct bs_err *err);
	/* Required. Installs what is needed to see changes, and reads the schema. What cannot be tracked is
	 * refused here with the table named. */
	int (*begin)(struct bs_store *store, struct bs_err *err);
	/* Required. The changes since the last call (or begin, or apply). They stay valid until the next call.
	 * BS_EBUSY: the application holds a lock; try again. */
	int (*changes)(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err);
	/* Required. Applies a net change in one transaction: all or nothing. BS_EBUSY as above, and also when
	 * the application wrote since the last changes(): read them first. */
	int (*apply)(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err);
	/* Required. A digest of every table, read on a fresh connection, bookkeeping included. ret_tables
	 * (may be NULL) gets one digest for each table of schema(), so that a difference can be named. */
	int (*digest)(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err);
	/* Required where the store speaks a query language: one statement that only reads, within timeout_ms.
	 * BS_ESTORE with the store's own words where it is no legal query. */
	int (*query)(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		     struct bs_err *err);
	/* Optional. Takes away what runs that were killed left: in a database that was used in place the root is
	 * put back, clones of theirs are removed. Between open and close, instead of all else. */
	int (*recover)(struct bs_store *store, struct bs_err *err);
	/* Required. Removes everything that was installed or cloned. Accepts NULL. */
	void (*close)(struct bs_store *store);

	/* Required, all valid after begin. */
	const struct bs_table *(*schema)(struct bs_store *store, size_t *ret_count);
	void (*stats)(struct bs_store *store, struct bs_store_stats *ret_stats);
	/* What placeholders give to the app: "path" or "url"; NULL for other names. After clone. */
	const char *(*property)(struct bs_store *store, const char *name);
	/* Optional. What the user should know, one by one from index 0; NULL past the last. After begin. */
	const char *(*warning)(struct bs_store *store, size_t index);
};

/* The first member of every driver's own struct. */
struct bs_store {
	const struct bs_store_ops *ops;
	bool snapshot_alone; /* nobody may use the live copy while snapshot() copies it: the app is stopped for it */
};

#endif
