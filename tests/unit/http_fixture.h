/*
 * A server that is a thread on a raw socket, plays one hostile script for each connection, and takes one connection
 * after the other; and the client under test, which is not to hang whatever the server does.
 */
#ifndef TESTS_UNIT_HTTP_FIXTURE_H
#define TESTS_UNIT_HTTP_FIXTURE_H

#include "base/buf.h"
#include "base/mem.h"
#include "world/http.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the three above first */
#include <cmocka.h>

#define PATIENT_MS 60000u /* no test waits for this unless it fails */
#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK_AB OK_HEAD "Content-Length: 2\r\n\r\nab"
#define TEXT(literal) (literal), sizeof(literal) - 1

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

void server_start(struct server *server, play_fn *play, const char *text, size_t text_len);
/* The clients are gone already; after this the counts may be read. What was received is still to be released. */
void server_stop(struct server *server);

/* What scripts are made of. */

/* Reads one request whole; false when the client closed instead. */
bool read_request(struct server *server, int fd);
/* False when the client closed. */
bool send_all(int fd, const void *data, size_t len);
bool send_text(int fd, const char *text);
void wait_until_closed(int fd);

/* Scripts: the server's text for one request; the same and no more; for each request. */
play_fn play_text_once, play_text_and_stay, play_text_always;

/* The client. */

extern volatile sig_atomic_t stop; /* asks the client to stop, as Ctrl-C does */

struct bs_http *new_http(void);
/* An exchange that is ready to be sent; the caller's. */
void prepare(struct bs_exchange *x, const char *method, const char *base, const char *path);
void set_body(struct bs_exchange *x, const void *data, size_t len);
/* Sends it, and checks what holds for every outcome. */
void send_it(struct bs_http *http, struct bs_exchange *x);

#endif
