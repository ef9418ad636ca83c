/* psmdb-drill: scenarios, and the run directory of a drill. */
#include "base/cli.h"
#include "base/privacy.h"
#include "scenarios/commands.h"

int main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
	    {"run", cmd_run, "play a scenario against a cluster, and judge what came back"},
	    {"explain", cmd_explain, "what a scenario would do"},
	    {"list", cmd_list, "the shipped scenarios"},
	    {"cleanup", cmd_cleanup, "delete what a run has made in the cluster"},
	    {"init", cmd_init, "make a run directory with its timeline"},
	    {"note", cmd_note, "write one event into the timeline of a run"},
	    {"follow", cmd_follow, "keep the drill's own copy of the ticker's journal"},
	    {0},
	};
	static const struct cli_program program = {
	    "psmdb-drill",
	    "A disaster-recovery drill for Percona Server for MongoDB on Kubernetes: destroys a cluster the\n"
	    "way disasters do, restores it the way operations would, and keeps the evidence that\n"
	    "psmdb-verify judges.",
	    commands,
	    "Exit status: 0 done or PASS, 1 FAIL, 2 usage, 3 error, 4 INCONCLUSIVE or not sealed (follow),\n130 "
	    "interrupted.",
	};

	privacy_begin();
	return cli_main(&program, argc, argv);
}
