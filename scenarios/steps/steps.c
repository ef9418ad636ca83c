#include "scenarios/steps/steps.h"

#include "scenarios/steps/parts.h"

#include <string.h>

const struct step_def *const step_defs[] = {
    &step_wait_cluster,
    &step_check_blueprint,
    &step_shard,
    &step_start_ticker,
    &step_describe,
    &step_tick,
    &step_run_policy,
    &step_find_restore_point,
    &step_pin_bound,
    &step_prove_restorable,
    &step_disaster,
    &step_restore,
    &step_collect,
    &step_recheck_bucket,
    &step_judge,
    &step_fault,
    &step_keep_import,
    &step_check_target,
    &step_release_backups,
    &step_lose_namespace,
    &step_leave_cluster,
    &step_recreate_namespace,
    &step_install_operator,
    &step_import_point,
    &step_restore_secrets,
    &step_restore_cluster,
    &step_find_destination,
    &step_restore_data,
    &step_remove_operator,
    &step_remove_namespace,
    &step_remove_records,
    &step_prove_removed,
    &step_create_namespace,
    &step_secret,
    &step_apply,
    &step_delete,
    &step_wait,
    &step_annotate,
    &step_pause,
    &step_note,
    NULL,
};

const struct step_def *step_find(const char *verb)
{
	for (const struct step_def *const *d = step_defs; *d; d++)
		if (!strcmp((*d)->verb, verb))
			return *d;
	return NULL;
}
