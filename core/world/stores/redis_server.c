/*
 * Redis: a private server for one run. It keeps nothing on disk, listens on loopback only, and ends with this process
 * however that ends: the kernel sees to it (PR_SET_PDEATHSIG). We talk to it through a socket in its own folder, so
 * that another program that was quicker to take the port is never mistaken for it.
 */
#include "redis.h"

#include "base/mem.h"
#include "base/now.h"
#include "base/port.h"
#include "base/rmtree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 10000
#define PORT_TRIES 5
#define LOG_SHOWN 400 /* bytes of the log's end in a message */

static char *log_path(const struct bs_redis_server *server)
{
	return bs_xasprintf("%s/log", server->folder);
}

/* The end of what the server logged, in one line. The caller's. */
static char *last_words(const struct bs_redis_server *server)
{
	BS_AUTOFREE char *path = log_path(server);
	char text[LOG_SHOWN + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		off_t size = lseek(fd, 0, SEEK_END);
		ssize_t n = pread(fd, text, LOG_SHOWN, size > LOG_SHOWN ? size - LOG_SHOWN : 0);
		text[n > 0 ? n : 0] = 0;
		close(fd);
	}
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return bs_xstrdup(text);
}

bool bs_redis_server_alive(struct bs_redis_server *server, char **ret_how)
{
	int status;

	if (server->pid && waitpid(server->pid, &status, WNOHANG) != server->pid)
		return true;
	if (server->pid && ret_how) {
		BS_AUTOFREE char *words = last_words(server);
		*ret_how = bs_xasprintf("%s; its log ends with: %s",
					WIFSIGNALED(status) ? "it was killed" : "it ended by itself", words);
	} else if (ret_how) {
		*ret_how = bs_xstrdup("it was not started");
	}
	server->pid = 0;
	return false;
}

/* In the child. Does not return. */
static void become_server(const char *const *argv, int log_fd, int status_fd, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid(); /* Ctrl-C is for us, not for it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null_fd, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	int error = errno;
	(void)!write(status_fd, &error, sizeof error);
	_exit(127);
}

/* 0, or the errno of exec. */
static int spawn(struct bs_redis_server *server, const char *const *argv)
{
	BS_AUTOFREE char *path = log_path(server);
	pid_t parent = getpid();
	int status_fds[2], error = 0;

	if (pipe2(status_fds, O_CLOEXEC) < 0)
		return errno;
	int log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t pid = log_fd < 0 ? -1 : fork();
	if (pid == 0)
		become_server(argv, log_fd, status_fds[1], parent);
	error = pid < 0 ? errno : 0;
	close(status_fds[1]);
	if (log_fd >= 0)
		close(log_fd);
	if (pid > 0 && read(status_fds[0], &error, sizeof error) > 0)
		waitpid(pid, NULL, 0);
	else if (pid > 0)
		server->pid = pid;
	close(status_fds[0]);
	return error;
}

static int launch(struct bs_redis_server *server, unsigned databases, const char *notify, struct bs_err *err)
{
	BS_AUTOFREE char *port = bs_xasprintf("%u", server->port);
	BS_AUTOFREE char *dbs = bs_xasprintf("%u", databases);
	const char *argv[] = {"redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", server->folder, "--databases",
			      dbs, "--save", "", "--appendonly", "no", "--daemonize", "no", "--unixsocketperm", "700",
			      "--notify-keyspace-events", notify ? notify : "",
			      server->socket ? "--unixsocket" : NULL, server->socket, NULL};
	int error = spawn(server, argv);

	if (error == ENOENT)
		return bs_err_set(err, BS_ESTORE, "there is no redis-server in PATH, and the application's copy lives in one "
				  "of its own: install the package redis-server, or say `in_place: true`");
	if (error)
		return bs_err_set(err, BS_ESTORE, "redis-server cannot be started: %s", strerror(error));
	return 0;
}

static bool answers(const struct bs_redis_server *server)
{
	struct timeval timeout = {.tv_sec = 1};
	redisContext *conn = server->socket ? redisConnectUnixWithTimeout(server->socket, timeout)
					    : redisConnectWithTimeout("127.0.0.1", server->port, timeout);
	bool ours = false;

	if (conn && !conn->err && redisSetTimeout(conn, timeout) == REDIS_OK) {
		redisReply *reply = redisCommand(conn, "INFO server");
		size_t len;
		const char *pid = reply && reply->type == REDIS_REPLY_STRING
					  ? bs_redis_info_field(reply->str, "process_id", &len)
					  : NULL;
		ours = pid && strtol(pid, NULL, 10) == server->pid;
		freeReplyObject(reply);
	}
	redisFree(conn);
	return ours;
}

static int wait_until_it_answers(struct bs_redis_server *server, struct bs_err *err)
{
	uint64_t until_ms = bs_now_ms() + START_MS;

	while (!answers(server)) {
		BS_AUTOFREE char *how = NULL;
		if (!bs_redis_server_alive(server, &how))
			return bs_err_set(err, BS_ESTORE, "redis-server did not start: %s", how);
		if (bs_now_ms() > until_ms)
			return bs_err_set(err, BS_ESTORE, "redis-server does not answer");
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return 0;
}

static int make_folder(struct bs_redis_server *server, const char *folder, struct bs_err *err)
{
	struct sockaddr_un address;

	server->folder = bs_xstrdup(folder);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return bs_err_set(err, BS_EIO, "cannot make '%s': %s", folder, strerror(errno));
	server->socket = bs_xasprintf("%s/socket", folder);
	if (strlen(server->socket) >= sizeof address.sun_path) {
		free(server->socket);
		server->socket = NULL;
	}
	return 0;
}

int bs_redis_server_start(struct bs_redis_server *server, const char *folder, unsigned databases, const char *notify,
			  struct bs_err *err)
{
	uint16_t port = server->port; /* the same as before, if it is free */
	int r;

	bs_redis_server_stop(server);
	r = make_folder(server, folder, err);
	for (int try = 0; r == 0 && try < PORT_TRIES; try++) {
		if (!port && (r = bs_port_free(&port, err)) < 0)
			break;
		server->port = port;
		r = launch(server, databases, notify, err);
		if (r == 0)
			r = wait_until_it_answers(server, err);
		if (r == 0)
			return 0;
		/* Somebody may have taken the port; anything else is the same again. */
		if (server->pid || !strstr(bs_err_text(err), "in use"))
			break;
		port = 0;
		r = 0;
	}
	bs_redis_server_stop(server);
	return r < 0 ? r : bs_err_set(err, BS_ESTORE, "redis-server finds every port in use");
}

void bs_redis_server_stop(struct bs_redis_server *server)
{
	if (server->pid) {
		kill(server->pid, SIGKILL); /* it has nothing to save */
		waitpid(server->pid, NULL, 0);
		server->pid = 0;
	}
	int fd = server->folder ? open(server->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd >= 0) {
		bs_rmtree_empty(fd);
		close(fd);
		rmdir(server->folder);
	}
	free(server->folder);
	free(server->socket);
	server->folder = server->socket = NULL;
}
