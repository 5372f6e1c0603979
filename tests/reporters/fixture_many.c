/*
 * A run with as many findings as are asked for, each a sequence of its own over one small API: for what a report
 * weighs. Sequences, times and answers are drawn from a fixed seed, and hang together as those of a real run do:
 * every finding was replayed from the same clean start, so its identifiers begin at 1.
 */
#include "fixture.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

#define ORDERS_MAX 4

struct order {
	unsigned id, customer, amount, refunded, quantity;
	const char *status; /* NULL: deleted */
};

struct many {
	struct fixture_feeder *f;
	struct bs_arena arena; /* of one finding */
	uint64_t random;
	struct order orders[ORDERS_MAX];
	unsigned count; /* orders made */
	unsigned clock_s;
};

static const char *const operations[] = {
	"create_order(amount=100)", "create_order(amount=1)", "add_item(quantity=1)", "add_item(quantity=3)",
	"refund_order",		    "refund_part(share=50)",  "get_order",	      "list_orders",
	"pay_order",		    "ship_order",	      "cancel_order",	      "delete_order"};

static const char *const rules[][3] = {
	{"refunds_within_total", "critical", "An order can be refunded for more than it cost"},
	{"no_server_error", "critical", "A sequence of valid requests makes the server fail"},
	{"paid_before_shipped", "high", "An order is shipped that nobody paid"},
	{"cancelled_stays_cancelled", "high", "A cancelled order comes back to life"},
	{"quantity_within_stock", "medium", "More was sold than there is in stock"},
	{"listed_totals_agree", "medium", "The list and the order disagree about the total"},
	{"deleted_is_gone", "low", "A deleted order is still answered"}};

/* Numerical Recipes' generator; the high bits are the good ones. */
static unsigned draw(struct many *many, unsigned below)
{
	many->random = many->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((many->random >> 33) % below);
}

/* --- One step --- */

static const struct bs_ev_value *row_of(struct many *many, const struct order *order)
{
	const struct bs_ev_value values[] = {
		{"id", bs_arena_printf(&many->arena, "%u", order->id)},
		{"customer", bs_arena_printf(&many->arena, "%u", order->customer)},
		{"amount", bs_arena_printf(&many->arena, "%u", order->amount)},
		{"refunded", bs_arena_printf(&many->arena, "%u", order->refunded)},
		{"quantity", bs_arena_printf(&many->arena, "%u", order->quantity)},
		{"status", bs_arena_printf(&many->arena, "\"%s\"", order->status)}};

	return bs_arena_dup(&many->arena, values, sizeof values);
}

static char *json_of(struct many *many, const struct order *order)
{
	return bs_arena_printf(&many->arena,
			       "{\"id\":%u,\"customer\":%u,\"amount\":%u,\"refunded\":%u,\"quantity\":%u,\"status\":\"%s\"}",
			       order->id, order->customer, order->amount, order->refunded, order->quantity, order->status);
}

static struct order *any_order(struct many *many)
{
	return &many->orders[draw(many, many->count)];
}

/* What the application does; changes order, and returns the status. */
static int act(unsigned operation, struct order *order)
{
	if (operation > 1 && operation != 7 && !order->status)
		return 404;
	switch (operation) {
	case 2: order->quantity += 1; break;
	case 3: order->quantity += 3; break;
	case 4: order->refunded += order->amount; order->status = "refunded"; break;
	case 5: order->refunded += order->amount / 2; break;
	case 8: order->status = "paid"; break;
	case 9: order->status = "shipped"; break;
	case 10: order->status = "cancelled"; break;
	case 11: order->status = NULL; return 204;
	default: break;
	}
	return operation > 1 ? 200 : 201;
}

static void request_of(struct many *many, unsigned operation, unsigned id, struct bs_ev_finding_step *step)
{
	static const char *const methods[] = {"POST", "POST", "POST", "POST", "POST", "POST",
					      "GET",  "GET",  "POST", "POST", "POST", "DELETE"};
	static const char *const tails[] = {"", "", "/items", "/items", "/refund", "/refund",
					    "", "", "/pay",   "/ship",	"/cancel", ""};
	static const char *const bodies[12] = {"{\"amount\":100}", "{\"amount\":1}", "{\"sku\":\"book\",\"quantity\":1}",
					       "{\"sku\":\"book\",\"quantity\":3}", NULL, "{\"share\":50}"};
	static const struct bs_ev_header json[] = {{"Content-Type", "application/json"}};
	struct bs_ev_message *request = &step->request;
	bool get = operation == 6 || operation == 7;

	request->method = methods[operation];
	request->target = operation < 2 || operation == 7 ? "/orders" :
			  bs_arena_printf(&many->arena, "/orders/%u%s", id, tails[operation]);
	request->url = request->target;
	request->body = bodies[operation];
	request->body_bytes = request->body ? strlen(request->body) : 0;
	request->headers = json;
	request->header_count = request->body != NULL;
	step->curl = bs_arena_printf(&many->arena, "curl -sS%s%s \"$BASE_URL\"'%s'%s%s%s", get ? "" : " -X ",
				     get ? "" : request->method, request->target,
				     request->body ? " -H 'Content-Type: application/json' --data-binary '" : "",
				     request->body ? request->body : "", request->body ? "'" : "");
}

static void respond(struct many *many, int status, const char *body, struct bs_ev_finding_step *step)
{
	size_t len = body ? strlen(body) : 0;
	struct bs_ev_header headers[] = {
		{"Date", bs_arena_printf(&many->arena, "Wed, 25 Nov 2026 %02u:%02u:%02u GMT", many->clock_s / 3600 % 24,
					 many->clock_s / 60 % 60, many->clock_s % 60)},
		{"Content-Type", "application/json"},
		{"Content-Length", bs_arena_printf(&many->arena, "%zu", len)}};

	step->response = (struct bs_ev_message){.status = status,
						.outcome = "response",
						.body = body,
						.body_bytes = len,
						.headers = bs_arena_dup(&many->arena, headers, sizeof headers),
						.header_count = BS_COUNT(headers)};
}

static const char *list_of(struct many *many)
{
	struct bs_buf list = BS_BUF_INIT;

	for (unsigned i = 0; i < many->count; i++)
		if (many->orders[i].status)
			bs_buf_addf(&list, "%s%s", list.len ? "," : "[", json_of(many, &many->orders[i]));
	char *body = bs_arena_printf(&many->arena, "%s]", list.len ? bs_buf_text(&list) : "[");
	bs_buf_release(&list);
	return body;
}

static void change_of(struct many *many, const struct bs_ev_value *before, const struct order *order,
		      struct bs_ev_finding_step *step)
{
	const struct bs_ev_change change = {.store = "db",
					    .table = "orders",
					    .row = bs_arena_printf(&many->arena, "#%u", order->id),
					    .before = before,
					    .before_count = before ? 6 : 0,
					    .after = order->status ? row_of(many, order) : NULL,
					    .after_count = order->status ? 6 : 0};

	step->changes = bs_arena_dup(&many->arena, &change, sizeof change);
	step->change_count = 1;
}

static void log_of(struct many *many, int status, struct bs_ev_finding_step *step)
{
	const char *line = bs_arena_printf(&many->arena, "%s %s %d", step->request.method, step->request.target, status);

	step->log = bs_arena_dup(&many->arena, &line, sizeof line);
	step->log_count = 1;
}

static const char *answer_of(struct many *many, unsigned operation, const struct order *order, int status)
{
	if (status == 404)
		return "{\"error\":\"no such order\"}";
	if (status == 204)
		return NULL;
	return operation == 7 ? list_of(many) : json_of(many, order);
}

static struct bs_ev_finding_step next_step(struct many *many, bool first)
{
	unsigned operation = draw(many, first ? 2 : BS_COUNT(operations)), slow = draw(many, 40);
	struct bs_ev_finding_step step = {.actor = "shop", .elapsed_us = 90 + slow * draw(many, 40)};
	const struct bs_ev_value *before = NULL;
	bool creates = operation < 2 && many->count < ORDERS_MAX;

	if (operation < 2 && !creates)
		operation = 6;
	struct order *order = creates ? &many->orders[many->count++] : any_order(many);
	if (creates)
		*order = (struct order){many->count, 7, operation ? 1 : 100, 0, 1, "new"};
	else if (order->status)
		before = row_of(many, order);
	step.operation = operations[operation];
	step.action = bs_arena_printf(&many->arena, "%.*s", (int)strcspn(step.operation, "("), step.operation);
	step.at = (struct bs_ev_place){"payments.yaml", 20 + 3 * operation, 3};
	request_of(many, operation, order->id, &step);
	int status = act(operation, order);
	respond(many, status, answer_of(many, operation, order, status), &step);
	if (status != 404 && operation != 6 && operation != 7)
		change_of(many, before, order, &step);
	if (creates) {
		const struct bs_ev_value captured = {"order_id", bs_arena_printf(&many->arena, "%u", order->id)};
		step.captures = bs_arena_dup(&many->arena, &captured, sizeof captured);
		step.capture_count = 1;
	}
	log_of(many, status, &step);
	return step;
}

/* --- One finding --- */

static const char *message_of(struct many *many, const struct order *order)
{
	return bs_arena_printf(&many->arena, "order %u is %s, with %u of %u paid back", order->id, order->status,
			       order->refunded, order->amount);
}

static void finding(struct many *many, size_t number, size_t of, size_t step_count)
{
	size_t rule = number * BS_COUNT(rules) / of; /* most severe first */
	struct bs_ev_finding_step *steps = bs_xcalloc(step_count, sizeof *steps);
	bool flaky = number % 9 == 8;

	many->count = 0;
	many->clock_s += 1 + draw(many, 3);
	for (size_t i = 0; i < step_count; i++)
		steps[i] = next_step(many, !many->count);
	steps[step_count - 1].fails = true;
	struct order *last = any_order(many);
	last->status = last->status ? last->status : "deleted";
	unsigned high = draw(many, 1u << 31), low = draw(many, 1u << 31), longer = draw(many, 4);
	struct bs_ev_finding finding = {.rule = rules[rule][0],
					.title = rules[rule][2],
					.kind = "invariant",
					.severity = rules[rule][1],
					.message = message_of(many, last),
					.verdict = flaky ? "flaky" : "confirmed",
					.confirmed = flaky ? 2 : 3,
					.tries = 3,
					.baseline = number % 13 == 12 ? "known" : "new",
					.count = 1 + draw(many, 60),
					.original_length = (uint32_t)step_count + longer,
					.at = {"payments.yaml", 60 + 4 * (uint32_t)rule, 3},
					.reads = row_of(many, last),
					.read_count = 6,
					.steps = steps,
					.step_count = step_count};
	finding.fingerprint = bs_arena_printf(&many->arena, "%08x%08x", high << 1, low << 1);
	finding.replay = bs_arena_printf(&many->arena, "backstep replay events.ndjson --finding %.8s",
					 finding.fingerprint);
	fixture_emit(many->f, (struct bs_event){.kind = BS_EVENT_FINDING, .finding = finding});
	bs_arena_release(&many->arena);
	many->arena = (struct bs_arena)BS_ARENA_INIT;
	free(steps);
}

/* --- The run around them --- */

static void declare(struct fixture_feeder *f)
{
	fixture_start(f);
	fixture_emit(f, (struct bs_event){.kind = BS_EVENT_RUN_START,
					  .run_start = {.model = "payments.yaml",
							.model_name = "payments",
							.seed = 1,
							.target = "./payments",
							.strategy = "bfs",
							.max_depth = 12,
							.started = "2026-11-25T10:00:00Z",
							.gate = "critical"}});
	for (size_t i = 0; i < BS_COUNT(rules); i++)
		fixture_emit(f, (struct bs_event){
					.kind = BS_EVENT_INVARIANT_DECLARED,
					.invariant = {.name = rules[i][0],
						      .title = rules[i][2],
						      .kind = "invariant",
						      .severity = rules[i][1],
						      .rule = "SELECT id, amount, refunded FROM orders WHERE refunded > amount",
						      .at = {"payments.yaml", 60 + 4 * (uint32_t)i, 3}}});
}

/* A tree in which every state has as many children as there are operations, as far as it goes. */
static void explore(struct fixture_feeder *f, uint64_t states)
{
	uint32_t *depths = bs_xcalloc(states, sizeof *depths);

	for (uint64_t id = 0; id < states; id++) {
		uint64_t parent = id ? (id - 1) / BS_COUNT(operations) : 0;
		depths[id] = id ? depths[parent] + 1 : 0;
		fixture_emit(f, (struct bs_event){.kind = BS_EVENT_STATE_NEW, .state = {id, parent, depths[id], "00"}});
		if (!id)
			continue;
		fixture_emit(f, (struct bs_event){.kind = BS_EVENT_STEP,
						  .step = {.from = parent,
							   .to = id,
							   .operation = operations[(id - 1) % BS_COUNT(operations)],
							   .status = 200,
							   .outcome = "response",
							   .elapsed_us = 300,
							   .steps = id,
							   .states = id + 1}});
	}
	free(depths);
}

void fixture_feed_many(struct bs_sink sink, size_t findings, size_t steps)
{
	struct fixture_feeder feeder = {.sink = sink};
	struct many many = {.f = &feeder, .arena = BS_ARENA_INIT, .random = 1};

	declare(&feeder);
	explore(&feeder, 2000);
	for (size_t i = 0; i < findings; i++)
		finding(&many, i, findings, steps);
	for (size_t i = 0; i < BS_COUNT(rules); i++)
		fixture_emit(&feeder, (struct bs_event){.kind = BS_EVENT_INVARIANT_END,
							.invariant_end = {.name = rules[i][0],
									  .severity = rules[i][1],
									  .outcome = findings ? "violated" : "held",
									  .checked = 2000}});
	fixture_emit(&feeder, (struct bs_event){.kind = BS_EVENT_RUN_END,
						.run_end = {.gate = findings ? "failed" : "passed",
							    .exit_status = findings != 0,
							    .reason = "fail_on is critical",
							    .limit = "steps",
							    .states = 2000,
							    .steps = 1999,
							    .findings = findings,
							    .elapsed_us = 9000000,
							    .explore_us = 3000000}});
}
