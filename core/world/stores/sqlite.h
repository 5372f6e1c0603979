/*
 * The SQLite driver. Its parts: sqlite_db.c (connections), sqlite_copy.c (clones), sqlite_text.c (reading SQL),
 * sqlite_schema.c (what is there), sqlite_triggers.c (what notes the keys of changed rows), sqlite_rows.c (rows by
 * key), sqlite_track.c (from notes to changes), sqlite_apply.c (putting rows), sqlite_query.c (rules that ask in
 * SQL), sqlite_digest.c (reading everything), sqlite.c (the driver's table).
 *
 * How it works. The application writes to a clone through its own connection, and commits. Triggers on
 * the clone note the *keys* of rows that a statement touches; noting too much does no harm. A shadow, a
 * copy of the clone that only this driver has, still holds the rows as they were. What a step changed is
 * the difference between clone and shadow at the noted keys; then it is applied to the shadow too.
 * Putting rows back is an ordinary transaction, which the application sees as somebody's commit. The
 * driver's own connections fire no triggers and no cascades.
 *
 * Why not the file itself: overwriting it leaves stale pages in the application's cache.
 *
 * Invisible to all this, and found only by a digest: sqlite3_blob_write in between noted writes, a connection of
 * the application with triggers disabled, ATTACHed and TEMP databases.
 */
#ifndef BS_WORLD_SQLITE_H
#define BS_WORLD_SQLITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "row.h"

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
	const char **keys;   /* what a note holds: the rowid, or the columns of the primary key */
	const char **key_collations; /* of the index that keeps them unique */
	size_t *key_cells;   /* where they are in an image */
	size_t key_count;
	const char **columns; /* of an image */
	size_t column_count;
	bool autoincrement;
	sqlite3_stmt *select[2]; /* by side; one row by key, or all of a table that is compared whole */
	sqlite3_stmt *delete[2]; /* one row by key, or all */
	sqlite3_stmt *insert[2]; /* an image */
};

/* Several images, one behind the other. */
struct bs_sqlite_rows {
	struct bs_buf bytes;
	size_t *ends; /* of each in bytes */
	size_t count;
};

struct bs_sqlite_query {
	char *text;
	sqlite3_stmt *stmt;
};

struct bs_sqlite {
	struct bs_store store; /* first: this is the base */
	char *original; /* the user's file; may not exist */
	char *folder;   /* of the clone and the snapshot */
	char *live_path;
	char *snapshot_path;
	char *shadow_path;
	bool has_snapshot;
	uint64_t shadow_memory_max; /* bytes; a larger shadow is a file */
	uint64_t notes_max;         /* for one step: images of more rows would fill the memory */

	/* From the first begin on: */
	struct bs_sqlite_table *tables;
	struct bs_table *schema; /* the same tables, as the rest of the program sees them */
	size_t table_count;
	struct bs_arena arena;   /* names of the schema */
	size_t note_keys;        /* columns of the note table */
	bool schema_known;
	uint64_t schema_digest;

	/* Between begin and the next clone: */
	sqlite3 *live, *shadow, *reader;
	sqlite3_stmt *data_version, *schema_version, *notes, *clear_notes;
	sqlite3_stmt *pragmas[2][2]; /* by side: user_version, application_id */
	int64_t watermark;       /* notes up to this one were read */
	int64_t version;         /* of the data, when it was last read */
	int64_t schema_at_begin;
	struct bs_sqlite_query *queries;
	size_t query_count;
	size_t next_query; /* the one to be dropped for a new one, when there are many */

	/* What the last call of changes gave: */
	struct bs_change *changes;
	size_t change_count;
	struct bs_arena images;
	struct bs_sqlite_seen { /* keys and images that were looked at in this call */
		uint32_t table;
		struct bs_blob bytes;
	} *seen;
	size_t seen_count;
	struct bs_map seen_index;

	struct bs_store_stats stats;
};

/* --- sqlite_db.c ------------------------------------------------------------------------------------- */

/* Sets err from the connection: BS_EBUSY where a lock is in the way, else BS_ESTORE. */
int bs_sqlite_fail(sqlite3 *db, int rc, const char *what, struct bs_err *err);
int bs_sqlite_exec(sqlite3 *db, const char *sql, struct bs_err *err);
int bs_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt, struct bs_err *err);
/* The first column of the first row. */
int bs_sqlite_number(sqlite3_stmt *stmt, int64_t *ret_value, struct bs_err *err);
/* The same, prepared for this once. */
int bs_sqlite_ask(sqlite3 *db, const char *sql, int64_t *ret_value, struct bs_err *err);
/* Runs a statement that gives no rows. */
int bs_sqlite_run(sqlite3_stmt *stmt, struct bs_err *err);
/* Opens for the driver's own use: no triggers, no cascades, no checks. */
int bs_sqlite_open(const char *path, int flags, sqlite3 **ret_db, struct bs_err *err);
/* Ends a transaction: COMMIT where r is 0, ROLLBACK where it is not or where the COMMIT fails. */
int bs_sqlite_end(sqlite3 *db, int r, struct bs_err *err);
/* One cell of a row, and one row, as packed images. */
void bs_sqlite_pack_cell(sqlite3_stmt *stmt, int column, struct bs_buf *image);
void bs_sqlite_pack(sqlite3_stmt *stmt, struct bs_buf *image);
/* A cell into the parameter at index, from 1; a whole image into the parameters from 1 on. The bytes must stay until
 * the statement is reset. */
void bs_sqlite_bind(sqlite3_stmt *stmt, int index, const struct bs_cell *cell);
void bs_sqlite_bind_image(sqlite3_stmt *stmt, struct bs_blob image);
/* Text with %w and %Q, which quote. Appends to sql. */
void bs_sqlite_add(struct bs_buf *sql, const char *format, ...);

/* --- sqlite_copy.c ----------------------------------------------------------------------------------- */

/* Says plainly what is wrong with the user's file, if it is there at all. Changes nothing. */
int bs_sqlite_look_at(const char *path, bool *ret_exists, struct bs_err *err);
/* A copy of the user's file, of which neither the file nor its folder shows a trace. */
int bs_sqlite_copy_original(struct bs_sqlite *s, struct bs_err *err);
/* From one connection to another, waiting for locks. */
int bs_sqlite_copy(sqlite3 *from, sqlite3 *to, struct bs_err *err);
/* From a connection to a new file. */
int bs_sqlite_copy_to(sqlite3 *from, const char *path, struct bs_err *err);
/* From one of our own files, which nobody has open, to a new file. */
int bs_sqlite_copy_file(const char *from, const char *path, struct bs_err *err);
/* Removes a database with its journals. */
void bs_sqlite_remove(const char *path);

/* --- sqlite_schema.c --------------------------------------------------------------------------------- */

/* Reads the tables into s->tables and s->schema, the first time; then they must stay as they are. Refuses, with its
 * name, what cannot be tracked. */
int bs_sqlite_read_schema(struct bs_sqlite *s, struct bs_err *err);
void bs_sqlite_forget_schema(struct bs_sqlite *s);
/* Each row of a query on the live database; argument (may be NULL) is ?1. fn returns 0 or an error. */
typedef int (*bs_sqlite_row_fn)(void *ctx, sqlite3_stmt *row, struct bs_err *err);
int bs_sqlite_each(sqlite3 *db, const char *sql, const char *argument, bs_sqlite_row_fn fn, void *ctx,
		   struct bs_err *err);
/* The text of a cell, "" for NULL. Borrowed until the row is left. */
const char *bs_sqlite_text_at(sqlite3_stmt *row, int column);

/* --- sqlite_triggers.c ------------------------------------------------------------------------------- */

#define BS_SQLITE_PREFIX "_backstep_"
#define BS_SQLITE_NOTES BS_SQLITE_PREFIX "notes"
/* Notes that are no table's: see sqlite_triggers.c. */
#define BS_NOTE_FIRST (-1)
#define BS_NOTE_AGAIN (-2)
#define BS_NOTE_RECURSIVE (-3)

/* In a transaction of the caller. Removes what an earlier run left, and installs note table and triggers. */
int bs_sqlite_install(struct bs_sqlite *s, struct bs_err *err);
/* Likewise, removing only. */
int bs_sqlite_uninstall(sqlite3 *db, struct bs_err *err);

/* --- sqlite_rows.c ----------------------------------------------------------------------------------- */

int bs_sqlite_prepare_rows(struct bs_sqlite *s, struct bs_err *err);
/* Also of whatever else was prepared. */
void bs_sqlite_finalize(struct bs_sqlite *s);
void bs_sqlite_rows_add(struct bs_sqlite_rows *rows, sqlite3_stmt *row);
void bs_sqlite_rows_release(struct bs_sqlite_rows *rows);
struct bs_blob bs_sqlite_rows_at(const struct bs_sqlite_rows *rows, size_t index);
/* All rows of a WHOLE table, or the one row of the PRAGMA table. */
int bs_sqlite_read_whole(struct bs_sqlite *s, enum bs_sqlite_side side, size_t table, struct bs_sqlite_rows *rows,
			 struct bs_err *err);
/* Makes those the rows of such a table. */
int bs_sqlite_write_whole(struct bs_sqlite *s, enum bs_sqlite_side side, size_t table,
			  const struct bs_blob *rows, size_t count, struct bs_err *err);

/* --- sqlite_track.c ---------------------------------------------------------------------------------- */

int bs_sqlite_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err);
void bs_sqlite_forget_changes(struct bs_sqlite *s);
/* Fails when the tables are not what they were when tracking began, or the file is another. */
int bs_sqlite_check_schema(struct bs_sqlite *s, struct bs_err *err);

/* --- sqlite_apply.c ---------------------------------------------------------------------------------- */

int bs_sqlite_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err);
/* The same on one side, in a transaction of the caller. */
int bs_sqlite_put(struct bs_sqlite *s, enum bs_sqlite_side side, const struct bs_net_row *rows, size_t count,
		  struct bs_err *err);

/* --- sqlite_query.c ---------------------------------------------------------------------------------- */

int bs_sqlite_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		    struct bs_err *err);
/* Opens the connection that only reads. */
int bs_sqlite_open_reader(struct bs_sqlite *s, struct bs_err *err);
void bs_sqlite_close_reader(struct bs_sqlite *s);

/* --- sqlite_digest.c --------------------------------------------------------------------------------- */

int bs_sqlite_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err);
/* One table as it is on a connection. */
int bs_sqlite_digest_table(struct bs_sqlite *s, sqlite3 *db, size_t table, uint64_t *ret_digest,
			   struct bs_err *err);

#endif
