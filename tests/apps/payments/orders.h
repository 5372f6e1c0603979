/*
 * Where the orders are: in a SQLite file or in a PostgreSQL database, with the same statements. Each is its own
 * commit.
 */
#ifndef APPS_ORDERS_H
#define APPS_ORDERS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum orders_statement {
	ORDERS_CREATE, /* customer, amount */
	ORDERS_GET,    /* id; so the others, but LIST */
	ORDERS_LIST,
	ORDERS_REFUND,
	ORDERS_REFUND_ONCE,
	ORDERS_DELETE,
	ORDERS_STATEMENTS,
};

struct orders_value {
	const char *text; /* NULL: the number */
	int64_t number;
};

struct orders;

/* where: a path, or postgresql://... Makes the table when it is not there. NULL after saying on stderr why not. */
struct orders *orders_open(const char *where);
void orders_close(struct orders *orders);

/* All rows as objects, or the first one (NULL: none). The caller's to delete. False on an error, said on stderr. */
bool orders_rows(struct orders *orders, enum orders_statement statement, const struct orders_value *values, size_t count,
		 cJSON **ret_rows);
bool orders_row(struct orders *orders, enum orders_statement statement, const struct orders_value *values, size_t count,
		cJSON **ret_row);

#endif
