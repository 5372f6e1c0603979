/* The report for a person: what it looks like, that nothing drives the terminal, and what a terminal shows. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "fixture.h"
#include "golden.h"
#include "reporters/console.h"
#include "reporters/reporters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- Helpers -------------------------------------------------------------------------------------------------- */

static char *print(enum fixture which, struct bs_reporter_options options)
{
	char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	assert_non_null(stream);
	options.stream = stream;
	assert_int_equal(fixture_report(which, &bs_reporter_console, &options, NULL), 0);
	fclose(stream);
	return text;
}

/* One line of a terminal: each cell holds a character with its marks, or nothing behind a wide one. */
struct screen_line {
	struct bs_buf *cells;
	size_t count, at;
};

static void screen_put(struct screen_line *line, const char *bytes, size_t len)
{
	BS_AUTOFREE char *character = bs_xstrndup(bytes, len);
	unsigned columns = bs_console_columns(character);

	if (!columns) {
		assert_true(line->at > 0);
		bs_buf_adds(&line->cells[line->at - 1], character);
		return;
	}
	for (unsigned i = 0; i < columns; i++, line->at++) {
		if (line->at == line->count) {
			struct bs_buf *cell = BS_PUSH(line->cells, line->count);
			bs_buf_init(cell, 100);
		}
		bs_buf_clear(&line->cells[line->at]);
		bs_buf_adds(&line->cells[line->at], i ? "" : character);
	}
}

static void screen_end(struct screen_line *line, struct bs_buf *screen)
{
	size_t begin = screen->len;

	for (size_t i = 0; i < line->count; i++) {
		bs_buf_adds(screen, bs_buf_text(&line->cells[i]));
		bs_buf_release(&line->cells[i]);
	}
	while (screen->len > begin && screen->data[screen->len - 1] == ' ')
		screen->data[--screen->len] = 0;
	free(line->cells);
	*line = (struct screen_line){0};
}

/* What a terminal shows in the end, without blanks that nobody sees: a carriage return goes back, and what comes
 * then covers what was there. */
static char *on_screen(const char *text)
{
	struct bs_buf screen = BS_BUF_INIT;
	struct screen_line line = {0};
	size_t len = strlen(text), n;
	uint32_t c;

	for (size_t i = 0; i < len; i += n) {
		n = bs_utf8_next(text + i, len - i, &c);
		assert_true(n > 0);
		if (c == '\r') {
			line.at = 0;
		} else if (c == '\n') {
			screen_end(&line, &screen);
			bs_buf_addc(&screen, '\n');
		} else {
			screen_put(&line, text + i, n);
		}
	}
	screen_end(&line, &screen);
	return bs_buf_take(&screen);
}

static char *without_styles(const char *text)
{
	struct bs_buf out = BS_BUF_INIT;

	while (*text) {
		if (text[0] == 0x1b && text[1] == '[') {
			text += 2 + strspn(text + 2, "0123456789;");
			assert_int_equal(*text, 'm');
			text++;
		} else {
			bs_buf_addc(&out, *text++);
		}
	}
	return bs_buf_take(&out);
}

static bool contains(enum fixture which, const char *part)
{
	BS_AUTOFREE char *text = print(which, (struct bs_reporter_options){0});

	return strstr(text, part) != NULL;
}

/* --- What it looks like ---------------------------------------------------------------------------------------- */

static void looks_as_it_was_agreed(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		BS_AUTOFREE char *name = bs_xasprintf("console-%s.txt", fixture_name((enum fixture)i));
		BS_AUTOFREE char *text = print((enum fixture)i, (struct bs_reporter_options){0});
		golden_check(name, text, strlen(text));
	}
}

static void looks_as_it_was_agreed_on_a_wide_terminal(void **state)
{
	BS_AUTOFREE char *text = print(FIXTURE_RICH, (struct bs_reporter_options){.width = 130});

	(void)state;
	golden_check("console-rich-wide.txt", text, strlen(text));
}

/* Commands are to be copied, and the last lines are looked for by scripts: these alone may be wider. */
static bool may_be_wide(const char *line)
{
	return strstr(line, "curl -sS") || strstr(line, "backstep replay") || strstr(line, "BASE_URL=") ||
	       strncmp(line, "Explored ", 9) == 0 || strncmp(line, "Ended by ", 9) == 0 || strstr(line, " rules held");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	static const unsigned widths[] = {40, 60, 80, 117, 200};

	(void)state;
	for (size_t w = 0; w < BS_COUNT(widths); w++) {
		BS_AUTOFREE char *text = print(FIXTURE_RICH, (struct bs_reporter_options){.width = widths[w]});
		char *rest = text, *line;
		while ((line = strsep(&rest, "\n")))
			if (bs_console_columns(line) > widths[w] && !may_be_wide(line))
				fail_msg("%u columns of %u: %s", bs_console_columns(line), widths[w], line);
	}
}

static void a_file_holds_what_a_pipe_would_get(void **state)
{
	char path[] = "/tmp/test_console.XXXXXX";
	size_t len;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	struct bs_reporter_options options = {.path = path, .tty = true, .color = true, .width = 200, .stream = stdout};
	assert_int_equal(fixture_report(FIXTURE_RICH, &bs_reporter_console, &options, NULL), 0);
	BS_AUTOFREE char *file = golden_read(path, &len);
	BS_AUTOFREE char *text = print(FIXTURE_RICH, (struct bs_reporter_options){0});
	assert_string_equal(file, text);
	unlink(path);
}

/* --- What must never happen ------------------------------------------------------------------------------------- */

static void nothing_from_outside_drives_the_terminal(void **state)
{
	static const unsigned widths[] = {0, 1, 50, 130, 100000};

	(void)state;
	for (size_t w = 0; w < BS_COUNT(widths); w++) {
		BS_AUTOFREE char *text = print(FIXTURE_HOSTILE, (struct bs_reporter_options){.width = widths[w]});
		size_t len = strlen(text);
		assert_true(bs_utf8_valid(text, len));
		for (size_t i = 0; i < len; i++)
			if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f)
				fail_msg("byte 0x%02x at %zu: %.60s", (unsigned)text[i], i, text + (i > 30 ? i - 30 : 0));
		assert_null(strstr(text, "\xc2\x85"));	   /* NEL, a C1 control */
		assert_null(strstr(text, "\xe2\x80\xae")); /* right-to-left override */
	}
}

static void colour_adds_nothing_but_colour(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		BS_AUTOFREE char *plain = print((enum fixture)i, (struct bs_reporter_options){0});
		BS_AUTOFREE char *colored = print((enum fixture)i, (struct bs_reporter_options){.color = true});
		BS_AUTOFREE char *stripped = without_styles(colored);
		assert_string_equal(stripped, plain);
		assert_null(strchr(plain, 0x1b));
	}
}

static void a_stream_without_its_end_is_incomplete(void **state)
{
	static const enum fixture cut[] = {FIXTURE_CUT, FIXTURE_CUT_FINDINGS, FIXTURE_EMPTY, FIXTURE_NOTHING};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cut); i++)
		assert_true(contains(cut[i], "Gate incomplete: the run did not come to its end.\n"));
	assert_true(contains(FIXTURE_FAILED_START, "Gate incomplete"));
	assert_true(contains(FIXTURE_INTERRUPTED, "Gate incomplete: interrupted.\n"));
	assert_true(contains(FIXTURE_CLEAN, "Gate passed: fail_on is critical.\n"));
}

static void commands_are_whole_and_mean_the_same_to_a_shell(void **state)
{
	(void)state;
	assert_true(contains(FIXTURE_RICH, "curl -sS -X POST \"$BASE_URL\"'/orders' -H 'content-type: application/json' "
					   "--data-binary '{\"amount\":100}'\n"));
	/* A newline and an escape in a quoted word: the quotes are closed, and opened again behind $'\x0a'. */
	assert_true(contains(FIXTURE_HOSTILE, "curl -sS \"$BASE_URL\"'/a'$'\\x0a''b'$'\\x1b''[2J'\n"));
}

static void a_full_disk_is_an_error(void **state)
{
	struct bs_err err = BS_ERR_INIT;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	if (!full)
		skip();
	struct bs_reporter_options options = {.stream = full};
	assert_int_equal(fixture_report(FIXTURE_RICH, &bs_reporter_console, &options, &err), BS_EIO);
	assert_non_null(strstr(bs_err_text(&err), "No space left"));
	bs_err_release(&err);
	fclose(full);
}

/* --- On a terminal ------------------------------------------------------------------------------------------------ */

static void nothing_of_the_progress_stays_on_the_screen(void **state)
{
	(void)state;
	for (int i = 0; i < FIXTURE_COUNT; i++) {
		BS_AUTOFREE char *plain = print((enum fixture)i, (struct bs_reporter_options){.width = 90});
		BS_AUTOFREE char *drawn = print((enum fixture)i, (struct bs_reporter_options){.width = 90, .tty = true});
		BS_AUTOFREE char *expected = on_screen(plain);
		BS_AUTOFREE char *screen = on_screen(drawn);
		assert_string_equal(screen, expected);
	}
}

/* Steps that come `step_ns` after each other. Returns what was written. */
static char *explore(struct bs_reporter_options options, unsigned steps, uint64_t step_ns, struct bs_ev_run_start run)
{
	struct bs_reporter *reporter;
	char *text = NULL;
	size_t len;

	options.stream = open_memstream(&text, &len);
	assert_int_equal(bs_reporter_console.open(&options, &reporter, NULL), 0);
	bs_reporter_console.on_event(reporter, &(struct bs_event){.kind = BS_EVENT_RUN_START, .run_start = run});
	for (uint64_t i = 1; i <= steps; i++) {
		struct bs_event step = {.kind = BS_EVENT_STEP,
					.at_ns = i * step_ns,
					.step = {.steps = i, .states = i, .findings = 1, .run_us = i * step_ns / 1000}};
		bs_reporter_console.on_event(reporter, &step);
	}
	assert_int_equal(bs_reporter_console.close(reporter, NULL), 0);
	fclose(options.stream);
	return text;
}

static unsigned count(const char *text, const char *part)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void progress_is_drawn_at_most_ten_times_a_second(void **state)
{
	struct bs_ev_run_start run = {.model = "m.yaml", .max_steps = 10000, .time_ms = 60000};
	BS_AUTOFREE char *text = explore((struct bs_reporter_options){.tty = true}, 5000, 1000000, run);
	unsigned drawn = count(text, "steps/s");

	(void)state;
	assert_in_range(drawn, 40, 51); /* five seconds */
	assert_non_null(strstr(text, "\r  2,001 / 10,000 steps   2,001 states   1,000 steps/s   1 finding   0:08 left"));
}

static void progress_says_the_time_that_is_known(void **state)
{
	struct bs_ev_run_start run = {.model = "m.yaml"};
	BS_AUTOFREE char *free_run = explore((struct bs_reporter_options){.tty = true}, 90, 1000000000, run);

	(void)state;
	assert_non_null(strstr(free_run, "  90 steps   90 states   1 steps/s   1 finding   1:30"));
	assert_null(strstr(free_run, "left"));
	run.time_ms = 4000000;
	BS_AUTOFREE char *timed = explore((struct bs_reporter_options){.tty = true}, 90, 1000000000, run);
	assert_non_null(strstr(timed, "1:05:10 left"));
}

static void progress_needs_a_terminal(void **state)
{
	struct bs_ev_run_start run = {.model = "m.yaml"};
	BS_AUTOFREE char *text = explore((struct bs_reporter_options){0}, 100, 1000000000, run);

	(void)state;
	assert_null(strchr(text, '\r'));
	assert_null(strstr(text, "steps/s"));
}

/* --- Columns -------------------------------------------------------------------------------------------------------- */

static void columns_are_those_of_a_terminal(void **state)
{
	static const struct {
		const char *text;
		unsigned columns;
		const char *cut; /* to five */
	} cases[] = {
		{"", 0, ""},
		{"abcde", 5, "abcde"},
		{"abcdef", 6, "abcd…"},
		{"→→→→→→", 6, "→→→→…"},
		{"漢字漢", 6, "漢字…"},
		{"a漢字漢", 7, "a漢…"}, /* a half character does not fit */
		{"e\xcc\x81tude", 5, "e\xcc\x81tude"},
		{"\xf0\x9f\x98\x80", 2, "\xf0\x9f\x98\x80"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_buf out = BS_BUF_INIT;
		assert_int_equal(bs_console_columns(cases[i].text), cases[i].columns);
		unsigned used = bs_console_cut(&out, cases[i].text, 5);
		assert_string_equal(bs_buf_text(&out), cases[i].cut);
		assert_int_equal(used, bs_console_columns(bs_buf_text(&out)));
		bs_buf_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_as_it_was_agreed),
		cmocka_unit_test(looks_as_it_was_agreed_on_a_wide_terminal),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(a_file_holds_what_a_pipe_would_get),
		cmocka_unit_test(nothing_from_outside_drives_the_terminal),
		cmocka_unit_test(colour_adds_nothing_but_colour),
		cmocka_unit_test(a_stream_without_its_end_is_incomplete),
		cmocka_unit_test(commands_are_whole_and_mean_the_same_to_a_shell),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(nothing_of_the_progress_stays_on_the_screen),
		cmocka_unit_test(progress_is_drawn_at_most_ten_times_a_second),
		cmocka_unit_test(progress_says_the_time_that_is_known),
		cmocka_unit_test(progress_needs_a_terminal),
		cmocka_unit_test(columns_are_those_of_a_terminal),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
