/*
 * SQLite: a digest of everything, read on a connection that has no part in tracking, so that it can tell whether
 * tracking is right. The order of rows plays no part: rows of a table are hashed one by one and added up.
 */
#include "sqlite.h"

#include "base/hash.h"
#include "base/mem.h"

struct sum {
	const char *other; /* rows are told as rows of other tables: the name of this one */
	uint64_t value;
};

static int add_pair(void *ctx, struct bs_blob before, struct bs_blob after, struct bs_err *err)
{
	struct sum *sum = ctx;
	struct bs_buf image = BS_BUF_INIT;

	(void)before;
	(void)err;
	if (sum->other) {
		bs_sqlite_other_row(sum->other, after, &image);
		after = (struct bs_blob){image.data, (uint32_t)image.len};
	}
	sum->value += bs_hash_bytes(after.data, after.len).lo;
	bs_buf_release(&image);
	return 0;
}

static int add_definition(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	struct bs_buf image = BS_BUF_INIT;

	bs_sqlite_pack(row, &image);
	add_pair(ctx, (struct bs_blob){NULL, 0}, (struct bs_blob){image.data, (uint32_t)image.len}, err);
	bs_buf_release(&image);
	return 0;
}

/* The tables as this connection sees them, where they are not those that were read last. */
static int read_catalog(struct bs_sqlite *s, sqlite3 *db, struct bs_sqlite_catalog *fresh, bool *ret_fresh,
			struct bs_err *err)
{
	int64_t schema = 0;
	int r = bs_sqlite_ask(db, "PRAGMA main.schema_version", &schema, err);

	*ret_fresh = schema != s->schema_at_begin;
	if (r < 0 || !*ret_fresh)
		return r;
	r = bs_sqlite_read_catalog(db, fresh, err);
	if (r == 0)
		bs_sqlite_match_told(s, fresh);
	return r;
}

/* In tables, by the numbers under which they are told; what is not told counts with the version. */
static int digest_all(struct bs_sqlite *s, sqlite3 *db, uint64_t *tables, struct bs_err *err)
{
	struct bs_sqlite_catalog fresh = {.tables = NULL};
	struct sum definitions = {0};
	bool use_fresh;
	int r = read_catalog(s, db, &fresh, &use_fresh, err);
	const struct bs_sqlite_catalog *catalog = use_fresh ? &fresh : &s->now;

	for (size_t t = 0; r == 0 && t < catalog->table_count; t++) {
		const struct bs_sqlite_table *table = &catalog->tables[t];
		uint32_t told = table->told_as == BS_SQLITE_UNTOLD ? s->told.version : table->told_as;
		struct sum sum = {.other = told == s->told.others ? table->name : NULL};
		r = bs_sqlite_compare(NULL, NULL, db, table, add_pair, &sum, err);
		tables[told] += sum.value;
	}
	if (r == 0)
		r = bs_sqlite_each(db, BS_SQLITE_DEFINITIONS, NULL, add_definition, &definitions, err);
	tables[s->told.definitions] = definitions.value;
	bs_sqlite_forget_catalog(&fresh);
	return r;
}

int bs_sqlite_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err)
{
	struct bs_sqlite *s = (struct bs_sqlite *)store;
	sqlite3 *db = NULL;
	BS_AUTOFREE uint64_t *tables = bs_xcalloc(s->told.count, sizeof *tables);

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "digest before begin");
	int r = bs_sqlite_open(s->live_path, SQLITE_OPEN_READWRITE, &db, err);
	if (r == 0 && s->by_image)
		bs_sqlite_any_collation(db);
	if (r == 0)
		r = bs_sqlite_exec(db, "PRAGMA query_only=ON; BEGIN", err); /* all tables at one moment */
	if (r == 0)
		r = digest_all(s, db, tables, err);
	sqlite3_close(db);
	if (r < 0)
		return r;
	*ret_digest = bs_hash_bytes(tables, s->told.count * sizeof *tables).lo;
	for (size_t t = 0; ret_tables && t < s->told.count; t++)
		ret_tables[t] = tables[t];
	return 0;
}
