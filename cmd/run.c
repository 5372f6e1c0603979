/* backstep run: a model, its reporters, and the exit status. */
#include "cmd.h"

#include "base/mem.h"
#include "model/model.h"
#include "place.h"
#include "revision.h"
#include "run.h"

#include <backstep/reporter.h>
#include <backstep/run.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool number(const char *name, const char *text, uint64_t max, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || end == text || text[0] == '-' || value > max) {
		fprintf(stderr, "backstep: --%s takes a whole number, got '%s'\n", name, text);
		return false;
	}
	*ret_value = value;
	return true;
}

static bool duration_ms(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
	char *end;
	double value = strtod(text, &end);

	for (size_t i = 0; end != text && value >= 0 && value < 1e9 && i < BS_COUNT(units); i++)
		if (strcmp(end, units[i].unit) == 0) {
			*ret_ms = (uint64_t)(value * units[i].ms);
			return true;
		}
	fprintf(stderr, "backstep: --time takes a duration such as 30s, 5m or 500ms, got '%s'\n", text);
	return false;
}

static bool choose_gate(const char *text, struct bs_model *model)
{
	model->gate_never = strcmp(text, "never") == 0;
	if (model->gate_never)
		return true;
	for (int s = BS_LOW; s <= BS_CRITICAL; s++)
		if (strcmp(text, bs_severity_name((enum bs_severity)s)) == 0) {
			model->gate_severity = (enum bs_severity)s;
			return true;
		}
	fprintf(stderr, "backstep: --fail-on takes critical, high, medium, low or never, got '%s'\n", text);
	return false;
}

/* The command line has the last word. */
static bool override(const struct bs_options *options, struct bs_model *model)
{
	struct bs_explore_config *explore = &model->explore;
	uint64_t depth = explore->max_depth;

	if (options->seed && !number("seed", options->seed, UINT64_MAX, &explore->seed))
		return false;
	if (options->max_steps && !number("max-steps", options->max_steps, UINT64_MAX, &explore->max_steps))
		return false;
	if (options->max_depth && !number("max-depth", options->max_depth, 1000000, &depth))
		return false;
	explore->max_depth = (uint32_t)depth;
	if (options->time && !duration_ms(options->time, &explore->time_ms))
		return false;
	if (options->strategy) {
		if (strcmp(options->strategy, "bfs") != 0 && strcmp(options->strategy, "dfs") != 0) {
			fprintf(stderr, "backstep: --strategy takes bfs or dfs, got '%s'\n", options->strategy);
			return false;
		}
		explore->strategy = options->strategy[0] == 'b' ? BS_BFS : BS_DFS;
	}
	return !options->fail_on || choose_gate(options->fail_on, model);
}

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

static bool formats_known(const struct bs_options *options)
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

int bs_run_model(const struct bs_options *options, struct bs_model *model)
{
	struct bs_fanout *fanout = bs_fanout_new();
	struct bs_reporter_options console = {0};
	struct bs_run_options run = {.stop = &bs_stop};
	struct bs_run_result result;
	struct bs_err err = BS_ERR_INIT;
	char on_console[] = "console";
	unsigned failed = 0;
	BS_AUTOFREE char *revision = NULL;
	BS_AUTOFREE char *branch = NULL;
	BS_AUTOFREE char *shown = bs_place_of_model(model->folder, model->path);

	bs_model_show_as(model, shown);
	bs_find_revision(model->folder, &revision, &branch);
	run.revision = revision;
	run.branch = branch;
	console_options(options, &console);
	if (!options->quiet)
		failed += !add_reporter(fanout, &(struct bs_report_option){.format = on_console}, console);
	for (size_t i = 0; i < options->report_count; i++)
		failed += !add_reporter(fanout, &options->reports[i], console);
	bs_catch_signals();
	run.sink = bs_fanout_sink(fanout);
	int r = bs_run(model, &run, &result, &err);
	failed += bs_fanout_close(fanout, reporter_failed, NULL);
	list_reports(options);
	if (r < 0)
		fprintf(stderr, "backstep: %s\n", bs_err_text(&err));
	bs_err_release(&err);
	return failed && result.exit_status < BS_EXIT_INTERNAL ? BS_EXIT_INTERNAL : result.exit_status;
}

int bs_cmd_run(const struct bs_options *options)
{
	int status;

	if (options->operand_count != 1) {
		fprintf(stderr, "backstep: which model? usage: backstep run MODEL\n");
		return BS_EXIT_USAGE;
	}
	if (!formats_known(options))
		return BS_EXIT_USAGE;
	struct bs_model *model = bs_load_model(options->operands[0], &status);
	if (!model)
		return status;
	status = override(options, model) ? bs_run_model(options, model) : BS_EXIT_USAGE;
	bs_model_free(model);
	return status;
}
