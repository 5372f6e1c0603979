/*
 * The rows that a step changed, as a table of columns before and after. Of a row that changed only the columns
 * that differ are shown; a new or deleted row is shown whole. What was and what is are told apart by their columns
 * and elements (del, ins), and only then by colour. A sign would be read as that of the number.
 */
#include "html_page.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

static const struct bs_ev_value *find(const struct bs_ev_value *values, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (values[i].name && name && strcmp(values[i].name, name) == 0)
			return &values[i];
	return NULL;
}

static bool equal(const struct bs_ev_value *a, const struct bs_ev_value *b)
{
	return a && b && a->json && b->json && strcmp(a->json, b->json) == 0;
}

static void cell(xmlNode *row, const char *mark, const struct bs_ev_value *value)
{
	xmlNode *td = bs_html_add(row, "td", NULL);

	if (!value) {
		bs_html_leaf(td, "span", "soft", "–");
		return;
	}
	BS_AUTOFREE char *text = bs_html_value(value->json);
	bs_html_leaf(td, mark, NULL, text);
}

static void column(xmlNode *body, const struct bs_ev_value *before, const struct bs_ev_value *after)
{
	xmlNode *row = bs_html_add(body, "tr", NULL);

	const char *name = before ? before->name : after->name;

	bs_html_attr(bs_html_leaf(row, "th", "column", bs_html_has(name) ? name : "(no name)"), "scope", "row");
	cell(row, "del", before);
	cell(row, "ins", after);
}

/* The columns in the order of the new row, then those that only the old one has. Returns how many are unchanged. */
static size_t columns(xmlNode *body, const struct bs_ev_change *change)
{
	size_t unchanged = 0;

	for (size_t i = 0; i < change->after_count; i++) {
		const struct bs_ev_value *before = find(change->before, change->before_count, change->after[i].name);
		if (equal(before, &change->after[i]))
			unchanged++;
		else
			column(body, before, &change->after[i]);
	}
	for (size_t i = 0; i < change->before_count; i++)
		if (!find(change->after, change->after_count, change->before[i].name))
			column(body, &change->before[i], NULL);
	return unchanged;
}

static void change_rows(xmlNode *table, const struct bs_ev_change *change)
{
	const char *word = !change->before ? "new row" : !change->after ? "deleted row" : "changed row";
	xmlNode *body = bs_html_add(table, "tbody", NULL);
	xmlNode *head = bs_html_add(bs_html_add(body, "tr", "row"), "th", NULL);

	bs_html_attr(head, "colspan", "3");
	bs_html_attr(head, "scope", "rowgroup");
	bs_html_leaff(head, "span", !change->before ? "word new" : !change->after ? "word gone" : "word changed", "%s",
		      word);
	if (bs_html_has(change->store))
		bs_html_leaff(head, "span", "soft", " %s · ", change->store);
	bs_html_text(head, change->table);
	if (bs_html_has(change->row))
		bs_html_textf(head, " %s", change->row);
	size_t unchanged = columns(body, change);
	if (unchanged)
		bs_html_leaff(head, "span", "soft", " · %zu %s unchanged", unchanged,
			      bs_html_plural(unchanged, "column", "columns"));
}

static void table_head(xmlNode *table)
{
	static const char *const names[] = {"column", "before", "after"};
	xmlNode *row = bs_html_add(bs_html_add(table, "thead", NULL), "tr", NULL);

	for (size_t i = 0; i < BS_COUNT(names); i++)
		bs_html_attr(bs_html_leaf(row, "th", NULL, names[i]), "scope", "col");
}

void bs_html_changes(xmlNode *parent, const struct bs_ev_finding_step *step)
{
	xmlNode *block = bs_html_add(parent, "div", "changes");

	bs_html_leaf(block, "h4", NULL, "Rows changed");
	if (!step->change_count) {
		bs_html_leaf(block, "p", "soft", "This step changed no row that Backstep can see.");
		return;
	}
	xmlNode *table = bs_html_add(bs_html_add(block, "div", "scroll"), "table", "diff");
	table_head(table);
	for (size_t i = 0; i < step->change_count; i++)
		change_rows(table, &step->changes[i]);
	if (step->changes_left_out)
		bs_html_leaff(block, "p", "soft", "%" PRIu64 " more %s not kept.", step->changes_left_out,
			      bs_html_plural(step->changes_left_out, "change was", "changes were"));
}
