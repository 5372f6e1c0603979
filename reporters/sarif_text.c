/*
 * What an API says, in texts that people read in a viewer. A viewer makes a link of "[words](target)" and fills in
 * "{0}"; both are broken up here, so that only what we put around a text can be one. See sarif_json.h.
 */
#include "sarif_json.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

/* Cuts between characters. */
static void cut(struct bs_buf *text, size_t max)
{
	static const char more[] = "…";
	size_t n = max;

	if (text->len <= max)
		return;
	n = max > sizeof more - 1 ? max - (sizeof more - 1) : 0;
	while (n && (text->data[n] & 0xC0) == 0x80)
		n--;
	text->len = n;
	bs_buf_adds(text, more);
}

char *bs_sarif_one_line(const char *text, size_t max)
{
	BS_AUTOFREE char *line = bs_xstrdup(text ? text : "");
	struct bs_buf out = BS_BUF_INIT;

	for (char *c = line; *c; c++)
		if (*c == '\n' || *c == '\r' || *c == '\t')
			*c = ' ';
	bs_utf8_clean(&out, line, strlen(line), BS_UTF8_CONSOLE);
	cut(&out, max);
	return out.len ? bs_buf_take(&out) : bs_xstrdup("");
}

/* The digits and the brace behind an opening brace. */
static size_t placeholder(const char *text)
{
	size_t digits = text[0] == '{' ? strspn(text + 1, "0123456789") : 0;

	return digits && text[1 + digits] == '}' ? digits : 0;
}

void bs_sarif_say(struct bs_buf *message, const char *text)
{
	BS_AUTOFREE char *line = bs_sarif_one_line(text, BS_SARIF_TEXT_MAX);

	for (const char *c = line; *c; c++) {
		size_t digits = placeholder(c);
		if (digits) {
			bs_buf_addf(message, "{%.*s}", (int)digits + 2, c); /* as section 3.11.5 escapes it */
			c += digits + 1;
		} else if (c[0] == ']' && c[1] == '(') {
			bs_buf_adds(message, "] ");
		} else {
			bs_buf_addc(message, *c);
		}
	}
}

void bs_sarif_say_link(struct bs_buf *message, const char *text, unsigned id)
{
	struct bs_buf said = BS_BUF_INIT;

	bs_sarif_say(&said, text);
	bs_buf_addc(message, '[');
	for (const char *c = bs_buf_text(&said); *c; c++)
		bs_buf_addf(message, strchr("\\[]", *c) ? "\\%c" : "%c", *c);
	bs_buf_addf(message, "](%u)", id);
	bs_buf_release(&said);
}
