/* The reporters of the command line. See reports.h. */
#include "reports.h"

#include "base/mem.h"

#include <errno.h>
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
	console->job_log = bs_in_github_actions();
	console->tty = tty;
	if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		console->width = size.ws_col;
	console->color = strcmp(options->color, "always") == 0 ||
			 (strcmp(options->color, "auto") == 0 && tty && !(no_color && *no_color));
}

/* The file behind the summary of a GitHub job's step, which GitHub makes; NULL: there is none. */
static const char *job_summary(void)
{
	const char *path = bs_in_github_actions() ? getenv("GITHUB_STEP_SUMMARY") : NULL;

	return path && *path ? path : NULL;
}

static const char *path_of(const struct bs_report_option *report)
{
	if (report->path)
		return report->path;
	if (strcmp(report->format, "markdown") == 0 && job_summary())
		return job_summary();
	return bs_reporter_find(report->format)->default_path;
}

/* A step's summary may hold what others wrote before. */
static bool is_job_summary(const struct bs_report_option *report)
{
	const char *path = path_of(report), *summary = job_summary();

	return path && summary && strcmp(report->format, "markdown") == 0 && strcmp(path, summary) == 0;
}

static bool add_reporter(struct bs_fanout *fanout, const struct bs_report_option *report,
			 struct bs_reporter_options settings)
{
	const struct bs_reporter_ops *ops = bs_reporter_find(report->format);
	struct bs_err err = BS_ERR_INIT;

	settings.path = path_of(report);
	settings.append = is_job_summary(report);
	settings.profile = report->profile;
	if (bs_fanout_add(fanout, ops, &settings, &err) == 0)
		return true;
	bs_complain("backstep: %s", bs_err_text(&err));
	bs_err_release(&err);
	return false;
}

static bool profile_known(const struct bs_reporter_ops *ops, const char *profile)
{
	if (!profile || bs_reporter_has_profile(ops, profile))
		return true;
	if (ops->profiles) {
		fprintf(stderr, "backstep: %s has no profile '%s'; there are:", ops->name, profile);
		for (const struct bs_reporter_profile *known = ops->profiles; known->name; known++)
			fprintf(stderr, " %s", known->name);
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
	bs_complain("backstep: report '%s' was not written: %s", name, bs_err_text(err));
}

static void list_reports(const struct bs_options *options)
{
	bool first = true;

	for (size_t i = 0; !options->quiet && i < options->report_count; i++) {
		const struct bs_report_option *report = &options->reports[i];
		const char *path = path_of(report);
		if (path && strcmp(path, "-") != 0) {
			printf("%s%s", first ? "reports: " : ", ", is_job_summary(report) ? "the job summary" : path);
			first = false;
		}
	}
	if (!first)
		putchar('\n');
}

static bool named(const struct bs_options *options, const char *format)
{
	for (size_t i = 0; i < options->report_count; i++)
		if (strcmp(options->reports[i].format, format) == 0)
			return true;
	return false;
}

/* Whether another program may read what is printed. */
static bool printed(const struct bs_options *options)
{
	for (size_t i = 0; i < options->report_count; i++)
		if (options->reports[i].path && strcmp(options->reports[i].path, "-") == 0)
			return true;
	return false;
}

/* Nobody asked for these by name, so what prevents them fails no run. */
static void add_github(struct bs_reports *reports, const struct bs_options *options,
		       const struct bs_reporter_options *settings)
{
	char annotations[] = "github", summary[] = "markdown";
	const char *path = job_summary();

	if (!named(options, annotations) && !printed(options))
		reports->failed += !add_reporter(reports->fanout, &(struct bs_report_option){.format = annotations}, *settings);
	if (named(options, summary) || !path)
		return;
	if (access(path, W_OK) == 0)
		reports->failed += !add_reporter(reports->fanout, &(struct bs_report_option){.format = summary}, *settings);
	else
		bs_complain("backstep: no job summary: cannot write '%s': %s", path, strerror(errno));
}

void bs_reports_open(struct bs_reports *reports, const struct bs_options *options, bool by_default)
{
	struct bs_reporter_options console = {0};
	char on_console[] = "console";

	*reports = (struct bs_reports){.fanout = bs_fanout_new()};
	console_options(options, &console);
	if (!options->quiet)
		reports->failed += !add_reporter(reports->fanout, &(struct bs_report_option){.format = on_console}, console);
	for (size_t i = 0; i < options->report_count; i++)
		reports->failed += !add_reporter(reports->fanout, &options->reports[i], console);
	if (by_default && bs_in_github_actions() && !options->no_github)
		add_github(reports, options, &console);
}

int bs_reports_close(struct bs_reports *reports, const struct bs_options *options, int status)
{
	unsigned failed = reports->failed + bs_fanout_close(reports->fanout, reporter_failed, NULL);

	list_reports(options);
	return failed && status < BS_EXIT_INTERNAL ? BS_EXIT_INTERNAL : status;
}
