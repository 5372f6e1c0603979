/*
 * The JUnit report in two parts: what the testcases are (junit_cases.c), and how they are written (junit.c).
 */
#ifndef BS_REPORTERS_JUNIT_H
#define BS_REPORTERS_JUNIT_H

#include "base/buf.h"
#include "summary.h"

#include <backstep/reporter.h>

enum bs_junit_profile {
	BS_JUNIT_RICH,   /* with all that some reader shows: where each rule stands (mikepenz, EnricoMi), properties and
			  * output of each testcase (Jenkins, GitLab) */
	BS_JUNIT_STRICT, /* what both schemas allow that are checked against: Jenkins' junit-10.xsd and Windy Road's
			  * JUnit.xsd */
};

enum bs_junit_verdict { BS_JUNIT_PASSED, BS_JUNIT_FAILED, BS_JUNIT_ERROR, BS_JUNIT_SKIPPED };

struct bs_junit_case {
	char *name; /* raw, as all text here: it is cleaned when it is written */
	const struct bs_summary_rule *rule; /* NULL: it stands for no rule */
	const struct bs_ev_finding **findings;
	size_t finding_count;
	struct bs_ev_place at;
	uint64_t elapsed_us;
	enum bs_junit_verdict verdict;
	const char *type; /* of a failure or error */
	char *message;
	struct bs_buf text;
	struct bs_buf output;
};

struct bs_junit {
	struct bs_reporter reporter;
	struct bs_summary summary;
	char *path;
	enum bs_junit_profile profile;
	struct bs_junit_case *cases;
	size_t case_count;
	struct _xmlTextWriter *writer; /* while it is written */
};

/* Fills the cases from the summary. */
void bs_junit_decide(struct bs_junit *junit);

#endif
