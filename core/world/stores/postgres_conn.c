/*
 * PostgreSQL: connections. Every wait is bounded: the server by statement_timeout and lock_timeout, the network by
 * connect_timeout and keepalives, the reading by postgres_wait.c.
 */
#include "postgres.h"

#include "base/mem.h"

#include <string.h>

/* Below deadlock_timeout: where the application and we wait for each other, it is we who step back. */
#define LOCK_MS 250

/* Notices are for a person at a terminal. */
static void ignore_notice(void *ctx, const PGresult *result)
{
	(void)ctx;
	(void)result;
}

/* The user's own words, and ours where they say nothing; later keywords win over dbname's. */
static PGconn *start(const char *url)
{
	static const char *const keywords[] = {
		"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"fallback_application_name", "client_encoding"};
	static const char *const values[] = {"5", "10", "5", "3", "30000", "backstep", "UTF8"};
	const char *all_keywords[BS_COUNT(keywords) + 2] = {NULL};
	const char *all_values[BS_COUNT(keywords) + 2] = {NULL};
	size_t n = 0;

	for (size_t i = 0; i < BS_COUNT(keywords); i++, n++) {
		all_keywords[n] = keywords[i];
		all_values[n] = values[i];
	}
	all_keywords[n] = "dbname"; /* expanded: what the URL says replaces what stands before it */
	all_values[n] = url;
	return PQconnectdbParams(all_keywords, all_values, 1);
}

static int settle(PGconn *conn, struct bs_err *err)
{
	PQsetNoticeReceiver(conn, ignore_notice, NULL);
	if (PQsetnonblocking(conn, 1) < 0)
		return bs_pg_fail(conn, NULL, err);
	return bs_pg_execf(conn, err, "SET statement_timeout = %d; SET lock_timeout = %d; "
				      "SET idle_in_transaction_session_timeout = 0; SET client_min_messages = error; "
				      "SET client_encoding = 'UTF8'",
			   BS_PG_STATEMENT_MS, LOCK_MS);
}

int bs_pg_connect(const struct bs_postgres *s, const char *database, PGconn **ret_conn, struct bs_err *err)
{
	BS_AUTOFREE char *url = database ? bs_pg_url_with_database(s->url, database) : bs_xstrdup(s->url);
	PGconn *conn = start(url);
	int r = 0;

	if (PQstatus(conn) != CONNECTION_OK) {
		r = bs_pg_fail(conn, NULL, err);
		bs_err_wrap(err, "cannot connect to '%s'", s->location);
	} else if (PQserverVersion(conn) < 130000) {
		r = bs_err_set(err, BS_ESTORE, "the server at '%s' is too old: PostgreSQL 13 or later is needed", s->location);
	} else {
		r = settle(conn, err);
	}
	if (r < 0)
		PQfinish(conn);
	else
		*ret_conn = conn;
	return r;
}

int bs_pg_fix_formats(PGconn *conn, struct bs_err *err)
{
	return bs_pg_exec(conn,
			  "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = postgres; "
			  "SET bytea_output = hex; SET extra_float_digits = 1; SET lc_monetary = 'C'; "
			  "SET xmloption = content; SET array_nulls = on; SET row_security = off; "
			  "SET search_path = pg_catalog, pg_temp",
			  NULL, err);
}

/* What names without a schema mean to the application, before our search_path hides it. */
static int learn_role(struct bs_postgres *s, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_ask(s->live, "SELECT coalesce(current_schema(), 'public'), rolsuper FROM pg_roles "
				   "WHERE rolname = current_user", 0, NULL, &result, err);

	if (r < 0)
		return r;
	free(s->home);
	s->home = bs_xstrdup(bs_pg_text(result, 0, 0));
	s->superuser = bs_pg_true(result, 0, 1);
	return 0;
}

int bs_pg_open_live(struct bs_postgres *s, struct bs_err *err)
{
	int r = bs_pg_connect(s, s->live_name, &s->live, err);

	if (r == 0)
		r = learn_role(s, err);
	if (r == 0)
		r = bs_pg_fix_formats(s->live, err);
	if (r == 0)
		r = bs_pg_check_role(s, err);
	if (r == 0) /* rows are found by index, whatever statistics say or do not say yet */
		r = bs_pg_exec(s->live, "SET synchronous_commit = off; SET jit = off; "
					"SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; "
					"SET enable_hashjoin = off; SET enable_mergejoin = off; "
					"SET max_parallel_workers_per_gather = 0; SET session_replication_role = replica",
			       NULL, err);
	if (r < 0)
		bs_pg_finish(&s->live);
	return r;
}

bool bs_pg_lost(const struct bs_postgres *s)
{
	return s->live && PQstatus(s->live) == CONNECTION_BAD;
}
