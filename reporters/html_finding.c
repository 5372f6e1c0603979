/*
 * One finding as a card: what is wrong in plain words, the sequence that shows it, what the rule saw, how sure we
 * are, how to see it again, and every step in full.
 */
#include "html_page.h"
#include "summary_gate.h"

#include "base/buf.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define PIPS_MAX 10 /* replays drawn as dots; more are only counted */

static const char *verdict_look(const char *verdict)
{
	if (bs_html_is(verdict, "confirmed"))
		return "tag ok";
	return bs_html_is(verdict, "flaky") ? "tag wary" : "tag plain";
}

static void verdict_tag(xmlNode *tags, const struct bs_ev_finding *finding)
{
	xmlNode *tag = bs_html_add(tags, "span", verdict_look(finding->verdict));

	bs_html_text(tag, finding->verdict);
	if (finding->tries)
		bs_html_textf(tag, " %" PRIu32 "/%" PRIu32, finding->confirmed, finding->tries);
}

static void card_tags(const struct bs_html_page *page, xmlNode *head, const struct bs_ev_finding *finding, size_t number,
		      const char *id)
{
	xmlNode *tags = bs_html_add(head, "div", "tags");
	size_t way = bs_html_way_number(page, number);

	bs_html_severity(tags, finding->severity);
	verdict_tag(tags, finding);
	if (page->known && bs_html_has(finding->baseline)) /* where all are new there is nothing to tell apart */
		bs_html_leaf(tags, "span", "tag plain", finding->baseline);
	if (way)
		bs_html_attrf(bs_html_leaf(tags, "a", NULL, "in the graph"), "href", "#path-%zu", way);
	xmlNode *link = bs_html_add(tags, "a", "fingerprint");
	bs_html_attrf(link, "href", "#%s", id);
	bs_html_leaf(link, "code", NULL, finding->fingerprint);
}

/* A message that only says the title or the rule's name again says nothing. */
static bool says_more(const struct bs_ev_finding *finding)
{
	if (!bs_html_has(finding->message) || bs_html_is(finding->title, finding->message))
		return false;
	return !bs_html_is(finding->rule, finding->message);
}

static void card_head(const struct bs_html_page *page, xmlNode *card, const struct bs_ev_finding *finding, size_t number,
		      const char *id)
{
	xmlNode *head = bs_html_add(card, "div", "head");

	card_tags(page, head, finding, number, id);
	xmlNode *title = bs_html_leaf(head, "h3", NULL, bs_html_has(finding->title) ? finding->title : finding->rule);
	bs_html_attrf(title, "id", "h-%zu", number + 1);
	if (says_more(finding)) {
		BS_AUTOFREE char *message = bs_html_sentence(finding->message);
		bs_html_leaf(head, "p", "message", message);
	}
	bs_html_chain(head, finding);
}

/* --- What the rule saw ------------------------------------------------------------------------------------- */

static void rule_name(struct bs_html_page *page, xmlNode *p, const struct bs_ev_finding *finding)
{
	const struct bs_summary *s = page->summary;
	BS_AUTOFREE char *place = bs_html_place(finding->at.file, finding->at.line);
	xmlNode *link = NULL;

	for (size_t i = 0; i < s->rule_count && !link; i++) {
		if (!bs_html_is(finding->rule, s->rules[i].declared.name ? s->rules[i].declared.name : ""))
			continue;
		link = bs_html_add(p, "a", NULL);
		bs_html_attrf(link, "href", "#rule-%zu", i + 1);
	}
	bs_html_leaf(link ? link : p, "code", NULL, finding->rule);
	if (place)
		bs_html_textf(p, " · %s", place);
}

static void rule_block(struct bs_html_page *page, xmlNode *why, const struct bs_ev_finding *finding)
{
	const struct bs_summary_rule *rule = finding->rule ? bs_summary_rule(page->summary, finding->rule) : NULL;
	xmlNode *block = bs_html_add(why, "div", "saw");

	bs_html_leaf(block, "h4", NULL, "The rule");
	rule_name(page, bs_html_add(block, "p", "name"), finding);
	if (rule && bs_html_has(rule->declared.rule))
		bs_html_leaf(block, "pre", "expression", rule->declared.rule);
	bs_html_leaf(block, "h4", NULL, "What it saw");
	if (finding->read_count)
		bs_html_values(block, finding->reads, finding->read_count);
	else
		bs_html_leaf(block, "p", "soft", "It read no value of this step.");
}

/* --- How sure we are ----------------------------------------------------------------------------------------- */

static void replays(xmlNode *block, const struct bs_ev_finding *finding)
{
	xmlNode *p = bs_html_add(block, "p", "replays");

	if (!finding->tries) {
		bs_html_text(p, "It was not replayed from a clean start.");
		return;
	}
	if (finding->tries <= PIPS_MAX) {
		xmlNode *pips = bs_html_add(p, "span", "pips");
		bs_html_attr(pips, "aria-hidden", "true");
		for (uint32_t i = 0; i < finding->tries; i++)
			bs_html_text(pips, i < finding->confirmed ? "●" : "○");
	}
	bs_html_textf(p, "Fails in %" PRIu32 " of %" PRIu32 " replays from a clean start.", finding->confirmed,
		      finding->tries);
}

static void lengths(xmlNode *block, const struct bs_ev_finding *finding)
{
	size_t now = finding->step_count;
	xmlNode *p = bs_html_add(block, "p", NULL);

	bs_html_textf(p, "%zu %s", now, bs_html_plural(now, "step", "steps"));
	if (finding->original_length > now)
		bs_html_textf(p, ", shortened from %" PRIu32, finding->original_length);
	bs_html_text(p, ". ");
	if (bs_html_has(finding->minimality)) {
		BS_AUTOFREE char *claim = bs_html_sentence(finding->minimality);
		bs_html_textf(p, "%s ", claim);
	}
	if (finding->count > 1) {
		BS_AUTOFREE char *count = bs_html_count(finding->count);
		bs_html_textf(p, "Seen %s times while exploring.", count);
	}
}

static void say_gate(xmlNode *block, const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	struct bs_buf words = BS_BUF_INIT;

	if (bs_gate_counts(summary, finding))
		return;
	bs_gate_words(&words, summary, finding);
	bs_html_leaff(block, "p", "soft", "It %s.", bs_buf_text(&words));
	bs_buf_release(&words);
}

static void sure_block(const struct bs_html_page *page, xmlNode *why, const struct bs_ev_finding *finding)
{
	xmlNode *block = bs_html_add(why, "div", "sure");

	bs_html_leaf(block, "h4", NULL, "How sure");
	replays(block, finding);
	if (bs_html_has(finding->reason)) {
		BS_AUTOFREE char *reason = bs_html_sentence(finding->reason);
		bs_html_leaf(block, "p", "reason", reason);
	}
	lengths(block, finding);
	say_gate(block, page->summary, finding);
	if (!bs_html_has(finding->replay))
		return;
	bs_html_leaf(block, "h4", NULL, "See it again");
	bs_html_copyable(block, "replay", finding->replay);
}

/* --- The card ------------------------------------------------------------------------------------------------ */

static bool came_before(const struct bs_ev_finding *finding, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (bs_html_is(finding->steps[i].operation, finding->steps[number].operation))
			return true;
	return false;
}

/* What the script filters by. */
static void card_data(xmlNode *card, const struct bs_ev_finding *finding)
{
	struct bs_buf operations = BS_BUF_INIT;

	for (size_t i = 0; i < finding->step_count; i++)
		if (bs_html_has(finding->steps[i].operation) && !came_before(finding, i))
			bs_buf_addf(&operations, "%s%s", operations.len ? "\n" : "", finding->steps[i].operation);
	bs_html_attr(card, "data-fingerprint", finding->fingerprint);
	bs_html_attr(card, "data-severity", finding->severity);
	bs_html_attr(card, "data-verdict", finding->verdict);
	bs_html_attr(card, "data-baseline", finding->baseline);
	bs_html_attr(card, "data-rule", finding->rule);
	bs_html_attr(card, "data-operations", bs_buf_text(&operations));
	bs_buf_release(&operations);
}

xmlNode *bs_html_finding(struct bs_html_page *page, xmlNode *parent, size_t number)
{
	const struct bs_ev_finding *finding = &page->summary->findings[number];
	BS_AUTOFREE char *id = bs_html_finding_id(page->summary, number);
	xmlNode *card = bs_html_add(parent, "article", "finding");

	bs_html_class(card, bs_html_severity_icon(finding->severity));
	bs_html_attr(card, "id", id);
	bs_html_attrf(card, "aria-labelledby", "h-%zu", number + 1);
	card_data(card, finding);
	card_head(page, card, finding, number, id);
	xmlNode *why = bs_html_add(card, "div", "why");
	rule_block(page, why, finding);
	sure_block(page, why, finding);
	return card;
}

/* --- In brief --- */

static void brief_path(xmlNode *card, const struct bs_ev_finding *finding)
{
	xmlNode *path = bs_html_add(card, "p", "path");

	for (size_t i = 0; i < finding->step_count; i++) {
		const struct bs_ev_finding_step *step = &finding->steps[i];
		const char *operation = bs_html_has(step->operation) ? step->operation : step->action;
		bs_html_text(path, i ? " → " : "");
		if (step->fails)
			bs_html_leaf(path, "b", NULL, operation);
		else
			bs_html_text(path, operation);
	}
}

static void brief_facts(xmlNode *card, const struct bs_ev_finding *finding)
{
	xmlNode *p = bs_html_add(card, "p", "soft");

	bs_html_severity(p, finding->severity);
	bs_html_textf(p, " %s %" PRIu32 "/%" PRIu32, finding->verdict ? finding->verdict : "", finding->confirmed,
		      finding->tries);
	if (bs_html_is(finding->baseline, "known"))
		bs_html_text(p, ", known");
	bs_html_textf(p, " · %s saw", finding->rule ? finding->rule : "");
	for (size_t i = 0; i < finding->read_count; i++) {
		BS_AUTOFREE char *value = bs_html_value(finding->reads[i].json);
		bs_html_textf(p, "%s %s ", i ? "," : "", finding->reads[i].name ? finding->reads[i].name : "");
		bs_html_text(p, value);
	}
	if (!finding->read_count)
		bs_html_text(p, " no value");
	if (!bs_html_has(finding->replay))
		return;
	bs_html_text(p, " · ");
	bs_html_leaf(p, "code", NULL, finding->replay);
}

xmlNode *bs_html_finding_brief(struct bs_html_page *page, xmlNode *parent, size_t number)
{
	const struct bs_ev_finding *finding = &page->summary->findings[number];
	BS_AUTOFREE char *id = bs_html_finding_id(page->summary, number);
	xmlNode *card = bs_html_add(parent, "article", "brief");

	bs_html_class(card, bs_html_severity_icon(finding->severity));
	bs_html_attr(card, "id", id);
	bs_html_leaf(card, "h3", NULL, bs_html_has(finding->title) ? finding->title : finding->rule);
	if (says_more(finding)) {
		BS_AUTOFREE char *message = bs_html_sentence(finding->message);
		bs_html_leaf(card, "p", NULL, message);
	}
	brief_path(card, finding);
	brief_facts(card, finding);
	return card;
}
