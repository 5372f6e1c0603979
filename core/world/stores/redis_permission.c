/*
 * Redis: what the user of the original may do. A script that is refused does not say by which of its commands, so each
 * is tried by itself beforehand, on a key that does not exist, and all that is missing is said at once, as the rules
 * that an administrator would type.
 */
#include "redis.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>

#define KEY "backstep:no:such:key"

static const char *const reading[] = {
	"INFO", "TIME", "SELECT 0", "SCAN 0 COUNT 1", "TYPE " KEY, "DUMP " KEY, "PEXPIRETIME " KEY, "GET " KEY,
	"HGETALL " KEY, "LRANGE " KEY " 0 -1", "SMEMBERS " KEY, "ZRANGE " KEY " 0 -1", "XINFO STREAM " KEY,
	"EVAL return{} 0", NULL};
static const char *const copying[] = {"FUNCTION DUMP", NULL};
/* SUBSCRIBE is last: nothing else can be asked behind it. */
static const char *const writing[] = {
	"DEL " KEY, "RESTORE " KEY " 0 x", "CLIENT ID", "CLIENT LIST ID 0", "CLIENT SETNAME backstep", "CLIENT TRACKING OFF",
	"PUBLISH " KEY " x", "SUBSCRIBE " KEY, NULL};

/* The rule that a refusal asks for: "+client|tracking", "~*", "&*". The caller's. */
static char *rule_of(const char *text)
{
	static const char before[] = " run the '";
	const char *begin = strstr(text, before);
	const char *end = begin ? strchr(begin + sizeof before - 1, '\'') : NULL;

	if (!end)
		return bs_xstrdup(strstr(text, "channel") ? "&*" : "~*");
	begin += sizeof before - 1;
	char *rule = bs_xasprintf("+%.*s", (int)(end - begin), begin);
	for (char *c = rule; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return rule;
}

bool bs_redis_is_denied(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) == 0;
}

static int say_denied(const struct bs_redis *s, const char *rules, struct bs_err *err)
{
	const char *user = s->url.user ? s->url.user : "default";

	return bs_err_set(err, BS_ESTORE, "user '%s' of %s may not do all that is needed; give it with: ACL SETUSER %s %s",
			  user, s->location, user, rules);
}

static int try(struct bs_redis *s, redisContext *conn, const char *const *commands, struct bs_buf *rules,
	       struct bs_err *err)
{
	size_t count = 0;

	for (; commands[count]; count++)
		redisAppendCommand(conn, commands[count]);
	for (size_t i = 0; i < count; i++) {
		redisReply *reply = NULL;
		if (redisGetReply(conn, (void **)&reply) != REDIS_OK)
			return bs_redis_fail(s, conn, NULL, commands[i], err);
		BS_AUTOFREE char *rule = bs_redis_is_denied(reply) ? rule_of(reply->str) : NULL;
		if (rule && !strstr(bs_buf_text(rules), rule))
			bs_buf_addf(rules, "%s%s", rules->len ? " " : "", rule);
		freeReplyObject(reply);
	}
	return 0;
}

int bs_redis_check_permissions(struct bs_redis *s, redisContext *conn, struct bs_err *err)
{
	struct bs_buf rules = BS_BUF_INIT;
	int r = try(s, conn, reading, &rules, err);

	if (r == 0)
		r = try(s, conn, s->in_place ? writing : copying, &rules, err);
	if (r == 0 && rules.len)
		r = say_denied(s, bs_buf_text(&rules), err);
	bs_buf_release(&rules);
	return r;
}
