/* Workflow commands, written and prevented. See workflow.h. */
#include "workflow.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

void bs_workflow_message(struct bs_buf *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '%': bs_buf_adds(out, "%25"); break;
		case '\r': bs_buf_adds(out, "%0D"); break;
		case '\n': bs_buf_adds(out, "%0A"); break;
		default: bs_buf_addc(out, *text);
		}
}

void bs_workflow_property(struct bs_buf *out, const char *text)
{
	struct bs_buf escaped = BS_BUF_INIT;

	bs_workflow_message(&escaped, text);
	for (const char *c = bs_buf_text(&escaped); *c; c++)
		switch (*c) {
		case ':': bs_buf_adds(out, "%3A"); break;
		case ',': bs_buf_adds(out, "%2C"); break;
		default: bs_buf_addc(out, *c);
		}
	bs_buf_release(&escaped);
}

/* What .NET's TrimStart() takes off a line: Unicode's White_Space. */
static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* The bytes of the white space at text that can stand before a command. */
static size_t blanks(const char *text, size_t len)
{
	size_t at = 0, n;
	uint32_t c;

	while ((n = bs_utf8_next(text + at, len - at, &c)) && is_space(c))
		at += n;
	return at;
}

static bool begins(const char *text, size_t len, const char *mark)
{
	return len >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0;
}

void bs_workflow_quiet(struct bs_buf *out, const char *text, size_t len, enum bs_workflow_quiet how)
{
	static const char *const colons[] = {"\\x3a", "&#58;", "\\u003a"}, *const hashes[] = {"\\x23", "&#35;", "\\u0023"};
	bool fresh = true; /* at the beginning of a line */

	for (size_t at = 0; at < len;) {
		size_t blank = fresh ? blanks(text + at, len - at) : 0;
		bs_buf_add(out, text + at, blank);
		at += blank;
		if (fresh && begins(text + at, len - at, "::")) {
			bs_buf_adds(out, colons[how]);
			at++;
		} else if (begins(text + at, len - at, "##[")) {
			bs_buf_addf(out, "#%s", hashes[how]);
			at += 2;
		} else if (at < len) {
			bs_buf_addc(out, text[at++]);
		}
		fresh = at && (text[at - 1] == '\n' || text[at - 1] == '\r');
	}
}
