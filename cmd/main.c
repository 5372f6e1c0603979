/* The entry: finds the subcommand, reads its options, runs it. */
#include "cmd.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct bs_command bs_commands[] = {
	{"run", "MODEL", "explore the API of a model and report what breaks",
	 "Explores the API that MODEL declares: starts the application, takes a step, checks every invariant,\n"
	 "steps back, tries another. What breaks is shrunk, confirmed from a clean start and reported.\n\n"
	 "examples:\n"
	 "  backstep run payments.yaml --report html --report junit\n"
	 "  backstep payments.yaml --time 30s --fail-on high\n\n"
	 "exit status: 0 the gate passed, 1 it failed, 2 bad usage or model, 3 the target or a store could not be\n"
	 "reached, 4 incomplete run or internal error",
	 "rsndtSfqg", bs_cmd_run},
	{"check", "MODEL...", "check models without running them",
	 "Reads each MODEL and reports all of its problems, with their positions.\n\n"
	 "example:\n  backstep check payments.yaml",
	 "", bs_cmd_check},
	{"demo", "", "find real bugs in the demo application",
	 "Starts the demo application, a small payments API with two sequence bugs in it, as a separate process that\n"
	 "commits to SQLite, and explores it. With --fixed the bugs are repaired and nothing is found.\n\n"
	 "examples:\n  backstep demo\n  backstep demo --fixed --report html",
	 "rsndtSfqgx", bs_cmd_demo},
	{"report", "EVENTS", "make the reports of a run again from its event file",
	 "Reads the events that a run wrote with --report ndjson and makes any report from them, the same byte for byte as\n"
	 "the run would have written. '-' is standard input. A file without an end is of an incomplete run, and says so in\n"
	 "every report.\n\n"
	 "examples:\n"
	 "  backstep report events.ndjson\n"
	 "  backstep report events.ndjson --report html --report junit=junit.xml\n\n"
	 "exit status: that of the run; 2 no event file, or one of a newer format; 4 an incomplete run or a report that\n"
	 "could not be written",
	 "rq", bs_cmd_report},
	{"clean", "MODEL", "put back what a run that was killed left changed",
	 "Takes away what runs that were killed left in the stores of MODEL: data that was used in place is what it was\n"
	 "before them, and clones are gone. The next run does that by itself; this does only that.\n\n"
	 "example:\n  backstep clean payments.yaml\n\n"
	 "exit status: 0 all is as it was, 2 bad usage or model, 3 a store could not be reached or put back",
	 "", bs_cmd_clean},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

volatile sig_atomic_t bs_stop;

static void on_signal(int number)
{
	if (bs_stop) { /* asked twice: the guard cleans up behind us */
		static const char text[] = "\nbackstep: stopped at once\n";
		ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
		(void)ignored;
		_exit(128 + number);
	}
	bs_stop = 1;
}

void bs_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int bs_fail(const struct bs_err *err)
{
	bs_complain("backstep: %s", bs_err_text(err));
	switch (err->code) {
	case BS_OK: return BS_EXIT_PASSED;
	case BS_EUSAGE:
	case BS_EMODEL: return BS_EXIT_USAGE;
	case BS_ETARGET:
	case BS_ESTORE: return BS_EXIT_TARGET;
	case BS_EEXPR:
	case BS_EIO:
	case BS_EINTERRUPTED:
	case BS_EBUSY:
	case BS_EINTERNAL: break;
	}
	return BS_EXIT_INTERNAL;
}

static void usage(FILE *to)
{
	fputs("backstep " BS_VERSION " finds sequence bugs in HTTP APIs\n\n"
	      "usage: backstep [COMMAND] [OPTION]... [OPERAND]...\n\ncommands:\n", to);
	for (const struct bs_command *c = bs_commands; c->name; c++)
		fprintf(to, "  %-8s %-10s %s%s\n", c->name, c->operands, c->summary,
			c == bs_commands ? " (the default)" : "");
	fputs("\n'backstep COMMAND --help' tells more. 'backstep --version' prints the version.\n", to);
}

static const struct bs_command *find_command(const char *name)
{
	for (const struct bs_command *c = bs_commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct bs_command *command = argc > 1 ? find_command(argv[1]) : NULL;
	struct bs_options options;

	if (argc < 2) {
		usage(stderr);
		return BS_EXIT_USAGE;
	}
	if (!command && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return BS_EXIT_PASSED;
	}
	if (!command && strcmp(argv[1], "--version") == 0) {
		puts("backstep " BS_VERSION);
		return BS_EXIT_PASSED;
	}
	bool named = command != NULL;
	if (!named)
		command = bs_commands; /* backstep payments.yaml */
	if (!bs_options_parse(command, argc - named, argv + named, &options))
		return BS_EXIT_USAGE;
	int status = BS_EXIT_PASSED;
	if (options.help)
		bs_options_usage(command);
	else
		status = command->run(&options);
	bs_options_release(&options);
	if (fflush(stdout) == EOF && status == BS_EXIT_PASSED)
		status = BS_EXIT_INTERNAL;
	return status;
}
