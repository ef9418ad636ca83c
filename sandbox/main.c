/* psmdb-sandbox: a local stand-in for the cluster around real mongods, PBM and an S3 server. */
#include "sandbox/parts/cmd.h"
#include "sandbox/serve.h"
#include "sandbox/up/front.h"

int main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
	    {"up", front_up, "a cluster on this machine: API server, operator, Kasten, kubelet, mongods, PBM, S3"},
	    {"down", front_down, "end it; --purge removes its files, too"},
	    {"status", front_status, "what runs"},
	    {"logs", front_logs, "the log of one of the sandbox's own parts"},
	    {"parts", parts_main, "the real processes alone, without a Kubernetes API"},
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
