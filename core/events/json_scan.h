/*
 * JSON text without a tree: where a value ends, whether it is one, and what a string means. The event files
 * are read with it in place, and the values that events carry as JSON texts are checked with it.
 *
 * Strict RFC 8259. Strings are valid UTF-8. Nesting is capped.
 */
#ifndef BS_EVENTS_JSON_SCAN_H
#define BS_EVENTS_JSON_SCAN_H

#include <stddef.h>

#define BS_SCAN_DEPTH_MAX 1200 /* cJSON, from which the values come, stops at 1000 */

/* All give the length of what stands at text, 0 when that is none. */
size_t bs_scan_value(const char *text, size_t len);
size_t bs_scan_string(const char *text, size_t len); /* with both quotes */
size_t bs_scan_number(const char *text, size_t len);

/* The length of white space at text; may be 0. */
size_t bs_scan_space(const char *text, size_t len);

/* Decodes what stands between the quotes of a scanned string, in place, and returns the new length, which is never
 * more. Puts no NUL behind. NUL and lone surrogates become U+FFFD. */
size_t bs_scan_unescape(char *text, size_t len);

#endif
