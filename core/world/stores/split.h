/*
 * Names that hold an identifier: "session:5b1e0c9a-31c5-..." is the name "session:*" with the identifier that stands
 * at its *. For identities: the identifier may be another in each run, or be what the application answered with.
 */
#ifndef BS_WORLD_SPLIT_H
#define BS_WORLD_SPLIT_H

#include "base/buf.h"

#include <backstep/store.h>

/* separators: the bytes between the parts of a name. The last part that looks like an identifier (a number, or a long
 * word with digits and letters) becomes a *. ret_id gets no data where none does; borrowed from name. */
void bs_split_name(struct bs_blob name, const char *separators, struct bs_buf *pattern, struct bs_blob *ret_id);

#endif
