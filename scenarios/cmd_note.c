#include "base/log.h"
#include "base/cli.h"
#include "scenarios/commands.h"
#include "scenarios/run_dir.h"

static bool note(const char *dir, char **args, size_t count, struct err *err)
{
	const struct log log = {.least = LOG_INFO, .program = "psmdb-drill note"};
	struct timeline_record rec = {.is_head = false};
	struct err journal_err = ERR_INIT;
	char path[PATH_MAX];

	if (!run_check_event(args[0], err) || !run_path(dir, RUN_TIMELINE, path, err))
		return false;
	/* before anything that takes time: the event is now */
	run_stamp(clock_system(), &rec);
	snprintf(rec.name, sizeof rec.name, "%s", args[0]);
	for (size_t i = 1; i < count; i++)
		if (!run_put_pair(&rec, args[i], err))
			return false;
	/* an instant cannot be written down later: without its journal record it is worth less, but not nothing */
	if (!run_newest_journal(dir, &rec.journal, &journal_err))
		log_line(&log, LOG_WARN, "the event is written without a journal record", "event", rec.name, "error",
		    journal_err.msg, NULL);
	if (timeline_append(path, &rec, err))
		return true;
	return err->code == ERR_NOT_FOUND
		   ? err_hint(err, "make the run directory with \"psmdb-drill init --run %s\"", dir)
		   : false;
}

int cmd_note(int argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = {
	    {.name = "run",
		.kind = OPT_STRING,
		.ret = &dir,
		.arg = "DIR",
		.help = "the run directory",
		.required = true},
	    {.name = NULL},
	};
	const struct opt_command command = {.program = argv[0],
	    .args = "NAME [KEY=VALUE ...]",
	    .about = "Appends one event to the timeline of a run: the time on the wall and the monotonic clock, the "
		     "newest record of the drill's copy of the journal, and the values. "
		     "Several processes may write at once.",
	    .opts = opts,
	    .more =
		"Names that the judge understands: drill.start, step.start, step.end, backup.requested, "
		"backup.finished,\n"
		"bound.pinned, disaster, outage.start, outage.end, volumes.gone, cluster.requested, cluster.ready,\n"
		"restore.requested, restore.finished, bucket.recheck, versions, clock, clock.target, run.resumed, "
		"note. Names of "
		"your\n"
		"own begin with \"x-\". What each means and which values it has: docs/formats.md.\n\n"
		"Values of a command line can be seen by every process of the machine: put no secret there.\n\n"
		"Example: psmdb-drill note --run runs/7 disaster what=\"all PVCs deleted\"\n\n"
		"Exit status: 0 done, 2 usage, 3 error.",
	    .min_args = 1,
	    .max_args = 1 + TIMELINE_DATA_MAX};
	struct err err = ERR_INIT;
	char **args;
	size_t count;
	int status;

	if (!cli_options(&command, argc, argv, &args, &count, &status))
		return status;
	if (!note(dir, args, count, &err))
		return err_print(argv[0], &err);
	return EXIT_PASS;
}
