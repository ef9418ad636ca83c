#include "base/cli.h"
#include "base/stop.h"
#include "scenarios/commands.h"
#include "scenarios/drill_run.h"
#include "scenarios/run_dir.h"

#include <stdlib.h>
#include <string.h>

struct tally {
	size_t deleted, left;
};

/* Only what still has the uid that was recorded: another object of that name is somebody else's. */
static bool remove_one(struct kube *k, const json_node *o, struct tally *t, struct err *err)
{
	CLEANUP(json) struct json *now = NULL;
	const char *name = json_text_at(o, "name"), *ns = json_text_at(o, "namespace"), *uid = json_text_at(o, "uid");
	const struct kube_delete how = {.uid = uid, .grace_seconds = -1};
	struct err each = ERR_INIT;
	struct kube_kind kind;

	run_state_kind(o, &kind);
	if (!kube_get(k, &kind, ns, name, &now, &each)) {
		if (each.code == ERR_NOT_FOUND) {
			printf("gone already  %s %s%s%s\n", kind.plural, ns ? ns : "", ns ? "/" : "", name);
			return true;
		}
		*err = each;
		return false;
	}
	if (strcmp(kube_uid(json_root(now)), uid) != 0) {
		printf("left          %s %s%s%s: it has been made again by somebody else\n", kind.plural, ns ? ns : "",
		    ns ? "/" : "", name);
		t->left++;
		return true;
	}
	if (!kube_delete(k, &kind, ns, name, &how, &each) && each.code != ERR_NOT_FOUND) {
		*err = each;
		return false;
	}
	printf("deleted       %s %s%s%s\n", kind.plural, ns ? ns : "", ns ? "/" : "", name);
	t->deleted++;
	return true;
}

static bool remove_all(struct kube *k, const json_node *objects, struct tally *t, struct err *err)
{
	size_t count = json_count(objects);

	for (size_t i = count; i-- > 0;) {
		char path[32];

		snprintf(path, sizeof path, "%zu", i);
		if (!remove_one(k, json_at(objects, path), t, err))
			return false;
	}
	return true;
}

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
	    {.name = NULL},
	};
	const struct opt_command command = {.program = argv[0],
	    .args = "RUN",
	    .about = "Deletes what a run has made in the cluster (ticker and verifier pods, the actions it posted), in "
		     "reverse order, "
		     "each only if it still is the very object. Restore points, backups, the database and its volumes "
		     "stay, and the run's "
		     "directory, too.",
	    .opts = opts,
	    .more = "Example: psmdb-drill cleanup runs/20261123T080000Z-1a2b3c\n\nExit status: 0 done, 2 usage, 3 "
		    "error, 130 interrupted.",
	    .min_args = 1,
	    .max_args = 1};
	CLEANUP(free) struct drill *d = calloc(1, sizeof *d);
	struct tally tally = {0};
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
	ok = run_state_load(&d->state, args[0], &err) && drill_connect(d, &err) &&
	     remove_all(d->kube, run_state_objects(&d->state), &tally, &err);
	drill_close(d);
	if (!ok)
		return err_print(argv[0], &err);
	printf("%zu deleted, %zu left\n", tally.deleted, tally.left);
	return EXIT_PASS;
}
