#include "base/err.h"
#include "verifier/commands.h"

#include <stdio.h>
#include <string.h>

#define PROGRAM "psmdb-verify"

static const struct {
	const char *name, *full_name;
	int (*run)(int argc, char **argv);
	const char *about;
} commands[] = {
    {"bound", PROGRAM " bound", cmd_bound, "pin a restore point: backup metadata -> bound.json"},
    {"collect", PROGRAM " collect", cmd_collect, "read what is in the database -> observed.jsonl"},
    {"judge", PROGRAM " judge", cmd_judge, "compare the evidence of a run -> verdict.json"},
    {"report", PROGRAM " report", cmd_report, "show a verdict: text, HTML, JUnit, Markdown, OpenMetrics"},
    {"check", PROGRAM " check", cmd_check, "judge and report for one run directory"},
};

static void help(void)
{
	printf("usage: " PROGRAM " COMMAND [options]\n\n"
	       "Says, to the operation, what a restore of Percona Server for MongoDB brought back, what it lost, and\n"
	       "whether that was allowed to be lost.\n\ncommands:\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		printf("  %-10s%s\n", commands[i].name, commands[i].about);
	printf("\n  --help    show this text; \"" PROGRAM " COMMAND --help\" shows a command's options\n"
	       "  --version show the version\n\n"
	       "Exit status: 0 PASS, 1 FAIL, 2 usage, 3 error, 4 INCONCLUSIVE, 130 interrupted.\n");
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (argc < 2) {
		err_set(&err, ERR_USAGE, "a command is missing");
		err_hint(&err, "see \"" PROGRAM " --help\"");
		return err_print(PROGRAM, &err);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help();
		return EXIT_PASS;
	}
	if (!strcmp(argv[1], "--version")) {
		printf(PROGRAM " " PSMDB_DRILL_VERSION "\n");
		return EXIT_PASS;
	}
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		argv[1] = (char *)commands[i].full_name; /* nobody writes into it */
		return commands[i].run(argc - 1, argv + 1);
	}
	err_set(&err, ERR_USAGE, "unknown command \"%s\"", argv[1]);
	err_hint(&err, "see \"" PROGRAM " --help\"");
	return err_print(PROGRAM, &err);
}
