/* What is concluded at the end of a run. See run_parts.h. */
#include "run_parts.h"

#include "base/mem.h"
#include "base/now.h"

#include <inttypes.h>
#include <string.h>

/* Whether a rule is that of a finding that counts. */
static bool violated(const struct bs_one_run *run, size_t rule)
{
	for (size_t i = 0; i < run->finder.findings.count; i++)
		if (run->finder.findings.items[i]->signature.rule == rule)
			return true;
	return false;
}

static void emit_rule_end(struct bs_one_run *run, size_t index)
{
	const struct bs_judge *judge = &run->explorer.judge;
	const struct bs_rule *rule = &judge->rules.items[index];
	const struct bs_rule_stats *stats = &judge->stats[index];
	struct bs_event event = {.kind = BS_EVENT_INVARIANT_END,
				 .invariant_end = {.name = rule->name,
						   .severity = bs_severity_name(rule->severity),
						   .outcome = "held",
						   .checked = stats->checked,
						   .violations = stats->violations,
						   .elapsed_us = stats->elapsed_us}};
	struct bs_ev_invariant_end *end = &event.invariant_end;

	if (stats->violations || violated(run, index)) {
		end->outcome = "violated";
	} else if (stats->errors) {
		end->outcome = "error";
		end->detail = stats->first_error;
	} else if (!stats->checked) {
		end->outcome = "unreached";
		end->detail = "no step gave it anything to look at";
	}
	run->check_errors |= stats->errors > 0;
	if (!stats->checked && !rule->oracle) {
		run->unreached = true;
		bs_explorer_warn(&run->explorer, "unreached", rule->at,
				 "raise explore.max_depth or explore.time, or add an action that makes such data",
				 "%s was never checked on data", rule->name);
	}
	bs_run_emit(run, &event);
}

static bool ends_a_finding(const struct bs_one_run *run, const struct bs_operation_pair *pair)
{
	for (size_t i = 0; i < run->finder.findings.count; i++) {
		const struct bs_finding *finding = run->finder.findings.items[i];
		size_t n = finding->length;
		if (n > 1 && finding->path[n - 2] == pair->first && finding->path[n - 1] == pair->second)
			return true;
	}
	return false;
}

static struct bs_ev_operation_pair *pairs_of(const struct bs_one_run *run, struct bs_arena *arena)
{
	const struct bs_coverage *coverage = &run->explorer.coverage;
	const struct bs_operation *operations = run->model->operations;
	struct bs_ev_operation_pair *pairs = bs_arena_alloc(arena, coverage->pair_count * sizeof *pairs);

	for (size_t i = 0; i < coverage->pair_count; i++)
		pairs[i] = (struct bs_ev_operation_pair){.first = operations[coverage->pairs[i].first].label,
							 .second = operations[coverage->pairs[i].second].label,
							 .count = coverage->pairs[i].count,
							 .violation = ends_a_finding(run, &coverage->pairs[i])};
	return pairs;
}

static void emit_coverage(struct bs_one_run *run)
{
	const struct bs_coverage *coverage = &run->explorer.coverage;
	const struct bs_operation *operations = run->model->operations;
	struct bs_arena arena = BS_ARENA_INIT;
	size_t n = coverage->count, statuses = 0, latencies = 0;
	struct bs_ev_operation_status *status =
		bs_arena_alloc(&arena, n * BS_COUNT(coverage->operations->statuses) * sizeof *status);
	struct bs_ev_latency *latency = bs_arena_alloc(&arena, n * sizeof *latency);

	for (size_t i = 0; i < n; i++) {
		const struct bs_operation_stats *stats = &coverage->operations[i];
		for (size_t s = 0; s < stats->status_count; s++)
			status[statuses++] = (struct bs_ev_operation_status){
				operations[i].label, stats->statuses[s].status, stats->statuses[s].count};
		if (stats->timed)
			latency[latencies++] = (struct bs_ev_latency){operations[i].label,
								      bs_coverage_percentile(stats, 50),
								      bs_coverage_percentile(stats, 95),
								      bs_coverage_percentile(stats, 99), stats->max_us};
	}
	struct bs_event event = {.kind = BS_EVENT_COVERAGE,
				 .coverage = {.statuses = status,
					      .status_count = statuses,
					      .pairs = pairs_of(run, &arena),
					      .pair_count = coverage->pair_count,
					      .latencies = latency,
					      .latency_count = latencies}};
	bs_run_emit(run, &event);
	bs_arena_release(&arena);
}

static void warn_never_executed(struct bs_one_run *run)
{
	const struct bs_model *model = run->model;

	for (size_t a = 0; a < model->action_count; a++) {
		uint64_t executed = 0, succeeded = 0;
		bool wanted = false;
		for (size_t i = 0; i < model->operation_count; i++)
			if (model->operations[i].action == a) {
				executed += run->explorer.coverage.operations[i].executed;
				succeeded += run->explorer.coverage.operations[i].succeeded;
			}
		for (size_t i = 0; i < model->reach_count; i++)
			wanted |= model->reach[i] == a;
		if (wanted && !succeeded) {
			run->unmet = true;
			bs_explorer_warn(&run->explorer, "reach-unmet", model->actions[a].at, NULL,
					 "%s is under reach and %s", model->actions[a].name,
					 executed ? "never succeeded" : "was never executed");
		} else if (!executed) {
			bs_explorer_warn(&run->explorer, "never-executed", model->actions[a].at,
					 "no state enabled it: look at what it needs and at its guard",
					 "%s was never executed", model->actions[a].name);
		} else if (!succeeded) {
			bs_explorer_warn(&run->explorer, "never-succeeded", model->actions[a].at, NULL,
					 "%s was executed %" PRIu64 " times and never succeeded",
					 model->actions[a].name, executed);
		}
	}
}

const char *bs_run_limit(const struct bs_one_run *run)
{
	switch (run->explorer.limit) {
	case BS_LIMIT_STEPS: return "steps";
	case BS_LIMIT_TIME: return "time";
	case BS_LIMIT_INTERRUPTED: return "interrupted";
	case BS_LIMIT_ERROR: return "error";
	case BS_LIMIT_NONE: break;
	}
	return run->explorer.depth_limited ? "depth" : "exhausted";
}

struct gate {
	const char *verdict;
	int exit_status;
	char *reason;
};

static struct gate incomplete(int status, const char *reason)
{
	return (struct gate){"incomplete", status, bs_xstrdup(reason)};
}

static struct gate decide(const struct bs_one_run *run, int r, const struct bs_err *err)
{
	const struct bs_model *model = run->model;
	uint32_t gating = 0;

	if (r == BS_EINTERRUPTED || (run->options->stop && *run->options->stop))
		return incomplete(4, "interrupted");
	if (r < 0)
		return incomplete(r == BS_ETARGET || r == BS_ESTORE ? 3 : r == BS_EMODEL ? 2 : 4, bs_err_text(err));
	if (run->unjudged)
		return incomplete(4, "violations were seen that there was no time to judge");
	if (run->unmet)
		return (struct gate){"failed", 1, bs_xstrdup("an action under reach never succeeded")};
	if (run->check_errors)
		return (struct gate){"failed", 1, bs_xstrdup("an expression could not be evaluated")};
	if (run->unreached)
		return (struct gate){"failed", 1, bs_xstrdup("a rule was never checked on data")};
	if (model->gate_never)
		return (struct gate){"passed", 0, bs_xstrdup("fail_on is never")};
	for (size_t s = model->gate_severity; s < BS_COUNT(run->severities); s++)
		gating += run->severities[s];
	char *reason = bs_xasprintf("fail_on is %s", bs_severity_name(model->gate_severity));
	return gating ? (struct gate){"failed", 1, reason} : (struct gate){"passed", 0, reason};
}

void bs_run_conclude(struct bs_one_run *run, int r, const struct bs_err *err, struct bs_run_result *ret_result)
{
	const struct bs_explorer *explorer = &run->explorer;

	if (run->exploring) {
		for (size_t i = 0; i < explorer->judge.rules.count; i++)
			emit_rule_end(run, i);
		emit_coverage(run);
		if (r == 0)
			warn_never_executed(run);
	}
	if (r < 0 && r != BS_EINTERRUPTED) {
		struct bs_event event = {.kind = BS_EVENT_ERROR,
					 .notice = {.code = "run-failed", .message = bs_err_text(err)}};
		bs_run_emit(run, &event);
	}
	struct gate gate = decide(run, r, err);
	struct bs_event end = {
		.kind = BS_EVENT_RUN_END,
		.run_end = {.gate = gate.verdict,
			    .exit_status = gate.exit_status,
			    .reason = gate.reason,
			    .limit = run->exploring ? bs_run_limit(run) : "error",
			    .states = explorer->graph.count - explorer->graph.again,
			    .steps = explorer->steps,
			    .findings = run->findings,
			    .violations = explorer->violations,
			    .frontier = explorer->frontier_count - explorer->frontier_head,
			    .elapsed_us = bs_now_us() - run->since_us,
			    .explore_us = explorer->explore_us}};
	memcpy(end.run_end.severities, run->severities, sizeof run->severities);
	bs_run_emit(run, &end);
	*ret_result = (struct bs_run_result){.exit_status = gate.exit_status,
					     .states = explorer->graph.count - explorer->graph.again,
					     .steps = explorer->steps,
					     .violations = explorer->violations,
					     .findings = run->findings};
	free(gate.reason);
}
