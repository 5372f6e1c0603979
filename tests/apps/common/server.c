/*
 * One libmicrohttpd thread in front of a table of routes. Every request is answered from one place, so what
 * all of them owe (a body within bounds that is JSON, one log line for each that may change something) is
 * said once.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX_BYTES ((size_t)64 << 10)
#define ID_MAX_DIGITS 18 /* always fits an int64_t */

struct server {
	const struct app_route *routes;
	size_t route_count;
	void *app;
};

/* The body as it comes in, kept by libmicrohttpd for the time of one request. */
struct upload {
	char *data;
	size_t len;
	bool too_large;
};

/* --- Answers ------------------------------------------------------------------------------------ */

void app_answer(struct app_call *call, unsigned status, cJSON *json)
{
	cJSON_Delete(call->json);
	call->status = status;
	call->json = json;
}

void app_refuse(struct app_call *call, unsigned status, const char *why)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "error", why);
	app_answer(call, status, json);
}

void app_health(struct app_call *call)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "status", "ok");
	app_answer(call, MHD_HTTP_OK, json);
}

void app_put_integer(cJSON *object, const char *name, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRId64, value);
	cJSON_AddRawToObject(object, name, digits);
}

/* --- Input -------------------------------------------------------------------------------------- */

bool app_get_integer(struct app_call *call, const char *name, int low, int high, int *ret_value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(call->body, name);
	char why[160];

	if (cJSON_IsNumber(item) && item->valuedouble >= low && item->valuedouble <= high &&
	    item->valuedouble == (double)item->valueint) {
		*ret_value = item->valueint;
		return true;
	}
	snprintf(why, sizeof why, "'%s' must be a whole number from %d to %d", name, low, high);
	app_refuse(call, MHD_HTTP_BAD_REQUEST, why);
	return false;
}

bool app_get_text(struct app_call *call, const char *name, size_t max_bytes, const char **ret_text)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(call->body, name);
	const char *text = cJSON_GetStringValue(item);
	char why[160];

	if (text && *text && strlen(text) <= max_bytes) {
		*ret_text = text;
		return true;
	}
	snprintf(why, sizeof why, "'%s' must be a text of 1 to %zu bytes", name, max_bytes);
	app_refuse(call, MHD_HTTP_BAD_REQUEST, why);
	return false;
}

static int usage(const char *program, bool wants_db)
{
	fprintf(stderr, "usage: %s --port N%s [--fixed]\n", program, wants_db ? " --db PATH" : "");
	return 2;
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

int app_parse(int argc, char **argv, bool wants_db, struct app_options *ret_options)
{
	static const struct option known[] = {
		{"port", required_argument, NULL, 'p'},
		{"db", required_argument, NULL, 'd'},
		{"fixed", no_argument, NULL, 'f'},
		{NULL, 0, NULL, 0},
	};
	const char *fixed = getenv("APP_FIXED"); /* for whoever starts it through a model */
	struct app_options options = {.fixed = fixed && *fixed};
	bool has_port = false;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'p' && parse_port(optarg, &options.port))
			has_port = true;
		else if (option == 'd' && wants_db)
			options.db = optarg;
		else if (option == 'f')
			options.fixed = true;
		else
			return usage(argv[0], wants_db);
	}
	if (optind != argc || !has_port || (wants_db && !options.db))
		return usage(argv[0], wants_db);
	*ret_options = options;
	return 0;
}

/* --- Routing ------------------------------------------------------------------------------------ */

static bool path_matches(const char *pattern, const char *path, int64_t *ret_id)
{
	const char *hole = strstr(pattern, "{id}");
	size_t before = hole ? (size_t)(hole - pattern) : 0, digits;

	if (!hole)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, before) != 0)
		return false;
	digits = strspn(path + before, "0123456789");
	if (digits == 0 || digits > ID_MAX_DIGITS || strcmp(path + before + digits, hole + strlen("{id}")) != 0)
		return false;
	*ret_id = strtoll(path + before, NULL, 10);
	return true;
}

static void dispatch(const struct server *server, const char *method, const char *path, struct app_call *call)
{
	for (size_t i = 0; i < server->route_count; i++) {
		const struct app_route *route = &server->routes[i];

		if (strcmp(route->method, method) == 0 && path_matches(route->path, path, &call->id)) {
			route->handle(call);
			return;
		}
	}
	app_refuse(call, MHD_HTTP_NOT_FOUND, "no such address");
}

static void serve_call(const struct server *server, const char *method, const char *path,
		       const struct upload *upload, struct app_call *call)
{
	cJSON *body = NULL;

	if (upload->too_large) {
		app_refuse(call, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
		return;
	}
	if (upload->len) {
		body = cJSON_ParseWithLengthOpts(upload->data, upload->len + 1, NULL, true);
		if (!body) {
			app_refuse(call, MHD_HTTP_BAD_REQUEST, "the body is not JSON");
			return;
		}
	}
	call->body = body;
	dispatch(server, method, path, call);
	cJSON_Delete(body);
}

/* --- libmicrohttpd ------------------------------------------------------------------------------ */

static enum MHD_Result take_body(struct upload *upload, const char *data, size_t *len)
{
	char *grown;

	if (upload->len + *len > BODY_MAX_BYTES)
		upload->too_large = true;
	if (!upload->too_large) {
		grown = realloc(upload->data, upload->len + *len + 1);
		if (!grown)
			return MHD_NO;
		upload->data = grown;
		memcpy(grown + upload->len, data, *len);
		upload->len += *len;
		grown[upload->len] = '\0';
	}
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct app_call *call)
{
	char *text = call->json ? cJSON_PrintUnformatted(call->json) : NULL;
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(text ? strlen(text) : 0, text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	if (text)
		MHD_add_response_header(response, "content-type", "application/json");
	result = MHD_queue_response(connection, call->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data, size_t *data_len,
				  void **request)
{
	const struct server *server = context;
	struct app_call call = {.app = server->app, .status = MHD_HTTP_INTERNAL_SERVER_ERROR};
	enum MHD_Result result;

	(void)version;
	if (!*request) { /* the headers came; the body is still to come */
		*request = calloc(1, sizeof(struct upload));
		return *request ? MHD_YES : MHD_NO;
	}
	if (*data_len)
		return take_body(*request, data, data_len);
	serve_call(server, method, path, *request, &call);
	if (strcmp(method, "GET") != 0) {
		printf("%s %s %u\n", method, path, call.status);
		fflush(stdout);
	}
	result = send_answer(connection, &call);
	cJSON_Delete(call.json);
	return result;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode how)
{
	struct upload *upload = *request;

	(void)context, (void)connection, (void)how;
	if (upload)
		free(upload->data);
	free(upload);
	*request = NULL;
}

/* A listening socket and the port that it got; -1: errno says why. */
static int listen_on(uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*ret_port = ntohs(address.sin_port);
	return fd;
}

int app_serve(const char *name, uint16_t port, const struct app_route *routes, size_t route_count, void *app)
{
	struct server server = {routes, route_count, app};
	struct MHD_Daemon *daemon;
	sigset_t ending;
	int caught;

	/* Blocked before the server's thread starts, which inherits the mask: only sigwait sees them. */
	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	signal(SIGPIPE, SIG_IGN);

	/* Said before the first answer, so that it is always the first line of the log. */
	int fd = listen_on(port, &port);
	if (fd < 0) {
		fprintf(stderr, "%s: cannot listen on 127.0.0.1:%u: %s\n", name, port, strerror(errno));
		return 1;
	}
	printf("%s: listening on 127.0.0.1:%u\n", name, port);
	fflush(stdout);
	daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, on_request, &server,
				  MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				  MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "%s: cannot serve on 127.0.0.1:%u\n", name, port);
		return 1;
	}
	sigwait(&ending, &caught);
	MHD_stop_daemon(daemon);
	return 0;
}
