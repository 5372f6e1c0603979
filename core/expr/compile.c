/*
 * From text to a function. The parser lets one expression with its brackets in balance pass; it is put in
 * parentheses all the same, so that what the parser might overlook has to be an expression for Lua too, and
 * only text is loaded, never bytecode.
 */
#include "state.h"

#include "base/mem.h"

#include <string.h>

#define BEFORE "return (" /* the closing one stands in a line of its own: the text may end in a comment */

struct source {
	const char *chunk;
	int ref;
};

/* Under pcall: it allocates. */
static int load(lua_State *L)
{
	struct source *source = lua_touserdata(L, 1);

	if (luaL_loadbufferx(L, source->chunk, strlen(source->chunk), "=" BS_LUA_CHUNK, "t") != LUA_OK)
		return lua_error(L);
	source->ref = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

/* Lua names the token that it did not like: "malformed number near '3..2'". */
static size_t place_of(const char *text, const char *message)
{
	const char *near = strstr(message, " near '");
	const char *end = near ? strrchr(near, '\'') : NULL;

	if (!near || end <= near + 7)
		return 0;
	BS_AUTOFREE char *token = bs_xstrndup(near + 7, (size_t)(end - near - 7));
	const char *found = strstr(text, token);
	return found ? (size_t)(found - text) : 0;
}

static int refused(struct bs_lua *lua, const char *text, size_t *ret_offset, struct bs_err *err)
{
	*ret_offset = place_of(text, bs_err_text(&lua->error));
	return bs_err_set(err, BS_EMODEL, "%s", bs_err_text(&lua->error));
}

int bs_expr_compile(struct bs_lua *lua, const char *text, struct bs_expr **ret_expr, size_t *ret_offset,
		    struct bs_err *err)
{
	struct bs_names names;
	size_t offset = 0;
	struct source source = {0};

	if (lua->busy)
		return bs_err_set(err, BS_EINTERNAL, "an expression cannot be compiled while one runs");
	int r = bs_parse_expression(text, &names, &offset, err);
	if (r == 0) {
		BS_AUTOFREE char *chunk = bs_xasprintf(BEFORE "%s\n)", text);
		source.chunk = chunk;
		bs_lua_begin(lua);
		if (bs_lua_protected(lua, load, &source) < 0) {
			r = refused(lua, text, &offset, err);
			bs_names_release(&names);
		}
	}
	if (r < 0) {
		if (ret_offset)
			*ret_offset = offset;
		return r;
	}
	struct bs_expr *expr = bs_xcalloc(1, sizeof *expr);
	*expr = (struct bs_expr){.lua = lua, .text = bs_xstrdup(text), .ref = source.ref, .names = names};
	*ret_expr = expr;
	return 0;
}

void bs_expr_free(struct bs_expr *expr)
{
	if (!expr)
		return;
	luaL_unref(expr->lua->L, LUA_REGISTRYINDEX, expr->ref);
	bs_names_release(&expr->names);
	free(expr->text);
	free(expr);
}

const char *bs_expr_text(const struct bs_expr *expr)
{
	return expr->text;
}

const struct bs_name *bs_expr_name(const struct bs_expr *expr, size_t index)
{
	return index < expr->names.count ? &expr->names.items[index].name : NULL;
}

bool bs_expr_uses(const struct bs_expr *expr, const char *name)
{
	for (size_t i = 0; i < expr->names.count; i++)
		if (strcmp(expr->names.items[i].name.name, name) == 0)
			return true;
	return false;
}
