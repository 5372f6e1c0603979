/*
 * Expressions as they stand in the model. YAML's booleans, numbers and null are literals; everything else is
 * compiled here, and its names are checked later.
 */
#include "loader.h"

#include "base/mem.h"

#include <string.h>

/* YAML takes what follows ' #' for a comment: an expression that breaks off there was probably not meant to. */
static void warn_of_comment(struct bs_loader *l, const struct bs_yaml *node)
{
	size_t i = node->end;

	if (!node->plain)
		return;
	while (i < l->source_len && (l->source[i] == ' ' || l->source[i] == '\t'))
		i++;
	if (i > node->end && i < l->source_len && l->source[i] == '#')
		bs_problem_warn(l->problems, node->at, "YAML takes what follows '#' for a comment; quote the value");
}

static const char *lua_text(const struct bs_yaml *node)
{
	switch (bs_yaml_type(node)) {
	case BS_YT_NULL: return "nil";
	case BS_YT_BOOL: return bs_yaml_true(node) ? "true" : "false";
	case BS_YT_NUMBER:
	case BS_YT_ODD_NUMBER:
	case BS_YT_TEXT: break;
	}
	return node->text;
}

struct bs_expr *bs_read_expr(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place,
			     const char *what)
{
	struct bs_err err = BS_ERR_INIT;
	struct bs_expr *expr = NULL;
	size_t offset = 0;

	if (node->kind != BS_Y_SCALAR || node->text[strspn(node->text, " \t\n")] == 0) {
		bs_problem_add(l->problems, node->at, "%s must be an expression; got %s", what,
			       bs_yaml_describe(l->arena, node));
		return NULL;
	}
	if (bs_expr_compile(l->model->lua, lua_text(node), &expr, &offset, &err) < 0) {
		if (offset > node->len)
			offset = 0;
		bs_problem_add(l->problems, bs_yaml_at(node, offset), "%s: %s", what, bs_err_text(&err));
		warn_of_comment(l, node);
		bs_err_release(&err);
		return NULL;
	}
	*BS_PUSH(l->box->exprs, l->box->expr_count) = expr;
	*BS_PUSH(l->uses, l->use_count) = (struct bs_use){.place = place, .node = node, .expr = expr};
	return expr;
}
