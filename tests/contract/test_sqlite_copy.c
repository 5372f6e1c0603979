/* SQLite: the user's file is copied whole, whatever state it is in, and neither it nor its folder ever changes. */
#include "sqlite_fixture.h"

#include "base/hash.h"

#include <fcntl.h>

static const char words[] = "CREATE TABLE word(w); INSERT INTO word VALUES ('one'), ('two')";

/* --- The folder, as a hash --------------------------------------------------------------------------- */

/* shm may change where another program has it: it holds locks, no data. */
static void add_file(const char *path, const char *name, struct bs_buf *all)
{
	char chunk[4096];
	ssize_t n;
	struct stat st;
	size_t len = strlen(name);

	assert_int_equal(stat(path, &st), 0);
	bs_buf_addf(all, "%s %o %lld\n", name, (unsigned)st.st_mode, (long long)st.st_mtim.tv_nsec);
	if (len > 4 && strcmp(name + len - 4, "-shm") == 0)
		return;
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		bs_buf_add(all, chunk, (size_t)n);
	close(fd);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static uint64_t folder_hash(struct fixture *f)
{
	struct bs_buf all = BS_BUF_INIT;
	struct dirent **entries;
	int count = scandir(f->folder, &entries, NULL, by_name);

	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		BS_AUTOFREE char *path = bs_xasprintf("%s/%s", f->folder, entries[i]->d_name);
		struct stat st;
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			add_file(path, entries[i]->d_name, &all);
		free(entries[i]);
	}
	free(entries);
	uint64_t hash = bs_hash_bytes(bs_buf_text(&all), all.len).lo;
	bs_buf_release(&all);
	return hash;
}

static void copy_raw(const char *from, const char *to)
{
	char chunk[4096];
	size_t n;
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(chunk, 1, sizeof chunk, in)) > 0)
		assert_int_equal(fwrite(chunk, 1, n, out), n);
	fclose(in);
	fclose(out);
}

/* Clones and counts the words; the folder must look as before, but for the store's own. */
static int64_t words_in_clone(struct fixture *f)
{
	uint64_t before = folder_hash(f);

	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	assert_int_equal(folder_hash(f), before);
	sqlite3 *db = connect_to(f, live_path(f));
	int64_t count = number(db, "SELECT count(*) FROM word");
	sqlite3_close(db);
	assert_int_equal(folder_hash(f), before);
	return count;
}

/* --- Originals --------------------------------------------------------------------------------------- */

static void an_original_at_rest_is_copied_without_a_trace(void **state)
{
	struct fixture *f = *state;

	make_database(f, f->path, words);
	assert_int_equal(words_in_clone(f), 2);
}

static void a_read_only_original_is_copied(void **state)
{
	struct fixture *f = *state;

	make_database(f, f->path, words);
	assert_int_equal(chmod(f->path, 0400), 0);
	assert_int_equal(words_in_clone(f), 2);
}

static void an_original_in_use_is_copied_as_it_is_committed(void **state)
{
	struct fixture *f = *state;

	sqlite3 *user = connect_to(f, f->path);
	run(user, words);
	run(user, "INSERT INTO word VALUES ('three'); BEGIN IMMEDIATE; INSERT INTO word VALUES ('not yet')");
	assert_int_equal(words_in_clone(f), 3);
	run(user, "COMMIT");
	assert_int_equal(number(user, "SELECT count(*) FROM word"), 4);
	sqlite3_close(user);
}

static void what_a_dead_writer_left_in_its_wal_is_in_the_clone(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *used = bs_xasprintf("%s/used.db", f->folder);
	BS_AUTOFREE char *used_wal = bs_xasprintf("%s-wal", used);
	BS_AUTOFREE char *wal = bs_xasprintf("%s-wal", f->path);

	sqlite3 *user = connect_to(f, used);
	run(user, words);
	copy_raw(used, f->path);
	copy_raw(used_wal, wal);
	sqlite3_close(user);
	assert_int_equal(words_in_clone(f), 2);
}

static void what_a_dead_writer_had_not_committed_is_not_in_the_clone(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *used = bs_xasprintf("%s/used.db", f->folder);
	BS_AUTOFREE char *used_journal = bs_xasprintf("%s-journal", used);
	BS_AUTOFREE char *journal = bs_xasprintf("%s-journal", f->path);

	sqlite3 *user = connect_to(f, used);
	run(user, words);
	run(user, "PRAGMA cache_size=1; BEGIN; UPDATE word SET w = 'lost'; CREATE TABLE big(x);"
		  "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
		  "INSERT INTO big SELECT randomblob(4000) FROM n");
	copy_raw(used, f->path);
	copy_raw(used_journal, journal);
	run(user, "ROLLBACK");
	sqlite3_close(user);
	assert_int_equal(words_in_clone(f), 2);
	sqlite3 *db = connect_to(f, live_path(f));
	assert_int_equal(number(db, "SELECT count(*) FROM word WHERE w = 'lost'"), 0);
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_master"), 1);
	sqlite3_close(db);
}

static void a_path_may_hold_what_means_something_in_an_address(void **state)
{
	struct fixture *f = *state;

	free(f->path);
	f->path = bs_xasprintf("%s/a %%41 ?x=1#y 'z\".db", f->folder);
	make_database(f, f->path, words);
	assert_int_equal(words_in_clone(f), 2);
}

static void what_a_killed_run_left_in_an_original_is_not_in_the_clone(void **state)
{
	struct fixture *f = *state;

	make_database(f, f->path, "CREATE TABLE word(w); CREATE TABLE _backstep_notes(n, t);"
				  "CREATE TRIGGER _backstep_0_ai AFTER INSERT ON word BEGIN"
				  "  INSERT INTO _backstep_notes VALUES (1, 1); END; INSERT INTO word VALUES ('one')");
	assert_int_equal(words_in_clone(f), 1);
	sqlite3 *db = connect_to(f, live_path(f));
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_master"), 1);
	sqlite3_close(db);
}

static void an_empty_file_is_an_empty_database(void **state)
{
	struct fixture *f = *state;

	fclose(fopen(f->path, "wb"));
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	f->app = connect_to(f, live_path(f));
	run(f->app, words);
	assert_ok(f, f->store->ops->snapshot(f->store, &f->err));
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	run(f->app, "DELETE FROM word");
	assert_int_equal(changes(f).count, 2);
}

static void a_missing_file_is_made_by_the_application_in_the_clones_place(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	assert_int_equal(access(live_path(f), F_OK), -1);
	f->app = connect_to(f, live_path(f));
	run(f->app, words);
	assert_ok(f, f->store->ops->snapshot(f->store, &f->err));
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	assert_int_equal(access(f->path, F_OK), -1);
}

/* --- What is no database ----------------------------------------------------------------------------- */

static void a_folder_is_said_to_be_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_refused(f, open_store(f), "users.db' is a folder, not a database file");
}

static void garbage_is_said_to_be_no_database(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->path, "wb");

	for (int i = 0; i < 5000; i++)
		fputc(i * 7 % 251, file);
	fclose(file);
	assert_refused(f, open_store(f), "users.db' is no SQLite database, or it is encrypted");
}

static void a_damaged_database_is_named(void **state)
{
	struct fixture *f = *state;

	make_database(f, f->path, words);
	FILE *file = fopen(f->path, "r+b");
	fseek(file, 100, SEEK_SET);
	for (int i = 0; i < 3000; i++)
		fputc(0xa5, file);
	fclose(file);
	assert_ok(f, open_store(f));
	assert_refused(f, f->store->ops->clone(f->store, &f->err), "users.db");
}

static void an_application_that_made_no_database_is_told_where_it_was_expected(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	assert_refused(f, f->store->ops->snapshot(f->store, &f->err), "the application made no database at '");
	assert_refused(f, f->store->ops->begin(f->store, &f->err), live_path(f));
}

/* --- Clean starts ------------------------------------------------------------------------------------ */

static void a_clean_start_is_the_snapshot_and_no_journal_of_before(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *wal = NULL;

	prepare(f, words);
	wal = bs_xasprintf("%s-wal", live_path(f));
	run(f->app, "DELETE FROM word");
	assert_ok(f, f->store->ops->begin(f->store, &f->err)); /* the root is the snapshot, not this */
	run(f->app, "INSERT INTO word VALUES ('later')");
	sqlite3_close(f->app);
	f->app = NULL;
	FILE *stale = fopen(wal, "wb");
	fputs("what a killed application left", stale);
	fclose(stale);
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	f->app = connect_to(f, live_path(f));
	assert_int_equal(number(f->app, "SELECT count(*) FROM word"), 2);
	assert_int_equal(number(f->app, "SELECT count(*) FROM sqlite_master"), 1);
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	run(f->app, "DELETE FROM word WHERE w = 'one'");
	assert_int_equal(changes(f).count, 1);
}

static void a_second_start_that_changes_the_tables_is_refused(void **state)
{
	struct fixture *f = *state;

	begin(f, words);
	sqlite3_close(f->app);
	f->app = NULL;
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	f->app = connect_to(f, live_path(f));
	run(f->app, "ALTER TABLE word ADD COLUMN n");
	assert_refused(f, f->store->ops->begin(f->store, &f->err), "the tables are not those of the first start");
}

static void recover_removes_what_is_ours_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	begin(f, "CREATE TABLE word(w); CREATE TABLE backstep_words(w); CREATE TRIGGER mine AFTER INSERT ON word BEGIN"
		 "  INSERT INTO backstep_words VALUES (new.w); END");
	assert_true(number(f->app, "SELECT count(*) FROM sqlite_master") > 3);
	assert_ok(f, f->store->ops->recover(f->store, &f->err));
	assert_int_equal(number(f->app, "SELECT count(*) FROM sqlite_master"), 3);
}

#define IN_BOTH(test) \
	{#test " (WAL)", test, set_up, tear_down, (void *)(uintptr_t) "WAL"}, \
	{#test " (DELETE)", test, set_up, tear_down, (void *)(uintptr_t) "DELETE"}
#define IN(mode, test) {#test, test, set_up, tear_down, (void *)(uintptr_t)mode}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(an_original_at_rest_is_copied_without_a_trace),
		IN_BOTH(a_read_only_original_is_copied),
		IN_BOTH(an_original_in_use_is_copied_as_it_is_committed),
		IN("WAL", what_a_dead_writer_left_in_its_wal_is_in_the_clone),
		IN("DELETE", what_a_dead_writer_had_not_committed_is_not_in_the_clone),
		IN_BOTH(a_path_may_hold_what_means_something_in_an_address),
		IN_BOTH(what_a_killed_run_left_in_an_original_is_not_in_the_clone),
		IN_BOTH(an_empty_file_is_an_empty_database),
		IN_BOTH(a_missing_file_is_made_by_the_application_in_the_clones_place),
		IN("WAL", a_folder_is_said_to_be_one),
		IN("WAL", garbage_is_said_to_be_no_database),
		IN("DELETE", a_damaged_database_is_named),
		IN("WAL", an_application_that_made_no_database_is_told_where_it_was_expected),
		IN_BOTH(a_clean_start_is_the_snapshot_and_no_journal_of_before),
		IN_BOTH(a_second_start_that_changes_the_tables_is_refused),
		IN_BOTH(recover_removes_what_is_ours_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
