/*
 * SQLite: what nothing can bring back is refused, with its name and what to do; nothing is ever missed silently. Where
 * the application is not at fault, its own statements go on working.
 */
#include "sqlite_fixture.h"

static const char things[] = "CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT UNIQUE, photo BLOB);"
			     "INSERT INTO thing VALUES (1, 'a', x'00'), (2, 'b', x'01')";

/* --- Things of ours that are gone ---------------------------------------------------------------------- */

#define FILL \
	"WITH RECURSIVE n(i) AS (VALUES (10) UNION ALL SELECT i + 1 FROM n WHERE i < 100)" \
	"INSERT INTO thing(id) SELECT i FROM n"

static void a_dropped_note_table_is_said(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "DROP TABLE _backstep_notes");
	assert_refused(f, try_changes(f), "the application dropped '_backstep_");
}

static void a_dropped_trigger_is_said(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "DROP TRIGGER _backstep_0_bd");
	assert_refused(f, try_changes(f), "the application dropped '_backstep_0_bd'");
}

/* --- Too much ------------------------------------------------------------------------------------------ */

static void a_file_renamed_over_the_database_is_said(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *other = bs_xasprintf("%s/other.db", f->folder);

	begin(f, things);
	make_database(f, other, things);
	assert_int_equal(rename(other, live_path(f)), 0);
	assert_refused(f, try_changes(f), "the application replaced or removed its database file");
}

static void too_many_rows_in_a_table_compared_whole_are_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "PRAGMA recursive_triggers=ON; DELETE FROM thing WHERE id = 1");
	changes(f);
	((struct bs_sqlite *)f->store)->notes_max = 50;
	run(f->app, FILL);
	assert_refused(f, try_changes(f), "more than 50 rows");
}

static void too_many_rows_beside_a_new_table_are_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	((struct bs_sqlite *)f->store)->notes_max = 50;
	run(f->app, "CREATE TABLE late(x);" FILL);
	assert_refused(f, try_changes(f), "more than 50 rows");
	run(f->app, "DELETE FROM thing; DROP TABLE late"); /* and is none the worse for it */
	assert_int_equal(changes(f).count, 3); /* two rows and the version */
}

static void more_images_than_there_is_room_for_are_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	((struct bs_sqlite *)f->store)->images_max = 1000;
	run(f->app, "CREATE TABLE late(x)");
	assert_refused(f, try_changes(f), "would need more than 0 MB");
	assert_non_null(strstr(bs_err_text(&f->err), "let setup do what changes tables"));
}

static void too_many_rows_in_one_step_are_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	((struct bs_sqlite *)f->store)->notes_max = 50;
	run(f->app, FILL);
	assert_refused(f, try_changes(f), "more than 50 rows");
}

/* --- The application goes on working ----------------------------------------------------------------- */

static void a_wary_application_works_as_before(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	sqlite3_db_config(f->app, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	run(f->app, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
	run(f->app, "INSERT INTO thing VALUES (7, 'c', NULL)");
	assert_int_equal(sqlite3_last_insert_rowid(f->app), 7);
	assert_int_equal(sqlite3_changes(f->app), 1);
	run(f->app, "UPDATE thing SET photo = NULL WHERE id < 3");
	assert_int_equal(sqlite3_changes(f->app), 2);
	assert_int_equal(sqlite3_last_insert_rowid(f->app), 7);
	assert_int_equal(changes(f).count, 3);
}

static void conflict_clauses_of_the_application_keep_their_meaning(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	assert_int_equal(sqlite3_exec(f->app, "UPDATE OR FAIL thing SET name = 'b' WHERE id = 1", NULL, NULL, NULL),
			 SQLITE_CONSTRAINT);
	run(f->app, "INSERT OR IGNORE INTO thing(name) VALUES ('a'), ('c')");
	assert_int_equal(number(f->app, "SELECT count(*) FROM thing"), 3);
	assert_int_equal(changes(f).count, 1);
}

#define IN_BOTH(test) \
	{#test " (WAL)", test, set_up, tear_down, (void *)(uintptr_t) "WAL"}, \
	{#test " (DELETE)", test, set_up, tear_down, (void *)(uintptr_t) "DELETE"}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(a_dropped_note_table_is_said),
		IN_BOTH(a_dropped_trigger_is_said),
		IN_BOTH(a_file_renamed_over_the_database_is_said),
		IN_BOTH(too_many_rows_in_one_step_are_refused),
		IN_BOTH(too_many_rows_in_a_table_compared_whole_are_refused),
		IN_BOTH(too_many_rows_beside_a_new_table_are_refused),
		IN_BOTH(more_images_than_there_is_room_for_are_refused),
		IN_BOTH(a_wary_application_works_as_before),
		IN_BOTH(conflict_clauses_of_the_application_keep_their_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
