/*
 * The grammar of Lua's expressions, walked before Lua compiles them. Lua's own parser names a line, not a
 * column; it cannot tell which names are free; and it takes a slip such as `not a == b` without a word.
 */
#ifndef BS_EXPR_PARSE_H
#define BS_EXPR_PARSE_H

#include "expr.h"

/* The free names of an expression, in order of appearance. */
struct bs_names {
	struct bs_free_name {
		struct bs_name name; /* name.name is owned */
		bool called;         /* name(...) stands somewhere */
	} *items;
	size_t count;
};

#define BS_EXPR_BYTES_MAX 65536
#define BS_EXPR_NAMES_MAX 1000

/* Fails with BS_EMODEL and *ret_offset. */
int bs_parse_expression(const char *text, struct bs_names *ret_names, size_t *ret_offset, struct bs_err *err);
void bs_names_release(struct bs_names *names);

/* builtins.c: whether the sandbox has this name, and whether its library has this field. len in bytes. */
bool bs_is_builtin(const char *name, size_t len);
bool bs_is_library(const char *name, size_t len);
/* NULL when the library has the field, else what to say: "string has no 'find'; use matches(text, pattern)" */
char *bs_library_lacks(const char *library, size_t library_len, const char *field, size_t field_len);

#endif
