/* The reporters of the command line. See reports.h. */
#include "reports.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void console_options(const struct bs_options *options, struct bs_reporter_options *console)
{
	struct winsize size;
	const char *no_color = getenv("NO_COLOR");
	bool tty = isatty(STDOUT_FILENO);

	console->stream = stdout;
	console->tty = tty;
	if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		console->width = size.ws_col;
	console->color = strcmp(options->color, "always") == 0 ||
			 (strcmp(options->color, "auto") == 0 && tty && !(no_color && *no_color));
}

static bool add_reporter(struct bs_fanout *fanout, const struct bs_report_option *report,
			 struct bs_reporter_options settings)
{
	const struct bs_reporter_ops *ops = bs_reporter_find(report->format);
	struct bs_err err = BS_ERR_INIT;

	settings.path = report->path ? report->path : ops->default_path;
	settings.profile = report->profile;
	if (bs_fanout_add(fanout, ops, &settings, &err) == 0)
		return true;
	fprintf(stderr, "backstep: %s\n", bs_err_text(&err));
	bs_err_release(&err);
	return false;
}

static bool profile_known(const struct bs_reporter_ops *ops, const char *profile)
{
	if (!profile || bs_reporter_has_profile(ops, profile))
		return true;
	if (ops->profiles) {
		fprintf(stderr, "backstep: %s has no profile '%s'; there are:", ops->name, profile);
		for (const char *const *known = ops->profiles; *known; known++)
			fprintf(stderr, " %s", *known);
		fputc('\n', stderr);
	} else {
		fprintf(stderr, "backstep: %s has no profiles, got '%s'\n", ops->name, profile);
	}
	return false;
}

bool bs_reports_known(const struct bs_options *options)
{
	for (size_t i = 0; i < options->report_count; i++) {
		const struct bs_report_option *report = &options->reports[i];
		const struct bs_reporter_ops *ops = bs_reporter_find(report->format);
		if (ops && !profile_known(ops, report->profile))
			return false;
		if (ops)
			continue;
		fprintf(stderr, "backstep: no such report format: '%s'; there are:", report->format);
		for (size_t k = 0; bs_reporter_at(k); k++)
			fprintf(stderr, " %s", bs_reporter_at(k)->name);
		fputc('\n', stderr);
		return false;
	}
	return true;
}

static void reporter_failed(void *ctx, const char *name, const struct bs_err *err)
{
	(void)ctx;
	fprintf(stderr, "backstep: report '%s' was not written: %s\n", name, bs_err_text(err));
}

static void list_reports(const struct bs_options *options)
{
	bool first = true;

	for (size_t i = 0; !options->quiet && i < options->report_count; i++) {
		const struct bs_report_option *report = &options->reports[i];
		const char *path = report->path ? report->path : bs_reporter_find(report->format)->default_path;
		if (path && strcmp(path, "-") != 0) {
			printf("%s%s", first ? "reports: " : ", ", path);
			first = false;
		}
	}
	if (!first)
		putchar('\n');
}

void bs_reports_open(struct bs_reports *reports, const struct bs_options *options)
{
	struct bs_reporter_options console = {0};
	char on_console[] = "console";

	*reports = (struct bs_reports){.fanout = bs_fanout_new()};
	console_options(options, &console);
	if (!options->quiet)
		reports->failed += !add_reporter(reports->fanout, &(struct bs_report_option){.format = on_console}, console);
	for (size_t i = 0; i < options->report_count; i++)
		reports->failed += !add_reporter(reports->fanout, &options->reports[i], console);
}

int bs_reports_close(struct bs_reports *reports, const struct bs_options *options, int status)
{
	unsigned failed = reports->failed + bs_fanout_close(reports->fanout, reporter_failed, NULL);

	list_reports(options);
	return failed && status < BS_EXIT_INTERNAL ? BS_EXIT_INTERNAL : status;
}
