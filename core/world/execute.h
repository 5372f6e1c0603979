/*
 * One request from template to outcome, and one step from operation to context. Inner part of the world.
 */
#ifndef BS_WORLD_EXECUTE_H
#define BS_WORLD_EXECUTE_H

#include "world.h"

/* Renders and sends. BS_EEXPR: the request cannot be made from these values. */
int bs_execute_request(struct bs_world *world, const struct bs_request *request,
		       const struct bs_operation *operation, const struct bs_context *context,
		       const char *unique, struct bs_response *ret_response, struct bs_err *err);

/* The same as a step: changes read, captures made. operation is BS_NO_OPERATION for setup. */
int bs_execute_step(struct bs_world *world, const struct bs_request *request, size_t operation,
		    const struct bs_context *context, uint32_t depth, struct bs_step *ret_step,
		    struct bs_err *err);

#endif
