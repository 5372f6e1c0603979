/*
 * What the files of this folder share: one Lua state with its limits, and the proxies through which Lua sees
 * JSON and scopes. Nothing outside core/expr includes this, but its own test.
 *
 * Lua reports errors with longjmp. So no C function that Lua calls may own memory in a local variable: what
 * has to be freed hangs on struct bs_lua, and is freed when the evaluation ends, however it ends.
 */
#ifndef BS_EXPR_STATE_H
#define BS_EXPR_STATE_H

#include "base/buf.h"
#include "expr.h"
#include "parse.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdnoreturn.h>

#define BS_LUA_MEMORY ((size_t)32 << 20) /* bytes of one state */
#define BS_LUA_BUDGET 10000000           /* instructions of one evaluation; C code is charged its like */
#define BS_LUA_CPU_S 10                  /* the last resort: comparing long texts is not charged */
#define BS_LUA_POOL 32
#define BS_LUA_CHUNK "\x01" /* the name of every chunk: what begins so in a message is a position */

/* A JSON value or a scope as Lua sees it; the content of a full userdata whose user value is the path by which
 * it was reached (only while tracing). */
struct bs_proxy {
	const cJSON *json;            /* or NULL: */
	const struct bs_scope *scope; /* this */
	size_t length;                /* of an array, SIZE_MAX until it was counted */
	const cJSON *cursor;          /* the element read last, so that a loop by index is not quadratic */
	size_t cursor_index;          /* from 1 */
};

/* Nothing that Lua holds lives from one evaluation to the next, so a proxy of an earlier one is free to stand
 * for something else: simple expressions make no garbage. */
struct bs_pool_slot {
	uint64_t generation;
	const void *what;
	struct bs_proxy *proxy;
	int ref;
};

struct bs_lua {
	lua_State *L;
	size_t used_bytes;
	int64_t budget;
	int64_t cpu_start_s; /* -1 until the first tick */
	bool spent;          /* the budget is */
	bool busy;

	/* of the evaluation that runs */
	const struct bs_expr *expr;
	const struct bs_scope *scope;
	uint64_t generation;
	struct bs_err error; /* why lua_error() was called, when it was by this program */
	char *printed;       /* on its way into a Lua string */
	cJSON *result;       /* a table that was the result; lives until the next evaluation */
	struct bs_buf text;  /* scratch for messages */

	bool tracing;
	struct bs_reads *reads; /* may be NULL while tracing: only the messages are wanted */
	struct bs_buf path;     /* of the value that is pushed next, while tracing */
	struct bs_buf last_nil; /* the path of the last value read that was nil, while tracing */

	int functions; /* registry reference: name of a scope's function -> closure */
	int metatable; /* registry reference: that of the proxies */
	struct bs_pool_slot pool[BS_LUA_POOL];
};

struct bs_expr {
	struct bs_lua *lua;
	char *text;
	int ref; /* registry reference of the compiled function */
	struct bs_names names;
};

static inline struct bs_lua *bs_lua_of(lua_State *L)
{
	return *(struct bs_lua **)lua_getextraspace(L);
}

/* sandbox.c: takes from the budget; raises an error when it is spent. */
void bs_charge(lua_State *L, size_t instructions);
void bs_lua_begin(struct bs_lua *lua); /* a fresh budget, nothing left of the evaluation before */

/* Sets the evaluation's error and leaves through lua_error. The second takes an error already set. */
noreturn void bs_raise(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));
noreturn void bs_raise_set(lua_State *L, int code);

/* proxy.c */
void bs_proxy_setup(lua_State *L);
struct bs_proxy *bs_proxy_at(lua_State *L, int index); /* NULL when it is none */
void bs_push_value(lua_State *L, const struct bs_value *value); /* its path is lua->path, while tracing */
void bs_push_element(lua_State *L, int index, size_t element);  /* of the array proxy at index, from 1, existing */
size_t bs_proxy_length(lua_State *L, struct bs_proxy *array);
const cJSON *bs_proxy_field(lua_State *L, const struct bs_proxy *object, const char *name);
void bs_push_text(lua_State *L, int index); /* what tostring gives for the proxy at index */
const char *bs_type_name(lua_State *L, int index);   /* "nil", "array", "text" is "string" */
const char *bs_with_article(lua_State *L, int index); /* "nil", "an array", "a number" */
size_t bs_json_weight(const cJSON *json, size_t limit); /* nodes and text; stops beyond limit */

/* reads.c: paths and notes. All do nothing unless tracing. */
void bs_path_name(struct bs_lua *lua, const char *name);
void bs_path_field(lua_State *L, int index, const char *field);
void bs_path_element(lua_State *L, int index, size_t element);
void bs_path_call(struct bs_lua *lua, const char *function, const char *argument);
void bs_note(struct bs_lua *lua, const char *path, const struct bs_value *value);
void bs_note_whole(lua_State *L, int index);                 /* a proxy is used as a whole */
void bs_note_length(lua_State *L, int index, size_t length); /* "#path" */
/* " in 'list.body[2]'" while tracing, else "". Borrowed until the next call. */
const char *bs_where(lua_State *L, int index);

/* helpers.c: all, any, ...; builtins.c: string, math, tostring, ... Each leaves its functions in the table on
 * top of the stack. */
void bs_helpers_setup(lua_State *L);
void bs_builtins_setup(lua_State *L);

/* plain.c: what Lua says, for people. */
void bs_plain_message(struct bs_buf *out, const char *message);

/* eval.c */
int bs_lua_protected(struct bs_lua *lua, lua_CFunction function, void *argument); /* 0 or a bs_code, see lua->error */
int bs_lua_error(struct bs_lua *lua, int status); /* makes lua->error from a failed pcall */

#endif
