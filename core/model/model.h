/*
 * The model: what the user declared, checked and compiled. YAML, and later Lua and the C API, all fill
 * this one structure. It is read-only once loaded, and owns everything that it points to.
 */
#ifndef BS_MODEL_MODEL_H
#define BS_MODEL_MODEL_H

#include "base/arena.h"
#include "base/json.h"
#include "expr/expr.h"

#include <backstep/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum bs_severity { BS_LOW, BS_MEDIUM, BS_HIGH, BS_CRITICAL };
const char *bs_severity_name(enum bs_severity severity);

/* --- Templates: text with ${name.path} in it ---------------------------------------------------- */

struct bs_segment {
	const char *text; /* literal bytes, or the placeholder's name without ${} */
	size_t len;
	bool placeholder;
};

struct bs_template {
	struct bs_segment *segments;
	size_t count;
	bool whole; /* one placeholder and nothing else: the value keeps its type in json and form */
	struct bs_at at;
};

/* A JSON document with templates in its strings (object keys are literal). */
struct bs_json_template {
	enum { BS_JT_LITERAL, BS_JT_TEXT, BS_JT_ARRAY, BS_JT_OBJECT } kind;
	const cJSON *literal;            /* BS_JT_LITERAL: number (exact), boolean or null */
	struct bs_template text;         /* BS_JT_TEXT */
	struct bs_json_template *items;  /* BS_JT_ARRAY, BS_JT_OBJECT */
	const char **keys;               /* BS_JT_OBJECT */
	size_t count;
};

/* --- Requests: one shape everywhere ------------------------------------------------------------- */

struct bs_field { /* a header, a query parameter or a form field */
	const char *name;
	struct bs_template value;
};
struct bs_fields {
	struct bs_field *items;
	size_t count;
};

enum bs_body_kind { BS_BODY_NONE, BS_BODY_JSON, BS_BODY_FORM, BS_BODY_TEXT };

struct bs_status_range {
	int low, high; /* both included: 201-201, 200-299 */
};
struct bs_expect { /* met when a range holds the status, or the expression is true; neither: not declared */
	struct bs_status_range *ranges;
	size_t count;
	struct bs_expr *expr;
	const char *text; /* as written, for messages */
	struct bs_at at;
};

struct bs_capture {
	size_t var; /* index into model->vars */
	struct bs_expr *expr;
	struct bs_at at;
};

struct bs_request {
	const char *method; /* upper case */
	struct bs_template path; /* starts with / */
	struct bs_fields headers, query;
	enum bs_body_kind body_kind;
	struct bs_json_template *json;
	struct bs_fields form;
	struct bs_template text;
	struct bs_expect expect;
	struct bs_capture *captures;
	size_t capture_count;
	size_t *forget; /* indexes into model->vars */
	size_t forget_count;
	uint32_t timeout_ms; /* 0: explore.timeout_ms */
	struct bs_at at;
};

/* --- Declarations ------------------------------------------------------------------------------- */

struct bs_variable { /* of the context; declared by the captures that name it */
	const char *name;
	struct bs_at at;
	bool secret; /* listed under redact */
	bool shown;  /* listed under not_secret: it may look like a secret and is none */
};

struct bs_variant { /* one list of `with` */
	const char *name;
	const cJSON **values;
	size_t count;
};

/* An action sends a request, or it moves the clock of the application on. Of one that moves the clock, the request is
 * only what people read: method ADVANCE, and the time as its path. */
#define BS_METHOD_ADVANCE "ADVANCE"

struct bs_action {
	const char *name;
	const char *title; /* NULL when not given */
	struct bs_request request;
	uint64_t advance_ms; /* 0: it sends a request */
	uint32_t settle_ms;  /* after moving the clock: as long as no row may come until it counts as over */
	struct bs_variant *variants;
	size_t variant_count;
	struct bs_expr *when; /* NULL: always */
	struct bs_at at;
};

/* An action with its variants bound: what the explorer executes. */
struct bs_operation {
	size_t action;
	const cJSON **values; /* one for each of the action's variants */
	const char *label;    /* create_order(amount=100) */
	const char **needs;   /* context variables that its request reads: enabled only when all are set */
	size_t *need_vars;    /* the same, as indexes into vars */
	size_t need_count;
};

struct bs_observation {
	const char *name;
	struct bs_request request;
};

enum bs_rule_kind {
	BS_RULE_STEP,  /* looks at the step: reports always */
	BS_RULE_STATE, /* looks at the state: reports when the step adds failing rows */
};

struct bs_invariant {
	const char *name;
	const char *title; /* what a violation means; NULL when not given */
	enum bs_severity severity;
	enum bs_rule_kind kind;
	struct bs_template message;
	bool has_message;
	/* either: */
	size_t sql_store; /* index into stores */
	const char *sql_query; /* NULL: an expression rule */
	/* or: */
	struct bs_observation *observations;
	size_t observation_count;
	const char *each_name; /* for: {o: list.body}; NULL: none */
	struct bs_expr *each_in;
	struct bs_expr *holds;
	bool every_state; /* every: state — once for each new state instead of after each step */
	struct bs_at at;
};

struct bs_store_config {
	const char *name;
	const char *driver;
	const char *path; /* as given (may be relative to the model's folder); NULL when not given */
	const char *url; /* ${env.NAME} filled in: it may hold a password; NULL when not given */
	bool in_place;   /* no clone: the run works on the original and puts it back */
	const char **masked_columns; /* ignore: [table.column] */
	size_t masked_count;
	struct bs_at at;
};

struct bs_app_config {
	struct bs_template *command; /* NULL: the app runs already, at base_url */
	size_t command_count;
	struct bs_fields env;
	const char *base_url; /* NULL with a command */
	struct bs_request *ready; /* NULL: a TCP connection is enough */
	uint32_t ready_timeout_ms;
	struct bs_request *reset; /* app.reset, or NULL */
	bool restart_undoes; /* rollback: restart; stepping back also starts the application again */
	struct bs_at at;
};

enum bs_strategy { BS_BFS, BS_DFS };

struct bs_explore_config {
	enum bs_strategy strategy;
	uint64_t max_steps; /* 0: no limit */
	uint32_t max_depth;
	uint64_t time_ms;   /* 0: no limit */
	uint64_t seed;
	uint32_t remember;
	uint32_t confirm;
	uint32_t timeout_ms; /* of one request */
};

struct bs_model {
	const char *path;   /* as given on the command line; what places (struct bs_at) name */
	const char *shown_path; /* what reports name instead, in all events: relative to the repository where cmd knows one */
	const char *folder; /* absolute; relative paths of the model start here */
	char sha256[65];
	const char *name;
	struct bs_app_config app;
	struct bs_store_config *stores;
	size_t store_count;
	struct bs_request *setup;
	size_t setup_count;
	const char **actors; /* the first is the default; at least one */
	size_t actor_count;
	struct bs_action *actions;
	size_t action_count;
	bool moves_clock; /* an action has `advance` */
	struct bs_operation *operations;
	size_t operation_count;
	struct bs_invariant *invariants;
	size_t invariant_count;
	size_t *reach; /* indexes into actions */
	size_t reach_count;
	struct bs_variable *vars;
	size_t var_count;
	struct bs_explore_config explore;
	bool gate_never;                /* fail_on: never */
	enum bs_severity gate_severity; /* fail_on */
	const char **redact; /* table.column, and names of variables (which are marked besides) */
	size_t redact_count;
	const char **not_secret; /* env.NAME, and names of variables (which are marked besides) */
	size_t not_secret_count;
	const char **env_names; /* of ${env.NAME}, wherever it stands: their values are secrets, but those not_secret */
	size_t env_name_count;

	struct bs_lua *lua; /* owns the compiled expressions */
	struct bs_arena arena;
};

/* --- Loading ------------------------------------------------------------------------------------ */

struct bs_problem {
	struct bs_at at;
	bool warning;
	char *message;
};
struct bs_problems { /* all that is wrong, in order of position */
	struct bs_problem *items;
	size_t count;
	size_t errors; /* of count, those that are not warnings */
};
void bs_problems_release(struct bs_problems *problems);

/* Reads and checks a model. Always fills ret_problems. Returns BS_EMODEL when there are errors (the err says
 * how many), BS_EIO when the file cannot be read. env gives ${env.NAME}: only whether it is set is checked
 * here (unset: an error). */
int bs_model_load(const char *path, struct bs_model **ret_model, struct bs_problems *ret_problems,
		  struct bs_err *err);
void bs_model_free(struct bs_model *model);

/* A place as events have it, with model->shown_path. A place without a file stays one. Borrowed from the model. */
struct bs_ev_place bs_model_place(const struct bs_model *model, struct bs_at at);
/* Sets shown_path to a copy of path. */
void bs_model_show_as(struct bs_model *model, const char *path);

#endif
