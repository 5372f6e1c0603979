/*
 * Finding secrets in text. Each secret is kept in a few forms (as it is, base64, hex); spelling.c reads the
 * text in each of its spellings. One pass: nearly every place is ruled out by a table of the two bytes that
 * forms begin with; elsewhere the forms with that first byte are compared. Secrets are few and differ early,
 * so this is linear in practice, and at worst text times form, both of which are capped. (Aho-Corasick would
 * be linear always, but on decoded units it would need an automaton for each spelling.) See redact.h.
 */
#include "redact.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "redact_url.h"
#include "spelling.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SECRET_MIN 4 /* bytes; see redact.h */
#define PREFIX_MIN 8 /* bytes of a secret that the end of the text cut off */
#define LINE_MIN 8   /* bytes; a shorter line of a secret of several lines is not looked for by itself */
#define PLAIN_MARKER "[redacted]"

struct form {
	char *bytes;
	size_t len;
	size_t least;       /* bytes that are enough at the end of the text */
	bool base64;        /* the characters beside it may hold bits of the secret */
	bool before, after; /* and these do */
	size_t secret;
	uint32_t next; /* the next one with the same first byte, + 1 */
};

struct bs_redactor {
	char **secrets, **markers; /* markers: what is put in place */
	size_t secret_count, marker_count;
	struct bs_map known; /* of secrets, by hash */
	struct form *forms;
	size_t form_count;
	uint32_t heads[256];      /* the forms that begin with a byte, + 1 */
	unsigned char pairs[8192]; /* a bit for each two bytes that begin one */
};

struct bs_redactor *bs_redactor_new(void)
{
	return bs_xcalloc(1, sizeof(struct bs_redactor));
}

void bs_redactor_free(struct bs_redactor *redactor)
{
	if (!redactor)
		return;
	for (size_t i = 0; i < redactor->form_count; i++)
		free(redactor->forms[i].bytes);
	for (size_t i = 0; i < redactor->secret_count; i++) {
		free(redactor->secrets[i]);
		free(redactor->markers[i]);
	}
	free(redactor->forms);
	free(redactor->secrets);
	free(redactor->markers);
	bs_map_release(&redactor->known);
	free(redactor);
}

size_t bs_redactor_count(const struct bs_redactor *redactor)
{
	return redactor->secret_count;
}

/* --- Adding ------------------------------------------------------------------------------------------------ */

static size_t pair_of(const char *bytes)
{
	return (size_t)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

static struct form *add_form(struct bs_redactor *redactor, const char *bytes, size_t len)
{
	uint32_t *head = &redactor->heads[(unsigned char)bytes[0]];
	size_t half = len / 2 > SECRET_MIN ? len / 2 : SECRET_MIN;

	for (uint32_t next = *head; next; next = redactor->forms[next - 1].next)
		if (redactor->forms[next - 1].len == len && memcmp(redactor->forms[next - 1].bytes, bytes, len) == 0)
			return &redactor->forms[next - 1];
	struct form *form = BS_PUSH(redactor->forms, redactor->form_count);
	form->bytes = bs_xmemdup(bytes, len);
	form->len = len;
	form->least = half < PREFIX_MIN ? half : PREFIX_MIN;
	form->secret = redactor->secret_count - 1;
	form->next = *head;
	*head = (uint32_t)redactor->form_count;
	redactor->pairs[pair_of(bytes) / 8] |= (unsigned char)(1u << pair_of(bytes) % 8);
	return form;
}

/* What base64 makes of the secret wherever it stands: behind 0, 1 or 2 bytes of a group of three. The characters
 * that also depend on what stands before and behind are no part of the form. */
static void add_base64(struct bs_redactor *redactor, const char *secret, size_t len, const char *alphabet)
{
	for (size_t shift = 0; shift < 3; shift++) {
		struct bs_buf out = BS_BUF_INIT;
		uint32_t bits = 0;
		unsigned have = 0;
		for (size_t i = 0; i < shift + len; i++) {
			bits = (bits << 8 | (i < shift ? 0 : (unsigned char)secret[i - shift])) & 0xFFFF;
			for (have += 8; have >= 6; have -= 6)
				bs_buf_addc(&out, alphabet[bits >> (have - 6) & 63]);
		}
		size_t skip = shift ? shift + 1 : 0;
		if (out.len >= skip + SECRET_MIN) {
			struct form *form = add_form(redactor, out.data + skip, out.len - skip);
			form->base64 = true;
			form->before |= shift > 0;
			form->after |= have > 0;
		}
		bs_buf_release(&out);
	}
}

static void add_hex(struct bs_redactor *redactor, const char *secret, size_t len, const char *format)
{
	struct bs_buf out = BS_BUF_INIT;

	for (size_t i = 0; i < len; i++)
		bs_buf_addf(&out, format[0] == 'x' ? "%02x" : "%02X", (unsigned)(unsigned char)secret[i]);
	add_form(redactor, out.data, out.len);
	bs_buf_release(&out);
}

/* A log shows a key of several lines line by line. */
static void add_lines(struct bs_redactor *redactor, const char *secret, size_t len)
{
	for (size_t i = 0, n; i < len; i += n + 1) {
		const char *end = memchr(secret + i, '\n', len - i);
		n = end ? (size_t)(end - (secret + i)) : len - i;
		size_t kept = n && secret[i + n - 1] == '\r' ? n - 1 : n;
		if (n < len && kept >= LINE_MIN)
			add_form(redactor, secret + i, kept);
	}
}

/* Text is often made valid UTF-8 before it is looked through, and a secret need not be. */
static void add_cleaned(struct bs_redactor *redactor, const char *secret, size_t len)
{
	struct bs_buf clean = BS_BUF_INIT;

	if (bs_utf8_valid(secret, len))
		return;
	bs_utf8_clean(&clean, secret, len, BS_UTF8_ANY);
	add_form(redactor, clean.data, clean.len);
	bs_buf_release(&clean);
}

static bool label_char(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '.' || c == '_' || c == '-';
}

static char *marker_of(const char *label)
{
	if (!label || !*label)
		return bs_xstrdup(PLAIN_MARKER);
	char *marker = bs_xasprintf("[redacted %s]", label);
	for (char *c = marker + strlen("[redacted "); c[1]; c++)
		if (!label_char(*c))
			*c = '_';
	return marker;
}

size_t bs_redact_marker(const char *text)
{
	static const char begin[] = "[redacted";
	size_t n = sizeof begin - 1;

	if (strncmp(text, begin, n) != 0)
		return 0;
	if (text[n] == ' ')
		for (n++; label_char(text[n]); n++)
			;
	return text[n] == ']' ? n + 1 : 0;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_known(const struct bs_redactor *redactor, uint64_t hash, const char *secret, size_t len)
{
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&redactor->known, hash, &at)) != BS_MAP_NONE)
		if (strlen(redactor->secrets[i]) == len && memcmp(redactor->secrets[i], secret, len) == 0)
			return true;
	return false;
}

void bs_redactor_add(struct bs_redactor *redactor, const char *secret, const char *label)
{
	static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	while (secret && is_space(*secret))
		secret++;
	size_t len = secret ? strlen(secret) : 0;
	while (len && is_space(secret[len - 1]))
		len--;
	if (len < SECRET_MIN)
		return;
	uint64_t hash = bs_hash_bytes(secret, len).lo;
	if (is_known(redactor, hash, secret, len))
		return;
	bs_map_add(&redactor->known, hash, (uint32_t)redactor->secret_count);
	*BS_PUSH(redactor->secrets, redactor->secret_count) = bs_xmemdup(secret, len);
	*BS_PUSH(redactor->markers, redactor->marker_count) = marker_of(label);
	add_form(redactor, secret, len);
	add_cleaned(redactor, secret, len);
	add_lines(redactor, secret, len);
	add_base64(redactor, secret, len, common);
	add_base64(redactor, secret, len, url);
	add_hex(redactor, secret, len, "x");
	add_hex(redactor, secret, len, "X");
}

/* --- Finding ----------------------------------------------------------------------------------------------- */

struct scan {
	const struct bs_redactor *redactor;
	const char *text;
	size_t len;
	size_t end; /* of what the text was before its cut was made valid UTF-8 */
	enum bs_spelling spellings[BS_SPELLINGS]; /* those that occur */
	size_t spelling_count;
};

struct hit {
	size_t from, to; /* in the text; to 0: none */
	bool cut;        /* by the end of the text */
	size_t secret;
};

static const struct hit no_hit = {0};

static bool ends_with_replacement(const char *text, size_t len)
{
	return len >= 3 && memcmp(text + len - 3, "\xEF\xBF\xBD", 3) == 0;
}

static struct scan scan_of(const struct bs_redactor *redactor, const char *text)
{
	struct scan scan = {.redactor = redactor, .text = text, .len = strlen(text)};

	scan.end = scan.len;
	for (int i = 0; i < 3 && ends_with_replacement(text, scan.end); i++)
		scan.end -= 3;
	for (int s = 0; s < BS_SPELLINGS; s++)
		if (bs_spelling_occurs((enum bs_spelling)s, text, scan.end))
			scan.spellings[scan.spelling_count++] = (enum bs_spelling)s;
	return scan;
}

static bool base64_char(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("+/-_", c));
}

/* The form at text[at], together with the characters of base64 beside it that hold the rest of the secret. */
static struct hit hit_of(const struct scan *scan, const struct form *form, size_t at, size_t n)
{
	struct hit hit = {.from = at, .to = at + n, .secret = form->secret};

	if (form->base64 && form->before && at && base64_char(scan->text[at - 1]))
		hit.from--;
	if (form->base64 && form->after && hit.to < scan->end && base64_char(scan->text[hit.to])) {
		hit.to++;
		while (hit.to < scan->end && scan->text[hit.to] == '=')
			hit.to++;
	}
	if (hit.to == scan->end)
		hit.to = scan->len;
	return hit;
}

/* The form at text[at], all of it or what the end of the text left. */
static struct hit try(const struct scan *scan, enum bs_spelling spelling, const struct form *form, size_t at)
{
	const char *text = scan->text + at;
	size_t len = scan->end - at;
	size_t whole = bs_spelling_match(spelling, text, len, form->bytes, form->len, form->len);
	size_t n = whole ? whole : bs_spelling_match(spelling, text, len, form->bytes, form->len, form->least);

	if (!n)
		return no_hit;
	struct hit hit = hit_of(scan, form, at, n);
	hit.cut = !whole;
	return hit;
}

/* The longest that begins at `at`; of two that reach as far, the one that is whole. */
static struct hit hit_at(const struct scan *scan, size_t at)
{
	struct hit best = no_hit;
	char bytes[4];
	size_t count;

	for (size_t s = 0; s < scan->spelling_count; s++) {
		bs_spelling_next(scan->spellings[s], scan->text + at, scan->end - at, bytes, &count);
		uint32_t next = count ? scan->redactor->heads[(unsigned char)bytes[0]] : 0;
		while (next) {
			const struct form *form = &scan->redactor->forms[next - 1];
			struct hit hit = try(scan, scan->spellings[s], form, at);
			if (hit.to > best.to || (hit.to && hit.to == best.to && best.cut && !hit.cut))
				best = hit;
			next = form->next;
		}
	}
	return best;
}

/* Nearly every place is told by its two bytes that nothing begins there. */
static bool may_begin(const struct scan *scan, size_t at)
{
	static const bool escapes[256] = {['%'] = true, ['+'] = true, ['\\'] = true, ['&'] = true};
	const struct bs_redactor *redactor = scan->redactor;
	const char *text = scan->text + at;

	if (scan->end - at < SECRET_MIN)
		return false;
	if (escapes[(unsigned char)text[0]])
		return true;
	if (escapes[(unsigned char)text[1]])
		return redactor->heads[(unsigned char)text[0]];
	return redactor->pairs[pair_of(text) / 8] >> pair_of(text) % 8 & 1;
}

/* The next one at or behind `at`, with all that overlap it. */
static struct hit next_hit(const struct scan *scan, size_t at)
{
	struct hit hit = no_hit;

	for (; at < scan->end && !hit.to; at++)
		if (may_begin(scan, at))
			hit = hit_at(scan, at);
	for (; at < hit.to && at < scan->end; at++) {
		struct hit more = may_begin(scan, at) ? hit_at(scan, at) : no_hit;
		if (more.to > hit.to)
			hit.to = more.to;
	}
	return hit;
}

static char *without_secrets(const struct bs_redactor *redactor, const char *text)
{
	struct scan scan = scan_of(redactor, text);
	struct bs_buf out = BS_BUF_INIT;
	size_t from = 0;

	for (struct hit hit; (hit = next_hit(&scan, from)).to; from = hit.to) {
		if (hit.from > from)
			bs_buf_add(&out, text + from, hit.from - from);
		bs_buf_adds(&out, redactor->markers[hit.secret]);
	}
	bs_buf_add(&out, text + from, scan.len - from);
	return bs_buf_take(&out);
}

char *bs_redact_text(const struct bs_redactor *redactor, const char *text)
{
	if (!text)
		return NULL;
	return bs_redact_urls(redactor && redactor->form_count ? without_secrets(redactor, text) : bs_xstrdup(text));
}
