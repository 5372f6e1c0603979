/*
 * Redis: two scripts, which are the only way to look at many keys, or to write them, at one moment together with the
 * server's counter of changes.
 *
 * A script's answer may not be nested deeply (hiredis), so the value of a stream, a tree, is told flat: each entry
 * begins with what it is: "(" and ")" around lists, "s" and a text, "n" for nothing. What only says how the server
 * keeps it, or when somebody looked, is left out.
 */
#include "redis.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define READ_BATCH 400

static const char read_script[] =
	"local skip = {['radix-tree-keys'] = true, ['radix-tree-nodes'] = true, ['seen-time'] = true,"
	"  ['active-time'] = true, lag = true}\n"
	"local function flatten(value, out)\n"
	"  if type(value) == 'table' then\n"
	"    out[#out + 1] = '('\n"
	"    for i = 1, #value do flatten(value[i], out) end\n"
	"    out[#out + 1] = ')'\n"
	"  elseif type(value) == 'number' then out[#out + 1] = 's' .. string.format('%.0f', value)\n"
	"  elseif value then out[#out + 1] = 's' .. value\n"
	"  else out[#out + 1] = 'n' end\n"
	"end\n"
	"local function flatten_map(map, out)\n"
	"  out[#out + 1] = '('\n"
	"  for i = 1, #map, 2 do\n"
	"    local name, value = map[i], map[i + 1]\n"
	"    if name == 'groups' or name == 'consumers' then\n"
	"      flatten(name, out)\n"
	"      out[#out + 1] = '('\n"
	"      for j = 1, #value do flatten_map(value[j], out) end\n"
	"      out[#out + 1] = ')'\n"
	"    elseif not skip[name] then flatten(name, out); flatten(value, out) end\n"
	"  end\n"
	"  out[#out + 1] = ')'\n"
	"  return out\n"
	"end\n"
	"local read = {\n"
	"  string = function(key) return {redis.call('GET', key)} end,\n"
	"  hash = function(key) return redis.call('HGETALL', key) end,\n"
	"  list = function(key) return redis.call('LRANGE', key, 0, -1) end,\n"
	"  set = function(key) return redis.call('SMEMBERS', key) end,\n"
	"  zset = function(key) return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end,\n"
	"  stream = function(key) return flatten_map(redis.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0), {}) end}\n"
	"local out, db = {0}, false\n"
	"for i = 1, #ARGV, 2 do\n"
	"  if ARGV[i] ~= db then db = ARGV[i]; redis.call('SELECT', db) end\n"
	"  local key = ARGV[i + 1]\n"
	"  local kind = redis.call('TYPE', key).ok\n"
	"  if kind == 'none' then out[#out + 1] = false else\n"
	"    local expires = redis.call('PEXPIRETIME', key)\n"
	"    out[#out + 1] = {kind, string.format('%.0f', expires), redis.call('DUMP', key),"
	"                     read[kind] and read[kind](key) or {}}\n"
	"  end\n"
	"end\n"
	"local time = redis.call('TIME')\n"
	"out[1] = string.format('now_ms:%.0f\\r\\n', time[1] * 1000 + math.floor(time[2] / 1000)) ..\n"
	"         redis.call('INFO', 'persistence') .. redis.call('INFO', 'keyspace')\n"
	"return out\n";

/* What is put comes before what is removed: a server that is out of memory then refuses the first of them, and
 * nothing was done. */
static const char put_script[] =
	"local function dirty()\n"
	"  return tonumber(string.match(redis.call('INFO', 'persistence'), 'rdb_changes_since_last_save:(%d+)'))\n"
	"end\n"
	"if ARGV[1] ~= '' and dirty() ~= tonumber(ARGV[1]) then return {'busy'} end\n"
	"local time = redis.call('TIME')\n"
	"local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	"local out, db = {''}, false\n"
	"for i = 2, #ARGV, 5 do\n"
	"  if ARGV[i] ~= db then db = ARGV[i]; redis.call('SELECT', db) end\n"
	"  local at = ARGV[i + 3]\n"
	"  if ARGV[i + 2] == '' then redis.call('DEL', ARGV[i + 1]) else\n"
	"    if at ~= '0' and tonumber(at) <= now then at = string.format('%.0f', now + tonumber(ARGV[i + 4])) end\n"
	"    redis.call('RESTORE', ARGV[i + 1], at, ARGV[i + 2], 'REPLACE', 'ABSTTL')\n"
	"  end\n"
	"  out[#out + 1] = at\n"
	"end\n"
	"out[1] = string.format('%.0f', dirty())\n"
	"return out\n";

/* --- A command that is put together ------------------------------------------------------------------ */

struct command {
	const char **args;
	size_t *lens;
	size_t count;
	struct bs_arena arena;
};

static void add(struct command *command, const void *data, size_t len)
{
	size_t lens = command->count;

	*BS_PUSH(command->args, command->count) = data;
	*BS_PUSH(command->lens, lens) = len;
}

static void add_number(struct command *command, int64_t number)
{
	const char *text = bs_arena_printf(&command->arena, "%" PRId64, number);

	add(command, text, strlen(text));
}

static void begin(struct command *command, const char *script, size_t len)
{
	*command = (struct command){.arena = BS_ARENA_INIT};
	add(command, "EVAL", 4);
	add(command, script, len);
	add(command, "0", 1);
}

static void release(struct command *command)
{
	free(command->args);
	free(command->lens);
	bs_arena_release(&command->arena);
}

/* --- Reading ----------------------------------------------------------------------------------------- */

static bool is_string(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

static bool read_record(const redisReply *reply, int64_t now_ms, struct bs_redis_record *ret_record)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4 || !is_string(reply->element[0]) ||
	    !is_string(reply->element[1]) || !is_string(reply->element[2]) ||
	    reply->element[3]->type != REDIS_REPLY_ARRAY)
		return false;
	int64_t expires_ms = strtoll(reply->element[1]->str, NULL, 10);
	*ret_record = (struct bs_redis_record){
		.type = reply->element[0]->str,
		.type_len = reply->element[0]->len,
		.dump = reply->element[2]->str,
		.dump_len = reply->element[2]->len,
		.expires_ms = expires_ms > 0 ? expires_ms : 0,
		.now_ms = now_ms,
		.value = reply->element[3],
	};
	return true;
}

static int take_records(const redisReply *reply, const struct bs_redis_name *names, size_t count, bs_redis_record_fn fn,
			void *ctx, struct bs_err *err)
{
	size_t len;
	int r = 0;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != count + 1 || !is_string(reply->element[0]))
		return bs_err_set(err, BS_ESTORE, "reading keys: an answer of an unexpected kind");
	const char *now = bs_redis_info_field(reply->element[0]->str, "now_ms", &len);
	int64_t now_ms = now ? strtoll(now, NULL, 10) : 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct bs_redis_record record;
		bool there = reply->element[i + 1]->type != REDIS_REPLY_NIL;
		if (there && !read_record(reply->element[i + 1], now_ms, &record))
			return bs_err_set(err, BS_ESTORE, "reading keys: an answer of an unexpected kind");
		r = fn(ctx, &names[i], there ? &record : NULL, err);
	}
	return r;
}

static int read_batch(struct bs_redis *s, redisContext *conn, const struct bs_redis_name *names, size_t count,
		      bs_redis_record_fn fn, void *ctx, struct bs_redis_info *info, struct bs_err *err)
{
	struct command command;
	BS_REPLY *reply = NULL;

	begin(&command, read_script, sizeof read_script - 1);
	for (size_t i = 0; i < count; i++) {
		add_number(&command, names[i].db);
		add(&command, names[i].name.data, names[i].name.len);
	}
	int r = bs_redis_send(s, conn, command.args, command.lens, command.count, &reply, err);
	release(&command);
	if (r < 0) {
		bs_err_wrap(err, "reading keys");
		return r;
	}
	r = take_records(reply, names, count, fn, ctx, err);
	if (r == 0 && info) {
		bs_redis_info_release(info);
		bs_redis_info_read(reply->element[0]->str, info);
	}
	return r;
}

int bs_redis_read(struct bs_redis *s, redisContext *conn, const struct bs_redis_name *names, size_t count,
		  bs_redis_record_fn fn, void *ctx, struct bs_redis_info *info, struct bs_err *err)
{
	size_t done = 0;
	int r = 0;

	do {
		size_t n = count - done < READ_BATCH ? count - done : READ_BATCH;
		r = read_batch(s, conn, names + done, n, fn, ctx, info, err);
		done += n;
	} while (r == 0 && done < count);
	return r;
}

/* --- Putting ----------------------------------------------------------------------------------------- */

static int add_put(struct command *command, const struct bs_redis_put *put, struct bs_err *err)
{
	struct bs_redis_row row = {0};
	int r = put->image.data ? bs_redis_row_read(put->image, &row, err) : 0;

	if (r < 0)
		return r;
	int64_t life_ms = row.expires_ms - row.seen_ms;
	add_number(command, put->db);
	add(command, put->name.data, put->name.len);
	add(command, row.dump.data ? row.dump.data : "", row.dump.len);
	add_number(command, row.expires_ms);
	add_number(command, life_ms > 0 ? life_ms : 1);
	return 0;
}

static int take_put(const redisReply *reply, struct bs_redis_put *puts, const size_t *order, size_t count,
		    uint64_t *dirty, struct bs_err *err)
{
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 && is_string(reply->element[0]) &&
	    strcmp(reply->element[0]->str, "busy") == 0)
		return bs_err_set(err, BS_EBUSY, "the application wrote since its changes were read");
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != count + 1)
		return bs_err_set(err, BS_ESTORE, "putting keys: an answer of an unexpected kind");
	for (size_t i = 0; i < count; i++)
		puts[order[i]].armed_ms = strtoll(reply->element[i + 1]->str, NULL, 10);
	if (dirty)
		*dirty = strtoull(reply->element[0]->str, NULL, 10);
	return 0;
}

int bs_redis_put(struct bs_redis *s, redisContext *conn, struct bs_redis_put *puts, size_t count, uint64_t *dirty,
		 struct bs_err *err)
{
	BS_AUTOFREE size_t *order = bs_xcalloc(count, sizeof *order);
	struct command command;
	BS_REPLY *reply = NULL;
	size_t n = 0;
	int r = 0;

	begin(&command, put_script, sizeof put_script - 1);
	if (dirty)
		add_number(&command, (int64_t)*dirty);
	else
		add(&command, "", 0);
	for (int there = 1; there >= 0; there--)
		for (size_t i = 0; r == 0 && i < count; i++)
			if ((puts[i].image.data != NULL) == there) {
				order[n++] = i;
				r = add_put(&command, &puts[i], err);
			}
	if (r == 0)
		r = bs_redis_send(s, conn, command.args, command.lens, command.count, &reply, err);
	release(&command);
	if (r == 0)
		return take_put(reply, puts, order, count, dirty, err);
	bs_err_wrap(err, "putting keys");
	return r;
}
