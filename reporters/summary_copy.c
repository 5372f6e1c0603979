/*
 * Deep copies of events, from a description of their shapes: for each struct, which members are text, lists
 * or structs. A new member of event.h that points somewhere needs one word below and no code; members that are
 * plain numbers need nothing, as every struct is first copied whole.
 */
#include "summary_copy.h"

#include "base/mem.h"

#include <stddef.h>
#include <string.h>

enum field_kind {
	FIELD_TEXT,  /* const char * */
	FIELD_TEXTS, /* const char *const *, and a count */
	FIELD_LIST,  /* const struct x *, and a count */
	FIELD_PART,  /* struct x */
};

struct shape;

struct field {
	enum field_kind kind;
	size_t offset;
	size_t count_offset;       /* of a size_t; lists only */
	const struct shape *shape; /* of an element, or of the part */
};

struct shape {
	size_t size;
	const struct field *fields;
	size_t field_count;
};

#define TEXT(type, member) {FIELD_TEXT, offsetof(struct type, member), 0, NULL}
#define TEXTS(type, member, count) {FIELD_TEXTS, offsetof(struct type, member), offsetof(struct type, count), NULL}
#define LIST(type, member, count, shape) \
	{FIELD_LIST, offsetof(struct type, member), offsetof(struct type, count), &(shape)}
#define PART(type, member, shape) {FIELD_PART, offsetof(struct type, member), 0, &(shape)}
#define SHAPE(type, ...) \
	static const struct field type##_fields[] = {__VA_ARGS__}; \
	static const struct shape type##_shape = {sizeof(struct type), type##_fields, BS_COUNT(type##_fields)}

SHAPE(bs_ev_place, TEXT(bs_ev_place, file));
SHAPE(bs_ev_value, TEXT(bs_ev_value, name), TEXT(bs_ev_value, json));
SHAPE(bs_ev_header, TEXT(bs_ev_header, name), TEXT(bs_ev_header, value));

SHAPE(bs_ev_stream_start, TEXT(bs_ev_stream_start, tool), TEXT(bs_ev_stream_start, version));
SHAPE(bs_ev_run_start, TEXT(bs_ev_run_start, model), TEXT(bs_ev_run_start, model_name),
      TEXT(bs_ev_run_start, model_sha256), TEXT(bs_ev_run_start, target), TEXT(bs_ev_run_start, strategy),
      TEXT(bs_ev_run_start, revision), TEXT(bs_ev_run_start, branch),
      TEXT(bs_ev_run_start, repository), TEXT(bs_ev_run_start, started), TEXT(bs_ev_run_start, gate));
SHAPE(bs_ev_action, TEXT(bs_ev_action, name), TEXT(bs_ev_action, title), TEXT(bs_ev_action, method),
      TEXT(bs_ev_action, path), PART(bs_ev_action, at, bs_ev_place_shape),
      TEXTS(bs_ev_action, operations, operation_count));
SHAPE(bs_ev_invariant, TEXT(bs_ev_invariant, name), TEXT(bs_ev_invariant, title), TEXT(bs_ev_invariant, kind),
      TEXT(bs_ev_invariant, severity), TEXT(bs_ev_invariant, rule), PART(bs_ev_invariant, at, bs_ev_place_shape));
SHAPE(bs_ev_app_ready, TEXT(bs_ev_app_ready, command), TEXT(bs_ev_app_ready, base_url));
SHAPE(bs_ev_store, TEXT(bs_ev_store, name), TEXT(bs_ev_store, driver), TEXT(bs_ev_store, mechanism),
      TEXT(bs_ev_store, location), TEXT(bs_ev_store, self_check));
SHAPE(bs_ev_phase, TEXT(bs_ev_phase, name), TEXT(bs_ev_phase, detail), TEXT(bs_ev_phase, rule));
SHAPE(bs_ev_state, TEXT(bs_ev_state, key));
SHAPE(bs_ev_step, TEXT(bs_ev_step, operation), TEXT(bs_ev_step, action), TEXT(bs_ev_step, actor),
      TEXT(bs_ev_step, outcome));
SHAPE(bs_ev_violation, TEXT(bs_ev_violation, rule), TEXT(bs_ev_violation, severity), TEXT(bs_ev_violation, message),
      TEXTS(bs_ev_violation, path, path_count), PART(bs_ev_violation, at, bs_ev_place_shape));
SHAPE(bs_ev_shrink, TEXT(bs_ev_shrink, rule));

SHAPE(bs_ev_message, TEXT(bs_ev_message, method), TEXT(bs_ev_message, url), TEXT(bs_ev_message, target),
      TEXT(bs_ev_message, outcome), TEXT(bs_ev_message, error),
      LIST(bs_ev_message, headers, header_count, bs_ev_header_shape), TEXT(bs_ev_message, body),
      TEXT(bs_ev_message, body_sha256));
SHAPE(bs_ev_change, TEXT(bs_ev_change, store), TEXT(bs_ev_change, table), TEXT(bs_ev_change, row),
      LIST(bs_ev_change, before, before_count, bs_ev_value_shape),
      LIST(bs_ev_change, after, after_count, bs_ev_value_shape));
SHAPE(bs_ev_finding_step, TEXT(bs_ev_finding_step, operation), TEXT(bs_ev_finding_step, action),
      TEXT(bs_ev_finding_step, actor), PART(bs_ev_finding_step, at, bs_ev_place_shape),
      PART(bs_ev_finding_step, request, bs_ev_message_shape),
      PART(bs_ev_finding_step, response, bs_ev_message_shape),
      LIST(bs_ev_finding_step, changes, change_count, bs_ev_change_shape),
      LIST(bs_ev_finding_step, captures, capture_count, bs_ev_value_shape),
      TEXTS(bs_ev_finding_step, log, log_count), TEXT(bs_ev_finding_step, curl));
SHAPE(bs_ev_finding, TEXT(bs_ev_finding, fingerprint), TEXT(bs_ev_finding, rule), TEXT(bs_ev_finding, title),
      TEXT(bs_ev_finding, kind), TEXT(bs_ev_finding, severity), TEXT(bs_ev_finding, message),
      TEXT(bs_ev_finding, verdict), TEXT(bs_ev_finding, baseline), TEXT(bs_ev_finding, minimality),
      TEXT(bs_ev_finding, reason), PART(bs_ev_finding, at, bs_ev_place_shape),
      LIST(bs_ev_finding, reads, read_count, bs_ev_value_shape),
      LIST(bs_ev_finding, steps, step_count, bs_ev_finding_step_shape), TEXT(bs_ev_finding, replay));

SHAPE(bs_ev_invariant_end, TEXT(bs_ev_invariant_end, name), TEXT(bs_ev_invariant_end, severity),
      TEXT(bs_ev_invariant_end, outcome), TEXT(bs_ev_invariant_end, detail));
SHAPE(bs_ev_operation_status, TEXT(bs_ev_operation_status, operation));
SHAPE(bs_ev_operation_pair, TEXT(bs_ev_operation_pair, first), TEXT(bs_ev_operation_pair, second));
SHAPE(bs_ev_latency, TEXT(bs_ev_latency, operation));
SHAPE(bs_ev_coverage, LIST(bs_ev_coverage, statuses, status_count, bs_ev_operation_status_shape),
      LIST(bs_ev_coverage, pairs, pair_count, bs_ev_operation_pair_shape),
      LIST(bs_ev_coverage, latencies, latency_count, bs_ev_latency_shape));
SHAPE(bs_ev_notice, TEXT(bs_ev_notice, code), TEXT(bs_ev_notice, message), TEXT(bs_ev_notice, hint),
      PART(bs_ev_notice, at, bs_ev_place_shape));
SHAPE(bs_ev_run_end, TEXT(bs_ev_run_end, gate), TEXT(bs_ev_run_end, reason), TEXT(bs_ev_run_end, limit));

/* The members of the event's union all begin at one address. */
#define PAYLOAD offsetof(struct bs_event, stream_start)

static const struct shape *const payloads[] = {
	[BS_EVENT_STREAM_START] = &bs_ev_stream_start_shape,
	[BS_EVENT_RUN_START] = &bs_ev_run_start_shape,
	[BS_EVENT_ACTION_DECLARED] = &bs_ev_action_shape,
	[BS_EVENT_INVARIANT_DECLARED] = &bs_ev_invariant_shape,
	[BS_EVENT_APP_READY] = &bs_ev_app_ready_shape,
	[BS_EVENT_STORE_READY] = &bs_ev_store_shape,
	[BS_EVENT_PHASE_START] = &bs_ev_phase_shape,
	[BS_EVENT_PHASE_END] = &bs_ev_phase_shape,
	[BS_EVENT_STATE_NEW] = &bs_ev_state_shape,
	[BS_EVENT_STEP] = &bs_ev_step_shape,
	[BS_EVENT_VIOLATION] = &bs_ev_violation_shape,
	[BS_EVENT_SHRINK_PROGRESS] = &bs_ev_shrink_shape,
	[BS_EVENT_FINDING] = &bs_ev_finding_shape,
	[BS_EVENT_INVARIANT_END] = &bs_ev_invariant_end_shape,
	[BS_EVENT_COVERAGE] = &bs_ev_coverage_shape,
	[BS_EVENT_WARNING] = &bs_ev_notice_shape,
	[BS_EVENT_ERROR] = &bs_ev_notice_shape,
	[BS_EVENT_RUN_END] = &bs_ev_run_end_shape,
};

/* Pointers to different types are read and written as bytes: only so is it the same to the compiler. */
static const void *pointer_at(const void *member)
{
	const void *pointer;

	memcpy(&pointer, member, sizeof pointer);
	return pointer;
}

static size_t count_at(const char *object, const struct field *field)
{
	size_t count;

	memcpy(&count, object + field->count_offset, sizeof count);
	return count;
}

static const void *copy_texts(struct bs_arena *arena, const void *texts, size_t count)
{
	const char **copy = bs_arena_dup(arena, texts, count * sizeof *copy);

	for (size_t i = 0; i < count; i++)
		copy[i] = bs_arena_strdup(arena, copy[i]);
	return copy;
}

static void own(struct bs_arena *arena, const struct shape *shape, char *object);

static const void *copy_list(struct bs_arena *arena, const struct shape *shape, const void *list, size_t count)
{
	char *copy = bs_arena_dup(arena, list, count * shape->size);

	for (size_t i = 0; i < count; i++)
		own(arena, shape, copy + i * shape->size);
	return copy;
}

static void own_field(struct bs_arena *arena, const struct field *field, char *object)
{
	char *member = object + field->offset;
	const void *pointer = NULL;

	if (field->kind == FIELD_PART) {
		own(arena, field->shape, member);
		return;
	}
	pointer = pointer_at(member);
	if (!pointer)
		return;
	switch (field->kind) {
	case FIELD_TEXT: pointer = bs_arena_strdup(arena, pointer); break;
	case FIELD_TEXTS: pointer = copy_texts(arena, pointer, count_at(object, field)); break;
	case FIELD_LIST: pointer = copy_list(arena, field->shape, pointer, count_at(object, field)); break;
	case FIELD_PART: break;
	}
	memcpy(member, &pointer, sizeof pointer);
}

/* Replaces everything that object points to by copies. */
static void own(struct bs_arena *arena, const struct shape *shape, char *object)
{
	for (size_t i = 0; i < shape->field_count; i++)
		own_field(arena, &shape->fields[i], object);
}

struct bs_event bs_event_keep(struct bs_arena *arena, const struct bs_event *event)
{
	struct bs_event copy = *event;

	own(arena, payloads[event->kind], (char *)&copy + PAYLOAD);
	return copy;
}
