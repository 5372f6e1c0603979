/*
 * PostgreSQL: what notes the rows that changed. A schema of our own holds the notes and the functions; triggers on
 * each table call them.
 *
 * - Row triggers only: those of statements do not fire for a partition. The trigger of a partitioned table is cloned
 *   to its partitions by the server.
 * - The function fixes every setting on which the text of a row depends, and runs as its owner, so that the
 *   application needs no right on the notes.
 * - A note has the number of its transaction: what was not visible in one look is found by the next, whatever the
 *   order of commits (a serial number alone would miss the late ones).
 * - TRUNCATE fires no row trigger: a trigger before it notes all rows.
 * - CREATE, ALTER and DROP cannot be put back, so they are noted to be refused: by event triggers where we may make
 *   them, else by a look at the catalogue (postgres_changes.c).
 */
#include "postgres.h"

#include "base/mem.h"

#include <string.h>

#define FORMATS \
	"SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET bytea_output = hex " \
	"SET extra_float_digits = 1 SET lc_monetary = 'C' " \
	"SET search_path = pg_catalog, pg_temp "

static const char sql_functions[] =
	"CREATE FUNCTION " BS_PG_SCHEMA ".note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER " FORMATS "AS $$ BEGIN "
	"IF tg_op = 'INSERT' THEN INSERT INTO " BS_PG_SCHEMA ".notes(rel, after) VALUES (tg_relid, new::text); "
	"ELSIF tg_op = 'UPDATE' THEN INSERT INTO " BS_PG_SCHEMA ".notes(rel, before, after) "
	" VALUES (tg_relid, old::text, new::text); "
	"ELSE INSERT INTO " BS_PG_SCHEMA ".notes(rel, before) VALUES (tg_relid, old::text); END IF; "
	"RETURN NULL; END $$;"
	"CREATE FUNCTION " BS_PG_SCHEMA ".note_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER " FORMATS
	"AS $$ BEGIN EXECUTE format('INSERT INTO " BS_PG_SCHEMA ".notes(rel, before) "
	" SELECT %s, (\"backstep~row\".*)::text FROM ONLY %s \"backstep~row\"', tg_relid, tg_relid::regclass); "
	"RETURN NULL; END $$;"
	"CREATE FUNCTION " BS_PG_SCHEMA ".busy() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
	"RAISE EXCEPTION 'the application wrote since its changes were read' USING ERRCODE = '" BS_PG_STATE_BUSY "'; "
	"END $$;"
	"CREATE FUNCTION " BS_PG_SCHEMA ".not_there(what text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
	"RAISE EXCEPTION 'table ''%'': a row to be put back is not as it was left', what "
	"USING ERRCODE = '" BS_PG_STATE_NOT_THERE "'; END $$;";

/* What an application does to its own temporary tables is nobody else's business. */
static const char sql_event_triggers[] =
	"CREATE FUNCTION " BS_PG_SCHEMA ".note_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER "
	"SET search_path = pg_catalog, pg_temp AS $$ BEGIN INSERT INTO " BS_PG_SCHEMA ".notes(rel, before) "
	"SELECT 0, command_tag || ' ' || coalesce(object_identity, '') FROM pg_event_trigger_ddl_commands() "
	"WHERE schema_name IS DISTINCT FROM 'pg_temp'; END $$;"
	"CREATE FUNCTION " BS_PG_SCHEMA ".note_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER "
	"SET search_path = pg_catalog, pg_temp AS $$ BEGIN INSERT INTO " BS_PG_SCHEMA ".notes(rel, before) "
	"SELECT 0, tg_tag || ' ' || coalesce(object_identity, '') FROM pg_event_trigger_dropped_objects() "
	"WHERE original AND NOT is_temporary; END $$;"
	"CREATE EVENT TRIGGER " BS_PG_SCHEMA "_ddl ON ddl_command_end EXECUTE FUNCTION " BS_PG_SCHEMA ".note_ddl();"
	"CREATE EVENT TRIGGER " BS_PG_SCHEMA "_drop ON sql_drop EXECUTE FUNCTION " BS_PG_SCHEMA ".note_drop();";

/* In place the notes must outlive a crash of the server; a clone is worth nothing then. No autovacuum: its lock is in
 * the way of ours, and nothing is ever deleted here. */
static void add_notes_table(const struct bs_postgres *s, struct bs_buf *sql)
{
	bs_buf_addf(sql,
		    "CREATE SCHEMA " BS_PG_SCHEMA ";"
		    "CREATE %sTABLE " BS_PG_SCHEMA ".notes(n bigserial, tx xid8 NOT NULL DEFAULT pg_current_xact_id(), "
		    "rel oid NOT NULL, own bigint, before text, after text) WITH (autovacuum_enabled = off);"
		    "CREATE INDEX ON " BS_PG_SCHEMA ".notes(tx);"
		    "CREATE UNIQUE INDEX ON " BS_PG_SCHEMA ".notes(own) WHERE rel = 0;"
		    "CREATE TABLE " BS_PG_SCHEMA ".root_sequences(sequence text, last_value bigint, is_called boolean);",
		    s->in_place ? "" : "UNLOGGED ");
}

/* The note of a partition's row comes through its root's trigger; rows vanish by TRUNCATE from each by itself. */
static int add_triggers(struct bs_postgres *s, struct bs_buf *sql, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	BS_AUTOFREE char *oids = NULL;
	struct bs_buf list = BS_BUF_INIT;

	bs_buf_addc(&list, '{');
	for (size_t i = 0; i < s->relation_count; i++)
		bs_buf_addf(&list, "%s%u", i ? "," : "", s->relations[i].oid);
	bs_buf_addc(&list, '}');
	oids = bs_buf_take(&list);
	int r = bs_pg_ask(s->live, "SELECT format('%I.%I', n.nspname, c.relname), NOT c.relispartition, c.relkind = 'r' "
				   "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
				   "WHERE c.oid = ANY ($1::oid[]) ORDER BY c.relispartition, 1",
			  1, (const char *const *)&oids, &result, err);
	for (int i = 0; r == 0 && i < PQntuples(result); i++) {
		if (bs_pg_true(result, i, 1))
			bs_buf_addf(sql, "CREATE TRIGGER " BS_PG_SCHEMA "_note AFTER INSERT OR UPDATE OR DELETE ON %s "
					 "FOR EACH ROW EXECUTE FUNCTION " BS_PG_SCHEMA ".note();", bs_pg_text(result, i, 0));
		if (bs_pg_true(result, i, 2))
			bs_buf_addf(sql, "CREATE TRIGGER " BS_PG_SCHEMA "_truncate BEFORE TRUNCATE ON %s "
					 "FOR EACH STATEMENT EXECUTE FUNCTION " BS_PG_SCHEMA ".note_truncate();",
				    bs_pg_text(result, i, 0));
	}
	return r;
}

static void add_root_sequences(const struct bs_postgres *s, struct bs_buf *sql)
{
	for (size_t i = 0; i < s->sequence_count; i++) {
		char *literal = PQescapeLiteral(s->live, s->sequences[i].name, strlen(s->sequences[i].name));
		bs_buf_addf(sql, "INSERT INTO " BS_PG_SCHEMA ".root_sequences SELECT %s, last_value, is_called FROM %s;",
			    literal, s->sequences[i].quoted);
		PQfreemem(literal);
	}
}

int bs_pg_is_installed(PGconn *conn, bool *ret_installed, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_exec(conn, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '" BS_PG_SCHEMA "')",
			   &result, err);

	if (r == 0)
		*ret_installed = bs_pg_true(result, 0, 0);
	return r;
}

int bs_pg_install(struct bs_postgres *s, struct bs_err *err)
{
	struct bs_buf sql = BS_BUF_INIT;

	bs_buf_adds(&sql, "BEGIN;");
	add_notes_table(s, &sql);
	bs_buf_adds(&sql, sql_functions);
	int r = add_triggers(s, &sql, err);
	if (s->superuser)
		bs_buf_adds(&sql, sql_event_triggers);
	add_root_sequences(s, &sql);
	bs_buf_adds(&sql, "COMMIT");
	if (r == 0)
		r = bs_pg_exec(s->live, bs_buf_text(&sql), NULL, err);
	if (r < 0)
		bs_pg_exec(s->live, "ROLLBACK", NULL, NULL);
	s->installed = r == 0;
	bs_buf_release(&sql);
	return r;
}

/* Only what is of ours: CASCADE would take along what somebody built upon it. */
int bs_pg_uninstall(struct bs_postgres *s, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	struct bs_buf sql = BS_BUF_INIT;
	int r = bs_pg_exec(s->live, "SELECT format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass) "
				    "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
				    "JOIN pg_namespace n ON n.oid = p.pronamespace "
				    "WHERE n.nspname = '" BS_PG_SCHEMA "' AND t.tgparentid = 0 "
				    "UNION ALL SELECT format('DROP EVENT TRIGGER %I;', e.evtname) FROM pg_event_trigger e "
				    "JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace "
				    "WHERE n.nspname = '" BS_PG_SCHEMA "'", &result, err);

	bs_buf_adds(&sql, "BEGIN;");
	for (int i = 0; r == 0 && i < PQntuples(result); i++)
		bs_buf_adds(&sql, bs_pg_text(result, i, 0));
	bs_buf_adds(&sql, "DROP TABLE IF EXISTS " BS_PG_SCHEMA ".notes, " BS_PG_SCHEMA ".root_sequences;"
			  "DROP FUNCTION IF EXISTS " BS_PG_SCHEMA ".note, " BS_PG_SCHEMA ".note_truncate, "
			  BS_PG_SCHEMA ".busy, " BS_PG_SCHEMA ".not_there, " BS_PG_SCHEMA ".note_ddl, "
			  BS_PG_SCHEMA ".note_drop; DROP SCHEMA " BS_PG_SCHEMA "; COMMIT");
	if (r == 0)
		r = bs_pg_exec(s->live, bs_buf_text(&sql), NULL, err);
	if (r < 0)
		bs_pg_exec(s->live, "ROLLBACK", NULL, NULL);
	else
		s->installed = false;
	bs_buf_release(&sql);
	return r;
}
