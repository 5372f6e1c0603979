/*
 * The one growing byte buffer. It is always NUL-terminated, and it always has a cap, so that nothing
 * an API sends can exhaust memory: what does not fit is dropped whole and `full` says so.
 * After curl's dynbuf (https://github.com/curl/curl/blob/master/docs/internals/DYNBUF.md).
 */
#ifndef BS_BASE_BUF_H
#define BS_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define BS_BUF_UNBOUNDED ((size_t)1 << 40) /* for text that this program makes itself */

struct bs_buf {
	char *data; /* never NULL after the first add; use bs_buf_text() to be safe */
	size_t len;
	size_t alloc;
	size_t cap; /* bytes that may be held at most */
	bool full;  /* something was dropped because of cap */
};

#define BS_BUF_INIT {NULL, 0, 0, BS_BUF_UNBOUNDED, false}

void bs_buf_init(struct bs_buf *buf, size_t cap);
void bs_buf_release(struct bs_buf *buf);
void bs_buf_clear(struct bs_buf *buf); /* keeps the memory */

/* All return false, and set full, when the text did not fit. */
bool bs_buf_add(struct bs_buf *buf, const void *data, size_t len);
bool bs_buf_addc(struct bs_buf *buf, char c);
bool bs_buf_adds(struct bs_buf *buf, const char *text);
bool bs_buf_addf(struct bs_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool bs_buf_addv(struct bs_buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

const char *bs_buf_text(const struct bs_buf *buf); /* "" when empty; borrowed until the next add */
char *bs_buf_take(struct bs_buf *buf);             /* the caller's to free(); the buffer is empty after */

#endif
