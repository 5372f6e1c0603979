/*
 * JSON written as YAML: numbers keep their token (9007199254740993 and 1.10 are sent as they stand), what is
 * quoted is text. What YAML calls a number and JSON cannot write is refused instead of guessed at.
 */
#include "loader.h"

#include "base/mem.h"

#include <string.h>

/* Numbers, booleans and null. */
static cJSON *literal(struct bs_loader *l, const struct bs_yaml *node)
{
	cJSON *json = NULL;

	switch (bs_yaml_type(node)) {
	case BS_YT_NULL: return cJSON_CreateNull();
	case BS_YT_BOOL: return cJSON_CreateBool(bs_yaml_true(node));
	case BS_YT_NUMBER:
		if (bs_json_parse(node->text, node->len, &json, NULL) == 0)
			return json;
		break;
	case BS_YT_ODD_NUMBER:
	case BS_YT_TEXT: break;
	}
	bs_problem_add(l->problems, node->at, "JSON has no number %s; write it in decimal, or quote it to make it text",
		       bs_yaml_describe(l->arena, node));
	return NULL;
}

static cJSON *build(struct bs_loader *l, const struct bs_yaml *node)
{
	if (node->kind == BS_Y_SCALAR && bs_yaml_type(node) != BS_YT_TEXT)
		return literal(l, node);
	if (node->kind == BS_Y_SCALAR) {
		const char *open = strstr(node->text, "${");
		if (!open)
			return cJSON_CreateString(node->text);
		bs_problem_add(l->problems, bs_yaml_at(node, (size_t)(open - node->text)),
			       "a placeholder has no place here, only plain values; got '%s'", node->text);
		return NULL;
	}
	cJSON *json = node->kind == BS_Y_LIST ? cJSON_CreateArray() : cJSON_CreateObject();
	for (size_t i = 0; i < node->count; i++) {
		cJSON *item = build(l, node->kind == BS_Y_LIST ? node->items[i] : node->pairs[i].value);
		if (item && node->kind == BS_Y_LIST)
			cJSON_AddItemToArray(json, item);
		else if (item)
			cJSON_AddItemToObject(json, node->pairs[i].key->text, item);
	}
	return json;
}

const cJSON *bs_read_value(struct bs_loader *l, const struct bs_yaml *node)
{
	cJSON *json = build(l, node);

	if (json)
		*BS_PUSH(l->box->values, l->box->value_count) = json;
	return json;
}

static void read_into(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place,
		      struct bs_json_template *ret_json)
{
	if (node->kind == BS_Y_SCALAR && bs_yaml_type(node) == BS_YT_TEXT) {
		ret_json->kind = BS_JT_TEXT;
		bs_read_template(l, node, place, "text in 'json'", &ret_json->text);
		return;
	}
	if (node->kind == BS_Y_SCALAR) {
		ret_json->kind = BS_JT_LITERAL;
		ret_json->literal = bs_read_value(l, node);
		return;
	}
	ret_json->kind = node->kind == BS_Y_LIST ? BS_JT_ARRAY : BS_JT_OBJECT;
	ret_json->count = node->count;
	ret_json->items = bs_arena_alloc(l->arena, node->count * sizeof *ret_json->items);
	ret_json->keys = bs_arena_alloc(l->arena, node->count * sizeof *ret_json->keys);
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind == BS_Y_MAP)
			ret_json->keys[i] = node->pairs[i].key->text;
		read_into(l, node->kind == BS_Y_LIST ? node->items[i] : node->pairs[i].value, place,
			  &ret_json->items[i]);
	}
}

struct bs_json_template *bs_read_json(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place)
{
	struct bs_json_template *json = bs_arena_alloc(l->arena, sizeof *json);

	read_into(l, node, place, json);
	return json;
}
