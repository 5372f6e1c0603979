/*
 * Expressions: Lua 5.4 in a sandbox, over strict views of JSON documents.
 *
 * An expression is compiled once and evaluated against a scope: the names that it may read. Nothing is
 * copied into Lua up front; a name is asked for when the expression reads it, and JSON documents are
 * seen through proxies. Reading a field that is absent is an error which names the field and those that
 * are there; JSON null is nil. An array or object is equal to another (==) when all in it is. Integers
 * beyond 64 bits can be compared with == and turned into text; anything else with them is an error, never
 * rounding.
 *
 * The sandbox: no io, os, require, load, pcall, setmetatable, raw*; of `string` none of find, match,
 * gmatch, gsub, rep, pack (C loops that the instruction hook cannot stop); globals are read-only;
 * memory is capped, instructions are counted. A loop ends as BS_EEXPR, with the state usable.
 *
 * The helpers, on arrays and on tables with elements 1 to n:
 *   all(list, fn)  any(list, fn)     fn(element, index) must give true or false
 *   count(list[, fn])                of an object, without fn: its fields
 *   sum(list[, fn])                  exact; beyond 64 bits is an error
 *   map(list, fn)                    a table; nil cannot be in it
 *   has(object, "field")             there, though it may be null; of headers: not nil
 *   matches(text, pattern)           Lua's patterns without %b and %1, in linear time, anywhere in the text
 * type() also gives "array" and "object"; tostring() gives the JSON of those; pairs and ipairs walk them, over
 * null elements too; # is the length of an array. "10" + 1 is an error.
 *
 * Threads: a bs_lua belongs to one thread.
 */
#ifndef BS_EXPR_EXPR_H
#define BS_EXPR_EXPR_H

#include "base/value.h"

#include <backstep/err.h>

struct bs_lua;
struct bs_expr;

/* Where names come from while an expression runs. */
struct bs_scope {
	void *ctx;
	/* Gives the value of name. Returns 1 when there is one (which may be nil), 0 when the scope does
	 * not know the name, or a negative bs_code (the evaluation errs with err's message). What is
	 * returned must stay valid until the evaluation ends. */
	int (*get)(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err);
	/* The name at index, NULL past the last: for "no field 'x'; there are: a, b". May be NULL. */
	const char *(*name)(void *ctx, size_t index);
	/* A function that the expression calls with one string: changes("orders"), calls("gateway").
	 * Same returns as get. NULL when the scope has none. */
	int (*call)(void *ctx, const char *function, const char *argument, struct bs_value *ret_value,
		    struct bs_err *err);
};

/* One value that was read while an expression ran: "o.refunded" and 200. */
struct bs_read {
	char *path;
	cJSON *value;
};
struct bs_reads {
	struct bs_read *items; /* in order of the first reading, no path twice, at most BS_READS_MAX */
	size_t count;
};
#define BS_READS_MAX 64
void bs_reads_release(struct bs_reads *reads);

int bs_lua_new(struct bs_lua **ret_lua, struct bs_err *err);
void bs_lua_free(struct bs_lua *lua); /* after all of its expressions */

/* Compiles `text` as one expression (no statements). Errors are BS_EMODEL; *ret_offset is the byte in text
 * where the trouble is (0 where not known); it may be NULL. The usual slips are explained: !=, &&, ||, null,
 * ===, `x = y`, and those that Lua takes without a word: `not a == b`, `a < b < c`, `x == {1}`. */
int bs_expr_compile(struct bs_lua *lua, const char *text, struct bs_expr **ret_expr, size_t *ret_offset,
		    struct bs_err *err);
void bs_expr_free(struct bs_expr *expr);
const char *bs_expr_text(const struct bs_expr *expr);

/* A free name of the expression, in order of appearance, each once: not its own locals and parameters, not
 * the sandbox's functions. The loader checks them against what is declared. NULL past the last. */
struct bs_name {
	const char *name;
	size_t offset;
};
const struct bs_name *bs_expr_name(const struct bs_expr *expr, size_t index);
bool bs_expr_uses(const struct bs_expr *expr, const char *name);

/* The functions and tables of the sandbox (all, any, math, ...), for suggestions. NULL past the last. */
const char *bs_expr_builtin(size_t index);

/* The value stays valid until the next evaluation or compilation on this bs_lua (JSON that came from the scope:
 * as long as it does there). A table is given as JSON, {} as an empty array. Errors are BS_EEXPR, or the code
 * that the scope gave. A scope that evaluates on the same bs_lua gets BS_EINTERNAL. */
int bs_expr_eval(struct bs_expr *expr, const struct bs_scope *scope, struct bs_value *ret_value,
		 struct bs_err *err);

/* As eval, for rules: anything but true and false is an error that says what came instead. */
int bs_expr_test(struct bs_expr *expr, const struct bs_scope *scope, bool *ret_holds, struct bs_err *err);

/* Evaluates once more and notes what is read. Only done for rules that failed: noting costs. An
 * evaluation that errs gives the reads up to there. */
void bs_expr_reads(struct bs_expr *expr, const struct bs_scope *scope, struct bs_reads *ret_reads);

#endif
