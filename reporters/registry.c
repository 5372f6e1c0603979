/* The one list of the formats that --report takes. See reporters.h. */
#include "reporters.h"

#include "base/mem.h"

#include <string.h>

static const struct bs_reporter_ops *const reporters[] = {
	&bs_reporter_console,
	&bs_reporter_ndjson,
	&bs_reporter_junit,
	&bs_reporter_sarif,
	&bs_reporter_html,
	&bs_reporter_markdown,
	&bs_reporter_github,
};

const struct bs_reporter_ops *bs_reporter_at(size_t index)
{
	return index < BS_COUNT(reporters) ? reporters[index] : NULL;
}

bool bs_reporter_has_profile(const struct bs_reporter_ops *ops, const char *profile)
{
	for (const struct bs_reporter_profile *known = ops->profiles; known && known->name; known++)
		if (strcmp(known->name, profile) == 0)
			return true;
	return false;
}

const struct bs_reporter_ops *bs_reporter_find(const char *name)
{
	for (size_t i = 0; i < BS_COUNT(reporters); i++)
		if (strcmp(reporters[i]->name, name) == 0)
			return reporters[i];
	return NULL;
}
