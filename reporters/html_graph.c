/*
 * The explored states: which of them are shown, the ways that the findings take through them, and the list that says
 * the same in words. A finding's sequence is followed step by step through what was explored; where it took a step
 * that exploring had not (the sequence was shortened), the picture goes on with what the replay did.
 */
#include "html_graph.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define PLAIN_HEIGHT 14
#define WAY_HEIGHT 40
#define GAP 11

/* --- The ways --- */

static struct bs_graph_node *add_node(struct bs_html_graph *graph)
{
	size_t labels = graph->node_count;

	BS_PUSH(graph->labels, labels)->operation = NULL;
	return BS_PUSH(graph->nodes, graph->node_count);
}

static uint32_t add_replayed(struct bs_html_graph *graph, uint32_t parent)
{
	uint32_t number = (uint32_t)graph->node_count;
	struct bs_graph_node *node = add_node(graph);

	node->parent = parent;
	node->depth = graph->nodes[parent].depth + 1;
	graph->labels[number].replayed = true;
	return number;
}

/* A replayed step that another finding took too is one node. */
static uint32_t find_replayed(const struct bs_html_graph *graph, uint32_t parent, const char *operation)
{
	for (size_t i = graph->states->state_count; i < graph->node_count; i++)
		if (graph->nodes[i].parent == parent && bs_html_is(graph->labels[i].operation, operation))
			return (uint32_t)i;
	return BS_HTML_NO_STATE;
}

static uint32_t next_node(struct bs_html_graph *graph, uint32_t from, const char *operation)
{
	const struct bs_html_edge *edge = NULL;

	if (from < graph->states->state_count)
		edge = bs_html_states_follow(graph->states, from, operation);
	if (edge)
		return edge->to;
	uint32_t node = find_replayed(graph, from, operation);
	return node != BS_HTML_NO_STATE ? node : add_replayed(graph, from);
}

/* A state can only be shown together with those that it was reached from. */
static void want(struct bs_html_graph *graph, uint32_t node)
{
	for (; !graph->nodes[node].wanted; node = graph->nodes[node].parent)
		graph->nodes[node].wanted = true;
}

static void add_way(struct bs_html_graph *graph, size_t number)
{
	const struct bs_ev_finding *finding = &graph->summary->findings[number];
	struct bs_html_way *way = &graph->ways[graph->way_count++];

	*way = (struct bs_html_way){.finding = number, .length = finding->step_count + 1};
	way->nodes = bs_xcalloc(way->length, sizeof *way->nodes);
	for (size_t i = 0; i < finding->step_count; i++) {
		const struct bs_ev_finding_step *step = &finding->steps[i];
		const char *operation = step->operation ? step->operation : "";
		uint32_t node = next_node(graph, way->nodes[i], operation);
		struct bs_html_label *label = &graph->labels[node];
		if (!label->operation && node) {
			label->operation = operation;
			label->status = step->response.status;
		}
		want(graph, node);
		way->nodes[i + 1] = node;
	}
}

static bool has_way(const struct bs_ev_finding *finding)
{
	return !bs_html_is(finding->verdict, "unconfirmed") && finding->step_count;
}

static void add_ways(struct bs_html_graph *graph)
{
	for (size_t i = 0; i < graph->summary->finding_count; i++)
		if (has_way(&graph->summary->findings[graph->order[i]]) && graph->way_total++ < BS_HTML_WAYS_MAX)
			add_way(graph, graph->order[i]);
}

size_t bs_html_way_number(const struct bs_html_page *page, size_t finding)
{
	size_t number = 1;

	if (page->states->state_count < BS_HTML_STATES_MIN || !has_way(&page->summary->findings[finding]))
		return 0;
	for (size_t i = 0; page->order[i] != finding && number <= BS_HTML_WAYS_MAX; i++)
		number += has_way(&page->summary->findings[page->order[i]]);
	return number <= BS_HTML_WAYS_MAX ? number : 0;
}

/* --- The picture --- */

static void add_states(struct bs_html_graph *graph)
{
	const struct bs_html_states *states = graph->states;

	for (size_t i = 0; i < states->state_count; i++) {
		struct bs_graph_node *node = add_node(graph);
		node->parent = states->states[i].parent;
		node->depth = states->states[i].depth;
	}
	graph->nodes[0].wanted = true;
}

static void place(struct bs_html_graph *graph)
{
	struct bs_graph_limits limits = {
		.columns = 1, .rows = BS_HTML_ROWS_MAX, .column_width = BS_HTML_COLUMN_WIDTH, .gap = GAP};

	for (size_t i = 0; i < graph->node_count; i++) {
		struct bs_graph_node *node = &graph->nodes[i];
		node->height = graph->labels[i].operation ? WAY_HEIGHT : PLAIN_HEIGHT;
		if (node->depth >= limits.columns && limits.columns < BS_HTML_COLUMNS_MAX)
			limits.columns = node->depth + 1 < BS_HTML_COLUMNS_MAX ? node->depth + 1 : BS_HTML_COLUMNS_MAX;
	}
	graph->column_count = limits.columns;
	graph->size = bs_graph_layout(graph->nodes, graph->node_count, &limits, graph->columns);
}

uint64_t bs_html_graph_hidden(const struct bs_html_graph *graph, uint32_t depth)
{
	uint64_t hidden = 0;

	for (uint32_t d = depth; d < BS_HTML_DEPTHS && (d == depth || depth == graph->column_count); d++)
		hidden += graph->states->depths[d];
	for (size_t i = 0; i < graph->states->state_count && depth < graph->column_count; i++)
		hidden -= hidden && graph->nodes[i].shown && graph->nodes[i].depth == depth;
	return hidden;
}

static void graph_init(struct bs_html_graph *graph, const struct bs_html_page *page)
{
	*graph = (struct bs_html_graph){.summary = page->summary, .states = page->states, .order = page->order};
	add_states(graph);
	add_ways(graph);
	place(graph);
}

static void graph_release(struct bs_html_graph *graph)
{
	for (size_t i = 0; i < graph->way_count; i++)
		free(graph->ways[i].nodes);
	free(graph->nodes);
	free(graph->labels);
}

/* --- In words --- */

struct shown {
	size_t states;
	bool broken; /* one of them is a diamond */
};

static struct shown count_shown(const struct bs_html_graph *graph)
{
	struct shown shown = {0, false};

	for (size_t i = 0; i < graph->states->state_count; i++) {
		if (!graph->nodes[i].shown)
			continue;
		shown.states++;
		shown.broken |= graph->states->states[i].broken && !graph->labels[i].operation;
	}
	return shown;
}

static void say(xmlNode *p, const struct bs_html_graph *graph)
{
	const struct bs_summary *s = graph->summary;
	uint64_t states = graph->states->total, steps = s->steps;
	struct shown shown = count_shown(graph);
	BS_AUTOFREE char *all = bs_html_count(states), *some = bs_html_count(shown.states), *taken = bs_html_count(steps);
	BS_AUTOFREE char *back = bs_html_count(steps + 1 > states ? steps + 1 - states : 0);

	bs_html_textf(p, "%s states were reached in %s steps; %s of the steps led to a state known before. ", all, taken,
		      back);
	bs_html_text(p, "Each column is one step further from the start. ");
	if (shown.states < states)
		bs_html_textf(p, "%s states are drawn, the dashed boxes count the others. ", some);
	if (shown.broken)
		bs_html_text(p, "A diamond is a state in which a rule broke. ");
	if (graph->node_count > graph->states->state_count)
		bs_html_text(p, "Dotted boxes are steps that were taken in a replay only. ");
	if (graph->way_total > graph->way_count)
		bs_html_textf(p, "The sequences of the first %zu of %zu findings are drawn.", graph->way_count,
			      graph->way_total);
}

static void way_item(xmlNode *list, const struct bs_html_graph *graph, size_t number)
{
	const struct bs_ev_finding *finding = &graph->summary->findings[graph->ways[number].finding];
	BS_AUTOFREE char *id = bs_html_finding_id(graph->summary, graph->ways[number].finding);
	xmlNode *item = bs_html_add(list, "li", bs_html_severity_icon(finding->severity));

	bs_html_leaff(item, "span", "n", "%zu", number + 1);
	xmlNode *words = bs_html_add(item, "div", NULL);
	xmlNode *link = bs_html_leaf(words, "a", NULL, bs_html_has(finding->title) ? finding->title : finding->rule);
	bs_html_attrf(link, "href", "#%s", id);
	xmlNode *p = bs_html_add(words, "p", "soft");
	for (size_t i = 0; i < finding->step_count; i++) {
		bs_html_text(p, i ? " → " : "");
		bs_html_text(p, finding->steps[i].operation);
	}
	xmlNode *alone = bs_html_leaf(item, "a", "alone", "show alone");
	bs_html_attrf(alone, "href", "#path-%zu", number + 1);
}

void bs_html_graph(struct bs_html_page *page)
{
	xmlNode *section = bs_html_slot(page, "graph"), *words = bs_html_slot(page, "graph-words");
	xmlNode *picture = bs_html_slot(page, "graph-picture"), *list = bs_html_slot(page, "graph-paths");
	xmlNode *anchors = bs_html_slot(page, "graph-anchors");
	struct bs_html_graph graph;

	if (page->states->state_count < BS_HTML_STATES_MIN) {
		bs_html_remove(section);
		return;
	}
	graph_init(&graph, page);
	say(words, &graph);
	bs_html_graph_draw(&graph, picture);
	for (size_t i = 0; i < graph.way_count; i++) {
		bs_html_attrf(bs_html_add(anchors, "i", NULL), "id", "path-%zu", i + 1);
		way_item(list, &graph, i);
	}
	if (!graph.way_count)
		bs_html_remove(list);
	graph_release(&graph);
}
