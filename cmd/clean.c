/* backstep clean: what runs that were killed left in a model's stores is taken away, and nothing else is done. */
#include "cmd.h"

#include "model/model.h"
#include "world/world.h"

#include <stdio.h>

static void tell(void *ctx, const char *store, const char *text)
{
	(void)ctx;
	printf("%s: %s\n", store, text);
}

int bs_cmd_clean(const struct bs_options *options)
{
	struct bs_err err = BS_ERR_INIT;
	int status;

	if (options->operand_count != 1) {
		bs_complain("backstep: which model? usage: backstep clean MODEL");
		return BS_EXIT_USAGE;
	}
	struct bs_model *model = bs_load_model(options->operands[0], &status);
	if (!model)
		return status;
	bs_catch_signals();
	status = BS_EXIT_PASSED;
	if (bs_world_recover(model, tell, NULL, &err) < 0)
		status = bs_fail(&err);
	bs_err_release(&err);
	bs_model_free(model);
	return status;
}
