/*
 * SQLite: copies of databases, and what is left in their folders.
 *
 * The user's original is never changed, and its folder shows no trace. Merely opening a WAL database for reading
 * can create files beside it, so there are three ways to copy it:
 *   still   no journal beside it, so nobody writes: opened as immutable; looked at again afterwards, in case
 *           somebody began to write meanwhile
 *   shared  somebody has it open: read under SQLite's own locks, whose files are there already
 *   apart   a writer died: what it left must be recovered, and that happens on a copy of the files
 */
#include "sqlite.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_TRIES 500 /* times 10 ms */
#define STILL_TRIES 3
#define CHUNK_BYTES 65536

static const char magic[16] = "SQLite format 3"; /* the file format, section 1.2: 15 characters and a NUL */

static bool present(const char *path, const char *suffix)
{
	BS_AUTOFREE char *beside = bs_xasprintf("%s%s", path, suffix);
	struct stat st;

	return stat(beside, &st) == 0 && (st.st_size > 0 || strcmp(suffix, "-shm") == 0);
}

void bs_sqlite_remove(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

	for (size_t i = 0; i < BS_COUNT(suffixes); i++) {
		BS_AUTOFREE char *beside = bs_xasprintf("%s%s", path, suffixes[i]);
		unlink(beside);
	}
}

/* --- Looking ----------------------------------------------------------------------------------------- */

static int check_header(const char *path, struct bs_err *err)
{
	char header[sizeof magic];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return bs_err_set(err, BS_ESTORE, "cannot open '%s': %s", path, strerror(errno));
	ssize_t n = read(fd, header, sizeof header);
	close(fd);
	if (n < 0)
		return bs_err_set(err, BS_ESTORE, "cannot read '%s': %s", path, strerror(errno));
	if (n > 0 && (n < (ssize_t)sizeof header || memcmp(header, magic, sizeof header) != 0))
		return bs_err_set(err, BS_ESTORE, "'%s' is no SQLite database, or it is encrypted", path);
	return 0;
}

int bs_sqlite_look_at(const char *path, bool *ret_exists, struct bs_err *err)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return bs_err_set(err, BS_ESTORE, "cannot look at '%s': %s", path, strerror(errno));
		*ret_exists = false; /* the application creates it */
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return bs_err_set(err, BS_ESTORE, "'%s' is a folder, not a database file", path);
	if (!S_ISREG(st.st_mode))
		return bs_err_set(err, BS_ESTORE, "'%s' is not a database file", path);
	int r = check_header(path, err);
	if (r == 0)
		*ret_exists = true;
	return r;
}

/* --- From connection to connection ------------------------------------------------------------------- */

int bs_sqlite_copy(sqlite3 *from, sqlite3 *to, struct bs_err *err)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int rc;

	if (!backup)
		return bs_sqlite_fail(to, sqlite3_errcode(to), "cannot copy", err);
	for (int tries = 0;; tries++) {
		rc = sqlite3_backup_step(backup, -1);
		if (((rc & 0xFF) != SQLITE_BUSY && (rc & 0xFF) != SQLITE_LOCKED) || tries == COPY_TRIES)
			break;
		sqlite3_sleep(10);
	}
	sqlite3_backup_finish(backup);
	return rc == SQLITE_DONE ? 0 : bs_sqlite_fail(NULL, rc, "cannot copy", err);
}

int bs_sqlite_copy_to(sqlite3 *from, const char *path, struct bs_err *err)
{
	sqlite3 *to;

	bs_sqlite_remove(path);
	int r = bs_sqlite_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &to, err);
	if (r < 0)
		return r;
	r = bs_sqlite_exec(to, "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY", err);
	if (r == 0)
		r = bs_sqlite_copy(from, to, err);
	sqlite3_close(to);
	return r;
}

static int open_immutable(const char *path, sqlite3 **ret_db, struct bs_err *err)
{
	struct bs_buf uri = BS_BUF_INIT;

	bs_buf_adds(&uri, "file:");
	for (const char *c = path; *c; c++)
		if (strchr("%?#", *c))
			bs_buf_addf(&uri, "%%%02X", (unsigned)(unsigned char)*c);
		else
			bs_buf_addc(&uri, *c);
	bs_buf_adds(&uri, "?immutable=1");
	int r = bs_sqlite_open(bs_buf_text(&uri), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, ret_db, err);
	bs_buf_release(&uri);
	return r;
}

int bs_sqlite_copy_from(const char *from, sqlite3 *to, struct bs_err *err)
{
	sqlite3 *db;
	int r = open_immutable(from, &db, err);

	if (r < 0)
		return r;
	r = bs_sqlite_copy(db, to, err);
	sqlite3_close(db);
	return r;
}

int bs_sqlite_copy_file(const char *from, const char *path, struct bs_err *err)
{
	sqlite3 *db;
	int r = open_immutable(from, &db, err);

	if (r < 0)
		return r;
	r = bs_sqlite_copy_to(db, path, err);
	sqlite3_close(db);
	return r;
}

/* --- The original ------------------------------------------------------------------------------------ */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Returns 1 when somebody wrote meanwhile. */
static int copy_still(const struct bs_sqlite *s, struct bs_err *err)
{
	struct stat before, after;

	if (stat(s->original, &before) < 0)
		return bs_err_set(err, BS_ESTORE, "cannot look at '%s': %s", s->original, strerror(errno));
	int r = bs_sqlite_copy_file(s->original, s->live_path, err);
	if (present(s->original, "-wal") || present(s->original, "-journal") || stat(s->original, &after) < 0 ||
	    !same_file(&before, &after))
		return 1;
	return r;
}

static int copy_shared(const struct bs_sqlite *s, struct bs_err *err)
{
	sqlite3 *db;
	int r = bs_sqlite_open(s->original, SQLITE_OPEN_READONLY, &db, err);

	if (r < 0)
		return r;
	r = bs_sqlite_copy_to(db, s->live_path, err);
	sqlite3_close(db);
	return r;
}

static int copy_bytes(const char *from, const char *to, struct bs_err *err)
{
	char chunk[CHUNK_BYTES];
	ssize_t n = -1;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	while (in >= 0 && out >= 0 && (n = read(in, chunk, sizeof chunk)) > 0)
		if (write(out, chunk, (size_t)n) != n) {
			n = -1;
			break;
		}
	int r = n < 0 ? bs_err_set(err, BS_ESTORE, "cannot copy '%s' to '%s': %s", from, to, strerror(errno)) : 0;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return r;
}

static int copy_apart(const struct bs_sqlite *s, struct bs_err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-journal"};
	BS_AUTOFREE char *apart = bs_xasprintf("%s.apart", s->live_path);
	sqlite3 *db;
	int r = 0;

	for (size_t i = 0; r == 0 && i < BS_COUNT(suffixes); i++) {
		BS_AUTOFREE char *from = bs_xasprintf("%s%s", s->original, suffixes[i]);
		BS_AUTOFREE char *to = bs_xasprintf("%s%s", apart, suffixes[i]);
		if (i == 0 || present(s->original, suffixes[i]))
			r = copy_bytes(from, to, err);
	}
	if (r == 0)
		r = bs_sqlite_open(apart, SQLITE_OPEN_READWRITE, &db, err);
	if (r == 0) {
		r = bs_sqlite_copy_to(db, s->live_path, err);
		sqlite3_close(db);
	}
	bs_sqlite_remove(apart);
	return r;
}

int bs_sqlite_copy_original(struct bs_sqlite *s, struct bs_err *err)
{
	int r = 1;

	for (int i = 0; r == 1 && i < STILL_TRIES; i++) {
		if (present(s->original, "-wal") || present(s->original, "-journal"))
			break;
		r = copy_still(s, err);
	}
	if (r == 1 && present(s->original, "-wal") && !present(s->original, "-shm"))
		r = copy_apart(s, err);
	else if (r == 1) {
		r = copy_shared(s, err);
		if (r < 0 && r != BS_EBUSY && present(s->original, "-journal"))
			r = copy_apart(s, err); /* a dead writer's: a connection that only reads cannot recover it */
	}
	if (r == BS_EBUSY)
		return bs_err_set(err, BS_ESTORE, "'%s' stays locked by another program", s->original);
	if (r < 0)
		bs_err_wrap(err, "'%s'", s->original);
	return r;
}
