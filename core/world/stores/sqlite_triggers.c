/*
 * SQLite: the triggers that note the keys of rows that a statement of the application touches.
 *
 * Each insert, update and delete notes the key of its row. REPLACE deletes further rows, those that hold the same
 * value in a unique index, and fires no trigger for them; so before a row is written every unique index is *probed*
 * for such rows. Noting a row that does not change in the end is harmless: its two images are equal.
 *
 * Why deletes and updates are noted BEFORE: a trigger of the application that says RAISE(IGNORE) AFTER the row was
 * changed would skip later triggers. Of triggers of one kind SQLite fires the newest first; ours are the newest.
 *
 * The note table has no constraint besides its rowid, and no OR clause: the application's `UPDATE OR FAIL` would
 * override it and fail. Its own triggers:
 *   keep       an application that empties all tables it finds would take notes away: such statements do nothing
 *   recursive  whether the application runs with recursive_triggers=ON, where any DELETE trigger makes some
 *              UPDATE OR REPLACE fail. The first note after a restore is BS_NOTE_FIRST; this trigger answers it
 *              with BS_NOTE_AGAIN, and only where triggers may fire themselves that one with BS_NOTE_RECURSIVE.
 */
#include "sqlite.h"

#include "base/mem.h"
#include "sqlite_text.h"

#include <string.h>
#include <strings.h>

#define NOTES "\"" BS_SQLITE_NOTES "\""

/* One table's triggers while they are made. */
struct making {
	sqlite3 *db;
	const struct bs_sqlite_table *table;
	size_t number;
	struct bs_buf sql;
	/* A probe: */
	bool update; /* for BEFORE UPDATE, else BEFORE INSERT */
	struct bs_index_text text;
	bool usable;
	size_t terms;
	size_t probes;
};

/* --- Notes ------------------------------------------------------------------------------------------- */

static void insert_into_notes(struct making *m)
{
	bs_sqlite_add(&m->sql, "INSERT INTO " NOTES "(t");
	for (size_t k = 0; k < m->table->key_count; k++)
		bs_sqlite_add(&m->sql, ", k%d", (int)k);
	bs_sqlite_add(&m->sql, ") SELECT %d", (int)m->number);
}

/* row is "old", "new", or the table itself. */
static void add_key_of(struct making *m, const char *row)
{
	for (size_t k = 0; k < m->table->key_count; k++)
		bs_sqlite_add(&m->sql, ", %s.\"%w\"", row, m->table->keys[k]);
}

static void note(struct making *m, const char *row)
{
	insert_into_notes(m);
	add_key_of(m, row);
	bs_buf_adds(&m->sql, "; ");
}

static void note_first(struct making *m)
{
	bs_sqlite_add(&m->sql, "INSERT INTO " NOTES "(t) SELECT %d WHERE NOT EXISTS (SELECT 1 FROM " NOTES "); ",
		      BS_NOTE_FIRST);
}

static void note_moved_key(struct making *m)
{
	insert_into_notes(m);
	add_key_of(m, "new");
	bs_buf_adds(&m->sql, " WHERE NOT (");
	for (size_t k = 0; k < m->table->key_count; k++)
		bs_sqlite_add(&m->sql, "%snew.\"%w\" IS old.\"%w\" COLLATE BINARY", k ? " AND " : "",
			      m->table->keys[k], m->table->keys[k]);
	bs_buf_adds(&m->sql, "); ");
}

/* --- Probes ------------------------------------------------------------------------------------------ */

/* The value that the new row will have: NULL becomes the default where NOT NULL ON CONFLICT REPLACE says so. */
static void add_new_value(struct bs_buf *sql, const char *column, bool not_null, const char *default_value)
{
	if (not_null && default_value)
		bs_sqlite_add(sql, "coalesce(new.\"%w\", %s)", column, default_value);
	else
		bs_sqlite_add(sql, "new.\"%w\"", column);
}

/* name, NOT NULL, default */
static int add_new_column(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct making *m = ctx;
	const char *name = bs_sqlite_text_at(row, 0);

	(void)err;
	if (m->sql.data[m->sql.len - 1] != ' ')
		bs_buf_adds(&m->sql, ", ");
	add_new_value(&m->sql, name, sqlite3_column_int(row, 1), (const char *)sqlite3_column_text(row, 2));
	bs_sqlite_add(&m->sql, " AS \"%w\"", name);
	return 0;
}

/* An expression of the new row: its columns come from a subquery of one row that bears their names (the
 * text of an index never names its table). */
static int add_expression(struct making *m, const char *term, const char *collation, struct bs_err *err)
{
	bs_sqlite_add(&m->sql, "(%s) COLLATE \"%w\" = (SELECT %s FROM (SELECT ", term, collation, term);
	int r = bs_sqlite_each(m->db, "SELECT name, \"notnull\", dflt_value FROM pragma_table_xinfo(?1)",
			       m->table->name, add_new_column, m, err);
	bs_buf_adds(&m->sql, "))");
	return r;
}

/* place, column number, column, collation, NOT NULL, default */
static int add_term(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct making *m = ctx;
	size_t place = (size_t)sqlite3_column_int(row, 0);
	int number = sqlite3_column_int(row, 1);
	const char *collation = bs_sqlite_text_at(row, 3);

	if (m->terms++)
		bs_buf_adds(&m->sql, " AND ");
	if (number == -1) { /* the rowid: only the row itself has that, and it is noted anyway */
		m->usable = false;
		return 0;
	}
	if (number < 0)
		return place < m->text.term_count
			       ? add_expression(m, m->text.terms[place], collation, err)
			       : bs_err_set(err, BS_ESTORE, "table '%s': cannot read one of its indexes", m->table->name);
	const char *column = bs_sqlite_text_at(row, 2);
	bs_sqlite_add(&m->sql, "\"%w\" COLLATE \"%w\" = ", column, collation);
	add_new_value(&m->sql, column, sqlite3_column_int(row, 4), (const char *)sqlite3_column_text(row, 5));
	return 0;
}

static void add_not_itself(struct making *m)
{
	bs_buf_adds(&m->sql, " AND NOT (");
	for (size_t k = 0; k < m->table->key_count; k++)
		bs_sqlite_add(&m->sql, "%s\"%w\" IS old.\"%w\"", k ? " AND " : "", m->table->keys[k], m->table->keys[k]);
	bs_buf_adds(&m->sql, ")");
}

/* In a trigger on a table that is called old or new, its own rows would be meant by that. */
static const char *alias_of(const char *table)
{
	return strcasecmp(table, "old") == 0 || strcasecmp(table, "new") == 0 ? " AS " BS_SQLITE_PREFIX "row" : "";
}

/* name, CREATE statement (NULL: the index of a constraint) */
static int add_probe(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct making *m = ctx;
	size_t start = m->sql.len;

	bs_index_text_read(bs_sqlite_text_at(row, 1), &m->text);
	m->usable = true;
	m->terms = 0;
	insert_into_notes(m);
	for (size_t k = 0; k < m->table->key_count; k++)
		bs_sqlite_add(&m->sql, ", \"%w\"", m->table->keys[k]);
	bs_sqlite_add(&m->sql, " FROM \"%w\"%s WHERE ", m->table->name, alias_of(m->table->name));
	int r = bs_sqlite_each(m->db, "SELECT i.seqno, i.cid, i.name, i.coll, c.\"notnull\", c.dflt_value "
					   "FROM pragma_index_xinfo(?1) i "
					   "LEFT JOIN pragma_table_xinfo((SELECT tbl_name FROM sqlite_master "
					   "WHERE type = 'index' AND name = ?1)) c ON c.cid = i.cid "
					   "WHERE i.key = 1 ORDER BY i.seqno",
			       bs_sqlite_text_at(row, 0), add_term, m, err);
	if (m->text.where)
		bs_sqlite_add(&m->sql, " AND (%s)", m->text.where);
	if (m->update)
		add_not_itself(m);
	bs_buf_adds(&m->sql, "; ");
	m->probes += m->usable;
	if (!m->usable)
		m->sql.data[m->sql.len = start] = 0;
	bs_index_text_release(&m->text);
	return r;
}

/* The primary key of a table WITHOUT ROWID needs none: a row that REPLACE deletes has the key that is noted. */
static int add_probes(struct making *m, bool update, struct bs_err *err)
{
	m->update = update;
	m->probes = 0;
	return bs_sqlite_each(m->db, m->table->rowid
				? "SELECT l.name, m.sql FROM pragma_index_list(?1) l LEFT JOIN sqlite_master m "
				  "ON m.type = 'index' AND m.name = l.name WHERE l.\"unique\" = 1"
				: "SELECT l.name, m.sql FROM pragma_index_list(?1) l LEFT JOIN sqlite_master m "
				  "ON m.type = 'index' AND m.name = l.name WHERE l.\"unique\" = 1 AND l.origin <> 'pk'",
			      m->table->name, add_probe, m, err);
}

/* --- Triggers ---------------------------------------------------------------------------------------- */

static void begin_trigger(struct making *m, const char *kind, const char *when)
{
	bs_sqlite_add(&m->sql, "CREATE TRIGGER \"" BS_SQLITE_PREFIX "%d_%s\" %s ON \"%w\" BEGIN ", (int)m->number,
		      kind, when, m->table->name);
}

static void end_trigger(struct making *m)
{
	bs_buf_adds(&m->sql, "END;\n");
}

static int make_triggers(struct making *m, struct bs_err *err)
{
	begin_trigger(m, "bi", "BEFORE INSERT");
	note_first(m);
	int r = add_probes(m, false, err);
	end_trigger(m);
	if (!m->probes)
		bs_buf_clear(&m->sql);
	begin_trigger(m, "ai", "AFTER INSERT");
	if (!m->probes)
		note_first(m);
	note(m, "new");
	end_trigger(m);
	begin_trigger(m, "bu", "BEFORE UPDATE");
	note_first(m);
	note(m, "old");
	note_moved_key(m);
	if (r == 0)
		r = add_probes(m, true, err);
	end_trigger(m);
	begin_trigger(m, "bd", "BEFORE DELETE");
	note_first(m);
	note(m, "old");
	end_trigger(m);
	return r;
}

static int install_table(const struct bs_sqlite *s, sqlite3 *db, size_t number, struct bs_err *err)
{
	struct making m = {.db = db, .table = &s->now.tables[number], .number = number, .sql = BS_BUF_INIT};
	int r = make_triggers(&m, err);

	if (r == 0)
		r = bs_sqlite_exec(db, bs_buf_text(&m.sql), err);
	if (r < 0)
		bs_err_wrap(err, "table '%s'", s->now.tables[number].name);
	bs_buf_release(&m.sql);
	return r;
}

static int make_note_table(const struct bs_sqlite *s, sqlite3 *db, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;

	bs_buf_adds(&sql, "CREATE TABLE " NOTES "(n INTEGER PRIMARY KEY, t INT");
	for (size_t k = 0; k < s->now.note_keys; k++)
		bs_sqlite_add(&sql, ", k%d", (int)k);
	bs_buf_adds(&sql, ");\n");
	bs_sqlite_add(&sql,
		      "CREATE TRIGGER \"" BS_SQLITE_PREFIX "recursive\" AFTER INSERT ON " NOTES
		      " WHEN new.t IN (%d, %d) BEGIN INSERT INTO " NOTES "(t) VALUES (new.t - 1); END;\n",
		      BS_NOTE_FIRST, BS_NOTE_AGAIN);
	bs_sqlite_add(&sql, "CREATE TRIGGER \"" BS_SQLITE_PREFIX "keep_deleted\" BEFORE DELETE ON " NOTES
			    " BEGIN SELECT RAISE(IGNORE); END;\n"
			    "CREATE TRIGGER \"" BS_SQLITE_PREFIX "keep_updated\" BEFORE UPDATE ON " NOTES
			    " BEGIN SELECT RAISE(IGNORE); END;\n");
	int r = bs_sqlite_exec(db, bs_buf_text(&sql), err);
	bs_buf_release(&sql);
	return r;
}

static int add_drop(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	bs_sqlite_add(ctx, "DROP %s \"%w\";", bs_sqlite_text_at(row, 0), bs_sqlite_text_at(row, 1));
	return 0;
}

int bs_sqlite_uninstall(sqlite3 *db, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;
	int r = bs_sqlite_each(db, "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'table') "
				   "AND name GLOB '" BS_SQLITE_PREFIX "*' ORDER BY type DESC",
			       NULL, add_drop, &sql, err);

	if (r == 0 && sql.len)
		r = bs_sqlite_exec(db, bs_buf_text(&sql), err);
	bs_buf_release(&sql);
	return r;
}

/* --- Doing the application no harm ------------------------------------------------------------------- */

static bool compiles(sqlite3 *db, const char *format, const char *table, const char *column)
{
	struct bs_buf sql = BS_BUF_INIT;
	sqlite3_stmt *stmt = NULL;

	bs_sqlite_add(&sql, format, table, column, column);
	bool good = sqlite3_prepare_v2(db, bs_buf_text(&sql), -1, &stmt, NULL) == SQLITE_OK;
	sqlite3_finalize(stmt);
	bs_buf_release(&sql);
	return good;
}

/* Whether statements on the table compile with all triggers in place. A trigger of the application that calls a
 * function of its own does not compile here, and that is no harm done by us. */
static bool table_compiles(sqlite3 *db, const struct bs_sqlite_table *table)
{
	const char *column = table->columns[table->column_count - 1];

	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
	bool good = compiles(db, "DELETE FROM main.\"%w\"", table->name, column) &&
		    compiles(db, "INSERT INTO main.\"%w\" DEFAULT VALUES", table->name, column) &&
		    compiles(db, "UPDATE main.\"%w\" SET \"%w\" = \"%w\"", table->name, column);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return good;
}

int bs_sqlite_install(const struct bs_sqlite *s, sqlite3 *db, struct bs_err *err)
{
	BS_AUTOFREE bool *compiled = bs_xcalloc(s->now.table_count, sizeof *compiled);

	for (size_t i = 0; i < s->now.table_count; i++)
		compiled[i] = s->now.tables[i].noted && table_compiles(db, &s->now.tables[i]);
	int r = make_note_table(s, db, err);
	for (size_t i = 0; r == 0 && i < s->now.table_count; i++)
		if (s->now.tables[i].noted)
			r = install_table(s, db, i, err);
	for (size_t i = 0; r == 0 && i < s->now.table_count; i++)
		if (compiled[i] && !table_compiles(db, &s->now.tables[i]))
			r = bs_err_set(err, BS_ESTORE, "table '%s': its changes cannot be noted: %s", s->now.tables[i].name,
				       sqlite3_errmsg(db));
	return r;
}
