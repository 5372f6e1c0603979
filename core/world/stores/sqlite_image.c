/*
 * SQLite: images, which are whole databases in files of ours, and the way of pages from the shadow into the clone.
 * That way is the backup API: it takes the locks that every writer takes, writes a journal, and the application's
 * connections see somebody's commit. The file is never touched otherwise.
 */
#include "sqlite.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>
#include <stdio.h>

#define CHUNK_BYTES 65536
#define HEADER_BYTES 100

/* --- Shadows ----------------------------------------------------------------------------------------- */

static void swap_paths(struct bs_sqlite *s)
{
	char *path = s->shadow_path;

	s->shadow_path = s->spare_path;
	s->spare_path = path;
}

int bs_sqlite_new_shadow(struct bs_sqlite *s, bs_sqlite_fill_fn fill, void *ctx, sqlite3 **ret_old,
			 struct bs_err *err)
{
	bool in_memory = s->stats.size_bytes <= s->shadow_memory_max;
	sqlite3 *old = s->shadow, *db = NULL;

	if (old)
		swap_paths(s);
	bs_sqlite_remove(s->shadow_path);
	int r = bs_sqlite_open(in_memory ? ":memory:" : s->shadow_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db,
			       err);
	if (r == 0 && s->by_image)
		bs_sqlite_any_collation(db);
	if (r == 0)
		r = bs_sqlite_exec(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY", err);
	if (r == 0)
		r = fill(ctx, db, err);
	/* Again: with the pages came the journal mode that the file is in. */
	if (r == 0)
		r = bs_sqlite_exec(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY", err);
	s->shadow = db;
	if (r < 0)
		bs_sqlite_back_to_old_shadow(s, old);
	else
		*ret_old = old;
	return r;
}

void bs_sqlite_drop_old_shadow(struct bs_sqlite *s, sqlite3 *old)
{
	sqlite3_close(old);
	if (old)
		bs_sqlite_remove(s->spare_path);
}

void bs_sqlite_back_to_old_shadow(struct bs_sqlite *s, sqlite3 *old)
{
	sqlite3_close(s->shadow);
	s->shadow = old;
	bs_sqlite_remove(s->shadow_path);
	if (old)
		swap_paths(s);
}

static int compare_bytes(void *ctx, int a_len, const void *a, int b_len, const void *b)
{
	int order = memcmp(a, b, (size_t)(a_len < b_len ? a_len : b_len));

	(void)ctx;
	return order ? order : a_len - b_len;
}

static void stand_in(void *ctx, sqlite3 *db, int encoding, const char *name)
{
	(void)ctx;
	sqlite3_create_collation(db, name, encoding, NULL, compare_bytes);
}

void bs_sqlite_any_collation(sqlite3 *db)
{
	sqlite3_collation_needed(db, NULL, stand_in);
}

/* --- Images ------------------------------------------------------------------------------------------ */

/* What a page says of how often the database was written is no content (file format, section 1.3). */
static bool counts_writes(size_t offset)
{
	return (offset >= 24 && offset < 28) || (offset >= 40 && offset < 44) || (offset >= 92 && offset < 100);
}

static int digest_file(const char *path, char ret_hex[BS_SHA256_HEX], uint64_t *ret_bytes, struct bs_err *err)
{
	struct bs_sha256 *sha = bs_sha256_new();
	BS_AUTOFREE char *chunk = bs_xmalloc(CHUNK_BYTES);
	FILE *file = fopen(path, "rb");
	size_t n;

	*ret_bytes = 0;
	while (file && (n = fread(chunk, 1, CHUNK_BYTES, file)) > 0) {
		for (size_t i = 0; *ret_bytes == 0 && i < HEADER_BYTES && i < n; i++)
			if (counts_writes(i))
				chunk[i] = 0;
		bs_sha256_add(sha, chunk, n);
		*ret_bytes += n;
	}
	bs_sha256_end(sha, ret_hex);
	bool bad = !file || ferror(file);
	if (file)
		fclose(file);
	return bad ? bs_err_set(err, BS_ESTORE, "cannot read '%s'", path) : 0;
}

static int take_image(struct bs_sqlite *s, const char *path, uint32_t *ret_image, struct bs_err *err)
{
	struct bs_sqlite_image image;
	uint64_t bytes = 0;
	int r = digest_file(path, image.content, &bytes, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s->image_count; i++)
		if (strcmp(s->images_kept[i].content, image.content) == 0) {
			*ret_image = (uint32_t)i;
			bs_sqlite_remove(path);
			return 0;
		}
	if (s->image_bytes + bytes > s->images_max)
		return bs_err_set(err, BS_ESTORE, "the images of '%s' would need more than %" PRIu64 " MB (%s): use a smaller "
				  "database, or let setup do what changes tables", s->live_path, s->images_max >> 20,
				  s->why ? s->why : "its tables change");
	s->image_bytes += bytes;
	image.path = bs_xstrdup(path);
	*ret_image = (uint32_t)s->image_count;
	*BS_PUSH(s->images_kept, s->image_count) = image;
	return 0;
}

int bs_sqlite_keep_image(struct bs_sqlite *s, uint32_t *ret_image, struct bs_err *err)
{
	BS_AUTOFREE char *path = bs_xasprintf("%s.image-%zu", s->live_path, s->image_count);

	if (s->image_here != BS_SQLITE_NO_IMAGE) {
		*ret_image = s->image_here;
		return 0;
	}
	int r = bs_sqlite_copy_to(s->shadow, path, err);
	if (r == 0)
		r = take_image(s, path, ret_image, err);
	if (r < 0)
		bs_sqlite_remove(path);
	else
		s->image_here = *ret_image;
	return r;
}

void bs_sqlite_drop_images(struct bs_sqlite *s)
{
	for (size_t i = 0; i < s->image_count; i++) {
		bs_sqlite_remove(s->images_kept[i].path);
		free(s->images_kept[i].path);
	}
	free(s->images_kept);
	s->images_kept = NULL;
	s->image_count = 0;
}

/* --- Pages into the clone ---------------------------------------------------------------------------- */

/* What tells that somebody wrote, and can be read while we hold the lock and the connection is busy with pages: in
 * WAL mode the data_version of another connection, which the lock does not keep from reading; else, where nobody can
 * read, the change counter of the file (file format, section 1.3.7), through SQLite's own handle, as closing another
 * one would drop its locks. */
struct witness {
	bool wal;
	int64_t value;
};

static int look(struct bs_sqlite *s, bool wal, int64_t *ret_value, struct bs_err *err)
{
	sqlite3_file *file = NULL;
	unsigned char counter[4] = {0};

	if (wal)
		return bs_sqlite_ask(s->watch, "PRAGMA main.data_version", ret_value, err);
	sqlite3_file_control(s->live, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	int rc = file && file->pMethods ? file->pMethods->xRead(file, counter, sizeof counter, 24) : SQLITE_IOERR;
	if (rc != SQLITE_OK)
		return bs_sqlite_fail(NULL, rc, "reading the change counter", err);
	*ret_value = (int64_t)((uint32_t)counter[0] << 24 | (uint32_t)counter[1] << 16 | (uint32_t)counter[2] << 8 |
			       counter[3]);
	return 0;
}

static int add_mode(void *ctx, sqlite3_stmt *row, struct bs_err *err)
{
	(void)err;
	*(bool *)ctx = strcmp(bs_sqlite_text_at(row, 0), "wal") == 0;
	return 0;
}

/* The witness first: what is written after it is seen under the lock, what was written before it by the version. */
static int call_witness(struct bs_sqlite *s, struct witness *witness, struct bs_err *err)
{
	int64_t version = 0;
	int r = bs_sqlite_each(s->live, "PRAGMA main.journal_mode", NULL, add_mode, &witness->wal, err);

	if (r == 0)
		r = look(s, witness->wal, &witness->value, err);
	if (r == 0)
		r = bs_sqlite_number(s->data_version, &version, err);
	if (r == 0 && version != s->version)
		r = bs_err_set(err, BS_EBUSY, "the application wrote since its changes were read");
	return r;
}

static int step(sqlite3_backup *backup, int pages, int expected, struct bs_err *err)
{
	int rc = sqlite3_backup_step(backup, pages);

	return rc == expected ? 0 : bs_sqlite_fail(NULL, rc, "putting pages back", err);
}

int bs_sqlite_pages_to_live(struct bs_sqlite *s, struct bs_err *err)
{
	struct witness witness = {0};
	int64_t now = 0;
	int r = call_witness(s, &witness, err);

	if (r < 0)
		return r;
	sqlite3_backup *backup = sqlite3_backup_init(s->live, "main", s->shadow, "main");
	if (!backup)
		return bs_sqlite_fail(s->live, sqlite3_errcode(s->live), "putting pages back", err);
	r = step(backup, 0, SQLITE_OK, err); /* takes the lock, and copies nothing */
	if (r == 0)
		r = look(s, witness.wal, &now, err);
	if (r == 0 && now != witness.value)
		r = bs_err_set(err, BS_EBUSY, "the application wrote since its changes were read");
	if (r == 0)
		r = step(backup, -1, SQLITE_DONE, err);
	int rc = sqlite3_backup_finish(backup);
	return r == 0 && rc != SQLITE_OK ? bs_sqlite_fail(NULL, rc, "putting pages back", err) : r;
}
