/*
 * What was exercised: operations by status, ordered pairs of operations, and how long they took.
 */
#ifndef BS_EXPLORE_COVERAGE_H
#define BS_EXPLORE_COVERAGE_H

#include "base/map.h"
#include "model/model.h"

#include <backstep/event.h>

#define BS_LATENCY_BUCKETS (40 * 8) /* eight for each doubling of a microsecond: within 9 % */

struct bs_operation_stats {
	uint64_t executed;
	uint64_t succeeded;
	struct {
		int status;
		uint64_t count;
	} statuses[24]; /* more than that many different ones are counted under the last */
	size_t status_count;
	bool timed; /* it has latencies */
	uint64_t max_us;
	uint32_t latencies[BS_LATENCY_BUCKETS];
};

struct bs_operation_pair {
	uint32_t first, second;
	uint64_t count;
};

struct bs_coverage {
	size_t count; /* operations */
	struct bs_operation_stats *operations;
	struct bs_operation_pair *pairs; /* those that came, in the order of their first time */
	size_t pair_count;
	struct bs_map by_pair;
};

void bs_coverage_init(struct bs_coverage *coverage, size_t operations);
void bs_coverage_release(struct bs_coverage *coverage);

/* previous: the operation before it on the path; SIZE_MAX for the first. elapsed_us NULL: nothing was sent, so there is
 * no latency. */
void bs_coverage_step(struct bs_coverage *coverage, size_t previous, size_t operation, int status, bool succeeded,
		      const uint64_t *elapsed_us);

/* The value below which that share of the latencies lies, to within a bucket. */
uint64_t bs_coverage_percentile(const struct bs_operation_stats *stats, unsigned percent);

#endif
