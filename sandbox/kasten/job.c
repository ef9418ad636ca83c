#include "sandbox/kasten/job.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

#define FORMAT "psmdb-sandbox-kasten-job"

const char *job_kind_name(enum job_kind kind)
{
	static const char *const names[JOB_KINDS] = {
	    "RunAction", "BackupAction", "ExportAction", "RestoreAction", "ImportAction", "RetireAction"};

	return names[kind];
}

const char *job_state_name(enum job_state state)
{
	static const char *const names[JOB_STATES] = {
	    "Pending", "Running", "AttemptFailed", "Complete", "Failed", "Skipped", "Cancelled"};

	return names[state];
}

static bool is_final(enum job_state state)
{
	return state >= JOB_COMPLETE;
}

bool job_state_is_final(const char *name)
{
	for (int state = JOB_COMPLETE; name && state < JOB_STATES; state++)
		if (!strcmp(name, job_state_name((enum job_state)state)))
			return true;
	return false;
}

/* --- the record ------------------------------------------------------------------------------------------------ */

static bool wrap(struct json *doc, enum job_kind kind, bool dirty, struct job **ret, struct err *err)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return err_nomem(err);
	*j = (struct job){.kind = kind, .doc = doc, .root = json_edit(doc), .dirty = dirty};
	*ret = j;
	return true;
}

bool job_new(enum job_kind kind, const json_node *object, int64_t wall_ms, struct job **ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	char now[TIME_TEXT_MAX];

	if (!json_text_at(object, "metadata/uid") || !json_text_at(object, "metadata/name"))
		return err_set(err, ERR_PARSE, "an action without uid or name");
	if (!json_format(&doc, err,
		"{'format':%s,'version':1,'kind':%s,'uid':%s,'name':%s,'namespace':%s,'labels':%j,'spec':%j,'state':%s,"
		"'attempt':0,'startTime':%s,'progress':0,'step':'','try':{}}",
		FORMAT, job_kind_name(kind), json_text_at(object, "metadata/uid"),
		json_text_at(object, "metadata/name"), json_text_at(object, "metadata/namespace"),
		json_at(object, "metadata/labels"), json_get(object, "spec"), job_state_name(JOB_PENDING),
		time_format(wall_ms, now)) ||
	    !wrap(doc, kind, true, ret, err))
		return false;
	(void)TAKE(doc);
	return true;
}

bool job_load(struct json *doc, struct job **ret, struct err *err)
{
	const json_node *root = json_root(doc);
	int kind = 0, state = 0;

	while (kind < JOB_KINDS && !json_is_at(root, "kind", job_kind_name((enum job_kind)kind)))
		kind++;
	while (state < JOB_STATES && !json_is_at(root, "state", job_state_name((enum job_state)state)))
		state++;
	if (!json_is_at(root, "format", FORMAT) || json_int_at(root, "version", 0) != 1 || kind == JOB_KINDS ||
	    state == JOB_STATES || !json_text_at(root, "uid") || !json_text_at(root, "name") ||
	    !json_text_at(root, "step") || !json_text_at(root, "startTime"))
		return err_set(err, ERR_PARSE, "no record of an action");
	return wrap(doc, (enum job_kind)kind, false, ret, err);
}

void job_free(struct job *j)
{
	if (!j)
		return;
	json_free(j->doc);
	json_free(j->shown);
	free(j);
}

const char *job_uid(const struct job *j)
{
	return json_text_at(j->root, "uid");
}

const char *job_name(const struct job *j)
{
	return json_text_at(j->root, "name");
}

const char *job_namespace(const struct job *j)
{
	return json_text_at(j->root, "namespace");
}

const char *job_label(const struct job *j, const char *key)
{
	return json_string(json_get(json_get(j->root, "labels"), key));
}

enum job_state job_state(const struct job *j)
{
	int state = 0;

	while (state < JOB_STATES - 1 && !json_is_at(j->root, "state", job_state_name((enum job_state)state)))
		state++;
	return (enum job_state)state;
}

bool job_is_final(const struct job *j)
{
	return is_final(job_state(j));
}

int job_attempt(const struct job *j)
{
	return (int)json_int_at(j->root, "attempt", 0);
}

const char *job_step(const struct job *j)
{
	return json_text_at(j->root, "step");
}

/* --- moves ----------------------------------------------------------------------------------------------------- */

static const bool allowed[JOB_STATES][JOB_STATES] = {
    [JOB_PENDING] = {[JOB_RUNNING] = true, [JOB_FAILED] = true, [JOB_SKIPPED] = true, [JOB_CANCELLED] = true},
    [JOB_RUNNING] = {[JOB_ATTEMPT_FAILED] = true,
	[JOB_COMPLETE] = true,
	[JOB_FAILED] = true,
	[JOB_SKIPPED] = true,
	[JOB_CANCELLED] = true},
    [JOB_ATTEMPT_FAILED] = {[JOB_RUNNING] = true, [JOB_FAILED] = true, [JOB_CANCELLED] = true},
};

static bool move(struct job *j, enum job_state to, int64_t wall_ms, struct err *err)
{
	char now[TIME_TEXT_MAX];

	assert(allowed[job_state(j)][to]);
	j->dirty = true;
	if (is_final(to) && !json_set_text(j->root, "endTime", time_format(wall_ms, now), err))
		return false;
	return json_set_text(j->root, "state", job_state_name(to), err);
}

bool job_set_step(struct job *j, const char *step, struct err *err)
{
	j->dirty = true;
	return json_set_text(j->root, "step", step, err);
}

bool job_set_progress(struct job *j, int percent, struct err *err)
{
	if (json_int_at(j->root, "progress", 0) == percent)
		return true;
	j->dirty = true;
	return json_set_int(j->root, "progress", percent, err);
}

bool job_begin_attempt(struct job *j, const char *first_step, int64_t wall_ms, struct err *err)
{
	char now[TIME_TEXT_MAX];

	if (!json_set_format(j->root, "try", err, "{'time':%s,'startedMs':%l}", time_format(wall_ms, now), wall_ms) ||
	    !json_set_int(j->root, "attempt", job_attempt(j) + 1, err) || !job_set_step(j, first_step, err))
		return false;
	json_remove_at(j->root, "error");
	return move(j, JOB_RUNNING, wall_ms, err);
}

bool job_complete(struct job *j, int64_t wall_ms, struct err *err)
{
	return job_set_progress(j, 100, err) && move(j, JOB_COMPLETE, wall_ms, err);
}

/* Kasten's cause is a JSON document inside a string. */
static bool set_error(struct job *j, const char *message, const char *cause, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(16384);
	CLEANUP(json) struct json *inner = NULL;

	if (!json_format(&inner, err, "{'message':%s,'cause':{'message':%s}}", message, cause ? cause : message) ||
	    !json_print(json_root(inner), false, &text, err))
		return false;
	return json_set_format(j->root, "error", err, "{'message':%s,'cause':%s}", message, buf_str(&text));
}

bool job_fail(struct job *j, int64_t wall_ms, const char *message, const char *cause, struct err *err)
{
	return set_error(j, message, cause, err) && move(j, JOB_FAILED, wall_ms, err);
}

bool job_fail_attempt(struct job *j, int64_t wall_ms, const char *message, const char *cause, struct err *err)
{
	if (job_attempt(j) >= JOB_ATTEMPTS_MAX)
		return job_fail(j, wall_ms, message, cause, err);
	return set_error(j, message, cause, err) && move(j, JOB_ATTEMPT_FAILED, wall_ms, err);
}

bool job_cancel(struct job *j, int64_t wall_ms, struct err *err)
{
	return move(j, JOB_CANCELLED, wall_ms, err);
}

bool job_status(const struct job *j, struct json **ret, struct err *err)
{
	static const char *const parts[] = {"endTime", "error", "restorePoint", "policySpec"};
	CLEANUP(json) struct json *status = NULL;

	if (!json_format(&status, err, "{'state':%s,'startTime':%s,'progress':%j}", job_state_name(job_state(j)),
		json_text_at(j->root, "startTime"), json_get(j->root, "progress")))
		return false;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (json_get(j->root, parts[i]) &&
		    !json_set_copy(json_edit(status), parts[i], json_get(j->root, parts[i]), err))
			return false;
	*ret = TAKE(status);
	return true;
}
