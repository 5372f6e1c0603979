/* Steps, and the names that expressions read from them. See step.h. */
#include "step.h"

#include "base/mem.h"
#include "stores/row.h"

#include <string.h>

void bs_step_init(struct bs_step *step)
{
	*step = (struct bs_step){.operation = BS_NO_OPERATION};
	bs_response_init(&step->response);
}

void bs_step_release(struct bs_step *step)
{
	bs_response_release(&step->response);
	bs_context_unref(step->context);
	free(step->reason);
	free(step->expression_error);
	free(step->log);
	bs_step_init(step);
}

bool bs_unsafe_method(const char *method)
{
	static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE"};

	for (size_t i = 0; i < BS_COUNT(safe); i++)
		if (strcmp(method, safe[i]) == 0)
			return false;
	return true;
}

static int context_get(const struct bs_step_scope *s, const char *name, struct bs_value *ret_value)
{
	for (uint32_t i = 0; s->context && i < s->context->count; i++)
		if (strcmp(s->model->vars[i].name, name) == 0) {
			*ret_value = s->context->vars[i].value;
			return 1;
		}
	if (!s->operation)
		return 0;
	const struct bs_action *action = &s->model->actions[s->operation->action];
	for (size_t i = 0; i < action->variant_count; i++)
		if (strcmp(action->variants[i].name, name) == 0) {
			*ret_value = bs_value_from_json(s->operation->values[i]);
			return 1;
		}
	return 0;
}

static int observation_get(const struct bs_step_scope *s, struct bs_response **observed, const char *name,
			   struct bs_value *ret_value)
{
	for (size_t i = 0; observed && s->invariant && i < s->invariant->observation_count; i++)
		if (strcmp(s->invariant->observations[i].name, name) == 0) {
			*ret_value = observed[i] ? (struct bs_value){.kind = BS_V_SCOPE,
								     .scope = &observed[i]->scope}
						 : (struct bs_value){.kind = BS_V_NIL};
			return 1;
		}
	return 0;
}

static int before_get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_step_scope *s = ctx;

	(void)err;
	return observation_get(s, s->before, name, ret_value);
}

static const char *before_name(void *ctx, size_t index)
{
	struct bs_step_scope *s = ctx;

	return s->invariant && index < s->invariant->observation_count ? s->invariant->observations[index].name
								       : NULL;
}

static int request_get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_step_scope *s = ctx;
	const struct bs_exchange *x = &s->step->response.exchange;

	(void)err;
	if (strcmp(name, "method") == 0)
		*ret_value = bs_value_text(x->method);
	else if (strcmp(name, "url") == 0)
		*ret_value = bs_value_text(x->url);
	else if (strcmp(name, "headers") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_SCOPE, .scope = &s->request_headers_scope};
	else if (strcmp(name, "text") == 0)
		*ret_value = bs_value_text(x->request_body ? x->request_body : "");
	else
		return 0;
	return 1;
}

static const char *request_name(void *ctx, size_t index)
{
	static const char *const names[] = {"method", "url", "headers", "text"};

	(void)ctx;
	return index < BS_COUNT(names) ? names[index] : NULL;
}

static int request_header_get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_step_scope *s = ctx;

	(void)err;
	*ret_value = bs_value_text(bs_headers_get(&s->step->response.exchange.request_headers, name));
	return 1;
}

static int step_get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_step_scope *s = ctx;
	int r;

	if (s->each && strcmp(s->invariant->each_name, name) == 0) {
		*ret_value = *s->each;
		return 1;
	}
	if (observation_get(s, s->observations, name, ret_value))
		return 1;
	if (strcmp(name, "before") == 0) {
		*ret_value = (struct bs_value){.kind = BS_V_SCOPE, .scope = &s->before_scope};
		return 1;
	}
	if (s->step) {
		r = bs_response_get(&s->step->response, name, ret_value, err);
		if (r)
			return r;
		if (strcmp(name, "request") == 0) {
			*ret_value = (struct bs_value){.kind = BS_V_SCOPE, .scope = &s->request_scope};
			return 1;
		}
	}
	if (s->operation && strcmp(name, "action") == 0) {
		*ret_value = bs_value_text(s->model->actions[s->operation->action].name);
		return 1;
	}
	if (strcmp(name, "actor") == 0) {
		*ret_value = bs_value_text(s->model->actors[0]);
		return 1;
	}
	return context_get(s, name, ret_value);
}

static cJSON *changes_of(const struct bs_step_scope *s, const char *table, bool *ret_known)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t t = 0; t < s->stores->table_count; t++)
		*ret_known |= strcmp(s->stores->tables[t]->name, table) == 0;
	for (size_t i = 0; i < s->step->changes.count; i++) {
		const struct bs_change *change = &s->step->changes.items[i];
		const struct bs_table *of = s->stores->tables[change->table];
		if (strcmp(of->name, table) != 0)
			continue;
		cJSON *entry = cJSON_CreateObject();
		cJSON_AddItemToObject(entry, "before", bs_row_to_json(of, change->before));
		cJSON_AddItemToObject(entry, "after", bs_row_to_json(of, change->after));
		cJSON_AddItemToArray(list, entry);
	}
	return list;
}

static int step_call(void *ctx, const char *function, const char *argument, struct bs_value *ret_value,
		     struct bs_err *err)
{
	struct bs_step_scope *s = ctx;
	bool known = false;

	if (strcmp(function, "changes") != 0)
		return 0;
	if (!s->step || !s->stores)
		return bs_err_set(err, BS_EEXPR, "changes() is only known after a step");
	if (!s->changes)
		s->changes = cJSON_CreateObject();
	cJSON *list = cJSON_GetObjectItemCaseSensitive(s->changes, argument);
	if (!list) {
		list = changes_of(s, argument, &known);
		if (!known) {
			cJSON_Delete(list);
			return bs_err_set(err, BS_EEXPR, "changes: no store has a table '%s'", argument);
		}
		cJSON_AddItemToObject(s->changes, argument, list);
	}
	*ret_value = bs_value_from_json(list);
	return 1;
}

void bs_step_scope_init(struct bs_step_scope *s, const struct bs_model *model, const struct bs_stores *stores)
{
	*s = (struct bs_step_scope){.model = model, .stores = stores};
	s->scope = (struct bs_scope){.ctx = s, .get = step_get, .call = step_call};
	s->before_scope = (struct bs_scope){.ctx = s, .get = before_get, .name = before_name};
	s->request_scope = (struct bs_scope){.ctx = s, .get = request_get, .name = request_name};
	s->request_headers_scope = (struct bs_scope){.ctx = s, .get = request_header_get};
}

void bs_step_scope_release(struct bs_step_scope *s)
{
	cJSON_Delete(s->changes);
	s->changes = NULL;
}
