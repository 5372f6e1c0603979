/*
 * Exact numbers on top of cJSON. The text is scanned once before cJSON parses it: that checks what cJSON
 * lets pass (invalid UTF-8, control characters, numbers such as 01, too deep nesting) and remembers where
 * each number stands; then the tree is walked in the order of the text and each number gets its token.
 */
#include "json.h"

#include "buf.h"
#include "mem.h"
#include "utf8.h"

#include <backstep/err.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

struct tokens {
	const char *text;
	struct {
		size_t at, len;
	} *items;
	size_t count, next;
};

/* RFC 8259 section 6: [-] int [frac] [exp]. Returns the length of the number at text, or 0. */
static size_t number_length(const char *text, size_t len)
{
	size_t i = 0;
#define DIGIT(k) ((k) < len && text[k] >= '0' && text[k] <= '9')
	if (i < len && text[i] == '-')
		i++;
	if (!DIGIT(i))
		return 0;
	if (text[i] == '0')
		i++;
	else
		while (DIGIT(i))
			i++;
	if (DIGIT(i))
		return 0;
	if (i < len && text[i] == '.') {
		i++;
		if (!DIGIT(i))
			return 0;
		while (DIGIT(i))
			i++;
	}
	if (i < len && (text[i] == 'e' || text[i] == 'E')) {
		i++;
		if (i < len && (text[i] == '+' || text[i] == '-'))
			i++;
		if (!DIGIT(i))
			return 0;
		while (DIGIT(i))
			i++;
	}
#undef DIGIT
	return i;
}

/* Checks the string that begins at text (a quote). Returns its length with both quotes, or 0. A \u0000 is
 * refused: cJSON's strings end at NUL, and what is cut off silently would be compared wrongly. */
static size_t string_length(const char *text, size_t len)
{
	for (size_t i = 1; i < len;) {
		uint32_t c;
		size_t n = bs_utf8_next(text + i, len - i, &c);
		if (!n || c < 0x20)
			return 0;
		if (c == '"')
			return i + 1;
		if (c == '\\') {
			if (len - i >= 6 && strncmp(text + i, "\\u0000", 6) == 0)
				return 0;
			n = 2;
		}
		i += n;
	}
	return 0;
}

static int scan(struct tokens *tokens, size_t len, struct bs_err *err)
{
	const char *text = tokens->text;

	for (size_t i = 0; i < len;) {
		size_t n = 1;
		if (text[i] == '"') {
			n = string_length(text + i, len - i);
			if (!n)
				return bs_err_set(err, BS_EEXPR, "not JSON: bad string at byte %zu", i);
		} else if (text[i] == '-' || (text[i] >= '0' && text[i] <= '9')) {
			n = number_length(text + i, len - i);
			if (!n)
				return bs_err_set(err, BS_EEXPR, "not JSON: bad number at byte %zu", i);
			(void)BS_PUSH(tokens->items, tokens->count);
			tokens->items[tokens->count - 1].at = i;
			tokens->items[tokens->count - 1].len = n;
		} else if (text[i] == 0) {
			return bs_err_set(err, BS_EEXPR, "not JSON: NUL at byte %zu", i);
		}
		i += n;
	}
	return 0;
}

static void attach(cJSON *item, struct tokens *tokens)
{
	for (; item; item = item->next) {
		if (cJSON_IsNumber(item) && tokens->next < tokens->count) {
			size_t k = tokens->next++;
			item->type = cJSON_Raw;
			item->valuestring = cJSON_malloc(tokens->items[k].len + 1);
			if (!item->valuestring)
				abort();
			memcpy(item->valuestring, tokens->text + tokens->items[k].at, tokens->items[k].len);
			item->valuestring[tokens->items[k].len] = 0;
		}
		attach(item->child, tokens);
	}
}

static bool only_space(const char *text, const char *end)
{
	while (text < end && (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r'))
		text++;
	return text == end;
}

int bs_json_parse(const char *text, size_t len, cJSON **ret_json, struct bs_err *err)
{
	struct tokens tokens = {.text = text};
	const char *end = NULL;
	int r = 0;

	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) /* RFC 8259 section 8.1: a BOM may be ignored */
		return bs_json_parse(text + 3, len - 3, ret_json, err);
	if (only_space(text, text + len))
		return bs_err_set(err, BS_EEXPR, "not JSON: empty");
	r = scan(&tokens, len, err);
	if (r < 0)
		goto out;
	cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, false);
	if (!json) {
		r = bs_err_set(err, BS_EEXPR, "not JSON: unexpected text at byte %td", end ? end - text : 0);
		goto out;
	}
	if (!only_space(end, text + len)) {
		r = bs_err_set(err, BS_EEXPR, "not JSON: more text behind the value at byte %td", end - text);
		cJSON_Delete(json);
		goto out;
	}
	attach(json, &tokens);
	*ret_json = json;
out:
	free(tokens.items);
	return r;
}

enum bs_json_kind bs_json_kind(const cJSON *item)
{
	switch (item->type & 0xFF) {
	case cJSON_False:
	case cJSON_True: return BS_J_BOOL;
	case cJSON_Raw:
	case cJSON_Number: return BS_J_NUMBER;
	case cJSON_String: return BS_J_STRING;
	case cJSON_Array: return BS_J_ARRAY;
	case cJSON_Object: return BS_J_OBJECT;
	default: return BS_J_NULL; /* cJSON's types are bits, not an enum */
	}
}

const char *bs_json_kind_name(enum bs_json_kind kind)
{
	switch (kind) {
	case BS_J_NULL: return "null";
	case BS_J_BOOL: return "boolean";
	case BS_J_NUMBER: return "number";
	case BS_J_STRING: return "string";
	case BS_J_ARRAY: return "array";
	case BS_J_OBJECT: return "object";
	}
	return "?";
}

char *bs_json_print(const cJSON *item, bool pretty)
{
	char *text = pretty ? cJSON_Print(item) : cJSON_PrintUnformatted(item);

	if (!text)
		abort();
	return text;
}

const char *bs_json_token(const cJSON *number)
{
	return number->valuestring ? number->valuestring : "0";
}

bool bs_json_int(const cJSON *number, int64_t *ret_value)
{
	const char *token = bs_json_token(number);
	char *end;

	if (strpbrk(token, ".eE"))
		return false;
	errno = 0;
	long long value = strtoll(token, &end, 10);
	if (errno || *end || end == token)
		return false;
	*ret_value = value;
	return true;
}

double bs_json_real(const cJSON *number)
{
	return strtod(bs_json_token(number), NULL);
}

cJSON *bs_json_new_int(int64_t value)
{
	char token[24];

	snprintf(token, sizeof token, "%" PRId64, value);
	return cJSON_CreateRaw(token);
}

cJSON *bs_json_new_number(const char *token, size_t len)
{
	if (!len || number_length(token, len) != len)
		return bs_json_new_text(token, len);
	BS_AUTOFREE char *copy = bs_xstrndup(token, len);
	return cJSON_CreateRaw(copy);
}

cJSON *bs_json_new_real(double value)
{
	char token[40];

	if (!isfinite(value))
		return cJSON_CreateNull();
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(token, sizeof token, "%.*g", digits, value);
		if (!strpbrk(token, ".eE")) /* stays a real when it is read again */
			snprintf(token, sizeof token, "%.*g.0", digits, value);
		if (memcmp(&(double){strtod(token, NULL)}, &value, sizeof value) == 0)
			break;
	}
	return cJSON_CreateRaw(token);
}

cJSON *bs_json_new_text(const char *text, size_t len)
{
	struct bs_buf clean = BS_BUF_INIT;

	bs_utf8_clean(&clean, text, len, BS_UTF8_ANY);
	cJSON *item = cJSON_CreateString(bs_buf_text(&clean));
	bs_buf_release(&clean);
	return item;
}

static bool numbers_equal(const cJSON *a, const cJSON *b)
{
	int64_t x, y;

	if (strcmp(bs_json_token(a), bs_json_token(b)) == 0)
		return true;
	if (bs_json_int(a, &x) && bs_json_int(b, &y))
		return x == y;
	if (!strpbrk(bs_json_token(a), ".eE") && !strpbrk(bs_json_token(b), ".eE"))
		return false; /* integers beyond 64 bits: by token */
	double p = bs_json_real(a), q = bs_json_real(b);
	return p <= q && p >= q && isfinite(p); /* 1e400 and 1e500 are equal by token only */
}

static bool arrays_equal(const cJSON *a, const cJSON *b)
{
	const cJSON *x = a->child, *y = b->child;

	for (; x && y; x = x->next, y = y->next)
		if (!bs_json_equal(x, y))
			return false;
	return !x && !y;
}

static bool objects_equal(const cJSON *a, const cJSON *b)
{
	if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b))
		return false;
	for (const cJSON *x = a->child; x; x = x->next) {
		const cJSON *y = cJSON_GetObjectItemCaseSensitive(b, x->string);
		if (!y || !bs_json_equal(x, y))
			return false;
	}
	return true;
}

bool bs_json_equal(const cJSON *a, const cJSON *b)
{
	enum bs_json_kind kind = bs_json_kind(a);

	if (kind != bs_json_kind(b))
		return false;
	switch (kind) {
	case BS_J_NULL: return true;
	case BS_J_BOOL: return cJSON_IsTrue(a) == cJSON_IsTrue(b);
	case BS_J_NUMBER: return numbers_equal(a, b);
	case BS_J_STRING: return strcmp(a->valuestring, b->valuestring) == 0;
	case BS_J_ARRAY: return arrays_equal(a, b);
	case BS_J_OBJECT: return objects_equal(a, b);
	}
	return false;
}
