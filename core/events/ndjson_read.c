/* An event file, line by line. See ndjson_read.h. */
#include "ndjson_read.h"

#include "base/buf.h"
#include "base/mem.h"
#include "event_parse.h"
#include "json_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define CHUNK ((size_t)64 << 10)

struct lines {
	FILE *file;
	char *chunk;
	size_t at, len; /* what is left of the chunk */
	struct bs_buf line;
	bool terminated; /* the line has its line feed */
};

/* Puts the next line, without its line feed, into lines->line. 0 at the end of the file. */
static int next_line(struct lines *lines, struct bs_err *err)
{
	bs_buf_clear(&lines->line);
	lines->terminated = false;
	while (!lines->terminated) {
		if (lines->at == lines->len) {
			lines->at = 0;
			lines->len = fread(lines->chunk, 1, CHUNK, lines->file);
			if (ferror(lines->file))
				return bs_err_set(err, BS_EIO, "%s", strerror(errno));
			if (!lines->len)
				return lines->line.len > 0;
		}
		const char *begin = lines->chunk + lines->at, *end = memchr(begin, '\n', lines->len - lines->at);
		size_t n = end ? (size_t)(end - begin) : lines->len - lines->at;
		if (!bs_buf_add(&lines->line, begin, n))
			return bs_err_set(err, BS_EUSAGE, "longer than %zu MiB", BS_NDJSON_LINE_MAX >> 20);
		lines->terminated = end != NULL;
		lines->at += n + lines->terminated;
	}
	return 1;
}

static bool is_whole(const char *text, size_t len)
{
	size_t at = bs_scan_space(text, len), n = bs_scan_value(text + at, len - at);

	return n && at + n + bs_scan_space(text + at + n, len - at - n) == len;
}

/* Returns 1: go on. */
static int read_line(struct lines *lines, struct bs_sink sink, struct bs_ndjson_end *end, struct bs_err *err)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_event event;
	char *text = lines->line.data;
	size_t len = lines->line.len;

	if (bs_scan_space(bs_buf_text(&lines->line), len) == len)
		return 1;
	if (!lines->terminated && !is_whole(text, len)) {
		end->truncated = true;
		return 1;
	}
	int r = bs_event_parse(text, len, &arena, &event, err);
	if (r > 0) {
		sink.emit(sink.ctx, &event);
		end->events++;
		end->ended |= event.kind == BS_EVENT_RUN_END;
	} else if (r == 0) {
		end->unknown++;
	}
	bs_arena_release(&arena);
	return r < 0 ? r : 1;
}

int bs_ndjson_read(FILE *file, const char *name, struct bs_sink sink, struct bs_ndjson_end *ret_end,
		   struct bs_err *err)
{
	struct lines lines = {.file = file, .chunk = bs_xmalloc(CHUNK)};
	struct bs_ndjson_end end = {0};
	int r;

	bs_buf_init(&lines.line, BS_NDJSON_LINE_MAX);
	do {
		end.lines++;
		r = next_line(&lines, err);
	} while (r > 0 && (r = read_line(&lines, sink, &end, err)) == 1);
	if (r < 0)
		bs_err_wrap(err, "reading '%s', line %" PRIu64, name, end.lines);
	else
		end.lines--; /* the one that did not come */
	bs_buf_release(&lines.line);
	free(lines.chunk);
	*ret_end = end;
	return r;
}
