/*
 * One run from the model to run.end: declare, bring up the world, self-check, explore, judge the
 * suspects, decide the gate. Whatever happens on the way, run.end is emitted and the world is closed.
 */
#include <backstep/run.h>

#include "base/mem.h"
#include "explorer.h"
#include "judge/evidence.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

struct run {
	const struct bs_model *model;
	const struct bs_run_options *options;
	struct bs_emitter emitter;
	struct bs_redactor *redactor;
	struct bs_world *world;
	struct bs_explorer explorer;
	bool exploring; /* the explorer is initialised */
	struct bs_finder finder;
	struct bs_evidence evidence;
	uint32_t severities[4]; /* confirmed and flaky findings */
	uint64_t findings;
	bool check_errors, unreached, unmet;
	uint64_t since_us;
	const char *last_phase;
};

static void emit(struct run *run, struct bs_event *event)
{
	bs_emit(&run->emitter, event);
}

static void phase(struct run *run, bool start, const char *name, const char *detail, const char *rule)
{
	struct bs_event event = {.kind = start ? BS_EVENT_PHASE_START : BS_EVENT_PHASE_END,
				 .phase = {.name = name, .detail = detail, .rule = rule}};

	emit(run, &event);
}

static struct bs_ev_place place_of(struct bs_at at)
{
	return (struct bs_ev_place){at.file, at.line, at.column};
}

/* --- Declaring --------------------------------------------------------------------------------------- */

/* A template as it was written. */
static char *template_text(const struct bs_template *template)
{
	struct bs_buf out = BS_BUF_INIT;

	for (size_t i = 0; i < template->count; i++)
		bs_buf_addf(&out, template->segments[i].placeholder ? "${%.*s}" : "%.*s",
			    (int)template->segments[i].len, template->segments[i].text);
	return bs_buf_take(&out);
}

static char *command_text(const struct bs_app_config *app)
{
	struct bs_buf out = BS_BUF_INIT;

	for (size_t i = 0; i < app->command_count; i++) {
		BS_AUTOFREE char *word = template_text(&app->command[i]);
		bs_buf_addf(&out, "%s%s", i ? " " : "", word);
	}
	return bs_buf_take(&out);
}

static void declare_action(struct run *run, size_t index)
{
	const struct bs_model *model = run->model;
	const struct bs_action *action = &model->actions[index];
	BS_AUTOFREE char *path = template_text(&action->request.path);
	BS_AUTOFREE const char **labels = bs_xcalloc(model->operation_count, sizeof *labels);
	size_t count = 0;

	for (size_t i = 0; i < model->operation_count; i++)
		if (model->operations[i].action == index)
			labels[count++] = model->operations[i].label;
	struct bs_event event = {.kind = BS_EVENT_ACTION_DECLARED,
				 .action = {.name = action->name,
					    .title = action->title,
					    .method = action->request.method,
					    .path = path,
					    .at = place_of(action->at),
					    .operations = labels,
					    .operation_count = count}};
	emit(run, &event);
}

static void declare_rules(struct run *run)
{
	struct bs_rules rules;

	bs_rules_init(&rules, run->model);
	for (size_t i = 0; i < rules.count; i++) {
		const struct bs_rule *rule = &rules.items[i];
		struct bs_event event = {.kind = BS_EVENT_INVARIANT_DECLARED,
					 .invariant = {.name = rule->name,
						       .title = rule->title,
						       .kind = rule->oracle ? "oracle" : "invariant",
						       .severity = bs_severity_name(rule->severity),
						       .rule = rule->text,
						       .at = place_of(rule->at)}};
		emit(run, &event);
	}
	bs_rules_release(&rules);
}

static void declare(struct run *run)
{
	const struct bs_model *model = run->model;
	char started[32];
	time_t now = time(NULL);
	struct tm utc;
	BS_AUTOFREE char *command = command_text(&model->app);

	strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	struct bs_event start = {.kind = BS_EVENT_STREAM_START,
				 .stream_start = {.tool = "backstep", .version = BS_VERSION}};
	emit(run, &start);
	struct bs_event event = {
		.kind = BS_EVENT_RUN_START,
		.run_start = {.model = model->path,
			      .model_name = model->name,
			      .model_sha256 = model->sha256,
			      .seed = model->explore.seed,
			      .target = model->app.base_url ? model->app.base_url : command,
			      .strategy = model->explore.strategy == BS_BFS ? "bfs" : "dfs",
			      .max_depth = model->explore.max_depth,
			      .max_steps = model->explore.max_steps,
			      .time_ms = model->explore.time_ms,
			      .revision = run->options->revision,
			      .branch = run->options->branch,
			      .started = started,
			      .gate = model->gate_never ? "never" : bs_severity_name(model->gate_severity)}};
	emit(run, &event);
	for (size_t i = 0; i < model->action_count; i++)
		declare_action(run, i);
	declare_rules(run);
}

/* --- The phases --------------------------------------------------------------------------------------- */

static int bring_up(struct run *run, struct bs_err *err)
{
	struct bs_world_options options = {.stop = run->options->stop};
	BS_AUTOFREE char *command = command_text(&run->model->app);

	phase(run, true, "start", NULL, NULL);
	int r = bs_world_open(run->model, &options, &run->world, err);
	if (r < 0)
		return r;
	struct bs_event event = {.kind = BS_EVENT_APP_READY,
				 .app_ready = {.command = run->model->app.base_url ? NULL : command,
					       .base_url = run->world->base_url,
					       .ready_us = run->world->ready_us}};
	emit(run, &event);
	phase(run, false, "start", NULL, NULL);
	return 0;
}

static void emit_stores(struct run *run, const char *self_check)
{
	for (size_t i = 0; i < run->world->stores.count; i++) {
		struct bs_store *store = run->world->stores.items[i];
		struct bs_store_stats stats;
		const struct bs_store_config *config = &run->model->stores[i];
		store->ops->stats(store, &stats);
		struct bs_event event = {.kind = BS_EVENT_STORE_READY,
					 .store_ready = {.name = config->name,
							 .driver = config->driver,
							 .mechanism = stats.mechanism,
							 .size_bytes = stats.size_bytes,
							 .location = config->path ? config->path : config->url,
							 .self_check = self_check}};
		emit(run, &event);
	}
}

static int self_check(struct run *run, struct bs_err *err)
{
	BS_AUTOFREE char *text = NULL;

	phase(run, true, "self-check", NULL, NULL);
	int r = bs_explorer_self_check(&run->explorer, &text, err);
	if (r == 0) {
		emit_stores(run, text);
		phase(run, false, "self-check", text, NULL);
	}
	return r;
}

static void judge_progress(void *ctx, const char *name, const struct bs_suspect *suspect, size_t length,
			   unsigned candidates)
{
	struct run *run = ctx;
	struct bs_event event = {.kind = BS_EVENT_SHRINK_PROGRESS,
				 .shrink = {.rule = run->explorer.judge.rules.items[suspect->signature.rule].name,
					    .from_length = (uint32_t)suspect->length,
					    .length = (uint32_t)length,
					    .candidates = candidates}};

	if (strcmp(name, "shrink") == 0)
		emit(run, &event);
}

static int judge_suspects(struct run *run, struct bs_err *err)
{
	struct bs_explorer *explorer = &run->explorer;
	int r = 0;

	run->finder = (struct bs_finder){
		.judge = &explorer->judge,
		.runner = {.ctx = explorer, .run_path = bs_explorer_run_path},
		.confirm = run->model->explore.confirm,
		.rollback = !explorer->walk.replay,
		.progress = judge_progress,
		.progress_ctx = run,
	};
	for (size_t i = 0; r == 0 && i < explorer->suspect_count; i++) {
		struct bs_suspect *suspect = &explorer->suspects[i];
		const char *rule = explorer->judge.rules.items[suspect->signature.rule].name;
		if (bs_finder_joins(&run->finder, suspect))
			continue;
		phase(run, true, "confirm", NULL, rule);
		r = bs_finder_judge(&run->finder, suspect, err);
		phase(run, false, "confirm", NULL, rule);
	}
	return r;
}

/* Most severe first, then shortest, then as found. */
static int by_severity(const void *a, const void *b, void *ctx)
{
	const struct bs_finding *x = *(struct bs_finding *const *)a, *y = *(struct bs_finding *const *)b;
	const struct run *run = ctx;
	const struct bs_rule *rules = run->explorer.judge.rules.items;
	enum bs_severity p = rules[x->signature.rule].severity, q = rules[y->signature.rule].severity;

	if ((x->verdict == BS_UNCONFIRMED) != (y->verdict == BS_UNCONFIRMED))
		return x->verdict == BS_UNCONFIRMED ? 1 : -1;
	if (p != q)
		return p > q ? -1 : 1;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return strcmp(x->fingerprint, y->fingerprint);
}

static void emit_findings(struct run *run)
{
	struct bs_findings *findings = &run->finder.findings;

	run->evidence = (struct bs_evidence){.judge = &run->explorer.judge,
					     .redactor = run->redactor,
					     .events_path = run->options->events_path,
					     .complete_depth = run->explorer.complete_depth};
	if (findings->count > 1)
		qsort_r(findings->items, findings->count, sizeof *findings->items, by_severity, run);
	for (size_t i = 0; i < findings->count; i++) {
		const struct bs_finding *finding = findings->items[i];
		struct bs_event event = {.kind = BS_EVENT_FINDING};
		bs_evidence_build(&run->evidence, finding, &event.finding);
		emit(run, &event);
		run->findings++;
		if (finding->verdict != BS_UNCONFIRMED)
			run->severities[run->explorer.judge.rules.items[finding->signature.rule].severity]++;
	}
	bs_arena_release(&run->evidence.arena);
}

/* --- The end -------------------------------------------------------------------------------------------- */

/* Whether a rule is that of a finding that counts. */
static bool violated(const struct run *run, size_t rule)
{
	for (size_t i = 0; i < run->finder.findings.count; i++)
		if (run->finder.findings.items[i]->signature.rule == rule)
			return true;
	return false;
}

static void emit_rule_end(struct run *run, size_t index)
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
	emit(run, &event);
}

static void emit_coverage(struct run *run)
{
	const struct bs_coverage *coverage = &run->explorer.coverage;
	const struct bs_operation *operations = run->model->operations;
	struct bs_arena arena = BS_ARENA_INIT;
	size_t n = coverage->count, statuses = 0, pairs = 0, latencies = 0;
	struct bs_ev_operation_status *status =
		bs_arena_alloc(&arena, n * BS_COUNT(coverage->operations->statuses) * sizeof *status);
	struct bs_ev_operation_pair *pair = bs_arena_alloc(&arena, n * n * sizeof *pair);
	struct bs_ev_latency *latency = bs_arena_alloc(&arena, n * sizeof *latency);

	for (size_t i = 0; i < n; i++) {
		const struct bs_operation_stats *stats = &coverage->operations[i];
		for (size_t s = 0; s < stats->status_count; s++)
			status[statuses++] = (struct bs_ev_operation_status){
				operations[i].label, stats->statuses[s].status, stats->statuses[s].count};
		for (size_t j = 0; j < n; j++)
			if (coverage->pairs[i * n + j])
				pair[pairs++] = (struct bs_ev_operation_pair){
					.first = operations[i].label,
					.second = operations[j].label,
					.count = coverage->pairs[i * n + j]};
		if (stats->executed)
			latency[latencies++] = (struct bs_ev_latency){operations[i].label,
								      bs_coverage_percentile(stats, 50),
								      bs_coverage_percentile(stats, 95),
								      bs_coverage_percentile(stats, 99), stats->max_us};
	}
	for (size_t p = 0; p < pairs; p++)
		for (size_t f = 0; f < run->finder.findings.count; f++) {
			const struct bs_finding *finding = run->finder.findings.items[f];
			size_t k = finding->length;
			pair[p].violation |= k > 1 &&
					     strcmp(operations[finding->path[k - 2]].label, pair[p].first) == 0 &&
					     strcmp(operations[finding->path[k - 1]].label, pair[p].second) == 0;
		}
	struct bs_event event = {.kind = BS_EVENT_COVERAGE,
				 .coverage = {status, statuses, pair, pairs, latency, latencies}};
	emit(run, &event);
	bs_arena_release(&arena);
}

static void warn_never_executed(struct run *run)
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

static const char *limit_name(const struct run *run)
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

static struct gate decide(const struct run *run, int r, const struct bs_err *err)
{
	const struct bs_model *model = run->model;
	uint32_t gating = 0;

	if (r == BS_EINTERRUPTED || (run->options->stop && *run->options->stop))
		return incomplete(4, "interrupted");
	if (r < 0)
		return incomplete(r == BS_ETARGET || r == BS_ESTORE ? 3 : r == BS_EMODEL ? 2 : 4, bs_err_text(err));
	if (model->gate_never)
		return (struct gate){"passed", 0, bs_xstrdup("fail_on is never")};
	if (run->unmet)
		return (struct gate){"failed", 1, bs_xstrdup("an action under reach never succeeded")};
	if (run->check_errors)
		return (struct gate){"failed", 1, bs_xstrdup("an expression could not be evaluated")};
	if (run->unreached)
		return (struct gate){"failed", 1, bs_xstrdup("a rule was never checked on data")};
	for (size_t s = model->gate_severity; s < BS_COUNT(run->severities); s++)
		gating += run->severities[s];
	char *reason = bs_xasprintf("fail_on is %s", bs_severity_name(model->gate_severity));
	return gating ? (struct gate){"failed", 1, reason} : (struct gate){"passed", 0, reason};
}

static void finish(struct run *run, int r, const struct bs_err *err, struct bs_run_result *ret_result)
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
		emit(run, &event);
	}
	struct gate gate = decide(run, r, err);
	struct bs_event end = {
		.kind = BS_EVENT_RUN_END,
		.run_end = {.gate = gate.verdict,
			    .exit_status = gate.exit_status,
			    .reason = gate.reason,
			    .limit = run->exploring ? limit_name(run) : "error",
			    .states = explorer->graph.count,
			    .steps = explorer->steps,
			    .findings = run->findings,
			    .violations = explorer->violations,
			    .frontier = explorer->frontier_count - explorer->frontier_head,
			    .elapsed_us = bs_explorer_now_us() - run->since_us,
			    .explore_us = explorer->explore_us}};
	memcpy(end.run_end.severities, run->severities, sizeof run->severities);
	emit(run, &end);
	*ret_result = (struct bs_run_result){.exit_status = gate.exit_status,
					     .states = explorer->graph.count,
					     .steps = explorer->steps,
					     .violations = explorer->violations,
					     .findings = run->findings};
	free(gate.reason);
}

static int explore(struct run *run, struct bs_err *err)
{
	int r = bs_explorer_root(&run->explorer, err);

	if (r == 0)
		r = self_check(run, err);
	if (r < 0)
		return r;
	phase(run, true, "explore", NULL, NULL);
	r = bs_explorer_run(&run->explorer, err);
	phase(run, false, "explore", limit_name(run), NULL);
	if (r < 0)
		return r;
	if (run->explorer.limit == BS_LIMIT_INTERRUPTED)
		return bs_err_set(err, BS_EINTERRUPTED, "interrupted");
	return judge_suspects(run, err);
}

int bs_run(const struct bs_model *model, const struct bs_run_options *options, struct bs_run_result *ret_result,
	   struct bs_err *err)
{
	struct run run = {.model = model, .options = options, .since_us = bs_explorer_now_us()};
	struct bs_err own = BS_ERR_INIT;

	run.redactor = bs_redactor_new();
	bs_emitter_init(&run.emitter, options->sink);
	declare(&run);
	int r = bring_up(&run, &own);
	if (r == 0) {
		bs_explorer_init(&run.explorer, model, run.world, &run.emitter, options->stop);
		run.exploring = true;
		r = explore(&run, &own);
		emit_findings(&run); /* what was judged by then, also when the run ends early */
	}
	finish(&run, r, &own, ret_result);
	if (r < 0)
		bs_err_set(err, (enum bs_code)r, "%s", bs_err_text(&own));
	bs_finder_release(&run.finder);
	if (run.exploring)
		bs_explorer_release(&run.explorer);
	bs_world_close(run.world);
	bs_redactor_free(run.redactor);
	bs_err_release(&own);
	return r;
}
