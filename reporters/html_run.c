/* What went wrong with the run itself, what it wants to be known, and the facts of it. */
#include "html_page.h"

#include "base/buf.h"
#include "base/mem.h"

#include <inttypes.h>

/* --- Errors and warnings -------------------------------------------------------------------------------------- */

static void notice(xmlNode *list, const struct bs_ev_notice *from, const char *icon)
{
	BS_AUTOFREE char *place = bs_html_place(from->at.file, from->at.line);
	xmlNode *item = bs_html_add(list, "li", "notice");

	bs_html_icon(item, icon);
	xmlNode *words = bs_html_add(item, "div", NULL);
	bs_html_leaf(words, "p", "message", from->message);
	if (bs_html_has(from->hint)) {
		BS_AUTOFREE char *hint = bs_html_sentence(from->hint);
		bs_html_leaf(words, "p", "hint", hint);
	}
	xmlNode *soft = bs_html_add(words, "p", "soft");
	bs_html_leaf(soft, "code", NULL, from->code);
	if (place)
		bs_html_textf(soft, " · %s", place);
}

static void notices(struct bs_html_page *page, const char *slot, const struct bs_ev_notice *list, size_t count)
{
	xmlNode *section = bs_html_slot(page, slot);
	bool errors = bs_html_is(slot, "errors");

	if (!count) {
		bs_html_remove(section);
		return;
	}
	xmlNode *items = bs_html_add(section, "ul", errors ? "notices bad" : "notices");
	for (size_t i = 0; i < count; i++)
		notice(items, &list[i], errors ? "failed" : "incomplete");
}

void bs_html_notices(struct bs_html_page *page)
{
	const struct bs_summary *s = page->summary;

	notices(page, "errors", s->errors, s->error_count);
	notices(page, "warnings", s->warnings, s->warning_count);
}

/* --- Facts ------------------------------------------------------------------------------------------------------ */

/* A name and the element that its value goes into. */
static xmlNode *fact(xmlNode *list, const char *name)
{
	xmlNode *pair = bs_html_add(list, "div", NULL);

	bs_html_leaf(pair, "dt", NULL, name);
	return bs_html_add(pair, "dd", NULL);
}

static void fact_text(xmlNode *list, const char *name, const char *text)
{
	if (bs_html_has(text))
		bs_html_text(fact(list, name), text);
}

static void fact_code(xmlNode *list, const char *name, const char *text)
{
	if (bs_html_has(text))
		bs_html_leaf(fact(list, name), "code", NULL, text);
}

static void model_facts(xmlNode *list, const struct bs_ev_run_start *run)
{
	fact_code(list, "Model", run->model);
	fact_code(list, "SHA-256 of the model", run->model_sha256);
	fact_code(list, "Revision", run->revision);
	fact_text(list, "Branch", run->branch);
	fact_text(list, "Started", run->started);
}

static void target_facts(xmlNode *list, const struct bs_summary *s)
{
	fact_code(list, "Target", s->run.target);
	if (bs_html_has(s->app.base_url)) {
		BS_AUTOFREE char *time = bs_html_time(s->app.ready_us);
		xmlNode *app = fact(list, "Application");
		bs_html_textf(app, "%s, ready in %s", s->app.command ? "started by Backstep" : "ran already", time);
	}
	for (size_t i = 0; i < s->store_count; i++) {
		const struct bs_ev_store *store = &s->stores[i];
		BS_AUTOFREE char *bytes = bs_html_bytes(store->size_bytes);
		BS_AUTOFREE char *name = bs_xasprintf("Store %s", store->name ? store->name : "");
		xmlNode *dd = fact(list, name);
		bs_html_textf(dd, "%s ", store->driver ? store->driver : "");
		bs_html_leaf(dd, "code", NULL, store->location);
		bs_html_textf(dd, ", %s", bytes);
		if (bs_html_has(store->mechanism))
			bs_html_textf(dd, "; put back by %s", store->mechanism);
		if (bs_html_has(store->self_check))
			bs_html_textf(dd, ", self-check %s", store->self_check);
	}
}

static void limits_text(xmlNode *dd, const struct bs_ev_run_start *run)
{
	BS_AUTOFREE char *steps = bs_html_count(run->max_steps), *time = bs_html_time(run->time_ms * 1000);

	bs_html_textf(dd, "depth %" PRIu32, run->max_depth);
	if (run->max_steps)
		bs_html_textf(dd, ", %s steps", steps);
	if (run->time_ms)
		bs_html_textf(dd, ", %s", time);
}

static void explore_facts(xmlNode *list, const struct bs_summary *s)
{
	if (s->run.model) {
		bs_html_textf(fact(list, "Seed"), "%" PRIu64, s->run.seed);
		fact_text(list, "Strategy", s->run.strategy);
		limits_text(fact(list, "Limits"), &s->run);
		fact_text(list, "Gate fails on", s->run.gate);
	}
	if (!s->ended)
		return;
	BS_AUTOFREE char *frontier = bs_html_count(s->end.frontier), *violations = bs_html_count(s->end.violations);
	BS_AUTOFREE char *elapsed = bs_html_time(s->end.elapsed_us), *explored = bs_html_time(s->end.explore_us);
	fact_text(list, "Ended by", s->end.limit);
	fact_text(list, "States left to explore", frontier);
	fact_text(list, "Violations seen", violations);
	bs_html_textf(fact(list, "Time"), "%s, of which %s exploring", elapsed, explored);
	bs_html_textf(fact(list, "Exit status"), "%d", s->end.exit_status);
}

void bs_html_facts(struct bs_html_page *page)
{
	const struct bs_summary *s = page->summary;
	xmlNode *list = bs_html_slot(page, "facts");

	model_facts(list, &s->run);
	target_facts(list, s);
	explore_facts(list, s);
	if (!list->children)
		fact_text(list, "Run", "The events hold nothing about it.");
	xmlNode *foot = bs_html_slot(page, "tool");
	bs_html_textf(foot, "%s %s", bs_html_has(s->stream.tool) ? s->stream.tool : "backstep",
		      bs_html_has(s->stream.version) ? s->stream.version : "");
}
