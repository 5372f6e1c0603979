/*
 * The picture of the explored states as it is drawn: the nodes with their places, and the ways of the findings
 * through them. html_graph.c makes it and writes the section, html_graph_draw.c draws.
 */
#ifndef BS_REPORTERS_HTML_GRAPH_H
#define BS_REPORTERS_HTML_GRAPH_H

#include "graph_layout.h"
#include "html_page.h"
#include "html_states.h"

#define BS_HTML_STATES_MIN 2 /* fewer are no picture */
#define BS_HTML_COLUMN_WIDTH 150
#define BS_HTML_COLUMNS_MAX 14
#define BS_HTML_ROWS_MAX 12
#define BS_HTML_WAYS_MAX 12 /* findings whose way is drawn */

struct bs_html_way {
	size_t finding;  /* an index */
	uint32_t *nodes; /* the start and one for each step */
	size_t length;
};

struct bs_html_label { /* of a node on a way */
	const char *operation; /* NULL: on none */
	int status;
	bool replayed; /* a step that was not taken while exploring */
};

struct bs_html_graph {
	const struct bs_summary *summary;
	const struct bs_html_states *states;
	const size_t *order; /* of the findings */
	struct bs_graph_node *nodes; /* the kept states, then what only replays showed */
	struct bs_html_label *labels;
	size_t node_count;
	uint32_t column_count;
	struct bs_graph_column columns[BS_HTML_COLUMNS_MAX];
	struct bs_graph_size size;
	struct bs_html_way ways[BS_HTML_WAYS_MAX];
	size_t way_count;
	size_t way_total; /* findings that could have one */
};

/* States of that depth that the picture does not show one by one; of depth column_count: of all that are deeper. */
uint64_t bs_html_graph_hidden(const struct bs_html_graph *graph, uint32_t depth);

void bs_html_graph_draw(const struct bs_html_graph *graph, xmlNode *parent);

#endif
