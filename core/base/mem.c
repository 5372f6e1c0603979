/* Allocation that aborts when there is no memory. See mem.h. */
#include "mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("backstep: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *bs_xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *bs_xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *bs_xrealloc(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		checked(NULL);
	return checked(realloc(old, bytes ? bytes : 1));
}

char *bs_xstrdup(const char *text)
{
	return text ? checked(strdup(text)) : NULL;
}

char *bs_xstrndup(const char *text, size_t len)
{
	return checked(strndup(text, len));
}

void *bs_xmemdup(const void *data, size_t len)
{
	char *copy = bs_xmalloc(len + 1);

	if (len)
		memcpy(copy, data, len);
	copy[len] = 0;
	return copy;
}

char *bs_xasprintf(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		checked(NULL);
	va_end(args);
	return text;
}

/* Room for n elements is always the next power of two, so the capacity need not be kept. */
void *bs_push(void *items, size_t *count, size_t size)
{
	size_t n = *count;

	if ((n & (n - 1)) == 0) /* 0, 1, 2, 4, 8 ...: full */
		items = bs_xrealloc(items, n ? n * 2 : 1, size);
	memset((char *)items + n * size, 0, size);
	*count = n + 1;
	return items;
}
