/* From suspects to findings, within bounds. See run_parts.h. */
#include "run_parts.h"

#include "base/mem.h"
#include "base/now.h"

#include <inttypes.h>
#include <string.h>

#define JUDGING_MS 60000 /* at least; as long as exploring may take, when that is more */

static void judge_progress(void *ctx, const char *name, const struct bs_suspect *suspect, size_t length,
			   unsigned candidates)
{
	struct bs_one_run *run = ctx;
	struct bs_event event = {.kind = BS_EVENT_SHRINK_PROGRESS,
				 .shrink = {.rule = run->explorer.judge.rules.items[suspect->signature.rule].name,
					    .from_length = (uint32_t)suspect->length,
					    .length = (uint32_t)length,
					    .candidates = candidates}};

	if (strcmp(name, "shrink") == 0)
		bs_run_emit(run, &event);
}

/* --- The order of judging ----------------------------------------------------------------------------- */

struct turn {
	size_t suspect;
	size_t rank; /* among the suspects of one cause, in the order in which they were seen */
};

static int by_rank(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->suspect < y->suspect ? -1 : 1;
}

/* The first of every cause, then the second of every cause, and so on: when the time for judging is used up, every
 * cause had its turn. */
static struct turn *order_turns(const struct bs_explorer *explorer)
{
	struct turn *turns = bs_xcalloc(explorer->suspect_count, sizeof *turns);
	BS_AUTOFREE size_t *seen = bs_xcalloc(explorer->cause_count, sizeof *seen);

	for (size_t i = 0; i < explorer->suspect_count; i++)
		turns[i] = (struct turn){i, seen[explorer->suspects[i].cause]++};
	if (explorer->suspect_count > 1)
		qsort(turns, explorer->suspect_count, sizeof *turns, by_rank);
	return turns;
}

static uint64_t judging_us(const struct bs_model *model)
{
	return (model->explore.time_ms > JUDGING_MS ? model->explore.time_ms : JUDGING_MS) * 1000;
}

static int judge_one(struct bs_one_run *run, const struct bs_suspect *suspect, struct bs_err *err)
{
	const char *rule = run->explorer.judge.rules.items[suspect->signature.rule].name;

	bs_run_phase(run, true, "confirm", NULL, rule);
	int r = bs_finder_judge(&run->finder, suspect, err);
	bs_run_phase(run, false, "confirm", NULL, rule);
	return r;
}

static void warn_unjudged(struct bs_one_run *run, uint64_t left)
{
	if (run->explorer.suspects_dropped)
		bs_explorer_warn(&run->explorer, "violations-not-kept", (struct bs_at){0}, NULL,
				 "%" PRIu64 " violations were only counted, as there were %d of the same cause before",
				 run->explorer.suspects_dropped, BS_SUSPECTS_OF_CAUSE);
	if (left)
		bs_explorer_warn(&run->explorer, "violations-not-judged", (struct bs_at){0},
				 "repair what was found first, or raise explore.time",
				 "there was no time to judge %" PRIu64 " violations, %" PRIu64
				 " of them of causes without a finding",
				 left, run->unjudged);
}

int bs_run_judge(struct bs_one_run *run, struct bs_err *err)
{
	struct bs_explorer *explorer = &run->explorer;
	BS_AUTOFREE struct turn *turns = order_turns(explorer);
	BS_AUTOFREE bool *judged = bs_xcalloc(explorer->cause_count, sizeof *judged);
	uint64_t until = bs_now_us() + judging_us(run->model), left = 0;
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
		const struct bs_suspect *suspect = &explorer->suspects[turns[i].suspect];
		if (bs_finder_joins(&run->finder, suspect)) {
			judged[suspect->cause] = true;
		} else if (bs_now_us() < until) {
			judged[suspect->cause] = true;
			r = judge_one(run, suspect, err);
		} else {
			left++;
			run->unjudged += !judged[suspect->cause];
		}
	}
	bs_finder_settle(&run->finder);
	warn_unjudged(run, left);
	return r;
}

/* --- The order of reporting --------------------------------------------------------------------------- */

/* Most severe first, then shortest, then as found. */
static int by_severity(const void *a, const void *b, void *ctx)
{
	const struct bs_finding *x = *(struct bs_finding *const *)a, *y = *(struct bs_finding *const *)b;
	const struct bs_one_run *run = ctx;
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

/* What every finding's steps show is hidden in all of them: one cause may hand out what another one sends. */
static void learn_secrets(struct bs_one_run *run)
{
	const struct bs_findings *findings = &run->finder.findings;

	for (size_t i = 0; i < findings->count; i++)
		for (size_t s = 0; s < findings->items[i]->trace.count; s++)
			bs_secrets_learn(&run->secrets, &findings->items[i]->trace.steps[s]->step);
}

void bs_run_findings(struct bs_one_run *run)
{
	struct bs_findings *findings = &run->finder.findings;
	const struct bs_explorer *explorer = &run->explorer;
	struct bs_evidence evidence = {.judge = &run->explorer.judge,
				       .redactor = run->redactor,
				       .events_path = run->options->events_path,
				       .complete_depth = explorer->complete_depth < explorer->closed_depth
								 ? explorer->complete_depth
								 : explorer->closed_depth,
				       .shortest = explorer->shortest};

	learn_secrets(run);
	if (findings->count > 1)
		qsort_r(findings->items, findings->count, sizeof *findings->items, by_severity, run);
	for (size_t i = 0; i < findings->count; i++) {
		const struct bs_finding *finding = findings->items[i];
		struct bs_event event = {.kind = BS_EVENT_FINDING};
		bs_evidence_build(&evidence, finding, &event.finding);
		bs_run_emit(run, &event);
		run->findings++;
		if (finding->verdict != BS_UNCONFIRMED)
			run->severities[run->explorer.judge.rules.items[finding->signature.rule].severity]++;
	}
	bs_arena_release(&evidence.arena);
}
