/*
 * The SARIF report: what code scanning shows in a pull request. One run with one result for each finding, of which
 *
 *   locations[0]         is the action after which the rule broke, in the model file
 *   relatedLocations[0]  is the rule
 *   codeFlows[0]         is the minimal sequence, each step with its request and its response
 *
 * SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 * What GitHub makes of it, and its limits:
 * https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
 *
 * sarif.c assembles the document; each other sarif_*.c makes one kind of its parts.
 */
#ifndef BS_REPORTERS_SARIF_H
#define BS_REPORTERS_SARIF_H

#include "base/json.h"
#include "summary.h"

#include <backstep/reporter.h>

struct bs_sarif_limits { /* beyond which GitHub refuses a file */
	size_t results, steps; /* of a run, of a result */
	size_t gzip_bytes;     /* of the compressed file */
};

/* One for each rule that was declared, and for each other that a finding names. */
struct bs_sarif_rule {
	const char *name, *kind;
	const struct bs_ev_invariant *declared; /* NULL: only a finding named it */
	const struct bs_ev_finding *finding;    /* NULL: declared */
	char *id;                               /* unique, fit to be shown */
};

struct bs_sarif {
	struct bs_reporter reporter;
	struct bs_summary summary;
	char *path;
	struct bs_sarif_limits limits;
	struct bs_sarif_rule *rules;
	size_t rule_count;
};

/* --- sarif_rules.c: the rules, and what severities are called --- */

void bs_sarif_collect_rules(struct bs_sarif *sarif);
void bs_sarif_release_rules(struct bs_sarif *sarif);
/* The index of a finding's rule. */
size_t bs_sarif_rule_of(const struct bs_sarif *sarif, const struct bs_ev_finding *finding);
cJSON *bs_sarif_rules(const struct bs_sarif *sarif);
const char *bs_sarif_level(const char *severity); /* error, warning, note */

/* --- sarif_result.c: a finding --- */

/* With what of its steps: everything, or no headers and bodies, which may be too large for the file. */
enum bs_sarif_detail { BS_SARIF_WHOLE, BS_SARIF_WITHOUT_MESSAGES };

cJSON *bs_sarif_result(const struct bs_sarif *sarif, const struct bs_ev_finding *finding, enum bs_sarif_detail detail);

/* --- sarif_flow.c: its steps --- */

cJSON *bs_sarif_flow(const struct bs_sarif *sarif, const struct bs_ev_finding *finding, enum bs_sarif_detail detail);

/* --- sarif_run.c: what happened, and to what --- */

/* executionSuccessful, exit status, notifications for warnings and errors. */
cJSON *bs_sarif_invocation(const struct bs_sarif *sarif);
/* One more notification: the report itself has something to say. */
void bs_sarif_notify(cJSON *invocation, const char *level, const char *code, const char *message);
void bs_sarif_describe_run(const struct bs_sarif *sarif, cJSON *run);

/* --- sarif_results.c: as many findings as the limits allow --- */

/* Adds `results` to run, and to the invocation in it a word on what was left out. */
void bs_sarif_add_results(const struct bs_sarif *sarif, cJSON *run, cJSON *invocation);

#endif
