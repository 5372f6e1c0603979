/*
 * The one stream that a run emits and that every report is a fold of. Strings and arrays are borrowed
 * for the call. Everything that a report shows is in here: `backstep report events.ndjson` reproduces
 * byte for byte what the run itself wrote. Secrets were removed before an event gets here.
 *
 * On disk: events/ndjson_write.c, documented by events/events.schema.json.
 */
#ifndef BACKSTEP_EVENT_H
#define BACKSTEP_EVENT_H

#include <backstep/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bs_event_kind {
	BS_EVENT_STREAM_START,
	BS_EVENT_RUN_START,
	BS_EVENT_ACTION_DECLARED,
	BS_EVENT_INVARIANT_DECLARED,
	BS_EVENT_APP_READY,
	BS_EVENT_STORE_READY,
	BS_EVENT_PHASE_START,
	BS_EVENT_PHASE_END,
	BS_EVENT_STATE_NEW,
	BS_EVENT_STEP,
	BS_EVENT_VIOLATION,
	BS_EVENT_SHRINK_PROGRESS,
	BS_EVENT_FINDING,
	BS_EVENT_INVARIANT_END,
	BS_EVENT_COVERAGE,
	BS_EVENT_WARNING,
	BS_EVENT_ERROR,
	BS_EVENT_RUN_END,
};

struct bs_ev_place { /* file NULL: none */
	const char *file;
	uint32_t line, column;
};

struct bs_ev_stream_start {
	const char *tool;
	const char *version;
};

struct bs_ev_store {
	const char *name, *driver, *mechanism; /* mechanism: "triggers", "images" */
	uint64_t size_bytes;
	const char *location; /* payments.db */
	const char *self_check; /* "exact (5 rows, 0.2 ms)" */
};

struct bs_ev_run_start {
	const char *model;        /* path: relative to the repository or the working directory where it lies below */
	const char *model_name;
	const char *model_sha256;
	uint64_t seed;
	const char *target;       /* base URL, or the app's command line */
	const char *strategy;     /* bfs, dfs */
	uint32_t max_depth;
	uint64_t max_steps;       /* 0: no limit */
	uint64_t time_ms;         /* 0: no limit */
	const char *revision;     /* git; NULL when not known */
	const char *branch;       /* NULL when not known */
	const char *repository;   /* URL, without credentials; NULL when not known */
	const char *started;      /* RFC 3339, UTC */
	const char *gate;         /* "critical", "never": what fail_on is */
};

struct bs_ev_action {
	const char *name, *title; /* title may be NULL */
	const char *method, *path; /* path as in the model, with placeholders */
	struct bs_ev_place at;
	const char *const *operations; /* labels */
	size_t operation_count;
};

struct bs_ev_invariant {
	const char *name, *title; /* title may be NULL */
	const char *kind;         /* "invariant", "oracle" */
	const char *severity;
	const char *rule;         /* the expression or the query, as written */
	struct bs_ev_place at;
};

struct bs_ev_phase { /* both start and end */
	const char *name; /* start, self-check, explore, shrink, confirm */
	const char *detail; /* what came of it, in plain words; NULL at the start */
	const char *rule;   /* whose sequence, for shrink and confirm; else NULL */
};

struct bs_ev_app_ready {
	const char *command; /* NULL: it ran already */
	const char *base_url;
	uint64_t ready_us;   /* from start to the first good answer */
};

struct bs_ev_state {
	uint64_t id, parent; /* the root is 0 and its own parent */
	uint32_t depth;
	const char *key;     /* 32 hex digits */
};

struct bs_ev_step {
	uint64_t from, to;
	const char *operation;
	const char *action;
	const char *actor;
	int status;          /* 0: no response */
	const char *outcome; /* response, timeout, ... */
	uint64_t elapsed_us;
	uint32_t changed_rows;
	/* Running totals, so that a reporter can draw progress without counting. */
	uint64_t steps, states, findings;
	uint64_t run_us; /* since exploring began */
};

struct bs_ev_violation {
	const char *rule, *severity, *message;
	uint64_t state; /* where the step led */
	const char *const *path; /* operations from the root */
	size_t path_count;
	struct bs_ev_place at;
};

struct bs_ev_shrink {
	const char *rule;
	uint32_t from_length, length;
	uint32_t candidates; /* executed so far */
};

struct bs_ev_header {
	const char *name, *value;
};

struct bs_ev_message { /* a request or a response */
	const char *method, *url, *target; /* request only; target: path and query; url is absolute */
	int status;                        /* response only; 0: none came */
	const char *outcome;               /* response only */
	const char *error;                 /* response only; NULL when it was complete */
	const struct bs_ev_header *headers;
	size_t header_count;
	const char *body; /* valid UTF-8; capped; NULL: none */
	uint64_t body_bytes; /* true length */
	const char *body_sha256; /* response only, when the body was capped; else NULL */
};

/* Values are JSON texts (compact), so that numbers stay exact in every report. */
struct bs_ev_value {
	const char *name;
	const char *json;
};

struct bs_ev_change {
	const char *store, *table;
	const char *row;        /* "#1": the key, for people; NULL when the row has none */
	const struct bs_ev_value *before; /* the columns; NULL: the row is new */
	const struct bs_ev_value *after;  /* NULL: the row was deleted */
	size_t before_count, after_count;
};

struct bs_ev_finding_step {
	const char *operation, *action, *actor;
	struct bs_ev_place at;
	struct bs_ev_message request, response;
	uint64_t elapsed_us;
	const struct bs_ev_change *changes;
	size_t change_count;
	uint64_t changes_left_out; /* beyond the cap */
	const struct bs_ev_value *captures;
	size_t capture_count;
	const char *const *log; /* lines */
	size_t log_count;
	const char *curl; /* shell-quoted */
	bool fails;       /* the rule breaks after this step */
};

struct bs_ev_finding {
	const char *fingerprint; /* 16 hex digits */
	const char *rule, *title, *kind, *severity, *message;
	const char *verdict;     /* confirmed, flaky, unconfirmed */
	uint32_t confirmed, tries;
	const char *baseline;    /* new, known */
	uint64_t count;          /* violations joined in it */
	uint32_t original_length;
	const char *minimality;  /* the claim, in plain words; NULL when none can be made */
	const char *reason;      /* why it is unconfirmed or flaky, where known; else NULL */
	struct bs_ev_place at;
	const struct bs_ev_value *reads;
	size_t read_count;
	const struct bs_ev_finding_step *steps;
	size_t step_count;
	const char *replay;      /* the command */
};

struct bs_ev_invariant_end {
	const char *name, *severity;
	const char *outcome; /* held, violated, unreached, error */
	uint64_t checked;    /* times checked on data */
	uint64_t violations;
	const char *detail;  /* why unreached or the error; NULL */
	uint64_t elapsed_us; /* spent checking */
};

struct bs_ev_operation_status {
	const char *operation;
	int status; /* 0: no response */
	uint64_t count;
};
struct bs_ev_operation_pair {
	const char *first, *second;
	uint64_t count;
	bool violation; /* a finding's minimal sequence ends with this pair */
};
struct bs_ev_latency {
	const char *operation;
	uint64_t p50_us, p95_us, p99_us, max_us;
};
struct bs_ev_coverage {
	const struct bs_ev_operation_status *statuses;
	size_t status_count;
	const struct bs_ev_operation_pair *pairs;
	size_t pair_count;
	const struct bs_ev_latency *latencies;
	size_t latency_count;
};

struct bs_ev_notice { /* warning and error */
	const char *code; /* stable, kebab-case: "never-executed", "unreached", "late-rows", ... */
	const char *message;
	const char *hint; /* what to do; NULL */
	struct bs_ev_place at;
};

struct bs_ev_run_end {
	const char *gate; /* passed, failed, incomplete */
	int exit_status;
	const char *reason; /* in plain words: "fail_on is critical" */
	const char *limit;  /* what ended the exploration: steps, time, depth, exhausted, interrupted, error */
	uint64_t states, steps, findings, violations, frontier;
	uint64_t elapsed_us;
	uint64_t explore_us;
	uint32_t severities[4]; /* gating findings by severity, low first */
};

struct bs_event {
	enum bs_event_kind kind;
	uint64_t seq;   /* from 1, without gaps */
	uint64_t at_ns; /* since the stream began, monotonic */
	union {
		struct bs_ev_stream_start stream_start;
		struct bs_ev_run_start run_start;
		struct bs_ev_action action;
		struct bs_ev_invariant invariant;
		struct bs_ev_app_ready app_ready;
		struct bs_ev_store store_ready;
		struct bs_ev_phase phase;
		struct bs_ev_state state;
		struct bs_ev_step step;
		struct bs_ev_violation violation;
		struct bs_ev_shrink shrink;
		struct bs_ev_finding finding;
		struct bs_ev_invariant_end invariant_end;
		struct bs_ev_coverage coverage;
		struct bs_ev_notice notice;
		struct bs_ev_run_end run_end;
	};
};

/* A sink never fails: what goes wrong in a reporter is the reporter's to record (reporter.h). */
struct bs_sink {
	void *ctx;
	void (*emit)(void *ctx, const struct bs_event *event);
};

const char *bs_event_type(enum bs_event_kind kind); /* "run.start": the name on disk */

#endif
