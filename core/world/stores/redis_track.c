/*
 * Redis: from what is told to changes. The order matters: first the server's counter is asked, then a message is sent
 * to ourselves through the connection that is told of keys; when it arrives, everything that was counted was told.
 * What is written after that is read at the next call, which the counter makes sure of before anything is put back.
 */
#include "redis.h"

#include "base/mem.h"
#include "base/now.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define INVALIDATE "__redis__:invalidate"

/* --- Being told -------------------------------------------------------------------------------------- */

bool bs_redis_lost(const struct bs_redis *s)
{
	return !s->live || !s->events || s->live->err || s->events->err;
}

static int start_telling(struct bs_redis *s, struct bs_err *err)
{
	BS_REPLY *id = NULL;
	int r = bs_redis_ask(s, s->events, &id, err, "CLIENT ID");

	if (r == 0)
		r = bs_redis_ask(s, s->events, NULL, err, "SUBSCRIBE %s", INVALIDATE);
	if (r == 0)
		r = bs_redis_ask(s, s->events, NULL, err, "SUBSCRIBE %s", s->barrier);
	if (r == 0)
		r = bs_redis_ask(s, s->live, NULL, err, "CLIENT TRACKING ON REDIRECT %lld BCAST", id->integer);
	return r;
}

int bs_redis_listen(struct bs_redis *s, struct bs_err *err)
{
	bs_redis_hang_up(&s->live);
	bs_redis_hang_up(&s->events);
	free(s->barrier);
	s->barrier = bs_xasprintf("backstep:%d:%" PRIx64, (int)getpid(), bs_now_ns());
	int r = bs_redis_connect_live(s, &s->live, err);
	if (r == 0)
		r = bs_redis_connect_live(s, &s->events, err);
	if (r == 0)
		r = start_telling(s, err);
	if (r < 0) {
		bs_redis_hang_up(&s->live);
		bs_redis_hang_up(&s->events);
	}
	return r;
}

int bs_redis_listen_again(struct bs_redis *s, struct bs_err *err)
{
	s->read_all = true;
	return bs_redis_listen(s, err);
}

void bs_redis_end_tracking(struct bs_redis *s)
{
	bs_redis_hang_up(&s->live);
	bs_redis_hang_up(&s->events);
	free(s->barrier);
	free(s->others);
	s->barrier = NULL;
	s->others = NULL;
	s->other_count = 0;
	bs_redis_forget_changes(s);
	bs_redis_keys_release(&s->shadow);
}

static bool is_named(const redisReply *reply, const char *name)
{
	return reply->type == REDIS_REPLY_STRING && strcmp(reply->str, name) == 0;
}

/* One message: keys, everything (a flush), or the barrier. */
static void take_message(struct bs_redis *s, const redisReply *message, struct bs_redis_names *names, bool *ret_barrier)
{
	if (message->type != REDIS_REPLY_ARRAY || message->elements != 3)
		return;
	const redisReply *content = message->element[2];
	if (is_named(message->element[1], s->barrier)) {
		*ret_barrier = true;
	} else if (content->type == REDIS_REPLY_NIL) {
		s->read_all = true;
	} else if (content->type == REDIS_REPLY_ARRAY) {
		for (size_t i = 0; i < content->elements; i++) /* of which database is not told */
			bs_redis_names_add(names, 0, content->element[i]->str, content->element[i]->len);
	}
}

/* Everything that was told of what is counted by now. */
static int hear(struct bs_redis *s, struct bs_redis_names *names, struct bs_err *err)
{
	BS_REPLY *reply = NULL;
	bool barrier = false;
	int r = bs_redis_ask(s, s->live, &reply, err, "PUBLISH %s x", s->barrier);

	if (r < 0)
		return r;
	if (reply->integer == 0) {
		s->events->err = REDIS_ERR_EOF; /* nobody hears it */
		return bs_err_set(err, BS_ESTORE, "the connection that is told of changes broke");
	}
	while (!barrier) {
		redisReply *message = NULL;
		if (redisGetReply(s->events, (void **)&message) != REDIS_OK)
			return bs_redis_fail(s, s->events, NULL, "being told of changes", err);
		take_message(s, message, names, &barrier);
		freeReplyObject(message);
	}
	return 0;
}

/* --- Comparing --------------------------------------------------------------------------------------- */

void bs_redis_forget_changes(struct bs_redis *s)
{
	for (size_t i = 0; i < s->retired_count; i++)
		free(s->retired[i]);
	free(s->retired);
	free(s->changes);
	s->retired = NULL;
	s->changes = NULL;
	s->retired_count = s->change_count = 0;
}

static bool as_it_was(const struct bs_redis_key *key, const struct bs_redis_record *record, struct bs_hash content)
{
	bool was = key && key->image;

	if (!was || !record)
		return !was && !record;
	return key->armed_ms == record->expires_ms && bs_hash_equal(key->content, content);
}

static struct bs_hash content_of(const struct bs_redis_record *record)
{
	struct bs_buf canonical = BS_BUF_INIT;

	bs_redis_canonical(record, &canonical);
	struct bs_hash content = bs_hash_bytes(canonical.data, canonical.len);
	bs_buf_release(&canonical);
	return content;
}

static struct bs_blob image_of(const struct bs_redis_key *key)
{
	return key && key->image ? (struct bs_blob){key->image, key->image_len} : (struct bs_blob){NULL, 0};
}

static int compare_key(void *ctx, const struct bs_redis_name *name, const struct bs_redis_record *record,
		       struct bs_err *err)
{
	struct bs_redis *s = ctx;
	const struct bs_redis_key *key = bs_redis_keys_find(&s->shadow, name);
	struct bs_redis_row row = {0};
	struct bs_buf image = BS_BUF_INIT;
	char *old = NULL;

	if (as_it_was(key, record, record ? content_of(record) : (struct bs_hash){0}))
		return 0;
	if (s->change_count == s->keys_max)
		return bs_err_set(err, BS_ESTORE, "one step wrote more than %zu keys, too many to be put back",
				  s->keys_max);
	struct bs_change change = {.before = image_of(key)};
	if (record) {
		bs_redis_image(name, record, &image);
		change.after = (struct bs_blob){image.data, (uint32_t)image.len};
		int r = bs_redis_row_read(change.after, &row, err);
		if (r < 0) {
			bs_buf_release(&image);
			return r;
		}
	}
	bs_redis_keys_set(&s->shadow, name, record ? bs_buf_take(&image) : NULL, change.after.len, &row,
			  record ? record->expires_ms : 0, &old);
	if (old)
		*BS_PUSH(s->retired, s->retired_count) = old;
	*BS_PUSH(s->changes, s->change_count) = change;
	return 0;
}

/* The keys told of, in each database that has keys or had some. */
static void spread(const struct bs_redis *s, const struct bs_redis_names *told, const struct bs_redis_info *info,
		   struct bs_redis_names *names)
{
	BS_AUTOFREE bool *used = bs_xcalloc(s->databases, sizeof *used);

	for (size_t i = 0; i < info->count_count; i++)
		if (info->counts[i].db < s->databases)
			used[info->counts[i].db] = true;
	for (unsigned db = 0; db < s->databases; db++)
		if (bs_redis_tracks(s, db) && (used[db] || s->shadow.present[db]))
			for (size_t i = 0; i < told->count; i++)
				bs_redis_names_add(names, db, told->items[i].name.data, told->items[i].name.len);
}

static void add_known(const struct bs_redis_key *key, struct bs_redis_names *names)
{
	if (key->image)
		bs_redis_names_add(names, key->db, key->name, key->name_len);
}

/* What consumers and groups do to a stream is not told. */
static void add_streams(const struct bs_redis *s, struct bs_redis_names *names)
{
	for (size_t i = 0; i < s->shadow.stream_count; i++)
		add_known(&s->shadow.items[s->shadow.streams[i]], names);
}

static int compare(struct bs_redis *s, struct bs_redis_names *names, struct bs_redis_info *ret_info, struct bs_err *err)
{
	bs_redis_names_sort(names);
	return bs_redis_read(s, s->live, names->items, names->count, compare_key, s, ret_info, err);
}

static int compare_all(struct bs_redis *s, struct bs_err *err)
{
	struct bs_redis_names names = {0};
	struct bs_redis_info info = {0};
	int r = bs_redis_scan(s, s->live, &names, err);

	for (size_t i = 0; i < s->shadow.count; i++)
		add_known(&s->shadow.items[i], &names);
	if (r == 0)
		r = compare(s, &names, &info, err);
	bs_redis_info_release(&info);
	bs_redis_names_release(&names);
	if (r == 0)
		s->read_all = false;
	return r;
}

/* Whether something happened that nobody told: keys moved between databases, or came and went. */
static bool untold(const struct bs_redis *s, const struct bs_redis_info *before, const struct bs_redis_info *after)
{
	if (before->has_swaps && before->swaps != s->swaps)
		return true;
	return before->dirty == after->dirty &&
	       !bs_redis_keys_match(&s->shadow, after, s->in_place ? (int)s->url.db : -1);
}

static int compare_told(struct bs_redis *s, const struct bs_redis_names *told, const struct bs_redis_info *info,
			struct bs_err *err)
{
	struct bs_redis_names names = {0};
	struct bs_redis_info after = {0};

	spread(s, told, info, &names);
	add_streams(s, &names);
	int r = compare(s, &names, &after, err);
	if (r == 0 && untold(s, info, &after))
		s->read_all = true;
	bs_redis_info_release(&after);
	bs_redis_names_release(&names);
	return r;
}

/* --- The other databases ----------------------------------------------------------------------------- */

static const struct bs_redis_count *count_of(const struct bs_redis_count *counts, size_t count, unsigned db)
{
	static const struct bs_redis_count none;

	for (size_t i = 0; i < count; i++)
		if (counts[i].db == db)
			return &counts[i];
	return &none;
}

static int say_other(const struct bs_redis *s, unsigned db, struct bs_err *err)
{
	return bs_err_set(err, BS_ESTORE, "database %u of %s changed during the run: in place only database %u can be put "
			  "back; let the application use that one alone, or remove `in_place`", db, s->location, s->url.db);
}

/* In place only one database is ours. Where keys expire in another one that is no news. */
static int check_others(const struct bs_redis *s, const struct bs_redis_info *info, struct bs_err *err)
{
	for (size_t i = 0; s->in_place && i < info->count_count; i++) {
		const struct bs_redis_count *is = &info->counts[i];
		if (is->db != s->url.db && is->keys > count_of(s->others, s->other_count, is->db)->keys)
			return say_other(s, is->db, err);
	}
	for (size_t i = 0; s->in_place && i < s->other_count; i++) {
		const struct bs_redis_count *was = &s->others[i];
		uint64_t left = count_of(info->counts, info->count_count, was->db)->keys;
		if (was->db != s->url.db && left + was->expiring < was->keys)
			return say_other(s, was->db, err);
	}
	return 0;
}

/* --- All of it --------------------------------------------------------------------------------------- */

/* With one alone, SWAPDB shows in the number of its keys. */
static bool several_databases(const struct bs_redis *s)
{
	size_t used = 0;

	for (unsigned db = 0; db < s->shadow.databases; db++)
		used += s->shadow.present[db] > 0;
	return used > 1;
}

static int collect(struct bs_redis *s, struct bs_err *err)
{
	struct bs_redis_names told = {0};
	struct bs_redis_info info = {0};
	int r = bs_redis_info(s, s->live, several_databases(s), &info, err);

	if (r == 0)
		r = hear(s, &told, err);
	if (r == 0)
		r = check_others(s, &info, err);
	if (r == 0 && !s->read_all && (told.count || info.dirty != s->dirty))
		r = compare_told(s, &told, &info, err);
	if (r == 0 && s->read_all)
		r = compare_all(s, err);
	if (r == 0) {
		s->dirty = info.dirty;
		if (info.has_swaps)
			s->swaps = info.swaps;
	}
	bs_redis_info_release(&info);
	bs_redis_names_release(&told);
	return r;
}

int bs_redis_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct bs_redis *s = (struct bs_redis *)store;

	if (!s->barrier)
		return bs_err_set(err, BS_EINTERNAL, "changes before begin");
	bs_redis_forget_changes(s);
	int r = bs_redis_lost(s) ? bs_redis_listen_again(s, err) : 0;
	if (r == 0)
		r = collect(s, err);
	if (r < 0 && bs_redis_lost(s)) { /* it broke just now: what was found until then stays */
		r = bs_redis_listen_again(s, err);
		if (r == 0)
			r = collect(s, err);
	}
	if (r < 0)
		return r;
	*ret_changes = (struct bs_changes){s->changes, s->change_count};
	return 0;
}
