/* The page of a run that found very much, for the browser's tests and the bench: write_many PATH FINDINGS STEPS. */
#include "fixture.h"
#include "reporters/reporters.h"

#include <stdio.h>
#include <stdlib.h>

static void to_html(void *ctx, const struct bs_event *event)
{
	bs_reporter_html.on_event(ctx, event);
}

int main(int argc, char **argv)
{
	size_t findings = argc == 4 ? strtoul(argv[2], NULL, 10) : 0, steps = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	struct bs_reporter *reporter;
	struct bs_err err = BS_ERR_INIT;

	if (!findings || !steps) {
		fprintf(stderr, "usage: write_many PATH FINDINGS STEPS\n");
		return 2;
	}
	struct bs_reporter_options options = {.path = argv[1]};
	int r = bs_reporter_html.open(&options, &reporter, &err);
	if (r == 0) {
		fixture_feed_many((struct bs_sink){reporter, to_html}, findings, steps);
		r = bs_reporter_html.close(reporter, &err);
	}
	if (r < 0)
		fprintf(stderr, "write_many: %s\n", bs_err_text(&err));
	bs_err_release(&err);
	return r < 0;
}
