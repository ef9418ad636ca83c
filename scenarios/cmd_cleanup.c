#include "base/cli.h"
#include "base/stop.h"
#include "scenarios/cleanup.h"
#include "scenarios/cluster_id.h"
#include "scenarios/commands.h"
#include "scenarios/drill_run.h"
#include "scenarios/run_dir.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_cleanup(int argc, char **argv)
{
	struct drill_options options = {0};
	const struct opt opts[] = {
	    {.name = "kubeconfig",
		.kind = OPT_STRING,
		.ret = &options.kubeconfig,
		.arg = "FILE",
		.help = "as for kubectl"},
	    {.name = "context",
		.kind = OPT_STRING,
		.ret = &options.context,
		.arg = "NAME",
		.help = "the kubeconfig's context"},
	    {.name = "to-context",
		.kind = OPT_STRING,
		.ret = &options.to_context,
		.arg = "NAME",
		.help = "the other cluster's context, of a run that has restored into one"},
	    {.name = "to-kubeconfig",
		.kind = OPT_STRING,
		.ret = &options.to_kubeconfig,
		.arg = "FILE",
		.help = "the other cluster's kubeconfig (default: the same file)"},
	    {.name = NULL},
	};
	const struct opt_command command = {.program = argv[0],
	    .args = "RUN",
	    .about =
		"Deletes what a run has made in the cluster (ticker and verifier pods, the import policy and the "
		"psmdb-restore of Case 2, what steps \"apply\" have made), in reverse order, each only if it still is "
		"the very object, and the run's file receive-string. What would take data or an operator along stays "
		"and is named: namespaces, custom kinds, ClusterRoles and their bindings, databases, volumes, "
		"secrets, backups, restore points and their contents. So do Kasten's actions, which are its own "
		"record, and the rest of the run's directory. A run of Case 2 that has not imported yet cannot be "
		"resumed after it: the receive string is gone. Refused, before anything is deleted, in a cluster "
		"that is not the run's.",
	    .opts = opts,
	    .more = "Example: psmdb-drill cleanup runs/20261123T080000Z-1a2b3c\n\nExit status: 0 done, 2 usage, 3 "
		    "error, 130 interrupted.",
	    .min_args = 1,
	    .max_args = 1};
	CLEANUP(free) struct drill *d = calloc(1, sizeof *d);
	struct cleanup_tally tally;
	struct err err = ERR_INIT;
	size_t count;
	char **args;
	bool ok;
	int status;

	if (!cli_options(&command, argc, argv, &args, &count, &status))
		return status;
	if (!d || !stop_install(&err))
		return err_print(argv[0], &err);
	*d = (struct drill){.options = &options, .clock = clock_system(), .stop = stop_flag(), .stop_fd = stop_fd()};
	ok = realpath(args[0], d->dir) != NULL ||
	     err_set(&err, ERR_NOT_FOUND, "there is no run directory \"%s\"", args[0]);
	ok = ok && run_lock(args[0], &d->lock_fd, &err) && run_state_load(&d->state, args[0], &err) &&
	     drill_connect(d, &err) && cluster_id_is(d->kube, run_state_text(&d->state, "cluster-uid"), &err) &&
	     (!d->elsewhere || cluster_id_is(d->elsewhere, run_state_text(&d->state, "elsewhere-uid"), &err)) &&
	     cleanup_objects(d->kube, d->elsewhere, run_state_objects(&d->state), stdout, &tally, &err);
	if (ok) {
		unlink(drill_path(d, RUN_RECEIVE_STRING));
		run_sweep(d->dir);
	}
	drill_close(d);
	if (!ok)
		return err_print(argv[0], &err);
	printf("%zu deleted, %zu left\n", tally.deleted, tally.left);
	return EXIT_PASS;
}
