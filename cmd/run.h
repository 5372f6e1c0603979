/* Running a loaded model with the reporters of the command line: for run and demo. */
#ifndef BS_CMD_RUN_H
#define BS_CMD_RUN_H

#include "cmd.h"

/* Returns the exit status. */
int bs_run_model(const struct bs_options *options, struct bs_model *model);

#endif
