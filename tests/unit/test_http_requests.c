/* What goes out is what the model says: nothing added that it does not say, nothing injected, nothing followed. */
#include "tests/unit/http_fixture.h"

#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_line_goes_out_as_it_is),
		cmocka_unit_test(a_body_goes_out_whole_and_at_once),
		cmocka_unit_test(methods_have_the_bodies_that_belong_to_them),
		cmocka_unit_test(head_has_a_length_and_no_body),
		cmocka_unit_test(headers_of_the_caller_go_out_and_replace_ours),
		cmocka_unit_test(what_would_inject_a_header_is_refused_and_not_sent),
		cmocka_unit_test(only_http_is_spoken),
		cmocka_unit_test(redirects_are_responses),
		cmocka_unit_test(the_environment_changes_nothing),
	};

	return cmocka_run_group_tests_name("http requests", tests, NULL, NULL);
}
