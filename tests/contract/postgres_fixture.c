/* See postgres_fixture.h. */
#include "postgres_fixture.h"

struct pg_server server;

static void ignore(void *ctx, const char *message)
{
	(void)ctx;
	(void)message;
}

PGconn *connect_to(const char *url)
{
	PGconn *conn = PQconnectdb(url);

	if (PQstatus(conn) != CONNECTION_OK)
		fail_msg("%s: %s", url, PQerrorMessage(conn));
	PQsetNoticeProcessor(conn, ignore, NULL);
	return conn;
}

static char *url_of(const char *role, const char *database)
{
	return bs_xasprintf("postgresql://%s@127.0.0.1:%u/%s?" OPTIONS, role, server.port, database);
}

PGconn *connect_as(const char *role, const char *database)
{
	BS_AUTOFREE char *url = url_of(role, database);

	return connect_to(url);
}

char *value(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	char *text = bs_xstrdup(PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	return text;
}

void run(PGconn *conn, const char *sql)
{
	free(value(conn, sql));
}

char *value_on_server(const char *database, const char *sql)
{
	PGconn *conn = connect_as("boss", database);
	char *text = value(conn, sql);

	PQfinish(conn);
	return text;
}

void on_server(const char *database, const char *sql)
{
	free(value_on_server(database, sql));
}

static int make(void **state, bool in_place)
{
	struct fixture *f = bs_xcalloc(1, sizeof *f);

	f->role = *state ? *state : "boss";
	f->in_place = in_place;
	f->url = url_of(f->role, DATABASE);
	on_server("postgres", "DROP DATABASE IF EXISTS " DATABASE " WITH (FORCE)"); /* of a test that failed */
	on_server("postgres", "CREATE DATABASE " DATABASE);
	*state = f;
	return 0;
}

int set_up(void **state)
{
	return make(state, false);
}

int set_up_in_place(void **state)
{
	return make(state, true);
}

int tear_down(void **state)
{
	struct fixture *f = *state;

	PQfinish(f->app);
	if (f->store)
		f->store->ops->close(f->store);
	BS_AUTOFREE char *clones =
		value_on_server("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'backstep%'");
	BS_AUTOFREE char *notes = value_on_server(
		DATABASE, "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname LIKE '\\_backstep%') "
			  "+ (SELECT count(*) FROM pg_trigger WHERE tgname LIKE '\\_backstep%') "
			  "+ (SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE '\\_backstep%')");
	on_server("postgres", "DROP DATABASE " DATABASE " WITH (FORCE)");
	int left = strcmp(clones, "0") != 0 || strcmp(notes, "0") != 0;
	if (left)
		print_error("left: %s clones, %s notes and triggers\n", clones, notes);
	bs_err_release(&f->err);
	free(f->url);
	free(f);
	return left;
}

int open_store(struct fixture *f)
{
	struct bs_store_options options = {.name = "db", .url = f->url, .workdir = "/tmp", .in_place = f->in_place};

	return bs_store_postgres.open(&options, &f->store, &f->err);
}

const char *live_url(struct fixture *f)
{
	return f->store->ops->property(f->store, "url");
}

void prepare(struct fixture *f, const char *schema)
{
	PGconn *owner = connect_as("boss", DATABASE);

	run(owner, schema);
	PQfinish(owner);
	assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	assert_ok(f, f->store->ops->snapshot(f->store, &f->err));
	f->app = connect_to(live_url(f));
}

void begin(struct fixture *f, const char *schema)
{
	prepare(f, schema);
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
}

struct bs_changes changes(struct fixture *f)
{
	struct bs_changes list;

	assert_ok(f, f->store->ops->changes(f->store, &list, &f->err));
	return list;
}

int try_changes(struct fixture *f)
{
	struct bs_changes list;

	return f->store->ops->changes(f->store, &list, &f->err);
}

uint64_t digest(struct fixture *f)
{
	uint64_t all = 0;

	assert_ok(f, f->store->ops->digest(f->store, &all, NULL, &f->err));
	return all;
}

int undo(struct fixture *f, const struct bs_changes *list)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_net *net = bs_net_new();
	size_t count;

	bs_net_add(net, bs_delta_new(&arena, list->items, list->count), BS_UNDO);
	const struct bs_net_row *rows = bs_net_rows(net, &count);
	int r = f->store->ops->apply(f->store, rows, count, &f->err);
	bs_net_free(net);
	bs_arena_release(&arena);
	return r;
}

char *as_text(struct fixture *f, const struct bs_changes *list)
{
	size_t count;
	struct bs_buf text = BS_BUF_INIT;
	const struct bs_table *tables = f->store->ops->schema(f->store, &count);

	for (size_t i = 0; i < list->count; i++) {
		const struct bs_table *table = &tables[list->items[i].table];
		if (table->bookkeeping)
			continue;
		cJSON *before = bs_row_to_json(table, list->items[i].before);
		cJSON *after = bs_row_to_json(table, list->items[i].after);
		BS_AUTOFREE char *before_text = bs_json_print(before, false);
		BS_AUTOFREE char *after_text = bs_json_print(after, false);
		bs_buf_addf(&text, "%s %s->%s\n", table->name, before_text, after_text);
		cJSON_Delete(before);
		cJSON_Delete(after);
	}
	bs_buf_add(&text, "", 0);
	return bs_buf_take(&text);
}
