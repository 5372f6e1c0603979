/*
 * What a request and its response are made of, apart from the network: so that whoever compares, prints
 * or shrinks them needs no libcurl. See http.h.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "world/http.h"

#include <strings.h>

_Static_assert(sizeof((struct bs_exchange *)0)->body_sha256 == BS_SHA256_HEX, "a digest in hex fits");

const char *bs_headers_get(const struct bs_headers *headers, const char *name)
{
	for (size_t i = 0; i < headers->count; i++)
		if (strcasecmp(headers->items[i].name, name) == 0)
			return headers->items[i].value;
	return NULL;
}

void bs_headers_add(struct bs_headers *headers, const char *name, const char *value, size_t value_len)
{
	struct bs_header *header = BS_PUSH(headers->items, headers->count);

	header->name = bs_xstrdup(name);
	header->value = bs_xstrndup(value, value_len);
}

void bs_headers_release(struct bs_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		free(headers->items[i].name);
		free(headers->items[i].value);
	}
	free(headers->items);
	*headers = (struct bs_headers){0};
}

const char *bs_outcome_name(enum bs_outcome outcome)
{
	switch (outcome) {
	case BS_OUTCOME_RESPONSE:
		return "response";
	case BS_OUTCOME_TIMEOUT:
		return "timeout";
	case BS_OUTCOME_REFUSED:
		return "refused";
	case BS_OUTCOME_CUT_OFF:
		return "cut-off";
	case BS_OUTCOME_MALFORMED:
		return "malformed";
	case BS_OUTCOME_TOO_LARGE:
		return "too-large";
	case BS_OUTCOME_INTERRUPTED:
		return "interrupted";
	}
	return "unknown";
}

const char *bs_exchange_sha256(struct bs_exchange *exchange)
{
	/* A body that was not kept whole was hashed as it came, so the text is there already. */
	if (!exchange->body_sha256[0])
		bs_sha256_hex(exchange->body, exchange->body_len, exchange->body_sha256);
	return exchange->body_sha256;
}

void bs_exchange_release(struct bs_exchange *exchange)
{
	if (!exchange)
		return;
	free(exchange->method);
	free(exchange->url);
	bs_headers_release(&exchange->request_headers);
	free(exchange->request_body);
	free(exchange->error);
	bs_headers_release(&exchange->headers);
	free(exchange->body);
	*exchange = (struct bs_exchange){0};
}
