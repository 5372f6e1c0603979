/* One step of a finding, closed to a line: what was done, what came back, how long it took. Open: everything. */
#include "html_page.h"
#include "html_write.h"

#include "base/buf.h"
#include "base/mem.h"
#include "summary_words.h"

void bs_html_status(xmlNode *parent, const struct bs_ev_message *response)
{
	bool moved = bs_words_moved_clock(response);
	xmlNode *node = bs_html_add(parent, "b", moved ? NULL : bs_html_status_class(response->status));

	if (response->status)
		bs_html_textf(node, "%d", response->status);
	else
		bs_html_text(node, bs_html_has(response->outcome) ? response->outcome : "no response");
}

/* What a brief chain leaves out. */
static void call_and_effect(xmlNode *what, const struct bs_ev_finding_step *step)
{
	bs_html_text(what, " ");
	bs_html_leaff(what, "span", "call", "%s %s", step->request.method ? step->request.method : "",
		      bs_html_target(&step->request));
	for (size_t i = 0; i < step->change_count && i < 2; i++) {
		bs_html_text(what, " ");
		bs_html_effect(what, "span", &step->changes[i]);
	}
}

static void step_line(xmlNode *details, const struct bs_html_page *page, const struct bs_ev_finding_step *step, bool brief)
{
	BS_AUTOFREE char *time = bs_html_time(step->elapsed_us);
	xmlNode *summary = bs_html_add(details, "summary", NULL);
	xmlNode *what = bs_html_add(summary, "span", "what");

	bs_html_operation_name(what, step->operation, step->action);
	if (page->actors && bs_html_has(step->actor)) {
		bs_html_text(what, " ");
		bs_html_leaff(what, "span", "soft", "as %s", step->actor);
	}
	if (brief)
		call_and_effect(what, step);
	if (step->fails) {
		bs_html_text(what, " ");
		xmlNode *flag = bs_html_add(what, "span", "flag");
		bs_html_icon(flag, "failed");
		bs_html_text(flag, "the rule breaks after this step");
	}
	bs_html_status(summary, &step->response);
	bs_html_hole(bs_html_leaf(summary, "span", "ms", time)); /* the same step takes another time */
}

static xmlNode *block(xmlNode *open, const char *title)
{
	xmlNode *node = bs_html_add(open, "div", NULL);

	bs_html_leaf(node, "h4", NULL, title);
	return node;
}

static void app_log(xmlNode *open, const struct bs_ev_finding_step *step)
{
	if (!step->log_count)
		return;
	xmlNode *pre = bs_html_add(block(open, "The application's log during this step"), "pre", NULL);
	for (size_t i = 0; i < step->log_count; i++) {
		bs_html_text(pre, i ? "\n" : "");
		bs_html_text(pre, step->log[i]);
	}
	bs_html_reachable(pre);
}

static void curl(xmlNode *open, const struct bs_ev_finding_step *step)
{
	if (bs_html_has(step->curl))
		bs_html_copyable(block(open, "As a shell command"), "curl", step->curl);
}

static void opened(struct bs_html_page *page, xmlNode *open, const struct bs_ev_finding_step *step)
{
	BS_AUTOFREE char *place = bs_html_place(step->at.file, step->at.line);

	bs_html_changes(open, step);
	xmlNode *both = bs_html_add(open, "div", "exchange");
	bs_html_message(page, both, &step->request, true);
	bs_html_message(page, both, &step->response, false);
	if (step->capture_count)
		bs_html_values(block(open, "Captured"), step->captures, step->capture_count);
	app_log(open, step);
	curl(open, step);
	if (place) {
		xmlNode *from = bs_html_leaf(open, "p", "soft", "Action ");
		bs_html_leaf(from, "code", NULL, step->action);
		bs_html_textf(from, " · %s", place);
	}
}

static void step_details(struct bs_html_page *page, xmlNode *steps, const struct bs_ev_finding_step *step, bool brief)
{
	xmlNode *details = bs_html_add(steps, "details", step->fails ? "step bad" : "step");

	if (step->fails)
		bs_html_attr(details, "open", "");
	step_line(details, page, step, brief);
	opened(page, bs_html_add(details, "div", "open"), step);
	bs_html_share(details);
}

void bs_html_steps(struct bs_html_page *page, xmlNode *steps, const struct bs_ev_finding *finding)
{
	bool brief = finding->step_count > BS_HTML_CHAIN_WHOLE;

	for (size_t i = 0; i < finding->step_count; i++)
		step_details(page, steps, &finding->steps[i], brief);
}
