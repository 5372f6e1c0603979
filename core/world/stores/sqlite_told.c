/*
 * SQLite: what the program is told. It knows the tables of the root, by number and for good. Where the application
 * makes other tables during a run, they are told as rows of tables that every store has: sqlite_schema, whose rows are
 * the CREATE statements, and sqlite_other_rows, whose rows are those of tables that are not as they were at the root,
 * written out as text. So states that differ in them are different states, reports show them, and rules can ask
 * for them. The third, sqlite_version, is bookkeeping: the number of the version (sqlite_epoch.c).
 */
#include "sqlite.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

/* --- The tables -------------------------------------------------------------------------------------- */

static struct bs_column *add_columns(struct bs_sqlite_told *told, struct bs_table *table, const char *const *names,
				     size_t count)
{
	table->column_count = count;
	table->columns = bs_arena_alloc(&told->arena, count * sizeof *table->columns);
	for (size_t i = 0; i < count; i++)
		table->columns[i] = (struct bs_column){.name = names[i], .ref_table = -1, .ref_column = -1};
	return table->columns;
}

static void copy_table(struct bs_sqlite_told *told, const struct bs_table *from, struct bs_table *to)
{
	*to = *from;
	to->name = bs_arena_strdup(&told->arena, from->name);
	to->columns = bs_arena_dup(&told->arena, from->columns, from->column_count * sizeof *from->columns);
	for (size_t c = 0; c < to->column_count; c++)
		to->columns[c].name = bs_arena_strdup(&told->arena, from->columns[c].name);
}

void bs_sqlite_tell_root(struct bs_sqlite *s)
{
	static const char *const definition[] = {"type", "name", "tbl_name", "sql"};
	static const char *const other[] = {"table", "row"};
	static const char *const version[] = {"version"};
	struct bs_sqlite_told *told = &s->told;

	told->root_count = s->now.table_count;
	told->count = told->root_count + 3;
	told->tables = bs_xcalloc(told->count, sizeof *told->tables);
	for (size_t t = 0; t < told->root_count; t++)
		copy_table(told, &s->now.schema[t], &told->tables[t]);
	told->definitions = (uint32_t)told->root_count;
	told->others = told->definitions + 1;
	told->version = told->definitions + 2;
	told->tables[told->definitions].name = "sqlite_schema";
	struct bs_column *columns = add_columns(told, &told->tables[told->definitions], definition, BS_COUNT(definition));
	columns[0].key = columns[1].key = true;
	told->tables[told->others].name = "sqlite_other_rows";
	add_columns(told, &told->tables[told->others], other, BS_COUNT(other));
	told->tables[told->version].name = "sqlite_version";
	told->tables[told->version].bookkeeping = true;
	/* Two runs of one step give two numbers, which is no difference. */
	add_columns(told, &told->tables[told->version], version, BS_COUNT(version))->generated = true;
}

void bs_sqlite_told_release(struct bs_sqlite_told *told)
{
	free(told->tables);
	bs_arena_release(&told->arena);
	*told = (struct bs_sqlite_told){.tables = NULL};
}

static bool same_table(const struct bs_table *a, const struct bs_table *b)
{
	if (strcmp(a->name, b->name) != 0 || a->column_count != b->column_count || a->bookkeeping != b->bookkeeping)
		return false;
	for (size_t c = 0; c < a->column_count; c++)
		if (strcmp(a->columns[c].name, b->columns[c].name) != 0 || a->columns[c].hidden != b->columns[c].hidden)
			return false;
	return true;
}

void bs_sqlite_match_told(const struct bs_sqlite *s, struct bs_sqlite_catalog *catalog)
{
	for (size_t t = 0; t < catalog->table_count; t++) {
		struct bs_sqlite_table *table = &catalog->tables[t];
		/* Bookkeeping of tables that came later moves with the pages, and is nobody's to see. */
		table->told_as = catalog->schema[t].bookkeeping ? BS_SQLITE_UNTOLD : s->told.others;
		for (size_t r = 0; r < s->told.root_count; r++)
			if (same_table(&catalog->schema[t], &s->told.tables[r]))
				table->told_as = (uint32_t)r;
	}
}

/* --- Rows -------------------------------------------------------------------------------------------- */

static void add_text(struct bs_buf *text, const struct bs_cell *cell)
{
	bs_buf_addc(text, '\'');
	for (uint32_t i = 0; i < cell->len; i++) {
		if (cell->data[i] == '\'')
			bs_buf_addc(text, '\'');
		bs_buf_addc(text, cell->data[i]);
	}
	bs_buf_addc(text, '\'');
}

static void add_blob(struct bs_buf *text, const struct bs_cell *cell)
{
	bs_buf_adds(text, "x'");
	for (uint32_t i = 0; i < cell->len; i++)
		bs_buf_addf(text, "%02x", (unsigned)(unsigned char)cell->data[i]);
	bs_buf_addc(text, '\'');
}

/* As literals of SQL: equal rows have equal text and nothing else does. */
static void add_cell(struct bs_buf *text, const struct bs_cell *cell)
{
	switch (cell->kind) {
	case BS_CELL_NULL:
		bs_buf_adds(text, "NULL");
		break;
	case BS_CELL_INT:
	case BS_CELL_BOOL: /* SQLite's rows have neither this nor the two below */
		bs_buf_addf(text, "%" PRId64, cell->integer);
		break;
	case BS_CELL_REAL:
		bs_buf_addf(text, "%.17e", cell->real);
		break;
	case BS_CELL_TEXT:
	case BS_CELL_NUMBER:
	case BS_CELL_JSON:
		add_text(text, cell);
		break;
	case BS_CELL_BLOB:
		add_blob(text, cell);
		break;
	}
}

void bs_sqlite_other_row(const char *table, struct bs_blob image, struct bs_buf *ret_image)
{
	struct bs_buf text = BS_BUF_INIT;
	struct bs_cell cell;
	size_t offset = 0;

	while (bs_row_next(image, &offset, &cell)) {
		if (text.len)
			bs_buf_adds(&text, ", ");
		add_cell(&text, &cell);
	}
	bs_row_add_text(ret_image, table, strlen(table));
	bs_row_add_text(ret_image, bs_buf_text(&text), text.len);
	bs_buf_release(&text);
}

static struct bs_blob keep(struct bs_sqlite *s, struct bs_blob image)
{
	return image.data ? (struct bs_blob){bs_arena_dup(&s->images, image.data, image.len), image.len} : image;
}

void bs_sqlite_tell(struct bs_sqlite *s, uint32_t told_table, struct bs_blob before, struct bs_blob after)
{
	struct bs_change *change = BS_PUSH(s->told_changes, s->told_count);

	*change = (struct bs_change){.table = told_table, .before = keep(s, before), .after = keep(s, after)};
}

void bs_sqlite_tell_row(struct bs_sqlite *s, const struct bs_sqlite_table *table, struct bs_blob before,
			struct bs_blob after)
{
	struct bs_buf was = BS_BUF_INIT, is = BS_BUF_INIT;

	if (table->told_as != s->told.others) {
		if (table->told_as != BS_SQLITE_UNTOLD)
			bs_sqlite_tell(s, table->told_as, before, after);
		return;
	}
	if (before.data)
		bs_sqlite_other_row(table->name, before, &was);
	if (after.data)
		bs_sqlite_other_row(table->name, after, &is);
	bs_sqlite_tell(s, table->told_as, (struct bs_blob){was.data, (uint32_t)was.len},
		       (struct bs_blob){is.data, (uint32_t)is.len});
	bs_buf_release(&was);
	bs_buf_release(&is);
}

void bs_sqlite_tell_version(struct bs_sqlite *s, uint32_t from, uint32_t to)
{
	struct bs_buf was = BS_BUF_INIT, is = BS_BUF_INIT;

	bs_row_add_int(&was, from);
	bs_row_add_int(&is, to);
	bs_sqlite_tell(s, s->told.version, (struct bs_blob){was.data, (uint32_t)was.len},
		       (struct bs_blob){is.data, (uint32_t)is.len});
	bs_buf_release(&was);
	bs_buf_release(&is);
}
