/* Templates become requests. See render.h. */
#include "render.h"

#include "base/mem.h"

#include <string.h>

static int json_path(const struct bs_value *base, const char *path, size_t len, struct bs_value *ret_value,
		     struct bs_err *err)
{
	struct bs_value value = *base;

	while (len) {
		const char *dot = memchr(path, '.', len);
		size_t n = dot ? (size_t)(dot - path) : len;
		BS_AUTOFREE char *key = bs_xstrndup(path, n);
		const cJSON *item = value.kind == BS_V_JSON && bs_json_kind(value.json) == BS_J_OBJECT
					    ? cJSON_GetObjectItemCaseSensitive(value.json, key)
					    : NULL;
		if (!item)
			return bs_err_set(err, BS_EEXPR, "the captured value has no field '%s'", key);
		value = bs_value_from_json(item);
		path += n + (dot ? 1 : 0);
		len -= n + (dot ? 1 : 0);
	}
	*ret_value = value;
	return 0;
}

static bool variant_value(const struct bs_render *render, const char *name, struct bs_value *ret_value)
{
	if (!render->operation)
		return false;
	const struct bs_action *action = &render->model->actions[render->operation->action];
	for (size_t i = 0; i < action->variant_count; i++)
		if (strcmp(action->variants[i].name, name) == 0) {
			*ret_value = bs_value_from_json(render->operation->values[i]);
			return true;
		}
	return false;
}

static int dotted(const struct bs_render *render, const char *first, const char *rest, struct bs_value *ret_value)
{
	if (strcmp(first, "env") == 0) {
		*ret_value = bs_value_text(getenv(rest));
		return 1;
	}
	if (strcmp(first, "stores") == 0 && render->stores) {
		const char *dot = strchr(rest, '.');
		if (!dot)
			return 0;
		BS_AUTOFREE char *store = bs_xstrndup(rest, (size_t)(dot - rest));
		*ret_value = bs_value_text(bs_stores_property(render->stores, store, dot + 1));
		return 1;
	}
	return 0;
}

int bs_render_value(const struct bs_render *render, const char *name, size_t len, struct bs_value *ret_value,
		    struct bs_err *err)
{
	BS_AUTOFREE char *first = bs_xstrndup(name, len);
	char *dot = strchr(first, '.');
	const char *rest = "";

	if (dot) {
		*dot = 0;
		rest = dot + 1;
	}
	if (render->context)
		for (uint32_t i = 0; i < render->context->count; i++)
			if (strcmp(render->model->vars[i].name, first) == 0)
				return json_path(&render->context->vars[i].value, rest, strlen(rest), ret_value, err);
	struct bs_value value;
	if (variant_value(render, first, &value))
		return json_path(&value, rest, strlen(rest), ret_value, err);
	if (strcmp(first, "port") == 0) {
		*ret_value = (struct bs_value){.kind = BS_V_INT, .integer = render->port};
		return 0;
	}
	if (strcmp(first, "unique") == 0 && render->unique) {
		*ret_value = bs_value_text(render->unique);
		return 0;
	}
	if (!dotted(render, first, rest, &value) || value.kind == BS_V_NIL)
		return bs_err_set(err, BS_EEXPR, "${%.*s} has no value", (int)len, name);
	*ret_value = value;
	return 0;
}

static int add_value(struct bs_buf *out, const struct bs_value *value, struct bs_err *err)
{
	if (value->kind == BS_V_NIL)
		return bs_err_set(err, BS_EEXPR, "a placeholder has no value");
	if (value->kind == BS_V_TEXT) {
		bs_buf_add(out, value->text.data, value->text.len);
		return 0;
	}
	cJSON *json = bs_value_to_json(value);
	BS_AUTOFREE char *text = bs_json_print(json, false);
	cJSON_Delete(json);
	bs_buf_adds(out, text);
	return 0;
}

/* How a value is made fit for the place that it goes to. */
typedef int escape_fn(struct bs_buf *out, const char *text, size_t len, struct bs_err *err);

static int render(const struct bs_render *render, const struct bs_template *template, struct bs_buf *out,
		  escape_fn *escape, struct bs_err *err)
{
	for (size_t i = 0; i < template->count; i++) {
		const struct bs_segment *segment = &template->segments[i];
		struct bs_value value;
		if (!segment->placeholder) {
			bs_buf_add(out, segment->text, segment->len);
			continue;
		}
		if (bs_render_value(render, segment->text, segment->len, &value, err) < 0)
			return BS_EEXPR;
		struct bs_buf text = BS_BUF_INIT;
		int r = add_value(&text, &value, err);
		if (r == 0 && escape)
			r = escape(out, bs_buf_text(&text), text.len, err);
		else if (r == 0)
			bs_buf_add(out, bs_buf_text(&text), text.len);
		bs_buf_release(&text);
		if (r < 0)
			return bs_err_wrap(err, "${%.*s}", (int)segment->len, segment->text);
	}
	return 0;
}

int bs_render_text(const struct bs_render *r, const struct bs_template *template, char **ret_text,
		   struct bs_err *err)
{
	struct bs_buf out = BS_BUF_INIT;

	if (render(r, template, &out, NULL, err) < 0) {
		bs_buf_release(&out);
		return BS_EEXPR;
	}
	*ret_text = bs_buf_take(&out);
	return 0;
}

/* RFC 3986 section 2.3: only the unreserved characters go as they are. */
static void percent_encode(struct bs_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c))
			bs_buf_addc(out, (char)c);
		else
			bs_buf_addf(out, "%%%02X", c);
	}
}

static int escape_path(struct bs_buf *out, const char *text, size_t len, struct bs_err *err)
{
	if ((len == 1 && text[0] == '.') || (len == 2 && memcmp(text, "..", 2) == 0))
		return bs_err_set(err, BS_EEXPR, "the value '%s' would climb the path", text);
	if (len == 0)
		return bs_err_set(err, BS_EEXPR, "the value is empty, which would make another path");
	percent_encode(out, text, len);
	return 0;
}

static int escape_query(struct bs_buf *out, const char *text, size_t len, struct bs_err *err)
{
	(void)err;
	percent_encode(out, text, len);
	return 0;
}

static int escape_header(struct bs_buf *out, const char *text, size_t len, struct bs_err *err)
{
	if (memchr(text, '\r', len) || memchr(text, '\n', len) || memchr(text, 0, len))
		return bs_err_set(err, BS_EEXPR, "the value holds a line break or a NUL, which no header may");
	bs_buf_add(out, text, len);
	return 0;
}

static int json_string(const struct bs_render *r, const struct bs_template *template, struct bs_buf *out,
		       struct bs_err *err)
{
	cJSON *item = NULL;

	if (template->whole) {
		struct bs_value value;
		const struct bs_segment *segment = &template->segments[0];
		if (bs_render_value(r, segment->text, segment->len, &value, err) < 0)
			return BS_EEXPR;
		item = bs_value_to_json(&value);
	} else {
		char *text;
		if (bs_render_text(r, template, &text, err) < 0)
			return BS_EEXPR;
		item = bs_json_new_text(text, strlen(text));
		free(text);
	}
	BS_AUTOFREE char *printed = bs_json_print(item, false);
	cJSON_Delete(item);
	bs_buf_adds(out, printed);
	return 0;
}

static void json_literal(const cJSON *item, struct bs_buf *out)
{
	BS_AUTOFREE char *printed = bs_json_print(item, false);

	bs_buf_adds(out, printed);
}

int bs_render_json(const struct bs_render *r, const struct bs_json_template *template, struct bs_buf *out,
		   struct bs_err *err)
{
	bool object = template->kind == BS_JT_OBJECT;

	switch (template->kind) {
	case BS_JT_LITERAL: json_literal(template->literal, out); return 0;
	case BS_JT_TEXT: return json_string(r, &template->text, out, err);
	case BS_JT_ARRAY:
	case BS_JT_OBJECT: break;
	}
	bs_buf_addc(out, object ? '{' : '[');
	for (size_t i = 0; i < template->count; i++) {
		if (i)
			bs_buf_addc(out, ',');
		if (object) {
			cJSON *key = cJSON_CreateStringReference(template->keys[i]);
			json_literal(key, out);
			cJSON_Delete(key);
			bs_buf_addc(out, ':');
		}
		if (bs_render_json(r, &template->items[i], out, err) < 0)
			return BS_EEXPR;
	}
	bs_buf_addc(out, object ? '}' : ']');
	return 0;
}

static int render_pairs(const struct bs_render *r, const struct bs_fields *fields, struct bs_buf *out,
			const char *separator, struct bs_err *err)
{
	for (size_t i = 0; i < fields->count; i++) {
		bs_buf_adds(out, i ? "&" : separator);
		percent_encode(out, fields->items[i].name, strlen(fields->items[i].name));
		bs_buf_addc(out, '=');
		struct bs_buf value = BS_BUF_INIT;
		int bad = render(r, &fields->items[i].value, &value, NULL, err);
		if (!bad)
			escape_query(out, bs_buf_text(&value), value.len, err);
		bs_buf_release(&value);
		if (bad)
			return bad;
	}
	return 0;
}

static int render_body(const struct bs_render *r, const struct bs_request *request, struct bs_exchange *exchange,
		       struct bs_err *err)
{
	struct bs_buf body = BS_BUF_INIT;
	const char *type = NULL;
	int bad = 0;

	switch (request->body_kind) {
	case BS_BODY_NONE: return 0;
	case BS_BODY_JSON:
		type = "application/json";
		bad = bs_render_json(r, request->json, &body, err);
		break;
	case BS_BODY_FORM:
		type = "application/x-www-form-urlencoded";
		bad = render_pairs(r, &request->form, &body, "", err);
		break;
	case BS_BODY_TEXT:
		type = "text/plain; charset=utf-8";
		bad = render(r, &request->text, &body, NULL, err);
		break;
	}
	if (bad) {
		bs_buf_release(&body);
		return bad;
	}
	if (!bs_headers_get(&exchange->request_headers, "content-type"))
		bs_headers_add(&exchange->request_headers, "Content-Type", type, strlen(type));
	exchange->request_body_len = body.len;
	exchange->request_body = bs_buf_take(&body);
	return 0;
}

int bs_render_request(const struct bs_render *r, const struct bs_request *request, struct bs_exchange *exchange,
		      struct bs_err *err)
{
	struct bs_buf url = BS_BUF_INIT;

	exchange->method = bs_xstrdup(request->method);
	exchange->timeout_ms = request->timeout_ms ? request->timeout_ms : r->model->explore.timeout_ms;
	bs_buf_adds(&url, r->base_url);
	int bad = render(r, &request->path, &url, escape_path, err);
	if (!bad)
		bad = render_pairs(r, &request->query, &url, strchr(bs_buf_text(&url), '?') ? "&" : "?", err);
	exchange->url = bs_buf_take(&url);
	for (size_t i = 0; !bad && i < request->headers.count; i++) {
		struct bs_buf value = BS_BUF_INIT;
		bad = render(r, &request->headers.items[i].value, &value, escape_header, err);
		if (!bad)
			bs_headers_add(&exchange->request_headers, request->headers.items[i].name,
				       bs_buf_text(&value), value.len);
		bs_buf_release(&value);
	}
	return bad ? bad : render_body(r, request, exchange, err);
}
