/* The in-process world. See fake_world.h. */
#include "fake_world.h"

#include "base/hash.h"
#include "base/mem.h"
#include "world/stores/row.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct fake_store {
	struct bs_store base;
	struct fake_world *fake;
	struct bs_change *changes;
	size_t count, taken; /* those before `taken` were handed out */
	size_t held;         /* at the end: not to be handed out by the next call */
	struct bs_arena arena;
	struct bs_store_stats stats;
};

static struct bs_column columns[] = {
	{.name = "id", .key = true, .generated = true, .ref_table = -1},
	{.name = "amount", .ref_table = -1},
	{.name = "refunded", .ref_table = -1},
};
static const struct bs_table table = {.name = "orders", .columns = columns, .column_count = BS_COUNT(columns)};

/* --- Rows -------------------------------------------------------------------------------------------- */

static struct bs_blob image_of(struct fake_store *store, const struct fake_row *row)
{
	struct bs_buf image = BS_BUF_INIT;

	bs_row_add_int(&image, row->id);
	bs_row_add_int(&image, row->amount);
	bs_row_add_int(&image, row->refunded);
	struct bs_blob blob = {bs_arena_dup(&store->arena, image.data, image.len), (uint32_t)image.len};
	bs_buf_release(&image);
	return blob;
}

static struct fake_row row_of(struct bs_blob image)
{
	struct bs_cell cell[3];

	for (size_t i = 0; i < 3; i++)
		if (!bs_row_cell(image, i, &cell[i]))
			abort();
	return (struct fake_row){cell[0].integer, cell[1].integer, cell[2].integer};
}

static struct fake_row *find(struct fake_world *fake, int64_t id)
{
	for (size_t i = 0; i < fake->row_count; i++)
		if (fake->rows[i].id == id)
			return &fake->rows[i];
	return NULL;
}

static void insert(struct fake_world *fake, struct fake_row row)
{
	if (fake->row_count == fake->row_alloc) {
		fake->row_alloc = fake->row_alloc * 2 + 8;
		fake->rows = bs_xrealloc(fake->rows, fake->row_alloc, sizeof *fake->rows);
	}
	fake->rows[fake->row_count++] = row;
}

static void note(struct fake_world *fake, const struct fake_row *before, const struct fake_row *after)
{
	struct fake_store *store = (struct fake_store *)fake->store;

	if (!store->count && store->arena.total > ((size_t)1 << 20))
		bs_arena_release(&store->arena); /* what was handed out was copied by then */
	struct bs_change *change = BS_PUSH(store->changes, store->count);
	if (before)
		change->before = image_of(store, before);
	if (after)
		change->after = image_of(store, after);
}

/* --- The application --------------------------------------------------------------------------------- */

static void answer(struct bs_exchange *x, int status, const char *body)
{
	x->outcome = BS_OUTCOME_RESPONSE;
	x->status = status;
	x->body = bs_xstrdup(body);
	x->body_len = strlen(body);
	x->body_bytes = x->body_len;
}

static void create(struct fake_world *fake, struct bs_exchange *x)
{
	cJSON *body;
	int64_t amount = 0;
	char text[48];

	if (bs_json_parse(x->request_body, x->request_body_len, &body, NULL) < 0)
		abort();
	bs_json_int(cJSON_GetObjectItemCaseSensitive(body, "amount"), &amount);
	cJSON_Delete(body);
	struct fake_row row = {fake->next_id++, amount, 0};
	insert(fake, row);
	note(fake, NULL, &row);
	snprintf(text, sizeof text, "{\"id\":%" PRId64 "}", row.id);
	answer(x, 201, text);
}

static void refund(struct fake_world *fake, struct bs_exchange *x, int64_t id)
{
	struct fake_row *row = find(fake, id);

	if (!row) {
		answer(x, 404, "{}");
		return;
	}
	struct fake_row before = *row;
	row->refunded += row->amount;
	note(fake, &before, row);
	if (fake->late)
		((struct fake_store *)fake->store)->held = 1;
	answer(x, 200, "{}");
}

static void delete_row(struct fake_world *fake, struct bs_exchange *x, int64_t id)
{
	struct fake_row *row = find(fake, id);

	if (!row) {
		answer(x, 404, "{}");
		return;
	}
	note(fake, row, NULL);
	*row = fake->rows[--fake->row_count];
	fake->deletes++;
	answer(x, 204, "");
}

static void get(struct fake_world *fake, struct bs_exchange *x, int64_t id)
{
	bool *cached = &fake->cached[(size_t)id % BS_COUNT(fake->cached)];
	bool there = find(fake, id) || (fake->cache && *cached);

	*cached |= there;
	answer(x, there ? 200 : 404, "{}");
}

static int send_fake(void *ctx, struct bs_exchange *x, struct bs_err *err)
{
	struct fake_world *fake = ctx;
	const char *path = strchr(x->url + strlen("http://"), '/');
	int64_t id = strncmp(path, "/orders/", 8) == 0 ? strtoll(path + 8, NULL, 10) : 0;

	(void)err;
	fake->requests++;
	if (fake->hang_after && fake->deletes >= fake->hang_after) {
		x->outcome = BS_OUTCOME_TIMEOUT;
		x->error = bs_xstrdup("no answer within the time");
		x->body = bs_xstrdup("");
	} else if (strcmp(path, "/ping") == 0) {
		answer(x, 200, "{}");
	} else if (!id) {
		create(fake, x);
	} else if (strcmp(x->method, "POST") == 0) {
		refund(fake, x, id);
	} else if (strcmp(x->method, "DELETE") == 0) {
		delete_row(fake, x, id);
	} else {
		get(fake, x, id);
	}
	return 0;
}

/* --- The store --------------------------------------------------------------------------------------- */

static int clone_rows(struct bs_store *base, struct bs_err *err)
{
	struct fake_world *fake = ((struct fake_store *)base)->fake;

	(void)err;
	fake->row_count = 0;
	for (size_t i = 0; i < fake->root_count; i++)
		insert(fake, fake->root[i]);
	memset(fake->cached, 0, sizeof fake->cached);
	fake->deletes = 0;
	fake->clones++;
	return 0;
}

static int snapshot(struct bs_store *base, struct bs_err *err)
{
	struct fake_world *fake = ((struct fake_store *)base)->fake;

	(void)err;
	free(fake->root);
	fake->root = bs_xmemdup(fake->rows, fake->row_count * sizeof *fake->rows);
	fake->root_count = fake->row_count;
	return 0;
}

static int begin(struct bs_store *base, struct bs_err *err)
{
	struct fake_store *store = (struct fake_store *)base;

	(void)err;
	store->count = store->taken = store->held = 0;
	return 0;
}

static int changes(struct bs_store *base, struct bs_changes *ret_changes, struct bs_err *err)
{
	struct fake_store *store = (struct fake_store *)base;
	size_t end = store->count - store->held;

	(void)err;
	*ret_changes = (struct bs_changes){store->changes + store->taken, end - store->taken};
	store->taken = end;
	store->held = 0;
	if (store->taken == store->count)
		store->taken = store->count = 0; /* the images stay until close */
	return 0;
}

static int apply(struct bs_store *base, const struct bs_net_row *rows, size_t count, struct bs_err *err)
{
	struct fake_store *store = (struct fake_store *)base;
	struct fake_world *fake = store->fake;

	if (fake->refuse_apply)
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct fake_row row = row_of(rows[i].image), *old = find(fake, row.id);
		store->stats.applied_rows++;
		if (rows[i].count > 0)
			continue;
		if (!old || memcmp(old, &row, sizeof row) != 0)
			return bs_err_set(err, BS_ESTORE, "row %" PRId64 " is not as it should be", row.id);
		*old = fake->rows[--fake->row_count];
	}
	for (size_t i = 0; i < count; i++)
		if (rows[i].count > 0)
			insert(fake, row_of(rows[i].image));
	store->stats.applies++;
	fake->applied_ahead_ms = fake->ahead_ms;
	return 0;
}

static int digest(struct bs_store *base, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err)
{
	struct fake_world *fake = ((struct fake_store *)base)->fake;
	uint64_t sum = 0;

	(void)err;
	for (size_t i = 0; i < fake->row_count; i++)
		sum += bs_hash_bytes(&fake->rows[i], sizeof fake->rows[i]).lo;
	*ret_digest = sum;
	if (ret_tables)
		ret_tables[0] = sum;
	return 0;
}

/* The one query that it knows, whatever the text: rows of which more was paid back than they cost. */
static int query(struct bs_store *base, const char *text, uint32_t timeout_ms, bs_row_fn fn, void *ctx,
		 struct bs_err *err)
{
	struct fake_store *store = (struct fake_store *)base;
	static const char *const names[] = {"id", "amount", "refunded"};

	(void)text, (void)timeout_ms, (void)err;
	for (size_t i = 0; i < store->fake->row_count; i++) {
		const struct fake_row *row = &store->fake->rows[i];
		if (row->refunded > row->amount && fn(ctx, names, 3, image_of(store, row)))
			break;
	}
	return 0;
}

static void close_store(struct bs_store *base)
{
	struct fake_store *store = (struct fake_store *)base;

	free(store->changes);
	bs_arena_release(&store->arena);
	store->fake->store = NULL;
	free(store);
}

static const struct bs_table *schema(struct bs_store *base, size_t *ret_count)
{
	(void)base;
	*ret_count = 1;
	return &table;
}

static void stats(struct bs_store *base, struct bs_store_stats *ret_stats)
{
	const struct fake_store *store = (const struct fake_store *)base;

	*ret_stats = store->stats;
	if (store->fake->images_after && store->fake->requests >= store->fake->images_after) {
		ret_stats->mechanism = "fake images";
		ret_stats->why = "rows are not enough";
	}
}

static const char *property(struct bs_store *base, const char *name)
{
	(void)base, (void)name;
	return NULL;
}

static const struct bs_store_ops ops = {
	.name = "fake",
	.clone = clone_rows,
	.snapshot = snapshot,
	.begin = begin,
	.changes = changes,
	.apply = apply,
	.digest = digest,
	.query = query,
	.close = close_store,
	.schema = schema,
	.stats = stats,
	.property = property,
};

/* --- Both together ----------------------------------------------------------------------------------- */

void fake_init(struct fake_world *fake)
{
	*fake = (struct fake_world){.next_id = 1};
}

void fake_release(struct fake_world *fake)
{
	free(fake->rows);
	free(fake->root);
	fake_init(fake);
}

static void set_clock(void *ctx, uint64_t ahead_ms)
{
	((struct fake_world *)ctx)->ahead_ms = ahead_ms;
}

struct bs_world_options fake_options(struct fake_world *fake)
{
	struct fake_store *store = bs_xcalloc(1, sizeof *store);

	store->base.ops = &ops;
	store->fake = fake;
	store->stats.mechanism = "fake";
	fake->store = &store->base;
	fake->stores = (struct bs_stores){.count = 1};
	fake->stores.items = bs_xmalloc(sizeof *fake->stores.items);
	fake->stores.names = bs_xmalloc(sizeof *fake->stores.names);
	fake->stores.items[0] = fake->store;
	fake->stores.names[0] = bs_xstrdup("db");
	return (struct bs_world_options){.send = send_fake, .set_clock = set_clock, .send_ctx = fake, .stores = &fake->stores};
}

struct bs_model *fake_model(const char *yaml)
{
	char path[] = "/tmp/backstep-model-XXXXXX";
	int fd = mkstemp(path);
	struct bs_model *model = NULL;
	struct bs_problems problems = {0};
	struct bs_err err = BS_ERR_INIT;

	if (fd < 0 || write(fd, yaml, strlen(yaml)) != (ssize_t)strlen(yaml))
		abort();
	close(fd);
	int r = bs_model_load(path, &model, &problems, &err);
	unlink(path);
	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "%u:%u: %s\n", problems.items[i].at.line, problems.items[i].at.column,
			problems.items[i].message);
	if (r < 0)
		abort();
	bs_problems_release(&problems);
	bs_err_release(&err);
	return model;
}
