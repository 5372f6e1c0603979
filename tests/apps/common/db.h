/*
 * What the test applications with a database share: one connection in WAL mode, open as long as the program
 * runs, and statements whose columns are the fields of the JSON answer. Every statement is its own commit,
 * and is reset when it is done, so that no request leaves a lock behind.
 */
#ifndef APPS_DB_H
#define APPS_DB_H

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* Opens or makes the file and runs the schema. NULL after saying on stderr what is wrong. */
sqlite3 *db_open(const char *path, const char *schema);

/* Prepares statements for sql[0..count); on failure, said on stderr, those already made are in statements. */
bool db_prepare(sqlite3 *db, const char *const *sql, size_t count, sqlite3_stmt **statements);

void db_close(sqlite3 *db, sqlite3_stmt **statements, size_t count);

/* Runs a statement with its values bound. *ret_row is its first row as an object, or NULL when there is none;
 * *ret_rows all of them as an array. The caller's to delete. False on an error, said on stderr. */
bool db_row(sqlite3_stmt *statement, cJSON **ret_row);
bool db_rows(sqlite3_stmt *statement, cJSON **ret_rows);

#endif
