/*
 * Where the states of a tree go in a picture: the column is the depth, the rows of a column keep the order of their
 * parents, so that no two edges of the tree cross, and every state is as near to its parent's height as its
 * neighbours let it. Of a long column only so many rows are shown: wanted states first, then some of every parent's
 * children. All numbers are whole pixels: the same tree gives the same picture everywhere.
 */
#ifndef BS_REPORTERS_GRAPH_LAYOUT_H
#define BS_REPORTERS_GRAPH_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bs_graph_node {
	uint32_t parent; /* the index of an earlier node; that of the root, the first, is its own */
	uint32_t depth;  /* the parent's and one; 0: the root */
	int height;
	bool wanted;     /* shown before others; of no use without a shown parent */

	/* What is found out: */
	bool shown;
	int x, y; /* the centre */
};

struct bs_graph_limits {
	uint32_t columns; /* depths that are shown, at least 1 */
	uint32_t rows;    /* in a column, at least 1 */
	int column_width; /* from centre to centre */
	int gap;          /* between two nodes of a column, and around all */
};

struct bs_graph_column {
	uint32_t shown;
	int bottom; /* the y of the last node's lower edge */
};

struct bs_graph_size {
	int width, height;
};

/* Fills shown, x and y of every node, and the columns (limits->columns of them). */
struct bs_graph_size bs_graph_layout(struct bs_graph_node *nodes, size_t count,
				     const struct bs_graph_limits *limits, struct bs_graph_column *columns);

#endif
