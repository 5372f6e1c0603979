/* Headers that carry credentials lose their value whatever it is. See redact.h. */
#include "base/buf.h"
#include "base/mem.h"
#include "redact.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define COOKIE_MIN 16 /* bytes of a cookie's value that is learned */

enum form {
	BARE,       /* all of the value is the credential */
	SCHEME,     /* a scheme in front of it: RFC 9110 section 11.4 */
	COOKIES,    /* RFC 6265 section 4.2 */
	SET_COOKIE, /* RFC 6265 section 4.1 */
};

static const struct {
	const char *name;
	enum form form;
} credentials[] = {
	{"Authorization", SCHEME},
	{"Proxy-Authorization", SCHEME},
	{"X-Authorization", SCHEME},
	{"X-Forwarded-Authorization", SCHEME},
	{"Cookie", COOKIES},
	{"Set-Cookie", SET_COOKIE},
	{"Api-Key", BARE},
	{"Apikey", BARE},
	{"Auth-Token", BARE},
	{"DPoP", BARE},
	{"Ocp-Apim-Subscription-Key", BARE},
	{"Private-Token", BARE},
	{"X-Access-Token", BARE},
	{"X-Amz-Security-Token", BARE},
	{"X-Api-Key", BARE},
	{"X-Api-Secret", BARE},
	{"X-Api-Token", BARE},
	{"X-Apikey", BARE},
	{"X-Auth-Key", BARE},
	{"X-Auth-Token", BARE},
	{"X-Csrf-Token", BARE},
	{"X-Goog-Api-Key", BARE},
	{"X-Refresh-Token", BARE},
	{"X-Secret", BARE},
	{"X-Session-Token", BARE},
	{"X-Vault-Token", BARE},
	{"X-Xsrf-Token", BARE},
};

static const char *const schemes[] = {"Basic", "Bearer", "Digest", "DPoP", "Negotiate", "NTLM", "Token", "ApiKey",
				      "HOBA", "Mutual", "GNAP", "Hawk", "AWS4-HMAC-SHA256", "SCRAM-SHA-256"};

/* Appends what stands for a credential: which secret it holds, where that is known. */
static void add_marker(struct bs_buf *out, const struct bs_redactor *redactor, const char *value, size_t len)
{
	BS_AUTOFREE char *credential = bs_xstrndup(value, len);
	BS_AUTOFREE char *redacted = bs_redact_text(redactor, credential);
	size_t at = 0;

	if (!len)
		return;
	while (redacted[at] && !bs_redact_marker(redacted + at))
		at++;
	if (redacted[at])
		bs_buf_add(out, redacted + at, bs_redact_marker(redacted + at));
	else
		bs_buf_adds(out, "[redacted]");
}

/* The length of the scheme at value, with the blanks behind it; 0 when there is none that is known: another word may be
 * a part of the credential. */
static size_t scheme_length(const char *value)
{
	size_t n = strcspn(value, " ");

	for (size_t i = 0; value[n] && i < BS_COUNT(schemes); i++)
		if (strlen(schemes[i]) == n && strncasecmp(schemes[i], value, n) == 0)
			return n + strspn(value + n, " ");
	return 0;
}

/* name=value: the value goes. Without a name all of it does. */
static void add_pair(struct bs_buf *out, const struct bs_redactor *redactor, const char *pair, size_t len)
{
	const char *equals = memchr(pair, '=', len);
	size_t name = equals ? (size_t)(equals - pair) + 1 : 0;
	BS_AUTOFREE char *shown = bs_xstrndup(pair, name);
	BS_AUTOFREE char *redacted = bs_redact_text(redactor, shown);

	bs_buf_adds(out, redacted);
	add_marker(out, redactor, pair + name, len - name);
}

static bool is_attribute(const char *text, size_t len)
{
	static const char *const known[] = {"Expires", "Max-Age", "Domain", "Path", "Secure", "HttpOnly", "SameSite",
					    "Partitioned", "Priority"};
	const char *equals = memchr(text, '=', len);
	size_t n = equals ? (size_t)(equals - text) : len;

	for (size_t i = 0; i < BS_COUNT(known); i++)
		if (strlen(known[i]) == n && strncasecmp(known[i], text, n) == 0)
			return true;
	return false;
}

/* Pairs between semicolons. Of Set-Cookie, all but the first are attributes. */
static void add_cookies(struct bs_buf *out, const struct bs_redactor *redactor, const char *value, bool set)
{
	for (bool first = true; *value; first = false) {
		size_t n = strcspn(value, ";");
		if (set && !first && is_attribute(value, n)) {
			BS_AUTOFREE char *attribute = bs_xstrndup(value, n);
			BS_AUTOFREE char *redacted = bs_redact_text(redactor, attribute);
			bs_buf_adds(out, redacted);
		} else {
			add_pair(out, redactor, value, n);
		}
		value += n;
		n = strspn(value, "; ");
		bs_buf_add(out, value, n);
		value += n;
	}
}

static char *covered(const struct bs_redactor *redactor, enum form form, const char *value)
{
	struct bs_buf out = BS_BUF_INIT;
	size_t n = 0;

	switch (form) {
	case BARE: break;
	case SCHEME:
		n = scheme_length(value);
		bs_buf_add(&out, value, n);
		break;
	case COOKIES:
	case SET_COOKIE:
		add_cookies(&out, redactor, value, form == SET_COOKIE);
		return bs_buf_take(&out);
	}
	add_marker(&out, redactor, value + n, strlen(value + n));
	return bs_buf_take(&out);
}

/* The form of a header that carries a credential; -1: it carries none. */
static int form_of(const char *name)
{
	for (size_t i = 0; name && i < BS_COUNT(credentials); i++)
		if (strcasecmp(credentials[i].name, name) == 0)
			return (int)credentials[i].form;
	return -1;
}

bool bs_redact_is_credential(const char *name)
{
	return form_of(name) >= 0;
}

char *bs_redact_header(const struct bs_redactor *redactor, const char *name, const char *value)
{
	int form = form_of(name);

	if (!value || form < 0)
		return bs_redact_text(redactor, value);
	return covered(redactor, (enum form)form, value);
}

/* --- Learning ---------------------------------------------------------------------------------------- */

/* RFC 7617: base64 of "user:password". */
static void learn_password(struct bs_redactor *redactor, const char *name, const char *base64)
{
	size_t len = strlen(base64);
	BS_AUTOFREE char *pair = bs_xcalloc(len + 1, 1); /* three bytes of each four characters */

	if (len > INT_MAX || EVP_DecodeBlock((unsigned char *)pair, (const unsigned char *)base64, (int)len) < 0)
		return;
	const char *colon = strchr(pair, ':');
	if (colon)
		bs_redactor_add(redactor, colon + 1, name);
}

static void learn_cookies(struct bs_redactor *redactor, const char *name, const char *value, bool set)
{
	do {
		size_t n = strcspn(value, ";");
		const char *equals = memchr(value, '=', n);
		size_t from = equals ? (size_t)(equals - value) + 1 : 0;
		BS_AUTOFREE char *secret = bs_xstrndup(value + from, n - from);
		if (n - from >= COOKIE_MIN)
			bs_redactor_add(redactor, secret, name);
		value += n;
		value += strspn(value, "; ");
	} while (*value && !set); /* what follows in Set-Cookie are attributes */
}

void bs_redactor_add_header(struct bs_redactor *redactor, const char *name, const char *value)
{
	int form = form_of(name);

	if (!value || form < 0)
		return;
	if (form == COOKIES || form == SET_COOKIE) {
		learn_cookies(redactor, name, value, form == SET_COOKIE);
		return;
	}
	size_t scheme = form == SCHEME ? scheme_length(value) : 0;
	bs_redactor_add(redactor, value + scheme, name);
	if (scheme && strncasecmp(value, "Basic ", 6) == 0)
		learn_password(redactor, name, value + scheme);
}
