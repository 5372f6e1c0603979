/*
 * One event of each kind with something in each field, much of it hostile, and what it means that two are equal:
 * field by field and written out, so that no table of the code under test is trusted.
 */
#ifndef BS_TESTS_UNIT_EVENTS_EQUAL_H
#define BS_TESTS_UNIT_EVENTS_EQUAL_H

#include <backstep/event.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the two above first */
#include <cmocka.h>

#define KINDS ((size_t)BS_EVENT_RUN_END + 1)
#define PLACE {HOSTILE ".yaml", 38, UINT32_MAX}
#define HOSTILE "a\"b\\c/\b\f\n\r\t\x01\x1b[31m</script>&amp;\x7f\xC3\xA9\xE2\x80\xA8\xF0\x9F\x92\xA5\xEF\xBF\xBD"

static const char *const texts[] = {"create(amount=1)", "", HOSTILE};
static const struct bs_ev_value values[] = {
	{"id", "9007199254740993"}, {HOSTILE, "\"x\\u0001\\\"\""}, {"", "{\"a\":[1e400,-0.10,null,true]}"}, {"z", "null"}};
static const struct bs_ev_header headers[] = {
	{"Set-Cookie", "a=[redacted]"}, {"X-A", HOSTILE}, {"set-cookie", ""}, {"Set-Cookie", "b"}, {"", "c"}};
static const struct bs_ev_change changes[] = {
	{.store = "db", .table = "orders", .row = "#1", .after = values, .after_count = 4},
	{.store = "db", .table = HOSTILE, .before = values, .before_count = 2, .after = values, .after_count = 0},
	{.store = "db", .table = "gone", .before = values, .before_count = 1}};
static const struct bs_ev_finding_step steps[] = {
	{.operation = "create(amount=1)", .action = "create", .actor = "shop", .at = {"m.yaml", 16, 3},
	 .request = {.method = "POST", .url = "/orders", .target = "/orders?x", .headers = headers, .header_count = 2,
		     .body = HOSTILE, .body_bytes = 99, .body_sha256 = "ab"},
	 .response = {.status = 201, .outcome = "response", .error = HOSTILE, .headers = headers, .header_count = 5,
		      .body = "", .body_bytes = UINT64_MAX, .body_sha256 = "cd"},
	 .elapsed_us = 812, .changes = changes, .change_count = 3, .changes_left_out = 7, .captures = values,
	 .capture_count = 3, .log = texts, .log_count = 3, .curl = "curl -sS 'x'\\''y'", .fails = true},
	{.operation = "get", .action = "get", .actor = "shop"}};
static const struct bs_ev_operation_status statuses[] = {{"get", 200, 3}, {HOSTILE, 0, UINT64_MAX}};
static const struct bs_ev_operation_pair pairs[] = {{"get", HOSTILE, 7, true}, {"get", "get", 1, false}};
static const struct bs_ev_latency latencies[] = {{HOSTILE, 1, 2, 3, UINT64_MAX}};

static const struct bs_event all[KINDS] = {
	{.stream_start = {"backstep", HOSTILE}},
	{.run_start = {"p.yaml", HOSTILE, "ab12", UINT64_MAX, HOSTILE, "bfs", 8, 2000, 60000, "cafe", "main",
		       "https://example.com/shop", "2026-01-02T03:04:05Z", "critical"}},
	{.action = {"create", HOSTILE, "POST", "/orders/${id}", PLACE, texts, 3}},
	{.invariant = {"r", HOSTILE, "oracle", "high", "not (a\n  and \"b\")", PLACE}},
	{.app_ready = {HOSTILE, "http://127.0.0.1:8000", 12}},
	{.store_ready = {"db", "sqlite", "triggers", 4096, HOSTILE, "exact (5 rows, 0.2 ms)"}},
	{.phase = {"shrink", NULL, "r"}},
	{.phase = {"explore", HOSTILE, NULL}},
	{.state = {7, 3, 2, "0123456789abcdef0123456789abcdef"}},
	{.step = {1, 2, "get", "get", "ann", 404, "timeout", 5, 6, 7, 8, 9, UINT64_MAX}},
	{.violation = {"r", "low", HOSTILE, 9, texts, 3, PLACE}},
	{.shrink = {"r", 9, 4, 55}},
	{.finding = {"9f2c", "r", HOSTILE, "invariant", "critical", HOSTILE, "flaky", 2, 3, "new", 14, 5, "no shorter",
		     HOSTILE, PLACE, values, 4, steps, 2, "backstep replay events.ndjson --finding 9f2c"}},
	{.invariant_end = {"r", "low", "error", 5, 6, HOSTILE, 7}},
	{.coverage = {statuses, 2, pairs, 2, latencies, 1}},
	{.notice = {"late-rows", HOSTILE, HOSTILE, PLACE}},
	{.notice = {"run-failed", HOSTILE, NULL, {NULL, 0, 0}}},
	{.run_end = {"incomplete", -4, HOSTILE, "time", 1, 2, 3, 4, 5, 6, 7, {8, 9, 10, UINT32_MAX}}},
};

#define T(m) same_text(a->m, b->m)
#define N(m) assert_true(a->m == b->m)
#define EACH(type, items, count) \
	N(count); \
	for (size_t i = 0; i < a->count; i++) \
	same_##type(&a->items[i], &b->items[i])

static void same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void same_name(const char *const *a, const char *const *b)
{
	same_text(*a, *b);
}

static void same_place(const struct bs_ev_place *a, const struct bs_ev_place *b)
{
	T(file), N(line), N(column);
}

static void same_value(const struct bs_ev_value *a, const struct bs_ev_value *b)
{
	T(name), T(json);
}

static void same_header(const struct bs_ev_header *a, const struct bs_ev_header *b)
{
	T(name), T(value);
}

static void same_change(const struct bs_ev_change *a, const struct bs_ev_change *b)
{
	T(store), T(table), T(row), N(before_count), N(after_count);
	assert_true(!a->before == !b->before && !a->after == !b->after);
	EACH(value, before, before_count);
	EACH(value, after, after_count);
}

static void same_message(const struct bs_ev_message *a, const struct bs_ev_message *b)
{
	T(method), T(url), T(target), N(status), T(outcome), T(error), T(body), N(body_bytes), T(body_sha256);
	EACH(header, headers, header_count);
}

static void same_step(const struct bs_ev_finding_step *a, const struct bs_ev_finding_step *b)
{
	T(operation), T(action), T(actor), N(elapsed_us), N(changes_left_out), T(curl), N(fails);
	same_place(&a->at, &b->at);
	same_message(&a->request, &b->request);
	same_message(&a->response, &b->response);
	EACH(change, changes, change_count);
	EACH(value, captures, capture_count);
	EACH(name, log, log_count);
}

static void same_finding(const struct bs_ev_finding *a, const struct bs_ev_finding *b)
{
	T(fingerprint), T(rule), T(title), T(kind), T(severity), T(message), T(verdict), N(confirmed), N(tries);
	T(baseline), N(count), N(original_length), T(minimality), T(reason), T(replay);
	same_place(&a->at, &b->at);
	EACH(value, reads, read_count);
	EACH(step, steps, step_count);
}

static void same_status(const struct bs_ev_operation_status *a, const struct bs_ev_operation_status *b)
{
	T(operation), N(status), N(count);
}

static void same_pair(const struct bs_ev_operation_pair *a, const struct bs_ev_operation_pair *b)
{
	T(first), T(second), N(count), N(violation);
}

static void same_latency(const struct bs_ev_latency *a, const struct bs_ev_latency *b)
{
	T(operation), N(p50_us), N(p95_us), N(p99_us), N(max_us);
}

static void same_event(const struct bs_event *a, const struct bs_event *b)
{
	N(kind), N(seq), N(at_ns);
	switch (a->kind) {
	case BS_EVENT_STREAM_START: T(stream_start.tool), T(stream_start.version); return;
	case BS_EVENT_RUN_START:
		T(run_start.model), T(run_start.model_name), T(run_start.model_sha256), N(run_start.seed);
		T(run_start.target), T(run_start.strategy), N(run_start.max_depth), N(run_start.max_steps);
		N(run_start.time_ms), T(run_start.revision), T(run_start.branch), T(run_start.repository);
		T(run_start.started), T(run_start.gate);
		return;
	case BS_EVENT_ACTION_DECLARED:
		T(action.name), T(action.title), T(action.method), T(action.path);
		same_place(&a->action.at, &b->action.at);
		EACH(name, action.operations, action.operation_count);
		return;
	case BS_EVENT_INVARIANT_DECLARED:
		T(invariant.name), T(invariant.title), T(invariant.kind), T(invariant.severity), T(invariant.rule);
		same_place(&a->invariant.at, &b->invariant.at);
		return;
	case BS_EVENT_APP_READY: T(app_ready.command), T(app_ready.base_url), N(app_ready.ready_us); return;
	case BS_EVENT_STORE_READY:
		T(store_ready.name), T(store_ready.driver), T(store_ready.mechanism), N(store_ready.size_bytes);
		T(store_ready.location), T(store_ready.self_check);
		return;
	case BS_EVENT_PHASE_START:
	case BS_EVENT_PHASE_END: T(phase.name), T(phase.detail), T(phase.rule); return;
	case BS_EVENT_STATE_NEW: N(state.id), N(state.parent), N(state.depth), T(state.key); return;
	case BS_EVENT_STEP:
		N(step.from), N(step.to), T(step.operation), T(step.action), T(step.actor), N(step.status);
		T(step.outcome), N(step.elapsed_us), N(step.changed_rows), N(step.steps), N(step.states);
		N(step.findings), N(step.run_us);
		return;
	case BS_EVENT_VIOLATION:
		T(violation.rule), T(violation.severity), T(violation.message), N(violation.state);
		same_place(&a->violation.at, &b->violation.at);
		EACH(name, violation.path, violation.path_count);
		return;
	case BS_EVENT_SHRINK_PROGRESS:
		T(shrink.rule), N(shrink.from_length), N(shrink.length), N(shrink.candidates);
		return;
	case BS_EVENT_FINDING: same_finding(&a->finding, &b->finding); return;
	case BS_EVENT_INVARIANT_END:
		T(invariant_end.name), T(invariant_end.severity), T(invariant_end.outcome), N(invariant_end.checked);
		N(invariant_end.violations), T(invariant_end.detail), N(invariant_end.elapsed_us);
		return;
	case BS_EVENT_COVERAGE: {
		EACH(status, coverage.statuses, coverage.status_count);
		EACH(pair, coverage.pairs, coverage.pair_count);
		EACH(latency, coverage.latencies, coverage.latency_count);
		return;
	}
	case BS_EVENT_WARNING:
	case BS_EVENT_ERROR:
		T(notice.code), T(notice.message), T(notice.hint);
		same_place(&a->notice.at, &b->notice.at);
		return;
	case BS_EVENT_RUN_END:
		T(run_end.gate), N(run_end.exit_status), T(run_end.reason), T(run_end.limit), N(run_end.states);
		N(run_end.steps), N(run_end.findings), N(run_end.violations), N(run_end.frontier);
		N(run_end.elapsed_us), N(run_end.explore_us);
		for (size_t i = 0; i < 4; i++)
			N(run_end.severities[i]);
		return;
	}
}

#undef T
#undef N
#undef EACH
#undef PLACE

#endif
