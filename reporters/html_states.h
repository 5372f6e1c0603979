/*
 * What the page's picture of the explored states is drawn from: the tree of states and the steps between them, folded
 * from the events into bounded memory (about 2 MB). The first states and steps of a run are kept, which is where
 * short sequences are; the rest is counted by depth.
 */
#ifndef BS_REPORTERS_HTML_STATES_H
#define BS_REPORTERS_HTML_STATES_H

#include "base/arena.h"

#include <backstep/event.h>

#define BS_HTML_STATES_KEPT 20000
#define BS_HTML_EDGES_KEPT 60000
#define BS_HTML_OPERATIONS_KEPT 1000 /* names */
#define BS_HTML_DEPTHS 64            /* counted one by one; deeper states together in the last */
#define BS_HTML_NO_STATE UINT32_MAX

struct bs_html_state {
	uint64_t id;      /* ascending */
	uint32_t parent;  /* an index; the root's is its own */
	uint32_t depth;   /* by the parents */
	uint32_t edge;    /* the step that found it; BS_HTML_NO_STATE: not known */
	bool broken;      /* a rule broke after a step that led here */
};

struct bs_html_edge { /* from one kept state to another */
	uint32_t from, to;
	uint32_t operation; /* an index */
	int32_t status;
};

struct bs_html_states {
	struct bs_arena arena; /* of the names */
	struct bs_html_state *states;
	size_t state_count;
	struct bs_html_edge *edges;
	size_t edge_count;
	const char **operations;
	size_t operation_count;
	uint64_t depths[BS_HTML_DEPTHS]; /* all states, also those that were not kept */
	uint64_t total;
};

void bs_html_states_init(struct bs_html_states *states);
void bs_html_states_event(struct bs_html_states *states, const struct bs_event *event);
void bs_html_states_release(struct bs_html_states *states);

/* The step that was taken from there with that operation; NULL: none is known. Borrowed until the next event. */
const struct bs_html_edge *bs_html_states_follow(const struct bs_html_states *states, uint32_t from,
						 const char *operation);

#endif
