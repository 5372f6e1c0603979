/*
 * Secrets in JSON values. Text would do for finding them and would break the JSON around them: a number with a
 * hole in it is none, and a cut through an escape leaves half of one. So it is done token by token; see redact.h.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "json_put.h"
#include "json_scan.h"
#include "redact.h"

#include <string.h>

static void add_string(struct bs_buf *out, const struct bs_redactor *redactor, const char *token, size_t len)
{
	BS_AUTOFREE char *text = bs_xmemdup(token + 1, len - 2);

	text[bs_scan_unescape(text, len - 2)] = 0;
	BS_AUTOFREE char *redacted = bs_redact_text(redactor, text);
	if (strcmp(text, redacted) == 0)
		bs_buf_add(out, token, len);
	else
		bs_put_text(out, redacted);
}

/* A number, true, false or null. */
static void add_word(struct bs_buf *out, const struct bs_redactor *redactor, const char *token, size_t len)
{
	BS_AUTOFREE char *text = bs_xstrndup(token, len);
	BS_AUTOFREE char *redacted = bs_redact_text(redactor, text);

	if (strcmp(text, redacted) == 0)
		bs_buf_add(out, token, len);
	else
		bs_put_text(out, redacted);
}

char *bs_redact_json(const struct bs_redactor *redactor, const char *json)
{
	static const char between[] = "{}[],: \t\r\n";
	struct bs_buf out = BS_BUF_INIT;
	size_t len = json ? strlen(json) : 0, n;

	if (!json)
		return NULL;
	n = bs_scan_space(json, len);
	n += bs_scan_value(json + n, len - n);
	if (n + bs_scan_space(json + n, len - n) != len || bs_scan_space(json, len) == len) {
		BS_AUTOFREE char *redacted = bs_redact_text(redactor, json);
		bs_put_text(&out, redacted);
		return bs_buf_take(&out);
	}
	for (size_t i = 0; i < len; i += n) {
		n = strspn(json + i, between);
		if (n) {
			bs_buf_add(&out, json + i, n);
		} else if (json[i] == '"') {
			n = bs_scan_string(json + i, len - i);
			add_string(&out, redactor, json + i, n);
		} else {
			n = strcspn(json + i, between);
			add_word(&out, redactor, json + i, n);
		}
	}
	return bs_buf_take(&out);
}
