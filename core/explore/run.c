/*
 * One run from the model to run.end: declare, bring up the world, self-check, explore, judge the
 * suspects, decide the gate. Whatever happens on the way, run.end is emitted and the world is closed.
 */
#include "run_parts.h"

#include "base/mem.h"
#include "base/now.h"

/* What must not be shown though no ${env.NAME} says so: a password in a store's url. */
static void hide_secrets(struct bs_one_run *run)
{
	for (size_t i = 0; i < run->model->store_count; i++) {
		const struct bs_store_config *config = &run->model->stores[i];
		const struct bs_store_ops *ops = bs_store_driver(config->driver);
		BS_AUTOFREE char *secret = ops && ops->secret && config->url ? ops->secret(config->url) : NULL;
		BS_AUTOFREE char *label = bs_xasprintf("stores.%s", config->name);
		bs_redactor_add(run->redactor, secret, label);
	}
}

static int bring_up(struct bs_one_run *run, struct bs_err *err)
{
	struct bs_world_options options = run->options->world ? *run->options->world : (struct bs_world_options){0};
	BS_AUTOFREE char *command = bs_run_command(&run->model->app);

	options.stop = run->options->stop;
	bs_run_phase(run, true, "start", NULL, NULL);
	int r = bs_world_open(run->model, &options, &run->world, err);
	if (r < 0)
		return r;
	struct bs_event event = {.kind = BS_EVENT_APP_READY,
				 .app_ready = {.command = run->model->app.base_url ? NULL : command,
					       .base_url = run->world->base_url,
					       .ready_us = run->world->ready_us}};
	bs_run_emit(run, &event);
	bs_run_phase(run, false, "start", NULL, NULL);
	return 0;
}

static void emit_warnings(struct bs_one_run *run, size_t store)
{
	struct bs_store *s = run->world->stores.items[store];
	const char *text;

	for (size_t i = 0; s->ops->warning && (text = s->ops->warning(s, i)); i++)
		bs_explorer_warn(&run->explorer, "store", run->model->stores[store].at, NULL, "store '%s': %s",
				 run->model->stores[store].name, text);
}

static void emit_stores(struct bs_one_run *run, const char *self_check)
{
	for (size_t i = 0; i < run->model->store_count; i++) {
		struct bs_store *store = run->world->stores.items[i];
		struct bs_store_stats stats;
		const struct bs_store_config *config = &run->model->stores[i];
		store->ops->stats(store, &stats);
		struct bs_event event = {.kind = BS_EVENT_STORE_READY,
					 .store_ready = {.name = config->name,
							 .driver = config->driver,
							 .mechanism = stats.mechanism,
							 .size_bytes = stats.size_bytes,
							 .location = stats.location ? stats.location : config->path,
							 .self_check = self_check}};
		bs_run_emit(run, &event);
		emit_warnings(run, i);
	}
}

static int self_check(struct bs_one_run *run, struct bs_err *err)
{
	BS_AUTOFREE char *text = NULL;

	bs_run_phase(run, true, "self-check", NULL, NULL);
	int r = bs_explorer_self_check(&run->explorer, &text, err);
	if (r == 0) {
		emit_stores(run, text);
		bs_explorer_tell_mechanisms(&run->explorer);
		bs_run_phase(run, false, "self-check", text, NULL);
	}
	return r;
}

static int explore(struct bs_one_run *run, struct bs_err *err)
{
	int r = bs_explorer_root(&run->explorer, err);

	if (r == 0)
		r = self_check(run, err);
	if (r < 0)
		return r;
	bs_run_phase(run, true, "explore", NULL, NULL);
	r = bs_explorer_run(&run->explorer, err);
	bs_run_phase(run, false, "explore", bs_run_limit(run), NULL);
	if (r < 0)
		return r;
	if (run->explorer.limit == BS_LIMIT_INTERRUPTED)
		return bs_err_set(err, BS_EINTERRUPTED, "interrupted");
	r = bs_run_judge(run, err);
	bs_explorer_tell_mechanisms(&run->explorer);
	return r;
}

int bs_run(const struct bs_model *model, const struct bs_run_options *options, struct bs_run_result *ret_result,
	   struct bs_err *err)
{
	struct bs_one_run run = {.model = model, .options = options, .since_us = bs_now_us()};
	struct bs_err own = BS_ERR_INIT;

	run.redactor = bs_redactor_new();
	bs_secrets_init(&run.secrets, model, run.redactor);
	hide_secrets(&run);
	bs_emitter_init(&run.emitter, options->sink, run.redactor);
	bs_run_declare(&run);
	int r = bring_up(&run, &own);
	if (r == 0) {
		bs_explorer_init(&run.explorer, model, run.world, &run.emitter, options->stop);
		run.explorer.secrets = &run.secrets;
		run.exploring = true;
		r = explore(&run, &own);
		bs_run_findings(&run); /* what was judged by then, also when the run ends early */
	}
	bs_run_conclude(&run, r, &own, ret_result);
	if (r < 0) { /* the caller prints it: what the application said last stands in it */
		BS_AUTOFREE char *text = bs_redact_text(run.redactor, bs_err_text(&own));
		bs_err_set(err, (enum bs_code)r, "%s", text);
	}
	bs_finder_release(&run.finder);
	if (run.exploring)
		bs_explorer_release(&run.explorer);
	bs_world_close(run.world);
	bs_secrets_release(&run.secrets);
	bs_redactor_free(run.redactor);
	bs_err_release(&own);
	return r;
}
