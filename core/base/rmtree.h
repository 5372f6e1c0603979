/*
 * Removes a directory and what is below it, and nothing else: symbolic links are removed and never followed,
 * mount points are left alone, and no depth of nesting exhausts the stack or the file descriptors.
 *
 * Threads: any; two of them on one directory only disturb each other.
 */
#ifndef BS_BASE_RMTREE_H
#define BS_BASE_RMTREE_H

#include <stdbool.h>

/* Empties the directory that dir_fd is open on; true when nothing is left in it. The descriptor stays open. */
bool bs_rmtree_empty(int dir_fd);

#endif
