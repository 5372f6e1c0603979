/*
 * PostgreSQL: what runs that were killed left on the server. A run names its databases
 *
 *   backstep_<place>_<process>_<when it started>_<random>_<live|root>
 *
 * where the place is this machine since it was started and this space of process numbers, so that a process number
 * means something. While it lives it holds an advisory lock of that name. A database is dropped when the lock is
 * free, nobody is connected, and the process is gone; that can be told for this place only, so what comes from
 * elsewhere must be a day old.
 */
#include "postgres.h"

#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "backstep_"
#define OLD_S ((int64_t)24 * 3600)

static char *read_file(const char *path)
{
	char text[1024] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

	if (fd >= 0)
		close(fd);
	return got > 0 ? bs_xstrndup(text, (size_t)got) : bs_xstrdup("");
}

static uint32_t this_place(void)
{
	BS_AUTOFREE char *boot = read_file("/proc/sys/kernel/random/boot_id");
	struct stat space = {0};

	stat("/proc/self/ns/pid", &space);
	BS_AUTOFREE char *place = bs_xasprintf("%s %ju", boot, (uintmax_t)space.st_ino);
	return (uint32_t)bs_hash_bytes(place, strlen(place)).lo;
}

/* When a process started, in ticks since the machine did; 0: there is none. Field 22 of /proc/PID/stat, and the name
 * in field 2 may hold anything. */
static uint64_t started(pid_t pid)
{
	BS_AUTOFREE char *path = bs_xasprintf("/proc/%d/stat", (int)pid);
	BS_AUTOFREE char *text = read_file(path);
	const char *at = strrchr(text, ')');

	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

uint64_t bs_pg_random(void)
{
	uint64_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random) /* before the kernel has any: nearly as good */
		random = (uint64_t)time(NULL) << 32 ^ (uint64_t)getpid() << 16 ^ started(getpid());
	return random;
}

void bs_pg_name_clones(struct bs_postgres *s)
{
	uint32_t random = (uint32_t)bs_pg_random();

	s->lock_name = bs_xasprintf(PREFIX "%08x_%d_%" PRIx64 "_%" PRIx64 "_%08x", this_place(), (int)getpid(),
				    started(getpid()), (uint64_t)time(NULL), random);
	s->live_name = bs_xasprintf("%s_live", s->lock_name);
	s->root_name = bs_xasprintf("%s_root", s->lock_name);
}

struct maker {
	uint32_t place;
	int pid;
	uint64_t started;
	uint64_t when;
	char *lock_name; /* the name without _live and _root */
};

static bool read_name(const char *database, struct maker *ret_maker)
{
	struct maker maker = {0};
	uint32_t random;
	int end = 0;

	if (sscanf(database, PREFIX "%8x_%d_%" SCNx64 "_%" SCNx64 "_%8x%n", &maker.place, &maker.pid, &maker.started,
		   &maker.when, &random, &end) != 5)
		return false;
	if (strcmp(database + end, "_live") != 0 && strcmp(database + end, "_root") != 0)
		return false;
	maker.lock_name = bs_xstrndup(database, (size_t)end);
	*ret_maker = maker;
	return true;
}

static bool is_dead(const struct maker *maker)
{
	if (maker->place != this_place())
		return (int64_t)time(NULL) - (int64_t)maker->when > OLD_S;
	return maker->pid > 0 && started(maker->pid) != maker->started;
}

bool bs_pg_made_by_dead(const char *database)
{
	struct maker maker;

	if (!read_name(database, &maker))
		return false;
	bool dead = is_dead(&maker);
	free(maker.lock_name);
	return dead;
}

/* The lock is ours then, until the end of this function, so that no two runs drop the same. */
static int drop_if_free(struct bs_postgres *s, const char *database, const struct maker *maker, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	const char *name = maker->lock_name;
	int r = bs_pg_ask(s->admin, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", 1, &name, &result, err);

	if (r < 0 || !bs_pg_true(result, 0, 0))
		return r;
	char *quoted = PQescapeIdentifier(s->admin, database, strlen(database));
	/* Without FORCE: whoever is connected keeps it, and so does a role of which we are no member. */
	BS_AUTOFREE char *sql = bs_xasprintf("DROP DATABASE IF EXISTS %s", quoted);
	bs_pg_exec_within(s->admin, BS_PG_COPY_MS, sql, NULL, NULL);
	PQfreemem(quoted);
	return bs_pg_ask(s->admin, "SELECT pg_advisory_unlock(hashtextextended($1, 0))", 1, &name, NULL, err);
}

int bs_pg_sweep(struct bs_postgres *s, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_exec(s->admin, "SELECT datname FROM pg_database d WHERE datname LIKE 'backstep\\_%' "
				     "AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid) ORDER BY 1",
			   &result, err);

	for (int i = 0; r == 0 && i < PQntuples(result); i++) {
		struct maker maker;
		if (!read_name(bs_pg_text(result, i, 0), &maker))
			continue;
		if (is_dead(&maker))
			r = drop_if_free(s, bs_pg_text(result, i, 0), &maker, err);
		free(maker.lock_name);
	}
	return r;
}
