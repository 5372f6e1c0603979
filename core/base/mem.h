/*
 * Allocation that cannot fail (it aborts: this is a command-line program, and every caller that
 * checked for NULL would be code that no test reaches), and the cleanup attribute.
 */
#ifndef BS_BASE_MEM_H
#define BS_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *bs_xmalloc(size_t size);
void *bs_xcalloc(size_t count, size_t size);
void *bs_xrealloc(void *old, size_t count, size_t size);
char *bs_xstrdup(const char *text);               /* NULL gives NULL */
char *bs_xstrndup(const char *text, size_t len);
void *bs_xmemdup(const void *data, size_t len);   /* one NUL byte is put behind */
char *bs_xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Grows an array by one element and returns it zeroed:  struct foo *f = BS_PUSH(list.items, list.count); */
#define BS_PUSH(items, count) \
	((items) = bs_push((items), &(count), sizeof *(items)), &(items)[(count) - 1])
void *bs_push(void *items, size_t *count, size_t size);

static inline void bs_cleanup_free(void *p)
{
	free(*(void **)p);
}
#define BS_CLEANUP(fn) __attribute__((cleanup(fn)))
#define BS_AUTOFREE BS_CLEANUP(bs_cleanup_free)

#define BS_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
