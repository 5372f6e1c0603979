/* See orders.h. */
#include "orders.h"

#include "../common/db.h"
#include "../common/server.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS "id, customer, amount, refunded, status"
#define VALUES_MAX 2

#define SCHEMA(id) \
	"CREATE TABLE IF NOT EXISTS orders (" \
	"  id " id "," \
	"  customer TEXT NOT NULL," \
	"  amount INTEGER NOT NULL CHECK (amount > 0)," \
	"  refunded INTEGER NOT NULL DEFAULT 0," \
	"  status TEXT NOT NULL DEFAULT 'paid')"

/* SQLite reads $1 as a name, and numbers names as they come: so they come in order. */
static const char *const sql[ORDERS_STATEMENTS] = {
	[ORDERS_CREATE] = "INSERT INTO orders (customer, amount) VALUES ($1, $2) RETURNING " COLUMNS,
	[ORDERS_GET] = "SELECT " COLUMNS " FROM orders WHERE id = $1",
	[ORDERS_LIST] = "SELECT " COLUMNS " FROM orders ORDER BY id",
	[ORDERS_REFUND] = "UPDATE orders SET refunded = refunded + amount, status = 'refunded'"
			  " WHERE id = $1 RETURNING " COLUMNS,
	[ORDERS_REFUND_ONCE] = "UPDATE orders SET refunded = amount, status = 'refunded'"
			       " WHERE id = $1 AND refunded = 0 RETURNING " COLUMNS,
	[ORDERS_DELETE] = "DELETE FROM orders WHERE id = $1 RETURNING id",
};

struct orders {
	sqlite3 *file; /* either */
	sqlite3_stmt *statements[ORDERS_STATEMENTS];
	PGconn *server; /* or */
};

/* --- PostgreSQL -------------------------------------------------------------------------------------- */

static bool complain(PGconn *conn, const char *doing)
{
	fprintf(stderr, "database: %s: %s", doing, PQerrorMessage(conn));
	return false;
}

static void ignore_notice(void *ctx, const char *message)
{
	(void)ctx;
	(void)message;
}

static bool open_server(struct orders *orders, const char *url)
{
	PGresult *result;

	orders->server = PQconnectdb(url);
	if (PQstatus(orders->server) != CONNECTION_OK)
		return complain(orders->server, "cannot connect");
	PQsetNoticeProcessor(orders->server, ignore_notice, NULL);
	result = PQexec(orders->server, SCHEMA("SERIAL PRIMARY KEY"));
	bool made = PQresultStatus(result) == PGRES_COMMAND_OK || complain(orders->server, "the schema");
	PQclear(result);
	return made;
}

/* The columns are whole numbers, the type int4, or text. */
static cJSON *row_object(const PGresult *result, int row)
{
	cJSON *object = cJSON_CreateObject();

	for (int i = 0; i < PQnfields(result); i++) {
		const char *name = PQfname(result, i), *text = PQgetvalue(result, row, i);

		if (PQftype(result, i) == 23)
			app_put_integer(object, name, strtoll(text, NULL, 10));
		else
			cJSON_AddStringToObject(object, name, text);
	}
	return object;
}

static bool server_rows(PGconn *conn, const char *text, const struct orders_value *values, size_t count, cJSON **ret_rows)
{
	char numbers[VALUES_MAX][24];
	const char *texts[VALUES_MAX];

	for (size_t i = 0; i < count; i++) {
		snprintf(numbers[i], sizeof numbers[i], "%" PRId64, values[i].number);
		texts[i] = values[i].text ? values[i].text : numbers[i];
	}
	PGresult *result = PQexecParams(conn, text, (int)count, NULL, texts, NULL, NULL, 0);
	bool good = PQresultStatus(result) == PGRES_TUPLES_OK || complain(conn, text);
	if (good) {
		*ret_rows = cJSON_CreateArray();
		for (int row = 0; row < PQntuples(result); row++)
			cJSON_AddItemToArray(*ret_rows, row_object(result, row));
	}
	PQclear(result);
	return good;
}

/* --- Both -------------------------------------------------------------------------------------------- */

struct orders *orders_open(const char *where)
{
	struct orders *orders = calloc(1, sizeof *orders);
	bool opened;

	if (!orders)
		return NULL;
	if (strncmp(where, "postgresql://", 13) == 0) {
		opened = open_server(orders, where);
	} else {
		orders->file = db_open(where, SCHEMA("INTEGER PRIMARY KEY"));
		opened = orders->file && db_prepare(orders->file, sql, ORDERS_STATEMENTS, orders->statements);
	}
	if (opened)
		return orders;
	orders_close(orders);
	return NULL;
}

void orders_close(struct orders *orders)
{
	if (!orders)
		return;
	PQfinish(orders->server);
	db_close(orders->file, orders->statements, ORDERS_STATEMENTS);
	free(orders);
}

bool orders_rows(struct orders *orders, enum orders_statement statement, const struct orders_value *values, size_t count,
		 cJSON **ret_rows)
{
	sqlite3_stmt *prepared = orders->statements[statement];

	if (orders->server)
		return server_rows(orders->server, sql[statement], values, count, ret_rows);
	for (size_t i = 0; i < count; i++)
		if (values[i].text)
			sqlite3_bind_text(prepared, (int)i + 1, values[i].text, -1, SQLITE_TRANSIENT);
		else
			sqlite3_bind_int64(prepared, (int)i + 1, values[i].number);
	return db_rows(prepared, ret_rows);
}

bool orders_row(struct orders *orders, enum orders_statement statement, const struct orders_value *values, size_t count,
		cJSON **ret_row)
{
	cJSON *rows;

	if (!orders_rows(orders, statement, values, count, &rows))
		return false;
	*ret_row = cJSON_DetachItemFromArray(rows, 0);
	cJSON_Delete(rows);
	return true;
}
