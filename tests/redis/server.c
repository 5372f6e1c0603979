/* See redis_server.h. */
#include "redis_server.h"

#include "base/port.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32
#define PATIENCE_MS 20000

static void give_up(const char *why)
{
	fprintf(stderr, "no Redis server for this test: %s\n", why);
	exit(1);
}

/* In the child. */
static void become_server(const char *const *arguments, const char *folder)
{
	const struct passwd *nobody = geteuid() == 0 ? getpwnam("nobody") : NULL;

	if (nobody && (chown(folder, nobody->pw_uid, nobody->pw_gid) < 0 || setgroups(0, NULL) < 0 ||
		       setgid(nobody->pw_gid) < 0 || setuid(nobody->pw_uid) < 0))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(folder) < 0)
		_exit(126);
	int log = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execvp("redis-server", (char *const *)(uintptr_t)arguments);
	_exit(127);
}

redisContext *redis_server_connect(const struct redis_server *server, unsigned db)
{
	redisContext *conn = redisConnect("127.0.0.1", server->port);

	if (!conn || conn->err)
		give_up(conn ? conn->errstr : "no memory");
	if (db)
		freeReplyObject(redisCommand(conn, "SELECT %u", db));
	return conn;
}

static int answers(const struct redis_server *server)
{
	redisContext *conn = redisConnect("127.0.0.1", server->port);
	redisReply *reply = conn && !conn->err ? redisCommand(conn, "PING") : NULL;
	int there = reply != NULL; /* a refusal is an answer */

	freeReplyObject(reply);
	redisFree(conn);
	return there;
}

void redis_server_start(struct redis_server *server, const char *const *arguments)
{
	char port[8];
	const char *all[ARGUMENTS_MAX] = {"redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""};
	size_t count = 7;

	for (size_t i = 0; arguments && arguments[i] && count + 1 < ARGUMENTS_MAX; i++)
		all[count++] = arguments[i];
	snprintf(server->folder, sizeof server->folder, "/tmp/backstep-redis-XXXXXX");
	if (!mkdtemp(server->folder) || bs_port_free(&server->port, NULL) < 0)
		give_up("no folder or no port");
	snprintf(port, sizeof port, "%u", server->port);
	server->pid = fork();
	if (server->pid == 0)
		become_server(all, server->folder);
	for (int waited_ms = 0; server->pid < 0 || !answers(server); waited_ms += 2) {
		int status;
		if (server->pid < 0 || waitpid(server->pid, &status, WNOHANG) || waited_ms > PATIENCE_MS)
			give_up("redis-server did not start; is the package redis-server installed?");
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
}

void redis_server_stop(struct redis_server *server)
{
	static const char *const files[] = {"log", "dump.rdb", "users.acl", "nodes.conf"};

	if (server->pid <= 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
	int folder = open(server->folder, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlinkat(folder, files[i], 0);
	close(folder);
	rmdir(server->folder);
}
