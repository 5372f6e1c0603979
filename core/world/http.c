/*
 * Requests over libcurl, one at a time. The transfer is driven through the multi interface, which is what
 * curl_easy_perform does inside as well: it costs nothing, and lets us look at the stop flag ten times a
 * second and close the kept connection when the app was restarted.
 *
 * Everything that the app sends is counted before it is kept. What libcurl reports is folded into
 * enum bs_outcome in one place, outcome_of(). See http.h.
 */
#include "http.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/now.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#define POLL_MS 50
#define RECEIVE_BYTES (64L << 10)
/* Idle connections older than this are not used again: servers close theirs after some seconds, and a request
 * sent just then would look cut off. */
#define IDLE_SECONDS 1L

struct bs_http {
	CURLM *multi;
	CURL *easy;
	const volatile sig_atomic_t *stop;
	char message[CURL_ERROR_SIZE];

	/* Of the request under way. */
	struct bs_exchange *exchange;
	struct curl_slist *list;
	struct bs_buf body;        /* what is kept; the memory stays for the next one */
	struct bs_sha256 *sha;     /* only when the body is larger than what is kept */
	size_t header_bytes;
	int line_status;           /* of the status line seen last */
	unsigned sent;             /* how often the request went out */
	bool head_started, head_done;
	bool too_large, interrupted;
	const char *bad_head;      /* what is wrong with the response head, for people */
	bool safe;
};

static bool stopped(const struct bs_http *http)
{
	return http->stop && *http->stop;
}

/* Response head. */

static void begin_head(struct bs_http *http, const char *line)
{
	const char *space = strchr(line, ' ');

	http->line_status = space ? (int)strtol(space, NULL, 10) : 0;
	http->head_started = true;
	bs_headers_release(&http->exchange->headers); /* what a 1xx carried belongs to nobody */
}

static void end_head(struct bs_http *http)
{
	bool interim = http->line_status >= 100 && http->line_status < 200 && http->line_status != 101;

	http->head_started = false;
	if (interim)
		return;
	if (http->line_status < 100)
		http->bad_head = "no status code (100 to 999) in the status line";
	http->head_done = true;
	http->exchange->status = http->line_status;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A line that begins with a blank continues the value before (RFC 9112, 5.2): one space stands for the fold. */
static bool continue_header(struct bs_headers *headers, const char *text, size_t len)
{
	if (headers->count == 0)
		return false;
	struct bs_header *last = &headers->items[headers->count - 1];
	size_t old_len = strlen(last->value);
	last->value = bs_xrealloc(last->value, old_len + len + 2, 1);
	last->value[old_len] = ' ';
	memcpy(last->value + old_len + 1, text, len);
	last->value[old_len + 1 + len] = 0;
	return true;
}

static bool add_header(struct bs_headers *headers, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	bool folded = is_blank(line[0]);

	if (!folded && (!colon || colon == line))
		return false;
	const char *value = folded ? line : colon + 1;
	size_t value_len = len - (size_t)(value - line);
	while (value_len && is_blank(*value))
		value++, value_len--;
	while (value_len && is_blank(value[value_len - 1]))
		value_len--;
	if (folded)
		return continue_header(headers, value, value_len);
	BS_AUTOFREE char *name = bs_xstrndup(line, (size_t)(colon - line));
	bs_headers_add(headers, name, value, value_len);
	return true;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct bs_http *http = ctx;
	size_t total = size * count, len = total;

	http->header_bytes += total;
	if (http->header_bytes > BS_HEADERS_KEPT) {
		http->too_large = true;
		return 0;
	}
	while (len && (data[len - 1] == '\n' || data[len - 1] == '\r'))
		len--;
	if (http->head_done)
		return total; /* a trailer */
	if (!http->head_started) {
		BS_AUTOFREE char *line = bs_xstrndup(data, len);
		begin_head(http, line);
	} else if (len == 0) {
		end_head(http);
	} else if (!add_header(&http->exchange->headers, data, len)) {
		http->bad_head = "a header line without a name and a colon";
	}
	return http->bad_head ? 0 : total;
}

/* Response body. */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct bs_http *http = ctx;
	struct bs_exchange *x = http->exchange;
	size_t len = size * count, room = BS_BODY_KEPT - http->body.len;

	if (stopped(http)) { /* what is decompressed from one read may take longer than a user waits */
		http->interrupted = true;
		return CURL_WRITEFUNC_ERROR;
	}
	x->body_bytes += len;
	if (x->body_bytes > BS_BODY_MAX) {
		http->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (len > room && !http->sha) {
		http->sha = bs_sha256_new();
		bs_sha256_add(http->sha, bs_buf_text(&http->body), http->body.len);
	}
	if (http->sha)
		bs_sha256_add(http->sha, data, len);
	bs_buf_add(&http->body, data, len < room ? len : room);
	return len;
}

/* Called before each time that the request goes out. */
static int on_send(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
	struct bs_http *http = ctx;

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	http->sent++;
	return http->sent > 1 && !http->safe ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* Request. */

static bool is_token(const char *text)
{
	static const char others[] = "!#$%&'*+-.^_`|~0123456789"
				     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return text && *text && text[strspn(text, others)] == 0;
}

static bool is_http_url(const char *url)
{
	if (!url || (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0))
		return false;
	for (const unsigned char *p = (const unsigned char *)url; *p; p++)
		if (*p <= ' ' || *p == 0x7f)
			return false;
	return true;
}

static int check_request(const struct bs_exchange *x, struct bs_err *err)
{
	if (!is_token(x->method))
		return bs_err_set(err, BS_EINTERNAL, "no HTTP method: '%s'", x->method ? x->method : "");
	if (!is_http_url(x->url))
		return bs_err_set(err, BS_EINTERNAL, "no http URL: '%s'", x->url ? x->url : "");
	for (size_t i = 0; i < x->request_headers.count; i++) {
		const struct bs_header *header = &x->request_headers.items[i];
		if (!is_token(header->name))
			return bs_err_set(err, BS_EINTERNAL, "no name of a header: '%s'", header->name);
		if (header->value[strcspn(header->value, "\r\n")])
			return bs_err_set(err, BS_EINTERNAL, "line break in the header '%s'", header->name);
	}
	return 0;
}

static void add_line(struct bs_http *http, const char *line)
{
	struct curl_slist *list = curl_slist_append(http->list, line);

	if (!list)
		abort();
	http->list = list;
}

static void set_headers(struct bs_http *http, const struct bs_exchange *x)
{
	for (size_t i = 0; i < x->request_headers.count; i++) {
		const struct bs_header *header = &x->request_headers.items[i];
		bool blank = header->value[strspn(header->value, " \t")] == 0;
		/* "Name:" would mean to libcurl that the header is not to be sent. */
		BS_AUTOFREE char *line = blank ? bs_xasprintf("%s;", header->name)
					       : bs_xasprintf("%s: %s", header->name, header->value);
		add_line(http, line);
	}
	if (!bs_headers_get(&x->request_headers, "Content-Type"))
		add_line(http, "Content-Type:");
	if (!bs_headers_get(&x->request_headers, "Expect"))
		add_line(http, "Expect:");
	bool decode = !bs_headers_get(&x->request_headers, "Accept-Encoding");
	curl_easy_setopt(http->easy, CURLOPT_ACCEPT_ENCODING, decode ? "" : NULL);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->list);
}

/* Methods that give a body a meaning say "Content-Length: 0" when there is none (RFC 9110, 8.6). */
static bool expects_body(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static bool is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0 ||
	       strcmp(method, "TRACE") == 0;
}

static void set_method_and_body(struct bs_http *http, const struct bs_exchange *x)
{
	CURL *easy = http->easy;

	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* also undoes NOBODY and POST of the request before */
	if (strcmp(x->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (x->request_body || expects_body(x->method)) {
		curl_off_t len = x->request_body ? (curl_off_t)x->request_body_len : 0;
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, x->request_body ? x->request_body : "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, x->method);
}

static void set_request(struct bs_http *http, const struct bs_exchange *x)
{
	long timeout_ms = (long)x->timeout_ms;

	curl_easy_setopt(http->easy, CURLOPT_URL, x->url);
	curl_easy_setopt(http->easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	set_method_and_body(http, x);
	set_headers(http, x);
}

/* Transfer. */

/* False when the user asked to stop; else ret_code says how the transfer ended. */
static bool transfer(struct bs_http *http, CURLcode *ret_code)
{
	int running = 1, left;

	for (;;) {
		if (stopped(http))
			return false;
		if (curl_multi_perform(http->multi, &running) != CURLM_OK) {
			*ret_code = CURLE_FAILED_INIT;
			return true;
		}
		if (!running)
			break;
		curl_multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
	}
	const CURLMsg *message = curl_multi_info_read(http->multi, &left);
	*ret_code = message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
	return true;
}

/* libcurl says CURLE_RECV_ERROR for chunks that are none, too; only for a broken connection does the system have
 * an error. Under TLS it has none in either case: then the connection is blamed. */
static bool is_bad_chunk(const struct bs_http *http)
{
	long os_error = 0;

	curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_error);
	return http->head_done && os_error == 0 && strncasecmp(http->exchange->url, "https:", 6) != 0;
}

static enum bs_outcome outcome_of(const struct bs_http *http, CURLcode code)
{
	if (http->interrupted)
		return BS_OUTCOME_INTERRUPTED;
	if (http->too_large)
		return BS_OUTCOME_TOO_LARGE;
	if (http->bad_head)
		return BS_OUTCOME_MALFORMED;
	/* Some CURLcodes have come and some have gone; -Wswitch-enum would ask for all hundred. */
	switch ((int)code) {
	case CURLE_OK:
		return http->head_done ? BS_OUTCOME_RESPONSE : BS_OUTCOME_CUT_OFF;
	case CURLE_OPERATION_TIMEDOUT:
		return BS_OUTCOME_TIMEOUT;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		/* When the request had gone out before, the app was there and ended while at it. */
		return http->sent ? BS_OUTCOME_CUT_OFF : BS_OUTCOME_REFUSED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return BS_OUTCOME_REFUSED;
	case CURLE_RECV_ERROR:
		return is_bad_chunk(http) ? BS_OUTCOME_MALFORMED : BS_OUTCOME_CUT_OFF;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_ABORTED_BY_CALLBACK: /* on_send(), the only one that aborts without a flag */
	case CURLE_AGAIN:
		return BS_OUTCOME_CUT_OFF;
	case CURLE_OUT_OF_MEMORY: /* a single header line over libcurl's own limit of 100 KiB */
#if LIBCURL_VERSION_NUM >= 0x080600
	case CURLE_TOO_LARGE:
#endif
		return BS_OUTCOME_TOO_LARGE;
	}
	return BS_OUTCOME_MALFORMED;
}

/* What libcurl says, but for texts that differ from run to run (ports, milliseconds) or say less than we know. */
static char *describe(const struct bs_http *http, CURLcode code)
{
	long os_error = 0;

	curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_error);
	if (http->bad_head)
		return bs_xstrdup(http->bad_head);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return bs_xstrdup("the kept connection ended without a response");
	if (code == CURLE_COULDNT_CONNECT && os_error)
		return bs_xasprintf("cannot connect: %s", strerror((int)os_error));
	return bs_xstrdup(http->message[0] ? http->message : curl_easy_strerror(code));
}

static char *error_text(const struct bs_http *http, enum bs_outcome outcome, CURLcode code)
{
	switch (outcome) {
	case BS_OUTCOME_RESPONSE:
		return NULL;
	case BS_OUTCOME_TIMEOUT:
		if (http->exchange->timeout_ms)
			return bs_xasprintf("no complete response within %u ms", http->exchange->timeout_ms);
		break;
	case BS_OUTCOME_CUT_OFF:
		if (http->head_started)
			return bs_xstrdup("the connection ended in the middle of the response head");
		break;
	case BS_OUTCOME_TOO_LARGE:
		return http->head_done ? bs_xasprintf("more than %llu bytes of body", (unsigned long long)BS_BODY_MAX)
				       : bs_xasprintf("more than %zu bytes of headers", BS_HEADERS_KEPT);
	case BS_OUTCOME_INTERRUPTED:
		return bs_xstrdup("interrupted");
	case BS_OUTCOME_REFUSED:
	case BS_OUTCOME_MALFORMED:
		break;
	}
	return describe(http, code);
}

static void begin_exchange(struct bs_http *http, struct bs_exchange *x)
{
	free(x->error);
	free(x->body);
	bs_headers_release(&x->headers);
	x->error = x->body = NULL;
	x->body_len = 0;
	x->body_bytes = x->elapsed_us = 0;
	x->body_sha256[0] = 0;
	x->status = 0;
	http->exchange = x;
	http->header_bytes = 0;
	http->line_status = 0;
	http->sent = 0;
	http->head_started = http->head_done = http->too_large = http->interrupted = false;
	http->bad_head = NULL;
	http->safe = is_safe(x->method);
	http->message[0] = 0;
	bs_buf_clear(&http->body);
}

static void end_exchange(struct bs_http *http, struct bs_exchange *x)
{
	x->body_len = http->body.len;
	x->body = bs_xmemdup(bs_buf_text(&http->body), x->body_len);
	if (http->sha)
		bs_sha256_end(http->sha, x->body_sha256);
	http->sha = NULL;
	curl_slist_free_all(http->list);
	http->list = NULL;
	http->exchange = NULL;
}

int bs_http_send(struct bs_http *http, struct bs_exchange *exchange, struct bs_err *err)
{
	CURLcode code = CURLE_OK;
	int r = check_request(exchange, err);

	if (r < 0)
		return r;
	begin_exchange(http, exchange);
	set_request(http, exchange);
	uint64_t start_us = bs_now_us();
	curl_multi_add_handle(http->multi, http->easy);
	bool ended = transfer(http, &code);
	curl_multi_remove_handle(http->multi, http->easy);
	exchange->elapsed_us = bs_now_us() - start_us;
	exchange->outcome = ended ? outcome_of(http, code) : BS_OUTCOME_INTERRUPTED;
	exchange->error = error_text(http, exchange->outcome, code);
	end_exchange(http, exchange);
	if (ended && (code == CURLE_URL_MALFORMAT || code == CURLE_FAILED_INIT))
		return bs_err_set(err, BS_EINTERNAL, "cannot send to '%s': %s", exchange->url, exchange->error);
	return 0;
}

/* Lifecycle. */

static void init_curl(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

static void set_constants(struct bs_http *http)
{
	CURL *easy = http->easy;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_SECONDS);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "backstep/" BS_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->message);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, http);
}

int bs_http_new(const volatile sig_atomic_t *stop, struct bs_http **ret_http, struct bs_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct bs_http *http = bs_xcalloc(1, sizeof *http);

	pthread_once(&once, init_curl);
	http->stop = stop;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	bs_buf_init(&http->body, BS_BODY_KEPT);
	if (!http->multi || !http->easy) {
		bs_http_free(http);
		return bs_err_set(err, BS_EINTERNAL, "libcurl cannot be set up");
	}
	set_constants(http);
	*ret_http = http;
	return 0;
}

void bs_http_free(struct bs_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	bs_buf_release(&http->body);
	free(http);
}

void bs_http_disconnect(struct bs_http *http)
{
	/* The kept connections are the multi handle's. */
	CURLM *multi = curl_multi_init();

	if (!multi)
		abort();
	curl_multi_cleanup(http->multi);
	http->multi = multi;
}
