/*
 * The monotonic clock: for durations and bounds of waiting, never for dates.
 */
#ifndef BS_BASE_NOW_H
#define BS_BASE_NOW_H

#include <stdint.h>

uint64_t bs_now_ns(void);
uint64_t bs_now_us(void);
uint64_t bs_now_ms(void);

#endif
