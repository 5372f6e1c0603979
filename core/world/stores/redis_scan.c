/* Redis: all keys, to be remembered, digested or put back. See redis.h. */
#include "redis.h"

#include "base/mem.h"
#include "split.h"

#include <string.h>

#define PUT_BATCH 1000

void bs_redis_names_release(struct bs_redis_names *names)
{
	free(names->items);
	bs_map_release(&names->index);
	bs_arena_release(&names->arena);
	*names = (struct bs_redis_names){0};
}

static uint64_t hash_of(const struct bs_redis_name *name)
{
	return bs_hash_bytes(name->name.data, name->name.len).lo ^ ((name->db + 1) * 0x9E3779B97F4A7C15u);
}

size_t bs_redis_names_find(const struct bs_redis_names *names, const struct bs_redis_name *name)
{
	uint64_t hash = hash_of(name);
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&names->index, hash, &at)) != BS_MAP_NONE)
		if (names->items[i].db == name->db && bs_blob_equal(names->items[i].name, name->name))
			return i;
	return names->count;
}

void bs_redis_names_add(struct bs_redis_names *names, unsigned db, const void *data, size_t len)
{
	struct bs_redis_name name = {db, {data, (uint32_t)len}};

	if (bs_redis_names_find(names, &name) < names->count)
		return;
	bs_map_add(&names->index, hash_of(&name), (uint32_t)names->count);
	name.name.data = bs_arena_dup(&names->arena, data, len);
	*BS_PUSH(names->items, names->count) = name;
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t common = a_len < b_len ? a_len : b_len;
	int order = common ? memcmp(a, b, common) : 0;

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_pattern(const void *a, const void *b)
{
	const struct bs_redis_name *x = a, *y = b;
	struct bs_buf p = BS_BUF_INIT, q = BS_BUF_INIT;
	struct bs_blob id;

	if (x->db != y->db)
		return x->db < y->db ? -1 : 1;
	bs_split_name(x->name, ":", &p, &id);
	bs_split_name(y->name, ":", &q, &id);
	int order = compare_bytes(bs_buf_text(&p), p.len, bs_buf_text(&q), q.len);
	bs_buf_release(&p);
	bs_buf_release(&q);
	return order ? order : compare_bytes(x->name.data, x->name.len, y->name.data, y->name.len);
}

void bs_redis_names_sort(struct bs_redis_names *names)
{
	if (names->count > 1)
		qsort(names->items, names->count, sizeof *names->items, by_pattern);
	bs_map_clear(&names->index); /* it knew them by their places */
}

bool bs_redis_tracks(const struct bs_redis *s, unsigned db)
{
	return s->in_place ? db == s->url.db : db < s->databases;
}

static int scan_database(struct bs_redis *s, redisContext *conn, unsigned db, struct bs_redis_names *names,
			 struct bs_err *err)
{
	BS_AUTOFREE char *cursor = bs_xstrdup("0");
	int r = bs_redis_ask(s, conn, NULL, err, "SELECT %u", db);

	while (r == 0) {
		BS_REPLY *reply = NULL;
		r = bs_redis_ask(s, conn, &reply, err, "SCAN %s COUNT 1000", cursor);
		if (r < 0)
			break;
		if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
			return bs_err_set(err, BS_ESTORE, "SCAN: an answer of an unexpected kind");
		for (size_t i = 0; i < reply->element[1]->elements; i++)
			bs_redis_names_add(names, db, reply->element[1]->element[i]->str,
					   reply->element[1]->element[i]->len);
		free(cursor);
		cursor = bs_xstrdup(reply->element[0]->str);
		if (strcmp(cursor, "0") == 0)
			break;
	}
	return r;
}

int bs_redis_scan(struct bs_redis *s, redisContext *conn, struct bs_redis_names *names, struct bs_err *err)
{
	struct bs_redis_info info;
	int r = bs_redis_info(s, conn, false, &info, err);

	if (r < 0)
		return r;
	if (info.field_expiry)
		r = bs_err_set(err, BS_ESTORE, "there are hashes with fields that expire (HEXPIRE), which cannot be put back "
			       "exactly yet");
	for (size_t i = 0; r == 0 && i < info.count_count; i++)
		if (bs_redis_tracks(s, info.counts[i].db))
			r = scan_database(s, conn, info.counts[i].db, names, err);
	bs_redis_info_release(&info);
	return r;
}

/* --- Remembering ------------------------------------------------------------------------------------- */

struct loading {
	struct bs_redis_keys *keys;
	const struct bs_redis_keys *known;
};

static const struct bs_redis_key *known_as(const struct loading *loading, const struct bs_redis_name *name,
					   const struct bs_redis_record *record, const struct bs_redis_row *row)
{
	const struct bs_redis_key *key = loading->known ? bs_redis_keys_find(loading->known, name) : NULL;

	return key && key->image && bs_hash_equal(key->content, row->content) && key->armed_ms == record->expires_ms
		       ? key
		       : NULL;
}

static int load_record(void *ctx, const struct bs_redis_name *name, const struct bs_redis_record *record,
		       struct bs_err *err)
{
	struct loading *loading = ctx;
	struct bs_buf image = BS_BUF_INIT;
	struct bs_redis_row row;

	if (!record) /* expired meanwhile */
		return 0;
	bs_redis_image(name, record, &image);
	int r = bs_redis_row_read((struct bs_blob){image.data, (uint32_t)image.len}, &row, err);
	const struct bs_redis_key *known = r == 0 ? known_as(loading, name, record, &row) : NULL;
	if (known) { /* with the same image, what was learned of one copy holds for the next */
		bs_buf_clear(&image);
		bs_buf_add(&image, known->image, known->image_len);
		row.expires_ms = known->expires_ms;
	}
	if (r < 0) {
		bs_buf_release(&image);
		return r;
	}
	uint32_t len = (uint32_t)image.len;
	bs_redis_keys_set(loading->keys, name, bs_buf_take(&image), len, &row, record->expires_ms, NULL);
	return 0;
}

int bs_redis_load(struct bs_redis *s, redisContext *conn, struct bs_redis_keys *keys, const struct bs_redis_keys *known,
		  struct bs_err *err)
{
	struct loading loading = {keys, known};
	struct bs_redis_names names = {0};
	int r = bs_redis_scan(s, conn, &names, err);

	if (r == 0)
		r = bs_redis_read(s, conn, names.items, names.count, load_record, &loading, NULL, err);
	bs_redis_names_release(&names);
	return r;
}

/* --- Putting everything ------------------------------------------------------------------------------ */

static struct bs_redis_name name_of(const struct bs_redis_key *key)
{
	return (struct bs_redis_name){key->db, {key->name, key->name_len}};
}

static int put_batch(struct bs_redis *s, redisContext *conn, struct bs_redis_keys *keys, struct bs_redis_put *puts,
		     size_t count, struct bs_err *err)
{
	int r = count ? bs_redis_put(s, conn, puts, count, NULL, err) : 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct bs_redis_key *key =
			bs_redis_keys_find(keys, &(struct bs_redis_name){puts[i].db, puts[i].name});
		if (key && puts[i].image.data)
			key->armed_ms = puts[i].armed_ms;
	}
	return r;
}

int bs_redis_restore_all(struct bs_redis *s, redisContext *conn, struct bs_redis_keys *keys, struct bs_err *err)
{
	BS_AUTOFREE struct bs_redis_put *puts = bs_xcalloc(PUT_BATCH, sizeof *puts);
	struct bs_redis_names there = {0};
	size_t n = 0;
	int r = bs_redis_scan(s, conn, &there, err);

	for (size_t i = 0; r == 0 && i < there.count; i++) {
		const struct bs_redis_key *key = bs_redis_keys_find(keys, &there.items[i]);
		if (key && key->image)
			continue;
		puts[n++] = (struct bs_redis_put){.db = there.items[i].db, .name = there.items[i].name};
		if (n == PUT_BATCH) {
			r = put_batch(s, conn, keys, puts, n, err);
			n = 0;
		}
	}
	for (size_t i = 0; r == 0 && i < keys->count; i++) {
		const struct bs_redis_key *key = &keys->items[i];
		if (key->image)
			puts[n++] = (struct bs_redis_put){.db = key->db, .name = name_of(key).name,
							  .image = {key->image, key->image_len}};
		if (n == PUT_BATCH) {
			r = put_batch(s, conn, keys, puts, n, err);
			n = 0;
		}
	}
	if (r == 0)
		r = put_batch(s, conn, keys, puts, n, err);
	bs_redis_names_release(&there);
	return r;
}

/* --- Digests ----------------------------------------------------------------------------------------- */

struct summing {
	const struct bs_redis *s;
	uint64_t sum;
};

/* A key that was put back after its time counts with the time that it had. */
static int64_t expiry_of(const struct bs_redis *s, const struct bs_redis_name *name,
			 const struct bs_redis_record *record)
{
	const struct bs_redis_key *key = bs_redis_keys_find(&s->shadow, name);

	return record->expires_ms && key && key->image && key->armed_ms == record->expires_ms ? key->expires_ms
											      : record->expires_ms;
}

static int sum_record(void *ctx, const struct bs_redis_name *name, const struct bs_redis_record *record,
		      struct bs_err *err)
{
	struct summing *summing = ctx;
	struct bs_buf bytes = BS_BUF_INIT;

	(void)err;
	if (!record)
		return 0;
	int64_t expires_ms = expiry_of(summing->s, name, record);
	bs_buf_add(&bytes, &name->db, sizeof name->db);
	bs_buf_add(&bytes, &expires_ms, sizeof expires_ms);
	bs_buf_add(&bytes, &name->name.len, sizeof name->name.len);
	bs_buf_add(&bytes, name->name.data, name->name.len);
	bs_redis_canonical(record, &bytes);
	summing->sum += bs_hash_bytes(bytes.data, bytes.len).lo;
	bs_buf_release(&bytes);
	return 0;
}

int bs_redis_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err)
{
	struct bs_redis *s = (struct bs_redis *)store;
	struct summing summing = {.s = s};
	struct bs_redis_names names = {0};
	redisContext *conn = NULL;

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "digest before begin");
	int r = bs_redis_connect_live(s, &conn, err);
	if (r == 0)
		r = bs_redis_scan(s, conn, &names, err);
	if (r == 0)
		r = bs_redis_read(s, conn, names.items, names.count, sum_record, &summing, NULL, err);
	bs_redis_hang_up(&conn);
	bs_redis_names_release(&names);
	if (r < 0)
		return r;
	*ret_digest = summing.sum;
	if (ret_tables)
		ret_tables[0] = summing.sum;
	return 0;
}
