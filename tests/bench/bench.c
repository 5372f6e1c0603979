/* See bench.h. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double bench_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double bench_percentile(double *samples, size_t count, unsigned percent)
{
	qsort(samples, count, sizeof *samples, by_value);
	return samples[(count - 1) * percent / 100];
}

void bench_fail(const struct bs_err *err)
{
	fprintf(stderr, "bench: %s\n", bs_err_text(err));
	exit(1);
}
