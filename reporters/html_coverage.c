/*
 * What each operation was answered, and how fast: one table with a column for every status that came, and the
 * latency's percentiles with a bar on a common scale. An operation that never ran is a row that says so.
 */
#include "html_operations.h"
#include "html_page.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define STATUSES_MAX 24 /* columns; rarer codes are summed in the last one by the explorer already */
#define BAR_WIDTH 120   /* pixels of the longest bar */

struct table {
	struct bs_html_operations operations;
	const struct bs_summary *summary;
	const struct bs_ev_coverage *coverage;
	int statuses[STATUSES_MAX];
	size_t status_count;
	uint64_t slowest_us;
};

static int by_status(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void add_status(struct table *table, int status)
{
	for (size_t i = 0; i < table->status_count; i++)
		if (table->statuses[i] == status)
			return;
	if (table->status_count < STATUSES_MAX)
		table->statuses[table->status_count++] = status;
}

static void table_init(struct table *table, const struct bs_summary *summary)
{
	*table = (struct table){.summary = summary, .coverage = &summary->coverage};
	bs_html_operations_init(&table->operations, summary);
	for (size_t i = 0; i < table->coverage->status_count; i++) {
		const struct bs_ev_operation_status *one = &table->coverage->statuses[i];
		if (one->status || !bs_summary_moves_clock(summary, one->operation))
			add_status(table, one->status);
	}
	qsort(table->statuses, table->status_count, sizeof *table->statuses, by_status);
	for (size_t i = 0; i < table->coverage->latency_count; i++)
		if (table->coverage->latencies[i].p95_us > table->slowest_us)
			table->slowest_us = table->coverage->latencies[i].p95_us;
}

static xmlNode *column(xmlNode *row, const char *class, const char *text)
{
	xmlNode *head = bs_html_leaf(row, "th", class, text);

	bs_html_attr(head, "scope", "col");
	return head;
}

static void table_head(xmlNode *parent, const struct table *table)
{
	static const char *const latencies[] = {"p50", "p95", "p99", "max"};
	xmlNode *row = bs_html_add(bs_html_add(parent, "thead", NULL), "tr", NULL);

	column(row, NULL, "operation");
	for (size_t i = 0; i < table->status_count; i++) {
		xmlNode *head = column(row, "num", NULL);
		bs_html_class(head, bs_html_status_class(table->statuses[i]));
		if (table->statuses[i])
			bs_html_textf(head, "%d", table->statuses[i]);
		else
			bs_html_text(head, "no response");
	}
	column(row, "num", "all");
	for (size_t i = 0; i < BS_COUNT(latencies); i++)
		column(row, i ? "num" : "num first", latencies[i]);
	column(row, "lengths", "up to p50, p95");
}

static uint64_t count_of(const struct table *table, const char *operation, int status)
{
	uint64_t count = 0;

	for (size_t i = 0; i < table->coverage->status_count; i++)
		if (table->coverage->statuses[i].status == status &&
		    bs_html_is(table->coverage->statuses[i].operation, operation))
			count += table->coverage->statuses[i].count;
	return count;
}

static uint64_t status_cells(xmlNode *row, const struct table *table, const char *operation)
{
	bool moves_clock = bs_summary_moves_clock(table->summary, operation);
	uint64_t all = moves_clock ? count_of(table, operation, 0) : 0;

	for (size_t i = 0; i < table->status_count; i++) {
		uint64_t count = moves_clock ? 0 : count_of(table, operation, table->statuses[i]);
		BS_AUTOFREE char *text = bs_html_count(count);
		xmlNode *cell = bs_html_leaf(row, "td", count ? "num" : "num zero", text);
		if (count)
			bs_html_class(cell, bs_html_status_class(table->statuses[i]));
		all += count;
	}
	return all;
}

static void rectangle(xmlNode *svg, const char *class, uint64_t us, uint64_t slowest_us)
{
	xmlNode *rect = bs_html_add(svg, "rect", class);
	double share = slowest_us ? (double)us / (double)slowest_us : 0;

	bs_html_attrf(rect, "width", "%d", share < 1 ? 1 + (int)(share * (BAR_WIDTH - 1)) : BAR_WIDTH);
	bs_html_attr(rect, "height", "10");
	bs_html_attr(rect, "rx", "2");
}

/* Decoration beside the numbers: attributes and not styles, which the policy would not let through. */
static void bar(xmlNode *row, const struct bs_ev_latency *latency, uint64_t slowest_us)
{
	xmlNode *svg = bs_html_add(bs_html_add(row, "td", "lengths"), "svg", "latency");

	bs_html_attrf(svg, "width", "%d", BAR_WIDTH);
	bs_html_attr(svg, "height", "10");
	bs_html_attr(svg, "aria-hidden", "true");
	rectangle(svg, "p95", latency->p95_us, slowest_us);
	rectangle(svg, "p50", latency->p50_us, slowest_us);
}

static void latency_cells(xmlNode *row, const struct table *table, const char *operation)
{
	for (size_t i = 0; i < table->coverage->latency_count; i++) {
		const struct bs_ev_latency *latency = &table->coverage->latencies[i];
		if (!bs_html_is(latency->operation, operation))
			continue;
		const uint64_t times[] = {latency->p50_us, latency->p95_us, latency->p99_us, latency->max_us};
		for (size_t k = 0; k < BS_COUNT(times); k++) {
			BS_AUTOFREE char *text = bs_html_time(times[k]);
			bs_html_leaf(row, "td", k ? "num" : "num first", text);
		}
		bar(row, latency, table->slowest_us);
		return;
	}
	bs_html_attr(bs_html_add(row, "td", "first"), "colspan", "5");
}

static void operation_row(xmlNode *body, const struct table *table, const char *operation)
{
	xmlNode *row = bs_html_add(body, "tr", NULL);
	xmlNode *name = bs_html_add(row, "th", "operation");

	bs_html_attr(name, "scope", "row");
	bs_html_leaf(name, "code", NULL, operation);
	uint64_t all = status_cells(row, table, operation);
	BS_AUTOFREE char *text = bs_html_count(all);
	bs_html_leaf(row, "td", "num", text);
	if (!all)
		bs_html_leaf(name, "span", "tag wary", "never ran");
	latency_cells(row, table, operation);
}

void bs_html_coverage(struct bs_html_page *page)
{
	xmlNode *section = bs_html_slot(page, "coverage");
	xmlNode *place = bs_html_slot(page, "operations");
	struct table table;

	table_init(&table, page->summary);
	if (table.coverage->status_count) {
		table_head(place, &table);
		xmlNode *body = bs_html_add(place, "tbody", NULL);
		for (size_t i = 0; i < table.operations.count; i++)
			operation_row(body, &table, table.operations.labels[i]);
	} else {
		bs_html_remove(section);
	}
	bs_html_operations_release(&table.operations);
}
