/* SQLite: rules ask in SQL, can do nothing else with it, and get an answer in time. */
#include "sqlite_fixture.h"

#define FOREVER "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
#define TIMEOUT_MS 10000

struct answer {
	char columns[200];
	size_t rows;
	size_t stop_after;
	struct bs_cell last[4]; /* numbers only: text is borrowed */
};

static int take(void *ctx, const char *const *columns, size_t column_count, struct bs_blob image)
{
	struct answer *answer = ctx;
	struct bs_buf names = BS_BUF_INIT;

	for (size_t i = 0; i < column_count; i++)
		bs_buf_addf(&names, "%s%s", i ? "," : "", columns[i]);
	snprintf(answer->columns, sizeof answer->columns, "%s", bs_buf_text(&names));
	bs_buf_release(&names);
	for (size_t i = 0; i < 4; i++)
		bs_row_cell(image, i, &answer->last[i]);
	return ++answer->rows == answer->stop_after;
}

static int ask(struct fixture *f, const char *query, struct answer *answer)
{
	return f->store->ops->query(f->store, query, TIMEOUT_MS, take, answer, &f->err);
}

static const char accounts[] = "CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT, cents INT);"
			       "INSERT INTO account VALUES (1, 'ann', 9007199254740993), (2, 'bob', -5)";

static void rows_come_with_their_names_and_types(void **state)
{
	struct fixture *f = *state;
	struct answer answer = {0};

	begin(f, accounts);
	assert_ok(f, ask(f, "SELECT id, cents AS \"the sum\", cents / 2.0, owner FROM account ORDER BY id DESC -- all\n;",
			 &answer));
	assert_string_equal(answer.columns, "id,the sum,cents / 2.0,owner");
	assert_int_equal(answer.rows, 2);
	assert_true(answer.last[1].kind == BS_CELL_INT && answer.last[1].integer == 9007199254740993);
	assert_int_equal(answer.last[2].kind, BS_CELL_REAL);
	assert_int_equal(answer.last[3].kind, BS_CELL_TEXT);
}

static void a_query_sees_what_was_committed_last(void **state)
{
	struct fixture *f = *state;

	begin(f, accounts);
	for (size_t i = 0; i < 3; i++) {
		struct answer answer = {0};
		assert_ok(f, ask(f, "SELECT * FROM account", &answer));
		assert_int_equal(answer.rows, 2 + i);
		run(f->app, "INSERT INTO account(owner) VALUES ('more')");
	}
	run(f->app, "BEGIN; INSERT INTO account(owner) VALUES ('not yet')");
	struct answer answer = {0};
	assert_ok(f, ask(f, "SELECT * FROM account", &answer));
	assert_int_equal(answer.rows, 5);
}

static void an_answer_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct answer answer = {.stop_after = 1};

	begin(f, accounts);
	assert_ok(f, ask(f, "SELECT * FROM account", &answer));
	assert_int_equal(answer.rows, 1);
	run(f->app, "UPDATE account SET cents = 0"); /* nothing of it keeps a lock */
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
}

static void what_does_not_only_read_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const others[] = {"DELETE FROM account",
					     "INSERT INTO account VALUES (9, '', 1) RETURNING id",
					     "CREATE TABLE x(y)",
					     "CREATE TEMP TABLE x(y)",
					     "PRAGMA journal_mode=OFF",
					     "PRAGMA query_only=OFF",
					     "PRAGMA user_version=9",
					     "ATTACH ':memory:' AS other",
					     "BEGIN",
					     "SAVEPOINT s",
					     "VACUUM"};
	struct answer answer = {0};

	begin(f, accounts);
	uint64_t before = digest(f);
	for (size_t i = 0; i < BS_COUNT(others); i++)
		assert_refused(f, ask(f, others[i], &answer), "the query does something else than read");
	assert_int_equal(answer.rows, 0);
	assert_int_equal(digest(f), before);
}

static void one_statement_is_one(void **state)
{
	struct fixture *f = *state;
	struct answer answer = {0};

	begin(f, accounts);
	assert_refused(f, ask(f, "SELECT 1; SELECT 2", &answer), "more than one statement");
	assert_refused(f, ask(f, "SELECT 1; DELETE FROM account", &answer), "more than one statement");
	assert_refused(f, ask(f, "SELECT 1; ;; nonsense", &answer), "more than one statement");
	assert_refused(f, ask(f, " -- nothing", &answer), "the query is empty");
	assert_refused(f, ask(f, "SELECT * FROM account WHERE id = ?", &answer), "has a parameter");
	assert_ok(f, ask(f, "SELECT 1; /* end */ ;", &answer));
}

static void errors_are_in_sqlites_words(void **state)
{
	struct fixture *f = *state;
	struct answer answer = {0};

	begin(f, accounts);
	assert_refused(f, ask(f, "SELECT * FORM account", &answer), "near \"FORM\": syntax error");
	assert_refused(f, ask(f, "SELECT total FROM account", &answer), "no such column: total");
	assert_refused(f, ask(f, "SELECT abs(-9223372036854775808)", &answer), "integer overflow");
}

static void consistency_can_be_asked_for(void **state)
{
	struct fixture *f = *state;
	struct answer answer = {0};

	begin(f, "CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a REFERENCES a)");
	assert_ok(f, ask(f, "PRAGMA foreign_key_check", &answer));
	assert_int_equal(answer.rows, 0);
	run(f->app, "PRAGMA foreign_keys=OFF; INSERT INTO b VALUES (7)");
	assert_ok(f, ask(f, "PRAGMA foreign_key_check", &answer));
	assert_ok(f, ask(f, "SELECT * FROM pragma_foreign_key_check", &answer));
	assert_int_equal(answer.rows, 2);
	assert_ok(f, ask(f, "SELECT value FROM json_each('[1, 2]')", &answer));
	assert_int_equal(answer.rows, 4);
}

static void virtual_tables_can_be_asked_also_after_pages_were_put_back(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE VIRTUAL TABLE search USING fts5(text); CREATE VIRTUAL TABLE old USING fts4(text);"
		 "CREATE VIRTUAL TABLE place USING rtree(id, x0, x1);"
		 "INSERT INTO search VALUES ('one'); INSERT INTO old VALUES ('one'); INSERT INTO place VALUES (1, 0, 5)");
	for (size_t i = 0; i < 2; i++) {
		struct answer answer = {0};
		assert_ok(f, ask(f, "SELECT search.text FROM search, old, place WHERE search MATCH 'one' "
				    "AND old MATCH 'one' AND x0 < 3", &answer));
		assert_int_equal(answer.rows, 1);
		run(f->app, "CREATE TABLE late(x); INSERT INTO search VALUES ('one'); DELETE FROM old; DELETE FROM place");
		struct bs_changes list = changes(f);
		assert_ok(f, undo(f, &list));
	}
}

static void a_query_that_takes_too_long_ends(void **state)
{
	struct fixture *f = *state;
	struct answer answer = {0};

	begin(f, accounts);
	assert_refused(f, f->store->ops->query(f->store, FOREVER, 20, take, &answer, &f->err),
		       "the query took longer than 20 ms");
	assert_ok(f, ask(f, "SELECT 1", &answer));
}

static void many_queries_are_answered_each_with_its_own(void **state)
{
	struct fixture *f = *state;

	begin(f, accounts);
	for (int round = 0; round < 2; round++)
		for (int64_t i = 0; i < 100; i++) {
			struct answer answer = {0};
			BS_AUTOFREE char *query = bs_xasprintf("SELECT %d", (int)i);
			assert_ok(f, ask(f, query, &answer));
			assert_int_equal(answer.last[0].integer, i);
		}
}

#define IN_BOTH(test) \
	{#test " (WAL)", test, set_up, tear_down, (void *)(uintptr_t) "WAL"}, \
	{#test " (DELETE)", test, set_up, tear_down, (void *)(uintptr_t) "DELETE"}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(rows_come_with_their_names_and_types),
		IN_BOTH(a_query_sees_what_was_committed_last),
		IN_BOTH(an_answer_can_be_stopped),
		IN_BOTH(what_does_not_only_read_is_refused),
		IN_BOTH(one_statement_is_one),
		IN_BOTH(errors_are_in_sqlites_words),
		IN_BOTH(consistency_can_be_asked_for),
		IN_BOTH(virtual_tables_can_be_asked_also_after_pages_were_put_back),
		IN_BOTH(a_query_that_takes_too_long_ends),
		IN_BOTH(many_queries_are_answered_each_with_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
