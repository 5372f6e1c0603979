/*
 * A finding as a result. Its level is that of the rule's severity, unless it was never confirmed: then it does not
 * gate, and is a note.
 */
#include "sarif.h"
#include "sarif_json.h"

#include "base/mem.h"
#include "summary_gate.h"
#include "summary_words.h"

#include <inttypes.h>
#include <string.h>

#define COUNT_GREATEST 2147483647 /* readers hold it in 32 bits */

static bool unconfirmed(const struct bs_ev_finding *finding)
{
	return bs_words_equal(finding->verdict, "unconfirmed");
}

static bool known(const struct bs_ev_finding *finding)
{
	return bs_words_equal(finding->baseline, "known");
}

/* The step after which the rule broke. NULL: there is no step. */
static const struct bs_ev_finding_step *breaking_step(const struct bs_ev_finding *finding)
{
	const struct bs_ev_finding_step *step = bs_words_failing_step(finding);

	return step || !finding->step_count ? step : &finding->steps[finding->step_count - 1];
}

static struct bs_ev_place rule_place(const struct bs_sarif *sarif, const struct bs_ev_finding *finding)
{
	const struct bs_sarif_rule *rule = &sarif->rules[bs_sarif_rule_of(sarif, finding)];

	if (finding->at.file)
		return finding->at;
	return rule->declared ? rule->declared->at : (struct bs_ev_place){NULL, 0, 0};
}

/* --- The message -------------------------------------------------------------------------------------------- */

static void say_what(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	bs_sarif_say(out, bs_words_headline(finding));
	if (bs_words_message(finding)) {
		bs_buf_adds(out, ": ");
		bs_sarif_say(out, bs_words_message(finding));
	}
	bs_buf_adds(out, ". ");
}

/* "create_order → refund_order breaks the rule [refunds_within_total](1)" */
static void say_sequence(struct bs_buf *out, const struct bs_ev_finding *finding, const char *rule_id, bool linked)
{
	struct bs_buf chain = BS_BUF_INIT;

	bs_words_chain(&chain, finding, " → ");
	bs_sarif_say(out, chain.len ? bs_buf_text(&chain) : "It");
	bs_buf_adds(out, " breaks the rule ");
	if (linked)
		bs_sarif_say_link(out, rule_id, 1);
	else
		bs_sarif_say(out, rule_id);
	bs_buf_release(&chain);
}

static void say_verdict(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	if (unconfirmed(finding))
		bs_buf_addf(out, ", as was seen while exploring, but in none of %" PRIu32 " replays from a clean start",
			    finding->tries);
	else if (finding->tries)
		bs_buf_addf(out, ", in %" PRIu32 " of %" PRIu32 " replays from a clean start", finding->confirmed,
			    finding->tries);
	if (bs_words_equal(finding->verdict, "flaky"))
		bs_buf_adds(out, ": it is flaky");
	if (finding->reason) {
		bs_buf_adds(out, " (");
		bs_sarif_say(out, finding->reason);
		bs_buf_addc(out, ')');
	}
}

static void say_gate(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	struct bs_buf words = BS_BUF_INIT;

	bs_gate_words(&words, summary, finding);
	bs_buf_adds(out, ". It ");
	bs_sarif_say(out, bs_buf_text(&words));
	bs_buf_addc(out, '.');
	bs_buf_release(&words);
}

static void add_message(const struct bs_sarif *sarif, cJSON *result, const struct bs_ev_finding *finding)
{
	struct bs_buf text = BS_BUF_INIT;
	const char *id = sarif->rules[bs_sarif_rule_of(sarif, finding)].id;

	say_what(&text, finding);
	say_sequence(&text, finding, id, rule_place(sarif, finding).file != NULL);
	say_verdict(&text, finding);
	say_gate(&text, &sarif->summary, finding);
	bs_sarif_message(result, "message", &text, BS_SARIF_MESSAGE_MAX);
	bs_buf_release(&text);
}

/* --- The rest ------------------------------------------------------------------------------------------------ */

/* 0 to 100, most important first: by severity, then by how surely it happens again. */
static unsigned rank_of(const struct bs_ev_finding *finding)
{
	static const struct {
		const char *severity;
		unsigned rank;
	} ranks[] = {{"critical", 90}, {"high", 70}, {"medium", 50}, {"low", 30}};
	uint64_t sure = finding->tries ? 10 * (uint64_t)finding->confirmed / finding->tries : 10;
	unsigned value = 70;

	for (size_t i = 0; i < BS_COUNT(ranks); i++)
		if (bs_words_equal(finding->severity, ranks[i].severity))
			value = ranks[i].rank;
	if (unconfirmed(finding))
		return value / 10;
	return value + (unsigned)(sure < 10 ? sure : 10);
}

static void add_places(const struct bs_sarif *sarif, cJSON *result, const struct bs_ev_finding *finding)
{
	const struct bs_ev_finding_step *step = breaking_step(finding);
	struct bs_ev_place rule = rule_place(sarif, finding);

	cJSON_AddItemToArray(bs_sarif_array(result, "locations"),
			     bs_sarif_location(step && step->at.file ? &step->at : &rule, sarif->summary.run.model));
	if (!rule.file)
		return;
	cJSON *related = bs_sarif_location(&rule, NULL);
	struct bs_buf message = BS_BUF_INIT;
	bs_buf_adds(&message, "The rule ");
	bs_sarif_say(&message, sarif->rules[bs_sarif_rule_of(sarif, finding)].id);
	bs_buf_addc(&message, '.');
	bs_sarif_number(related, "id", 1);
	bs_sarif_message(related, "message", &message, BS_SARIF_MESSAGE_MAX);
	cJSON_AddItemToArray(bs_sarif_array(result, "relatedLocations"), related);
	bs_buf_release(&message);
}

/* The finding's own fingerprint: GitHub would make one of the text around the line, and take two findings that end
 * with one action for one. Its form is that of GitHub's, a hash and a number. */
static void add_fingerprints(cJSON *result, const struct bs_ev_finding *finding)
{
	cJSON *prints = bs_sarif_object(result, "partialFingerprints");
	BS_AUTOFREE char *hash = bs_xasprintf("%s:1", bs_words_or(finding->fingerprint, "0"));

	bs_sarif_line(prints, "backstep/v1", bs_words_or(finding->fingerprint, "0"));
	bs_sarif_line(prints, "primaryLocationLineHash", hash);
}

/* Either all results of a run have suppressions or none has (section 3.27.23): an empty list says "not accepted". */
static void add_baseline(cJSON *result, const struct bs_ev_finding *finding)
{
	bs_sarif_text(result, "baselineState", known(finding) ? "unchanged" : "new");
	cJSON *suppressions = bs_sarif_array(result, "suppressions");
	if (!known(finding))
		return;
	cJSON *suppression = bs_sarif_item(suppressions);
	bs_sarif_text(suppression, "kind", "external");
	bs_sarif_text(suppression, "status", "accepted");
	bs_sarif_text(suppression, "justification", "The baseline accepts it.");
}

static void add_properties(cJSON *result, const struct bs_ev_finding *finding)
{
	cJSON *properties = bs_sarif_object(result, "properties");

	bs_sarif_line(properties, "severity", finding->severity);
	bs_sarif_line(properties, "verdict", finding->verdict);
	bs_sarif_number(properties, "confirmed", finding->confirmed);
	bs_sarif_number(properties, "tries", finding->tries);
	bs_sarif_number(properties, "length", finding->step_count);
	bs_sarif_number(properties, "originalLength", finding->original_length);
	bs_sarif_text(properties, "minimality", finding->minimality);
	bs_sarif_text(properties, "reason", finding->reason);
	if (finding->read_count) {
		cJSON *reads = bs_sarif_object(properties, "reads");
		for (size_t i = 0; i < finding->read_count; i++)
			bs_sarif_join(reads, finding->reads[i].name, bs_words_or(finding->reads[i].json, "null"));
	}
	bs_sarif_text(properties, "replay", finding->replay);
}

static void add_flow(const struct bs_sarif *sarif, cJSON *result, const struct bs_ev_finding *finding,
		     enum bs_sarif_detail detail)
{
	if (!finding->step_count)
		return;
	cJSON *flow = bs_sarif_item(bs_sarif_array(result, "codeFlows"));
	cJSON *thread = bs_sarif_item(bs_sarif_array(flow, "threadFlows"));
	cJSON_AddItemToObject(thread, "locations", bs_sarif_flow(sarif, finding, detail));
}

cJSON *bs_sarif_result(const struct bs_sarif *sarif, const struct bs_ev_finding *finding, enum bs_sarif_detail detail)
{
	cJSON *result = cJSON_CreateObject();
	size_t rule = bs_sarif_rule_of(sarif, finding);
	uint64_t count = finding->count < COUNT_GREATEST ? finding->count : COUNT_GREATEST;

	bs_sarif_text(result, "ruleId", sarif->rules[rule].id);
	bs_sarif_number(result, "ruleIndex", rule);
	bs_sarif_text(result, "kind", "fail");
	bs_sarif_text(result, "level", unconfirmed(finding) ? "note" : bs_sarif_level(finding->severity));
	bs_sarif_number(result, "rank", rank_of(finding));
	add_message(sarif, result, finding);
	add_places(sarif, result, finding);
	add_fingerprints(result, finding);
	add_baseline(result, finding);
	bs_sarif_number(result, "occurrenceCount", count ? count : 1);
	add_flow(sarif, result, finding, detail);
	add_properties(result, finding);
	return result;
}
