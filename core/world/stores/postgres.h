/*
 * The PostgreSQL driver. Its parts: postgres_url.c (where it is), postgres_conn.c (connections), postgres_wait.c
 * (statements, none of which waits for ever), postgres_clone.c (copies), postgres_leftover.c (what runs that were
 * killed left), postgres_catalogue.c (what is there), postgres_check.c (what cannot be tracked), postgres_journal.c
 * (what notes the rows that changed), postgres_row.c (rows as text and as images), postgres_changes.c (from notes to
 * changes), postgres_apply.c (putting rows), postgres_root.c (back to the root, also after a kill),
 * postgres_query.c (rules that ask in SQL), postgres_digest.c (reading everything), postgres.c (the driver's table).
 *
 * How it works. The application writes to a clone, made by CREATE DATABASE ... TEMPLATE, through its own
 * connections, and commits. Row triggers there note each row as it was and as it became, as text in a format that
 * no session's settings change. What a step changed is what was noted by transactions that committed since. Rows
 * are put back by an ordinary transaction of a session with session_replication_role = replica, in which neither
 * the application's triggers nor its foreign keys act, nor ours.
 *
 * A row is its text: images are that text taken apart, and put together again they give the same row. A
 * partitioned table is one table; which partition a row is in, its key says.
 *
 * Two modes. On a clone the notes only serve to see changes. In place (`in_place: true`) the application uses the
 * user's own database: then the notes, with those of what we put there ourselves, always sum up to what differs
 * from the root, so that a run that was killed can be undone by the next.
 *
 * Invisible to all this, and found only by a digest: writes of a session that itself set
 * session_replication_role = replica, or disabled the triggers.
 */
#ifndef BS_WORLD_POSTGRES_H
#define BS_WORLD_POSTGRES_H

#include "base/arena.h"
#include "base/buf.h"
#include "row.h"

#include <backstep/store.h>
#include <libpq-fe.h>

extern const struct bs_store_ops bs_store_postgres;

struct bs_pg_column {
	const char *quoted; /* its name as SQL */
	const char *type;   /* as SQL, with its modifiers */
	enum bs_cell_kind kind; /* what becomes of its text: never NULL */
	bool generated;     /* GENERATED ALWAYS AS: made again from the others */
};

struct bs_pg_table {
	uint32_t oid;
	const char *quoted; /* its name as SQL, with the schema */
	bool partitioned;
	struct bs_pg_column *columns; /* as in the schema's */
	size_t column_count;
	size_t *key;             /* columns that are unique and never NULL; none: found by the whole row */
	const char **key_equals; /* the operator that the index means, as SQL */
	size_t key_count;
	bool prepared;           /* its statements, on the live connection */
};

/* What a note may come from: a table, or a partition, whose columns may stand in another order. */
struct bs_pg_relation {
	uint32_t oid;
	uint32_t table;
	size_t *places; /* of its columns in the table's */
	size_t column_count;
};

struct bs_pg_sequence {
	uint32_t oid;
	const char *name;
	const char *quoted;
};

struct bs_pg_query {
	char *text;
	size_t id; /* it is prepared as q<id> */
	char **names;
	enum bs_cell_kind *kinds;
	size_t column_count;
};

struct bs_postgres {
	struct bs_store store; /* first: this is the base */
	char *url;      /* as the user gave it */
	char *location; /* what people may see of it */
	bool in_place;
	char *database;  /* its name */
	char *live_url;  /* what the application gets */
	char *live_name;
	char *root_name; /* of the snapshot */
	char *lock_name; /* of the session lock by which other runs see that this one lives */
	bool has_snapshot;
	bool has_live;
	bool swept; /* leftovers of dead runs were looked for */

	/* From the first begin on: */
	struct bs_pg_table *tables;
	struct bs_table *schema; /* the same tables, and behind them the sequences as one */
	size_t table_count;      /* without the sequences */
	size_t schema_count;     /* with them: one more */
	struct bs_pg_relation *relations; /* by oid */
	size_t relation_count;
	struct bs_pg_sequence *sequences;
	size_t sequence_count;
	struct bs_arena arena;   /* names of the schema */
	bool schema_known;
	uint64_t schema_digest;

	/* Connections. */
	PGconn *admin;  /* makes and drops databases; holds the lock */
	PGconn *live;   /* reads notes, puts rows */
	PGconn *reader; /* of rules */
	char *home;     /* the schema that names without one mean to the application */
	bool superuser;
	bool installed; /* our schema is in the live database, of this run */

	/* Between begin and the next clone: */
	char *snapshot;        /* transactions that it shows were read */
	char *sequence_values; /* as the server wrote them, then */
	char *ddl_print;       /* of the catalogue; NULL: an event trigger notes what changes there */
	uint64_t own_note;     /* numbers what is put back, to tell after a lost connection whether it was */
	struct bs_pg_query *queries;
	size_t query_count;
	size_t next_query; /* to be dropped for a new one, when there are many */
	size_t query_id;

	/* What the last call of changes gave: */
	struct bs_change *changes;
	size_t change_count;
	struct bs_arena images;
	uint64_t notes_max; /* for one step: images of more rows would fill the memory */
	uint64_t bytes_max;

	char **warnings;
	size_t warning_count;
	struct bs_store_stats stats;
};

#define BS_PG_SCHEMA "_backstep"

/* --- postgres_url.c ---------------------------------------------------------------------------------- */

/* The same place with another database; url in either form that libpq reads. The caller's. */
char *bs_pg_url_with_database(const char *url, const char *database);
/* The place for people, and the password (NULL: none is in it); either may be NULL. BS_EMODEL: no such form. */
int bs_pg_url_read(const char *url, char **ret_location, char **ret_password, struct bs_err *err);

/* --- postgres_wait.c --------------------------------------------------------------------------------- */

/* SQLSTATEs of our own functions. */
#define BS_PG_STATE_BUSY "BSBSY"
#define BS_PG_STATE_NOT_THERE "BSNOT"

/* Sets err from a result (may be NULL) or the connection: BS_EBUSY where a lock or a note unread is in the way, else
 * BS_ESTORE. */
int bs_pg_fail(PGconn *conn, const PGresult *result, struct bs_err *err);
/* The result's SQLSTATE, or "". */
const char *bs_pg_state(const PGresult *result);
/* The next result of what was sent; NULL behind the last of a statement. Not within ms: the connection is given up. */
int bs_pg_next(PGconn *conn, uint32_t ms, PGresult **ret_result, struct bs_err *err);
/* One command, or several with the last one's result. ret_result may be NULL. */
int bs_pg_exec(PGconn *conn, const char *sql, PGresult **ret_result, struct bs_err *err);
/* The same for what may take long: the statement's own limit must be ms as well. */
int bs_pg_exec_within(PGconn *conn, uint32_t ms, const char *sql, PGresult **ret_result, struct bs_err *err);
int bs_pg_execf(PGconn *conn, struct bs_err *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* One statement with text parameters. */
int bs_pg_ask(PGconn *conn, const char *sql, size_t count, const char *const *values, PGresult **ret_result,
	      struct bs_err *err);
int bs_pg_prepare(PGconn *conn, const char *name, const char *sql, struct bs_err *err);
int bs_pg_run(PGconn *conn, const char *name, size_t count, const char *const *values, PGresult **ret_result,
	      struct bs_err *err);
/* A cell of a result as text; "" for NULL. */
const char *bs_pg_text(const PGresult *result, int row, int column);
uint32_t bs_pg_oid(const PGresult *result, int row, int column);
bool bs_pg_true(const PGresult *result, int row, int column);
void bs_pg_clear(PGresult **result); /* for BS_CLEANUP */
void bs_pg_finish(PGconn **conn);    /* sets it NULL */

/* How long a statement may take, and how long the answer is waited for. */
#define BS_PG_STATEMENT_MS 30000
#define BS_PG_COPY_MS 600000 /* of a whole database */
#define BS_PG_GRACE_MS 5000

/* --- postgres_conn.c --------------------------------------------------------------------------------- */

/* A plain connection with bounded waits. database NULL: the one of the URL. */
int bs_pg_connect(const struct bs_postgres *s, const char *database, PGconn **ret_conn, struct bs_err *err);
/* The live connection, which can put rows; sets home and superuser. */
int bs_pg_open_live(struct bs_postgres *s, struct bs_err *err);
/* Text and settings that make the text of a row depend on nothing else. */
int bs_pg_fix_formats(PGconn *conn, struct bs_err *err);
/* Whether the live connection is lost. */
bool bs_pg_lost(const struct bs_postgres *s);

/* --- postgres_clone.c -------------------------------------------------------------------------------- */

/* The connection by which other runs see that this one lives: in place, that the database is taken. */
int bs_pg_open_admin(struct bs_postgres *s, struct bs_err *err);
int bs_pg_look_at_original(struct bs_postgres *s, struct bs_err *err);
int bs_pg_clone(struct bs_store *store, struct bs_err *err);
int bs_pg_snapshot(struct bs_store *store, struct bs_err *err);
void bs_pg_drop_clones(struct bs_postgres *s);

/* --- postgres_leftover.c ----------------------------------------------------------------------------- */

/* Names for the databases of this run, by which another run can tell whether this one lives. */
void bs_pg_name_clones(struct bs_postgres *s);
/* Drops databases of runs that are certainly dead, through the admin connection. */
int bs_pg_sweep(struct bs_postgres *s, struct bs_err *err);
/* Whether the run that made this database is certainly dead, by its name alone. */
bool bs_pg_made_by_dead(const char *database);
uint64_t bs_pg_random(void);

/* --- postgres_catalogue.c ---------------------------------------------------------------------------- */

/* Reads tables, columns, keys and sequences the first time; then they must be as they were. */
int bs_pg_read_catalogue(struct bs_postgres *s, struct bs_err *err);
void bs_pg_forget_catalogue(struct bs_postgres *s);
const struct bs_pg_relation *bs_pg_relation_of(const struct bs_postgres *s, uint32_t oid);

/* --- postgres_check.c -------------------------------------------------------------------------------- */

/* Refuses what cannot be tracked or put back, and notes warnings. */
int bs_pg_check(struct bs_postgres *s, struct bs_err *err);
/* Sets err for a privilege that is missing, with the statement that gives it. */
int bs_pg_check_role(struct bs_postgres *s, struct bs_err *err);
void bs_pg_warn(struct bs_postgres *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- postgres_journal.c ------------------------------------------------------------------------------ */

int bs_pg_install(struct bs_postgres *s, struct bs_err *err);
int bs_pg_uninstall(struct bs_postgres *s, struct bs_err *err);
/* Whether our schema is in the database of the connection. */
int bs_pg_is_installed(PGconn *conn, bool *ret_installed, struct bs_err *err);

/* --- postgres_row.c ---------------------------------------------------------------------------------- */

enum bs_cell_kind bs_pg_kind_of_type(uint32_t type);
/* One value as the server writes it. */
void bs_pg_add_cell(struct bs_buf *image, enum bs_cell_kind kind, const char *text, size_t len);
/* The reverse; false for NULL. */
bool bs_pg_cell_text(const struct bs_cell *cell, struct bs_buf *text);
/* A row's text as an image of its table. BS_ESTORE: it has not as many columns. */
int bs_pg_row_to_image(const struct bs_postgres *s, const struct bs_pg_relation *relation, const char *text, size_t len,
		       struct bs_buf *image, struct bs_err *err);
/* An image as a row's text, as the server reads it. */
void bs_pg_image_to_row(struct bs_blob image, struct bs_buf *text);

/* --- postgres_changes.c ------------------------------------------------------------------------------ */

/* Prepares the reading of notes, and takes what is there now as read. */
int bs_pg_start_changes(struct bs_postgres *s, struct bs_err *err);
int bs_pg_prepare_changes(struct bs_postgres *s, struct bs_err *err);
int bs_pg_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err);
void bs_pg_forget_changes(struct bs_postgres *s);
/* Every note that there is, with our own, as changes since the root, and sequences beside those noted at the root. */
int bs_pg_changes_since_root(struct bs_postgres *s, struct bs_changes *ret_changes, struct bs_err *err);
/* Image of a sequence's position. */
void bs_pg_sequence_image(const char *name, int64_t value, bool called, struct bs_buf *image);
/* An SQL expression that gives all positions as one text. */
void bs_pg_add_positions(const struct bs_postgres *s, struct bs_buf *sql);

/* --- postgres_apply.c -------------------------------------------------------------------------------- */

int bs_pg_prepare_apply(struct bs_postgres *s, struct bs_err *err);
int bs_pg_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err);

/* --- postgres_root.c --------------------------------------------------------------------------------- */

/* In place: puts the database back to the root by the notes in it. ret_rows: how many were put. */
int bs_pg_restore_root(struct bs_postgres *s, uint64_t *ret_rows, struct bs_err *err);
/* Removes what a run that was killed left in the live database, after putting the root back. */
int bs_pg_recover(struct bs_postgres *s, struct bs_err *err);

/* --- postgres.c -------------------------------------------------------------------------------------- */

void bs_pg_end_tracking(struct bs_postgres *s);
/* Opens what begin opened again, after the connection was lost. */
int bs_pg_reconnect(struct bs_postgres *s, struct bs_err *err);

/* --- postgres_query.c, postgres_digest.c ------------------------------------------------------------- */

int bs_pg_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		struct bs_err *err);
void bs_pg_close_reader(struct bs_postgres *s);
int bs_pg_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err);

#endif
