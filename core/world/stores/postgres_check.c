/*
 * PostgreSQL: what cannot be tracked or put back, found when tracking begins and said with the statement that helps.
 * What only may matter (a view that is not refreshed, a table where putting back costs a scan) is a warning.
 */
#include "postgres.h"

#include "base/mem.h"

#include <stdarg.h>
#include <string.h>

#define LISTED 5 /* names in one message */

void bs_pg_warn(struct bs_postgres *s, const char *format, ...)
{
	struct bs_buf text = BS_BUF_INIT;
	va_list args;

	va_start(args, format);
	bs_buf_addv(&text, format, args);
	va_end(args);
	for (size_t i = 0; i < s->warning_count; i++)
		if (strcmp(s->warnings[i], bs_buf_text(&text)) == 0) { /* the next start finds the same */
			bs_buf_release(&text);
			return;
		}
	*BS_PUSH(s->warnings, s->warning_count) = bs_buf_take(&text);
}

/* --- The role ---------------------------------------------------------------------------------------- */

int bs_pg_check_role(struct bs_postgres *s, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	bool grantable = PQserverVersion(s->live) >= 150000;
	int r = 0;

	if (s->superuser)
		return 0;
	r = bs_pg_exec(s->live, grantable ? "SELECT has_parameter_privilege('session_replication_role', 'SET'), "
					    "quote_ident(current_user)"
					  : "SELECT false, quote_ident(current_user)", &result, err);
	if (r < 0 || bs_pg_true(result, 0, 0))
		return r;
	const char *role = bs_pg_text(result, 0, 1);
	if (!grantable)
		return bs_err_set(err, BS_ESTORE, "role %s is no superuser, and before PostgreSQL 15 only a superuser may "
				  "put rows back without triggers: use a superuser, or PostgreSQL 15", role);
	return bs_err_set(err, BS_ESTORE, "role %s may not set session_replication_role, without which rows cannot be "
			  "put back: as a superuser run: GRANT SET ON PARAMETER session_replication_role TO %s", role, role);
}

/* --- One question for each thing that is refused or warned of ------------------------------------------ */

/* Each gives rows of one text, at most a few. */
struct question {
	const char *sql;
	const char *message; /* with the list of texts as %s */
	bool refuse;
};

#define USERS_OWN "n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', '" BS_PG_SCHEMA "') "
#define NOT_EXTENSION(class, oid) \
	"AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '" class "'::regclass AND d.objid = " oid \
	" AND d.deptype = 'e') "

static const struct question questions[] = {
	{"SELECT DISTINCT format('GRANT %I TO %I', pg_get_userbyid(c.relowner), current_user) FROM pg_class c "
	 "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'S') AND " USERS_OWN
	 NOT_EXTENSION("pg_class", "c.oid") "AND NOT pg_has_role(c.relowner, 'USAGE')",
	 "tables belong to another role, so that their changes cannot be tracked: as a superuser run: %s", true},
	{"SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user) "
	 "WHERE NOT has_database_privilege(current_database(), 'CREATE')",
	 "the role may not make a schema for the notes of changes: as the database's owner run: %s", true},
	{"SELECT format('ALTER TABLE %s ENABLE TRIGGER %I', t.tgrelid::regclass, t.tgname) FROM pg_trigger t "
	 "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
	 "WHERE t.tgenabled IN ('A', 'R') AND NOT t.tgisinternal AND " USERS_OWN,
	 "triggers that are enabled ALWAYS or for REPLICA would act when rows are put back; run: %s", true},
	{"SELECT format('ALTER TABLE %s ENABLE RULE %I', r.ev_class::regclass, r.rulename) FROM pg_rewrite r "
	 "JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace "
	 "WHERE r.ev_enabled IN ('A', 'R') AND c.relkind IN ('r', 'p') AND " USERS_OWN,
	 "rules that are enabled ALWAYS or for REPLICA would act when rows are put back; run: %s", true},
	{"SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	 "WHERE c.relkind IN ('r', 'p') AND c.relnatts = 0 AND " USERS_OWN,
	 "tables without a column cannot be tracked: %s", true},
	{"SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	 "WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND c.relforcerowsecurity AND " USERS_OWN
	 "AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)",
	 "row level security hides rows from their owner, so that they cannot be put back; run ALTER ROLE ... BYPASSRLS "
	 "for the role of the url, or ALTER TABLE ... NO FORCE ROW LEVEL SECURITY for: %s", true},
	{"SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	 "WHERE c.relkind = 'f' AND " USERS_OWN,
	 "what the application writes to foreign tables is elsewhere and is not put back: %s", false},
	{"SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	 "WHERE c.relkind = 'm' AND " USERS_OWN,
	 "materialized views are not put back, and a run in which one is refreshed ends: %s", false},
	{"SELECT c.oid::regclass::text FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid "
	 "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE q.seqcache > 1 AND " USERS_OWN,
	 "connections of the application keep numbers of these sequences (CACHE), which are not put back: %s", false},
	{"SELECT count(*)::text FROM pg_largeobject_metadata HAVING count(*) > 0",
	 "large objects are not tracked, and what the application writes to one is not put back; there are %s", false},
};

static int ask(struct bs_postgres *s, const struct question *question, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	struct bs_buf list = BS_BUF_INIT, message = BS_BUF_INIT;
	int r = bs_pg_exec(s->live, question->sql, &result, err);
	const char *gap = strstr(question->message, "%s");

	if (r < 0 || PQntuples(result) == 0)
		return r;
	for (int i = 0; i < PQntuples(result) && i < LISTED; i++)
		bs_buf_addf(&list, "%s%s", i ? question->refuse ? "; " : ", " : "", bs_pg_text(result, i, 0));
	if (PQntuples(result) > LISTED)
		bs_buf_addf(&list, " and %d more", PQntuples(result) - LISTED);
	bs_buf_add(&message, question->message, (size_t)(gap - question->message));
	bs_buf_addf(&message, "%s%s", bs_buf_text(&list), gap + 2);
	if (question->refuse)
		r = bs_err_set(err, BS_ESTORE, "%s", bs_buf_text(&message));
	else
		bs_pg_warn(s, "%s", bs_buf_text(&message));
	bs_buf_release(&list);
	bs_buf_release(&message);
	return r;
}

static void warn_without_key(struct bs_postgres *s)
{
	struct bs_buf list = BS_BUF_INIT;
	size_t count = 0;

	for (size_t t = 0; t < s->table_count; t++)
		if (!s->tables[t].key_count && count++ < LISTED)
			bs_buf_addf(&list, "%s%s", count > 1 ? ", " : "", s->schema[t].name);
	if (count > LISTED)
		bs_buf_addf(&list, " and %zu more", count - LISTED);
	if (count)
		bs_pg_warn(s, "no primary key and no unique index over columns that are NOT NULL, so that each undo of a "
			   "change reads the whole table: %s", bs_buf_text(&list));
	bs_buf_release(&list);
}

int bs_pg_check(struct bs_postgres *s, struct bs_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < BS_COUNT(questions); i++)
		r = ask(s, &questions[i], err);
	if (r == 0)
		warn_without_key(s);
	return r;
}
