/*
 * Writing a report so that nobody ever reads half of one: under a temporary name in the same folder, which is
 * renamed when everything is in it and removed when something went wrong. What stood at the path stays until
 * then.
 *
 * "-" is standard output. What is no regular file (a pipe, /dev/stdout) is written to directly: renaming would
 * replace it. A symbolic link stays one; the file behind it is replaced.
 */
#ifndef BS_REPORTERS_OUTFILE_H
#define BS_REPORTERS_OUTFILE_H

#include <backstep/err.h>
#include <stddef.h>

/* Writes len bytes of data to path. Errors: BS_EIO. */
int bs_outfile_write(const char *path, const char *data, size_t len, struct bs_err *err);

/* Writes behind what the file holds, which stays as it is, also when this fails. Errors: BS_EIO. */
int bs_outfile_append(const char *path, const char *data, size_t len, struct bs_err *err);

#endif
