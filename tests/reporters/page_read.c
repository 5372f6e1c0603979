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
#include <zlib.h>

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

/* --- What is compressed --- */

static void decode_base64(const char *text, size_t len, struct bs_buf *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, held = 0;

	for (size_t i = 0; i < len && text[i] != '='; i++) {
		const char *at = strchr(alphabet, text[i]);
		assert_non_null(at);
		bits = (bits << 6 | (unsigned)(at - alphabet)) & 0xFFFF;
		held += 6;
		if (held >= 8)
			bs_buf_addc(out, (char)(bits >> (held -= 8) & 0xFF));
	}
}

static void inflate_raw(const struct bs_buf *in, struct bs_buf *out)
{
	z_stream stream = {.next_in = (Bytef *)in->data, .avail_in = (uInt)in->len};
	char piece[16384];
	int r;

	assert_int_equal(inflateInit2(&stream, -MAX_WBITS), Z_OK);
	do {
		stream.next_out = (Bytef *)piece;
		stream.avail_out = sizeof piece;
		r = inflate(&stream, Z_NO_FLUSH);
		assert_true(r == Z_OK || r == Z_STREAM_END);
		bs_buf_add(out, piece, sizeof piece - stream.avail_out);
	} while (r != Z_STREAM_END);
	inflateEnd(&stream);
}

/* The nth text that is ended by a form feed, with the hole filled. */
static void add_part(struct bs_buf *out, const char *parts, unsigned long number, const char *hole, size_t hole_len)
{
	while (number--) {
		parts = strchr(parts, '\f');
		assert_non_null(parts);
		parts++;
	}
	size_t before = strcspn(parts, "\v\f");
	bs_buf_add(out, parts, before);
	assert_int_equal(parts[before], '\v');
	bs_buf_add(out, hole, hole_len);
	parts += before + 1;
	bs_buf_add(out, parts, strcspn(parts, "\v\f"));
}

static void fill_in(struct bs_buf *out, const char *parts, const char *cards)
{
	static const char mark[] = " data-part=\"", hole_mark[] = "\" data-hole=\"";

	for (const char *next; (next = strstr(cards, mark));) {
		char *end;
		bs_buf_add(out, cards, (size_t)(next - cards));
		unsigned long number = strtoul(next + strlen(mark), &end, 10);
		assert_memory_equal(end, hole_mark, strlen(hole_mark));
		const char *hole = end + strlen(hole_mark);
		size_t len = strcspn(hole, "\"");
		assert_memory_equal(hole + len, "\">", 2);
		bs_buf_addc(out, '>');
		add_part(out, parts, number, hole, len);
		cards = hole + len + 2;
	}
	bs_buf_adds(out, cards);
}

char *page_unpack(const char *text)
{
	static const char mark[] = "id=\"more-findings\" data-encoding=\"deflate-raw\">";
	const char *block = strstr(text, mark);
	struct bs_buf deflated = BS_BUF_INIT, html = BS_BUF_INIT, out = BS_BUF_INIT;

	if (!block)
		return NULL;
	block += strlen(mark);
	decode_base64(block, strcspn(block, "<"), &deflated);
	inflate_raw(&deflated, &html);
	char *cards = strrchr(html.data, '\f');
	if (cards)
		*cards++ = 0;
	fill_in(&out, html.data, cards ? cards : html.data);
	bs_buf_release(&deflated);
	bs_buf_release(&html);
	return bs_buf_take(&out);
}

/* --- Around --- */

bool page_begin(void)
{
	return mkdtemp(folder) != NULL;
}

void page_end(void)
{
	rmdir(folder);
}
