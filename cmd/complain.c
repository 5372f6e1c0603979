/*
 * What is said on standard error. Errors tell what a program or a model has said, so their text is made harmless like
 * that of a report: it drives no terminal, and in a job of GitHub Actions, whose log has both outputs, none of its lines
 * is a command.
 */
#include "cmd.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "reporters/workflow.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool bs_in_github_actions(void)
{
	const char *value = getenv("GITHUB_ACTIONS");

	return value && strcmp(value, "true") == 0;
}

static void clean_lines(struct bs_buf *out, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "\n");
		bs_utf8_clean(out, text, n, BS_UTF8_CONSOLE);
		bs_buf_addc(out, '\n');
		if (!text[n])
			return;
		text += n + 1;
	}
}

void bs_complain(const char *format, ...)
{
	struct bs_buf text = BS_BUF_INIT, clean = BS_BUF_INIT, quiet = BS_BUF_INIT;
	va_list args;

	va_start(args, format);
	bs_buf_addv(&text, format, args);
	va_end(args);
	clean_lines(&clean, bs_buf_text(&text));
	if (bs_in_github_actions())
		bs_workflow_quiet(&quiet, clean.data, clean.len, BS_QUIET_TEXT);
	fputs(bs_buf_text(quiet.len ? &quiet : &clean), stderr);
	bs_buf_release(&text);
	bs_buf_release(&clean);
	bs_buf_release(&quiet);
}
