#include "sandbox/serve.h"

#include "base/cli.h"
#include "sandbox/parts/cmd.h"

int serve_main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
	    {"api", serve_api, "the embedded Kubernetes API server"},
	    {"kasten", serve_kasten, "the stand-in for Kasten K10 and Kanister"},
	    {"kubelet", serve_kubelet, "pods as processes, with the controllers beside them"},
	    {"operator", serve_operator, "Percona's operator: psmdb, psmdb-backup and psmdb-restore of one namespace"},
	    {0},
	};
	static const struct cli_program program = {
	    "psmdb-sandbox serve",
	    "Runs one of the sandbox's parts in the foreground; \"psmdb-sandbox up\" starts them all.",
	    commands,
	    cmd_exit_statuses,
	};

	return cli_main(&program, argc, argv);
}
