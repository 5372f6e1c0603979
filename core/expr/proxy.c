/*
 * JSON and scopes as Lua sees them: a userdata that points into the document, with a metatable that is strict.
 * What is absent is an error that names what is there; nothing can be written; a comparison with == is deep;
 * everything else that Lua would do to a table is refused in words that say what the value is.
 */
#include "state.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

#define FIELDS_SHOWN 8

/* --- Making them ------------------------------------------------------------------------------------- */

static void proxy_set(struct bs_proxy *proxy, const cJSON *json, const struct bs_scope *scope)
{
	*proxy = (struct bs_proxy){.json = json, .scope = scope, .length = SIZE_MAX};
}

static void push_new(lua_State *L, const cJSON *json, const struct bs_scope *scope)
{
	struct bs_lua *lua = bs_lua_of(L);

	proxy_set(lua_newuserdatauv(L, sizeof(struct bs_proxy), 1), json, scope);
	lua_rawgeti(L, LUA_REGISTRYINDEX, lua->metatable);
	lua_setmetatable(L, -2);
}

static void push_traced(lua_State *L, const cJSON *json, const struct bs_scope *scope)
{
	struct bs_lua *lua = bs_lua_of(L);

	push_new(L, json, scope);
	lua_pushlstring(L, bs_buf_text(&lua->path), lua->path.len);
	lua_setiuservalue(L, -2, 1);
	if (json && bs_json_kind(json) == BS_J_NUMBER)
		bs_note_whole(L, -1);
}

/* The slot that stands for it already, or one that no one uses in this evaluation; NULL: all near are taken. */
static struct bs_pool_slot *find_slot(struct bs_lua *lua, const void *what)
{
	uintptr_t address = (uintptr_t)what;

	for (size_t i = 0; i < 8; i++) {
		struct bs_pool_slot *slot = &lua->pool[((address >> 4 ^ address >> 9) + i) % BS_LUA_POOL];
		if (slot->generation != lua->generation || slot->what == what)
			return slot;
	}
	return NULL;
}

static void push_proxy(lua_State *L, const cJSON *json, const struct bs_scope *scope)
{
	struct bs_lua *lua = bs_lua_of(L);
	struct bs_pool_slot *slot;

	if (lua->tracing) { /* one value may be reached by two paths */
		push_traced(L, json, scope);
		return;
	}
	slot = find_slot(lua, json ? (const void *)json : (const void *)scope);
	if (!slot) {
		push_new(L, json, scope);
		return;
	}
	if (slot->generation != lua->generation) {
		slot->generation = lua->generation;
		slot->what = json ? (const void *)json : (const void *)scope;
		proxy_set(slot->proxy, json, scope);
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, slot->ref);
}

static void push_scalar(lua_State *L, const struct bs_value *value)
{
	switch (value->kind) {
	case BS_V_NIL: lua_pushnil(L); break;
	case BS_V_BOOL: lua_pushboolean(L, value->boolean); break;
	case BS_V_INT: lua_pushinteger(L, value->integer); break;
	case BS_V_REAL: lua_pushnumber(L, value->real); break;
	case BS_V_TEXT: lua_pushlstring(L, value->text.data, value->text.len); break;
	case BS_V_JSON:
	case BS_V_SCOPE: break;
	}
}

void bs_push_value(lua_State *L, const struct bs_value *value)
{
	struct bs_lua *lua = bs_lua_of(L);

	if (value->kind == BS_V_JSON) {
		push_proxy(L, value->json, NULL);
	} else if (value->kind == BS_V_SCOPE) {
		push_proxy(L, NULL, value->scope);
	} else {
		if (lua->tracing)
			bs_note(lua, bs_buf_text(&lua->path), value);
		push_scalar(L, value);
	}
}

struct bs_proxy *bs_proxy_at(lua_State *L, int index)
{
	return lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL; /* there are no others */
}

/* --- What they are ----------------------------------------------------------------------------------- */

const char *bs_type_name(lua_State *L, int index)
{
	const struct bs_proxy *proxy = bs_proxy_at(L, index);

	if (!proxy)
		return lua_typename(L, lua_isnone(L, index) ? LUA_TNIL : lua_type(L, index));
	return proxy->scope ? "object" : bs_json_kind_name(bs_json_kind(proxy->json));
}

const char *bs_with_article(lua_State *L, int index)
{
	static const char *const names[][2] = {{"array", "an array"},     {"object", "an object"},
					       {"number", "a number"},    {"string", "a string"},
					       {"boolean", "a boolean"},  {"table", "a table"},
					       {"function", "a function"}};
	const char *name = bs_type_name(L, index);

	for (size_t i = 0; i < BS_COUNT(names); i++)
		if (strcmp(names[i][0], name) == 0)
			return names[i][1];
	return name;
}

size_t bs_json_weight(const cJSON *json, size_t limit)
{
	size_t weight = 1 + (json->valuestring ? strlen(json->valuestring) / 16 : 0);
	size_t fields = 0;

	for (const cJSON *item = json->child; item && weight <= limit; item = item->next) {
		weight += bs_json_weight(item, limit - weight);
		weight += item->string ? ++fields / 4 : 0; /* comparing looks each field up: quadratic */
	}
	return weight;
}

/* --- Fields ------------------------------------------------------------------------------------------ */

static const char *name_at(const struct bs_proxy *proxy, size_t index, const cJSON **item)
{
	if (proxy->scope)
		return proxy->scope->name ? proxy->scope->name(proxy->scope->ctx, index) : NULL;
	*item = index == 0 ? proxy->json->child : (*item)->next;
	return *item ? (*item)->string : NULL;
}

static int shown(const char *name)
{
	size_t len = strlen(name);

	if (len > 40)
		for (len = 40; len > 0 && ((unsigned char)name[len] & 0xC0) == 0x80; len--)
			;
	return (int)len;
}

static noreturn void raise_absent(lua_State *L, const struct bs_proxy *proxy, const char *field)
{
	struct bs_buf *text = &bs_lua_of(L)->text;
	const cJSON *item = NULL;
	const char *name;
	size_t count = 0;

	bs_buf_clear(text);
	bs_buf_addf(text, "no field '%.*s'%s", shown(field), field, bs_where(L, 1));
	for (; (name = name_at(proxy, count, &item)); count++)
		if (count < FIELDS_SHOWN)
			bs_buf_addf(text, "%s%.*s", count ? ", " : "; there are: ", shown(name), name);
	if (count > FIELDS_SHOWN)
		bs_buf_addf(text, " and %zu more", count - FIELDS_SHOWN);
	if (count == 0 && !proxy->scope)
		bs_buf_adds(text, "; it has none");
	bs_raise(L, "%s", bs_buf_text(text));
}

const cJSON *bs_proxy_field(lua_State *L, const struct bs_proxy *object, const char *name)
{
	const cJSON *item = object->json->child;
	size_t looked_at = 0;

	while (item && strcmp(item->string, name) != 0) {
		item = item->next;
		looked_at++;
	}
	bs_charge(L, looked_at / 4);
	return item;
}

static int read_field(lua_State *L, struct bs_proxy *proxy)
{
	struct bs_lua *lua = bs_lua_of(L);
	struct bs_value value;
	size_t len;
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &len) : NULL;
	int r = 0;

	if (!name)
		bs_raise(L, "an object%s has named fields; got %s for a name", bs_where(L, 1), bs_with_article(L, 2));
	if (proxy->scope) {
		r = strlen(name) == len ? proxy->scope->get(proxy->scope->ctx, name, &value, &lua->error) : 0;
	} else {
		const cJSON *item = strlen(name) == len ? bs_proxy_field(L, proxy, name) : NULL;
		r = item != NULL;
		if (item)
			value = bs_value_from_json(item);
	}
	if (r < 0)
		bs_raise_set(L, r);
	if (r == 0)
		raise_absent(L, proxy, name);
	bs_path_field(L, 1, name);
	bs_push_value(L, &value);
	return 1;
}

/* --- Elements ---------------------------------------------------------------------------------------- */

size_t bs_proxy_length(lua_State *L, struct bs_proxy *array)
{
	if (array->length == SIZE_MAX) {
		size_t n = 0;
		for (const cJSON *item = array->json->child; item; item = item->next)
			n++;
		array->length = n;
		bs_charge(L, n / 4);
	}
	return array->length;
}

void bs_push_element(lua_State *L, int index, size_t element)
{
	struct bs_proxy *array = bs_proxy_at(L, index);
	bool behind = array->cursor && element >= array->cursor_index;
	const cJSON *item = behind ? array->cursor : array->json->child;
	size_t at = behind ? array->cursor_index : 1;

	bs_charge(L, (element - at) / 4);
	for (; at < element; at++)
		item = item->next;
	array->cursor = item;
	array->cursor_index = element;
	struct bs_value value = bs_value_from_json(item);
	bs_path_element(L, index, element);
	bs_push_value(L, &value);
}

static noreturn void raise_no_element(lua_State *L, size_t length)
{
	if (lua_type(L, 2) == LUA_TSTRING)
		bs_raise(L, "no field '%.*s'%s: it is an array of %zu; an element is read by [1], the length by '#'",
			 shown(lua_tostring(L, 2)), lua_tostring(L, 2), bs_where(L, 1), length);
	if (!lua_isinteger(L, 2))
		bs_raise(L, "an array%s has elements 1 to %zu; got %s for an index", bs_where(L, 1), length,
			 bs_with_article(L, 2));
	lua_Integer index = lua_tointeger(L, 2);
	bs_raise(L, "no element [%lld]%s: its length is %zu%s", (long long)index, bs_where(L, 1), length,
		 index == 0 ? "; the first element is [1]" : "");
}

static int read_element(lua_State *L, struct bs_proxy *array)
{
	size_t length = bs_proxy_length(L, array);
	int is_integer = 0;
	lua_Integer index = lua_type(L, 2) == LUA_TNUMBER ? lua_tointegerx(L, 2, &is_integer) : 0;

	if (!is_integer || index < 1 || (lua_Unsigned)index > length)
		raise_no_element(L, length);
	bs_push_element(L, 1, (size_t)index);
	return 1;
}

static noreturn void raise_large(lua_State *L, const struct bs_proxy *number)
{
	bs_raise(L, "the number %.60s%s does not fit 64 bits: only ==, ~= and tostring() work on it",
		 bs_json_token(number->json), bs_where(L, bs_proxy_at(L, 1) == number ? 1 : 2));
}

static int proxy_index(lua_State *L)
{
	struct bs_proxy *proxy = bs_proxy_at(L, 1);

	if (proxy->scope)
		return read_field(L, proxy);
	switch (bs_json_kind(proxy->json)) {
	case BS_J_OBJECT: return read_field(L, proxy);
	case BS_J_ARRAY: return read_element(L, proxy);
	case BS_J_NUMBER: raise_large(L, proxy);
	case BS_J_NULL:
	case BS_J_BOOL:
	case BS_J_STRING: break; /* are no proxies */
	}
	return 0;
}

/* --- Everything else --------------------------------------------------------------------------------- */

static int proxy_newindex(lua_State *L)
{
	bs_raise(L, "%s%s cannot be changed", bs_with_article(L, 1), bs_where(L, 1));
}

static int proxy_len(lua_State *L)
{
	struct bs_proxy *proxy = bs_proxy_at(L, 1);

	if (proxy->json && bs_json_kind(proxy->json) == BS_J_NUMBER)
		raise_large(L, proxy);
	if (proxy->scope || bs_json_kind(proxy->json) != BS_J_ARRAY)
		bs_raise(L, "'#' counts the elements of an array%s; got an object, of which count() counts the fields",
			 bs_where(L, 1));
	size_t length = bs_proxy_length(L, proxy);
	bs_note_length(L, 1, length);
	lua_pushinteger(L, (lua_Integer)length);
	return 1;
}

static int proxy_eq(lua_State *L)
{
	const struct bs_proxy *a = bs_proxy_at(L, 1), *b = bs_proxy_at(L, 2);
	bool equal = a && b && a->scope == b->scope;

	bs_note_whole(L, 1);
	bs_note_whole(L, 2);
	if (equal && a->json && b->json) {
		bs_charge(L, bs_json_weight(a->json, BS_LUA_BUDGET));
		equal = bs_json_equal(a->json, b->json);
	}
	lua_pushboolean(L, equal);
	return 1;
}

void bs_push_text(lua_State *L, int index)
{
	struct bs_lua *lua = bs_lua_of(L);
	const struct bs_proxy *proxy = bs_proxy_at(L, index);

	bs_note_whole(L, index);
	if (proxy->scope) {
		lua_pushliteral(L, "object");
		return;
	}
	bs_charge(L, bs_json_weight(proxy->json, BS_LUA_BUDGET));
	lua->printed = bs_json_print(proxy->json, false);
	lua_pushstring(L, lua->printed);
	free(lua->printed);
	lua->printed = NULL;
}

static int proxy_tostring(lua_State *L)
{
	bs_push_text(L, 1);
	return 1;
}

/* Upvalue 1: the verb, with its preposition. One of the two operands is a proxy. */
static int refuse(lua_State *L)
{
	const char *verb = lua_tostring(L, lua_upvalueindex(1));

	for (int i = 1; i <= 2; i++) {
		const struct bs_proxy *proxy = bs_proxy_at(L, i);
		if (proxy && proxy->json && bs_json_kind(proxy->json) == BS_J_NUMBER)
			raise_large(L, proxy);
	}
	int i = bs_proxy_at(L, 1) ? 1 : 2;
	bs_raise(L, "cannot %s %s%s", verb, bs_with_article(L, i), bs_where(L, i));
}

void bs_proxy_setup(lua_State *L)
{
	static const luaL_Reg functions[] = {{"__index", proxy_index}, {"__newindex", proxy_newindex},
					     {"__len", proxy_len},     {"__eq", proxy_eq},
					     {"__tostring", proxy_tostring}, {NULL, NULL}};
	static const char *const refused[][2] = {
		{"__lt", "order"},	       {"__le", "order"},	     {"__concat", "join a text and"},
		{"__add", "calculate with"},   {"__sub", "calculate with"},  {"__mul", "calculate with"},
		{"__div", "calculate with"},   {"__mod", "calculate with"},  {"__pow", "calculate with"},
		{"__unm", "calculate with"},   {"__idiv", "calculate with"}, {"__call", "call"},
	};
	struct bs_lua *lua = bs_lua_of(L);

	lua_newtable(L);
	luaL_setfuncs(L, functions, 0);
	for (size_t i = 0; i < BS_COUNT(refused); i++) {
		lua_pushstring(L, refused[i][1]);
		lua_pushcclosure(L, refuse, 1);
		lua_setfield(L, -2, refused[i][0]);
	}
	lua->metatable = luaL_ref(L, LUA_REGISTRYINDEX);
	for (size_t i = 0; i < BS_LUA_POOL; i++) {
		push_new(L, NULL, NULL);
		lua->pool[i].proxy = lua_touserdata(L, -1);
		lua->pool[i].ref = luaL_ref(L, LUA_REGISTRYINDEX);
	}
}
