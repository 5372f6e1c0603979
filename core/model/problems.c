/*
 * Collecting what is wrong with a model, and guessing what was meant. A guess is offered only when it is near:
 * at most a third of the letters differ, so that 'expct' finds 'expect' and 'x' finds nothing.
 */
#include "problems.h"

#include "base/mem.h"

#include <stdarg.h>
#include <string.h>

const char *bs_severity_name(enum bs_severity severity)
{
	switch (severity) {
	case BS_LOW: return "low";
	case BS_MEDIUM: return "medium";
	case BS_HIGH: return "high";
	case BS_CRITICAL: return "critical";
	}
	return "?";
}

__attribute__((format(printf, 4, 0))) static void add(struct bs_problems *problems, struct bs_at at, bool warning,
							 const char *format, va_list args)
{
	struct bs_problem *problem = BS_PUSH(problems->items, problems->count);

	problem->at = at;
	problem->warning = warning;
	problems->errors += !warning;
	if (vasprintf(&problem->message, format, args) < 0)
		abort();
}

void bs_problem_add(struct bs_problems *problems, struct bs_at at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(problems, at, false, format, args);
	va_end(args);
}

void bs_problem_warn(struct bs_problems *problems, struct bs_at at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(problems, at, true, format, args);
	va_end(args);
}

void bs_problems_release(struct bs_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		free(problems->items[i].message);
	free(problems->items);
	*problems = (struct bs_problems){0};
}

static bool after(struct bs_at a, struct bs_at b)
{
	return a.line != b.line ? a.line > b.line : a.column > b.column;
}

/* Merging, bottom up: qsort would not keep the order of what stands at one place. */
void bs_problems_sort(struct bs_problems *problems)
{
	size_t n = problems->count;
	struct bs_problem *from = problems->items;
	struct bs_problem *to = bs_xcalloc(n, sizeof *to);

	for (size_t width = 1; width < n; width *= 2) {
		for (size_t low = 0; low < n; low += 2 * width) {
			size_t mid = low + width < n ? low + width : n;
			size_t high = mid + width < n ? mid + width : n;
			for (size_t i = low, j = mid, k = low; k < high; k++)
				to[k] = i < mid && (j == high || !after(from[i].at, from[j].at)) ? from[i++] : from[j++];
		}
		struct bs_problem *other = from;
		from = to;
		to = other;
	}
	problems->items = from;
	free(to);
}

#define GUESS_MAX 64

/* Restricted Damerau-Levenshtein: a letter changed, lost, added, or two neighbours swapped. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][GUESS_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		size_t *oldest = before;
		before = last;
		last = now;
		now = oldest;
	}
	return last[b_len];
}

void bs_suggest_init(struct bs_suggestion *suggestion, const char *wrong, size_t len)
{
	*suggestion = (struct bs_suggestion){.wrong = wrong, .len = len};
}

void bs_suggest_offer(struct bs_suggestion *suggestion, const char *name)
{
	size_t len = strlen(name);

	if (len > GUESS_MAX || suggestion->len > GUESS_MAX)
		return;
	size_t longer = len > suggestion->len ? len : suggestion->len;
	size_t d = distance(suggestion->wrong, suggestion->len, name, len);
	if (d > (longer + 2) / 3 || d >= longer || (suggestion->best && d >= suggestion->distance))
		return;
	suggestion->best = name;
	suggestion->distance = d;
}

char *bs_suggest_text(const struct bs_suggestion *suggestion)
{
	return suggestion->best ? bs_xasprintf("; did you mean '%s'?", suggestion->best) : bs_xstrdup("");
}
