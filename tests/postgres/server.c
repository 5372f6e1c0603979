/* See server.h. */
#include "server.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

void pg_server_start(struct pg_server *server, const char *const *settings)
{
	int in[2], out[2];
	const char *arguments[ARGUMENTS_MAX] = {PG_SERVER};
	char line[32] = "";

	for (int i = 0; settings && settings[i] && i + 2 < ARGUMENTS_MAX; i++)
		arguments[i + 1] = settings[i];
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		exit(1);
	server->pid = fork();
	if (server->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execv(PG_SERVER, (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	server->input = in[1];
	FILE *from = fdopen(out[0], "r");
	if (server->pid < 0 || !from || !fgets(line, sizeof line, from)) {
		fputs("no PostgreSQL server for this test\n", stderr);
		exit(1);
	}
	fclose(from);
	server->port = (unsigned)strtoul(line, NULL, 10);
}

void pg_server_stop(struct pg_server *server)
{
	if (server->pid <= 0)
		return;
	close(server->input);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}
