/* Options: one table, from which parsing, --help and the check of what a command takes all come. */
#include "cmd.h"

#include "base/mem.h"

#include <backstep/reporter.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct {
	char letter;
	const char *name;
	const char *value; /* NULL: a flag */
	const char *help;
} table[] = {
	{'r', "report", "FORMAT[=PATH]", "write a report (- prints it); may be given several times; the formats are below"},
	{'s', "seed", "N", "seed of what is random (default: the model's, or 1)"},
	{'n', "max-steps", "N", "stop after so many steps; 0: no limit"},
	{'d', "max-depth", "N", "longest sequence"},
	{'t', "time", "DURATION", "stop after so long: 30s, 5m, 500ms; 0: no limit"},
	{'S', "strategy", "bfs|dfs", "how to explore"},
	{'f', "fail-on", "SEVERITY", "least severity that fails the gate: critical, high, medium, low, never"},
	{'c', "color", "WHEN", "auto, always or never"},
	{'q', "quiet", NULL, "print no console report"},
	{'g', "no-github", NULL, "in GitHub Actions, no annotations and no job summary that were not asked for"},
	{'x', "fixed", NULL, "run the repaired demo application, in which nothing is to be found"},
	{'h', "help", NULL, "print this help"},
};

static bool takes(const struct bs_command *command, char letter)
{
	return letter == 'h' || letter == 'c' || strchr(command->options, letter);
}

static void list_formats(void)
{
	const struct bs_reporter_ops *ops;

	printf("\nreports:\n");
	for (size_t i = 0; (ops = bs_reporter_at(i)); i++) {
		printf("  %-24s %s\n", ops->name, ops->description);
		for (const struct bs_reporter_profile *profile = ops->profiles; profile && profile->name; profile++) {
			BS_AUTOFREE char *left = bs_xasprintf("%s:%s", ops->name, profile->name);
			printf("    %-22s %s\n", left, profile->description);
		}
	}
}

void bs_options_usage(const struct bs_command *command)
{
	printf("usage: backstep %s [OPTION]...%s%s\n\n%s\n\noptions:\n", command->name,
	       *command->operands ? " " : "", command->operands, command->help);
	for (size_t i = 0; i < BS_COUNT(table); i++) {
		if (!takes(command, table[i].letter))
			continue;
		BS_AUTOFREE char *left = bs_xasprintf("--%s%s%s", table[i].name, table[i].value ? " " : "",
						      table[i].value ? table[i].value : "");
		printf("  %-24s %s\n", left, table[i].help);
	}
	if (takes(command, 'r'))
		list_formats();
}

static bool add_report(struct bs_options *options, const char *text)
{
	size_t n = strcspn(text, ":="), m = text[n] == ':' ? strcspn(text + n + 1, "=") : 0;
	const char *profile = text[n] == ':' ? text + n + 1 : NULL, *equals = profile ? profile + m : text + n;
	struct bs_report_option *report = BS_PUSH(options->reports, options->report_count);

	report->format = bs_xstrndup(text, n);
	report->profile = profile ? bs_xstrndup(profile, m) : NULL;
	report->path = *equals ? bs_xstrdup(equals + 1) : NULL;
	if (n && !(profile && !m) && !(*equals && !equals[1]))
		return true;
	fprintf(stderr, "backstep: --report takes FORMAT, FORMAT=PATH or FORMAT:PROFILE=PATH, got '%s'\n", text);
	return false;
}

static bool set(struct bs_options *options, char letter, char *value)
{
	switch (letter) {
	case 'r': return add_report(options, value);
	case 's': options->seed = value; break;
	case 'n': options->max_steps = value; break;
	case 'd': options->max_depth = value; break;
	case 't': options->time = value; break;
	case 'S': options->strategy = value; break;
	case 'f': options->fail_on = value; break;
	case 'c': options->color = value; break;
	case 'q': options->quiet = true; break;
	case 'g': options->no_github = true; break;
	case 'x': options->fixed = true; break;
	case 'h': options->help = true; break;
	}
	return true;
}

bool bs_options_parse(const struct bs_command *command, int argc, char **argv, struct bs_options *ret_options)
{
	struct option longs[BS_COUNT(table) + 1] = {0};
	struct bs_options options = {.color = "auto"};
	bool good = true;
	int letter;

	for (size_t i = 0; i < BS_COUNT(table); i++)
		longs[i] = (struct option){table[i].name, table[i].value ? required_argument : no_argument, NULL,
					   table[i].letter};
	opterr = 0;
	optind = 0;
	while (good && (letter = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (letter == '?' || letter == ':') {
			fprintf(stderr, "backstep: %s: '%s'\n",
				letter == ':' ? "option needs a value" : "no such option", argv[optind - 1]);
			good = false;
		} else if (!takes(command, (char)letter)) {
			fprintf(stderr, "backstep: '%s' takes no option '%s'\n", command->name, argv[optind - 1]);
			good = false;
		} else {
			good = set(&options, (char)letter, optarg);
		}
	}
	for (; good && optind < argc; optind++) {
		int n = options.operand_count++;
		options.operands = bs_xrealloc(options.operands, (size_t)n + 1, sizeof *options.operands);
		options.operands[n] = argv[optind];
	}
	if (!good) {
		fprintf(stderr, "backstep: see 'backstep %s --help'\n", command->name);
		bs_options_release(&options);
		return false;
	}
	*ret_options = options;
	return true;
}

void bs_options_release(struct bs_options *options)
{
	for (size_t i = 0; i < options->report_count; i++) {
		free(options->reports[i].format);
		free(options->reports[i].profile);
		free(options->reports[i].path);
	}
	free(options->reports);
	free(options->operands);
	*options = (struct bs_options){0};
}
