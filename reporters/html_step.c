/* One step of a finding, closed to a line: who did what, what came back, how long it took. Open: everything. */
#include "html_page.h"

#include "base/buf.h"
#include "base/mem.h"

static void status(xmlNode *summary, const struct bs_ev_message *response)
{
	xmlNode *cell = bs_html_add(summary, "span", "status");

	bs_html_class(cell, bs_html_status_class(response->status));
	if (response->status)
		bs_html_textf(cell, "%d", response->status);
	else
		bs_html_text(cell, bs_html_has(response->outcome) ? response->outcome : "no response");
}

static void step_line(xmlNode *details, const struct bs_ev_finding_step *step, size_t number)
{
	BS_AUTOFREE char *time = bs_html_time(step->elapsed_us);
	xmlNode *summary = bs_html_add(details, "summary", NULL);

	bs_html_leaff(summary, "span", "n", "%zu", number);
	xmlNode *what = bs_html_add(summary, "span", "what");
	bs_html_operation_name(what, step->operation, step->action);
	bs_html_text(what, " ");
	if (bs_html_has(step->actor)) {
		bs_html_leaff(what, "span", "soft", "as %s", step->actor);
		bs_html_text(what, " ");
	}
	if (step->fails) {
		xmlNode *flag = bs_html_add(what, "span", "flag");
		bs_html_icon(flag, "failed");
		bs_html_text(flag, "the rule breaks after this step");
	}
	status(summary, &step->response);
	bs_html_leaf(summary, "span", "ms", time);
}

static void captures(xmlNode *open, const struct bs_ev_finding_step *step)
{
	if (!step->capture_count)
		return;
	xmlNode *block = bs_html_add(open, "div", NULL);
	bs_html_leaf(block, "h4", "lab", "Captured");
	xmlNode *list = bs_html_add(block, "dl", "values");
	for (size_t i = 0; i < step->capture_count; i++) {
		BS_AUTOFREE char *value = bs_html_value(step->captures[i].json);
		xmlNode *pair = bs_html_add(list, "div", NULL);
		bs_html_leaf(pair, "dt", NULL, step->captures[i].name);
		bs_html_leaf(pair, "dd", NULL, value);
	}
}

static void app_log(xmlNode *open, const struct bs_ev_finding_step *step)
{
	if (!step->log_count)
		return;
	xmlNode *block = bs_html_add(open, "div", NULL);
	bs_html_leaf(block, "h4", "lab", "The application's log during this step");
	xmlNode *pre = bs_html_add(block, "pre", NULL);
	for (size_t i = 0; i < step->log_count; i++) {
		bs_html_text(pre, i ? "\n" : "");
		bs_html_text(pre, step->log[i]);
	}
	bs_html_reachable(pre);
}

static void curl(xmlNode *open, const struct bs_ev_finding_step *step)
{
	if (!bs_html_has(step->curl))
		return;
	xmlNode *block = bs_html_add(open, "div", NULL);
	bs_html_leaf(block, "h4", "lab", "As a shell command");
	xmlNode *line = bs_html_add(block, "div", "replay");
	xmlNode *code = bs_html_leaf(line, "code", "copyable curl", step->curl);
	bs_html_attr(code, "data-copy", "the curl command");
}

void bs_html_step(struct bs_html_page *page, xmlNode *parent, const struct bs_ev_finding_step *step, size_t number)
{
	BS_AUTOFREE char *place = bs_html_place(step->at.file, step->at.line);
	xmlNode *details = bs_html_add(parent, "details", step->fails ? "step bad" : "step");

	if (step->fails)
		bs_html_attr(details, "open", "");
	step_line(details, step, number);
	xmlNode *open = bs_html_add(details, "div", "open");
	bs_html_changes(open, step);
	xmlNode *both = bs_html_add(open, "div", "exchange");
	bs_html_message(page, both, &step->request, true);
	bs_html_message(page, both, &step->response, false);
	captures(open, step);
	app_log(open, step);
	curl(open, step);
	if (place) {
		xmlNode *from = bs_html_leaf(open, "p", "soft from", "Action ");
		bs_html_leaf(from, "code", NULL, step->action);
		bs_html_textf(from, " · %s", place);
	}
}
