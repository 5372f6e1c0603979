/* What PostgreSQL's driver refuses or warns of, each with the name and the statement that helps. */
#include "postgres_fixture.h"

#include <limits.h>

/* --- Refused when tracking begins ---------------------------------------------------------------------- */

#define TABLE "CREATE TABLE a(id int PRIMARY KEY, n int);"
#define NOTHING "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"

static void assert_begin_refused(struct fixture *f, const char *schema, const char *text)
{
	prepare(f, schema);
	assert_refused(f, f->store->ops->begin(f->store, &f->err), text);
}

static void a_trigger_enabled_always_is_refused(void **state)
{
	assert_begin_refused(*state, TABLE NOTHING "CREATE TRIGGER \"Tr ig\" AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); "
						   "ALTER TABLE a ENABLE ALWAYS TRIGGER \"Tr ig\"",
			     "ALTER TABLE public.a ENABLE TRIGGER \"Tr ig\"");
}

static void a_trigger_for_replicas_is_refused(void **state)
{
	assert_begin_refused(*state, TABLE NOTHING "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); "
						   "ALTER TABLE a ENABLE REPLICA TRIGGER t",
			     "ALTER TABLE public.a ENABLE TRIGGER t");
}

static void a_rule_enabled_always_is_refused(void **state)
{
	assert_begin_refused(*state, TABLE "CREATE RULE r AS ON DELETE TO a DO INSTEAD NOTHING; "
					   "ALTER TABLE a ENABLE ALWAYS RULE r",
			     "ALTER TABLE public.a ENABLE RULE r");
}

static void a_table_without_columns_is_refused(void **state)
{
	assert_begin_refused(*state, "CREATE TABLE nothing()", "tables without a column cannot be tracked: public.nothing");
}

/* --- Warned of ------------------------------------------------------------------------------------------ */

static void assert_warned(struct fixture *f, const char *text)
{
	const char *warning;

	for (size_t i = 0; (warning = f->store->ops->warning(f->store, i)); i++)
		if (strstr(warning, text))
			return;
	fail_msg("no warning says '%s'", text);
}

static void an_ordinary_database_gives_no_warning(void **state)
{
	struct fixture *f = *state;

	begin(f, TABLE "CREATE TABLE b(x int NOT NULL UNIQUE, y text)");
	assert_null(f->store->ops->warning(f->store, 0));
}

static void what_is_only_partly_put_back_is_warned_of(void **state)
{
	struct fixture *f = *state;

	begin(f, TABLE "CREATE TABLE loose(x int, y int UNIQUE); CREATE MATERIALIZED VIEW m AS SELECT * FROM a; "
		       "CREATE SEQUENCE cached CACHE 10; SELECT lo_create(0); CREATE EXTENSION postgres_fdw; "
		       "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE far(x int) SERVER s");
	assert_warned(f, "each undo of a change reads the whole table: loose");
	assert_warned(f, "materialized views are not put back, and a run in which one is refreshed ends: public.m");
	assert_warned(f, "connections of the application keep numbers of these sequences (CACHE), which are not put back: "
			 "public.cached");
	assert_warned(f, "large objects are not tracked");
	assert_warned(f, "foreign tables is elsewhere and is not put back: public.far");
	size_t count = 0;
	while (f->store->ops->warning(f->store, count))
		count++;
	assert_ok(f, f->store->ops->begin(f->store, &f->err)); /* a clean start says nothing twice */
	assert_null(f->store->ops->warning(f->store, count));
}

/* --- During the run --------------------------------------------------------------------------------------- */

static void assert_ends_run(struct fixture *f, const char *sql, const char *text)
{
	begin(f, TABLE "CREATE MATERIALIZED VIEW m AS SELECT * FROM a");
	run(f->app, sql);
	assert_refused(f, try_changes(f), text);
}

static void a_table_created_during_the_run_ends_it(void **state)
{
	assert_ends_run(*state, "CREATE TABLE b(id int)", "the application ran CREATE TABLE public.b during the run");
}

static void a_table_altered_during_the_run_ends_it(void **state)
{
	assert_ends_run(*state, "ALTER TABLE a ADD COLUMN x int", "the application ran ALTER TABLE public.a during the run");
}

static void a_table_dropped_during_the_run_ends_it(void **state)
{
	assert_ends_run(*state, "DROP TABLE a CASCADE", "the application ran DROP TABLE public.a during the run");
}

static void a_view_refreshed_during_the_run_ends_it(void **state)
{
	assert_ends_run(*state, "REFRESH MATERIALIZED VIEW m", "REFRESH MATERIALIZED VIEW");
}

static void temporary_tables_and_ddl_that_was_rolled_back_do_not(void **state)
{
	struct fixture *f = *state;

	begin(f, TABLE);
	run(f->app, "CREATE TEMP TABLE scratch(x int); ALTER TABLE scratch ADD y int; DROP TABLE scratch");
	run(f->app, "BEGIN; CREATE TABLE b(id int); ROLLBACK");
	assert_int_equal(changes(f).count, 0);
}

static void a_step_that_writes_too_much_is_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, TABLE);
	((struct bs_postgres *)f->store)->notes_max = 100;
	run(f->app, "INSERT INTO a SELECT g, g FROM generate_series(1, 100) g");
	assert_int_equal(changes(f).count, 100);
	run(f->app, "INSERT INTO a SELECT g, g FROM generate_series(101, 201) g");
	assert_refused(f, try_changes(f), "one step wrote more than 100 rows");
	((struct bs_postgres *)f->store)->notes_max = UINT_MAX;
	((struct bs_postgres *)f->store)->bytes_max = 5000;
	assert_refused(f, try_changes(f), "too much to be put back");
}

static void a_row_that_is_not_as_it_was_left_is_not_put_back(void **state)
{
	struct fixture *f = *state;

	begin(f, TABLE "INSERT INTO a VALUES (1, 1)");
	run(f->app, "INSERT INTO a VALUES (2, 2); DELETE FROM a WHERE id = 1");
	struct bs_changes list = changes(f);
	PGconn *hidden = connect_to(live_url(f));
	run(hidden, "SET session_replication_role = replica; DELETE FROM a WHERE id = 2"); /* which no trigger sees */
	PQfinish(hidden);
	uint64_t there = digest(f);
	assert_refused(f, undo(f, &list), "table 'a': a row to be put back is not as it was left");
	assert_int_equal(digest(f), there);
}

/* The other tables' rights and owners are as they were: ours need none from the application. */
static void an_application_without_rights_on_the_notes_is_seen(void **state)
{
	struct fixture *f = *state;

	on_server("postgres", "DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN");
	begin(f, TABLE "GRANT INSERT, TRUNCATE ON a TO app; REVOKE ALL ON SCHEMA public FROM public; "
		       "GRANT USAGE ON SCHEMA public TO app");
	run(f->app, "SET ROLE app; INSERT INTO a VALUES (1, 1)");
	assert_changes(f, "a null->{\"id\":1,\"n\":1}\n");
	run(f->app, "TRUNCATE a");
	assert_changes(f, "a {\"id\":1,\"n\":1}->null\n");
	run(f->app, "RESET ROLE");
}

#define REFUSAL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REFUSAL(a_trigger_enabled_always_is_refused),
		REFUSAL(a_trigger_for_replicas_is_refused),
		REFUSAL(a_rule_enabled_always_is_refused),
		REFUSAL(a_table_without_columns_is_refused),
		REFUSAL(an_ordinary_database_gives_no_warning),
		REFUSAL(what_is_only_partly_put_back_is_warned_of),
		REFUSAL(a_table_created_during_the_run_ends_it),
		REFUSAL(a_table_altered_during_the_run_ends_it),
		REFUSAL(a_table_dropped_during_the_run_ends_it),
		REFUSAL(a_view_refreshed_during_the_run_ends_it),
		REFUSAL(temporary_tables_and_ddl_that_was_rolled_back_do_not),
		REFUSAL(a_step_that_writes_too_much_is_refused),
		REFUSAL(a_row_that_is_not_as_it_was_left_is_not_put_back),
		REFUSAL(an_application_without_rights_on_the_notes_is_seen),
	};

	pg_server_start(&server, NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_server_stop(&server);
	return failed;
}
