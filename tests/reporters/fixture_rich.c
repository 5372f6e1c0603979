/*
 * The payments API as a run sees it, with one rule for each outcome and one finding for each verdict: the stream
 * that every report must show well. The numbers are made up and hang together.
 */
#include "fixture.h"

#include "base/mem.h"

static const struct bs_ev_place no_place = {NULL, 0, 0};

static struct bs_ev_place at(uint32_t line)
{
	return (struct bs_ev_place){"payments.yaml", line, 3};
}

/* --- What is declared ------------------------------------------------------------------------------------- */

static void run_start(struct fixture_feeder *f)
{
	fixture_emit(f, (struct bs_event){
				.kind = BS_EVENT_RUN_START,
				.run_start = {.model = "payments.yaml",
					      .model_name = "payments",
					      .model_sha256 = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
					      .seed = 1,
					      .target = "./payments --port ${port} --db ${stores.db.path}",
					      .strategy = "bfs",
					      .max_depth = 8,
					      .max_steps = 2000,
					      .time_ms = 60000,
					      .revision = "0123456789abcdef0123456789abcdef01234567",
					      .branch = "main",
					      .repository = "https://git.example/shop/payments",
					      .started = "2026-11-25T10:00:00Z",
					      .gate = "critical"}});
}

static void action(struct fixture_feeder *f, const char *name, const char *title, const char *method, const char *path,
		   uint32_t line, const char *const *operations, size_t count)
{
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_ACTION_DECLARED,
					  .action = {.name = name,
						     .title = title,
						     .method = method,
						     .path = path,
						     .at = at(line),
						     .operations = operations,
						     .operation_count = count}});
}

static void actions(struct fixture_feeder *f)
{
	static const char *const create[] = {"create_order(amount=100)", "create_order(amount=1)"};
	static const char *const refund[] = {"refund_order"}, *const get[] = {"get_order"};
	static const char *const delete[] = {"delete_order"}, *const invite[] = {"invite_vip"};

	action(f, "create_order", "A customer pays for an order", "POST", "/orders", 16, create, BS_COUNT(create));
	action(f, "refund_order", NULL, "POST", "/orders/${order_id}/refund", 22, refund, 1);
	action(f, "get_order", NULL, "GET", "/orders/${order_id}", 25, get, 1);
	action(f, "delete_order", NULL, "DELETE", "/orders/${order_id}", 27, delete, 1);
	action(f, "invite_vip", NULL, "POST", "/vips", 29, invite, 1);
}

static void rule(struct fixture_feeder *f, const char *name, const char *title, const char *kind, const char *severity,
		 const char *text, struct bs_ev_place place)
{
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_INVARIANT_DECLARED,
					  .invariant = {.name = name,
							.title = title,
							.kind = kind,
							.severity = severity,
							.rule = text,
							.at = place}});
}

static void rules(struct fixture_feeder *f)
{
	rule(f, "refunds_within_total", "An order can be refunded for more than it cost", "invariant", "critical",
	     "SELECT id, amount, refunded FROM orders WHERE refunded > amount", at(38));
	rule(f, "no_server_error", "A sequence of valid requests makes the server fail", "invariant", "critical",
	     "status < 500", at(45));
	rule(f, "refunded_orders_stay", NULL, "invariant", "high",
	     "not (order_refunded and action == \"delete_order\" and status == 200)", at(49));
	rule(f, "listed_totals_agree", NULL, "invariant", "medium", "o.refunded <= o.amount", at(53));
	rule(f, "vip_discount_capped", NULL, "invariant", "low", "v.discount <= 50", at(58));
	rule(f, "totals_add_up", NULL, "invariant", "medium", "body.totl >= 0", at(62));
	rule(f, "no-response", "A request got no complete response", "oracle", "critical",
	     "every request gets a complete response within its time", no_place);
	rule(f, "unexpected-status", "An action was answered with a status that it does not expect", "oracle", "high",
	     "expect", no_place);
	rule(f, "check-error", "An expression of the model could not be evaluated", "oracle", "high",
	     "every expression can be evaluated", no_place);
}

static void declare(struct fixture_feeder *f)
{
	fixture_start(f);
	run_start(f);
	actions(f);
	rules(f);
}

/* --- The phases -------------------------------------------------------------------------------------------- */

static void phase(struct fixture_feeder *f, bool start, const char *name, const char *detail, const char *of_rule)
{
	fixture_emit(f, (struct bs_event){.kind = start ? BS_EVENT_PHASE_START : BS_EVENT_PHASE_END,
					  .phase = {.name = name, .detail = detail, .rule = of_rule}});
}

static void bring_up(struct fixture_feeder *f)
{
	phase(f, true, "start", NULL, NULL);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_APP_READY,
					  .app_ready = {.command = "./payments --port ${port} --db ${stores.db.path}",
							.base_url = "http://127.0.0.1:40211",
							.ready_us = 31250}});
	phase(f, false, "start", NULL, NULL);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_STATE_NEW,
					  .state = {0, 0, 0, "00000000000000000000000000000001"}});
	phase(f, true, "self-check", NULL, NULL);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_STORE_READY,
					  .store_ready = {.name = "db",
							  .driver = "sqlite",
							  .mechanism = "triggers",
							  .size_bytes = 1782579,
							  .location = "payments.db",
							  .self_check = "exact (5 rows, 0.2 ms)"}});
	phase(f, false, "self-check", "exact (5 rows, 0.2 ms)", NULL);
}

static void step(struct fixture_feeder *f, uint64_t number, const char *operation, const char *of_action, int status)
{
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_STATE_NEW,
					  .state = {number, number - 1, (uint32_t)number,
						    "0000000000000000000000000000000a"}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_STEP,
					  .step = {.from = number - 1,
						   .to = number,
						   .operation = operation,
						   .action = of_action,
						   .actor = "shop",
						   .status = status,
						   .outcome = "response",
						   .elapsed_us = 812,
						   .changed_rows = 1,
						   .steps = number,
						   .states = number + 1,
						   .findings = number > 2,
						   .run_us = number * 150000}});
}

static void violation(struct fixture_feeder *f, const char *of_rule, const char *severity, uint64_t state)
{
	static const char *const path[] = {"create_order(amount=100)", "refund_order", "refund_order"};

	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_VIOLATION,
					  .violation = {.rule = of_rule,
							.severity = severity,
							.message = "more money was paid back than order 1 cost",
							.state = state,
							.path = path,
							.path_count = BS_COUNT(path),
							.at = at(38)}});
}

static void explore(struct fixture_feeder *f)
{
	phase(f, true, "explore", NULL, NULL);
	step(f, 1, "create_order(amount=100)", "create_order", 201);
	step(f, 2, "refund_order", "refund_order", 200);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_WARNING,
					  .notice = {.code = "outside-state",
						     .message = "get_order did not do the same when it was repeated from one "
								"state: it answered 200, then 404",
						     .hint = "the application keeps state outside its stores (a cache, a "
							     "counter); findings are confirmed from a clean start, so none is "
							     "wrong because of it, but some states may be missed",
						     .at = at(25)}});
	step(f, 3, "refund_order", "refund_order", 200);
	violation(f, "refunds_within_total", "critical", 3);
	step(f, 4, "delete_order", "delete_order", 200);
	violation(f, "no_server_error", "critical", 4);
	phase(f, false, "explore", "steps", NULL);
}

static void judge(struct fixture_feeder *f)
{
	phase(f, true, "confirm", NULL, "refunds_within_total");
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_SHRINK_PROGRESS,
					  .shrink = {"refunds_within_total", 5, 4, 7}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_SHRINK_PROGRESS,
					  .shrink = {"refunds_within_total", 5, 3, 12}});
	phase(f, false, "confirm", NULL, "refunds_within_total");
}

/* --- The end ------------------------------------------------------------------------------------------------- */

static void rule_end(struct fixture_feeder *f, const char *name, const char *severity, const char *outcome,
		     uint64_t checked, uint64_t violations, const char *detail)
{
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_INVARIANT_END,
					  .invariant_end = {.name = name,
							    .severity = severity,
							    .outcome = outcome,
							    .checked = checked,
							    .violations = violations,
							    .detail = detail,
							    .elapsed_us = checked * 12}});
}

static void warn(struct fixture_feeder *f, const char *code, const char *message, const char *hint, uint32_t line)
{
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_WARNING,
					  .notice = {.code = code, .message = message, .hint = hint, .at = at(line)}});
}

static void rule_ends(struct fixture_feeder *f)
{
	rule_end(f, "refunds_within_total", "critical", "violated", 1873, 15, NULL);
	rule_end(f, "no_server_error", "critical", "violated", 1873, 3, NULL);
	rule_end(f, "refunded_orders_stay", "high", "violated", 1873, 2, NULL);
	rule_end(f, "listed_totals_agree", "medium", "held", 4410, 0, NULL);
	warn(f, "unreached", "vip_discount_capped was never checked on data",
	     "raise explore.max_depth or explore.time, or add an action that makes such data", 58);
	rule_end(f, "vip_discount_capped", "low", "unreached", 0, 0, "no step gave it anything to look at");
	rule_end(f, "totals_add_up", "medium", "error", 40, 0, "body has no field 'totl'; there are: id, amount");
	rule_end(f, "no-response", "critical", "held", 1873, 0, NULL);
	rule_end(f, "unexpected-status", "high", "held", 940, 0, NULL);
	rule_end(f, "check-error", "high", "violated", 1873, 40, NULL);
}

static void coverage(struct fixture_feeder *f)
{
	static const struct bs_ev_operation_status statuses[] = {{"create_order(amount=100)", 201, 470},
								 {"refund_order", 200, 610},
								 {"refund_order", 500, 3},
								 {"get_order", 200, 400},
								 {"delete_order", 200, 390}};
	static const struct bs_ev_operation_pair pairs[] = {{"create_order(amount=100)", "refund_order", 120, false},
							    {"refund_order", "refund_order", 90, true},
							    {"delete_order", "refund_order", 44, true}};
	static const struct bs_ev_latency latencies[] = {{"create_order(amount=100)", 800, 1200, 1900, 2400},
							 {"refund_order", 600, 900, 1100, 4100}};

	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_COVERAGE,
					  .coverage = {statuses, BS_COUNT(statuses), pairs, BS_COUNT(pairs), latencies,
						       BS_COUNT(latencies)}});
}

void fixture_feed_rich(struct fixture_feeder *f)
{
	declare(f);
	bring_up(f);
	explore(f);
	judge(f);
	fixture_emit_findings(f);
	rule_ends(f);
	coverage(f);
	warn(f, "reach-unmet", "invite_vip is under reach and was never executed", NULL, 29);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_RUN_END,
					  .run_end = {.gate = "failed",
						      .exit_status = 1,
						      .reason = "an action under reach never succeeded",
						      .limit = "steps",
						      .states = 214,
						      .steps = 1873,
						      .findings = 5,
						      .violations = 60,
						      .frontier = 37,
						      .elapsed_us = 14250000,
						      .explore_us = 12300000,
						      .severities = {0, 0, 1, 3}}});
}

/* --- Runs in which less happens ------------------------------------------------------------------------------- */

static const char *const all_rules[][2] = {
	{"refunds_within_total", "critical"}, {"no_server_error", "critical"}, {"refunded_orders_stay", "high"},
	{"listed_totals_agree", "medium"},    {"vip_discount_capped", "low"},  {"totals_add_up", "medium"},
	{"no-response", "critical"},	      {"unexpected-status", "high"},   {"check-error", "high"}};

void fixture_feed_clean(struct fixture_feeder *f)
{
	declare(f);
	bring_up(f);
	phase(f, true, "explore", NULL, NULL);
	step(f, 1, "create_order(amount=100)", "create_order", 201);
	step(f, 2, "refund_order", "refund_order", 200);
	phase(f, false, "explore", "depth", NULL);
	for (size_t i = 0; i < BS_COUNT(all_rules); i++)
		rule_end(f, all_rules[i][0], all_rules[i][1], "held", 900, 0, NULL);
	coverage(f);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_RUN_END,
					  .run_end = {.gate = "passed",
						      .reason = "fail_on is critical",
						      .limit = "depth",
						      .states = 180,
						      .steps = 900,
						      .elapsed_us = 6100000,
						      .explore_us = 6000000}});
}

void fixture_feed_interrupted(struct fixture_feeder *f)
{
	declare(f);
	bring_up(f);
	explore(f);
	for (size_t i = 0; i < BS_COUNT(all_rules); i++)
		rule_end(f, all_rules[i][0], all_rules[i][1], i == 0 ? "violated" : i == 4 ? "unreached" : "held",
			 i == 4 ? 0 : 4, i == 0, i == 4 ? "no step gave it anything to look at" : NULL);
	coverage(f);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_RUN_END,
					  .run_end = {.gate = "incomplete",
						      .exit_status = 4,
						      .reason = "interrupted",
						      .limit = "interrupted",
						      .states = 5,
						      .steps = 4,
						      .violations = 2,
						      .frontier = 5,
						      .elapsed_us = 700000,
						      .explore_us = 600000}});
}

void fixture_feed_failed_start(struct fixture_feeder *f)
{
	static const char reason[] = "the application ended with status 127 before it was ready: './payments': no such file";

	declare(f);
	phase(f, true, "start", NULL, NULL);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_ERROR, .notice = {.code = "run-failed", .message = reason}});
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_RUN_END,
					  .run_end = {.gate = "incomplete",
						      .exit_status = 3,
						      .reason = reason,
						      .limit = "error",
						      .elapsed_us = 12000}});
}
