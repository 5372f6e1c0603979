/* What all reporters stand on: the list, the fan-out, files that are whole or not there, and the event file. */
#include "base/buf.h"
#include "base/mem.h"
#include "events/clean.h"
#include "events/ndjson_read.h"
#include "fixture.h"
#include "golden.h"
#include "reporters/outfile.h"
#include "reporters/reporters.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka needs setjmp.h and stdarg.h first */
#include <cmocka.h>

/* --- A folder for each test -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/test_plumbing.XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
	return mkdtemp(folder) ? 0 : -1;
}

static size_t count_files(void)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	for (struct dirent *entry; (entry = readdir(dir));)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

static int remove_folder(void **state)
{
	DIR *dir = opendir(folder);

	(void)state;
	for (struct dirent *entry; (entry = readdir(dir));)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(folder);
}

static char *in_folder(const char *name)
{
	return bs_xasprintf("%s/%s", folder, name);
}

static void check_file(const char *path, const char *expected)
{
	size_t len;
	BS_AUTOFREE char *text = golden_read(path, &len);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(text, expected, len);
}

/* --- The list and the fan-out ------------------------------------------------------------------------------ */

static void every_format_is_found_by_its_name(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct bs_reporter_ops *ops; (ops = bs_reporter_at(count)); count++) {
		assert_ptr_equal(bs_reporter_find(ops->name), ops);
		assert_true(*ops->description != 0);
	}
	assert_int_equal(count, 7);
	assert_null(bs_reporter_find("pdf"));
}

struct fake {
	struct bs_reporter reporter;
	unsigned *events;
	bool fails;
};

static struct fake next_fake;

static int open_fake(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter, struct bs_err *err)
{
	if (options->path)
		return bs_err_set(err, BS_EIO, "cannot write '%s'", options->path);
	struct fake *fake = bs_xmemdup(&next_fake, sizeof next_fake);
	*ret_reporter = &fake->reporter;
	return 0;
}

static void count_fake(struct bs_reporter *reporter, const struct bs_event *event)
{
	(void)event;
	++*((struct fake *)reporter)->events;
}

static int close_fake(struct bs_reporter *reporter, struct bs_err *err)
{
	bool fails = ((struct fake *)reporter)->fails;

	free(reporter);
	return fails ? bs_err_set(err, BS_EIO, "no space") : 0;
}

static const struct bs_reporter_ops fake_ops = {
	.name = "fake", .description = "counts", .open = open_fake, .on_event = count_fake, .close = close_fake};

static void note_failure(void *ctx, const char *name, const struct bs_err *err)
{
	bs_buf_addf(ctx, "%s: %s;", name, bs_err_text(err));
}

static void one_reporter_that_fails_stops_no_other(void **state)
{
	struct bs_fanout *fanout = bs_fanout_new();
	struct bs_reporter_options options = {0};
	struct bs_buf failures = BS_BUF_INIT;
	unsigned events[3] = {0};
	struct bs_event event = {.kind = BS_EVENT_STEP};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		next_fake = (struct fake){.events = &events[i], .fails = i != 1};
		assert_int_equal(bs_fanout_add(fanout, &fake_ops, &options, NULL), 0);
	}
	struct bs_sink sink = bs_fanout_sink(fanout);
	sink.emit(sink.ctx, &event);
	sink.emit(sink.ctx, &event);
	assert_int_equal(bs_fanout_close(fanout, note_failure, &failures), 2);
	assert_string_equal(bs_buf_text(&failures), "fake: no space;fake: no space;");
	assert_true(events[0] == 2 && events[1] == 2 && events[2] == 2);
	bs_buf_release(&failures);
}

static void a_reporter_that_cannot_open_is_not_added(void **state)
{
	struct bs_fanout *fanout = bs_fanout_new();
	struct bs_reporter_options options = {.path = "x"};
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	assert_int_equal(bs_fanout_add(fanout, &fake_ops, &options, &err), BS_EIO);
	assert_string_equal(bs_err_text(&err), "cannot write 'x'");
	assert_int_equal(bs_fanout_close(fanout, NULL, NULL), 0);
	bs_err_release(&err);
}

/* --- Whole files ------------------------------------------------------------------------------------------- */

static void a_report_replaces_the_old_one_at_once(void **state)
{
	BS_AUTOFREE char *path = in_folder("r.html"), *link = in_folder("latest");
	struct stat before, after;

	(void)state;
	assert_int_equal(bs_outfile_write(path, "old", 3, NULL), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 0400, 0400);
	assert_int_equal(symlink("r.html", link), 0);
	assert_int_equal(bs_outfile_write(link, "newer", 5, NULL), 0);
	check_file(path, "newer");
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(lstat(link, &after), 0);
	assert_true(S_ISLNK(after.st_mode));
	assert_int_equal(count_files(), 2);
}

static void a_report_that_fails_leaves_nothing_behind(void **state)
{
	BS_AUTOFREE char *missing = in_folder("no/r.html"), *taken = in_folder("taken");
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	assert_int_equal(bs_outfile_write(missing, "x", 1, &err), BS_EIO);
	assert_non_null(strstr(bs_err_text(&err), "/no/r.html': No such file or directory"));
	assert_int_equal(mkdir(taken, 0777), 0);
	assert_int_equal(bs_outfile_write(taken, "x", 1, &err), BS_EIO);
	assert_int_equal(bs_outfile_write("/dev/full", "x", 1, &err), BS_EIO);
	assert_string_equal(bs_err_text(&err), "cannot write '/dev/full': No space left on device");
	assert_int_equal(count_files(), 1);
	assert_int_equal(rmdir(taken), 0);
	bs_err_release(&err);
}

/* Runs fn with standard output going to path. */
static void with_stdout(const char *path, void (*fn)(void))
{
	fflush(stdout);
	int saved = dup(STDOUT_FILENO), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	fn();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
}

static void write_to_stdout(void)
{
	printf("first ");
	assert_int_equal(bs_outfile_write("-", "second", 6, NULL), 0);
}

static void events_to_stdout(void)
{
	struct bs_reporter_options options = {.path = "-"};

	assert_int_equal(fixture_report(FIXTURE_EMPTY, &bs_reporter_ndjson, &options, NULL), 0);
}

static void a_dash_is_standard_output(void **state)
{
	BS_AUTOFREE char *path = in_folder("out");
	size_t len;

	(void)state;
	with_stdout(path, write_to_stdout);
	check_file(path, "first second");
	with_stdout(path, events_to_stdout);
	BS_AUTOFREE char *text = golden_read(path, &len);
	assert_memory_equal(text, "{\"v\":1,", 7);
	assert_int_equal(text[len - 1], '\n');
}

/* --- The event file ---------------------------------------------------------------------------------------- */

static void ignore(void *ctx, const struct bs_event *event)
{
	(void)ctx;
	(void)event;
}

static struct bs_ndjson_end read_events(const char *path, struct bs_sink sink)
{
	struct bs_ndjson_end end;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(bs_ndjson_read(file, path, sink, &end, NULL), 0);
	fclose(file);
	return end;
}

static void a_run_that_is_killed_leaves_what_it_had_found(void **state)
{
	BS_AUTOFREE char *path = in_folder("events.ndjson");
	struct bs_reporter_options options = {.path = path};
	struct bs_reporter *reporter;
	struct bs_event event = {.kind = BS_EVENT_STREAM_START, .seq = 1};

	(void)state;
	assert_int_equal(bs_reporter_ndjson.open(&options, &reporter, NULL), 0);
	bs_reporter_ndjson.on_event(reporter, &event);
	assert_int_equal(read_events(path, (struct bs_sink){NULL, ignore}).events, 1);
	event = (struct bs_event){.kind = BS_EVENT_STEP, .seq = 2, .at_ns = 1};
	bs_reporter_ndjson.on_event(reporter, &event);
	event.at_ns = 1000000000;
	bs_reporter_ndjson.on_event(reporter, &event);
	struct bs_ndjson_end end = read_events(path, (struct bs_sink){NULL, ignore});
	assert_int_equal(end.events, 3);
	assert_false(end.ended);
	assert_int_equal(bs_reporter_ndjson.close(reporter, NULL), 0);
}

static void a_full_disk_is_told_at_the_end(void **state)
{
	struct bs_reporter_options options = {.path = "/dev/full"};
	struct bs_err err = BS_ERR_INIT;

	(void)state;
	assert_int_equal(fixture_report(FIXTURE_RICH, &bs_reporter_ndjson, &options, &err), BS_EIO);
	assert_string_equal(bs_err_text(&err), "cannot write '/dev/full': No space left on device");
	options.path = folder;
	assert_int_equal(fixture_report(FIXTURE_RICH, &bs_reporter_ndjson, &options, &err), BS_EIO);
	bs_err_release(&err);
}

/* As bs_emit() does, so that both ways see what leaves the core. */
static void clean_and_pass_on(void *ctx, const struct bs_event *event)
{
	struct bs_sink *sink = ctx;
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_event copy = *event;

	bs_event_clean(&copy, NULL, &arena);
	sink->emit(sink->ctx, &copy);
	bs_arena_release(&arena);
}

static void check_same_report(const struct bs_reporter_ops *ops, enum fixture which, const char *events)
{
	BS_AUTOFREE char *live = in_folder("live"), *again = in_folder("again");
	struct bs_reporter_options to_live = {.path = live}, to_again = {.path = again}, to_events = {.path = events};
	struct bs_fanout *fanout = bs_fanout_new();
	size_t live_len, again_len;

	assert_int_equal(bs_fanout_add(fanout, ops, &to_live, NULL), 0);
	assert_int_equal(bs_fanout_add(fanout, &bs_reporter_ndjson, &to_events, NULL), 0);
	struct bs_sink sink = bs_fanout_sink(fanout);
	fixture_feed(which, (struct bs_sink){&sink, clean_and_pass_on});
	assert_int_equal(bs_fanout_close(fanout, NULL, NULL), 0);

	fanout = bs_fanout_new();
	assert_int_equal(bs_fanout_add(fanout, ops, &to_again, NULL), 0);
	read_events(events, bs_fanout_sink(fanout));
	assert_int_equal(bs_fanout_close(fanout, NULL, NULL), 0);

	BS_AUTOFREE char *live_text = golden_read(live, &live_len);
	BS_AUTOFREE char *again_text = golden_read(again, &again_len);
	assert_int_equal(live_len, again_len);
	assert_memory_equal(live_text, again_text, live_len);
}

static void a_report_of_the_file_is_the_report_of_the_run(void **state)
{
	(void)state;
	for (int which = 0; which < FIXTURE_COUNT; which++)
		for (size_t i = 0; bs_reporter_at(i); i++) {
			const char *keep = getenv("BS_TEST_EVENTS"); /* a folder: for holding them against the schema */
			BS_AUTOFREE char *events = keep ? bs_xasprintf("%s/%s.ndjson", keep, fixture_name((enum fixture)which))
							: in_folder("events.ndjson");
			check_same_report(bs_reporter_at(i), (enum fixture)which, events);
		}
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_is_found_by_its_name),
		cmocka_unit_test(one_reporter_that_fails_stops_no_other),
		cmocka_unit_test(a_reporter_that_cannot_open_is_not_added),
		IN_FOLDER(a_report_replaces_the_old_one_at_once),
		IN_FOLDER(a_report_that_fails_leaves_nothing_behind),
		IN_FOLDER(a_dash_is_standard_output),
		IN_FOLDER(a_run_that_is_killed_leaves_what_it_had_found),
		IN_FOLDER(a_full_disk_is_told_at_the_end),
		IN_FOLDER(a_report_of_the_file_is_the_report_of_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
