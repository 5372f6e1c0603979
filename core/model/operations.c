/*
 * Operations: each action with each combination of its variants, in the order of the file, the last list
 * changing fastest. What an operation needs is the same for all of an action's combinations and is shared.
 */
#include "loader.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

/* --- Needs ----------------------------------------------------------------------------------------- */

struct needs {
	struct bs_loader *loader;
	const char **names;
	size_t *vars;
	size_t count, var_count;
};

static void need_template(struct needs *needs, const struct bs_template *template)
{
	const struct bs_model *model = needs->loader->model;

	for (size_t i = 0; i < template->count; i++) {
		const struct bs_segment *segment = &template->segments[i];
		const char *dot = memchr(segment->text, '.', segment->len);
		size_t var, known = 0;
		if (!segment->placeholder)
			continue;
		var = bs_var_index(model, segment->text, dot ? (size_t)(dot - segment->text) : segment->len);
		while (known < needs->count && needs->vars[known] != var)
			known++;
		if (var == SIZE_MAX || known < needs->count)
			continue;
		*BS_GROW(needs->loader, needs->names, needs->count) = model->vars[var].name;
		*BS_GROW(needs->loader, needs->vars, needs->var_count) = var;
	}
}

static void need_fields(struct needs *needs, const struct bs_fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		need_template(needs, &fields->items[i].value);
}

static void need_json(struct needs *needs, const struct bs_json_template *json)
{
	need_template(needs, &json->text);
	for (size_t i = 0; i < json->count; i++)
		need_json(needs, &json->items[i]);
}

static void need_request(struct needs *needs, const struct bs_request *request)
{
	need_template(needs, &request->path);
	need_fields(needs, &request->headers);
	need_fields(needs, &request->query);
	if (request->json)
		need_json(needs, request->json);
	need_fields(needs, &request->form);
	need_template(needs, &request->text);
}

/* --- Labels ---------------------------------------------------------------------------------------- */

/* Text that nobody takes for a number or a literal goes without quotes. */
static bool simple_word(const char *text)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-.";

	return *text && !strchr("0123456789-.", *text) && !text[strspn(text, word)] && strcmp(text, "true") != 0 &&
	       strcmp(text, "false") != 0 && strcmp(text, "null") != 0;
}

static const char *label(struct bs_loader *l, const struct bs_action *action, const cJSON **values)
{
	struct bs_buf text = BS_BUF_INIT;

	bs_buf_adds(&text, action->name);
	for (size_t i = 0; i < action->variant_count; i++) {
		BS_AUTOFREE char *json = bs_json_print(values[i], false);
		bool bare = bs_json_kind(values[i]) == BS_J_STRING && simple_word(values[i]->valuestring);
		bs_buf_addf(&text, "%s%s=%s", i ? ", " : "(", action->variants[i].name,
			    bare ? values[i]->valuestring : json);
	}
	if (action->variant_count)
		bs_buf_addc(&text, ')');
	const char *copy = bs_arena_strdup(l->arena, bs_buf_text(&text));
	bs_buf_release(&text);
	return copy;
}

/* --- The product ----------------------------------------------------------------------------------- */

static const cJSON **combination(struct bs_loader *l, const struct bs_action *action, size_t number)
{
	const cJSON **values = bs_arena_alloc(l->arena, (action->variant_count + 1) * sizeof *values);

	for (size_t i = action->variant_count; i-- > 0; number /= action->variants[i].count)
		values[i] = action->variants[i].values[number % action->variants[i].count];
	return values;
}

void bs_make_operations(struct bs_loader *l)
{
	struct bs_model *model = l->model;

	for (size_t a = 0; a < model->action_count; a++) {
		const struct bs_action *action = &model->actions[a];
		struct needs needs = {.loader = l};
		size_t product = 1;
		need_request(&needs, &action->request);
		for (size_t i = 0; i < action->variant_count; i++)
			product *= action->variants[i].count;
		for (size_t i = 0; i < product; i++) {
			const cJSON **values = combination(l, action, i);
			*BS_GROW(l, model->operations, model->operation_count) = (struct bs_operation){
				.action = a,
				.values = values,
				.label = label(l, action, values),
				.needs = needs.names,
				.need_vars = needs.vars,
				.need_count = needs.count,
			};
		}
	}
}
