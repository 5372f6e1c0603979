/* Every rule with what became of it: those that broke first, those that were never looked at before those that held. */
#include "html_page.h"

#include "base/mem.h"

static const struct outcome {
	const char *name, *words, *icon, *look;
} outcomes[] = {
	{"violated", "violated", "failed", "tag bad"},
	{"error", "could not be evaluated", "incomplete", "tag wary"},
	{"unreached", "never checked on data", "incomplete", "tag wary"},
	{"held", "held", "passed", "tag ok"},
	{NULL, "not known", "incomplete", "tag plain"}, /* the run ended before it was said */
};

static const struct outcome *outcome_of(const struct bs_summary_rule *rule)
{
	size_t i = 0;

	while (outcomes[i].name && !(rule->ended && bs_html_is(rule->end.outcome, outcomes[i].name)))
		i++;
	return &outcomes[i];
}

static void number(xmlNode *row, char *text)
{
	bs_html_leaf(row, "td", "num", text);
	free(text);
}

static void rule_cell(xmlNode *row, const struct bs_ev_invariant *rule)
{
	BS_AUTOFREE char *place = bs_html_place(rule->at.file, rule->at.line);
	xmlNode *cell = bs_html_add(row, "th", "rule");

	bs_html_attr(cell, "scope", "row");
	if (bs_html_has(rule->title))
		bs_html_leaf(cell, "p", "title", rule->title);
	xmlNode *name = bs_html_add(cell, "p", "soft");
	bs_html_leaf(name, "code", "name", rule->name);
	if (bs_html_is(rule->kind, "oracle"))
		bs_html_text(name, " · built in");
	if (place)
		bs_html_textf(name, " · %s", place);
	if (bs_html_is(rule->kind, "oracle")) /* words, where an invariant has an expression */
		bs_html_leaf(cell, "p", "soft", rule->rule);
	else if (bs_html_has(rule->rule))
		bs_html_leaf(cell, "code", "expression", rule->rule);
}

static void outcome_cell(xmlNode *row, const struct bs_summary_rule *rule)
{
	const struct outcome *outcome = outcome_of(rule);
	xmlNode *cell = bs_html_add(row, "td", NULL);
	xmlNode *tag = bs_html_add(cell, "span", outcome->look);

	bs_html_icon(tag, outcome->icon);
	bs_html_text(tag, outcome->words);
	if (bs_html_has(rule->end.detail)) {
		BS_AUTOFREE char *detail = bs_html_sentence(rule->end.detail);
		bs_html_leaf(cell, "p", "soft", detail);
	}
}

static void rule_row(xmlNode *body, const struct bs_summary_rule *rule, size_t number_of)
{
	xmlNode *row = bs_html_add(body, "tr", NULL);

	bs_html_attrf(row, "id", "rule-%zu", number_of);
	rule_cell(row, &rule->declared);
	bs_html_severity(bs_html_add(row, "td", NULL), rule->declared.severity);
	outcome_cell(row, rule);
	number(row, bs_html_count(rule->end.checked));
	number(row, bs_html_count(rule->end.violations));
	number(row, rule->end.elapsed_us ? bs_html_time(rule->end.elapsed_us) : bs_xstrdup("–"));
}

void bs_html_rules(struct bs_html_page *page)
{
	const struct bs_summary *s = page->summary;
	xmlNode *body = bs_html_slot(page, "rules");

	for (size_t kind = 0; kind < BS_COUNT(outcomes); kind++)
		for (size_t i = 0; i < s->rule_count; i++)
			if (outcome_of(&s->rules[i]) == &outcomes[kind])
				rule_row(body, &s->rules[i], i + 1);
	xmlNode *section = bs_html_slot(page, "rules-section");
	if (!s->rule_count)
		bs_html_remove(section);
}
