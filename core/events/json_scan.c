/* JSON text without a tree. See json_scan.h. */
#include "json_scan.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

size_t bs_scan_space(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n'))
		i++;
	return i;
}

static size_t digits(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && text[i] >= '0' && text[i] <= '9')
		i++;
	return i;
}

size_t bs_scan_number(const char *text, size_t len)
{
	size_t i = len && text[0] == '-', n = digits(text + i, len - i);

	if (!n || (n > 1 && text[i] == '0'))
		return 0;
	i += n;
	if (i < len && text[i] == '.') {
		n = digits(text + i + 1, len - i - 1);
		if (!n)
			return 0;
		i += 1 + n;
	}
	if (i < len && (text[i] | 32) == 'e') {
		i++;
		i += i < len && (text[i] == '+' || text[i] == '-');
		n = digits(text + i, len - i);
		if (!n)
			return 0;
		i += n;
	}
	return i;
}

static bool hex4(const char *text, size_t len, uint32_t *ret_value)
{
	uint32_t value = 0;

	if (len < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		char c = text[i];
		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			value = value << 4 | (uint32_t)((c | 32) - 'a' + 10);
		else
			return false;
	}
	*ret_value = value;
	return true;
}

/* The length of the escape whose backslash is at text, or 0. */
static size_t escape_length(const char *text, size_t len)
{
	uint32_t c;

	if (len < 2 || !text[1])
		return 0;
	if (text[1] == 'u')
		return hex4(text + 2, len - 2, &c) ? 6 : 0;
	return strchr("\"\\/bfnrt", text[1]) ? 2 : 0;
}

size_t bs_scan_string(const char *text, size_t len)
{
	if (!len || text[0] != '"')
		return 0;
	for (size_t i = 1, n; i < len; i += n) {
		unsigned char c = (unsigned char)text[i];
		uint32_t code_point;
		if (c == '"')
			return i + 1;
		if (c < 0x20)
			return 0;
		if (c == '\\')
			n = escape_length(text + i, len - i);
		else
			n = c < 0x80 ? 1 : bs_utf8_next(text + i, len - i, &code_point);
		if (!n)
			return 0;
	}
	return 0;
}

static size_t value(const char *text, size_t len, unsigned depth);

/* An array, or an object when keys. */
static size_t container(const char *text, size_t len, unsigned depth, bool keys)
{
	char close = keys ? '}' : ']';
	size_t i = 1 + bs_scan_space(text + 1, len - 1);

	if (i < len && text[i] == close)
		return i + 1;
	while (i < len) {
		size_t n;
		i += bs_scan_space(text + i, len - i);
		if (keys) {
			n = bs_scan_string(text + i, len - i);
			i += n + bs_scan_space(text + i + n, len - i - n);
			if (!n || i == len || text[i] != ':')
				return 0;
			i++;
			i += bs_scan_space(text + i, len - i);
		}
		n = value(text + i, len - i, depth + 1);
		i += n + bs_scan_space(text + i + n, len - i - n);
		if (!n || i == len || (text[i] != ',' && text[i] != close))
			return 0;
		if (text[i++] == close)
			return i;
	}
	return 0;
}

static size_t word(const char *text, size_t len, const char *expected)
{
	size_t n = strlen(expected);

	return len >= n && memcmp(text, expected, n) == 0 ? n : 0;
}

static size_t value(const char *text, size_t len, unsigned depth)
{
	if (!len || depth > BS_SCAN_DEPTH_MAX)
		return 0;
	switch (text[0]) {
	case '{': return container(text, len, depth, true);
	case '[': return container(text, len, depth, false);
	case '"': return bs_scan_string(text, len);
	case 't': return word(text, len, "true");
	case 'f': return word(text, len, "false");
	case 'n': return word(text, len, "null");
	}
	return bs_scan_number(text, len);
}

size_t bs_scan_value(const char *text, size_t len)
{
	return value(text, len, 0);
}

/* --- What a string means ----------------------------------------------------------------------------------- */

static size_t put_utf8(char *out, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)(lead[n] | c);
	return n;
}

/* Reads \uXXXX, and the pair that it may begin, at text. */
static size_t unicode(const char *text, size_t len, uint32_t *ret_code_point)
{
	uint32_t c = 0, low;

	hex4(text + 2, len - 2, &c);
	if (c >= 0xD800 && c < 0xDC00 && len >= 12 && text[6] == '\\' && text[7] == 'u' && hex4(text + 8, 4, &low) &&
	    low >= 0xDC00 && low < 0xE000) {
		*ret_code_point = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		return 12;
	}
	*ret_code_point = c == 0 || (c >= 0xD800 && c < 0xE000) ? 0xFFFD : c;
	return 6;
}

size_t bs_scan_unescape(char *text, size_t len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char *first = memchr(text, '\\', len);

	if (!first)
		return len;
	size_t out = (size_t)(first - text);
	for (size_t i = out; i < len;) {
		uint32_t c;
		if (text[i] != '\\') {
			text[out++] = text[i++];
		} else if (text[i + 1] == 'u') {
			i += unicode(text + i, len - i, &c);
			out += put_utf8(text + out, c);
		} else {
			text[out++] = to[strchr(from, text[i + 1]) - from];
			i += 2;
		}
	}
	return out;
}
