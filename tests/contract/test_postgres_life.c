/*
 * What becomes of a PostgreSQL database when things do not go as they should: runs that are killed, connections that
 * are cut, two runs at once, roles with few rights.
 */
#include "postgres_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static const char schema[] = "CREATE TABLE a(id serial PRIMARY KEY, n int); INSERT INTO a(n) VALUES (1), (2); "
			     "CREATE TABLE loose(t text); INSERT INTO loose VALUES ('x'), ('x')";

static char *first_clone(void)
{
	return value_on_server("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'backstep%live'");
}

/* Everything in it, with the positions of sequences. */
static char *content(const char *database)
{
	return value_on_server(database, "SELECT (SELECT string_agg(a::text, ' ' ORDER BY id) FROM a) || (SELECT string_agg(t, ' ' "
					 "ORDER BY t) FROM loose) || (SELECT last_value || ' ' || is_called FROM a_id_seq)");
}

/* --- Killed ------------------------------------------------------------------------------------------ */

/* Another Backstep: steps, puts back, steps, and is killed. */
static void run_and_be_killed(struct fixture *f)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct bs_changes list;
		if (open_store(f) < 0 || f->store->ops->clone(f->store, NULL) < 0 ||
		    f->store->ops->snapshot(f->store, NULL) < 0 || f->store->ops->begin(f->store, NULL) < 0)
			_exit(1);
		PGconn *app = PQconnectdb(live_url(f));
		PQclear(PQexec(app, "INSERT INTO a(n) VALUES (3); UPDATE a SET n = n * 10; DELETE FROM loose"));
		if (f->store->ops->changes(f->store, &list, NULL) < 0 || undo(f, &list) < 0)
			_exit(2);
		PQclear(PQexec(app, "INSERT INTO a(n) VALUES (4)"));
		if (f->store->ops->changes(f->store, &list, NULL) < 0)
			_exit(3);
		PQclear(PQexec(app, "UPDATE a SET n = 7; TRUNCATE loose; INSERT INTO loose VALUES ('y')"));
		kill(getpid(), SIGKILL);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("the run that was to be killed failed at %d", WEXITSTATUS(status));
}

static void the_next_run_puts_back_what_a_killed_one_left_in_place(void **state)
{
	struct fixture *f = *state;
	PGconn *owner = connect_as("boss", DATABASE);

	run(owner, schema);
	PQfinish(owner);
	BS_AUTOFREE char *root = content(DATABASE);
	run_and_be_killed(f);
	BS_AUTOFREE char *killed = content(DATABASE);
	assert_string_not_equal(killed, root);
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	BS_AUTOFREE char *again = content(DATABASE);
	assert_string_equal(again, root);
	assert_non_null(strstr(f->store->ops->warning(f->store, 0), "ended before it could put 'shop' back"));
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	f->app = connect_to(live_url(f));
	run(f->app, "DELETE FROM a");
	f->store->ops->close(f->store); /* which puts back as well */
	f->store = NULL;
	BS_AUTOFREE char *closed = content(DATABASE);
	assert_string_equal(closed, root);
}

static void recover_alone_puts_it_back(void **state)
{
	struct fixture *f = *state;
	PGconn *owner = connect_as("boss", DATABASE);

	run(owner, schema);
	PQfinish(owner);
	BS_AUTOFREE char *root = content(DATABASE);
	run_and_be_killed(f);
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->recover(f->store, &f->err));
	BS_AUTOFREE char *again = content(DATABASE);
	assert_string_equal(again, root);
}

static void a_clone_of_a_database_that_a_killed_run_left_is_at_the_root(void **state)
{
	struct fixture *f = *state;
	PGconn *owner = connect_as("boss", DATABASE);

	run(owner, schema);
	PQfinish(owner);
	BS_AUTOFREE char *root = content(DATABASE);
	f->in_place = true;
	run_and_be_killed(f);
	f->in_place = false;
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	BS_AUTOFREE char *clone = first_clone();
	BS_AUTOFREE char *cloned = content(clone);
	assert_string_equal(cloned, root);
	f->store->ops->close(f->store);
	f->in_place = true; /* the original itself is left as it is until a run in place, or recover */
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->recover(f->store, &f->err));
}

static void clones_of_a_killed_run_are_removed_by_the_next(void **state)
{
	struct fixture *f = *state;

	run_and_be_killed(f); /* there is no table: its statements fail, its clones are there */
	BS_AUTOFREE char *left = first_clone();
	assert_true(bs_pg_made_by_dead(left));
	/* its connections may end a moment later */
	for (int i = 0; i < 500; i++) {
		BS_AUTOFREE char *sessions = value_on_server(
			"postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backstep' OR datname LIKE 'backstep%'");
		if (strcmp(sessions, "0") == 0)
			break;
		usleep(10000);
	}
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	BS_AUTOFREE char *now = first_clone();
	assert_string_not_equal(now, left);
	BS_AUTOFREE char *count =
		value_on_server("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'backstep%'");
	assert_string_equal(count, "1");
}

static void only_names_of_dead_runs_are_taken_for_dead(void **state)
{
	(void)state;
	assert_false(bs_pg_made_by_dead("backstep_reports"));
	assert_false(bs_pg_made_by_dead("backstep_0_1_live"));
	assert_true(bs_pg_made_by_dead("backstep_00000000_1_1_1_00000000_live"));        /* elsewhere, in 1970 */
	assert_false(bs_pg_made_by_dead("backstep_00000000_1_1_1_00000000_live_or_not"));
	BS_AUTOFREE char *young = bs_xasprintf("backstep_00000000_1_1_%lx_00000000_root", (unsigned long)time(NULL));
	assert_false(bs_pg_made_by_dead(young));
	struct bs_postgres s = {0};
	bs_pg_name_clones(&s);
	assert_false(bs_pg_made_by_dead(s.live_name));
	assert_true(strlen(s.live_name) < 64); /* longer names are cut off by the server */
	free(s.live_name);
	free(s.root_name);
	free(s.lock_name);
}

/* --- Two at once ------------------------------------------------------------------------------------- */

static void two_runs_at_once_do_not_meet(void **state)
{
	struct fixture *f = *state, other = {.url = f->url, .role = f->role};

	begin(f, schema);
	assert_ok(&other, open_store(&other));
	assert_ok(&other, other.store->ops->clone(other.store, &other.err));
	assert_ok(&other, other.store->ops->snapshot(other.store, &other.err));
	assert_ok(&other, other.store->ops->begin(other.store, &other.err));
	other.app = connect_to(live_url(&other));
	run(f->app, "UPDATE a SET n = 100 WHERE id = 1");
	run(other.app, "UPDATE a SET n = 200 WHERE id = 2");
	assert_changes(f, "a {\"id\":1,\"n\":1}->{\"id\":1,\"n\":100}\n");
	struct bs_changes list = changes(&other);
	BS_AUTOFREE char *text = as_text(&other, &list);
	assert_string_equal(text, "a {\"id\":2,\"n\":2}->{\"id\":2,\"n\":200}\n");
	assert_ok(&other, undo(&other, &list));
	assert_value(f->app, "SELECT sum(n) FROM a", "102");
	assert_value(other.app, "SELECT sum(n) FROM a", "3");
	PQfinish(other.app);
	other.store->ops->close(other.store);
	assert_value(f->app, "SELECT sum(n) FROM a", "102");
}

static void in_place_a_second_run_is_refused(void **state)
{
	struct fixture *f = *state, other = {.url = f->url, .role = f->role, .in_place = true};

	begin(f, schema);
	assert_ok(&other, open_store(&other));
	assert_refused(&other, other.store->ops->clone(other.store, &other.err), "another run works in database 'shop' now");
	assert_refused(&other, other.store->ops->recover(other.store, &other.err), "another run works in database 'shop' now");
	other.store->ops->close(other.store);
	bs_err_release(&other.err);
	run(f->app, "INSERT INTO a(n) VALUES (9)");
	assert_changes(f, "a null->{\"id\":3,\"n\":9}\n");
}

/* --- Cut --------------------------------------------------------------------------------------------- */

static void cut_connections(const char *like)
{
	BS_AUTOFREE char *sql = bs_xasprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
					     "WHERE application_name = 'backstep' AND datname LIKE '%s' AND pid <> pg_backend_pid()", like);

	on_server("postgres", sql);
	for (int i = 0; i < 500; i++) {
		BS_AUTOFREE char *left = value_on_server("postgres", "SELECT count(*) FROM pg_stat_activity "
								      "WHERE application_name = 'backstep'");
		if (strcmp(left, "0") == 0 || strcmp(like, "%") != 0)
			break;
		usleep(10000);
	}
}

static void a_cut_connection_is_made_again(void **state)
{
	struct fixture *f = *state;

	begin(f, schema);
	uint64_t root = digest(f);
	run(f->app, "INSERT INTO a(n) VALUES (5); DELETE FROM loose");
	cut_connections("%");
	struct bs_changes list = changes(f);
	assert_int_equal(list.count, 4); /* three rows and a sequence */
	cut_connections("%");
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	assert_int_equal(changes(f).count, 0);
	cut_connections("%");
	run(f->app, "INSERT INTO a(n) VALUES (6)");
	assert_changes(f, "a null->{\"id\":3,\"n\":6}\n");
}

/* While it waits for a row that the application has locked: nothing is half put. */
static void a_connection_cut_while_rows_are_put_leaves_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	int status;

	begin(f, schema);
	uint64_t root = digest(f);
	run(f->app, "INSERT INTO a(n) VALUES (5); DELETE FROM loose; UPDATE a SET n = 0 WHERE id = 1");
	struct bs_changes list = changes(f);
	run(f->app, "BEGIN; SELECT FROM a WHERE id = 1 FOR UPDATE");
	pid_t pid = fork();
	if (pid == 0) { /* cuts whoever waits for the lock, for a second */
		for (int i = 0; i < 100; i++) {
			on_server("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
					      "WHERE application_name = 'backstep' AND wait_event_type = 'Lock'");
			usleep(10000);
		}
		_exit(0);
	}
	uint64_t there = digest(f);
	int r = undo(f, &list);
	assert_true(r == BS_ESTORE || r == BS_EBUSY);
	assert_int_equal(digest(f), there);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	run(f->app, "COMMIT");
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
}

static void a_row_that_the_application_keeps_locked_makes_apply_busy(void **state)
{
	struct fixture *f = *state;

	begin(f, schema);
	uint64_t root = digest(f);
	run(f->app, "UPDATE a SET n = 0");
	struct bs_changes list = changes(f);
	run(f->app, "BEGIN; SELECT FROM a WHERE id = 1 FOR UPDATE");
	assert_int_equal(undo(f, &list), BS_EBUSY);
	run(f->app, "COMMIT");
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
}

/* --- Roles ------------------------------------------------------------------------------------------- */

static void each_missing_privilege_is_said_with_the_statement_that_gives_it(void **state)
{
	struct fixture *f = *state;

	on_server("postgres", "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN");
	on_server(DATABASE, schema);
	assert_refused(f, open_store(f), "ALTER ROLE clerk CREATEDB");
	on_server("postgres", "ALTER ROLE clerk CREATEDB");
	assert_refused(f, open_store(f), "GRANT boss TO clerk");
	on_server("postgres", "CREATE ROLE owner; ALTER DATABASE shop OWNER TO owner");
	assert_refused(f, open_store(f), "GRANT owner TO clerk");
	on_server("postgres", "GRANT owner TO clerk");
	assert_ok(f, open_store(f));
	assert_refused(f, f->store->ops->clone(f->store, &f->err),
		       "GRANT SET ON PARAMETER session_replication_role TO clerk");
	on_server("postgres", "GRANT SET ON PARAMETER session_replication_role TO clerk");
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	assert_ok(f, f->store->ops->snapshot(f->store, &f->err));
	assert_refused(f, f->store->ops->begin(f->store, &f->err), "GRANT boss TO clerk");
	f->store->ops->close(f->store);
	on_server(DATABASE, "ALTER TABLE a OWNER TO owner; ALTER TABLE loose OWNER TO owner");
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	assert_ok(f, f->store->ops->snapshot(f->store, &f->err));
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
	f->app = connect_to(live_url(f));
	uint64_t root = digest(f);
	run(f->app, "INSERT INTO a(n) VALUES (5); TRUNCATE loose");
	struct bs_changes list = changes(f);
	assert_int_equal(list.count, 4);
	assert_ok(f, undo(f, &list));
	assert_int_equal(digest(f), root);
	run(f->app, "CREATE TABLE b(id int)"); /* seen without an event trigger, too */
	assert_refused(f, try_changes(f), "CREATE, ALTER or DROP");
	PQfinish(f->app);
	f->app = NULL;
	f->store->ops->close(f->store);
	f->store = NULL;
	on_server("postgres", "ALTER DATABASE shop OWNER TO boss");
	on_server(DATABASE, "REASSIGN OWNED BY owner TO boss; DROP OWNED BY owner");
	on_server("postgres", "REVOKE SET ON PARAMETER session_replication_role FROM clerk; DROP ROLE clerk; DROP ROLE owner");
}

static void a_database_in_use_is_not_cloned_and_the_user_is_named(void **state)
{
	struct fixture *f = *state;

	on_server(DATABASE, schema);
	assert_ok(f, open_store(f));
	PGconn *user = connect_as("boss", DATABASE);
	run(user, "SET application_name = 'accounts'");
	assert_refused(f, f->store->ops->clone(f->store, &f->err), "'accounts' as boss");
	assert_non_null(strstr(bs_err_text(&f->err), "in_place: true"));
	PQfinish(user);
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
}

static void a_server_or_database_that_is_not_there_is_said(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *right = f->url;

	f->url = bs_xasprintf("postgresql://boss:hunter22@127.0.0.1:%u/no_such?" OPTIONS, server.port);
	assert_refused(f, open_store(f), "database \"no_such\" does not exist");
	assert_null(strstr(bs_err_text(&f->err), "hunter22"));
	free(f->url);
	f->url = bs_xstrdup("postgresql://boss:hunter22@127.0.0.1:1/shop");
	assert_refused(f, open_store(f), "cannot connect to 'postgresql://127.0.0.1:1/shop'");
	assert_null(strstr(bs_err_text(&f->err), "hunter22"));
	free(f->url);
	f->url = bs_xstrdup("http://boss:hunter22@127.0.0.1/shop");
	assert_int_equal(open_store(f), BS_EMODEL);
	assert_null(strstr(bs_err_text(&f->err), "hunter22"));
	free(f->url);
	f->url = bs_xstrdup(right);
}

static void a_clone_has_the_settings_of_its_database(void **state)
{
	struct fixture *f = *state;

	on_server(DATABASE, "CREATE SCHEMA app; CREATE TABLE app.a(id int PRIMARY KEY); CREATE TABLE public.b(id int PRIMARY KEY); "
			    "ALTER DATABASE shop SET search_path = app, \"$user\", public; "
			    "ALTER DATABASE shop SET timezone = 'Asia/Tokyo'; ALTER DATABASE shop SET myapp.tenant = 'it''s'");
	begin(f, "SELECT 1");
	assert_value(f->app, "SHOW search_path", "app, \"$user\", public");
	assert_value(f->app, "SHOW timezone", "Asia/Tokyo");
	assert_value(f->app, "SHOW myapp.tenant", "it's");
	run(f->app, "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)"); /* and its tables are called as it calls them */
	assert_changes(f, "a null->{\"id\":1}\npublic.b null->{\"id\":1}\n");
}

/* --- URLs -------------------------------------------------------------------------------------------- */

static void the_url_keeps_all_but_the_database(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"postgresql://u:p%40@h:5/old?sslmode=disable", "postgresql://u:p%40@h:5/a%20b?sslmode=disable"},
		{"postgres://h", "postgres://h/a%20b"},
		{"postgresql:///old?host=/tmp&dbname=x&port=5", "postgresql:///a%20b?host=/tmp&port=5"},
		{"postgresql://h1:1,h2:2/?target_session_attrs=any", "postgresql://h1:1,h2:2/a%20b?target_session_attrs=any"},
		{"host=h dbname=old", "host=h dbname=old dbname='a b'"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		BS_AUTOFREE char *to = bs_pg_url_with_database(cases[i].from, "a b");
		assert_string_equal(to, cases[i].to);
	}
	BS_AUTOFREE char *quoted = bs_pg_url_with_database("port=1", "it's \\");
	assert_string_equal(quoted, "port=1 dbname='it\\'s \\\\'");
}

#define LIFE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up_in_place, tear_down)

int main(void)
{
	static char clerk[] = "clerk";
	const struct CMUnitTest tests[] = {
		IN_PLACE(the_next_run_puts_back_what_a_killed_one_left_in_place),
		IN_PLACE(recover_alone_puts_it_back),
		LIFE(a_clone_of_a_database_that_a_killed_run_left_is_at_the_root),
		LIFE(clones_of_a_killed_run_are_removed_by_the_next),
		cmocka_unit_test(only_names_of_dead_runs_are_taken_for_dead),
		LIFE(two_runs_at_once_do_not_meet),
		IN_PLACE(in_place_a_second_run_is_refused),
		LIFE(a_cut_connection_is_made_again),
		LIFE(a_connection_cut_while_rows_are_put_leaves_all_or_nothing),
		LIFE(a_row_that_the_application_keeps_locked_makes_apply_busy),
		{"each_missing_privilege_is_said_with_the_statement_that_gives_it",
		 each_missing_privilege_is_said_with_the_statement_that_gives_it, set_up, tear_down, clerk},
		LIFE(a_database_in_use_is_not_cloned_and_the_user_is_named),
		LIFE(a_server_or_database_that_is_not_there_is_said),
		LIFE(a_clone_has_the_settings_of_its_database),
		cmocka_unit_test(the_url_keeps_all_but_the_database),
	};

	pg_server_start(&server, NULL);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	pg_server_stop(&server);
	return failed;
}
