/* Bump allocation in blocks that never move. See arena.h. */
#include "arena.h"

#include "mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 << 10)
#define ALIGN alignof(max_align_t)

#include <stdalign.h>

struct bs_arena_block {
	struct bs_arena_block *next;
	size_t size;
	alignas(max_align_t) char data[];
};

static struct bs_arena_block *block_new(size_t size)
{
	struct bs_arena_block *block = bs_xcalloc(1, sizeof *block + size);

	block->size = size;
	return block;
}

void *bs_arena_alloc(struct bs_arena *arena, size_t size)
{
	struct bs_arena_block *block;

	size = (size + ALIGN - 1) & ~(ALIGN - 1);
	arena->total += size;
	if (size > BLOCK_SIZE / 4) { /* a block of its own, behind the current one */
		block = block_new(size);
		if (arena->block) {
			block->next = arena->block->next;
			arena->block->next = block;
		} else {
			arena->block = block;
			arena->used = size;
		}
		return block->data;
	}
	if (!arena->block || arena->block->size - arena->used < size) {
		block = block_new(BLOCK_SIZE);
		block->next = arena->block;
		arena->block = block;
		arena->used = 0;
	}
	void *p = arena->block->data + arena->used;
	arena->used += size;
	return p;
}

void *bs_arena_dup(struct bs_arena *arena, const void *data, size_t len)
{
	char *copy = bs_arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, data, len);
	return copy;
}

char *bs_arena_strdup(struct bs_arena *arena, const char *text)
{
	return text ? bs_arena_dup(arena, text, strlen(text)) : NULL;
}

char *bs_arena_printf(struct bs_arena *arena, const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		abort();
	char *copy = bs_arena_dup(arena, text, (size_t)len);
	free(text);
	return copy;
}

void bs_arena_release(struct bs_arena *arena)
{
	struct bs_arena_block *next;

	for (struct bs_arena_block *block = arena->block; block; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct bs_arena)BS_ARENA_INIT;
}
