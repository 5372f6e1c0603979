/*
 * The tree as HTML text that every browser parses back to the same tree. libxml2's own HTML writer is of the
 * time of HTML 4: it adds a meta element, rewrites URLs and escapes scripts.
 */
#ifndef BS_REPORTERS_HTML_WRITE_H
#define BS_REPORTERS_HTML_WRITE_H

#include <libxml/tree.h>

struct bs_buf;

/* <!doctype html> and everything in doc. Comments are left out. */
void bs_html_write(struct bs_buf *out, const xmlDoc *doc);

#endif
