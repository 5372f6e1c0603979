/*
 * What is read in the first ten seconds: did the gate pass, why, how much was looked at, and how to see it again.
 */
#include "html_page.h"
#include "summary_gate.h"

#include "base/buf.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

static const char *const severity_names[4] = {"low", "medium", "high", "critical"};

/* "2 critical and 1 high findings" of counts by severity. Returns how many findings that are. */
static size_t list_severities(const size_t counts[4], struct bs_buf *out)
{
	size_t total = 0, parts = 0, written = 0;

	for (size_t i = 0; i < 4; i++)
		parts += counts[i] > 0;
	for (size_t i = 4; i-- > 0;) {
		if (!counts[i])
			continue;
		if (written)
			bs_buf_adds(out, written + 1 == parts ? " and " : ", ");
		bs_buf_addf(out, "%zu %s", counts[i], severity_names[i]);
		total += counts[i];
		written++;
	}
	if (total)
		bs_buf_addf(out, " %s", bs_html_plural(total, "finding", "findings"));
	return total;
}

/* Those that fail the gate: each is asked, so that the headline can be held against the cards below it. */
static void gating_counts(const struct bs_summary *s, size_t ret_counts[4])
{
	for (size_t i = 0; i < 4; i++)
		ret_counts[i] = 0;
	for (size_t i = 0; i < s->finding_count; i++)
		for (size_t k = 0; k < 4 && bs_gate_counts(s, &s->findings[i]); k++)
			ret_counts[k] += bs_html_is(s->findings[i].severity, severity_names[k]);
}

static void headline(const struct bs_summary *s, struct bs_buf *out)
{
	const char *gate = bs_gate_verdict(s), *reason = bs_gate_reason(s);
	struct bs_buf list = BS_BUF_INIT;
	size_t counts[4];

	if (bs_html_is(gate, "failed")) {
		gating_counts(s, counts);
		list_severities(counts, &list);
		bs_buf_addf(out, "Gate failed: %s", list.len ? bs_buf_text(&list) : reason ? reason : "see below");
	} else if (bs_html_is(gate, "passed")) {
		size_t all = list_severities(s->severities, &list);
		bs_buf_addf(out, all ? "Gate passed, with %s" : "Gate passed: %s",
			    all ? bs_buf_text(&list) : "no rule was broken");
	} else {
		bs_buf_addf(out, "Incomplete: %s", reason ? reason : "the run did not come to its end");
	}
	bs_buf_release(&list);
}

/* --- The sentences under the headline --------------------------------------------------------------------- */

static void say_gate(xmlNode *p, const struct bs_summary *s)
{
	size_t total = s->confirmed + s->flaky;

	if (!bs_html_has(s->run.gate))
		return;
	if (bs_html_is(s->run.gate, "never")) {
		bs_html_text(p, "The gate never fails on findings (");
	} else {
		bs_html_textf(p, "The gate fails on %s%s findings (", s->run.gate,
			      bs_html_is(s->run.gate, "critical") ? "" : " and more severe");
	}
	bs_html_leaff(p, "code", NULL, "fail_on: %s", s->run.gate);
	bs_html_text(p, "). ");
	if (total)
		bs_html_textf(p, "%zu %s a rule, each replayed from a clean start. ", total,
			      bs_html_plural(total, "sequence breaks", "sequences break"));
	if (s->unconfirmed)
		bs_html_textf(p, "%zu more could not be confirmed and %s not count. ", s->unconfirmed,
			      bs_html_plural(s->unconfirmed, "does", "do"));
}

/* A failure for another reason than findings is in the headline already, unless findings took its place there. */
static void say_reason(xmlNode *p, const struct bs_summary *s)
{
	const char *gate = bs_gate_verdict(s), *reason = bs_gate_reason(s);

	if (bs_html_is(gate, "incomplete"))
		bs_html_text(p, "What is below is what was known by then. ");
	if (!bs_html_is(gate, "failed") || !bs_gate_count(s) || !reason || strncmp(reason, "fail_on", 7) == 0)
		return;
	BS_AUTOFREE char *sentence = bs_html_sentence(reason);
	bs_html_textf(p, "%s ", sentence);
}

static void say_limit(xmlNode *p, const struct bs_summary *s)
{
	BS_AUTOFREE char *steps = bs_html_count(s->run.max_steps);
	BS_AUTOFREE char *time = bs_html_time(s->run.time_ms * 1000);
	BS_AUTOFREE char *left = bs_html_count(s->end.frontier);
	const char *limit = s->ended ? s->end.limit : NULL;

	if (bs_html_is(limit, "steps"))
		bs_html_textf(p, "Exploring ended at its limit of %s steps", steps);
	else if (bs_html_is(limit, "time"))
		bs_html_textf(p, "Exploring ended at its limit of %s", time);
	else if (bs_html_is(limit, "depth"))
		bs_html_textf(p, "Every sequence of up to %" PRIu32 " steps was explored", s->run.max_depth);
	else if (bs_html_is(limit, "exhausted"))
		bs_html_text(p, "Every state that can be reached was explored");
	else if (bs_html_is(limit, "interrupted"))
		bs_html_text(p, "Exploring was interrupted");
	else
		return;
	if (s->end.frontier && !bs_html_is(limit, "exhausted"))
		bs_html_textf(p, "; %s %s not explored further.", left,
			      bs_html_plural(s->end.frontier, "state was", "states were"));
	else
		bs_html_text(p, ".");
}

static void verdict_replay(xmlNode *verdict, const struct bs_summary *s)
{
	for (size_t i = 0; i < s->finding_count; i++) {
		if (!bs_html_has(s->findings[i].replay))
			continue;
		xmlNode *p = bs_html_add(verdict, "div", "replay");
		bs_html_leaf(p, "span", "lab", s->finding_count > 1 ? "See the first again" : "See it again");
		bs_html_attr(bs_html_leaf(p, "code", "copy-source", s->findings[i].replay), "data-copy", "replay");
		return;
	}
}

static void verdict_fact(xmlNode *list, const char *name, const char *text)
{
	if (!bs_html_has(text))
		return;
	xmlNode *pair = bs_html_add(list, "div", NULL);
	bs_html_leaf(pair, "dt", NULL, name);
	bs_html_leaf(pair, "dd", NULL, text);
}

/* What is needed to run the same again. */
static void verdict_facts(xmlNode *words, const struct bs_summary *s)
{
	BS_AUTOFREE char *seed = bs_xasprintf("%" PRIu64, s->run.seed);
	BS_AUTOFREE char *revision = s->run.revision ? bs_xasprintf("%.10s", s->run.revision) : NULL;

	if (!s->run.model)
		return;
	xmlNode *list = bs_html_add(words, "dl", "again");
	verdict_fact(list, "model", s->run.model);
	verdict_fact(list, "revision", revision);
	verdict_fact(list, "seed", seed);
	verdict_fact(list, "target", s->run.target);
}

static void fill_verdict(struct bs_html_page *page, const char *title)
{
	const struct bs_summary *s = page->summary;
	const char *look = bs_gate_verdict(s);
	xmlNode *verdict = bs_html_slot(page, "verdict");

	bs_html_class(verdict, look);
	bs_html_icon(verdict, look);
	xmlNode *words = bs_html_add(verdict, "div", "words");
	bs_html_attr(bs_html_leaf(words, "h1", NULL, title), "id", "verdict");
	xmlNode *p = bs_html_add(words, "p", NULL);
	say_reason(p, s);
	if (s->run.model)
		say_gate(p, s);
	say_limit(p, s);
	verdict_facts(words, s);
	verdict_replay(words, s);
}

/* --- The counts ------------------------------------------------------------------------------------------ */

static void tile(xmlNode *tiles, const char *look, char *number, const char *label)
{
	xmlNode *div = bs_html_add(tiles, "div", look);

	bs_html_leaf(div, "dt", NULL, label);
	bs_html_leaf(div, "dd", NULL, number);
	free(number);
}

static void steps_tile(xmlNode *tiles, const struct bs_summary *s)
{
	uint64_t steps = s->ended ? s->end.steps : s->steps, us = s->end.explore_us;
	BS_AUTOFREE char *rate = us && steps ? bs_html_count(steps * 1000000 / us) : NULL;
	BS_AUTOFREE char *label = rate ? bs_xasprintf("steps, %s/s", rate) : bs_xstrdup("steps");

	tile(tiles, NULL, bs_html_count(steps), label);
}

static void fill_tiles(struct bs_html_page *page)
{
	const struct bs_summary *s = page->summary;
	xmlNode *tiles = bs_html_slot(page, "tiles");
	size_t known = 0, held = 0;

	for (size_t i = 0; i < s->finding_count; i++)
		known += bs_html_is(s->findings[i].baseline, "known") && !bs_html_is(s->findings[i].verdict, "unconfirmed");
	for (size_t i = 0; i < s->rule_count; i++)
		held += bs_html_is(s->rules[i].end.outcome, "held");
	size_t counted = s->confirmed + s->flaky;
	tile(tiles, counted > known ? "alarm" : NULL, bs_html_count(counted - known), "new");
	tile(tiles, NULL, bs_html_count(known), "known");
	tile(tiles, s->flaky ? "wary" : NULL, bs_html_count(s->flaky), "flaky");
	tile(tiles, NULL, bs_html_count(s->unconfirmed), "unconfirmed");
	tile(tiles, NULL, bs_xasprintf("%zu of %zu", held, s->rule_count), "rules held");
	tile(tiles, NULL, bs_html_count(s->ended ? s->end.states : s->states), "states");
	steps_tile(tiles, s);
	if (s->ended)
		tile(tiles, NULL, bs_html_time(s->end.elapsed_us), "in all");
}

/* --- Around them ------------------------------------------------------------------------------------------ */

static void fill_subtitle(struct bs_html_page *page)
{
	const struct bs_ev_run_start *run = &page->summary->run;
	xmlNode *line = bs_html_slot(page, "subtitle");

	if (bs_html_has(run->model_name) || bs_html_has(run->model))
		bs_html_leaf(line, "span", "model", bs_html_has(run->model_name) ? run->model_name : run->model);
	if (bs_html_has(run->branch) || bs_html_has(run->revision)) {
		xmlNode *at = bs_html_add(line, "span", NULL);
		bs_html_text(at, run->branch);
		if (bs_html_has(run->revision)) {
			bs_html_text(at, bs_html_has(run->branch) ? " @ " : "");
			bs_html_leaff(at, "code", NULL, "%.10s", run->revision);
		}
	}
	if (bs_html_has(run->started)) {
		xmlNode *time = bs_html_add(line, "time", NULL);
		/* RFC 3339 as people read it: without the T, the Z and the seconds. */
		if (strlen(run->started) == 20 && run->started[10] == 'T') {
			bs_html_attr(time, "datetime", run->started);
			bs_html_textf(time, "%.10s %.5s UTC", run->started, run->started + 11);
		} else {
			bs_html_text(time, run->started);
		}
	}
}

static void link_to(xmlNode *list, const char *href, const char *words, size_t count)
{
	xmlNode *link = bs_html_add(bs_html_add(list, "li", NULL), "a", NULL);

	bs_html_attr(link, "href", href);
	bs_html_text(link, words);
	if (count)
		bs_html_leaff(link, "span", "n", "%zu", count);
}

static void fill_links(struct bs_html_page *page)
{
	const struct bs_summary *s = page->summary;
	xmlNode *list = bs_html_slot(page, "links");

	if (s->error_count)
		link_to(list, "#errors", "Errors ", s->error_count);
	link_to(list, "#findings", "Findings ", s->confirmed + s->flaky);
	if (s->unconfirmed)
		link_to(list, "#unconfirmed", "Unconfirmed ", s->unconfirmed);
	if (s->warning_count)
		link_to(list, "#warnings", "Warnings ", s->warning_count);
	if (s->rule_count)
		link_to(list, "#rules", "Rules ", s->rule_count);
	if (s->coverage.status_count)
		link_to(list, "#coverage", "Coverage", 0);
	if (page->states->state_count > 1)
		link_to(list, "#graph", "States", 0);
	link_to(list, "#run", "Run", 0);
}

void bs_html_banner(struct bs_html_page *page)
{
	const struct bs_ev_run_start *run = &page->summary->run;
	struct bs_buf title = BS_BUF_INIT;

	headline(page->summary, &title);
	fill_verdict(page, bs_buf_text(&title));
	bs_html_textf(bs_html_slot(page, "title"), "%s%s%s · Backstep", bs_buf_text(&title),
		      bs_html_has(run->model_name) ? " · " : "", bs_html_has(run->model_name) ? run->model_name : "");
	bs_buf_release(&title);
	fill_subtitle(page);
	fill_tiles(page);
	fill_links(page);
}
