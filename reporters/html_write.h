/*
 * The tree as HTML text that every browser parses back to the same tree. libxml2's own HTML writer is of the
 * time of HTML 4: it adds a meta element, rewrites URLs and escapes scripts.
 */
#ifndef BS_REPORTERS_HTML_WRITE_H
#define BS_REPORTERS_HTML_WRITE_H

#include <libxml/tree.h>

struct bs_buf;

/* Marks an element whose content other elements may have too, but for one element in it that is marked as the hole. */
void bs_html_share(xmlNode *node);
void bs_html_hole(xmlNode *node);

/* For writing without such content: called inside the start tag, to add an attribute that says where it is. */
struct bs_html_shared {
	void (*refer)(void *ctx, struct bs_buf *out, const xmlNode *node);
	void *ctx;
};

#define BS_HTML_HOLE '\v' /* no text of a page can hold it */

/* One element; shared NULL: all of it. */
void bs_html_write_node(struct bs_buf *out, const xmlNode *node, const struct bs_html_shared *shared);

/* What is inside an element, with BS_HTML_HOLE in place of the hole's text. ret_hole receives the hole or NULL. */
void bs_html_write_content(struct bs_buf *out, const xmlNode *node, const xmlNode **ret_hole);

/* <!doctype html> and everything in doc. Comments are left out. */
void bs_html_write(struct bs_buf *out, const xmlDoc *doc);

#endif
