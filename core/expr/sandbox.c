/*
 * A Lua state that an expression cannot leave and cannot exhaust.
 *
 * There is no global table to write to: _ENV is an empty table whose every name is looked up by a C function,
 * first among the functions of the sandbox, then in the scope of the evaluation. Three limits hold: memory,
 * in the allocator; instructions, in a count hook; and the work of C code, which the hook cannot stop, is
 * charged like instructions (large allocations too, so that joining texts in a loop ends). Nothing in the
 * sandbox can catch an error, so a limit that was met ends the evaluation.
 */
#include "state.h"

#include "base/mem.h"

#include <string.h>
#include <time.h>

#define TICK 1000          /* instructions between two looks at the budget */
#define LARGE_BYTES 1024   /* allocations from here on are charged */
#define BYTES_PER_UNIT 64  /* memory moves about so fast, compared with instructions */

/* --- Limits ------------------------------------------------------------------------------------------ */

static bool allowed(struct bs_lua *lua, size_t old_size, size_t new_size)
{
	if (new_size <= old_size)
		return true; /* Lua relies on it */
	if (new_size - old_size > BS_LUA_MEMORY - lua->used_bytes)
		return false;
	if (new_size < LARGE_BYTES || !lua->busy)
		return true;
	lua->budget -= (int64_t)(new_size / BYTES_PER_UNIT);
	lua->spent |= lua->budget < 0;
	return !lua->spent;
}

static void *allocate(void *ud, void *old, size_t old_size, size_t new_size)
{
	struct bs_lua *lua = ud;

	if (!old)
		old_size = 0; /* Lua passes the kind of object there */
	if (new_size == 0) {
		free(old);
		lua->used_bytes -= old_size;
		return NULL;
	}
	if (!allowed(lua, old_size, new_size))
		return NULL;
	void *p = realloc(old, new_size);
	if (!p)
		return new_size <= old_size ? old : NULL;
	lua->used_bytes = lua->used_bytes - old_size + new_size;
	return p;
}

static noreturn void stop(lua_State *L)
{
	bs_lua_of(L)->spent = true;
	bs_raise(L, "stopped after %d million instructions: it does not end, or works on too much data",
		 BS_LUA_BUDGET / 1000000);
}

void bs_charge(lua_State *L, size_t instructions)
{
	struct bs_lua *lua = bs_lua_of(L);

	if (instructions > BS_LUA_BUDGET)
		instructions = BS_LUA_BUDGET + 1;
	lua->budget -= (int64_t)instructions;
	if (lua->budget < 0)
		stop(L);
}

static void tick(lua_State *L, lua_Debug *activation)
{
	struct bs_lua *lua = bs_lua_of(L);
	struct timespec now;

	(void)activation;
	bs_charge(L, TICK);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	if (lua->cpu_start_s < 0)
		lua->cpu_start_s = now.tv_sec;
	else if (now.tv_sec - lua->cpu_start_s > BS_LUA_CPU_S)
		stop(L);
}

void bs_lua_begin(struct bs_lua *lua)
{
	lua_settop(lua->L, 0);
	cJSON_Delete(lua->result);
	lua->result = NULL;
	bs_err_release(&lua->error);
	lua->error.code = BS_OK;
	lua->budget = BS_LUA_BUDGET;
	lua->cpu_start_s = -1;
	lua->spent = false;
	lua->generation++;
	lua_sethook(lua->L, tick, LUA_MASKCOUNT, TICK); /* counts from 0 again: what ends does not depend on before */
}

/* --- Errors ------------------------------------------------------------------------------------------ */

noreturn void bs_raise_set(lua_State *L, int code)
{
	struct bs_lua *lua = bs_lua_of(L);

	if (lua->error.code == BS_OK)
		bs_err_set(&lua->error, (enum bs_code)code, "a value cannot be read");
	lua_pushnil(L);
	lua_error(L);
	__builtin_unreachable();
}

noreturn void bs_raise(lua_State *L, const char *format, ...)
{
	va_list args;
	char *message = NULL;
	struct bs_lua *lua = bs_lua_of(L);

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		abort();
	va_end(args);
	bs_err_release(&lua->error);
	lua->error = (struct bs_err){BS_EEXPR, message};
	bs_raise_set(L, BS_EEXPR);
}

/* --- Names ------------------------------------------------------------------------------------------- */

/* changes("orders") */
static int call_scope(lua_State *L)
{
	struct bs_lua *lua = bs_lua_of(L);
	const char *function = lua_tostring(L, lua_upvalueindex(1));
	struct bs_value value;
	size_t len = 0;
	const char *argument = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : NULL;

	if (!argument || lua_gettop(L) != 1 || strlen(argument) != len)
		bs_raise(L, "%s() takes one text, such as %s(\"name\")", function, function);
	int r = lua->scope->call(lua->scope->ctx, function, argument, &value, &lua->error);
	if (r < 0)
		bs_raise_set(L, r);
	if (r == 0)
		bs_raise(L, "unknown function '%s'", function);
	bs_path_call(lua, function, argument);
	bs_push_value(L, &value);
	return 1;
}

static bool is_called(const struct bs_expr *expr, const char *name)
{
	for (size_t i = 0; expr && i < expr->names.count; i++)
		if (strcmp(expr->names.items[i].name.name, name) == 0)
			return expr->names.items[i].called;
	return false;
}

/* The scope knows its functions only by calling them, so a name that is called and is no value is one. */
static int push_function(lua_State *L, struct bs_lua *lua, const char *name)
{
	if (!lua->scope->call || !is_called(lua->expr, name))
		bs_raise(L, "unknown name '%s'", name);
	lua_rawgeti(L, LUA_REGISTRYINDEX, lua->functions);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, -2) == LUA_TNIL) {
		lua_pushvalue(L, 2);
		lua_pushcclosure(L, call_scope, 1);
		lua_pushvalue(L, 2);
		lua_pushvalue(L, -2);
		lua_rawset(L, -5);
	}
	return 1;
}

/* _ENV.__index; upvalue 1: the functions of the sandbox. */
static int read_name(lua_State *L)
{
	struct bs_lua *lua = bs_lua_of(L);
	struct bs_value value;

	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	const char *name = lua_tostring(L, 2); /* the parser lets no _ENV pass, so names only */
	int r = lua->scope->get(lua->scope->ctx, name, &value, &lua->error);
	if (r < 0)
		bs_raise_set(L, r);
	if (r == 0)
		return push_function(L, lua, name);
	bs_path_name(lua, name);
	bs_push_value(L, &value);
	return 1;
}

static int write_name(lua_State *L)
{
	bs_raise(L, "'%s' cannot be changed", lua_tostring(L, 2));
}

/* --- The state --------------------------------------------------------------------------------------- */

/* Under pcall: what it allocates may not fit. */
static int setup(lua_State *L)
{
	struct bs_lua *lua = bs_lua_of(L);

	lua_newtable(L); /* _ENV */
	lua_newtable(L); /* its metatable */
	lua_newtable(L); /* the functions of the sandbox */
	bs_builtins_setup(L);
	bs_helpers_setup(L);
	lua_pushcclosure(L, read_name, 1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, write_name);
	lua_setfield(L, -2, "__newindex");
	lua_setmetatable(L, -2);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS); /* lua_load makes it every chunk's _ENV */
	lua_newtable(L);
	lua->functions = luaL_ref(L, LUA_REGISTRYINDEX);
	bs_proxy_setup(L);
	return 0;
}

int bs_lua_new(struct bs_lua **ret_lua, struct bs_err *err)
{
	struct bs_lua *lua = bs_xcalloc(1, sizeof *lua);

	bs_buf_init(&lua->text, 4096);
	bs_buf_init(&lua->path, 200);
	bs_buf_init(&lua->last_nil, 200);
	lua->L = lua_newstate(allocate, lua);
	if (!lua->L) {
		free(lua);
		return bs_err_set(err, BS_EINTERNAL, "no memory for Lua");
	}
	*(struct bs_lua **)lua_getextraspace(lua->L) = lua;
	bs_lua_begin(lua);
	if (bs_lua_protected(lua, setup, NULL) < 0) {
		int r = bs_err_set(err, BS_EINTERNAL, "Lua cannot be set up: %s", bs_err_text(&lua->error));
		bs_lua_free(lua);
		return r;
	}
	*ret_lua = lua;
	return 0;
}

void bs_lua_free(struct bs_lua *lua)
{
	if (!lua)
		return;
	lua_close(lua->L);
	cJSON_Delete(lua->result);
	free(lua->printed);
	bs_err_release(&lua->error);
	bs_buf_release(&lua->text);
	bs_buf_release(&lua->path);
	bs_buf_release(&lua->last_nil);
	free(lua);
}
