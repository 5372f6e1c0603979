/*
 * The demo application: orders that can be paid back, in SQLite or PostgreSQL, committed by each request. It has two bugs
 * that no single request shows:
 *
 *   create, refund, refund   the second refund is accepted: more money goes out than came in
 *   create, delete, refund   answers 500, because the refund takes the row for granted
 *
 * With --fixed the first answers 409 and the second 404.
 */
#include "../common/server.h"
#include "orders.h"

#include <microhttpd.h>
#include <stdio.h>

#define AMOUNT_MAX 1000000000
#define CUSTOMER_MAX_BYTES 100

struct payments {
	bool fixed;
	struct orders *orders;
};

/* Runs a statement on the order that the path names; false when that answered 500 already. */
static bool run_on_order(struct app_call *call, enum orders_statement statement, cJSON **ret_row)
{
	struct payments *payments = call->app;

	if (orders_row(payments->orders, statement, &(struct orders_value){.number = call->id}, 1, ret_row))
		return true;
	app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the database failed");
	return false;
}

static void answer_order(struct app_call *call, cJSON *order)
{
	if (order)
		app_answer(call, MHD_HTTP_OK, order);
	else
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such order");
}

static void create_order(struct app_call *call)
{
	struct payments *payments = call->app;
	const char *customer = "guest";
	cJSON *order;
	int amount;

	if (!app_get_integer(call, "amount", 1, AMOUNT_MAX, &amount))
		return;
	if (cJSON_GetObjectItemCaseSensitive(call->body, "customer") &&
	    !app_get_text(call, "customer", CUSTOMER_MAX_BYTES, &customer))
		return;
	const struct orders_value values[] = {{.text = customer}, {.number = amount}};
	if (orders_row(payments->orders, ORDERS_CREATE, values, 2, &order))
		app_answer(call, MHD_HTTP_CREATED, order);
	else
		app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the database failed");
}

static void get_order(struct app_call *call)
{
	cJSON *order;

	if (run_on_order(call, ORDERS_GET, &order))
		answer_order(call, order);
}

static void list_orders(struct app_call *call)
{
	struct payments *payments = call->app;
	cJSON *orders;

	if (orders_rows(payments->orders, ORDERS_LIST, NULL, 0, &orders))
		app_answer(call, MHD_HTTP_OK, orders);
	else
		app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the database failed");
}

/* Both bugs: whatever the order was, it is paid back; and that there is one is taken for granted. */
static void refund_order(struct app_call *call)
{
	cJSON *order;

	if (!run_on_order(call, ORDERS_REFUND, &order))
		return;
	if (order) {
		app_answer(call, MHD_HTTP_OK, order);
		return;
	}
	fprintf(stderr, "payments: refund of order %lld: the order has no row\n", (long long)call->id);
	app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal error");
}

static void refund_order_once(struct app_call *call)
{
	cJSON *order;

	if (!run_on_order(call, ORDERS_REFUND_ONCE, &order))
		return;
	if (order) {
		app_answer(call, MHD_HTTP_OK, order);
		return;
	}
	if (!run_on_order(call, ORDERS_GET, &order))
		return;
	if (order)
		app_refuse(call, MHD_HTTP_CONFLICT, "the order was refunded already");
	else
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such order");
	cJSON_Delete(order);
}

static void refund(struct app_call *call)
{
	const struct payments *payments = call->app;

	if (payments->fixed)
		refund_order_once(call);
	else
		refund_order(call);
}

static void delete_order(struct app_call *call)
{
	cJSON *gone;

	if (!run_on_order(call, ORDERS_DELETE, &gone))
		return;
	if (gone)
		app_answer(call, MHD_HTTP_NO_CONTENT, NULL);
	else
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such order");
	cJSON_Delete(gone);
}

static const struct app_route routes[] = {
	{"GET", "/health", app_health},
	{"POST", "/orders", create_order},
	{"GET", "/orders", list_orders},
	{"GET", "/orders/{id}", get_order},
	{"POST", "/orders/{id}/refund", refund},
	{"DELETE", "/orders/{id}", delete_order},
};

int main(int argc, char **argv)
{
	struct payments payments = {0};
	struct app_options options;
	int status = app_parse(argc, argv, true, &options);

	if (status)
		return status;
	payments.fixed = options.fixed;
	payments.orders = orders_open(options.db);
	if (payments.orders)
		status = app_serve("payments", options.port, routes, sizeof routes / sizeof *routes, &payments);
	else
		status = 1;
	orders_close(payments.orders);
	return status;
}
