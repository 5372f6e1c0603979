/* Redis: the driver's table, and the life of a copy. See redis.h. */
#include "redis.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

#define DATABASES 16 /* as servers have them by themselves */
#define KEYS_MAX 200000 /* what a script takes as arguments, five for each */

static void warn(struct bs_redis *s, char *text)
{
	*BS_PUSH(s->warnings, s->warning_count) = text;
}

/* --- Opening and closing ----------------------------------------------------------------------------- */

/* What the copy is to have as the original has it. A server may keep its settings to itself. */
static void read_settings(struct bs_redis *s, redisContext *conn)
{
	BS_REPLY *databases = NULL;
	BS_REPLY *notify = NULL;
	struct bs_redis_info info = {0};

	if (bs_redis_ask(s, conn, &databases, NULL, "CONFIG GET databases") == 0 && databases->elements == 2)
		s->databases = (unsigned)strtoul(databases->element[1]->str, NULL, 10);
	if (bs_redis_ask(s, conn, &notify, NULL, "CONFIG GET notify-keyspace-events") == 0 && notify->elements == 2)
		s->notify = bs_xstrdup(notify->element[1]->str);
	else if (!s->in_place)
		warn(s, bs_xasprintf("%s does not show its settings (CONFIG GET): whether it notifies of keys "
				     "(notify-keyspace-events) is not known, and the application's copy does not", s->location));
	if (s->databases < DATABASES)
		s->databases = DATABASES;
	if (s->databases <= s->url.db)
		s->databases = s->url.db + 1;
	if (bs_redis_info(s, conn, false, &info, NULL) == 0)
		for (size_t i = 0; i < info.count_count; i++)
			if (s->databases <= info.counts[i].db)
				s->databases = info.counts[i].db + 1;
	bs_redis_info_release(&info);
}

static int look_at_original(struct bs_redis *s, struct bs_err *err)
{
	redisContext *conn = NULL;
	int r = bs_redis_connect_original(s, &conn, err);

	if (r == 0) {
		read_settings(s, conn);
		r = bs_redis_check_original(s, conn, err);
	}
	bs_redis_hang_up(&conn);
	return r == 0 && s->in_place ? bs_redis_leftover_open(s, err) : r;
}

static void redis_close(struct bs_store *store);

static int redis_open(const struct bs_store_options *options, struct bs_store **ret_store, struct bs_err *err)
{
	struct bs_redis_url url = {0};
	int r = options->url ? bs_redis_url_read(options->url, &url, err) : 0;

	if (r == 0 && options->in_place && !options->url)
		r = bs_err_set(err, BS_EMODEL, "a redis store with in_place needs a url");
	if (r < 0)
		return r;
	struct bs_redis *s = bs_xcalloc(1, sizeof *s);
	s->store.ops = &bs_store_redis;
	s->url = url;
	s->has_url = options->url;
	s->in_place = options->in_place;
	s->databases = DATABASES;
	s->keys_max = KEYS_MAX;
	s->leftover_fd = -1;
	s->folder = bs_xasprintf("%s/%s", options->workdir, options->name);
	s->stats.mechanism = "tracking";
	if (s->has_url) {
		s->location = bs_xasprintf("redis://%s:%u/%u", url.host, url.port, url.db);
		s->stats.location = s->location;
		r = look_at_original(s, err);
	} else {
		s->location = bs_xstrdup("a new redis-server");
	}
	if (r == 0 && s->in_place)
		s->live_url = bs_xstrdup(options->url);
	if (r < 0) {
		redis_close(&s->store);
		return r;
	}
	*ret_store = &s->store;
	return 0;
}

/* In place: as it was before the run. What cannot be done now is left for the next run. */
static void put_back(struct bs_redis *s)
{
	redisContext *conn = NULL;

	if (!s->in_place || !s->has_original)
		return;
	if (bs_redis_connect_live(s, &conn, NULL) == 0 && bs_redis_restore_all(s, conn, &s->original, NULL) == 0)
		bs_redis_leftover_remove(s);
	bs_redis_hang_up(&conn);
}

static void redis_close(struct bs_store *store)
{
	struct bs_redis *s = (struct bs_redis *)store;

	if (!s)
		return;
	bs_redis_end_tracking(s);
	put_back(s);
	bs_redis_leftover_close(s);
	bs_redis_server_stop(&s->server);
	bs_redis_keys_release(&s->original);
	bs_redis_keys_release(&s->root);
	bs_redis_url_release(&s->url);
	for (size_t i = 0; i < s->warning_count; i++)
		free(s->warnings[i]);
	free(s->warnings);
	free(s->location);
	free(s->live_url);
	free(s->folder);
	free(s->notify);
	free(s->functions);
	free(s);
}

/* --- Copies ------------------------------------------------------------------------------------------ */

static int load(struct bs_redis *s, redisContext *conn, struct bs_redis_keys *keys, struct bs_err *err)
{
	bs_redis_keys_release(keys);
	bs_redis_keys_init(keys, s->databases);
	return bs_redis_load(s, conn, keys, NULL, err);
}

static int read_functions(struct bs_redis *s, redisContext *conn, struct bs_err *err)
{
	BS_REPLY *reply = NULL;
	int r = bs_redis_ask(s, conn, &reply, err, "FUNCTION DUMP");

	if (r < 0)
		return r;
	free(s->functions);
	s->functions = bs_xmemdup(reply->str, reply->len);
	s->functions_len = reply->len;
	return 0;
}

static int write_functions(struct bs_redis *s, redisContext *conn, struct bs_err *err)
{
	if (!s->functions)
		return 0;
	return bs_redis_ask(s, conn, NULL, err, "FUNCTION RESTORE %b FLUSH", s->functions, s->functions_len);
}

static int read_original(struct bs_redis *s, struct bs_err *err)
{
	redisContext *conn = NULL;
	int r = 0;

	if (!s->has_url)
		bs_redis_keys_init(&s->original, s->databases);
	else
		r = bs_redis_connect_original(s, &conn, err);
	if (r == 0 && conn)
		r = load(s, conn, &s->original, err);
	if (r == 0 && conn && !s->in_place)
		r = read_functions(s, conn, err);
	bs_redis_hang_up(&conn);
	if (r < 0)
		return r;
	s->has_original = true;
	return s->in_place ? bs_redis_leftover_write(s, &s->original, err) : 0;
}

static int redis_recover(struct bs_store *store, struct bs_err *err)
{
	struct bs_redis *s = (struct bs_redis *)store;
	redisContext *conn = NULL;
	struct bs_redis_keys keys;
	bool found = false;

	if (!s->in_place) /* servers of runs that were killed died with them */
		return 0;
	bs_redis_keys_init(&keys, s->databases);
	int r = bs_redis_leftover_read(s, &keys, &found, err);
	if (r == 0 && found)
		r = bs_redis_connect_live(s, &conn, err);
	if (r == 0 && found)
		r = bs_redis_restore_all(s, conn, &keys, err);
	if (r == 0 && found) {
		bs_redis_leftover_remove(s);
		warn(s, bs_xasprintf("a run that was killed had left %s changed; it was put back first", s->location));
	}
	bs_redis_hang_up(&conn);
	bs_redis_keys_release(&keys);
	return r;
}

static int fill(struct bs_redis *s, struct bs_redis_keys *from, struct bs_err *err)
{
	redisContext *conn = NULL;
	int r = bs_redis_connect_live(s, &conn, err);

	if (r == 0 && !s->in_place)
		r = write_functions(s, conn, err);
	if (r == 0)
		r = bs_redis_restore_all(s, conn, from, err);
	bs_redis_hang_up(&conn);
	if (r < 0)
		bs_err_wrap(err, "copying %s", s->location);
	return r;
}

static int clone_private(struct bs_redis *s, struct bs_err *err)
{
	int r = bs_redis_server_start(&s->server, s->folder, s->databases, s->notify, err);

	if (r < 0)
		return r;
	free(s->live_url);
	s->live_url = bs_xasprintf("redis://127.0.0.1:%u/%u", s->server.port, s->url.db);
	return fill(s, s->has_snapshot ? &s->root : &s->original, err);
}

static int redis_clone(struct bs_store *store, struct bs_err *err)
{
	struct bs_redis *s = (struct bs_redis *)store;
	int r = 0;

	bs_redis_end_tracking(s);
	if (!s->has_original) {
		r = redis_recover(store, err);
		if (r == 0)
			r = read_original(s, err);
	}
	if (r < 0)
		return r;
	if (!s->in_place)
		return clone_private(s, err);
	return s->has_snapshot ? fill(s, &s->root, err) : 0;
}

static int redis_snapshot(struct bs_store *store, struct bs_err *err)
{
	struct bs_redis *s = (struct bs_redis *)store;
	redisContext *conn = NULL;
	int r = bs_redis_connect_live(s, &conn, err);

	s->has_snapshot = false;
	if (r == 0)
		r = load(s, conn, &s->root, err);
	if (r == 0 && !s->in_place)
		r = read_functions(s, conn, err);
	bs_redis_hang_up(&conn);
	if (r < 0)
		return r;
	s->has_snapshot = true;
	if (!s->in_place) /* from now on the root is what copies are made of */
		bs_redis_keys_release(&s->original);
	return 0;
}

/* --- Tracking ---------------------------------------------------------------------------------------- */

static void measure(struct bs_redis *s)
{
	s->stats.size_bytes = 0;
	for (size_t i = 0; i < s->shadow.count; i++)
		s->stats.size_bytes += s->shadow.items[i].image_len;
}

static int start_tracking(struct bs_redis *s, struct bs_err *err)
{
	struct bs_redis_info info = {0};
	int r = bs_redis_listen(s, err);

	if (r == 0) /* before the keys: what is written while they are read is told, and counted */
		r = bs_redis_info(s, s->live, true, &info, err);
	if (r < 0)
		return r;
	s->dirty = info.dirty;
	s->swaps = info.swaps;
	s->others = info.counts;
	s->other_count = info.count_count;
	s->read_all = false;
	bs_redis_keys_init(&s->shadow, s->databases);
	r = bs_redis_load(s, s->live, &s->shadow, s->has_snapshot ? &s->root : NULL, err);
	if (r == 0)
		measure(s);
	return r;
}

static int redis_begin(struct bs_store *store, struct bs_err *err)
{
	struct bs_redis *s = (struct bs_redis *)store;

	bs_redis_end_tracking(s);
	int r = start_tracking(s, err);
	if (r < 0)
		bs_redis_end_tracking(s);
	return r;
}

/* --- Asked by others --------------------------------------------------------------------------------- */

static int redis_query(struct bs_store *store, const char *query, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		       struct bs_err *err)
{
	(void)store;
	(void)query;
	(void)timeout_ms;
	(void)fn;
	(void)ctx;
	return bs_err_set(err, BS_ESTORE, "a redis store has no query language; use changes(\"keys\") or observe");
}

static const struct bs_table *redis_schema(struct bs_store *store, size_t *ret_count)
{
	(void)store;
	*ret_count = 1;
	return &bs_redis_table;
}

static void redis_stats(struct bs_store *store, struct bs_store_stats *ret_stats)
{
	*ret_stats = ((struct bs_redis *)store)->stats;
}

static const char *redis_property(struct bs_store *store, const char *name)
{
	return strcmp(name, "url") == 0 ? ((struct bs_redis *)store)->live_url : NULL;
}

static char *redis_secret(const char *text)
{
	struct bs_redis_url url = {0};
	char *secret = bs_redis_url_read(text, &url, NULL) == 0 ? bs_xstrdup(url.password) : NULL;

	bs_redis_url_release(&url);
	return secret;
}

static const char *redis_warning(struct bs_store *store, size_t index)
{
	const struct bs_redis *s = (struct bs_redis *)store;

	return index < s->warning_count ? s->warnings[index] : NULL;
}

const struct bs_store_ops bs_store_redis = {
	.name = "redis",
	.open = redis_open,
	.clone = redis_clone,
	.snapshot = redis_snapshot,
	.begin = redis_begin,
	.changes = bs_redis_changes,
	.apply = bs_redis_apply,
	.digest = bs_redis_digest,
	.query = redis_query,
	.recover = redis_recover,
	.close = redis_close,
	.schema = redis_schema,
	.stats = redis_stats,
	.property = redis_property,
	.warning = redis_warning,
	.secret = redis_secret,
};
