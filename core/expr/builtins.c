/*
 * The rest of the sandbox: conversions, and the parts of Lua's string and math libraries that are safe. A
 * library is an empty table that looks its functions up, so that nothing can be written to it and an absent
 * function is an error which says what to use. Methods of strings go the same way: ("x"):rep(n) finds no more
 * than string.rep does.
 */
#include "state.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <lualib.h>
#include <string.h>

static const char *const names[] = {"all",  "any",   "count",  "has", "ipairs",   "map",      "matches", "math",
				    "pairs", "string", "sum",  "tonumber", "tostring", "type", "utf8"};

static const char *const string_names[] = {"byte", "char", "format", "len", "lower", "reverse", "sub", "upper", NULL};
static const char *const math_names[] = {"abs",  "ceil", "exp",   "floor",	"fmod",	      "huge", "log",
					 "max",	 "maxinteger", "min", "mininteger", "modf", "pi",   "sqrt",
					 "tointeger", "type", "ult", NULL};
static const char *const utf8_names[] = {"len", NULL};

static const struct library {
	const char *name;
	const char *const *fields;
} libraries[] = {{"string", string_names}, {"math", math_names}, {"utf8", utf8_names}};

/* --- What there is ----------------------------------------------------------------------------------- */

static bool same(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

const char *bs_expr_builtin(size_t index)
{
	return index < BS_COUNT(names) ? names[index] : NULL;
}

bool bs_is_builtin(const char *name, size_t len)
{
	for (size_t i = 0; i < BS_COUNT(names); i++)
		if (same(names[i], name, len))
			return true;
	return false;
}

static const struct library *find_library(const char *name, size_t len)
{
	for (size_t i = 0; i < BS_COUNT(libraries); i++)
		if (same(libraries[i].name, name, len))
			return &libraries[i];
	return NULL;
}

bool bs_is_library(const char *name, size_t len)
{
	return find_library(name, len) != NULL;
}

static bool searches(const char *field, size_t len)
{
	return same("find", field, len) || same("match", field, len) || same("gmatch", field, len) ||
	       same("gsub", field, len);
}

char *bs_library_lacks(const char *library, size_t library_len, const char *field, size_t field_len)
{
	const struct library *found = find_library(library, library_len);
	struct bs_buf text = BS_BUF_INIT;
	size_t i = 0;

	for (; found && found->fields[i]; i++)
		if (same(found->fields[i], field, field_len))
			return NULL;
	bs_buf_addf(&text, "%.*s has no '%.*s'", (int)library_len, library, (int)(field_len > 40 ? 40 : field_len),
		    field);
	if (searches(field, field_len))
		bs_buf_adds(&text, "; use matches(text, pattern)");
	for (i = 0; found && !searches(field, field_len) && found->fields[i]; i++)
		bs_buf_addf(&text, "%s%s", i ? ", " : "; there are: ", found->fields[i]);
	return bs_buf_take(&text);
}

/* --- Libraries --------------------------------------------------------------------------------------- */

/* Upvalues: the functions, the library's name. */
static int read_library(lua_State *L)
{
	const char *library = lua_tostring(L, lua_upvalueindex(2));
	size_t len = 0;
	const char *field = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &len) : NULL;

	if (!field)
		bs_raise(L, "%s has named functions; got %s for a name", library, bs_with_article(L, 2));
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	bs_lua_of(L)->printed = bs_library_lacks(library, strlen(library), field, len);
	bs_raise(L, "%s", bs_lua_of(L)->printed);
}

static int write_library(lua_State *L)
{
	bs_raise(L, "'%s' cannot be changed", lua_tostring(L, lua_upvalueindex(1)));
}

/* Expects a library of Lua's on top of the stack, and leaves ours in its place. */
static void wrap_library(lua_State *L, const struct library *library)
{
	lua_newtable(L); /* ours: stays empty */
	lua_newtable(L); /* its metatable */
	lua_newtable(L); /* what may be used */
	for (size_t i = 0; library->fields[i]; i++) {
		lua_getfield(L, -4, library->fields[i]);
		lua_setfield(L, -2, library->fields[i]);
	}
	lua_pushstring(L, library->name);
	lua_pushcclosure(L, read_library, 2);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, library->name);
	lua_pushcclosure(L, write_library, 1);
	lua_setfield(L, -2, "__newindex");
	lua_setmetatable(L, -2);
	lua_replace(L, -2);
}

/* The metatable that luaopen_string made has arithmetic on strings too: "10" + 1 is a slip here. */
static void replace_string_methods(lua_State *L)
{
	lua_pushliteral(L, "");
	lua_newtable(L);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}

/* --- Functions --------------------------------------------------------------------------------------- */

static int type_of(lua_State *L)
{
	luaL_checkany(L, 1);
	lua_pushstring(L, bs_type_name(L, 1));
	return 1;
}

/* No addresses: what an expression gives must not differ from run to run. */
static int to_string(lua_State *L)
{
	luaL_checkany(L, 1);
	switch (lua_type(L, 1)) {
	case LUA_TUSERDATA: bs_push_text(L, 1); break;
	case LUA_TTABLE:
	case LUA_TFUNCTION: lua_pushstring(L, lua_typename(L, lua_type(L, 1))); break;
	default: luaL_tolstring(L, 1, NULL); /* Lua's types are numbers, not an enum */
	}
	return 1;
}

/* A decimal integer that Lua would make a float of, and so another number. */
static bool is_large_integer(lua_State *L, const char *text)
{
	return !lua_isinteger(L, -1) && !text[strcspn(text, ".eExXnN")] && lua_tonumber(L, -1) != 0;
}

static int to_number(lua_State *L)
{
	size_t len;

	luaL_checkany(L, 1);
	if (lua_gettop(L) > 1)
		bs_raise(L, "tonumber() takes one value; other bases than ten are not supported");
	if (lua_type(L, 1) == LUA_TNUMBER)
		return 1;
	const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : NULL;
	if (!text || lua_stringtonumber(L, text) != len + 1) {
		lua_pushnil(L);
		return 1;
	}
	if (is_large_integer(L, text))
		bs_raise(L, "tonumber(): '%.60s' does not fit 64 bits; compare it as a text", text);
	return 1;
}

/* Code points; nil when it is no UTF-8. */
static int utf8_length(lua_State *L)
{
	size_t len, count = 0;
	const char *text = luaL_checklstring(L, 1, &len);
	uint32_t c;

	bs_charge(L, len / 4);
	for (size_t i = 0; i < len; count++) {
		size_t n = bs_utf8_next(text + i, len - i, &c);
		if (!n) {
			lua_pushnil(L);
			return 1;
		}
		i += n;
	}
	lua_pushinteger(L, (lua_Integer)count);
	return 1;
}

static int open_utf8(lua_State *L)
{
	static const luaL_Reg functions[] = {{"len", utf8_length}, {NULL, NULL}};

	luaL_newlib(L, functions);
	return 1;
}

static void add_library(lua_State *L, lua_CFunction open, const char *name)
{
	lua_pushcfunction(L, open);
	lua_call(L, 0, 1);
	wrap_library(L, find_library(name, strlen(name)));
	if (open == luaopen_string)
		replace_string_methods(L);
	lua_setfield(L, -2, name);
}

void bs_builtins_setup(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"type", type_of}, {"tostring", to_string}, {"tonumber", to_number}, {NULL, NULL}};

	luaL_setfuncs(L, functions, 0);
	add_library(L, luaopen_string, "string");
	add_library(L, luaopen_math, "math");
	add_library(L, open_utf8, "utf8");
}
