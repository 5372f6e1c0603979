/*
 * A scope over one JSON document, and tables of expressions with what they give. The document, DOCUMENT in
 * expr_fixture.c, has something of each kind that an API may answer.
 */
#ifndef TESTS_UNIT_EXPR_FIXTURE_H
#define TESTS_UNIT_EXPR_FIXTURE_H

#include "base/buf.h"
#include "base/mem.h"
#include "expr/expr.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the three above first */
#include <cmocka.h>

struct fixture {
	struct bs_lua *lua;
	cJSON *document;
	cJSON *rows;
	struct bs_scope scope, headers;
};

/* For cmocka, before and after the group. */
int open_fixture(void **state);
int close_fixture(void **state);

/* The caller's; fails the test when it is refused. */
struct bs_expr *compile(struct fixture *f, const char *text);

/* What text gives, as JSON, or "error: ...", or "refused: ..." when it does not compile. The caller's. */
char *result(struct fixture *f, const char *text);

/* expected is the whole result, or "error: PART" or "refused: PART" of the message. */
struct example {
	const char *text, *expected;
};

void check(struct fixture *f, const struct example *table, size_t count);
#define CHECK(state, table) check(*(state), table, BS_COUNT(table))

#endif
