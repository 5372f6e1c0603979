/*
 * The command line: one table of subcommands, one of options, and the exit statuses.
 */
#ifndef BS_CMD_CMD_H
#define BS_CMD_CMD_H

#include <backstep/err.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bs_exit {
	BS_EXIT_PASSED = 0,
	BS_EXIT_GATE = 1,
	BS_EXIT_USAGE = 2,
	BS_EXIT_TARGET = 3,
	BS_EXIT_INTERNAL = 4,
};

struct bs_report_option { /* --report FORMAT[:PROFILE][=PATH] */
	char *format;
	char *profile; /* NULL: the format's default */
	char *path;    /* NULL: the format's default */
};

/* What was said on the command line. Numbers are kept as text until a model is there to take them. */
struct bs_options {
	struct bs_report_option *reports;
	size_t report_count;
	const char *seed, *max_steps, *max_depth, *time, *strategy, *fail_on;
	const char *color; /* auto, always, never */
	bool quiet;
	bool no_github;
	bool fixed;
	bool help;
	char **operands;
	int operand_count;
};

struct bs_command {
	const char *name;
	const char *operands; /* for usage: "MODEL" */
	const char *summary;
	const char *help;     /* paragraphs and examples for --help */
	const char *options;  /* letters of the options it takes: see options.c */
	int (*run)(const struct bs_options *options); /* an enum bs_exit */
};

extern const struct bs_command bs_commands[]; /* ends with a NULL name; the first is the default */

/* Reads the options behind argv[0]. Errors are printed; returns false then. */
bool bs_options_parse(const struct bs_command *command, int argc, char **argv, struct bs_options *ret_options);
void bs_options_release(struct bs_options *options);
void bs_options_usage(const struct bs_command *command);

/* Prints a message and a newline on standard error, whatever text is in it: it drives no terminal and no job. */
void bs_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool bs_in_github_actions(void);

/* Prints "backstep: message" and gives the exit status of the code. */
int bs_fail(const struct bs_err *err);

extern volatile sig_atomic_t bs_stop; /* set by SIGINT and SIGTERM; a second one ends at once */
void bs_catch_signals(void);

int bs_cmd_run(const struct bs_options *options);
int bs_cmd_check(const struct bs_options *options);
int bs_cmd_demo(const struct bs_options *options);
int bs_cmd_report(const struct bs_options *options);
int bs_cmd_clean(const struct bs_options *options);

/* Loads a model and prints its problems. NULL when there are errors; *ret_status is the exit status then. */
struct bs_model;
struct bs_model *bs_load_model(const char *path, int *ret_status);

#endif
