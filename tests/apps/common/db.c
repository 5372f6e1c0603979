/*
 * SQLite as a web application uses it: rows go out as JSON objects named by the statement's columns, so an
 * application is little more than its SQL.
 */
#include "db.h"

#include "server.h"

#include <stdio.h>

#define BUSY_TIMEOUT_MS 5000

static bool complain(sqlite3 *db, const char *doing)
{
	fprintf(stderr, "database: %s: %s\n", doing, db ? sqlite3_errmsg(db) : "out of memory");
	return false;
}

sqlite3 *db_open(const char *path, const char *schema)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) == SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA journal_mode = wal; PRAGMA synchronous = normal", NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK)
		return db;
	complain(db, path);
	sqlite3_close(db);
	return NULL;
}

bool db_prepare(sqlite3 *db, const char *const *sql, size_t count, sqlite3_stmt **statements)
{
	for (size_t i = 0; i < count; i++)
		if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i], NULL) != SQLITE_OK)
			return complain(db, sql[i]);
	return true;
}

void db_close(sqlite3 *db, sqlite3_stmt **statements, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sqlite3_finalize(statements[i]);
	sqlite3_close(db);
}

static cJSON *row_object(sqlite3_stmt *statement)
{
	cJSON *object = cJSON_CreateObject();

	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		const char *name = sqlite3_column_name(statement, i);

		if (sqlite3_column_type(statement, i) == SQLITE_INTEGER)
			app_put_integer(object, name, sqlite3_column_int64(statement, i));
		else if (sqlite3_column_type(statement, i) == SQLITE_NULL)
			cJSON_AddNullToObject(object, name);
		else
			cJSON_AddStringToObject(object, name, (const char *)sqlite3_column_text(statement, i));
	}
	return object;
}

bool db_rows(sqlite3_stmt *statement, cJSON **ret_rows)
{
	cJSON *rows = cJSON_CreateArray();
	int status;

	/* To the end, also where one row is enough: a RETURNING statement commits there. */
	while ((status = sqlite3_step(statement)) == SQLITE_ROW)
		cJSON_AddItemToArray(rows, row_object(statement));
	if (status != SQLITE_DONE) {
		complain(sqlite3_db_handle(statement), sqlite3_sql(statement));
		cJSON_Delete(rows);
		rows = NULL;
	}
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	if (status != SQLITE_DONE)
		return false;
	*ret_rows = rows;
	return true;
}

bool db_row(sqlite3_stmt *statement, cJSON **ret_row)
{
	cJSON *rows;

	if (!db_rows(statement, &rows))
		return false;
	*ret_row = cJSON_DetachItemFromArray(rows, 0);
	cJSON_Delete(rows);
	return true;
}
