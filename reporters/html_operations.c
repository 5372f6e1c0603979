/* The operations of a run, numbered. See html_operations.h. */
#include "html_operations.h"

#include "base/mem.h"

#include <string.h>

size_t bs_html_operation(const struct bs_html_operations *operations, const char *label)
{
	for (size_t i = 0; label && i < operations->count; i++)
		if (strcmp(operations->labels[i], label) == 0)
			return i;
	return BS_HTML_NO_OPERATION;
}

static void add(struct bs_html_operations *operations, const char *label)
{
	if (!label || bs_html_operation(operations, label) != BS_HTML_NO_OPERATION)
		return;
	*BS_PUSH(operations->labels, operations->count) = label;
}

void bs_html_operations_init(struct bs_html_operations *operations, const struct bs_summary *summary)
{
	const struct bs_ev_coverage *coverage = &summary->coverage;

	*operations = (struct bs_html_operations){0};
	for (size_t a = 0; a < summary->action_count; a++)
		for (size_t i = 0; i < summary->actions[a].operation_count; i++)
			add(operations, summary->actions[a].operations[i]);
	for (size_t i = 0; i < coverage->status_count; i++)
		add(operations, coverage->statuses[i].operation);
	for (size_t i = 0; i < coverage->pair_count; i++) {
		add(operations, coverage->pairs[i].first);
		add(operations, coverage->pairs[i].second);
	}
}

void bs_html_operations_release(struct bs_html_operations *operations)
{
	free(operations->labels);
	*operations = (struct bs_html_operations){0};
}
