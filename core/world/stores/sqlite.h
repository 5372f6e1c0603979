/*
 * The SQLite driver. Its parts: sqlite_db.c (connections and copies), sqlite_schema.c (what is there),
 * sqlite_triggers.c (what notes the keys of changed rows), sqlite_track.c (from notes to changes, and
 * applying them), sqlite_query.c (rules that ask in SQL), sqlite.c (the driver's table).
 *
 * How it works. The application writes to a clone through its own connection, and commits. Triggers on
 * the clone note the *keys* of rows that a statement touches; noting too much does no harm. A shadow, a
 * copy of the clone that only this driver has, still holds the rows as they were. What a step changed is
 * the difference between clone and shadow at the noted keys; then it is applied to the shadow too.
 * Putting rows back is an ordinary transaction, which the application sees as somebody's commit. The
 * driver's own connections fire no triggers and no cascades.
 *
 * Why not the file itself: overwriting it leaves stale pages in the application's cache.
 */
#ifndef BS_WORLD_SQLITE_H
#define BS_WORLD_SQLITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

#include <backstep/store.h>
#include <sqlite3.h>

extern const struct bs_store_ops bs_store_sqlite;

enum bs_sqlite_side { BS_LIVE, BS_SHADOW };

enum bs_sqlite_table_kind {
	BS_SQLITE_ROWS,   /* has triggers; compared at noted keys */
	BS_SQLITE_WHOLE,  /* sqlite_sequence, sqlite_stat1, ...: compared and written whole */
	BS_SQLITE_PRAGMA, /* user_version and application_id, as one row */
};

struct bs_sqlite_table {
	enum bs_sqlite_table_kind kind;
	const char *name;
	const char *rowid;   /* a rowid alias that no column hides; NULL: WITHOUT ROWID */
	const char *key_column; /* the INTEGER PRIMARY KEY; NULL: none */
	const char **keys;   /* what a note holds: the rowid, or the columns of the primary key */
	size_t *key_cells;   /* where they are in an image */
	size_t key_count;
	const char **columns; /* of an image */
	size_t column_count;
	bool autoincrement;
	sqlite3_stmt *select[2], *delete[2], *insert[2]; /* one row by key; by side */
};

struct bs_sqlite {
	struct bs_store store; /* first: this is the base */
	char *name;
	char *original; /* the user's file; may not exist */
	char *folder;   /* of the clone and the snapshot */
	char *live_path;
	char *snapshot_path; /* NULL until there is one */

	/* Between begin and the next clone: */
	sqlite3 *live, *shadow, *reader;
	struct bs_sqlite_table *tables;
	struct bs_table *schema; /* the same tables, as the rest of the program sees them */
	size_t table_count;
	struct bs_arena arena;   /* names of the schema */
	sqlite3_stmt *data_version, *schema_version, *notes, *clear_notes;
	int64_t watermark;       /* notes up to this one were read */
	int64_t version;         /* of the data, when it was last read */
	int64_t schema_at_begin;
	size_t note_keys;        /* columns of the note table */
	struct bs_sqlite_query {
		char *text;
		sqlite3_stmt *stmt;
	} *queries;
	size_t query_count;

	/* What the last call of changes gave: */
	struct bs_change *changes;
	size_t change_count;
	struct bs_arena images;
	struct bs_map seen;

	struct bs_store_stats stats;
};

/* --- sqlite_db.c ------------------------------------------------------------------------------------- */

/* Sets err from the connection: BS_EBUSY where a lock is in the way, else BS_ESTORE. */
int bs_sqlite_fail(sqlite3 *db, int rc, const char *what, struct bs_err *err);
int bs_sqlite_exec(sqlite3 *db, const char *sql, struct bs_err *err);
int bs_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt, struct bs_err *err);
/* The first column of the first row. */
int bs_sqlite_number(sqlite3_stmt *stmt, int64_t *ret_value, struct bs_err *err);
/* Opens for the driver's own use: no triggers, no cascades, no checks. */
int bs_sqlite_open(const char *path, int flags, sqlite3 **ret_db, struct bs_err *err);
int bs_sqlite_copy(sqlite3 *from, sqlite3 *to, struct bs_err *err);
/* One row as a packed image. */
void bs_sqlite_pack(sqlite3_stmt *stmt, struct bs_buf *image);
/* Text with %w and %Q, which quote; freed with sqlite3_free. Appends to sql. */
void bs_sqlite_add(struct bs_buf *sql, const char *format, ...);

/* --- sqlite_schema.c --------------------------------------------------------------------------------- */

/* Reads the tables into s->tables and s->schema. Refuses, with its name, what cannot be tracked. */
int bs_sqlite_read_schema(struct bs_sqlite *s, struct bs_err *err);

/* --- sqlite_triggers.c ------------------------------------------------------------------------------- */

#define BS_SQLITE_NOTES "_backstep_notes"
#define BS_SQLITE_PREFIX "_backstep_"
/* Notes that are no table's: see sqlite_triggers.c. */
#define BS_NOTE_FIRST (-1)
#define BS_NOTE_RECURSIVE (-2)

/* In a transaction of the caller. Removes what an earlier run left, and installs note table and triggers. */
int bs_sqlite_install(struct bs_sqlite *s, struct bs_err *err);
int bs_sqlite_uninstall(sqlite3 *db, struct bs_err *err);

/* --- sqlite_track.c ---------------------------------------------------------------------------------- */

int bs_sqlite_prepare_tracking(struct bs_sqlite *s, struct bs_err *err);
void bs_sqlite_finalize(struct bs_sqlite *s);
int bs_sqlite_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err);

/* --- sqlite_apply.c ---------------------------------------------------------------------------------- */

int bs_sqlite_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err);
/* The same on one side, in a transaction of the caller. */
int bs_sqlite_put(struct bs_sqlite *s, enum bs_sqlite_side side, const struct bs_net_row *rows, size_t count,
		  struct bs_err *err);

/* --- sqlite_query.c ---------------------------------------------------------------------------------- */

int bs_sqlite_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		    struct bs_err *err);
int bs_sqlite_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err);
/* The same of a connection that is open. */
int bs_sqlite_digest_of(struct bs_sqlite *s, sqlite3 *db, uint64_t *ret_digest, uint64_t *ret_tables,
			struct bs_err *err);

#endif
