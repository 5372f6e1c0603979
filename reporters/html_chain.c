/*
 * The minimal sequence as a chain: what was done and what was answered. A short one also says what each step sent and
 * did to the data; of a long one the steps below it say that. The step after which the rule is broken is marked by
 * shape and words. A reader who sees only this has understood.
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
	if (!named)
		bs_buf_adds(out, " written, no column differs");
}

/* "new orders #1", "orders #1 refunded 100 → 200" */
void bs_html_effect(xmlNode *parent, const char *tag, const struct bs_ev_change *change)
{
	const char *look = !change->before ? "new" : !change->after ? "gone" : "changed";
	const char *word = !change->before ? "new" : !change->after ? "deleted" : NULL;
	xmlNode *item = bs_html_add(parent, tag, look);
	struct bs_buf columns = BS_BUF_INIT;

	bs_html_textf(item, "%s%s%s", word ? word : "", word ? " " : "", change->table ? change->table : "");
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
		bs_html_effect(list, "li", &step->changes[i]);
	if (more)
		bs_html_leaff(list, "li", "more", "%zu more %s", (size_t)more, bs_html_plural(more, "row", "rows"));
	if (!shown && !more)
		bs_html_leaf(list, "li", "none", "no row changed");
}

static void flag(xmlNode *item)
{
	xmlNode *p = bs_html_add(item, "p", "flag");

	bs_html_icon(p, "failed");
	bs_html_text(p, "the rule breaks here");
}

static void chain_step(xmlNode *chain, const struct bs_ev_finding_step *step, bool brief)
{
	xmlNode *item = bs_html_add(chain, "li", step->fails ? "bad" : NULL);
	xmlNode *name = bs_html_add(item, brief ? "span" : "p", "op");

	bs_html_operation_name(name, step->operation, step->action);
	if (brief) {
		bs_html_text(item, " ");
		bs_html_status(item, &step->response);
	} else {
		xmlNode *line = bs_html_add(item, "p", "call");
		bs_html_textf(line, "%s %s → ", step->request.method ? step->request.method : "",
			      bs_html_target(&step->request));
		bs_html_status(line, &step->response);
		effects(item, step);
	}
	if (step->fails)
		flag(item);
}

void bs_html_chain(xmlNode *parent, const struct bs_ev_finding *finding)
{
	bool brief = finding->step_count > BS_HTML_CHAIN_WHOLE;
	xmlNode *chain = bs_html_add(parent, "ol", brief ? "chain tight" : finding->step_count > 3 ? "chain many" : "chain");

	for (size_t i = 0; i < finding->step_count; i++)
		chain_step(chain, &finding->steps[i], brief);
}
