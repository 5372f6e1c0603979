/*
 * The parts of one run (run.c): what is declared at its start (declare.c), how suspects become findings
 * (suspects.c), and what is concluded at its end (conclude.c). They share this one structure.
 */
#ifndef BS_EXPLORE_RUN_PARTS_H
#define BS_EXPLORE_RUN_PARTS_H

#include "events/redact.h"
#include "explorer.h"
#include "judge/evidence.h"

#include <backstep/run.h>

struct bs_one_run {
	const struct bs_model *model;
	const struct bs_run_options *options;
	struct bs_emitter emitter;
	struct bs_redactor *redactor;
	struct bs_secrets secrets;
	struct bs_world *world; /* NULL: it could not be brought up */
	struct bs_explorer explorer;
	bool exploring; /* the explorer is initialised */
	struct bs_finder finder;
	uint32_t severities[4]; /* confirmed and flaky findings, low first */
	uint64_t findings;
	uint64_t unjudged; /* violations that there was no time to judge, and no finding like them */
	bool check_errors, unreached, unmet;
	uint64_t since_us;
};

static inline void bs_run_emit(struct bs_one_run *run, struct bs_event *event)
{
	bs_emit(&run->emitter, event);
}

static inline void bs_run_phase(struct bs_one_run *run, bool start, const char *name, const char *detail,
				const char *rule)
{
	struct bs_event event = {.kind = start ? BS_EVENT_PHASE_START : BS_EVENT_PHASE_END,
				 .phase = {.name = name, .detail = detail, .rule = rule}};

	bs_run_emit(run, &event);
}

/* stream.start, run.start, the actions and the rules. */
void bs_run_declare(struct bs_one_run *run);
/* app.command as it was written; the caller's to free. */
char *bs_run_command(const struct bs_app_config *app);

/* Replays, shrinks and joins what was seen while exploring. */
int bs_run_judge(struct bs_one_run *run, struct bs_err *err);
/* Emits the findings, most severe first. */
void bs_run_findings(struct bs_one_run *run);

/* What became of each rule, the coverage, warnings about what was not tried, and run.end with the gate. r and err
 * are how the run went. */
void bs_run_conclude(struct bs_one_run *run, int r, const struct bs_err *err, struct bs_run_result *ret_result);
const char *bs_run_limit(const struct bs_one_run *run);

#endif
