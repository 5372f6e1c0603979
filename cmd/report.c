/*
 * backstep report: the reports of a run, made again from its event file. The file is read twice: only when all of it is
 * understood is anything written.
 */
#include "cmd.h"

#include "base/mem.h"
#include "events/ndjson_read.h"
#include "reports.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The event file behind a name; "-" is standard input, kept in a file of its own as it is read twice. NULL: it was told
 * why. */
static FILE *open_events(const char *path)
{
	char chunk[16384];
	size_t n;

	if (strcmp(path, "-") != 0) {
		FILE *file = fopen(path, "re");
		if (!file)
			fprintf(stderr, "backstep: cannot read '%s': %s\n", path, strerror(errno));
		return file;
	}
	FILE *kept = tmpfile();
	while (kept && (n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		if (fwrite(chunk, 1, n, kept) != n)
			break;
	if (kept && !ferror(stdin) && !ferror(kept) && fseek(kept, 0, SEEK_SET) == 0)
		return kept;
	fprintf(stderr, "backstep: cannot keep standard input: %s\n", strerror(errno));
	if (kept)
		fclose(kept);
	return NULL;
}

/* What the first reading finds. */
struct survey {
	uint64_t streams;
	int exit_status; /* of run.end */
};

static void look(void *ctx, const struct bs_event *event)
{
	struct survey *survey = ctx;

	survey->streams += event->kind == BS_EVENT_STREAM_START;
	if (event->kind == BS_EVENT_RUN_END)
		survey->exit_status = event->run_end.exit_status;
}

/* BS_EUSAGE when it is no event file of one run. */
static int survey_file(FILE *file, const char *path, struct survey *survey, struct bs_ndjson_end *end,
		       struct bs_err *err)
{
	int r = bs_ndjson_read(file, path, (struct bs_sink){survey, look}, end, err);

	if (r < 0)
		return r;
	if (!survey->streams)
		return bs_err_set(err, BS_EUSAGE, "'%s' holds no run; it is written by: backstep run MODEL --report ndjson",
				  path);
	if (survey->streams > 1)
		return bs_err_set(err, BS_EUSAGE, "'%s' holds %" PRIu64 " runs; report each from a file of its own", path,
				  survey->streams);
	if (fseek(file, 0, SEEK_SET) < 0)
		return bs_err_set(err, BS_EIO, "cannot read '%s' twice: %s", path, strerror(errno));
	return 0;
}

static int render(FILE *file, const char *path, const struct bs_options *options, const struct survey *survey)
{
	struct bs_reports reports;
	struct bs_ndjson_end end;
	struct bs_err err = BS_ERR_INIT;
	int status = survey->exit_status;

	bs_reports_open(&reports, options, false);
	if (bs_ndjson_read(file, path, bs_fanout_sink(reports.fanout), &end, &err) < 0) { /* it changed under our hands */
		bs_complain("backstep: %s", bs_err_text(&err));
		status = BS_EXIT_INTERNAL;
	}
	if (!end.ended) {
		fprintf(stderr, "backstep: '%s' %s, so the run is incomplete\n", path,
			end.truncated ? "was cut off in its last line" : "has no run.end");
		status = BS_EXIT_INTERNAL;
	}
	bs_err_release(&err);
	return bs_reports_close(&reports, options, status);
}

int bs_cmd_report(const struct bs_options *options)
{
	struct survey survey = {0};
	struct bs_ndjson_end end;
	struct bs_err err = BS_ERR_INIT;

	if (options->operand_count != 1) {
		fprintf(stderr, "backstep: which event file? usage: backstep report EVENTS\n");
		return BS_EXIT_USAGE;
	}
	const char *path = options->operands[0];
	if (!bs_reports_known(options))
		return BS_EXIT_USAGE;
	FILE *file = open_events(path);
	if (!file)
		return BS_EXIT_USAGE;
	bs_catch_signals();
	int status = survey_file(file, path, &survey, &end, &err) < 0 ? bs_fail(&err)
								      : render(file, path, options, &survey);
	bs_err_release(&err);
	fclose(file);
	return status;
}
