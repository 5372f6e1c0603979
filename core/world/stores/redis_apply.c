/*
 * Redis: putting keys back. A net change becomes at most one command for each key, and is held against what is known
 * to be there before anything is sent; then one script does all of it, unless somebody wrote meanwhile. The keys' own
 * images are found by their names and values: when a key expires, and how the server keeps it, are no matter here.
 */
#include "redis.h"

#include "base/mem.h"

#include <string.h>

struct plan {
	struct bs_redis_names names; /* keys, in order of the puts */
	struct bs_redis_put *puts;
	size_t count;
	bool *removed; /* the image that is there is to go */
};

static void plan_release(struct plan *plan)
{
	bs_redis_names_release(&plan->names);
	free(plan->puts);
	free(plan->removed);
}

static int not_there(const struct bs_redis_row *row, struct bs_err *err)
{
	return bs_err_set(err, BS_ESTORE, "key '%.*s' is not as it was left, and cannot be put back", (int)row->name.name.len,
			  (const char *)row->name.name.data);
}

/* The place of the row's key in the plan, made where there is none. */
static size_t place_of(struct plan *plan, const struct bs_redis_row *row)
{
	size_t known = plan->names.count;
	size_t removed = plan->count;

	bs_redis_names_add(&plan->names, row->name.db, row->name.name.data, row->name.name.len);
	if (plan->names.count == known)
		return bs_redis_names_find(&plan->names, &row->name);
	*BS_PUSH(plan->removed, removed) = false;
	*BS_PUSH(plan->puts, plan->count) = (struct bs_redis_put){.db = row->name.db, .name = plan->names.items[known].name};
	return known;
}

static bool is_there(const struct bs_redis *s, const struct bs_redis_row *row)
{
	const struct bs_redis_key *key = bs_redis_keys_find(&s->shadow, &row->name);

	return key && key->image && bs_hash_equal(key->content, row->content);
}

static int plan_row(struct bs_redis *s, struct plan *plan, const struct bs_net_row *net, struct bs_err *err)
{
	struct bs_redis_row row;
	int r = bs_redis_row_read(net->image, &row, err);

	if (r < 0)
		return r;
	size_t at = place_of(plan, &row);
	if (net->count == -1) {
		if (plan->removed[at] || !is_there(s, &row))
			return not_there(&row, err);
		plan->removed[at] = true;
	} else {
		if (net->count != 1 || plan->puts[at].image.data)
			return not_there(&row, err);
		plan->puts[at].image = net->image;
	}
	return 0;
}

/* What is put where nothing is taken away must not be there. */
static int check_room(struct bs_redis *s, const struct plan *plan, struct bs_err *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct bs_redis_key *key = bs_redis_keys_find(&s->shadow, &plan->names.items[i]);
		struct bs_redis_row row = {.name = plan->names.items[i]};
		if (!plan->removed[i] && key && key->image)
			return not_there(&row, err);
	}
	return 0;
}

static void move_shadow(struct bs_redis *s, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct bs_redis_put *put = &plan->puts[i];
		struct bs_redis_row row = {0};
		char *image = NULL, *old = NULL;
		if (put->image.data && bs_redis_row_read(put->image, &row, NULL) == 0)
			image = bs_xmemdup(put->image.data, put->image.len);
		bs_redis_keys_set(&s->shadow, &plan->names.items[i], image, put->image.len, &row, put->armed_ms, &old);
		if (old) /* a list of changes may still show it */
			*BS_PUSH(s->retired, s->retired_count) = old;
	}
}

/* --- A connection that broke ------------------------------------------------------------------------- */

struct finding_out {
	struct plan *plan;
	size_t next;
	bool done;
};

static int look_at(void *ctx, const struct bs_redis_name *name, const struct bs_redis_record *record,
		   struct bs_err *err)
{
	struct finding_out *out = ctx;
	struct bs_redis_put *put = &out->plan->puts[out->next++];
	struct bs_redis_row row;
	struct bs_buf canonical = BS_BUF_INIT;

	(void)name;
	if (!record || !put->image.data) {
		out->done &= !record && !put->image.data;
		return 0;
	}
	int r = bs_redis_row_read(put->image, &row, err);
	bs_redis_canonical(record, &canonical);
	out->done &= r == 0 && bs_hash_equal(bs_hash_bytes(canonical.data, canonical.len), row.content) &&
		     !row.expires_ms == !record->expires_ms;
	put->armed_ms = record->expires_ms;
	bs_buf_release(&canonical);
	return r;
}

/* The script runs whole or not at all: which of them can be seen. Returns 1 when it ran. */
static int find_out(struct bs_redis *s, struct plan *plan, struct bs_err *err)
{
	struct finding_out out = {.plan = plan, .done = true};
	int r = bs_redis_listen_again(s, err);

	if (r == 0)
		r = bs_redis_read(s, s->live, plan->names.items, plan->count, look_at, &out, NULL, err);
	return r < 0 ? r : out.done;
}

static int put(struct bs_redis *s, struct plan *plan, struct bs_err *err)
{
	int r = bs_redis_put(s, s->live, plan->puts, plan->count, &s->dirty, err);

	if (r == 0 || !bs_redis_lost(s))
		return r;
	r = find_out(s, plan, err);
	if (r == 0)
		return bs_err_set(err, BS_EBUSY, "the connection broke before keys were put back");
	return r < 0 ? r : 0;
}

int bs_redis_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	struct bs_redis *s = (struct bs_redis *)store;
	struct plan plan = {0};
	int r = 0;

	if (!s->live)
		return bs_err_set(err, BS_EINTERNAL, "apply before begin");
	if (!count)
		return 0;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = plan_row(s, &plan, &rows[i], err);
	if (r == 0)
		r = check_room(s, &plan, err);
	if (r == 0 && s->read_all)
		r = bs_err_set(err, BS_EBUSY, "what the application wrote was not read yet");
	if (r == 0)
		r = put(s, &plan, err);
	if (r == 0) {
		move_shadow(s, &plan);
		s->stats.applies++;
		for (size_t i = 0; i < count; i++)
			s->stats.applied_rows += (uint64_t)(rows[i].count < 0 ? -rows[i].count : rows[i].count);
	}
	plan_release(&plan);
	return r;
}
