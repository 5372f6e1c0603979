/*
 * The JUnit report in two parts: what the testcases are (junit_cases.c), and how they are written (junit.c).
 */
#ifndef BS_REPORTERS_JUNIT_H
#define BS_REPORTERS_JUNIT_H

#include "base/buf.h"
#include "summary.h"

#include <backstep/reporter.h>

enum bs_junit_profile {
	BS_JUNIT_RICH,   /* with where each rule stands: mikepenz/action-junit-report and others read it */
	BS_JUNIT_STRICT, /* without: valid by the junit-10.xsd that Jenkins checks against */
};

enum bs_junit_verdict { BS_JUNIT_PASSED, BS_JUNIT_FAILED, BS_JUNIT_ERROR, BS_JUNIT_SKIPPED };

struct bs_junit_case {
	char *name; /* raw, as all text here: it is cleaned when it is written */
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
