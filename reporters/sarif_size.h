/*
 * How large a text becomes that is compressed as it grows: what was taken is measured, and what would make it larger
 * than the limit is refused. The measure is never too small: each part is flushed, which a whole file is not.
 */
#ifndef BS_REPORTERS_SARIF_SIZE_H
#define BS_REPORTERS_SARIF_SIZE_H

#include <stdbool.h>
#include <stddef.h>

struct bs_sarif_size;

struct bs_sarif_size *bs_sarif_size_new(size_t limit_bytes);
/* Whether it still fits; then it is counted. */
bool bs_sarif_size_take(struct bs_sarif_size *size, const char *text, size_t len);
void bs_sarif_size_free(struct bs_sarif_size *size);

#endif
