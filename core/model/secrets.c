/* What is secret and what is not: redact and not_secret. Both name variables, so they are read when all are
 * declared. */
#include "loader.h"

#include "base/mem.h"

#include <string.h>

static struct bs_variable *variable(struct bs_loader *l, const struct bs_yaml *item)
{
	size_t var = item->kind == BS_Y_SCALAR ? bs_var_index(l->model, item->text, item->len) : SIZE_MAX;

	return var == SIZE_MAX ? NULL : &l->model->vars[var];
}

static void unknown_name(struct bs_loader *l, const struct bs_yaml *item, const char *what, const char *else_takes)
{
	struct bs_suggestion guess;

	bs_suggest_init(&guess, item->text, item->len);
	for (size_t v = 0; v < l->model->var_count; v++)
		bs_suggest_offer(&guess, l->model->vars[v].name);
	BS_AUTOFREE char *suggestion = bs_suggest_text(&guess);
	bs_problem_add(l->problems, item->at, "%s takes %s and captured variables; got '%s'%s", what, else_takes,
		       item->text, suggestion);
}

static bool is_column(const char *text)
{
	const char *dot = strchr(text, '.');

	return dot && dot != text && dot[1];
}

static bool is_used_env(const struct bs_model *model, const char *text)
{
	for (size_t i = 0; strncmp(text, "env.", 4) == 0 && i < model->env_name_count; i++)
		if (strcmp(model->env_names[i], text + 4) == 0)
			return true;
	return false;
}

static void read_redact(struct bs_loader *l, const struct bs_yaml *node)
{
	if (!bs_read_texts(l, node, "'redact'", &l->model->redact, &l->model->redact_count))
		return;
	for (size_t i = 0; i < l->model->redact_count && i < node->count; i++) {
		const struct bs_yaml *item = node->items[i];
		struct bs_variable *var = variable(l, item);
		if (var)
			var->secret = true;
		else if (item->kind == BS_Y_SCALAR && !is_column(item->text))
			unknown_name(l, item, "'redact'", "table.column");
	}
}

static void read_not_secret(struct bs_loader *l, const struct bs_yaml *node)
{
	if (!bs_read_texts(l, node, "'not_secret'", &l->model->not_secret, &l->model->not_secret_count))
		return;
	for (size_t i = 0; i < l->model->not_secret_count && i < node->count; i++) {
		const struct bs_yaml *item = node->items[i];
		struct bs_variable *var = variable(l, item);
		if (var && var->secret)
			bs_problem_add(l->problems, item->at, "'%s' is under redact and under not_secret; remove one", var->name);
		else if (var)
			var->shown = true;
		else if (item->kind == BS_Y_SCALAR && strncmp(item->text, "env.", 4) == 0 && !is_used_env(l->model, item->text))
			bs_problem_add(l->problems, item->at, "no ${%s} is in this model", item->text);
		else if (item->kind == BS_Y_SCALAR && !is_used_env(l->model, item->text))
			unknown_name(l, item, "'not_secret'", "env.NAME");
	}
}

void bs_read_secrets(struct bs_loader *l, const struct bs_yaml *root)
{
	const struct bs_yaml *node;

	if ((node = bs_yaml_get(root, "redact")))
		read_redact(l, node);
	if ((node = bs_yaml_get(root, "not_secret")))
		read_not_secret(l, node);
}
