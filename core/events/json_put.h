/*
 * JSON text onto a buffer. What is written is always valid: strings are escaped and made valid UTF-8, and a
 * JSON text that is none is written as a string.
 */
#ifndef BS_EVENTS_JSON_PUT_H
#define BS_EVENTS_JSON_PUT_H

#include "base/buf.h"

#include <stdint.h>

void bs_put_text(struct bs_buf *out, const char *text); /* with quotes; NULL is null */
void bs_put_u64(struct bs_buf *out, uint64_t value);
void bs_put_i64(struct bs_buf *out, int64_t value);
void bs_put_json(struct bs_buf *out, const char *json); /* without white space between tokens; NULL is null */

#endif
