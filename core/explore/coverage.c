/* Counting what was exercised. See coverage.h. */
#include "coverage.h"

#include "base/mem.h"

void bs_coverage_init(struct bs_coverage *coverage, size_t operations)
{
	coverage->count = operations;
	coverage->operations = bs_xcalloc(operations, sizeof *coverage->operations);
}

void bs_coverage_release(struct bs_coverage *coverage)
{
	free(coverage->operations);
	free(coverage->pairs);
	bs_map_release(&coverage->by_pair);
	*coverage = (struct bs_coverage){0};
}

static size_t bucket_of(uint64_t us)
{
	if (us < 8)
		return (size_t)us;
	size_t log = 63 - (size_t)__builtin_clzll(us);
	size_t bucket = (log - 2) * 8 + ((us >> (log - 3)) & 7);
	return bucket < BS_LATENCY_BUCKETS ? bucket : BS_LATENCY_BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t bucket_end(size_t bucket)
{
	if (bucket < 8)
		return bucket;
	size_t log = bucket / 8 + 2;
	return ((8 + (bucket & 7) + 1) << (log - 3)) - 1;
}

static void count_status(struct bs_operation_stats *stats, int status)
{
	for (size_t i = 0; i < stats->status_count; i++)
		if (stats->statuses[i].status == status) {
			stats->statuses[i].count++;
			return;
		}
	if (stats->status_count < BS_COUNT(stats->statuses))
		stats->statuses[stats->status_count++].status = status;
	stats->statuses[stats->status_count - 1].count++;
}

static void count_pair(struct bs_coverage *coverage, uint32_t first, uint32_t second)
{
	uint64_t both = (uint64_t)first << 32 | second, hash = both * 0x9E3779B97F4A7C15u;
	size_t at = 0;
	uint32_t i;

	hash ^= hash >> 32;
	while ((i = bs_map_next(&coverage->by_pair, hash, &at)) != BS_MAP_NONE)
		if (coverage->pairs[i].first == first && coverage->pairs[i].second == second) {
			coverage->pairs[i].count++;
			return;
		}
	bs_map_add(&coverage->by_pair, hash, (uint32_t)coverage->pair_count);
	*BS_PUSH(coverage->pairs, coverage->pair_count) = (struct bs_operation_pair){first, second, 1};
}

void bs_coverage_step(struct bs_coverage *coverage, size_t previous, size_t operation, int status, bool succeeded,
		      const uint64_t *elapsed_us)
{
	struct bs_operation_stats *stats = &coverage->operations[operation];

	stats->executed++;
	stats->succeeded += succeeded;
	count_status(stats, status);
	if (elapsed_us) {
		stats->timed = true;
		stats->latencies[bucket_of(*elapsed_us)]++;
		if (*elapsed_us > stats->max_us)
			stats->max_us = *elapsed_us;
	}
	if (previous != SIZE_MAX)
		count_pair(coverage, (uint32_t)previous, (uint32_t)operation);
}

uint64_t bs_coverage_percentile(const struct bs_operation_stats *stats, unsigned percent)
{
	uint64_t rank = (stats->executed * percent + 99) / 100, seen = 0;

	for (size_t i = 0; i < BS_LATENCY_BUCKETS; i++) {
		seen += stats->latencies[i];
		if (seen >= rank && seen)
			return bucket_end(i) < stats->max_us ? bucket_end(i) : stats->max_us;
	}
	return 0;
}
