/* What stands around the findings: errors, warnings, what became of each rule, and which operation was answered how. */
#include "markdown.h"

#include "base/mem.h"
#include "markdown_text.h"
#include "summary_words.h"

#include <inttypes.h>

#define NOTICES_MAX 30
#define ROWS_MAX 100
#define STATUSES_MAX 8 /* of one operation */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void and_more(struct bs_buf *out, size_t count, size_t shown, const char *one, const char *many)
{
	if (count > shown) {
		bs_buf_adds(out, "\nand ");
		bs_words_count(out, count - shown, one, many);
		bs_buf_addc(out, '\n');
	}
}

/* --- Notices -------------------------------------------------------------------------------------------------- */

static void notice(struct bs_buf *out, const struct bs_ev_notice *notice)
{
	struct bs_buf place = BS_BUF_INIT;

	bs_buf_adds(out, "- ");
	bs_md_prose(out, bs_words_or(notice->message, notice->code), BS_MD_LINE);
	if (notice->hint) {
		bs_buf_adds(out, " — ");
		bs_md_prose(out, notice->hint, BS_MD_LINE);
	}
	if (notice->at.file) {
		bs_buf_adds(out, " (");
		bs_words_place(&place, &notice->at);
		bs_md_code(out, bs_buf_text(&place), BS_MD_NAME);
		bs_buf_adds(out, ")");
	}
	bs_buf_addc(out, '\n');
	bs_buf_release(&place);
}

static void notices(struct bs_buf *out, const char *heading, const struct bs_ev_notice *list, size_t count)
{
	size_t shown = least(count, NOTICES_MAX);

	if (!count)
		return;
	bs_buf_addf(out, "### %s\n\n", heading);
	for (size_t i = 0; i < shown; i++)
		notice(out, &list[i]);
	and_more(out, count, shown, "more", "more");
	bs_buf_addc(out, '\n');
}

void bs_md_errors(struct bs_buf *out, const struct bs_summary *summary)
{
	notices(out, "Errors", summary->errors, summary->error_count);
}

void bs_md_warnings(struct bs_buf *out, const struct bs_summary *summary)
{
	notices(out, "Warnings", summary->warnings, summary->warning_count);
}

/* --- Rules ---------------------------------------------------------------------------------------------------- */

/* What did not hold is looked for first. */
static const char *outcome_words(const struct bs_summary_rule *rule)
{
	const char *outcome = rule->ended ? rule->end.outcome : NULL;

	if (bs_words_equal(outcome, "held"))
		return "held";
	if (bs_words_equal(outcome, "violated"))
		return "❌ violated";
	if (bs_words_equal(outcome, "unreached"))
		return "⚠️ never reached";
	if (bs_words_equal(outcome, "error"))
		return "⚠️ could not be evaluated";
	return "not checked to the end";
}

static void rule_row(struct bs_buf *out, const struct bs_summary_rule *rule)
{
	bs_buf_adds(out, "| ");
	bs_md_code(out, rule->declared.name, BS_MD_NAME);
	bs_buf_adds(out, " | ");
	bs_md_prose(out, bs_words_or(rule->declared.severity, rule->end.severity), BS_MD_NAME);
	bs_buf_addf(out, " | %s | ", outcome_words(rule));
	bs_words_number(out, rule->end.checked);
	bs_buf_adds(out, " | ");
	bs_words_number(out, rule->end.violations);
	bs_buf_adds(out, " |\n");
}

void bs_md_rules(struct bs_buf *out, const struct bs_summary *summary)
{
	size_t shown = least(summary->rule_count, ROWS_MAX);

	if (!summary->rule_count)
		return;
	bs_buf_adds(out, "### Rules\n\n| Rule | Severity | Outcome | Times checked | Violations |\n"
			 "|---|---|---|--:|--:|\n");
	for (size_t i = 0; i < shown; i++)
		rule_row(out, &summary->rules[i]);
	and_more(out, summary->rule_count, shown, "more rule", "more rules");
	bs_buf_addc(out, '\n');
}

/* --- Coverage ------------------------------------------------------------------------------------------------- */

struct operation {
	const char *label;
};

static void add_operation(struct operation **list, size_t *count, const char *label)
{
	for (size_t i = 0; i < *count; i++)
		if (bs_words_equal((*list)[i].label, label))
			return;
	if (label)
		BS_PUSH(*list, *count)->label = label;
}

/* Those that are declared, and what a file of events may hold beside them. */
static struct operation *list_operations(const struct bs_summary *summary, size_t *ret_count)
{
	struct operation *list = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < summary->action_count; i++)
		for (size_t k = 0; k < summary->actions[i].operation_count; k++)
			add_operation(&list, ret_count, summary->actions[i].operations[k]);
	for (size_t i = 0; i < summary->coverage.status_count; i++)
		add_operation(&list, ret_count, summary->coverage.statuses[i].operation);
	return list;
}

/* "201 × 470, 500 × 3" */
static void statuses(struct bs_buf *out, const struct bs_summary *summary, const char *label)
{
	const struct bs_ev_coverage *coverage = &summary->coverage;
	size_t told = 0, more = 0;

	for (size_t i = 0; i < coverage->status_count; i++) {
		const struct bs_ev_operation_status *one = &coverage->statuses[i];
		if (!bs_words_equal(one->operation, label))
			continue;
		if (told == STATUSES_MAX) {
			more++;
			continue;
		}
		bs_buf_adds(out, told++ ? ", " : "");
		if (one->status)
			bs_buf_addf(out, "%d × ", one->status);
		else
			bs_buf_adds(out, bs_summary_moves_clock(summary, label) ? "clock moved × " : "no response × ");
		bs_words_number(out, one->count);
	}
	if (more)
		bs_buf_addf(out, " and %zu more", more);
	if (!told)
		bs_buf_adds(out, "⚠️ never executed");
}

static const struct bs_ev_latency *latency_of(const struct bs_ev_coverage *coverage, const char *label)
{
	for (size_t i = 0; i < coverage->latency_count; i++)
		if (bs_words_equal(coverage->latencies[i].operation, label))
			return &coverage->latencies[i];
	return NULL;
}

void bs_md_coverage(struct bs_buf *out, const struct bs_summary *summary)
{
	const struct bs_ev_coverage *coverage = &summary->coverage;
	size_t count;
	struct operation *list = coverage->status_count ? list_operations(summary, &count) : NULL;

	if (!list)
		return;
	bs_buf_adds(out, "### Coverage\n\n| Operation | Answers | 95 % within |\n|---|---|--:|\n");
	for (size_t i = 0; i < least(count, ROWS_MAX); i++) {
		const struct bs_ev_latency *latency = latency_of(coverage, list[i].label);
		bs_buf_adds(out, "| ");
		bs_md_code(out, list[i].label, BS_MD_NAME);
		bs_buf_adds(out, " | ");
		statuses(out, summary, list[i].label);
		bs_buf_adds(out, " | ");
		if (latency)
			bs_words_us(out, latency->p95_us);
		bs_buf_adds(out, " |\n");
	}
	and_more(out, count, least(count, ROWS_MAX), "more operation", "more operations");
	bs_buf_addc(out, '\n');
	free(list);
}
