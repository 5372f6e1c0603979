/* SQLite: which tables there are, what names a row, and what refers to what. See sqlite.h. */
#include "sqlite.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

/* A query over the schema; every row is handed to fn. */
struct walk {
	struct bs_sqlite *s;
	struct bs_sqlite_table *table;
	int (*fn)(struct walk *walk, sqlite3_stmt *row, struct bs_err *err);
};

static int each_row(struct walk *walk, const char *sql, const char *argument, struct bs_err *err)
{
	sqlite3_stmt *stmt;
	int rc = SQLITE_DONE, r = bs_sqlite_prepare(walk->s->live, sql, &stmt, err);

	if (r < 0)
		return r;
	if (argument)
		sqlite3_bind_text(stmt, 1, argument, -1, SQLITE_STATIC);
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = walk->fn(walk, stmt, err);
	if (r == 0 && rc != SQLITE_DONE)
		r = bs_sqlite_fail(walk->s->live, rc, sql, err);
	sqlite3_finalize(stmt);
	return r;
}

static const char *text_at(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text ? text : "";
}

static const char *keep(struct bs_sqlite *s, const char *text)
{
	return bs_arena_strdup(&s->arena, text);
}

static struct bs_table *schema_of(struct bs_sqlite *s, const struct bs_sqlite_table *table)
{
	return &s->schema[table - s->tables];
}

static struct bs_column *add_column(struct bs_sqlite *s, struct bs_sqlite_table *table, const char *name)
{
	struct bs_table *schema = schema_of(s, table);
	struct bs_column *column = BS_PUSH(schema->columns, schema->column_count);

	column->name = keep(s, name);
	column->ref_table = column->ref_column = -1;
	*BS_PUSH(table->columns, table->column_count) = column->name;
	return column;
}

static void add_key(struct bs_sqlite_table *table, const char *name, size_t cell)
{
	size_t cells = table->key_count;

	*BS_PUSH(table->keys, table->key_count) = name;
	*BS_PUSH(table->key_cells, cells) = cell;
}

static struct bs_sqlite_table *add_table(struct bs_sqlite *s, enum bs_sqlite_table_kind kind, const char *name)
{
	size_t schemas = s->table_count;
	struct bs_sqlite_table *table = BS_PUSH(s->tables, s->table_count);
	struct bs_table *schema = BS_PUSH(s->schema, schemas);

	table->kind = kind;
	table->name = schema->name = keep(s, name);
	schema->bookkeeping = kind != BS_SQLITE_ROWS;
	return table;
}

/* --- Ordinary tables --------------------------------------------------------------------------------- */

static bool says_volatile(const char *default_value)
{
	static const char *const signs[] = {"current_", "'now'", "random", "unixepoch", "julianday("};

	for (size_t i = 0; i < BS_COUNT(signs); i++)
		if (strcasestr(default_value, signs[i]))
			return true;
	return false;
}

/* name, type, default, pk, hidden */
static int take_column(struct walk *walk, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	if (sqlite3_column_int(row, 4) != 0) /* generated: made again from the others */
		return 0;
	struct bs_column *column = add_column(walk->s, walk->table, text_at(row, 0));
	column->key = sqlite3_column_int(row, 3) > 0;
	column->volatile_default = says_volatile(text_at(row, 2));
	return 0;
}

/* A rowid has three names, and a column may take one. */
static int take_free_alias(struct walk *walk, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	walk->table->rowid = keep(walk->s, text_at(row, 0));
	return 0;
}

/* The column that is the rowid. An INTEGER PRIMARY KEY has no index of its own; one declared DESC has, and is no
 * alias. */
static int take_rowid_column(struct walk *walk, sqlite3_stmt *row, struct bs_err *err)
{
	struct bs_table *schema = schema_of(walk->s, walk->table);

	(void)err;
	for (size_t i = 0; i < schema->column_count; i++)
		if (strcmp(schema->columns[i].name, text_at(row, 0)) == 0) {
			schema->columns[i].generated = true;
			walk->table->key_column = schema->columns[i].name;
			add_key(walk->table, walk->table->rowid, i);
		}
	return 0;
}

static int take_key(struct walk *walk, sqlite3_stmt *row, struct bs_err *err)
{
	struct bs_table *schema = schema_of(walk->s, walk->table);

	for (size_t i = 0; i < schema->column_count; i++)
		if (strcmp(schema->columns[i].name, text_at(row, 0)) == 0) {
			add_key(walk->table, schema->columns[i].name, i);
			return 0;
		}
	return bs_err_set(err, BS_ESTORE, "table '%s': its primary key holds a generated column, which cannot be "
			  "tracked yet", walk->table->name);
}

static int read_rowid(struct walk *walk, struct bs_err *err)
{
	struct bs_sqlite_table *table = walk->table;

	walk->fn = take_free_alias;
	if (each_row(walk, "SELECT a.column1 FROM (VALUES ('oid'), ('_rowid_'), ('rowid')) a WHERE a.column1 NOT IN "
			   "(SELECT lower(name) FROM pragma_table_xinfo(?1))", table->name, err) < 0)
		return BS_ESTORE;
	if (!table->rowid)
		return bs_err_set(err, BS_ESTORE, "table '%s': its columns hide all names of the rowid, so that rows "
				  "cannot be told apart", table->name);
	walk->fn = take_rowid_column;
	return each_row(walk, "SELECT name FROM pragma_table_xinfo(?1) WHERE pk = 1 AND upper(type) = 'INTEGER' "
			      "AND (SELECT max(pk) FROM pragma_table_xinfo(?1)) = 1 "
			      "AND NOT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk')",
			table->name, err);
}

/* No column shows this rowid, so it comes first as a cell of its own. */
static void put_rowid_first(struct bs_sqlite *s, struct bs_sqlite_table *table)
{
	struct bs_table *schema = schema_of(s, table);

	add_column(s, table, table->rowid);
	for (size_t i = schema->column_count - 1; i > 0; i--) {
		schema->columns[i] = schema->columns[i - 1];
		table->columns[i] = table->columns[i - 1];
	}
	schema->columns[0] = (struct bs_column){
		.name = table->rowid, .hidden = true, .generated = true, .ref_table = -1, .ref_column = -1};
	table->columns[0] = table->rowid;
	add_key(table, table->rowid, 0);
}

/* name, WITHOUT ROWID, type, CREATE statement */
static int take_table(struct walk *walk, sqlite3_stmt *row, struct bs_err *err)
{
	struct bs_sqlite *s = walk->s;
	const char *name = text_at(row, 0), *type = text_at(row, 2);
	struct walk inner = {.s = s, .fn = take_column};

	if (strcmp(type, "virtual") == 0)
		return bs_err_set(err, BS_ESTORE, "table '%s' is a virtual table (full text, R-tree ...), which cannot be "
				  "put back yet", name);
	inner.table = add_table(s, BS_SQLITE_ROWS, name);
	inner.table->autoincrement = strcasestr(text_at(row, 3), "autoincrement") != NULL;
	int r = each_row(&inner, "SELECT name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?1)", name, err);
	if (r == 0 && sqlite3_column_int(row, 1)) {
		inner.fn = take_key;
		r = each_row(&inner, "SELECT i.name FROM pragma_index_list(?1) l JOIN pragma_index_xinfo(l.name) i "
				     "WHERE l.origin = 'pk' AND i.key = 1 ORDER BY i.seqno", name, err);
	} else if (r == 0) {
		r = read_rowid(&inner, err);
		if (r == 0 && !inner.table->key_count)
			put_rowid_first(s, inner.table);
	}
	if (inner.table->key_count > s->note_keys)
		s->note_keys = inner.table->key_count;
	return r;
}

/* --- References -------------------------------------------------------------------------------------- */

static int column_index(const struct bs_table *table, const char *name)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (strcasecmp(table->columns[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int primary_key(const struct bs_table *table)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].key)
			return (int)i;
	return -1;
}

/* from, table, to; `to` is null where the primary key is meant */
static int take_reference(struct walk *walk, sqlite3_stmt *row, struct bs_err *err)
{
	struct bs_sqlite *s = walk->s;
	struct bs_table *schema = schema_of(s, walk->table);
	int from = column_index(schema, text_at(row, 0));

	(void)err;
	for (size_t i = 0; from >= 0 && i < s->table_count; i++) {
		const struct bs_table *target = &s->schema[i];
		if (strcasecmp(target->name, text_at(row, 1)) != 0)
			continue;
		int to = sqlite3_column_type(row, 2) == SQLITE_NULL ? primary_key(target)
								    : column_index(target, text_at(row, 2));
		if (to >= 0) {
			schema->columns[from].ref_table = (int)i;
			schema->columns[from].ref_column = to;
		}
	}
	return 0;
}

/* --- Bookkeeping ------------------------------------------------------------------------------------- */

static int take_whole(struct walk *walk, sqlite3_stmt *row, struct bs_err *err)
{
	struct walk inner = {.s = walk->s, .fn = take_column};

	inner.table = add_table(walk->s, BS_SQLITE_WHOLE, text_at(row, 0));
	return each_row(&inner, "SELECT name, type, NULL, 0, hidden FROM pragma_table_xinfo(?1)", inner.table->name,
			err);
}

static void add_pragmas(struct bs_sqlite *s)
{
	struct bs_sqlite_table *table = add_table(s, BS_SQLITE_PRAGMA, "pragma");

	add_column(s, table, "user_version");
	add_column(s, table, "application_id");
}

int bs_sqlite_read_schema(struct bs_sqlite *s, struct bs_err *err)
{
	struct walk walk = {.s = s, .fn = take_table};

	s->note_keys = 1;
	int r = each_row(&walk, "SELECT l.name, l.wr, l.type, m.sql FROM pragma_table_list l "
				"JOIN sqlite_master m ON m.type = 'table' AND m.name = l.name "
				"WHERE l.schema = 'main' AND l.type IN ('table', 'virtual', 'shadow') "
				"AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND l.name <> '" BS_SQLITE_NOTES "' "
				"ORDER BY l.type = 'virtual' DESC, m.rowid", NULL, err);
	for (size_t i = 0; r == 0 && i < s->table_count; i++) {
		walk = (struct walk){.s = s, .table = &s->tables[i], .fn = take_reference};
		r = each_row(&walk, "SELECT \"from\", \"table\", \"to\" FROM pragma_foreign_key_list(?1)",
			     s->tables[i].name, err);
	}
	walk = (struct walk){.s = s, .fn = take_whole};
	if (r == 0)
		r = each_row(&walk, "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN "
				    "('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4') ORDER BY name", NULL, err);
	if (r == 0)
		add_pragmas(s);
	return r;
}
