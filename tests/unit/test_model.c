/*
 * The loader: what a legal model becomes, and where each mistake is shown. The fixtures stand in models/; what
 * needs a few lines only is written to a temporary file here.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

struct loaded {
	struct bs_model *model;
	struct bs_problems problems;
	struct bs_err err;
	int code;
};

static struct loaded load_path(const char *path)
{
	struct loaded loaded = {.err = BS_ERR_INIT};

	loaded.code = bs_model_load(path, &loaded.model, &loaded.problems, &loaded.err);
	return loaded;
}

static void release(struct loaded *loaded)
{
	bs_model_free(loaded->model);
	bs_problems_release(&loaded->problems);
	bs_err_release(&loaded->err);
}

static struct loaded load_bytes(const char *data, size_t len)
{
	char path[] = "/tmp/backstep-model-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, data + done, len - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	close(fd);
	struct loaded loaded = load_path(path);
	unlink(path);
	for (size_t i = 0; i < loaded.problems.count; i++)
		loaded.problems.items[i].at.file = NULL; /* was ours */
	return loaded;
}

#define BASICS "version: 1\napp: {base_url: http://localhost:8000}\n"
#define ACTIONS "actions:\n  make: {request: POST /things, capture: {thing: body.id}}\n"
#define RULES "invariants:\n  fine: {holds: status < 500}\n"

/* The text stands behind four lines. */
static struct loaded load_with(const char *more)
{
	BS_AUTOFREE char *text = bs_xasprintf(BASICS ACTIONS "%s", more);

	return load_bytes(text, strlen(text));
}

static void expect_clean(const struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->problems.count; i++)
		print_error("%u:%u: %s\n", loaded->problems.items[i].at.line, loaded->problems.items[i].at.column,
			    loaded->problems.items[i].message);
	assert_int_equal(loaded->problems.count, 0);
	assert_int_equal(loaded->code, BS_OK);
	assert_non_null(loaded->model);
}

static void expect_problem(const struct bs_problem *problem, uint32_t line, uint32_t column, const char *part)
{
	if (problem->at.line != line || problem->at.column != column || !strstr(problem->message, part))
		fail_msg("expected %u:%u: ...%s...; got %u:%u: %s", line, column, part, problem->at.line,
			 problem->at.column, problem->message);
}

static void expect_only(const struct loaded *loaded, uint32_t line, uint32_t column, const char *part)
{
	for (size_t i = 0; loaded->problems.count != 1 && i < loaded->problems.count; i++)
		print_error("%u:%u: %s\n", loaded->problems.items[i].at.line, loaded->problems.items[i].at.column,
			    loaded->problems.items[i].message);
	assert_int_equal(loaded->problems.count, 1);
	expect_problem(&loaded->problems.items[0], line, column, part);
}

static const struct bs_action *action(const struct bs_model *model, const char *name)
{
	for (size_t i = 0; i < model->action_count; i++)
		if (strcmp(model->actions[i].name, name) == 0)
			return &model->actions[i];
	fail_msg("no action %s", name);
	return NULL;
}

static const struct bs_invariant *invariant(const struct bs_model *model, const char *name)
{
	for (size_t i = 0; i < model->invariant_count; i++)
		if (strcmp(model->invariants[i].name, name) == 0)
			return &model->invariants[i];
	fail_msg("no invariant %s", name);
	return NULL;
}

static const struct bs_json_template *member(const struct bs_json_template *object, const char *key)
{
	assert_int_equal(object->kind, BS_JT_OBJECT);
	for (size_t i = 0; i < object->count; i++)
		if (strcmp(object->keys[i], key) == 0)
			return &object->items[i];
	fail_msg("no key %s", key);
	return NULL;
}

static void expect_segment(const struct bs_template *template, size_t index, bool placeholder, const char *text)
{
	assert_true(index < template->count);
	assert_int_equal(template->segments[index].placeholder, placeholder);
	assert_int_equal(template->segments[index].len, strlen(text));
	assert_memory_equal(template->segments[index].text, text, strlen(text));
}

/* --- Legal models ---------------------------------------------------------------------------------- */

static void the_shipped_models_load_without_problems(void **state)
{
	static const char *const paths[] = {SOURCE_DIR "/templates/payments.yaml",
					    SOURCE_DIR "/tests/e2e/models/counters.yaml",
					    SOURCE_DIR "/tests/e2e/models/notes.yaml"};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(paths); i++) {
		struct loaded loaded = load_path(paths[i]);
		expect_clean(&loaded);
		release(&loaded);
	}
}

static struct loaded load_full(void)
{
	struct loaded loaded = load_path(SOURCE_DIR "/tests/unit/models/full.yaml");

	expect_clean(&loaded);
	return loaded;
}

static void the_application_is_read(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_app_config *app = &loaded.model->app;

	(void)state;
	assert_int_equal(app->command_count, 5);
	expect_segment(&app->command[2], 0, true, "port");
	assert_true(app->command[2].whole);
	assert_null(app->base_url);
	assert_int_equal(app->env.count, 3);
	expect_segment(&app->env.items[2].value, 0, false, "3");
	assert_int_equal(app->ready_timeout_ms, 1500);
	assert_string_equal(app->ready->method, "GET");
	assert_string_equal(app->reset->method, "POST");
	assert_int_equal(app->reset->expect.ranges[0].low, 204);
	assert_string_equal(loaded.model->stores[0].masked_columns[0], "orders.updated_at");
	assert_string_equal(loaded.model->actors[0], "shop");
	release(&loaded);
}

static void settings_are_read(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_explore_config *explore = &loaded.model->explore;

	(void)state;
	assert_string_equal(loaded.model->name, "payments");
	assert_int_equal(strlen(loaded.model->sha256), 64);
	assert_string_equal(strrchr(loaded.model->folder, '/'), "/models");
	assert_int_equal(explore->strategy, BS_DFS);
	assert_int_equal(explore->max_steps, 2000);
	assert_int_equal(explore->time_ms, 300000);
	assert_true(explore->seed == UINT64_MAX);
	assert_int_equal(explore->remember, 2);
	assert_int_equal(explore->confirm, 4);
	assert_int_equal(explore->timeout_ms, 2500);
	assert_true(loaded.model->gate_never);
	assert_string_equal(loaded.model->redact[0], "customers.email");
	release(&loaded);
}

static void what_is_not_said_has_its_default(void **state)
{
	struct loaded loaded = load_with(RULES);
	const struct bs_explore_config *explore = &loaded.model->explore;

	(void)state;
	expect_clean(&loaded);
	assert_int_equal(explore->strategy, BS_BFS);
	assert_int_equal(explore->max_steps, 0);
	assert_int_equal(explore->max_depth, 10);
	assert_int_equal(explore->time_ms, 60000);
	assert_int_equal(explore->seed, 1);
	assert_int_equal(explore->remember, 1);
	assert_int_equal(explore->confirm, 3);
	assert_int_equal(explore->timeout_ms, 10000);
	assert_int_equal(loaded.model->app.ready_timeout_ms, 30000);
	assert_false(loaded.model->gate_never);
	assert_int_equal(loaded.model->gate_severity, BS_CRITICAL);
	assert_int_equal(loaded.model->actor_count, 1);
	assert_string_equal(loaded.model->actors[0], "default");
	assert_int_equal(invariant(loaded.model, "fine")->severity, BS_HIGH);
	release(&loaded);
}

static void numbers_in_json_keep_every_digit(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_json_template *json = action(loaded.model, "create_order")->request.json;
	const struct bs_json_template *flags = member(json, "flags");

	(void)state;
	assert_string_equal(bs_json_token(member(json, "big")->literal), "9007199254740993");
	assert_string_equal(bs_json_token(member(json, "price")->literal), "1.10");
	assert_int_equal(member(json, "quoted")->kind, BS_JT_TEXT);
	assert_true(cJSON_IsTrue(flags->items[0].literal));
	assert_true(cJSON_IsNull(flags->items[1].literal));
	assert_true(cJSON_IsNull(flags->items[2].literal));
	assert_string_equal(bs_json_token(flags->items[3].literal), "-0.5e+3");
	release(&loaded);
}

static void placeholders_are_told_from_text(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_json_template *json = action(loaded.model, "create_order")->request.json;
	const struct bs_template *note = &member(json, "note")->text;
	const struct bs_template *path = &action(loaded.model, "refund_order")->request.path;

	(void)state;
	assert_true(member(json, "amount")->text.whole);
	assert_int_equal(note->count, 4);
	assert_false(note->whole);
	expect_segment(note, 0, false, "order of ");
	expect_segment(note, 1, true, "customer.name");
	expect_segment(note, 3, true, "currency");
	expect_segment(path, 0, false, "/orders/");
	expect_segment(path, 1, true, "order_id");
	expect_segment(path, 2, false, "/refund");
	release(&loaded);
}

static void variants_become_operations_in_order(void **state)
{
	static const char *const labels[] = {
		"create_order(amount=100, currency=eur)",  "create_order(amount=100, currency=\"12\")",
		"create_order(amount=100, currency=1.10)", "create_order(amount=1, currency=eur)",
		"create_order(amount=1, currency=\"12\")", "create_order(amount=1, currency=1.10)",
		"refund_order",	"pay_order", "comment_order", "delete_order"};
	struct loaded loaded = load_full();

	(void)state;
	assert_int_equal(loaded.model->operation_count, BS_COUNT(labels));
	for (size_t i = 0; i < BS_COUNT(labels); i++)
		assert_string_equal(loaded.model->operations[i].label, labels[i]);
	assert_string_equal(loaded.model->operations[4].values[1]->valuestring, "12");
	release(&loaded);
}

static void operations_need_the_variables_of_their_requests(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_operation *create = &loaded.model->operations[0], *pay = &loaded.model->operations[7];

	(void)state;
	assert_int_equal(create->need_count, 1);
	assert_string_equal(create->needs[0], "customer");
	assert_int_equal(pay->need_count, 2);
	assert_string_equal(pay->needs[0], "order_id");
	assert_string_equal(pay->needs[1], "customer");
	assert_string_equal(loaded.model->vars[pay->need_vars[0]].name, "order_id");
	assert_string_equal(loaded.model->vars[pay->need_vars[1]].name, "customer");
	release(&loaded);
}

static void expectations_are_statuses_or_an_expression(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_expect *list = &action(loaded.model, "refund_order")->request.expect;
	const struct bs_expect *expr = &action(loaded.model, "pay_order")->request.expect;

	(void)state;
	assert_int_equal(list->count, 2);
	assert_int_equal(list->ranges[0].low, 200);
	assert_int_equal(list->ranges[0].high, 299);
	assert_int_equal(list->ranges[1].low, 409);
	assert_int_equal(list->ranges[1].high, 409);
	assert_string_equal(list->text, "2xx, 409");
	assert_int_equal(expr->count, 0);
	assert_non_null(expr->expr);
	assert_int_equal(action(loaded.model, "delete_order")->request.expect.count, 0);
	assert_null(action(loaded.model, "delete_order")->request.expect.expr);
	release(&loaded);
}

static void captures_declare_what_forget_clears(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_request *create = &action(loaded.model, "create_order")->request;
	const struct bs_request *refund = &action(loaded.model, "refund_order")->request;

	(void)state;
	assert_int_equal(loaded.model->var_count, 3);
	assert_int_equal(create->forget_count, 1);
	assert_int_equal(create->forget[0], refund->captures[0].var);
	assert_string_equal(bs_expr_text(refund->captures[0].expr), "true");
	assert_int_equal(create->timeout_ms, 2000);
	release(&loaded);
}

static void rules_speak_of_the_step_or_of_the_state(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_invariant *totals = invariant(loaded.model, "listed_totals_agree");
	const struct bs_invariant *query = invariant(loaded.model, "refunds_within_total");

	(void)state;
	assert_int_equal(invariant(loaded.model, "no_server_error")->kind, BS_RULE_STEP);
	assert_int_equal(invariant(loaded.model, "refunded_orders_stay")->kind, BS_RULE_STEP);
	assert_int_equal(invariant(loaded.model, "listed_after_create")->kind, BS_RULE_STEP);
	assert_int_equal(totals->kind, BS_RULE_STATE);
	assert_int_equal(query->kind, BS_RULE_STATE);
	assert_true(totals->every_state);
	assert_string_equal(totals->each_name, "o");
	assert_int_equal(totals->observation_count, 2);
	assert_int_equal(query->sql_store, 0);
	assert_string_equal(query->sql_query,
			    "SELECT id, amount, refunded FROM orders WHERE refunded > amount");
	release(&loaded);
}

static void places_are_those_of_the_declarations(void **state)
{
	struct loaded loaded = load_full();
	const struct bs_action *create = action(loaded.model, "create_order");

	(void)state;
	assert_int_equal(create->at.line, 22);
	assert_int_equal(create->at.column, 3);
	assert_string_equal(create->at.file, loaded.model->path);
	assert_int_equal(create->request.expect.at.line, 37);
	assert_int_equal(create->request.expect.at.column, 13);
	release(&loaded);
}

static void a_model_may_be_json(void **state)
{
	static const char text[] = "{\"version\": 1, \"app\": {\"base_url\": \"http://[::1]:80/api/\"},\n"
				   "\"actions\": {\"list\": {\"request\": \"GET /\", \"json\": [\"\\u00e9\", 10]}},\n"
				   "\"invariants\": {\"fine\": {\"holds\": \"status < 500\"}}}\n";
	struct loaded loaded = load_bytes(text, strlen(text));

	(void)state;
	expect_clean(&loaded);
	assert_string_equal(loaded.model->app.base_url, "http://[::1]:80/api");
	expect_segment(&loaded.model->actions[0].request.json->items[0].text, 0, false, "\xC3\xA9");
	release(&loaded);
}

static void aliases_stand_for_what_they_name(void **state)
{
	struct loaded loaded = load_with("  list: {request: GET /things, headers: &h {Accept: text/plain}}\n"
					 "  get: {request: \"GET /things/${thing}\", headers: *h}\n" RULES);

	(void)state;
	expect_clean(&loaded);
	assert_string_equal(action(loaded.model, "get")->request.headers.items[0].name, "Accept");
	release(&loaded);
}

static void durations_have_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms; /* UINT64_MAX: refused */
	} table[] = {{"30s", 30000},	{"500ms", 500},	 {"5m", 300000},     {"1h", 3600000}, {"7", 7000},
		     {"1.5s", 1500},	{"0", 0},	 {"\"2s\"", 2000},   {"1000h", 3600000000u},
		     {"-1s", UINT64_MAX}, {"5 m", UINT64_MAX}, {"1d", UINT64_MAX}, {"1001h", UINT64_MAX},
		     {"", UINT64_MAX},	{"0x10", UINT64_MAX}, {"[1]", UINT64_MAX}};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *text = bs_xasprintf(RULES "explore:\n  time: %s\n", table[i].text);
		struct loaded loaded = load_with(text);
		if (table[i].ms == UINT64_MAX) {
			expect_only(&loaded, 8, table[i].text[0] ? 9 : 3, "explore.time");
		} else {
			expect_clean(&loaded);
			assert_true(loaded.model->explore.time_ms == table[i].ms);
		}
		release(&loaded);
	}
}

/* --- Mistakes -------------------------------------------------------------------------------------- */

static void all_mistakes_are_reported_at_once_with_their_place(void **state)
{
	static const struct {
		uint32_t line, column;
		const char *part;
	} table[] = {
		{1, 10, "version must be 1; got '2'"},
		{5, 31, "unknown name 'prot'; did you mean 'port'?"},
		{6, 10, "unknown method 'GTE'; did you mean 'GET'?"},
		{7, 18, "a duration such as"},
		{11, 19, "driver 'redis' is not supported yet"},
		{12, 3, "not told of store 'other': it would write to the original; use ${stores.other.path}"},
		{17, 26, "JSON has no number '0x1F'"},
		{18, 23, "unknown name 'amuont'; did you mean 'amount'?"},
		{19, 5, "unknown key 'expct' in action 'create_order'; did you mean 'expect'?"},
		{22, 19, "the path must begin with '/'"},
		{24, 26, "placeholders take names, not expressions"},
		{27, 11, "unknown name 'ordr_id'; did you mean 'order_id'?"},
		{28, 14, "unknown name 'orderid' in 'forget'; did you mean 'order_id'?"},
		{29, 13, "between 100 and 599"},
		{30, 3, "duplicate key 'get_order': it stands at line 23 already"},
		{35, 15, "severity must be one of critical, high, medium, low; got 'urgent'"},
		{36, 25, "and"},
		{37, 3, "invariant 'nothing' has no rule"},
		{40, 21, "observe only sends safe methods"},
		{43, 9, "unknown action 'refund_orders' in 'reach'; did you mean 'refund_order'?"},
	};
	const char *path = SOURCE_DIR "/tests/unit/models/mistakes.yaml";
	struct loaded loaded = load_path(path);

	(void)state;
	assert_int_equal(loaded.code, BS_EMODEL);
	assert_null(loaded.model);
	for (size_t i = 0; i < BS_COUNT(table) && i < loaded.problems.count; i++)
		expect_problem(&loaded.problems.items[i], table[i].line, table[i].column, table[i].part);
	assert_int_equal(loaded.problems.count, BS_COUNT(table));
	assert_int_equal(loaded.problems.errors, BS_COUNT(table));
	assert_string_equal(loaded.problems.items[0].at.file, path);
	assert_non_null(strstr(bs_err_text(&loaded.err), "20 problems"));
	release(&loaded);
}

static void each_mistake_is_explained_where_it_stands(void **state)
{
	static const struct {
		const char *more; /* behind four lines */
		uint32_t line, column;
		const char *part;
	} table[] = {
		{RULES "explore: {race: auto}", 7, 17, "explore.race is not supported yet"},
		{RULES "explore: {max_depth: 0}", 7, 22, "from 1 to"},
		{RULES "explore: {seed: -1}", 7, 17, "whole number from 0; got '-1'"},
		{RULES "script: rules.lua", 7, 1, "'script' is not supported yet"},
		{RULES "actors: {a: {}, b: {}}", 7, 17, "more than one actor is not supported yet"},
		{RULES "actors: {a: {bearer: x}}", 7, 14, "'bearer' of an actor is not supported yet"},
		{RULES "stores: {db: {driver: sqlite, path: a.db}}", 7, 10, "an application that Backstep starts"},
		{RULES "gate: {fail_on: hihg}", 7, 17, "did you mean 'high'?"},
		{RULES "redact: [email]", 7, 10, "takes table.column and captured variables; got 'email'"},
		{"  b: {request: GET /, capture: {token: body.t}}\n" RULES "redact: [tokn]", 8, 10, "did you mean 'token'?"},
		{"  b: {request: GET /, capture: {token: body.t}}\n" RULES "redact: [token]\nnot_secret: [token]", 9, 14,
		 "under redact and under not_secret"},
		{RULES "not_secret: [env.HOME]", 7, 14, "no ${env.HOME} is in this model"},
		{RULES "not_secret: [HOME]", 7, 14, "takes env.NAME and captured variables; got 'HOME'"},
		{RULES "setup: [{request: GET /, advance: 3d}]", 7, 26, "unknown key 'advance'"},
		{RULES "inavriants: {}", 7, 1, "did you mean 'invariants'?"},
		{"  a: {advance: 31d}\n" RULES, 5, 7, "'advance' is not supported yet"},
		{"  a: {request: GET /, as: ann}\n" RULES, 5, 27, "more than one actor"},
		{"  a: {request: GET /, capture: {status: body}}\n" RULES, 5, 33, "'status' means something else"},
		{"  a: {request: GET /, capture: {end: body}}\n" RULES, 5, 33, "'end' means something else"},
		{"  a: {request: GET /, capture: {x: {expr: body, secret: true}}}\n" RULES, 5, 36, "list the name under 'redact'"},
		{"  a: {request: GET /, json: 1, text: b}\n" RULES, 5, 32, "one body"},
		{"  a: {request: GET /, json: {n: .inf}}\n" RULES, 5, 33, "JSON has no number '.inf'"},
		{"  a: {request: GET /, with: {n: []}}\n" RULES, 5, 33, "has no values"},
		{"  a: {request: GET /, with: {n: [1, 1]}}\n" RULES, 5, 37, "twice"},
		{"  a: {request: GET /, with: {thing: [1]}}\n" RULES, 5, 3, "the name of a captured variable"},
		{"  a: {request: GET /, headers: {\"a b\": c}}\n" RULES, 5, 33, "no header name"},
		{"  a: {request: GET /, expect: [200, ok]}\n" RULES, 5, 37, "statuses only"},
		{"  a: {request: GET /, timeout: 0}\n" RULES, 5, 32, "more than 0"},
		{"  a: {request: \"GET /${\"}\n" RULES, 5, 22, "no closing '}'"},
		{"  a: {request: \"GET /${}\"}\n" RULES, 5, 22, "names nothing"},
		{"  a: {request: \"GET /${env.BACKSTEP_TEST_UNSET}\"}\n" RULES, 5, 24,
		 "environment variable 'BACKSTEP_TEST_UNSET' is not set"},
		{"  a: {request: \"GET /${stores.db.path}\"}\n" RULES, 5, 24, "unknown store 'db'"},
		{"  a: {request: \"GET /${thign}\"}\n" RULES, 5, 24, "did you mean 'thing'?"},
		{"  a: {request: GET /a b}\n" RULES, 5, 22, "no spaces"},
		{"  a: {request: /things}\n" RULES, 5, 16, "must be METHOD /path, such as 'GET /things'"},
		{"  a: {title: x}\n" RULES, 5, 6, "has no request"},
		{"  a: {request: GET /, when: status == 200}\n" RULES, 5, 29, "no request was sent yet"},
		{"  a: {request: GET /, expect: body.ok and stauts}\n" RULES, 5, 43, "did you mean 'status'?"},
		{"  a: {request: GET /, when: has(a, b)}\n" RULES, 5, 36, "a comma ends a value"},
		{"  a b: GET /\n" RULES, 5, 3, "the name of an action"},
		{"setup: [{request: GET /, json: \"${unique}\"}]\n" RULES, 5, 35, "requests of actions only"},
		{"invariants: {r: {holds: status, sql: {store: a, query: b}}}", 5, 18, "one or the other"},
		{"invariants:\n  r: {holds: status, message: \"${sttus}\"}", 6, 34, "did you mean 'status'?"},
		{"invariants:\n  r: {observe: {l: GET /}, for: {a: l.body, b: l.body}, holds: l}", 6, 33, "takes one name"},
		{"invariants:\n  r: {observe: {l: GET /}, for: {l: l.body}, holds: l}", 6, 3, "both have the name 'l'"},
		{"invariants:\n  r: {observe: {l: {request: GET /, capture: {x: body}}}, holds: l}", 6, 37, "has no place"},
		{"invariants:\n  r: {holds: [a]}", 6, 14, "must be an expression; got a list"},
		{"invariants:\n  r: {holds: status, every: moment}", 6, 29, "one of step, state"},
	};
	size_t missed = 0;

	(void)state;
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct loaded loaded = load_with(table[i].more);
		size_t hit = 0;
		for (size_t k = 0; k < loaded.problems.count; k++) {
			const struct bs_problem *p = &loaded.problems.items[k];
			hit += p->at.line == table[i].line && p->at.column == table[i].column &&
			       strstr(p->message, table[i].part) != NULL;
		}
		for (size_t k = 0; hit != 1 && k < loaded.problems.count; k++)
			print_error("%u:%u: %s\n", loaded.problems.items[k].at.line,
				    loaded.problems.items[k].at.column, loaded.problems.items[k].message);
		if (hit != 1)
			print_error("^ expected %u:%u: ...%s...\n", table[i].line, table[i].column, table[i].part);
		missed += hit != 1;
		release(&loaded);
	}
	assert_int_equal(missed, 0);
}

static void only_loopback_hosts_are_sent_to(void **state)
{
	static const struct {
		const char *url;
		const char *part; /* NULL: fine */
	} table[] = {
		{"http://127.0.0.1:8000", NULL},
		{"http://127.9.9.9", NULL},
		{"http://LOCALHOST:1/x", NULL},
		{"\"http://[::1]:80\"", NULL},
		{"http://10.0.0.1", "'10.0.0.1': not a loopback host"},
		{"http://localhost.example.com", "not a loopback host"},
		{"http://127.0.0.1.example", "not a loopback host"},
		{"http://127.0.0.1@example.com", "must be http://HOST"},
		{"\"http://example.com#@localhost\"", "must be http://HOST"},
		{"ftp://localhost", "must be http://HOST"},
		{"http://localhost:99999", "must be http://HOST"},
		{"http://", "must be http://HOST"},
		{"\"http://[::1\"", "must be http://HOST"},
		{"localhost:80", "must be http://HOST"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *text =
			bs_xasprintf("version: 1\napp:\n  base_url: %s\n" ACTIONS RULES, table[i].url);
		struct loaded loaded = load_bytes(text, strlen(text));
		if (!table[i].part)
			expect_clean(&loaded);
		else
			expect_only(&loaded, 3, 13, table[i].part);
		release(&loaded);
	}
}

static void a_model_without_rules_is_only_warned_of(void **state)
{
	struct loaded loaded = load_with("");

	(void)state;
	assert_int_equal(loaded.code, BS_OK);
	assert_int_equal(loaded.problems.count, 1);
	assert_int_equal(loaded.problems.errors, 0);
	assert_true(loaded.problems.items[0].warning);
	release(&loaded);
}

static void an_expression_cut_by_a_comment_is_explained(void **state)
{
	struct loaded loaded = load_with("invariants:\n  r:\n    holds: status < #500\n");

	(void)state;
	assert_int_equal(loaded.problems.errors, 1);
	assert_int_equal(loaded.problems.count, 2);
	size_t warning = loaded.problems.items[0].warning ? 0 : 1;
	expect_problem(&loaded.problems.items[warning], 7, 12, "'#' for a comment; quote the value");
	release(&loaded);
}

static void broken_yaml_is_one_problem_with_its_place(void **state)
{
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *part;
	} table[] = {
		{"version: 1\nname: [a\n", 3, 1, "not YAML"},
		{"a: 1\nb: {x: {y: ${z}}}\n", 2, 13, "must be quoted"},
		{"a:\n\tb: 1\n", 2, 1, "no tabs"},
		{"a: \xC3\xA9: b\n", 1, 6, "not YAML"},
		{"a: 1\nb: *c\n", 2, 4, "unknown alias '*c'"},
		{"a: 1\n---\nb: 1\n", 2, 1, "one YAML document"},
		{"a: 1\nb: \xFF\n", 2, 4, "not UTF-8"},
		{"", 1, 1, "the model is empty"},
		{"# nothing\n", 1, 1, "the model is empty"},
		{"- a\n", 1, 1, "a model is a mapping"},
		{"? [a]\n: b\n", 1, 3, "a key must be a plain name"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		struct loaded loaded = load_bytes(table[i].text, strlen(table[i].text));
		assert_int_equal(loaded.code, BS_EMODEL);
		expect_only(&loaded, table[i].line, table[i].column, table[i].part);
		release(&loaded);
	}
}

static void a_nul_byte_does_not_end_a_model_in_silence(void **state)
{
	struct loaded loaded = load_bytes("a: b\0c", 6);

	(void)state;
	expect_only(&loaded, 1, 5, "NUL");
	release(&loaded);
}

static void a_file_that_cannot_be_read_is_no_model_error(void **state)
{
	static const char *const paths[] = {"/nonexistent/model.yaml", "/tmp", ""};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(paths); i++) {
		struct loaded loaded = load_path(paths[i]);
		assert_int_equal(loaded.code, BS_EIO);
		assert_int_equal(loaded.problems.count, 0);
		assert_null(loaded.model);
		release(&loaded);
	}
}

/* --- Hostile models -------------------------------------------------------------------------------- */

static char *repeat(const char *before, const char *text, size_t times, const char *after)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_buf_adds(&out, before);
	for (size_t i = 0; i < times; i++)
		bs_buf_adds(&out, text);
	bs_buf_adds(&out, after);
	return bs_buf_take(&out);
}

static void deep_nesting_is_refused(void **state)
{
	static const struct {
		const char *open, *close;
	} table[] = {{"[", "]"}, {"{a: ", "}"}, {"- ", ""}};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *tail = repeat("x", table[i].close, 5000, "\n");
		BS_AUTOFREE char *text = repeat("a:\n ", table[i].open, 5000, tail);
		struct loaded loaded = load_bytes(text, strlen(text));
		assert_int_equal(loaded.code, BS_EMODEL);
		assert_int_equal(loaded.problems.count, 1);
		release(&loaded);
	}
}

static void many_values_are_refused(void **state)
{
	BS_AUTOFREE char *text = repeat("a: [", "x,", 150000, "x]\n");
	struct loaded loaded = load_bytes(text, strlen(text));

	(void)state;
	assert_int_equal(loaded.problems.count, 1);
	assert_non_null(strstr(loaded.problems.items[0].message, "100000"));
	release(&loaded);
}

static void aliases_cannot_multiply_without_end(void **state)
{
	static const char text[] = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
				   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
	struct loaded loaded = load_bytes(text, strlen(text));

	(void)state;
	assert_int_equal(loaded.problems.count, 1);
	assert_non_null(strstr(loaded.problems.items[0].message, "aliases counted in full"));
	release(&loaded);
}

static void a_file_beyond_the_limit_is_not_read(void **state)
{
	BS_AUTOFREE char *text = repeat("a: ", "xxxxxxxx", 600000, "\n");
	struct loaded loaded = load_bytes(text, strlen(text));

	(void)state;
	assert_int_equal(loaded.code, BS_EIO);
	assert_non_null(strstr(bs_err_text(&loaded.err), "4 MiB"));
	release(&loaded);
}

static void variants_cannot_multiply_without_end(void **state)
{
	struct loaded loaded = load_with("  a:\n    request: GET /\n    with:\n"
					 "      x: &l [0,1,2,3,4,5,6,7,8,9]\n      y: *l\n      z: *l\n      u: *l\n" RULES);

	(void)state;
	expect_only(&loaded, 8, 7, "more than 1000 variants");
	release(&loaded);
}

static int set_environment(void **state)
{
	(void)state;
	setenv("BACKSTEP_DEMO_APP", "./payments", 1);
	setenv("BACKSTEP_DEMO_FLAGS", "", 1); /* set, though empty */
	setenv("BACKSTEP_TEST_APP", "./app", 1);
	setenv("BACKSTEP_TEST_FLAGS", "", 1);
	setenv("BACKSTEP_TEST_TOKEN", "t", 1);
	unsetenv("BACKSTEP_TEST_UNSET");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_models_load_without_problems),
		cmocka_unit_test(the_application_is_read),
		cmocka_unit_test(settings_are_read),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(numbers_in_json_keep_every_digit),
		cmocka_unit_test(placeholders_are_told_from_text),
		cmocka_unit_test(variants_become_operations_in_order),
		cmocka_unit_test(operations_need_the_variables_of_their_requests),
		cmocka_unit_test(expectations_are_statuses_or_an_expression),
		cmocka_unit_test(captures_declare_what_forget_clears),
		cmocka_unit_test(rules_speak_of_the_step_or_of_the_state),
		cmocka_unit_test(places_are_those_of_the_declarations),
		cmocka_unit_test(a_model_may_be_json),
		cmocka_unit_test(aliases_stand_for_what_they_name),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(all_mistakes_are_reported_at_once_with_their_place),
		cmocka_unit_test(each_mistake_is_explained_where_it_stands),
		cmocka_unit_test(only_loopback_hosts_are_sent_to),
		cmocka_unit_test(a_model_without_rules_is_only_warned_of),
		cmocka_unit_test(an_expression_cut_by_a_comment_is_explained),
		cmocka_unit_test(broken_yaml_is_one_problem_with_its_place),
		cmocka_unit_test(a_nul_byte_does_not_end_a_model_in_silence),
		cmocka_unit_test(a_file_that_cannot_be_read_is_no_model_error),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(many_values_are_refused),
		cmocka_unit_test(aliases_cannot_multiply_without_end),
		cmocka_unit_test(a_file_beyond_the_limit_is_not_read),
		cmocka_unit_test(variants_cannot_multiply_without_end),
	};

	return cmocka_run_group_tests(tests, set_environment, NULL);
}
