/* SQLite: connections, copies and packed rows. See sqlite.h. */
#include "sqlite.h"

#include "row.h"

#include <string.h>

#define BUSY_MS 200       /* what a single call waits for a lock; callers try again */
#define COPY_TRIES 500    /* times 10 ms */

int bs_sqlite_fail(sqlite3 *db, int rc, const char *what, struct bs_err *err)
{
	int primary = rc & 0xFF;
	enum bs_code code = primary == SQLITE_BUSY || primary == SQLITE_LOCKED ? BS_EBUSY : BS_ESTORE;

	return bs_err_set(err, code, "%s: %s", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
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
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? 0 : bs_sqlite_fail(sqlite3_db_handle(stmt), rc, sqlite3_sql(stmt), err);
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

int bs_sqlite_copy(sqlite3 *from, sqlite3 *to, struct bs_err *err)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int rc;

	if (!backup)
		return bs_sqlite_fail(to, SQLITE_ERROR, "cannot copy", err);
	for (int tries = 0;; tries++) {
		rc = sqlite3_backup_step(backup, -1);
		if ((rc != SQLITE_BUSY && rc != SQLITE_LOCKED) || tries == COPY_TRIES)
			break;
		sqlite3_sleep(10);
	}
	sqlite3_backup_finish(backup);
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return bs_err_set(err, BS_ESTORE, "cannot copy: the database stays locked");
	return rc == SQLITE_DONE ? 0 : bs_sqlite_fail(NULL, rc, "cannot copy", err);
}

void bs_sqlite_pack(sqlite3_stmt *stmt, struct bs_buf *image)
{
	int columns = sqlite3_column_count(stmt);

	for (int i = 0; i < columns; i++) {
		const void *data;
		switch (sqlite3_column_type(stmt, i)) {
		case SQLITE_INTEGER:
			bs_row_add_int(image, sqlite3_column_int64(stmt, i));
			break;
		case SQLITE_FLOAT:
			bs_row_add_real(image, sqlite3_column_double(stmt, i));
			break;
		case SQLITE_TEXT: /* the text first: it is converted where the database is UTF-16 */
			data = sqlite3_column_text(stmt, i);
			bs_row_add_text(image, data, (size_t)sqlite3_column_bytes(stmt, i));
			break;
		case SQLITE_BLOB:
			data = sqlite3_column_blob(stmt, i);
			bs_row_add_blob(image, data, (size_t)sqlite3_column_bytes(stmt, i));
			break;
		default:
			bs_row_add_null(image);
		}
	}
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
