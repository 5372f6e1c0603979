/*
 * A private Redis server for a C test, in a temporary folder, on a free port of 127.0.0.1; as an unprivileged user
 * where the test is root. It ends with the test, also when that crashes or is killed; its folder stays then.
 */
#ifndef TESTS_REDIS_REDIS_SERVER_H
#define TESTS_REDIS_REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_server {
	pid_t pid;
	uint16_t port;
	char folder[64];
};

/* Exits the test program with status 1 where there is no server. arguments (may be NULL): as redis-server takes them,
 * up to NULL. */
void redis_server_start(struct redis_server *server, const char *const *arguments);
void redis_server_stop(struct redis_server *server);

/* A connection to database db; exits likewise. */
redisContext *redis_server_connect(const struct redis_server *server, unsigned db);

#endif
