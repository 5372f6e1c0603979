/*
 * One HTTP connection to the system under test, over libcurl: keep-alive, the path as it is, no proxies
 * or netrc from the environment, only http and https, no redirects unless asked. Whatever comes back,
 * or does not, is an outcome of the step and never an error of ours: see enum bs_outcome.
 *
 * A request reaches the app at most once, unless it is safe (GET, HEAD, OPTIONS, TRACE: RFC 9110, 9.2.1).
 * libcurl by itself sends any request a second time when a kept connection ends without a byte of response;
 * a POST would then be done twice, unseen. Here that is BS_OUTCOME_CUT_OFF.
 *
 * Threads: a bs_http belongs to one thread.
 */
#ifndef BS_WORLD_HTTP_H
#define BS_WORLD_HTTP_H

#include "base/json.h"

#include <backstep/err.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BS_BODY_KEPT ((size_t)1 << 20)     /* bytes of a response body that are kept */
#define BS_BODY_MAX ((uint64_t)256 << 20)  /* a response that goes on past this is cut: BS_OUTCOME_TOO_LARGE */
#define BS_HEADERS_KEPT ((size_t)256 << 10)

struct bs_header {
	char *name; /* as sent */
	char *value;
};
struct bs_headers {
	struct bs_header *items;
	size_t count;
};
/* The first of that name, case ignored; NULL when there is none. */
const char *bs_headers_get(const struct bs_headers *headers, const char *name);
void bs_headers_add(struct bs_headers *headers, const char *name, const char *value, size_t value_len);
void bs_headers_release(struct bs_headers *headers);

enum bs_outcome {
	BS_OUTCOME_RESPONSE,    /* a complete response: status, headers, body */
	BS_OUTCOME_TIMEOUT,     /* nothing, or not all of it, within the time */
	BS_OUTCOME_REFUSED,     /* no connection: the app is not there */
	BS_OUTCOME_CUT_OFF,     /* the connection ended before the response did, or without one */
	BS_OUTCOME_MALFORMED,   /* no HTTP, or an encoding that does not decode */
	BS_OUTCOME_TOO_LARGE,   /* headers or body beyond all bounds */
	BS_OUTCOME_INTERRUPTED, /* the user asked to stop */
};
const char *bs_outcome_name(enum bs_outcome outcome); /* "response", "timeout", ... */

/* A request as sent and what came of it. */
struct bs_exchange {
	/* The request; filled by the caller, owned by the exchange. */
	char *method;
	char *url; /* absolute */
	struct bs_headers request_headers;
	char *request_body; /* NULL: none */
	size_t request_body_len;
	uint32_t timeout_ms; /* from the start to the last byte; 0: no limit */

	/* The outcome; filled by send. */
	enum bs_outcome outcome;
	char *error; /* what happened, for people; NULL for BS_OUTCOME_RESPONSE */
	int status;  /* 0 without a complete response head */
	struct bs_headers headers;
	char *body; /* NUL-terminated; at most BS_BODY_KEPT bytes; decoded; never NULL after send */
	size_t body_len;     /* bytes kept */
	uint64_t body_bytes; /* true length, decoded */
	char body_sha256[65]; /* "" while not known: ask bs_exchange_sha256() */
	uint64_t elapsed_us;
};
void bs_exchange_release(struct bs_exchange *exchange);

/* SHA-256 in hex of the whole body that came, also of what was not kept. Computed when first asked for, as most
 * bodies are small and nobody asks. Borrowed: lives as long as the exchange. */
const char *bs_exchange_sha256(struct bs_exchange *exchange);

struct bs_http;
/* stop may be NULL; when *stop becomes nonzero, a request under way ends as BS_OUTCOME_INTERRUPTED within 100 ms. */
int bs_http_new(const volatile sig_atomic_t *stop, struct bs_http **ret_http, struct bs_err *err);
void bs_http_free(struct bs_http *http);

/* Sends and waits. Only a request that cannot be sent at all (CR or LF in a header, a method or header name that
 * is no token, no http URL) is an error, BS_EINTERNAL; everything else is an outcome, and 0. The outcome of an
 * earlier send is replaced. HEAD has no request body. A header of the caller replaces the one that would be
 * sent without (Host, User-Agent, Accept, Accept-Encoding: then the body stays encoded). Trailers are dropped. */
int bs_http_send(struct bs_http *http, struct bs_exchange *exchange, struct bs_err *err);

/* Closes the kept connection: after the app was restarted. */
void bs_http_disconnect(struct bs_http *http);

#endif
