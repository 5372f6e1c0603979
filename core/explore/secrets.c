/* What is secret in a run. See secrets.h. */
#include "secrets.h"

#include "base/mem.h"
#include "world/render.h"

#include <inttypes.h>
#include <string.h>

#define LEARNED_MAX 10000 /* each takes some hundred bytes and a little of the time of every text that is told */

/* --- Values ------------------------------------------------------------------------------------------ */

static void learn_json(struct bs_secrets *secrets, const cJSON *json, const char *label)
{
	if (cJSON_IsString(json))
		bs_redactor_add(secrets->redactor, json->valuestring, label);
	if (cJSON_IsArray(json) || cJSON_IsObject(json))
		for (const cJSON *item = json->child; item; item = item->next)
			learn_json(secrets, item, label);
}

static void learn_value(struct bs_secrets *secrets, const struct bs_value *value, const char *label)
{
	cJSON *json = bs_value_to_json(value);

	if (value->kind == BS_V_INT) { /* a PIN is sent as text and comes as a number */
		BS_AUTOFREE char *text = bs_xasprintf("%" PRId64, value->integer);
		bs_redactor_add(secrets->redactor, text, label);
	}
	learn_json(secrets, json, label);
	cJSON_Delete(json);
}

static const struct bs_variable *variable_of(const struct bs_model *model, const struct bs_segment *name)
{
	const char *dot = memchr(name->text, '.', name->len);
	size_t len = dot ? (size_t)(dot - name->text) : name->len;

	for (size_t i = 0; i < model->var_count; i++)
		if (strlen(model->vars[i].name) == len && memcmp(model->vars[i].name, name->text, len) == 0)
			return &model->vars[i];
	return NULL;
}

/* --- From the model ---------------------------------------------------------------------------------- */

static void learn_variant(struct bs_secrets *secrets, const struct bs_action *action, const struct bs_segment *name)
{
	for (size_t i = 0; action && i < action->variant_count; i++) {
		const struct bs_variant *variant = &action->variants[i];
		if (strlen(variant->name) == name->len && memcmp(variant->name, name->text, name->len) == 0)
			for (size_t v = 0; v < variant->count; v++)
				learn_json(secrets, variant->values[v], variant->name);
	}
}

static void learn_header(struct bs_secrets *secrets, const struct bs_action *action, const struct bs_field *header)
{
	const struct bs_template *value = &header->value;

	for (size_t i = 0; i < value->count; i++) {
		const struct bs_segment *segment = &value->segments[i];
		if (!segment->placeholder)
			continue;
		const struct bs_variable *variable = variable_of(secrets->model, segment);
		if (variable && !variable->shown)
			*BS_PUSH(secrets->names, secrets->name_count) = *segment;
		learn_variant(secrets, action, segment);
	}
	if (value->count == 1 && !value->segments[0].placeholder) {
		BS_AUTOFREE char *text = bs_xstrndup(value->segments[0].text, value->segments[0].len);
		bs_redactor_add_header(secrets->redactor, header->name, text);
	}
}

static void learn_request(struct bs_secrets *secrets, const struct bs_action *action, const struct bs_request *request)
{
	for (size_t i = 0; request && i < request->headers.count; i++)
		if (bs_redact_is_credential(request->headers.items[i].name))
			learn_header(secrets, action, &request->headers.items[i]);
}

static bool is_shown(const struct bs_model *model, const char *env_name)
{
	for (size_t i = 0; i < model->not_secret_count; i++)
		if (strncmp(model->not_secret[i], "env.", 4) == 0 && strcmp(model->not_secret[i] + 4, env_name) == 0)
			return true;
	return false;
}

void bs_secrets_init(struct bs_secrets *secrets, const struct bs_model *model, struct bs_redactor *redactor)
{
	*secrets = (struct bs_secrets){.model = model, .redactor = redactor};
	for (size_t i = 0; i < model->env_name_count; i++) {
		BS_AUTOFREE char *label = bs_xasprintf("env.%s", model->env_names[i]);
		if (!is_shown(model, model->env_names[i]))
			bs_redactor_add(redactor, getenv(model->env_names[i]), label);
	}
	for (size_t i = 0; i < model->setup_count; i++)
		learn_request(secrets, NULL, &model->setup[i]);
	for (size_t i = 0; i < model->action_count; i++)
		learn_request(secrets, &model->actions[i], &model->actions[i].request);
	for (size_t i = 0; i < model->invariant_count; i++)
		for (size_t o = 0; o < model->invariants[i].observation_count; o++)
			learn_request(secrets, NULL, &model->invariants[i].observations[o].request);
	learn_request(secrets, NULL, model->app.ready);
	learn_request(secrets, NULL, model->app.reset);
}

void bs_secrets_release(struct bs_secrets *secrets)
{
	free(secrets->names);
	*secrets = (struct bs_secrets){0};
}

/* --- From a step ------------------------------------------------------------------------------------- */

static void learn_context(struct bs_secrets *secrets, const struct bs_context *context)
{
	struct bs_render render = {.model = secrets->model, .context = context};

	for (size_t i = 0; i < secrets->name_count; i++) {
		const struct bs_segment *name = &secrets->names[i];
		struct bs_value value;
		if (bs_render_value(&render, name->text, name->len, &value, NULL) < 0)
			continue; /* not captured yet */
		learn_value(secrets, &value, variable_of(secrets->model, name)->name);
	}
	for (size_t i = 0; i < secrets->model->var_count; i++)
		if (secrets->model->vars[i].secret)
			learn_value(secrets, &context->vars[i].value, secrets->model->vars[i].name);
}

void bs_secrets_learn(struct bs_secrets *secrets, const struct bs_step *step)
{
	const struct bs_headers *headers = &step->response.exchange.headers;

	if (step->context)
		learn_context(secrets, step->context);
	for (size_t i = 0; i < headers->count; i++) /* Set-Cookie, say; what is sent is made of the model and the context */
		bs_redactor_add_header(secrets->redactor, headers->items[i].name, headers->items[i].value);
}

bool bs_secrets_full(const struct bs_secrets *secrets)
{
	return bs_redactor_count(secrets->redactor) >= LEARNED_MAX;
}
