/* backstep check: all problems of a model at once, each with its position. */
#include "cmd.h"

#include "model/model.h"

#include <stdio.h>

static void print_problem(const struct bs_problem *problem)
{
	bs_complain("%s:%u:%u: %s%s", problem->at.file, problem->at.line, problem->at.column,
		problem->warning ? "warning: " : "", problem->message);
}

struct bs_model *bs_load_model(const char *path, int *ret_status)
{
	struct bs_model *model = NULL;
	struct bs_problems problems = {0};
	struct bs_err err = BS_ERR_INIT;
	int r = bs_model_load(path, &model, &problems, &err);

	for (size_t i = 0; i < problems.count; i++)
		print_problem(&problems.items[i]);
	if (r < 0) {
		bs_fail(&err);
		*ret_status = BS_EXIT_USAGE; /* a model that cannot be read is bad usage too */
	}
	bs_problems_release(&problems);
	bs_err_release(&err);
	return r < 0 ? NULL : model;
}

int bs_cmd_check(const struct bs_options *options)
{
	int status = BS_EXIT_PASSED;

	if (!options->operand_count) {
		fprintf(stderr, "backstep: which model? usage: backstep check MODEL...\n");
		return BS_EXIT_USAGE;
	}
	for (int i = 0; i < options->operand_count; i++) {
		struct bs_model *model = bs_load_model(options->operands[i], &status);
		if (!model)
			continue;
		printf("%s: %zu actions, %zu operations, %zu invariants: no problems\n", options->operands[i],
		       model->action_count, model->operation_count, model->invariant_count);
		bs_model_free(model);
	}
	return status;
}
