/*
 * A SQLite store in a folder of its own, and an application that is a connection in this process: locks between
 * connections of one process are as between two. Everything is removed at the end, and that nothing else is left in
 * the folder is checked then.
 */
#ifndef TESTS_CONTRACT_SQLITE_FIXTURE_H
#define TESTS_CONTRACT_SQLITE_FIXTURE_H

#include "base/mem.h"
#include "world/stores/row.h"
#include "world/stores/sqlite.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka needs the four above first */
#include <cmocka.h>

struct fixture {
	char folder[64]; /* of the user */
	char *workdir;
	char *path; /* the original */
	const char *mode;
	struct bs_store *store;
	sqlite3 *app;
	int changes_before; /* total_changes of app */
	struct bs_err err;
};

#define assert_ok(f, call) \
	do { \
		int result_ = (call); \
		if (result_ < 0) \
			fail_msg("%s: %s", #call, bs_err_text(&(f)->err)); \
	} while (0)

/* The call fails with BS_ESTORE, and the message says so much. */
#define assert_refused(f, call, text) \
	do { \
		assert_int_equal(call, BS_ESTORE); \
		if (!strstr(bs_err_text(&(f)->err), text)) \
			fail_msg("'%s' does not say '%s'", bs_err_text(&(f)->err), text); \
	} while (0)

static inline int set_up(void **state)
{
	struct fixture *f = bs_xcalloc(1, sizeof *f);

	f->mode = *state ? *state : "WAL";
	snprintf(f->folder, sizeof f->folder, "/tmp/backstep-sqlite-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	f->workdir = bs_xasprintf("%s/work", f->folder);
	f->path = bs_xasprintf("%s/users.db", f->folder);
	*state = f;
	return mkdir(f->workdir, 0700);
}

/* Closes the store; the work folder is empty then, as everything in it was the store's. */
static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	struct dirent *entry;

	sqlite3_close(f->app);
	if (f->store)
		f->store->ops->close(f->store);
	int left = rmdir(f->workdir);
	DIR *dir = opendir(f->folder);
	while (dir && (entry = readdir(dir))) {
		BS_AUTOFREE char *path = bs_xasprintf("%s/%s", f->folder, entry->d_name);
		if (entry->d_name[0] != '.' && remove(path) < 0)
			left = -1;
	}
	closedir(dir);
	rmdir(f->folder);
	bs_err_release(&f->err);
	free(f->workdir);
	free(f->path);
	free(f);
	return left;
}

/* A connection as an application opens it. */
static inline sqlite3 *connect_to(struct fixture *f, const char *path)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	BS_AUTOFREE char *mode = bs_xasprintf("PRAGMA journal_mode=%s; PRAGMA foreign_keys=ON", f->mode);
	assert_int_equal(sqlite3_exec(db, mode, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static inline void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static inline int64_t number(sqlite3 *db, const char *sql)
{
	int64_t value = -1;
	struct bs_err err = BS_ERR_INIT;

	if (bs_sqlite_ask(db, sql, &value, &err) < 0)
		fail_msg("%s", bs_err_text(&err));
	return value;
}

static inline void make_database(struct fixture *f, const char *path, const char *sql)
{
	sqlite3 *db = connect_to(f, path);

	run(db, sql);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline int open_store(struct fixture *f)
{
	struct bs_store_options options = {.name = "db", .path = f->path, .workdir = f->workdir};

	return bs_store_sqlite.open(&options, &f->store, &f->err);
}

static inline const char *live_path(struct fixture *f)
{
	return f->store->ops->property(f->store, "path");
}

/* The application's tables, up to where tracking would begin. */
static inline void prepare(struct fixture *f, const char *schema)
{
	make_database(f, f->path, schema);
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	f->app = connect_to(f, live_path(f));
	assert_ok(f, f->store->ops->snapshot(f->store, &f->err));
}

static inline void begin(struct fixture *f, const char *schema)
{
	prepare(f, schema);
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
}

static inline struct bs_changes changes(struct fixture *f)
{
	struct bs_changes list;

	assert_ok(f, f->store->ops->changes(f->store, &list, &f->err));
	return list;
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

/* One line for each change of a row, for example  person {"id":1}->null . The caller's. */
static inline char *as_text(struct fixture *f, const struct bs_changes *list)
{
	size_t count;
	struct bs_buf text = BS_BUF_INIT;
	const struct bs_table *tables = f->store->ops->schema(f->store, &count);

	for (size_t i = 0; i < list->count; i++) {
		const struct bs_table *table = &tables[list->items[i].table];
		if (table->bookkeeping)
			continue;
		cJSON *before = bs_row_to_json(table, list->items[i].before);
		cJSON *after = bs_row_to_json(table, list->items[i].after);
		BS_AUTOFREE char *before_text = bs_json_print(before, false);
		BS_AUTOFREE char *after_text = bs_json_print(after, false);
		bs_buf_addf(&text, "%s %s->%s\n", table->name, before_text, after_text);
		cJSON_Delete(before);
		cJSON_Delete(after);
	}
	bs_buf_add(&text, "", 0);
	return bs_buf_take(&text);
}

#define assert_changes(f, expected) \
	do { \
		struct bs_changes list_ = changes(f); \
		BS_AUTOFREE char *text_ = as_text(f, &list_); \
		assert_string_equal(text_ ? text_ : "", expected); \
	} while (0)

#endif
