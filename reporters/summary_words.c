/* Events in words. Every pointer of an event may be NULL: a file of events may have lost anything. See summary_words.h. */
#include "summary_words.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool bs_words_equal(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

const char *bs_words_or(const char *text, const char *otherwise)
{
	return text && *text ? text : otherwise;
}

/* --- Numbers ------------------------------------------------------------------------------------------ */

void bs_words_number(struct bs_buf *out, uint64_t number)
{
	char digits[32];
	int n = snprintf(digits, sizeof digits, "%" PRIu64, number);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			bs_buf_addc(out, ',');
		bs_buf_addc(out, digits[i]);
	}
}

void bs_words_count(struct bs_buf *out, uint64_t number, const char *one, const char *many)
{
	bs_words_number(out, number);
	bs_buf_addf(out, " %s", number == 1 ? one : many);
}

void bs_words_size(struct bs_buf *out, uint64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB"};
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 10000) {
		bs_words_count(out, bytes, "byte", "bytes");
		return;
	}
	while (value >= 1000 && unit + 1 < BS_COUNT(units)) {
		value /= 1000;
		unit++;
	}
	bs_buf_addf(out, "%.1f %s", value, units[unit]);
}

void bs_words_us(struct bs_buf *out, uint64_t us)
{
	if (us < 10000)
		bs_buf_addf(out, "%.1f ms", (double)us / 1e3);
	else if (us < 1000000)
		bs_buf_addf(out, "%" PRIu64 " ms", us / 1000);
	else
		bs_buf_addf(out, us % 1000000 ? "%.1f s" : "%.0f s", (double)us / 1e6);
}

void bs_words_place(struct bs_buf *out, const struct bs_ev_place *at)
{
	if (!at->file)
		return;
	bs_buf_adds(out, at->file);
	if (at->line)
		bs_buf_addf(out, ":%" PRIu32, at->line);
	if (at->line && at->column)
		bs_buf_addf(out, ":%" PRIu32, at->column);
}

/* --- Steps -------------------------------------------------------------------------------------------- */

void bs_words_operation(struct bs_buf *out, const struct bs_ev_finding_step *step)
{
	const char *label = bs_words_or(step->operation, "?");
	size_t len = strlen(label), name = step->action ? strlen(step->action) : 0;

	if (name && len > name + 2 && strncmp(label, step->action, name) == 0 && label[name] == '(' &&
	    label[len - 1] == ')') {
		bs_buf_addf(out, "%s ", step->action);
		bs_buf_add(out, label + name + 1, len - name - 2);
	} else {
		bs_buf_adds(out, label);
	}
}

void bs_words_chain(struct bs_buf *out, const struct bs_ev_finding *finding, const char *arrow)
{
	for (size_t i = 0; i < finding->step_count; i++) {
		const struct bs_ev_finding_step *step = &finding->steps[i];
		bs_buf_addf(out, "%s%s", i ? arrow : "", bs_words_or(step->action, bs_words_or(step->operation, "?")));
	}
}

void bs_words_request(struct bs_buf *out, const struct bs_ev_message *request)
{
	const char *target = bs_words_or(request->target, bs_words_or(request->url, ""));

	bs_buf_addf(out, "%s%s%s", bs_words_or(request->method, ""), request->method && *target ? " " : "", target);
}

void bs_words_status(struct bs_buf *out, const struct bs_ev_message *response)
{
	if (response->status)
		bs_buf_addf(out, "%d", response->status);
	else
		bs_buf_adds(out, bs_words_or(response->outcome, "no response"));
}

/* --- Rows --------------------------------------------------------------------------------------------- */

/* A text without its quotes; everything else as JSON. */
static void add_value(struct bs_buf *out, const char *json)
{
	cJSON *item = NULL;

	if (json && json[0] == '"' && bs_json_parse(json, strlen(json), &item, NULL) == 0)
		bs_buf_adds(out, *item->valuestring ? item->valuestring : "\"\"");
	else
		bs_buf_adds(out, bs_words_or(json, "null"));
	cJSON_Delete(item);
}

void bs_words_row(struct bs_buf *out, const struct bs_ev_change *change)
{
	bs_buf_addf(out, "%s.%s", bs_words_or(change->store, "?"), bs_words_or(change->table, "?"));
	if (change->row && *change->row)
		bs_buf_addf(out, " %s", change->row);
}

/* Whether the row is named by this value alone: "#1" says already that id is 1. */
static bool names_row(const struct bs_ev_change *change, const struct bs_ev_value *value)
{
	struct bs_buf text = BS_BUF_INIT;

	add_value(&text, value->json);
	bool same = change->row && change->row[0] == '#' && strcmp(change->row + 1, bs_buf_text(&text)) == 0;
	bs_buf_release(&text);
	return same;
}

static void add_new(struct bs_buf *out, const struct bs_ev_change *change)
{
	bool first = true, named = false;

	bs_buf_adds(out, "new");
	for (size_t i = 0; i < change->after_count; i++) {
		const struct bs_ev_value *value = &change->after[i];
		if (!named && names_row(change, value)) {
			named = true;
			continue;
		}
		bs_buf_addf(out, "%s%s ", first ? ": " : ", ", bs_words_or(value->name, "?"));
		add_value(out, value->json);
		first = false;
	}
}

static const struct bs_ev_value *find_value(const struct bs_ev_value *values, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (bs_words_equal(values[i].name, name))
			return &values[i];
	return NULL;
}

static void add_difference(struct bs_buf *out, const struct bs_ev_change *change)
{
	bool first = true;

	for (size_t i = 0; i < change->after_count; i++) {
		const struct bs_ev_value *after = &change->after[i];
		const struct bs_ev_value *before = find_value(change->before, change->before_count, after->name);
		if (before && (before->json == after->json || bs_words_equal(before->json, after->json)))
			continue;
		bs_buf_addf(out, "%s%s ", first ? "" : ", ", bs_words_or(after->name, "?"));
		if (before) {
			add_value(out, before->json);
			bs_buf_adds(out, " → ");
		}
		add_value(out, after->json);
		first = false;
	}
	if (first)
		bs_buf_adds(out, "written, no column differs");
}

void bs_words_change(struct bs_buf *out, const struct bs_ev_change *change)
{
	if (!change->after)
		bs_buf_adds(out, "deleted");
	else if (!change->before)
		add_new(out, change);
	else
		add_difference(out, change);
}

/* --- Findings ------------------------------------------------------------------------------------------ */

void bs_words_reads(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	for (size_t i = 0; i < finding->read_count; i++)
		bs_buf_addf(out, "%s%s = %s", i ? ", " : "", bs_words_or(finding->reads[i].name, "?"),
			    bs_words_or(finding->reads[i].json, "null"));
}

void bs_words_length(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	bs_words_count(out, finding->step_count, "step", "steps");
	if (bs_words_equal(finding->verdict, "unconfirmed")) {
		bs_buf_adds(out, ", as first seen: what does not fail again cannot be shortened");
		return;
	}
	if (finding->original_length > finding->step_count) {
		bs_buf_adds(out, " (first seen with ");
		bs_words_number(out, finding->original_length);
		bs_buf_addc(out, ')');
	}
	if (finding->minimality && finding->step_count > 1) /* one step is as short as it gets */
		bs_buf_addf(out, "; %s", finding->minimality);
}

void bs_words_verdict(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	bs_buf_addf(out, "%s %" PRIu32 "/%" PRIu32, bs_words_or(finding->verdict, "?"), finding->confirmed, finding->tries);
	if (bs_words_equal(finding->baseline, "known"))
		bs_buf_adds(out, ", known");
}

const char *bs_words_headline(const struct bs_ev_finding *finding)
{
	return bs_words_or(finding->title, bs_words_or(finding->message, bs_words_or(finding->rule, "?")));
}

const char *bs_words_message(const struct bs_ev_finding *finding)
{
	return bs_words_equal(finding->message, bs_words_headline(finding)) ? NULL : bs_words_or(finding->message, NULL);
}

const struct bs_ev_finding_step *bs_words_failing_step(const struct bs_ev_finding *finding)
{
	for (size_t i = 0; i < finding->step_count; i++)
		if (finding->steps[i].fails)
			return &finding->steps[i];
	return NULL;
}

bool bs_words_moved_clock(const struct bs_ev_message *response)
{
	return bs_words_equal(response->outcome, "advanced");
}

bool bs_words_is_fault(const struct bs_ev_finding_step *step)
{
	return (step->response.status >= 500 || step->response.status <= 0) && !bs_words_moved_clock(&step->response);
}

void bs_words_answer(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	const struct bs_ev_finding_step *step = bs_words_failing_step(finding);

	if (!step || (!bs_words_is_fault(step) && !bs_words_equal(finding->rule, "unexpected-status")))
		return;
	bs_words_status(out, &step->response);
	if (step->response.error)
		bs_buf_addf(out, ": %s", step->response.error);
	if (step->response.body && *step->response.body)
		bs_buf_addf(out, "  %s", step->response.body);
}

bool bs_words_several_actors(const struct bs_ev_finding *finding)
{
	for (size_t i = 1; i < finding->step_count; i++)
		if (finding->steps[i].actor && !bs_words_equal(finding->steps[i].actor, finding->steps[0].actor))
			return true;
	return false;
}

void bs_words_notice(struct bs_buf *out, const struct bs_ev_notice *notice)
{
	if (notice->at.file) {
		bs_words_place(out, &notice->at);
		bs_buf_adds(out, ": ");
	}
	bs_buf_adds(out, bs_words_or(notice->message, bs_words_or(notice->code, "?")));
	if (notice->hint)
		bs_buf_addf(out, " (%s)", notice->hint);
}

/* --- Commands ------------------------------------------------------------------------------------------ */

/* GitHub's job log takes "##[" for a command wherever it stands, and "::" at the beginning of a line. */
static bool is_command_mark(const char *text, size_t at)
{
	return strncmp(text + at, "##[", 3) == 0 || (at == strspn(text, " \t") && strncmp(text + at, "::", 2) == 0);
}

/* What would drive the terminal is written as the shell's own $'\x1b'. All text from outside stands in single quotes
 * there, so these are closed and opened again around it. */
void bs_words_command(struct bs_buf *out, const char *command)
{
	size_t len = strlen(command);
	uint32_t c;

	for (size_t i = 0; i < len;) {
		size_t n = bs_utf8_next(command + i, len - i, &c);
		struct bs_buf shown = BS_BUF_INIT;
		n = n ? n : 1;
		bs_utf8_clean(&shown, command + i, n, BS_UTF8_CONSOLE);
		if (shown.len == n && memcmp(shown.data, command + i, n) == 0 && !is_command_mark(command, i)) {
			bs_buf_add(out, command + i, n);
		} else {
			bs_buf_adds(out, "'$'");
			for (size_t k = 0; k < n; k++)
				bs_buf_addf(out, "\\x%02x", (unsigned)(unsigned char)command[i + k]);
			bs_buf_adds(out, "''");
		}
		bs_buf_release(&shown);
		i += n;
	}
}

static bool plain_url(const char *url)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/.-_~%[]@";

	return url && *url && !url[strspn(url, plain)];
}

/* An application that the run started is gone by now, and its port with it. */
bool bs_words_base_url(struct bs_buf *out, const struct bs_ev_app_ready *app)
{
	bool there = !app->command && plain_url(app->base_url);

	bs_buf_addf(out, "BASE_URL=%s", there ? app->base_url : "http://127.0.0.1:PORT");
	return there;
}
