/*
 * The application of the contract test for SQLite: see writer.h. Its tables hold what is hard to put back: rows that
 * REPLACE and UPSERT delete or change through every kind of unique index, keys that move, cascades, deferred keys,
 * triggers of its own that stop statements half-way, generated columns, names that need quoting, a column that hides
 * the rowid, NULLs in unique columns, blobs, and integers that no double holds.
 *
 *   contract_sqlite_writer wal|delete PATH
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char schema[] =
	"CREATE TABLE person(id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT COLLATE NOCASE UNIQUE,"
	"  name TEXT NOT NULL DEFAULT 'nobody' UNIQUE ON CONFLICT REPLACE, age INT CHECK (age < 500));"
	"CREATE TABLE post(id INTEGER PRIMARY KEY,"
	"  person INT REFERENCES person ON DELETE CASCADE ON UPDATE CASCADE, title TEXT, slug TEXT,"
	"  size INT AS (length(title)) VIRTUAL, tag TEXT AS (lower(slug) || '!') STORED UNIQUE);"
	"CREATE UNIQUE INDEX post_title ON post(title COLLATE NOCASE);"
	"CREATE TABLE seat(line TEXT, number INT, guest INT UNIQUE, note BLOB,"
	"  PRIMARY KEY (line COLLATE NOCASE, number)) WITHOUT ROWID;"
	"CREATE TABLE log(message, amount REAL);"
	"CREATE TABLE setting(key TEXT PRIMARY KEY ON CONFLICT REPLACE, value ANY, rank INT, label TEXT) STRICT;"
	"CREATE UNIQUE INDEX setting_rank ON setting(rank) WHERE rank > 10 AND value IS NOT NULL;"
	"CREATE UNIQUE INDEX setting_label ON setting(lower(label) /* a, comment */, length(label) DESC);"
	"CREATE TABLE tree(id INTEGER PRIMARY KEY,"
	"  parent INT REFERENCES tree(id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, x INT, UNIQUE (parent, x));"
	"CREATE TABLE number(k INTEGER PRIMARY KEY DESC, v NUMERIC, UNIQUE (v));"
	"CREATE TABLE \"odd \"\"name\"(\"a b\" TEXT, rowid INT, \"select\" UNIQUE, PRIMARY KEY (\"a b\", rowid));"
	"CREATE VIEW title AS SELECT id, title FROM post;"
	"CREATE TRIGGER post_counts AFTER INSERT ON post BEGIN"
	"  INSERT INTO log VALUES ('post ' || new.id, new.id * 1.5);"
	"  UPDATE person SET age = age + 1 WHERE id = new.person AND age < 400; END;"
	"CREATE TRIGGER person_gone AFTER DELETE ON person BEGIN INSERT INTO log VALUES (old.name, old.age); END;"
	"CREATE TRIGGER person_never BEFORE INSERT ON person WHEN new.age = 7 BEGIN SELECT RAISE(IGNORE); END;"
	"CREATE TRIGGER person_late AFTER INSERT ON person WHEN new.age = 9 BEGIN SELECT RAISE(IGNORE); END;"
	"CREATE TRIGGER person_kept AFTER UPDATE ON person WHEN new.age = 11 BEGIN SELECT RAISE(IGNORE); END;"
	"CREATE TRIGGER seat_refused BEFORE UPDATE ON seat WHEN new.guest = 13 BEGIN SELECT RAISE(ABORT, 'no 13'); END;"
	"CREATE TRIGGER title_set INSTEAD OF UPDATE ON title BEGIN"
	"  UPDATE post SET title = new.title WHERE id = old.id; END;";

/* # is a number below 40, ~ a conflict clause, ^ one of two letters in either case. */
static const char *const statements[] = {
	"INSERT~ INTO person(email, name, age) VALUES ('^#@x', 'name #', #)",
	"INSERT~ INTO person(id, email, name, age) VALUES (#, '^#@x', 'Name #', #)",
	"INSERT INTO person(email, name) VALUES ('^#@x', 'name #') ON CONFLICT (email) DO UPDATE SET name = 'n#'",
	"INSERT OR REPLACE INTO person(email, name, age) VALUES (NULL, NULL, #)",
	"INSERT~ INTO person(email, name, age) SELECT email || 'c', name || 'c', age FROM person LIMIT 3",
	"UPDATE~ person SET email = '^#@x' WHERE id = #",
	"UPDATE~ person SET id = id + # WHERE id BETWEEN # AND 20",
	"UPDATE person SET age = # WHERE id = #",
	"DELETE FROM person WHERE id = #",
	"INSERT~ INTO post(person, title, slug) VALUES ((SELECT id FROM person LIMIT 1 OFFSET #), '^' || (# % 9), '^Slug#')",
	"UPDATE~ post SET slug = '^slug#', title = title || '+' WHERE id % 9 = # % 9",
	"UPDATE title SET title = 'seen #' WHERE id = #",
	"DELETE FROM post WHERE id = #",
	"INSERT~ INTO seat VALUES ('^', # % 8, #, zeroblob(# % 9))",
	"INSERT INTO seat VALUES ('^', # % 8, #, x'00ff') ON CONFLICT DO UPDATE SET note = x'0102', guest = guest + 1",
	"UPDATE~ seat SET line = upper(line), number = number + # % 2 WHERE number = # % 8",
	"UPDATE~ seat SET guest = # WHERE line = '^'",
	"DELETE FROM seat WHERE number = # % 8",
	"INSERT INTO log SELECT 'message #', #.25",
	"UPDATE~ log SET rowid = rowid + # % 4 WHERE rowid > #",
	"DELETE FROM log WHERE rowid % 5 = # % 5",
	"INSERT~ INTO setting VALUES ('k#', CASE # % 3 WHEN 0 THEN NULL WHEN 1 THEN x'01' ELSE 'v' END, #, '^Label#')",
	"UPDATE~ setting SET rank = #, label = '^label#' WHERE key = 'k#'",
	"UPDATE~ setting SET value = #.5, key = 'k#' WHERE rank = #",
	"DELETE FROM setting WHERE rank < # % 6",
	"INSERT~ INTO tree(parent, x) VALUES ((SELECT id FROM tree LIMIT 1 OFFSET #), # % 9)",
	"INSERT INTO tree(id, parent, x) VALUES (# + 100, # + 100, #)",
	"UPDATE~ tree SET x = # % 9 WHERE id % 7 = # % 7",
	"DELETE FROM tree WHERE id = #",
	"INSERT~ INTO number VALUES (#, 9007199254740993 + #)",
	"INSERT~ INTO number VALUES (NULL, CASE # % 4 WHEN 0 THEN '#' WHEN 1 THEN #.125 WHEN 2 THEN 'text #' END)",
	"UPDATE~ number SET k = k + 1 WHERE v > #",
	"DELETE FROM number WHERE k % 6 = # % 6",
	"INSERT~ INTO \"odd \"\"name\" VALUES ('^#', # % 5, CASE WHEN # < 20 THEN # ELSE x'2300' END)",
	"UPDATE~ \"odd \"\"name\" SET rowid = # % 5, \"a b\" = '^#' WHERE _rowid_ = #",
	"DELETE FROM \"odd \"\"name\" WHERE rowid = # % 5",
	"PRAGMA user_version = #",
};

/* Rare: they empty a table. */
static const char *const clearing[] = {"DELETE FROM person", "DELETE FROM log",	   "DELETE FROM setting",
				       "DELETE FROM tree",   "DELETE FROM number", "DELETE FROM seat"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static sqlite3 *db;
static sqlite3_stmt *held; /* prepared at the start, as applications do */
static uint64_t random_state;

static unsigned below(unsigned limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % limit;
}

static void answer_bad(const char *what)
{
	printf("bad %s: %s\n", what, sqlite3_errmsg(db));
}

static void fill_in(const char *from, char *text, size_t size)
{
	static const char *const clauses[] = {"", " OR REPLACE", " OR IGNORE", " OR FAIL", " OR ABORT", " OR REPLACE"};
	static const char *const letters[] = {"a", "A", "b", "B"};
	size_t len = 0;

	for (; *from; from++) {
		size_t room = size - len;
		if (*from == '#')
			len += (size_t)snprintf(text + len, room, "%u", below(40));
		else if (*from == '~')
			len += (size_t)snprintf(text + len, room, "%s", clauses[below(COUNT(clauses))]);
		else if (*from == '^')
			len += (size_t)snprintf(text + len, room, "%s", letters[below(COUNT(letters))]);
		else
			len += (size_t)snprintf(text + len, room, "%c", *from);
	}
}

/* What a constraint or a trigger refuses is part of life; anything else is an error of the test. */
static bool run_one(void)
{
	char text[600];
	bool clear = below(120) == 0;

	fill_in(clear ? clearing[below(COUNT(clearing))] : statements[below(COUNT(statements))], text, sizeof text);
	int rc = sqlite3_exec(db, text, NULL, NULL, NULL);
	if (rc == SQLITE_OK || (rc & 0xFF) == SQLITE_CONSTRAINT)
		return true;
	answer_bad(text);
	return false;
}

static void act(uint64_t seed)
{
	random_state = seed;
	unsigned count = 1 + below(5), transaction = below(3);

	if (transaction && sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
		answer_bad("BEGIN");
		return;
	}
	for (unsigned i = 0; i < count; i++)
		if (!run_one())
			return;
	if (!sqlite3_get_autocommit(db) &&
	    sqlite3_exec(db, transaction == 2 && below(4) == 0 ? "ROLLBACK" : "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* a deferred foreign key does not hold */
	sqlite3_step(held);
	sqlite3_reset(held);
	puts("ok");
}

static void setup(void)
{
	if (sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK) {
		answer_bad("schema");
		return;
	}
	for (uint64_t seed = 1; seed <= 30; seed++) {
		random_state = seed;
		if (!run_one())
			return;
	}
	sqlite3_finalize(held);
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM person", -1, &held, NULL) != SQLITE_OK)
		answer_bad("prepare");
	else
		puts("ok");
}

/* FNV-1a */
static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * 1099511628211u;
	return sum;
}

static uint64_t sum_row(sqlite3_stmt *row)
{
	uint64_t sum = 1469598103934665603u;

	for (int i = 0; i < sqlite3_column_count(row); i++) {
		int type = sqlite3_column_type(row, i);
		sum = mix(sum, &type, sizeof type);
		if (type == SQLITE_BLOB)
			sum = mix(sum, sqlite3_column_blob(row, i), (size_t)sqlite3_column_bytes(row, i));
		else if (type != SQLITE_NULL)
			sum = mix(sum, sqlite3_column_text(row, i), (size_t)sqlite3_column_bytes(row, i));
	}
	return sum;
}

static bool sum_query(const char *sql, uint64_t *sum)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return false;
	*sum *= 31;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		*sum += sum_row(stmt);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE;
}

static void sum(void)
{
	static const char *const all[] = {
		"SELECT * FROM person", "SELECT * FROM post", "SELECT * FROM seat", "SELECT rowid, * FROM log",
		"SELECT rowid, * FROM setting", "SELECT * FROM tree", "SELECT _rowid_, * FROM number",
		"SELECT _rowid_, * FROM \"odd \"\"name\"", "SELECT * FROM sqlite_sequence", "PRAGMA user_version",
		/* by index, as rows and indexes must agree */
		"SELECT email FROM person ORDER BY email", "SELECT tag FROM post ORDER BY tag"};
	uint64_t digest = 0;

	for (size_t i = 0; i < COUNT(all); i++)
		if (!sum_query(all[i], &digest)) {
			answer_bad(all[i]);
			return;
		}
	printf("sum %" PRIx64 "\n", digest);
}

static void check(void)
{
	sqlite3_stmt *stmt;
	bool good = sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM pragma_foreign_key_check), integrity_check "
					   "FROM pragma_integrity_check", -1, &stmt, NULL) == SQLITE_OK &&
		    sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) == 0 &&
		    strcmp((const char *)sqlite3_column_text(stmt, 1), "ok") == 0;

	puts(good ? "ok" : "bad the database is not consistent");
	sqlite3_finalize(stmt);
}

int main(int argc, char **argv)
{
	char line[64];
	uint64_t seed;

	if (argc != 3 || sqlite3_open(argv[2], &db) != SQLITE_OK)
		return 2;
	sqlite3_busy_timeout(db, 5000);
	sqlite3_exec(db, argv[1][0] == 'w' ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	sqlite3_exec(db, "PRAGMA foreign_keys=ON; PRAGMA synchronous=OFF", NULL, NULL, NULL);
	sqlite3_prepare_v2(db, "SELECT count(*) FROM person", -1, &held, NULL);
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "act %" SCNu64, &seed) == 1)
			act(seed);
		else if (strcmp(line, "setup\n") == 0)
			setup();
		else if (strcmp(line, "sum\n") == 0)
			sum();
		else
			check();
		fflush(stdout);
	}
	sqlite3_finalize(held);
	sqlite3_close(db);
	return 0;
}
