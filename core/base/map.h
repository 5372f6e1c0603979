/*
 * From a 64-bit hash to small numbers (indexes into the caller's array). Several numbers may stand under
 * one hash: the caller compares what they stand for. Nothing is ever taken out but everything at once.
 */
#ifndef BS_BASE_MAP_H
#define BS_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct bs_map {
	uint64_t *hashes;
	uint32_t *values; /* value + 1; 0 is free */
	size_t slots;     /* a power of two, or 0 */
	size_t count;
};

#define BS_MAP_NONE UINT32_MAX

void bs_map_add(struct bs_map *map, uint64_t hash, uint32_t value);

/* The values under hash, one after the other:
 *   size_t at = 0;
 *   while ((v = bs_map_next(map, hash, &at)) != BS_MAP_NONE) ... */
uint32_t bs_map_next(const struct bs_map *map, uint64_t hash, size_t *at);

void bs_map_clear(struct bs_map *map); /* keeps the memory */
void bs_map_release(struct bs_map *map);

#endif
