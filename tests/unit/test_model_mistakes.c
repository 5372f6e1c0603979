/* The loader: every mistake in a model is explained, all at once, and shown where it stands. */
#include "tests/unit/model_fixture.h"

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
		{11, 19, "driver 'calls' is not supported yet"},
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
		{RULES "stores: {db: {driver: postgres, url: postgresql://h/d}}", 7, 10, "with in_place: true"},
		{RULES "stores: {db: {driver: postgres, in_place: true}}", 7, 10, "has no url; add postgresql://"},
		{RULES "stores: {db: {driver: postgres, url: postgresql://h/d, path: x, in_place: true}}", 7, 62, "a url and no path"},
		{RULES "stores: {db: {driver: postgres, url: postgresql://h/d, in_place: perhaps}}", 7, 66, "true or false"},
		{RULES "stores: {db: {driver: postgres, url: \"postgresql://h/${env.BACKSTEP_TEST_UNSET}\", in_place: true}}", 7, 56,
		 "environment variable 'BACKSTEP_TEST_UNSET' is not set"},
		{RULES "stores: {db: {driver: postgres, url: \"postgresql://h/${port}\", in_place: true}}", 7, 38, "takes ${env.NAME} only"},
		{RULES "stores: {db: {driver: sqlite, path: a.db, in_place: true}}", 7, 53, "always cloned; remove in_place"},
		{RULES "stores: {db: {driver: postgrse, url: x}}", 7, 23, "did you mean 'postgres'?"},
		{RULES "stores: {db: {driver: postgres, url: postgresql://h/d, clone: no, in_place: true}}", 7, 56, "unknown key 'clone'"},
		{RULES "stores: {c: {driver: redis, path: a}}", 7, 35, "a redis store has a url and no path"},
		{RULES "stores: {c: {driver: redis, in_place: true}}", 7, 10, "store 'c' has no url; add redis://"},
		{RULES "stores: {c: {driver: redis}}", 7, 10, "work on the data itself with in_place: true"},
		{RULES "gate: {fail_on: hihg}", 7, 17, "did you mean 'high'?"},
		{RULES "redact: [email]", 7, 10, "takes table.column and captured variables; got 'email'"},
		{"  b: {request: GET /, capture: {token: body.t}}\n" RULES "redact: [tokn]", 8, 10, "did you mean 'token'?"},
		{"  b: {request: GET /, capture: {token: body.t}}\n" RULES "redact: [token]\nnot_secret: [token]", 9, 14,
		 "under redact and under not_secret"},
		{RULES "not_secret: [env.HOME]", 7, 14, "no ${env.HOME} is in this model"},
		{RULES "not_secret: [HOME]", 7, 14, "takes env.NAME and captured variables; got 'HOME'"},
		{RULES "setup: [{request: GET /, advance: 3d}]", 7, 26, "unknown key 'advance'"},
		{RULES "inavriants: {}", 7, 1, "did you mean 'invariants'?"},
		{"  a: {advance: 31x}\n" RULES, 5, 16, "a time such as 90m, 12h, 31d"},
		{"  a: {advance: 0d}\n" RULES, 5, 16, "more than 0"},
		{"  a: {advance: 1d, request: GET /}\n" RULES, 5, 20, "unknown key 'request'"},
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

static void stores_are_told_where_their_data_is(void **state)
{
	static const struct {
		const char *store;
		uint32_t column;
		const char *part; /* NULL: it is right */
	} table[] = {
		{"{driver: redis}", 0, NULL},
		{"{driver: redis, url: redis://h/1}", 0, NULL},
		{"{driver: redis, url: redis://h/1, in_place: true}", 0, NULL},
		{"{driver: files, path: data}", 0, NULL},
		{"{driver: redis, path: a}", 35, "a redis store has a url and no path"},
		{"{driver: files}", 10, "store 'c' has no path; add the directory"},
		{"{driver: files, url: a}", 10, "store 'c' has no path"},
		{"{driver: files, path: a, in_place: true}", 48, "a files store is always cloned"},
		{"{driver: sqlite, path: a, in_place: true}", 49, "a sqlite store is always cloned"},
	};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		BS_AUTOFREE char *text = bs_xasprintf(
			"version: 1\nstores: {c: %s}\napp: {command: [a, '${stores.c.%s}']}\n" ACTIONS RULES, table[i].store,
			strstr(table[i].store, "redis") ? "url" : "path");
		struct loaded loaded = load_bytes(text, strlen(text));
		if (table[i].part)
			expect_problem(&loaded.problems.items[0], 2, table[i].column, table[i].part);
		else
			expect_clean(&loaded);
		release(&loaded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_mistakes_are_reported_at_once_with_their_place),
		cmocka_unit_test(each_mistake_is_explained_where_it_stands),
		cmocka_unit_test(stores_are_told_where_their_data_is),
		cmocka_unit_test(only_loopback_hosts_are_sent_to),
		cmocka_unit_test(a_model_without_rules_is_only_warned_of),
		cmocka_unit_test(an_expression_cut_by_a_comment_is_explained),
		cmocka_unit_test(broken_yaml_is_one_problem_with_its_place),
		cmocka_unit_test(a_nul_byte_does_not_end_a_model_in_silence),
		cmocka_unit_test(a_file_that_cannot_be_read_is_no_model_error),
	};

	return cmocka_run_group_tests_name("model mistakes", tests, set_environment, NULL);
}
