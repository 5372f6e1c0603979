/* Decoding one unit of a text at a time. See spelling.h. */
#include "spelling.h"

#include "base/mem.h"

#include <stdint.h>
#include <string.h>

bool bs_spelling_occurs(enum bs_spelling spelling, const char *text, size_t len)
{
	switch (spelling) {
	case BS_SPELL_PLAIN: return true;
	case BS_SPELL_PERCENT: return memchr(text, '%', len) || memchr(text, '+', len);
	case BS_SPELL_JSON: return memchr(text, '\\', len);
	case BS_SPELL_XML: return memchr(text, '&', len);
	}
	return false;
}

static int digit(char c, unsigned base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if ((c | 32) >= 'a' && (c | 32) <= 'f')
		value = (c | 32) - 'a' + 10;
	return value < (int)base ? value : -1;
}

/* The digits of text[0..len) as a number; false when there are none, others, or too many. */
static bool number(const char *text, size_t len, unsigned base, uint32_t *ret_value)
{
	uint32_t value = 0;

	if (!len || len > 7)
		return false;
	for (size_t i = 0; i < len; i++) {
		int d = digit(text[i], base);
		if (d < 0)
			return false;
		value = value * base + (uint32_t)d;
	}
	*ret_value = value;
	return true;
}

static size_t utf8(uint32_t c, char bytes[4])
{
	if (c < 0x80) {
		bytes[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		bytes[0] = (char)(0xC0 | c >> 6);
		bytes[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		bytes[0] = (char)(0xE0 | c >> 12);
		bytes[1] = (char)(0x80 | (c >> 6 & 0x3F));
		bytes[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	bytes[0] = (char)(0xF0 | (c >> 18 & 7));
	bytes[1] = (char)(0x80 | (c >> 12 & 0x3F));
	bytes[2] = (char)(0x80 | (c >> 6 & 0x3F));
	bytes[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

static size_t literal(const char *text, char bytes[4], size_t *count)
{
	bytes[0] = text[0];
	*count = 1;
	return 1;
}

static size_t percent(const char *text, size_t len, char bytes[4], size_t *count)
{
	uint32_t value;

	if (len < 3 && (len == 1 || digit(text[1], 16) >= 0)) {
		*count = 0;
		return len;
	}
	if (len < 3 || !number(text + 1, 2, 16, &value))
		return literal(text, bytes, count);
	bytes[0] = (char)value;
	*count = 1;
	return 3;
}

static size_t json_u(const char *text, size_t len, char bytes[4], size_t *count)
{
	uint32_t c, low;
	size_t used = 6;

	if (len < 6) {
		*count = 0;
		return len;
	}
	if (!number(text + 2, 4, 16, &c))
		return literal(text, bytes, count);
	if (c >= 0xD800 && c < 0xDC00) {
		if (len < 12) {
			*count = 0;
			return len;
		}
		if (text[6] == '\\' && text[7] == 'u' && number(text + 8, 4, 16, &low) && low >= 0xDC00 && low < 0xE000) {
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
			used = 12;
		}
	}
	*count = utf8(c, bytes);
	return used;
}

static size_t json(const char *text, size_t len, char bytes[4], size_t *count)
{
	static const char from[] = "\"\\/bfnrt'", to[] = "\"\\/\b\f\n\r\t'";

	if (len == 1) {
		*count = 0;
		return 1;
	}
	if (text[1] == 'u')
		return json_u(text, len, bytes, count);
	const char *found = text[1] ? strchr(from, text[1]) : NULL;
	if (!found)
		return literal(text, bytes, count);
	bytes[0] = to[found - from];
	*count = 1;
	return 2;
}

#define ENTITY_MAX 10 /* &#1114111; */

static size_t xml(const char *text, size_t len, char bytes[4], size_t *count)
{
	static const struct {
		const char *name;
		char c;
	} entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
	const char *end = memchr(text, ';', len < ENTITY_MAX ? len : ENTITY_MAX);
	uint32_t c;

	if (!end && len < ENTITY_MAX && strspn(text + 1, "#abcdefghijklmnopqrstuvwxyzABCDEF0123456789") >= len - 1) {
		*count = 0;
		return len;
	}
	if (!end)
		return literal(text, bytes, count);
	size_t n = (size_t)(end - text) - 1;
	for (size_t i = 0; i < BS_COUNT(entities); i++)
		if (strlen(entities[i].name) == n && memcmp(text + 1, entities[i].name, n) == 0) {
			bytes[0] = entities[i].c;
			*count = 1;
			return n + 2;
		}
	if (n < 2 || text[1] != '#')
		return literal(text, bytes, count);
	bool hex = (text[2] | 32) == 'x';
	if (!number(text + 2 + hex, n - 1 - hex, hex ? 16 : 10, &c))
		return literal(text, bytes, count);
	*count = utf8(c, bytes);
	return n + 2;
}

size_t bs_spelling_next(enum bs_spelling spelling, const char *text, size_t len, char ret_bytes[4], size_t *ret_count)
{
	switch (spelling) {
	case BS_SPELL_PLAIN: break;
	case BS_SPELL_PERCENT:
		if (text[0] == '%')
			return percent(text, len, ret_bytes, ret_count);
		break;
	case BS_SPELL_JSON:
		if (text[0] == '\\')
			return json(text, len, ret_bytes, ret_count);
		break;
	case BS_SPELL_XML:
		if (text[0] == '&')
			return xml(text, len, ret_bytes, ret_count);
		break;
	}
	return literal(text, ret_bytes, ret_count);
}

size_t bs_spelling_match(enum bs_spelling spelling, const char *text, size_t len, const char *wanted,
			 size_t wanted_len, size_t least)
{
	size_t i = 0, j = 0;

	while (j < wanted_len && i < len) {
		char bytes[4];
		size_t count;
		size_t n = bs_spelling_next(spelling, text + i, len - i, bytes, &count);
		if (count == 0) {
			i = len;
			break;
		}
		bool space = spelling == BS_SPELL_PERCENT && text[i] == '+' && wanted[j] == ' ';
		if (!space && (count > wanted_len - j || memcmp(bytes, wanted + j, count) != 0))
			return 0;
		i += n;
		j += count;
	}
	return j == wanted_len || j >= least ? i : 0;
}
