/*
 * A response as expressions see it: status, body (parsed when first read), text, headers, sha256,
 * elapsed_ms, error. The same view serves the step's own answer and every observation.
 */
#ifndef BS_WORLD_RESPONSE_H
#define BS_WORLD_RESPONSE_H

#include "expr/expr.h"
#include "http.h"

struct bs_response {
	struct bs_exchange exchange; /* owned */
	cJSON *body;                 /* NULL until asked for, or when it is no JSON */
	char *body_error;            /* why it is no JSON */
	bool parsed;
	struct bs_scope scope;         /* this view: ctx is the response itself, so it must not move */
	struct bs_scope headers_scope;
};

/* Makes an empty response ready to be filled. It must stay where it is until released. */
void bs_response_init(struct bs_response *response);
void bs_response_release(struct bs_response *response);

/* Whether a name is one of those above. */
bool bs_response_has(const char *name);

/* As bs_scope's get, for the names above. */
int bs_response_get(struct bs_response *response, const char *name, struct bs_value *ret_value,
		    struct bs_err *err);

#endif
