/*
 * One run: a model goes in, events come out, and an exit status. This is what `backstep run` does and
 * what a program that embeds Backstep calls.
 */
#ifndef BACKSTEP_RUN_H
#define BACKSTEP_RUN_H

#include <backstep/event.h>
#include <signal.h>

struct bs_model;
struct bs_world_options;

struct bs_run_options {
	struct bs_sink sink;
	const volatile sig_atomic_t *stop; /* nonzero: end soon, report what there is; may be NULL */
	const char *events_path; /* the event file that the replay command of a finding names; NULL: no such command is shown */
	const char *revision;    /* of the application's repository; NULL: not known */
	const char *branch;
	const char *repository;  /* its URL, without credentials */
	const struct bs_world_options *world; /* world/world.h: another world than the model's, for the engine's tests;
					       * NULL: the model's */
};

struct bs_run_result {
	int exit_status; /* 0 passed, 1 the gate failed, 3 target or store, 4 incomplete */
	uint64_t states, steps, violations, findings;
};

/* Runs to the end, whatever that is: the result is always filled and run.end is always emitted. The return value
 * is negative when the run could not be completed (BS_ETARGET, BS_ESTORE, BS_EINTERRUPTED, BS_EINTERNAL). */
int bs_run(const struct bs_model *model, const struct bs_run_options *options, struct bs_run_result *ret_result,
	   struct bs_err *err);

#endif
