/* What the benches share: a clock, medians, and one way to give up. */
#ifndef BS_TESTS_BENCH_H
#define BS_TESTS_BENCH_H

#include <backstep/err.h>
#include <stddef.h>
#include <stdint.h>

double bench_now_us(void);
/* Sorts samples. percent: 50 for the median. */
double bench_percentile(double *samples, size_t count, unsigned percent);
_Noreturn void bench_fail(const struct bs_err *err);

#endif
