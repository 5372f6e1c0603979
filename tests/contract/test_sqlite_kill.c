/*
 * SQLite: Backstep killed in the middle of keeping and putting back pages. The user's database is untouched, the clone
 * is a whole state, and what is left in it can be removed.
 */
#include "sqlite_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 12

static const char things[] = "CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT UNIQUE, photo BLOB);"
			     "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
			     "INSERT INTO thing SELECT i, 'name ' || i, randomblob(200) FROM n";

static struct bs_hash hash_file(const char *path)
{
	struct bs_buf bytes = BS_BUF_INIT;
	char chunk[4096];
	size_t n;
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
		bs_buf_add(&bytes, chunk, n);
	fclose(file);
	struct bs_hash hash = bs_hash_bytes(bytes.data, bytes.len);
	bs_buf_release(&bytes);
	return hash;
}

/* Until it is killed: tables come and go, and are put back. Says when it has begun. */
static void explore(struct fixture *f, int ready)
{
	if (open_store(f) < 0 || f->store->ops->clone(f->store, &f->err) < 0)
		_exit(1);
	f->app = connect_to(f, live_path(f));
	if (f->store->ops->snapshot(f->store, &f->err) < 0 || f->store->ops->begin(f->store, &f->err) < 0 ||
	    write(ready, "", 1) != 1)
		_exit(1);
	for (;;) {
		run(f->app, "CREATE TABLE late(x); UPDATE thing SET name = name || '+' WHERE id % 3 = 0");
		struct bs_changes list = changes(f);
		if (undo(f, &list) < 0)
			_exit(1);
	}
}

static void kill_while_exploring(struct fixture *f, long after_us)
{
	int ready[2], status;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		explore(f, ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	nanosleep(&(struct timespec){.tv_nsec = after_us * 1000}, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void check_clone(struct fixture *f)
{
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->recover(f->store, &f->err));
	sqlite3 *db = connect_to(f, live_path(f));
	assert_int_equal(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_master WHERE name GLOB '_backstep_*'"), 0);
	int64_t late = number(db, "SELECT count(*) FROM sqlite_master WHERE name = 'late'");
	int64_t changed = number(db, "SELECT count(*) FROM thing WHERE name GLOB '*+'");
	assert_true(changed == 0 || changed == 2000 / 3);
	assert_true(late || !changed);
	assert_int_equal(number(db, "SELECT count(*) FROM thing"), 2000);
	sqlite3_close(db);
}

/* What the killed process had in its folder: it is the next run's to remove. */
static void clear_folder(struct fixture *f)
{
	BS_AUTOFREE char *folder = bs_xasprintf("%s/db", f->workdir);
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return; /* the store that looked at it has removed it already */
	while ((entry = readdir(dir))) {
		BS_AUTOFREE char *path = bs_xasprintf("%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(remove(path), 0);
	}
	closedir(dir);
	assert_int_equal(rmdir(folder), 0);
}

static void a_kill_at_any_time_leaves_the_original_untouched_and_the_clone_whole(void **state)
{
	struct fixture *f = *state;

	make_database(f, f->path, things);
	struct bs_hash before = hash_file(f->path);
	for (int round = 0; round < ROUNDS; round++) {
		kill_while_exploring(f, 500 + round * 3700);
		assert_true(bs_hash_equal(hash_file(f->path), before));
		check_clone(f);
		f->store->ops->close(f->store);
		f->store = NULL;
		clear_folder(f);
	}
}

/* The killed run's clone became the user's database: a clone of it is free of what was left. */
static void a_database_with_what_a_killed_run_left_serves_as_an_original(void **state)
{
	struct fixture *f = *state;

	make_database(f, f->path, things);
	kill_while_exploring(f, 30000);
	BS_AUTOFREE char *left = bs_xasprintf("%s/db/users.db", f->workdir);
	static const char *const suffixes[] = {"", "-wal", "-journal"};
	for (size_t i = 0; i < BS_COUNT(suffixes); i++) {
		BS_AUTOFREE char *from = bs_xasprintf("%s%s", left, suffixes[i]);
		BS_AUTOFREE char *to = bs_xasprintf("%s%s", f->path, suffixes[i]);
		assert_true(rename(from, to) == 0 || (i > 0 && errno == ENOENT));
	}
	clear_folder(f);
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	sqlite3 *db = connect_to(f, live_path(f));
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_master WHERE name GLOB '_backstep_*'"), 0);
	assert_int_equal(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM thing"), 2000);
	sqlite3_close(db);
}

#define IN_BOTH(test) \
	{#test " (WAL)", test, set_up, tear_down, (void *)(uintptr_t) "WAL"}, \
	{#test " (DELETE)", test, set_up, tear_down, (void *)(uintptr_t) "DELETE"}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(a_kill_at_any_time_leaves_the_original_untouched_and_the_clone_whole),
		IN_BOTH(a_database_with_what_a_killed_run_left_serves_as_an_original),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
