/*
 * A step: one executed operation with its exchange, the rows that it changed and the context after it;
 * and the scope in which rules and captures look at it.
 */
#ifndef BS_WORLD_STEP_H
#define BS_WORLD_STEP_H

#include "context.h"
#include "model/model.h"
#include "response.h"
#include "stores/stores.h"

#define BS_NO_OPERATION SIZE_MAX

struct bs_step {
	size_t operation; /* index into model->operations; BS_NO_OPERATION for setup and observations */
	struct bs_response response;
	struct bs_changes changes; /* borrowed from the stores until they are asked again or applied to */
	struct bs_context *context; /* after the step; one reference is the step's */
	bool advanced;      /* the clock was moved and nothing was sent: there is no answer to look at */
	bool sent;          /* false: the request could not be made from the context; reason says why */
	bool succeeded;     /* the declared status came, or 2xx where none was declared */
	bool unexpected;    /* a status was declared, and another came */
	char *reason;       /* why it was not sent; NULL */
	char *expression_error; /* expect or a capture could not be evaluated; NULL */
	struct bs_at expression_at; /* which */
	char *log; /* what the application printed meanwhile; "" for nothing */
};

void bs_step_init(struct bs_step *step);
void bs_step_release(struct bs_step *step);

/* False for GET, HEAD, OPTIONS and TRACE (RFC 9110, 9.2.1): those that a client sends without asking for a change. */
bool bs_unsafe_method(const char *method);

/* What an expression sees. Fill what applies; the rest stays zero. */
struct bs_step_scope {
	const struct bs_model *model;
	const struct bs_stores *stores;
	struct bs_step *step;             /* NULL: no step (when) */
	const struct bs_context *context; /* before the step for captures, after it for rules */
	const struct bs_operation *operation;
	struct bs_response **observations; /* one for each of invariant->observations; else NULL */
	struct bs_response **before;       /* the same, of the state before */
	const struct bs_invariant *invariant;
	const struct bs_value *each; /* the value of invariant->each_name; NULL: none */

	struct bs_scope scope; /* set by init: what to hand to expr.h */
	struct bs_scope before_scope, request_scope, request_headers_scope;
	cJSON *changes; /* {table: [{before, after}]} as far as it was asked for */
};

void bs_step_scope_init(struct bs_step_scope *s, const struct bs_model *model, const struct bs_stores *stores);
void bs_step_scope_release(struct bs_step_scope *s);

#endif
