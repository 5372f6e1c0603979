/*
 * What the tests of the files driver share: an application's directory in a temporary folder, and the driver on it.
 */
#ifndef TESTS_CONTRACT_FILES_FIXTURE_H
#define TESTS_CONTRACT_FILES_FIXTURE_H

#include "base/mem.h"
#include "base/rmtree.h"
#include "world/stores/delta.h"
#include "world/stores/files.h"
#include "world/stores/row.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* cmocka needs the four above first */
#include <cmocka.h>

struct fixture {
	char folder[64];
	char *workdir, *original;
	struct bs_store *store;
	int live; /* the application's directory */
	struct bs_err err;
};

#define assert_ok(f, call) \
	do { \
		int result_ = (call); \
		if (result_ < 0) \
			fail_msg("%s: %s", #call, bs_err_text(&(f)->err)); \
	} while (0)

#define assert_refused(f, call, text) \
	do { \
		assert_int_equal(call, BS_ESTORE); \
		if (!strstr(bs_err_text(&(f)->err), text)) \
			fail_msg("'%s' does not say '%s'", bs_err_text(&(f)->err), text); \
	} while (0)

static inline int set_up(void **state)
{
	struct fixture *f = bs_xcalloc(1, sizeof *f);

	snprintf(f->folder, sizeof f->folder, "/tmp/backstep-files-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	f->workdir = bs_xasprintf("%s/work", f->folder);
	f->original = bs_xasprintf("%s/uploads", f->folder);
	f->live = -1;
	*state = f;
	return mkdir(f->workdir, 0700) < 0 || mkdir(f->original, 0755) < 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->live >= 0)
		close(f->live);
	if (f->store)
		f->store->ops->close(f->store);
	int left = rmdir(f->workdir); /* everything in it was the store's */
	int fd = open(f->folder, O_RDONLY | O_DIRECTORY);
	bs_rmtree_empty(fd);
	close(fd);
	rmdir(f->folder);
	bs_err_release(&f->err);
	free(f->workdir);
	free(f->original);
	free(f);
	return left;
}

static inline int open_store(struct fixture *f)
{
	struct bs_store_options options = {.name = "files", .path = f->original, .workdir = f->workdir};

	return bs_store_files.open(&options, &f->store, &f->err);
}

static const char *live_path(struct fixture *f)
{
	return f->store->ops->property(f->store, "path");
}

static inline void prepare(struct fixture *f)
{
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	f->live = open(live_path(f), O_RDONLY | O_DIRECTORY);
	assert_true(f->live >= 0);
}

static inline void begin_now(struct fixture *f)
{
	assert_ok(f, f->store->ops->snapshot(f->store, &f->err));
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
}

static inline void put(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline void assert_holds(int dir, const char *path, const char *text)
{
	char there[256] = "";
	int fd = openat(dir, path, O_RDONLY);

	if (fd < 0)
		fail_msg("no '%s'", path);
	assert_true(read(fd, there, sizeof there - 1) >= 0);
	close(fd);
	assert_string_equal(there, text);
}

static inline struct bs_changes changes(struct fixture *f)
{
	struct bs_changes list;

	assert_ok(f, f->store->ops->changes(f->store, &list, &f->err));
	return list;
}

/* Beyond the next call of changes. */
static inline struct bs_changes kept(struct bs_arena *arena, struct bs_changes list)
{
	const struct bs_delta *delta = bs_delta_new(arena, list.items, list.count);

	return (struct bs_changes){(struct bs_change *)(uintptr_t)delta->items, delta->count};
}

static inline int try_changes(struct fixture *f)
{
	struct bs_changes list;

	return f->store->ops->changes(f->store, &list, &f->err);
}

static inline uint64_t digest(struct fixture *f)
{
	uint64_t value = 0;

	assert_ok(f, f->store->ops->digest(f->store, &value, NULL, &f->err));
	return value;
}

static inline int undo(struct fixture *f, const struct bs_changes *list)
{
	size_t count = 0;
	BS_AUTOFREE struct bs_net_row *rows = bs_xcalloc(list->count * 2, sizeof *rows);

	for (size_t i = 0; i < list->count; i++) {
		const struct bs_change *change = &list->items[i];
		if (change->after.data)
			rows[count++] = (struct bs_net_row){change->table, -1, change->after};
		if (change->before.data)
			rows[count++] = (struct bs_net_row){change->table, 1, change->before};
	}
	return f->store->ops->apply(f->store, rows, count, &f->err);
}

/* Everything that changed since is undone, and all is as the digest says. */
static inline void back_to(struct fixture *f, uint64_t root)
{
	struct bs_changes list = changes(f);

	assert_true(list.count > 0);
	assert_true(digest(f) != root);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	assert_int_equal(changes(f).count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
