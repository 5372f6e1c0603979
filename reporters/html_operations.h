/*
 * The operations of a run in the order of the model: all that were declared, also those that never ran, and after
 * them any that only the coverage names. Both coverage tables number them the same way.
 */
#ifndef BS_REPORTERS_HTML_OPERATIONS_H
#define BS_REPORTERS_HTML_OPERATIONS_H

#include "summary.h"

#define BS_HTML_NO_OPERATION ((size_t)-1)

struct bs_html_operations {
	const char **labels; /* borrowed from the summary */
	size_t count;
};

void bs_html_operations_init(struct bs_html_operations *operations, const struct bs_summary *summary);
void bs_html_operations_release(struct bs_html_operations *operations);
size_t bs_html_operation(const struct bs_html_operations *operations, const char *label);

#endif
