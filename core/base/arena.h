/*
 * Memory that is freed all at once: the state graph of a run, a loaded model. Addresses stay put.
 */
#ifndef BS_BASE_ARENA_H
#define BS_BASE_ARENA_H

#include <stddef.h>

struct bs_arena_block;
struct bs_arena {
	struct bs_arena_block *block;
	size_t used;      /* in the current block */
	size_t total;     /* bytes handed out */
};

#define BS_ARENA_INIT {NULL, 0, 0}

void *bs_arena_alloc(struct bs_arena *arena, size_t size); /* zeroed, aligned for any type */
void *bs_arena_dup(struct bs_arena *arena, const void *data, size_t len); /* one NUL byte behind */
char *bs_arena_strdup(struct bs_arena *arena, const char *text);
char *bs_arena_printf(struct bs_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bs_arena_release(struct bs_arena *arena);

#endif
