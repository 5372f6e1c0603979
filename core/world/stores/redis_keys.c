/* Redis: keys in memory. See redis.h. */
#include "redis.h"

#include "base/mem.h"

#include <string.h>

void bs_redis_keys_init(struct bs_redis_keys *keys, unsigned databases)
{
	*keys = (struct bs_redis_keys){.databases = databases};
	keys->present = bs_xcalloc(databases, sizeof *keys->present);
	keys->expiring = bs_xcalloc(databases, sizeof *keys->expiring);
}

void bs_redis_keys_release(struct bs_redis_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		free(keys->items[i].name);
		free(keys->items[i].image);
	}
	free(keys->items);
	free(keys->streams);
	free(keys->present);
	free(keys->expiring);
	bs_map_release(&keys->index);
	*keys = (struct bs_redis_keys){0};
}

static uint64_t hash_of(const struct bs_redis_name *name)
{
	return bs_hash_bytes(name->name.data, name->name.len).lo ^ ((name->db + 1) * 0x9E3779B97F4A7C15u);
}

struct bs_redis_key *bs_redis_keys_find(const struct bs_redis_keys *keys, const struct bs_redis_name *name)
{
	uint64_t hash = hash_of(name);
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&keys->index, hash, &at)) != BS_MAP_NONE) {
		struct bs_redis_key *key = &keys->items[i];
		if (key->db == name->db && key->name_len == name->name.len &&
		    memcmp(key->name, name->name.data, key->name_len) == 0)
			return key;
	}
	return NULL;
}

static struct bs_redis_key *add(struct bs_redis_keys *keys, const struct bs_redis_name *name)
{
	bs_map_add(&keys->index, hash_of(name), (uint32_t)keys->count);
	struct bs_redis_key *key = BS_PUSH(keys->items, keys->count);
	key->db = name->db;
	key->name = bs_xmemdup(name->name.data, name->name.len);
	key->name_len = name->name.len;
	return key;
}

/* Takes a key into the counts, or out of them. */
static void count(struct bs_redis_keys *keys, const struct bs_redis_key *key, size_t by)
{
	if (!key->image)
		return;
	keys->present[key->db] += by;
	if (key->armed_ms)
		keys->expiring[key->db] += by;
}

void bs_redis_keys_set(struct bs_redis_keys *keys, const struct bs_redis_name *name, char *image, uint32_t image_len,
		       const struct bs_redis_row *row, int64_t armed_ms, char **ret_old)
{
	struct bs_redis_key *key = bs_redis_keys_find(keys, name);

	if (!key)
		key = add(keys, name);
	count(keys, key, (size_t)-1);
	if (ret_old)
		*ret_old = key->image;
	else
		free(key->image);
	key->image = image;
	key->image_len = image_len;
	if (image) {
		key->content = row->content;
		key->expires_ms = row->expires_ms;
		key->armed_ms = armed_ms;
		if (row->stream && !key->stream)
			*BS_PUSH(keys->streams, keys->stream_count) = (size_t)(key - keys->items);
		key->stream |= row->stream;
	}
	count(keys, key, 1);
}

static bool counted(const struct bs_redis_info *info, unsigned db, size_t present, size_t expiring)
{
	for (size_t i = 0; i < info->count_count; i++)
		if (info->counts[i].db == db)
			return info->counts[i].keys == present && info->counts[i].expiring == expiring;
	return present == 0;
}

bool bs_redis_keys_match(const struct bs_redis_keys *keys, const struct bs_redis_info *info, int only_db)
{
	for (unsigned db = 0; db < keys->databases; db++)
		if ((only_db < 0 || db == (unsigned)only_db) &&
		    !counted(info, db, keys->present[db], keys->expiring[db]))
			return false;
	return true;
}
