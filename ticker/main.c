/* psmdb-ticker: writes ticks into MongoDB and keeps the journal. */
#include "base/privacy.h"
#include "base/stop.h"
#include "ticker/options.h"
#include "ticker/run.h"
#include "ticker/shard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct options options;
	int signum = 0, status = EXIT_PASS;
	bool stuck = false;

	privacy_begin();
	switch (options_parse(argc, argv, &options, &err)) {
	case OPT_HELP:
		options_help(stdout);
		return EXIT_PASS;
	case OPT_BAD:
		return err_print("psmdb-ticker", &err);
	case OPT_OK:
		break;
	}
	if (options.version) {
		printf("psmdb-ticker %s\n", PSMDB_DRILL_VERSION);
		return EXIT_PASS;
	}
	if (options.man) {
		options_man(stdout);
		return EXIT_PASS;
	}
	if (!stop_install(&err))
		return err_print("psmdb-ticker", &err);
	/* a file-size limit is to be an error of write, not a signal */
	signal(SIGXFSZ, SIG_IGN);
	mongo_init();
	if (options.shard)
		status = shard_namespaces(&options, clock_system(), stop_flag(), stdout, &err)
			     ? EXIT_PASS
			     : err_print("psmdb-ticker", &err);
	else if (!run_ticker(&options, clock_system(), &signum, &stuck, &err))
		status = err_print("psmdb-ticker", &err);
	else if (signum == SIGINT)
		status = EXIT_INTERRUPTED;
	if (stuck)
		_Exit(status);
	mongo_cleanup();
	return status;
}
