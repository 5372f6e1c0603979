/* The growing byte buffer with a cap. See buf.h. */
#include "buf.h"

#include "mem.h"

#include <stdio.h>
#include <string.h>

void bs_buf_init(struct bs_buf *buf, size_t cap)
{
	*buf = (struct bs_buf){.cap = cap};
}

void bs_buf_release(struct bs_buf *buf)
{
	free(buf->data);
	bs_buf_init(buf, buf->cap);
}

void bs_buf_clear(struct bs_buf *buf)
{
	buf->len = 0;
	buf->full = false;
	if (buf->data)
		buf->data[0] = 0;
}

static bool reserve(struct bs_buf *buf, size_t more)
{
	if (more > buf->cap || buf->len > buf->cap - more) {
		buf->full = true;
		return false;
	}
	size_t need = buf->len + more + 1;
	if (need > buf->alloc) {
		size_t alloc = buf->alloc * 2 > need ? buf->alloc * 2 : need;
		buf->data = bs_xrealloc(buf->data, alloc < 64 ? 64 : alloc, 1);
		buf->alloc = alloc < 64 ? 64 : alloc;
	}
	return true;
}

bool bs_buf_add(struct bs_buf *buf, const void *data, size_t len)
{
	if (!reserve(buf, len))
		return false;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = 0;
	return true;
}

bool bs_buf_addc(struct bs_buf *buf, char c)
{
	return bs_buf_add(buf, &c, 1);
}

bool bs_buf_adds(struct bs_buf *buf, const char *text)
{
	return bs_buf_add(buf, text, strlen(text));
}

bool bs_buf_addv(struct bs_buf *buf, const char *format, va_list args)
{
	char small[256]; /* most of what is printed is short; the rest is measured here and printed again */
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(small, sizeof small, format, args);
	if (len < 0)
		abort();
	bool fits;
	if ((size_t)len < sizeof small) {
		fits = bs_buf_add(buf, small, (size_t)len);
	} else {
		fits = reserve(buf, (size_t)len);
		if (fits) {
			vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
			buf->len += (size_t)len;
		}
	}
	va_end(again);
	return fits;
}

bool bs_buf_addf(struct bs_buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bool fits = bs_buf_addv(buf, format, args);
	va_end(args);
	return fits;
}

const char *bs_buf_text(const struct bs_buf *buf)
{
	return buf->data ? buf->data : "";
}

char *bs_buf_take(struct bs_buf *buf)
{
	char *data = buf->data ? buf->data : bs_xstrdup("");

	bs_buf_init(buf, buf->cap);
	return data;
}
