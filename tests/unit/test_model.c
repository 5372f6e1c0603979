/* The loader: what a legal model becomes. The models stand in models/, or here when they need a few lines only. */
#include "tests/unit/model_fixture.h"

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
		     {"-1s", UINT64_MAX}, {"5 m", UINT64_MAX}, {"1d", 86400000}, {"42d", UINT64_MAX}, {"1001h", UINT64_MAX},
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

static void a_postgres_store_is_cloned_or_used_in_place(void **state)
{
	static const char head[] = "version: 1\nname: x\nactions: {a: {request: GET /}}\n" RULES;
	BS_AUTOFREE char *cloned = bs_xasprintf("%sstores: {db: {driver: postgres, url: \"postgresql://u:${env.BACKSTEP_TEST_PW}@h/d\"}}\n"
						"app: {command: [app, \"${stores.db.url}\"]}\n", head);
	BS_AUTOFREE char *in_place = bs_xasprintf("%sstores: {db: {driver: postgres, url: postgresql://h/d, in_place: true}}\n"
						  "app: {base_url: \"http://127.0.0.1:1\"}\n", head);
	BS_AUTOFREE char *untold = bs_xasprintf("%sstores: {db: {driver: postgres, url: postgresql://h/d}}\napp: {command: [app]}\n", head);
	BS_AUTOFREE char *by_path = bs_xasprintf("%sstores: {db: {driver: postgres, url: postgresql://h/d}}\n"
						 "app: {command: [app, \"${stores.db.path}\"]}\n", head);

	(void)state;
	setenv("BACKSTEP_TEST_PW", "hunter2hunter2", 1);
	struct loaded loaded = load_bytes(cloned, strlen(cloned));
	expect_clean(&loaded);
	assert_string_equal(loaded.model->stores[0].driver, "postgres");
	assert_string_equal(loaded.model->stores[0].url, "postgresql://u:hunter2hunter2@h/d");
	assert_false(loaded.model->stores[0].in_place);
	assert_string_equal(loaded.model->env_names[0], "BACKSTEP_TEST_PW"); /* so that it is redacted */
	release(&loaded);
	loaded = load_bytes(in_place, strlen(in_place));
	expect_clean(&loaded);
	assert_true(loaded.model->stores[0].in_place);
	release(&loaded);
	loaded = load_bytes(untold, strlen(untold));
	expect_only(&loaded, 6, 10, "use ${stores.db.url} in app.command or app.env");
	release(&loaded);
	loaded = load_bytes(by_path, strlen(by_path));
	expect_only(&loaded, 7, 25, "a postgres store gives its url; write ${stores.db.url}");
	release(&loaded);
	unsetenv("BACKSTEP_TEST_PW");
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
		cmocka_unit_test(a_postgres_store_is_cloned_or_used_in_place),
	};

	return cmocka_run_group_tests_name("model", tests, set_environment, NULL);
}
