/* Values of expressions and contexts. See value.h. */
#include "value.h"

#include "mem.h"

#include <math.h>
#include <string.h>

struct bs_value bs_value_text(const char *text)
{
	if (!text)
		return (struct bs_value){.kind = BS_V_NIL};
	return (struct bs_value){.kind = BS_V_TEXT, .text = {.data = text, .len = strlen(text)}};
}

struct bs_value bs_value_dup(const struct bs_value *value)
{
	struct bs_value copy = *value;

	switch (value->kind) {
	case BS_V_NIL:
	case BS_V_BOOL:
	case BS_V_INT:
	case BS_V_REAL: break;
	case BS_V_TEXT: copy.text.data = bs_xmemdup(value->text.data, value->text.len); break;
	case BS_V_JSON: copy.json = cJSON_Duplicate(value->json, true); break;
	case BS_V_SCOPE: copy.kind = BS_V_NIL; break;
	}
	return copy;
}

void bs_value_release(struct bs_value *owned)
{
	if (owned->kind == BS_V_TEXT)
		free((void *)(uintptr_t)owned->text.data);
	else if (owned->kind == BS_V_JSON)
		cJSON_Delete((cJSON *)(uintptr_t)owned->json);
	owned->kind = BS_V_NIL;
}

bool bs_value_equal(const struct bs_value *a, const struct bs_value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case BS_V_NIL: return true;
	case BS_V_BOOL: return a->boolean == b->boolean;
	case BS_V_INT: return a->integer == b->integer;
	case BS_V_REAL: return memcmp(&a->real, &b->real, sizeof a->real) == 0;
	case BS_V_TEXT: return a->text.len == b->text.len && memcmp(a->text.data, b->text.data, a->text.len) == 0;
	case BS_V_JSON: return bs_json_equal(a->json, b->json);
	case BS_V_SCOPE: return a->scope == b->scope;
	}
	return false;
}

static struct bs_value from_number(const cJSON *json)
{
	struct bs_value value = {.kind = BS_V_INT};

	if (bs_json_int(json, &value.integer))
		return value;
	value = (struct bs_value){.kind = BS_V_REAL, .real = bs_json_real(json)};
	/* An integer beyond 64 bits would change as a double; 1e400 and 1e500 would be the same infinity. */
	if (!strpbrk(bs_json_token(json), ".eE") || !isfinite(value.real))
		return (struct bs_value){.kind = BS_V_JSON, .json = json};
	return value;
}

struct bs_value bs_value_from_json(const cJSON *json)
{
	switch (bs_json_kind(json)) {
	case BS_J_NULL: return (struct bs_value){.kind = BS_V_NIL};
	case BS_J_BOOL: return (struct bs_value){.kind = BS_V_BOOL, .boolean = cJSON_IsTrue(json)};
	case BS_J_NUMBER: return from_number(json);
	case BS_J_STRING: return bs_value_text(json->valuestring);
	case BS_J_ARRAY:
	case BS_J_OBJECT: return (struct bs_value){.kind = BS_V_JSON, .json = json};
	}
	return (struct bs_value){.kind = BS_V_NIL};
}

cJSON *bs_value_to_json(const struct bs_value *value)
{
	switch (value->kind) {
	case BS_V_BOOL: return cJSON_CreateBool(value->boolean);
	case BS_V_INT: return bs_json_new_int(value->integer);
	case BS_V_REAL: return bs_json_new_real(value->real);
	case BS_V_TEXT: return bs_json_new_text(value->text.data, value->text.len);
	case BS_V_JSON: return cJSON_Duplicate(value->json, true);
	case BS_V_NIL:
	case BS_V_SCOPE: break;
	}
	return cJSON_CreateNull();
}
