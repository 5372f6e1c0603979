/*
 * Which orders were exercised: how often the operation of the row was followed by that of the column. Sequence bugs
 * live in orders, so an empty cell is a question to the model. Shades tell much from little, the numbers tell it
 * exactly, and a pair that a finding's sequence ends with carries a mark.
 */
#include "html_operations.h"
#include "html_page.h"

#include "base/mem.h"

#define OPERATIONS_MAX 60 /* a larger square is no picture any more */

struct square {
	struct bs_html_operations operations;
	uint64_t *counts;
	bool *violations;
	uint64_t most;
	size_t exercised;
};

static void square_init(struct square *square, const struct bs_summary *summary)
{
	const struct bs_ev_coverage *coverage = &summary->coverage;

	*square = (struct square){0};
	bs_html_operations_init(&square->operations, summary);
	size_t n = square->operations.count;
	square->counts = bs_xcalloc(n * n + 1, sizeof *square->counts);
	square->violations = bs_xcalloc(n * n + 1, sizeof *square->violations);
	for (size_t i = 0; i < coverage->pair_count; i++) {
		size_t first = bs_html_operation(&square->operations, coverage->pairs[i].first);
		size_t second = bs_html_operation(&square->operations, coverage->pairs[i].second);
		if (first == BS_HTML_NO_OPERATION || second == BS_HTML_NO_OPERATION)
			continue;
		uint64_t *count = &square->counts[first * n + second];
		square->exercised += !*count && coverage->pairs[i].count;
		*count += coverage->pairs[i].count;
		square->violations[first * n + second] |= coverage->pairs[i].violation;
		if (*count > square->most)
			square->most = *count;
	}
}

static void square_release(struct square *square)
{
	bs_html_operations_release(&square->operations);
	free(square->counts);
	free(square->violations);
}

/* Each shade stands for a quarter as many as the next. */
static const char *shade(uint64_t count, uint64_t most)
{
	static const char *const shades[] = {"h4", "h3", "h2"};

	for (size_t i = 0; i < BS_COUNT(shades); i++, most /= 4)
		if (count > most / 4)
			return shades[i];
	return "h1";
}

static void cell(xmlNode *row, uint64_t count, bool violation, uint64_t most)
{
	BS_AUTOFREE char *text = bs_html_count(count);

	if (!violation) {
		bs_html_leaf(row, "td", count ? shade(count, most) : "zero", text);
		return;
	}
	xmlNode *td = bs_html_add(row, "td", "bad");
	bs_html_icon(td, "failed");
	bs_html_text(td, text);
	bs_html_leaf(td, "span", "hidden-words", " breaks a rule");
}

static const char *shown(const char *label)
{
	return *label ? label : "(no name)";
}

static void square_table(xmlNode *table, const struct square *square)
{
	size_t n = square->operations.count;
	xmlNode *head = bs_html_add(bs_html_add(table, "thead", NULL), "tr", NULL);
	xmlNode *body = bs_html_add(table, "tbody", NULL);

	bs_html_leaf(head, "td", "corner", "then →");
	for (size_t i = 0; i < n; i++) {
		xmlNode *name = bs_html_add(head, "th", NULL);
		bs_html_attr(name, "scope", "col");
		bs_html_leaf(name, "span", NULL, shown(square->operations.labels[i]));
	}
	for (size_t i = 0; i < n; i++) {
		xmlNode *row = bs_html_add(body, "tr", NULL);
		bs_html_attr(bs_html_leaf(row, "th", NULL, shown(square->operations.labels[i])), "scope", "row");
		for (size_t j = 0; j < n; j++)
			cell(row, square->counts[i * n + j], square->violations[i * n + j], square->most);
	}
}

void bs_html_pairs(struct bs_html_page *page)
{
	xmlNode *section = bs_html_slot(page, "pairs"), *words = bs_html_slot(page, "pairs-words");
	xmlNode *table = bs_html_slot(page, "matrix");
	struct square square;

	square_init(&square, page->summary);
	size_t n = square.operations.count;
	bs_html_textf(words, "%zu of %zu ordered pairs of operations were exercised.", square.exercised, n * n);
	if (!n || !square.most)
		bs_html_remove(section);
	else if (n > OPERATIONS_MAX)
		bs_html_remove(table->parent);
	else
		square_table(table, &square);
	square_release(&square);
}
