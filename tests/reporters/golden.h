/*
 * Golden files: a report is held against what it looked like when somebody last read it with care. With
 * BS_GOLDEN_UPDATE=1 in the environment the files are written instead; read the diff before it is committed.
 */
#ifndef BS_TESTS_REPORTERS_GOLDEN_H
#define BS_TESTS_REPORTERS_GOLDEN_H

#include <stddef.h>

/* Fails the running test, and says the first line that differs, unless tests/golden/NAME holds exactly text. */
void golden_check(const char *name, const char *text, size_t len);

/* A whole file; the caller's to free(). Fails the running test when it cannot be read. */
char *golden_read(const char *path, size_t *ret_len);

#endif
