/* SQLite: connections, statements and packed rows. See sqlite.h. */
#include "sqlite.h"

#include <string.h>

#define BUSY_MS 200 /* what a single call waits for a lock; callers try again */

int bs_sqlite_fail(sqlite3 *db, int rc, const char *what, struct bs_err *err)
{
	int primary = rc & 0xFF;
	enum bs_code code = primary == SQLITE_BUSY || primary == SQLITE_LOCKED ? BS_EBUSY : BS_ESTORE;

	return bs_err_set(err, code, "%.120s: %s", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

int bs_sqlite_exec(sqlite3 *db, const char *sql, struct bs_err *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : bs_sqlite_fail(db, rc, sql, err);
}

int bs_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt, struct bs_err *err)
{
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_stmt, NULL);

	return rc == SQLITE_OK ? 0 : bs_sqlite_fail(db, rc, sql, err);
}

int bs_sqlite_number(sqlite3_stmt *stmt, int64_t *ret_value, struct bs_err *err)
{
	int rc = sqlite3_step(stmt), r = 0;

	if (rc == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(stmt, 0);
	else
		r = bs_sqlite_fail(sqlite3_db_handle(stmt), rc, sqlite3_sql(stmt), err);
	sqlite3_reset(stmt);
	return r;
}

int bs_sqlite_ask(sqlite3 *db, const char *sql, int64_t *ret_value, struct bs_err *err)
{
	sqlite3_stmt *stmt;
	int r = bs_sqlite_prepare(db, sql, &stmt, err);

	if (r < 0)
		return r;
	r = bs_sqlite_number(stmt, ret_value, err);
	sqlite3_finalize(stmt);
	return r;
}

int bs_sqlite_run(sqlite3_stmt *stmt, struct bs_err *err)
{
	int rc = sqlite3_step(stmt), r = 0;

	if (rc != SQLITE_DONE)
		r = bs_sqlite_fail(sqlite3_db_handle(stmt), rc, sqlite3_sql(stmt), err);
	sqlite3_reset(stmt);
	return r;
}

int bs_sqlite_open(const char *path, int flags, sqlite3 **ret_db, struct bs_err *err)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags, NULL);

	if (rc != SQLITE_OK) {
		int r = bs_sqlite_fail(db, rc, path, err);
		sqlite3_close(db);
		return r;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
	int r = bs_sqlite_exec(db, "PRAGMA ignore_check_constraints=ON", err);
	if (r < 0)
		sqlite3_close(db);
	else
		*ret_db = db;
	return r;
}

int bs_sqlite_end(sqlite3 *db, int r, struct bs_err *err)
{
	if (r == 0)
		r = bs_sqlite_exec(db, "COMMIT", err);
	if (r < 0 && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

void bs_sqlite_pack_cell(sqlite3_stmt *stmt, int column, struct bs_buf *image)
{
	const void *data;

	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_INTEGER:
		bs_row_add_int(image, sqlite3_column_int64(stmt, column));
		break;
	case SQLITE_FLOAT:
		bs_row_add_real(image, sqlite3_column_double(stmt, column));
		break;
	case SQLITE_TEXT: /* the text first: it is converted where the database is UTF-16 */
		data = sqlite3_column_text(stmt, column);
		bs_row_add_text(image, data, (size_t)sqlite3_column_bytes(stmt, column));
		break;
	case SQLITE_BLOB:
		data = sqlite3_column_blob(stmt, column);
		bs_row_add_blob(image, data, (size_t)sqlite3_column_bytes(stmt, column));
		break;
	default:
		bs_row_add_null(image);
	}
}

void bs_sqlite_pack(sqlite3_stmt *stmt, struct bs_buf *image)
{
	int columns = sqlite3_column_count(stmt);

	for (int i = 0; i < columns; i++)
		bs_sqlite_pack_cell(stmt, i, image);
}

void bs_sqlite_bind(sqlite3_stmt *stmt, int index, const struct bs_cell *cell)
{
	switch (cell->kind) {
	case BS_CELL_NULL:
		sqlite3_bind_null(stmt, index);
		break;
	case BS_CELL_INT:
	case BS_CELL_BOOL: /* SQLite's rows have neither this nor the two below */
		sqlite3_bind_int64(stmt, index, cell->integer);
		break;
	case BS_CELL_REAL:
		sqlite3_bind_double(stmt, index, cell->real);
		break;
	case BS_CELL_TEXT:
	case BS_CELL_NUMBER:
	case BS_CELL_JSON:
		sqlite3_bind_text64(stmt, index, cell->data, cell->len, SQLITE_STATIC, SQLITE_UTF8);
		break;
	case BS_CELL_BLOB:
		sqlite3_bind_blob64(stmt, index, cell->data, cell->len, SQLITE_STATIC);
		break;
	}
}

void bs_sqlite_bind_image(sqlite3_stmt *stmt, struct bs_blob image)
{
	struct bs_cell cell;
	size_t offset = 0;

	for (int i = 1; bs_row_next(image, &offset, &cell); i++)
		bs_sqlite_bind(stmt, i, &cell);
}

void bs_sqlite_add(struct bs_buf *sql, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *text = sqlite3_vmprintf(format, args);
	va_end(args);
	if (!text)
		abort();
	bs_buf_adds(sql, text);
	sqlite3_free(text);
}
