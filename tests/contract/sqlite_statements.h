/*
 * What the SQLite application of the contract test does. Its ordinary tables hold what is hard to put back by rows:
 * rows that REPLACE and UPSERT delete or change through every kind of unique index, keys that move, cascades, deferred
 * keys, triggers of its own that stop statements half-way, generated columns, names that need quoting, a column that
 * hides the rowid, NULLs in unique columns, blobs, and integers that no double holds. Its features are what triggers
 * cannot reach.
 */
#ifndef TESTS_CONTRACT_SQLITE_STATEMENTS_H
#define TESTS_CONTRACT_SQLITE_STATEMENTS_H

#include <stddef.h>

struct feature {
	const char *name;   /* in the mode */
	const char *schema;
	const char *const *statements;
	size_t count;
	const char *check;  /* a statement that fails when what is beside rows does not fit them; NULL: none */
};

#define STATEMENTS(array) (array), sizeof(array) / sizeof *(array)

static const char plain_schema[] =
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
static const char *const plain[] = {
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

/* Full text and R-trees: their modules write to tables of their own. */
static const char *const search[] = {
	"INSERT INTO article VALUES ('^word# alpha', 'beta #')",
	"INSERT INTO article(rowid, title, text) VALUES (#, 'word# ^', 'gamma')",
	"DELETE FROM article WHERE rowid = #",
	"UPDATE article SET text = 'delta #' WHERE article MATCH 'word#*'",
	"INSERT INTO article(article) VALUES ('optimize')",
	"INSERT OR REPLACE INTO place VALUES (#, #, # + 40, 'note #')",
	"DELETE FROM place WHERE id % 9 = # % 9",
	"UPDATE place SET x1 = x1 + 1 WHERE x0 < #",
};

/* Tables that come, change and go. */
static const char *const tables[] = {
	"CREATE TABLE IF NOT EXISTS late^(id INTEGER PRIMARY KEY AUTOINCREMENT, v UNIQUE, w DEFAULT 'it''s')",
	"CREATE TABLE IF NOT EXISTS bare^(v TEXT, w BLOB, PRIMARY KEY (v)) WITHOUT ROWID",
	"CREATE TABLE IF NOT EXISTS setting(key TEXT PRIMARY KEY, value, rank INT, label TEXT)",
	"DROP TABLE IF EXISTS late^",
	"DROP TABLE IF EXISTS bare^",
	"DROP TABLE IF EXISTS setting",
	"ALTER TABLE late^ ADD COLUMN more# DEFAULT #",
	"ALTER TABLE tree ADD COLUMN more# INT",
	"ALTER TABLE late^ RENAME TO later^",
	"ALTER TABLE later^ RENAME COLUMN w TO w#",
	"ALTER TABLE late^ DROP COLUMN w",
	"DROP TABLE IF EXISTS later^",
	"CREATE UNIQUE INDEX IF NOT EXISTS late_w^ ON late^(w)",
	"DROP INDEX IF EXISTS late_w^",
	"CREATE INDEX IF NOT EXISTS tree_x ON tree(x)",
	"DROP INDEX IF EXISTS tree_x",
	"CREATE TRIGGER IF NOT EXISTS late_t^ AFTER INSERT ON late^ BEGIN INSERT INTO log VALUES ('late', new.id); END",
	"DROP TRIGGER IF EXISTS late_t^",
	"CREATE VIRTUAL TABLE IF NOT EXISTS found^ USING fts5(text)",
	"DROP TABLE IF EXISTS found^",
	"VACUUM",
	"ANALYZE",
	"INSERT~ INTO late^(v, w) VALUES (#, # * 1.5)",
	"INSERT~ INTO late^(v, w) VALUES ('^#', x'00ff')",
	"UPDATE~ late^ SET v = v + 1 WHERE id < #",
	"DELETE FROM late^ WHERE id % 5 = # % 5",
	"INSERT~ INTO bare^ VALUES ('^#', zeroblob(# % 9))",
	"DELETE FROM bare^ WHERE v > '^#'",
	"INSERT INTO found^ VALUES ('^ word#')",
};

/* A collation and a function that only the application has. */
static const char *const own[] = {
	"INSERT~ INTO name(n, v) VALUES ('^#', #)",
	"UPDATE~ name SET n = '^#' WHERE v = #",
	"DELETE FROM name WHERE v % 6 = # % 6",
	"INSERT~ INTO town VALUES ('^#', #)",
	"UPDATE~ town SET n = n || '+' WHERE v = #",
	"DELETE FROM town WHERE v % 7 = # % 7",
	"INSERT~ INTO bare(rowid, _rowid_, oid) VALUES (#, '^', #)",
	"UPDATE bare SET oid = oid + 1 WHERE _rowid_ = '^'",
	"DELETE FROM bare WHERE rowid = #",
};

static const struct feature features[] = {
	{"search",
	 "CREATE VIRTUAL TABLE article USING fts5(title, text);"
	 "CREATE VIRTUAL TABLE place USING rtree(id, x0, x1, +note)",
	 STATEMENTS(search), "INSERT INTO article(article) VALUES ('integrity-check')"},
	{"tables", "", STATEMENTS(tables), NULL},
	{"own",
	 "CREATE TABLE name(n TEXT COLLATE german UNIQUE, v INT); CREATE INDEX halves ON name(half(v));"
	 "CREATE TABLE town(n TEXT COLLATE german PRIMARY KEY, v INT) WITHOUT ROWID;"
	 "CREATE TABLE bare(rowid, _rowid_, oid)",
	 STATEMENTS(own), NULL},
	{"recursive", "", NULL, 0, NULL},
};

#endif
