/*
 * The rules: what GitHub shows beside each alert. Everything here is of the rule and not of one run, so that an alert's
 * page reads the same in every run.
 */
#include "sarif.h"
#include "sarif_json.h"

#include "base/mem.h"
#include "markdown_text.h"
#include "summary_words.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define DESCRIPTION_MAX 1024 /* GitHub's limit */
#define PROSE_MAX 1000       /* bytes of a title in the help */

const char *bs_sarif_level(const char *severity)
{
	if (bs_words_equal(severity, "medium"))
		return "warning";
	return bs_words_equal(severity, "low") ? "note" : "error";
}

/* --- Which there are ------------------------------------------------------------------------------------- */

static bool same_kind(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) == 0;
}

/* -1: not yet there. */
static ptrdiff_t find(const struct bs_sarif *sarif, const char *name, const char *kind)
{
	for (size_t i = 0; i < sarif->rule_count; i++) {
		const struct bs_sarif_rule *rule = &sarif->rules[i];
		if (bs_words_equal(rule->name, bs_words_or(name, "?")) && same_kind(rule->kind, kind))
			return (ptrdiff_t)i;
	}
	return -1;
}

static bool id_taken(const struct bs_sarif *sarif, const char *id)
{
	for (size_t i = 0; i < sarif->rule_count; i++)
		if (sarif->rules[i].id && strcmp(sarif->rules[i].id, id) == 0)
			return true;
	return false;
}

/* The name; a rule of the user that bears the name of an oracle, or names that differ only behind what is cut off, get
 * a number. */
static char *unique_id(const struct bs_sarif *sarif, const char *name)
{
	char *id = bs_sarif_one_line(name, BS_SARIF_NAME_MAX);

	for (unsigned number = 2; id_taken(sarif, id); number++) {
		BS_AUTOFREE char *shorter = bs_sarif_one_line(name, BS_SARIF_NAME_MAX - 12);
		free(id);
		id = bs_xasprintf("%s-%u", shorter, number);
	}
	return id;
}

static void collect(struct bs_sarif *sarif, struct bs_sarif_rule rule)
{
	rule.name = bs_words_or(rule.name, "?");
	if (find(sarif, rule.name, rule.kind) >= 0)
		return;
	rule.id = unique_id(sarif, rule.name);
	*BS_PUSH(sarif->rules, sarif->rule_count) = rule;
}

void bs_sarif_collect_rules(struct bs_sarif *sarif)
{
	const struct bs_summary *summary = &sarif->summary;

	for (size_t i = 0; i < summary->rule_count; i++) {
		const struct bs_ev_invariant *rule = &summary->rules[i].declared;
		collect(sarif, (struct bs_sarif_rule){.name = rule->name, .kind = rule->kind, .declared = rule});
	}
	for (size_t i = 0; i < summary->finding_count; i++) {
		const struct bs_ev_finding *finding = &summary->findings[i];
		collect(sarif,
			(struct bs_sarif_rule){.name = finding->rule, .kind = finding->kind, .finding = finding});
	}
}

void bs_sarif_release_rules(struct bs_sarif *sarif)
{
	for (size_t i = 0; i < sarif->rule_count; i++)
		free(sarif->rules[i].id);
	free(sarif->rules);
}

size_t bs_sarif_rule_of(const struct bs_sarif *sarif, const struct bs_ev_finding *finding)
{
	return (size_t)find(sarif, finding->rule, finding->kind); /* collected before */
}

/* --- What is said of each ---------------------------------------------------------------------------------- */

static const char *severity_of(const struct bs_sarif_rule *rule)
{
	return bs_words_or(rule->declared ? rule->declared->severity : rule->finding->severity, "high");
}

static const char *title_of(const struct bs_sarif_rule *rule)
{
	return bs_words_or(rule->declared ? rule->declared->title : rule->finding->title, NULL);
}

static const char *text_of(const struct bs_sarif_rule *rule)
{
	return bs_words_or(rule->declared ? rule->declared->rule : NULL, NULL);
}

/* "RefundsWithinTotal", as SARIF's section 3.49.7 wants a name; the id must differ from it. */
static void add_name(cJSON *object, const char *id)
{
	struct bs_buf name = BS_BUF_INIT;
	bool begins = true;

	for (const char *c = id; *c; c++) {
		if (isalnum((unsigned char)*c))
			bs_buf_addc(&name, begins ? (char)toupper((unsigned char)*c) : *c);
		begins = !isalnum((unsigned char)*c);
	}
	if (!name.len || strcasecmp(bs_buf_text(&name), id) == 0)
		bs_buf_adds(&name, "Rule");
	bs_sarif_line(object, "name", bs_buf_text(&name));
	bs_buf_release(&name);
}

static void say_short(struct bs_buf *out, const struct bs_sarif_rule *rule)
{
	if (title_of(rule)) {
		bs_sarif_say(out, title_of(rule));
	} else {
		bs_buf_adds(out, "The rule ");
		bs_sarif_say(out, rule->id);
		bs_buf_adds(out, " is broken");
	}
	bs_buf_addc(out, '.');
}

static void say_full(struct bs_buf *out, const struct bs_sarif_rule *rule)
{
	say_short(out, rule);
	if (text_of(rule)) {
		bs_buf_adds(out, " The rule, as it is written: ");
		bs_sarif_say(out, text_of(rule));
		bs_buf_addc(out, '.');
	}
}

static const char how[] =
	"Backstep found a sequence of requests after which this rule does not hold, made it as short as it could, and "
	"replayed it from a clean start. Each step, with its request and its response, is in the result's code flow.";

static cJSON *add_markdown(cJSON *help, const struct bs_sarif_rule *rule)
{
	struct bs_buf text = BS_BUF_INIT;

	bs_buf_adds(&text, "**");
	bs_md_prose(&text, title_of(rule) ? title_of(rule) : rule->id, PROSE_MAX);
	bs_buf_adds(&text, "**\n\n");
	if (text_of(rule)) {
		bs_buf_adds(&text, "The rule, as it is written:\n\n");
		bs_md_text_block(&text, text_of(rule));
		bs_buf_addc(&text, '\n');
	}
	bs_buf_adds(&text, "Severity: ");
	bs_md_prose(&text, severity_of(rule), PROSE_MAX);
	bs_buf_addf(&text, "\n\n%s", how);
	cJSON *added = bs_sarif_text(help, "markdown", bs_buf_text(&text));
	bs_buf_release(&text);
	return added;
}

static void add_help(cJSON *object, const struct bs_sarif_rule *rule)
{
	struct bs_buf text = BS_BUF_INIT;

	say_full(&text, rule);
	bs_buf_adds(&text, " Severity: ");
	bs_sarif_say(&text, severity_of(rule));
	bs_buf_addf(&text, ". %s", how);
	add_markdown(bs_sarif_message(object, "help", &text, BS_SARIF_MESSAGE_MAX), rule);
	bs_buf_release(&text);
}

/* Not "security-severity": it makes an alert one of security, and no rule says of itself that it is. */
static void add_properties(cJSON *object, const struct bs_sarif_rule *rule)
{
	static const struct {
		const char *level, *problem; /* what GitHub calls it where it is none of security */
	} problems[] = {{"error", "error"}, {"warning", "warning"}, {"note", "recommendation"}};
	cJSON *properties = bs_sarif_object(object, "properties");
	const char *const tags[] = {"api", "sequence", bs_words_equal(rule->kind, "oracle") ? "oracle" : "invariant"};
	const char *level = bs_sarif_level(severity_of(rule));

	cJSON_AddItemToObject(properties, "tags", cJSON_CreateStringArray(tags, BS_COUNT(tags)));
	bs_sarif_text(properties, "precision", "very-high"); /* what is reported was seen to happen */
	for (size_t i = 0; i < BS_COUNT(problems); i++)
		if (strcmp(problems[i].level, level) == 0)
			bs_sarif_text(properties, "problem.severity", problems[i].problem);
	bs_sarif_line(properties, "severity", severity_of(rule));
}

static void add_rule(cJSON *rules, const struct bs_sarif_rule *rule)
{
	cJSON *object = bs_sarif_item(rules);
	struct bs_buf brief = BS_BUF_INIT, full = BS_BUF_INIT;

	bs_sarif_text(object, "id", rule->id);
	add_name(object, rule->id);
	say_short(&brief, rule);
	say_full(&full, rule);
	bs_sarif_message(object, "shortDescription", &brief, DESCRIPTION_MAX);
	bs_sarif_message(object, "fullDescription", &full, DESCRIPTION_MAX);
	bs_sarif_text(bs_sarif_object(object, "defaultConfiguration"), "level", bs_sarif_level(severity_of(rule)));
	add_help(object, rule);
	add_properties(object, rule);
	bs_buf_release(&brief);
	bs_buf_release(&full);
}

cJSON *bs_sarif_rules(const struct bs_sarif *sarif)
{
	cJSON *rules = cJSON_CreateArray();

	for (size_t i = 0; i < sarif->rule_count; i++)
		add_rule(rules, &sarif->rules[i]);
	return rules;
}
