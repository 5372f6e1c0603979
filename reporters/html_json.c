/*
 * JSON laid out for reading: what fits on a line stays on one, the rest is indented by two spaces. The printer of
 * cJSON breaks `{}` over two lines and keeps a list of a hundred objects on one.
 */
#include "html_page.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#include <string.h>

#define LINE_FITS ((size_t)48)
#define DEPTH_MAX 24 /* deeper, white space would outweigh the text: a thousand brackets inside each other */

static void indent(struct bs_buf *out, unsigned depth)
{
	bs_buf_addc(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		bs_buf_adds(out, "  ");
}

static void add_key(struct bs_buf *out, const cJSON *item)
{
	cJSON *key = cJSON_CreateString(item->string ? item->string : "");
	BS_AUTOFREE char *text = bs_json_print(key, false);

	bs_buf_addf(out, "%s: ", text);
	cJSON_Delete(key);
}

static void add_item(struct bs_buf *out, const cJSON *item, unsigned depth);

/* Between the brackets, on one line or on many. */
static void add_children(struct bs_buf *out, const cJSON *item, unsigned depth, bool one_line)
{
	for (const cJSON *child = item->child; child; child = child->next) {
		if (one_line)
			bs_buf_addc(out, ' ');
		else
			indent(out, depth + 1);
		if (bs_json_kind(item) == BS_J_OBJECT)
			add_key(out, child);
		add_item(out, child, depth + 1);
		if (child->next)
			bs_buf_addc(out, ',');
	}
	if (one_line)
		bs_buf_addc(out, ' ');
	else
		indent(out, depth);
}

static void add_item(struct bs_buf *out, const cJSON *item, unsigned depth)
{
	BS_AUTOFREE char *compact = bs_json_print(item, false);
	enum bs_json_kind kind = bs_json_kind(item);

	if ((kind != BS_J_ARRAY && kind != BS_J_OBJECT) || !item->child || depth >= DEPTH_MAX) {
		bs_buf_adds(out, compact);
		return;
	}
	bs_buf_addc(out, kind == BS_J_ARRAY ? '[' : '{');
	add_children(out, item, depth, strlen(compact) <= LINE_FITS);
	bs_buf_addc(out, kind == BS_J_ARRAY ? ']' : '}');
}

char *bs_html_json(const char *text, size_t len)
{
	struct bs_buf out = BS_BUF_INIT;
	cJSON *json;

	if (!len || bs_json_parse(text, len, &json, NULL) < 0)
		return NULL;
	add_item(&out, json, 0);
	cJSON_Delete(json);
	return bs_buf_take(&out);
}
