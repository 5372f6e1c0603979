/* The reporters of the command line, opened before a run and closed behind it: for run, demo and report. */
#ifndef BS_CMD_REPORTS_H
#define BS_CMD_REPORTS_H

#include "cmd.h"

#include <backstep/reporter.h>

struct bs_reports {
	struct bs_fanout *fanout;
	unsigned failed; /* that could not be opened; it was told */
};

/* Whether every format and profile of --report is one; tells which is not. */
bool bs_reports_known(const struct bs_options *options);

/*
 * Opens the console's, unless --quiet, and those of --report. by_default: in a job of GitHub Actions also annotations
 * and the job summary, unless --no-github or where --report names them. Annotations are printed, so there are none by
 * default when a report for another program goes to standard output.
 */
void bs_reports_open(struct bs_reports *reports, const struct bs_options *options, bool by_default);

/* Closes all, tells which failed and where the others are. Returns status, or the status of an incomplete run when a
 * report is missing. */
int bs_reports_close(struct bs_reports *reports, const struct bs_options *options, int status);

#endif
