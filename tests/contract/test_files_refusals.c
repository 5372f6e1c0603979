/* What the files driver refuses by name, and what it never touches. See files.h. */
#include "files_fixture.h"

/* --- What is refused --------------------------------------------------------------------------------- */

static void sockets_pipes_and_devices_are_refused_by_name(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *pipe_path = bs_xasprintf("%s/a pipe", f->original);

	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	assert_refused(f, open_store(f), "'a pipe' is a pipe");
	assert_int_equal(unlink(pipe_path), 0);
	prepare(f);
	begin_now(f);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/s", live_path(f));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_refused(f, try_changes(f), "'s' is a socket");
	close(fd);
}

static void a_file_is_no_directory(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rmdir(f->original), 0);
	put(AT_FDCWD, f->original, "text");
	assert_refused(f, open_store(f), "is no directory");
}

static void too_many_files_are_refused(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	begin_now(f);
	((struct bs_files *)f->store)->entries_max = 2;
	put(f->live, "a", "");
	put(f->live, "b", "");
	assert_int_equal(changes(f).count, 2);
	put(f->live, "c", "");
	assert_refused(f, try_changes(f), "more than 2 files");
}

static void nesting_without_end_is_refused(void **state)
{
	struct fixture *f = *state;
	int dir;

	prepare(f);
	begin_now(f);
	dir = dup(f->live);
	for (int depth = 0; depth < 250; depth++) {
		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		int next = openat(dir, "d", O_RDONLY | O_DIRECTORY);
		close(dir);
		dir = next;
	}
	close(dir);
	assert_refused(f, try_changes(f), "nested more than 200 deep");
}

/* --- What is never touched ---------------------------------------------------------------------------- */

static void the_original_stays_as_it_is(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *file = bs_xasprintf("%s/a", f->original);
	struct stat before, after;

	put(AT_FDCWD, file, "users");
	assert_int_equal(stat(file, &before), 0);
	prepare(f);
	begin_now(f);
	uint64_t root = digest(f);
	put(f->live, "a", "application");
	back_to(f, root);
	assert_int_equal(unlinkat(f->live, "a", 0), 0);
	assert_holds(AT_FDCWD, file, "users");
	assert_int_equal(stat(file, &after), 0);
	assert_true(bs_files_same_stat(&before, &after));
}

/* A directory that becomes a link to elsewhere is no way out. */
static void links_that_lead_outside_are_not_followed(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *outside = bs_xasprintf("%s/outside", f->folder);
	BS_AUTOFREE char *theirs = bs_xasprintf("%s/outside/file", f->folder);

	assert_int_equal(mkdir(outside, 0755), 0);
	put(AT_FDCWD, theirs, "theirs");
	prepare(f);
	assert_int_equal(mkdirat(f->live, "dir", 0755), 0);
	put(f->live, "dir/file", "ours");
	begin_now(f);
	uint64_t root = digest(f);
	assert_int_equal(unlinkat(f->live, "dir/file", 0), 0);
	assert_int_equal(unlinkat(f->live, "dir", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat(outside, f->live, "dir"), 0);
	back_to(f, root);
	assert_holds(AT_FDCWD, theirs, "theirs");
	assert_holds(f->live, "dir/file", "ours");
	/* Nor when it becomes one behind our back. */
	put(f->live, "dir/file", "more");
	struct bs_changes list = changes(f);
	assert_int_equal(renameat(f->live, "dir", f->live, "moved"), 0);
	assert_int_equal(symlinkat(outside, f->live, "dir"), 0);
	assert_int_equal(undo(f, &list), BS_EBUSY);
	struct bs_files_plan plan;
	struct bs_net_row rows[2] = {{0, -1, list.items[0].after}, {0, 1, list.items[0].before}};
	assert_ok(f, bs_files_plan((struct bs_files *)f->store, rows, 2, &plan, &f->err));
	assert_refused(f, bs_files_run((struct bs_files *)f->store, &plan, &f->err), "cannot put back 'dir/file'");
	bs_files_plan_release(&plan);
	assert_holds(AT_FDCWD, theirs, "theirs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sockets_pipes_and_devices_are_refused_by_name),
		TEST(a_file_is_no_directory),
		TEST(too_many_files_are_refused),
		TEST(nesting_without_end_is_refused),
		TEST(the_original_stays_as_it_is),
		TEST(links_that_lead_outside_are_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
