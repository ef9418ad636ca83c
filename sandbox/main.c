/* psmdb-sandbox: a local stand-in for the cluster around real mongods, PBM and an S3 server. */
#include "sandbox/parts/cmd.h"
#include "sandbox/serve.h"

int main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
	    {"parts", parts_main, "the real processes: mongods, PBM agents, an S3 server"},
	    {"serve", serve_main, "one of the sandbox's own parts, in the foreground"},
	    {0},
	};
	static const struct cli_program program = {
	    "psmdb-sandbox",
	    "Plays a cluster on this machine, around real mongods, PBM and a real S3 server.",
	    commands,
	    cmd_exit_statuses,
	};

	return cli_main(&program, argc, argv);
}
