/* SARIF's objects onto cJSON's. See sarif_json.h. */
#include "sarif_json.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define DOUBLE_EXACT ((uint64_t)1 << 53)

static cJSON *add(cJSON *parent, const char *key, cJSON *item)
{
	cJSON_AddItemToObject(parent, key, item);
	return item;
}

cJSON *bs_sarif_object(cJSON *parent, const char *key)
{
	return add(parent, key, cJSON_CreateObject());
}

cJSON *bs_sarif_array(cJSON *parent, const char *key)
{
	return add(parent, key, cJSON_CreateArray());
}

cJSON *bs_sarif_item(cJSON *array)
{
	cJSON *item = cJSON_CreateObject();

	cJSON_AddItemToArray(array, item);
	return item;
}

cJSON *bs_sarif_text(cJSON *parent, const char *key, const char *exact)
{
	return exact ? add(parent, key, bs_json_new_text(exact, strlen(exact))) : NULL;
}

cJSON *bs_sarif_line(cJSON *parent, const char *key, const char *text)
{
	if (!text)
		return NULL;
	BS_AUTOFREE char *line = bs_sarif_one_line(text, BS_SARIF_NAME_MAX);
	return bs_sarif_text(parent, key, line);
}

cJSON *bs_sarif_number(cJSON *parent, const char *key, uint64_t number)
{
	if (number <= DOUBLE_EXACT)
		return add(parent, key, bs_json_new_int((int64_t)number));
	BS_AUTOFREE char *text = bs_xasprintf("%" PRIu64, number);
	return bs_sarif_text(parent, key, text);
}

cJSON *bs_sarif_bool(cJSON *parent, const char *key, bool value)
{
	return add(parent, key, cJSON_CreateBool(value));
}

cJSON *bs_sarif_message(cJSON *parent, const char *key, const struct bs_buf *message, size_t max)
{
	if (!message->len)
		return NULL;
	BS_AUTOFREE char *text = bs_sarif_one_line(bs_buf_text(message), max);
	cJSON *object = bs_sarif_object(parent, key);
	bs_sarif_text(object, "text", text);
	return object;
}

void bs_sarif_join(cJSON *parent, const char *key, const char *exact)
{
	cJSON *clean = bs_json_new_text(key ? key : "", key ? strlen(key) : 0);
	cJSON *known = cJSON_GetObjectItemCaseSensitive(parent, clean->valuestring);

	if (!known) {
		bs_sarif_text(parent, clean->valuestring, exact ? exact : "");
	} else {
		BS_AUTOFREE char *both = bs_xasprintf("%s, %s", known->valuestring, exact ? exact : "");
		cJSON *text = bs_json_new_text(both, strlen(both));
		cJSON_ReplaceItemInObjectCaseSensitive(parent, clean->valuestring, text);
	}
	cJSON_Delete(clean);
}
