/* The view of a response. See response.h. */
#include "response.h"

#include "base/mem.h"

#include <string.h>

static int header_get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_response *response = ctx;
	const char *value = bs_headers_get(&response->exchange.headers, name);

	(void)err;
	*ret_value = bs_value_text(value); /* an absent header is nil: presence is what rules ask about */
	return 1;
}

static const char *header_name(void *ctx, size_t index)
{
	struct bs_response *response = ctx;

	return index < response->exchange.headers.count ? response->exchange.headers.items[index].name : NULL;
}

static const char *const names[] = {"status", "body", "text", "headers", "sha256", "elapsed_ms", "error"};

bool bs_response_has(const char *name)
{
	for (size_t i = 0; i < BS_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static const char *name_at(void *ctx, size_t index)
{
	(void)ctx;
	return index < BS_COUNT(names) ? names[index] : NULL;
}

static int scope_get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	return bs_response_get(ctx, name, ret_value, err);
}

void bs_response_init(struct bs_response *response)
{
	*response = (struct bs_response){0};
	response->scope = (struct bs_scope){.ctx = response, .get = scope_get, .name = name_at};
	response->headers_scope = (struct bs_scope){.ctx = response, .get = header_get, .name = header_name};
}

void bs_response_release(struct bs_response *response)
{
	bs_exchange_release(&response->exchange);
	cJSON_Delete(response->body);
	free(response->body_error);
	bs_response_init(response);
}

static int get_body(struct bs_response *response, struct bs_value *ret_value, struct bs_err *err)
{
	struct bs_exchange *x = &response->exchange;

	if (!response->parsed) {
		struct bs_err bad = BS_ERR_INIT;
		response->parsed = true;
		if (x->body_bytes > x->body_len)
			response->body_error = bs_xasprintf("it has %llu bytes, of which %zu were kept",
							    (unsigned long long)x->body_bytes, x->body_len);
		else if (bs_json_parse(x->body ? x->body : "", x->body_len, &response->body, &bad) < 0)
			response->body_error = bs_xstrdup(bs_err_text(&bad));
		bs_err_release(&bad);
	}
	if (!response->body)
		return bs_err_set(err, BS_EEXPR, "body cannot be read as JSON: %s; use text instead",
				  response->body_error);
	*ret_value = bs_value_from_json(response->body);
	return 1;
}

int bs_response_get(struct bs_response *response, const char *name, struct bs_value *ret_value,
		    struct bs_err *err)
{
	struct bs_exchange *x = &response->exchange;

	if (strcmp(name, "status") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_INT, .integer = x->status};
	else if (strcmp(name, "body") == 0)
		return get_body(response, ret_value, err);
	else if (strcmp(name, "text") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_TEXT,
					       .text = {.data = x->body ? x->body : "", .len = x->body_len}};
	else if (strcmp(name, "headers") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_SCOPE, .scope = &response->headers_scope};
	else if (strcmp(name, "sha256") == 0)
		*ret_value = bs_value_text(bs_exchange_sha256(x));
	else if (strcmp(name, "elapsed_ms") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_REAL, .real = (double)x->elapsed_us / 1000.0};
	else if (strcmp(name, "error") == 0)
		*ret_value = bs_value_text(x->outcome == BS_OUTCOME_RESPONSE ? NULL : x->error);
	else
		return 0;
	return 1;
}
