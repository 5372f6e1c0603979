/* Bringing the world up to its root, and back to it. Executing is in execute.c. See world.h. */
#include "world.h"

#include "base/mem.h"
#include "base/now.h"
#include "base/port.h"
#include "execute.h"
#include "guard.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_KEPT ((size_t)64 << 10)
#define READY_ATTEMPT_MS 1000

static int make_workdir(struct bs_world *world, struct bs_err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *path = bs_xasprintf("%s/backstep-XXXXXX", tmp && *tmp ? tmp : "/tmp");

	if (!mkdtemp(path)) {
		int r = bs_err_set(err, BS_EIO, "cannot make a temporary directory '%s': %s", path,
				   strerror(errno));
		free(path);
		return r;
	}
	world->workdir = path;
	return bs_guard_start(path, err);
}

static int open_stores(struct bs_world *world, struct bs_err *err)
{
	const struct bs_model *model = world->model;

	if (world->options.stores) {
		world->stores = *world->options.stores;
		*world->options.stores = (struct bs_stores){0};
		return 0;
	}
	for (size_t i = 0; i < model->store_count; i++) {
		const struct bs_store_config *config = &model->stores[i];
		BS_AUTOFREE char *path = NULL;
		if (config->path)
			path = config->path[0] == '/' ? bs_xstrdup(config->path)
						      : bs_xasprintf("%s/%s", model->folder, config->path);
		struct bs_store_options options = {
			.name = config->name, .path = path, .url = config->url, .workdir = world->workdir,
			.in_place = config->in_place};
		if (bs_stores_add(&world->stores, config->driver, &options, err) < 0)
			return bs_err_wrap(err, "%s:%u:%u", config->at.file, config->at.line, config->at.column);
	}
	return 0;
}

static void take_log(struct bs_world *world)
{
	if (!world->app)
		return;
	char *text = bs_app_take_log(world->app, NULL);
	bs_buf_adds(&world->log, text);
	free(text);
}

/* The end of what the application printed, for errors about it. */
static char *last_lines(struct bs_world *world)
{
	take_log(world);
	const char *text = bs_buf_text(&world->log);
	size_t len = world->log.len;
	while (len && text[len - 1] == '\n')
		len--;
	size_t start = len;
	for (int lines = 0; start; start--)
		if (text[start - 1] == '\n' && ++lines == 10)
			break;
	struct bs_buf clean = BS_BUF_INIT;
	bs_buf_adds(&clean, len ? "; its last lines:" : "; it printed nothing");
	while (start < len) {
		const char *end = memchr(text + start, '\n', len - start);
		size_t n = end ? (size_t)(end - text) - start : len - start;
		bs_buf_adds(&clean, "\n  ");
		bs_buf_add(&clean, text + start, n);
		start += n + 1;
	}
	return bs_buf_take(&clean);
}

static struct bs_render render_for(const struct bs_world *world)
{
	return (struct bs_render){.model = world->model,
				  .stores = &world->stores,
				  .port = world->port,
				  .base_url = world->base_url};
}

static void free_strings(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

static int render_command(const struct bs_world *world, char ***ret_argv, char ***ret_env, struct bs_err *err)
{
	const struct bs_app_config *app = &world->model->app;
	struct bs_render render = render_for(world);
	char **argv = bs_xcalloc(app->command_count + 1, sizeof *argv);
	char **clock = world->clock ? bs_clock_env(world->clock, getenv("LD_PRELOAD")) : NULL;
	size_t count = 0;
	int r = 0;

	while (clock && clock[count])
		count++;
	char **env = bs_xcalloc(count + app->env.count + 1, sizeof *env);
	for (size_t i = 0; i < count; i++)
		env[i] = clock[i];
	free(clock);

	for (size_t i = 0; r == 0 && i < app->command_count; i++)
		r = bs_render_text(&render, &app->command[i], &argv[i], err);
	for (size_t i = 0; r == 0 && i < app->env.count; i++) {
		char *value = NULL;
		r = bs_render_text(&render, &app->env.items[i].value, &value, err);
		if (r == 0)
			env[count + i] = bs_xasprintf("%s=%s", app->env.items[i].name, value);
		free(value);
	}
	if (r < 0) {
		free_strings(argv);
		free_strings(env);
		return bs_err_set(err, BS_EMODEL, "app.command: %s", bs_err_text(err));
	}
	*ret_argv = argv;
	*ret_env = env;
	return 0;
}

static bool stopped(const struct bs_world *world)
{
	return world->options.stop && *world->options.stop;
}

static int not_ready(struct bs_world *world, const char *why, struct bs_err *err)
{
	BS_AUTOFREE char *lines = last_lines(world);

	return bs_err_set(err, BS_ETARGET, "the application did not start: %s%s", why, lines);
}

/* One attempt; true when the application answered as it should. ret_why tells what it did instead. */
static bool probe_ready(struct bs_world *world, char **ret_why)
{
	const struct bs_request *ready = world->model->app.ready;
	static const struct bs_segment root = {.text = "/", .len = 1};
	struct bs_request plain = {.method = "GET", .path = {.segments = (struct bs_segment *)&root, .count = 1}};
	struct bs_response response;
	struct bs_err err = BS_ERR_INIT;
	bool good = false;

	bs_response_init(&response);
	plain.timeout_ms = READY_ATTEMPT_MS;
	if (bs_execute_request(world, ready ? ready : &plain, NULL, NULL, NULL, &response, &err) < 0)
		*ret_why = bs_xstrdup(bs_err_text(&err));
	else if (response.exchange.outcome != BS_OUTCOME_RESPONSE)
		*ret_why = bs_xstrdup(response.exchange.error);
	else if (ready && (response.exchange.status < 200 || response.exchange.status > 299))
		*ret_why = bs_xasprintf("%s answered %d", response.exchange.url, response.exchange.status);
	else
		good = true;
	bs_response_release(&response);
	bs_err_release(&err);
	return good;
}

static int wait_ready(struct bs_world *world, uint64_t since_us, struct bs_err *err)
{
	uint64_t limit_us = (uint64_t)world->model->app.ready_timeout_ms * 1000;
	long pause_ms = 1;

	for (;;) {
		BS_AUTOFREE char *why = NULL;
		BS_AUTOFREE char *how = NULL;
		if (probe_ready(world, &why))
			break;
		if (stopped(world))
			return bs_err_set(err, BS_EINTERRUPTED, "interrupted while the application started");
		if (!bs_world_app_alive(world, &how))
			return not_ready(world, how, err);
		if (bs_now_us() - since_us > limit_us) {
			BS_AUTOFREE char *late = bs_xasprintf("not ready within %u ms (%s)",
							      world->model->app.ready_timeout_ms, why);
			return not_ready(world, late, err);
		}
		nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
		pause_ms = pause_ms < 50 ? pause_ms * 2 : 50;
	}
	world->ready_us = bs_now_us() - since_us;
	return 0;
}

static int start_app(struct bs_world *world, struct bs_err *err)
{
	const struct bs_app_config *app = &world->model->app;
	char **argv = NULL, **env = NULL;
	uint64_t since_us = bs_now_us();

	if (world->options.send)
		return 0;
	if (app->base_url) {
		if (!world->base_url)
			world->base_url = bs_xstrdup(app->base_url);
		return wait_ready(world, since_us, err);
	}
	if (bs_port_free(&world->port, err) < 0)
		return BS_ETARGET;
	free(world->base_url);
	world->base_url = bs_xasprintf("http://127.0.0.1:%u", world->port);
	int r = render_command(world, &argv, &env, err);
	if (r < 0)
		return r;
	struct bs_app_options options = {.argv = argv, .env = env, .folder = world->model->folder};
	r = bs_app_start(&options, &world->app, err);
	free_strings(argv);
	free_strings(env);
	if (r < 0)
		return r;
	world->starts++;
	r = wait_ready(world, since_us, err);
	if (r == 0 && world->clock && !bs_clock_loaded(bs_app_pid(world->app)))
		r = bs_err_set(err, BS_ETARGET,
			       "the application does not load libfaketime, so 'advance' cannot move its clock: it is linked "
			       "statically (as Go programs are), or its environment is cleared on the way");
	return r;
}

static void stop_app(struct bs_world *world)
{
	take_log(world);
	bs_app_stop(world->app);
	world->app = NULL;
	if (world->http)
		bs_http_disconnect(world->http);
}

int bs_world_set_clock(struct bs_world *world, uint64_t ahead_ms, struct bs_err *err)
{
	int r = 0;

	if (ahead_ms == world->ahead_ms)
		return 0;
	if (world->clock)
		r = bs_clock_set(world->clock, ahead_ms, err);
	else if (world->options.set_clock)
		world->options.set_clock(world->options.send_ctx, ahead_ms);
	if (r == 0)
		world->ahead_ms = ahead_ms;
	return r;
}

int bs_world_restart(struct bs_world *world, struct bs_err *err)
{
	if (world->options.send)
		return 0;
	stop_app(world);
	return start_app(world, err);
}

static int run_setup(struct bs_world *world, struct bs_err *err)
{
	for (size_t i = 0; i < world->model->setup_count; i++) {
		const struct bs_request *request = &world->model->setup[i];
		struct bs_step step;
		bs_step_init(&step);
		int r = bs_execute_step(world, request, BS_NO_OPERATION, world->root, 0, &step, err);
		if (r == 0 && !step.sent)
			r = bs_err_set(err, BS_ETARGET, "%s", step.reason);
		else if (r == 0 && step.expression_error)
			r = bs_err_set(err, BS_ETARGET, "%s", step.expression_error);
		else if (r == 0 && step.response.exchange.outcome != BS_OUTCOME_RESPONSE)
			r = bs_err_set(err, BS_ETARGET, "%s", step.response.exchange.error);
		else if (r == 0 && !step.succeeded)
			r = bs_err_set(err, BS_ETARGET, "it answered %d: %.200s", step.response.exchange.status,
				       step.response.exchange.body);
		if (r == 0) {
			bs_context_unref(world->root);
			world->root = bs_context_ref(step.context);
		}
		bs_step_release(&step);
		if (r < 0)
			return bs_err_wrap(err, "%s:%u:%u: setup", request->at.file, request->at.line,
					   request->at.column);
	}
	return 0;
}

/* Some stores are copied only while nobody uses them: then the application is stopped meanwhile. */
static int take_root(struct bs_world *world, struct bs_err *err)
{
	bool alone = bs_stores_snapshot_alone(&world->stores) && world->app;

	if (alone)
		stop_app(world);
	int r = bs_stores_snapshot(&world->stores, err);
	return r == 0 && alone ? start_app(world, err) : r;
}

static int bring_up(struct bs_world *world, struct bs_err *err)
{
	int r = 0;

	if (!world->options.send) {
		r = bs_http_new(world->options.stop, &world->http, err);
		if (r == 0)
			r = make_workdir(world, err);
	} else {
		world->base_url = bs_xstrdup("http://127.0.0.1");
	}
	if (r == 0 && world->model->moves_clock && !world->options.send)
		r = bs_clock_new(world->workdir, &world->clock, err);
	if (r == 0)
		r = open_stores(world, err);
	if (r == 0 && !world->options.send)
		r = bs_stores_clone(&world->stores, err);
	if (r == 0)
		r = start_app(world, err);
	if (r == 0)
		r = run_setup(world, err);
	if (r == 0)
		r = take_root(world, err);
	if (r == 0)
		r = bs_stores_begin(&world->stores, err);
	return r;
}

int bs_world_open(const struct bs_model *model, const struct bs_world_options *options,
		  struct bs_world **ret_world, struct bs_err *err)
{
	struct bs_world *world = bs_xcalloc(1, sizeof *world);

	world->model = model;
	world->options = *options;
	world->root = bs_context_new(model->var_count);
	bs_buf_init(&world->log, LOG_KEPT);
	int r = bring_up(world, err);
	if (r < 0) {
		bs_world_close(world);
		return r;
	}
	*ret_world = world;
	return 0;
}

void bs_world_close(struct bs_world *world)
{
	if (!world)
		return;
	stop_app(world);
	bs_stores_close(&world->stores);
	bs_http_free(world->http);
	bs_clock_free(world->clock);
	if (world->workdir)
		bs_guard_end(); /* removes the work directory */
	free(world->workdir);
	free(world->base_url);
	bs_context_unref(world->root);
	bs_buf_release(&world->log);
	free(world);
}

static int recover_store(struct bs_world *world, size_t i,
			 void (*told)(void *ctx, const char *store, const char *text), void *ctx, struct bs_err *err)
{
	struct bs_store *store = world->stores.items[i];
	const char *text;
	int r = store->ops->recover ? store->ops->recover(store, err) : 0;

	if (r < 0)
		return bs_err_wrap(err, "store '%s'", world->stores.names[i]);
	for (size_t w = 0; told && store->ops->warning && (text = store->ops->warning(store, w)); w++)
		told(ctx, world->stores.names[i], text);
	return 0;
}

int bs_world_recover(const struct bs_model *model, void (*told)(void *ctx, const char *store, const char *text), void *ctx,
		     struct bs_err *err)
{
	struct bs_world *world = bs_xcalloc(1, sizeof *world);

	world->model = model;
	world->root = bs_context_new(model->var_count);
	bs_buf_init(&world->log, LOG_KEPT);
	int r = make_workdir(world, err);
	if (r == 0)
		r = open_stores(world, err);
	for (size_t i = 0; r == 0 && i < world->stores.count; i++)
		r = recover_store(world, i, told, ctx, err);
	bs_world_close(world);
	return r;
}

static int send_reset(struct bs_world *world, struct bs_err *err)
{
	struct bs_response response;

	bs_response_init(&response);
	int r = bs_execute_request(world, world->model->app.reset, NULL, NULL, NULL, &response, err);
	if (r == 0 && (response.exchange.outcome != BS_OUTCOME_RESPONSE || response.exchange.status < 200 ||
		       response.exchange.status > 299))
		r = bs_err_set(err, BS_ETARGET, "app.reset was answered with %d %s", response.exchange.status,
			       response.exchange.error ? response.exchange.error : "");
	bs_response_release(&response);
	return r;
}

/* Of an application that is not ours to start: what its reset wrote to a store is put back with the rest. */
static int reset(struct bs_world *world, struct bs_err *err)
{
	int r = world->model->app.reset ? send_reset(world, err) : 0;

	if (r == 0 && world->stores.count)
		r = bs_stores_clone(&world->stores, err);
	if (r == 0 && world->stores.count)
		r = bs_stores_begin(&world->stores, err);
	return r;
}

int bs_world_clean_start(struct bs_world *world, struct bs_err *err)
{
	int r = 0;

	if (world->model->app.base_url)
		return reset(world, err);
	if (!world->options.send)
		stop_app(world);
	r = bs_stores_clone(&world->stores, err);
	if (r == 0)
		r = bs_world_set_clock(world, 0, err);
	if (r == 0)
		r = start_app(world, err);
	if (r == 0)
		r = bs_stores_begin(&world->stores, err);
	return r;
}

bool bs_world_can_restart(const struct bs_world *world)
{
	return !world->model->app.base_url || world->model->app.reset;
}

bool bs_world_app_alive(struct bs_world *world, char **ret_how)
{
	if (!world->app)
		return !world->model->app.command || world->options.send;
	return bs_app_alive(world->app, ret_how);
}
