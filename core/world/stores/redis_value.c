/*
 * Redis: values. The same set may be kept, and dumped, in several ways; so what is compared is its members in order.
 * People and rules get JSON: a hash is an object, a list and a set are arrays, a sorted set is an object of scores; a
 * string is a number, a document or a text, whichever it can be without losing a byte.
 */
#include "redis.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define SHOWN_MAX ((size_t)64 << 10) /* bytes of a value that people and rules see */

enum kind { STRING, LIST, HASH, SET, ZSET, STREAM, OTHER };

static enum kind kind_of(const struct bs_redis_record *record)
{
	static const char *const names[] = {"string", "list", "hash", "set", "zset", "stream"};

	for (size_t i = 0; i < BS_COUNT(names); i++)
		if (strlen(names[i]) == record->type_len && memcmp(names[i], record->type, record->type_len) == 0)
			return (enum kind)i;
	return OTHER; /* of a module */
}

static int by_bytes(const void *a, const void *b)
{
	const redisReply *x = **(const redisReply *const *const *)a, *y = **(const redisReply *const *const *)b;
	size_t common = x->len < y->len ? x->len : y->len;
	int order = common ? memcmp(x->str, y->str, common) : 0;

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Places of the members within the reply: sorted where the server has no order of its own. The caller's. */
static redisReply ***in_order(const struct bs_redis_record *record, size_t *ret_width)
{
	enum kind kind = kind_of(record);
	size_t width = kind == HASH || kind == ZSET ? 2 : 1, count = record->value->elements / width;
	redisReply ***members = bs_xcalloc(count, sizeof *members);

	for (size_t i = 0; i < count; i++)
		members[i] = &record->value->element[i * width];
	if (count > 1 && (kind == HASH || kind == SET || kind == ZSET))
		qsort(members, count, sizeof *members, by_bytes);
	*ret_width = width;
	return members;
}

static void add_bytes(struct bs_buf *bytes, const char *data, size_t len)
{
	uint64_t n = len;

	bs_buf_add(bytes, &n, sizeof n);
	if (len)
		bs_buf_add(bytes, data, len);
}

void bs_redis_canonical(const struct bs_redis_record *record, struct bs_buf *bytes)
{
	size_t width;

	add_bytes(bytes, record->type, record->type_len);
	if (kind_of(record) == OTHER) {
		add_bytes(bytes, record->dump, record->dump_len);
		return;
	}
	BS_AUTOFREE redisReply ***members = in_order(record, &width);
	for (size_t i = 0; i < record->value->elements / width; i++)
		for (size_t w = 0; w < width; w++)
			add_bytes(bytes, members[i][w]->str, members[i][w]->len);
}

/* --- For people -------------------------------------------------------------------------------------- */

static bool is_text(const char *data, size_t len)
{
	return bs_utf8_valid(data, len) && (!len || !memchr(data, 0, len));
}

bool bs_redis_is_integer(const char *data, size_t len, int64_t *ret_value)
{
	char token[24], again[24];

	if (!len || len >= sizeof token || (data[0] != '-' && (data[0] < '0' || data[0] > '9')))
		return false;
	memcpy(token, data, len);
	token[len] = 0;
	int64_t value = strtoll(token, NULL, 10);
	snprintf(again, sizeof again, "%" PRId64, value);
	if (strcmp(token, again) != 0)
		return false;
	*ret_value = value;
	return true;
}

/* -12.50: what no reader takes for anything but a number. */
static bool is_decimal(const char *data, size_t len)
{
	size_t i = len && data[0] == '-', whole = i;

	while (i < len && data[i] >= '0' && data[i] <= '9')
		i++;
	if (i == whole || (data[whole] == '0' && i > whole + 1) || i == len || data[i] != '.')
		return false;
	size_t point = i++;
	while (i < len && data[i] >= '0' && data[i] <= '9')
		i++;
	return i == len && i > point + 1;
}

void bs_redis_add_text(struct bs_buf *image, const char *data, size_t len)
{
	int64_t integer;

	if (bs_redis_is_integer(data, len, &integer))
		bs_row_add_int(image, integer);
	else if (is_text(data, len))
		bs_row_add_text(image, data, len);
	else
		bs_row_add_blob(image, data, len);
}

static bool is_document(const char *data, size_t len)
{
	cJSON *json = NULL;

	if (len < 2 || (data[0] != '{' && data[0] != '[') || bs_json_parse(data, len, &json, NULL) < 0)
		return false;
	cJSON_Delete(json);
	return true;
}

static void add_string(struct bs_buf *image, const char *data, size_t len)
{
	if (is_document(data, len))
		bs_row_add_json(image, data, len);
	else if (is_decimal(data, len))
		bs_row_add_number(image, data, len);
	else
		bs_redis_add_text(image, data, len);
}

/* lossy is set for what JSON cannot say. */
static cJSON *member_json(const redisReply *member, size_t skip, bool *lossy)
{
	const char *data = member->str + skip;
	size_t len = member->len - skip;
	int64_t integer;

	if (bs_redis_is_integer(data, len, &integer))
		return bs_json_new_int(integer);
	if (is_decimal(data, len))
		return bs_json_new_number(data, len);
	if (is_text(data, len))
		return bs_json_new_text(data, len);
	struct bs_cell blob = {.kind = BS_CELL_BLOB, .data = data, .len = (uint32_t)len};
	*lossy = true;
	return bs_cell_to_json(&blob);
}

static void add_field(cJSON *object, const redisReply *name, cJSON *value, bool *lossy)
{
	struct bs_cell blob = {.kind = BS_CELL_BLOB, .data = name->str, .len = (uint32_t)name->len};

	if (is_text(name->str, name->len)) {
		cJSON_AddItemToObject(object, name->str, value);
		return;
	}
	*lossy = true;
	cJSON *text = bs_cell_to_json(&blob);
	cJSON_AddItemToObject(object, text->valuestring, value);
	cJSON_Delete(text);
}

/* The list that begins at *at, behind its "(": pairs of names and values become an object. */
static cJSON *tree_json(const redisReply *flat, size_t *at, bool *lossy)
{
	cJSON *list = cJSON_CreateArray();

	while (*at < flat->elements && flat->element[*at]->str[0] != ')') {
		const redisReply *entry = flat->element[(*at)++];
		if (entry->str[0] == '(')
			cJSON_AddItemToArray(list, tree_json(flat, at, lossy));
		else
			cJSON_AddItemToArray(list, entry->str[0] == 'n' ? cJSON_CreateNull() : member_json(entry, 1, lossy));
	}
	++*at;
	return list;
}

/* The value that stands behind a name in an alternating list, taken out of it with its name. */
static cJSON *take_named(cJSON *list, const char *name)
{
	for (cJSON *child = list->child; child && child->next; child = child->next->next)
		if (cJSON_IsString(child) && strcmp(child->valuestring, name) == 0) {
			cJSON *value = cJSON_DetachItemViaPointer(list, child->next);
			cJSON_Delete(cJSON_DetachItemViaPointer(list, child));
			return value;
		}
	return cJSON_CreateNull();
}

/* {name: value}, from a list that alternates. Frees the list. */
static cJSON *pairs_json(cJSON *list)
{
	cJSON *object = cJSON_CreateObject();

	while (list->child && list->child->next) {
		cJSON *name = cJSON_DetachItemViaPointer(list, list->child);
		cJSON *value = cJSON_DetachItemViaPointer(list, list->child);
		BS_AUTOFREE char *text = bs_json_kind(name) == BS_J_STRING ? bs_xstrdup(name->valuestring)
									    : bs_json_print(name, false);
		cJSON_AddItemToObject(object, text, value);
		cJSON_Delete(name);
	}
	cJSON_Delete(list);
	return object;
}

/* [[id, [field, value, ...]], ...] as [{"id": ..., fields}]. Frees the list. */
static cJSON *entries_json(cJSON *entries)
{
	cJSON *out = cJSON_CreateArray();

	for (cJSON *entry = entries->child; entry; entry = entry->next) {
		cJSON *item = cJSON_CreateObject();
		if (cJSON_GetArraySize(entry) == 2) {
			cJSON *fields = cJSON_DetachItemFromArray(entry, 1);
			cJSON_AddItemToObject(item, "id", cJSON_DetachItemFromArray(entry, 0));
			cJSON_AddItemToObject(item, "fields", cJSON_IsArray(fields) ? pairs_json(fields) : fields);
		}
		cJSON_AddItemToArray(out, item);
	}
	cJSON_Delete(entries);
	return out;
}

/* [id, consumer, time, count] without the time, which no two runs have the same. */
static cJSON *pending_json(cJSON *pending)
{
	for (cJSON *entry = pending->child; entry; entry = entry->next)
		if (cJSON_GetArraySize(entry) == 4)
			cJSON_DeleteItemFromArray(entry, 2);
	return pending;
}

static cJSON *groups_json(cJSON *groups)
{
	cJSON *out = cJSON_CreateArray();

	for (cJSON *group = groups->child; group; group = group->next) {
		cJSON *item = cJSON_CreateObject();
		cJSON_AddItemToObject(item, "name", take_named(group, "name"));
		cJSON_AddItemToObject(item, "last", take_named(group, "last-delivered-id"));
		cJSON_AddItemToObject(item, "pending", pending_json(take_named(group, "pel")));
		cJSON_AddItemToArray(out, item);
	}
	cJSON_Delete(groups);
	return out;
}

static cJSON *stream_json(const redisReply *flat, bool *lossy)
{
	size_t at = 1;
	cJSON *all = tree_json(flat, &at, lossy), *out = cJSON_CreateObject();

	cJSON_AddItemToObject(out, "last", take_named(all, "last-generated-id"));
	cJSON_AddItemToObject(out, "entries", entries_json(take_named(all, "entries")));
	cJSON_AddItemToObject(out, "groups", groups_json(take_named(all, "groups")));
	cJSON_Delete(all);
	return out;
}

static cJSON *members_json(const struct bs_redis_record *record, bool *lossy)
{
	size_t width;
	BS_AUTOFREE redisReply ***members = in_order(record, &width);
	cJSON *json = width == 2 ? cJSON_CreateObject() : cJSON_CreateArray();

	for (size_t i = 0; i < record->value->elements / width; i++) {
		cJSON *value = member_json(members[i][width - 1], 0, lossy);
		if (width == 2)
			add_field(json, members[i][0], value, lossy);
		else
			cJSON_AddItemToArray(json, value);
	}
	return json;
}

bool bs_redis_add_value(const struct bs_redis_record *record, size_t canonical_bytes, struct bs_buf *image)
{
	enum kind kind = kind_of(record);
	bool lossy = false;

	if (kind == OTHER || canonical_bytes > SHOWN_MAX) {
		BS_AUTOFREE char *text = bs_xasprintf("(%.*s of %zu bytes)", (int)record->type_len, record->type,
						      kind == OTHER ? record->dump_len : canonical_bytes);
		bs_row_add_text(image, text, strlen(text));
		return false;
	}
	if (kind == STRING) {
		add_string(image, record->value->element[0]->str, record->value->element[0]->len);
		return true;
	}
	cJSON *json = kind == STREAM ? stream_json(record->value, &lossy) : members_json(record, &lossy);
	BS_AUTOFREE char *text = bs_json_print(json, false);
	cJSON_Delete(json);
	bs_row_add_json(image, text, strlen(text));
	return !lossy;
}
