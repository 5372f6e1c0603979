/*
 * The SQLite driver. Its parts: sqlite_db.c (connections), sqlite_copy.c (clones), sqlite_text.c (reading SQL),
 * sqlite_schema.c (what is there), sqlite_triggers.c (what notes the keys of changed rows), sqlite_rows.c (rows by
 * key), sqlite_track.c (from notes to changes), sqlite_compare.c (changes without notes), sqlite_apply.c (putting
 * rows), sqlite_epoch.c (putting pages), sqlite_image.c (images of pages), sqlite_told.c (what the program is told),
 * sqlite_query.c (rules that ask in SQL), sqlite_digest.c (reading everything), sqlite.c (the driver's table).
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
 * What triggers cannot reach. Each is found out, never assumed, and each has the least means that serves:
 *   tables of a virtual table (FTS, R-tree)      no triggers on them; compared whole after each step
 *   recursive_triggers=ON, triggers disabled,    no triggers at all: every table is compared whole, and rows are
 *   a lone sqlite3_blob_write                    still put back one by one
 *   other tables than before (CREATE, ALTER,     an *epoch*: images of all pages are kept from just before and just
 *   DROP), VACUUM                                after; within the epoch rows are tracked as ever
 *   a collation or function of the application's images only: rows cannot be written here without breaking its
 *   own in an index, rows that do not go in      indexes, so each state has an image
 * Images are put back through the backup API, which takes the locks that every writer takes. Versions, epochs and
 * how to get from one to another: sqlite_epoch.c.
 *
 * Invisible to all this, and found only by a digest: sqlite3_blob_write in between noted writes, ATTACHed and TEMP
 * databases. An ALTER TABLE DROP COLUMN can fail because a trigger of ours names the column.
 */
#ifndef BS_WORLD_SQLITE_H
#define BS_WORLD_SQLITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
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
	bool noted;          /* has triggers, or would have; the others are compared whole */
	uint32_t told_as;    /* the number under which its rows are told; BS_SQLITE_UNTOLD: they are not */
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

/* The tables that a database has at some time, and the statements on them. */
struct bs_sqlite_catalog {
	struct bs_sqlite_table *tables;
	struct bs_table *schema; /* the same tables, as the rest of the program sees them */
	size_t table_count;
	struct bs_arena arena; /* of names */
	size_t note_keys;      /* columns of the note table */
	size_t unnoted;        /* ordinary tables that are compared whole */
	const char *by_image;  /* why rows cannot be written; NULL: they can */
	uint64_t digest;       /* of the CREATE statements */
	sqlite3_stmt *notes, *clear_notes; /* NULL: nothing is noted */
	sqlite3_stmt *pragmas[2][2]; /* by side: user_version, application_id */
};

/* What the program sees: the tables of the root, as deltas name tables by number, and three of our own. */
struct bs_sqlite_told {
	struct bs_table *tables;
	size_t count, root_count;
	struct bs_arena arena;
	uint32_t definitions; /* CREATE statements as rows */
	uint32_t others;      /* rows of tables that are not as at the root, as text */
	uint32_t version;     /* bookkeeping: one row, the number of the version */
};
#define BS_SQLITE_UNTOLD UINT32_MAX

/* The pages of a whole database in a file of ours. */
struct bs_sqlite_image {
	char *path;
	char content[BS_SHA256_HEX]; /* the same for the same pages */
};
#define BS_SQLITE_NO_IMAGE UINT32_MAX

struct bs_sqlite_version { /* see sqlite_epoch.c */
	uint32_t parent;
	uint32_t image;  /* holds it; BS_SQLITE_NO_IMAGE: reached from the parent by rows */
	uint32_t before; /* image of the state of version 0 that this one was reached from; else BS_SQLITE_NO_IMAGE */
	const struct bs_delta *rows; /* from the parent, by the catalog of the epoch */
	const struct bs_delta *told; /* from the parent, as it was told */
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
	char *shadow_path, *spare_path; /* a second shadow is made before the first is given up */
	bool has_snapshot;
	uint64_t shadow_memory_max; /* bytes; a larger shadow is a file */
	uint64_t notes_max;         /* for one step: rows of more would fill the memory */
	uint64_t images_max;        /* bytes of all images */

	/* From the first begin on: */
	struct bs_sqlite_told told;
	uint64_t root_digest; /* of the CREATE statements */
	/* What was found out, and stays so: */
	bool compare_whole; /* no triggers */
	bool by_image;      /* nor rows; then compare_whole too */
	bool virtual_tables;
	bool tables_changed;
	char *why;          /* the latest reason why not all is done by triggers; NULL: it is */
	char *mechanism;
	struct bs_sqlite_image *images_kept;
	size_t image_count;
	uint64_t image_bytes;
	struct bs_sqlite_version *versions; /* 0 is the root's epoch; empty before a first one is needed */
	size_t version_count;
	struct bs_arena deltas; /* of versions */

	/* Between begin and the next clone: */
	struct bs_sqlite_catalog now;
	sqlite3 *live, *shadow, *reader;
	sqlite3 *watch; /* reads data_version while the clone is locked by ourselves */
	sqlite3_stmt *data_version, *schema_version;
	uint32_t at;             /* the version that the clone is at */
	uint32_t image_wanted;   /* to fill a new shadow with */
	uint32_t image_here;     /* an image of what the shadow holds; BS_SQLITE_NO_IMAGE: none is known */
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
	struct bs_change *told_changes; /* the same as they are told, where that differs */
	size_t told_count;

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
/* The same, to a connection. */
int bs_sqlite_copy_from(const char *from, sqlite3 *to, struct bs_err *err);
/* Removes a database with its journals. */
void bs_sqlite_remove(const char *path);

/* --- sqlite_schema.c --------------------------------------------------------------------------------- */

/* Reads the tables that are there. by_image says what stands in the way of rows. */
int bs_sqlite_read_catalog(sqlite3 *db, struct bs_sqlite_catalog *ret_catalog, struct bs_err *err);
/* With its statements. */
void bs_sqlite_forget_catalog(struct bs_sqlite_catalog *catalog);
/* What CREATE statements made, ours and the indexes that constraints bring left out: kind, name, table, text. */
#define BS_SQLITE_DEFINITIONS \
	"SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE name NOT GLOB '" BS_SQLITE_PREFIX "*' " \
	"AND sql IS NOT NULL ORDER BY type, name"
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

/* In a transaction of the caller. Installs the note table, and triggers on the tables of s->now. */
int bs_sqlite_install(const struct bs_sqlite *s, sqlite3 *db, struct bs_err *err);
/* Likewise. Removes all that is ours. */
int bs_sqlite_uninstall(sqlite3 *db, struct bs_err *err);

/* --- sqlite_rows.c ----------------------------------------------------------------------------------- */

/* All statements on s->now, on one side. */
int bs_sqlite_prepare_side(struct bs_sqlite *s, enum bs_sqlite_side side, struct bs_err *err);
/* Finds out whether rows of all tables can be written on a connection; where not, catalog->by_image says why. */
int bs_sqlite_try_writing(sqlite3 *db, struct bs_sqlite_catalog *catalog, struct bs_err *err);
void bs_sqlite_finalize(struct bs_sqlite_catalog *catalog);
/* The names of the columns of an image, for SELECT and INSERT. */
void bs_sqlite_add_columns(struct bs_buf *sql, const struct bs_sqlite_table *table);
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
/* Fails when the file is another. */
int bs_sqlite_check_file(struct bs_sqlite *s, struct bs_err *err);
/* Fails when something of ours is missing that no dropped table took with it. */
int bs_sqlite_check_ours(struct bs_sqlite *s, struct bs_err *err);

/* --- sqlite_compare.c -------------------------------------------------------------------------------- */

/* One side has no data where only the other has the row. */
typedef int (*bs_sqlite_pair_fn)(void *ctx, struct bs_blob before, struct bs_blob after, struct bs_err *err);
/* The rows that differ between a table on one connection and the same on another, with the same columns. One of the
 * two may be NULL: no rows. */
int bs_sqlite_compare(sqlite3 *before_db, const struct bs_sqlite_table *before, sqlite3 *after_db,
		      const struct bs_sqlite_table *after, bs_sqlite_pair_fn fn, void *ctx, struct bs_err *err);
/* The same for two lists: what the one has more of than the other. Key cells (may be none) tell which two are one row
 * that changed. */
int bs_sqlite_compare_lists(const struct bs_sqlite_rows *before, const struct bs_sqlite_rows *after,
			    const size_t *key_cells, size_t key_count, bs_sqlite_pair_fn fn, void *ctx,
			    struct bs_err *err);

/* --- sqlite_told.c ----------------------------------------------------------------------------------- */

/* Makes the list from the catalog of the root. */
void bs_sqlite_tell_root(struct bs_sqlite *s);
void bs_sqlite_told_release(struct bs_sqlite_told *told);
/* Sets told_as of each table. */
void bs_sqlite_match_told(const struct bs_sqlite *s, struct bs_sqlite_catalog *catalog);
/* Appends to told_changes. */
void bs_sqlite_tell_row(struct bs_sqlite *s, const struct bs_sqlite_table *table, struct bs_blob before,
			struct bs_blob after);
void bs_sqlite_tell(struct bs_sqlite *s, uint32_t told_table, struct bs_blob before, struct bs_blob after);
void bs_sqlite_tell_version(struct bs_sqlite *s, uint32_t from, uint32_t to);
/* The image of a row of the table of other rows. */
void bs_sqlite_other_row(const char *table, struct bs_blob image, struct bs_buf *ret_image);

/* --- sqlite_image.c ---------------------------------------------------------------------------------- */

/* A new shadow with what fill copies into it; the old one goes to *ret_old, to be given to one of the next two. */
typedef int (*bs_sqlite_fill_fn)(void *ctx, sqlite3 *to, struct bs_err *err);
int bs_sqlite_new_shadow(struct bs_sqlite *s, bs_sqlite_fill_fn fill, void *ctx, sqlite3 **ret_old,
			 struct bs_err *err);
void bs_sqlite_drop_old_shadow(struct bs_sqlite *s, sqlite3 *old);
void bs_sqlite_back_to_old_shadow(struct bs_sqlite *s, sqlite3 *old);
/* Keeps what the shadow holds. */
int bs_sqlite_keep_image(struct bs_sqlite *s, uint32_t *ret_image, struct bs_err *err);
void bs_sqlite_drop_images(struct bs_sqlite *s);
/* Makes the shadow's pages the clone's, in one transaction. BS_EBUSY as for apply. */
int bs_sqlite_pages_to_live(struct bs_sqlite *s, struct bs_err *err);
/* For a connection that never writes rows: unknown collations are taken for bytes, so that tables can be read. */
void bs_sqlite_any_collation(sqlite3 *db);

/* --- sqlite_epoch.c ---------------------------------------------------------------------------------- */

/* Why not all is done by triggers any more. */
void bs_sqlite_settle_for(struct bs_sqlite *s, bool *flag, const char *why);
/* In a transaction of the caller on the clone: removes what is there of ours, reads the tables into s->now, and
 * installs triggers where they serve. */
int bs_sqlite_install_all(struct bs_sqlite *s, struct bs_err *err);
/* Takes everything anew: what has changed is found by comparing whole, and a version begins that has an image. */
int bs_sqlite_new_epoch(struct bs_sqlite *s, struct bs_changes *ret_changes, struct bs_err *err);
/* s->changes, applied to the shadow already, lead to a new version of the same epoch. */
void bs_sqlite_new_version(struct bs_sqlite *s, struct bs_changes *ret_changes);
/* Where versions are involved: from the one to the other, or rows in between and version 0. */
int bs_sqlite_restore(struct bs_sqlite *s, uint32_t from, uint32_t to, const struct bs_net_row *rows, size_t count,
		      struct bs_err *err);

/* --- sqlite_apply.c ---------------------------------------------------------------------------------- */

int bs_sqlite_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err);
/* The same on one side, in a transaction of the caller. */
int bs_sqlite_put(struct bs_sqlite *s, enum bs_sqlite_side side, const struct bs_net_row *rows, size_t count,
		  struct bs_err *err);
/* On both sides, by the numbers of s->now. */
int bs_sqlite_put_both(struct bs_sqlite *s, const struct bs_net_row *rows, size_t count, struct bs_err *err);

/* --- sqlite_query.c ---------------------------------------------------------------------------------- */

int bs_sqlite_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		    struct bs_err *err);
/* Opens the connection that only reads. */
int bs_sqlite_open_reader(struct bs_sqlite *s, struct bs_err *err);
void bs_sqlite_close_reader(struct bs_sqlite *s);

/* --- sqlite_digest.c --------------------------------------------------------------------------------- */

int bs_sqlite_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err);

#endif
