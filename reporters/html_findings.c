/*
 * The list of findings: what fails the gate first, then the most severe, and apart from them those that could not
 * be confirmed, which never gate. Only so many cards stand in the page, see html_more.h.
 */
#include "html_more.h"
#include "html_page.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

static bool unconfirmed(const struct bs_ev_finding *finding)
{
	return bs_html_is(finding->verdict, "unconfirmed");
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Hexadecimal in every stream of ours; what a foreign one says must still make a legal, single id. */
char *bs_html_finding_id(const struct bs_summary *summary, size_t index)
{
	const char *fingerprint = summary->findings[index].fingerprint;
	struct bs_buf id = BS_BUF_INIT;
	size_t before = 0;

	bs_buf_adds(&id, "f-");
	for (const char *c = fingerprint ? fingerprint : ""; *c && id.len < 64; c++)
		if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z'))
			bs_buf_addc(&id, *c);
	for (size_t i = 0; i < index; i++)
		before += same(summary->findings[i].fingerprint, fingerprint);
	if (id.len == 2 || before)
		bs_buf_addf(&id, "-%zu", index + 1);
	return bs_buf_take(&id);
}

/* --- The bar --- */

/* A button that shows only what matches; of use only with the script, which takes the bar's `hidden` away. */
static void facet(xmlNode *bar, const char *key, const char *value, size_t count)
{
	if (!count)
		return;
	xmlNode *chip = bs_html_add(bar, "button", "chip");
	bs_html_attr(chip, "type", "button");
	bs_html_attr(chip, "aria-pressed", "false");
	bs_html_attrf(chip, "data-facet", "%s:%s", key, value);
	if (strcmp(key, "severity") == 0)
		bs_html_icon(chip, bs_html_severity_icon(value));
	bs_html_textf(chip, "%s ", value);
	bs_html_leaff(chip, "span", "n", "%zu", count);
}

static void severity_facets(xmlNode *bar, const struct bs_summary *s)
{
	static const char *const severities[] = {"critical", "high", "medium", "low"};

	for (size_t v = 0; v < BS_COUNT(severities); v++) {
		size_t count = 0;
		for (size_t i = 0; i < s->finding_count; i++)
			count += bs_html_is(s->findings[i].severity, severities[v]);
		facet(bar, "severity", severities[v], count);
	}
}

static void fill_bar(struct bs_html_page *page)
{
	static const char *const verdicts[] = {"confirmed", "flaky", "unconfirmed"};
	const struct bs_summary *s = page->summary;
	const size_t counts[] = {s->confirmed, s->flaky, s->unconfirmed};
	xmlNode *bar = bs_html_slot(page, "bar");
	size_t kinds = 0;

	if (s->finding_count < 2) {
		bs_html_remove(bar->parent);
		return;
	}
	severity_facets(bar, s);
	for (size_t v = 0; v < BS_COUNT(verdicts); v++)
		kinds += counts[v] > 0;
	for (size_t v = 0; kinds > 1 && v < BS_COUNT(verdicts); v++)
		facet(bar, "verdict", verdicts[v], counts[v]);
}

/* --- The sections --- */

static void say_nothing_found(struct bs_html_page *page, xmlNode *section)
{
	const struct bs_summary *s = page->summary;
	BS_AUTOFREE char *steps = bs_html_count(s->ended ? s->end.steps : s->steps);
	bool looked = s->steps || s->end.steps;
	bool ok = looked && bs_html_is(s->end.gate, "passed");
	xmlNode *panel = bs_html_add(section, "div", ok ? "panel empty ok" : "panel empty");

	bs_html_icon(panel, ok ? "passed" : "incomplete");
	if (looked)
		bs_html_leaff(panel, "p", NULL, "No confirmed sequence breaks a rule in the %s %s that were taken.", steps,
			      bs_html_plural(s->steps, "step", "steps"));
	else
		bs_html_leaf(panel, "p", NULL, "No step was taken, so nothing was looked at. The reason is said above.");
}

static xmlNode *whole_card(struct bs_html_page *page, xmlNode *section, size_t number)
{
	xmlNode *card = bs_html_finding(page, section, number);

	bs_html_steps(page, bs_html_add(card, "div", "steps"), &page->summary->findings[number]);
	return card;
}

static void static_card(struct bs_html_page *page, xmlNode *section, const char *into, size_t number)
{
	xmlNode *card = whole_card(page, section, number);
	xmlNode *brief = bs_html_finding_brief(page, section, number);

	bs_html_more_card(page->more, into, card, brief);
	bs_html_copies(page, bs_html_add(card, "div", "take-away"), &page->summary->findings[number]);
}

/* The cards of the findings that count or of those that do not. Returns how many there are. */
static size_t fill_list(struct bs_html_page *page, xmlNode *section, bool apart, size_t *room)
{
	const char *into = apart ? "unconfirmed" : "findings";
	const struct bs_summary *s = page->summary;
	size_t count = 0;

	for (size_t i = 0; i < s->finding_count; i++) {
		size_t number = page->order[i];
		if (unconfirmed(&s->findings[number]) != apart)
			continue;
		count++;
		if (*room) {
			static_card(page, section, into, number);
			--*room;
		} else {
			bs_html_more_add(page->more, into, whole_card(page, section, number));
		}
	}
	return count;
}

void bs_html_findings(struct bs_html_page *page)
{
	xmlNode *section = bs_html_slot(page, "findings"), *apart = bs_html_slot(page, "unconfirmed");
	size_t room = BS_HTML_FINDINGS_STATIC;

	fill_bar(page);
	if (!fill_list(page, section, false, &room))
		say_nothing_found(page, section);
	if (!fill_list(page, apart, true, &room))
		bs_html_remove(apart);
}
