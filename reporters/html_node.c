/* The page's tree. See html_node.h. */
#include "html_node.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define LONG_BYTES 1000 /* of a paragraph; beyond, it scrolls */
#define TALL_BYTES 900
#define TALL_LINES 20

/* libxml2 reports a failed allocation as NULL; ours abort, so this one does. */
static void *must(void *made)
{
	if (!made)
		abort();
	return made;
}

/* What a browser would act on or hide: DEL and C1, the bidi controls of UAX #9, the deprecated format controls. */
static bool hidden_control(uint32_t c)
{
	return (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
	       (c >= 0x2066 && c <= 0x206F);
}

void bs_html_clean(struct bs_buf *out, const char *text, size_t len)
{
	struct bs_buf xml = BS_BUF_INIT;

	bs_utf8_clean(&xml, text, len, BS_UTF8_XML);
	for (size_t i = 0; i < xml.len;) {
		uint32_t c = 0;
		size_t n = bs_utf8_next(xml.data + i, xml.len - i, &c);
		if (!n)
			break; /* cannot be: what was cleaned is UTF-8 */
		if (hidden_control(c))
			bs_buf_addf(out, "\\u%04x", (unsigned)c);
		else
			bs_buf_add(out, xml.data + i, n);
		i += n;
	}
	bs_buf_release(&xml);
}

xmlNode *bs_html_add(xmlNode *parent, const char *tag, const char *class)
{
	xmlNode *node = must(xmlNewDocNode(parent->doc, NULL, BAD_CAST tag, NULL));

	xmlAddChild(parent, node);
	bs_html_attr(node, "class", class);
	return node;
}

void bs_html_text_len(xmlNode *parent, const char *text, size_t len)
{
	struct bs_buf clean = BS_BUF_INIT;

	bs_html_clean(&clean, text, len);
	if (clean.len)
		xmlAddChild(parent, must(xmlNewDocText(parent->doc, BAD_CAST clean.data)));
	bs_buf_release(&clean);
}

void bs_html_text(xmlNode *parent, const char *text)
{
	if (text)
		bs_html_text_len(parent, text, strlen(text));
}

static void __attribute__((format(printf, 2, 0))) textv(xmlNode *parent, const char *format, va_list args)
{
	struct bs_buf text = BS_BUF_INIT;

	bs_buf_addv(&text, format, args);
	bs_html_text_len(parent, bs_buf_text(&text), text.len);
	bs_buf_release(&text);
}

void bs_html_textf(xmlNode *parent, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	textv(parent, format, args);
	va_end(args);
}

static bool may_scroll(const char *tag)
{
	static const char *const tags[] = {"code", "dd", "h1", "h3", "p", "pre"};

	for (size_t i = 0; i < BS_COUNT(tags); i++)
		if (strcmp(tag, tags[i]) == 0)
			return true;
	return false;
}

xmlNode *bs_html_leaf(xmlNode *parent, const char *tag, const char *class, const char *text)
{
	xmlNode *node = bs_html_add(parent, tag, class);

	bs_html_text(node, text);
	if (text && may_scroll(tag) && strlen(text) > LONG_BYTES) {
		bs_html_class(node, "long");
		bs_html_attr(node, "tabindex", "0");
	}
	return node;
}

xmlNode *bs_html_leaff(xmlNode *parent, const char *tag, const char *class, const char *format, ...)
{
	xmlNode *node = bs_html_add(parent, tag, class);
	va_list args;

	va_start(args, format);
	textv(node, format, args);
	va_end(args);
	return node;
}

/* Not xmlNewDocProp: that one reads entities out of the value. */
void bs_html_attr(xmlNode *node, const char *name, const char *value)
{
	struct bs_buf clean = BS_BUF_INIT;

	if (!value)
		return;
	bs_html_clean(&clean, value, strlen(value));
	must(xmlSetProp(node, BAD_CAST name, BAD_CAST bs_buf_text(&clean)));
	bs_buf_release(&clean);
}

void bs_html_attrf(xmlNode *node, const char *name, const char *format, ...)
{
	struct bs_buf value = BS_BUF_INIT;
	va_list args;

	va_start(args, format);
	bs_buf_addv(&value, format, args);
	va_end(args);
	bs_html_attr(node, name, bs_buf_text(&value));
	bs_buf_release(&value);
}

void bs_html_class(xmlNode *node, const char *class)
{
	xmlChar *before = xmlGetProp(node, BAD_CAST "class");

	if (before)
		bs_html_attrf(node, "class", "%s %s", (const char *)before, class);
	else
		bs_html_attr(node, "class", class);
	xmlFree(before);
}

/* The size is given here too: a server that forbids inline styles must not blow the icons up. */
void bs_html_icon(xmlNode *parent, const char *symbol)
{
	xmlNode *svg = bs_html_add(parent, "svg", "icon");

	bs_html_attr(svg, "width", "16");
	bs_html_attr(svg, "height", "16");
	bs_html_attr(svg, "aria-hidden", "true");
	bs_html_attrf(bs_html_add(svg, "use", NULL), "href", "#i-%s", symbol);
}

void bs_html_reachable(xmlNode *pre)
{
	xmlChar *text = must(xmlNodeGetContent(pre));
	size_t lines = 0, len = 0;

	for (; text[len]; len++)
		lines += text[len] == '\n';
	xmlFree(text);
	if (len > TALL_BYTES || lines > TALL_LINES)
		bs_html_attr(pre, "tabindex", "0");
}

void bs_html_remove(xmlNode *node)
{
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}
