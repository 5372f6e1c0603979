/* The files store: what is hard to see and to put back, what is refused, and what must never be touched. */
#include "files_fixture.h"

#include <sys/prctl.h>

/* --- What is seen and put back ------------------------------------------------------------------------ */

static void rows_have_the_columns_that_rules_use(void **state)
{
	struct fixture *f = *state;
	struct bs_buf text = BS_BUF_INIT;

	prepare(f);
	begin_now(f);
	put(f->live, "17.json", "{\"total\": 3}");
	assert_int_equal(mkdirat(f->live, "d", 0750), 0);
	assert_int_equal(symlinkat("17.json", f->live, "link"), 0);
	struct bs_changes list = changes(f);
	for (size_t i = 0; i < list.count; i++) {
		cJSON *row = bs_row_to_json(&bs_files_table, list.items[i].after);
		BS_AUTOFREE char *line = bs_json_print(row, false);
		bs_buf_addf(&text, "%s\n", line);
		cJSON_Delete(row);
	}
	assert_string_equal(bs_buf_text(&text),
			    "{\"path\":\"17.json\",\"type\":\"file\",\"mode\":\"0644\",\"size\":12,\"content\":{\"total\":3},"
			    "\"target\":null,\"same_as\":null}\n"
			    "{\"path\":\"d\",\"type\":\"directory\",\"mode\":\"0750\",\"size\":null,\"content\":null,"
			    "\"target\":null,\"same_as\":null}\n"
			    "{\"path\":\"link\",\"type\":\"link\",\"mode\":\"0777\",\"size\":null,\"content\":null,"
			    "\"target\":\"17.json\",\"same_as\":null}\n");
	bs_buf_release(&text);
}

static void a_file_that_stays_open_is_written_in_place(void **state)
{
	struct fixture *f = *state;
	char text[32] = "";

	prepare(f);
	put(f->live, "log", "one\n");
	begin_now(f);
	uint64_t root = digest(f);
	int fd = openat(f->live, "log", O_RDWR | O_APPEND);
	assert_int_equal(write(fd, "two\n", 4), 4);
	back_to(f, root);
	assert_int_equal(pread(fd, text, sizeof text, 0), 4);
	assert_int_equal(write(fd, "three\n", 6), 6); /* appended to what was put back */
	close(fd);
	assert_holds(f->live, "log", "one\nthree\n");
	back_to(f, root);
}

static void writes_within_one_tick_are_all_seen(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	put(f->live, "a", "0");
	begin_now(f);
	int fd = openat(f->live, "a", O_RDWR);
	for (int i = 0; i < 300; i++) { /* same size, and often the same times */
		char digit = (char)('0' + (i + 1) % 10);
		assert_int_equal(pwrite(fd, &digit, 1, 0), 1);
		if (changes(f).count != 1)
			fail_msg("write %d was not seen", i);
	}
	close(fd);
}

static void modes_times_and_empty_directories_come_back(void **state)
{
	struct fixture *f = *state;
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 86400, .tv_nsec = 123456789}};
	struct stat st;

	BS_AUTOFREE char *file = bs_xasprintf("%s/a", f->original);
	BS_AUTOFREE char *empty = bs_xasprintf("%s/empty", f->original);
	put(AT_FDCWD, file, "text");
	assert_int_equal(chmod(file, 0440), 0);
	assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
	assert_int_equal(mkdir(empty, 0711), 0);
	prepare(f);
	begin_now(f);
	uint64_t root = digest(f);
	for (int round = 0; round < 2; round++) {
		if (round == 0) {
			assert_int_equal(unlinkat(f->live, "a", 0), 0);
			assert_int_equal(unlinkat(f->live, "empty", AT_REMOVEDIR), 0);
		} else {
			assert_int_equal(fchmodat(f->live, "a", 0600, 0), 0);
			put(f->live, "a", "other");
			assert_int_equal(fchmodat(f->live, "empty", 0700, 0), 0);
			put(f->live, "empty/file", "");
		}
		back_to(f, root);
		assert_int_equal(fstatat(f->live, "a", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0440);
		assert_int_equal(st.st_mtim.tv_sec, 86400);
		assert_int_equal(st.st_mtim.tv_nsec, 123456789);
		assert_int_equal(fstatat(f->live, "empty", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0711);
	}
}

static void hard_links_stay_links(void **state)
{
	struct fixture *f = *state;
	struct stat a, b;

	prepare(f);
	put(f->live, "a", "both");
	assert_int_equal(linkat(f->live, "a", f->live, "b", 0), 0);
	begin_now(f);
	uint64_t root = digest(f);
	put(f->live, "b", "changed");
	assert_int_equal(changes(f).count, 2);
	put(f->live, "b", "both");
	changes(f);
	begin_now(f);
	root = digest(f);
	for (int round = 0; round < 4; round++) {
		if (round == 0)
			put(f->live, "a", "through one");
		if (round == 1)
			assert_int_equal(unlinkat(f->live, "a", 0), 0);
		if (round == 2) { /* two files now */
			assert_int_equal(unlinkat(f->live, "b", 0), 0);
			put(f->live, "b", "both");
		}
		if (round == 3)
			assert_int_equal(linkat(f->live, "b", f->live, "A", 0), 0); /* comes first now */
		back_to(f, root);
		assert_int_equal(fstatat(f->live, "a", &a, 0), 0);
		assert_int_equal(fstatat(f->live, "b", &b, 0), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		assert_int_equal(a.st_nlink, 2);
		assert_holds(f->live, "a", "both");
	}
}

static void what_changes_its_kind_changes_back(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	put(f->live, "file", "text");
	assert_int_equal(mkdirat(f->live, "dir", 0755), 0);
	put(f->live, "dir/inner", "inner");
	assert_int_equal(symlinkat("dir", f->live, "link"), 0);
	begin_now(f);
	uint64_t root = digest(f);
	assert_int_equal(unlinkat(f->live, "file", 0), 0);
	assert_int_equal(mkdirat(f->live, "file", 0755), 0);
	put(f->live, "file/below", "new");
	assert_int_equal(unlinkat(f->live, "dir/inner", 0), 0);
	assert_int_equal(unlinkat(f->live, "dir", AT_REMOVEDIR), 0);
	put(f->live, "dir", "a file now");
	assert_int_equal(unlinkat(f->live, "link", 0), 0);
	assert_int_equal(mkdirat(f->live, "link", 0755), 0);
	back_to(f, root);
	assert_holds(f->live, "link/inner", "inner");
}

static void names_of_any_bytes_survive(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"\xff\xfe", "new\nline", " ", "-rf", "*", "a\\b", "\x01"};

	prepare(f);
	for (size_t i = 0; i < BS_COUNT(names); i++)
		put(f->live, names[i], names[i]);
	begin_now(f);
	uint64_t root = digest(f);
	for (size_t i = 0; i < BS_COUNT(names); i++)
		assert_int_equal(unlinkat(f->live, names[i], 0), 0);
	back_to(f, root);
	for (size_t i = 0; i < BS_COUNT(names); i++)
		assert_holds(f->live, names[i], names[i]);
}

static void large_files_are_kept_aside_not_in_memory(void **state)
{
	struct fixture *f = *state;
	struct bs_cell cell;

	prepare(f);
	int fd = openat(f->live, "large", O_RDWR | O_CREAT, 0644);
	assert_int_equal(ftruncate(fd, 3000000), 0);
	begin_now(f);
	uint64_t root = digest(f);
	assert_int_equal(pwrite(fd, "x", 1, 2000000), 1);
	struct bs_changes list = changes(f);
	assert_int_equal(list.count, 1);
	assert_true(list.items[0].after.len < 1000);
	assert_true(bs_row_cell(list.items[0].after, 5, &cell) && cell.integer == 3000000);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	close(fd);
}

static void a_missing_directory_begins_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rmdir(f->original), 0);
	prepare(f);
	begin_now(f);
	uint64_t root = digest(f);
	put(f->live, "a", "1");
	back_to(f, root);
	assert_int_equal(access(f->original, F_OK), -1);
}

/* --- Without room ------------------------------------------------------------------------------------ */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void an_undo_without_room_leaves_all_as_it_was(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	put(f->live, "a", "small");
	put(f->live, "gone", "small");
	int fd = openat(f->live, "large", O_RDWR | O_CREAT, 0644);
	assert_int_equal(ftruncate(fd, 20000), 0);
	close(fd);
	begin_now(f);
	uint64_t root = digest(f);
	put(f->live, "a", "other");
	put(f->live, "large", "cut");
	put(f->live, "new", "new");
	assert_int_equal(unlinkat(f->live, "gone", 0), 0);
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_changes list = kept(&arena, changes(f));
	uint64_t there = digest(f);
	limit_files(5000);
	int r = undo(f, &list);
	limit_files(RLIM_INFINITY);
	assert_int_equal(digest(f), there);
	assert_refused(f, r, "cannot put back 'large': File too large");
	assert_int_equal(changes(f).count, 0);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	bs_arena_release(&arena);
}

static void a_write_that_cannot_be_kept_is_said(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	begin_now(f);
	int fd = openat(f->live, "large", O_RDWR | O_CREAT, 0644);
	assert_int_equal(ftruncate(fd, 20000), 0);
	close(fd);
	limit_files(5000);
	int r = try_changes(f);
	limit_files(RLIM_INFINITY);
	assert_refused(f, r, "'large': cannot keep a file aside");
	assert_int_equal(changes(f).count, 1); /* nothing of it was lost */
}

/* --- While it is written ------------------------------------------------------------------------------ */

/* A process that writes without a pause until it is killed: what is told in the end is what is there. */
/* Until it is killed, or the test ends. */
static _Noreturn void write_without_end(int live)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0;; i++) {
		char text[2] = {(char)('a' + i % 26), 0};
		int fd = openat(live, i % 3 ? "a" : "b", O_WRONLY | O_CREAT, 0644);
		(void)!write(fd, text, 1);
		close(fd);
		if (i % 7 == 0)
			unlinkat(live, "b", 0);
	}
}

static void changes_of_a_busy_application_are_joined_in_the_end(void **state)
{
	struct fixture *f = *state;
	unsigned told = 0;

	prepare(f);
	put(f->live, "a", "0");
	begin_now(f);
	uint64_t root = digest(f);
	pid_t pid = fork();
	if (pid == 0)
		write_without_end(f->live);
	for (int round = 0; round < 200; round++) {
		struct bs_changes list = {0};
		if (round == 199) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		int r = f->store->ops->changes(f->store, &list, &f->err);
		assert_true(r == 0 || r == BS_EBUSY);
		told += r == 0 && list.count > 0;
	}
	struct bs_changes last;
	assert_ok(f, f->store->ops->changes(f->store, &last, &f->err));
	assert_int_equal(last.count, 0);
	assert_true(told > 0);
	assert_true(digest(f) != root);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_have_the_columns_that_rules_use),
		TEST(a_file_that_stays_open_is_written_in_place),
		TEST(writes_within_one_tick_are_all_seen),
		TEST(modes_times_and_empty_directories_come_back),
		TEST(hard_links_stay_links),
		TEST(what_changes_its_kind_changes_back),
		TEST(names_of_any_bytes_survive),
		TEST(large_files_are_kept_aside_not_in_memory),
		TEST(a_missing_directory_begins_empty),
		TEST(an_undo_without_room_leaves_all_as_it_was),
		TEST(a_write_that_cannot_be_kept_is_said),
		TEST(changes_of_a_busy_application_are_joined_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
