/* Deltas and their multiset sum. See delta.h. */
#include "delta.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "row.h"

#include <string.h>

static struct bs_blob place(char **next, struct bs_blob from)
{
	char *at = *next;

	if (!from.data)
		return (struct bs_blob){NULL, 0};
	memcpy(at, from.data, from.len);
	*next += from.len;
	return (struct bs_blob){at, from.len};
}

const struct bs_delta *bs_delta_new(struct bs_arena *arena, const struct bs_change *items, size_t count)
{
	size_t bytes = 0;

	if (!count)
		return NULL;
	for (size_t i = 0; i < count; i++)
		bytes += (items[i].before.data ? items[i].before.len : 0) +
			 (items[i].after.data ? items[i].after.len : 0);
	struct bs_delta *delta =
		bs_arena_alloc(arena, sizeof *delta + count * sizeof *items + bytes + 1);
	char *next = (char *)&delta->items[count];
	delta->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		delta->items[i].table = items[i].table;
		delta->items[i].before = place(&next, items[i].before);
		delta->items[i].after = place(&next, items[i].after);
	}
	return delta;
}

const struct bs_delta *bs_delta_join(struct bs_arena *arena, const struct bs_delta *first,
				     const struct bs_delta *second)
{
	if (!first || !second)
		return first ? first : second;
	size_t count = (size_t)first->count + second->count;
	BS_AUTOFREE struct bs_change *all = bs_xcalloc(count, sizeof *all);
	memcpy(all, first->items, first->count * sizeof *all);
	memcpy(all + first->count, second->items, second->count * sizeof *all);
	return bs_delta_new(arena, all, count);
}

struct bs_net {
	struct bs_net_row *rows; /* every image seen since clear, zero counts included */
	size_t count;
	struct bs_map index; /* from (table, image) to rows */
	struct bs_net_row *result;
};

struct bs_net *bs_net_new(void)
{
	return bs_xcalloc(1, sizeof(struct bs_net));
}

void bs_net_free(struct bs_net *net)
{
	if (!net)
		return;
	free(net->rows);
	free(net->result);
	bs_map_release(&net->index);
	free(net);
}

void bs_net_clear(struct bs_net *net)
{
	bs_map_clear(&net->index);
	free(net->rows);
	net->rows = NULL;
	net->count = 0;
}

static struct bs_net_row *find(struct bs_net *net, uint32_t table, struct bs_blob image)
{
	uint64_t hash = bs_hash_bytes(image.data, image.len).lo ^ (table * 0x9E3779B97F4A7C15u);
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&net->index, hash, &at)) != BS_MAP_NONE)
		if (net->rows[i].table == table && bs_blob_equal(net->rows[i].image, image))
			return &net->rows[i];
	bs_map_add(&net->index, hash, (uint32_t)net->count);
	struct bs_net_row *row = BS_PUSH(net->rows, net->count);
	*row = (struct bs_net_row){.table = table, .image = image};
	return row;
}

void bs_net_add(struct bs_net *net, const struct bs_delta *delta, enum bs_direction direction)
{
	for (uint32_t i = 0; delta && i < delta->count; i++) {
		const struct bs_change *change = &delta->items[i];
		if (change->before.data)
			find(net, change->table, change->before)->count -= (int)direction;
		if (change->after.data)
			find(net, change->table, change->after)->count += (int)direction;
	}
}

/* By table, then by image: the same walk asks for the same thing in every run. */
static int by_table(const void *a, const void *b)
{
	const struct bs_net_row *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->image.len != y->image.len)
		return x->image.len < y->image.len ? -1 : 1;
	return memcmp(x->image.data, y->image.data, x->image.len);
}

const struct bs_net_row *bs_net_rows(struct bs_net *net, size_t *ret_count)
{
	size_t n = 0;

	net->result = bs_xrealloc(net->result, net->count, sizeof *net->result);
	for (size_t i = 0; i < net->count; i++)
		if (net->rows[i].count)
			net->result[n++] = net->rows[i];
	if (n > 1)
		qsort(net->result, n, sizeof *net->result, by_table);
	*ret_count = n;
	return net->result;
}
