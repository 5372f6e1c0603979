/*
 * Walking: bringing the world from one state of the tree to another. Deltas are undone up to the common
 * ancestor and redone down from it, combined to one net change before any store is asked: a walk costs
 * what differs between its ends and never goes back through the root. Where stores cannot be put back,
 * a walk is a clean start and the path sent again.
 *
 * The world stands at a state, or `beyond` it: steps were taken that no edge of the tree holds.
 */
#ifndef BS_EXPLORE_WALK_H
#define BS_EXPLORE_WALK_H

#include "graph.h"
#include "identity.h"
#include "world/world.h"

struct bs_walk {
	struct bs_graph *graph;
	struct bs_world *world;
	struct bs_judge *judge;       /* told when the world moved */
	struct bs_identity *identity; /* keys a state again when its rows came late */
	struct bs_net *net;
	struct bs_arena scratch; /* of the deltas beyond */
	uint32_t at;
	const struct bs_delta *beyond; /* rows changed since `at`; NULL: none */
	uint32_t steps_beyond;
	struct bs_context *context; /* of where the world stands; one reference */
	bool fresh;  /* the last step made the state `at`: what comes late belongs to its edge */
	bool replay; /* rollback is not to be trusted, or there is nothing to roll back */
	bool restart_undoes; /* the stores do not hold all: going to a state also starts the application again over them */
	bool redo_after_restart; /* the self-check showed that stores alone carry the state over a restart */
	uint32_t settle_ms; /* rows came late once: how long no row may come after a step until it counts as over; 0: not */
	bool restarted; /* the application was started again since the world stood at a state of the tree */
	uint64_t late_rows;
	uint64_t restores;
	uint64_t replays;
	uint64_t restarts;
	uint64_t drifts; /* replays that did not lead where they should */
};

void bs_walk_init(struct bs_walk *walk, struct bs_graph *graph, struct bs_world *world, struct bs_judge *judge,
		  struct bs_identity *identity);
void bs_walk_release(struct bs_walk *walk);

/* Stands at state afterwards. BS_ESTORE: a store could not be put back. */
int bs_walk_to(struct bs_walk *walk, uint32_t state, struct bs_err *err);

/* Executes an operation from where the world stands, and waits until its rows are there (settle_ms); afterwards the
 * world stands beyond. *ret_delta (in scratch, good
 * until the next walk) is what this step changed; step->changes is replaced by it, so that it stays good too. */
int bs_walk_step(struct bs_walk *walk, size_t operation, struct bs_step *ret_step,
		 const struct bs_delta **ret_delta, struct bs_err *err);

/* What stands beyond is this state of the tree. */
void bs_walk_settle(struct bs_walk *walk, uint32_t state, bool fresh);

/* Starts the application again over the rows as they are. What it writes when it starts stands beyond. */
int bs_walk_restart(struct bs_walk *walk, struct bs_err *err);

/* A clean start; stands at the root. */
int bs_walk_clean_start(struct bs_walk *walk, struct bs_err *err);

/* Reads rows that came after their step was read, and joins them to it. Returns how many, or an error. Once there
 * were some, later steps wait longer: see settle_ms. */
int bs_walk_collect_late(struct bs_walk *walk, struct bs_err *err);

#endif
