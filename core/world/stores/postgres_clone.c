/*
 * PostgreSQL: copies of whole databases, by CREATE DATABASE ... TEMPLATE, which copies only a database that nobody is
 * connected to. A copy has the tables, but not what ALTER DATABASE ... SET said of the original: that is said again.
 */
#include "postgres.h"

#include "base/mem.h"

#include <string.h>

#define IN_USE "55006"
#define NO_SUCH_DATABASE "3D000"
#define NO_PRIVILEGE "42501"

/* --- Looking at the original ------------------------------------------------------------------------- */

/* may make databases, may copy this one, the role, the database's owner, both quoted */
static int check_may_clone(struct bs_postgres *s, PGconn *conn, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_exec(conn, "SELECT r.rolsuper OR r.rolcreatedb, r.rolsuper OR d.datistemplate OR "
				 "pg_has_role(r.oid, d.datdba, 'USAGE'), quote_ident(r.rolname), "
				 "quote_ident(pg_get_userbyid(d.datdba)) FROM pg_roles r, pg_database d "
				 "WHERE r.rolname = current_user AND d.datname = current_database()", &result, err);

	if (r < 0)
		return r;
	const char *role = bs_pg_text(result, 0, 2), *owner = bs_pg_text(result, 0, 3);
	if (!bs_pg_true(result, 0, 0))
		return bs_err_set(err, BS_ESTORE, "role %s may not create databases, and the run works on a clone: as a "
				  "superuser run: ALTER ROLE %s CREATEDB; or let the run work on the database itself with "
				  "in_place: true", role, role);
	if (!bs_pg_true(result, 0, 1))
		return bs_err_set(err, BS_ESTORE, "role %s may not copy database '%s', as %s owns it: as a superuser run: "
				  "GRANT %s TO %s", role, s->database, owner, owner, role);
	return 0;
}

int bs_pg_look_at_original(struct bs_postgres *s, struct bs_err *err)
{
	PGconn *conn = NULL;
	int r = bs_pg_connect(s, NULL, &conn, err);

	if (r < 0)
		return r;
	s->database = bs_xstrdup(PQdb(conn));
	if (!s->in_place)
		r = check_may_clone(s, conn, err);
	bs_pg_finish(&conn);
	return r;
}

/* --- The connection that makes databases --------------------------------------------------------------- */

/* Not to the original: it could not be copied by another run then. But in place it is that which is held. */
static int connect_admin(struct bs_postgres *s, struct bs_err *err)
{
	static const char *const databases[] = {"postgres", "template1"};
	int r = -1;

	if (s->in_place)
		return bs_pg_connect(s, NULL, &s->admin, err);
	for (size_t i = 0; r < 0 && i < BS_COUNT(databases); i++)
		r = bs_pg_connect(s, databases[i], &s->admin, err);
	if (r < 0)
		bs_err_wrap(err, "a clone is made from the database 'postgres' or 'template1'");
	if (r == 0)
		r = bs_pg_execf(s->admin, err, "SET statement_timeout = %d; SET lock_timeout = %d", BS_PG_COPY_MS,
				BS_PG_COPY_MS);
	return r;
}

/* Held as long as the connection is: by it other runs see that this one lives. */
static int take_lock(struct bs_postgres *s, struct bs_err *err)
{
	const char *name = s->in_place ? BS_PG_SCHEMA : s->lock_name;
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_ask(s->admin, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", 1, &name, &result, err);

	if (r == 0 && !bs_pg_true(result, 0, 0))
		return bs_err_set(err, BS_ESTORE, "another run works in database '%s' now: wait until it ends", s->database);
	return r;
}

int bs_pg_open_admin(struct bs_postgres *s, struct bs_err *err)
{
	int r = 0;

	if (s->admin && bs_pg_exec(s->admin, "SELECT 1", NULL, NULL) == 0)
		return 0;
	bs_pg_finish(&s->admin); /* it was cut, and the lock with it */
	r = connect_admin(s, err);
	if (r == 0)
		r = take_lock(s, err);
	if (r == 0 && !s->swept && !s->in_place)
		r = bs_pg_sweep(s, err);
	if (r == 0)
		s->swept = true;
	else
		bs_pg_finish(&s->admin);
	return r;
}

/* --- Copying ----------------------------------------------------------------------------------------- */

static void add_identifier(PGconn *conn, struct bs_buf *sql, const char *name)
{
	char *quoted = PQescapeIdentifier(conn, name, strlen(name));

	bs_buf_adds(sql, quoted ? quoted : "\"\"");
	PQfreemem(quoted);
}

static int drop(struct bs_postgres *s, const char *name, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;

	bs_buf_adds(&sql, "DROP DATABASE IF EXISTS ");
	add_identifier(s->admin, &sql, name);
	bs_buf_adds(&sql, " WITH (FORCE)"); /* it is our own: an application that was killed may not be gone yet */
	int r = bs_pg_exec_within(s->admin, BS_PG_COPY_MS, bs_buf_text(&sql), NULL, err);
	bs_buf_release(&sql);
	return r;
}

/* Who is connected, for a person. The caller's. */
static char *users_of(struct bs_postgres *s, const char *database)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_ask(s->admin, "SELECT string_agg(format('process %s, ''%s'' as %s', pid, application_name, usename), "
				    "'; ') FROM pg_stat_activity WHERE datname = $1", 1, &database, &result, NULL);

	return bs_xstrdup(r == 0 && *bs_pg_text(result, 0, 0) ? bs_pg_text(result, 0, 0) : "unknown");
}

static int copy(struct bs_postgres *s, const char *from, const char *to, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;
	PGresult *result = NULL;

	bs_buf_adds(&sql, "CREATE DATABASE ");
	add_identifier(s->admin, &sql, to);
	bs_buf_adds(&sql, " TEMPLATE ");
	add_identifier(s->admin, &sql, from);
	int r = PQsendQuery(s->admin, bs_buf_text(&sql)) ? 0 : bs_pg_fail(s->admin, NULL, err);
	bs_buf_release(&sql);
	for (bool more = r == 0; more;) {
		int waited = bs_pg_next(s->admin, BS_PG_COPY_MS + BS_PG_GRACE_MS, &result, err);
		more = waited == 0 && result;
		if (waited < 0)
			r = waited;
		if (!more)
			break;
		if (PQresultStatus(result) != PGRES_COMMAND_OK && r == 0) {
			r = bs_pg_fail(s->admin, result, err);
			if (strcmp(bs_pg_state(result), IN_USE) == 0)
				r = BS_EBUSY;
		}
		PQclear(result);
	}
	if (r != BS_EBUSY)
		return r;
	BS_AUTOFREE char *users = users_of(s, from);
	return bs_err_set(err, BS_ESTORE, "database '%s' is in use, and PostgreSQL copies only one that nobody is "
			  "connected to (%s): end those, or let the run work on the database itself with in_place: true",
			  from, users);
}

/* name, value: of ALTER DATABASE ... SET. By set_config and FROM CURRENT, as lists are not quoted like other values. */
static int copy_settings(struct bs_postgres *s, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	PGconn *conn = NULL;
	int r = bs_pg_ask(s->admin, "SELECT split_part(c, '=', 1), substr(c, strpos(c, '=') + 1) FROM pg_db_role_setting, "
				    "unnest(setconfig) c WHERE setrole = 0 "
				    "AND setdatabase = (SELECT oid FROM pg_database WHERE datname = $1)",
			  1, (const char *const *)&s->database, &result, err);

	if (r < 0 || PQntuples(result) == 0)
		return r;
	r = bs_pg_connect(s, s->live_name, &conn, err);
	for (int i = 0; r == 0 && i < PQntuples(result); i++) {
		const char *values[] = {bs_pg_text(result, i, 0), bs_pg_text(result, i, 1)};
		struct bs_buf sql = BS_BUF_INIT;
		r = bs_pg_ask(conn, "SELECT set_config($1, $2, false)", 2, values, NULL, err);
		bs_buf_adds(&sql, "ALTER DATABASE ");
		add_identifier(conn, &sql, s->live_name);
		bs_buf_adds(&sql, " SET ");
		add_identifier(conn, &sql, values[0]);
		bs_buf_adds(&sql, " FROM CURRENT");
		if (r == 0)
			r = bs_pg_exec(conn, bs_buf_text(&sql), NULL, err);
		bs_buf_release(&sql);
	}
	bs_pg_finish(&conn);
	return r < 0 ? bs_err_wrap(err, "a setting of database '%s'", s->database) : 0;
}

static int make_clone(struct bs_postgres *s, struct bs_err *err)
{
	int r = bs_pg_open_admin(s, err);

	if (r == 0 && s->has_live)
		r = drop(s, s->live_name, err);
	if (r == 0)
		r = copy(s, s->has_snapshot ? s->root_name : s->database, s->live_name, err);
	if (r < 0)
		return r;
	s->has_live = true;
	s->installed = false;
	r = copy_settings(s, err);
	if (r == 0 && !s->has_snapshot) /* the original may have been left by a run that worked in it */
		r = bs_pg_recover(s, err);
	return r;
}

/* In place: the first time what was left is put back, later the root of this run. */
static int restore(struct bs_postgres *s, struct bs_err *err)
{
	uint64_t rows;

	int r = bs_pg_open_admin(s, err);

	if (r == 0 && !s->installed)
		return bs_pg_recover(s, err);
	if (r == 0)
		r = bs_pg_open_live(s, err);
	if (r == 0)
		r = bs_pg_prepare_apply(s, err);
	return r < 0 ? r : bs_pg_restore_root(s, &rows, err);
}

int bs_pg_clone(struct bs_store *store, struct bs_err *err)
{
	struct bs_postgres *s = (struct bs_postgres *)store;

	bs_pg_end_tracking(s);
	int r = s->in_place ? restore(s, err) : make_clone(s, err);
	bs_pg_end_tracking(s); /* nobody but the application may be in it when it is copied */
	return r;
}

int bs_pg_snapshot(struct bs_store *store, struct bs_err *err)
{
	struct bs_postgres *s = (struct bs_postgres *)store;

	if (s->in_place)
		return 0; /* what is noted from begin on leads back to it */
	bs_pg_end_tracking(s);
	int r = bs_pg_open_admin(s, err);
	if (r == 0 && s->has_snapshot)
		r = drop(s, s->root_name, err);
	s->has_snapshot = false;
	if (r == 0)
		r = copy(s, s->live_name, s->root_name, err);
	s->has_snapshot = r == 0;
	return r;
}

void bs_pg_drop_clones(struct bs_postgres *s)
{
	if ((!s->has_live && !s->has_snapshot) || bs_pg_open_admin(s, NULL) < 0)
		return;
	if (s->has_live)
		drop(s, s->live_name, NULL);
	if (s->has_snapshot)
		drop(s, s->root_name, NULL);
	s->has_live = s->has_snapshot = false;
}
