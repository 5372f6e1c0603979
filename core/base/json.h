/*
 * JSON trees, with exact numbers.
 *
 * cJSON keeps every number as a double, so 9007199254740993 comes back as ...992. Trees parsed here
 * hold each number as the token that was in the text: the item has type cJSON_Raw and its valuestring
 * is the token, so that printing gives back what was read. Nothing else makes cJSON_Raw items, and no
 * code outside this file looks at valuedouble: use the functions below.
 */
#ifndef BS_BASE_JSON_H
#define BS_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bs_err;

enum bs_json_kind { BS_J_NULL, BS_J_BOOL, BS_J_NUMBER, BS_J_STRING, BS_J_ARRAY, BS_J_OBJECT };

enum bs_json_kind bs_json_kind(const cJSON *item);
const char *bs_json_kind_name(enum bs_json_kind kind); /* "null", "boolean", "number", ... */

/* Strict RFC 8259: one value, valid UTF-8, nothing behind it but white space. The message of an error
 * gives the byte offset. The caller frees with cJSON_Delete. */
int bs_json_parse(const char *text, size_t len, cJSON **ret_json, struct bs_err *err);

/* Compact when !pretty; numbers as they were read. The caller's to free(). */
char *bs_json_print(const cJSON *item, bool pretty);

/* The token of a number, borrowed. */
const char *bs_json_token(const cJSON *number);
/* True when the number is an integer that fits; 1.0 and 1e3 are not integers. */
bool bs_json_int(const cJSON *number, int64_t *ret_value);
double bs_json_real(const cJSON *number);

cJSON *bs_json_new_int(int64_t value);
cJSON *bs_json_new_real(double value);             /* shortest text that reads back the same; NaN, inf: null */
/* A number from its token, digit for digit; a text where that is no number of RFC 8259. */
cJSON *bs_json_new_number(const char *token, size_t len);
cJSON *bs_json_new_text(const char *text, size_t len); /* invalid UTF-8 and NUL become U+FFFD */

/* Equal as JSON values: objects without order, numbers by value where both are integers, else by token. */
bool bs_json_equal(const cJSON *a, const cJSON *b);

#endif
