/* Reading SQL as text. See sqlite_text.h. */
#include "sqlite_text.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static const char *skip_quoted(const char *at)
{
	char quote = *at == '[' ? ']' : *at;

	for (at++; *at; at++) {
		if (*at != quote)
			continue;
		if (quote == ']' || at[1] != quote)
			return at + 1;
		at++;
	}
	return at;
}

static const char *skip_comment(const char *at)
{
	const char *end = at[0] == '-' ? strchr(at, '\n') : strstr(at + 2, "*/");

	if (!end)
		return at + strlen(at);
	return at[0] == '-' ? end + 1 : end + 2;
}

static bool comment_at(const char *at)
{
	return (at[0] == '-' && at[1] == '-') || (at[0] == '/' && at[1] == '*');
}

/* Behind the token, the comment or the space that begins here. */
static const char *skip(const char *at)
{
	if (strchr("'\"`[", *at))
		return skip_quoted(at);
	if (comment_at(at))
		return skip_comment(at);
	if (!word_char(*at))
		return at + 1;
	while (word_char(*at))
		at++;
	return at;
}

static bool is_word(const char *at, const char *end, const char *word)
{
	return (size_t)(end - at) == strlen(word) && strncasecmp(at, word, (size_t)(end - at)) == 0;
}

/* The text of a term; what gives its order is no part of it. Comments become a space. */
static char *term_text(const char *from, const char *end)
{
	char *text = bs_xcalloc((size_t)(end - from) + 1, 1);
	size_t len = 0;

	while (from < end) {
		const char *next = skip(from);
		bool last_word = word_char(*from);
		for (const char *rest = next; last_word && rest < end; rest = skip(rest))
			last_word = isspace((unsigned char)*rest) || comment_at(rest);
		if (last_word && len && (is_word(from, next, "asc") || is_word(from, next, "desc")))
			break;
		if (comment_at(from)) {
			text[len++] = ' ';
		} else {
			memcpy(text + len, from, (size_t)(next - from));
			len += (size_t)(next - from);
		}
		from = next;
	}
	text[len] = 0;
	return text;
}

static void add_term(struct bs_index_text *text, const char *from, const char *end)
{
	*BS_PUSH(text->terms, text->term_count) = term_text(from, end);
}

static char *find_where(const char *at)
{
	for (const char *next; *at; at = next) {
		next = skip(at);
		if (is_word(at, next, "where"))
			return term_text(next, next + strlen(next));
	}
	return NULL;
}

void bs_index_text_read(const char *sql, struct bs_index_text *ret_text)
{
	const char *start = NULL;
	int depth = 0;

	*ret_text = (struct bs_index_text){0};
	for (const char *at = sql, *next; *at; at = next) {
		next = skip(at);
		if (*at == '(' && depth++ == 0) {
			start = next;
		} else if (*at == ',' && depth == 1) {
			add_term(ret_text, start, at);
			start = next;
		} else if (*at == ')' && --depth == 0) {
			add_term(ret_text, start, at);
			ret_text->where = find_where(next);
			return;
		}
	}
}

void bs_index_text_release(struct bs_index_text *text)
{
	for (size_t i = 0; i < text->term_count; i++)
		free(text->terms[i]);
	free(text->terms);
	free(text->where);
	*text = (struct bs_index_text){0};
}

static bool any_word(const char *at, const char *end, const char *const *words)
{
	for (; *words; words++)
		if (is_word(at, end, *words))
			return true;
	return false;
}

static bool called(const char *end)
{
	while (isspace((unsigned char)*end))
		end++;
	return *end == '(';
}

/* date(), time() and datetime() are the present moment; so is what is called with 'now'. */
static bool called_empty(const char *end)
{
	if (!called(end))
		return false;
	end = strchr(end, '(') + 1;
	while (isspace((unsigned char)*end))
		end++;
	return *end == ')';
}

bool bs_default_is_volatile(const char *value)
{
	static const char *const moments[] = {"current_timestamp", "current_time", "current_date", NULL};
	static const char *const random[] = {"random", "randomblob", NULL};
	static const char *const clocks[] = {"date", "time", "datetime", "julianday", "unixepoch", NULL};
	bool inside_call = false;

	for (const char *at = value, *next; *at; at = next) {
		next = skip(at);
		if (any_word(at, next, moments) || (any_word(at, next, random) && called(next)) ||
		    (any_word(at, next, clocks) && called_empty(next)))
			return true;
		inside_call = inside_call || (word_char(*at) && called(next));
		if (inside_call && is_word(at, next, "'now'"))
			return true;
	}
	return false;
}
