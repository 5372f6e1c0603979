/* See html_states.h. */
#include "html_states.h"

#include "base/mem.h"

#include <string.h>

void bs_html_states_init(struct bs_html_states *states)
{
	*states = (struct bs_html_states){.arena = BS_ARENA_INIT};
}

void bs_html_states_release(struct bs_html_states *states)
{
	free(states->states);
	free(states->edges);
	free(states->operations);
	bs_arena_release(&states->arena);
	bs_html_states_init(states);
}

static uint32_t find_state(const struct bs_html_states *states, uint64_t id)
{
	size_t low = 0, high = states->state_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (states->states[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < states->state_count && states->states[low].id == id ? (uint32_t)low : BS_HTML_NO_STATE;
}

static uint32_t operation_of(struct bs_html_states *states, const char *name)
{
	for (size_t i = 0; i < states->operation_count; i++)
		if (strcmp(states->operations[i], name) == 0)
			return (uint32_t)i;
	if (states->operation_count == BS_HTML_OPERATIONS_KEPT)
		return BS_HTML_NO_STATE;
	*BS_PUSH(states->operations, states->operation_count) = bs_arena_strdup(&states->arena, name);
	return (uint32_t)states->operation_count - 1;
}

/* A stream of ours numbers its states upwards and names the parent first. What does not is counted, not drawn. */
static void add_state(struct bs_html_states *states, const struct bs_ev_state *event)
{
	bool first = !states->state_count;
	uint32_t parent = first ? 0 : find_state(states, event->parent);

	states->total++;
	states->depths[event->depth < BS_HTML_DEPTHS ? event->depth : BS_HTML_DEPTHS - 1]++;
	if (states->state_count == BS_HTML_STATES_KEPT || parent == BS_HTML_NO_STATE)
		return;
	if (first ? event->depth != 0 : event->id <= states->states[states->state_count - 1].id)
		return;
	uint32_t depth = first ? 0 : states->states[parent].depth + 1;
	*BS_PUSH(states->states, states->state_count) =
		(struct bs_html_state){.id = event->id, .parent = parent, .depth = depth, .edge = BS_HTML_NO_STATE};
}

static void add_step(struct bs_html_states *states, const struct bs_ev_step *event)
{
	uint32_t from = find_state(states, event->from), to = find_state(states, event->to);

	if (from == BS_HTML_NO_STATE || to == BS_HTML_NO_STATE)
		return;
	struct bs_html_state *reached = &states->states[to];
	bool found = to && reached->parent == from && reached->edge == BS_HTML_NO_STATE;
	if (states->edge_count == BS_HTML_EDGES_KEPT || !event->operation)
		return;
	uint32_t operation = operation_of(states, event->operation);
	if (operation == BS_HTML_NO_STATE)
		return;
	if (found)
		reached->edge = (uint32_t)states->edge_count;
	*BS_PUSH(states->edges, states->edge_count) = (struct bs_html_edge){from, to, operation, event->status};
}

static void mark(struct bs_html_states *states, uint64_t id)
{
	uint32_t state = find_state(states, id);

	if (state != BS_HTML_NO_STATE)
		states->states[state].broken = true;
}

void bs_html_states_event(struct bs_html_states *states, const struct bs_event *event)
{
	if (event->kind == BS_EVENT_STATE_NEW)
		add_state(states, &event->state);
	else if (event->kind == BS_EVENT_STEP)
		add_step(states, &event->step);
	else if (event->kind == BS_EVENT_VIOLATION)
		mark(states, event->violation.state);
}

const struct bs_html_edge *bs_html_states_follow(const struct bs_html_states *states, uint32_t from,
						 const char *operation)
{
	for (size_t i = 0; operation && i < states->edge_count; i++)
		if (states->edges[i].from == from &&
		    strcmp(states->operations[states->edges[i].operation], operation) == 0)
			return &states->edges[i];
	return NULL;
}
