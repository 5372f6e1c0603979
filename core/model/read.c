/* Single values of the model file, each with its problem when it is not what it should be. See loader.h. */
#include "loader.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>

void *bs_grow(struct bs_arena *arena, void *items, size_t *count, size_t size)
{
	size_t n = *count;

	if ((n & (n - 1)) == 0) {
		void *larger = bs_arena_alloc(arena, (n ? n * 2 : 1) * size);
		if (n)
			memcpy(larger, items, n * size);
		items = larger;
	}
	*count = n + 1;
	return items;
}

static bool wrong(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char *wanted)
{
	bs_problem_add(l->problems, node->at, "%s must be %s; got %s", what, wanted,
		       bs_yaml_describe(l->arena, node));
	return false;
}

bool bs_read_map(struct bs_loader *l, const struct bs_yaml *node, const char *what)
{
	return node->kind == BS_Y_MAP || wrong(l, node, what, "a mapping");
}

bool bs_read_list(struct bs_loader *l, const struct bs_yaml *node, const char *what)
{
	return node->kind == BS_Y_LIST || wrong(l, node, what, "a list");
}

bool bs_read_text(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char **ret_text)
{
	if (node->kind != BS_Y_SCALAR || bs_yaml_type(node) == BS_YT_NULL)
		return wrong(l, node, what, "text");
	*ret_text = node->text;
	return true;
}

bool bs_read_bool(struct bs_loader *l, const struct bs_yaml *node, const char *what, bool *ret_value)
{
	if (node->kind != BS_Y_SCALAR || bs_yaml_type(node) != BS_YT_BOOL)
		return wrong(l, node, what, "true or false");
	*ret_value = node->text[0] == 't' || node->text[0] == 'T';
	return true;
}

bool bs_read_uint(struct bs_loader *l, const struct bs_yaml *node, const char *what, uint64_t low, uint64_t high,
		  uint64_t *ret_value)
{
	bool whole = node->kind == BS_Y_SCALAR && node->len && node->len == strspn(node->text, "0123456789");

	errno = 0;
	uint64_t value = whole ? strtoull(node->text, NULL, 10) : 0;
	if (whole && !errno && value >= low && value <= high) {
		*ret_value = value;
		return true;
	}
	if (high == UINT64_MAX)
		bs_problem_add(l->problems, node->at, "%s must be a whole number from %ju; got %s", what,
			       (uintmax_t)low, bs_yaml_describe(l->arena, node));
	else
		bs_problem_add(l->problems, node->at, "%s must be a whole number from %ju to %ju; got %s", what,
			       (uintmax_t)low, (uintmax_t)high, bs_yaml_describe(l->arena, node));
	return false;
}

#define DURATION_MAX_MS 3600000000.0 /* 1000h, which 32 bits hold */
#define SPAN_MAX_MS (36500.0 * 86400000.0)

static bool parse_duration(const char *text, double *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};
	size_t digits = strspn(text, "0123456789");
	size_t len = digits;

	if (text[len] == '.')
		len += 1 + strspn(text + len + 1, "0123456789");
	if (digits == 0 || text[len - 1] == '.')
		return false;
	for (size_t i = 0; i < BS_COUNT(units); i++)
		if (strcmp(text + len, units[i].unit) == 0) {
			*ret_ms = strtod(text, NULL) * units[i].ms; /* stops at the unit: no unit is hex or e */
			return true;
		}
	return false;
}

bool bs_read_duration(struct bs_loader *l, const struct bs_yaml *node, const char *what, uint32_t *ret_ms)
{
	double ms;

	if (node->kind != BS_Y_SCALAR || !parse_duration(node->text, &ms))
		return wrong(l, node, what, "a duration such as 500ms, 30s, 5m or 1h");
	if (ms > DURATION_MAX_MS)
		return wrong(l, node, what, "at most 1000h");
	*ret_ms = (uint32_t)(ms + 0.5);
	if (*ret_ms == 0 && ms > 0)
		*ret_ms = 1; /* 0 often means "no limit" */
	return true;
}

bool bs_read_span(struct bs_loader *l, const struct bs_yaml *node, const char *what, uint64_t *ret_ms)
{
	double ms;

	if (node->kind != BS_Y_SCALAR || !parse_duration(node->text, &ms))
		return wrong(l, node, what, "a time such as 90m, 12h, 31d or 2w");
	if (ms < 1 || ms > SPAN_MAX_MS)
		return wrong(l, node, what, "more than 0 and at most 36500d");
	*ret_ms = (uint64_t)(ms + 0.5);
	return true;
}

bool bs_read_choice(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char *const *names,
		    size_t *ret_index)
{
	struct bs_buf all = BS_BUF_INIT;
	struct bs_suggestion guess;

	bs_suggest_init(&guess, node->kind == BS_Y_SCALAR ? node->text : "", node->len);
	for (size_t i = 0; names[i]; i++) {
		if (node->kind == BS_Y_SCALAR && strcmp(names[i], node->text) == 0) {
			*ret_index = i;
			bs_buf_release(&all);
			return true;
		}
		bs_buf_addf(&all, "%s%s", i ? ", " : "", names[i]);
		if (node->kind == BS_Y_SCALAR)
			bs_suggest_offer(&guess, names[i]);
	}
	BS_AUTOFREE char *suggestion = bs_suggest_text(&guess);
	bs_problem_add(l->problems, node->at, "%s must be %s%s; got %s%s", what, names[1] ? "one of " : "",
		       bs_buf_text(&all), bs_yaml_describe(l->arena, node), suggestion);
	bs_buf_release(&all);
	return false;
}

bool bs_read_texts(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char ***ret_items,
		   size_t *ret_count)
{
	const char **items;
	size_t count = 0;
	BS_AUTOFREE char *each = bs_xasprintf("an entry of %s", what);

	if (!bs_read_list(l, node, what))
		return false;
	items = bs_arena_alloc(l->arena, node->count * sizeof *items);
	for (size_t i = 0; i < node->count; i++)
		count += bs_read_text(l, node->items[i], each, &items[count]);
	*ret_items = items;
	*ret_count = count;
	return true;
}

void bs_read_columns(struct bs_loader *l, const struct bs_yaml *node, const char *what, const char ***ret_items,
		     size_t *ret_count)
{
	if (!bs_read_texts(l, node, what, ret_items, ret_count))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct bs_yaml *item = node->items[i];
		const char *dot = item->kind == BS_Y_SCALAR ? strchr(item->text, '.') : NULL;
		if (item->kind == BS_Y_SCALAR && bs_yaml_type(item) != BS_YT_NULL &&
		    (!dot || dot == item->text || !dot[1]))
			bs_problem_add(l->problems, item->at, "%s takes table.column; got '%s'", what, item->text);
	}
}

/* --- Keys ------------------------------------------------------------------------------------------ */

void bs_read_keys(struct bs_loader *l, const struct bs_yaml *map, const char *what, const char *const *keys)
{
	for (size_t i = 0; map->kind == BS_Y_MAP && i < map->count; i++) {
		const struct bs_yaml *key = map->pairs[i].key;
		struct bs_suggestion guess;
		bool known = false;
		bs_suggest_init(&guess, key->text, key->len);
		for (size_t k = 0; keys[k]; k++) {
			known |= strcmp(keys[k], key->text) == 0;
			bs_suggest_offer(&guess, keys[k]);
		}
		if (known)
			continue;
		/* `{a: f(x, y)}`: what was meant as text became a key without a value */
		bool comma = !guess.best && map->pairs[i].value->kind == BS_Y_SCALAR && !map->pairs[i].value->len;
		BS_AUTOFREE char *suggestion = bs_suggest_text(&guess);
		bs_problem_add(l->problems, key->at, "unknown key '%s' in %s%s", key->text, what,
			       comma ? "; a comma ends a value inside of { }, quote the value" : suggestion);
	}
}

bool bs_read_unsupported(struct bs_loader *l, const struct bs_yaml *map, const char *key)
{
	for (size_t i = 0; map->kind == BS_Y_MAP && i < map->count; i++)
		if (strcmp(map->pairs[i].key->text, key) == 0) {
			bs_problem_add(l->problems, map->pairs[i].key->at, "'%s' is not supported yet; remove it", key);
			return true;
		}
	return false;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS "0123456789"

bool bs_read_name(struct bs_loader *l, const struct bs_yaml *key, const char *what)
{
	if (key->len && strspn(key->text, LETTERS DIGITS "-") == key->len)
		return true;
	bs_problem_add(l->problems, key->at, "the name of %s may have letters, digits, _ and -; got %s", what,
		       bs_yaml_describe(l->arena, key));
	return false;
}

static bool lua_keyword(const char *name)
{
	static const char *const words[] = {"and",   "break", "do",  "else", "elseif", "end",    "false", "for",
					    "function", "goto", "if", "in",   "local",  "nil",    "not",   "or",
					    "repeat", "return", "then", "true", "until", "while"};

	for (size_t i = 0; i < BS_COUNT(words); i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

bool bs_read_identifier(struct bs_loader *l, const struct bs_yaml *key, const char *what)
{
	const char *name = key->text;
	bool taken = bs_is_reserved_name(name) || lua_keyword(name);

	if (!key->len || strspn(name, LETTERS DIGITS) != key->len || strchr(DIGITS, name[0])) {
		bs_problem_add(l->problems, key->at,
			       "the name of %s may have letters, digits and _, and begins with no digit; got %s", what,
			       bs_yaml_describe(l->arena, key));
		return false;
	}
	for (size_t i = 0; !taken && bs_expr_builtin(i); i++)
		taken = strcmp(bs_expr_builtin(i), name) == 0;
	if (taken)
		bs_problem_add(l->problems, key->at,
			       "'%s' means something else in expressions; choose another name for %s", name, what);
	return !taken;
}
