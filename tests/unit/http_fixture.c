/* The hostile server and the client that the tests of HTTP share. */
#include "tests/unit/http_fixture.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

bool send_all(int fd, const void *data, size_t len)
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

bool send_text(int fd, const char *text)
{
	return send_all(fd, text, strlen(text));
}

bool read_request(struct server *server, int fd)
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

void wait_until_closed(int fd)
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

void server_start(struct server *server, play_fn *play, const char *text, size_t text_len)
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

void server_stop(struct server *server)
{
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
}

void play_text_once(struct server *server, int fd)
{
	if (read_request(server, fd))
		send_all(fd, server->text, server->text_len);
}

void play_text_and_stay(struct server *server, int fd)
{
	if (read_request(server, fd) && send_all(fd, server->text, server->text_len))
		wait_until_closed(fd);
}

void play_text_always(struct server *server, int fd)
{
	while (read_request(server, fd) && send_all(fd, server->text, server->text_len))
		;
}

volatile sig_atomic_t stop;

struct bs_http *new_http(void)
{
	struct bs_http *http = NULL;

	stop = 0;
	assert_int_equal(bs_http_new(&stop, &http, NULL), 0);
	return http;
}

void prepare(struct bs_exchange *x, const char *method, const char *base, const char *path)
{
	*x = (struct bs_exchange){.method = bs_xstrdup(method), .timeout_ms = PATIENT_MS};
	x->url = bs_xasprintf("%s%s", base, path);
}

void set_body(struct bs_exchange *x, const void *data, size_t len)
{
	x->request_body = bs_xmemdup(data, len);
	x->request_body_len = len;
}

void send_it(struct bs_http *http, struct bs_exchange *x)
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
