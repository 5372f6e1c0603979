/*
 * Passwords in URLs (RFC 3986 section 3.2.1): a store's address in a model or in a log often carries one that
 * nobody declared a secret. Runs behind the known secrets, whose marks it leaves alone. See redact.h.
 */
#include "redact_url.h"

#include "base/buf.h"
#include "redact.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What ends an authority does not when it stands in a marker. */
static size_t authority_length(const char *text)
{
	size_t n = 0;

	for (size_t more; text[n]; n += more) {
		more = bs_redact_marker(text + n);
		if (!more && strchr("/?# \t\r\n\"'<>\\`", text[n]))
			break;
		more += !more;
	}
	return n;
}

/* Finds the password of the URL whose "://" is at text; false when it has none. */
static bool password_at(const char *text, size_t *ret_from, size_t *ret_len)
{
	const char *authority = text + 3;
	size_t n = authority_length(authority);
	const char *at = memrchr(authority, '@', n);
	const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;

	if (!colon || colon + 1 == at || bs_redact_marker(colon + 1) == (size_t)(at - colon - 1))
		return false;
	*ret_from = (size_t)(colon + 1 - text);
	*ret_len = (size_t)(at - colon - 1);
	return true;
}

char *bs_redact_urls(char *text)
{
	struct bs_buf out = BS_BUF_INIT;
	const char *from = text;

	for (const char *at = text; (at = strstr(at, "://")); at += 3) {
		size_t password, len;
		if (!password_at(at, &password, &len))
			continue;
		bs_buf_add(&out, from, (size_t)(at - from) + password);
		bs_buf_adds(&out, "[redacted]");
		from = at + password + len;
	}
	if (from == text)
		return text;
	bs_buf_adds(&out, from);
	free(text);
	return bs_buf_take(&out);
}
