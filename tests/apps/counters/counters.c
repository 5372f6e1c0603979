/*
 * A test application that keeps everything in memory, so that no store can be put back: Backstep reaches a
 * state by starting it again and replaying the path. Counters can be made, raised, reset and deleted. The bug
 * is that raising a counter looks only whether its number was ever given out, so that
 *
 *   create, delete, inc
 *
 * brings the deleted counter back with its old value. With --fixed it answers 404.
 */
#include "../common/server.h"

#include <microhttpd.h>
#include <stdlib.h>

struct counter {
	bool live;
	int64_t value;
};

struct counters {
	bool fixed;
	struct counter *items; /* a counter's id is its index plus one, and is never given out again */
	size_t count;
	size_t allocated;
};

static void answer_counter(struct app_call *call, unsigned status, const struct counter *counter)
{
	cJSON *json = cJSON_CreateObject();

	app_put_integer(json, "id", call->id);
	app_put_integer(json, "value", counter->value);
	app_answer(call, status, json);
}

/* The counter that the path names; NULL, with 404 answered, when there is none. */
static struct counter *find(struct app_call *call, bool also_deleted)
{
	const struct counters *counters = call->app;
	struct counter *counter = NULL;

	if (call->id >= 1 && call->id <= (int64_t)counters->count)
		counter = &counters->items[call->id - 1];
	if (counter && (counter->live || also_deleted))
		return counter;
	app_refuse(call, MHD_HTTP_NOT_FOUND, "no such counter");
	return NULL;
}

static void create_counter(struct app_call *call)
{
	struct counters *counters = call->app;

	if (counters->count == counters->allocated) {
		size_t allocated = counters->allocated ? counters->allocated * 2 : 16;
		struct counter *grown = realloc(counters->items, allocated * sizeof *grown);

		if (!grown) {
			app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
			return;
		}
		counters->items = grown;
		counters->allocated = allocated;
	}
	counters->items[counters->count++] = (struct counter){.live = true};
	call->id = (int64_t)counters->count;
	answer_counter(call, MHD_HTTP_CREATED, &counters->items[call->id - 1]);
}

static void get_counter(struct app_call *call)
{
	const struct counter *counter = find(call, false);

	if (counter)
		answer_counter(call, MHD_HTTP_OK, counter);
}

static void inc_counter(struct app_call *call)
{
	const struct counters *counters = call->app;
	struct counter *counter = find(call, !counters->fixed);

	if (!counter)
		return;
	counter->live = true;
	counter->value++;
	answer_counter(call, MHD_HTTP_OK, counter);
}

static void reset_counter(struct app_call *call)
{
	struct counter *counter = find(call, false);

	if (!counter)
		return;
	counter->value = 0;
	answer_counter(call, MHD_HTTP_OK, counter);
}

static void delete_counter(struct app_call *call)
{
	struct counter *counter = find(call, false);

	if (!counter)
		return;
	counter->live = false;
	app_answer(call, MHD_HTTP_NO_CONTENT, NULL);
}

static const struct app_route routes[] = {
	{"GET", "/health", app_health},
	{"POST", "/counters", create_counter},
	{"GET", "/counters/{id}", get_counter},
	{"POST", "/counters/{id}/inc", inc_counter},
	{"POST", "/counters/{id}/reset", reset_counter},
	{"DELETE", "/counters/{id}", delete_counter},
};

int main(int argc, char **argv)
{
	struct counters counters = {0};
	struct app_options options;
	int status = app_parse(argc, argv, false, &options);

	if (status)
		return status;
	counters.fixed = options.fixed;
	status = app_serve("counters", options.port, routes, sizeof routes / sizeof *routes, &counters);
	free(counters.items);
	return status;
}
