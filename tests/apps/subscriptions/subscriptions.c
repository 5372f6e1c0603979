/*
 * A test application in which time passes: subscriptions that renew after thirty days, and a job of the process that
 * looks every few milliseconds what is due. The bug is that the job does not look whether a subscription was
 * cancelled, so that
 *
 *   subscribe, cancel, thirty-one days pass
 *
 * charges a customer who left. No request shows it, and no test that does not move the clock.
 *
 * With --fixed the job leaves out what was cancelled.
 */
#include "../common/db.h"
#include "../common/server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define JOB_PAUSE_MS 10

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS subscriptions ("
	"  id INTEGER PRIMARY KEY,"
	"  price INTEGER NOT NULL,"
	"  renews_at INTEGER NOT NULL,"
	"  cancelled_at INTEGER);"
	"CREATE TABLE IF NOT EXISTS charges ("
	"  id INTEGER PRIMARY KEY,"
	"  subscription_id INTEGER NOT NULL REFERENCES subscriptions (id),"
	"  amount INTEGER NOT NULL,"
	"  charged_at INTEGER NOT NULL)";

#define THIRTY_DAYS "30 * 86400"

enum { SUBSCRIBE, GET, CANCEL, STATEMENT_COUNT };

static const char *const sql[STATEMENT_COUNT] = {
	[SUBSCRIBE] = "INSERT INTO subscriptions (price, renews_at) VALUES (?1, ?2 + " THIRTY_DAYS ") RETURNING id, price",
	[GET] = "SELECT id, price, cancelled_at IS NOT NULL AS cancelled,"
		"  (SELECT count(*) FROM charges WHERE subscription_id = subscriptions.id) AS charges"
		"  FROM subscriptions WHERE id = ?1",
	[CANCEL] = "UPDATE subscriptions SET cancelled_at = ?2 WHERE id = ?1 AND cancelled_at IS NULL RETURNING id",
};

/* The job has a connection of its own. */
enum { BEGIN, CHARGE, RENEW, COMMIT, JOB_COUNT };

static const char *const job_sql[JOB_COUNT] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[CHARGE] = "INSERT INTO charges (subscription_id, amount, charged_at) SELECT id, price, ?1 FROM subscriptions"
		   " WHERE renews_at <= ?1 AND (?2 = 0 OR cancelled_at IS NULL)",
	[RENEW] = "UPDATE subscriptions SET renews_at = ?1 + " THIRTY_DAYS
		  " WHERE renews_at <= ?1 AND (?2 = 0 OR cancelled_at IS NULL)",
	[COMMIT] = "COMMIT",
};

struct subscriptions {
	sqlite3 *db, *job_db;
	sqlite3_stmt *statements[STATEMENT_COUNT], *job_statements[JOB_COUNT];
	bool fixed;
	atomic_bool ending;
};

/* --- The job ------------------------------------------------------------------------------------ */

static void run_job(struct subscriptions *app)
{
	time_t now = time(NULL);

	for (size_t i = 0; i < JOB_COUNT; i++) {
		sqlite3_stmt *statement = app->job_statements[i];
		sqlite3_bind_int64(statement, 1, now);
		sqlite3_bind_int(statement, 2, app->fixed);
		sqlite3_step(statement);
		sqlite3_reset(statement);
	}
	if (!sqlite3_get_autocommit(app->job_db))
		sqlite3_exec(app->job_db, "ROLLBACK", NULL, NULL, NULL);
}

/* Nothing is written, and no lock taken, while nothing is due. */
static bool is_due(struct subscriptions *app)
{
	sqlite3_stmt *due = NULL;
	bool any = false;

	if (sqlite3_prepare_v2(app->job_db,
			       "SELECT 1 FROM subscriptions WHERE renews_at <= ?1 AND (?2 = 0 OR cancelled_at IS NULL)", -1,
			       &due, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(due, 1, time(NULL));
		sqlite3_bind_int(due, 2, app->fixed);
		any = sqlite3_step(due) == SQLITE_ROW;
	}
	sqlite3_finalize(due);
	return any;
}

static void *job(void *context)
{
	struct subscriptions *app = context;

	while (!atomic_load(&app->ending)) {
		if (is_due(app))
			run_job(app);
		nanosleep(&(struct timespec){.tv_nsec = JOB_PAUSE_MS * 1000000L}, NULL);
	}
	return NULL;
}

/* --- The requests ------------------------------------------------------------------------------- */

static void answer_row(struct app_call *call, bool done, unsigned status, cJSON *row)
{
	if (!done)
		app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the database failed");
	else if (row)
		app_answer(call, status, row);
	else
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such subscription");
}

static void subscribe(struct app_call *call)
{
	struct subscriptions *app = call->app;
	sqlite3_stmt *statement = app->statements[SUBSCRIBE];
	cJSON *row = NULL;
	int price;

	if (!app_get_integer(call, "price", 1, 1000000, &price))
		return;
	sqlite3_bind_int(statement, 1, price);
	sqlite3_bind_int64(statement, 2, time(NULL));
	bool done = db_row(statement, &row);
	answer_row(call, done, MHD_HTTP_CREATED, row);
}

static void get(struct app_call *call)
{
	struct subscriptions *app = call->app;
	cJSON *row = NULL;

	sqlite3_bind_int64(app->statements[GET], 1, call->id);
	bool done = db_row(app->statements[GET], &row);
	answer_row(call, done, MHD_HTTP_OK, row);
}

static void cancel(struct app_call *call)
{
	struct subscriptions *app = call->app;
	cJSON *row = NULL;

	sqlite3_bind_int64(app->statements[CANCEL], 1, call->id);
	sqlite3_bind_int64(app->statements[CANCEL], 2, time(NULL));
	bool done = db_row(app->statements[CANCEL], &row);
	answer_row(call, done, MHD_HTTP_OK, row);
}

static const struct app_route routes[] = {
	{"GET", "/health", app_health},
	{"POST", "/subscriptions", subscribe},
	{"GET", "/subscriptions/{id}", get},
	{"DELETE", "/subscriptions/{id}", cancel},
};

static int serve(struct subscriptions *app, uint16_t port)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, job, app) != 0) {
		fprintf(stderr, "subscriptions: no thread\n");
		return 1;
	}
	int status = app_serve("subscriptions", port, routes, sizeof routes / sizeof *routes, app);
	atomic_store(&app->ending, true);
	pthread_join(thread, NULL);
	return status;
}

int main(int argc, char **argv)
{
	static struct subscriptions app;
	struct app_options options;
	int status = app_parse(argc, argv, true, &options);

	if (status)
		return status;
	app.fixed = options.fixed;
	app.db = db_open(options.db, schema);
	app.job_db = app.db ? db_open(options.db, schema) : NULL;
	if (app.job_db && db_prepare(app.db, sql, STATEMENT_COUNT, app.statements) &&
	    db_prepare(app.job_db, job_sql, JOB_COUNT, app.job_statements))
		status = serve(&app, options.port);
	else
		status = 1;
	db_close(app.job_db, app.job_statements, JOB_COUNT);
	db_close(app.db, app.statements, STATEMENT_COUNT);
	return status;
}
