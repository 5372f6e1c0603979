/*
 * A private PostgreSQL for one test: in a temporary directory, on a free port of 127.0.0.1, as a user without rights
 * (the server refuses to run as root), without fsync. It lives as long as the standard input of this program is open,
 * so that it ends with whoever started it, however that ends; then the directory is removed.
 *
 *   pg_server [NAME=VALUE ...]     settings of the server
 *
 * Prints "PORT" when the server takes connections; the superuser is `boss`, and nobody is asked for a password. Exit
 * status 1, with the reason on standard error, when there is no server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_S 60
#define STOP_S 20
#define ARGUMENTS_MAX 64

static char directory[64], data[80], log_path[80];
static char bin[256];
static pid_t server;
static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
	(void)number;
	asked_to_end = 1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void show_log(void)
{
	FILE *file = fopen(log_path, "r");
	char line[512];

	while (file && fgets(line, sizeof line, file))
		fputs(line, stderr);
	if (file)
		fclose(file);
}

/* An immediate shutdown: nobody reads this data again. */
static void stop(void)
{
	for (int i = 0; server > 0 && i < STOP_S * 100; i++) {
		if (i == 0)
			kill(server, SIGQUIT);
		else if (i == STOP_S * 50)
			kill(server, SIGKILL);
		if (waitpid(server, NULL, WNOHANG) == server)
			server = 0;
		else
			pause_ms(10);
	}
	if (directory[0])
		nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "pg_server: %s\n", what);
	show_log();
	stop();
	exit(1);
}

/* The newest that Debian's packages installed; else what PATH has. */
static void find_programs(void)
{
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0 && found.gl_pathc) {
		const char *last = found.gl_pathv[found.gl_pathc - 1];
		snprintf(bin, sizeof bin, "%.*s", (int)(strrchr(last, '/') - last + 1), last);
	}
	globfree(&found);
}

/* In the child. Root becomes somebody else. */
static void drop_rights(void)
{
	const struct passwd *user = getpwnam("postgres");

	if (geteuid() != 0)
		return;
	if (!user)
		user = getpwnam("nobody");
	if (!user || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
		_exit(126);
}

static void give_directory_away(void)
{
	const struct passwd *user = getpwnam("postgres");

	if (geteuid() == 0 && !user)
		user = getpwnam("nobody");
	if (geteuid() == 0 && (!user || chown(directory, user->pw_uid, user->pw_gid) < 0))
		give_up("no user 'postgres' or 'nobody' to run the server as");
}

static pid_t start(const char *program, char **arguments)
{
	char path[300];
	pid_t pid = fork();

	if (pid)
		return pid;
	snprintf(path, sizeof path, "%s%s", bin, program);
	drop_rights();
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600), nothing = open("/dev/null", O_RDONLY);
	if (log < 0 || nothing < 0 || chdir(directory) < 0)
		_exit(125);
	dup2(nothing, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	setsid();
	execvp(path, arguments);
	_exit(127);
}

static void make_cluster(void)
{
	char *arguments[] = {(char *)(uintptr_t)"initdb", (char *)(uintptr_t)"-D", data, (char *)(uintptr_t)"-Uboss",
			     (char *)(uintptr_t)"-Atrust", (char *)(uintptr_t)"-N", (char *)(uintptr_t)"-EUTF8",
			     (char *)(uintptr_t)"--locale=C.UTF-8", (char *)(uintptr_t)"--no-instructions", NULL};
	int status = -1;
	pid_t pid = start("initdb", arguments);

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		give_up(WIFEXITED(status) && WEXITSTATUS(status) == 127
				? "there is no PostgreSQL server here; on Debian: apt-get install postgresql"
				: "initdb failed");
}

static unsigned free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		give_up("no free port");
	close(fd);
	return ntohs(address.sin_port);
}

static void start_server(unsigned port, int count, char **settings)
{
	static char fixed[][64] = {"fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=64MB",
				   "max_connections=60", "max_prepared_transactions=4", "listen_addresses=127.0.0.1",
				   "logging_collector=off"};
	static char port_setting[32], socket_setting[128];
	char *arguments[ARGUMENTS_MAX] = {(char *)(uintptr_t)"postgres", (char *)(uintptr_t)"-D", data};
	int n = 3;

	snprintf(port_setting, sizeof port_setting, "port=%u", port);
	snprintf(socket_setting, sizeof socket_setting, "unix_socket_directories=%s", directory);
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		arguments[n++] = (char *)(uintptr_t)"-c";
		arguments[n++] = fixed[i];
	}
	arguments[n++] = (char *)(uintptr_t)"-c";
	arguments[n++] = port_setting;
	arguments[n++] = (char *)(uintptr_t)"-c";
	arguments[n++] = socket_setting;
	for (int i = 0; i < count && n + 3 < ARGUMENTS_MAX; i++) {
		arguments[n++] = (char *)(uintptr_t)"-c";
		arguments[n++] = settings[i];
	}
	server = start("postgres", arguments);
}

static bool wait_ready(unsigned port)
{
	char where[128];

	snprintf(where, sizeof where, "host=127.0.0.1 port=%u user=boss dbname=postgres connect_timeout=2", port);
	for (int i = 0; i < READY_S * 50 && !asked_to_end; i++) {
		if (PQping(where) == PQPING_OK)
			return true;
		if (waitpid(server, NULL, WNOHANG) == server) {
			server = 0;
			return false;
		}
		pause_ms(20);
	}
	return false;
}

int main(int argc, char **argv)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char byte;
	unsigned port = 0;
	bool ready = false;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	snprintf(directory, sizeof directory, "/tmp/backstep-pg-XXXXXX");
	if (!mkdtemp(directory)) {
		directory[0] = 0;
		give_up("cannot make a directory in /tmp");
	}
	snprintf(data, sizeof data, "%s/data", directory);
	snprintf(log_path, sizeof log_path, "%s/log", directory);
	find_programs();
	give_directory_away();
	make_cluster();
	for (int try = 0; !ready && try < 3 && !asked_to_end; try++) { /* somebody may take the port in between */
		port = free_port();
		start_server(port, argc - 1, argv + 1);
		ready = wait_ready(port);
	}
	if (!ready)
		give_up("the server did not start");
	printf("%u\n", port);
	fflush(stdout);
	while (!asked_to_end) {
		if (poll(&input, 1, -1) > 0 && read(STDIN_FILENO, &byte, 1) <= 0)
			break;
	}
	stop();
	return 0;
}
