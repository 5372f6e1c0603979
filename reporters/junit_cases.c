/*
 * What the testcases are: one for each rule, one for each action under `reach` that never succeeded, and one for
 * the run itself when it is to blame.
 *
 *   finding that the gate counts      failure
 *   finding of check-error            error: the model is at fault, not the application
 *   rule that could not be evaluated  error
 *   rule that was never reached       skipped
 *   finding that the gate spares      passed, and told in system-out and in a property: GitLab and Jenkins mark the
 *                                     job as bad for any failure, whatever the exit status says
 *   incomplete run                    error in the testcase "run", so that such a file is never green
 *
 * An oracle that nothing broke passed as soon as it was checked once: it stands for "every request was answered",
 * "no status was unexpected".
 */
#include "base/mem.h"
#include "junit.h"
#include "junit_text.h"
#include "summary_gate.h"
#include "summary_words.h"

#include <inttypes.h>
#include <string.h>

static struct bs_junit_case *add_case(struct bs_junit *junit, char *name, struct bs_ev_place at)
{
	struct bs_junit_case *new = BS_PUSH(junit->cases, junit->case_count);

	new->name = name;
	new->at = at;
	bs_buf_init(&new->text, BS_BUF_UNBOUNDED);
	bs_buf_init(&new->output, BS_BUF_UNBOUNDED);
	return new;
}

static void decide(struct bs_junit_case *one, enum bs_junit_verdict verdict, const char *type, char *message)
{
	one->verdict = verdict;
	one->type = type;
	free(one->message);
	one->message = message;
}

static bool is_of(const struct bs_ev_finding *finding, const struct bs_ev_invariant *rule)
{
	return bs_words_equal(finding->rule, rule->name) &&
	       (!finding->kind || !rule->kind || bs_words_equal(finding->kind, rule->kind));
}

/* Several findings of one rule are one failure; they come most severe first. */
static void add_finding(const struct bs_summary *summary, struct bs_junit_case *one,
			const struct bs_ev_finding *finding)
{
	bool counts = bs_gate_counts(summary, finding);
	struct bs_buf *out = counts ? &one->text : &one->output;

	*BS_PUSH(one->findings, one->finding_count) = finding;
	if (out->len)
		bs_buf_adds(out, "\n--------\n\n");
	bs_junit_story(out, summary, finding);
	if (!counts || one->verdict == BS_JUNIT_FAILED || one->verdict == BS_JUNIT_ERROR)
		return;
	if (bs_words_equal(finding->rule, "check-error"))
		decide(one, BS_JUNIT_ERROR, "check-error", bs_xstrdup(bs_words_or(finding->message, bs_words_headline(finding))));
	else
		decide(one, BS_JUNIT_FAILED, bs_words_or(finding->severity, "violation"), bs_xstrdup(bs_words_headline(finding)));
}

/* What the end of a rule says where no finding says more. */
static void decide_by_end(struct bs_junit_case *one, const struct bs_summary_rule *rule)
{
	const struct bs_ev_invariant_end *end = &rule->end;

	if (!rule->ended)
		decide(one, BS_JUNIT_SKIPPED, NULL, bs_xstrdup("not checked to the end: the run ended before"));
	else if (bs_words_equal(end->outcome, "error"))
		decide(one, BS_JUNIT_ERROR, "check-error", bs_xstrdup(bs_words_or(end->detail, "it could not be evaluated")));
	else if (bs_words_equal(end->outcome, "violated") && !one->output.len)
		decide(one, BS_JUNIT_ERROR, "not-judged",
		       bs_xasprintf("%" PRIu64 " violations were seen, and the run ended before any was confirmed",
				    end->violations));
	else if (!end->checked && !bs_words_equal(end->outcome, "violated"))
		decide(one, BS_JUNIT_SKIPPED, NULL,
		       bs_xasprintf("never reached: %s",
				    bs_words_or(end->detail, "no step gave it anything to look at")));
}

static void add_rule(struct bs_junit *junit, const struct bs_summary_rule *rule)
{
	const struct bs_summary *summary = &junit->summary;
	struct bs_junit_case *one =
		add_case(junit, bs_xstrdup(bs_words_or(rule->declared.name, "?")), rule->declared.at);

	one->rule = rule;
	one->elapsed_us = rule->end.elapsed_us;
	for (size_t i = 0; i < summary->finding_count; i++)
		if (is_of(&summary->findings[i], &rule->declared))
			add_finding(summary, one, &summary->findings[i]);
	if (one->verdict == BS_JUNIT_PASSED)
		decide_by_end(one, rule);
}

/* A finding whose rule was not declared, in a file of events that lost a line, must not be lost as well. */
static void add_strays(struct bs_junit *junit)
{
	const struct bs_summary *summary = &junit->summary;

	for (size_t i = 0; i < summary->finding_count; i++) {
		const struct bs_ev_finding *finding = &summary->findings[i];
		bool declared = false;
		for (size_t k = 0; k < summary->rule_count; k++)
			declared |= is_of(finding, &summary->rules[k].declared);
		if (!declared)
			add_finding(summary, add_case(junit, bs_xstrdup(bs_words_or(finding->rule, "?")), finding->at),
				    finding);
	}
}

static const char *action_at(const struct bs_summary *summary, const struct bs_ev_place *at)
{
	for (size_t i = 0; i < summary->action_count; i++)
		if (at->line && summary->actions[i].at.line == at->line && summary->actions[i].at.column == at->column)
			return summary->actions[i].name;
	return NULL;
}

/* Which action it is stands in the position, and at the beginning of the message. */
static void add_reach(struct bs_junit *junit, const struct bs_ev_notice *notice)
{
	const char *message = bs_words_or(notice->message, "?"), *action = action_at(&junit->summary, &notice->at);
	char *name = action ? bs_xasprintf("reach: %s", action)
			    : bs_xasprintf("reach: %.*s", (int)strcspn(message, " "), message);
	struct bs_junit_case *one = add_case(junit, name, notice->at);

	decide(one, BS_JUNIT_FAILED, "reach", bs_xstrdup(message));
	bs_words_notice(&one->text, notice);
}

static bool any_bad(const struct bs_junit *junit)
{
	for (size_t i = 0; i < junit->case_count; i++)
		if (junit->cases[i].verdict == BS_JUNIT_FAILED || junit->cases[i].verdict == BS_JUNIT_ERROR)
			return true;
	return false;
}

/* The run has a case of its own when it did not come to its end, and when the gate failed for what no other case
 * shows as bad: a rule that was never reached, say. */
static void add_run(struct bs_junit *junit)
{
	const struct bs_summary *summary = &junit->summary;
	const char *gate = bs_gate_verdict(summary);
	struct bs_ev_place at = {.file = summary->run.model};

	if (bs_words_equal(gate, "incomplete") || summary->error_count) {
		struct bs_junit_case *one = add_case(junit, bs_xstrdup("run"), at);
		const char *reason = summary->error_count ? summary->errors[0].message : bs_gate_reason(summary);
		decide(one, BS_JUNIT_ERROR, "incomplete",
		       bs_xasprintf("incomplete: %s", bs_words_or(reason, "the run did not come to its end")));
		for (size_t i = 0; i < summary->error_count; i++) {
			bs_words_notice(&one->text, &summary->errors[i]);
			bs_buf_addc(&one->text, '\n');
		}
	} else if (bs_words_equal(gate, "failed") && !any_bad(junit)) {
		decide(add_case(junit, bs_xstrdup("run"), at), BS_JUNIT_FAILED, "gate",
		       bs_xasprintf("the gate failed: %s", bs_words_or(bs_gate_reason(summary), "no reason is known")));
	}
}

/* GitLab drops a second case of one name. */
static void make_names_unique(struct bs_junit *junit)
{
	for (size_t i = 1; i < junit->case_count; i++) {
		unsigned number = 1;
		for (size_t k = 0; k < i; k++)
			if (strcmp(junit->cases[k].name, junit->cases[i].name) == 0) {
				char *name = bs_xasprintf("%s (%u)", junit->cases[i].name, ++number);
				free(junit->cases[i].name);
				junit->cases[i].name = name;
				k = SIZE_MAX; /* and once more with the new name */
			}
	}
}

void bs_junit_decide(struct bs_junit *junit)
{
	const struct bs_summary *summary = &junit->summary;

	for (size_t i = 0; i < summary->rule_count; i++)
		add_rule(junit, &summary->rules[i]);
	add_strays(junit);
	for (size_t i = 0; i < summary->warning_count; i++)
		if (bs_words_equal(summary->warnings[i].code, "reach-unmet"))
			add_reach(junit, &summary->warnings[i]);
	add_run(junit);
	make_names_unique(junit);
}
