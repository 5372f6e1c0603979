/*
 * The fold. Each event that a report shows by itself is kept whole (summary_copy.c); of the rest only the
 * count is. A stream may come from a file that was cut or edited: an end without a declaration makes its rule,
 * and nothing here trusts an order. See summary.h.
 */
#include "summary.h"

#include "base/mem.h"
#include "summary_copy.h"

#include <string.h>

void bs_summary_init(struct bs_summary *summary)
{
	*summary = (struct bs_summary){.arena = BS_ARENA_INIT};
}

static struct bs_summary_rule *find_rule(const struct bs_summary *summary, const char *name)
{
	for (size_t i = 0; name && i < summary->rule_count; i++)
		if (summary->rules[i].declared.name && strcmp(summary->rules[i].declared.name, name) == 0)
			return &summary->rules[i];
	return NULL;
}

const struct bs_summary_rule *bs_summary_rule(const struct bs_summary *summary, const char *name)
{
	return find_rule(summary, name);
}

bool bs_summary_moves_clock(const struct bs_summary *summary, const char *operation)
{
	for (size_t i = 0; operation && i < summary->action_count; i++) {
		const struct bs_ev_action *action = &summary->actions[i];
		for (size_t k = 0; action->method && k < action->operation_count; k++)
			if (strcmp(action->operations[k], operation) == 0)
				return strcmp(action->method, "ADVANCE") == 0;
	}
	return false;
}

/* The first rule of that name that has not ended: a rule of the user may bear the name of an oracle. */
static void end_rule(struct bs_summary *summary, const struct bs_ev_invariant_end *end)
{
	struct bs_summary_rule *rule = NULL;

	for (size_t i = 0; end->name && !rule && i < summary->rule_count; i++)
		if (!summary->rules[i].ended && summary->rules[i].declared.name &&
		    strcmp(summary->rules[i].declared.name, end->name) == 0)
			rule = &summary->rules[i];
	if (!rule) {
		rule = BS_PUSH(summary->rules, summary->rule_count);
		rule->declared = (struct bs_ev_invariant){
			.name = end->name, .kind = "invariant", .severity = end->severity};
	}
	rule->ended = true;
	rule->end = *end;
}

/* -1: none of the four. */
static int severity_index(const char *name)
{
	static const char *const names[] = {"low", "medium", "high", "critical"};

	for (size_t i = 0; name && i < BS_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static void add_finding(struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	const char *verdict = finding->verdict ? finding->verdict : "";
	int severity = severity_index(finding->severity);

	*BS_PUSH(summary->findings, summary->finding_count) = *finding;
	if (strcmp(verdict, "unconfirmed") == 0) {
		summary->unconfirmed++;
		return;
	}
	if (strcmp(verdict, "flaky") == 0)
		summary->flaky++;
	else
		summary->confirmed++;
	if (severity >= 0)
		summary->severities[severity]++;
}

/* Whether a report shows the event itself; what is only counted is not copied. */
static bool kept(enum bs_event_kind kind)
{
	switch (kind) {
	case BS_EVENT_STREAM_START:
	case BS_EVENT_RUN_START:
	case BS_EVENT_ACTION_DECLARED:
	case BS_EVENT_INVARIANT_DECLARED:
	case BS_EVENT_APP_READY:
	case BS_EVENT_STORE_READY:
	case BS_EVENT_FINDING:
	case BS_EVENT_INVARIANT_END:
	case BS_EVENT_COVERAGE:
	case BS_EVENT_WARNING:
	case BS_EVENT_ERROR:
	case BS_EVENT_RUN_END:
		return true;
	case BS_EVENT_PHASE_START:
	case BS_EVENT_PHASE_END:
	case BS_EVENT_STATE_NEW:
	case BS_EVENT_STEP:
	case BS_EVENT_VIOLATION:
	case BS_EVENT_SHRINK_PROGRESS:
		return false;
	}
	return false;
}

void bs_summary_event(struct bs_summary *summary, const struct bs_event *event)
{
	struct bs_event own = kept(event->kind) ? bs_event_keep(&summary->arena, event) : *event;

	switch (own.kind) {
	case BS_EVENT_STREAM_START: summary->stream = own.stream_start; break;
	case BS_EVENT_RUN_START: summary->run = own.run_start; break;
	case BS_EVENT_ACTION_DECLARED: *BS_PUSH(summary->actions, summary->action_count) = own.action; break;
	case BS_EVENT_INVARIANT_DECLARED: BS_PUSH(summary->rules, summary->rule_count)->declared = own.invariant; break;
	case BS_EVENT_APP_READY: summary->app = own.app_ready; break;
	case BS_EVENT_STORE_READY: *BS_PUSH(summary->stores, summary->store_count) = own.store_ready; break;
	case BS_EVENT_STATE_NEW: summary->states++; break;
	case BS_EVENT_STEP: summary->steps++; break;
	case BS_EVENT_VIOLATION: summary->violations++; break;
	case BS_EVENT_FINDING: add_finding(summary, &own.finding); break;
	case BS_EVENT_INVARIANT_END: end_rule(summary, &own.invariant_end); break;
	case BS_EVENT_COVERAGE: summary->coverage = own.coverage; break;
	case BS_EVENT_WARNING: *BS_PUSH(summary->warnings, summary->warning_count) = own.notice; break;
	case BS_EVENT_ERROR: *BS_PUSH(summary->errors, summary->error_count) = own.notice; break;
	case BS_EVENT_RUN_END:
		summary->end = own.run_end;
		summary->ended = true;
		break;
	case BS_EVENT_PHASE_START:
	case BS_EVENT_PHASE_END:
	case BS_EVENT_SHRINK_PROGRESS: break;
	}
}

void bs_summary_release(struct bs_summary *summary)
{
	free(summary->stores);
	free(summary->actions);
	free(summary->rules);
	free(summary->findings);
	free(summary->warnings);
	free(summary->errors);
	bs_arena_release(&summary->arena);
	bs_summary_init(summary);
}
