/*
 * The demo application: orders that can be paid back, in SQLite, committed by each request. It has two bugs
 * that no single request shows:
 *
 *   create, refund, refund   the second refund is accepted: more money goes out than came in
 *   create, delete, refund   answers 500, because the refund takes the row for granted
 *
 * With --fixed the first answers 409 and the second 404.
 */
#include "../common/db.h"
#include "../common/server.h"

#include <microhttpd.h>
#include <stdio.h>

#define AMOUNT_MAX 1000000000
#define CUSTOMER_MAX_BYTES 100
#define COLUMNS "id, customer, amount, refunded, status"

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS orders ("
	"  id INTEGER PRIMARY KEY,"
	"  customer TEXT NOT NULL,"
	"  amount INTEGER NOT NULL CHECK (amount > 0),"
	"  refunded INTEGER NOT NULL DEFAULT 0,"
	"  status TEXT NOT NULL DEFAULT 'paid')";

enum { CREATE, GET, LIST, REFUND, REFUND_ONCE, DELETE, STATEMENT_COUNT };

static const char *const sql[STATEMENT_COUNT] = {
	[CREATE] = "INSERT INTO orders (customer, amount) VALUES (?1, ?2) RETURNING " COLUMNS,
	[GET] = "SELECT " COLUMNS " FROM orders WHERE id = ?1",
	[LIST] = "SELECT " COLUMNS " FROM orders ORDER BY id",
	[REFUND] = "UPDATE orders SET refunded = refunded + amount, status = 'refunded'"
		   " WHERE id = ?1 RETURNING " COLUMNS,
	[REFUND_ONCE] = "UPDATE orders SET refunded = amount, status = 'refunded'"
			" WHERE id = ?1 AND refunded = 0 RETURNING " COLUMNS,
	[DELETE] = "DELETE FROM orders WHERE id = ?1 RETURNING id",
};

struct payments {
	bool fixed;
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* Runs a statement on the order that the path names; false when that answered 500 already. */
static bool run_on_order(struct app_call *call, int statement, cJSON **ret_row)
{
	struct payments *payments = call->app;

	sqlite3_bind_int64(payments->statements[statement], 1, call->id);
	if (db_row(payments->statements[statement], ret_row))
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
	sqlite3_stmt *create = ((struct payments *)call->app)->statements[CREATE];
	const char *customer = "guest";
	cJSON *order;
	int amount;

	if (!app_get_integer(call, "amount", 1, AMOUNT_MAX, &amount))
		return;
	if (cJSON_GetObjectItemCaseSensitive(call->body, "customer") &&
	    !app_get_text(call, "customer", CUSTOMER_MAX_BYTES, &customer))
		return;
	sqlite3_bind_text(create, 1, customer, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int(create, 2, amount);
	if (db_row(create, &order))
		app_answer(call, MHD_HTTP_CREATED, order);
	else
		app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the database failed");
}

static void get_order(struct app_call *call)
{
	cJSON *order;

	if (run_on_order(call, GET, &order))
		answer_order(call, order);
}

static void list_orders(struct app_call *call)
{
	struct payments *payments = call->app;
	cJSON *orders;

	if (db_rows(payments->statements[LIST], &orders))
		app_answer(call, MHD_HTTP_OK, orders);
	else
		app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the database failed");
}

/* Both bugs: whatever the order was, it is paid back; and that there is one is taken for granted. */
static void refund_order(struct app_call *call)
{
	cJSON *order;

	if (!run_on_order(call, REFUND, &order))
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

	if (!run_on_order(call, REFUND_ONCE, &order))
		return;
	if (order) {
		app_answer(call, MHD_HTTP_OK, order);
		return;
	}
	if (!run_on_order(call, GET, &order))
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

	if (!run_on_order(call, DELETE, &gone))
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
	payments.db = db_open(options.db, schema);
	if (payments.db && db_prepare(payments.db, sql, STATEMENT_COUNT, payments.statements))
		status = app_serve("payments", options.port, routes, sizeof routes / sizeof *routes, &payments);
	else
		status = 1;
	db_close(payments.db, payments.statements, STATEMENT_COUNT);
	return status;
}
