/* backstep run: a model, its reporters, and the exit status. */
#include "cmd.h"

#include "base/mem.h"
#include "model/model.h"
#include "place.h"
#include "reports.h"
#include "revision.h"
#include "run.h"

#include <backstep/run.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

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

int bs_run_model(const struct bs_options *options, struct bs_model *model)
{
	struct bs_run_options run = {.stop = &bs_stop};
	struct bs_reports reports;
	struct bs_run_result result;
	struct bs_err err = BS_ERR_INIT;
	struct bs_revision revision;
	BS_AUTOFREE char *shown = bs_place_of_model(model->folder, model->path);

	bs_model_show_as(model, shown);
	bs_find_revision(model->folder, &revision);
	run.revision = revision.id;
	run.branch = revision.branch;
	run.repository = revision.repository;
	bs_reports_open(&reports, options, true);
	bs_catch_signals();
	run.sink = bs_fanout_sink(reports.fanout);
	int r = bs_run(model, &run, &result, &err);
	int status = bs_reports_close(&reports, options, result.exit_status);
	if (r < 0)
		bs_complain("backstep: %s", bs_err_text(&err));
	bs_err_release(&err);
	bs_revision_release(&revision);
	return status;
}

int bs_cmd_run(const struct bs_options *options)
{
	int status;

	if (options->operand_count != 1) {
		fprintf(stderr, "backstep: which model? usage: backstep run MODEL\n");
		return BS_EXIT_USAGE;
	}
	if (!bs_reports_known(options))
		return BS_EXIT_USAGE;
	struct bs_model *model = bs_load_model(options->operands[0], &status);
	if (!model)
		return status;
	status = override(options, model) ? bs_run_model(options, model) : BS_EXIT_USAGE;
	bs_model_free(model);
	return status;
}
