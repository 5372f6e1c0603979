/* Rules that ask PostgreSQL in SQL: they read, within a time, and can do nothing else. */
#include "postgres_fixture.h"

struct answer {
	struct bs_buf text; /* one line for each row */
	size_t rows, stop_after;
};

static int take(void *ctx, const char *const *columns, size_t column_count, struct bs_blob image)
{
	struct answer *answer = ctx;
	struct bs_cell cell;

	for (size_t c = 0; c < column_count; c++) {
		assert_true(bs_row_cell(image, c, &cell));
		cJSON *json = bs_cell_to_json(&cell);
		BS_AUTOFREE char *text = bs_json_print(json, false);
		bs_buf_addf(&answer->text, "%s%s=%s", c ? " " : "", columns[c], text);
		cJSON_Delete(json);
	}
	bs_buf_addc(&answer->text, '\n');
	return ++answer->rows == answer->stop_after;
}

static int ask(struct fixture *f, const char *query, uint32_t timeout_ms, struct answer *answer)
{
	*answer = (struct answer){.text = BS_BUF_INIT};
	return f->store->ops->query(f->store, query, timeout_ms, take, answer, &f->err);
}

#define assert_answer(f, query, expected) \
	do { \
		struct answer answer_; \
		assert_ok(f, ask(f, query, 2000, &answer_)); \
		assert_string_equal(bs_buf_text(&answer_.text), expected); \
		bs_buf_release(&answer_.text); \
	} while (0)

#define assert_query_refused(f, query, why) \
	do { \
		struct answer answer_; \
		assert_refused(f, ask(f, query, 2000, &answer_), why); \
		bs_buf_release(&answer_.text); \
	} while (0)

static const char schema[] = "CREATE TABLE a(id serial PRIMARY KEY, n int); INSERT INTO a(n) VALUES (1), (2)";

static void a_query_gives_typed_rows(void **state)
{
	struct fixture *f = *state;

	begin(f, schema);
	assert_answer(f, "SELECT id, n > 1 AS more, n * 1.50 AS price, 'x' || n AS t, NULL AS nothing FROM a ORDER BY id",
		      "id=1 more=false price=1.50 t=\"x1\" nothing=null\nid=2 more=true price=3.00 t=\"x2\" nothing=null\n");
	assert_answer(f, "SELECT id FROM a WHERE n > 5", "");
	assert_answer(f, "WITH w AS (SELECT count(*) AS c FROM a) TABLE w;", "c=2\n");
	assert_answer(f, "SELECT timestamptz '2020-01-01 10:00+02' AS t, '{\"a\": [1]}'::jsonb AS j",
		      "t=\"2020-01-01 08:00:00+00\" j={\"a\":[1]}\n");
}

static void a_query_sees_what_the_application_committed(void **state)
{
	struct fixture *f = *state;

	begin(f, schema);
	for (int i = 3; i < 6; i++) {
		BS_AUTOFREE char *expected = bs_xasprintf("c=%d\n", i);
		run(f->app, "INSERT INTO a(n) VALUES (9)");
		assert_answer(f, "SELECT count(*) AS c FROM a", expected);
	}
}

static void a_query_can_be_stopped_after_a_row(void **state)
{
	struct fixture *f = *state;
	struct answer answer = {.text = BS_BUF_INIT, .stop_after = 3};

	begin(f, schema);
	assert_ok(f, f->store->ops->query(f->store, "SELECT generate_series(1, 100000) AS g", 2000, take, &answer, &f->err));
	assert_int_equal(answer.rows, 3);
	bs_buf_release(&answer.text);
	assert_answer(f, "SELECT 1 AS one", "one=1\n");
}

static void a_query_does_nothing_but_read(void **state)
{
	struct fixture *f = *state;

	begin(f, schema);
	uint64_t before = digest(f);
	assert_query_refused(f, "DELETE FROM a", "something else than read");
	assert_query_refused(f, "DELETE FROM a RETURNING id", "read-only transaction");
	assert_query_refused(f, "WITH d AS (DELETE FROM a RETURNING id) SELECT * FROM d", "read-only transaction");
	assert_query_refused(f, "SELECT nextval('a_id_seq')", "read-only transaction");
	assert_query_refused(f, "BEGIN", "something else than read");
	assert_query_refused(f, "SET default_transaction_read_only = off", "something else than read");
	assert_query_refused(f, "SELECT 1; DELETE FROM a", "multiple commands");
	assert_query_refused(f, "SELECT $1::int", "parameter");
	assert_query_refused(f, " ;\n", "empty");
	assert_query_refused(f, "SELECT nothing FROM a", "column \"nothing\" does not exist");
	assert_query_refused(f, "SELEC", "syntax error");
	struct answer answer;
	ask(f, "SELECT set_config('default_transaction_read_only', 'off', false), set_config('search_path', 'x', false)", 2000,
	    &answer);
	bs_buf_release(&answer.text);
	assert_query_refused(f, "DELETE FROM a RETURNING id", "read-only transaction"); /* nor its own session */
	assert_answer(f, "SELECT count(*) AS c FROM a", "c=2\n");
	assert_int_equal(digest(f), before);
	assert_int_equal(changes(f).count, 0);
}

static void a_query_that_takes_too_long_is_ended(void **state)
{
	struct fixture *f = *state;
	struct answer answer;

	begin(f, schema);
	assert_refused(f, ask(f, "SELECT pg_sleep(600)", 100, &answer), "took longer than 100 ms");
	bs_buf_release(&answer.text);
	assert_refused(f, ask(f, "SELECT count(*) FROM generate_series(1, 1000000000000)", 100, &answer), "took longer than 100 ms");
	bs_buf_release(&answer.text);
	assert_answer(f, "SELECT 1 AS one", "one=1\n");
}

static void many_queries_stay_right(void **state)
{
	struct fixture *f = *state;

	begin(f, schema);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 150; i++) {
			BS_AUTOFREE char *query = bs_xasprintf("SELECT %d AS n, %d AS m%d", i, i * 2, i);
			BS_AUTOFREE char *expected = bs_xasprintf("n=%d m%d=%d\n", i, i, i * 2);
			assert_answer(f, query, expected);
		}
}

static void a_query_after_a_cut_connection_is_asked_again(void **state)
{
	struct fixture *f = *state;

	begin(f, schema);
	assert_answer(f, "SELECT count(*) AS c FROM a", "c=2\n");
	on_server("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'backstep'");
	assert_answer(f, "SELECT count(*) AS c FROM a", "c=2\n");
}

#define QUERY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUERY(a_query_gives_typed_rows),
		QUERY(a_query_sees_what_the_application_committed),
		QUERY(a_query_can_be_stopped_after_a_row),
		QUERY(a_query_does_nothing_but_read),
		QUERY(a_query_that_takes_too_long_is_ended),
		QUERY(many_queries_stay_right),
		QUERY(a_query_after_a_cut_connection_is_asked_again),
	};

	pg_server_start(&server, NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_server_stop(&server);
	return failed;
}
