/*
 * A request or a response as text: the first line, the headers, the body; JSON is laid out. Bodies are what makes
 * a page large, so a page has room for so many bytes of them; when that is used up, only the beginning of a long
 * body is shown, and how much there is is said.
 */
#include "html_page.h"

#include "base/buf.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define BODY_SHORT ((size_t)1024) /* shown of a body in any case */

static void first_line(xmlNode *pre, const struct bs_ev_message *message, bool request)
{
	xmlNode *line = bs_html_add(pre, "b", NULL);

	if (request)
		bs_html_textf(line, "%s %s", message->method ? message->method : "", bs_html_target(message));
	else if (message->status)
		bs_html_textf(line, "%d %s", message->status, bs_html_reason_phrase(message->status));
	else
		bs_html_textf(line, "%s", bs_html_has(message->outcome) ? message->outcome : "no response");
}

/* What only says how the message travelled; the length also where it is that of the body, which is said anyway. */
static bool of_transport(const struct bs_ev_header *header, uint64_t body_bytes)
{
	static const char *const names[] = {"date", "connection", "keep-alive", "transfer-encoding"};
	BS_AUTOFREE char *length = bs_xasprintf("%" PRIu64, body_bytes);

	for (size_t i = 0; header->name && i < BS_COUNT(names); i++)
		if (strcasecmp(header->name, names[i]) == 0)
			return true;
	return header->name && strcasecmp(header->name, "content-length") == 0 && bs_html_is(header->value, length);
}

static void headers(xmlNode *pre, const struct bs_ev_message *message)
{
	xmlNode *lines = NULL;

	for (size_t i = 0; i < message->header_count; i++) {
		if (of_transport(&message->headers[i], message->body_bytes))
			continue;
		lines = lines ? lines : bs_html_add(pre, "span", "header");
		bs_html_textf(lines, "\n%s: ", message->headers[i].name ? message->headers[i].name : "");
		bs_html_text(lines, message->headers[i].value);
	}
}

/* How many bytes are shown, ending at a character. */
static size_t shown_bytes(struct bs_html_page *page, const char *text, size_t len)
{
	size_t shown = len;

	if (len > BODY_SHORT && len > page->body_room)
		shown = BODY_SHORT;
	while (shown < len && shown && ((unsigned char)text[shown] & 0xC0) == 0x80)
		shown--;
	page->body_room -= shown < page->body_room ? shown : page->body_room;
	return shown;
}

static void body_text(struct bs_html_page *page, xmlNode *pre, const struct bs_ev_message *message)
{
	size_t len = message->body ? strlen(message->body) : 0;

	if (!len) {
		bs_html_leaf(pre, "span", "header", message->status || message->method ? "\n\n(no body)" : NULL);
		return;
	}
	BS_AUTOFREE char *json = bs_html_json(message->body, len); /* what was cut is none */
	const char *text = json ? json : message->body;
	size_t whole = strlen(text), shown = shown_bytes(page, text, whole);
	bs_html_text(pre, "\n\n");
	bs_html_text_len(bs_html_add(pre, "span", json ? "body json" : "body"), text, shown);
	if (shown < whole)
		bs_html_leaf(pre, "span", "header", "\n… the rest is in the event file");
}

static void label(xmlNode *block, const struct bs_ev_message *message, bool request)
{
	BS_AUTOFREE char *bytes = bs_html_bytes(message->body_bytes);
	xmlNode *lab = bs_html_leaf(block, "h4", NULL, request ? "Request" : "Response");

	if (message->body_bytes)
		bs_html_leaff(lab, "span", "soft", " · %s", bytes);
}

static void notes(xmlNode *block, const struct bs_ev_message *message)
{
	size_t kept = message->body ? strlen(message->body) : 0;
	BS_AUTOFREE char *bytes = bs_html_bytes(message->body_bytes), *beginning = bs_html_bytes(kept);

	if (bs_html_has(message->error))
		bs_html_leaf(block, "p", "reason", message->error);
	if (!bs_html_has(message->body_sha256))
		return;
	xmlNode *note = bs_html_leaff(block, "p", "soft", "The first %s of %s were kept. SHA-256 of all: ", beginning,
				      bytes);
	bs_html_leaf(note, "code", "hash", message->body_sha256);
}

void bs_html_message(struct bs_html_page *page, xmlNode *parent, const struct bs_ev_message *message, bool request)
{
	xmlNode *block = bs_html_add(parent, "div", NULL);

	label(block, message, request);
	xmlNode *pre = bs_html_add(block, "pre", "http");
	first_line(pre, message, request);
	headers(pre, message);
	body_text(page, pre, message);
	bs_html_reachable(pre);
	notes(block, message);
}
