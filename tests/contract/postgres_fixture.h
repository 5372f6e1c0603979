/*
 * A PostgreSQL store on a private server, and an application that is a connection in this process. Each test has a
 * database of its own; at the end nothing of ours may be left on the server.
 */
#ifndef TESTS_CONTRACT_POSTGRES_FIXTURE_H
#define TESTS_CONTRACT_POSTGRES_FIXTURE_H

#include "base/mem.h"
#include "server.h"
#include "world/stores/delta.h"
#include "world/stores/postgres.h"
#include "world/stores/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs the four above first */
#include <cmocka.h>

#define DATABASE "shop"
#define OPTIONS "sslmode=disable&gssencmode=disable"

struct fixture {
	char *url;  /* of the original, as `role` */
	const char *role;
	bool in_place;
	struct bs_store *store;
	PGconn *app;
	struct bs_err err;
};

extern struct pg_server server;

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

/* A connection of anybody but the store. */
PGconn *connect_as(const char *role, const char *database);
PGconn *connect_to(const char *url);
void run(PGconn *conn, const char *sql);
/* The first column of the first row, "" for NULL and for no row. The caller's. */
char *value(PGconn *conn, const char *sql);
/* Through a connection of boss, for this once. */
void on_server(const char *database, const char *sql);
char *value_on_server(const char *database, const char *sql);

int set_up(void **state);
int set_up_in_place(void **state);
/* Fails when a clone, or in place a note, is left. */
int tear_down(void **state);

int open_store(struct fixture *f);
/* The application's tables, up to where tracking would begin. */
void prepare(struct fixture *f, const char *schema);
void begin(struct fixture *f, const char *schema);
const char *live_url(struct fixture *f);

struct bs_changes changes(struct fixture *f);
int try_changes(struct fixture *f);
uint64_t digest(struct fixture *f);
int undo(struct fixture *f, const struct bs_changes *list);
/* One line for each change of a row, for example  person {"id":1}->null . The caller's. */
char *as_text(struct fixture *f, const struct bs_changes *list);

#define assert_changes(f, expected) \
	do { \
		struct bs_changes list_ = changes(f); \
		BS_AUTOFREE char *text_ = as_text(f, &list_); \
		assert_string_equal(text_ ? text_ : "", expected); \
	} while (0)

#define assert_value(conn, sql, expected) \
	do { \
		BS_AUTOFREE char *value_ = value(conn, sql); \
		assert_string_equal(value_, expected); \
	} while (0)

#endif
