/* Making pages and reading them back. See page_read.h. */
#include "page_read.h"

#include "base/buf.h"
#include "base/mem.h"
#include "reporters/reporters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_html.XXXXXX";

static void read_file(const char *path, struct bs_buf *out)
{
	FILE *file = fopen(path, "rb");
	char part[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(part, 1, sizeof part, file)) > 0)
		bs_buf_add(out, part, n);
	fclose(file);
	unlink(path);
}

/* The page of what feed(ctx, sink) emits. */
char *page_of(void (*feed)(void *ctx, struct bs_reporter *reporter), void *ctx)
{
	BS_AUTOFREE char *path = bs_xasprintf("%s/page.html", folder);
	struct bs_reporter_options options = {.path = path};
	struct bs_buf page = BS_BUF_INIT;
	struct bs_reporter *reporter;

	assert_int_equal(bs_reporter_html.open(&options, &reporter, NULL), 0);
	feed(ctx, reporter);
	assert_int_equal(bs_reporter_html.close(reporter, NULL), 0);
	read_file(path, &page);
	return bs_buf_take(&page);
}

static void emit(void *ctx, const struct bs_event *event)
{
	bs_reporter_html.on_event(ctx, event);
}

static void feed_fixture(void *ctx, struct bs_reporter *reporter)
{
	fixture_feed(*(enum fixture *)ctx, (struct bs_sink){reporter, emit});
}

char *page_of_fixture(enum fixture which)
{
	return page_of(feed_fixture, &which);
}

htmlDocPtr page_parse(const char *text)
{
	htmlDocPtr doc = htmlReadMemory(text, (int)strlen(text), "page.html", "UTF-8",
					HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
	assert_non_null(doc);
	return doc;
}

/* The next element in the order of the document, within root. */
xmlNode *page_next(const xmlNode *root, xmlNode *node)
{
	xmlNode *to = node->children;

	while (!to && node != root) {
		to = node->next;
		if (!to)
			node = node->parent;
	}
	return to;
}

bool page_is(const xmlNode *node, const char *tag)
{
	return strcmp((const char *)node->name, tag) == 0;
}

char *page_attribute(xmlNode *node, const char *name) /* the caller's; NULL: none */
{
	xmlChar *value = xmlGetProp(node, BAD_CAST name);
	char *copy = bs_xstrdup((char *)value);

	xmlFree(value);
	return copy;
}

bool page_has_class(xmlNode *node, const char *class)
{
	BS_AUTOFREE char *classes = page_attribute(node, "class");
	BS_AUTOFREE char *padded = bs_xasprintf(" %s ", classes ? classes : ""), *wanted = bs_xasprintf(" %s ", class);

	return strstr(padded, wanted) != NULL;
}

xmlNode *page_by_id(htmlDocPtr doc, const char *id)
{
	for PAGE_EACH(node, xmlDocGetRootElement(doc)) {
		BS_AUTOFREE char *value = page_attribute(node, "id");
		if (value && strcmp(value, id) == 0)
			return node;
	}
	return NULL;
}

/* How many elements with that tag and class are in root; class NULL: any. first receives the first. */
size_t page_count(xmlNode *root, const char *tag, const char *class, xmlNode **ret_first)
{
	size_t n = 0;

	if (!root)
		return 0;
	for PAGE_EACH(node, root) {
		if (!page_is(node, tag) || (class && !page_has_class(node, class)))
			continue;
		if (!n++ && ret_first)
			*ret_first = node;
	}
	return n;
}

bool page_says(xmlNode *root, const char *text)
{
	xmlChar *content = xmlNodeGetContent(root);
	bool found = content && strstr((const char *)content, text);

	xmlFree(content);
	return found;
}

xmlNode *page_root(htmlDocPtr doc)
{
	return xmlDocGetRootElement(doc);
}

void page_check_ids(htmlDocPtr doc)
{
	for PAGE_EACH(node, page_root(doc)) {
		BS_AUTOFREE char *id = page_attribute(node, "id");
		if (id)
			assert_ptr_equal(page_by_id(doc, id), node);
	}
}

/* h1, then no level is left out on the way down. */

bool page_begin(void)
{
	return mkdtemp(folder) != NULL;
}

void page_end(void)
{
	rmdir(folder);
}
