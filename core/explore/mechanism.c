/*
 * By which means stores are put back is said when they are ready; a store that finds out during the run that its
 * means do not serve takes others, and that is said too, with the reason, as it may cost time and may be avoided.
 */
#include "explorer.h"

#include "base/mem.h"

#include <string.h>

static void warn(struct bs_explorer *explorer, const char *store, const char *before,
		 const struct bs_store_stats *stats)
{
	const char *why = stats->why ? stats->why : "the store says so";

	if (before)
		bs_explorer_warn(explorer, "mechanism-changed", (struct bs_at){0},
				 "what was explored before holds; steps back may take longer from here on",
				 "store '%s' is put back otherwise from now on, by %s (before: by %s): %s", store, stats->mechanism,
				 before, why);
	else
		bs_explorer_warn(explorer, "mechanism", (struct bs_at){0}, "steps back may take longer so",
				 "store '%s' is put back by %s: %s", store, stats->mechanism, why);
}

void bs_explorer_tell_mechanisms(struct bs_explorer *explorer)
{
	const struct bs_stores *stores = &explorer->world->stores;

	if (!explorer->mechanisms)
		explorer->mechanisms = bs_xcalloc(stores->count, sizeof *explorer->mechanisms);
	for (size_t i = 0; i < stores->count; i++) {
		struct bs_store_stats stats;
		char **told = &explorer->mechanisms[i];
		stores->items[i]->ops->stats(stores->items[i], &stats);
		if (!stats.mechanism || (*told && strcmp(*told, stats.mechanism) == 0))
			continue;
		if (*told || stats.why)
			warn(explorer, stores->names[i], *told, &stats);
		free(*told);
		*told = bs_xstrdup(stats.mechanism);
	}
}

void bs_explorer_forget_mechanisms(struct bs_explorer *explorer)
{
	for (size_t i = 0; explorer->mechanisms && i < explorer->world->stores.count; i++)
		free(explorer->mechanisms[i]);
	free(explorer->mechanisms);
	explorer->mechanisms = NULL;
}
