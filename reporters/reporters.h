/*
 * The built-in reporters. registry.c lists them, in the order in which --help does; each lives in the file
 * of its name.
 */
#ifndef BS_REPORTERS_REPORTERS_H
#define BS_REPORTERS_REPORTERS_H

#include <backstep/reporter.h>

extern const struct bs_reporter_ops bs_reporter_console;
extern const struct bs_reporter_ops bs_reporter_ndjson;
extern const struct bs_reporter_ops bs_reporter_junit;
extern const struct bs_reporter_ops bs_reporter_sarif;
extern const struct bs_reporter_ops bs_reporter_html;
extern const struct bs_reporter_ops bs_reporter_markdown;
extern const struct bs_reporter_ops bs_reporter_github;

#endif
