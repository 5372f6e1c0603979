/* The steps of a finding as one thread flow: what was sent, what came back, and what it did to the data. */
#include "sarif.h"
#include "sarif_json.h"

#include "base/mem.h"
#include "summary_words.h"

#include <string.h>

#define CHANGES_SAID 3 /* in a step's message; all are in its properties */

/* --- Messages -------------------------------------------------------------------------------------------- */

static cJSON *headers_of(const struct bs_ev_message *message)
{
	cJSON *headers = cJSON_CreateObject();

	for (size_t i = 0; i < message->header_count; i++)
		bs_sarif_join(headers, message->headers[i].name, message->headers[i].value);
	return headers;
}

/* A body of which the end is missing says so, or what is there would be taken for all of it. */
static void add_body(cJSON *object, const struct bs_ev_message *message)
{
	size_t kept = message->body ? strlen(message->body) : 0;

	if (message->body)
		bs_sarif_text(bs_sarif_object(object, "body"), "text", message->body);
	if (message->body_bytes <= kept)
		return;
	cJSON *properties = bs_sarif_object(object, "properties");
	bs_sarif_bool(properties, "bodyCut", true);
	bs_sarif_number(properties, "bodyBytes", message->body_bytes);
	bs_sarif_line(properties, "bodySha256", message->body_sha256);
}

static void add_content(cJSON *object, const struct bs_ev_message *message, enum bs_sarif_detail detail)
{
	if (detail == BS_SARIF_WITHOUT_MESSAGES)
		return;
	if (message->header_count)
		cJSON_AddItemToObject(object, "headers", headers_of(message));
	add_body(object, message);
}

static void add_request(cJSON *item, const struct bs_ev_message *request, enum bs_sarif_detail detail)
{
	cJSON *object = bs_sarif_object(item, "webRequest");
	bs_sarif_text(object, "protocol", "http");
	bs_sarif_text(object, "method", request->method);
	bs_sarif_text(object, "target", bs_words_or(request->target, bs_words_or(request->url, "")));
	add_content(object, request, detail);
}

static void add_response(cJSON *item, const struct bs_ev_message *response, enum bs_sarif_detail detail)
{
	cJSON *object = bs_sarif_object(item, "webResponse");

	bs_sarif_text(object, "protocol", "http");
	if (response->status > 0)
		bs_sarif_number(object, "statusCode", (uint64_t)response->status);
	else
		bs_sarif_bool(object, "noResponseReceived", true);
	add_content(object, response, detail);
	if (response->status > 0 && !response->error)
		return;
	cJSON *properties = cJSON_GetObjectItemCaseSensitive(object, "properties");
	properties = properties ? properties : bs_sarif_object(object, "properties");
	bs_sarif_line(properties, "outcome", response->outcome);
	bs_sarif_line(properties, "error", response->error);
}

/* A step of the clock, or one that was lost from an event file, sends nothing. */
static bool sends(const struct bs_ev_finding_step *step)
{
	return step->request.method && !bs_words_moved_clock(&step->response);
}

/* --- Steps ------------------------------------------------------------------------------------------------ */

static void say_words(struct bs_buf *out, void (*words)(struct bs_buf *out, const struct bs_ev_change *change),
		      const struct bs_ev_change *change)
{
	struct bs_buf raw = BS_BUF_INIT;

	words(&raw, change);
	bs_sarif_say(out, bs_buf_text(&raw));
	bs_buf_release(&raw);
}

static void say_changes(struct bs_buf *out, const struct bs_ev_finding_step *step)
{
	size_t said = step->change_count < CHANGES_SAID ? step->change_count : CHANGES_SAID;
	uint64_t more = step->change_count - said + step->changes_left_out;

	for (size_t i = 0; i < said; i++) {
		bs_buf_adds(out, "; ");
		say_words(out, bs_words_row, &step->changes[i]);
		bs_buf_adds(out, ": ");
		say_words(out, bs_words_change, &step->changes[i]);
	}
	if (more) {
		bs_buf_adds(out, "; and ");
		bs_words_count(out, more, "more row", "more rows");
	}
}

/* "refund_order: POST /orders/1/refund, answered with 200; db.orders #1: refunded 0 → 100." */
static void say_step(struct bs_buf *out, const struct bs_ev_finding_step *step)
{
	struct bs_buf raw = BS_BUF_INIT;

	bs_words_operation(&raw, step);
	bs_buf_adds(&raw, ": ");
	bs_words_request(&raw, &step->request);
	bs_buf_adds(&raw, step->response.status ? ", answered with " : ", ");
	bs_words_status(&raw, &step->response);
	bs_sarif_say(out, bs_buf_text(&raw));
	bs_buf_release(&raw);
	say_changes(out, step);
	bs_buf_adds(out, step->fails ? "; then the rule is broken." : ".");
}

static void add_texts(cJSON *properties, const char *key, const char *const *texts, size_t count)
{
	if (!count)
		return;
	cJSON *array = bs_sarif_array(properties, key);
	for (size_t i = 0; i < count; i++) {
		const char *text = bs_words_or(texts[i], "");
		cJSON_AddItemToArray(array, bs_json_new_text(text, strlen(text)));
	}
}

static void add_changes(cJSON *properties, const struct bs_ev_finding_step *step)
{
	if (!step->change_count)
		return;
	cJSON *array = bs_sarif_array(properties, "changes");
	for (size_t i = 0; i < step->change_count; i++) {
		cJSON *change = bs_sarif_item(array);
		struct bs_buf row = BS_BUF_INIT, what = BS_BUF_INIT;
		bs_words_row(&row, &step->changes[i]);
		bs_words_change(&what, &step->changes[i]);
		bs_sarif_text(change, "row", bs_buf_text(&row));
		bs_sarif_text(change, "change", bs_buf_text(&what));
		bs_buf_release(&row);
		bs_buf_release(&what);
	}
	if (step->changes_left_out)
		bs_sarif_number(properties, "changesLeftOut", step->changes_left_out);
}

static void add_command(cJSON *properties, const struct bs_ev_finding_step *step)
{
	struct bs_buf command = BS_BUF_INIT;

	if (step->curl) {
		bs_words_command(&command, step->curl);
		bs_sarif_text(properties, "curl", bs_buf_text(&command));
	}
	bs_buf_release(&command);
}

static void add_properties(cJSON *item, const struct bs_ev_finding_step *step)
{
	cJSON *properties = bs_sarif_object(item, "properties");

	bs_sarif_line(properties, "operation", step->operation);
	bs_sarif_line(properties, "actor", step->actor);
	bs_sarif_number(properties, "elapsedUs", step->elapsed_us);
	add_changes(properties, step);
	add_texts(properties, "log", step->log, step->log_count);
	add_command(properties, step);
}

/* The values that the step captured, as the state behind it. */
static void add_state(cJSON *item, const struct bs_ev_finding_step *step)
{
	if (!step->capture_count)
		return;
	cJSON *values = cJSON_CreateObject(), *state = bs_sarif_object(item, "state");
	for (size_t i = 0; i < step->capture_count; i++)
		bs_sarif_join(values, step->captures[i].name, bs_words_or(step->captures[i].json, "null"));
	for (const cJSON *value = values->child; value; value = value->next) {
		struct bs_buf text = BS_BUF_INIT;
		bs_sarif_say(&text, value->valuestring);
		bs_sarif_message(state, value->string, &text, BS_SARIF_MESSAGE_MAX);
		bs_buf_release(&text);
	}
	cJSON_Delete(values);
}

static void add_step(const struct bs_sarif *sarif, cJSON *locations, const struct bs_ev_finding_step *step,
		     size_t number, enum bs_sarif_detail detail)
{
	cJSON *item = bs_sarif_item(locations), *location = bs_sarif_location(&step->at, sarif->summary.run.model);
	struct bs_buf message = BS_BUF_INIT;

	say_step(&message, step);
	bs_sarif_message(location, "message", &message, BS_SARIF_MESSAGE_MAX);
	bs_buf_release(&message);
	bs_sarif_number(item, "executionOrder", number);
	bs_sarif_text(item, "importance", step->fails ? "essential" : "important");
	cJSON_AddItemToObject(item, "location", location);
	add_state(item, step);
	if (sends(step)) {
		add_request(item, &step->request, detail);
		add_response(item, &step->response, detail);
	}
	add_properties(item, step);
}

/* Too many steps lose those before the last, which is the one that matters; the numbers of the others stay. */
cJSON *bs_sarif_flow(const struct bs_sarif *sarif, const struct bs_ev_finding *finding, enum bs_sarif_detail detail)
{
	cJSON *locations = cJSON_CreateArray();
	size_t count = finding->step_count, most = sarif->limits.steps;

	for (size_t i = 0; i < count; i++)
		if (i + 1 < most || i + 1 == count)
			add_step(sarif, locations, &finding->steps[i], i + 1, detail);
	return locations;
}
