/* SQLite: which tables there are, what names a row, and what refers to what. See sqlite.h. */
#include "sqlite.h"

#include "base/hash.h"
#include "base/mem.h"
#include "sqlite_text.h"

#include <string.h>
#include <strings.h>

/* A table whose parts are read. */
struct reading {
	struct bs_sqlite *s;
	struct bs_sqlite_table *table;
};

int bs_sqlite_each(sqlite3 *db, const char *sql, const char *argument, bs_sqlite_row_fn fn, void *ctx,
		   struct bs_err *err)
{
	sqlite3_stmt *stmt;
	int rc = SQLITE_DONE, r = bs_sqlite_prepare(db, sql, &stmt, err);

	if (r < 0)
		return r;
	if (argument)
		sqlite3_bind_text(stmt, 1, argument, -1, SQLITE_STATIC);
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = fn(ctx, stmt, err);
	if (r == 0 && rc != SQLITE_DONE)
		r = bs_sqlite_fail(db, rc, "reading the schema", err);
	sqlite3_finalize(stmt);
	return r;
}

const char *bs_sqlite_text_at(sqlite3_stmt *row, int column)
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

static void add_key(struct bs_sqlite_table *table, const char *name, const char *collation, size_t cell)
{
	size_t cells = table->key_count, collations = table->key_count;

	*BS_PUSH(table->keys, table->key_count) = name;
	*BS_PUSH(table->key_collations, collations) = collation;
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

/* name, default, place in the primary key, hidden */
static int take_column(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;

	(void)err;
	if (sqlite3_column_int(row, 3) != 0) /* generated: made again from the others */
		return 0;
	struct bs_column *column = add_column(reading->s, reading->table, bs_sqlite_text_at(row, 0));
	column->key = sqlite3_column_int(row, 2) > 0;
	column->volatile_default = bs_default_is_volatile(bs_sqlite_text_at(row, 1));
	return 0;
}

static int read_columns(struct reading *reading, struct bs_err *err)
{
	return bs_sqlite_each(reading->s->live, "SELECT name, dflt_value, pk, hidden FROM pragma_table_xinfo(?1)",
			      reading->table->name, take_column, reading, err);
}

/* A rowid has three names, and columns may take them. */
static int take_free_alias(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;

	(void)err;
	reading->table->rowid = keep(reading->s, bs_sqlite_text_at(row, 0));
	return 0;
}

static size_t cell_of(const struct bs_table *schema, const char *name)
{
	size_t i = 0;

	while (i < schema->column_count && strcmp(schema->columns[i].name, name) != 0)
		i++;
	return i;
}

/* The column that is the rowid. */
static int take_rowid_column(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;
	struct bs_table *schema = schema_of(reading->s, reading->table);
	size_t cell = cell_of(schema, bs_sqlite_text_at(row, 0));

	(void)err;
	if (cell == schema->column_count)
		return 0;
	schema->columns[cell].generated = true;
	add_key(reading->table, reading->table->rowid, "BINARY", cell);
	return 0;
}

/* name, collation */
static int take_key(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;
	struct bs_table *schema = schema_of(reading->s, reading->table);
	size_t cell = cell_of(schema, bs_sqlite_text_at(row, 0));

	if (cell == schema->column_count)
		return bs_err_set(err, BS_ESTORE, "table '%s': its primary key holds a generated column, which "
				  "cannot be tracked", reading->table->name);
	add_key(reading->table, schema->columns[cell].name, keep(reading->s, bs_sqlite_text_at(row, 1)), cell);
	return 0;
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
	add_key(table, table->rowid, "BINARY", 0);
}

/* An INTEGER PRIMARY KEY is the rowid and has no index of its own; one declared DESC has, and is not. */
static int read_rowid(struct reading *reading, struct bs_err *err)
{
	struct bs_sqlite_table *table = reading->table;
	int r = bs_sqlite_each(reading->s->live,
			       "SELECT a.column1 FROM (VALUES ('oid'), ('_rowid_'), ('rowid')) a "
			       "WHERE a.column1 NOT IN (SELECT lower(name) FROM pragma_table_xinfo(?1))",
			       table->name, take_free_alias, reading, err);

	if (r == 0 && !table->rowid)
		r = bs_err_set(err, BS_ESTORE, "table '%s': its columns hide all names of the rowid, so that rows "
			       "cannot be told apart", table->name);
	if (r == 0)
		r = bs_sqlite_each(reading->s->live,
				   "SELECT name FROM pragma_table_xinfo(?1) WHERE pk = 1 AND upper(type) = 'INTEGER' "
				   "AND (SELECT max(pk) FROM pragma_table_xinfo(?1)) = 1 "
				   "AND NOT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk')",
				   table->name, take_rowid_column, reading, err);
	if (r == 0 && !table->key_count)
		put_rowid_first(reading->s, table);
	return r;
}

/* name, WITHOUT ROWID, type, CREATE statement */
static int take_table(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;
	struct bs_sqlite *s = reading->s;
	const char *name = bs_sqlite_text_at(row, 0);

	if (strcmp(bs_sqlite_text_at(row, 2), "virtual") == 0)
		return bs_err_set(err, BS_ESTORE, "table '%s' is a virtual table (full text, R-tree ...), which cannot "
				  "be put back yet: run the application without it", name);
	reading->table = add_table(s, BS_SQLITE_ROWS, name);
	reading->table->autoincrement = strcasestr(bs_sqlite_text_at(row, 3), "autoincrement") != NULL;
	int r = read_columns(reading, err);
	if (r == 0 && sqlite3_column_int(row, 1))
		r = bs_sqlite_each(s->live, "SELECT i.name, i.coll FROM pragma_index_list(?1) l "
					    "JOIN pragma_index_xinfo(l.name) i "
					    "WHERE l.origin = 'pk' AND i.key = 1 ORDER BY i.seqno",
				   name, take_key, reading, err);
	else if (r == 0)
		r = read_rowid(reading, err);
	if (reading->table->key_count > s->note_keys)
		s->note_keys = reading->table->key_count;
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

/* from, table, to */
static int take_reference(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;
	struct bs_sqlite *s = reading->s;
	struct bs_table *schema = schema_of(s, reading->table);
	int from = column_index(schema, bs_sqlite_text_at(row, 0));

	(void)err;
	for (size_t i = 0; from >= 0 && i < s->table_count; i++) {
		if (strcasecmp(s->schema[i].name, bs_sqlite_text_at(row, 1)) != 0)
			continue;
		int to = column_index(&s->schema[i], bs_sqlite_text_at(row, 2));
		if (to >= 0) {
			schema->columns[from].ref_table = (int)i;
			schema->columns[from].ref_column = to;
		}
	}
	return 0;
}

/* Without a column named, the primary key is meant. */
static int read_references(struct bs_sqlite *s, struct bs_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->table_count; i++) {
		struct reading reading = {.s = s, .table = &s->tables[i]};
		r = bs_sqlite_each(s->live, "SELECT f.\"from\", f.\"table\", coalesce(f.\"to\", (SELECT p.name "
					    "FROM pragma_table_info(f.\"table\") p WHERE p.pk = f.seq + 1)) "
					    "FROM pragma_foreign_key_list(?1) f",
				   s->tables[i].name, take_reference, &reading, err);
	}
	return r;
}

/* --- Bookkeeping ------------------------------------------------------------------------------------- */

static int take_whole(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;

	reading->table = add_table(reading->s, BS_SQLITE_WHOLE, bs_sqlite_text_at(row, 0));
	return read_columns(reading, err);
}

static void add_pragmas(struct bs_sqlite *s)
{
	struct bs_sqlite_table *table = add_table(s, BS_SQLITE_PRAGMA, "pragma");

	add_column(s, table, "user_version");
	add_column(s, table, "application_id");
}

/* --- All of it --------------------------------------------------------------------------------------- */

static int add_definition(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	bs_sqlite_pack(row, ctx);
	return 0;
}

/* Everything that CREATE statements made, but what is ours. */
static int digest_of_schema(struct bs_sqlite *s, uint64_t *ret_digest, struct bs_err *err)
{
	struct bs_buf all = BS_BUF_INIT;
	int r = bs_sqlite_each(s->live, "SELECT type, name, tbl_name, sql FROM sqlite_master "
					"WHERE name NOT GLOB '" BS_SQLITE_PREFIX "*' ORDER BY type, name",
			       NULL, add_definition, &all, err);

	if (r == 0)
		*ret_digest = bs_hash_bytes(bs_buf_text(&all), all.len).lo;
	bs_buf_release(&all);
	return r;
}

static int read_all(struct bs_sqlite *s, struct bs_err *err)
{
	struct reading reading = {.s = s};

	s->note_keys = 1;
	int r = bs_sqlite_each(s->live, "SELECT l.name, l.wr, l.type, m.sql FROM pragma_table_list l "
					"JOIN sqlite_master m ON m.type = 'table' AND m.name = l.name "
					"WHERE l.schema = 'main' AND l.type IN ('table', 'virtual', 'shadow') "
					"AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND l.name <> '" BS_SQLITE_NOTES "' "
					"ORDER BY l.type = 'virtual' DESC, m.rowid",
			       NULL, take_table, &reading, err);
	if (r == 0)
		r = read_references(s, err);
	if (r == 0)
		r = bs_sqlite_each(s->live, "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN "
					    "('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4') ORDER BY name",
				   NULL, take_whole, &reading, err);
	if (r == 0)
		add_pragmas(s);
	return r;
}

/* Deltas name tables and columns by number, so every start must bring the same ones. They are read once. */
int bs_sqlite_read_schema(struct bs_sqlite *s, struct bs_err *err)
{
	uint64_t digest = 0;
	int r = digest_of_schema(s, &digest, err);

	if (r < 0)
		return r;
	if (s->schema_known && digest != s->schema_digest)
		return bs_err_set(err, BS_ESTORE, "the tables are not those of the first start: the application changed "
				  "them when it was started again; let setup go as far as to where it stops doing so");
	if (s->schema_known)
		return 0;
	r = read_all(s, err);
	if (r < 0) {
		bs_sqlite_forget_schema(s);
		return r;
	}
	s->schema_known = true;
	s->schema_digest = digest;
	return 0;
}

void bs_sqlite_forget_schema(struct bs_sqlite *s)
{
	for (size_t i = 0; i < s->table_count; i++) {
		free(s->tables[i].keys);
		free(s->tables[i].key_collations);
		free(s->tables[i].key_cells);
		free(s->tables[i].columns);
		free(s->schema[i].columns);
	}
	free(s->tables);
	free(s->schema);
	s->tables = NULL;
	s->schema = NULL;
	s->table_count = 0;
	bs_arena_release(&s->arena);
}
