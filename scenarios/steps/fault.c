/* fault: damages the pinned backup on purpose, so that the drill is seen to fail. Only with --allow-faults. */
#include "base/file.h"
#include "evidence/bound.h"
#include "s3/s3.h"
#include "scenarios/steps/parts.h"

#include <string.h>

static const struct step_arg fault_args[] = {
    STEP_ARG("delete", ARG_TEXT, .required = true, .help = "which of the backup's files: oplog, data or metadata"),
    {0},
};

static bool fault_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)d;
	return buf_printf(out, err, "somebody deletes the backup's %s from the bucket", step_text(args, "delete", ""));
}

static bool fault_check(struct drill *d, const json_node *args, struct err *err)
{
	const char *what = step_text(args, "delete", "");

	if (strcmp(what, "oplog") != 0 && strcmp(what, "data") != 0 && strcmp(what, "metadata") != 0)
		return err_set(err, ERR_USAGE, "fault: \"%.32s\" is none of oplog, data and metadata", what);
	if (drill_allows_faults(d))
		return true;
	err_set(err, ERR_STATE, "refused: this scenario damages the backup that it restores");
	return err_hint(
	    err, "give --allow-faults if that is what you want: the backup cannot be restored whole afterwards");
}

static bool fault_run(struct drill *d, const json_node *args, struct err *err)
{
	PART_BUCKET_CLEANUP struct part_bucket bucket = {.env = {NULL}};
	BOUND_CLEANUP struct bound b;
	CLEANUP(s3) struct s3 *s3 = NULL;
	size_t count = 0;

	bound_init(&b);
	if (!fault_check(d, args, err) || !bound_read(drill_path(d, "bound.json"), &b, err) ||
	    !part_bucket_open(d, &bucket, err) || !part_bucket_client(d, &bucket, &s3, err))
		return false;
	for (size_t i = 0; i < b.file_count; i++) {
		if (strcmp(b.files[i].kind, step_text(args, "delete", "")) != 0)
			continue;
		if (!s3_delete(s3, b.files[i].key, err) ||
		    !drill_event(d, err, "x-fault", "what", "deleted from the bucket", "key", b.files[i].key, NULL))
			return false;
		drill_say(d, "deleted %s", b.files[i].key);
		count++;
	}
	return count > 0 || err_set(err, ERR_NOT_FOUND, "the backup has no such file");
}

const struct step_def step_fault = {"fault",
    "deletes files of the pinned backup from the bucket, to see the drill fail", fault_args, STEP_DESTROYS,
    fault_describe, fault_check, fault_run};
