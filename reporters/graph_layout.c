/* See graph_layout.h. */
#include "graph_layout.h"

#include "base/mem.h"

#include <stdlib.h>

struct layout {
	struct bs_graph_node *nodes;
	size_t count;
	const struct bs_graph_limits *limits;
	struct bs_graph_column *columns;
	uint32_t *order; /* the nodes of one column, from the top */
};

/* --- Which --- */

static bool may_show(const struct layout *layout, const struct bs_graph_node *node)
{
	if (node->shown || node->depth >= layout->limits->columns)
		return false;
	return node == layout->nodes || layout->nodes[node->parent].shown;
}

static void show(struct layout *layout, struct bs_graph_node *node)
{
	struct bs_graph_column *column = &layout->columns[node->depth];

	if (!may_show(layout, node) || column->shown == layout->limits->rows)
		return;
	node->shown = true;
	column->shown++;
}

/* In the order of the nodes a parent is decided before its children. */
static void choose_wanted(struct layout *layout)
{
	show(layout, layout->nodes);
	for (size_t i = 1; i < layout->count; i++)
		if (layout->nodes[i].wanted)
			show(layout, &layout->nodes[i]);
}

/* Each parent's first child, then each one's second: a column that is too long shows something of all of them. */
static bool choose_round(struct layout *layout, uint32_t depth, const uint32_t *ranks, uint32_t rank)
{
	bool more = false;

	for (size_t i = 1; i < layout->count; i++) {
		if (layout->nodes[i].depth != depth)
			continue;
		if (ranks[i] == rank)
			show(layout, &layout->nodes[i]);
		more |= ranks[i] > rank && may_show(layout, &layout->nodes[i]);
	}
	return more && layout->columns[depth].shown < layout->limits->rows;
}

static void choose_others(struct layout *layout)
{
	uint32_t *ranks = bs_xcalloc(layout->count, sizeof *ranks), *children = bs_xcalloc(layout->count, sizeof *children);

	for (size_t i = 1; i < layout->count; i++)
		ranks[i] = children[layout->nodes[i].parent]++;
	for (uint32_t depth = 1; depth < layout->limits->columns; depth++)
		for (uint32_t rank = 0; choose_round(layout, depth, ranks, rank);)
			rank++;
	free(ranks);
	free(children);
}

/* --- In which order --- */

/* The children of each node of the column before, from the top: those of one parent keep the order of the nodes.
 * Quadratic in the rows of two columns, which are bounded. Returns how many there are. */
static size_t order_column(const struct layout *layout, const uint32_t *parents, size_t parent_count,
			   const uint32_t *members, size_t member_count)
{
	size_t n = 0;

	for (size_t p = 0; p < parent_count; p++)
		for (size_t i = 0; i < member_count; i++)
			if (layout->nodes[members[i]].parent == parents[p])
				layout->order[n++] = members[i];
	return n;
}

/* --- At which height --- */

static int distance(const struct layout *layout, uint32_t above, uint32_t below)
{
	return (layout->nodes[above].height + layout->nodes[below].height) / 2 + layout->limits->gap;
}

/* Where each would stand if it were alone: its parent's children are spread around the parent's height. */
static void wish(struct layout *layout, size_t n)
{
	for (size_t first = 0, end; first < n; first = end) {
		int spread = 0;
		uint32_t parent = layout->nodes[layout->order[first]].parent;
		for (end = first + 1; end < n && layout->nodes[layout->order[end]].parent == parent; end++)
			spread += distance(layout, layout->order[end - 1], layout->order[end]);
		int y = layout->nodes[parent].y - spread / 2;
		for (size_t i = first; i < end; i++) {
			layout->nodes[layout->order[i]].y = y;
			if (i + 1 < end)
				y += distance(layout, layout->order[i], layout->order[i + 1]);
		}
	}
}

struct block { /* neighbours that touch and so move together */
	long sum;
	size_t count;
};

static long mean(const struct block *block)
{
	long count = (long)block->count;

	return block->sum >= 0 ? block->sum / count : -((-block->sum + count - 1) / count);
}

/* Moves the nodes apart as little as possible without changing their order: with the heights of the nodes above
 * taken off each wish this is isotonic regression, which joining violating neighbours solves. */
static void push_apart(struct layout *layout, size_t n)
{
	struct block *blocks = bs_xcalloc(n + 1, sizeof *blocks);
	size_t count = 0, i = 0;
	long above = 0;

	for (size_t k = 0; k < n; k++) {
		above += k ? distance(layout, layout->order[k - 1], layout->order[k]) : 0;
		blocks[count++] = (struct block){layout->nodes[layout->order[k]].y - above, 1};
		for (; count > 1 && mean(&blocks[count - 2]) > mean(&blocks[count - 1]); count--) {
			blocks[count - 2].sum += blocks[count - 1].sum;
			blocks[count - 2].count += blocks[count - 1].count;
		}
	}
	above = 0;
	for (size_t b = 0; b < count; b++)
		for (size_t k = 0; k < blocks[b].count; k++, i++) {
			above += i ? distance(layout, layout->order[i - 1], layout->order[i]) : 0;
			layout->nodes[layout->order[i]].y = (int)(mean(&blocks[b]) + above);
		}
	free(blocks);
}

static size_t members_of(const struct layout *layout, uint32_t depth, uint32_t *members)
{
	size_t n = 0;

	for (size_t i = 0; i < layout->count; i++)
		if (layout->nodes[i].shown && layout->nodes[i].depth == depth)
			members[n++] = (uint32_t)i;
	return n;
}

static void place_columns(struct layout *layout)
{
	uint32_t *parents = bs_xcalloc(layout->limits->rows, sizeof *parents);
	uint32_t *members = bs_xcalloc(layout->limits->rows, sizeof *members);
	size_t parent_count = 1; /* the root, the first node */

	layout->nodes[0].y = 0;
	for (uint32_t depth = 1; depth < layout->limits->columns; depth++) {
		size_t n = order_column(layout, parents, parent_count, members, members_of(layout, depth, members));
		wish(layout, n);
		push_apart(layout, n);
		for (parent_count = 0; parent_count < n; parent_count++)
			parents[parent_count] = layout->order[parent_count];
	}
	free(parents);
	free(members);
}

/* --- The whole --- */

static struct bs_graph_size move_into_view(struct layout *layout)
{
	int gap = layout->limits->gap, width = layout->limits->column_width, top = 0;
	struct bs_graph_size size = {0, 0};

	for (size_t i = 0; i < layout->count; i++)
		if (layout->nodes[i].shown && layout->nodes[i].y - layout->nodes[i].height / 2 < top)
			top = layout->nodes[i].y - layout->nodes[i].height / 2;
	for (size_t i = 0; i < layout->count; i++) {
		struct bs_graph_node *node = &layout->nodes[i];
		if (!node->shown)
			continue;
		int bottom = node->y - top + gap + (node->height + 1) / 2;
		node->y += gap - top;
		node->x = (int)node->depth * width + width / 2;
		if (bottom > layout->columns[node->depth].bottom)
			layout->columns[node->depth].bottom = bottom;
		if (bottom + gap > size.height)
			size.height = bottom + gap;
		if (node->x + width / 2 > size.width)
			size.width = node->x + width / 2;
	}
	return size;
}

struct bs_graph_size bs_graph_layout(struct bs_graph_node *nodes, size_t count,
				     const struct bs_graph_limits *limits, struct bs_graph_column *columns)
{
	struct layout layout = {.nodes = nodes, .count = count, .limits = limits, .columns = columns};

	for (uint32_t i = 0; i < limits->columns; i++)
		columns[i] = (struct bs_graph_column){0, 0};
	for (size_t i = 0; i < count; i++)
		nodes[i].shown = false;
	if (!count)
		return (struct bs_graph_size){0, 0};
	layout.order = bs_xcalloc(limits->rows, sizeof *layout.order);
	choose_wanted(&layout);
	choose_others(&layout);
	place_columns(&layout);
	free(layout.order);
	return move_into_view(&layout);
}
