/* Events leave the core numbered, clean and without secrets, and a file of them gives back what was written. */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "events/emit.h"
#include "events/ndjson_read.h"
#include "events/ndjson_write.h"
#include "events/redact.h"
#include "events_equal.h"

#include <string.h>

/* --- Writing and reading ----------------------------------------------------------------------------------- */

struct expected {
	const struct bs_event *events;
	size_t count, at;
};

static void expect_event(void *ctx, const struct bs_event *event)
{
	struct expected *expected = ctx;

	assert_true(expected->at < expected->count);
	same_event(&expected->events[expected->at++], event);
}

static void count_event(void *ctx, const struct bs_event *event)
{
	(void)event;
	++*(size_t *)ctx;
}

static int read_text(const char *text, size_t len, struct bs_sink sink, struct bs_ndjson_end *end, struct bs_err *err)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, len, "r");
	int r = bs_ndjson_read(file, "events.ndjson", sink, end, err);

	fclose(file);
	return r;
}

static void fill(struct bs_event *events)
{
	for (size_t i = 0; i < KINDS; i++) {
		events[i] = all[i];
		events[i].kind = (enum bs_event_kind)i;
		events[i].seq = i + 1;
		events[i].at_ns = UINT64_MAX - KINDS + i;
	}
}

static void every_event_comes_back_equal(void **state)
{
	struct bs_event events[KINDS];
	struct bs_buf out = BS_BUF_INIT;
	struct expected expected = {events, KINDS, 0};
	struct bs_ndjson_end end;

	(void)state;
	fill(events);
	for (size_t i = 0; i < KINDS; i++) {
		size_t from = out.len;
		cJSON *json;
		bs_ndjson_write(&out, &events[i]);
		assert_int_equal(bs_json_parse(out.data + from, out.len - from, &json, NULL), 0);
		assert_string_equal(cJSON_GetObjectItem(json, "type")->valuestring, bs_event_type(events[i].kind));
		cJSON_Delete(json);
		assert_ptr_equal(strchr(out.data + from, '\n'), out.data + out.len - 1);
	}
	const char *copy = getenv("BS_TEST_EVENTS"); /* for looking at them, and at the schema */
	FILE *file = copy ? fopen(copy, "w") : NULL;
	if (file) {
		fputs(out.data, file);
		fclose(file);
	}
	assert_int_equal(read_text(out.data, out.len, (struct bs_sink){&expected, expect_event}, &end, NULL), 0);
	assert_true(expected.at == KINDS && end.events == KINDS && end.lines == KINDS && end.ended && !end.truncated);
	bs_buf_release(&out);
}

static void what_is_not_there_comes_back_as_not_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct bs_event event = {.kind = (enum bs_event_kind)i};
		struct bs_buf out = BS_BUF_INIT;
		struct expected expected = {&event, 1, 0};
		struct bs_ndjson_end end;
		bs_ndjson_write(&out, &event);
		assert_int_equal(read_text(out.data, out.len, (struct bs_sink){&expected, expect_event}, &end, NULL), 0);
		assert_int_equal(end.events, 1);
		bs_buf_release(&out);
	}
}

static void the_names_that_others_rely_on_stay(void **state)
{
	struct bs_event event = {.kind = BS_EVENT_FINDING, .seq = 913, .at_ns = 1840023, .finding = all[12].finding};
	struct bs_buf out = BS_BUF_INIT;
	cJSON *json;

	(void)state;
	event.finding.step_count = 1;
	bs_ndjson_write(&out, &event);
	assert_non_null(strstr(out.data, "{\"v\":1,\"seq\":913,\"t_ns\":1840023,\"type\":\"finding\","
					 "\"fingerprint\":\"9f2c\""));
	static const char *const parts[] = {
		"\"reads\":{\"id\":9007199254740993,",
		"\"steps\":[{\"op\":\"create(amount=1)\",\"action\":\"create\",\"actor\":\"shop\",",
		"\"at\":{\"file\":\"m.yaml\",\"line\":16,\"column\":3}",
		"\"request\":{\"method\":\"POST\",\"url\":\"/orders\",",
		"\"headers\":{\"Set-Cookie\":[\"a=[redacted]\",\"\",\"b\"],\"X-A\":",
		"\"headers_list\":[[\"Set-Cookie\",\"a=[redacted]\"],[\"X-A\",",
		"\"response\":{\"status\":201,",
		"\"changes\":[{\"store\":\"db\",\"table\":\"orders\",\"row\":\"#1\",\"before\":null,\"after\":{\"id\":",
	};
	for (size_t i = 0; i < BS_COUNT(parts); i++)
		assert_non_null(strstr(out.data, parts[i]));
	assert_int_equal(bs_json_parse(out.data, out.len, &json, NULL), 0);
	static const char *const names[] = {"rule", "kind", "severity", "message", "verdict", "confirmed", "tries",
					    "baseline", "count", "original_length", "at", "replay"};
	for (size_t i = 0; i < BS_COUNT(names); i++)
		assert_non_null(cJSON_GetObjectItem(json, names[i]));
	cJSON_Delete(json);
	bs_buf_release(&out);
}

static void what_is_no_utf8_or_no_json_is_written_as_text(void **state)
{
	static const struct bs_ev_value broken[] = {{"a\xFF", "{\"a\":"}, {"b", " [1, 2 ,\n\"x y\"] "}, {"c", "[redacted x]1"},
						    {"d", ""}};
	struct bs_event event = {.kind = BS_EVENT_FINDING, .finding = {.rule = "\xC3", .reads = broken, .read_count = 4}};
	struct bs_buf out = BS_BUF_INIT;

	(void)state;
	bs_ndjson_write(&out, &event);
	assert_true(bs_utf8_valid(out.data, out.len));
	assert_non_null(strstr(out.data, "\"rule\":\"\xEF\xBF\xBD\""));
	assert_non_null(strstr(out.data, "\"reads\":{\"a\xEF\xBF\xBD\":\"{\\\"a\\\":\",\"b\":[1,2,\"x y\"],"
					 "\"c\":\"[redacted x]1\",\"d\":\"\"}"));
	bs_buf_release(&out);
}

static void a_file_is_read_as_far_as_it_goes(void **state)
{
	static const struct {
		const char *text;
		int r;
		size_t events, unknown;
		bool truncated, ended;
		const char *error;
	} cases[] = {
		{"", 0, 0, 0, false, false, NULL},
		{"\n \r\n", 0, 0, 0, false, false, NULL},
		{"{\"v\":1,\"type\":\"run.end\"}", 0, 1, 0, false, true, NULL},
		{"{\"v\":1,\"type\":\"step\",\"from\":1}\n{\"v\":1,\"ty", 0, 1, 0, true, false, NULL},
		{" { \"op\" : \"x\" , \"t_ns\":1, \"type\" : \"step\",\"v\" : 1 } \r\n", 0, 1, 0, false, false, NULL},
		{"{\"v\":1,\"type\":\"new.kind\",\"x\":[{}]}\n{\"v\":1,\"type\":\"warning\",\"new\":{\"a\":[]}}\n", 0, 1, 1, false,
		 false, NULL},
		{"{\"v\":1,\"type\":\"step\"}\n{\"v\":2,\"type\":\"step\"}\n", BS_EUSAGE, 1, 0, false, false,
		 "reading 'events.ndjson', line 2: events of version 2 need another version of backstep; this one reads 1"},
		{"{\"v\":2,\"type\":\"step\"}", BS_EUSAGE, 0, 0, false, false, "line 1: events of version 2"},
		{"{\"v\":1,\"ty\n{}", BS_EUSAGE, 0, 0, false, false, "line 1: no event: not an object of valid JSON"},
		{"[]\n", BS_EUSAGE, 0, 0, false, false, "line 1: no event"},
		{"\n{\"v\":1}\n", BS_EUSAGE, 0, 0, false, false, "line 2: no event: 'type' is missing"},
		{"{\"type\":\"step\"}\n", BS_EUSAGE, 0, 0, false, false, "'v' is missing"},
		{"{\"v\":1,\"type\":\"step\",\"from\":-1}\n", BS_EUSAGE, 0, 0, false, false, "'from' takes a whole number"},
		{"{\"v\":1,\"type\":\"step\",\"status\":1.5}\n", BS_EUSAGE, 0, 0, false, false, "'status' takes a"},
		{"{\"v\":1,\"type\":\"step\",\"to\":18446744073709551616}\n", BS_EUSAGE, 0, 0, false, false, "'to' takes"},
		{"{\"v\":1,\"type\":\"step\",\"op\":7}\n", BS_EUSAGE, 0, 0, false, false, "'op' takes a text"},
		{"{\"v\":1,\"type\":\"finding\",\"steps\":{}}\n", BS_EUSAGE, 0, 0, false, false, "'steps' takes an array"},
		{"{\"v\":1,\"type\":\"finding\",\"steps\":[1]}\n", BS_EUSAGE, 0, 0, false, false, "takes an object"},
		{"{\"v\":1,\"type\":\"finding\",\"steps\":null,\"at\":null,\"reads\":null,\"count\":null}\n", 0, 1, 0, false, false,
		 NULL},
		{"{\"v\":1,\"type\":\"step\",\"op\":\"\xFF\"}\n", BS_EUSAGE, 0, 0, false, false, "line 1"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_err err = BS_ERR_INIT;
		struct bs_ndjson_end end;
		size_t count = 0;
		int r = read_text(cases[i].text, strlen(cases[i].text), (struct bs_sink){&count, count_event}, &end, &err);
		assert_int_equal(r, cases[i].r);
		assert_true(count == cases[i].events && end.events == count && end.unknown == cases[i].unknown);
		assert_true(end.truncated == cases[i].truncated && end.ended == cases[i].ended);
		if (cases[i].error)
			assert_non_null(strstr(bs_err_text(&err), cases[i].error));
		bs_err_release(&err);
	}
}

static void escapes_of_other_writers_are_understood(void **state)
{
	static const char line[] = "{\"\\u0076\":0,\"v\":1,\"type\":\"warning\",\"c\\u006fde\":\"x\","
				   "\"message\":\"\\u00e9\\ud83d\\udca5\\ud83d\\u0000\\/\\u0041\"}\n";
	struct bs_event event = {.kind = BS_EVENT_WARNING,
				 .notice = {"x", "\xC3\xA9\xF0\x9F\x92\xA5\xEF\xBF\xBD\xEF\xBF\xBD/A", NULL, {NULL, 0, 0}}};
	struct expected expected = {&event, 1, 0};
	struct bs_ndjson_end end;

	(void)state;
	assert_int_equal(read_text(line, sizeof line - 1, (struct bs_sink){&expected, expect_event}, &end, NULL), 0);
	assert_int_equal(expected.at, 1);
}

static void a_line_without_end_is_refused(void **state)
{
	size_t len = BS_NDJSON_LINE_MAX + 100, count = 0;
	char *text = bs_xmalloc(len);
	struct bs_err err = BS_ERR_INIT;
	struct bs_ndjson_end end;

	(void)state;
	memset(text, ' ', len);
	text[0] = '\n';
	assert_int_equal(read_text(text, len, (struct bs_sink){&count, count_event}, &end, &err), BS_EUSAGE);
	assert_string_equal(bs_err_text(&err), "reading 'events.ndjson', line 2: longer than 64 MiB");
	bs_err_release(&err);
	free(text);
}

/* Whatever a file holds, reading it ends with events or an error. */
static void damaged_lines_do_no_harm(void **state)
{
	struct bs_event events[KINDS];
	struct bs_buf out = BS_BUF_INIT;
	uint32_t random = 1;
	size_t count = 0;

	(void)state;
	fill(events);
	for (size_t i = 0; i < KINDS; i++)
		bs_ndjson_write(&out, &events[i]);
	for (int i = 0; i < 3000; i++) {
		char *text = bs_xmemdup(out.data, out.len);
		struct bs_ndjson_end end;
		for (int k = 0; k < 3; k++) {
			random = random * 1664525 + 1013904223;
			text[random % out.len] = "\"\\{}[],:0-n\n\xC3"[(random >> 16) % 13];
		}
		read_text(text, out.len - random % 50, (struct bs_sink){&count, count_event}, &end, NULL);
		free(text);
	}
	assert_true(count > KINDS);
	bs_buf_release(&out);
}

/* --- Emitting ---------------------------------------------------------------------------------------------- */

struct last {
	uint64_t seq, at_ns;
	const char *operation;
	char *shown[3];
};

static void remember(void *ctx, const struct bs_event *event)
{
	struct last *last = ctx;

	assert_true(event->seq == last->seq + 1 && event->at_ns >= last->at_ns);
	last->seq = event->seq;
	last->at_ns = event->at_ns;
	last->operation = event->kind == BS_EVENT_STEP ? event->step.operation : NULL;
	if (event->kind == BS_EVENT_WARNING) {
		last->shown[0] = bs_xstrdup(event->notice.message);
		last->shown[1] = bs_xstrdup(event->notice.code);
	} else if (event->kind == BS_EVENT_FINDING) {
		last->shown[0] = bs_xstrdup(event->finding.steps[0].response.headers[0].value);
		last->shown[1] = bs_xstrdup(event->finding.reads[0].json);
		last->shown[2] = bs_xstrdup(event->finding.steps[0].log[0]);
	}
}

static void events_leave_numbered_clean_and_without_secrets(void **state)
{
	static const struct bs_ev_header cookie[] = {{"Set-Cookie", "sid=xyz; HttpOnly"}};
	static const struct bs_ev_value read[] = {{"card", "1234567890"}};
	static const char *const lines[] = {"saw 12345678 \xFF"};
	static const struct bs_ev_finding_step step = {.response = {.headers = cookie, .header_count = 1},
						       .log = lines, .log_count = 1};
	struct last last = {0};
	struct bs_emitter emitter;
	struct bs_redactor *redactor = bs_redactor_new();
	const char *operation = "pay(12345678)";
	const struct bs_event events[] = {
		{.kind = BS_EVENT_STEP, .seq = 99, .step = {.operation = operation}},
		{.kind = BS_EVENT_WARNING, .notice = {.code = "c12345678", .message = "has 12345678\xC0!"}},
		{.kind = BS_EVENT_FINDING, .finding = {.reads = read, .read_count = 1, .steps = &step, .step_count = 1}}};

	(void)state;
	bs_redactor_add(redactor, "12345678", "env.PIN");
	bs_emitter_init(&emitter, (struct bs_sink){&last, remember}, redactor);
	bs_emit(&emitter, &events[0]);
	assert_ptr_equal(last.operation, operation);
	bs_emit(&emitter, &events[1]);
	assert_string_equal(last.shown[0], "has [redacted env.PIN]\xEF\xBF\xBD!");
	assert_string_equal(last.shown[1], "c12345678");
	free(last.shown[0]), free(last.shown[1]);
	bs_emit(&emitter, &events[2]);
	assert_string_equal(last.shown[0], "sid=[redacted]; HttpOnly");
	assert_string_equal(last.shown[1], "\"[redacted env.PIN]90\"");
	assert_string_equal(last.shown[2], "saw [redacted env.PIN] \xEF\xBF\xBD");
	for (size_t i = 0; i < 3; i++)
		free(last.shown[i]);
	bs_redactor_free(redactor);
}

/* --- Redacting --------------------------------------------------------------------------------------------- */

static struct bs_redactor *secrets(void)
{
	struct bs_redactor *redactor = bs_redactor_new();

	bs_redactor_add(redactor, "s3cr&t/to+ken \"x\"", "env.TOKEN");
	bs_redactor_add(redactor, "swordfish", "env.A 'B'\\");
	bs_redactor_add(redactor, "swordfish and more", "env.LONG");
	bs_redactor_add(redactor, "h\xC3\xA9llo w\xC3\xB6rld", "env.WORDS");
	bs_redactor_add(redactor, " \n12345678abcdefgh\n", NULL);
	bs_redactor_add(redactor, "abc", "env.SHORT");
	bs_redactor_add(redactor, "-----BEGIN KEY-----\nAAAABBBBCCCC\n-----END KEY-----\n", "env.PEM");
	bs_redactor_add(redactor, NULL, "env.NONE");
	return redactor;
}

#define TOKEN "[redacted env.TOKEN]"

static void secrets_are_found_in_every_spelling(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"", ""},
		{"nothing here: abc, sword fish", "nothing here: abc, sword fish"},
		{"<s3cr&t/to+ken \"x\">", "<" TOKEN ">"},
		{"s3cr&t/to+ken \"x\"s3cr&t/to+ken \"x\"", TOKEN TOKEN},
		{"?t=s3cr%26t%2Fto%2Bken%20%22x%22&u", "?t=" TOKEN "&u"},
		{"?t=s3cr%26t%2fto%2bken+%22x%22&u", "?t=" TOKEN "&u"},
		{"?t=%733cr&t/to+ken%20\"x\"", "?t=" TOKEN},
		{"{\"t\":\"s3cr&t\\/to+ken \\\"x\\\"\"}", "{\"t\":\"" TOKEN "\"}"},
		{"\"s3cr\\u0026t/to\\u002Bken \\\"x\\\"\"", "\"" TOKEN "\""},
		{"<b>s3cr&amp;t/to+ken &quot;x&#34;</b>", "<b>" TOKEN "</b>"},
		{"s3cr&#x26;t&#47;to+ken &#34;x&#x22;", TOKEN},
		{"7333637226742f746f6b", "7333637226742f746f6b"},
		{"hex 73776f726466697368!", "hex [redacted env.A__B__]!"},
		{"HEX 73776F726466697368!", "HEX [redacted env.A__B__]!"},
		{"a swordfish!", "a [redacted env.A__B__]!"},
		{"a swordfish and more!", "a [redacted env.LONG]!"},
		{"h\\u00e9llo w\\u00f6rld", "[redacted env.WORDS]"},
		{"h&#233;llo w&#xF6;rld", "[redacted env.WORDS]"},
		{"h%C3%A9llo+w%c3%b6rld", "[redacted env.WORDS]"},
		{"x12345678abcdefghx", "x[redacted]x"},
		{"log: AAAABBBBCCCC", "log: [redacted env.PEM]"},
		{"12345678abcdswordfish", "12345678abcd[redacted env.A__B__]"},
		/* cut off by the end */
		{"body: 12345678abcd", "body: [redacted]"},
		{"body: 12345678", "body: [redacted]"},
		{"body: 1234567", "body: 1234567"},
		{"body: sword", "body: [redacted env.A__B__]"},
		{"body: h\xC3\xA9llo w\xEF\xBF\xBD", "body: [redacted env.WORDS]"},
		{"?s3cr%26t%2Fto%2", "?" TOKEN},
		/* passwords that nobody told us */
		{"postgres://bob:hunter2@db/x", "postgres://bob:[redacted]@db/x"},
		{"a://u:p@h b://u:q@h", "a://u:[redacted]@h b://u:[redacted]@h"},
		{"redis://:pw@h:6379", "redis://:[redacted]@h:6379"},
		{"x://swordfish:pw@h", "x://[redacted env.A__B__]:[redacted]@h"},
		{"x://u:swordfish@h", "x://u:[redacted env.A__B__]@h"},
		{"http://127.0.0.1:8000/a@b", "http://127.0.0.1:8000/a@b"},
		{"http://h/?q=a:b@c", "http://h/?q=a:b@c"},
	};
	struct bs_redactor *redactor = secrets();

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		BS_AUTOFREE char *once = bs_redact_text(redactor, cases[i].text);
		BS_AUTOFREE char *twice = bs_redact_text(redactor, once);
		assert_string_equal(once, cases[i].expected);
		assert_string_equal(twice, once);
	}
	assert_null(bs_redact_text(redactor, NULL));
	bs_redactor_free(redactor);
	bs_redactor_free(NULL);
}

static void secrets_that_overlap_go_whole(void **state)
{
	struct bs_redactor *redactor = bs_redactor_new();

	(void)state;
	bs_redactor_add(redactor, "abcd1234", "A");
	bs_redactor_add(redactor, "1234wxyz", "B");
	bs_redactor_add(redactor, "abcd1234", "C");
	BS_AUTOFREE char *text = bs_redact_text(redactor, "(abcd1234wxyz) abcd1234");
	assert_string_equal(text, "([redacted A]) [redacted A]");
	bs_redactor_free(redactor);
}

static char *base64(const char *text, const char *last_two)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct bs_buf out = BS_BUF_INIT;
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (i + k < len ? (unsigned char)text[i + k] : 0);
		for (size_t k = 0; k < 4; k++) {
			size_t d = bits >> (18 - 6 * k) & 63;
			bs_buf_addc(&out, i + k > len ? '=' : d < 62 ? alphabet[d] : last_two[d - 62]);
		}
	}
	return bs_buf_take(&out);
}

static void base64_hides_no_secret_wherever_it_stands(void **state)
{
	static const char secret[] = "\xC3\xBF\xC3\xBEk?ey~~7\xC3\xBB";
	struct bs_redactor *redactor = bs_redactor_new();

	(void)state;
	bs_redactor_add(redactor, secret, NULL);
	for (unsigned i = 0; i < 7 * 7 * 2; i++) {
		int before = (int)(i % 7), after = (int)(i / 7 % 7);
		const char *last_two = i < 49 ? "+/" : "-_";
		BS_AUTOFREE char *plain = bs_xasprintf("%.*s%s%.*s", before, "user:u", secret, after, "behind");
		BS_AUTOFREE char *front = bs_xasprintf("%.*s", before, "user:u");
		BS_AUTOFREE char *coded = base64(plain, last_two);
		BS_AUTOFREE char *front_coded = base64(front, last_two);
		BS_AUTOFREE char *redacted = bs_redact_text(redactor, coded);
		const char *marker = strstr(redacted, "[redacted]");
		assert_non_null(marker);
		/* What is left in front depends on what was in front only; behind, no more than the tail's own characters. */
		assert_memory_equal(redacted, front_coded, (size_t)(marker - redacted));
		assert_true((size_t)(marker - redacted) == (size_t)before * 8 / 6);
		assert_true(strlen(marker + strlen("[redacted]")) * 6 <= (size_t)after * 8 + 4 * 6);
	}
	bs_redactor_free(redactor);
}

static void credential_headers_keep_only_their_shape(void **state)
{
	static const struct {
		const char *name, *value, *expected;
	} cases[] = {
		{"Authorization", "Bearer unknown", "Bearer [redacted]"},
		{"authorization", "bearer swordfish", "bearer [redacted env.A__B__]"},
		{"Authorization", "Bearer [redacted env.TOKEN]", "Bearer [redacted env.TOKEN]"},
		{"Authorization", "Basic YW5uOnN3b3JkZmlzaA==", "Basic [redacted env.A__B__]"},
		{"Proxy-Authorization", "hunter 2", "[redacted]"},
		{"Authorization", "Bearer", "[redacted]"},
		{"Authorization", "[redacted x'y]", "[redacted]"},
		{"Authorization", "", ""},
		{"X-API-Key", "k", "[redacted]"},
		{"X-Auth-Token", "swordfish", "[redacted env.A__B__]"},
		{"Cookie", "sid=swordfish; theme=dark;x", "sid=[redacted env.A__B__]; theme=[redacted];[redacted]"},
		{"Set-Cookie", "sid=1; Path=/; HttpOnly; Expires=Wed, 21 Oct; odd=2",
		 "sid=[redacted]; Path=/; HttpOnly; Expires=Wed, 21 Oct; odd=[redacted]"},
		{"Content-Type", "text/plain", "text/plain"},
		{"Location", "/?t=swordfish", "/?t=[redacted env.A__B__]"},
	};
	struct bs_redactor *redactor = secrets();

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		BS_AUTOFREE char *once = bs_redact_header(redactor, cases[i].name, cases[i].value);
		BS_AUTOFREE char *twice = bs_redact_header(redactor, cases[i].name, once);
		assert_string_equal(once, cases[i].expected);
		assert_string_equal(twice, once);
	}
	BS_AUTOFREE char *none = bs_redact_header(NULL, "Authorization", "Bearer x");
	assert_string_equal(none, "Bearer [redacted]");
	bs_redactor_free(redactor);
}

static void credentials_are_learned_from_headers(void **state)
{
	static const struct {
		const char *name, *value; /* learned */
		const char *text, *expected;
	} cases[] = {
		{"Authorization", "Bearer opensesame", "an opensesame", "an [redacted Authorization]"},
		{"authorization", "Basic YW5uOm9wZW5zZXNhbWU=", "an opensesame, ann", "an [redacted authorization], ann"},
		{"Authorization", "Basic not base64!", "Basic", "Basic"},
		{"X-Api-Key", " opensesame ", "an opensesame", "an [redacted X-Api-Key]"},
		{"Cookie", "lang=english; sid=0123456789abcdef", "english 0123456789abcdef", "english [redacted Cookie]"},
		{"Set-Cookie", "sid=0123456789abcdef; Path=/a/long/enough/path", "0123456789abcdef /a/long/enough/path",
		 "[redacted Set-Cookie] /a/long/enough/path"},
		{"Cookie", "0123456789abcdef", "0123456789abcdef", "[redacted Cookie]"},
		{"Content-Type", "text/opensesame", "text/opensesame", "text/opensesame"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		struct bs_redactor *redactor = bs_redactor_new();
		bs_redactor_add_header(redactor, cases[i].name, cases[i].value);
		bs_redactor_add_header(redactor, cases[i].name, cases[i].value);
		bs_redactor_add_header(redactor, cases[i].name, NULL);
		BS_AUTOFREE char *text = bs_redact_text(redactor, cases[i].text);
		assert_string_equal(text, cases[i].expected);
		assert_true(bs_redactor_count(redactor) <= 2);
		bs_redactor_free(redactor);
	}
	assert_true(bs_redact_is_credential("x-API-key"));
	assert_false(bs_redact_is_credential("Accept"));
	assert_false(bs_redact_is_credential(NULL));
}

static void json_stays_json(void **state)
{
	static const struct {
		const char *json, *expected;
	} cases[] = {
		{"{\"a\": [1, \"x\\u0041\", null]}", "{\"a\": [1, \"x\\u0041\", null]}"},
		{"[12345678]", "[12345678]"},
		{"[99955501]", "[\"[redacted N]\"]"},
		{"{\"99955501\":-99955501.5}", "{\"[redacted N]\":\"-[redacted N].5\"}"},
		{"\"a\\nabcd\"", "\"a\\nabcd\""},
		{"\"\\\\nabcd\"", "\"\\\\[redacted M]\""},
		{"\"n\\u0061bcd\\n\"", "\"[redacted M]\\n\""},
		{"[99955501", "\"[[redacted N]\""},
		{"", "\"\""},
	};
	struct bs_redactor *redactor = bs_redactor_new();

	(void)state;
	bs_redactor_add(redactor, "99955501", "N");
	bs_redactor_add(redactor, "nabcd", "M");
	for (size_t i = 0; i < BS_COUNT(cases); i++) {
		BS_AUTOFREE char *json = bs_redact_json(redactor, cases[i].json);
		assert_string_equal(json, cases[i].expected);
	}
	assert_null(bs_redact_json(redactor, NULL));
	bs_redactor_free(redactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_comes_back_equal),
		cmocka_unit_test(what_is_not_there_comes_back_as_not_there),
		cmocka_unit_test(the_names_that_others_rely_on_stay),
		cmocka_unit_test(what_is_no_utf8_or_no_json_is_written_as_text),
		cmocka_unit_test(a_file_is_read_as_far_as_it_goes),
		cmocka_unit_test(escapes_of_other_writers_are_understood),
		cmocka_unit_test(a_line_without_end_is_refused),
		cmocka_unit_test(damaged_lines_do_no_harm),
		cmocka_unit_test(events_leave_numbered_clean_and_without_secrets),
		cmocka_unit_test(secrets_are_found_in_every_spelling),
		cmocka_unit_test(secrets_that_overlap_go_whole),
		cmocka_unit_test(base64_hides_no_secret_wherever_it_stands),
		cmocka_unit_test(credential_headers_keep_only_their_shape),
		cmocka_unit_test(credentials_are_learned_from_headers),
		cmocka_unit_test(json_stays_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
