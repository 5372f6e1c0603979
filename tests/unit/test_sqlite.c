/* SQLite: what a step changed is seen exactly, and put back exactly, while the application keeps its connection. */
#include "../contract/sqlite_fixture.h"

static const char people[] =
	"CREATE TABLE person(id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT UNIQUE, name TEXT);"
	"CREATE TABLE pet(id INTEGER PRIMARY KEY, owner INT REFERENCES person ON DELETE CASCADE, name);"
	"CREATE TABLE word(w TEXT COLLATE NOCASE PRIMARY KEY, n INT) WITHOUT ROWID;"
	"CREATE TABLE line(text);"
	"INSERT INTO person VALUES (1, 'ann@x', 'ann'), (2, 'bob@x', 'bob');"
	"INSERT INTO pet VALUES (1, 1, 'rex'), (2, 1, 'tom'), (3, 2, 'kit');"
	"INSERT INTO word VALUES ('one', 1); INSERT INTO line VALUES ('first')";

/* --- Seeing ------------------------------------------------------------------------------------------ */

static void statements_that_change_nothing_are_no_change(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	assert_changes(f, "");
	run(f->app, "UPDATE person SET name = name; UPDATE pet SET id = id + 10; UPDATE pet SET id = id - 10;"
		    "INSERT INTO line VALUES ('x'); DELETE FROM line WHERE text = 'x';"
		    "INSERT OR IGNORE INTO person VALUES (1, 'new', 'new')");
	assert_changes(f, "");
	run(f->app, "BEGIN; DELETE FROM person; ROLLBACK");
	assert_changes(f, "");
}

static void changes_come_in_the_order_of_writes_one_for_each_row(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	run(f->app, "UPDATE pet SET name = 'a' WHERE id = 3; INSERT INTO line VALUES ('second');"
		    "UPDATE person SET name = 'bo' WHERE id = 2; UPDATE pet SET name = 'b' WHERE id = 3;"
		    "DELETE FROM word");
	assert_changes(f, "pet {\"id\":3,\"owner\":2,\"name\":\"kit\"}->{\"id\":3,\"owner\":2,\"name\":\"b\"}\n"
			  "line null->{\"text\":\"second\"}\n"
			  "person {\"id\":2,\"email\":\"bob@x\",\"name\":\"bob\"}->"
			  "{\"id\":2,\"email\":\"bob@x\",\"name\":\"bo\"}\n"
			  "word {\"w\":\"one\",\"n\":1}->null\n");
	assert_changes(f, "");
}

static void rows_that_replace_deletes_are_seen_though_no_trigger_fires_for_them(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	run(f->app, "PRAGMA recursive_triggers=OFF; INSERT OR REPLACE INTO person VALUES (3, 'ann@x', 'new')");
	assert_changes(f, "person {\"id\":1,\"email\":\"ann@x\",\"name\":\"ann\"}->null\n"
			  "pet {\"id\":1,\"owner\":1,\"name\":\"rex\"}->null\n"
			  "pet {\"id\":2,\"owner\":1,\"name\":\"tom\"}->null\n"
			  "person null->{\"id\":3,\"email\":\"ann@x\",\"name\":\"new\"}\n");
	run(f->app, "UPDATE OR REPLACE person SET email = 'bob@x' WHERE id = 3");
	assert_changes(f, "person {\"id\":3,\"email\":\"ann@x\",\"name\":\"new\"}->"
			  "{\"id\":3,\"email\":\"bob@x\",\"name\":\"new\"}\n"
			  "person {\"id\":2,\"email\":\"bob@x\",\"name\":\"bob\"}->null\n"
			  "pet {\"id\":3,\"owner\":2,\"name\":\"kit\"}->null\n");
}

static void a_key_spelled_otherwise_is_one_change_where_the_index_sees_no_difference(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	run(f->app, "UPDATE word SET w = 'ONE'");
	assert_changes(f, "word {\"w\":\"one\",\"n\":1}->{\"w\":\"ONE\",\"n\":1}\n");
	run(f->app, "REPLACE INTO word VALUES ('One', 2)");
	assert_changes(f, "word {\"w\":\"ONE\",\"n\":1}->{\"w\":\"One\",\"n\":2}\n");
}

/* Names that mean something in the triggers. */
static void no_name_of_the_applications_is_mistaken_for_ours(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE TABLE old(\"new\" INTEGER PRIMARY KEY, n UNIQUE, t); CREATE TABLE new(old PRIMARY KEY, k0);"
		 "CREATE UNIQUE INDEX i ON old(lower(t)) WHERE t <> '' AND rowid < 99;"
		 "CREATE UNIQUE INDEX j ON new(k0 || 'x' DESC); CREATE TABLE \"a\"\"b'c%s\"(x UNIQUE);"
		 "INSERT INTO old VALUES (1, 'a', 'T'), (2, 'b', 'U'), (3, 'c', NULL);"
		 "INSERT INTO new VALUES (1, 'k'), (2, 'l'); INSERT INTO \"a\"\"b'c%s\" VALUES (1), (2)");
	run(f->app, "UPDATE OR REPLACE old SET n = 'b', t = 't' WHERE \"new\" = 3");
	assert_changes(f, "old {\"new\":3,\"n\":\"c\",\"t\":null}->{\"new\":3,\"n\":\"b\",\"t\":\"t\"}\n"
			  "old {\"new\":1,\"n\":\"a\",\"t\":\"T\"}->null\n"
			  "old {\"new\":2,\"n\":\"b\",\"t\":\"U\"}->null\n");
	run(f->app, "REPLACE INTO new VALUES (3, 'l'); UPDATE OR REPLACE \"a\"\"b'c%s\" SET x = 2 WHERE x = 1");
	assert_changes(f, "new {\"old\":2,\"k0\":\"l\"}->null\n"
			  "new null->{\"old\":3,\"k0\":\"l\"}\n"
			  "a\"b'c%s {\"x\":1}->{\"x\":2}\n"
			  "a\"b'c%s {\"x\":2}->null\n");
}

static void an_application_that_empties_all_tables_loses_no_change(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	run(f->app, "INSERT INTO line VALUES ('second')");
	assert_int_equal(changes(f).count, 1);
	run(f->app, "DELETE FROM line; DELETE FROM pet; DELETE FROM \"_backstep_notes\"; UPDATE \"_backstep_notes\" SET n = -n;"
		    "DELETE FROM word");
	assert_int_equal(changes(f).count, 6);
}

static void a_checkpoint_is_no_change(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	run(f->app, "INSERT INTO line VALUES ('second')");
	assert_int_equal(changes(f).count, 1);
	run(f->app, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_changes(f, "");
	run(f->app, "DELETE FROM line WHERE text = 'second'");
	assert_int_equal(changes(f).count, 1);
}

static void the_schema_says_what_names_a_row_what_is_made_up_and_what_refers(void **state)
{
	struct fixture *f = *state;
	size_t count;

	begin(f, "CREATE TABLE a(id INTEGER PRIMARY KEY, x REFERENCES b(k), at TEXT DEFAULT CURRENT_TIMESTAMP,"
		 "  r DEFAULT (hex(randomblob(8))), w DEFAULT (strftime('%s', 'now')), plain DEFAULT 'now',"
		 "  d DEFAULT (datetime()), word DEFAULT 'random', day DEFAULT (date('2020-01-01')));"
		 "CREATE TABLE b(k TEXT PRIMARY KEY, parent INT REFERENCES a);"
		 "CREATE TABLE c(p INT, q INT, twice AS (p * 2), PRIMARY KEY (q, p)) WITHOUT ROWID");
	const struct bs_table *tables = f->store->ops->schema(f->store, &count);
	assert_int_equal(count, 4 + 3); /* and those in which tables that come later are told */
	const struct bs_column *a = tables[0].columns, *b = tables[1].columns;
	assert_true(a[0].key && a[0].generated && !a[0].hidden);
	assert_true(a[1].ref_table == 1 && a[1].ref_column == 1 && !a[1].generated);
	assert_true(a[2].volatile_default && a[3].volatile_default && a[4].volatile_default && a[6].volatile_default);
	assert_false(a[5].volatile_default || a[7].volatile_default || a[8].volatile_default);
	assert_true(b[0].hidden && b[0].generated);
	assert_true(b[1].key && !b[1].generated && !b[1].hidden);
	assert_true(b[2].ref_table == 0 && b[2].ref_column == 0);
	assert_int_equal(tables[2].column_count, 2); /* what is computed is no cell */
	assert_true(tables[2].columns[0].key && tables[2].columns[1].key && !tables[2].columns[0].generated);
	assert_true(tables[3].bookkeeping);
}

/* --- Putting back ------------------------------------------------------------------------------------ */

static void an_open_connection_with_prepared_statements_sees_restored_rows(void **state)
{
	struct fixture *f = *state;
	sqlite3_stmt *held;

	begin(f, people);
	uint64_t root = digest(f);
	assert_int_equal(sqlite3_prepare_v2(f->app, "SELECT name FROM person WHERE id = 1", -1, &held, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(held), SQLITE_ROW);
	sqlite3_reset(held);
	run(f->app, "DELETE FROM person WHERE id = 1; UPDATE pet SET name = 'x'; INSERT INTO word VALUES ('two', 2)");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	assert_int_equal(sqlite3_step(held), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(held, 0), "ann");
	sqlite3_finalize(held);
	assert_int_equal(number(f->app, "SELECT count(*) FROM pet WHERE owner = 1 AND name <> 'x'"), 2);
	assert_int_equal(number(f->app, "SELECT count(*) FROM \"_backstep_notes\""), 0);
	assert_changes(f, "");
}

static void sequences_and_versions_go_back_with_the_rows(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	run(f->app, "INSERT INTO person(email) VALUES ('c'), ('d'); DELETE FROM person WHERE id > 2; PRAGMA user_version=7;"
		    "PRAGMA application_id=-5");
	struct bs_changes list = changes(f);
	assert_true(list.count > 0);
	assert_ok(f, undo(f, &list));
	assert_int_equal(number(f->app, "PRAGMA user_version"), 0);
	assert_int_equal(number(f->app, "PRAGMA application_id"), 0);
	run(f->app, "INSERT INTO person(email) VALUES ('c')");
	assert_int_equal(sqlite3_last_insert_rowid(f->app), 3);
}

static void a_sequence_goes_back_below_a_row_that_is_put_back(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	run(f->app, "DELETE FROM person WHERE id = 2; DELETE FROM sqlite_sequence");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_int_equal(number(f->app, "SELECT seq FROM sqlite_sequence WHERE name = 'person'"), 2);
	assert_changes(f, "");
}

static void the_applications_triggers_checks_and_cascades_do_not_fire_for_the_tool(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE TABLE a(id INTEGER PRIMARY KEY, n CHECK (n < 10));"
		 "CREATE TABLE b(a REFERENCES a ON DELETE CASCADE); CREATE TABLE log(x);"
		 "CREATE TRIGGER deleted AFTER DELETE ON a BEGIN INSERT INTO log VALUES ('deleted'); END;"
		 "INSERT INTO a VALUES (1, 5); INSERT INTO b VALUES (1)");
	uint64_t root = digest(f);
	run(f->app, "PRAGMA ignore_check_constraints=ON; PRAGMA foreign_keys=OFF; UPDATE a SET n = 50;"
		    "INSERT INTO b VALUES (9)");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	assert_int_equal(number(f->app, "SELECT (SELECT count(*) FROM log) + (SELECT count(*) FROM b)"), 1);
}

static void only_rows_that_changed_are_applied(void **state)
{
	struct fixture *f = *state;
	struct bs_store_stats before, after;

	begin(f, people);
	f->store->ops->stats(f->store, &before);
	run(f->app, "UPDATE person SET name = name; UPDATE pet SET name = 'x' WHERE id = 1; INSERT INTO line VALUES (1)");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	f->store->ops->stats(f->store, &after);
	assert_int_equal(after.applied_rows - before.applied_rows, 3); /* an update is a row out and a row in */
	assert_int_equal(after.applies - before.applies, 1);
	assert_string_equal(after.mechanism, "triggers");
	assert_true(after.size_bytes > 0);
}

static void a_large_shadow_is_a_file_and_is_gone_afterwards(void **state)
{
	struct fixture *f = *state;

	prepare(f, people);
	struct bs_sqlite *s = (struct bs_sqlite *)f->store;
	s->shadow_memory_max = 0;
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	assert_int_equal(access(s->shadow_path, F_OK), 0);
	uint64_t root = digest(f);
	run(f->app, "DELETE FROM person");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
}

/* --- Locks ------------------------------------------------------------------------------------------- */

static void an_open_write_transaction_makes_apply_busy_until_it_ends(void **state)
{
	struct fixture *f = *state;

	begin(f, people);
	uint64_t root = digest(f);
	run(f->app, "INSERT INTO line VALUES ('second')");
	struct bs_changes list = changes(f);
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_change second = list.items[0];
	second.after.data = bs_arena_dup(&arena, second.after.data, second.after.len);
	list.items = &second;
	run(f->app, "BEGIN IMMEDIATE; INSERT INTO line VALUES ('third')");
	assert_int_equal(undo(f, &list), BS_EBUSY);
	run(f->app, "ROLLBACK");
	assert_int_equal(changes(f).count, 0);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	bs_arena_release(&arena);
}

static void an_open_cursor_without_wal_makes_apply_busy_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	sqlite3_stmt *cursor;

	begin(f, people);
	run(f->app, "UPDATE pet SET name = 'x'");
	struct bs_changes list = changes(f);
	uint64_t there = digest(f);
	assert_int_equal(sqlite3_prepare_v2(f->app, "SELECT * FROM pet", -1, &cursor, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(cursor), SQLITE_ROW);
	assert_int_equal(undo(f, &list), BS_EBUSY);
	assert_int_equal(digest(f), there);
	sqlite3_finalize(cursor);
	assert_ok(f, undo(f, &list));
	assert_int_equal(number(f->app, "SELECT count(*) FROM pet WHERE name = 'x'"), 0);
}

#define IN_BOTH(test) \
	{#test " (WAL)", test, set_up, tear_down, (void *)(uintptr_t) "WAL"}, \
	{#test " (DELETE)", test, set_up, tear_down, (void *)(uintptr_t) "DELETE"}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(statements_that_change_nothing_are_no_change),
		IN_BOTH(changes_come_in_the_order_of_writes_one_for_each_row),
		IN_BOTH(rows_that_replace_deletes_are_seen_though_no_trigger_fires_for_them),
		IN_BOTH(a_key_spelled_otherwise_is_one_change_where_the_index_sees_no_difference),
		IN_BOTH(no_name_of_the_applications_is_mistaken_for_ours),
		IN_BOTH(an_application_that_empties_all_tables_loses_no_change),
		{"a_checkpoint_is_no_change", a_checkpoint_is_no_change, set_up, tear_down, NULL},
		IN_BOTH(the_schema_says_what_names_a_row_what_is_made_up_and_what_refers),
		IN_BOTH(an_open_connection_with_prepared_statements_sees_restored_rows),
		IN_BOTH(sequences_and_versions_go_back_with_the_rows),
		IN_BOTH(a_sequence_goes_back_below_a_row_that_is_put_back),
		IN_BOTH(the_applications_triggers_checks_and_cascades_do_not_fire_for_the_tool),
		IN_BOTH(only_rows_that_changed_are_applied),
		IN_BOTH(a_large_shadow_is_a_file_and_is_gone_afterwards),
		IN_BOTH(an_open_write_transaction_makes_apply_busy_until_it_ends),
		{"an_open_cursor_without_wal_makes_apply_busy_and_changes_nothing",
		 an_open_cursor_without_wal_makes_apply_busy_and_changes_nothing, set_up, tear_down,
		 (void *)(uintptr_t) "DELETE"},
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
