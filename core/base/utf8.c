/* UTF-8 as RFC 3629 has it, and text made fit for XML and for terminals. See utf8.h. */
#include "utf8.h"

#include "buf.h"

#define REPLACEMENT "\xEF\xBF\xBD"

size_t bs_utf8_next(const char *text, size_t len, uint32_t *ret_code_point)
{
	const unsigned char *s = (const unsigned char *)text;
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n;
	uint32_t c;

	if (!len)
		return 0;
	if (s[0] < 0x80) {
		*ret_code_point = s[0];
		return 1;
	}
	if (s[0] >= 0xC2 && s[0] <= 0xDF) {
		n = 2;
		c = s[0] & 0x1Fu;
	} else if ((s[0] & 0xF0) == 0xE0) {
		n = 3;
		c = s[0] & 0x0Fu;
	} else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
		n = 4;
		c = s[0] & 0x07u;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3Fu);
	}
	if (c < smallest[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*ret_code_point = c;
	return n;
}

bool bs_utf8_valid(const char *text, size_t len)
{
	uint32_t c;

	for (size_t i = 0; i < len;) {
		size_t n = bs_utf8_next(text + i, len - i, &c);
		if (!n)
			return false;
		i += n;
	}
	return true;
}

size_t bs_utf8_fit(const char *text, size_t len, size_t max)
{
	size_t n = len < max ? len : max;

	while (n < len && n && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	return n;
}

/* https://www.w3.org/TR/xml/#charsets */
static bool xml_char(uint32_t c)
{
	return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) ||
	       (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
}

static bool drives_terminal(uint32_t c)
{
	return (c < 0x20 && c != '\t') || (c >= 0x7F && c <= 0x9F) || (c >= 0x200E && c <= 0x200F) ||
	       (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* The length of an ANSI control sequence (ECMA-48 CSI) at text, or 0. */
static size_t ansi_length(const char *text, size_t len)
{
	size_t i = 2;

	if (len < 3 || text[0] != 0x1B || text[1] != '[')
		return 0;
	while (i < len && text[i] >= 0x20 && text[i] <= 0x3F)
		i++;
	return i < len && text[i] >= 0x40 && text[i] <= 0x7E ? i + 1 : 0;
}

static void clean_one(struct bs_buf *out, const char *text, size_t n, uint32_t c, enum bs_utf8_mode mode)
{
	switch (mode) {
	case BS_UTF8_ANY:
		if (c == 0)
			bs_buf_adds(out, REPLACEMENT);
		else
			bs_buf_add(out, text, n);
		return;
	case BS_UTF8_XML:
		if (xml_char(c))
			bs_buf_add(out, text, n);
		else
			bs_buf_adds(out, REPLACEMENT);
		return;
	case BS_UTF8_CONSOLE:
		if (!drives_terminal(c))
			bs_buf_add(out, text, n);
		else if (c < 0x100)
			bs_buf_addf(out, "\\x%02x", (unsigned)c);
		else
			bs_buf_addf(out, "\\u%04x", (unsigned)c);
		return;
	}
}

void bs_utf8_clean(struct bs_buf *out, const char *text, size_t len, enum bs_utf8_mode mode)
{
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t ansi = mode == BS_UTF8_XML ? ansi_length(text + i, len - i) : 0;
		if (ansi) {
			i += ansi;
			continue;
		}
		size_t n = bs_utf8_next(text + i, len - i, &c);
		if (!n) {
			if (mode == BS_UTF8_CONSOLE)
				bs_buf_addf(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
			else
				bs_buf_adds(out, REPLACEMENT);
			i++;
			continue;
		}
		clean_one(out, text + i, n, c, mode);
		i += n;
	}
}
