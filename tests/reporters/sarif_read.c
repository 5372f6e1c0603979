/* See sarif_read.h. */
#include "sarif_read.h"

#include "base/mem.h"
#include "golden.h"
#include "reporters/reporters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct changed {
	struct bs_reporter *reporter;
	sarif_change_fn *change;
};

static void to_reporter(void *ctx, const struct bs_event *event)
{
	struct changed *changed = ctx;
	struct bs_event copy = *event;

	if (changed->change)
		changed->change(&copy);
	bs_reporter_sarif.on_event(changed->reporter, &copy);
}

static cJSON *report(void (*feed)(struct bs_sink sink), enum fixture which, sarif_change_fn *change,
		     const struct bs_sarif_limits *limits, char **ret_text)
{
	char path[] = "/tmp/test_sarif.XXXXXX";
	struct bs_reporter_options options = {.path = path};
	struct changed changed = {.change = change};
	struct bs_err err = BS_ERR_INIT;
	cJSON *json = NULL;
	size_t len;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(bs_reporter_sarif.open(&options, &changed.reporter, NULL), 0);
	if (limits)
		((struct bs_sarif *)changed.reporter)->limits = *limits;
	if (feed)
		feed((struct bs_sink){&changed, to_reporter});
	else
		fixture_feed(which, (struct bs_sink){&changed, to_reporter});
	assert_int_equal(bs_reporter_sarif.close(changed.reporter, NULL), 0);
	char *text = golden_read(path, &len);
	unlink(path);
	if (bs_json_parse(text, len, &json, &err) < 0)
		fail_msg("%s: %s", fixture_name(which), bs_err_text(&err));
	if (ret_text)
		*ret_text = text;
	else
		free(text);
	return json;
}

cJSON *sarif_of(enum fixture which, sarif_change_fn *change, const struct bs_sarif_limits *limits, char **ret_text)
{
	return report(NULL, which, change, limits, ret_text);
}

cJSON *sarif_of_stream(void (*feed)(struct bs_sink sink), const struct bs_sarif_limits *limits, char **ret_text)
{
	return report(feed, FIXTURE_COUNT, NULL, limits, ret_text);
}

const cJSON *sarif_find(const cJSON *sarif, const char *path)
{
	while (sarif && *path) {
		size_t len = strcspn(++path, "/");
		BS_AUTOFREE char *key = bs_xstrndup(path, len);
		sarif = cJSON_IsArray(sarif) ? cJSON_GetArrayItem(sarif, (int)strtol(key, NULL, 10))
					     : cJSON_GetObjectItemCaseSensitive(sarif, key);
		path += len;
	}
	return sarif;
}

const char *sarif_string(const cJSON *sarif, const char *path)
{
	const cJSON *item = sarif_find(sarif, path);

	if (!cJSON_IsString(item))
		fail_msg("no text at %s", path);
	return item->valuestring;
}

int64_t sarif_integer(const cJSON *sarif, const char *path)
{
	const cJSON *item = sarif_find(sarif, path);
	int64_t value = 0;

	if (!item || bs_json_kind(item) != BS_J_NUMBER || !bs_json_int(item, &value))
		fail_msg("no integer at %s", path);
	return value;
}

size_t sarif_count(const cJSON *sarif, const char *path)
{
	const cJSON *array = sarif_find(sarif, path);

	return array ? (size_t)cJSON_GetArraySize(array) : 0;
}

void sarif_is(const cJSON *sarif, const char *path, const char *wanted)
{
	const char *text = sarif_string(sarif, path);

	if (strcmp(text, wanted) != 0)
		fail_msg("%s is '%s' instead of '%s'", path, text, wanted);
}

void sarif_contains(const cJSON *sarif, const char *path, const char *wanted)
{
	const char *text = sarif_string(sarif, path);

	if (!strstr(text, wanted))
		fail_msg("no '%s' in %s: '%s'", wanted, path, text);
}

static void each_string(const cJSON *item, const char *parent, sarif_visit_fn *visit)
{
	for (; item; item = item->next) {
		if (item->string && cJSON_IsString(item))
			visit(parent, item->string, item->valuestring);
		each_string(item->child, item->string ? item->string : parent, visit);
	}
}

void sarif_each_string(const cJSON *sarif, sarif_visit_fn *visit)
{
	each_string(sarif, "", visit);
}
