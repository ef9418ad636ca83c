#include "sandbox/kasten/blueprint.h"

#include <string.h>

#define PHASES_MAX 64 /* of a blueprint */

const json_node *blueprint_action(const json_node *blueprint, const char *name)
{
	const json_node *action = json_get(json_get(blueprint, "actions"), name);

	return json_is_object(action) ? action : NULL;
}

static bool among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; name && i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

bool blueprint_action_is_called(const char *name)
{
	static const char *const called[] = {
	    "backup", "restore", "delete", "backupPrehook", "backupPosthook", "restorePrehook", "restorePosthook"};

	return among(name, called, sizeof called / sizeof *called);
}

enum blueprint_func blueprint_func(const char *name)
{
	static const char *const elsewhere[] = {"BackupData", "BackupDataAll", "BackupDataStats", "CopyVolumeData",
	    "CreateCSISnapshot", "CreateCSISnapshotStatic", "CreateRDSSnapshot", "CreateVolumeFromSnapshot",
	    "CreateVolumeSnapshot", "DeleteCSISnapshot", "DeleteCSISnapshotContent", "DeleteData", "DeleteDataAll",
	    "DeleteDataUsingKopiaServer", "DeleteRDSSnapshot", "DeleteVolumeSnapshot", "DescribeBackups",
	    "ExportRDSSnapshotToLocation", "KubeExec", "KubeExecAll", "KubeTask", "LocationDelete", "MultiContainerRun",
	    "PrepareData", "RestoreCSISnapshot", "RestoreData", "RestoreDataAll", "RestoreDataUsingKopiaServer",
	    "RestoreRDSSnapshot", "ScaleWorkload", "WaitForSnapshotCompletion", "WaitV2"};

	if (name && !strcmp(name, "KubeOps"))
		return FUNC_KUBEOPS;
	if (name && !strcmp(name, "Wait"))
		return FUNC_WAIT;
	return among(name, elsewhere, sizeof elsewhere / sizeof *elsewhere) ? FUNC_ELSEWHERE : FUNC_UNKNOWN;
}

static bool check_args(const char *func, const json_node *args, const char *const *required, size_t required_count,
    const char *const *known, size_t known_count, struct err *err)
{
	for (size_t i = 0; i < required_count; i++)
		if (!json_get(args, required[i]))
			return err_set(
			    err, ERR_PARSE, "required argument \"%s\" of function %s is missing", required[i], func);
	for (const json_node *arg = json_first(args); arg; arg = json_next(arg))
		if (!among(json_key(arg), known, known_count))
			return err_set(err, ERR_PARSE, "argument \"%.100s\" is not supported by function %s",
			    json_key(arg) ? json_key(arg) : "", func);
	return true;
}

static bool check_phase(const json_node *phase, struct err *err)
{
	static const char *const kubeops_required[] = {"operation"};
	static const char *const kubeops_known[] = {"operation", "namespace", "spec", "objectReference"};
	static const char *const wait_required[] = {"timeout", "conditions"};
	const char *func = json_string(json_get(phase, "func"));
	const json_node *args = json_get(phase, "args");

	switch (blueprint_func(func)) {
	case FUNC_KUBEOPS:
		return check_args(func, args, kubeops_required, 1, kubeops_known, 4, err);
	case FUNC_WAIT:
		return check_args(func, args, wait_required, 2, wait_required, 2, err);
	case FUNC_ELSEWHERE:
		return true;
	case FUNC_UNKNOWN:
		break;
	}
	err_set(err, ERR_PARSE, "function \"%.100s\" is not registered", func ? func : "");
	return err_hint(err, "Kanister's functions for this purpose are KubeOps and Wait");
}

struct phase_names {
	const char *names[PHASES_MAX];
	size_t count;
};

static bool remember(struct phase_names *seen, const char *name, struct err *err)
{
	if (among(name, seen->names, seen->count))
		return err_set(err, ERR_PARSE, "Duplicated phase name is not allowed. Violating phase '%.100s'", name);
	if (seen->count == PHASES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d phases", PHASES_MAX);
	seen->names[seen->count++] = name;
	return true;
}

static bool line(struct buf *report, struct err *err, const char *phase, const char *action, const struct err *problem)
{
	if (!report)
		return true;
	if (problem->code == ERR_NONE)
		return buf_printf(report, err, "validation of phase %.100s in action %.100s passed\n", phase, action);
	return buf_printf(
	    report, err, "validation of phase %.100s in action %.100s failed: %s\n", phase, action, problem->msg);
}

/* The first failure is kept in *first; false only if it could not go on. */
static bool check_action(
    const json_node *action, struct phase_names *seen, struct buf *report, struct err *first, struct err *err)
{
	const char *name = json_key(action);

	for (const json_node *p = json_first(json_get(action, "phases")); p; p = json_next(p)) {
		const char *phase = json_string(json_get(p, "name"));
		struct err problem = ERR_INIT;

		if (!phase || !*phase)
			err_set(&problem, ERR_PARSE, "a phase of action \"%.100s\" has no name", name);
		else if (check_phase(p, &problem))
			remember(seen, phase, &problem);
		if (!line(report, err, phase ? phase : "", name, &problem))
			return false;
		if (problem.code != ERR_NONE && first->code == ERR_NONE)
			*first = problem;
	}
	return true;
}

/* What Kanister does not check. */
static bool warn_action(const json_node *blueprint, const json_node *action, struct buf *report, struct err *err)
{
	const json_node *made = json_get(blueprint_action(blueprint, "backup"), "outputArtifacts");
	const char *name = json_key(action);

	if (!blueprint_action_is_called(name) &&
	    !buf_printf(report, err, "warning: action %.100s is never called by Kasten\n", name))
		return false;
	for (const json_node *in = json_first(json_get(action, "inputArtifactNames")); in; in = json_next(in))
		if (json_string(in) && !json_get(made, json_string(in)) &&
		    !buf_printf(report, err,
			"warning: action %.100s needs artifact %.100s, which backup does not make\n", name,
			json_string(in)))
			return false;
	for (const json_node *p = json_first(json_get(action, "phases")); p; p = json_next(p))
		if (blueprint_func(json_string(json_get(p, "func"))) == FUNC_ELSEWHERE &&
		    !buf_printf(report, err, "warning: this sandbox cannot execute function %.100s\n",
			json_string(json_get(p, "func"))))
			return false;
	return true;
}

bool blueprint_validate(const json_node *blueprint, struct buf *report, struct err *err)
{
	const json_node *actions = json_get(blueprint, "actions");
	struct phase_names seen = {.count = 0};
	struct err first = ERR_INIT;

	if (!json_is_object(actions) || !json_count(actions))
		return err_set(err, ERR_PARSE, "the blueprint has no actions");
	for (const json_node *a = json_first(actions); a; a = json_next(a))
		if (!check_action(a, &seen, report, &first, err))
			return false;
	for (const json_node *a = json_first(actions); a && report; a = json_next(a))
		if (!warn_action(blueprint, a, report, err))
			return false;
	if (first.code == ERR_NONE)
		return true;
	if (err)
		*err = first;
	return err_wrap(err, "Failed to validate");
}
