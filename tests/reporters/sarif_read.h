/*
 * SARIF reports made and read back by tests. A place in one is named by its path: "/runs/0/results/2/message/text".
 */
#ifndef BS_TESTS_REPORTERS_SARIF_READ_H
#define BS_TESTS_REPORTERS_SARIF_READ_H

#include "fixture.h"
#include "reporters/sarif.h"

/* Changes each event before the reporter gets it. */
typedef void sarif_change_fn(struct bs_event *event);

/* The report of a stream; change and limits may be NULL. The caller frees both; ret_text may be NULL. Fails the running
 * test when it is no JSON. */
cJSON *sarif_of(enum fixture which, sarif_change_fn *change, const struct bs_sarif_limits *limits, char **ret_text);
/* The same of a stream that feed() makes. */
cJSON *sarif_of_stream(void (*feed)(struct bs_sink sink), const struct bs_sarif_limits *limits, char **ret_text);

const cJSON *sarif_find(const cJSON *sarif, const char *path); /* NULL: not there */
const char *sarif_string(const cJSON *sarif, const char *path); /* fails the test when there is none */
int64_t sarif_integer(const cJSON *sarif, const char *path);
size_t sarif_count(const cJSON *sarif, const char *path); /* of an array; 0 where there is none */
void sarif_is(const cJSON *sarif, const char *path, const char *wanted);
void sarif_contains(const cJSON *sarif, const char *path, const char *wanted);

/* Calls visit() for each string that has a key, with that and the key of the object that it is in. */
typedef void sarif_visit_fn(const char *parent, const char *key, const char *text);
void sarif_each_string(const cJSON *sarif, sarif_visit_fn *visit);

#endif
