/*
 * Building the page as a tree. Text goes in as text nodes and attribute values as values, never as markup, so
 * escaping cannot be forgotten: it happens once, when the tree is written (html_write.c). Everything that passes
 * here is cleaned first: no character that XML forbids, no terminal escape, and control and bidi characters
 * are spelled out (\u202e), so that no text can make its neighbours read differently.
 */
#ifndef BS_REPORTERS_HTML_NODE_H
#define BS_REPORTERS_HTML_NODE_H

#include <libxml/tree.h>
#include <stdarg.h>
#include <stddef.h>

struct bs_buf;

/* The new last child of parent. class may be NULL. */
xmlNode *bs_html_add(xmlNode *parent, const char *tag, const char *class);

/* An element that holds only text; text NULL makes it empty. A very long text of a block is marked to scroll in its
 * place, and can be reached by keyboard then. */
xmlNode *bs_html_leaf(xmlNode *parent, const char *tag, const char *class, const char *text);
xmlNode *bs_html_leaff(xmlNode *parent, const char *tag, const char *class, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Appends text; NULL adds nothing. */
void bs_html_text(xmlNode *parent, const char *text);
void bs_html_text_len(xmlNode *parent, const char *text, size_t len);
void bs_html_textf(xmlNode *parent, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets an attribute; value NULL sets nothing. The name is always a constant of ours. */
void bs_html_attr(xmlNode *node, const char *name, const char *value);
void bs_html_attrf(xmlNode *node, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds a class to those that node has. */
void bs_html_class(xmlNode *node, const char *class);

/* One of the template's symbols, drawn beside words that say the same: hidden from screen readers. */
void bs_html_icon(xmlNode *parent, const char *symbol);

/* Makes a filled pre reachable by keyboard when it has so much text that the style lets it scroll. */
void bs_html_reachable(xmlNode *pre);

void bs_html_remove(xmlNode *node);

/* Appends text as the page may hold it (see above). */
void bs_html_clean(struct bs_buf *out, const char *text, size_t len);

#endif
