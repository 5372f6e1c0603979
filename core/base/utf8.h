/*
 * Text that comes from an API is hostile until it has been through here.
 */
#ifndef BS_BASE_UTF8_H
#define BS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bs_buf;

/* Reads one code point (RFC 3629: no surrogates, no overlong forms). Returns its length in bytes, or 0
 * when the bytes are no UTF-8; then one byte is to be skipped. */
size_t bs_utf8_next(const char *text, size_t len, uint32_t *ret_code_point);

bool bs_utf8_valid(const char *text, size_t len);

/* The most bytes of text that are no more than max and end where a character does. */
size_t bs_utf8_fit(const char *text, size_t len, size_t max);

enum bs_utf8_mode {
	BS_UTF8_ANY,     /* valid UTF-8, NUL becomes U+FFFD */
	BS_UTF8_XML,     /* and only the characters of XML 1.0's Char production; ANSI escapes are dropped */
	BS_UTF8_CONSOLE, /* and control bytes (C0 but TAB, DEL, C1, bidi overrides) as \x1b, so that no text drives a terminal */
};

/* Appends text with everything that the mode does not allow replaced. */
void bs_utf8_clean(struct bs_buf *out, const char *text, size_t len, enum bs_utf8_mode mode);

#endif
