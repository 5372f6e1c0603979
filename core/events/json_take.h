/*
 * Taking a JSON text apart from left to right, in place. The text was found to be valid by bs_scan_value(), so
 * what can still be wrong is only the type of a value; and each string is decoded where it stands, because
 * no escape is shorter than what it means.
 */
#ifndef BS_EVENTS_JSON_TAKE_H
#define BS_EVENTS_JSON_TAKE_H

#include <backstep/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bs_arena;

struct bs_take {
	char *text; /* valid JSON from `at` on */
	size_t at, len;
	struct bs_arena *arena; /* borrowed: for what the caller makes of it */
	const char *key; /* for errors: the field that is being read */
	struct bs_err *err;
};

void bs_take_space(struct bs_take *p);
char bs_take_peek(struct bs_take *p); /* the first character of the next token, 0 at the end */
bool bs_take_char(struct bs_take *p, char c); /* true, and behind it, when c comes next */
bool bs_take_null(struct bs_take *p);         /* true, and behind it, when null comes next */
void bs_take_value(struct bs_take *p);        /* skips a value of any type */

/* The string that comes next, NUL-terminated in place of its quote; a key also takes the colon. */
char *bs_take_string(struct bs_take *p);
char *bs_take_key(struct bs_take *p);

/* A value of that type; null is NULL, 0 or false. Errors: BS_EUSAGE. */
int bs_take_text(struct bs_take *p, const char **ret_text);
int bs_take_u64(struct bs_take *p, uint64_t max, uint64_t *ret_value);
int bs_take_u32(struct bs_take *p, uint32_t *ret_value);
int bs_take_int(struct bs_take *p, int *ret_value);
int bs_take_bool(struct bs_take *p, bool *ret_value);

/* Sets the error "'key' takes expected". */
int bs_take_wrong(struct bs_take *p, const char *expected);

#endif
