/*
 * Lua patterns (reference manual, section 6.4.1) without backtracking. What makes them costly or needs
 * captures is refused: %b and %1 to %9. Parentheses are allowed and change nothing, since only the question
 * whether there is a match is answered.
 */
#ifndef BS_EXPR_MATCH_H
#define BS_EXPR_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BS_PATTERN_ITEMS 128

struct bs_pattern {
	struct bs_pattern_item {
		uint32_t set[8]; /* a bit for each byte that may stand here */
		char repeat;     /* 0: once, '?', '*', '+'; 'f': a frontier, which takes no byte */
	} items[BS_PATTERN_ITEMS];
	size_t count;
	bool from_start, to_end; /* ^ and $ */
};

/* NULL when the pattern is right, else what is wrong with it (a constant). */
const char *bs_pattern_compile(struct bs_pattern *pattern, const char *text, size_t len);

/* The places of the pattern that are reached after some bytes of the text. */
struct bs_match {
	const struct bs_pattern *pattern;
	uint64_t places[BS_PATTERN_ITEMS / 64 + 1];
	size_t at;
};
void bs_match_begin(struct bs_match *match, const struct bs_pattern *pattern);
/* Goes on by at most `bytes` of the text. Returns 1: it matches, 0: it does not, -1: not known yet. The cost of
 * a call is at most bytes times the pattern's items; *ret_cost is what it was. */
int bs_match_run(struct bs_match *match, const char *text, size_t len, size_t bytes, size_t *ret_cost);

#endif
