/*
 * A test application with state outside its database: notes in SQLite, and in front of them a cache in the
 * process's own memory that answers GET. The bug is that DELETE forgets the cache, so that
 *
 *   create, get, delete, get
 *
 * still finds the note, while create, delete, get does not. No row tells these two apart.
 *
 * With --fixed a delete clears the note's entry. The fixed program must also be right when somebody else
 * writes to the database (another process of it, an operator, Backstep putting rows back), so it drops the
 * whole cache when SQLite's data_version says that another connection has committed.
 */
#include "../common/db.h"
#include "../common/server.h"

#include <microhttpd.h>
#include <string.h>

#define TEXT_MAX_BYTES 1000
#define CACHE_SLOTS 256

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS notes ("
	"  id INTEGER PRIMARY KEY,"
	"  text TEXT NOT NULL)";

enum { CREATE, GET, LIST, DELETE, DATA_VERSION, STATEMENT_COUNT };

static const char *const sql[STATEMENT_COUNT] = {
	[CREATE] = "INSERT INTO notes (text) VALUES (?1) RETURNING id, text",
	[GET] = "SELECT id, text FROM notes WHERE id = ?1",
	[LIST] = "SELECT id, text FROM notes ORDER BY id",
	[DELETE] = "DELETE FROM notes WHERE id = ?1 RETURNING id",
	[DATA_VERSION] = "PRAGMA data_version",
};

struct slot {
	int64_t id;
	cJSON *note; /* NULL: empty */
};

struct notes {
	bool fixed;
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	int64_t data_version; /* that the cache was filled under */
	struct slot cache[CACHE_SLOTS];
};

/* --- The cache ---------------------------------------------------------------------------------- */

static struct slot *cache_slot(struct notes *notes, int64_t id)
{
	return &notes->cache[id % CACHE_SLOTS];
}

static void cache_put(struct notes *notes, int64_t id, const cJSON *note)
{
	struct slot *slot = cache_slot(notes, id);

	cJSON_Delete(slot->note);
	slot->id = id;
	slot->note = note ? cJSON_Duplicate(note, true) : NULL;
}

static const cJSON *cache_get(struct notes *notes, int64_t id)
{
	const struct slot *slot = cache_slot(notes, id);

	return slot->id == id ? slot->note : NULL;
}

static void cache_clear(struct notes *notes)
{
	for (size_t i = 0; i < CACHE_SLOTS; i++) {
		cJSON_Delete(notes->cache[i].note);
		notes->cache[i].note = NULL;
	}
}

/* Own commits do not change data_version: those clear their entry themselves. */
static void cache_check(struct notes *notes)
{
	sqlite3_stmt *statement = notes->statements[DATA_VERSION];
	int64_t version = -1;

	if (sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	if (version != notes->data_version || version == -1)
		cache_clear(notes);
	notes->data_version = version;
}

/* --- The requests ------------------------------------------------------------------------------- */

static void answer_row(struct app_call *call, bool done, unsigned status, cJSON *row)
{
	if (!done)
		app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the database failed");
	else if (row)
		app_answer(call, status, row);
	else
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such note");
}

static void create_note(struct app_call *call)
{
	struct notes *notes = call->app;
	sqlite3_stmt *create = notes->statements[CREATE];
	const char *text;
	cJSON *note = NULL;
	bool done;

	if (!app_get_text(call, "text", TEXT_MAX_BYTES, &text))
		return;
	sqlite3_bind_text(create, 1, text, -1, SQLITE_TRANSIENT);
	done = db_row(create, &note);
	answer_row(call, done, MHD_HTTP_CREATED, note);
}

static void get_note(struct app_call *call)
{
	struct notes *notes = call->app;
	const cJSON *cached;
	cJSON *note = NULL;
	bool done;

	if (notes->fixed)
		cache_check(notes);
	cached = cache_get(notes, call->id);
	if (cached) {
		app_answer(call, MHD_HTTP_OK, cJSON_Duplicate(cached, true));
		return;
	}
	sqlite3_bind_int64(notes->statements[GET], 1, call->id);
	done = db_row(notes->statements[GET], &note);
	if (note)
		cache_put(notes, call->id, note);
	answer_row(call, done, MHD_HTTP_OK, note);
}

static void list_notes(struct app_call *call)
{
	struct notes *notes = call->app;
	cJSON *all = NULL;
	bool done = db_rows(notes->statements[LIST], &all);

	answer_row(call, done, MHD_HTTP_OK, all);
}

static void delete_note(struct app_call *call)
{
	struct notes *notes = call->app;
	cJSON *gone = NULL;
	bool done;

	sqlite3_bind_int64(notes->statements[DELETE], 1, call->id);
	done = db_row(notes->statements[DELETE], &gone);
	if (notes->fixed)
		cache_put(notes, call->id, NULL); /* the bug is the lack of this line */
	answer_row(call, done, MHD_HTTP_NO_CONTENT, gone);
	if (call->status == MHD_HTTP_NO_CONTENT)
		app_answer(call, MHD_HTTP_NO_CONTENT, NULL);
}

static const struct app_route routes[] = {
	{"GET", "/health", app_health},
	{"POST", "/notes", create_note},
	{"GET", "/notes", list_notes},
	{"GET", "/notes/{id}", get_note},
	{"DELETE", "/notes/{id}", delete_note},
};

int main(int argc, char **argv)
{
	static struct notes notes;
	struct app_options options;
	int status = app_parse(argc, argv, true, &options);

	if (status)
		return status;
	notes.fixed = options.fixed;
	notes.db = db_open(options.db, schema);
	if (notes.db && db_prepare(notes.db, sql, STATEMENT_COUNT, notes.statements))
		status = app_serve("notes", options.port, routes, sizeof routes / sizeof *routes, &notes);
	else
		status = 1;
	cache_clear(&notes);
	db_close(notes.db, notes.statements, STATEMENT_COUNT);
	return status;
}
