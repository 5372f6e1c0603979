/*
 * A private PostgreSQL server for a C test: pg_server.c, started and stopped. It ends with the test, also when that
 * crashes or is killed.
 */
#ifndef TESTS_POSTGRES_SERVER_H
#define TESTS_POSTGRES_SERVER_H

#include <stdio.h>
#include <sys/types.h>

struct pg_server {
	pid_t pid;
	int input; /* the server lives as long as this is open */
	unsigned port;
};

/* Exits the test program with status 1 where there is no server. settings (may be NULL): NAME=VALUE, up to NULL. */
void pg_server_start(struct pg_server *server, const char *const *settings);
void pg_server_stop(struct pg_server *server);

#endif
