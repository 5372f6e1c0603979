/*
 * The application and its stores. A store is cloned for the run, so the one mistake that would be expensive is
 * refused here: an application that is not told of the clone writes to the original.
 */
#include "loader.h"

#include "base/buf.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static const struct bs_place in_app = {BS_AT_APP, 0};

/* --- Stores ---------------------------------------------------------------------------------------- */

/* What each driver is told of: a path or a url. */
static const struct driver {
	const char *name;
	bool has_url;
	bool needs_place; /* without one there is nothing */
	bool in_place;    /* may work on the original itself */
	const char *place; /* what is missing then */
} drivers[] = {
	{"sqlite", false, true, false, "the database's file"},
	{"postgres", true, true, true, "postgresql://USER@HOST:PORT/DATABASE, or \"${env.DATABASE_URL}\""},
	{"redis", true, false, true, "redis://HOST:PORT/N, or \"${env.REDIS_URL}\""}, /* or begins empty */
	{"files", false, true, false, "the directory that the application writes"},
};

static const struct driver *driver_of(const char *name)
{
	for (size_t i = 0; name && i < BS_COUNT(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return NULL;
}

const char *bs_driver_property(const char *driver)
{
	const struct driver *known = driver_of(driver);

	return known && known->has_url ? "url" : "path";
}

static const struct driver *read_driver(struct bs_loader *l, const struct bs_yaml *map, const struct bs_yaml *key,
					struct bs_store_config *store)
{
	static const char *const later[] = {"calls"};
	const char *names[BS_COUNT(drivers) + 1] = {NULL};
	const struct bs_yaml *node = bs_yaml_get(map, "driver");
	size_t choice;

	if (!node) {
		bs_problem_add(l->problems, key->at, "store '%s' has no driver; add `driver: sqlite`", store->name);
		return NULL;
	}
	for (size_t i = 0; node->kind == BS_Y_SCALAR && i < BS_COUNT(later); i++)
		if (strcmp(later[i], node->text) == 0) {
			bs_problem_add(l->problems, node->at, "driver '%s' is not supported yet; there are sqlite, postgres, "
				       "redis and files", node->text);
			return NULL;
		}
	for (size_t i = 0; i < BS_COUNT(drivers); i++)
		names[i] = drivers[i].name;
	if (!bs_read_choice(l, node, "driver", names, &choice))
		return NULL;
	store->driver = drivers[choice].name;
	return &drivers[choice];
}

/* ${env.NAME} only, filled in here: the store is opened before there is any context. */
static const char *read_url(struct bs_loader *l, const struct bs_yaml *node)
{
	struct bs_template template;
	struct bs_buf text = BS_BUF_INIT;

	if (!bs_read_template(l, node, in_app, "'url'", &template))
		return NULL;
	for (size_t i = 0; i < template.count; i++) {
		const struct bs_segment *s = &template.segments[i];
		BS_AUTOFREE char *name = bs_xstrndup(s->text, s->len);
		const char *value = strncmp(name, "env.", 4) == 0 ? getenv(name + 4) : NULL;
		if (!s->placeholder)
			bs_buf_add(&text, s->text, s->len);
		else if (value)
			bs_buf_adds(&text, value);
		else if (strncmp(name, "env.", 4) != 0)
			bs_problem_add(l->problems, node->at, "'url' takes ${env.NAME} only; got '${%s}'", name);
	}
	const char *url = bs_arena_dup(l->arena, bs_buf_text(&text), text.len);
	bs_buf_release(&text);
	return url;
}

/* Where the data is: a path or a url, as the driver has it. */
static void read_place(struct bs_loader *l, const struct bs_yaml *map, const struct bs_yaml *key, const char *what,
		       const struct driver *driver, struct bs_store_config *store)
{
	const struct bs_yaml *path = bs_yaml_get(map, "path"), *url = bs_yaml_get(map, "url");
	const struct bs_yaml *in_place = bs_yaml_get(map, "in_place");
	const struct bs_yaml *wrong = driver->has_url ? path : url;
	bool missing = driver->has_url ? !url : !path;

	if (path)
		bs_read_text(l, path, "'path'", &store->path);
	if (url)
		store->url = read_url(l, url);
	if (in_place && driver->in_place)
		bs_read_bool(l, in_place, "'in_place'", &store->in_place);
	else if (in_place)
		bs_problem_add(l->problems, in_place->at, "a %s store is always cloned; remove in_place", driver->name);
	if (missing && (driver->needs_place || store->in_place))
		bs_problem_add(l->problems, key->at, "%s has no %s; add %s", what, bs_driver_property(driver->name),
			       driver->place);
	if (wrong)
		bs_problem_add(l->problems, wrong->at, "a %s store has a %s and no %s", driver->name,
			       driver->has_url ? "url" : "path", driver->has_url ? "path" : "url");
}

static void read_store(struct bs_loader *l, const struct bs_yaml_pair *pair)
{
	static const char *const keys[] = {"driver", "path", "url", "ignore", "in_place", NULL};
	struct bs_store_config *store = &l->model->stores[l->model->store_count++];
	const struct bs_yaml *map = pair->value, *node;
	BS_AUTOFREE char *what = bs_xasprintf("store '%s'", pair->key->text);

	store->name = pair->key->text;
	store->at = pair->key->at;
	bs_read_name(l, pair->key, "a store");
	if (!bs_read_map(l, map, what))
		return;
	bs_read_keys(l, map, what, keys);
	const struct driver *driver = read_driver(l, map, pair->key, store);
	if (driver)
		read_place(l, map, pair->key, what, driver, store);
	if ((node = bs_yaml_get(map, "ignore")))
		bs_read_columns(l, node, "'ignore'", &store->masked_columns, &store->masked_count);
}

static void read_stores(struct bs_loader *l, const struct bs_yaml *node)
{
	if (!node || !bs_read_map(l, node, "'stores'"))
		return;
	l->model->stores = bs_arena_alloc(l->arena, node->count * sizeof *l->model->stores);
	for (size_t i = 0; i < node->count; i++)
		read_store(l, &node->pairs[i]);
}

static bool mentions(const struct bs_template *template, const char *store)
{
	size_t len = strlen(store);

	for (size_t i = 0; i < template->count; i++) {
		const struct bs_segment *s = &template->segments[i];
		if (s->placeholder && s->len > 7 + len && memcmp(s->text, "stores.", 7) == 0 &&
		    memcmp(s->text + 7, store, len) == 0 && s->text[7 + len] == '.')
			return true;
	}
	return false;
}

static void check_told(struct bs_loader *l, const struct bs_store_config *store)
{
	const struct bs_app_config *app = &l->model->app;
	bool told = !store->driver || store->in_place; /* that is a problem already; there is no clone to be told of */
	const struct driver *driver = driver_of(store->driver);

	if (app->base_url && !store->in_place) {
		bs_problem_add(l->problems, store->at,
			       "a store needs an application that Backstep starts; replace app.base_url by app.command%s",
			       driver && driver->in_place ? ", or let the run work on the data itself with in_place: true" : "");
		return;
	}
	for (size_t i = 0; i < app->command_count; i++) /* a broken one (at nowhere) may well have told */
		told |= mentions(&app->command[i], store->name) || !app->command[i].at.line;
	for (size_t i = 0; i < app->env.count; i++)
		told |= mentions(&app->env.items[i].value, store->name);
	if (!told && app->command_count)
		bs_problem_add(l->problems, store->at,
			       "the application is not told of store '%s': it would write to the original; use "
			       "${stores.%s.%s} in app.command or app.env",
			       store->name, store->name, bs_driver_property(store->driver));
}

/* --- The application ------------------------------------------------------------------------------- */

static void read_command(struct bs_loader *l, const struct bs_yaml *node, struct bs_app_config *app)
{
	if (node->kind != BS_Y_LIST || node->count == 0) {
		bs_problem_add(l->problems, node->at,
			       "app.command must be a list, the program and its arguments: [./app, --port, \"${port}\"]; "
			       "got %s", node->kind == BS_Y_LIST ? "an empty list" : bs_yaml_describe(l->arena, node));
		return;
	}
	app->command = bs_arena_alloc(l->arena, node->count * sizeof *app->command);
	app->command_count = node->count;
	for (size_t i = 0; i < node->count; i++)
		bs_read_template(l, node->items[i], in_app, "an argument of app.command", &app->command[i]);
}

static bool loopback(const char *host)
{
	struct in_addr address;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* scheme://host[:port][/path]; no user, no query. The host in the arena, or NULL. */
static const char *host_of(struct bs_arena *arena, const char *url)
{
	size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
	const char *host = url + scheme;
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#@");

	if (!scheme || len > strlen(host) || len == 0 || url[strcspn(url, "@?# ")])
		return NULL;
	const char *rest = host + len;
	if (*rest == ':') {
		size_t digits = strspn(rest + 1, "0123456789");
		if (digits == 0 || digits > 5 || strtol(rest + 1, NULL, 10) > 65535)
			return NULL;
		rest += 1 + digits;
	}
	return *rest && *rest != '/' ? NULL : bs_arena_dup(arena, host, len);
}

static void read_base_url(struct bs_loader *l, const struct bs_yaml *node, struct bs_app_config *app)
{
	const char *url;

	if (!bs_read_text(l, node, "app.base_url", &url))
		return;
	const char *host = host_of(l->arena, url);
	size_t len = strlen(url);
	app->base_url = url;
	if (!host)
		bs_problem_add(l->problems, node->at, "app.base_url must be http://HOST[:PORT]; got '%s'", url);
	else if (!loopback(host))
		bs_problem_add(l->problems, node->at,
			       "'%s': not a loopback host; Backstep sends to 127.0.0.1, localhost or [::1] only", host);
	while (len && url[len - 1] == '/') /* paths begin with one */
		len--;
	app->base_url = bs_arena_dup(l->arena, url, len);
}

static struct bs_request *read_one(struct bs_loader *l, const struct bs_yaml *node, const char *what)
{
	struct bs_request *request = bs_arena_alloc(l->arena, sizeof *request);

	bs_read_request(l, node, BS_OF_APP, in_app, what, request);
	return request;
}

static void check_start(struct bs_loader *l, const struct bs_yaml *map)
{
	const struct bs_yaml *command = bs_yaml_get(map, "command"), *url = bs_yaml_get(map, "base_url");

	if (command && url)
		bs_problem_add(l->problems, url->at, "'app' has 'command' and 'base_url'; remove one");
	else if (!command && !url)
		bs_problem_add(l->problems, l->model->app.at,
			       "'app' has no command; add the program that Backstep starts, or the base_url of one "
			       "that runs");
}

static void read_app(struct bs_loader *l, const struct bs_yaml *map)
{
	static const char *const keys[] = {"command", "base_url", "env", "ready", "ready_timeout", "reset", "rollback",
					   NULL};
	static const char *const ways[] = {"stores", "restart", NULL};
	size_t way;
	struct bs_app_config *app = &l->model->app;
	const struct bs_yaml *node;

	bs_read_keys(l, map, "'app'", keys);
	check_start(l, map);
	if ((node = bs_yaml_get(map, "command")))
		read_command(l, node, app);
	if ((node = bs_yaml_get(map, "base_url")))
		read_base_url(l, node, app);
	if ((node = bs_yaml_get(map, "env")))
		bs_read_fields(l, node, in_app, "app.env", false, &app->env);
	if ((node = bs_yaml_get(map, "ready")))
		app->ready = read_one(l, node, "'ready'");
	if ((node = bs_yaml_get(map, "reset")))
		app->reset = read_one(l, node, "'reset'");
	if ((node = bs_yaml_get(map, "rollback")) && bs_read_choice(l, node, "app.rollback", ways, &way)) {
		app->restart_undoes = way == 1;
		if (way == 1 && app->base_url)
			bs_problem_add(l->problems, node->at,
				       "'rollback: restart' needs an application that Backstep starts; replace app.base_url by app.command");
	}
	if ((node = bs_yaml_get(map, "ready_timeout")) &&
	    bs_read_duration(l, node, "app.ready_timeout", &app->ready_timeout_ms) && app->ready_timeout_ms == 0)
		bs_problem_add(l->problems, node->at, "app.ready_timeout must be more than 0");
}

void bs_read_app(struct bs_loader *l, const struct bs_yaml *root)
{
	l->model->app.ready_timeout_ms = 30000;
	read_stores(l, bs_yaml_get(root, "stores"));
	for (size_t i = 0; i < root->count; i++)
		if (strcmp(root->pairs[i].key->text, "app") == 0) {
			l->model->app.at = root->pairs[i].key->at;
			if (bs_read_map(l, root->pairs[i].value, "'app'"))
				read_app(l, root->pairs[i].value);
			for (size_t s = 0; s < l->model->store_count; s++)
				check_told(l, &l->model->stores[s]);
			return;
		}
	bs_problem_add(l->problems, root->at, "the model has no app; add app.command or app.base_url");
}
