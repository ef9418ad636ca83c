#include "base/cli.h"
#include "scenarios/commands.h"
#include "scenarios/run_dir.h"

int cmd_init(int argc, char **argv)
{
	const char *dir = NULL, *scenario = "by hand";
	const struct opt opts[] = {
	    {.name = "run",
		.kind = OPT_STRING,
		.ret = &dir,
		.arg = "DIR",
		.help = "the run directory to make; it may exist if it is empty",
		.required = true},
	    {.name = "scenario",
		.kind = OPT_STRING,
		.ret = &scenario,
		.arg = "NAME",
		.help = "name of the drill's scenario (default: by hand)"},
	    {.name = NULL},
	};
	const struct opt_command command = {.program = argv[0],
	    .args = "",
	    .about = "Makes the directory of one run (mode 0700) with a timeline that holds the event drill.start, and "
		     "prints its path.",
	    .opts = opts,
	    .more = "Exit status: 0 done, 2 usage, 3 error."};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (!run_create(dir, scenario, clock_system(), &err))
		return err_print(argv[0], &err);
	printf("%s\n", dir);
	return EXIT_PASS;
}
