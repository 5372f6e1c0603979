/*
 * HTML pages as tests read them: what a feed emits is written by the reporter, and parsed back with libxml2's HTML
 * parser. Everything that is returned as char * is the caller's.
 */
#ifndef BS_TESTS_REPORTERS_PAGE_READ_H
#define BS_TESTS_REPORTERS_PAGE_READ_H

#include "fixture.h"

#include <libxml/HTMLparser.h>

/* The page of what feed(ctx, reporter) emits. */
char *page_of(void (*feed)(void *ctx, struct bs_reporter *reporter), void *ctx);
char *page_of_fixture(enum fixture which);

htmlDocPtr page_parse(const char *text);
xmlNode *page_root(htmlDocPtr doc);

/* The next node in the order of the document, within root. */
xmlNode *page_next(const xmlNode *root, xmlNode *node);
#define PAGE_EACH(node, root) \
	(xmlNode *node = (root); node; node = page_next((root), node)) if (node->type == XML_ELEMENT_NODE)

bool page_is(const xmlNode *node, const char *tag);
char *page_attribute(xmlNode *node, const char *name); /* NULL: none */
bool page_has_class(xmlNode *node, const char *class);
xmlNode *page_by_id(htmlDocPtr doc, const char *id);

/* How many elements with that tag and class are in root; class NULL: any. ret_first receives the first. */
size_t page_count(xmlNode *root, const char *tag, const char *class, xmlNode **ret_first);
bool page_says(xmlNode *root, const char *text);

void page_check_ids(htmlDocPtr doc); /* every id is there once */

/* The cards that are compressed in the page, one after the other and with their parts filled in, as reporters/html_more.h
 * says and as the page's script does it. NULL: nothing is compressed. */
char *page_unpack(const char *text);

/* Around the tests of a program: makes the folder that pages are written into, and removes it. */
bool page_begin(void);
void page_end(void);

#endif
