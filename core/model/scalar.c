/*
 * What is asked of the nodes of yaml.h: values by key, places within a scalar, and what a plain scalar is by
 * the core schema. Numbers keep their token, so only those that JSON can write as well are numbers here.
 */
#include "yaml.h"

#include <string.h>

struct bs_yaml *bs_yaml_get(const struct bs_yaml *map, const char *key)
{
	for (size_t i = 0; map->kind == BS_Y_MAP && i < map->count; i++)
		if (strcmp(map->pairs[i].key->text, key) == 0)
			return map->pairs[i].value;
	return NULL;
}

struct bs_at bs_yaml_at(const struct bs_yaml *scalar, size_t offset)
{
	struct bs_at at = scalar->at;

	if (scalar->exact)
		at.column = scalar->text_column + (uint32_t)offset;
	return at;
}

static bool one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* RFC 8259 section 6. */
static bool json_number(const char *text)
{
	text += *text == '-';
	size_t n = digits(text);
	if (n == 0 || (n > 1 && *text == '0'))
		return false;
	text += n;
	if (*text == '.') {
		n = digits(++text);
		if (n == 0)
			return false;
		text += n;
	}
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '+' || *text == '-';
		n = digits(text);
		if (n == 0)
			return false;
		text += n;
	}
	return *text == 0;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?, 0o7, 0xF, .inf, .nan */
static bool odd_number(const char *text)
{
	static const char *const special[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
	const char *p = text + (*text == '-' || *text == '+');

	if (one_of(p, special))
		return true;
	if (strncmp(text, "0x", 2) == 0)
		return text[2] && !text[2 + strspn(text + 2, "0123456789abcdefABCDEF")];
	if (strncmp(text, "0o", 2) == 0)
		return text[2] && !text[2 + strspn(text + 2, "01234567")];
	size_t whole = digits(p), part = 0;
	p += whole;
	if (*p == '.') {
		part = digits(++p);
		p += part;
	}
	if (whole + part == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		size_t n = digits(p);
		if (n == 0)
			return false;
		p += n;
	}
	return *p == 0;
}

enum bs_yaml_type bs_yaml_type(const struct bs_yaml *scalar)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};

	if (!scalar->plain)
		return BS_YT_TEXT;
	if (one_of(scalar->text, nulls))
		return BS_YT_NULL;
	if (one_of(scalar->text, bools))
		return BS_YT_BOOL;
	if (json_number(scalar->text))
		return BS_YT_NUMBER;
	return odd_number(scalar->text) ? BS_YT_ODD_NUMBER : BS_YT_TEXT;
}

bool bs_yaml_true(const struct bs_yaml *scalar)
{
	return scalar->text[0] == 't' || scalar->text[0] == 'T';
}

const char *bs_yaml_describe(struct bs_arena *arena, const struct bs_yaml *node)
{
	switch (node->kind) {
	case BS_Y_LIST: return "a list";
	case BS_Y_MAP: return "a mapping";
	case BS_Y_SCALAR: break;
	}
	if (node->plain && node->len == 0)
		return "nothing";
	if (node->len > 60) {
		int len = 57;
		while ((node->text[len] & 0xC0) == 0x80) /* not within a character */
			len--;
		return bs_arena_printf(arena, "'%.*s...'", len, node->text);
	}
	return bs_arena_printf(arena, "'%s'", node->text);
}
