/* Serialising, after the HTML standard's section 13.3. See html_write.h. */
#include "html_write.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdbool.h>
#include <string.h>

static bool one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool is_void(const char *tag)
{
	static const char *const tags[] = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"};

	return one_of(tag, tags, BS_COUNT(tags));
}

/* Elements whose content the parser takes as it stands. */
static bool is_raw(const char *tag)
{
	return strcmp(tag, "script") == 0 || strcmp(tag, "style") == 0;
}

/* Those begin a line, so that two reports can be compared line by line. White space in front of a block is none. */
static bool is_block(const char *tag)
{
	static const char *const tags[] = {"article", "aside", "details", "div", "dl", "footer",
					   "h1", "h2", "h3", "h4", "header", "li", "main", "nav",
					   "ol", "p", "pre", "section", "summary", "table", "tbody", "thead",
					   "tr", "ul"};

	return one_of(tag, tags, BS_COUNT(tags));
}

/* A carriage return would become a line feed in the parser. */
static void escape(struct bs_buf *out, const char *text, bool attribute)
{
	for (size_t run; *text; text += run + 1) {
		run = strcspn(text, attribute ? "&<>\r\"" : "&<>\r");
		bs_buf_add(out, text, run);
		switch (text[run]) {
		case '&': bs_buf_adds(out, "&amp;"); break;
		case '<': bs_buf_adds(out, "&lt;"); break;
		case '>': bs_buf_adds(out, "&gt;"); break;
		case '\r': bs_buf_adds(out, "&#13;"); break;
		case '"': bs_buf_adds(out, "&quot;"); break;
		default: return;
		}
	}
}

/* Only our own files come here. "</" would end the element; in strings, comments and patterns of both languages
 * "<\/" means the same. */
static void write_raw(struct bs_buf *out, const char *text)
{
	for (; *text; text++) {
		bs_buf_addc(out, *text);
		if (text[0] == '<' && text[1] == '/')
			bs_buf_addc(out, '\\');
	}
}

static void write_attributes(struct bs_buf *out, const xmlNode *node)
{
	for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
		bs_buf_addf(out, " %s", (const char *)attr->name);
		if (!attr->children || !attr->children->content || !*attr->children->content)
			continue;
		bs_buf_adds(out, "=\"");
		for (const xmlNode *part = attr->children; part; part = part->next)
			if (part->content)
				escape(out, (const char *)part->content, true);
		bs_buf_addc(out, '"');
	}
}

static bool begins_with_newline(const xmlNode *node)
{
	return node->children && node->children->content && *node->children->content == '\n';
}

/* What the marks of html_write.h point to; only the addresses count. */
static char is_shared, is_hole;

struct writer {
	struct bs_buf *out;
	const struct bs_html_shared *shared; /* NULL: all is written */
	const xmlNode **hole;                /* NULL: the hole is written as it is */
};

static void write_node(const struct writer *writer, const xmlNode *node, bool raw);

static void write_content(const struct writer *writer, const xmlNode *node)
{
	if (writer->hole && node->_private == &is_hole) {
		*writer->hole = node;
		bs_buf_addc(writer->out, BS_HTML_HOLE);
		return;
	}
	for (const xmlNode *child = node->children; child; child = child->next)
		write_node(writer, child, is_raw((const char *)node->name));
}

static void write_element(const struct writer *writer, const xmlNode *node)
{
	struct bs_buf *out = writer->out;
	const char *tag = (const char *)node->name;
	bool elsewhere = writer->shared && node->_private == &is_shared;

	if (is_block(tag) && out->len && out->data[out->len - 1] != '\n')
		bs_buf_addc(out, '\n');
	bs_buf_addf(out, "<%s", tag);
	write_attributes(out, node);
	if (elsewhere)
		writer->shared->refer(writer->shared->ctx, out, node);
	bs_buf_addc(out, '>');
	if (is_void(tag))
		return;
	if (strcmp(tag, "pre") == 0 && begins_with_newline(node))
		bs_buf_addc(out, '\n'); /* the parser drops the first one */
	if (!elsewhere)
		write_content(writer, node);
	bs_buf_addf(out, "</%s>", tag);
}

static void write_node(const struct writer *writer, const xmlNode *node, bool raw)
{
	if (node->type == XML_ELEMENT_NODE)
		write_element(writer, node);
	else if (node->type == XML_TEXT_NODE && raw)
		write_raw(writer->out, (const char *)node->content);
	else if (node->type == XML_TEXT_NODE)
		escape(writer->out, (const char *)node->content, false);
}

void bs_html_share(xmlNode *node)
{
	node->_private = &is_shared;
}

void bs_html_hole(xmlNode *node)
{
	node->_private = &is_hole;
}

void bs_html_write_content(struct bs_buf *out, const xmlNode *node, const xmlNode **ret_hole)
{
	const struct writer writer = {out, NULL, ret_hole};

	*ret_hole = NULL;
	write_content(&writer, node);
}

void bs_html_write_node(struct bs_buf *out, const xmlNode *node, const struct bs_html_shared *shared)
{
	const struct writer writer = {out, shared, NULL};

	write_node(&writer, node, false);
}

void bs_html_write(struct bs_buf *out, const xmlDoc *doc)
{
	bs_buf_adds(out, "<!doctype html>\n");
	bs_html_write_node(out, xmlDocGetRootElement(doc), NULL);
	bs_buf_addc(out, '\n');
}
