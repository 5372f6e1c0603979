/*
 * The page as a whole: the embedded template is parsed, its slots are filled by the other html_*.c files, and
 * the tree is written. The style and the script are allowed by their hashes and by nothing else, so that even
 * markup that found a way in could neither run nor load anything.
 */
#include "html_page.h"

#include "html_base64.h"
#include "html_more.h"
#include "html_write.h"
#include "summary_gate.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "embedded.h"

#include <libxml/parser.h>
#include <string.h>

#define BODY_ROOM ((size_t)4 << 20) /* bytes of bodies in one page, see html_message.c */

static xmlNode *find_slot(xmlNode *node, const char *name)
{
	for (; node; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		xmlChar *slot = xmlGetProp(node, BAD_CAST "data-slot");
		bool found = slot && strcmp((const char *)slot, name) == 0;
		xmlFree(slot);
		if (found)
			return node;
		xmlNode *below = find_slot(node->children, name);
		if (below)
			return below;
	}
	return NULL;
}

/* A missing slot is a template that does not fit this program: both are built together, so that is a bug. */
xmlNode *bs_html_slot(const struct bs_html_page *page, const char *name)
{
	xmlNode *node = find_slot(xmlDocGetRootElement(page->doc), name);

	if (!node)
		abort();
	xmlUnsetProp(node, BAD_CAST "data-slot");
	return node;
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* 'sha256-...' as a Content-Security-Policy writes it (CSP 3, section 2.3.1). */
static void add_hash(struct bs_buf *out, const struct bs_embedded *file)
{
	char hex[BS_SHA256_HEX];
	unsigned char bytes[(BS_SHA256_HEX - 1) / 2];

	bs_sha256_hex(file->data, file->len, hex);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	bs_buf_adds(out, "'sha256-");
	bs_html_base64(out, bytes, sizeof bytes);
	bs_buf_addc(out, '\'');
}

static void fill_policy(struct bs_html_page *page)
{
	struct bs_buf policy = BS_BUF_INIT;

	bs_buf_adds(&policy, "default-src 'none'; style-src ");
	add_hash(&policy, &bs_embedded_report_css);
	bs_buf_adds(&policy, "; script-src ");
	add_hash(&policy, &bs_embedded_report_js);
	bs_buf_adds(&policy, "; base-uri 'none'; form-action 'none'");
	bs_html_attr(bs_html_slot(page, "policy"), "content", bs_buf_text(&policy));
	bs_buf_release(&policy);
}

/* As it is in the file: its hash is in the policy. */
static void fill_raw(struct bs_html_page *page, const char *slot, const struct bs_embedded *file)
{
	xmlNode *text = xmlNewDocTextLen(page->doc, BAD_CAST file->data, (int)file->len);

	if (!text)
		abort();
	xmlAddChild(bs_html_slot(page, slot), text);
}

static void fill(struct bs_html_page *page)
{
	fill_policy(page);
	fill_raw(page, "style", &bs_embedded_report_css);
	fill_raw(page, "script", &bs_embedded_report_js);
	bs_html_banner(page);
	bs_html_notices(page);
	bs_html_findings(page);
	bs_html_rules(page);
	bs_html_coverage(page);
	bs_html_graph(page);
	bs_html_pairs(page);
	bs_html_facts(page);
	bs_html_more_fit(page);
}

static void put_in_order(struct bs_html_page *page)
{
	const struct bs_ev_finding **order = bs_gate_order(page->summary);

	page->order = bs_xcalloc(page->summary->finding_count + 1, sizeof *page->order);
	for (size_t i = 0; i < page->summary->finding_count; i++)
		page->order[i] = (size_t)(order[i] - page->summary->findings);
	free(order);
}

static void look_around(struct bs_html_page *page)
{
	const struct bs_summary *s = page->summary;
	const char *first = NULL;

	for (size_t i = 0; i < s->finding_count; i++) {
		page->known |= bs_html_is(s->findings[i].baseline, "known");
		for (size_t k = 0; k < s->findings[i].step_count; k++) {
			const char *actor = s->findings[i].steps[k].actor;
			first = first ? first : actor;
			page->actors |= actor && !bs_html_is(actor, first);
		}
	}
}

int bs_html_render(const struct bs_summary *summary, const struct bs_html_states *states, struct bs_buf *out,
		   struct bs_err *err)
{
	const struct bs_embedded *html = &bs_embedded_report_html;
	struct bs_html_page page = {.summary = summary, .states = states, .body_room = BODY_ROOM};

	page.doc = xmlReadMemory(html->data, (int)html->len, "report.html", "UTF-8",
				 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!page.doc)
		return bs_err_set(err, BS_EINTERNAL, "cannot parse the template of the page: 'report.html'");
	page.more = bs_html_more_new();
	look_around(&page);
	put_in_order(&page);
	fill(&page);
	bs_html_write(out, page.doc);
	bs_html_more_free(page.more);
	free(page.order);
	xmlFreeDoc(page.doc);
	return 0;
}
