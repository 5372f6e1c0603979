/*
 * SQLite: what triggers cannot reach is put back all the same, the application's open connection sees it, and the store
 * says by which means and why. The random walks over all this are in test_store_contract.c.
 */
#include "sqlite_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

static const char things[] = "CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT UNIQUE, photo BLOB);"
			     "INSERT INTO thing VALUES (1, 'a', x'00'), (2, 'b', x'01')";

#define assert_mechanism(f, mechanism_, why_) \
	do { \
		struct bs_store_stats stats_; \
		(f)->store->ops->stats((f)->store, &stats_); \
		assert_string_equal(stats_.mechanism, mechanism_); \
		if (!strstr(stats_.why ? stats_.why : "", why_)) \
			fail_msg("'%s' does not say '%s'", stats_.why ? stats_.why : "", why_); \
	} while (0)

#define CHANGED "triggers, images where tables changed"

/* What the application did is told so, can be undone, and done again. */
static void there_and_back(struct fixture *f, uint64_t root, const char *told)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_changes list = changes(f);
	BS_AUTOFREE char *text = as_text(f, &list);
	uint64_t there = digest(f);

	assert_string_equal(text ? text : "", told);
	assert_true(there != root);
	BS_AUTOFREE struct bs_change *kept = bs_xcalloc(list.count, sizeof *kept);
	BS_AUTOFREE struct bs_change *reversed = bs_xcalloc(list.count, sizeof *kept);
	for (size_t i = 0; i < list.count; i++) {
		const struct bs_change *change = &list.items[i];
		if (change->before.data)
			kept[i].before = (struct bs_blob){bs_arena_dup(&arena, change->before.data, change->before.len),
							  change->before.len};
		if (change->after.data)
			kept[i].after = (struct bs_blob){bs_arena_dup(&arena, change->after.data, change->after.len),
							 change->after.len};
		kept[i].table = change->table;
		reversed[i] = (struct bs_change){kept[i].table, kept[i].after, kept[i].before};
	}
	struct bs_changes forth = {kept, list.count}, back = {reversed, list.count};
	for (int round = 0; round < 2; round++) {
		assert_ok(f, undo(f, &forth));
		assert_true(digest(f) == root);
		assert_int_equal(changes(f).count, 0);
		assert_ok(f, undo(f, &back));
		assert_true(digest(f) == there);
		assert_int_equal(changes(f).count, 0);
	}
	assert_ok(f, undo(f, &forth));
	assert_true(digest(f) == root);
	bs_arena_release(&arena);
}

/* --- Virtual tables ---------------------------------------------------------------------------------- */

static void a_full_text_table_is_put_back_and_only_its_texts_are_told(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE TABLE plain(x); CREATE VIRTUAL TABLE search USING fts5(text);"
		 "INSERT INTO search VALUES ('one'), ('two')");
	assert_mechanism(f, "triggers, virtual tables by whole comparison", "virtual tables (full text");
	assert_int_equal(number(f->app, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND "
					"name GLOB '_backstep_*' AND tbl_name GLOB 'search*'"), 0);
	uint64_t root = digest(f);
	run(f->app, "INSERT INTO search VALUES ('three')");
	there_and_back(f, root, "search_content null->{\"id\":3,\"c0\":\"three\"}\n");
	assert_int_equal(number(f->app, "SELECT count(*) FROM search WHERE search MATCH 'three'"), 0);
	run(f->app, "INSERT INTO search(search) VALUES ('integrity-check')");
}

static void indexes_of_texts_that_are_elsewhere_count_as_state(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE VIRTUAL TABLE search USING fts5(text, content='')");
	run(f->app, "INSERT INTO search(rowid, text) VALUES (1, 'one')");
	struct bs_changes list = changes(f);
	BS_AUTOFREE char *text = as_text(f, &list);
	assert_non_null(strstr(text, "search_data "));
}

static void an_r_tree_is_put_back(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE VIRTUAL TABLE place USING rtree(id, x0, x1); INSERT INTO place VALUES (1, 0, 5)");
	uint64_t root = digest(f);
	run(f->app, "UPDATE place SET x1 = 7; INSERT INTO place VALUES (2, 3, 4)");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_true(digest(f) == root);
	assert_int_equal(number(f->app, "SELECT count(*) FROM place WHERE x1 = 5"), 1);
	assert_int_equal(number(f->app, "SELECT rtreecheck('place') = 'ok'"), 1);
}

/* The module is the application's own: SQLite here cannot tell which tables are its. */
static void tables_of_an_unknown_module_get_no_triggers_and_are_put_back(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE TABLE vectors_data(id INTEGER PRIMARY KEY, v BLOB); CREATE TABLE plain(x);"
		 "PRAGMA writable_schema=ON; INSERT INTO sqlite_master VALUES ('table', 'vectors', 'vectors', 0,"
		 "'CREATE VIRTUAL TABLE vectors USING nobody_knows(v)')");
	assert_int_equal(number(f->app, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND "
					"tbl_name = 'vectors_data'"), 0);
	uint64_t root = digest(f);
	run(f->app, "INSERT INTO vectors_data VALUES (1, x'0102'); INSERT INTO plain VALUES (1)");
	there_and_back(f, root, "plain null->{\"x\":1}\nvectors_data null->{\"id\":1,\"v\":\"x'0102'\"}\n");
}

/* --- Tables that change during the run --------------------------------------------------------------- */

static void a_table_made_during_the_run_is_told_and_goes_again(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	assert_mechanism(f, "triggers", "");
	uint64_t root = digest(f);
	run(f->app, "CREATE TABLE late(x); INSERT INTO late VALUES ('it''s'); UPDATE thing SET name = 'z' WHERE id = 2");
	there_and_back(f, root,
		       "sqlite_schema null->{\"type\":\"table\",\"name\":\"late\",\"tbl_name\":\"late\","
		       "\"sql\":\"CREATE TABLE late(x)\"}\n"
		       "thing {\"id\":2,\"name\":\"b\",\"photo\":\"x'01'\"}->{\"id\":2,\"name\":\"z\",\"photo\":\"x'01'\"}\n"
		       "sqlite_other_rows null->{\"table\":\"late\",\"row\":\"1, 'it''s'\"}\n");
	assert_mechanism(f, CHANGED, "changed its tables during the run");
	assert_int_equal(number(f->app, "SELECT count(*) FROM sqlite_master WHERE name = 'late'"), 0);
}

static void a_dropped_table_comes_back_with_its_rows(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	uint64_t root = digest(f);
	run(f->app, "DROP TABLE thing");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_true(digest(f) == root);
	assert_int_equal(number(f->app, "SELECT count(*) FROM thing WHERE name = 'b'"), 1);
	run(f->app, "DELETE FROM thing WHERE id = 1"); /* and is tracked again */
	assert_changes(f, "thing {\"id\":1,\"name\":\"a\",\"photo\":\"x'00'\"}->null\n");
}

static void a_table_that_got_a_column_is_put_back(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE TABLE one(id INTEGER PRIMARY KEY); INSERT INTO one VALUES (1)");
	uint64_t root = digest(f);
	run(f->app, "ALTER TABLE one ADD COLUMN more DEFAULT 5; CREATE INDEX by_more ON one(more)");
	there_and_back(f, root,
		       "sqlite_schema {\"type\":\"table\",\"name\":\"one\",\"tbl_name\":\"one\","
		       "\"sql\":\"CREATE TABLE one(id INTEGER PRIMARY KEY)\"}->{\"type\":\"table\",\"name\":\"one\","
		       "\"tbl_name\":\"one\",\"sql\":\"CREATE TABLE one(id INTEGER PRIMARY KEY, more DEFAULT 5)\"}\n"
		       "sqlite_schema null->{\"type\":\"index\",\"name\":\"by_more\",\"tbl_name\":\"one\","
		       "\"sql\":\"CREATE INDEX by_more ON one(more)\"}\n"
		       "one {\"id\":1}->null\n"
		       "sqlite_other_rows null->{\"table\":\"one\",\"row\":\"1, 5\"}\n");
}

/* An image is used again only as long as it is what the database holds. */
static void rows_that_changed_between_two_epochs_are_in_the_state_that_one_goes_back_to(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "CREATE TABLE late(x)");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	run(f->app, "DELETE FROM thing WHERE id = 1");
	changes(f);
	uint64_t less = digest(f);
	run(f->app, "CREATE TABLE later(x)");
	list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_true(digest(f) == less);
}

static void rows_put_back_between_two_epochs_are_in_the_state_that_one_goes_back_to(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "DELETE FROM thing WHERE id = 1");
	struct bs_changes list = changes(f);
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_blob row = {bs_arena_dup(&arena, list.items[0].before.data, list.items[0].before.len),
			      list.items[0].before.len};
	run(f->app, "CREATE TABLE late(x)");
	list = changes(f);
	assert_ok(f, undo(f, &list)); /* an image of what is here is known now */
	struct bs_net_row back = {.table = 0, .count = 1, .image = row};
	assert_ok(f, f->store->ops->apply(f->store, &back, 1, &f->err));
	uint64_t root = digest(f);
	run(f->app, "CREATE TABLE late(x)");
	list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_true(digest(f) == root);
	assert_int_equal(number(f->app, "SELECT count(*) FROM thing"), 2);
	bs_arena_release(&arena);
}

static void a_rebuilt_database_is_no_change(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	uint64_t root = digest(f);
	run(f->app, "VACUUM");
	assert_int_equal(changes(f).count, 0);
	run(f->app, "UPDATE thing SET name = 'z' WHERE id = 2; VACUUM");
	struct bs_changes list = changes(f);
	assert_int_equal(list.count, 2); /* the row and the version */
	assert_ok(f, undo(f, &list));
	assert_true(digest(f) == root);
}

static void tables_that_change_after_changes_were_read_make_apply_busy(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "DELETE FROM thing WHERE id = 1");
	struct bs_changes list = changes(f);
	run(f->app, "CREATE INDEX late ON thing(photo)");
	assert_int_equal(undo(f, &list), BS_EBUSY);
	assert_int_equal(number(f->app, "SELECT count(*) FROM thing"), 1);
}

static void a_write_that_was_not_read_keeps_pages_from_being_put(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "CREATE TABLE late(x)");
	struct bs_changes list = changes(f);
	run(f->app, "INSERT INTO late VALUES (1)");
	assert_int_equal(undo(f, &list), BS_EBUSY);
	assert_int_equal(number(f->app, "SELECT count(*) FROM late"), 1);
}

/* The application writes when the driver has looked whether it did, and has not locked yet: in WAL mode only, as with
 * a rollback journal the driver still has its read lock at that moment. */
static int write_now(unsigned event, void *ctx, void *stmt, void *nanoseconds)
{
	struct fixture *f = ctx;
	const char *sql = sqlite3_sql(stmt);

	(void)event;
	(void)nanoseconds;
	if (strstr(sql, "data_version") && sqlite3_total_changes(f->app) == f->changes_before)
		run(f->app, "INSERT INTO late VALUES (1)");
	return 0;
}

static void a_write_between_looking_and_locking_is_not_lost(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	uint64_t root = digest(f);
	run(f->app, "CREATE TABLE late(x)");
	struct bs_changes list = changes(f);
	f->changes_before = sqlite3_total_changes(f->app);
	sqlite3_trace_v2(((struct bs_sqlite *)f->store)->live, SQLITE_TRACE_PROFILE, write_now, f);
	assert_int_equal(undo(f, &list), BS_EBUSY);
	assert_int_equal(number(f->app, "SELECT count(*) FROM late"), 1);
	sqlite3_trace_v2(((struct bs_sqlite *)f->store)->live, 0, NULL, NULL);
	list = changes(f);
	assert_int_equal(list.count, 2);
	assert_ok(f, undo(f, &list));
	assert_int_equal(number(f->app, "SELECT count(*) FROM late"), 0);
	assert_true(digest(f) != root);
}

static void a_reader_in_the_way_of_pages_is_busy_or_sees_its_own_snapshot(void **state)
{
	struct fixture *f = *state;
	sqlite3_stmt *stmt;

	begin(f, things);
	uint64_t root = digest(f);
	run(f->app, "CREATE TABLE late(x)");
	struct bs_changes list = changes(f);
	sqlite3_prepare_v2(f->app, "SELECT id FROM thing", -1, &stmt, NULL);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int r = undo(f, &list);
	assert_int_equal(r, strcmp(f->mode, "WAL") == 0 ? 0 : BS_EBUSY);
	sqlite3_finalize(stmt);
	if (r < 0)
		assert_ok(f, undo(f, &list));
	assert_true(digest(f) == root);
}

static void a_large_database_has_its_images_and_shadows_in_files(void **state)
{
	struct fixture *f = *state;

	prepare(f, things);
	((struct bs_sqlite *)f->store)->shadow_memory_max = 0;
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	uint64_t root = digest(f);
	run(f->app, "CREATE TABLE late(x)");
	there_and_back(f, root,
		       "sqlite_schema null->{\"type\":\"table\",\"name\":\"late\",\"tbl_name\":\"late\","
		       "\"sql\":\"CREATE TABLE late(x)\"}\n");
}

static void let_files_grow_to(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_said_and_nothing_is_half_done(void **state)
{
	struct fixture *f = *state;

	signal(SIGXFSZ, SIG_IGN);
	begin(f, things);
	uint64_t root = digest(f);
	run(f->app, "CREATE TABLE late(x)");
	uint64_t there = digest(f);
	let_files_grow_to(4096);
	int r = try_changes(f);
	let_files_grow_to(RLIM_INFINITY);
	assert_int_equal(r, BS_ESTORE);
	struct bs_changes list = changes(f);
	assert_int_equal(list.count, 2);
	let_files_grow_to(4096);
	r = undo(f, &list);
	let_files_grow_to(RLIM_INFINITY);
	assert_int_equal(r, BS_ESTORE);
	assert_true(digest(f) == there);
	assert_ok(f, undo(f, &list));
	assert_true(digest(f) == root);
}

/* --- What triggers do not see, or must not ----------------------------------------------------------- */

static void a_lone_blob_write_is_put_back_and_its_table_named(void **state)
{
	struct fixture *f = *state;
	sqlite3_blob *blob;

	begin(f, things);
	uint64_t root = digest(f);
	assert_int_equal(sqlite3_blob_open(f->app, "main", "thing", "photo", 1, 1, &blob), SQLITE_OK);
	assert_int_equal(sqlite3_blob_write(blob, "x", 1, 0), SQLITE_OK);
	assert_int_equal(sqlite3_blob_close(blob), SQLITE_OK);
	there_and_back(f, root, "thing {\"id\":1,\"name\":\"a\",\"photo\":\"x'00'\"}->"
				"{\"id\":1,\"name\":\"a\",\"photo\":\"x'78'\"}\n");
	assert_mechanism(f, "whole comparison", "table 'thing' was changed in a way that triggers do not see");
}

static void writes_with_triggers_disabled_are_put_back(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	sqlite3_db_config(f->app, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	uint64_t root = digest(f);
	run(f->app, "DELETE FROM thing WHERE id = 2");
	there_and_back(f, root, "thing {\"id\":2,\"name\":\"b\",\"photo\":\"x'01'\"}->null\n");
	run(f->app, "DELETE FROM thing WHERE id = 1"); /* from now on whatever is noted is not relied on */
	assert_changes(f, "thing {\"id\":1,\"name\":\"a\",\"photo\":\"x'00'\"}->null\n");
}

static void recursive_triggers_make_ours_go(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	uint64_t root = digest(f);
	run(f->app, "PRAGMA recursive_triggers=ON; DELETE FROM thing WHERE id = 2");
	there_and_back(f, root, "thing {\"id\":2,\"name\":\"b\",\"photo\":\"x'01'\"}->null\n");
	assert_mechanism(f, "whole comparison", "recursive_triggers=ON");
	assert_int_equal(number(f->app, "SELECT count(*) FROM sqlite_master WHERE name GLOB '_backstep_*'"), 0);
	run(f->app, "UPDATE OR REPLACE thing SET name = 'b' WHERE id = 1");
	assert_int_equal(changes(f).count, 2);
}

static void recursive_triggers_turned_on_later_are_found_after_the_next_restore(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "UPDATE thing SET name = 'z' WHERE id = 2");
	struct bs_changes list = changes(f);
	assert_ok(f, undo(f, &list));
	assert_mechanism(f, "triggers", "");
	run(f->app, "PRAGMA recursive_triggers=ON; DELETE FROM thing");
	changes(f);
	assert_mechanism(f, "whole comparison", "recursive_triggers=ON");
}

static void a_clean_start_remembers_that_triggers_must_not_be(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	run(f->app, "PRAGMA recursive_triggers=ON; DELETE FROM thing");
	changes(f);
	sqlite3_close(f->app);
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	f->app = connect_to(f, live_path(f));
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	assert_int_equal(number(f->app, "SELECT count(*) FROM sqlite_master WHERE name GLOB '_backstep_*'"), 0);
	run(f->app, "DELETE FROM thing WHERE id = 1");
	assert_changes(f, "thing {\"id\":1,\"name\":\"a\",\"photo\":\"x'00'\"}->null\n");
}

/* --- What rows cannot bring back --------------------------------------------------------------------- */

static int by_length(void *ctx, int a_len, const void *a, int b_len, const void *b)
{
	(void)ctx;
	return a_len == b_len ? memcmp(a, b, (size_t)a_len) : a_len - b_len;
}

static void half(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_result_int64(context, sqlite3_value_int64(values[0]) / 2);
}

static void a_collation_of_the_applications_own_makes_images(void **state)
{
	struct fixture *f = *state;

	prepare(f, "CREATE TABLE plain(x)");
	sqlite3_create_collation(f->app, "german", SQLITE_UTF8, NULL, by_length);
	run(f->app, "CREATE TABLE name(n TEXT COLLATE german PRIMARY KEY, v) WITHOUT ROWID;"
		    "INSERT INTO name VALUES ('bbb', 1), ('cc', 2), ('d', 3)");
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	assert_mechanism(f, "images", "table 'name': ");
	assert_mechanism(f, "images", "german");
	uint64_t root = digest(f);
	run(f->app, "INSERT INTO name VALUES ('aaaa', 4); DELETE FROM name WHERE n = 'cc'; UPDATE name SET v = 5 WHERE n = 'd'");
	there_and_back(f, root,
		       "name {\"n\":\"d\",\"v\":3}->{\"n\":\"d\",\"v\":5}\nname {\"n\":\"cc\",\"v\":2}->null\n"
		       "name null->{\"n\":\"aaaa\",\"v\":4}\n");
	assert_int_equal(number(f->app, "SELECT v FROM name WHERE n = 'cc'"), 2); /* its index is as it was */
}

static void a_function_of_the_applications_own_in_an_index_makes_images(void **state)
{
	struct fixture *f = *state;

	prepare(f, "CREATE TABLE number(n)");
	sqlite3_create_function(f->app, "half", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, half, NULL, NULL);
	run(f->app, "CREATE UNIQUE INDEX halves ON number(half(n)); INSERT INTO number VALUES (8)");
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	assert_mechanism(f, "images", "half");
	uint64_t root = digest(f);
	run(f->app, "INSERT OR REPLACE INTO number VALUES (9)");
	there_and_back(f, root, "number {\"n\":8}->null\nnumber null->{\"n\":9}\n");
	assert_int_equal(number(f->app, "SELECT n FROM number WHERE half(n) = 4"), 8);
}

static void a_collation_that_comes_during_the_run_makes_images_from_then_on(void **state)
{
	struct fixture *f = *state;

	begin(f, things);
	uint64_t root = digest(f);
	sqlite3_create_collation(f->app, "german", SQLITE_UTF8, NULL, by_length);
	run(f->app, "CREATE TABLE name(n TEXT COLLATE german UNIQUE)");
	there_and_back(f, root, "sqlite_schema null->{\"type\":\"table\",\"name\":\"name\",\"tbl_name\":\"name\","
				"\"sql\":\"CREATE TABLE name(n TEXT COLLATE german UNIQUE)\"}\n");
	assert_mechanism(f, "images", "german");
}

static void a_table_that_hides_its_rowid_is_put_back_by_images(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE TABLE odd(rowid, _rowid_, OID); INSERT INTO odd VALUES (1, 2, 3), (1, 2, 3)");
	assert_mechanism(f, "images", "table 'odd': its columns hide all names of the rowid");
	uint64_t root = digest(f);
	run(f->app, "INSERT INTO odd VALUES (1, 2, 3)");
	there_and_back(f, root, "odd null->{\"rowid\":1,\"_rowid_\":2,\"OID\":3}\n");
}

/* NOT NULL was declared after the NULL was there: such a row cannot be inserted again. */
static void a_row_that_a_constraint_does_not_let_in_makes_images(void **state)
{
	struct fixture *f = *state;

	prepare(f, things);
	run(f->app, "INSERT INTO thing VALUES (3, NULL, NULL); PRAGMA writable_schema=ON;"
		    "UPDATE sqlite_master SET sql = replace(sql, 'photo BLOB', 'photo BLOB NOT NULL') WHERE name = 'thing';"
		    "PRAGMA writable_schema=RESET");
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	assert_mechanism(f, "triggers", "");
	uint64_t root = digest(f);
	run(f->app, "UPDATE thing SET id = 4 WHERE id = 3");
	there_and_back(f, root, "thing {\"id\":3,\"name\":null,\"photo\":null}->null\n"
				"thing null->{\"id\":4,\"name\":null,\"photo\":null}\n");
	assert_mechanism(f, "images", "NOT NULL constraint failed");
}

#define IN_BOTH(test) \
	{#test " (WAL)", test, set_up, tear_down, (void *)(uintptr_t) "WAL"}, \
	{#test " (DELETE)", test, set_up, tear_down, (void *)(uintptr_t) "DELETE"}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(a_full_text_table_is_put_back_and_only_its_texts_are_told),
		IN_BOTH(indexes_of_texts_that_are_elsewhere_count_as_state),
		IN_BOTH(an_r_tree_is_put_back),
		IN_BOTH(tables_of_an_unknown_module_get_no_triggers_and_are_put_back),
		IN_BOTH(a_table_made_during_the_run_is_told_and_goes_again),
		IN_BOTH(a_dropped_table_comes_back_with_its_rows),
		IN_BOTH(a_table_that_got_a_column_is_put_back),
		IN_BOTH(rows_that_changed_between_two_epochs_are_in_the_state_that_one_goes_back_to),
		IN_BOTH(rows_put_back_between_two_epochs_are_in_the_state_that_one_goes_back_to),
		IN_BOTH(a_rebuilt_database_is_no_change),
		IN_BOTH(tables_that_change_after_changes_were_read_make_apply_busy),
		IN_BOTH(a_write_that_was_not_read_keeps_pages_from_being_put),
		{"a_write_between_looking_and_locking_is_not_lost", a_write_between_looking_and_locking_is_not_lost, set_up,
		 tear_down, (void *)(uintptr_t) "WAL"},
		IN_BOTH(a_reader_in_the_way_of_pages_is_busy_or_sees_its_own_snapshot),
		IN_BOTH(a_large_database_has_its_images_and_shadows_in_files),
		IN_BOTH(a_full_disk_is_said_and_nothing_is_half_done),
		IN_BOTH(a_lone_blob_write_is_put_back_and_its_table_named),
		IN_BOTH(writes_with_triggers_disabled_are_put_back),
		IN_BOTH(recursive_triggers_make_ours_go),
		IN_BOTH(recursive_triggers_turned_on_later_are_found_after_the_next_restore),
		IN_BOTH(a_clean_start_remembers_that_triggers_must_not_be),
		IN_BOTH(a_collation_of_the_applications_own_makes_images),
		IN_BOTH(a_function_of_the_applications_own_in_an_index_makes_images),
		IN_BOTH(a_collation_that_comes_during_the_run_makes_images_from_then_on),
		IN_BOTH(a_table_that_hides_its_rowid_is_put_back_by_images),
		IN_BOTH(a_row_that_a_constraint_does_not_let_in_makes_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
