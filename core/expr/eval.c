/*
 * Running an expression, and taking its value out of Lua. One that errs is run once more, traced: only then
 * are the paths known that make the message worth reading ("no field 'total' in 'list.body[2]'").
 */
#include "state.h"

#include "base/mem.h"

#include <string.h>

#define RESULT_DEPTH_MAX 100
#define NODE_COST 64 /* a node of the result that is made weighs on the budget as it does on memory */

/* --- Protected calls --------------------------------------------------------------------------------- */

int bs_lua_error(struct bs_lua *lua, int status)
{
	struct bs_buf text = BS_BUF_INIT;

	if (status == LUA_OK)
		return 0;
	if (status == LUA_ERRMEM && lua->spent)
		bs_buf_addf(&text, "stopped after %d million instructions: it does not end, or works on too much data",
			    BS_LUA_BUDGET / 1000000);
	else if (status == LUA_ERRMEM)
		bs_buf_addf(&text, "stopped: it needs more than %zu MiB of memory", BS_LUA_MEMORY >> 20);
	else if (lua->error.code == BS_OK)
		bs_plain_message(&text, lua_type(lua->L, -1) == LUA_TSTRING ? lua_tostring(lua->L, -1) : "unknown error");
	if (text.len)
		bs_err_set(&lua->error, BS_EEXPR, "%s", text.data);
	bs_buf_release(&text);
	free(lua->printed);
	lua->printed = NULL;
	lua_settop(lua->L, 0);
	if (status == LUA_ERRMEM)
		lua_gc(lua->L, LUA_GCCOLLECT);
	return lua->error.code;
}

int bs_lua_protected(struct bs_lua *lua, lua_CFunction function, void *argument)
{
	lua_pushcfunction(lua->L, function);
	lua_pushlightuserdata(lua->L, argument);
	return bs_lua_error(lua, lua_pcall(lua->L, 1, 0, 0));
}

static int run(struct bs_expr *expr, const struct bs_scope *scope)
{
	struct bs_lua *lua = expr->lua;

	bs_lua_begin(lua);
	lua->expr = expr;
	lua->scope = scope;
	lua->busy = true;
	lua_rawgeti(lua->L, LUA_REGISTRYINDEX, expr->ref);
	int r = bs_lua_error(lua, lua_pcall(lua->L, 0, 1, 0));
	lua->busy = false;
	return r;
}

static int run_traced(struct bs_expr *expr, const struct bs_scope *scope, struct bs_reads *reads)
{
	struct bs_lua *lua = expr->lua;

	bs_buf_clear(&lua->last_nil);
	lua->tracing = true;
	lua->reads = reads;
	int r = run(expr, scope);
	if (r == 0)
		bs_note_whole(lua->L, 1);
	lua->tracing = false;
	lua->reads = NULL;
	return r;
}

/* --- Tables as JSON ---------------------------------------------------------------------------------- */

/* Everything hangs on lua->result from the beginning: an error in here leaks nothing. */
static void attach(cJSON *parent, const char *name, cJSON *item)
{
	if (name)
		cJSON_AddItemToObject(parent, name, item);
	else
		cJSON_AddItemToArray(parent, item);
}

static void convert_table(lua_State *L, cJSON *into, int depth);

static cJSON *scalar(lua_State *L)
{
	size_t len;
	const struct bs_proxy *proxy = bs_proxy_at(L, -1);

	if (proxy && proxy->scope)
		bs_raise(L, "the result holds an object that cannot be kept, such as headers; take its fields");
	if (proxy) {
		bs_charge(L, bs_json_weight(proxy->json, BS_LUA_BUDGET) * NODE_COST);
		return cJSON_Duplicate(proxy->json, true);
	}
	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN: return cJSON_CreateBool(lua_toboolean(L, -1));
	case LUA_TNUMBER:
		return lua_isinteger(L, -1) ? bs_json_new_int(lua_tointeger(L, -1)) : bs_json_new_real(lua_tonumber(L, -1));
	case LUA_TSTRING: {
		const char *text = lua_tolstring(L, -1, &len);
		bs_charge(L, len);
		return bs_json_new_text(text, len);
	}
	default: bs_raise(L, "the result holds %s", bs_with_article(L, -1)); /* numbers, not an enum */
	}
}

static bool is_list(lua_State *L)
{
	bool list = true;

	lua_pushnil(L);
	for (lua_Integer n = (lua_Integer)lua_rawlen(L, -2); list && lua_next(L, -2); lua_pop(L, 1))
		list = lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= n;
	if (!list) /* the loop popped the value, the key is left */
		lua_pop(L, 1);
	return list;
}

/* Adds the value on top of the stack and takes it off. */
static void convert_item(lua_State *L, cJSON *into, const char *name, int depth)
{
	bs_charge(L, NODE_COST);
	if (lua_type(L, -1) != LUA_TTABLE) {
		attach(into, name, lua_isnil(L, -1) ? cJSON_CreateNull() : scalar(L));
	} else {
		cJSON *item = is_list(L) ? cJSON_CreateArray() : cJSON_CreateObject();
		attach(into, name, item);
		convert_table(L, item, depth + 1);
	}
	lua_pop(L, 1);
}

static void convert_table(lua_State *L, cJSON *into, int depth)
{
	if (depth > RESULT_DEPTH_MAX)
		bs_raise(L, "the result is nested too deeply");
	luaL_checkstack(L, 8, NULL);
	if (cJSON_IsArray(into)) {
		lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
		for (lua_Integer i = 1; i <= n; i++) {
			lua_rawgeti(L, -1, i);
			convert_item(L, into, NULL, depth);
		}
		return;
	}
	for (lua_pushnil(L); lua_next(L, -2);) {
		size_t len = 0;
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &len) : NULL;
		if (!name || strlen(name) != len)
			bs_raise(L, "the result is a table that is neither a list nor has texts for keys");
		bs_charge(L, len);
		convert_item(L, into, name, depth);
	}
}

/* Under pcall, with the table as its argument. */
static int convert(lua_State *L)
{
	struct bs_lua *lua = bs_lua_of(L);

	lua->result = is_list(L) ? cJSON_CreateArray() : cJSON_CreateObject();
	convert_table(L, lua->result, 1);
	return 0;
}

/* --- The value --------------------------------------------------------------------------------------- */

static struct bs_value proxied(const struct bs_proxy *proxy)
{
	if (proxy->scope)
		return (struct bs_value){.kind = BS_V_SCOPE, .scope = proxy->scope};
	return (struct bs_value){.kind = BS_V_JSON, .json = proxy->json};
}

static int table_value(struct bs_lua *lua, struct bs_value *ret_value)
{
	lua->busy = true;
	lua_pushcfunction(lua->L, convert);
	lua_insert(lua->L, 1);
	int r = bs_lua_error(lua, lua_pcall(lua->L, 1, 0, 0));
	lua->busy = false;
	if (r == 0)
		*ret_value = (struct bs_value){.kind = BS_V_JSON, .json = lua->result};
	return r;
}

/* The value stays at index 1, so that a text lives until the next evaluation. */
static int take_value(struct bs_lua *lua, struct bs_value *ret_value)
{
	lua_State *L = lua->L;

	switch (lua_type(L, 1)) {
	case LUA_TNIL: ret_value->kind = BS_V_NIL; return 0;
	case LUA_TBOOLEAN:
		*ret_value = (struct bs_value){.kind = BS_V_BOOL, .boolean = lua_toboolean(L, 1)};
		return 0;
	case LUA_TNUMBER:
		if (lua_isinteger(L, 1))
			*ret_value = (struct bs_value){.kind = BS_V_INT, .integer = lua_tointeger(L, 1)};
		else
			*ret_value = (struct bs_value){.kind = BS_V_REAL, .real = lua_tonumber(L, 1)};
		return 0;
	case LUA_TSTRING:
		*ret_value = (struct bs_value){.kind = BS_V_TEXT};
		ret_value->text.data = lua_tolstring(L, 1, &ret_value->text.len);
		return 0;
	case LUA_TUSERDATA: *ret_value = proxied(bs_proxy_at(L, 1)); return 0;
	case LUA_TTABLE: return table_value(lua, ret_value);
	default: /* numbers, not an enum */
		return bs_err_set(&lua->error, BS_EEXPR, "the expression gives %s, no value", bs_with_article(L, 1));
	}
}

/* Whether a second run may say more. */
static bool explainable(const struct bs_lua *lua, int r)
{
	return r == BS_EEXPR && !lua->spent && strncmp(bs_err_text(&lua->error), "stopped", 7) != 0;
}

/* "cannot order number and nil" does not say what was nil; the last value read that was is the likely one. */
static int explain(struct bs_expr *expr, const struct bs_scope *scope, int first, struct bs_err *err)
{
	struct bs_lua *lua = expr->lua;
	BS_AUTOFREE char *message = bs_xstrdup(bs_err_text(&lua->error));

	if (!explainable(lua, first))
		return bs_err_set(err, (enum bs_code)first, "%s", message);
	int r = run_traced(expr, scope, NULL);
	if (r < 0 && explainable(lua, r)) {
		free(message);
		message = bs_xstrdup(bs_err_text(&lua->error));
	}
	const char *nil = bs_buf_text(&lua->last_nil);
	if (*nil && strstr(message, "nil") && !strchr(message, '\''))
		return bs_err_set(err, BS_EEXPR, "%s; '%s' is nil", message, nil);
	return bs_err_set(err, BS_EEXPR, "%s", message);
}

int bs_expr_eval(struct bs_expr *expr, const struct bs_scope *scope, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_value value;

	if (expr->lua->busy)
		return bs_err_set(err, BS_EINTERNAL, "an expression cannot be evaluated while one runs");
	int r = run(expr, scope);
	if (r == 0)
		r = take_value(expr->lua, &value);
	if (r < 0)
		return explain(expr, scope, r, err);
	*ret_value = value;
	return 0;
}

/* --- Rules ------------------------------------------------------------------------------------------- */

static int no_boolean(struct bs_expr *expr, const struct bs_scope *scope, const struct bs_value *value,
		      struct bs_err *err)
{
	struct bs_lua *lua = expr->lua;

	if (value->kind == BS_V_NIL) {
		run_traced(expr, scope, NULL);
		const char *nil = bs_buf_text(&lua->last_nil);
		return bs_err_set(err, BS_EEXPR, "it gives nil, not true or false%s%s%s; ask for it with '== nil' or '~= nil'",
				  *nil ? ": '" : "", nil, *nil ? "' is nil" : "");
	}
	if (value->kind == BS_V_SCOPE)
		return bs_err_set(err, BS_EEXPR, "it gives an object, not true or false");
	cJSON *json = bs_value_to_json(value);
	BS_AUTOFREE char *text = bs_json_print(json, false);
	const char *kind = bs_json_kind_name(bs_json_kind(json));
	cJSON_Delete(json);
	if (strlen(text) > 60)
		return bs_err_set(err, BS_EEXPR, "it gives a value of type %s, not true or false", kind);
	return bs_err_set(err, BS_EEXPR, "it gives the %s %s, not true or false", kind, text);
}

int bs_expr_test(struct bs_expr *expr, const struct bs_scope *scope, bool *ret_holds, struct bs_err *err)
{
	struct bs_value value;
	int r = bs_expr_eval(expr, scope, &value, err);

	if (r < 0)
		return r;
	if (value.kind != BS_V_BOOL)
		return no_boolean(expr, scope, &value, err);
	*ret_holds = value.boolean;
	return 0;
}

void bs_expr_reads(struct bs_expr *expr, const struct bs_scope *scope, struct bs_reads *ret_reads)
{
	*ret_reads = (struct bs_reads){0};
	if (!expr->lua->busy)
		(void)run_traced(expr, scope, ret_reads);
}
