/* See golden.h. */
#include "golden.h"

#include "base/buf.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

char *golden_read(const char *path, size_t *ret_len)
{
	struct bs_buf text = BS_BUF_INIT;
	char part[4096];
	size_t n;
	FILE *file = fopen(path, "rb");

	if (!file)
		fail_msg("cannot open %s; BS_GOLDEN_UPDATE=1 writes golden files", path);
	while ((n = fread(part, 1, sizeof part, file)) > 0)
		bs_buf_add(&text, part, n);
	fclose(file);
	*ret_len = text.len;
	return text.len ? bs_buf_take(&text) : bs_xstrdup("");
}

static void update(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void say_difference(const char *path, const char *is, const char *was)
{
	size_t at = 0, line = 1, begin = 0;

	while (is[at] && is[at] == was[at]) {
		if (is[at] == '\n') {
			line++;
			begin = at + 1;
		}
		at++;
	}
	fail_msg("%s:%zu:\n  was: %.*s\n  is:  %.*s", path, line, (int)strcspn(was + begin, "\n"), was + begin,
		 (int)strcspn(is + begin, "\n"), is + begin);
}

void golden_check(const char *name, const char *text, size_t len)
{
	BS_AUTOFREE char *path = bs_xasprintf("%s/%s", GOLDEN_DIR, name);
	const char *renew = getenv("BS_GOLDEN_UPDATE");
	size_t known_len;

	if (renew && strcmp(renew, "1") == 0) {
		update(path, text, len);
		return;
	}
	char *known = golden_read(path, &known_len);
	if (known_len != len || memcmp(known, text, len) != 0)
		say_difference(path, text, known);
	free(known);
}
