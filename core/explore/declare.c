/* What a run declares before anything happens. See run_parts.h. */
#include "run_parts.h"

#include "base/mem.h"

#include <time.h>

/* A template as it was written. */
static char *template_text(const struct bs_template *template)
{
	struct bs_buf out = BS_BUF_INIT;

	for (size_t i = 0; i < template->count; i++)
		bs_buf_addf(&out, template->segments[i].placeholder ? "${%.*s}" : "%.*s",
			    (int)template->segments[i].len, template->segments[i].text);
	return bs_buf_take(&out);
}

char *bs_run_command(const struct bs_app_config *app)
{
	struct bs_buf out = BS_BUF_INIT;

	for (size_t i = 0; i < app->command_count; i++) {
		BS_AUTOFREE char *word = template_text(&app->command[i]);
		bs_buf_addf(&out, "%s%s", i ? " " : "", word);
	}
	return bs_buf_take(&out);
}

static void declare_action(struct bs_one_run *run, size_t index)
{
	const struct bs_model *model = run->model;
	const struct bs_action *action = &model->actions[index];
	BS_AUTOFREE char *path = template_text(&action->request.path);
	BS_AUTOFREE const char **labels = bs_xcalloc(model->operation_count, sizeof *labels);
	size_t count = 0;

	for (size_t i = 0; i < model->operation_count; i++)
		if (model->operations[i].action == index)
			labels[count++] = model->operations[i].label;
	struct bs_event event = {.kind = BS_EVENT_ACTION_DECLARED,
				 .action = {.name = action->name,
					    .title = action->title,
					    .method = action->request.method,
					    .path = path,
					    .at = bs_model_place(model, action->at),
					    .operations = labels,
					    .operation_count = count}};
	bs_run_emit(run, &event);
}

static void declare_rules(struct bs_one_run *run)
{
	struct bs_rules rules;

	bs_rules_init(&rules, run->model);
	for (size_t i = 0; i < rules.count; i++) {
		const struct bs_rule *rule = &rules.items[i];
		struct bs_event event = {.kind = BS_EVENT_INVARIANT_DECLARED,
					 .invariant = {.name = rule->name,
						       .title = rule->title,
						       .kind = rule->oracle ? "oracle" : "invariant",
						       .severity = bs_severity_name(rule->severity),
						       .rule = rule->text,
						       .at = bs_model_place(run->model, rule->at)}};
		bs_run_emit(run, &event);
	}
	bs_rules_release(&rules);
}

void bs_run_declare(struct bs_one_run *run)
{
	const struct bs_model *model = run->model;
	char started[32];
	time_t now = time(NULL);
	struct tm utc;
	BS_AUTOFREE char *command = bs_run_command(&model->app);

	strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	struct bs_event start = {.kind = BS_EVENT_STREAM_START,
				 .stream_start = {.tool = "backstep", .version = BS_VERSION}};
	bs_run_emit(run, &start);
	struct bs_event event = {
		.kind = BS_EVENT_RUN_START,
		.run_start = {.model = model->shown_path,
			      .model_name = model->name,
			      .model_sha256 = model->sha256,
			      .seed = model->explore.seed,
			      .target = model->app.base_url ? model->app.base_url : command,
			      .strategy = model->explore.strategy == BS_BFS ? "bfs" : "dfs",
			      .max_depth = model->explore.max_depth,
			      .max_steps = model->explore.max_steps,
			      .time_ms = model->explore.time_ms,
			      .revision = run->options->revision,
			      .branch = run->options->branch,
			      .repository = run->options->repository,
			      .started = started,
			      .gate = model->gate_never ? "never" : bs_severity_name(model->gate_severity)}};
	bs_run_emit(run, &event);
	for (size_t i = 0; i < model->action_count; i++)
		declare_action(run, i);
	declare_rules(run);
}
