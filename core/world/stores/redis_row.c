/*
 * Redis: keys as rows of the one table "keys". Names are taken apart for identities: "session:5b1e..." is the row of
 * "session:*" with the identifier "5b1e...", which may turn out to be another in each run, or be what the application
 * answered with. People and rules see the name whole.
 */
#include "redis.h"

#include "base/mem.h"
#include "split.h"

#include <string.h>

#define CONTENT_BYTES 16

#define PLAIN .ref_table = -1, .ref_column = -1

static struct bs_column columns[] = {
	[BS_REDIS_KEY] = {.name = "key", .key = true, .volatile_default = true, PLAIN}, /* pattern and id say it */
	[BS_REDIS_PATTERN] = {.name = "pattern", .hidden = true, PLAIN},
	[BS_REDIS_ID] = {.name = "id", .hidden = true, .key = true, PLAIN},
	[BS_REDIS_DB] = {.name = "db", PLAIN},
	[BS_REDIS_TYPE] = {.name = "type", PLAIN},
	[BS_REDIS_VALUE] = {.name = "value", PLAIN},
	[BS_REDIS_EXPIRES] = {.name = "expires_at", .volatile_default = true, PLAIN},
	[BS_REDIS_LOSSY] = {.name = "content", .hidden = true, PLAIN}, /* where the value does not tell all */
	[BS_REDIS_DUMP] = {.name = "dump", .hidden = true, .volatile_default = true, PLAIN},
	[BS_REDIS_SEEN] = {.name = "seen_at", .hidden = true, .volatile_default = true, PLAIN},
};

const struct bs_table bs_redis_table = {.name = "keys", .columns = columns, .column_count = BS_COUNT(columns)};

/* --- Images ------------------------------------------------------------------------------------------ */

/* As they are: a name may be a number, and stays a text for people. */
static void add_name(struct bs_buf *image, struct bs_blob name)
{
	int64_t integer;

	if (bs_redis_is_integer(name.data, name.len, &integer))
		bs_row_add_text(image, name.data, name.len);
	else
		bs_redis_add_text(image, name.data, name.len);
}

static void add_names(struct bs_buf *image, struct bs_blob name)
{
	struct bs_buf pattern = BS_BUF_INIT;
	struct bs_blob id;

	bs_split_name(name, ":", &pattern, &id);
	add_name(image, name);
	bs_row_add_blob(image, bs_buf_text(&pattern), pattern.len);
	if (id.data)
		bs_redis_add_text(image, id.data, id.len);
	else
		bs_row_add_null(image);
	bs_buf_release(&pattern);
}

void bs_redis_image(const struct bs_redis_name *name, const struct bs_redis_record *record, struct bs_buf *image)
{
	struct bs_buf canonical = BS_BUF_INIT, dump = BS_BUF_INIT;

	bs_redis_canonical(record, &canonical);
	struct bs_hash content = bs_hash_bytes(canonical.data, canonical.len);
	add_names(image, name->name);
	bs_row_add_int(image, name->db);
	bs_row_add_text(image, record->type, record->type_len);
	bool tells_all = bs_redis_add_value(record, canonical.len, image);
	if (record->expires_ms)
		bs_row_add_int(image, record->expires_ms);
	else
		bs_row_add_null(image);
	if (tells_all)
		bs_row_add_null(image);
	else
		bs_row_add_blob(image, &content, CONTENT_BYTES);
	bs_buf_add(&dump, &content, CONTENT_BYTES);
	bs_buf_add(&dump, record->dump, record->dump_len);
	bs_row_add_blob(image, dump.data, dump.len);
	if (record->expires_ms)
		bs_row_add_int(image, record->now_ms);
	else
		bs_row_add_null(image);
	bs_buf_release(&canonical);
	bs_buf_release(&dump);
}

int bs_redis_row_read(struct bs_blob image, struct bs_redis_row *ret_row, struct bs_err *err)
{
	struct bs_cell cells[BS_COUNT(columns)];
	size_t offset = 0;

	for (size_t i = 0; i < BS_COUNT(cells); i++)
		if (!bs_row_next(image, &offset, &cells[i]))
			return bs_err_set(err, BS_EINTERNAL, "the image of a key is too short");
	const struct bs_cell *key = &cells[BS_REDIS_KEY], *dump = &cells[BS_REDIS_DUMP];
	const struct bs_cell *type = &cells[BS_REDIS_TYPE];
	if (!key->data || !dump->data || dump->len < CONTENT_BYTES)
		return bs_err_set(err, BS_EINTERNAL, "the image of a key is none");
	*ret_row = (struct bs_redis_row){
		.name = {(unsigned)cells[BS_REDIS_DB].integer, {key->data, key->len}},
		.dump = {dump->data + CONTENT_BYTES, dump->len - CONTENT_BYTES},
		.expires_ms = cells[BS_REDIS_EXPIRES].integer,
		.seen_ms = cells[BS_REDIS_SEEN].integer,
		.stream = type->len == 6 && memcmp(type->data, "stream", 6) == 0,
	};
	memcpy(&ret_row->content, dump->data, CONTENT_BYTES);
	return 0;
}
