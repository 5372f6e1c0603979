/* Open addressing with linear probing. See map.h. */
#include "map.h"

#include "mem.h"

#include <string.h>

static void put(struct bs_map *map, uint64_t hash, uint32_t stored)
{
	size_t i = hash & (map->slots - 1);

	while (map->values[i])
		i = (i + 1) & (map->slots - 1);
	map->hashes[i] = hash;
	map->values[i] = stored;
}

static void grow(struct bs_map *map)
{
	struct bs_map old = *map;

	map->slots = old.slots ? old.slots * 2 : 64;
	map->hashes = bs_xmalloc(map->slots * sizeof *map->hashes);
	map->values = bs_xcalloc(map->slots, sizeof *map->values);
	for (size_t i = 0; i < old.slots; i++)
		if (old.values[i])
			put(map, old.hashes[i], old.values[i]);
	free(old.hashes);
	free(old.values);
}

void bs_map_add(struct bs_map *map, uint64_t hash, uint32_t value)
{
	if ((map->count + 1) * 4 > map->slots * 3)
		grow(map);
	put(map, hash, value + 1);
	map->count++;
}

/* *at is the number of slots already looked at. */
uint32_t bs_map_next(const struct bs_map *map, uint64_t hash, size_t *at)
{
	while (*at < map->slots) {
		size_t i = (hash + *at) & (map->slots - 1);
		++*at;
		if (!map->values[i])
			return BS_MAP_NONE;
		if (map->hashes[i] == hash)
			return map->values[i] - 1;
	}
	return BS_MAP_NONE;
}

void bs_map_clear(struct bs_map *map)
{
	if (map->count)
		memset(map->values, 0, map->slots * sizeof *map->values);
	map->count = 0;
}

void bs_map_release(struct bs_map *map)
{
	free(map->hashes);
	free(map->values);
	*map = (struct bs_map){0};
}
