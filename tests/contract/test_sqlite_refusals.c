/*
 * SQLite: what cannot be tracked is refused, with its name and what to do; nothing is ever missed silently. Where the
 * application is not at fault, its own statements go on working.
 */
#include "sqlite_fixture.h"

static const char things[] = "CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT UNIQUE, photo BLOB);"
			     "INSERT INTO thing VALUES (1, 'a', x'00'), (2, 'b', x'01')";

/* --- When tracking begins ---------------------------------------------------------------------------- */

static void a_virtual_table_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	prepare(f, "CREATE TABLE plain(x); CREATE VIRTUAL TABLE search USING fts5(text)");
	assert_refused(f, f->store->ops->begin(f->store, &f->err), "table 'search' is a virtual table");
	assert_int_equal(number(f->app, "SELECT count(*) FROM sqlite_master WHERE name GLOB '_backstep_*'"), 0);
}

static void a_table_that_hides_its_rowid_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	prepare(f, "CREATE TABLE odd(rowid, _rowid_, OID)");
	assert_refused(f, f->store->ops->begin(f->store, &f->err), "table 'odd': its columns hide");
}

static int compare_bytes(void *ctx, int a_len, const void *a, int b_len, const void *b)
{
	(void)ctx;
	return a_len == b_len ? memcmp(a, b, (size_t)a_len) : a_len - b_len;
}

static void half(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_result_int64(context, sqlite3_value_int64(values[0]) / 2);
}

static void a_collation_of_the_applications_own_is_refused_with_its_table(void **state)
{
	struct fixture *f = *state;

	prepare(f, "CREATE TABLE plain(x)");
	sqlite3_create_collation(f->app, "german", SQLITE_UTF8, NULL, compare_bytes);
	run(f->app, "CREATE TABLE name(n TEXT COLLATE german UNIQUE)");
	assert_refused(f, f->store->ops->begin(f->store, &f->err), "table 'name' cannot be put back: ");
	assert_non_null(strstr(bs_err_text(&f->err), "german"));
}

static void a_function_of_the_applications_own_in_an_index_is_refused_with_its_table(void **state)
{
	struct fixture *f = *state;

	prepare(f, "CREATE TABLE number(n)");
	sqlite3_create_function(f->app, "half", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, half, NULL, NULL);
	run(f->app, "CREATE UNIQUE INDEX halves ON number(half(n))");
	assert_refused(f, f->store->ops->begin(f->store, &f->err), "table 'number' cannot be put back: ");
	assert_non_null(strstr(bs_err_text(&f->err), "half"));
}

/* --- Tables that change during the run --------------------------------------------------------------- */

static void tables_that_change_are_refused_by_name(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "CREATE TABLE late(x)");
	assert_refused(f, try_changes(f), "the application created 'late' during the run");
	run(f->app, "DROP TABLE late; ALTER TABLE thing ADD COLUMN more");
	assert_refused(f, try_changes(f), "the application changed 'thing' during the run");
	assert_refused(f, try_changes(f), "let setup do that"); /* it stays so */
}

static void a_dropped_table_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE TABLE a(x); CREATE TABLE b(y)");
	run(f->app, "DROP TABLE a");
	assert_refused(f, try_changes(f), "the application dropped 'a' during the run");
}

static void a_rebuilt_database_is_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "VACUUM");
	assert_refused(f, try_changes(f), "VACUUM");
}

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

static void tables_that_change_after_changes_were_read_stop_apply(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "DELETE FROM thing WHERE id = 1");
	struct bs_changes list = changes(f);
	run(f->app, "CREATE INDEX late ON thing(photo)");
	assert_refused(f, undo(f, &list), "the application created 'late'");
	assert_int_equal(number(f->app, "SELECT count(*) FROM thing"), 1);
}

/* --- What triggers do not see ------------------------------------------------------------------------ */

static void a_lone_blob_write_is_found_and_its_table_named(void **state)
{
	struct fixture *f = *state;
	sqlite3_blob *blob;

	begin(f, things);
	assert_int_equal(sqlite3_blob_open(f->app, "main", "thing", "photo", 1, 1, &blob), SQLITE_OK);
	assert_int_equal(sqlite3_blob_write(blob, "x", 1, 0), SQLITE_OK);
	assert_int_equal(sqlite3_blob_close(blob), SQLITE_OK);
	assert_refused(f, try_changes(f), "table 'thing' was changed in a way that triggers do not see");
}

static void writes_with_triggers_disabled_are_found(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	sqlite3_db_config(f->app, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	run(f->app, "UPDATE thing SET name = 'z' WHERE id = 2");
	assert_refused(f, try_changes(f), "table 'thing'");
}

static void recursive_triggers_are_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "PRAGMA recursive_triggers=ON; UPDATE thing SET name = 'z' WHERE id = 2");
	assert_refused(f, try_changes(f), "recursive_triggers=ON");
}

static void recursive_triggers_turned_on_later_are_refused_after_the_next_restore(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "UPDATE thing SET name = 'z' WHERE id = 2");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	run(f->app, "PRAGMA recursive_triggers=ON; DELETE FROM thing");
	assert_refused(f, try_changes(f), "recursive_triggers=ON");
}

static void a_file_renamed_over_the_database_is_said(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *other = bs_xasprintf("%s/other.db", f->folder);

	begin(f, things);
	make_database(f, other, things);
	assert_int_equal(rename(other, live_path(f)), 0);
	assert_refused(f, try_changes(f), "the application replaced or removed its database file");
}

static void too_many_rows_in_one_step_are_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	((struct bs_sqlite *)f->store)->notes_max = 50;
	run(f->app, "WITH RECURSIVE n(i) AS (VALUES (10) UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
		    "INSERT INTO thing(id) SELECT i FROM n");
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
		IN_BOTH(a_virtual_table_is_refused_by_name),
		IN_BOTH(a_table_that_hides_its_rowid_is_refused_by_name),
		IN_BOTH(a_collation_of_the_applications_own_is_refused_with_its_table),
		IN_BOTH(a_function_of_the_applications_own_in_an_index_is_refused_with_its_table),
		IN_BOTH(tables_that_change_are_refused_by_name),
		IN_BOTH(a_dropped_table_is_refused_by_name),
		IN_BOTH(a_rebuilt_database_is_refused),
		IN_BOTH(a_dropped_note_table_is_said),
		IN_BOTH(a_dropped_trigger_is_said),
		IN_BOTH(tables_that_change_after_changes_were_read_stop_apply),
		IN_BOTH(a_lone_blob_write_is_found_and_its_table_named),
		IN_BOTH(writes_with_triggers_disabled_are_found),
		IN_BOTH(recursive_triggers_are_refused),
		IN_BOTH(recursive_triggers_turned_on_later_are_refused_after_the_next_restore),
		IN_BOTH(a_file_renamed_over_the_database_is_said),
		IN_BOTH(too_many_rows_in_one_step_are_refused),
		IN_BOTH(a_wary_application_works_as_before),
		IN_BOTH(conflict_clauses_of_the_application_keep_their_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
