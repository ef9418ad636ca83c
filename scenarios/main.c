/* psmdb-drill: the run directory of a drill. */
#include "base/cli.h"
#include "scenarios/commands.h"

int main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
	    {"init", cmd_init, "make a run directory with its timeline"},
	    {"note", cmd_note, "write one event into the timeline of a run"},
	    {"follow", cmd_follow, "keep the drill's own copy of the ticker's journal"},
	    {0},
	};
	static const struct cli_program program = {
	    "psmdb-drill",
	    "A disaster-recovery drill for Percona Server for MongoDB: keeps the evidence of a run that\n"
	    "psmdb-verify judges afterwards.",
	    commands,
	    "Exit status: 0 done, 2 usage, 3 error, 4 not sealed (follow), 130 interrupted.",
	};

	return cli_main(&program, argc, argv);
}
