/*
 * PostgreSQL: which tables and sequences there are, what names a row, and what refers to what. Names come quoted from
 * the server (format('%I')), and types as format_type writes them, with their modifiers: `character` alone would
 * mean character(1).
 *
 * Deltas name tables and columns by number, so every start must bring the same ones. A clone has the same numbers
 * (oids) as what it was copied from; so the catalogue is read once, and later only compared.
 */
#include "postgres.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

/* Ordinary and partitioned tables that are neither the server's, nor ours, nor an extension's own. */
#define OURS_TO_TRACK \
	"c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' " \
	"AND nspname NOT IN ('information_schema', '" BS_PG_SCHEMA "')) " \
	"AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid " \
	"AND d.deptype = 'e') "

/* oid, name, quoted name, is partitioned, root (0: not a partition), has rows of its own; roots first */
static const char sql_tables[] =
	"SELECT c.oid, CASE WHEN n.nspname = $1 THEN c.relname ELSE n.nspname || '.' || c.relname END, "
	"format('%I.%I', n.nspname, c.relname), c.relkind = 'p', "
	"CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid ELSE 0 END, c.relkind = 'r' "
	"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE c.relkind IN ('r', 'p') AND " OURS_TO_TRACK
	"ORDER BY c.relispartition, n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

/* table, name, quoted name, type as SQL, type beneath its domains, makes its own values, default, GENERATED AS */
static const char sql_columns[] =
	"SELECT a.attrelid, a.attname, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), "
	"(WITH RECURSIVE b(t) AS (SELECT a.atttypid UNION ALL SELECT t.typbasetype FROM b "
	" JOIN pg_type t ON t.oid = b.t AND t.typtype = 'd') "
	" SELECT b.t FROM b JOIN pg_type t ON t.oid = b.t AND t.typtype <> 'd'), "
	"a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false), "
	"coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attgenerated <> '' "
	"FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
	"LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
	"WHERE c.relkind IN ('r', 'p') AND " OURS_TO_TRACK "ORDER BY a.attrelid, a.attnum";

/* table, column, operator: of the primary key, else of the smallest unique index over columns that are never NULL */
static const char sql_keys[] =
	"SELECT k.indrelid, a.attname, format('operator(%I.%s)', n.nspname, o.oprname) "
	"FROM (SELECT DISTINCT ON (i.indrelid) i.* FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
	" WHERE i.indisunique AND i.indisvalid AND i.indislive AND i.indpred IS NULL AND i.indexprs IS NULL "
	" AND NOT EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) p JOIN pg_attribute a "
	"  ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p] AND NOT a.attnotnull) AND " OURS_TO_TRACK
	" ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, i.indexrelid) k "
	"CROSS JOIN LATERAL generate_series(0, k.indnkeyatts - 1) p "
	"JOIN pg_attribute a ON a.attrelid = k.indrelid AND a.attnum = k.indkey[p] "
	"JOIN pg_opclass oc ON oc.oid = k.indclass[p] "
	"JOIN pg_amop am ON am.amopfamily = oc.opcfamily AND am.amopstrategy = 3 "
	" AND am.amoplefttype = oc.opcintype AND am.amoprighttype = oc.opcintype "
	"JOIN pg_operator o ON o.oid = am.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace "
	"ORDER BY k.indrelid, p";

/* table, column, table referred to, column there */
static const char sql_references[] =
	"SELECT f.conrelid, a.attname, f.confrelid, b.attname FROM pg_constraint f "
	"CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS k(mine, theirs) "
	"JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.mine "
	"JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.theirs "
	"WHERE f.contype = 'f' ORDER BY f.conrelid, f.conname, k.mine";

/* oid, name, quoted name */
static const char sql_sequences[] =
	"SELECT c.oid, n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname) "
	"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND " OURS_TO_TRACK
	"ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

enum part { TABLES, COLUMNS, KEYS, REFERENCES, SEQUENCES, PARTS };

static const char *const queries[PARTS] = {sql_tables, sql_columns, sql_keys, sql_references, sql_sequences};

struct catalogue {
	PGresult *parts[PARTS];
};

static const char *keep(struct bs_postgres *s, const PGresult *result, int row, int column)
{
	return bs_arena_strdup(&s->arena, bs_pg_text(result, row, column));
}

/* --- Finding ----------------------------------------------------------------------------------------- */

static size_t table_of(const struct bs_postgres *s, uint32_t oid)
{
	size_t i = 0;

	while (i < s->table_count && s->tables[i].oid != oid)
		i++;
	return i;
}

static size_t column_of(const struct bs_table *table, const char *name)
{
	size_t i = 0;

	while (i < table->column_count && strcmp(table->columns[i].name, name) != 0)
		i++;
	return i;
}

const struct bs_pg_relation *bs_pg_relation_of(const struct bs_postgres *s, uint32_t oid)
{
	size_t low = 0, high = s->relation_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (s->relations[middle].oid == oid)
			return &s->relations[middle];
		if (s->relations[middle].oid < oid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int by_oid(const void *a, const void *b)
{
	const struct bs_pg_relation *x = a, *y = b;

	return x->oid < y->oid ? -1 : x->oid > y->oid;
}

/* --- Tables ------------------------------------------------------------------------------------------ */

static void add_table(struct bs_postgres *s, const PGresult *tables, int row)
{
	struct bs_pg_table *table = BS_PUSH(s->tables, s->table_count);
	struct bs_table *schema = BS_PUSH(s->schema, s->schema_count);

	table->oid = bs_pg_oid(tables, row, 0);
	schema->name = keep(s, tables, row, 1);
	table->quoted = keep(s, tables, row, 2);
	table->partitioned = bs_pg_true(tables, row, 3);
}

static bool changes_by_itself(const char *value)
{
	static const char *const calls[] = {
		"now()", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "clock_timestamp()",
		"statement_timestamp()", "transaction_timestamp()", "timeofday()", "random()", "gen_random_uuid()",
		"uuid_generate_v", "gen_random_bytes(", "uuidv7(", "uuidv4(", "txid_current()", "('now'::text)::"};

	for (size_t i = 0; i < BS_COUNT(calls); i++)
		if (strstr(value, calls[i]))
			return true;
	return false;
}

static void add_column(struct bs_postgres *s, size_t t, const PGresult *columns, int row)
{
	struct bs_pg_table *table = &s->tables[t];
	struct bs_pg_column *column = BS_PUSH(table->columns, table->column_count);
	struct bs_column *schema = BS_PUSH(s->schema[t].columns, s->schema[t].column_count);

	schema->name = keep(s, columns, row, 1);
	schema->ref_table = schema->ref_column = -1;
	schema->generated = bs_pg_true(columns, row, 5);
	schema->volatile_default = !schema->generated && changes_by_itself(bs_pg_text(columns, row, 6));
	column->quoted = keep(s, columns, row, 2);
	column->type = keep(s, columns, row, 3);
	column->kind = bs_pg_kind_of_type(bs_pg_oid(columns, row, 4));
	column->generated = bs_pg_true(columns, row, 7);
}

/* The columns of a table, or of a partition, which has the same in any order. */
static int add_relation(struct bs_postgres *s, uint32_t oid, size_t t, const PGresult *columns, struct bs_err *err)
{
	struct bs_pg_relation *relation = BS_PUSH(s->relations, s->relation_count);

	relation->oid = oid;
	relation->table = (uint32_t)t;
	relation->places = bs_xcalloc(s->tables[t].column_count, sizeof *relation->places);
	for (int row = 0; row < PQntuples(columns); row++) {
		if (bs_pg_oid(columns, row, 0) != oid)
			continue;
		size_t place = column_of(&s->schema[t], bs_pg_text(columns, row, 1));
		if (place == s->tables[t].column_count || relation->column_count == s->tables[t].column_count)
			return bs_err_set(err, BS_EINTERNAL, "a partition of '%s' has other columns", s->schema[t].name);
		relation->places[relation->column_count++] = place;
	}
	return 0;
}

static int build_tables(struct bs_postgres *s, const struct catalogue *read, struct bs_err *err)
{
	const PGresult *tables = read->parts[TABLES], *columns = read->parts[COLUMNS];
	int r = 0;

	for (int row = 0; row < PQntuples(tables); row++)
		if (!bs_pg_oid(tables, row, 4))
			add_table(s, tables, row);
	for (int row = 0; row < PQntuples(columns); row++) {
		size_t t = table_of(s, bs_pg_oid(columns, row, 0));
		if (t < s->table_count)
			add_column(s, t, columns, row);
	}
	for (int row = 0; r == 0 && row < PQntuples(tables); row++) {
		uint32_t oid = bs_pg_oid(tables, row, 0), root = bs_pg_oid(tables, row, 4);
		size_t t = table_of(s, root ? root : oid);
		if (t < s->table_count && (!root || bs_pg_true(tables, row, 5)))
			r = add_relation(s, oid, t, columns, err);
	}
	if (s->relation_count)
		qsort(s->relations, s->relation_count, sizeof *s->relations, by_oid);
	return r;
}

/* --- Keys and references ----------------------------------------------------------------------------- */

static void add_keys(struct bs_postgres *s, const PGresult *keys)
{
	for (int row = 0; row < PQntuples(keys); row++) {
		size_t t = table_of(s, bs_pg_oid(keys, row, 0));
		if (t == s->table_count)
			continue;
		struct bs_pg_table *table = &s->tables[t];
		size_t column = column_of(&s->schema[t], bs_pg_text(keys, row, 1)), operators = table->key_count;
		*BS_PUSH(table->key, table->key_count) = column;
		*BS_PUSH(table->key_equals, operators) = keep(s, keys, row, 2);
		s->schema[t].columns[column].key = true;
	}
}

static void add_references(struct bs_postgres *s, const PGresult *references)
{
	for (int row = 0; row < PQntuples(references); row++) {
		size_t from = table_of(s, bs_pg_oid(references, row, 0)), to = table_of(s, bs_pg_oid(references, row, 2));
		if (from == s->table_count || to == s->table_count)
			continue;
		size_t column = column_of(&s->schema[from], bs_pg_text(references, row, 1));
		s->schema[from].columns[column].ref_table = (int)to;
		s->schema[from].columns[column].ref_column =
			(int)column_of(&s->schema[to], bs_pg_text(references, row, 3));
	}
}

/* --- Sequences: the last table, whose rows are their positions ---------------------------------------- */

static void add_sequences(struct bs_postgres *s, const PGresult *sequences)
{
	static const char *const columns[] = {"sequence", "last_value", "is_called"};
	struct bs_table *schema = BS_PUSH(s->schema, s->schema_count);

	schema->name = "sequences";
	schema->bookkeeping = true;
	for (size_t i = 0; i < BS_COUNT(columns); i++)
		*BS_PUSH(schema->columns, schema->column_count) =
			(struct bs_column){.name = columns[i], .ref_table = -1, .ref_column = -1};
	for (int row = 0; row < PQntuples(sequences); row++) {
		struct bs_pg_sequence *sequence = BS_PUSH(s->sequences, s->sequence_count);
		sequence->oid = bs_pg_oid(sequences, row, 0);
		sequence->name = keep(s, sequences, row, 1);
		sequence->quoted = keep(s, sequences, row, 2);
	}
}

/* --- All of it --------------------------------------------------------------------------------------- */

static int read_parts(struct bs_postgres *s, struct catalogue *read, struct bs_err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < PARTS; i++)
		r = bs_pg_ask(s->live, queries[i], i == TABLES ? 1 : 0, (const char *const *)&s->home, &read->parts[i], err);
	return r;
}

static uint64_t digest_of(const struct catalogue *read)
{
	struct bs_buf all = BS_BUF_INIT;

	for (int i = 0; i < PARTS; i++)
		for (int row = 0; row < PQntuples(read->parts[i]); row++)
			for (int c = 0; c < PQnfields(read->parts[i]); c++)
				bs_row_add_text(&all, bs_pg_text(read->parts[i], row, c),
						(size_t)PQgetlength(read->parts[i], row, c));
	uint64_t digest = bs_hash_bytes(bs_buf_text(&all), all.len).lo;
	bs_buf_release(&all);
	return digest;
}

static int build(struct bs_postgres *s, const struct catalogue *read, struct bs_err *err)
{
	int r = build_tables(s, read, err);

	if (r < 0)
		return r;
	add_keys(s, read->parts[KEYS]);
	add_references(s, read->parts[REFERENCES]);
	add_sequences(s, read->parts[SEQUENCES]);
	return 0;
}

int bs_pg_read_catalogue(struct bs_postgres *s, struct bs_err *err)
{
	struct catalogue read = {{NULL}};
	int r = read_parts(s, &read, err);
	uint64_t digest = r == 0 ? digest_of(&read) : 0;

	if (r == 0 && s->schema_known && digest != s->schema_digest)
		r = bs_err_set(err, BS_ESTORE, "the tables are not those of the first start: the application changed them when "
			       "it was started again; let setup go as far as to where it stops doing so");
	if (r == 0 && !s->schema_known) {
		bs_pg_forget_catalogue(s);
		r = build(s, &read, err);
		s->schema_known = r == 0;
		s->schema_digest = digest;
	}
	for (int i = 0; i < PARTS; i++)
		PQclear(read.parts[i]);
	return r;
}

void bs_pg_forget_catalogue(struct bs_postgres *s)
{
	for (size_t i = 0; i < s->table_count; i++) {
		free(s->tables[i].columns);
		free(s->tables[i].key);
		free(s->tables[i].key_equals);
	}
	for (size_t i = 0; i < s->schema_count; i++)
		free(s->schema[i].columns);
	for (size_t i = 0; i < s->relation_count; i++)
		free(s->relations[i].places);
	free(s->tables);
	free(s->schema);
	free(s->relations);
	free(s->sequences);
	s->tables = NULL;
	s->schema = NULL;
	s->relations = NULL;
	s->sequences = NULL;
	s->table_count = s->schema_count = s->relation_count = s->sequence_count = 0;
	s->schema_known = false;
	bs_arena_release(&s->arena);
}
