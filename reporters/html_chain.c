/*
 * The minimal sequence as a chain: what was done, what was answered and, in a line, what it did to the data. The
 * step after which the rule is broken is marked by shape and words. A reader who sees only this has understood.
 */
#include "html_page.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

#define EFFECTS_SHOWN 3     /* changes named under a step; the step itself has them all */
#define EFFECT_COLUMNS 3
#define VALUE_SHOWN 24      /* bytes of a value in a line */

static void short_value(struct bs_buf *out, const char *json)
{
	BS_AUTOFREE char *text = bs_html_value(json);
	size_t len = strlen(text), cut = VALUE_SHOWN;

	if (len <= cut) {
		bs_buf_adds(out, text);
		return;
	}
	while (cut && ((unsigned char)text[cut] & 0xC0) == 0x80)
		cut--;
	bs_buf_add(out, text, cut);
	bs_buf_adds(out, "…");
}

static const char *value_of(const struct bs_ev_value *values, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (values[i].name && name && strcmp(values[i].name, name) == 0)
			return values[i].json;
	return NULL;
}

/* " refunded 100 → 200, status paid → refunded" */
static void changed_columns(struct bs_buf *out, const struct bs_ev_change *change)
{
	size_t named = 0;

	for (size_t i = 0; i < change->after_count; i++) {
		const struct bs_ev_value *now = &change->after[i];
		const char *was = value_of(change->before, change->before_count, now->name);
		if (was && now->json && strcmp(was, now->json) == 0)
			continue;
		if (named++ == EFFECT_COLUMNS) {
			bs_buf_adds(out, ", …");
			return;
		}
		bs_buf_addf(out, "%s %s ", named > 1 ? "," : "", now->name ? now->name : "?");
		short_value(out, was);
		bs_buf_adds(out, " → ");
		short_value(out, now->json);
	}
}

static void effect(xmlNode *list, const struct bs_ev_change *change)
{
	const char *look = !change->before ? "new" : !change->after ? "gone" : "changed";
	const char *word = !change->before ? "new" : !change->after ? "deleted" : NULL;
	xmlNode *item = bs_html_add(list, "li", look);
	struct bs_buf columns = BS_BUF_INIT;

	if (word) {
		bs_html_leaf(item, "span", "word", word);
		bs_html_text(item, " ");
	}
	bs_html_text(item, change->table);
	if (change->row)
		bs_html_textf(item, " %s", change->row);
	if (!word)
		changed_columns(&columns, change);
	bs_html_text(item, bs_buf_text(&columns));
	bs_buf_release(&columns);
}

static void effects(xmlNode *node, const struct bs_ev_finding_step *step)
{
	size_t shown = step->change_count < EFFECTS_SHOWN ? step->change_count : EFFECTS_SHOWN;
	uint64_t more = step->change_count - shown + step->changes_left_out;
	xmlNode *list = bs_html_add(node, "ul", "effects");

	for (size_t i = 0; i < shown; i++)
		effect(list, &step->changes[i]);
	if (more)
		bs_html_leaff(list, "li", "more", "%zu more %s", (size_t)more, bs_html_plural(more, "row", "rows"));
	if (!shown && !more)
		bs_html_leaf(list, "li", "none", "no row changed");
}

static void answered(xmlNode *line, const struct bs_ev_message *response)
{
	bs_html_text(line, " → ");
	if (response->status)
		bs_html_leaff(line, "span", bs_html_status_class(response->status), "%d", response->status);
	else
		bs_html_leaf(line, "span", "s0", bs_html_has(response->outcome) ? response->outcome : "no response");
}

static void chain_step(xmlNode *chain, const struct bs_ev_finding_step *step, size_t number)
{
	xmlNode *item = bs_html_add(chain, "li", step->fails ? "bad" : NULL);
	xmlNode *head = bs_html_add(item, "p", "op");

	bs_html_leaff(head, "span", "n", "%zu", number);
	bs_html_text(head, " ");
	bs_html_operation_name(bs_html_add(head, "span", NULL), step->operation, step->action);
	xmlNode *line = bs_html_add(item, "p", "call");
	bs_html_textf(line, "%s %s", step->request.method ? step->request.method : "",
		      bs_html_target(&step->request));
	answered(line, &step->response);
	effects(item, step);
	if (step->fails) {
		xmlNode *flag = bs_html_add(item, "p", "flag");
		bs_html_icon(flag, "failed");
		bs_html_text(flag, "the rule breaks here");
	}
}

void bs_html_chain(xmlNode *parent, const struct bs_ev_finding *finding)
{
	xmlNode *chain = bs_html_add(parent, "ol", finding->step_count > 3 ? "chain many" : "chain");

	bs_html_attr(chain, "aria-label", "The minimal sequence");
	for (size_t i = 0; i < finding->step_count; i++)
		chain_step(chain, &finding->steps[i], i + 1);
}
