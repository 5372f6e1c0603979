/*
 * The HTML reporter: one file that a reviewer opens from the artifacts of a failed pull request. It folds the
 * events with the summary that all reports share, and writes the page when the run is over. The page fetches
 * nothing, and everything in it can be read with scripts off.
 */
#include "html_page.h"
#include "outfile.h"
#include "reporters.h"

#include "base/buf.h"
#include "base/mem.h"

#include <backstep/reporter.h>

struct html {
	struct bs_reporter base;
	struct bs_summary summary;
	struct bs_html_states states;
	char *path;
};

static int html_open(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter, struct bs_err *err)
{
	struct html *html = bs_xcalloc(1, sizeof *html);

	(void)err;
	html->base.ops = &bs_reporter_html;
	html->path = bs_xstrdup(options->path ? options->path : bs_reporter_html.default_path);
	bs_summary_init(&html->summary);
	bs_html_states_init(&html->states);
	*ret_reporter = &html->base;
	return 0;
}

static void html_event(struct bs_reporter *reporter, const struct bs_event *event)
{
	struct html *html = (struct html *)reporter;

	bs_summary_event(&html->summary, event);
	bs_html_states_event(&html->states, event);
}

static int html_close(struct bs_reporter *reporter, struct bs_err *err)
{
	struct html *html = (struct html *)reporter;
	struct bs_buf out = BS_BUF_INIT;

	int r = bs_html_render(&html->summary, &html->states, &out, err);
	if (r == 0)
		r = bs_outfile_write(html->path, bs_buf_text(&out), out.len, err);
	bs_buf_release(&out);
	bs_summary_release(&html->summary);
	bs_html_states_release(&html->states);
	free(html->path);
	free(html);
	return r;
}

const struct bs_reporter_ops bs_reporter_html = {
	.name = "html",
	.description = "one self-contained page for people",
	.default_path = "backstep.html",
	.open = html_open,
	.on_event = html_event,
	.close = html_close,
};
