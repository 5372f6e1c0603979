/*
 * The tables of fields. The names on the left are those on disk, which others rely on: they are added to and
 * never changed. The type of a member decides how it is written, so a table cannot disagree with event.h.
 * See fields.h.
 */
#include "fields.h"

#include "base/mem.h"

#define KEY(name) .key = ",\"" name "\":"
#define TEXT(name, S, member, how) \
	{KEY(name), .type = _Generic(((S *)0)->member, const char *: how), .offset = offsetof(S, member)}
#define NAME(name, S, member) TEXT(name, S, member, BS_F_NAME)
#define FREE(name, S, member) TEXT(name, S, member, BS_F_FREE)
#define VALUE(name, S, member) \
	{KEY(name), \
	 .type = _Generic(((S *)0)->member, bool: BS_F_BOOL, int: BS_F_INT, uint32_t: BS_F_U32, uint64_t: BS_F_U64), \
	 .offset = offsetof(S, member)}
#define PLACE(S, member) \
	{KEY("at"), .type = _Generic(((S *)0)->member, struct bs_ev_place: BS_F_PLACE), \
	 .offset = offsetof(S, member), .of = &bs_place_fields}
#define OBJECT(name, S, member, fields) \
	{KEY(name), .type = BS_F_OBJECT, .offset = offsetof(S, member), .of = &(fields)}
#define ARRAY(name, S, member, counter, element, how, fields) \
	{KEY(name), .type = BS_F_ARRAY, .array = _Generic(((S *)0)->member, element: how), \
	 .offset = offsetof(S, member), .count_offset = offsetof(S, counter), .of = fields}
#define NAMES(name, S, member, counter) ARRAY(name, S, member, counter, const char *const *, BS_A_NAMES, NULL)
#define TEXTS(name, S, member, counter) ARRAY(name, S, member, counter, const char *const *, BS_A_TEXTS, NULL)
#define VALUES(name, S, member, counter, how) ARRAY(name, S, member, counter, const struct bs_ev_value *, how, NULL)
#define HEADERS(S) \
	ARRAY("headers", S, headers, header_count, const struct bs_ev_header *, BS_A_HEADERS, NULL), \
	ARRAY("headers_list", S, headers, header_count, const struct bs_ev_header *, BS_A_HEADERS_LIST, NULL)
#define LIST(name, S, member, counter, element, fields) \
	ARRAY(name, S, member, counter, const element *, BS_A_LIST, &(fields))
#define FIELDS(variable, S, ...) \
	static const struct bs_field variable##_items[] = {__VA_ARGS__}; \
	static const struct bs_fields variable = {variable##_items, BS_COUNT(variable##_items), sizeof(S)}

/* --- Parts of events --------------------------------------------------------------------------------------- */

#define P struct bs_ev_place
static const struct bs_field place_items[] = {NAME("file", P, file), VALUE("line", P, line),
					      VALUE("column", P, column)};
const struct bs_fields bs_place_fields = {place_items, BS_COUNT(place_items), sizeof(P)};
#undef P

#define M struct bs_ev_message
FIELDS(request_fields, M, NAME("method", M, method), FREE("url", M, url), FREE("target", M, target), HEADERS(M),
       FREE("body", M, body), VALUE("body_bytes", M, body_bytes), NAME("body_sha256", M, body_sha256));
FIELDS(response_fields, M, VALUE("status", M, status), NAME("outcome", M, outcome), FREE("error", M, error),
       HEADERS(M), FREE("body", M, body), VALUE("body_bytes", M, body_bytes), NAME("body_sha256", M, body_sha256));
#undef M

#define C struct bs_ev_change
FIELDS(change_fields, C, NAME("store", C, store), NAME("table", C, table), FREE("row", C, row),
       VALUES("before", C, before, before_count, BS_A_ROW), VALUES("after", C, after, after_count, BS_A_ROW));
#undef C

#define S struct bs_ev_finding_step
FIELDS(finding_step_fields, S, NAME("op", S, operation), NAME("action", S, action), NAME("actor", S, actor),
       PLACE(S, at), VALUE("fails", S, fails), OBJECT("request", S, request, request_fields),
       OBJECT("response", S, response, response_fields), VALUE("elapsed_us", S, elapsed_us),
       LIST("changes", S, changes, change_count, struct bs_ev_change, change_fields),
       VALUE("changes_left_out", S, changes_left_out), VALUES("captures", S, captures, capture_count, BS_A_VALUES),
       TEXTS("log", S, log, log_count), FREE("curl", S, curl));
#undef S

#define O struct bs_ev_operation_status
FIELDS(status_fields, O, NAME("op", O, operation), VALUE("status", O, status), VALUE("count", O, count));
#undef O

#define O struct bs_ev_operation_pair
FIELDS(pair_fields, O, NAME("first", O, first), NAME("second", O, second), VALUE("count", O, count),
       VALUE("violation", O, violation));
#undef O

#define O struct bs_ev_latency
FIELDS(latency_fields, O, NAME("op", O, operation), VALUE("p50_us", O, p50_us), VALUE("p95_us", O, p95_us),
       VALUE("p99_us", O, p99_us), VALUE("max_us", O, max_us));
#undef O

#define E struct bs_event
FIELDS(severity_fields, uint32_t[4],
       {KEY("low"), .type = BS_F_U32, .offset = 0}, {KEY("medium"), .type = BS_F_U32, .offset = sizeof(uint32_t)},
       {KEY("high"), .type = BS_F_U32, .offset = 2 * sizeof(uint32_t)},
       {KEY("critical"), .type = BS_F_U32, .offset = 3 * sizeof(uint32_t)});

/* --- Events ------------------------------------------------------------------------------------------------ */

FIELDS(stream_start, E, NAME("tool", E, stream_start.tool), NAME("version", E, stream_start.version));

FIELDS(run_start, E, FREE("model", E, run_start.model), FREE("model_name", E, run_start.model_name),
       NAME("model_sha256", E, run_start.model_sha256), VALUE("seed", E, run_start.seed),
       FREE("target", E, run_start.target), NAME("strategy", E, run_start.strategy),
       VALUE("max_depth", E, run_start.max_depth), VALUE("max_steps", E, run_start.max_steps),
       VALUE("time_ms", E, run_start.time_ms), NAME("revision", E, run_start.revision),
       FREE("branch", E, run_start.branch), FREE("repository", E, run_start.repository),
       NAME("started", E, run_start.started), NAME("gate", E, run_start.gate));

FIELDS(action, E, NAME("name", E, action.name), FREE("title", E, action.title), NAME("method", E, action.method),
       FREE("path", E, action.path), PLACE(E, action.at),
       NAMES("operations", E, action.operations, action.operation_count));

FIELDS(invariant, E, NAME("name", E, invariant.name), FREE("title", E, invariant.title),
       NAME("kind", E, invariant.kind), NAME("severity", E, invariant.severity), FREE("rule", E, invariant.rule),
       PLACE(E, invariant.at));

FIELDS(app_ready, E, FREE("command", E, app_ready.command), FREE("base_url", E, app_ready.base_url),
       VALUE("ready_us", E, app_ready.ready_us));

FIELDS(store_ready, E, NAME("name", E, store_ready.name), NAME("driver", E, store_ready.driver),
       FREE("mechanism", E, store_ready.mechanism), VALUE("size_bytes", E, store_ready.size_bytes),
       FREE("location", E, store_ready.location), FREE("self_check", E, store_ready.self_check));

FIELDS(phase, E, NAME("name", E, phase.name), FREE("detail", E, phase.detail), NAME("rule", E, phase.rule));

FIELDS(state, E, VALUE("id", E, state.id), VALUE("parent", E, state.parent), VALUE("depth", E, state.depth),
       NAME("key", E, state.key));

FIELDS(step, E, VALUE("from", E, step.from), VALUE("to", E, step.to), NAME("op", E, step.operation),
       NAME("action", E, step.action), NAME("actor", E, step.actor), VALUE("status", E, step.status),
       NAME("outcome", E, step.outcome), VALUE("elapsed_us", E, step.elapsed_us),
       VALUE("changed_rows", E, step.changed_rows), VALUE("steps", E, step.steps), VALUE("states", E, step.states),
       VALUE("findings", E, step.findings), VALUE("run_us", E, step.run_us));

FIELDS(violation, E, NAME("rule", E, violation.rule), NAME("severity", E, violation.severity),
       FREE("message", E, violation.message), VALUE("state", E, violation.state),
       NAMES("path", E, violation.path, violation.path_count), PLACE(E, violation.at));

FIELDS(shrink, E, NAME("rule", E, shrink.rule), VALUE("from_length", E, shrink.from_length),
       VALUE("length", E, shrink.length), VALUE("candidates", E, shrink.candidates));

FIELDS(finding, E, NAME("fingerprint", E, finding.fingerprint), NAME("rule", E, finding.rule),
       FREE("title", E, finding.title), NAME("kind", E, finding.kind), NAME("severity", E, finding.severity),
       FREE("message", E, finding.message), NAME("verdict", E, finding.verdict),
       VALUE("confirmed", E, finding.confirmed), VALUE("tries", E, finding.tries),
       NAME("baseline", E, finding.baseline), VALUE("count", E, finding.count),
       VALUE("original_length", E, finding.original_length), FREE("minimality", E, finding.minimality),
       FREE("reason", E, finding.reason), PLACE(E, finding.at),
       VALUES("reads", E, finding.reads, finding.read_count, BS_A_VALUES),
       LIST("steps", E, finding.steps, finding.step_count, struct bs_ev_finding_step, finding_step_fields),
       FREE("replay", E, finding.replay));

FIELDS(invariant_end, E, NAME("name", E, invariant_end.name), NAME("severity", E, invariant_end.severity),
       NAME("outcome", E, invariant_end.outcome), VALUE("checked", E, invariant_end.checked),
       VALUE("violations", E, invariant_end.violations), FREE("detail", E, invariant_end.detail),
       VALUE("elapsed_us", E, invariant_end.elapsed_us));

FIELDS(coverage, E,
       LIST("statuses", E, coverage.statuses, coverage.status_count, struct bs_ev_operation_status, status_fields),
       LIST("pairs", E, coverage.pairs, coverage.pair_count, struct bs_ev_operation_pair, pair_fields),
       LIST("latencies", E, coverage.latencies, coverage.latency_count, struct bs_ev_latency, latency_fields));

FIELDS(notice, E, NAME("code", E, notice.code), FREE("message", E, notice.message), FREE("hint", E, notice.hint),
       PLACE(E, notice.at));

FIELDS(run_end, E, NAME("gate", E, run_end.gate), VALUE("exit_status", E, run_end.exit_status),
       FREE("reason", E, run_end.reason), NAME("limit", E, run_end.limit), VALUE("states", E, run_end.states),
       VALUE("steps", E, run_end.steps), VALUE("findings", E, run_end.findings),
       VALUE("violations", E, run_end.violations), VALUE("frontier", E, run_end.frontier),
       VALUE("elapsed_us", E, run_end.elapsed_us), VALUE("explore_us", E, run_end.explore_us),
       OBJECT("severities", E, run_end.severities, severity_fields));

const struct bs_fields *bs_fields_of(enum bs_event_kind kind)
{
	switch (kind) {
	case BS_EVENT_STREAM_START: return &stream_start;
	case BS_EVENT_RUN_START: return &run_start;
	case BS_EVENT_ACTION_DECLARED: return &action;
	case BS_EVENT_INVARIANT_DECLARED: return &invariant;
	case BS_EVENT_APP_READY: return &app_ready;
	case BS_EVENT_STORE_READY: return &store_ready;
	case BS_EVENT_PHASE_START:
	case BS_EVENT_PHASE_END: return &phase;
	case BS_EVENT_STATE_NEW: return &state;
	case BS_EVENT_STEP: return &step;
	case BS_EVENT_VIOLATION: return &violation;
	case BS_EVENT_SHRINK_PROGRESS: return &shrink;
	case BS_EVENT_FINDING: return &finding;
	case BS_EVENT_INVARIANT_END: return &invariant_end;
	case BS_EVENT_COVERAGE: return &coverage;
	case BS_EVENT_WARNING:
	case BS_EVENT_ERROR: return &notice;
	case BS_EVENT_RUN_END: return &run_end;
	}
	return &notice;
}
