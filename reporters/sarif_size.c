/* See sarif_size.h. */
#include "sarif_size.h"

#include "base/mem.h"

#include <limits.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib.h, deflateInit2(): the largest, with gzip's header */
#define MEMORY_LEVEL 8        /* zlib's default */

struct bs_sarif_size {
	z_stream streams[2]; /* a stream cannot be put back, but it can be copied before */
	int current;
	size_t limit;
};

struct bs_sarif_size *bs_sarif_size_new(size_t limit_bytes)
{
	struct bs_sarif_size *size = bs_xcalloc(1, sizeof *size);

	size->limit = limit_bytes;
	if (deflateInit2(&size->streams[0], Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* as bs_xmalloc: only memory can be missing */
	return size;
}

static void feed(z_stream *stream, const char *text, size_t len)
{
	unsigned char dropped[16384];

	while (len) {
		size_t part = len < INT_MAX ? len : INT_MAX;
		stream->next_in = (z_const Bytef *)text;
		stream->avail_in = (uInt)part;
		do {
			stream->next_out = dropped;
			stream->avail_out = sizeof dropped;
			deflate(stream, Z_SYNC_FLUSH);
		} while (!stream->avail_out);
		text += part;
		len -= part;
	}
}

bool bs_sarif_size_take(struct bs_sarif_size *size, const char *text, size_t len)
{
	z_stream *stream = &size->streams[size->current], *copy = &size->streams[!size->current];

	if (stream->total_out + deflateBound(stream, len) <= size->limit) { /* nearly always, and without a copy */
		feed(stream, text, len);
		return true;
	}
	if (deflateCopy(copy, stream) != Z_OK)
		abort();
	feed(copy, text, len);
	bool fits = copy->total_out <= size->limit;
	deflateEnd(fits ? stream : copy);
	if (fits)
		size->current = !size->current;
	return fits;
}

void bs_sarif_size_free(struct bs_sarif_size *size)
{
	if (size)
		deflateEnd(&size->streams[size->current]);
	free(size);
}
