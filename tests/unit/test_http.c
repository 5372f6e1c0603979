/*
 * Whatever a server does, or does not, is a defined outcome and ends. The server here is a thread on a raw
 * socket that plays one hostile script for each connection, one connection after the other.
 */
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "world/app.h"
#include "world/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the three above first */
#include <cmocka.h>

#define PATIENT_MS 60000u /* no test waits for this unless it fails */
#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK_AB OK_HEAD "Content-Length: 2\r\n\r\nab"

/* The server. */

struct server;
/* Plays on one connection; the server closes it after. */
typedef void play_fn(struct server *server, int fd);

struct server {
	play_fn *play;
	const char *text; /* what the scripts send, where they send a fixed text */
	size_t text_len;
	int listener;
	pthread_t thread, client; /* client: who made the server */
	char base[64]; /* http://127.0.0.1:port */

	/* Of the thread, until it is joined. */
	struct bs_buf received;
	int connections, requests;
};

static bool send_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t sent = send(fd, p, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		p += sent;
		len -= (size_t)sent;
	}
	return true;
}

static bool send_text(int fd, const char *text)
{
	return send_all(fd, text, strlen(text));
}

/* Reads one request whole; false when the client closed instead. */
static bool read_request(struct server *server, int fd)
{
	size_t start = server->received.len, need = 0;
	char chunk[16384];

	for (;;) {
		const char *text = bs_buf_text(&server->received) + start;
		const char *end = strstr(text, "\r\n\r\n");
		const char *length = strcasestr(text, "\r\nContent-Length: ");
		if (end && !need)
			need = (size_t)(end + 4 - text) + (length && length < end ? strtoul(length + 18, NULL, 10) : 0);
		if (need && server->received.len - start >= need)
			break;
		ssize_t got = recv(fd, chunk, sizeof chunk, 0);
		if (got <= 0)
			return false;
		bs_buf_add(&server->received, chunk, (size_t)got);
	}
	server->requests++;
	return true;
}

static void wait_until_closed(int fd)
{
	char chunk[4096];

	while (recv(fd, chunk, sizeof chunk, 0) > 0)
		;
}

static void *serve(void *ctx)
{
	struct server *server = ctx;
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		server->connections++;
		server->play(server, fd);
		close(fd);
	}
	return NULL;
}

static void server_start(struct server *server, play_fn *play, const char *text, size_t text_len)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;

	*server = (struct server){.play = play, .text = text, .text_len = text_len, .client = pthread_self()};
	bs_buf_init(&server->received, BS_BUF_UNBOUNDED);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->listener, 16), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
	snprintf(server->base, sizeof server->base, "http://127.0.0.1:%u", ntohs(address.sin_port));
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* The clients are gone already; after this the counts may be read. */
static void server_stop(struct server *server)
{
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
}

/* Scripts. */

static void play_text_once(struct server *server, int fd)
{
	if (read_request(server, fd))
		send_all(fd, server->text, server->text_len);
}

static void play_text_and_stay(struct server *server, int fd)
{
	if (read_request(server, fd) && send_all(fd, server->text, server->text_len))
		wait_until_closed(fd);
}

static void play_text_always(struct server *server, int fd)
{
	while (read_request(server, fd) && send_all(fd, server->text, server->text_len))
		;
}

static void play_reset(struct server *server, int fd)
{
	play_text_once(server, fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
}

/* Two requests come in on the kept connection; the second is read, and not answered. */
static void play_close_on_second(struct server *server, int fd)
{
	if (read_request(server, fd) && send_text(fd, OK_AB) && server->connections == 1)
		read_request(server, fd);
}

static void play_endless(struct server *server, int fd)
{
	if (!read_request(server, fd))
		return;
	send_text(fd, OK_HEAD);
	while (send_all(fd, server->text, server->text_len))
		;
}

static void play_drip(struct server *server, int fd)
{
	if (!read_request(server, fd))
		return;
	send_text(fd, OK_HEAD "Content-Length: 100000\r\n\r\n");
	while (send_text(fd, "x"))
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* "a", 258 bytes further back over and over: a stream in deflate's fixed code (RFC 1951, 3.2.6) that grows
 * 158-fold, written down by hand, as the test needs no zlib otherwise. */
static size_t make_bomb(char *out, size_t size)
{
	static const char header[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";
	static const char start[] = "110" "10010001"; /* last block, fixed code; the literal 'a' */
	static const char repeat[] = "11000101" "00000"; /* length 258, distance 1 */
	size_t used = sizeof header - 1, bits = 0, total = (size - used) * 8;

	memset(out, 0, size);
	memcpy(out, header, used);
	for (const char *p = start; bits < total; bits++) {
		if (*p++ == '1')
			out[used + bits / 8] = (char)(out[used + bits / 8] | 1 << bits % 8);
		p = *p ? p : repeat;
	}
	return size;
}

static void play_bomb(struct server *server, int fd)
{
	const size_t size = (size_t)2 << 20;
	BS_AUTOFREE char *bomb = bs_xmalloc(size);

	if (!read_request(server, fd))
		return;
	send_text(fd, OK_HEAD "Content-Encoding: gzip\r\n\r\n");
	send_all(fd, bomb, make_bomb(bomb, size));
}

/* Asking to stop, as Ctrl-C does: a signal to the thread that waits. */
static volatile sig_atomic_t stop;

static void on_stop(int number)
{
	(void)number;
	stop = 1;
}

static void play_interrupt(struct server *server, int fd)
{
	if (!read_request(server, fd))
		return;
	pthread_kill(server->client, SIGUSR1);
	wait_until_closed(fd);
}

static void play_interrupt_while_sending(struct server *server, int fd)
{
	if (!read_request(server, fd))
		return;
	send_text(fd, OK_HEAD "Content-Length: 100000000000\r\n\r\n");
	for (int sent = 0; send_all(fd, server->text, server->text_len); sent++)
		if (sent == 1000)
			pthread_kill(server->client, SIGUSR1);
}

/* The client. */

static struct bs_http *new_http(void)
{
	struct bs_http *http = NULL;

	stop = 0;
	assert_int_equal(bs_http_new(&stop, &http, NULL), 0);
	return http;
}

static void prepare(struct bs_exchange *x, const char *method, const char *base, const char *path)
{
	*x = (struct bs_exchange){.method = bs_xstrdup(method), .timeout_ms = PATIENT_MS};
	x->url = bs_xasprintf("%s%s", base, path);
}

static void set_body(struct bs_exchange *x, const void *data, size_t len)
{
	x->request_body = bs_xmemdup(data, len);
	x->request_body_len = len;
}

/* What holds for every outcome. */
static void send_it(struct bs_http *http, struct bs_exchange *x)
{
	struct bs_err err = BS_ERR_INIT;

	if (bs_http_send(http, x, &err) < 0)
		fail_msg("%s", bs_err_text(&err));
	assert_non_null(x->body);
	assert_int_equal(x->body[x->body_len], 0);
	assert_true(x->body_len <= BS_BODY_KEPT);
	assert_true(x->body_bytes >= x->body_len);
	assert_int_equal(x->error == NULL, x->outcome == BS_OUTCOME_RESPONSE);
}

/* One request to a server that plays this; the exchange is the caller's. */
static void ask(play_fn *play, const char *text, size_t text_len, struct bs_exchange *x)
{
	struct server server;
	struct bs_http *http = new_http();

	server_start(&server, play, text, text_len);
	BS_AUTOFREE char *path = x->url;
	x->url = bs_xasprintf("%s%s", server.base, path);
	send_it(http, x);
	bs_http_free(http);
	server_stop(&server);
	bs_buf_release(&server.received);
}

static struct bs_exchange get(void)
{
	struct bs_exchange x;

	prepare(&x, "GET", "", "/");
	return x;
}

/* Responses of all kinds. */

struct canned {
	const char *text;
	size_t len;
	enum bs_outcome outcome;
	int status;
	const char *body, *error; /* error: NULL where libcurl words it */
};
#define TEXT(literal) (literal), sizeof(literal) - 1

static const struct canned cases[] = {
	{TEXT(OK_AB), BS_OUTCOME_RESPONSE, 200, "ab", NULL},
	{TEXT("HTTP/1.1 200 OK\nContent-Length: 2\n\nab"), BS_OUTCOME_RESPONSE, 200, "ab", NULL},
	{TEXT(OK_HEAD "\r\nto the end"), BS_OUTCOME_RESPONSE, 200, "to the end", NULL},
	{TEXT("HTTP/1.0 404 No\r\n\r\nx"), BS_OUTCOME_RESPONSE, 404, "x", NULL},
	{TEXT("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), BS_OUTCOME_RESPONSE, 999, "", NULL},
	{TEXT("HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nab"), BS_OUTCOME_RESPONSE, 204, "", NULL},
	{TEXT("HTTP/1.1 100 Go on\r\nX: 1\r\n\r\n" OK_AB), BS_OUTCOME_RESPONSE, 200, "ab", NULL},
	{TEXT("HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\nab"), BS_OUTCOME_RESPONSE, 101, "ab", NULL},
	{TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nTrailer: 1\r\n\r\n"), BS_OUTCOME_RESPONSE, 200,
	 "ab", NULL},
	{TEXT(OK_HEAD "Content-Length: 2\r\n\r\nabcdef"), BS_OUTCOME_RESPONSE, 200, "ab", NULL}, /* too short */
	{TEXT(""), BS_OUTCOME_CUT_OFF, 0, "", NULL},
	{TEXT("HTTP/1.1 2"), BS_OUTCOME_CUT_OFF, 0, "", NULL},
	{TEXT(OK_HEAD "Content-Le"), BS_OUTCOME_CUT_OFF, 0, "",
	 "the connection ended in the middle of the response head"},
	{TEXT(OK_HEAD "Content-Length: 3\r\n"), BS_OUTCOME_CUT_OFF, 0, "",
	 "the connection ended in the middle of the response head"},
	{TEXT("HTTP/1.1 100 Go on\r\n\r\n"), BS_OUTCOME_CUT_OFF, 0, "", NULL},
	{TEXT(OK_HEAD "Content-Length: 9\r\n\r\nabc"), BS_OUTCOME_CUT_OFF, 200, "abc", NULL}, /* too long */
	{TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n9\r\nabc"), BS_OUTCOME_CUT_OFF, 200, "abc", NULL},
	{TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), BS_OUTCOME_CUT_OFF, 200, "abc", NULL},
	{TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nno chunk\r\n"), BS_OUTCOME_MALFORMED, 200, "", NULL},
	{TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n"), BS_OUTCOME_MALFORMED, 200, "abc",
	 NULL},
	{TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nab"), BS_OUTCOME_MALFORMED, 200, "",
	 NULL},
	{TEXT("SSH-2.0-Server\r\n"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT("<html>HTTP/0.9</html>"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT("HTTP/1.1 abc\r\n\r\n"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT("HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nab"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT("HTTP/7.3 200 OK\r\n\r\n"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT(OK_HEAD "no colon\r\n\r\n"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT(OK_HEAD ": no name\r\n\r\n"), BS_OUTCOME_MALFORMED, 0, "", "a header line without a name and a colon"},
	{TEXT(OK_HEAD "X: a\0b\r\n\r\n"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT(OK_HEAD "Content-Length: -1\r\n\r\nab"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT(OK_HEAD "Content-Length: two\r\n\r\nab"), BS_OUTCOME_MALFORMED, 0, "", NULL},
	{TEXT(OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde"), BS_OUTCOME_MALFORMED, 200, "", NULL},
	{TEXT(OK_HEAD "Content-Encoding: unheard-of\r\nContent-Length: 2\r\n\r\nab"), BS_OUTCOME_MALFORMED, 200, "",
	 NULL},
};

static void every_response_has_its_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_exchange x = get();
		ask(play_text_once, cases[i].text, cases[i].len, &x);
		if (x.outcome != cases[i].outcome || x.status != cases[i].status || strcmp(x.body, cases[i].body) != 0)
			fail_msg("'%s': %s %d '%s' (%s)", cases[i].text, bs_outcome_name(x.outcome), x.status, x.body,
				 x.error ? x.error : "");
		if (cases[i].error)
			assert_string_equal(x.error, cases[i].error);
		bs_exchange_release(&x);
	}
}

static void a_reset_connection_is_cut_off(void **state)
{
	static const struct canned resets[] = {
		{TEXT(""), BS_OUTCOME_CUT_OFF, 0, "", NULL},
		{TEXT(OK_HEAD "Content-Length: 9\r\n\r\n"), BS_OUTCOME_CUT_OFF, 200, "", NULL},
		{TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n9\r\n"), BS_OUTCOME_CUT_OFF, 200, "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(resets); i++) {
		struct bs_exchange x = get();
		ask(play_reset, resets[i].text, resets[i].len, &x);
		assert_int_equal(x.outcome, BS_OUTCOME_CUT_OFF);
		bs_exchange_release(&x);
	}
}

static void bytes_of_a_body_come_as_they_are(void **state)
{
	static const char text[] = OK_HEAD "Content-Length: 9\r\nX-Odd: \xff\x01\x1b[31m\r\n\r\n\0\x01\xff\xfe\x1b[2J\0";
	struct bs_exchange x = get();

	(void)state;
	ask(play_text_once, text, sizeof text - 1, &x);
	assert_int_equal(x.outcome, BS_OUTCOME_RESPONSE);
	assert_int_equal(x.body_len, 9);
	assert_memory_equal(x.body, text + sizeof text - 1 - 9, 9);
	assert_string_equal(bs_headers_get(&x.headers, "x-odd"), "\xff\x01\x1b[31m");
	bs_exchange_release(&x);
}

static void headers_are_kept_in_order_and_found_whatever_their_case(void **state)
{
	static const char text[] = "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n" OK_HEAD
				   "X-A: \t one  \r\nx-a: two\r\nX-Folded: a\r\n\t b\r\n  c\r\nX-Empty:\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n";
	struct bs_exchange x = get();

	(void)state;
	ask(play_text_once, text, sizeof text - 1, &x);
	assert_int_equal(x.headers.count, 5);
	assert_string_equal(bs_headers_get(&x.headers, "X-A"), "one");
	assert_string_equal(x.headers.items[1].name, "x-a");
	assert_string_equal(x.headers.items[1].value, "two");
	assert_string_equal(bs_headers_get(&x.headers, "x-FOLDED"), "a b c");
	assert_string_equal(bs_headers_get(&x.headers, "X-Empty"), "");
	assert_null(bs_headers_get(&x.headers, "X-Early"));
	assert_null(bs_headers_get(&x.headers, "X-Trailer"));
	bs_exchange_release(&x);
}

/* Responses without measure. */

static void of_a_large_body_the_beginning_length_and_hash_are_kept(void **state)
{
	static const size_t sizes[] = {BS_BODY_KEPT - 1, BS_BODY_KEPT, BS_BODY_KEPT + 1, 3 * BS_BODY_KEPT + 12345};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(sizes); i++) {
		struct bs_buf text = BS_BUF_INIT;
		struct bs_exchange x = get();
		char sha256[BS_SHA256_HEX];
		bs_buf_addf(&text, OK_HEAD "Content-Length: %zu\r\n\r\n", sizes[i]);
		size_t head = text.len;
		for (size_t n = 0; n < sizes[i]; n++)
			bs_buf_addc(&text, (char)(n * 7 + n / 1000));
		ask(play_text_once, text.data, text.len, &x);
		assert_int_equal(x.outcome, BS_OUTCOME_RESPONSE);
		assert_int_equal(x.body_bytes, sizes[i]);
		assert_int_equal(x.body_len, sizes[i] < BS_BODY_KEPT ? sizes[i] : BS_BODY_KEPT);
		assert_memory_equal(x.body, text.data + head, x.body_len);
		bs_sha256_hex(text.data + head, sizes[i], sha256);
		assert_string_equal(bs_exchange_sha256(&x), sha256);
		bs_exchange_release(&x);
		bs_buf_release(&text);
	}
}

static void what_never_ends_is_cut(void **state)
{
	static const struct {
		const char *repeated;
		int status;
		const char *error;
	} endless[] = {
		{"X-Header: some value\r\n", 0, "more than 262144 bytes of headers"},
		{"one line without an end", 0, "more than 262144 bytes of headers"},
		{"\r\nHTTP/1.1 100 Go on\r\n", 200, "more than 268435456 bytes of body"}, /* a body: 200 came first */
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(endless); i++) {
		BS_AUTOFREE char *text = bs_xcalloc(1, 100001);
		size_t len = strlen(endless[i].repeated), used = 0;
		for (; used + len <= 100000; used += len)
			memcpy(text + used, endless[i].repeated, len);
		struct bs_exchange x = get();
		ask(play_endless, text, used, &x);
		assert_int_equal(x.outcome, BS_OUTCOME_TOO_LARGE);
		assert_int_equal(x.status, endless[i].status);
		assert_string_equal(x.error, endless[i].error);
		bs_exchange_release(&x);
	}
}

static void a_flood_of_interim_responses_is_cut(void **state)
{
	struct bs_buf text = BS_BUF_INIT;
	struct bs_exchange x = get();

	(void)state;
	for (int i = 0; i < 20000; i++)
		bs_buf_adds(&text, "HTTP/1.1 100 Go on\r\nX: 1\r\n\r\n");
	bs_buf_adds(&text, OK_AB);
	ask(play_text_once, text.data, text.len, &x);
	assert_int_equal(x.outcome, BS_OUTCOME_TOO_LARGE);
	assert_int_equal(x.status, 0);
	bs_exchange_release(&x);
	bs_buf_release(&text);
}

static void a_decompression_bomb_is_cut(void **state)
{
	struct bs_exchange x = get();

	(void)state;
	ask(play_bomb, NULL, 0, &x);
	assert_int_equal(x.outcome, BS_OUTCOME_TOO_LARGE);
	assert_int_equal(x.status, 200);
	assert_int_equal(x.body_len, BS_BODY_KEPT);
	assert_memory_equal(x.body, "aaaaaaaa", 8);
	assert_int_equal(strlen(bs_exchange_sha256(&x)), 64);
	bs_exchange_release(&x);
}

/* Responses that do not come. */

static void what_does_not_come_in_time_is_a_timeout(void **state)
{
	static const struct {
		play_fn *play;
		const char *text;
		int status;
	} slow[] = {
		{play_text_and_stay, "", 0},
		{play_text_and_stay, "HTTP/1.1 200", 0},
		{play_text_and_stay, OK_HEAD "X: 1\r\n", 0},
		{play_text_and_stay, OK_HEAD "Content-Length: 9\r\n\r\nabc", 200},
		{play_text_and_stay, "HTTP/1.1 100 Go on\r\n\r\n", 0},
		{play_drip, "", 200}, /* each byte in time, and all of them never */
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(slow); i++) {
		struct bs_exchange x = get();
		x.timeout_ms = 150;
		ask(slow[i].play, slow[i].text, strlen(slow[i].text), &x);
		assert_int_equal(x.outcome, BS_OUTCOME_TIMEOUT);
		assert_int_equal(x.status, slow[i].status);
		assert_string_equal(x.error, "no complete response within 150 ms");
		assert_true(x.elapsed_us >= 100000);
		bs_exchange_release(&x);
	}
}

static void nobody_there_is_refused(void **state)
{
	struct bs_http *http = new_http();
	struct bs_exchange x;
	uint16_t port;

	(void)state;
	assert_int_equal(bs_app_free_port(&port, NULL), 0);
	BS_AUTOFREE char *base = bs_xasprintf("http://127.0.0.1:%u", port);
	prepare(&x, "POST", base, "/");
	send_it(http, &x);
	assert_int_equal(x.outcome, BS_OUTCOME_REFUSED);
	assert_string_equal(x.error, "cannot connect: Connection refused");
	bs_exchange_release(&x);
	bs_http_free(http);
}

static void the_stop_flag_ends_a_request(void **state)
{
	static const char block[65536];

	(void)state;
	signal(SIGUSR1, on_stop);
	for (int i = 0; i < 2; i++) {
		struct bs_exchange x = get();
		ask(i ? play_interrupt_while_sending : play_interrupt, block, sizeof block, &x);
		assert_int_equal(x.outcome, BS_OUTCOME_INTERRUPTED);
		assert_true(x.elapsed_us < 10 * 1000000); /* and not PATIENT_MS */
		bs_exchange_release(&x);
	}
	signal(SIGUSR1, SIG_DFL);
}

/* Connections. */

static void many_requests_use_one_connection(void **state)
{
	struct server server;
	struct bs_http *http = new_http();

	(void)state;
	server_start(&server, play_text_always, TEXT(OK_AB));
	for (int i = 0; i < 500; i++) {
		struct bs_exchange x;
		prepare(&x, i % 2 ? "POST" : "GET", server.base, "/");
		if (i % 2)
			set_body(&x, "{}", 2);
		send_it(http, &x);
		assert_int_equal(x.outcome, BS_OUTCOME_RESPONSE);
		bs_exchange_release(&x);
	}
	bs_http_disconnect(http);
	for (int i = 0; i < 2; i++) {
		struct bs_exchange x;
		prepare(&x, "GET", server.base, "/");
		send_it(http, &x);
		bs_exchange_release(&x);
	}
	bs_http_free(http);
	server_stop(&server);
	assert_int_equal(server.requests, 502);
	assert_int_equal(server.connections, 2);
	bs_buf_release(&server.received);
}

/* Sends GET, then a second request on the kept connection. */
static void send_second(play_fn *play, const char *method, struct server *server, struct bs_exchange *ret_second)
{
	struct bs_http *http = new_http();
	struct bs_exchange x;

	server_start(server, play, TEXT(OK_AB));
	prepare(&x, "GET", server->base, "/first");
	send_it(http, &x);
	assert_int_equal(x.outcome, BS_OUTCOME_RESPONSE);
	bs_exchange_release(&x);
	prepare(ret_second, method, server->base, "/second");
	send_it(http, ret_second);
	bs_http_free(http);
	server_stop(server);
	bs_buf_release(&server->received);
}

static void an_unsafe_request_never_goes_out_twice(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(methods); i++) {
		struct server server;
		struct bs_exchange x;
		send_second(play_close_on_second, methods[i], &server, &x);
		assert_int_equal(x.outcome, BS_OUTCOME_CUT_OFF);
		assert_string_equal(x.error, "the kept connection ended without a response");
		assert_int_equal(server.requests, 2);
		bs_exchange_release(&x);
	}
}

static void a_safe_request_is_sent_again_when_the_kept_connection_ended(void **state)
{
	struct server server;
	struct bs_exchange x;

	(void)state;
	send_second(play_close_on_second, "GET", &server, &x);
	assert_int_equal(x.outcome, BS_OUTCOME_RESPONSE);
	assert_int_equal(server.requests, 3);
	assert_int_equal(server.connections, 2);
	bs_exchange_release(&x);
}

/* The close may be seen before the second request goes out, or not; in no case does the POST arrive twice. */
static void a_kept_connection_that_was_closed_before_costs_nothing(void **state)
{
	struct server server;
	struct bs_exchange x;

	(void)state;
	send_second(play_text_once, "POST", &server, &x);
	assert_int_equal(server.requests, x.outcome == BS_OUTCOME_RESPONSE ? 2 : 1);
	assert_true(x.outcome == BS_OUTCOME_RESPONSE || x.outcome == BS_OUTCOME_CUT_OFF);
	bs_exchange_release(&x);
}

static void what_was_sent_beyond_a_response_is_not_the_next_response(void **state)
{
	static const char text[] = OK_AB OK_HEAD "Content-Length: 5\r\n\r\nstale";
	struct server server;
	struct bs_http *http = new_http();

	(void)state;
	server_start(&server, play_text_and_stay, text, sizeof text - 1);
	for (int i = 0; i < 3; i++) {
		struct bs_exchange x;
		prepare(&x, "GET", server.base, "/");
		send_it(http, &x);
		assert_string_equal(x.body, "ab");
		bs_exchange_release(&x);
	}
	bs_http_free(http);
	server_stop(&server);
	bs_buf_release(&server.received);
}

/* Requests. */

/* Sends it to a server that answers 200; returns what the server received, the caller's. */
static char *received(struct bs_exchange *x)
{
	struct server server;
	struct bs_http *http = new_http();

	server_start(&server, play_text_always, TEXT(OK_HEAD "Content-Length: 0\r\n\r\n"));
	BS_AUTOFREE char *path = x->url;
	x->url = bs_xasprintf("%s%s", server.base, path);
	send_it(http, x);
	assert_int_equal(x->outcome, BS_OUTCOME_RESPONSE);
	bs_http_free(http);
	server_stop(&server);
	assert_int_equal(server.requests, 1);
	return bs_buf_take(&server.received);
}

static void the_request_line_goes_out_as_it_is(void **state)
{
	static const char *const lines[][2] = {
		{"GET", "/a/../b/./c//d"}, {"GET", "/%2e%2E/%2f?a=b&a=%00&&x"}, {"PROPFIND", "/"},
		{"DELETE", "/x;y=z,'!*()"},  {"OPTIONS", "/?"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(lines); i++) {
		struct bs_exchange x;
		prepare(&x, lines[i][0], "", lines[i][1]);
		BS_AUTOFREE char *text = received(&x);
		BS_AUTOFREE char *expected = bs_xasprintf("%s %s HTTP/1.1\r\n", lines[i][0], lines[i][1]);
		assert_memory_equal(text, expected, strlen(expected));
		bs_exchange_release(&x);
	}
}

static void a_body_goes_out_whole_and_at_once(void **state)
{
	const size_t len = (size_t)2 << 20;
	BS_AUTOFREE char *body = bs_xcalloc(1, len + 1); /* NUL bytes */
	struct bs_exchange x;

	(void)state;
	prepare(&x, "POST", "", "/");
	body[len - 1] = 'z';
	set_body(&x, body, len);
	BS_AUTOFREE char *text = received(&x);
	assert_non_null(strstr(text, "\r\nContent-Length: 2097152\r\n"));
	assert_null(strcasestr(text, "Expect:"));
	assert_null(strcasestr(text, "Content-Type:")); /* the model says it, or nobody */
	assert_memory_equal(strstr(text, "\r\n\r\n") + 4, body, len);
	bs_exchange_release(&x);
}

static void methods_have_the_bodies_that_belong_to_them(void **state)
{
	static const struct {
		const char *method, *length; /* NULL: no such header */
		bool body;
	} methods[] = {
		{"POST", "0", false}, {"PUT", "0", false},   {"PATCH", "0", false}, {"GET", NULL, false},
		{"DELETE", NULL, false}, {"DELETE", "2", true}, {"GET", "2", true},  {"HEAD", NULL, true},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(methods); i++) {
		struct bs_exchange x;
		prepare(&x, methods[i].method, "", "/");
		if (methods[i].body)
			set_body(&x, "{}", 2);
		BS_AUTOFREE char *text = received(&x);
		const char *length = strstr(text, "\r\nContent-Length: ");
		assert_int_equal(length != NULL, methods[i].length != NULL);
		if (length)
			assert_int_equal(length[18], methods[i].length[0]);
		bs_exchange_release(&x);
	}
}

static void head_has_a_length_and_no_body(void **state)
{
	struct server server;
	struct bs_http *http = new_http();

	(void)state;
	server_start(&server, play_text_always, TEXT(OK_HEAD "Content-Length: 1000\r\n\r\n"));
	for (int i = 0; i < 2; i++) { /* the second would wait for the body of the first */
		struct bs_exchange x;
		prepare(&x, "HEAD", server.base, "/");
		send_it(http, &x);
		assert_int_equal(x.outcome, BS_OUTCOME_RESPONSE);
		assert_string_equal(bs_headers_get(&x.headers, "content-length"), "1000");
		assert_int_equal(x.body_bytes, 0);
		bs_exchange_release(&x);
	}
	bs_http_free(http);
	server_stop(&server);
	assert_int_equal(server.connections, 1);
	bs_buf_release(&server.received);
}

static void headers_of_the_caller_go_out_and_replace_ours(void **state)
{
	static const char *const headers[][2] = {
		{"X-Empty", ""},	 {"X-Twice", "1"},     {"X-Twice", "2"},	  {"Host", "shop.example"},
		{"User-Agent", "agent"}, {"Accept-Encoding", "br"}, {"Content-Type", "text/odd; a=b"},
	};
	struct bs_exchange x;

	(void)state;
	prepare(&x, "POST", "", "/");
	for (size_t i = 0; i < BS_COUNT(headers); i++)
		bs_headers_add(&x.request_headers, headers[i][0], headers[i][1], strlen(headers[i][1]));
	BS_AUTOFREE char *text = received(&x);
	assert_non_null(strstr(text, "\r\nX-Empty:\r\n"));
	for (size_t i = 1; i < BS_COUNT(headers); i++) {
		BS_AUTOFREE char *line = bs_xasprintf("\r\n%s: %s\r\n", headers[i][0], headers[i][1]);
		assert_non_null(strstr(text, line));
	}
	assert_null(strstr(strstr(text, "Host:") + 1, "Host:"));
	assert_null(strstr(text, "gzip"));
	bs_exchange_release(&x);
}

static void what_would_inject_a_header_is_refused_and_not_sent(void **state)
{
	static const struct {
		const char *method, *path, *name, *value;
	} bad[] = {
		{"GET", "/", "X", "a\r\nY: b"},		{"GET", "/", "X", "a\nb"},  {"GET", "/", "X", "a\rb"},
		{"GET", "/", "X: a\r\nY", "b"},		{"GET", "/", "X Y", "b"},   {"GET", "/", "", "b"},
		{"GET / HTTP/1.1\r\nX:", "/", "X", "a"}, {"", "/", "X", "a"},	    {"GET", "/ HTTP/1.1\r\nX: y", "X", "a"},
		{"GET", "/a b", "X", "a"},
	};
	struct server server;
	struct bs_http *http = new_http();

	(void)state;
	server_start(&server, play_text_always, TEXT(OK_AB));
	for (size_t i = 0; i < BS_COUNT(bad); i++) {
		struct bs_exchange x;
		struct bs_err err = BS_ERR_INIT;
		prepare(&x, bad[i].method, server.base, bad[i].path);
		bs_headers_add(&x.request_headers, bad[i].name, bad[i].value, strlen(bad[i].value));
		assert_int_equal(bs_http_send(http, &x, &err), BS_EINTERNAL);
		assert_non_null(err.message);
		bs_err_release(&err);
		bs_exchange_release(&x);
	}
	bs_http_free(http);
	server_stop(&server);
	assert_int_equal(server.connections, 0);
	bs_buf_release(&server.received);
}

static void only_http_is_spoken(void **state)
{
	static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1/", "", "http://"};
	struct bs_http *http = new_http();

	(void)state;
	for (size_t i = 0; i < BS_COUNT(urls); i++) {
		struct bs_exchange x;
		prepare(&x, "GET", urls[i], "");
		assert_int_equal(bs_http_send(http, &x, NULL), BS_EINTERNAL);
		bs_exchange_release(&x);
	}
	bs_http_free(http);
}

static void redirects_are_responses(void **state)
{
	struct server server;
	struct bs_http *http = new_http();
	struct bs_exchange x;

	(void)state;
	server_start(&server, play_text_always,
		     TEXT("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"));
	prepare(&x, "GET", server.base, "/");
	send_it(http, &x);
	assert_int_equal(x.status, 302);
	assert_string_equal(bs_headers_get(&x.headers, "Location"), "/elsewhere");
	bs_http_free(http);
	server_stop(&server);
	assert_int_equal(server.requests, 1);
	bs_exchange_release(&x);
	bs_buf_release(&server.received);
}

static void the_environment_changes_nothing(void **state)
{
	static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
	char home[] = "/tmp/backstep-test-XXXXXX";
	struct bs_exchange x;

	(void)state;
	assert_non_null(mkdtemp(home));
	BS_AUTOFREE char *netrc = bs_xasprintf("%s/.netrc", home);
	FILE *file = fopen(netrc, "w");
	fputs("default login ann password secret\n", file);
	fclose(file);
	setenv("HOME", home, 1);
	for (size_t i = 0; i < BS_COUNT(names); i++)
		setenv(names[i], "http://127.0.0.1:1", 1);
	prepare(&x, "GET", "", "/");
	BS_AUTOFREE char *text = received(&x);
	assert_memory_equal(text, "GET / ", 6);
	assert_null(strcasestr(text, "Authorization"));
	for (size_t i = 0; i < BS_COUNT(names); i++)
		unsetenv(names[i]);
	bs_exchange_release(&x);
	unlink(netrc);
	rmdir(home);
}

/* Exchanges. */

static void an_exchange_can_be_sent_again(void **state)
{
	struct server server;
	struct bs_http *http = new_http();
	struct bs_exchange x;

	(void)state;
	server_start(&server, play_text_once, TEXT(OK_HEAD "X: 1\r\nContent-Length: 9\r\n\r\nabc"));
	prepare(&x, "GET", server.base, "/");
	for (int i = 0; i < 3; i++) {
		send_it(http, &x);
		assert_int_equal(x.outcome, BS_OUTCOME_CUT_OFF);
		assert_int_equal(x.headers.count, 2);
		assert_string_equal(x.body, "abc");
		assert_int_equal(x.body_bytes, 3);
	}
	bs_exchange_release(&x);
	bs_exchange_release(&x);
	bs_exchange_release(NULL);
	bs_http_free(http);
	bs_http_free(NULL);
	server_stop(&server);
	bs_buf_release(&server.received);
}

static void outcomes_have_names(void **state)
{
	static const char *const names[] = {"response",  "timeout",   "refused",    "cut-off",
					    "malformed", "too-large", "interrupted"};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(names); i++)
		assert_string_equal(bs_outcome_name((enum bs_outcome)i), names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_response_has_its_outcome),
		cmocka_unit_test(a_reset_connection_is_cut_off),
		cmocka_unit_test(bytes_of_a_body_come_as_they_are),
		cmocka_unit_test(headers_are_kept_in_order_and_found_whatever_their_case),
		cmocka_unit_test(of_a_large_body_the_beginning_length_and_hash_are_kept),
		cmocka_unit_test(what_never_ends_is_cut),
		cmocka_unit_test(a_flood_of_interim_responses_is_cut),
		cmocka_unit_test(a_decompression_bomb_is_cut),
		cmocka_unit_test(what_does_not_come_in_time_is_a_timeout),
		cmocka_unit_test(nobody_there_is_refused),
		cmocka_unit_test(the_stop_flag_ends_a_request),
		cmocka_unit_test(many_requests_use_one_connection),
		cmocka_unit_test(an_unsafe_request_never_goes_out_twice),
		cmocka_unit_test(a_safe_request_is_sent_again_when_the_kept_connection_ended),
		cmocka_unit_test(a_kept_connection_that_was_closed_before_costs_nothing),
		cmocka_unit_test(what_was_sent_beyond_a_response_is_not_the_next_response),
		cmocka_unit_test(the_request_line_goes_out_as_it_is),
		cmocka_unit_test(a_body_goes_out_whole_and_at_once),
		cmocka_unit_test(methods_have_the_bodies_that_belong_to_them),
		cmocka_unit_test(head_has_a_length_and_no_body),
		cmocka_unit_test(headers_of_the_caller_go_out_and_replace_ours),
		cmocka_unit_test(what_would_inject_a_header_is_refused_and_not_sent),
		cmocka_unit_test(only_http_is_spoken),
		cmocka_unit_test(redirects_are_responses),
		cmocka_unit_test(the_environment_changes_nothing),
		cmocka_unit_test(an_exchange_can_be_sent_again),
		cmocka_unit_test(outcomes_have_names),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
