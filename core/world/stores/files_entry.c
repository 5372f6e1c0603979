/* Files: in memory, by path. See files.h. */
#include "files.h"

#include "base/mem.h"

#include <string.h>

void bs_files_entries_release(struct bs_files_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		free(entries->items[i].path);
		free(entries->items[i].image);
	}
	free(entries->items);
	bs_map_release(&entries->index);
	*entries = (struct bs_files_entries){0};
}

struct bs_files_entry *bs_files_find(const struct bs_files_entries *entries, struct bs_blob path)
{
	uint64_t hash = bs_hash_bytes(path.data, path.len).lo;
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&entries->index, hash, &at)) != BS_MAP_NONE) {
		struct bs_files_entry *entry = &entries->items[i];
		if (entry->path_len == path.len && memcmp(entry->path, path.data, path.len) == 0)
			return entry;
	}
	return NULL;
}

struct bs_files_entry *bs_files_put(struct bs_files_entries *entries, struct bs_blob path)
{
	struct bs_files_entry *entry = bs_files_find(entries, path);

	if (entry)
		return entry;
	bs_map_add(&entries->index, bs_hash_bytes(path.data, path.len).lo, (uint32_t)entries->count);
	entry = BS_PUSH(entries->items, entries->count);
	entry->path = bs_xmemdup(path.data, path.len);
	entry->path_len = path.len;
	return entry;
}
