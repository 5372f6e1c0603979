/*
 * What a rule read, for the report of its failure: paths as they would be written in the expression, with
 * their values. Only while an evaluation is traced do proxies carry their path; the ordinary one does not pay.
 */
#include "state.h"

#include "base/mem.h"

#include <string.h>

#define WHOLE_BYTES_MAX 200 /* an array or object that is longer as JSON is no evidence that one reads */

/* --- Paths ------------------------------------------------------------------------------------------- */

/* What does not fit is cut off: two such paths may look alike, and then one note is made of them. */
static void load_path(lua_State *L, int index)
{
	struct bs_lua *lua = bs_lua_of(L);
	size_t len = 0;

	bs_buf_clear(&lua->path);
	lua_getiuservalue(L, index, 1);
	const char *path = lua_tolstring(L, -1, &len);
	if (path)
		bs_buf_add(&lua->path, path, len);
	lua_pop(L, 1);
}

static bool is_identifier(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
		      (c > text && *c >= '0' && *c <= '9')))
			return false;
	return *text != 0;
}

static void add_quoted(struct bs_buf *out, const char *text)
{
	bs_buf_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			bs_buf_addc(out, '\\');
		if ((unsigned char)*text < 0x20)
			bs_buf_addf(out, "\\%d", *text);
		else
			bs_buf_addc(out, *text);
	}
	bs_buf_addc(out, '"');
}

void bs_path_name(struct bs_lua *lua, const char *name)
{
	if (!lua->tracing)
		return;
	bs_buf_clear(&lua->path);
	bs_buf_adds(&lua->path, name);
}

void bs_path_field(lua_State *L, int index, const char *field)
{
	struct bs_lua *lua = bs_lua_of(L);

	if (!lua->tracing)
		return;
	load_path(L, index);
	if (is_identifier(field)) {
		bs_buf_addf(&lua->path, ".%s", field);
		return;
	}
	bs_buf_addc(&lua->path, '[');
	add_quoted(&lua->path, field);
	bs_buf_addc(&lua->path, ']');
}

void bs_path_element(lua_State *L, int index, size_t element)
{
	struct bs_lua *lua = bs_lua_of(L);

	if (!lua->tracing)
		return;
	load_path(L, index);
	bs_buf_addf(&lua->path, "[%zu]", element);
}

void bs_path_call(struct bs_lua *lua, const char *function, const char *argument)
{
	if (!lua->tracing)
		return;
	bs_buf_clear(&lua->path);
	bs_buf_addf(&lua->path, "%s(", function);
	add_quoted(&lua->path, argument);
	bs_buf_addc(&lua->path, ')');
}

const char *bs_where(lua_State *L, int index)
{
	struct bs_lua *lua = bs_lua_of(L);

	if (!lua->tracing || !bs_proxy_at(L, index))
		return "";
	load_path(L, index);
	BS_AUTOFREE char *path = bs_xstrdup(bs_buf_text(&lua->path));
	bs_buf_clear(&lua->path);
	bs_buf_addf(&lua->path, " in '%s'", path);
	return lua->path.len ? bs_buf_text(&lua->path) : "";
}

/* --- Notes ------------------------------------------------------------------------------------------- */

static cJSON *short_text(const char *text, size_t len)
{
	size_t kept = WHOLE_BYTES_MAX;

	if (len <= kept)
		return bs_json_new_text(text, len);
	while (kept > WHOLE_BYTES_MAX - 4 && ((unsigned char)text[kept] & 0xC0) == 0x80)
		kept--;
	struct bs_buf cut = BS_BUF_INIT;
	bs_buf_add(&cut, text, kept);
	bs_buf_addf(&cut, "... (%zu bytes)", len);
	cJSON *json = bs_json_new_text(cut.data, cut.len);
	bs_buf_release(&cut);
	return json;
}

static cJSON *short_json(const cJSON *json)
{
	if (bs_json_weight(json, WHOLE_BYTES_MAX) > WHOLE_BYTES_MAX)
		return NULL;
	BS_AUTOFREE char *printed = bs_json_print(json, false);
	return strlen(printed) <= WHOLE_BYTES_MAX ? cJSON_Duplicate(json, true) : NULL;
}

/* NULL: not worth a note. */
static cJSON *noted(const struct bs_value *value)
{
	switch (value->kind) {
	case BS_V_TEXT: return short_text(value->text.data, value->text.len);
	case BS_V_JSON: return short_json(value->json);
	case BS_V_SCOPE: return NULL;
	case BS_V_NIL:
	case BS_V_BOOL:
	case BS_V_INT:
	case BS_V_REAL: break;
	}
	return bs_value_to_json(value);
}

void bs_note(struct bs_lua *lua, const char *path, const struct bs_value *value)
{
	struct bs_reads *reads = lua->reads;

	if (!lua->tracing)
		return;
	if (value->kind == BS_V_NIL) {
		bs_buf_clear(&lua->last_nil);
		bs_buf_adds(&lua->last_nil, path);
	}
	if (!reads || reads->count == BS_READS_MAX)
		return;
	for (size_t i = 0; i < reads->count; i++)
		if (strcmp(reads->items[i].path, path) == 0)
			return;
	cJSON *json = noted(value);
	if (!json)
		return;
	struct bs_read *read = BS_PUSH(reads->items, reads->count);
	read->path = bs_xstrdup(path);
	read->value = json;
}

void bs_note_whole(lua_State *L, int index)
{
	struct bs_lua *lua = bs_lua_of(L);
	const struct bs_proxy *proxy = bs_proxy_at(L, index);

	if (!lua->tracing || !proxy || !proxy->json)
		return;
	load_path(L, index);
	bs_note(lua, bs_buf_text(&lua->path), &(struct bs_value){.kind = BS_V_JSON, .json = proxy->json});
}

void bs_note_length(lua_State *L, int index, size_t length)
{
	struct bs_lua *lua = bs_lua_of(L);

	if (!lua->tracing || !bs_proxy_at(L, index))
		return;
	load_path(L, index);
	BS_AUTOFREE char *path = bs_xasprintf("#%s", bs_buf_text(&lua->path));
	bs_note(lua, path, &(struct bs_value){.kind = BS_V_INT, .integer = (int64_t)length});
}

void bs_reads_release(struct bs_reads *reads)
{
	for (size_t i = 0; i < reads->count; i++) {
		free(reads->items[i].path);
		cJSON_Delete(reads->items[i].value);
	}
	free(reads->items);
	*reads = (struct bs_reads){0};
}
