/* See redis_fixture.h. */
#include "redis_fixture.h"

#include <sys/stat.h>

#define WORDS_MAX 16

struct redis_server server;

redisContext *connect_to(const char *url)
{
	struct bs_redis_url parts;
	struct redis_server at = server;

	assert_int_equal(bs_redis_url_read(url, &parts, NULL), 0);
	at.port = parts.port;
	redisContext *conn = redis_server_connect(&at, parts.db);
	bs_redis_url_release(&parts);
	return conn;
}

static redisReply *ask(redisContext *conn, const char *words)
{
	const char *args[WORDS_MAX];
	size_t lens[WORDS_MAX];
	int count = 0;

	for (const char *word = words; *word && count < WORDS_MAX; count++) {
		args[count] = word;
		lens[count] = strcspn(word, " ");
		word += lens[count] + (word[lens[count]] == ' ');
	}
	redisReply *reply = redisCommandArgv(conn, count, args, lens);
	if (!reply)
		fail_msg("%s: %s", words, conn->errstr);
	else if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", words, reply->str);
	return reply;
}

void run(redisContext *conn, const char *words)
{
	freeReplyObject(ask(conn, words));
}

static void add_text(struct bs_buf *text, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_INTEGER)
		bs_buf_addf(text, "%lld", reply->integer);
	else if (reply->type == REDIS_REPLY_NIL)
		bs_buf_adds(text, "nil");
	else if (reply->type != REDIS_REPLY_ARRAY)
		bs_buf_add(text, reply->str, reply->len);
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		bs_buf_adds(text, i ? " " : "");
		add_text(text, reply->element[i]);
	}
}

char *value(redisContext *conn, const char *words)
{
	struct bs_buf text = BS_BUF_INIT;
	redisReply *reply = ask(conn, words);

	add_text(&text, reply);
	freeReplyObject(reply);
	bs_buf_add(&text, "", 0);
	char *taken = bs_buf_take(&text);
	return taken ? taken : bs_xstrdup("");
}

void on_original(struct fixture *f, const char *words)
{
	redisContext *conn = connect_to(f->url);

	run(conn, words);
	redisFree(conn);
}

static int set_up_one(void **state, bool in_place)
{
	struct fixture *f = bs_xcalloc(1, sizeof *f);

	snprintf(f->folder, sizeof f->folder, "/tmp/backstep-redis-test-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	f->workdir = bs_xasprintf("%s/work", f->folder);
	f->url = bs_xasprintf("redis://127.0.0.1:%u/2", server.port);
	f->in_place = in_place;
	setenv("XDG_STATE_HOME", f->folder, 1);
	on_original(f, "FLUSHALL");
	*state = f;
	return mkdir(f->workdir, 0700);
}

int set_up(void **state)
{
	return set_up_one(state, false);
}

int set_up_in_place(void **state)
{
	return set_up_one(state, true);
}

int tear_down(void **state)
{
	struct fixture *f = *state;
	BS_AUTOFREE char *kept = bs_xasprintf("%s/backstep", f->folder);

	if (f->app)
		redisFree(f->app);
	if (f->store)
		f->store->ops->close(f->store);
	int left = rmdir(f->workdir);
	if (access(kept, F_OK) == 0 && rmdir(kept) < 0)
		left = -1;
	if (rmdir(f->folder) < 0)
		left = -1;
	bs_err_release(&f->err);
	free(f->workdir);
	free(f->url);
	free(f);
	return left;
}

int open_store(struct fixture *f)
{
	struct bs_store_options options = {
		.name = "cache", .url = f->url, .in_place = f->in_place, .workdir = f->workdir};

	return bs_store_redis.open(&options, &f->store, &f->err);
}

const char *live_url(struct fixture *f)
{
	return f->store->ops->property(f->store, "url");
}

void begin(struct fixture *f, const char *const *setup)
{
	if (!f->store)
		assert_ok(f, open_store(f));
	assert_ok(f, f->store->ops->clone(f->store, &f->err));
	f->app = connect_to(live_url(f));
	for (; setup && *setup; setup++)
		run(f->app, *setup);
	assert_ok(f, f->store->ops->snapshot(f->store, &f->err));
	assert_ok(f, f->store->ops->begin(f->store, &f->err));
}

int try_changes(struct fixture *f)
{
	struct bs_changes list;

	return f->store->ops->changes(f->store, &list, &f->err);
}

struct bs_changes changes(struct fixture *f)
{
	struct bs_changes list;

	assert_ok(f, f->store->ops->changes(f->store, &list, &f->err));
	return list;
}

uint64_t digest(struct fixture *f)
{
	uint64_t value_ = 0;

	assert_ok(f, f->store->ops->digest(f->store, &value_, NULL, &f->err));
	return value_;
}

int undo(struct fixture *f, const struct bs_changes *list)
{
	size_t count = 0;
	BS_AUTOFREE struct bs_net_row *rows = bs_xcalloc(list->count * 2, sizeof *rows);

	for (size_t i = 0; i < list->count; i++) {
		const struct bs_change *change = &list->items[i];
		if (change->after.data)
			rows[count++] = (struct bs_net_row){change->table, -1, change->after};
		if (change->before.data)
			rows[count++] = (struct bs_net_row){change->table, 1, change->before};
	}
	return f->store->ops->apply(f->store, rows, count, &f->err);
}

static void add_value(struct bs_buf *text, struct bs_blob image)
{
	struct bs_cell cell;

	if (!image.data || !bs_row_cell(image, BS_REDIS_VALUE, &cell)) {
		bs_buf_adds(text, "null");
		return;
	}
	cJSON *json = bs_cell_to_json(&cell);
	BS_AUTOFREE char *printed = bs_json_print(json, false);
	bs_buf_adds(text, printed);
	cJSON_Delete(json);
}

char *as_text(struct fixture *f, const struct bs_changes *list)
{
	struct bs_buf text = BS_BUF_INIT;

	(void)f;
	for (size_t i = 0; i < list->count; i++) {
		const struct bs_change *change = &list->items[i];
		struct bs_redis_row row;
		assert_int_equal(bs_redis_row_read(change->after.data ? change->after : change->before, &row, NULL), 0);
		if (row.name.db != 2)
			bs_buf_addf(&text, "%u/", row.name.db);
		bs_buf_add(&text, row.name.name.data, row.name.name.len);
		bs_buf_addc(&text, ' ');
		add_value(&text, change->before);
		bs_buf_adds(&text, " -> ");
		add_value(&text, change->after);
		bs_buf_addc(&text, '\n');
	}
	bs_buf_add(&text, "", 0);
	return bs_buf_take(&text);
}
