/*
 * The application of the contract test for Redis: see writer.h. It writes every type with commands that are told of in
 * every way or not at all: encodings that change with size, scripts and transactions, consumer groups, keys that move
 * between databases, and now and then everything is flushed. Names and values hold any byte.
 *
 *   contract_redis_writer one|several redis://HOST:PORT/N
 */
#include "writer_program.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATABASES 4
#define ARGS_MAX 16

/* # is a number below 40, ^ a letter; $ begins the name of a key, @ is a value of many bytes, % one that is no UTF-8. */
static const char *const commands[] = {
	"SET $string:# #", "SET $string:# @ EX 1000#", "SET $string:# % KEEPTTL", "APPEND $string:# ^#", "INCRBY $string:# #",
	"SETRANGE $string:# # ^^", "SETBIT $string:# # 1", "BITOP AND $string:# $string:# $string:#", "GETDEL $string:#",
	"GETEX $string:# PX 900000#", "PERSIST $string:#", "INCRBYFLOAT $string:# 0.#", "PFADD $log:# ^# ^#",
	"PFCOUNT $log:#", "PFMERGE $log:# $log:# $log:#", "MSET $string:# ^ $string:# @", "DEL $string:# $hash:#",
	"HSET $hash:# ^# # ^# @", "HSET $hash:# % %", "HDEL $hash:# ^#", "HINCRBY $hash:# n# #", "HINCRBYFLOAT $hash:# f 1.#",
	"HSET $hash:# f1 1 f2 2 f3 3 f4 4", "PEXPIRE $hash:# 80000#", "EXPIREAT $hash:# 40000000#",
	"RPUSH $list:# ^# @ #", "LPUSH $list:# % #", "LPOP $list:#", "RPOPLPUSH $list:# $list:#", "LSET $list:# 0 ^#",
	"LINSERT $list:# BEFORE # ^", "LTRIM $list:# 0 9", "LREM $list:# 0 #",
	"SADD $set:# # # #", "SADD $set:# ^# % @", "SREM $set:# #", "SPOP $set:#", "SMOVE $set:# $set:# #",
	"SUNIONSTORE $set:# $set:# $set:#", "ZADD $zset:# # ^# #.5 ^#", "ZADD $zset:# inf ^ -inf %", "ZINCRBY $zset:# # ^#",
	"ZREM $zset:# ^#", "ZPOPMIN $zset:#", "ZUNIONSTORE $zset:# 2 $zset:# $zset:#", "ZREMRANGEBYRANK $zset:# 0 1",
	"GEOADD $zset:# 13.# 38.# ^#", "XADD $stream:# * ^ # lag seen-time", "XADD $stream:# MAXLEN 20 * seen-time %",
	"XGROUP CREATE $stream:# g^ 0 MKSTREAM", "XGROUP CREATECONSUMER $stream:# g^ c^", "XGROUP DESTROY $stream:# g^",
	"XGROUP SETID $stream:# g^ 0", "XREADGROUP GROUP g^ c^ COUNT # STREAMS $stream:# >",
	"XREADGROUP GROUP g^ c^ COUNT 2 NOACK STREAMS $stream:# >", "XAUTOCLAIM $stream:# g^ c^ 0 0 COUNT 3",
	"XTRIM $stream:# MAXLEN 3", "XSETID $stream:# 99999999999999-#", "RENAME $hash:# $hash:#", "RENAMENX $list:# $list:#",
	"COPY $zset:# $zset:# REPLACE", "UNLINK $stream:#", "SORT $set:# STORE $list:# ALPHA",
	"EVAL return{redis.call('SET',KEYS[1],ARGV[1]),redis.call('DEL',KEYS[2])} 2 $string:# $set:# @",
	"EVAL for~i=1,200~do~redis.call('HSET',KEYS[1],'f'..i,i)~end 1 $hash:#",
	"EVAL for~i=1,200~do~redis.call('SADD',KEYS[1],i)~end 1 $set:#", "TOUCH $string:#", "SET $string:# #",
};

/* Only where every database is the application's. */
static const char *const between[] = {"MOVE $string:# #", "COPY $hash:# $hash:# DB # REPLACE", "SWAPDB # #", "SELECT #"};

/* Rare. */
static const char *const clearing[] = {"FLUSHDB", "FLUSHDB ASYNC", "FLUSHALL", "SAVE"};

static redisContext *conn;
static unsigned home;
static bool several;

static void fail(const char *what)
{
	printf("bad %s: %s\n", what, conn->errstr);
}

static size_t add_name(const char *type, char *out, size_t size)
{
	static const char *const odd[] = {"\xff\xfe", "a b", "\n", "caf\xc3\xa9"};
	unsigned n = writer_below(12);

	if (n < COUNT(odd))
		return (size_t)snprintf(out, size, "%s:%s", type, odd[n]);
	return (size_t)snprintf(out, size, "%s:%u", type, n);
}

static size_t add_value(char what, char *out, size_t size)
{
	size_t len = what == '@' ? 1 + writer_below(120) : 6;

	for (size_t i = 0; i < len && i < size; i++)
		out[i] = what == '@' ? (char)('a' + writer_below(26)) : (char)(writer_below(256));
	return len;
}

/* One word of a template. */
static size_t fill_in(const char *word, size_t word_len, bool number_of_database, char *out, size_t size)
{
	size_t len = 0;

	if (word[0] == '$') {
		char type[16];
		snprintf(type, sizeof type, "%.*s", (int)strcspn(word + 1, ":"), word + 1);
		return add_name(type, out, size);
	}
	for (size_t i = 0; i < word_len && len + 16 < size; i++)
		if (word[i] == '#')
			len += (size_t)snprintf(out + len, size - len, "%u", writer_below(number_of_database ? DATABASES : 40));
		else if (word[i] == '^')
			out[len++] = "abAB"[writer_below(4)];
		else if (word[i] == '~')
			out[len++] = ' ';
		else if (word_len == 1 && (word[i] == '@' || word[i] == '%'))
			len += add_value(word[i], out + len, size - len);
		else
			out[len++] = word[i];
	return len;
}

/* An error is part of life (a key of another type); a connection that breaks is not. */
static bool run(const char *template, bool database_numbers)
{
	static char words[ARGS_MAX][512];
	const char *args[ARGS_MAX];
	size_t lens[ARGS_MAX];
	int count = 0;

	while (*template && count < ARGS_MAX) {
		size_t len = strcspn(template, " ");
		lens[count] = fill_in(template, len, database_numbers, words[count], sizeof words[count]);
		args[count] = words[count];
		count++;
		template += len + (template[len] == ' ');
	}
	redisReply *reply = redisCommandArgv(conn, count, args, lens);
	if (!reply) {
		fail(args[0]);
		return false;
	}
	freeReplyObject(reply);
	return true;
}

static bool run_one(void)
{
	if (writer_below(150) == 0)
		return run(clearing[writer_below(several ? COUNT(clearing) : 2)], false);
	if (several && writer_below(12) == 0)
		return run(between[writer_below(COUNT(between))], true);
	return run(commands[writer_below(COUNT(commands))], false);
}

static bool select_database(unsigned db)
{
	redisReply *reply = redisCommand(conn, "SELECT %u", db);

	freeReplyObject(reply);
	return reply != NULL;
}

static void act(uint64_t seed)
{
	writer_seed(seed);
	unsigned count = 1 + writer_below(6), transaction = writer_below(4);

	if (transaction == 0 && !run("MULTI", false))
		return;
	for (unsigned i = 0; i < count; i++)
		if (!run_one())
			return;
	if (transaction == 0 && !run(writer_below(4) ? "EXEC" : "DISCARD", false))
		return;
	if (!select_database(home)) {
		fail("SELECT");
		return;
	}
	puts("ok");
}

static void setup(void)
{
	for (uint64_t seed = 1; seed <= 80; seed++) {
		writer_seed(seed);
		if (!run(commands[writer_below(COUNT(commands))], false))
			return;
	}
	puts("ok");
}

/* --- Everything, as this connection sees it ----------------------------------------------------------- */

/* What is kept of when somebody looked is no part of the state. */
static bool skipped(const redisReply *name)
{
	static const char *const names[] = {"radix-tree-keys", "radix-tree-nodes", "seen-time", "lag"};

	for (size_t i = 0; name->type == REDIS_REPLY_STRING && i < COUNT(names); i++)
		if (strcmp(name->str, names[i]) == 0)
			return true;
	return false;
}

static uint64_t sum_reply(uint64_t sum, const redisReply *reply, bool map)
{
	sum = writer_mix(sum, &reply->type, sizeof reply->type);
	if (reply->type == REDIS_REPLY_STRING)
		sum = writer_mix(sum, reply->str, reply->len);
	if (reply->type == REDIS_REPLY_INTEGER)
		sum = writer_mix(sum, &reply->integer, sizeof reply->integer);
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		const redisReply *name = map && i % 2 == 0 ? reply->element[i] : NULL;
		if (name && skipped(name)) {
			i++;
			continue;
		}
		bool groups = map && i % 2 && (strcmp(reply->element[i - 1]->str, "groups") == 0 ||
					       strcmp(reply->element[i - 1]->str, "consumers") == 0);
		if (!groups)
			sum = sum_reply(sum, reply->element[i], false);
		for (size_t j = 0; groups && j < reply->element[i]->elements; j++)
			sum = sum_reply(sum, reply->element[i]->element[j], true);
	}
	return sum;
}

/* The members of a hash or a set have no order. */
static uint64_t sum_members(const redisReply *reply, size_t width)
{
	uint64_t sum = 0;

	for (size_t i = 0; i + width <= reply->elements; i += width) {
		uint64_t one = WRITER_SUM_INIT;
		for (size_t w = 0; w < width; w++)
			one = sum_reply(one, reply->element[i + w], false);
		sum += one;
	}
	return sum;
}

static redisReply *ask(const char *command, const redisReply *key, const char *rest)
{
	const char *args[8] = {command, key->str};
	size_t lens[8] = {strlen(command), key->len}, count = 2;
	static char words[64];

	if (strcmp(command, "XINFO") == 0) {
		args[2] = args[1];
		lens[2] = lens[1];
		args[1] = "STREAM";
		lens[1] = 6;
		count = 3;
	}
	snprintf(words, sizeof words, "%s", rest);
	for (char *word = words; *word;) {
		size_t len = strcspn(word, " ");
		args[count] = word;
		lens[count++] = len;
		word += len + (word[len] == ' ');
	}
	return redisCommandArgv(conn, (int)count, args, lens);
}

static const struct {
	const char *type, *command, *rest;
	size_t width; /* 0: in order */
	bool map;
} readers[] = {{"string", "GET", "", 0, false},
	       {"hash", "HGETALL", "", 2, false},
	       {"list", "LRANGE", "0 -1", 0, false},
	       {"set", "SMEMBERS", "", 1, false},
	       {"zset", "ZRANGE", "0 -1 WITHSCORES", 0, false},
	       {"stream", "XINFO", "FULL COUNT 0", 0, true}};

static bool sum_key(const redisReply *key, uint64_t *sum)
{
	redisReply *type = ask("TYPE", key, ""), *expires = ask("PEXPIRETIME", key, ""), *value = NULL;
	uint64_t own = writer_mix(WRITER_SUM_INIT, key->str, key->len);

	for (size_t i = 0; type && expires && i < COUNT(readers); i++)
		if (strcmp(type->str, readers[i].type) == 0) {
			value = ask(readers[i].command, key, readers[i].rest);
			own = writer_mix(own, &i, sizeof i);
			own = writer_mix(own, &expires->integer, sizeof expires->integer);
			if (value && readers[i].width)
				own ^= sum_members(value, readers[i].width) * 31;
			else if (value)
				own = sum_reply(own, value, readers[i].map);
		}
	freeReplyObject(type);
	freeReplyObject(expires);
	freeReplyObject(value);
	*sum += own;
	return value != NULL;
}

static void sum(void)
{
	uint64_t all = 0;

	for (unsigned db = 0; db < DATABASES; db++) {
		if (!several && db != home)
			continue;
		uint64_t own = 0;
		redisReply *keys = select_database(db) ? redisCommand(conn, "KEYS *") : NULL;
		for (size_t i = 0; keys && i < keys->elements; i++)
			if (!sum_key(keys->element[i], &own)) {
				fail("sum");
				return;
			}
		if (!keys) {
			fail("KEYS");
			return;
		}
		freeReplyObject(keys);
		all = all * 31 + own;
	}
	select_database(home);
	printf("sum %" PRIx64 "\n", all);
}

static void check(void)
{
	puts("ok");
}

int main(int argc, char **argv)
{
	static const struct writer_program program = {setup, act, sum, check};
	char host[64];
	int port;

	if (argc != 3 || sscanf(argv[2], "redis://%63[^:]:%d/%u", host, &port, &home) != 3)
		return 2;
	several = argv[1][0] == 's';
	conn = redisConnect(host, port);
	if (!conn || conn->err || !select_database(home))
		return 2;
	writer_serve(&program);
	redisFree(conn);
	return 0;
}
