/* Findings become events. See evidence.h. */
#include "evidence.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "world/stores/row.h"

#include <inttypes.h>
#include <ctype.h>
#include <string.h>

#define BODY_MAX ((size_t)16 << 10) /* bytes of a body in an event */
#define CHANGES_MAX 50              /* changes of a step in an event */
#define LOG_LINES_MAX 50
#define MESSAGE_MAX ((size_t)4096)

/* A part of a text, which may hold NUL bytes, as valid UTF-8 in the arena. */
static const char *text_of(struct bs_evidence *e, const char *text, size_t len)
{
	struct bs_buf clean = BS_BUF_INIT;

	bs_utf8_clean(&clean, text, len, BS_UTF8_ANY);
	const char *kept = bs_arena_strdup(&e->arena, bs_buf_text(&clean));
	bs_buf_release(&clean);
	return kept;
}

static const char *string_of(struct bs_evidence *e, const char *text)
{
	return text ? text_of(e, text, strlen(text)) : NULL;
}

static const char *json_of(struct bs_evidence *e, const cJSON *json)
{
	BS_AUTOFREE char *text = bs_json_print(json, false);

	return bs_arena_strdup(&e->arena, text);
}

static struct bs_ev_place place_of(const struct bs_evidence *e, struct bs_at at)
{
	return bs_model_place(e->judge->model, at);
}

/* --- Messages --------------------------------------------------------------------------------------- */

static const struct bs_ev_header *headers_of(struct bs_evidence *e, const struct bs_headers *headers)
{
	struct bs_ev_header *list = bs_arena_alloc(&e->arena, headers->count * sizeof *list);

	for (size_t i = 0; i < headers->count; i++) {
		list[i].name = string_of(e, headers->items[i].name);
		list[i].value = string_of(e, headers->items[i].value);
	}
	return list;
}

/* The part of a URL behind its authority: what stays the same when the port does not. */
static const char *target_of(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *path = authority ? strchr(authority + 3, '/') : NULL;

	return path ? path : "/";
}

static struct bs_ev_message request_of(struct bs_evidence *e, const struct bs_exchange *x)
{
	size_t kept = x->request_body_len < BODY_MAX ? x->request_body_len : BODY_MAX;

	return (struct bs_ev_message){
		.method = x->method,
		.url = string_of(e, target_of(x->url)),
		.headers = headers_of(e, &x->request_headers),
		.header_count = x->request_headers.count,
		.body = x->request_body ? text_of(e, x->request_body, kept) : NULL,
		.body_bytes = x->request_body_len,
	};
}

static struct bs_ev_message response_of(struct bs_evidence *e, struct bs_exchange *x)
{
	size_t kept = x->body_len < BODY_MAX ? x->body_len : BODY_MAX;
	bool capped = x->body_bytes > kept;

	return (struct bs_ev_message){
		.status = x->status,
		.outcome = bs_outcome_name(x->outcome),
		.error = string_of(e, x->error),
		.headers = headers_of(e, &x->headers),
		.header_count = x->headers.count,
		.body = x->body ? text_of(e, x->body, kept) : NULL,
		.body_bytes = x->body_bytes,
		.body_sha256 = capped ? bs_arena_strdup(&e->arena, bs_exchange_sha256(x)) : NULL,
	};
}

/* --- A curl line -------------------------------------------------------------------------------------- */

/* "[redacted env.ANN_TOKEN]" is the reader's "$ANN_TOKEN", "[redacted]" is "$SECRET". */
static void add_variable(struct bs_buf *out, const char *marker, size_t len)
{
	static const char begin[] = "[redacted ";
	size_t skip = sizeof begin - 1;
	bool labelled = len > skip + 1;

	if (labelled && strncmp(marker + skip, "env.", 4) == 0)
		skip += 4;
	bs_buf_adds(out, "'\"$");
	if (!labelled || (marker[skip] >= '0' && marker[skip] <= '9'))
		bs_buf_adds(out, "SECRET");
	for (size_t i = skip; labelled && i < len - 1; i++)
		bs_buf_addc(out, isalnum((unsigned char)marker[i]) ? marker[i] : '_');
	bs_buf_adds(out, "\"'");
}

/* One word for a POSIX shell, from a text without secrets. What stood for them becomes variables, but for a text that
 * had such a place by itself: an API must not choose what the reader's shell fills in. */
static void quote(struct bs_buf *out, const char *redacted, const char *original)
{
	bool own = strstr(original, "[redacted") != NULL;

	bs_buf_addc(out, '\'');
	for (const char *c = redacted; *c;) {
		size_t marker = own ? 0 : bs_redact_marker(c);
		if (marker)
			add_variable(out, c, marker);
		else if (*c == '\'')
			bs_buf_adds(out, "'\\''");
		else
			bs_buf_addc(out, *c);
		c += marker ? marker : 1;
	}
	bs_buf_addc(out, '\'');
}

/* Secrets are taken out before: quoted, one with a quote in it would not be known again. */
static void quote_text(const struct bs_evidence *e, struct bs_buf *out, const char *text)
{
	BS_AUTOFREE char *redacted = bs_redact_text(e->redactor, text);

	quote(out, redacted, text);
}

/* The address of an application that we started is gone when somebody reads this: it is a variable of the reader's
 * shell. */
static const char *curl_of(struct bs_evidence *e, const struct bs_ev_message *request)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_buf_adds(&out, "curl -sS");
	if (strcmp(request->method, "GET") != 0)
		bs_buf_addf(&out, " -X %s", request->method);
	bs_buf_adds(&out, " \"$BASE_URL\"");
	quote_text(e, &out, request->url);
	for (size_t i = 0; i < request->header_count; i++) {
		const char *name = request->headers[i].name;
		BS_AUTOFREE char *value = bs_redact_header(e->redactor, name, request->headers[i].value);
		BS_AUTOFREE char *header = bs_xasprintf("%s: %s", name, value);
		bs_buf_adds(&out, " -H ");
		quote(&out, header, request->headers[i].value);
	}
	if (request->body) {
		bs_buf_adds(&out, " --data-binary ");
		quote_text(e, &out, request->body);
	}
	const char *line = bs_arena_strdup(&e->arena, bs_buf_text(&out));
	bs_buf_release(&out);
	return line;
}

/* --- Rows ---------------------------------------------------------------------------------------------- */

static bool redacted_column(const struct bs_evidence *e, const char *table, const char *column)
{
	const struct bs_model *model = e->judge->model;

	for (size_t i = 0; i < model->redact_count; i++) {
		size_t n = strlen(table);
		if (strncmp(model->redact[i], table, n) == 0 && model->redact[i][n] == '.' &&
		    strcmp(model->redact[i] + n + 1, column) == 0)
			return true;
	}
	return false;
}

static const struct bs_ev_value *row_of(struct bs_evidence *e, const struct bs_table *table, struct bs_blob image,
					size_t *ret_count)
{
	if (!image.data)
		return NULL;
	struct bs_ev_value *values = bs_arena_alloc(&e->arena, table->column_count * sizeof *values);
	size_t n = 0;
	for (size_t c = 0; c < table->column_count; c++) {
		struct bs_cell cell;
		if (table->columns[c].hidden || !bs_row_cell(image, c, &cell))
			continue;
		cJSON *json = bs_cell_to_json(&cell);
		values[n].name = table->columns[c].name;
		values[n++].json = redacted_column(e, table->name, table->columns[c].name) ? "\"[redacted]\""
											    : json_of(e, json);
		cJSON_Delete(json);
	}
	*ret_count = n;
	return values;
}

/* "#1", or "#1/ann" for a key of several columns; NULL when the table has none. */
static const char *row_name(struct bs_evidence *e, const struct bs_table *table, struct bs_blob image)
{
	struct bs_buf name = BS_BUF_INIT;

	for (size_t c = 0; c < table->column_count; c++) {
		struct bs_cell cell;
		if (!table->columns[c].key || table->columns[c].hidden || !bs_row_cell(image, c, &cell) ||
		    redacted_column(e, table->name, table->columns[c].name))
			continue;
		bs_buf_adds(&name, name.len ? "/" : "#");
		if (cell.kind == BS_CELL_TEXT || cell.kind == BS_CELL_NUMBER)
			bs_buf_add(&name, cell.data, cell.len);
		else if (cell.kind == BS_CELL_INT)
			bs_buf_addf(&name, "%" PRId64, cell.integer);
		else
			bs_buf_adds(&name, "?");
	}
	const char *kept = name.len ? text_of(e, name.data, name.len) : NULL;
	bs_buf_release(&name);
	return kept;
}

static void changes_of(struct bs_evidence *e, const struct bs_delta *delta, struct bs_ev_finding_step *step)
{
	const struct bs_stores *stores = &e->judge->world->stores;
	struct bs_ev_change *list = bs_arena_alloc(&e->arena, CHANGES_MAX * sizeof *list);

	step->changes = list;
	for (uint32_t i = 0; delta && i < delta->count; i++) {
		const struct bs_change *change = &delta->items[i];
		const struct bs_table *table = stores->tables[change->table];
		if (table->bookkeeping)
			continue;
		if (step->change_count == CHANGES_MAX) {
			step->changes_left_out++;
			continue;
		}
		struct bs_ev_change *out = &list[step->change_count++];
		out->store = stores->names[stores->table_store[change->table]];
		out->table = table->name;
		out->row = row_name(e, table, change->before.data ? change->before : change->after);
		out->before = row_of(e, table, change->before, &out->before_count);
		out->after = row_of(e, table, change->after, &out->after_count);
	}
}

/* --- Steps --------------------------------------------------------------------------------------------- */

static void captures_of(struct bs_evidence *e, const struct bs_step *step, struct bs_ev_finding_step *out)
{
	const struct bs_model *model = e->judge->model;
	const struct bs_request *request = &model->actions[model->operations[step->operation].action].request;

	if (!step->succeeded)
		return;
	struct bs_ev_value *values = bs_arena_alloc(&e->arena, request->capture_count * sizeof *values);
	for (size_t i = 0; i < request->capture_count; i++) {
		size_t var = request->captures[i].var;
		cJSON *json = bs_value_to_json(&step->context->vars[var].value);
		values[i].name = model->vars[var].name;
		values[i].json = json_of(e, json);
		cJSON_Delete(json);
	}
	out->captures = values;
	out->capture_count = request->capture_count;
}

static void log_of(struct bs_evidence *e, const char *log, struct bs_ev_finding_step *out)
{
	const char **lines = bs_arena_alloc(&e->arena, LOG_LINES_MAX * sizeof *lines);

	while (log && *log && out->log_count < LOG_LINES_MAX) {
		size_t n = strcspn(log, "\n");
		if (n)
			lines[out->log_count++] = text_of(e, log, n < MESSAGE_MAX ? n : MESSAGE_MAX);
		log += n + (log[n] == '\n');
	}
	out->log = lines;
}

static void step_of(struct bs_evidence *e, struct bs_trace_step *from, struct bs_ev_finding_step *out)
{
	const struct bs_model *model = e->judge->model;
	const struct bs_operation *operation = &model->operations[from->step.operation];
	const struct bs_action *action = &model->actions[operation->action];
	struct bs_exchange *x = &from->step.response.exchange;

	out->operation = operation->label;
	out->action = action->name;
	out->actor = model->actors[0];
	out->at = place_of(e, action->at);
	if (from->step.advanced) {
		out->request = (struct bs_ev_message){.method = x->method, .url = string_of(e, x->url)};
		out->response = (struct bs_ev_message){.outcome = "advanced"};
		out->curl = bs_arena_printf(&e->arena, "# the application's clock goes on by %s", x->url);
	} else {
		out->request = request_of(e, x);
		out->response = response_of(e, x);
		out->elapsed_us = x->elapsed_us;
		out->curl = curl_of(e, &out->request);
	}
	changes_of(e, from->delta, out);
	captures_of(e, &from->step, out);
	log_of(e, from->step.log, out);
}

static void reads_of(struct bs_evidence *e, const struct bs_reads *reads, struct bs_ev_finding *out)
{
	struct bs_ev_value *values = bs_arena_alloc(&e->arena, reads->count * sizeof *values);

	for (size_t i = 0; i < reads->count; i++) {
		values[i].name = string_of(e, reads->items[i].path);
		values[i].json = json_of(e, reads->items[i].value);
	}
	out->reads = values;
	out->read_count = reads->count;
}

static const char *minimality_of(struct bs_evidence *e, const struct bs_finding *finding)
{
	size_t shorter = finding->length - 1;
	size_t operations = e->judge->model->operation_count;
	size_t shortest = e->shortest ? e->shortest[finding->signature.rule] : 0;

	if (finding->verdict == BS_UNCONFIRMED || e->complete_depth < shorter || (shortest && shortest <= shorter))
		return NULL;
	if (shorter == 0)
		return "one step is enough";
	return bs_arena_printf(&e->arena, "no sequence of %s%zu of these %zu operations breaks this rule",
			       shorter > 1 ? "up to " : "", shorter, operations);
}

void bs_evidence_build(struct bs_evidence *e, const struct bs_finding *finding, struct bs_ev_finding *ret_event)
{
	const struct bs_rule *rule = &e->judge->rules.items[finding->signature.rule];
	const struct bs_violation *violation = bs_trace_shows(&finding->trace, &finding->signature);
	struct bs_ev_finding_step *steps = bs_arena_alloc(&e->arena, finding->trace.count * sizeof *steps);
	struct bs_ev_finding out = {
		.fingerprint = finding->fingerprint,
		.rule = rule->name,
		.title = rule->title,
		.kind = rule->oracle ? "oracle" : "invariant",
		.severity = bs_severity_name(rule->severity),
		.verdict = bs_verdict_name(finding->verdict),
		.confirmed = finding->confirmed,
		.tries = finding->tries,
		.baseline = "new",
		.count = finding->count,
		.original_length = (uint32_t)finding->original_length,
		.minimality = minimality_of(e, finding),
		.reason = finding->reason,
		.steps = steps,
		.step_count = finding->trace.count,
	};

	for (size_t i = 0; i < finding->trace.count; i++)
		step_of(e, finding->trace.steps[i], &steps[i]);
	if (finding->trace.count)
		steps[finding->trace.count - 1].fails = violation != NULL;
	out.message = string_of(e, violation ? violation->message : finding->message);
	out.at = place_of(e, violation && rule->oracle ? violation->at : rule->at);
	if (violation)
		reads_of(e, &violation->reads, &out);
	if (e->events_path)
		out.replay = bs_arena_printf(&e->arena, "backstep replay %s --finding %.6s", e->events_path,
					     finding->fingerprint);
	*ret_event = out;
}
