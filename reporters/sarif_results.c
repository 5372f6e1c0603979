/*
 * As many findings as GitHub takes, what fails the gate and is most severe first. What does not fit is left out whole,
 * and that is said. A finding that is too large by itself is told without its headers and bodies before it is given up.
 */
#include "sarif.h"
#include "sarif_json.h"

#include "base/mem.h"
#include "sarif_size.h"
#include "summary_gate.h"
#include "summary_words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Of which GitHub shows only so many. */
#define RESULTS_SHOWN 5000
#define STEPS_SHOWN 1000

#define NOTIFICATIONS_BYTES 4096 /* kept free for what is said of that here */

static bool add(const struct bs_sarif *sarif, cJSON *results, struct bs_sarif_size *size,
		const struct bs_ev_finding *finding, enum bs_sarif_detail detail)
{
	cJSON *result = bs_sarif_result(sarif, finding, detail);
	char *text = bs_json_print(result, false);
	bool fits = bs_sarif_size_take(size, text, strlen(text));

	cJSON_Delete(result);
	if (fits) /* as text, which is many times smaller than its tree */
		cJSON_AddItemToArray(results, cJSON_CreateRaw(text));
	free(text);
	return fits;
}

struct cut {
	size_t results, shortened, flows, hidden_flows;
};

static void say(cJSON *invocation, const char *level, const char *code, size_t count, const char *one, const char *many,
		const char *rest)
{
	struct bs_buf text = BS_BUF_INIT;

	if (count) {
		bs_words_count(&text, count, one, many);
		bs_buf_adds(&text, rest);
		bs_sarif_notify(invocation, level, code, bs_buf_text(&text));
	}
	bs_buf_release(&text);
}

static void say_cut(cJSON *invocation, const struct cut *cut, size_t kept)
{
	say(invocation, "warning", "report-truncated", cut->results, "finding is", "findings are",
	    " not in this file, those that matter least: GitHub would refuse more. The other reports have all.");
	say(invocation, "warning", "report-truncated", cut->shortened, "finding is", "findings are",
	    " here without headers and bodies: GitHub would refuse a larger file. The other reports have them.");
	say(invocation, "warning", "report-truncated", cut->flows, "finding lacks", "findings lack",
	    " steps before the last: GitHub would refuse a longer sequence. The other reports have all.");
	if (kept > RESULTS_SHOWN)
		bs_sarif_notify(invocation, "note", "more-than-shown",
				"GitHub shows only 5,000 findings of this file, the most severe ones.");
	say(invocation, "note", "more-than-shown", cut->hidden_flows, "finding has", "findings have",
	    " more steps than the 1,000 that GitHub shows.");
}

void bs_sarif_add_results(const struct bs_sarif *sarif, cJSON *run, cJSON *invocation)
{
	const struct bs_summary *summary = &sarif->summary;
	BS_AUTOFREE const struct bs_ev_finding **order = bs_gate_order(summary);
	BS_AUTOFREE char *rest = bs_json_print(run, false);
	size_t limit = sarif->limits.gzip_bytes, kept = 0;
	struct bs_sarif_size *size = bs_sarif_size_new(limit > NOTIFICATIONS_BYTES ? limit - NOTIFICATIONS_BYTES : 0);
	cJSON *results = bs_sarif_array(run, "results");
	struct cut cut = {0};

	bs_sarif_size_take(size, rest, strlen(rest));
	for (; kept < summary->finding_count && kept < sarif->limits.results; kept++) {
		const struct bs_ev_finding *finding = order[kept];
		if (!add(sarif, results, size, finding, BS_SARIF_WHOLE)) {
			if (!add(sarif, results, size, finding, BS_SARIF_WITHOUT_MESSAGES))
				break;
			cut.shortened++;
		}
		cut.flows += finding->step_count > sarif->limits.steps;
		cut.hidden_flows += finding->step_count > STEPS_SHOWN;
	}
	cut.results = summary->finding_count - kept;
	bs_sarif_size_free(size);
	say_cut(invocation, &cut, kept);
}
