/*
 * The events as they are, one line each: what `backstep report` reads back and what other programs follow.
 * The file is written as the run goes and not under a temporary name, so that a run that is killed leaves
 * what it had found. Step and state events are handed to the system a few times a second, all others at once.
 */
#include "reporters.h"

#include "base/mem.h"
#include "events/ndjson_write.h"
#include "workflow.h"

#include <errno.h>
#include <string.h>

#define FLUSH_NS UINT64_C(100000000)

struct ndjson {
	struct bs_reporter reporter;
	FILE *file; /* standard output is not ours to close */
	char *path;
	struct bs_buf line;
	uint64_t flushed_ns; /* the time of the event with which the last flush came */
	int error;           /* the errno of the first write that failed; then nothing more is written */
};

static int open_ndjson(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter,
		       struct bs_err *err)
{
	const char *path = options->path ? options->path : bs_reporter_ndjson.default_path;
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	if (!file)
		return bs_err_set(err, BS_EIO, "cannot write '%s': %s", path, strerror(errno));
	struct ndjson *ndjson = bs_xcalloc(1, sizeof *ndjson);
	ndjson->reporter.ops = &bs_reporter_ndjson;
	ndjson->file = file;
	ndjson->path = bs_xstrdup(path);
	bs_buf_init(&ndjson->line, BS_BUF_UNBOUNDED);
	*ret_reporter = &ndjson->reporter;
	return 0;
}

/* The log of a job may be where it is printed. */
static void keep_quiet(struct bs_buf *line)
{
	struct bs_buf quiet = BS_BUF_INIT;

	bs_workflow_quiet(&quiet, bs_buf_text(line), line->len, BS_QUIET_JSON);
	bs_buf_release(line);
	*line = quiet;
}

static bool waits(const struct ndjson *ndjson, const struct bs_event *event)
{
	return (event->kind == BS_EVENT_STEP || event->kind == BS_EVENT_STATE_NEW) &&
	       event->at_ns < ndjson->flushed_ns + FLUSH_NS;
}

static void on_event(struct bs_reporter *reporter, const struct bs_event *event)
{
	struct ndjson *ndjson = (struct ndjson *)reporter;

	if (ndjson->error)
		return;
	bs_buf_clear(&ndjson->line);
	bs_ndjson_write(&ndjson->line, event);
	if (ndjson->file == stdout)
		keep_quiet(&ndjson->line);
	errno = 0;
	if (fwrite(ndjson->line.data, 1, ndjson->line.len, ndjson->file) != ndjson->line.len)
		ndjson->error = errno ? errno : EIO;
	if (waits(ndjson, event) || ndjson->error)
		return;
	if (fflush(ndjson->file) != 0)
		ndjson->error = errno;
	ndjson->flushed_ns = event->at_ns;
}

static int close_ndjson(struct bs_reporter *reporter, struct bs_err *err)
{
	struct ndjson *ndjson = (struct ndjson *)reporter;
	int r = 0;

	if (fflush(ndjson->file) != 0 && !ndjson->error)
		ndjson->error = errno;
	if (ndjson->file != stdout && fclose(ndjson->file) != 0 && !ndjson->error)
		ndjson->error = errno;
	if (ndjson->error)
		r = bs_err_set(err, BS_EIO, "cannot write '%s': %s", ndjson->path, strerror(ndjson->error));
	bs_buf_release(&ndjson->line);
	free(ndjson->path);
	free(ndjson);
	return r;
}

const struct bs_reporter_ops bs_reporter_ndjson = {
	.name = "ndjson",
	.description = "every event as a line of JSON, written as the run goes",
	.default_path = "events.ndjson",
	.open = open_ndjson,
	.on_event = on_event,
	.close = close_ndjson,
};
