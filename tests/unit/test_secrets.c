/*
 * What a run learns to be secret: credentials that the application hands out, not only those that the model names.
 * Whole runs on the in-process world, written as event lines, in which the secret must not stand.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "events/ndjson_write.h"
#include "fake/fake_world.h"

#include <backstep/run.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Beside the fake's orders: POST /login gives a token that no login gave before, POST /me tells the one it was sent. */
struct shop {
	struct fake_world fake;
	struct bs_world_options inner;
	unsigned logins;
	const char *level;
};

static void answer(struct bs_exchange *x, char *body)
{
	x->outcome = BS_OUTCOME_RESPONSE;
	x->status = 200;
	x->body = body;
	x->body_len = x->body_bytes = strlen(body);
}

static int shop_send(void *ctx, struct bs_exchange *x, struct bs_err *err)
{
	struct shop *shop = ctx;
	const char *sent = bs_headers_get(&x->request_headers, "Authorization");

	if (strstr(x->url, "/login")) {
		bs_headers_add(&x->headers, "Set-Cookie", "sid=cookie-0123456789abcdef; Path=/", 35);
		answer(x, bs_xasprintf("{\"token\":\"tok-%u-xyzzy\",\"sid\":\"cookie-0123456789abcdef\",\"level\":\"%s\"}",
				       ++shop->logins, shop->level));
		return 0;
	}
	if (strstr(x->url, "/me")) {
		answer(x, bs_xasprintf("{\"you\":\"%s\",\"level\":\"%s\"}", sent ? sent : "nobody", shop->level));
		return 0;
	}
	return shop->inner.send(shop->inner.send_ctx, x, err);
}

static void write_line(void *ctx, const struct bs_event *event)
{
	bs_ndjson_write(ctx, event);
}

#define MODEL(more)                                                                                                 \
	"version: 1\n"                                                                                              \
	"name: fake\n"                                                                                              \
	"app: {command: [nothing]}\n"                                                                               \
	"actions:\n"                                                                                                \
	"  login: {request: POST /login, capture: {token: body.token, level: body.level}}\n"                        \
	"  me: {request: POST /me, headers: {Authorization: 'Bearer ${token}', X-Level: '${level}',\n"              \
	"    X-Log: '${env.BS_TEST_LEVEL}'}}\n"                                                                     \
	"  create: {request: POST /orders, json: {amount: 7}, headers: {X-Api-Key: literal-key}}\n"                 \
	"invariants:\n"                                                                                             \
	"  no_login: {severity: low, holds: \"action ~= 'login'\", message: 'got ${body.token}'}\n"                 \
	"  no_me: {severity: low, holds: \"action ~= 'me' or body.you == ''\", message: 'the key is literal-key'}\n" \
	"explore: {max_depth: 3, max_steps: 40}\n" more

/* Everything that a run with that model tells. The caller's to release. */
static struct bs_buf told_by(const char *yaml, const char *level)
{
	struct shop shop = {.level = level};
	struct bs_run_result result;
	struct bs_buf out = BS_BUF_INIT;

	fake_init(&shop.fake);
	shop.inner = fake_options(&shop.fake);
	struct bs_world_options world = shop.inner;
	world.send = shop_send;
	world.send_ctx = &shop;
	struct bs_model *model = fake_model(yaml);
	struct bs_run_options options = {.sink = {&out, write_line}, .world = &world};
	assert_int_equal(bs_run(model, &options, &result, NULL), 0);
	assert_true(result.findings >= 2);
	bs_model_free(model);
	fake_release(&shop.fake);
	return out;
}

static void assert_hidden(const struct bs_buf *told, const char *secret, const char *marker)
{
	const char *at = strstr(bs_buf_text(told), secret);

	if (at)
		fail_msg("'%s' was told: %.80s", secret, at - 40 < told->data ? told->data : at - 40);
	assert_non_null(strstr(bs_buf_text(told), marker));
}

static void a_token_that_an_answer_hands_out_is_told_nowhere(void **state)
{
	(void)state;
	struct bs_buf told = told_by(MODEL(""), "gold-level");

	assert_hidden(&told, "xyzzy", "got [redacted token]");
	assert_non_null(strstr(bs_buf_text(&told), "Authorization: Bearer '\\\"$token\\\"'")); /* the curl line */
	bs_buf_release(&told);
}

static void a_cookie_that_an_answer_sets_is_told_nowhere_else(void **state)
{
	(void)state;
	struct bs_buf told = told_by(MODEL(""), "gold-level");

	assert_hidden(&told, "cookie-0123456789abcdef", "[redacted Set-Cookie]");
	bs_buf_release(&told);
}

static void a_key_that_the_model_writes_into_a_header_is_told_nowhere(void **state)
{
	(void)state;
	struct bs_buf told = told_by(MODEL(""), "gold-level");

	assert_hidden(&told, "literal-key", "the key is [redacted X-Api-Key]");
	bs_buf_release(&told);
}

static void a_variable_is_hidden_when_it_is_listed_and_told_when_it_is_not(void **state)
{
	(void)state;
	struct bs_buf hidden = told_by(MODEL("redact: [level]\n"), "gold-level"), told = told_by(MODEL(""), "gold-level");

	assert_hidden(&hidden, "gold-level", "[redacted level]");
	assert_non_null(strstr(bs_buf_text(&told), "gold-level"));
	bs_buf_release(&hidden);
	bs_buf_release(&told);
}

static void what_the_model_calls_not_secret_is_told(void **state)
{
	(void)state;
	struct bs_buf hidden = told_by(MODEL(""), "gold-level"), told = told_by(MODEL("not_secret: [env.BS_TEST_LEVEL, token]\n"), "gold-level");

	assert_hidden(&hidden, "verbose", "[redacted env.BS_TEST_LEVEL]");
	assert_non_null(strstr(bs_buf_text(&told), "verbose"));
	assert_non_null(strstr(bs_buf_text(&told), "got tok-"));
	bs_buf_release(&hidden);
	bs_buf_release(&told);
}

static void an_api_cannot_choose_what_the_readers_shell_fills_in(void **state)
{
	(void)state;
	struct bs_buf told = told_by(MODEL(""), "[redacted env.HOME]");

	assert_non_null(strstr(bs_buf_text(&told), "'X-Level: [redacted env.HOME]'"));
	assert_null(strstr(bs_buf_text(&told), "$HOME"));
	bs_buf_release(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_that_an_answer_hands_out_is_told_nowhere),
		cmocka_unit_test(a_cookie_that_an_answer_sets_is_told_nowhere_else),
		cmocka_unit_test(a_key_that_the_model_writes_into_a_header_is_told_nowhere),
		cmocka_unit_test(a_variable_is_hidden_when_it_is_listed_and_told_when_it_is_not),
		cmocka_unit_test(an_api_cannot_choose_what_the_readers_shell_fills_in),
		cmocka_unit_test(what_the_model_calls_not_secret_is_told),
	};

	setenv("BS_TEST_LEVEL", "verbose", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
