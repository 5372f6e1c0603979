/*
 * A Redis store whose original is on a private server, and an application that is a connection in this process. At the
 * end the work folder must be empty, and in place nothing may be kept for the case of a kill.
 */
#ifndef TESTS_CONTRACT_REDIS_FIXTURE_H
#define TESTS_CONTRACT_REDIS_FIXTURE_H

#include "base/mem.h"
#include "redis_server.h"
#include "world/stores/redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs the four above first */
#include <cmocka.h>

struct fixture {
	char folder[64]; /* work and state are in it */
	char *workdir;
	char *url; /* of the original; NULL: the store begins empty */
	bool in_place;
	struct bs_store *store;
	redisContext *app;
	struct bs_err err;
};

extern struct redis_server server;

#define assert_ok(f, call) \
	do { \
		int result_ = (call); \
		if (result_ < 0) \
			fail_msg("%s: %s", #call, bs_err_text(&(f)->err)); \
	} while (0)

/* The call fails with that code, and the message says so much. */
#define assert_refused(f, call, code, text) \
	do { \
		assert_int_equal(call, code); \
		if (!strstr(bs_err_text(&(f)->err), text)) \
			fail_msg("'%s' does not say '%s'", bs_err_text(&(f)->err), text); \
	} while (0)

/* Of a test whose original is database 2 of the server, emptied first. */
int set_up(void **state);
int set_up_in_place(void **state);
int tear_down(void **state);

/* A connection to redis://HOST:PORT/N. */
redisContext *connect_to(const char *url);
/* Sends words, separated by one blank each; the test fails where the answer is an error. */
void run(redisContext *conn, const char *words);
/* The answer as text: what redis-cli prints, lists with blanks between. The caller's. */
char *value(redisContext *conn, const char *words);
#define assert_value(conn, words, expected) \
	do { \
		BS_AUTOFREE char *value_ = value(conn, words); \
		assert_string_equal(value_, expected); \
	} while (0)
/* Through a connection for this once. */
void on_original(struct fixture *f, const char *words);

int open_store(struct fixture *f);
/* Each line of setup is a command of the application; up to where tracking has begun. */
void begin(struct fixture *f, const char *const *setup);
const char *live_url(struct fixture *f);

struct bs_changes changes(struct fixture *f);
int try_changes(struct fixture *f);
uint64_t digest(struct fixture *f);
int undo(struct fixture *f, const struct bs_changes *list);
/* One line for each change, its key and value before and after:  cart:1 {"a":1} -> null . The caller's. */
char *as_text(struct fixture *f, const struct bs_changes *list);

#define assert_changes(f, expected) \
	do { \
		struct bs_changes list_ = changes(f); \
		BS_AUTOFREE char *text_ = as_text(f, &list_); \
		assert_string_equal(text_ ? text_ : "", expected); \
	} while (0)

#endif
