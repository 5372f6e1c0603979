/* Whatever a server does, or does not, is a defined outcome and ends. */
#include "base/hash.h"
#include "base/port.h"
#include "tests/unit/http_fixture.h"

#include <sys/socket.h>
#include <time.h>

/* Scripts. */

static void play_reset(struct server *server, int fd)
{
	play_text_once(server, fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
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
	assert_int_equal(bs_port_free(&port, NULL), 0);
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
		cmocka_unit_test(an_exchange_can_be_sent_again),
		cmocka_unit_test(outcomes_have_names),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
