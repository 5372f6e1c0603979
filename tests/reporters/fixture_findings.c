/*
 * One finding for each verdict, in the order in which a run emits them: confirmed, flaky, accepted by the baseline,
 * an expression that erred, and one that never failed from a clean start.
 */
#include "fixture.h"

#include "base/mem.h"

static struct bs_ev_place at(uint32_t line)
{
	return (struct bs_ev_place){"payments.yaml", line, 3};
}

static const struct bs_ev_header json_header[] = {{"content-type", "application/json"}};
static const struct bs_ev_value order_new[] = {{"id", "1"}, {"amount", "100"}, {"refunded", "0"}, {"status", "\"paid\""}};
static const struct bs_ev_value order_once[] = {
	{"id", "1"}, {"amount", "100"}, {"refunded", "100"}, {"status", "\"refunded\""}};
static const struct bs_ev_value order_twice[] = {
	{"id", "1"}, {"amount", "100"}, {"refunded", "200"}, {"status", "\"refunded\""}};
static const struct bs_ev_change created[] = {{"db", "orders", "#1", NULL, order_new, 0, 4}};
static const struct bs_ev_change refunded[] = {{"db", "orders", "#1", order_new, order_once, 4, 4},
					       {"db", "audit", NULL, NULL, order_new, 0, 2}};
static const struct bs_ev_change refunded_again[] = {{"db", "orders", "#1", order_once, order_twice, 4, 4}};
static const struct bs_ev_change deleted[] = {{"db", "orders", "#1", order_new, NULL, 4, 0}};
static const struct bs_ev_value captured[] = {{"order_id", "1"}};
static const char *const crash_log[] = {"POST /orders/1/refund", "payments.c:212: order 1 is gone", "500 in 0.4 ms"};

static struct bs_ev_finding_step create_step(void)
{
	return (struct bs_ev_finding_step){
		.operation = "create_order(amount=100)",
		.action = "create_order",
		.actor = "shop",
		.at = at(16),
		.request = {.method = "POST",
			    .url = "http://127.0.0.1:40211/orders",
			    .target = "/orders",
			    .headers = json_header,
			    .header_count = 1,
			    .body = "{\"amount\":100}",
			    .body_bytes = 14},
		.response = {.status = 201,
			     .outcome = "response",
			     .headers = json_header,
			     .header_count = 1,
			     .body = "{\"id\":1,\"amount\":100}",
			     .body_bytes = 21},
		.elapsed_us = 812,
		.changes = created,
		.change_count = 1,
		.captures = captured,
		.capture_count = 1,
		.curl = "curl -sS -X POST \"$BASE_URL\"'/orders' -H 'content-type: application/json' "
			"--data-binary '{\"amount\":100}'",
	};
}

static struct bs_ev_finding_step refund_step(int status, const char *body, const struct bs_ev_change *changes,
					     size_t change_count)
{
	return (struct bs_ev_finding_step){
		.operation = "refund_order",
		.action = "refund_order",
		.actor = "shop",
		.at = at(22),
		.request = {.method = "POST",
			    .url = "http://127.0.0.1:40211/orders/1/refund",
			    .target = "/orders/1/refund"},
		.response = {.status = status, .outcome = "response", .body = body, .body_bytes = 14},
		.elapsed_us = 640,
		.changes = changes,
		.change_count = change_count,
		.curl = "curl -sS -X POST \"$BASE_URL\"'/orders/1/refund'",
	};
}

static struct bs_ev_finding_step delete_step(void)
{
	return (struct bs_ev_finding_step){
		.operation = "delete_order",
		.action = "delete_order",
		.actor = "shop",
		.at = at(27),
		.request = {.method = "DELETE", .url = "http://127.0.0.1:40211/orders/1", .target = "/orders/1"},
		.response = {.status = 200, .outcome = "response", .body = "{}", .body_bytes = 2},
		.elapsed_us = 500,
		.changes = deleted,
		.change_count = 1,
		.curl = "curl -sS -X DELETE \"$BASE_URL\"'/orders/1'",
	};
}

static void finding(struct fixture_feeder *f, struct bs_ev_finding finding, const struct bs_ev_finding_step *steps,
		    size_t count)
{
	finding.steps = steps;
	finding.step_count = count;
	if (!finding.baseline)
		finding.baseline = "new";
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_FINDING, .finding = finding});
}

static void double_refund(struct fixture_feeder *f)
{
	static const struct bs_ev_value reads[] = {{"id", "1"}, {"amount", "100"}, {"refunded", "200"}};
	struct bs_ev_finding_step steps[] = {create_step(), refund_step(200, "{\"refunded\":100}", refunded, 2),
					     refund_step(200, "{\"refunded\":200}", refunded_again, 1)};

	steps[2].fails = true;
	finding(f,
		(struct bs_ev_finding){.fingerprint = "9f2c41d07be83a65",
				       .rule = "refunds_within_total",
				       .title = "An order can be refunded for more than it cost",
				       .kind = "invariant",
				       .severity = "critical",
				       .message = "more money was paid back than order 1 cost",
				       .verdict = "confirmed",
				       .confirmed = 3,
				       .tries = 3,
				       .count = 14,
				       .original_length = 5,
				       .minimality = "no sequence of up to 2 of these 9 operations breaks this rule",
				       .at = at(38),
				       .reads = reads,
				       .read_count = BS_COUNT(reads),
				       .replay = "backstep replay .backstep/events.ndjson --finding 9f2c41"},
		steps, BS_COUNT(steps));
}

static void server_error(struct fixture_feeder *f)
{
	static const struct bs_ev_value reads[] = {{"status", "500"}};
	struct bs_ev_finding_step steps[] = {create_step(), delete_step(),
					     refund_step(500, "{\"error\":\"boom\"}", NULL, 0)};

	steps[2].fails = true;
	steps[2].log = crash_log;
	steps[2].log_count = BS_COUNT(crash_log);
	finding(f,
		(struct bs_ev_finding){.fingerprint = "27b1aa09c4d5e6f7",
				       .rule = "no_server_error",
				       .title = "A sequence of valid requests makes the server fail",
				       .kind = "invariant",
				       .severity = "critical",
				       .message = "A sequence of valid requests makes the server fail",
				       .verdict = "flaky",
				       .confirmed = 2,
				       .tries = 3,
				       .count = 3,
				       .original_length = 3,
				       .reason = "it failed in some clean replays and not in others: timing, or state "
						 "that the model does not control",
				       .at = at(45),
				       .reads = reads,
				       .read_count = 1},
		steps, BS_COUNT(steps));
}

static void refund_of_another(struct fixture_feeder *f)
{
	struct bs_ev_finding_step steps[] = {create_step(), refund_step(200, "{\"refunded\":200}", refunded_again, 1)};

	steps[1].fails = true;
	finding(f,
		(struct bs_ev_finding){.fingerprint = "c0ffee0000000001",
				       .rule = "refunds_within_total",
				       .title = "An order can be refunded for more than it cost",
				       .kind = "invariant",
				       .severity = "critical",
				       .message = "more money was paid back than order 1 cost",
				       .verdict = "confirmed",
				       .confirmed = 3,
				       .tries = 3,
				       .baseline = "known",
				       .count = 1,
				       .original_length = 2,
				       .at = at(38)},
		steps, BS_COUNT(steps));
}

static void check_error(struct fixture_feeder *f)
{
	struct bs_ev_finding_step steps[] = {create_step()};

	steps[0].fails = true;
	finding(f,
		(struct bs_ev_finding){.fingerprint = "5e5e5e5e00000002",
				       .rule = "check-error",
				       .title = "An expression of the model could not be evaluated",
				       .kind = "oracle",
				       .severity = "high",
				       .message = "totals_add_up could not be checked: body has no field 'totl'; there are: "
						  "id, amount",
				       .verdict = "confirmed",
				       .confirmed = 3,
				       .tries = 3,
				       .count = 40,
				       .original_length = 1,
				       .minimality = "one step is enough",
				       .at = at(62)},
		steps, BS_COUNT(steps));
}

static void unconfirmed(struct fixture_feeder *f)
{
	struct bs_ev_finding_step steps[] = {create_step(), refund_step(200, "{\"refunded\":100}", refunded, 2),
					     delete_step()};

	finding(f,
		(struct bs_ev_finding){.fingerprint = "abad1dea00000003",
				       .rule = "refunded_orders_stay",
				       .kind = "invariant",
				       .severity = "high",
				       .message = "order 1 was refunded and could still be deleted",
				       .verdict = "unconfirmed",
				       .confirmed = 0,
				       .tries = 3,
				       .count = 2,
				       .original_length = 3,
				       .reason = "it was seen while exploring and never from a clean start: the application "
						 "may keep state outside its stores, which rollback does not reach",
				       .at = at(49)},
		steps, BS_COUNT(steps));
}

void fixture_emit_findings(struct fixture_feeder *f)
{
	double_refund(f);
	server_error(f);
	refund_of_another(f);
	check_error(f);
	unconfirmed(f);
}
