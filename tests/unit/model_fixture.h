/*
 * Loading a model from a file or from a few lines, which are written to a temporary file, and what is expected of its
 * problems.
 */
#ifndef TESTS_UNIT_MODEL_FIXTURE_H
#define TESTS_UNIT_MODEL_FIXTURE_H

#include "base/buf.h"
#include "base/mem.h"
#include "model/model.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the three above first */
#include <cmocka.h>

struct loaded {
	struct bs_model *model;
	struct bs_problems problems;
	struct bs_err err;
	int code;
};

#define BASICS "version: 1\napp: {base_url: http://localhost:8000}\n"
#define ACTIONS "actions:\n  make: {request: POST /things, capture: {thing: body.id}}\n"
#define RULES "invariants:\n  fine: {holds: status < 500}\n"

/* For cmocka, before the group: the variables that the models ask for. */
int set_environment(void **state);

struct loaded load_path(const char *path);
struct loaded load_bytes(const char *data, size_t len);
/* Behind BASICS and ACTIONS, which are four lines. */
struct loaded load_with(const char *more);
void release(struct loaded *loaded);

void expect_clean(const struct loaded *loaded);
/* The problem stands there and says so much. */
void expect_problem(const struct bs_problem *problem, uint32_t line, uint32_t column, const char *part);
void expect_only(const struct loaded *loaded, uint32_t line, uint32_t column, const char *part);

#endif
