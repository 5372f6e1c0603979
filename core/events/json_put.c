/*
 * JSON text onto a buffer. Bytes that may stay as they are are added in runs: nearly all of what is written
 * is such. See json_put.h.
 */
#include "json_put.h"

#include "base/utf8.h"
#include "json_scan.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

static bool stays(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void put_control(struct bs_buf *out, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = strchr(from, c);

	if (found)
		bs_buf_add(out, (char[]){'\\', to[found - from]}, 2);
	else
		bs_buf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

void bs_put_text(struct bs_buf *out, const char *text)
{
	if (!text) {
		bs_buf_add(out, "null", 4);
		return;
	}
	bs_buf_addc(out, '"');
	size_t len = strlen(text), from = 0, i = 0, n;
	uint32_t code_point;
	while (i < len) {
		unsigned char c = (unsigned char)text[i];
		n = stays(c) ? 1 : c < 0x80 ? 0 : bs_utf8_next(text + i, len - i, &code_point);
		if (n) {
			i += n;
			continue;
		}
		bs_buf_add(out, text + from, i - from);
		if (c < 0x80)
			put_control(out, text[i]);
		else
			bs_buf_adds(out, REPLACEMENT);
		from = ++i;
	}
	bs_buf_add(out, text + from, len - from);
	bs_buf_addc(out, '"');
}

void bs_put_u64(struct bs_buf *out, uint64_t value)
{
	char digits[20];
	size_t i = sizeof digits;

	do
		digits[--i] = (char)('0' + value % 10);
	while (value /= 10);
	bs_buf_add(out, digits + i, sizeof digits - i);
}

void bs_put_i64(struct bs_buf *out, int64_t value)
{
	if (value < 0)
		bs_buf_addc(out, '-');
	bs_put_u64(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void bs_put_json(struct bs_buf *out, const char *json)
{
	size_t len = json ? strlen(json) : 0, before = bs_scan_space(json ? json : "", len);
	size_t n = bs_scan_value(json ? json + before : "", len - before);

	if (!n || before + n + bs_scan_space(json + before + n, len - before - n) != len) {
		bs_put_text(out, json);
		return;
	}
	for (size_t i = before; i < before + n;) {
		size_t token = bs_scan_string(json + i, len - i);
		if (!token)
			token = strcspn(json + i, " \t\r\n\"");
		bs_buf_add(out, json + i, token);
		i += token;
		i += bs_scan_space(json + i, len - i);
	}
}
