/*
 * Files: as rows of the one table "files". Paths are taken apart for identities: "uploads/5b1e....png" is the row
 * "uploads/<*>.png" with the identifier that stood there.
 */
#include "files.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "split.h"

#include <string.h>

enum cell { PATH, PATTERN, ID, TYPE, MODE, SIZE, CONTENT, TARGET, SAME_AS, SHA, OWNER, GROUP, MODIFIED };

#define PLAIN .ref_table = -1, .ref_column = -1

static struct bs_column columns[] = {
	[PATH] = {.name = "path", .key = true, .volatile_default = true, PLAIN}, /* pattern and id say it */
	[PATTERN] = {.name = "pattern", .hidden = true, PLAIN},
	[ID] = {.name = "id", .hidden = true, .key = true, PLAIN},
	[TYPE] = {.name = "type", PLAIN},
	[MODE] = {.name = "mode", PLAIN},
	[SIZE] = {.name = "size", PLAIN},
	[CONTENT] = {.name = "content", PLAIN},
	[TARGET] = {.name = "target", PLAIN},
	[SAME_AS] = {.name = "same_as", PLAIN},
	[SHA] = {.name = "sha256", .hidden = true, PLAIN},
	[OWNER] = {.name = "owner", .hidden = true, PLAIN},
	[GROUP] = {.name = "group", .hidden = true, PLAIN},
	[MODIFIED] = {.name = "modified_at", .hidden = true, .volatile_default = true, PLAIN},
};

const struct bs_table bs_files_table = {.name = "files", .columns = columns, .column_count = BS_COUNT(columns)};

static const char *const type_names[] = {[BS_FILE] = "file", [BS_DIRECTORY] = "directory", [BS_LINK] = "link"};

static bool is_text(const char *data, size_t len)
{
	return bs_utf8_valid(data, len) && (!len || !memchr(data, 0, len));
}

static void add_text(struct bs_buf *image, const char *data, size_t len)
{
	if (is_text(data, len))
		bs_row_add_text(image, data, len);
	else
		bs_row_add_blob(image, data, len);
}

static void add_path(struct bs_buf *image, const struct bs_files_found *found)
{
	struct bs_buf pattern = BS_BUF_INIT;
	struct bs_blob id;

	bs_split_name((struct bs_blob){found->path, found->path_len}, "/.", &pattern, &id);
	add_text(image, found->path, found->path_len);
	bs_row_add_blob(image, bs_buf_text(&pattern), pattern.len);
	if (id.data)
		add_text(image, id.data, id.len);
	else
		bs_row_add_null(image);
	bs_buf_release(&pattern);
}

static bool is_document(const struct bs_buf *text)
{
	cJSON *json = NULL;

	if (text->len < 2 || (text->data[0] != '{' && text->data[0] != '[') ||
	    bs_json_parse(text->data, text->len, &json, NULL) < 0)
		return false;
	cJSON_Delete(json);
	return true;
}

/* What is large is told by its size alone, and compared by its hash. */
static void add_contents(struct bs_buf *image, const struct bs_files_contents *contents)
{
	const struct bs_buf *shown = &contents->shown;

	if (contents->st.st_size && !shown->len)
		bs_row_add_null(image);
	else if (is_document(shown))
		bs_row_add_json(image, bs_buf_text(shown), shown->len);
	else
		add_text(image, bs_buf_text(shown), shown->len);
}

void bs_files_image(const struct bs_files_found *found, const struct stat *st, const struct bs_files_contents *contents,
		    struct bs_blob target, struct bs_buf *image)
{
	enum bs_files_type type = S_ISDIR(st->st_mode) ? BS_DIRECTORY : S_ISLNK(st->st_mode) ? BS_LINK : BS_FILE;
	char mode[8];

	add_path(image, found);
	bs_row_add_text(image, type_names[type], strlen(type_names[type]));
	snprintf(mode, sizeof mode, "%04o", (unsigned)st->st_mode & 07777);
	bs_row_add_text(image, mode, strlen(mode));
	if (type == BS_FILE)
		bs_row_add_int(image, st->st_size);
	else
		bs_row_add_null(image);
	if (type == BS_FILE)
		add_contents(image, contents);
	else
		bs_row_add_null(image);
	if (type == BS_LINK)
		add_text(image, target.data, target.len);
	else
		bs_row_add_null(image);
	if (found->same_as)
		add_text(image, found->same_as->path, found->same_as->path_len);
	else
		bs_row_add_null(image);
	if (type == BS_FILE)
		bs_row_add_text(image, contents->sha, BS_SHA256_HEX - 1);
	else
		bs_row_add_null(image);
	bs_row_add_int(image, st->st_uid);
	bs_row_add_int(image, st->st_gid);
	if (type == BS_DIRECTORY) /* moves with everything that is made or removed in it */
		bs_row_add_null(image);
	else
		bs_row_add_int(image, bs_files_ns(st->st_mtim));
}

static struct bs_blob bytes_of(const struct bs_cell *cell)
{
	return (struct bs_blob){cell->data, cell->len};
}

int bs_files_row_read(struct bs_blob image, struct bs_files_row *ret_row, struct bs_err *err)
{
	struct bs_cell cells[BS_COUNT(columns)];
	size_t offset = 0;

	for (size_t i = 0; i < BS_COUNT(cells); i++)
		if (!bs_row_next(image, &offset, &cells[i]))
			return bs_err_set(err, BS_EINTERNAL, "the image of a file is too short");
	*ret_row = (struct bs_files_row){
		.path = bytes_of(&cells[PATH]),
		.type = cells[TYPE].len == 4 ? (cells[TYPE].data[0] == 'f' ? BS_FILE : BS_LINK) : BS_DIRECTORY,
		.mode = cells[MODE].len == 4 ? (unsigned)strtoul(cells[MODE].data, NULL, 8) : 0,
		.size = (uint64_t)cells[SIZE].integer,
		.same_as = bytes_of(&cells[SAME_AS]),
		.target = bytes_of(&cells[TARGET]),
		.sha = cells[SHA].data,
		.uid = (uint32_t)cells[OWNER].integer,
		.gid = (uint32_t)cells[GROUP].integer,
		.modified_ns = cells[MODIFIED].integer,
	};
	if (!ret_row->path.data || (ret_row->type == BS_FILE && cells[SHA].len != BS_SHA256_HEX - 1))
		return bs_err_set(err, BS_EINTERNAL, "the image of a file is none");
	return 0;
}

bool bs_files_rows_match(struct bs_blob a, struct bs_blob b)
{
	struct bs_blob x, y;

	if (!a.data || !b.data)
		return !a.data && !b.data;
	for (size_t i = 0; i < BS_COUNT(columns); i++)
		if (i != MODIFIED && (!bs_row_bytes(a, i, &x) || !bs_row_bytes(b, i, &y) || !bs_blob_equal(x, y)))
			return false;
	return true;
}
