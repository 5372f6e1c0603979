/*
 * A test application that keeps shopping carts in Redis: a cart is a hash with its owner and its total, and ends when
 * it is paid or after an hour. The bug is that adding an item to a cart only raises the total, and in Redis raising a
 * field of a hash that is gone makes a new one. So
 *
 *   create, pay, add
 *
 * gives a cart back that was paid, without an owner, and it can be paid again. With --fixed it answers 404.
 *
 *   carts --port N --db redis://HOST:PORT/N
 */
#include "../common/server.h"

#include <hiredis/hiredis.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_S 3600

struct carts {
	bool fixed;
	redisContext *redis; /* open as long as the program runs */
};

/* NULL, with 500 answered, when Redis refuses. */
static redisReply *ask(struct app_call *call, const char *format, ...)
{
	const struct carts *carts = call->app;
	va_list args;

	va_start(args, format);
	redisReply *reply = redisvCommand(carts->redis, format, args);
	va_end(args);
	if (reply && reply->type != REDIS_REPLY_ERROR)
		return reply;
	fprintf(stderr, "carts: %s\n", reply ? reply->str : carts->redis->errstr);
	freeReplyObject(reply);
	app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "redis");
	return NULL;
}

/* Sends a command whose answer is of no interest; false when it was refused. */
static bool done(redisReply *reply)
{
	freeReplyObject(reply);
	return reply != NULL;
}

static bool exists(struct app_call *call, bool *ret_exists)
{
	redisReply *reply = ask(call, "EXISTS cart:%lld", (long long)call->id);

	if (reply)
		*ret_exists = reply->integer;
	freeReplyObject(reply);
	return reply != NULL;
}

/* Answers with the cart as it is. */
static void answer_cart(struct app_call *call, unsigned status)
{
	redisReply *reply = ask(call, "HMGET cart:%lld owner total", (long long)call->id);

	if (!reply)
		return;
	if (reply->element[1]->type == REDIS_REPLY_NIL) {
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such cart");
	} else {
		cJSON *json = cJSON_CreateObject();
		app_put_integer(json, "id", call->id);
		app_put_integer(json, "total", strtoll(reply->element[1]->str, NULL, 10));
		if (reply->element[0]->type == REDIS_REPLY_STRING)
			cJSON_AddStringToObject(json, "owner", reply->element[0]->str);
		app_answer(call, status, json);
	}
	freeReplyObject(reply);
}

static void create_cart(struct app_call *call)
{
	const char *owner;

	if (!app_get_text(call, "owner", 100, &owner))
		return;
	redisReply *reply = ask(call, "INCR carts");
	if (!reply)
		return;
	call->id = reply->integer;
	freeReplyObject(reply);
	if (done(ask(call, "HSET cart:%lld owner %s total 0", (long long)call->id, owner)) &&
	    done(ask(call, "EXPIRE cart:%lld %d", (long long)call->id, LIFE_S)))
		answer_cart(call, MHD_HTTP_CREATED);
}

static void get_cart(struct app_call *call)
{
	answer_cart(call, MHD_HTTP_OK);
}

static void add_item(struct app_call *call)
{
	const struct carts *carts = call->app;
	bool there = true;
	int price;

	if (!app_get_integer(call, "price", 1, 1000000, &price) || (carts->fixed && !exists(call, &there)))
		return;
	if (!there) /* the bug is the lack of this */
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such cart");
	else if (done(ask(call, "HINCRBY cart:%lld total %d", (long long)call->id, price)))
		answer_cart(call, MHD_HTTP_OK);
}

static void pay_cart(struct app_call *call)
{
	answer_cart(call, MHD_HTTP_OK);
	if (call->status == MHD_HTTP_OK && done(ask(call, "RPUSH paid %lld", (long long)call->id)))
		done(ask(call, "DEL cart:%lld", (long long)call->id));
}

static const struct app_route routes[] = {
	{"GET", "/health", app_health},
	{"POST", "/carts", create_cart},
	{"GET", "/carts/{id}", get_cart},
	{"POST", "/carts/{id}/items", add_item},
	{"POST", "/carts/{id}/pay", pay_cart},
};

static redisContext *connect_to(const char *url)
{
	char host[64];
	int port;
	unsigned db;

	if (sscanf(url, "redis://%63[^:]:%d/%u", host, &port, &db) != 3) {
		fprintf(stderr, "carts: no redis://HOST:PORT/N: '%s'\n", url);
		return NULL;
	}
	redisContext *redis = redisConnect(host, port);
	redisReply *reply = redis && !redis->err ? redisCommand(redis, "SELECT %u", db) : NULL;
	bool good = reply && reply->type != REDIS_REPLY_ERROR;
	freeReplyObject(reply);
	if (good)
		return redis;
	fprintf(stderr, "carts: cannot connect to %s\n", url);
	redisFree(redis);
	return NULL;
}

int main(int argc, char **argv)
{
	struct carts carts = {0};
	struct app_options options;
	int status = app_parse(argc, argv, true, &options);

	if (status)
		return status;
	carts.fixed = options.fixed;
	carts.redis = connect_to(options.db);
	if (!carts.redis)
		return 1;
	status = app_serve("carts", options.port, routes, sizeof routes / sizeof *routes, &carts);
	redisFree(carts.redis);
	return status;
}
