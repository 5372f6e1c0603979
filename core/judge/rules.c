/* The table of rules. See rules.h. */
#include "rules.h"

#include "base/mem.h"

static const struct bs_rule oracles[BS_ORACLE_COUNT] = {
	[BS_ORACLE_NO_RESPONSE] = {.name = "no-response",
				   .title = "A request got no complete response",
				   .text = "every request gets a complete response within its time",
				   .severity = BS_CRITICAL,
				   .oracle = true},
	[BS_ORACLE_UNEXPECTED_STATUS] = {.name = "unexpected-status",
					 .title = "An action was answered with a status that it does not expect",
					 .text = "every answer has a status that its action's expect names",
					 .severity = BS_HIGH,
					 .oracle = true},
	[BS_ORACLE_CHECK_ERROR] = {.name = "check-error",
				   .title = "An expression of the model could not be evaluated",
				   .text = "every expression can be evaluated",
				   .severity = BS_HIGH,
				   .oracle = true},
};

void bs_rules_init(struct bs_rules *rules, const struct bs_model *model)
{
	rules->count = model->invariant_count + BS_ORACLE_COUNT;
	rules->items = bs_xcalloc(rules->count, sizeof *rules->items);
	for (size_t i = 0; i < model->invariant_count; i++) {
		const struct bs_invariant *invariant = &model->invariants[i];
		rules->items[i] = (struct bs_rule){
			.name = invariant->name,
			.title = invariant->title,
			.text = invariant->sql_query ? invariant->sql_query : bs_expr_text(invariant->holds),
			.severity = invariant->severity,
			.at = invariant->at,
		};
	}
	for (size_t i = 0; i < BS_ORACLE_COUNT; i++)
		rules->items[model->invariant_count + i] = oracles[i];
}

void bs_rules_release(struct bs_rules *rules)
{
	free(rules->items);
	*rules = (struct bs_rules){0};
}
