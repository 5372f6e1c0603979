/*
 * The list of findings: those that count, most severe first as they came; apart from them those that could not
 * be confirmed, which never gate; and what is beyond the number of whole cards, in one line each.
 */
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

/* --- In one line ------------------------------------------------------------------------------------------ */

static void short_line(xmlNode *list, const struct bs_ev_finding *finding, const char *id)
{
	xmlNode *item = bs_html_add(list, "li", NULL);

	bs_html_attr(item, "id", id);
	bs_html_severity(item, finding->severity);
	bs_html_leaf(item, "b", NULL, bs_html_has(finding->title) ? finding->title : finding->rule);
	xmlNode *path = bs_html_add(item, "span", "path");
	for (size_t i = 0; i < finding->step_count; i++) {
		bs_html_text(path, i ? " → " : "");
		bs_html_text(path, finding->steps[i].operation);
	}
	bs_html_leaf(item, "code", "copyable", finding->replay);
}

static void short_list(xmlNode *parent, size_t count)
{
	bs_html_leaff(parent, "p", "note", "%zu more, in short. Each can be replayed, and the event file holds all of it.",
		      count);
}

/* --- The bar ---------------------------------------------------------------------------------------------- */

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

static void fill_bar(struct bs_html_page *page)
{
	static const char *const severities[] = {"critical", "high", "medium", "low"};
	static const char *const verdicts[] = {"confirmed", "flaky", "unconfirmed"};
	const struct bs_summary *s = page->summary;
	const size_t counts[] = {s->confirmed, s->flaky, s->unconfirmed};
	xmlNode *bar = bs_html_slot(page, "bar");
	size_t kinds = 0;

	if (s->finding_count < 2) {
		bs_html_remove(bar->parent);
		return;
	}
	for (size_t v = 0; v < BS_COUNT(severities); v++) {
		size_t count = 0;
		for (size_t i = 0; i < s->finding_count; i++)
			count += bs_html_is(s->findings[i].severity, severities[v]);
		facet(bar, "severity", severities[v], count);
	}
	for (size_t v = 0; v < BS_COUNT(verdicts); v++)
		kinds += counts[v] > 0;
	for (size_t v = 0; kinds > 1 && v < BS_COUNT(verdicts); v++)
		facet(bar, "verdict", verdicts[v], counts[v]);
}

/* --- The sections ----------------------------------------------------------------------------------------- */

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

/* Cards, then lines, of the findings that count or of those that do not. Returns how many there were. */
static size_t fill_list(struct bs_html_page *page, xmlNode *section, bool apart)
{
	const struct bs_summary *s = page->summary;
	xmlNode *lines = NULL;
	size_t done = 0, all = apart ? s->unconfirmed : s->finding_count - s->unconfirmed;

	for (size_t i = 0; i < s->finding_count; i++) {
		const struct bs_ev_finding *finding = &s->findings[i];
		if (unconfirmed(finding) != apart)
			continue;
		BS_AUTOFREE char *id = bs_html_finding_id(s, i);
		if (done++ < BS_HTML_FINDINGS_WHOLE) {
			bs_html_finding(page, section, finding, id);
			continue;
		}
		if (!lines) {
			short_list(section, all - BS_HTML_FINDINGS_WHOLE);
			lines = bs_html_add(section, "ol", "panel short");
		}
		short_line(lines, finding, id);
	}
	return done;
}

void bs_html_findings(struct bs_html_page *page)
{
	xmlNode *section = bs_html_slot(page, "findings"), *apart = bs_html_slot(page, "unconfirmed");

	fill_bar(page);
	if (!fill_list(page, section, false))
		say_nothing_found(page, section);
	if (!fill_list(page, apart, true))
		bs_html_remove(apart);
}
