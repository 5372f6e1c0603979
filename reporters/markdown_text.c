/* Escaping for GitHub's Markdown: https://github.github.com/gfm/. See markdown_text.h. */
#include "markdown_text.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "summary_words.h"

#include <ctype.h>
#include <string.h>

#define RUN_MAX 20 /* backticks that are shown of a run */
#define APART "&#8203;" /* a zero-width space, between characters that mean something together */

/* One line that drives nothing. The caller's to free. */
static char *clean(const char *text, size_t bytes_max)
{
	struct bs_buf out = BS_BUF_INIT;
	size_t len = strlen(text), shown = bs_utf8_fit(text, len, bytes_max);

	bs_utf8_clean(&out, text, shown, BS_UTF8_CONSOLE);
	if (shown < len)
		bs_buf_adds(&out, "…");
	for (size_t i = 0; i < out.len; i++)
		if (out.data[i] == '\t')
			out.data[i] = ' ';
	return bs_buf_take(&out);
}

/* --- Prose -------------------------------------------------------------------------------------------------- */

/* A link begins with "www." as well as with a scheme. */
static bool ends_www(const char *text, size_t at)
{
	return at >= 3 && strncasecmp(text + at - 3, "www", 3) == 0;
}

/* Within a word it is a letter. */
static bool in_word(const char *text, size_t at)
{
	return at && isalnum((unsigned char)text[at - 1]) && isalnum((unsigned char)text[at + 1]);
}

static bool is_active(const char *text, size_t at)
{
	if (text[at] == '_')
		return !in_word(text, at);
	if (text[at] == ':')
		return text[at + 1] != ' ' && text[at + 1];
	if (text[at] == '.')
		return ends_www(text, at);
	return strchr("\\`*{}[]<>&#|~$!^@", text[at]) != NULL;
}

/* A mention and the number of an issue are looked for in what is rendered, where escapes are gone. */
static bool must_part(const char *text, size_t at)
{
	return text[at] == '@' || (text[at] == '#' && isalnum((unsigned char)text[at + 1]));
}

void bs_md_prose(struct bs_buf *out, const char *text, size_t bytes_max)
{
	BS_AUTOFREE char *line = clean(bs_words_or(text, "?"), bytes_max);

	for (size_t i = 0; line[i]; i++) {
		if (is_active(line, i))
			bs_buf_addc(out, '\\');
		bs_buf_addc(out, line[i]);
		if (must_part(line, i))
			bs_buf_adds(out, APART);
	}
}

/* --- Code --------------------------------------------------------------------------------------------------- */

static size_t longest_run(const char *text)
{
	size_t longest = 0, run = 0;

	for (; *text; text++) {
		run = *text == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void fence(struct bs_buf *out, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bs_buf_addc(out, '`');
}

/* A fence is longer than what it holds, so long runs would cost three times their length. */
static void shorten_runs(char *line)
{
	size_t run = 0;
	char *to = line;

	for (const char *from = line; *from; from++) {
		run = *from == '`' ? run + 1 : 0;
		if (run <= RUN_MAX)
			*to++ = *from;
	}
	*to = 0;
}

/* In a table a pipe ends the cell even within a span. As an element, with everything as an entity, it cannot. */
static void code_element(struct bs_buf *out, const char *line)
{
	bs_buf_adds(out, "<code>");
	for (; *line; line++)
		if (ispunct((unsigned char)*line))
			bs_buf_addf(out, "&#%d;", *line);
		else
			bs_buf_addc(out, *line);
	bs_buf_adds(out, "</code>");
}

void bs_md_code(struct bs_buf *out, const char *text, size_t bytes_max)
{
	BS_AUTOFREE char *line = clean(bs_words_or(text, "?"), bytes_max);

	shorten_runs(line);
	size_t run = longest_run(line), len = strlen(line);
	if (strchr(line, '|') || strstr(line, "##[")) {
		code_element(out, line);
		return;
	}
	bool pad = line[0] == '`' || line[0] == ' ' || line[len - 1] == '`' || line[len - 1] == ' ';
	fence(out, run + 1);
	bs_buf_addf(out, "%s%s%s", pad ? " " : "", line, pad ? " " : "");
	fence(out, run + 1);
}

void bs_md_block(struct bs_buf *out, const char *language, const char *lines)
{
	size_t run = longest_run(lines), length = run < 3 ? 3 : run + 1;

	fence(out, length);
	bs_buf_addf(out, "%s\n%s", language, lines);
	fence(out, length);
	bs_buf_addc(out, '\n');
}

void bs_md_text_block(struct bs_buf *out, const char *text)
{
	struct bs_buf lines = BS_BUF_INIT;

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		bs_utf8_clean(&lines, line, n && line[n - 1] == '\r' ? n - 1 : n, BS_UTF8_CONSOLE);
		bs_buf_addc(&lines, '\n');
		line += n + (line[n] == '\n');
	}
	bs_md_block(out, "", bs_buf_text(&lines));
	bs_buf_release(&lines);
}
