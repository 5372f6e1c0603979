/*
 * The functions that rules are written with: all, any, count, sum, map, has, matches, and the two iterators.
 * Each takes a list: an array of JSON, or a table with elements 1 to n. They are as strict as the proxies: what
 * a condition gives must be true or false, what is summed must be a number.
 */
#include "state.h"

#include "base/mem.h"
#include "match.h"

#include <string.h>

/* --- Lists ------------------------------------------------------------------------------------------- */

static bool is_array(lua_State *L, int index)
{
	const struct bs_proxy *proxy = bs_proxy_at(L, index);

	return proxy && proxy->json && bs_json_kind(proxy->json) == BS_J_ARRAY;
}

static lua_Integer list_length(lua_State *L, const char *function)
{
	if (lua_type(L, 1) == LUA_TTABLE)
		return (lua_Integer)lua_rawlen(L, 1);
	if (!is_array(L, 1))
		bs_raise(L, "%s() needs a list; got %s%s", function, bs_with_article(L, 1), bs_where(L, 1));
	size_t length = bs_proxy_length(L, bs_proxy_at(L, 1));
	if (length == 0)
		bs_note_length(L, 1, 0); /* all there is to say of why it came out so */
	return (lua_Integer)length;
}

static void push_element(lua_State *L, lua_Integer i)
{
	if (lua_type(L, 1) == LUA_TTABLE)
		lua_rawgeti(L, 1, i);
	else
		bs_push_element(L, 1, (size_t)i);
}

static void need_function(lua_State *L, const char *function)
{
	if (lua_type(L, 2) != LUA_TFUNCTION)
		bs_raise(L, "%s() needs a function as its second argument; got %s", function, bs_with_article(L, 2));
}

/* Leaves function(element, i) on the stack. */
static void call_on(lua_State *L, lua_Integer i)
{
	bs_charge(L, 10);
	lua_pushvalue(L, 2);
	push_element(L, i);
	lua_pushinteger(L, i);
	lua_call(L, 2, 1);
}

static bool condition(lua_State *L, const char *function, lua_Integer i)
{
	call_on(L, i);
	if (lua_type(L, -1) != LUA_TBOOLEAN)
		bs_raise(L, "%s(): the function gave %s for element %lld; true or false is needed", function,
			 bs_with_article(L, -1), (long long)i);
	bool is = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return is;
}

/* The first element for which the condition is `wanted`; 0 when there is none. */
static lua_Integer first(lua_State *L, const char *function, bool wanted)
{
	lua_Integer length = list_length(L, function);

	need_function(L, function);
	for (lua_Integer i = 1; i <= length; i++)
		if (condition(L, function, i) == wanted)
			return i;
	return 0;
}

static int list_all(lua_State *L)
{
	lua_pushboolean(L, first(L, "all", false) == 0);
	return 1;
}

static int list_any(lua_State *L)
{
	lua_pushboolean(L, first(L, "any", true) != 0);
	return 1;
}

/* Of an object count gives the fields: '#' is for lists. */
static int count_fields(lua_State *L, struct bs_proxy *object)
{
	size_t length = bs_proxy_length(L, object);

	bs_note_length(L, 1, length);
	lua_pushinteger(L, (lua_Integer)length);
	return 1;
}

static int list_count(lua_State *L)
{
	struct bs_proxy *proxy = bs_proxy_at(L, 1);
	lua_Integer found = 0;

	if (proxy && proxy->json && bs_json_kind(proxy->json) == BS_J_OBJECT && lua_isnoneornil(L, 2))
		return count_fields(L, proxy);
	lua_Integer length = list_length(L, "count");
	if (lua_isnoneornil(L, 2)) {
		bs_note_length(L, 1, (size_t)length);
		lua_pushinteger(L, length);
		return 1;
	}
	need_function(L, "count");
	for (lua_Integer i = 1; i <= length; i++)
		found += condition(L, "count", i);
	lua_pushinteger(L, found);
	return 1;
}

/* Integers are summed exactly; one float makes the sum a float, as + does. */
static void add(lua_State *L)
{
	lua_Integer sum;

	if (!lua_isinteger(L, -1) || !lua_isinteger(L, -2)) {
		lua_arith(L, LUA_OPADD);
		return;
	}
	if (__builtin_add_overflow(lua_tointeger(L, -2), lua_tointeger(L, -1), &sum))
		bs_raise(L, "sum(): the sum does not fit 64 bits");
	lua_pop(L, 2);
	lua_pushinteger(L, sum);
}

static int list_sum(lua_State *L)
{
	lua_Integer length = list_length(L, "sum");
	bool mapped = !lua_isnoneornil(L, 2);

	if (mapped)
		need_function(L, "sum");
	lua_settop(L, 2);
	lua_pushinteger(L, 0);
	for (lua_Integer i = 1; i <= length; i++) {
		if (mapped)
			call_on(L, i);
		else
			push_element(L, i);
		bs_charge(L, 1);
		if (lua_type(L, -1) != LUA_TNUMBER)
			bs_raise(L, "sum(): element %lld %s %s, not a number%s", (long long)i, mapped ? "gave" : "is",
				 bs_with_article(L, -1),
				 bs_proxy_at(L, -1) ? " that fits 64 bits" : "");
		add(L);
	}
	return 1;
}

static int list_map(lua_State *L)
{
	lua_Integer length = list_length(L, "map");

	need_function(L, "map");
	lua_settop(L, 2);
	lua_newtable(L);
	for (lua_Integer i = 1; i <= length; i++) {
		call_on(L, i);
		if (lua_isnil(L, -1))
			bs_raise(L, "map(): the function gave nil for element %lld; a list cannot hold it", (long long)i);
		lua_rawseti(L, 3, i);
	}
	return 1;
}

/* --- Objects ----------------------------------------------------------------------------------------- */

/* Of headers every name can be asked for: there, nil is absent. */
static bool scope_has(lua_State *L, const struct bs_scope *scope, const char *field)
{
	struct bs_lua *lua = bs_lua_of(L);
	struct bs_value value;
	int r = scope->get(scope->ctx, field, &value, &lua->error);

	if (r < 0)
		bs_raise_set(L, r);
	if (r == 0)
		return false;
	bs_path_field(L, 1, field);
	if (value.kind != BS_V_JSON && value.kind != BS_V_SCOPE)
		bs_note(lua, bs_buf_text(&lua->path), &value);
	return value.kind != BS_V_NIL;
}

static bool object_has(lua_State *L, const struct bs_proxy *proxy, const char *field)
{
	struct bs_lua *lua = bs_lua_of(L);
	const cJSON *item = bs_proxy_field(L, proxy, field);

	if (!item) {
		bs_note_whole(L, 1);
		return false;
	}
	struct bs_value value = bs_value_from_json(item);
	bs_path_field(L, 1, field);
	bs_note(lua, bs_buf_text(&lua->path), &value);
	return true;
}

static int object_has_field(lua_State *L)
{
	const struct bs_proxy *proxy = bs_proxy_at(L, 1);
	size_t len = 0;
	const char *field = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &len) : NULL;
	bool has = false;

	if (!field || lua_gettop(L) != 2)
		bs_raise(L, "has() takes an object and the name of a field, such as has(body, \"id\")");
	if (lua_type(L, 1) == LUA_TTABLE) {
		lua_pushvalue(L, 2);
		has = lua_rawget(L, 1) != LUA_TNIL;
	} else if (!proxy || (proxy->json && bs_json_kind(proxy->json) != BS_J_OBJECT)) {
		bs_raise(L, "has() needs an object; got %s%s", bs_with_article(L, 1), bs_where(L, 1));
	} else if (strlen(field) == len) {
		has = proxy->scope ? scope_has(L, proxy->scope, field) : object_has(L, proxy, field);
	}
	lua_pushboolean(L, has);
	return 1;
}

/* --- Iterators --------------------------------------------------------------------------------------- */

/* An expression can call these with anything: local f = ipairs({}). */

/* Goes on over null elements: the length is known. */
static int next_element(lua_State *L)
{
	lua_Integer length = list_length(L, "ipairs");
	lua_Integer i = lua_tointeger(L, 2);

	if (i < 0 || i >= length)
		return 0;
	i++;
	lua_pushinteger(L, i);
	push_element(L, i);
	return 2;
}

static int over_elements(lua_State *L)
{
	list_length(L, "ipairs");
	lua_pushcfunction(L, next_element);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, 0);
	return 3;
}

/* Upvalue 1: the field that comes next (a pointer, NULL at the end). */
static int next_field(lua_State *L)
{
	const cJSON *item = lua_touserdata(L, lua_upvalueindex(1));

	if (!item || !bs_proxy_at(L, 1))
		return 0;
	lua_pushlightuserdata(L, item->next);
	lua_replace(L, lua_upvalueindex(1));
	struct bs_value value = bs_value_from_json(item);
	lua_pushstring(L, item->string);
	bs_path_field(L, 1, item->string);
	bs_push_value(L, &value);
	return 2;
}

static int next_entry(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	return lua_next(L, 1) ? 2 : 0;
}

static int over_fields(lua_State *L)
{
	const struct bs_proxy *proxy = bs_proxy_at(L, 1);

	if (is_array(L, 1))
		return over_elements(L);
	if (lua_type(L, 1) == LUA_TTABLE)
		lua_pushcfunction(L, next_entry);
	else if (!proxy || !proxy->json || bs_json_kind(proxy->json) != BS_J_OBJECT)
		bs_raise(L, "pairs() needs a JSON object, an array or a table; got %s%s", bs_with_article(L, 1),
			 bs_where(L, 1));
	else {
		lua_pushlightuserdata(L, proxy->json->child);
		lua_pushcclosure(L, next_field, 1);
	}
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

/* --- Texts ------------------------------------------------------------------------------------------- */

static int text_matches(lua_State *L)
{
	size_t len, pattern_len, cost;
	struct bs_pattern pattern;
	struct bs_match match;
	int r;

	for (int i = 1; i <= 2; i++)
		if (lua_type(L, i) != LUA_TSTRING)
			bs_raise(L, "matches() takes a text and a pattern; got %s%s", bs_with_article(L, i),
				 bs_where(L, i));
	const char *text = lua_tolstring(L, 1, &len);
	const char *wrong = bs_pattern_compile(&pattern, lua_tostring(L, 2), lua_rawlen(L, 2));
	pattern_len = lua_rawlen(L, 2);
	if (wrong)
		bs_raise(L, "the pattern '%.*s' is not right: %s", (int)(pattern_len > 60 ? 60 : pattern_len),
			 lua_tostring(L, 2), wrong);
	bs_charge(L, 10 + pattern.count);
	bs_match_begin(&match, &pattern);
	do {
		r = bs_match_run(&match, text, len, 4096, &cost);
		bs_charge(L, cost / 4);
	} while (r < 0);
	lua_pushboolean(L, r);
	return 1;
}

void bs_helpers_setup(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"all", list_all},         {"any", list_any}, {"count", list_count},
		{"sum", list_sum},         {"map", list_map}, {"has", object_has_field},
		{"ipairs", over_elements}, {"pairs", over_fields}, {"matches", text_matches},
		{NULL, NULL},
	};

	luaL_setfuncs(L, functions, 0);
}
