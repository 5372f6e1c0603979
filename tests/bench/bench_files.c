/*
 * Rollback of a 5-file step, at three sizes of the tree, beside its yardstick: removing everything and copying it
 * again. What looking costs when nothing changed is the price of each step.
 */
#include "bench.h"

#include "base/mem.h"
#include "base/rmtree.h"
#include "world/stores/delta.h"
#include "world/stores/stores.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 200
#define FILES_IN_A_FOLDER 100

static void put(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		exit(1);
	close(fd);
}

static void fill(const char *path, int files)
{
	char text[2000], name[64];
	int dir = open(path, O_RDONLY | O_DIRECTORY);

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	for (int i = 0; i < files; i++) {
		snprintf(name, sizeof name, "folder-%d", i / FILES_IN_A_FOLDER);
		if (i % FILES_IN_A_FOLDER == 0 && mkdirat(dir, name, 0755) < 0)
			exit(1);
		snprintf(name, sizeof name, "folder-%d/file-%d", i / FILES_IN_A_FOLDER, i);
		snprintf(text, 20, "%d", i);
		text[strlen(text)] = 'x';
		put(dir, name, text);
	}
	close(dir);
}

/* One request of an application: three files written, one new, one gone. */
static void act(int live, int round)
{
	char text[32];

	snprintf(text, sizeof text, "round %d", round % 3);
	put(live, "folder-0/file-3", text);
	put(live, "folder-1/file-103", text);
	put(live, "folder-2/file-203", text);
	put(live, "folder-3/new", text);
	unlinkat(live, "folder-4/file-403", 0);
}

static double undo(struct bs_stores *stores, struct bs_net *net, const struct bs_changes *changes)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_err err = BS_ERR_INIT;
	size_t count;

	bs_net_clear(net);
	bs_net_add(net, bs_delta_new(&arena, changes->items, changes->count), BS_UNDO);
	const struct bs_net_row *rows = bs_net_rows(net, &count);
	double start = bench_now_us();
	if (bs_stores_apply(stores, rows, count, &err) < 0)
		bench_fail(&err);
	double took = bench_now_us() - start;
	bs_arena_release(&arena);
	return took;
}

static void measure(const char *folder, int files)
{
	static double looks[ROUNDS], reads[ROUNDS], undos[ROUNDS];
	BS_AUTOFREE char *original = bs_xasprintf("%s/original", folder);
	struct bs_stores stores = {0};
	struct bs_store_options options = {.name = "data", .path = original, .workdir = folder};
	struct bs_err err = BS_ERR_INIT;
	struct bs_net *net = bs_net_new();
	struct bs_changes changes;

	if (mkdir(original, 0755) < 0)
		exit(1);
	fill(original, files);
	if (bs_stores_add(&stores, "files", &options, &err) < 0 || bs_stores_clone(&stores, &err) < 0 ||
	    bs_stores_snapshot(&stores, &err) < 0)
		bench_fail(&err);
	double start = bench_now_us();
	if (bs_stores_clone(&stores, &err) < 0)
		bench_fail(&err);
	double whole = bench_now_us() - start;
	if (bs_stores_begin(&stores, &err) < 0)
		bench_fail(&err);
	int live = open(bs_stores_property(&stores, "data", "path"), O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < ROUNDS; i++) {
		start = bench_now_us();
		if (bs_stores_changes(&stores, &changes, &err) < 0)
			bench_fail(&err);
		looks[i] = bench_now_us() - start;
		act(live, i);
		start = bench_now_us();
		if (bs_stores_changes(&stores, &changes, &err) < 0)
			bench_fail(&err);
		reads[i] = bench_now_us() - start;
		if (changes.count != 5)
			bench_fail(NULL); /* not five files: something else was measured */
		undos[i] = undo(&stores, net, &changes);
	}
	printf("  %8d   %12.0f us %6.0f us %6.0f us %6.0f us   %9.0f us\n", files, bench_percentile(looks, ROUNDS, 50),
	       bench_percentile(reads, ROUNDS, 50), bench_percentile(undos, ROUNDS, 50), bench_percentile(undos, ROUNDS, 95),
	       whole);
	close(live);
	bs_stores_close(&stores);
	bs_net_free(net);
	int dir = open(original, O_RDONLY | O_DIRECTORY);
	bs_rmtree_empty(dir);
	close(dir);
	rmdir(original);
}

int main(void)
{
	static const int sizes[] = {1000, 10000, 50000};
	char folder[] = "/tmp/backstep-bench-XXXXXX";

	if (!mkdtemp(folder))
		return 1;
	puts("rollback of a 5-file step, medians; files of 2 kB in folders of 100");
	puts("     files   nothing changed    read 5    undo 5    (p95)     all files");
	for (size_t i = 0; i < BS_COUNT(sizes); i++)
		measure(folder, sizes[i]);
	rmdir(folder);
	return 0;
}
