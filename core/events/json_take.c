/* Typed tokens of a JSON text, in place. See json_take.h. */
#include "json_take.h"

#include "json_scan.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int bs_take_wrong(struct bs_take *p, const char *expected)
{
	return bs_err_set(p->err, BS_EUSAGE, "'%s' takes %s", p->key, expected);
}

void bs_take_space(struct bs_take *p)
{
	p->at += bs_scan_space(p->text + p->at, p->len - p->at);
}

char bs_take_peek(struct bs_take *p)
{
	bs_take_space(p);
	return p->at < p->len ? p->text[p->at] : 0;
}

bool bs_take_char(struct bs_take *p, char c)
{
	bool yes = bs_take_peek(p) == c;

	p->at += yes;
	return yes;
}

bool bs_take_null(struct bs_take *p)
{
	bool yes = bs_take_peek(p) == 'n';

	p->at += yes ? strlen("null") : 0;
	return yes;
}

void bs_take_value(struct bs_take *p)
{
	bs_take_space(p);
	p->at += bs_scan_value(p->text + p->at, p->len - p->at);
}

char *bs_take_string(struct bs_take *p)
{
	size_t n = bs_scan_string(p->text + p->at, p->len - p->at);
	char *text = p->text + p->at + 1;

	text[bs_scan_unescape(text, n - 2)] = 0;
	p->at += n;
	return text;
}

char *bs_take_key(struct bs_take *p)
{
	bs_take_space(p);
	char *key = bs_take_string(p);
	bs_take_char(p, ':');
	return key;
}

int bs_take_text(struct bs_take *p, const char **ret_text)
{
	if (bs_take_null(p))
		*ret_text = NULL;
	else if (bs_take_peek(p) == '"')
		*ret_text = bs_take_string(p);
	else
		return bs_take_wrong(p, "a text");
	return 0;
}

int bs_take_u64(struct bs_take *p, uint64_t max, uint64_t *ret_value)
{
	if (bs_take_null(p)) {
		*ret_value = 0;
		return 0;
	}
	char *begin = p->text + p->at, *end = begin;
	size_t n = bs_scan_number(begin, p->len - p->at);
	errno = 0;
	unsigned long long value = n && *begin != '-' ? strtoull(begin, &end, 10) : 0;
	if (errno || (size_t)(end - begin) != n || !n || value > max)
		return bs_take_wrong(p, max == UINT64_MAX ? "a whole number" : "a smaller whole number");
	p->at += n;
	*ret_value = value;
	return 0;
}

int bs_take_int(struct bs_take *p, int *ret_value)
{
	bool negative = bs_take_char(p, '-');
	uint64_t value = 0;
	int r = bs_take_u64(p, (uint64_t)INT_MAX + negative, &value);

	if (r == 0)
		*ret_value = (int)(negative ? -(int64_t)value : (int64_t)value);
	return r;
}

int bs_take_u32(struct bs_take *p, uint32_t *ret_value)
{
	uint64_t value = 0;
	int r = bs_take_u64(p, UINT32_MAX, &value);

	if (r == 0)
		*ret_value = (uint32_t)value;
	return r;
}

int bs_take_bool(struct bs_take *p, bool *ret_value)
{
	char c = bs_take_peek(p);

	if (c != 't' && c != 'f' && c != 'n')
		return bs_take_wrong(p, "true or false");
	*ret_value = c == 't';
	bs_take_value(p);
	return 0;
}
