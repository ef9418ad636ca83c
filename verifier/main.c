/* psmdb-verify: what a restore brought back, what it lost, and whether that was allowed to be lost. */
#include "base/cli.h"
#include "base/privacy.h"
#include "verifier/commands.h"

int main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
	    {"bound", cmd_bound, "pin a restore point: backup metadata -> bound.json"},
	    {"collect", cmd_collect, "read what is in the database -> observed.jsonl"},
	    {"judge", cmd_judge, "compare the evidence of a run -> verdict.json"},
	    {"report", cmd_report, "show a verdict: text, HTML, JUnit, Markdown, OpenMetrics"},
	    {"diff", cmd_diff, "what has changed between two runs"},
	    {"history", cmd_history, "many runs on one page: trends, results, versions"},
	    {"check", cmd_check, "judge and report for one run directory"},
	    {0},
	};
	static const struct cli_program program = {
	    "psmdb-verify",
	    "Says, to the operation, what a restore of Percona Server for MongoDB brought back, what it lost, and\n"
	    "whether that was allowed to be lost.",
	    commands,
	    "Exit status: 0 PASS, 1 FAIL, 2 usage, 3 error, 4 INCONCLUSIVE, 130 interrupted.",
	};

	privacy_begin();
	return cli_main(&program, argc, argv);
}
