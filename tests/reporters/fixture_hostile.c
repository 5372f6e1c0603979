/*
 * What an application can do to a report through its answers, its logs and its data, and a careless author
 * through the model: control bytes, terminal escapes, markup, invalid UTF-8, text without end.
 */
#include "fixture.h"

#include "base/mem.h"

#include <string.h>

/* Each ends one format's idea of text: ANSI, OSC, CDATA, tags, entities, workflow commands, Markdown, bidi, bytes
 * that are no UTF-8, a character that XML 1.0 does not have, an attachment, a mention. */
#define EVIL \
	"\x1b[31mred\x1b[0m \x1b]0;title\x07 ]]> <script>alert('x')</script> & &amp; \"q\" ::error::x ![i](u) " \
	"\xe2\x80\xae" "bidi \xff\xfe \xc3( \xed\xa0\x80 \xef\xbf\xbe [[ATTACHMENT|/etc/passwd]] @octocat\r\n\tnext\x01\x7f" \
	"\xc2\x85 \xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81"

static const struct bs_ev_place evil_place = {"pay" EVIL ".yaml", 4000000000u, 4000000000u};

static void declare(struct fixture_feeder *f)
{
	static const char *const operations[] = {EVIL, ""};

	fixture_start(f);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_RUN_START,
					  .run_start = {.model = EVIL,
							.model_name = EVIL,
							.model_sha256 = EVIL,
							.seed = UINT64_MAX,
							.target = EVIL,
							.strategy = EVIL,
							.max_depth = 3,
							.revision = EVIL,
							.branch = EVIL,
							.repository = EVIL,
							.started = EVIL,
							.gate = EVIL}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_ACTION_DECLARED,
					  .action = {EVIL, EVIL, EVIL, EVIL, evil_place, operations, 2}});
	for (int i = 0; i < 2; i++) /* one name twice */
		fixture_emit(f, (struct bs_event){.kind = BS_EVENT_INVARIANT_DECLARED,
						  .invariant = {EVIL, EVIL, EVIL, EVIL, EVIL, evil_place}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_APP_READY, .app_ready = {EVIL, EVIL, UINT64_MAX}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_STORE_READY,
					  .store_ready = {EVIL, EVIL, EVIL, UINT64_MAX, EVIL, EVIL}});
}

static void explore(struct fixture_feeder *f)
{
	static const char *const path[] = {EVIL, ""};

	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_PHASE_START, .phase = {"explore", NULL, NULL}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_STEP,
					  .step = {.operation = EVIL,
						   .action = EVIL,
						   .actor = EVIL,
						   .status = -2147483647 - 1,
						   .outcome = EVIL,
						   .elapsed_us = UINT64_MAX,
						   .steps = UINT64_MAX,
						   .states = UINT64_MAX,
						   .findings = UINT64_MAX,
						   .run_us = UINT64_MAX}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_VIOLATION,
					  .violation = {EVIL, EVIL, EVIL, 0, path, 2, evil_place}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_PHASE_END, .phase = {"explore", EVIL, NULL}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_PHASE_START, .phase = {EVIL, EVIL, EVIL}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_SHRINK_PROGRESS, .shrink = {EVIL, 1, 2, 3}});
}

static void finding(struct fixture_feeder *f, const char *verdict, const char *long_text)
{
	static const struct bs_ev_value values[] = {{EVIL, EVIL}, {"", "\"\\u001b[31m\""}, {"n", "1e400"}};
	static const struct bs_ev_change changes[] = {{EVIL, EVIL, EVIL, values, values, 3, 3},
						      {EVIL, EVIL, NULL, NULL, values, 0, 0},
						      {"", "", "", values, NULL, 3, 0}};
	static const struct bs_ev_header headers[] = {{EVIL, EVIL}};
	const char *log[] = {EVIL, long_text, ""};
	const struct bs_ev_finding_step steps[] = {
		{.operation = EVIL,
		 .action = EVIL,
		 .actor = EVIL,
		 .at = evil_place,
		 .request = {.method = EVIL, .url = EVIL, .target = EVIL, .headers = headers, .header_count = 1, .body = EVIL},
		 .response = {.status = 0, .outcome = EVIL, .error = EVIL},
		 .changes = changes,
		 .change_count = 3,
		 .changes_left_out = UINT64_MAX,
		 .captures = values,
		 .capture_count = 3,
		 .curl = "curl -sS \"$BASE_URL\"'/a\nb\x1b[2J'"},
		{.operation = long_text,
		 .action = long_text,
		 .request = {.method = "GET", .target = long_text},
		 .response = {.status = 503, .outcome = "response", .body = long_text, .body_bytes = 10240},
		 .log = log,
		 .log_count = 3,
		 .fails = true}};

	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_FINDING,
					  .finding = {.fingerprint = EVIL,
						      .rule = EVIL,
						      .title = EVIL,
						      .kind = EVIL,
						      .severity = EVIL,
						      .message = long_text,
						      .verdict = verdict,
						      .tries = UINT32_MAX,
						      .baseline = EVIL,
						      .count = UINT64_MAX,
						      .original_length = UINT32_MAX,
						      .minimality = EVIL,
						      .reason = EVIL,
						      .at = evil_place,
						      .reads = values,
						      .read_count = 3,
						      .steps = steps,
						      .step_count = 2,
						      .replay = EVIL}});
}

static void bare_finding(struct fixture_feeder *f)
{
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_FINDING,
					  .finding = {.fingerprint = "0", .rule = "undeclared", .verdict = "confirmed"}});
}

void fixture_feed_hostile(struct fixture_feeder *f)
{
	static const struct bs_ev_operation_status status = {EVIL, -1, UINT64_MAX};
	static const struct bs_ev_operation_pair pair = {EVIL, EVIL, UINT64_MAX, true};
	static const struct bs_ev_latency latency = {EVIL, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	BS_AUTOFREE char *long_text = bs_xmalloc(10241);

	for (size_t i = 0; i < 10240; i++)
		long_text[i] = i % 7 ? (char)('a' + i % 26) : ' ';
	long_text[10240] = 0;
	declare(f);
	explore(f);
	finding(f, "confirmed", long_text);
	finding(f, "unconfirmed", long_text);
	finding(f, EVIL, EVIL);
	bare_finding(f);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_INVARIANT_END,
					  .invariant_end = {EVIL, EVIL, EVIL, UINT64_MAX, UINT64_MAX, EVIL, UINT64_MAX}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_COVERAGE, .coverage = {&status, 1, &pair, 1, &latency, 1}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_WARNING, .notice = {EVIL, EVIL, EVIL, evil_place}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_WARNING, .notice = {"reach-unmet", EVIL, NULL, {NULL, 0, 0}}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_ERROR, .notice = {EVIL, EVIL, NULL, {NULL, 0, 0}}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_RUN_END,
					  .run_end = {.gate = "failed", .exit_status = 1, .reason = EVIL, .limit = EVIL}});
}
