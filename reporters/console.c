/*
 * The report for a person at a terminal: what is run, one line of progress, each finding as a short story with
 * the commands to see it again, and the gate. Without a terminal nothing is drawn twice, so that the log of a CI
 * job reads the same.
 */
#include "console.h"

#include "base/mem.h"
#include "outfile.h"
#include "reporters.h"
#include "summary_words.h"
#include "workflow.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define WIDTH_UNKNOWN 80
#define WIDTH_MIN 40 /* below it nothing can be laid out; a narrower terminal wraps */

/* --- Writing -------------------------------------------------------------------------------------------------- */

static void write_bytes(struct bs_console *console, const char *data, size_t len)
{
	if (len && fwrite(data, 1, len, console->stream) != len && !console->write_error)
		console->write_error = errno ? errno : EIO;
}

static void write_blanks(struct bs_console *console, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		write_bytes(console, " ", 1);
}

/* Blanks over the line rather than a control sequence: that works on every terminal. */
static void erase(struct bs_console *console)
{
	if (!console->progress.columns)
		return;
	write_bytes(console, "\r", 1);
	write_blanks(console, console->progress.columns);
	write_bytes(console, "\r", 1);
	console->progress.columns = 0;
}

static void draw(struct bs_console *console)
{
	struct bs_buf *line = &console->progress.line;
	unsigned columns = bs_console_columns(bs_buf_text(line)), before = console->progress.columns;

	write_bytes(console, "\r", 1);
	write_bytes(console, line->data, line->len);
	write_blanks(console, before > columns ? before - columns : 0);
	console->progress.columns = before > columns ? before : columns;
	bs_buf_clear(line);
}

/* All of what is written goes through here, whatever composed it. */
static void keep_quiet(struct bs_buf *text)
{
	struct bs_buf quiet = BS_BUF_INIT;

	bs_workflow_quiet(&quiet, bs_buf_text(text), text->len, BS_QUIET_TEXT);
	bs_buf_release(text);
	*text = quiet;
}

static void flush(struct bs_console *console)
{
	if (!console->stream) /* a file is written at the end */
		return;
	if (!console->out.len && !console->progress.line.len)
		return;
	if (console->out.len) {
		if (console->job_log)
			keep_quiet(&console->out);
		erase(console);
		write_bytes(console, console->out.data, console->out.len);
		bs_buf_clear(&console->out);
	}
	if (console->progress.line.len)
		draw(console);
	if (fflush(console->stream) != 0 && !console->write_error)
		console->write_error = errno ? errno : EIO;
}

/* --- The lines at the top --------------------------------------------------------------------------------------- */

/* "backstep 0.1.0  payments.yaml  seed 1  bfs to depth 8, 2,000 steps, 60 s" */
static void header(struct bs_console *console)
{
	const struct bs_summary *summary = &console->summary;
	const struct bs_ev_run_start *run = &summary->run;
	struct bs_buf line = BS_BUF_INIT;

	BS_AUTOFREE char *tool = bs_console_clean(bs_words_or(summary->stream.tool, "backstep"));
	bs_console_put(console, BS_STYLE_STRONG, tool);
	bs_buf_addc(&console->out, ' '); /* prose begins with a word */
	bs_buf_addf(&line, "%s  %s  seed %" PRIu64 "  %s to depth %" PRIu32, bs_words_or(summary->stream.version, "?"),
		    bs_words_or(run->model, "?"), run->seed, bs_words_or(run->strategy, "?"), run->max_depth);
	if (run->max_steps) {
		bs_buf_adds(&line, ", ");
		bs_words_count(&line, run->max_steps, "step", "steps");
	}
	if (run->time_ms) {
		bs_buf_adds(&line, ", ");
		bs_words_us(&line, run->time_ms > UINT64_MAX / 1000 ? UINT64_MAX : run->time_ms * 1000);
	}
	bs_console_prose(console, bs_buf_text(&line), bs_console_columns(tool) + 1, 3);
	bs_buf_release(&line);
}

#define FIRST_COLUMNS 10 /* "  store   " */

static void labelled(struct bs_console *console, const char *label, struct bs_buf *line)
{
	bs_buf_adds(&console->out, "  ");
	bs_console_cell(console, BS_STYLE_FAINT, label, FIRST_COLUMNS - 2);
	bs_console_prose(console, bs_buf_text(line), FIRST_COLUMNS, 4);
	bs_buf_release(line);
}

static void app_line(struct bs_console *console, const struct bs_ev_app_ready *app)
{
	struct bs_buf line = BS_BUF_INIT;

	bs_buf_addf(&line, "%s   ready in ", bs_words_or(app->command, bs_words_or(app->base_url, "?")));
	bs_words_us(&line, app->ready_us);
	labelled(console, "app", &line);
}

static void store_line(struct bs_console *console, const struct bs_ev_store *store)
{
	struct bs_buf line = BS_BUF_INIT;

	bs_buf_addf(&line, "%s  %s", bs_words_or(store->name, "?"), bs_words_or(store->driver, "?"));
	if (store->location)
		bs_buf_addf(&line, " %s", store->location);
	if (store->size_bytes) {
		bs_buf_adds(&line, ", ");
		bs_words_size(&line, store->size_bytes);
	}
	bs_buf_addf(&line, "; rollback by %s", bs_words_or(store->mechanism, "?"));
	if (store->self_check)
		bs_buf_addf(&line, ", self-check %s", store->self_check);
	labelled(console, "store", &line);
}

/* --- The reporter ------------------------------------------------------------------------------------------------- */

static void on_event(struct bs_reporter *reporter, const struct bs_event *event)
{
	struct bs_console *console = (struct bs_console *)reporter;

	bs_summary_event(&console->summary, event);
	switch (event->kind) {
	case BS_EVENT_RUN_START: header(console); break;
	case BS_EVENT_APP_READY: app_line(console, &event->app_ready); break;
	case BS_EVENT_STORE_READY: store_line(console, &event->store_ready); break;
	case BS_EVENT_FINDING: bs_console_finding(console, &event->finding); break;
	case BS_EVENT_PHASE_START:
	case BS_EVENT_STEP:
	case BS_EVENT_SHRINK_PROGRESS: bs_console_progress(console, event); break;
	case BS_EVENT_STREAM_START:
	case BS_EVENT_ACTION_DECLARED:
	case BS_EVENT_INVARIANT_DECLARED:
	case BS_EVENT_PHASE_END:
	case BS_EVENT_STATE_NEW:
	case BS_EVENT_VIOLATION:
	case BS_EVENT_INVARIANT_END:
	case BS_EVENT_COVERAGE:
	case BS_EVENT_WARNING:
	case BS_EVENT_ERROR:
	case BS_EVENT_RUN_END: break; /* at the end, when all of it is there */
	}
	flush(console);
}

static int open_console(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter, struct bs_err *err)
{
	bool file = options->path && strcmp(options->path, "-") != 0;

	(void)err;
	struct bs_console *console = bs_xcalloc(1, sizeof *console);
	bs_summary_init(&console->summary);
	console->reporter.ops = &bs_reporter_console;
	console->path = file ? bs_xstrdup(options->path) : NULL;
	console->stream = file ? NULL : options->stream ? options->stream : stdout;
	console->tty = !file && options->tty;
	console->color = !file && options->color;
	console->job_log = !file && options->job_log;
	console->width = file || !options->width ? WIDTH_UNKNOWN : options->width;
	if (console->width < WIDTH_MIN)
		console->width = WIDTH_MIN;
	bs_buf_init(&console->out, BS_BUF_UNBOUNDED);
	bs_buf_init(&console->progress.line, BS_BUF_UNBOUNDED);
	*ret_reporter = &console->reporter;
	return 0;
}

static int write_out(struct bs_console *console, struct bs_err *err)
{
	if (console->path)
		return bs_outfile_write(console->path, bs_buf_text(&console->out), console->out.len, err);
	flush(console);
	if (console->write_error)
		return bs_err_set(err, BS_EIO, "%s: 'standard output'", strerror(console->write_error));
	return 0;
}

static int close_console(struct bs_reporter *reporter, struct bs_err *err)
{
	struct bs_console *console = (struct bs_console *)reporter;

	bs_console_end(console);
	int r = write_out(console, err);
	bs_summary_release(&console->summary);
	bs_buf_release(&console->out);
	bs_buf_release(&console->progress.line);
	free(console->path);
	free(console);
	return r;
}

const struct bs_reporter_ops bs_reporter_console = {
	.name = "console",
	.description = "for people: each finding with its steps, what changed, and commands to see it again",
	.default_path = NULL,
	.open = open_console,
	.on_event = on_event,
	.close = close_console,
};
