/*
 * Redis: connections, and servers that are refused. Every wait is bounded.
 */
#include "redis.h"

#include "base/mem.h"

#include <signal.h>
#include <string.h>

#define CONNECT_S 5
#define ANSWER_S 30
#define VERSION_MIN 7 /* PEXPIRETIME, and scripts that see a wrong type before they write */

void bs_redis_hang_up(redisContext **conn)
{
	if (*conn)
		redisFree(*conn);
	*conn = NULL;
}

void bs_redis_free_reply(redisReply **reply)
{
	if (*reply)
		freeReplyObject(*reply);
	*reply = NULL;
}

/* --- What goes wrong --------------------------------------------------------------------------------- */

int bs_redis_fail(struct bs_redis *s, redisContext *conn, const redisReply *reply, const char *what, struct bs_err *err)
{
	if (!reply) {
		BS_AUTOFREE char *how = NULL;
		if (!s->in_place && conn == s->live && s->server.folder && !bs_redis_server_alive(&s->server, &how))
			return bs_err_set(err, BS_ESTORE, "the application's Redis is gone: %s", how);
		return bs_err_set(err, BS_ESTORE, "%s: %s", what, conn->errstr[0] ? conn->errstr : "the connection broke");
	}
	if (reply->type != REDIS_REPLY_ERROR)
		return bs_err_set(err, BS_ESTORE, "%s: an answer of an unexpected kind", what);
	return bs_err_set(err, BS_ESTORE, "%s: %s", what, reply->str);
}

static int checked(struct bs_redis *s, redisContext *conn, redisReply *reply, const char *what,
		   redisReply **ret_reply, struct bs_err *err)
{
	int r = 0;

	if (!reply || reply->type == REDIS_REPLY_ERROR)
		r = bs_redis_fail(s, conn, reply, what, err);
	if (r == 0 && ret_reply)
		*ret_reply = reply;
	else if (reply)
		freeReplyObject(reply);
	return r;
}

int bs_redis_ask(struct bs_redis *s, redisContext *conn, redisReply **ret_reply, struct bs_err *err, const char *format,
		 ...)
{
	BS_AUTOFREE char *what = bs_xstrndup(format, strcspn(format, " "));
	va_list args;

	va_start(args, format);
	redisReply *reply = redisvCommand(conn, format, args);
	va_end(args);
	return checked(s, conn, reply, what, ret_reply, err);
}

int bs_redis_send(struct bs_redis *s, redisContext *conn, const char **args, const size_t *lens, size_t count,
		  redisReply **ret_reply, struct bs_err *err)
{
	return checked(s, conn, redisCommandArgv(conn, (int)count, args, lens), args[0], ret_reply, err);
}

/* --- INFO -------------------------------------------------------------------------------------------- */

const char *bs_redis_info_field(const char *text, const char *name, size_t *ret_len)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		*ret_len = strcspn(line + len + 1, "\r\n");
		return line + len + 1;
	}
	return NULL;
}

/* "db3:keys=5,expires=1,avg_ttl=0" */
static void read_counts(const char *text, struct bs_redis_info *info)
{
	for (const char *line = strstr(text, "\ndb"); line; line = strstr(line + 1, "\ndb")) {
		unsigned db;
		unsigned long long keys, expiring;
		if (sscanf(line, "\ndb%u:keys=%llu,expires=%llu", &db, &keys, &expiring) == 3)
			*BS_PUSH(info->counts, info->count_count) = (struct bs_redis_count){db, keys, expiring};
		const char *fields = strstr(line, ",subexpiry=");
		if (fields && fields < line + 1 + strcspn(line + 1, "\n"))
			info->field_expiry |= strtoull(fields + 11, NULL, 10) > 0;
	}
}

void bs_redis_info_read(const char *text, struct bs_redis_info *ret_info)
{
	size_t len;
	const char *dirty = bs_redis_info_field(text, "rdb_changes_since_last_save", &len);
	const char *swaps = bs_redis_info_field(text, "cmdstat_swapdb", &len);

	*ret_info = (struct bs_redis_info){0};
	ret_info->dirty = dirty ? strtoull(dirty, NULL, 10) : 0;
	if (swaps && strncmp(swaps, "calls=", 6) == 0)
		ret_info->swaps = strtoull(swaps + 6, NULL, 10);
	read_counts(text, ret_info);
}

void bs_redis_info_release(struct bs_redis_info *info)
{
	free(info->counts);
	*info = (struct bs_redis_info){0};
}

int bs_redis_info(struct bs_redis *s, redisContext *conn, bool swaps, struct bs_redis_info *ret_info,
		  struct bs_err *err)
{
	BS_REPLY *reply = NULL;
	int r = bs_redis_ask(s, conn, &reply, err,
			     swaps ? "INFO persistence keyspace commandstats" : "INFO persistence keyspace");

	if (r == 0)
		bs_redis_info_read(reply->str, ret_info);
	if (r == 0)
		ret_info->has_swaps = swaps;
	return r;
}

/* --- Connecting -------------------------------------------------------------------------------------- */

/* hiredis writes to a connection that broke as to any other. */
static void ignore_broken_pipes(void)
{
	struct sigaction now;

	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
}

static int finish_connecting(redisContext *conn, const char *where, redisContext **ret_conn, struct bs_err *err)
{
	struct timeval answer = {.tv_sec = ANSWER_S};

	ignore_broken_pipes();
	if (!conn || conn->err || redisSetTimeout(conn, answer) != REDIS_OK) {
		bs_err_set(err, BS_ESTORE, "cannot connect to %s: %s", where, conn ? conn->errstr : "out of memory");
		bs_redis_hang_up(&conn);
		return BS_ESTORE;
	}
	*ret_conn = conn;
	return 0;
}

static int authenticate(struct bs_redis *s, redisContext *conn, struct bs_err *err)
{
	const char *args[3] = {"AUTH"};
	size_t lens[3] = {4}, count = 1;

	if (!s->url.password)
		return 0;
	if (s->url.user) {
		args[count] = s->url.user;
		lens[count++] = strlen(s->url.user);
	}
	args[count] = s->url.password;
	lens[count++] = strlen(s->url.password);
	return bs_redis_send(s, conn, args, lens, count, NULL, err);
}

static int connect_to_user(struct bs_redis *s, redisContext **ret_conn, struct bs_err *err)
{
	struct timeval timeout = {.tv_sec = CONNECT_S};
	redisContext *conn = redisConnectWithTimeout(s->url.host, s->url.port, timeout);
	int r = finish_connecting(conn, s->location, &conn, err);

	if (r < 0)
		return r;
	r = authenticate(s, conn, err);
	if (r < 0) {
		bs_err_wrap(err, "%s", s->location);
		bs_redis_hang_up(&conn);
		return r;
	}
	*ret_conn = conn;
	return 0;
}

static bool field_is(const char *info, const char *name, const char *value)
{
	size_t len;
	const char *found = bs_redis_info_field(info, name, &len);

	return found && len == strlen(value) && memcmp(found, value, len) == 0;
}

static int check_kind(struct bs_redis *s, const char *info, struct bs_err *err)
{
	size_t len = 0;
	const char *version = bs_redis_info_field(info, "redis_version", &len);

	if (!version || strtol(version, NULL, 10) < VERSION_MIN)
		return bs_err_set(err, BS_ESTORE, "%s is version %.*s; Backstep needs 7.0 or newer", s->location, (int)len,
				  version ? version : "");
	if (field_is(info, "redis_mode", "sentinel"))
		return bs_err_set(err, BS_ESTORE, "%s is a sentinel, which has no keys; name the server that it watches",
				  s->location);
	if (field_is(info, "cluster_enabled", "1"))
		return bs_err_set(err, BS_ESTORE, "%s is part of a cluster, whose keys are on several servers; that is not "
				  "supported: use a single server for tests", s->location);
	if (!field_is(info, "role", "slave"))
		return 0;
	const char *host = bs_redis_info_field(info, "master_host", &len);
	return bs_err_set(err, BS_ESTORE, "%s is a replica; name the server that it copies (%.*s)", s->location, (int)len,
			  host ? host : "");
}

int bs_redis_connect_original(struct bs_redis *s, redisContext **ret_conn, struct bs_err *err)
{
	return connect_to_user(s, ret_conn, err);
}

int bs_redis_check_original(struct bs_redis *s, redisContext *conn, struct bs_err *err)
{
	redisReply *reply = redisCommand(conn, "INFO");
	int r = 0;

	if (!reply || (reply->type != REDIS_REPLY_STRING && !bs_redis_is_denied(reply)))
		r = bs_redis_fail(s, conn, reply, s->location, err);
	else if (reply->type == REDIS_REPLY_STRING)
		r = check_kind(s, reply->str, err);
	if (reply)
		freeReplyObject(reply);
	return r == 0 ? bs_redis_check_permissions(s, conn, err) : r;
}

int bs_redis_connect_live(struct bs_redis *s, redisContext **ret_conn, struct bs_err *err)
{
	struct timeval timeout = {.tv_sec = CONNECT_S};
	BS_AUTOFREE char *how = NULL;

	if (s->in_place)
		return connect_to_user(s, ret_conn, err);
	if (!bs_redis_server_alive(&s->server, &how))
		return bs_err_set(err, BS_ESTORE, "the application's Redis is gone: %s", how);
	redisContext *conn = s->server.socket ? redisConnectUnixWithTimeout(s->server.socket, timeout)
					      : redisConnectWithTimeout("127.0.0.1", s->server.port, timeout);
	return finish_connecting(conn, "the application's Redis", ret_conn, err);
}
