/*
 * PostgreSQL: putting rows, in one transaction that is sent as one pipeline (libpq's manual, "Pipeline Mode"): its
 * cost is one round trip and what changes. First the notes are locked, which waits for open transactions that wrote
 * and keeps others from writing; then a check that nothing is unread; then all deletes, all inserts, the positions
 * of sequences, and in place a note of what we put.
 *
 * Rows travel as one parameter for each table, an array of texts in binary form, so that nothing is quoted twice. A
 * count that is not the one expected raises an error in the server, as the client would see it only after the commit.
 */
#include "postgres.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#define TEXT_OID 25
#define UNIQUE_VIOLATION "23505"

/* --- Statements -------------------------------------------------------------------------------------- */

static const char *only(const struct bs_pg_table *table)
{
	return table->partitioned ? "" : "ONLY ";
}

/* The count must be the expected one, the parameter at `parameter`. */
static void add_count_check(PGconn *conn, struct bs_buf *sql, const char *name, size_t parameter)
{
	char *literal = PQescapeLiteral(conn, name, strlen(name));

	bs_buf_addf(sql, " RETURNING 1) SELECT CASE WHEN count(*) <> $%zu::bigint THEN " BS_PG_SCHEMA
			 ".not_there(%s) END FROM gone", parameter, literal);
	PQfreemem(literal);
}

/* By the columns of a unique index; their values come as one array for each. */
static void add_delete_by_key(const struct bs_pg_table *table, struct bs_buf *sql)
{
	const struct bs_pg_column *columns = table->columns;

	bs_buf_addf(sql, "WITH gone AS (DELETE FROM %s%s x", only(table), table->quoted);
	if (table->key_count == 1) {
		const struct bs_pg_column *column = &columns[table->key[0]];
		bs_buf_addf(sql, " WHERE x.%s %s ANY ($1::text[]::%s[])", column->quoted, table->key_equals[0], column->type);
		return;
	}
	bs_buf_adds(sql, " USING unnest(");
	for (size_t k = 0; k < table->key_count; k++)
		bs_buf_addf(sql, "%s$%zu::text[]::%s[]", k ? ", " : "", k + 1, columns[table->key[k]].type);
	bs_buf_adds(sql, ") AS k(");
	for (size_t k = 0; k < table->key_count; k++)
		bs_buf_addf(sql, "%sk%zu", k ? ", " : "", k);
	bs_buf_adds(sql, ") WHERE ");
	for (size_t k = 0; k < table->key_count; k++)
		bs_buf_addf(sql, "%sx.%s %s k.k%zu", k ? " AND " : "", columns[table->key[k]].quoted, table->key_equals[k], k);
}

/* Without a key: as many of the rows that are equal as there are in the array. A scan of the table. */
static void add_delete_by_row(const struct bs_pg_table *table, struct bs_buf *sql)
{
	const char *o = only(table), *t = table->quoted;

	bs_buf_addf(sql,
		    "WITH wanted AS (SELECT (w::%s)::text AS img, count(*) AS c FROM unnest($1::text[]) w GROUP BY 1), "
		    "there AS (SELECT y.tableoid AS t, y.ctid AS at, (y.*)::text AS img, "
		    "row_number() OVER (PARTITION BY (y.*)::text COLLATE \"C\") AS k FROM %s%s y "
		    "WHERE (y.*)::text IN (SELECT img FROM wanted)), "
		    "gone AS (DELETE FROM %s%s x WHERE (x.tableoid, x.ctid) IN (SELECT t, at FROM there "
		    "JOIN wanted ON wanted.img = there.img AND there.k <= wanted.c)",
		    t, o, t, o, t);
}

static void add_insert(const struct bs_pg_table *table, struct bs_buf *sql)
{
	bool first = true;

	bs_buf_addf(sql, "INSERT INTO %s(", table->quoted);
	for (size_t c = 0; c < table->column_count; c++)
		if (!table->columns[c].generated) {
			bs_buf_addf(sql, "%s%s", first ? "" : ", ", table->columns[c].quoted);
			first = false;
		}
	bs_buf_adds(sql, ") OVERRIDING SYSTEM VALUE SELECT ");
	first = true;
	for (size_t c = 0; c < table->column_count; c++)
		if (!table->columns[c].generated) {
			bs_buf_addf(sql, "%s(r).%s", first ? "" : ", ", table->columns[c].quoted);
			first = false;
		}
	bs_buf_addf(sql, " FROM (SELECT z::%s AS r FROM unnest($1::text[]) z OFFSET 0) s", table->quoted);
}

static int prepare_table(struct bs_postgres *s, size_t t, struct bs_err *err)
{
	struct bs_pg_table *table = &s->tables[t];
	struct bs_buf sql = BS_BUF_INIT;
	char name[32];

	if (table->key_count)
		add_delete_by_key(table, &sql);
	else
		add_delete_by_row(table, &sql);
	add_count_check(s->live, &sql, s->schema[t].name, table->key_count ? table->key_count + 1 : 2);
	snprintf(name, sizeof name, "delete%zu", t);
	int r = bs_pg_prepare(s->live, name, bs_buf_text(&sql), err);
	bs_buf_clear(&sql);
	add_insert(table, &sql);
	snprintf(name, sizeof name, "insert%zu", t);
	if (r == 0)
		r = bs_pg_prepare(s->live, name, bs_buf_text(&sql), err);
	bs_buf_release(&sql);
	if (r < 0)
		return bs_err_wrap(err, "table '%s'", s->schema[t].name);
	table->prepared = true;
	return 0;
}

int bs_pg_prepare_apply(struct bs_postgres *s, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;

	for (size_t t = 0; t < s->table_count; t++)
		s->tables[t].prepared = false;
	int r = bs_pg_prepare(s->live, "begin", "BEGIN", err);
	if (r == 0)
		r = bs_pg_prepare(s->live, "commit", "COMMIT", err);
	if (r == 0)
		r = bs_pg_prepare(s->live, "lock", "LOCK TABLE " BS_PG_SCHEMA ".notes IN SHARE ROW EXCLUSIVE MODE", err);
	bs_buf_adds(&sql, "SELECT CASE WHEN EXISTS (SELECT FROM " BS_PG_SCHEMA ".notes WHERE tx >= $1::xid8 "
			  "AND NOT pg_visible_in_snapshot(tx, $2::pg_snapshot) AND own IS NULL) OR ");
	bs_pg_add_positions(s, &sql);
	bs_buf_adds(&sql, " <> $3::text THEN " BS_PG_SCHEMA ".busy() END");
	if (r == 0)
		r = bs_pg_prepare(s->live, "check", bs_buf_text(&sql), err);
	bs_buf_release(&sql);
	if (r == 0)
		r = bs_pg_prepare(s->live, "position", "SELECT setval($1::oid::regclass, $2::bigint, $3::boolean)", err);
	if (r == 0)
		r = bs_pg_prepare(s->live, "own", "INSERT INTO " BS_PG_SCHEMA ".notes(rel, own, before, after) "
						  "SELECT $1::oid, $2::bigint, b, a FROM unnest($3::text[], $4::text[]) AS o(b, a)", err);
	if (r == 0)
		r = bs_pg_prepare(s->live, "mark", "INSERT INTO " BS_PG_SCHEMA ".notes(rel, own) VALUES (0, $1::bigint)", err);
	return r;
}

/* --- Arrays ------------------------------------------------------------------------------------------ */

/* The binary form of text[]: a header of five numbers, then for each text its length and its bytes. */
struct texts {
	struct bs_buf bytes;
	uint32_t count;
};

#define ARRAY_HEADER 20

static void put_number(struct bs_buf *bytes, uint32_t number)
{
	uint32_t big = htonl(number);

	bs_buf_add(bytes, &big, sizeof big);
}

static void texts_init(struct texts *texts)
{
	bs_buf_init(&texts->bytes, BS_BUF_UNBOUNDED);
	texts->count = 0;
	put_number(&texts->bytes, 1); /* dimensions */
	put_number(&texts->bytes, 1); /* there may be NULLs */
	put_number(&texts->bytes, TEXT_OID);
	put_number(&texts->bytes, 0); /* how many: see texts_end */
	put_number(&texts->bytes, 1); /* counted from 1 */
}

static void texts_add(struct texts *texts, const struct bs_buf *text)
{
	texts->count++;
	put_number(&texts->bytes, text ? (uint32_t)text->len : UINT32_MAX); /* -1: NULL */
	if (text)
		bs_buf_add(&texts->bytes, bs_buf_text(text), text->len);
}

static void texts_end(struct texts *texts)
{
	uint32_t big = htonl(texts->count);

	memcpy(texts->bytes.data + 12, &big, sizeof big);
}

/* --- The pipeline ------------------------------------------------------------------------------------ */

struct pipeline {
	struct bs_postgres *s;
	size_t sent;
	size_t mark; /* which one notes that this was put */
	bool failed; /* to send */
	bool done;   /* it was put before, and we did not hear of it */
};

static void send_texts(struct pipeline *p, const char *name, size_t count, const char *const *values)
{
	p->failed |= !PQsendQueryPrepared(p->s->live, name, (int)count, values, NULL, NULL, 0);
	p->sent++;
}

/* Arrays first, then texts. */
static void send_arrays(struct pipeline *p, const char *name, const struct texts *arrays, size_t array_count,
			const char *last)
{
	size_t count = array_count + (last ? 1 : 0);
	BS_AUTOFREE const char **values = bs_xcalloc(count, sizeof *values);
	BS_AUTOFREE int *lengths = bs_xcalloc(count, sizeof *lengths);
	BS_AUTOFREE int *formats = bs_xcalloc(count, sizeof *formats);

	for (size_t i = 0; i < array_count; i++) {
		values[i] = arrays[i].bytes.data;
		lengths[i] = (int)arrays[i].bytes.len;
		formats[i] = 1;
	}
	if (last)
		values[array_count] = last;
	p->failed |= !PQsendQueryPrepared(p->s->live, name, (int)count, values, lengths, formats, 0);
	p->sent++;
}

static void send_delete(struct pipeline *p, uint32_t t, const struct bs_net_row *rows, size_t count)
{
	const struct bs_pg_table *table = &p->s->tables[t];
	size_t array_count = table->key_count ? table->key_count : 1;
	BS_AUTOFREE struct texts *arrays = bs_xcalloc(array_count, sizeof *arrays);
	struct bs_buf text = BS_BUF_INIT;
	char name[32], expected[24];

	for (size_t a = 0; a < array_count; a++)
		texts_init(&arrays[a]);
	for (size_t i = 0; i < count; i++)
		for (int n = rows[i].count; rows[i].table == t && n < 0; n++) {
			struct bs_cell cell;
			bs_buf_clear(&text);
			if (!table->key_count) {
				bs_pg_image_to_row(rows[i].image, &text);
				texts_add(&arrays[0], &text);
			}
			for (size_t k = 0; k < table->key_count; k++)
				texts_add(&arrays[k], bs_row_cell(rows[i].image, table->key[k], &cell) &&
						      bs_pg_cell_text(&cell, &text) ? &text : NULL);
		}
	for (size_t a = 0; a < array_count; a++)
		texts_end(&arrays[a]);
	snprintf(name, sizeof name, "delete%u", t);
	snprintf(expected, sizeof expected, "%u", arrays[0].count);
	if (arrays[0].count)
		send_arrays(p, name, arrays, array_count, expected);
	for (size_t a = 0; a < array_count; a++)
		bs_buf_release(&arrays[a].bytes);
	bs_buf_release(&text);
}

static void send_insert(struct pipeline *p, uint32_t t, const struct bs_net_row *rows, size_t count)
{
	struct texts array;
	struct bs_buf text = BS_BUF_INIT;
	char name[32];

	texts_init(&array);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].table != t || rows[i].count <= 0)
			continue;
		bs_buf_clear(&text);
		bs_pg_image_to_row(rows[i].image, &text);
		for (int n = 0; n < rows[i].count; n++)
			texts_add(&array, &text);
	}
	texts_end(&array);
	snprintf(name, sizeof name, "insert%u", t);
	if (array.count)
		send_arrays(p, name, &array, 1, NULL);
	bs_buf_release(&array.bytes);
	bs_buf_release(&text);
}

/* --- Sequences --------------------------------------------------------------------------------------- */

static const struct bs_pg_sequence *sequence_of(const struct bs_postgres *s, struct bs_blob image)
{
	struct bs_cell name;

	for (size_t i = 0; bs_row_cell(image, 0, &name) && i < s->sequence_count; i++)
		if (strlen(s->sequences[i].name) == name.len && memcmp(s->sequences[i].name, name.data, name.len) == 0)
			return &s->sequences[i];
	return NULL;
}

static void send_position(struct pipeline *p, struct bs_blob image)
{
	const struct bs_pg_sequence *sequence = sequence_of(p->s, image);
	struct bs_cell value, called;
	char oid[16], number[24];

	if (!sequence || !bs_row_cell(image, 1, &value) || !bs_row_cell(image, 2, &called)) {
		p->failed = true;
		return;
	}
	snprintf(oid, sizeof oid, "%u", sequence->oid);
	snprintf(number, sizeof number, "%" PRId64, value.integer);
	const char *values[] = {oid, number, called.integer ? "t" : "f"};
	send_texts(p, "position", 3, values);
}

/* The positions as they are known, with those that were put. The caller's. */
static char *positions_after(const struct bs_postgres *s, const struct bs_net_row *rows, size_t count)
{
	struct bs_buf text = BS_BUF_INIT;
	const char *at = s->sequence_values;

	bs_buf_adds(&text, "");
	for (size_t i = 0; i < s->sequence_count; i++) {
		size_t len = strcspn(at, ";") + 1;
		const struct bs_net_row *put = NULL;
		struct bs_cell value, called;
		for (size_t r = 0; r < count; r++)
			if (rows[r].table == s->table_count && rows[r].count > 0 &&
			    sequence_of(s, rows[r].image) == &s->sequences[i])
				put = &rows[r];
		if (put && bs_row_cell(put->image, 1, &value) && bs_row_cell(put->image, 2, &called))
			bs_buf_addf(&text, "%" PRId64 "%c;", value.integer, called.integer ? 't' : 'f');
		else
			bs_buf_add(&text, at, len);
		at += len;
	}
	return bs_buf_take(&text);
}

/* --- Our own notes ------------------------------------------------------------------------------------ */

static void send_own(struct pipeline *p, uint32_t t, const struct bs_net_row *rows, size_t count, const char *own)
{
	struct texts before, after;
	struct bs_buf text = BS_BUF_INIT;
	char oid[16];

	texts_init(&before);
	texts_init(&after);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].table != t)
			continue;
		bs_buf_clear(&text);
		bs_pg_image_to_row(rows[i].image, &text);
		for (int n = 0; n < (rows[i].count < 0 ? -rows[i].count : rows[i].count); n++) {
			texts_add(&before, rows[i].count < 0 ? &text : NULL);
			texts_add(&after, rows[i].count < 0 ? NULL : &text);
		}
	}
	texts_end(&before);
	texts_end(&after);
	snprintf(oid, sizeof oid, "%u", p->s->tables[t].oid);
	const char *values[] = {oid, own, before.bytes.data, after.bytes.data};
	const int lengths[] = {0, 0, (int)before.bytes.len, (int)after.bytes.len}, formats[] = {0, 0, 1, 1};
	p->failed |= !PQsendQueryPrepared(p->s->live, "own", 4, values, lengths, formats, 0);
	p->sent++;
	bs_buf_release(&before.bytes);
	bs_buf_release(&after.bytes);
	bs_buf_release(&text);
}

/* --- All of it --------------------------------------------------------------------------------------- */

static bool touches(const struct bs_net_row *rows, size_t count, size_t table)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].table == table)
			return true;
	return false;
}

static void send_all(struct pipeline *p, const struct bs_net_row *rows, size_t count, const bool *touched)
{
	struct bs_postgres *s = p->s;
	BS_AUTOFREE char *oldest = bs_xstrndup(s->snapshot, strcspn(s->snapshot, ":"));
	const char *check[] = {oldest, s->snapshot, s->sequence_values};
	char own[24];
	const char *own_value = own;

	snprintf(own, sizeof own, "%" PRIu64, s->own_note + 1);
	send_texts(p, "begin", 0, NULL);
	send_texts(p, "lock", 0, NULL);
	p->mark = p->sent;
	send_texts(p, "mark", 1, &own_value);
	send_texts(p, "check", 3, check);
	for (uint32_t t = 0; t < s->table_count; t++)
		if (touched[t])
			send_delete(p, t, rows, count);
	for (uint32_t t = 0; t < s->table_count; t++)
		if (touched[t])
			send_insert(p, t, rows, count);
	for (uint32_t t = 0; s->in_place && t < s->table_count; t++)
		if (touched[t])
			send_own(p, t, rows, count, own);
	for (size_t i = 0; i < count; i++) /* last, as a position is not taken back with its transaction */
		if (rows[i].table == s->table_count && rows[i].count > 0)
			send_position(p, rows[i].image);
	send_texts(p, "commit", 0, NULL);
	p->failed |= !PQpipelineSync(s->live);
}

/* The results of all statements and of the end of the pipeline: the first error. */
static int receive_all(struct pipeline *p, struct bs_err *err)
{
	PGconn *conn = p->s->live;
	int r = 0;

	for (size_t i = 0; i <= p->sent; i++) {
		for (;;) {
			PGresult *result = NULL;
			int waited = bs_pg_next(conn, BS_PG_STATEMENT_MS + BS_PG_GRACE_MS, &result, r < 0 ? NULL : err);
			if (waited < 0)
				return r < 0 ? r : waited;
			if (!result)
				break;
			ExecStatusType status = PQresultStatus(result);
			if (r == 0 && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC)
				r = bs_pg_fail(conn, result, err);
			p->done |= i == p->mark && strcmp(bs_pg_state(result), UNIQUE_VIOLATION) == 0;
			PQclear(result);
			if (status == PGRES_PIPELINE_SYNC)
				return r;
			if (PQstatus(conn) == CONNECTION_BAD)
				return r < 0 ? r : bs_pg_fail(conn, NULL, err);
		}
	}
	return r < 0 ? r : bs_err_set(err, BS_EINTERNAL, "a pipeline without an end");
}

static int put(struct bs_postgres *s, const struct bs_net_row *rows, size_t count, const bool *touched, bool again,
	       struct bs_err *err)
{
	struct pipeline p = {.s = s};

	if (!PQenterPipelineMode(s->live))
		return bs_pg_fail(s->live, NULL, err);
	send_all(&p, rows, count, touched);
	int r = p.failed ? bs_pg_fail(s->live, NULL, err) : receive_all(&p, err);
	if (!PQexitPipelineMode(s->live) && PQstatus(s->live) != CONNECTION_BAD && r == 0)
		r = bs_pg_fail(s->live, NULL, err);
	if (r < 0 && !bs_pg_lost(s) && PQtransactionStatus(s->live) != PQTRANS_IDLE)
		bs_pg_exec(s->live, "ROLLBACK", NULL, NULL);
	return again && p.done ? 0 : r;
}

static int prepare_touched(struct bs_postgres *s, const struct bs_net_row *rows, size_t count, bool *touched,
			   struct bs_err *err)
{
	int r = 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].table > s->table_count)
			return bs_err_set(err, BS_EINTERNAL, "no table %u", rows[i].table);
	for (size_t t = 0; r == 0 && t < s->table_count; t++) {
		touched[t] = touches(rows, count, t);
		if (touched[t] && !s->tables[t].prepared)
			r = prepare_table(s, t, err);
	}
	return r;
}

/* Where the connection breaks, it is not known whether rows were put; then it is tried again, and the mark, which is
 * unique, tells. */
static int put_surely(struct bs_postgres *s, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	BS_AUTOFREE bool *touched = bs_xcalloc(s->table_count + 1, sizeof *touched);
	int r = 0;

	for (int try = 0; try < 2; try++) {
		r = prepare_touched(s, rows, count, touched, err);
		if (r == 0)
			r = put(s, rows, count, touched, try > 0, err);
		if (r == 0 || !bs_pg_lost(s) || bs_pg_reconnect(s, err) < 0)
			return r;
	}
	return r;
}

int bs_pg_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	struct bs_postgres *s = (struct bs_postgres *)store;

	if (!s->live || !s->snapshot)
		return bs_err_set(err, BS_EINTERNAL, "apply before begin");
	if (!count)
		return 0;
	int r = put_surely(s, rows, count, err);
	if (r < 0)
		return r;
	char *positions = positions_after(s, rows, count);
	free(s->sequence_values);
	s->sequence_values = positions;
	s->own_note++;
	s->stats.applies++;
	for (size_t i = 0; i < count; i++)
		s->stats.applied_rows += (uint64_t)(rows[i].count < 0 ? -rows[i].count : rows[i].count);
	return 0;
}
