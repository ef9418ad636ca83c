/* psmdb-drill: runs a drill and keeps its evidence. */
#include "base/err.h"
#include "scenarios/commands.h"

#include <stdio.h>
#include <string.h>

#define PROGRAM "psmdb-drill"

static const struct {
	const char *name, *full_name;
	int (*run)(int argc, char **argv);
	const char *about;
} commands[] = {
    {"init", PROGRAM " init", cmd_init, "make a run directory with its timeline"},
    {"note", PROGRAM " note", cmd_note, "write one event into the timeline of a run"},
    {"follow", PROGRAM " follow", cmd_follow, "keep the drill's own copy of the ticker's journal"},
};

static void help(void)
{
	printf("usage: " PROGRAM " COMMAND [options]\n\n"
	       "A disaster-recovery drill for Percona Server for MongoDB: keeps the evidence of a run that\n"
	       "psmdb-verify judges afterwards.\n\ncommands:\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		printf("  %-10s%s\n", commands[i].name, commands[i].about);
	printf("\n  --help    show this text; \"" PROGRAM " COMMAND --help\" shows a command's options\n"
	       "  --version show the version\n\n"
	       "Exit status: 0 done, 2 usage, 3 error, 4 not sealed (follow), 130 interrupted.\n");
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
