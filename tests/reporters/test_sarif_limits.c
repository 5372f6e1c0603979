/* SARIF files that GitHub takes: what would be too much is left out whole, the least severe first, and that is said. */
#include "base/buf.h"
#include "base/mem.h"
#include "reporters/reporters.h"
#include "sarif_read.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define NOTIFICATIONS "/runs/0/invocations/0/toolExecutionNotifications"
#define MANY ((size_t)1 << 40)

/* What stream() makes. */
static struct {
	size_t findings, steps, body_bytes;
	const char *severity; /* NULL: low, high, medium, critical in turn */
} wanted;

static char *noise(size_t len, uint64_t seed)
{
	char *text = bs_xmalloc(len + 1);

	for (size_t i = 0; i < len; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		text[i] = (char)('0' + (seed >> 33) % 64); /* three quarters of a byte that no compression removes */
	}
	text[len] = 0;
	return text;
}

static void emit_finding(struct bs_sink sink, size_t number)
{
	static const char *const severities[] = {"low", "high", "medium", "critical"};
	BS_AUTOFREE struct bs_ev_finding_step *steps = bs_xcalloc(wanted.steps + 1, sizeof *steps);
	BS_AUTOFREE char *body = wanted.body_bytes ? noise(wanted.body_bytes, number + 1) : NULL;
	BS_AUTOFREE char *fingerprint = bs_xasprintf("%016zx", number);

	for (size_t i = 0; i < wanted.steps; i++)
		steps[i] = (struct bs_ev_finding_step){
			.action = "a",
			.operation = "a",
			.at = {"m.yaml", 2, 3},
			.request = {.method = "GET", .target = "/"},
			.response = {.status = 200, .body = body}};
	struct bs_event event = {.kind = BS_EVENT_FINDING,
				 .finding = {.fingerprint = fingerprint,
					     .rule = "r",
					     .kind = "invariant",
					     .severity = wanted.severity ? wanted.severity : severities[number % 4],
					     .message = "m",
					     .verdict = "confirmed",
					     .confirmed = 3,
					     .tries = 3,
					     .baseline = number % 8 == 7 ? "known" : "new",
					     .at = {"m.yaml", 9, 3},
					     .steps = steps,
					     .step_count = wanted.steps}};
	sink.emit(sink.ctx, &event);
}

static void stream(struct bs_sink sink)
{
	sink.emit(sink.ctx, &(struct bs_event){.kind = BS_EVENT_RUN_START, .run_start = {.model = "m.yaml"}});
	for (size_t i = 0; i < wanted.findings; i++)
		emit_finding(sink, i);
	sink.emit(sink.ctx,
		  &(struct bs_event){.kind = BS_EVENT_RUN_END, .run_end = {.gate = "failed", .exit_status = 1}});
}

static size_t gzip_bytes(const char *text)
{
	z_stream z = {.next_in = (z_const Bytef *)text, .avail_in = (uInt)strlen(text)};
	size_t bound;

	assert_int_equal(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	bound = deflateBound(&z, z.avail_in);
	BS_AUTOFREE unsigned char *out = bs_xmalloc(bound);
	z.next_out = out;
	z.avail_out = (uInt)bound;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	size_t size = z.total_out;
	deflateEnd(&z);
	return size;
}

static size_t kept(const cJSON *sarif)
{
	return sarif_count(sarif, "/runs/0/results");
}

static void said(const cJSON *sarif, size_t index, const char *code, const char *words)
{
	BS_AUTOFREE char *id = bs_xasprintf(NOTIFICATIONS "/%zu/descriptor/id", index);
	BS_AUTOFREE char *text = bs_xasprintf(NOTIFICATIONS "/%zu/message/text", index);

	sarif_is(sarif, id, code);
	sarif_contains(sarif, text, words);
}

/* --- Results --------------------------------------------------------------------------------------------------- */

static void as_many_results_as_are_allowed_are_there(void **state)
{
	static const struct bs_sarif_limits limits = {.results = 12, .steps = MANY, .gzip_bytes = MANY};

	(void)state;
	wanted = (__typeof__(wanted)){.findings = 12, .steps = 1};
	cJSON *all = sarif_of_stream(stream, &limits, NULL);
	assert_int_equal(kept(all), 12);
	assert_null(sarif_find(all, NOTIFICATIONS));
	cJSON_Delete(all);
}

static void the_least_severe_and_the_accepted_are_left_out_first(void **state)
{
	static const struct bs_sarif_limits limits = {.results = 9, .steps = MANY, .gzip_bytes = MANY};
	static const char *const left[] = {"critical", "critical", "high",   "high",  "high",
					   "high",     "medium",   "medium", "medium"};

	(void)state;
	wanted = (__typeof__(wanted)){.findings = 16, .steps = 1}; /* 4 of each severity; 2 critical ones known */
	cJSON *sarif = sarif_of_stream(stream, &limits, NULL);
	assert_int_equal(kept(sarif), 9);
	for (size_t i = 0; i < BS_COUNT(left); i++) {
		BS_AUTOFREE char *severity = bs_xasprintf("/runs/0/results/%zu/properties/severity", i);
		BS_AUTOFREE char *baseline = bs_xasprintf("/runs/0/results/%zu/baselineState", i);
		sarif_is(sarif, severity, left[i]);
		sarif_is(sarif, baseline, "new");
	}
	assert_int_equal(sarif_count(sarif, NOTIFICATIONS), 1);
	said(sarif, 0, "report-truncated", "7 findings are not in this file, those that matter least");
	assert_true(cJSON_IsTrue(sarif_find(sarif, "/runs/0/invocations/0/executionSuccessful"))); /* the run was */
	cJSON_Delete(sarif);
}

static void githubs_limits_are_the_ones_that_hold(void **state)
{
	static const struct bs_reporter_options options = {.path = "/dev/null"};
	struct bs_reporter *reporter;

	(void)state;
	assert_int_equal(bs_reporter_sarif.open(&options, &reporter, NULL), 0);
	const struct bs_sarif_limits *limits = &((struct bs_sarif *)reporter)->limits;
	assert_int_equal(limits->results, 25000);
	assert_int_equal(limits->steps, 10000);
	assert_int_equal(limits->gzip_bytes, 10000000);
	assert_int_equal(bs_reporter_sarif.close(reporter, NULL), 0);
}

static void a_run_with_one_finding_too_many_is_taken(void **state)
{
	char *text;

	(void)state;
	wanted = (__typeof__(wanted)){.findings = 25001, .steps = 1, .severity = "high"};
	cJSON *sarif = sarif_of_stream(stream, NULL, &text);
	assert_int_equal(kept(sarif), 25000);
	assert_in_range(gzip_bytes(text), 1, 10000000);
	said(sarif, 0, "report-truncated", "1 finding is not in this file");
	said(sarif, 1, "more-than-shown", "GitHub shows only 5,000 findings");
	free(text);
	cJSON_Delete(sarif);
}

/* --- Steps ------------------------------------------------------------------------------------------------------ */

static void a_sequence_that_is_too_long_keeps_its_beginning_and_its_end(void **state)
{
	static const struct bs_sarif_limits limits = {.results = MANY, .steps = 4, .gzip_bytes = MANY};

	(void)state;
	for (size_t steps = 3; steps < 7; steps++) {
		wanted = (__typeof__(wanted)){.findings = 1, .steps = steps};
		cJSON *sarif = sarif_of_stream(stream, &limits, NULL);
		const cJSON *flow = sarif_find(sarif, "/runs/0/results/0/codeFlows/0/threadFlows/0/locations");
		int count = cJSON_GetArraySize(flow);
		assert_int_equal(count, steps < 4 ? steps : 4);
		assert_int_equal(sarif_integer(cJSON_GetArrayItem(flow, 0), "/executionOrder"), 1);
		assert_int_equal(sarif_integer(cJSON_GetArrayItem(flow, count - 1), "/executionOrder"), steps);
		if (steps > 4)
			said(sarif, 0, "report-truncated", "1 finding lacks steps before the last");
		else
			assert_null(sarif_find(sarif, NOTIFICATIONS));
		cJSON_Delete(sarif);
	}
}

static void a_sequence_longer_than_what_is_shown_says_so(void **state)
{
	(void)state;
	for (size_t steps = 1000; steps <= 1001; steps++) {
		wanted = (__typeof__(wanted)){.findings = 1, .steps = steps};
		cJSON *sarif = sarif_of_stream(stream, NULL, NULL);
		if (steps > 1000)
			said(sarif, 0, "more-than-shown", "1 finding has more steps than the 1,000 that GitHub shows");
		else
			assert_null(sarif_find(sarif, NOTIFICATIONS));
		cJSON_Delete(sarif);
	}
}

/* --- Size ------------------------------------------------------------------------------------------------------- */

/* At every limit: the file is not larger, and what is missing is counted. */
static void a_file_is_never_larger_than_allowed(void **state)
{
	size_t most = 0;

	(void)state;
	wanted = (__typeof__(wanted)){.findings = 40, .steps = 2, .body_bytes = 2000, .severity = "high"};
	cJSON *all = sarif_of_stream(stream, &(struct bs_sarif_limits){MANY, MANY, MANY}, NULL);
	assert_int_equal(kept(all), 40);
	cJSON_Delete(all);
	for (size_t limit = 6000; limit < 160000; limit += 7000) {
		char *text;
		cJSON *sarif = sarif_of_stream(stream, &(struct bs_sarif_limits){MANY, MANY, limit}, &text);
		assert_in_range(gzip_bytes(text), 1, limit);
		most = kept(sarif);
		if (most < 40) {
			BS_AUTOFREE char *words = bs_xasprintf("%zu finding", 40 - most);
			said(sarif, 0, "report-truncated", words);
		}
		free(text);
		cJSON_Delete(sarif);
	}
	assert_int_equal(most, 40);
}

static void a_finding_too_large_by_itself_is_told_without_its_bodies(void **state)
{
	static const char answer[] = "/runs/0/results/0/codeFlows/0/threadFlows/0/locations/0/webResponse";

	(void)state;
	wanted = (__typeof__(wanted)){.findings = 1, .steps = 1, .body_bytes = 100000};
	cJSON *large = sarif_of_stream(stream, &(struct bs_sarif_limits){MANY, MANY, 90000}, NULL);
	cJSON *cut = sarif_of_stream(stream, &(struct bs_sarif_limits){MANY, MANY, 50000}, NULL);
	assert_non_null(sarif_find(sarif_find(large, answer), "/body"));
	assert_int_equal(kept(cut), 1);
	assert_null(sarif_find(sarif_find(cut, answer), "/body"));
	assert_int_equal(sarif_integer(sarif_find(cut, answer), "/statusCode"), 200);
	said(cut, 0, "report-truncated", "1 finding is here without headers and bodies");
	cJSON_Delete(large);
	cJSON_Delete(cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_results_as_are_allowed_are_there),
		cmocka_unit_test(the_least_severe_and_the_accepted_are_left_out_first),
		cmocka_unit_test(githubs_limits_are_the_ones_that_hold),
		cmocka_unit_test(a_run_with_one_finding_too_many_is_taken),
		cmocka_unit_test(a_sequence_that_is_too_long_keeps_its_beginning_and_its_end),
		cmocka_unit_test(a_sequence_longer_than_what_is_shown_says_so),
		cmocka_unit_test(a_file_is_never_larger_than_allowed),
		cmocka_unit_test(a_finding_too_large_by_itself_is_told_without_its_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
