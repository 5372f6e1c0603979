/*
 * The world: the running system under test. It is the application's process, the HTTP connection to it,
 * and its stores; it executes operations and can be put back to the root.
 *
 * The root is the moment after the application was ready and setup ran. A clean start brings the world
 * back to it in the way that trusts nothing: process stopped, stores cloned again, process started.
 *
 * Threads: a world belongs to one thread.
 */
#ifndef BS_WORLD_WORLD_H
#define BS_WORLD_WORLD_H

#include "app.h"
#include "clock.h"
#include "http.h"
#include "render.h"
#include "step.h"
#include "stores/delta.h"

#include <signal.h>

struct bs_world_options {
	const volatile sig_atomic_t *stop; /* nonzero: the user asked to stop; may be NULL */
	/* A world without a process and without a network, for the engine's own tests: sends in place of HTTP. */
	int (*send)(void *ctx, struct bs_exchange *exchange, struct bs_err *err);
	/* Moves the clock of such a world; NULL: it has none. */
	void (*set_clock)(void *ctx, uint64_t ahead_ms);
	void *send_ctx;
	struct bs_stores *stores; /* taken over, with clone and snapshot done by the caller; NULL: from the model */
};

struct bs_world {
	const struct bs_model *model;
	struct bs_world_options options;
	struct bs_http *http;
	struct bs_app *app; /* NULL: it runs already, or it is down */
	struct bs_stores stores;
	struct bs_clock *clock; /* NULL: no action moves it */
	uint64_t ahead_ms;      /* where it stands: so far ahead of the real one */
	char *workdir; /* private to this run; removed at the end */
	char *base_url;
	uint16_t port;
	struct bs_context *root; /* the context at the root */
	struct bs_buf log; /* what the application printed and no step took yet */
	uint64_t requests; /* sent so far, observations included */
	unsigned starts;   /* of the application */
	uint64_t ready_us; /* how long the last start took */
};

/* Brings everything up to the root: stores opened and cloned, application started and ready, setup done,
 * snapshot taken, tracking begun. On failure nothing is left behind. */
int bs_world_open(const struct bs_model *model, const struct bs_world_options *options,
		  struct bs_world **ret_world, struct bs_err *err);
void bs_world_close(struct bs_world *world); /* accepts NULL */

/* Takes away what runs that were killed left in the model's stores: data that was used in place is what it was before
 * them, clones are gone. Starts nothing. told (may be NULL) gets what was done, store by store; texts are borrowed. */
int bs_world_recover(const struct bs_model *model, void (*told)(void *ctx, const char *store, const char *text), void *ctx,
		     struct bs_err *err);

/* Back to the root, trusting nothing. */
int bs_world_clean_start(struct bs_world *world, struct bs_err *err);

/* Starts the application again over the stores as they are: the only undo for what it keeps in memory. */
int bs_world_restart(struct bs_world *world, struct bs_err *err);

/* Moves the application's clock; nothing happens when it stands there. */
int bs_world_set_clock(struct bs_world *world, uint64_t ahead_ms, struct bs_err *err);

/* True when a clean start gives a fresh application: we start it, or it has a reset request. */
bool bs_world_can_restart(const struct bs_world *world);

/* False when we started the application and it is gone; ret_how (may be NULL) says how, the caller's to free. */
bool bs_world_app_alive(struct bs_world *world, char **ret_how);

/* True when the operation's variables are all set and its guard holds. A guard that errs counts as false and its
 * error is set. */
bool bs_world_enabled(const struct bs_world *world, size_t operation, const struct bs_context *context,
		      struct bs_err *err);

/* Executes an operation with the given context as the depth-th step of its path (from 1). What the API does is in
 * the step, never an error; errors are those of the stores (BS_ESTORE) and BS_EINTERRUPTED. */
int bs_world_step(struct bs_world *world, size_t operation, const struct bs_context *context, uint32_t depth,
		  struct bs_step *ret_step, struct bs_err *err);

/* Sends a request that is no step: an observation. */
int bs_world_observe(struct bs_world *world, const struct bs_request *request, const struct bs_context *context,
		     struct bs_response *ret_response, struct bs_err *err);

/* ${unique} of the depth-th step: the same in every run with this seed. */
#define BS_UNIQUE_SIZE 16
void bs_world_unique(const struct bs_world *world, uint32_t depth, char ret_unique[BS_UNIQUE_SIZE]);

#endif
