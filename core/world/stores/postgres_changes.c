/*
 * PostgreSQL: from notes to changes. One statement gives, of one moment, which transactions are committed (a
 * snapshot), the positions of all sequences, and the notes of transactions that are visible now and were not in the
 * snapshot of the last look, in the order in which they were written. Nothing is written by looking.
 *
 * A transaction that noted something and is still open is waited for: its rows belong to this step.
 */
#include "postgres.h"

#include "base/mem.h"
#include "delta.h"

#include <inttypes.h>
#include <string.h>

#define ROW_OVERHEAD 64 /* bytes that a row costs beside its text */

/* Tables, views and indexes as they are called and how many columns they have, where no event trigger tells. */
#define DDL_PRINT \
	"(SELECT count(*) || ':' || coalesce(sum(hashtextextended(format('%s %s %s %s', c.relname, c.relnatts, " \
	"c.relkind, c.relnamespace) COLLATE \"C\", c.oid::bigint)), 0) FROM pg_class c " \
	"WHERE c.relkind IN ('r', 'p', 'i', 'S', 'v', 'm', 'f') AND c.relpersistence <> 't' " \
	"AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%' " \
	"OR nspname IN ('information_schema', '" BS_PG_SCHEMA "')))"

/* --- Sequences --------------------------------------------------------------------------------------- */

void bs_pg_add_positions(const struct bs_postgres *s, struct bs_buf *sql)
{
	bs_buf_adds(sql, "(''");
	for (size_t i = 0; i < s->sequence_count; i++)
		bs_buf_addf(sql, " || (SELECT last_value || CASE WHEN is_called THEN 't;' ELSE 'f;' END FROM %s)",
			    s->sequences[i].quoted);
	bs_buf_adds(sql, ")");
}

void bs_pg_sequence_image(const char *name, int64_t value, bool called, struct bs_buf *image)
{
	bs_row_add_text(image, name, strlen(name));
	bs_row_add_int(image, value);
	bs_row_add_bool(image, called);
}

static struct bs_blob keep(struct bs_postgres *s, const struct bs_buf *image)
{
	return (struct bs_blob){bs_arena_dup(&s->images, bs_buf_text(image), image->len), (uint32_t)image->len};
}

static void add_change(struct bs_postgres *s, uint32_t table, struct bs_blob before, struct bs_blob after)
{
	*BS_PUSH(s->changes, s->change_count) = (struct bs_change){.table = table, .before = before, .after = after};
}

static void add_moved(struct bs_postgres *s, size_t sequence, int64_t from, bool from_called, int64_t to,
		      bool to_called)
{
	struct bs_buf before = BS_BUF_INIT, after = BS_BUF_INIT;

	bs_pg_sequence_image(s->sequences[sequence].name, from, from_called, &before);
	bs_pg_sequence_image(s->sequences[sequence].name, to, to_called, &after);
	add_change(s, (uint32_t)s->table_count, keep(s, &before), keep(s, &after));
	bs_buf_release(&before);
	bs_buf_release(&after);
}

/* 5t;1f; against 7t;1f; */
static void compare_positions(struct bs_postgres *s, const char *before, const char *after)
{
	for (size_t i = 0; i < s->sequence_count && *before && *after; i++) {
		char *end_before, *end_after;
		int64_t from = strtoll(before, &end_before, 10), to = strtoll(after, &end_after, 10);
		if (from != to || *end_before != *end_after)
			add_moved(s, i, from, *end_before == 't', to, *end_after == 't');
		before = end_before + strcspn(end_before, ";");
		after = end_after + strcspn(end_after, ";");
		before += *before == ';';
		after += *after == ';';
	}
}

/* --- Notes ------------------------------------------------------------------------------------------- */

void bs_pg_forget_changes(struct bs_postgres *s)
{
	free(s->changes);
	s->changes = NULL;
	s->change_count = 0;
	bs_arena_release(&s->images);
}

static int take_image(struct bs_postgres *s, const struct bs_pg_relation *relation, const PGresult *row, int column,
		      struct bs_blob *ret_image, struct bs_err *err)
{
	struct bs_buf image = BS_BUF_INIT;
	int r = 0;

	if (PQgetisnull(row, 0, column)) {
		*ret_image = (struct bs_blob){NULL, 0};
		return 0;
	}
	r = bs_pg_row_to_image(s, relation, bs_pg_text(row, 0, column), (size_t)PQgetlength(row, 0, column), &image, err);
	if (r == 0)
		*ret_image = keep(s, &image);
	bs_buf_release(&image);
	return r;
}

static int refuse_ddl(const char *what, struct bs_err *err)
{
	return bs_err_set(err, BS_ESTORE, "the application ran %s during the run, and changes of tables cannot be put "
			  "back: let setup do that", what);
}

/* A row of the answer: number, relation, before, after. */
static int take_note(struct bs_postgres *s, const PGresult *row, struct bs_err *err)
{
	uint32_t oid = bs_pg_oid(row, 0, 1);
	const struct bs_pg_relation *relation = bs_pg_relation_of(s, oid);
	struct bs_blob before, after;

	if (!oid)
		return refuse_ddl(bs_pg_text(row, 0, 2), err);
	if (!relation)
		return bs_err_set(err, BS_ESTORE, "the application created or attached a table (number %u) during the run, "
				  "and changes of tables cannot be put back: let setup do that", oid);
	int r = take_image(s, relation, row, 2, &before, err);
	if (r == 0)
		r = take_image(s, relation, row, 3, &after, err);
	if (r == 0 && !bs_blob_equal(before, after))
		add_change(s, relation->table, before, after);
	return r;
}

/* --- One look ---------------------------------------------------------------------------------------- */

struct look {
	char *snapshot;
	char *positions;
	char *ddl_print;
	uint64_t rows, bytes;
};

static void look_release(struct look *look)
{
	free(look->snapshot);
	free(look->positions);
	free(look->ddl_print);
	*look = (struct look){0};
}

static int take_row(struct bs_postgres *s, const PGresult *row, struct look *look, struct bs_err *err)
{
	if (!look->snapshot) { /* the first one is about the moment */
		look->snapshot = bs_xstrdup(bs_pg_text(row, 0, 2));
		look->positions = bs_xstrdup(bs_pg_text(row, 0, 3));
		look->ddl_print = bs_xstrdup(bs_pg_text(row, 0, 4));
		return 0;
	}
	look->bytes += (uint64_t)PQgetlength(row, 0, 2) + (uint64_t)PQgetlength(row, 0, 3) + ROW_OVERHEAD;
	if (++look->rows > s->notes_max || look->bytes > s->bytes_max)
		return bs_err_set(err, BS_ESTORE, "one step wrote more than %" PRIu64 " rows or %" PRIu64 " MB, too much to be "
				  "put back", s->notes_max, s->bytes_max >> 20);
	return take_note(s, row, err);
}

/* Row by row, so that what is too much is never held whole. What comes behind an error is thrown away. */
static int receive(struct bs_postgres *s, struct look *look, struct bs_err *err)
{
	PGresult *result = NULL;
	int r = 0;

	for (;;) {
		int waited = bs_pg_next(s->live, BS_PG_STATEMENT_MS + BS_PG_GRACE_MS, &result, r < 0 ? NULL : err);
		if (waited < 0)
			return waited;
		if (!result)
			return r;
		if (r == 0 && PQresultStatus(result) == PGRES_SINGLE_TUPLE)
			r = take_row(s, result, look, err);
		else if (r == 0 && PQresultStatus(result) != PGRES_TUPLES_OK)
			r = bs_pg_fail(s->live, result, err);
		PQclear(result);
	}
}

static int look_at_notes(struct bs_postgres *s, struct look *look, struct bs_err *err)
{
	BS_AUTOFREE char *oldest = bs_xstrndup(s->snapshot, strcspn(s->snapshot, ":"));
	const char *values[] = {oldest, s->snapshot};

	if (!PQsendQueryPrepared(s->live, "changes", 2, values, NULL, NULL, 0) || !PQsetSingleRowMode(s->live))
		return bs_pg_fail(s->live, NULL, err);
	return receive(s, look, err);
}

static int prepare_open(struct bs_postgres *s, struct bs_err *err)
{
	return bs_pg_prepare(s->live, "open",
			     "SELECT coalesce(format('session %s of ''%s'', %s since %s s, its last statement is: %s', a.pid, "
			     "coalesce(nullif(a.application_name, ''), a.usename), a.state, "
			     "round(extract(epoch FROM clock_timestamp() - a.state_change)::numeric, 1), left(a.query, 200)), "
			     "'a prepared one') FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid "
			     "WHERE l.locktype = 'relation' AND l.relation = '" BS_PG_SCHEMA ".notes'::regclass "
			     "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
			     "AND l.mode = 'RowExclusiveLock' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid() LIMIT 1",
			     err);
}

int bs_pg_prepare_changes(struct bs_postgres *s, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;

	bs_buf_adds(&sql, "SELECT 0::bigint, NULL::oid, pg_current_snapshot()::text, ");
	bs_pg_add_positions(s, &sql);
	bs_buf_addf(&sql, ", %s UNION ALL (SELECT n, rel, before, after, NULL FROM " BS_PG_SCHEMA ".notes "
			  "WHERE tx >= $1::xid8 AND NOT pg_visible_in_snapshot(tx, $2::pg_snapshot) AND own IS NULL) ORDER BY 1",
		    s->superuser ? "NULL::text" : DDL_PRINT);
	int r = bs_pg_prepare(s->live, "changes", bs_buf_text(&sql), err);
	bs_buf_release(&sql);
	return r < 0 ? r : prepare_open(s, err);
}

static void accept(struct bs_postgres *s, struct look *look)
{
	free(s->snapshot);
	free(s->sequence_values);
	s->snapshot = look->snapshot;
	s->sequence_values = look->positions;
	look->snapshot = look->positions = NULL;
}

int bs_pg_start_changes(struct bs_postgres *s, struct bs_err *err)
{
	struct look look = {0};
	int r = bs_pg_prepare_changes(s, err);

	free(s->snapshot);
	s->snapshot = bs_xstrdup("3:3:"); /* nothing is visible in it */
	if (r == 0)
		r = look_at_notes(s, &look, err);
	bs_pg_forget_changes(s);
	if (r == 0) {
		free(s->ddl_print);
		s->ddl_print = look.ddl_print;
		look.ddl_print = NULL;
		accept(s, &look);
	}
	look_release(&look);
	return r;
}

/* --- Transactions that are still open ------------------------------------------------------------------ */

/* Whoever noted something holds a lock on the notes until the end of the transaction. */
static int find_open(struct bs_postgres *s, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_run(s->live, "open", 0, NULL, &result, err);

	if (r < 0 || PQntuples(result) == 0)
		return r;
	return bs_err_set(err, BS_EBUSY, "a transaction that wrote is still open: %s", bs_pg_text(result, 0, 0));
}

static bool any_running(const char *snapshot)
{
	const char *last = strrchr(snapshot, ':');

	return last && last[1];
}

/* --- All of it --------------------------------------------------------------------------------------- */

static int check_ddl(const struct bs_postgres *s, const struct look *look, struct bs_err *err)
{
	if (!s->ddl_print || !look->ddl_print || strcmp(s->ddl_print, look->ddl_print) == 0)
		return 0;
	return refuse_ddl("CREATE, ALTER or DROP", err);
}

static int look_once(struct bs_postgres *s, struct look *look, struct bs_err *err)
{
	bs_pg_forget_changes(s);
	look_release(look);
	int r = look_at_notes(s, look, err);
	if (r == 0 && any_running(look->snapshot))
		r = find_open(s, err);
	if (r == 0)
		r = check_ddl(s, look, err);
	return r;
}

int bs_pg_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct bs_postgres *s = (struct bs_postgres *)store;
	struct look look = {0};

	if (!s->live || !s->snapshot)
		return bs_err_set(err, BS_EINTERNAL, "changes before begin");
	int r = look_once(s, &look, err);
	if (r < 0 && bs_pg_lost(s)) { /* looking changes nothing, so it can be done again */
		r = bs_pg_reconnect(s, err);
		if (r == 0)
			r = look_once(s, &look, err);
	}
	if (r == 0) {
		compare_positions(s, s->sequence_values, look.positions);
		accept(s, &look);
		*ret_changes = (struct bs_changes){s->changes, s->change_count};
	}
	look_release(&look);
	return r;
}

/* --- Since the root ------------------------------------------------------------------------------------ */

static int take_all_notes(struct bs_postgres *s, struct look *look, struct bs_err *err)
{
	if (!PQsendQuery(s->live, "SELECT n, rel, before, after, NULL FROM " BS_PG_SCHEMA ".notes WHERE rel <> 0 "
				  "ORDER BY n") ||
	    !PQsetSingleRowMode(s->live))
		return bs_pg_fail(s->live, NULL, err);
	look->snapshot = bs_xstrdup(""); /* no first row about the moment */
	return receive(s, look, err);
}

static int compare_with_root(struct bs_postgres *s, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	struct bs_buf sql = BS_BUF_INIT, root = BS_BUF_INIT;
	int r = 0;

	bs_buf_adds(&sql, "SELECT ");
	bs_pg_add_positions(s, &sql);
	for (size_t i = 0; r == 0 && i < s->sequence_count; i++) {
		PGresult *at = NULL;
		const char *name = s->sequences[i].name;
		r = bs_pg_ask(s->live, "SELECT last_value || CASE WHEN is_called THEN 't;' ELSE 'f;' END FROM " BS_PG_SCHEMA
				       ".root_sequences WHERE sequence = $1", 1, &name, &at, err);
		if (r == 0 && PQntuples(at) != 1)
			r = bs_err_set(err, BS_ESTORE, "sequence '%s' was made since the root", name);
		if (r == 0)
			bs_buf_adds(&root, bs_pg_text(at, 0, 0));
		PQclear(at);
	}
	if (r == 0)
		r = bs_pg_exec(s->live, bs_buf_text(&sql), &result, err);
	if (r == 0)
		compare_positions(s, bs_buf_text(&root), bs_pg_text(result, 0, 0));
	bs_buf_release(&sql);
	bs_buf_release(&root);
	return r;
}

int bs_pg_changes_since_root(struct bs_postgres *s, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct look look = {0};

	bs_pg_forget_changes(s);
	int r = take_all_notes(s, &look, err);
	if (r == 0)
		r = compare_with_root(s, err);
	look_release(&look);
	if (r == 0)
		*ret_changes = (struct bs_changes){s->changes, s->change_count};
	return r;
}
