/* psmdb-sandbox: a local stand-in for the cluster around real mongods, PBM and an S3 server. */
#include "sandbox/parts/cmd.h"

#include <stdio.h>
#include <string.h>

static void usage(FILE *out)
{
	fprintf(out,
	    "usage: psmdb-sandbox COMMAND ...\n\n"
	    "commands:\n"
	    "  parts     the real processes: mongods, PBM agents, an S3 server (see \"psmdb-sandbox parts --help\")\n"
	    "  version   this program's version\n\n%s\n",
	    cmd_exit_statuses);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (argc >= 2 && !strcmp(argv[1], "parts"))
		return parts_main(argc - 1, argv + 1);
	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return EXIT_PASS;
	}
	if (argc >= 2 && (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version"))) {
		printf("psmdb-sandbox %s\n", PSMDB_DRILL_VERSION);
		return EXIT_PASS;
	}
	if (argc < 2)
		err_set(&err, ERR_USAGE, "no command is given");
	else
		err_set(&err, ERR_USAGE, "unknown command \"%s\"", argv[1]);
	err_hint(&err, "see \"psmdb-sandbox --help\"");
	return cmd_fail(&err);
}
