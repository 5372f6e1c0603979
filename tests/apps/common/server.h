/*
 * What the test applications share: a small JSON server on 127.0.0.1. An application is a table of routes
 * and its own state; everything that is no business of it (the connection, the request's body, the log
 * line, signals) is here. One thread answers all requests, so the state needs no locks.
 *
 * The applications stand for the users' programs: they link nothing of Backstep.
 */
#ifndef APPS_SERVER_H
#define APPS_SERVER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app_call {
	void *app;         /* the application's state */
	int64_t id;        /* the {id} of the path; 0 in routes without one */
	const cJSON *body; /* the request's JSON, or NULL when it has no body */
	unsigned status;   /* the answer, set by app_answer or app_refuse */
	cJSON *json;       /* owned by the call; NULL: an empty answer */
};

struct app_route {
	const char *method;
	const char *path; /* at most one {id}: a whole number */
	void (*handle)(struct app_call *call);
};

struct app_options {
	uint16_t port;  /* 0: any free one; the first line on stdout names it */
	const char *db; /* NULL when the application keeps no file */
	bool fixed;     /* without the bugs that Backstep is to find */
};

/* Reads --port N, --db PATH and --fixed; empty arguments are skipped. Returns 0, or the exit status after saying on
 * stderr what is wrong. */
int app_parse(int argc, char **argv, bool wants_db, struct app_options *ret_options);

/* Serves until SIGTERM or SIGINT. Returns the exit status. */
int app_serve(const char *name, uint16_t port, const struct app_route *routes, size_t route_count, void *app);

/* The answer of a call. json is taken over; NULL is an empty body. */
void app_answer(struct app_call *call, unsigned status, cJSON *json);
void app_refuse(struct app_call *call, unsigned status, const char *why);

/* The handler of GET /health: 200 as soon as the program serves. */
void app_health(struct app_call *call);

/* An exact integer (cJSON itself would go through a double). */
void app_put_integer(cJSON *object, const char *name, int64_t value);

/* Reads a whole number from the request's body; answers 400 and returns false when it is none, or out of range. */
bool app_get_integer(struct app_call *call, const char *name, int low, int high, int *ret_value);

/* The same for a text of 1 to max_bytes bytes. Borrowed from the body. */
bool app_get_text(struct app_call *call, const char *name, size_t max_bytes, const char **ret_text);

#endif
