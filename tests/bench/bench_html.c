/*
 * What the HTML page weighs: the shell, 200 findings that stand in it as they are, and 1000 findings of 12 steps,
 * of which most are compressed.
 */
#include "bench.h"

#include "reporters/fixture.h"

#include "base/mem.h"
#include "reporters/reporters.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void emit(void *ctx, const struct bs_event *event)
{
	bs_reporter_html.on_event(ctx, event);
}

/* Bytes of the page; ret_ms: for all the events and the writing. */
static double measure(const char *path, size_t findings, size_t steps, double *ret_ms)
{
	struct bs_reporter_options options = {.path = path};
	struct bs_reporter *reporter;
	struct bs_err err = BS_ERR_INIT;
	struct stat st;
	double start = bench_now_us();

	if (bs_reporter_html.open(&options, &reporter, &err) < 0)
		bench_fail(&err);
	fixture_feed_many((struct bs_sink){reporter, emit}, findings, steps);
	if (bs_reporter_html.close(reporter, &err) < 0)
		bench_fail(&err);
	*ret_ms = (bench_now_us() - start) / 1000;
	if (stat(path, &st) < 0)
		exit(1);
	return (double)st.st_size;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *aim;
		size_t findings, steps;
	} cases[] = {{"no finding (the shell)", "150 kB", 0, 1},
		     {"20 findings of 4 steps", "", 20, 4},
		     {"200 findings of 4 steps", "", 200, 4},
		     {"1000 findings of 12 steps", "700 kB", 1000, 12}};
	char folder[] = "/tmp/backstep-bench-XXXXXX";

	if (argc < 2 && !mkdtemp(folder))
		return 1;
	puts("the HTML page");
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		BS_AUTOFREE char *path = bs_xasprintf("%s/%zu.html", argc < 2 ? folder : argv[1], cases[i].findings);
		double ms, bytes = measure(path, cases[i].findings, cases[i].steps, &ms);
		printf("  %-28s %8.1f kB %6.0f ms   %s%s\n", cases[i].name, bytes / 1000, ms, *cases[i].aim ? "aim: at most " : "",
		       cases[i].aim);
		if (argc < 2)
			unlink(path);
	}
	if (argc < 2)
		rmdir(folder);
	return 0;
}
