/* SQLite: which tables there are, what names a row, and what refers to what. See sqlite.h. */
#include "sqlite.h"

#include "base/hash.h"
#include "base/mem.h"
#include "sqlite_text.h"

#include <string.h>
#include <strings.h>

/* A table whose parts are read. */
struct reading {
	sqlite3 *db;
	struct bs_sqlite_catalog *catalog;
	struct bs_sqlite_table *table;
	char **virtuals; /* in the catalog's arena: tables with these names and more behind an underscore belong to them */
	size_t virtual_count;
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

static const char *keep(struct bs_sqlite_catalog *c, const char *text)
{
	return bs_arena_strdup(&c->arena, text);
}

static struct bs_table *schema_of(struct bs_sqlite_catalog *c, const struct bs_sqlite_table *table)
{
	return &c->schema[table - c->tables];
}

static struct bs_column *add_column(struct bs_sqlite_catalog *c, struct bs_sqlite_table *table, const char *name)
{
	struct bs_table *schema = schema_of(c, table);
	struct bs_column *column = BS_PUSH(schema->columns, schema->column_count);

	column->name = keep(c, name);
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

static struct bs_sqlite_table *add_table(struct bs_sqlite_catalog *c, enum bs_sqlite_table_kind kind, const char *name)
{
	size_t schemas = c->table_count;
	struct bs_sqlite_table *table = BS_PUSH(c->tables, c->table_count);
	struct bs_table *schema = BS_PUSH(c->schema, schemas);

	table->kind = kind;
	table->name = schema->name = keep(c, name);
	schema->bookkeeping = kind != BS_SQLITE_ROWS;
	return table;
}

/* Only the first obstacle is told. */
static void cannot_write(struct bs_sqlite_catalog *c, const struct bs_sqlite_table *table, const char *what)
{
	if (!c->by_image)
		c->by_image = bs_arena_printf(&c->arena, "table '%s': %s", table->name, what);
}

/* --- Ordinary tables --------------------------------------------------------------------------------- */

/* name, default, place in the primary key, hidden */
static int take_column(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;

	(void)err;
	if (sqlite3_column_int(row, 3) != 0) /* generated: made again from the others */
		return 0;
	struct bs_column *column = add_column(reading->catalog, reading->table, bs_sqlite_text_at(row, 0));
	column->key = sqlite3_column_int(row, 2) > 0;
	column->volatile_default = bs_default_is_volatile(bs_sqlite_text_at(row, 1));
	return 0;
}

static int read_columns(struct reading *reading, struct bs_err *err)
{
	return bs_sqlite_each(reading->db, "SELECT name, dflt_value, pk, hidden FROM pragma_table_xinfo(?1)",
			      reading->table->name, take_column, reading, err);
}

/* A rowid has three names, and columns may take them. */
static int take_free_alias(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;

	(void)err;
	reading->table->rowid = keep(reading->catalog, bs_sqlite_text_at(row, 0));
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
	struct bs_table *schema = schema_of(reading->catalog, reading->table);
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
	struct bs_table *schema = schema_of(reading->catalog, reading->table);
	size_t cell = cell_of(schema, bs_sqlite_text_at(row, 0));

	(void)err;
	if (cell == schema->column_count)
		cannot_write(reading->catalog, reading->table, "its primary key holds a generated column");
	else
		add_key(reading->table, schema->columns[cell].name, keep(reading->catalog, bs_sqlite_text_at(row, 1)),
			cell);
	return 0;
}

/* No column shows this rowid, so it comes first as a cell of its own. */
static void put_rowid_first(struct bs_sqlite_catalog *c, struct bs_sqlite_table *table)
{
	struct bs_table *schema = schema_of(c, table);

	add_column(c, table, table->rowid);
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
	int r = bs_sqlite_each(reading->db,
			       "SELECT a.column1 FROM (VALUES ('oid'), ('_rowid_'), ('rowid')) a "
			       "WHERE a.column1 NOT IN (SELECT lower(name) FROM pragma_table_xinfo(?1))",
			       table->name, take_free_alias, reading, err);

	if (r == 0 && !table->rowid)
		cannot_write(reading->catalog, table, "its columns hide all names of the rowid, so that rows cannot be told apart");
	if (r == 0 && table->rowid)
		r = bs_sqlite_each(reading->db,
				   "SELECT name FROM pragma_table_xinfo(?1) WHERE pk = 1 AND upper(type) = 'INTEGER' "
				   "AND (SELECT max(pk) FROM pragma_table_xinfo(?1)) = 1 "
				   "AND NOT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk')",
				   table->name, take_rowid_column, reading, err);
	if (r == 0 && table->rowid && !table->key_count)
		put_rowid_first(reading->catalog, table);
	return r;
}

/* A table that a virtual table keeps its things in. Where the module is not known here SQLite does not know either,
 * and the name tells. */
static const char *virtual_owner(const struct reading *reading, const char *name, bool known_shadow)
{
	for (size_t i = 0; i < reading->virtual_count; i++) {
		size_t len = strlen(reading->virtuals[i]);
		if (strncasecmp(name, reading->virtuals[i], len) == 0 && name[len] == '_')
			return reading->virtuals[i];
	}
	return known_shadow ? "" : NULL;
}

static bool knows(sqlite3 *db, const char *virtual_table)
{
	struct bs_buf sql = BS_BUF_INIT;
	sqlite3_stmt *stmt = NULL;

	bs_sqlite_add(&sql, "SELECT 1 FROM main.\"%w\"", virtual_table);
	bool known = sqlite3_prepare_v2(db, bs_buf_text(&sql), -1, &stmt, NULL) == SQLITE_OK;
	sqlite3_finalize(stmt);
	bs_buf_release(&sql);
	return known;
}

/* The indexes of a full text table that keeps its texts follow from them: they are put back, and are nobody's to see.
 * Everything else counts when states are told apart. */
static int hide_text_index(struct reading *reading, const char *owner, const char *name, struct bs_err *err)
{
	int64_t own_texts = 0;
	struct bs_buf sql = BS_BUF_INIT;

	bs_sqlite_add(&sql, "SELECT count(*) FROM main.sqlite_master v JOIN main.sqlite_master t "
			    "ON t.type = 'table' AND t.name = v.name || '_content' COLLATE NOCASE WHERE v.name = %Q "
			    "AND v.sql LIKE '%%USING fts%%' AND %Q <> t.name COLLATE NOCASE", owner, name);
	int r = bs_sqlite_ask(reading->db, bs_buf_text(&sql), &own_texts, err);
	bs_buf_release(&sql);
	schema_of(reading->catalog, reading->table)->bookkeeping = own_texts > 0;
	return r;
}

/* name, WITHOUT ROWID, type, CREATE statement; virtual tables come first */
static int take_table(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;
	struct bs_sqlite_catalog *c = reading->catalog;
	const char *name = bs_sqlite_text_at(row, 0), *type = bs_sqlite_text_at(row, 2);

	if (strcmp(type, "virtual") == 0) {
		*BS_PUSH(reading->virtuals, reading->virtual_count) = bs_arena_strdup(&c->arena, name);
		return 0;
	}
	const char *owner = virtual_owner(reading, name, strcmp(type, "shadow") == 0);
	if (owner && *owner && strcmp(type, "shadow") != 0 && knows(reading->db, owner))
		owner = NULL; /* an ordinary table that is only called so */
	reading->table = add_table(c, BS_SQLITE_ROWS, name);
	reading->table->noted = !owner;
	c->unnoted += owner != NULL;
	reading->table->autoincrement = strcasestr(bs_sqlite_text_at(row, 3), "autoincrement") != NULL;
	int r = owner ? hide_text_index(reading, owner, name, err) : 0;
	if (r == 0)
		r = read_columns(reading, err);
	if (r == 0 && sqlite3_column_int(row, 1))
		r = bs_sqlite_each(reading->db, "SELECT i.name, i.coll FROM pragma_index_list(?1) l "
						"JOIN pragma_index_xinfo(l.name) i "
						"WHERE l.origin = 'pk' AND i.key = 1 ORDER BY i.seqno",
				   name, take_key, reading, err);
	else if (r == 0)
		r = read_rowid(reading, err);
	if (reading->table->key_count > c->note_keys)
		c->note_keys = reading->table->key_count;
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
	struct bs_sqlite_catalog *c = reading->catalog;
	struct bs_table *schema = schema_of(c, reading->table);
	int from = column_index(schema, bs_sqlite_text_at(row, 0));

	(void)err;
	for (size_t i = 0; from >= 0 && i < c->table_count; i++) {
		if (strcasecmp(c->schema[i].name, bs_sqlite_text_at(row, 1)) != 0)
			continue;
		int to = column_index(&c->schema[i], bs_sqlite_text_at(row, 2));
		if (to >= 0) {
			schema->columns[from].ref_table = (int)i;
			schema->columns[from].ref_column = to;
		}
	}
	return 0;
}

/* Without a column named, the primary key is meant. */
static int read_references(struct reading *reading, struct bs_err *err)
{
	struct bs_sqlite_catalog *c = reading->catalog;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->table_count; i++) {
		reading->table = &c->tables[i];
		r = bs_sqlite_each(reading->db, "SELECT f.\"from\", f.\"table\", coalesce(f.\"to\", (SELECT p.name "
					    "FROM pragma_table_info(f.\"table\") p WHERE p.pk = f.seq + 1)) "
					    "FROM pragma_foreign_key_list(?1) f",
				   c->tables[i].name, take_reference, reading, err);
	}
	return r;
}

/* --- Bookkeeping ------------------------------------------------------------------------------------- */

static int take_whole(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct reading *reading = ctx;

	reading->table = add_table(reading->catalog, BS_SQLITE_WHOLE, bs_sqlite_text_at(row, 0));
	return read_columns(reading, err);
}

static void add_pragmas(struct bs_sqlite_catalog *c)
{
	struct bs_sqlite_table *table = add_table(c, BS_SQLITE_PRAGMA, "pragma");

	add_column(c, table, "user_version");
	add_column(c, table, "application_id");
}

/* --- All of it --------------------------------------------------------------------------------------- */

static int add_definition(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	bs_sqlite_pack(row, ctx);
	return 0;
}

static int digest_definitions(struct reading *reading, struct bs_err *err)
{
	struct bs_buf all = BS_BUF_INIT;
	int r = bs_sqlite_each(reading->db, BS_SQLITE_DEFINITIONS, NULL, add_definition, &all, err);

	if (r == 0)
		reading->catalog->digest = bs_hash_bytes(bs_buf_text(&all), all.len).lo;
	bs_buf_release(&all);
	return r;
}

static int read_all(struct reading *reading, struct bs_err *err)
{
	reading->catalog->note_keys = 1;
	int r = bs_sqlite_each(reading->db, "SELECT l.name, l.wr, l.type, m.sql FROM pragma_table_list l "
					    "JOIN sqlite_master m ON m.type = 'table' AND m.name = l.name "
					    "WHERE l.schema = 'main' AND l.type IN ('table', 'virtual', 'shadow') "
					    "AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
					    "AND l.name <> '" BS_SQLITE_NOTES "' "
					    "ORDER BY l.type = 'virtual' DESC, m.rowid",
			       NULL, take_table, reading, err);
	if (r == 0)
		r = read_references(reading, err);
	if (r == 0)
		r = bs_sqlite_each(reading->db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN "
						"('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4') ORDER BY name",
				   NULL, take_whole, reading, err);
	if (r == 0)
		add_pragmas(reading->catalog);
	return r < 0 ? r : digest_definitions(reading, err);
}

int bs_sqlite_read_catalog(sqlite3 *db, struct bs_sqlite_catalog *ret_catalog, struct bs_err *err)
{
	struct bs_sqlite_catalog catalog = {.tables = NULL, .arena = BS_ARENA_INIT};
	struct reading reading = {.db = db, .catalog = &catalog};
	int r = read_all(&reading, err);

	free(reading.virtuals);
	if (r < 0)
		bs_sqlite_forget_catalog(&catalog);
	else
		*ret_catalog = catalog;
	return r;
}

void bs_sqlite_forget_catalog(struct bs_sqlite_catalog *catalog)
{
	bs_sqlite_finalize(catalog);
	for (size_t i = 0; i < catalog->table_count; i++) {
		free(catalog->tables[i].keys);
		free(catalog->tables[i].key_collations);
		free(catalog->tables[i].key_cells);
		free(catalog->tables[i].columns);
		free(catalog->schema[i].columns);
	}
	free(catalog->tables);
	free(catalog->schema);
	bs_arena_release(&catalog->arena);
	*catalog = (struct bs_sqlite_catalog){.tables = NULL};
}
