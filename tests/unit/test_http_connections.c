/* Connections are kept from one request to the next, and what ends them makes no request go out twice. */
#include "tests/unit/http_fixture.h"

/* Two requests come in on the kept connection; the second is read, and not answered. */
static void play_close_on_second(struct server *server, int fd)
{
	if (read_request(server, fd) && send_text(fd, OK_AB) && server->connections == 1)
		read_request(server, fd);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_requests_use_one_connection),
		cmocka_unit_test(an_unsafe_request_never_goes_out_twice),
		cmocka_unit_test(a_safe_request_is_sent_again_when_the_kept_connection_ended),
		cmocka_unit_test(a_kept_connection_that_was_closed_before_costs_nothing),
		cmocka_unit_test(what_was_sent_beyond_a_response_is_not_the_next_response),
	};

	return cmocka_run_group_tests_name("http connections", tests, NULL, NULL);
}
