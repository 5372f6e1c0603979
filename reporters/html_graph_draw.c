/*
 * Drawing the picture of the states as SVG in the page. What belongs to no finding is faint, and one path element for
 * all edges keeps it small; the ways of the findings lie on top, each a group of its own that a link can single out.
 * A state where a rule broke is a diamond and the end of a way says so in words: nothing is told by colour alone.
 */
#include "html_graph.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define HEAD 54 /* pixels above the states: what the columns are */
#define BOX_WIDTH 128
#define NAME_CHARS 16
#define MORE_CHARS 17
#define STUB_WIDTH 96
#define STUB_HEIGHT 26
#define ROUND 7 /* the radius of a state on no way */

struct spot { /* where an edge meets a node */
	int x, y, half_width, half_height;
};

static bool on_way(const struct bs_html_graph *graph, uint32_t node)
{
	return !node || graph->labels[node].operation;
}

static struct spot stub_spot(const struct bs_html_graph *graph, uint32_t column)
{
	int y = column < graph->column_count ? graph->columns[column].bottom + STUB_HEIGHT : graph->size.height / 2;
	int x = (int)column * BS_HTML_COLUMN_WIDTH + BS_HTML_COLUMN_WIDTH / 2;

	return (struct spot){x, y + HEAD, STUB_WIDTH / 2, STUB_HEIGHT / 2};
}

/* A node that is not shown is in the box that counts those of its column. */
static struct spot spot_of(const struct bs_html_graph *graph, uint32_t node)
{
	const struct bs_graph_node *at = &graph->nodes[node];

	if (!at->shown)
		return stub_spot(graph, at->depth < graph->column_count ? at->depth : graph->column_count);
	if (on_way(graph, node))
		return (struct spot){at->x, at->y + HEAD, node ? BOX_WIDTH / 2 : 30, at->height / 2};
	return (struct spot){at->x, at->y + HEAD, ROUND, ROUND};
}

/* --- Edges --- */

static void add_edge(struct bs_buf *d, struct spot a, struct spot b)
{
	if (a.x == b.x && a.y == b.y) { /* a step that changed nothing */
		bs_buf_addf(d, "M%d %dc-8 20 32 20 24 0", a.x - 12, a.y + a.half_height);
	} else if (b.x > a.x) {
		int from = a.x + a.half_width, to = b.x - b.half_width, bend = (to - from) / 2;
		bs_buf_addf(d, "M%d %dC%d %d %d %d %d %d", from, a.y, from + bend, a.y, to - bend, b.y, to, b.y);
	} else { /* back to where it was before */
		int from = a.y + a.half_height, to = b.y + b.half_height, low = (from > to ? from : to) + 34;
		bs_buf_addf(d, "M%d %dC%d %d %d %d %d %d", a.x, from, a.x, low, b.x, low, b.x, to);
	}
}

static void add_path(xmlNode *svg, const char *class, const struct bs_buf *d)
{
	if (d->len)
		bs_html_attr(bs_html_add(svg, "path", class), "d", bs_buf_text(d));
}

static void draw_tree(const struct bs_html_graph *graph, xmlNode *svg)
{
	struct bs_buf d = BS_BUF_INIT;

	for (uint32_t i = 1; i < graph->states->state_count; i++)
		if (graph->nodes[i].shown)
			add_edge(&d, spot_of(graph, graph->nodes[i].parent), spot_of(graph, i));
	add_path(svg, "edges", &d);
	bs_buf_release(&d);
}

/* --- States on no way --- */

static void state_title(const struct bs_html_graph *graph, xmlNode *shape, uint32_t node)
{
	const struct bs_html_state *state = &graph->states->states[node];
	xmlNode *title = bs_html_add(shape, "title", NULL);

	if (state->edge != BS_HTML_NO_STATE) {
		const struct bs_html_edge *edge = &graph->states->edges[state->edge];
		bs_html_textf(title, "%s → %d", graph->states->operations[edge->operation], (int)edge->status);
	}
	if (state->broken)
		bs_html_text(title, ": a rule broke here");
}

static void draw_states(const struct bs_html_graph *graph, xmlNode *svg)
{
	for (uint32_t i = 0; i < graph->states->state_count; i++) {
		if (!graph->nodes[i].shown || on_way(graph, i))
			continue;
		struct spot at = spot_of(graph, i);
		bool broken = graph->states->states[i].broken;
		xmlNode *shape = bs_html_add(svg, broken ? "path" : "circle", broken ? "state broken" : "state");
		if (broken) {
			bs_html_attrf(shape, "d", "M%d %dl8 8-8 8-8-8z", at.x, at.y - 8);
		} else {
			bs_html_attrf(shape, "cx", "%d", at.x);
			bs_html_attrf(shape, "cy", "%d", at.y);
			bs_html_attrf(shape, "r", "%d", ROUND - 1);
		}
		state_title(graph, shape, i);
	}
}

/* --- Text --- */

static xmlNode *add_text(xmlNode *parent, const char *class, int x, int y)
{
	xmlNode *text = bs_html_add(parent, "text", class);

	bs_html_attrf(text, "x", "%d", x);
	bs_html_attrf(text, "y", "%d", y);
	return text;
}

/* Cut to so many columns; what is far from Latin is taken to be two wide. Returns whether it was cut. */
static bool fitting(xmlNode *node, const char *text, size_t columns)
{
	size_t len = strlen(text), at = 0, used = 0, keep = 0;

	while (at < len) {
		uint32_t c = 0;
		size_t n = bs_utf8_next(text + at, len - at, &c);
		used += n && c >= 0x1100 ? 2 : 1;
		if (used > columns)
			break;
		at += n ? n : 1;
		if (used < columns)
			keep = at;
	}
	bs_html_text_len(node, text, at < len ? keep : len);
	if (at < len)
		bs_html_text(node, "…");
	return at < len;
}

static void add_box(xmlNode *parent, struct spot at)
{
	xmlNode *rect = bs_html_add(parent, "rect", NULL);

	bs_html_attrf(rect, "x", "%d", at.x - at.half_width);
	bs_html_attrf(rect, "y", "%d", at.y - at.half_height);
	bs_html_attrf(rect, "width", "%d", 2 * at.half_width);
	bs_html_attrf(rect, "height", "%d", 2 * at.half_height);
	bs_html_attr(rect, "rx", "7");
}

/* --- Ways --- */

static void draw_way(const struct bs_html_graph *graph, xmlNode *svg, size_t number)
{
	const struct bs_html_way *way = &graph->ways[number];
	const struct bs_ev_finding *finding = &graph->summary->findings[way->finding];
	xmlNode *group = bs_html_add(svg, "g", NULL);
	struct bs_buf d = BS_BUF_INIT;

	bs_html_attrf(group, "class", "way w%zu %s", number + 1, bs_html_severity_icon(finding->severity));
	for (size_t i = 1; i < way->length; i++)
		add_edge(&d, spot_of(graph, way->nodes[i - 1]), spot_of(graph, way->nodes[i]));
	add_path(group, NULL, &d);
	bs_buf_release(&d);
}

/* The numbers of the findings that end in a node: "1, 3". Returns how many there are. */
static size_t ends(const struct bs_html_graph *graph, uint32_t node, struct bs_buf *numbers)
{
	size_t count = 0;

	for (size_t i = 0; i < graph->way_count; i++)
		if (graph->ways[i].nodes[graph->ways[i].length - 1] == node)
			bs_buf_addf(numbers, "%s%zu", count++ ? ", " : "", i + 1);
	return count;
}

/* Under the action: its variant and what it was answered, or that this is where a finding's rule broke. Returns whether
 * something is left out. */
static bool second_line(const struct bs_html_graph *graph, xmlNode *group, uint32_t node, struct spot at, size_t name)
{
	const struct bs_html_label *label = &graph->labels[node];
	struct bs_buf numbers = BS_BUF_INIT, line = BS_BUF_INIT;
	size_t count = ends(graph, node, &numbers), len = strlen(label->operation);

	if (count) {
		bs_html_class(group, "end");
		bs_buf_addf(&line, "✕ finding%s %s", count > 1 ? "s" : "", bs_buf_text(&numbers));
	} else {
		if (len > name + 2)
			bs_buf_addf(&line, "%.*s ", (int)(len - name - 2), label->operation + name + 1);
		bs_buf_addf(&line, label->status ? "→ %d" : "→ no answer", label->status);
	}
	bool cut = fitting(add_text(group, "more", at.x, at.y + 13), bs_buf_text(&line), MORE_CHARS);
	bs_buf_release(&numbers);
	bs_buf_release(&line);
	return cut || count;
}

static void draw_box(const struct bs_html_graph *graph, xmlNode *svg, uint32_t node)
{
	const struct bs_html_label *label = &graph->labels[node];
	size_t name = strcspn(label->operation, "(");
	struct spot at = spot_of(graph, node);
	xmlNode *group = bs_html_add(svg, "g", label->replayed ? "box replayed" : "box");
	BS_AUTOFREE char *action = bs_xstrndup(label->operation, name);

	add_box(group, at);
	bool cut = fitting(add_text(group, NULL, at.x, at.y - 3), action, NAME_CHARS);
	cut |= second_line(graph, group, node, at, name);
	if (cut || label->replayed)
		bs_html_leaff(group, "title", NULL, "%s → %d%s", label->operation, label->status,
			      label->replayed ? ", seen in the replay only" : "");
}

static void draw_ways(const struct bs_html_graph *graph, xmlNode *svg)
{
	for (size_t i = graph->way_count; i-- > 0;) /* the most severe on top */
		draw_way(graph, svg, i);
	for (uint32_t i = 1; i < graph->node_count; i++)
		if (graph->nodes[i].shown && on_way(graph, i))
			draw_box(graph, svg, i);
	xmlNode *start = bs_html_add(svg, "g", "box start");
	struct spot at = spot_of(graph, 0);
	at.half_height = 13;
	add_box(start, at);
	bs_html_text(add_text(start, NULL, at.x, at.y + 4), "start");
}

/* --- Around --- */

static void draw_column(const struct bs_html_graph *graph, xmlNode *svg, uint32_t column)
{
	uint64_t states = column < BS_HTML_DEPTHS ? graph->states->depths[column] : 0;
	uint64_t hidden = bs_html_graph_hidden(graph, column);
	struct spot stub = stub_spot(graph, column);
	BS_AUTOFREE char *all = bs_html_count(states), *more = bs_html_count(hidden);

	if (column < graph->column_count) {
		xmlNode *head = add_text(svg, "depth", stub.x, 22);
		bs_html_textf(head, column ? "%" PRIu32 " %s" : "before", column, bs_html_plural(column, "step", "steps"));
		bs_html_textf(add_text(svg, "depth soft", stub.x, 39), states ? "%s %s" : "replayed", all,
			      bs_html_plural(states, "state", "states"));
	} else if (hidden) {
		bs_html_text(add_text(svg, "depth", stub.x, 22), "deeper");
	}
	if (!hidden)
		return;
	xmlNode *group = bs_html_add(svg, "g", "stub");
	add_box(group, stub);
	bs_html_textf(add_text(group, NULL, stub.x, stub.y + 4), "+ %s more", more);
}

static void describe(const struct bs_html_graph *graph, xmlNode *svg)
{
	xmlNode *title = bs_html_leaf(svg, "title", NULL, "The states that were explored, by the number of steps to them");
	xmlNode *desc = bs_html_add(svg, "desc", NULL);

	bs_html_attr(title, "id", "states-title");
	bs_html_attr(desc, "id", "states-desc");
	for (uint32_t i = 0; i < graph->column_count && i < BS_HTML_DEPTHS; i++)
		bs_html_textf(desc, "%s%" PRIu64 " after %" PRIu32, i ? ", " : "States: ", graph->states->depths[i], i);
	bs_html_text(desc, " steps. The sequences of the findings are listed below the picture.");
	bs_html_attr(svg, "role", "img");
	bs_html_attr(svg, "aria-labelledby", "states-title");
	bs_html_attr(svg, "aria-describedby", "states-desc");
}

void bs_html_graph_draw(const struct bs_html_graph *graph, xmlNode *parent)
{
	bool deeper = bs_html_graph_hidden(graph, graph->column_count) > 0;
	int width = ((int)graph->column_count + deeper) * BS_HTML_COLUMN_WIDTH, height = graph->size.height;
	xmlNode *svg = bs_html_add(parent, "svg", "states");

	for (uint32_t i = 0; i < graph->column_count; i++)
		if (bs_html_graph_hidden(graph, i) && graph->columns[i].bottom + 2 * STUB_HEIGHT > height)
			height = graph->columns[i].bottom + 2 * STUB_HEIGHT;
	bs_html_attrf(svg, "width", "%d", width);
	bs_html_attrf(svg, "height", "%d", height + HEAD + 24);
	bs_html_attrf(svg, "viewBox", "0 0 %d %d", width, height + HEAD + 24);
	describe(graph, svg);
	draw_tree(graph, svg);
	draw_states(graph, svg);
	for (uint32_t i = 0; i <= graph->column_count; i++)
		draw_column(graph, svg, i);
	draw_ways(graph, svg);
}
