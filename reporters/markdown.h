/*
 * The Markdown report, for GitHub's job summary: the parts and what they share. Each part appends whole items to a
 * buffer of its own; markdown.c decides what there is room for.
 */
#ifndef BS_REPORTERS_MARKDOWN_H
#define BS_REPORTERS_MARKDOWN_H

#include "base/buf.h"
#include "summary.h"

#define BS_MD_GITHUB_MAX ((size_t)1024 * 1024) /* beyond it GitHub discards a summary whole */
#define BS_MD_BYTES_MAX ((size_t)900 * 1024)    /* of a document */

/* The most bytes of one text. */
#define BS_MD_NAME 200
#define BS_MD_LINE 500

/* One finding, the number-th. (markdown_finding.c) */
void bs_md_finding(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding,
		   size_t number);

/* A section of each, or nothing where there is nothing to show. Long ones are cut at a row, and say so.
 * (markdown_tables.c) */
void bs_md_errors(struct bs_buf *out, const struct bs_summary *summary);
void bs_md_warnings(struct bs_buf *out, const struct bs_summary *summary);
void bs_md_rules(struct bs_buf *out, const struct bs_summary *summary);
void bs_md_coverage(struct bs_buf *out, const struct bs_summary *summary);

#endif
