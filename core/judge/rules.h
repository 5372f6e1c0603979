/*
 * Rules: the model's invariants, and the oracles that need no user. One table, so that everything that
 * reports can ask for a rule by its number.
 */
#ifndef BS_JUDGE_RULES_H
#define BS_JUDGE_RULES_H

#include "model/model.h"

/* Behind the invariants in the table: */
enum bs_oracle {
	BS_ORACLE_NO_RESPONSE,       /* no complete response within the time */
	BS_ORACLE_UNEXPECTED_STATUS, /* a status was declared, and another came */
	BS_ORACLE_CHECK_ERROR,       /* an expression could not be evaluated: nothing was checked */
	BS_ORACLE_COUNT,
};

struct bs_rule {
	const char *name;
	const char *title; /* what a violation means; never NULL for oracles */
	const char *text;  /* the expression or the query, as written */
	enum bs_severity severity;
	bool oracle;
	struct bs_at at; /* of an oracle: nowhere; its findings stand at the action */
};

struct bs_rules {
	struct bs_rule *items;
	size_t count;
};

void bs_rules_init(struct bs_rules *rules, const struct bs_model *model);
void bs_rules_release(struct bs_rules *rules);

static inline size_t bs_rule_of_oracle(const struct bs_model *model, enum bs_oracle oracle)
{
	return model->invariant_count + (size_t)oracle;
}

#endif
