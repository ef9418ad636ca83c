#include "sandbox/kasten/executor.h"

#include "doc/yaml.h"
#include "sandbox/kasten/blueprint.h"
#include "sandbox/kasten/duration.h"
#include "sandbox/kasten/render.h"

#include <string.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 10000
/* An API server that is away for less does not fail a phase: it may be restarting. */
#define AWAY_MAX_MS 60000
#define AWAY_POLL_MS 500
#define WAIT_FAILED "Failed to wait for the condition to be met: Context done while polling: context deadline exceeded"

/* --- making a run ---------------------------------------------------------------------------------------------- */

static bool set_artifacts(json_node *run, const struct executor_start *start, const json_node *action, struct err *err)
{
	for (const json_node *name = json_first(json_get(action, "inputArtifactNames")); name; name = json_next(name)) {
		const char *key = json_string(name);

		if (key && !json_get(start->artifacts_in, key))
			return err_set(err, ERR_NOT_FOUND, "Failed to find input artifact '%.100s'", key);
	}
	for (const json_node *a = json_first(start->artifacts_in); a; a = json_next(a)) {
		char path[600];

		snprintf(path, sizeof path, "params/ArtifactsIn/%.500s", json_key(a));
		if (strpbrk(json_key(a), "/~"))
			return err_set(err, ERR_PARSE, "an artifact's name \"%.100s\"", json_key(a));
		if (!json_set_format(run, path, err, "{'KeyValue':%j}", json_get(a, "keyValue")))
			return false;
	}
	return true;
}

bool executor_new(const struct executor_start *start, struct json **ret_run, struct err *err)
{
	const json_node *action = blueprint_action(start->blueprint, start->action);
	CLEANUP(json) struct json *run = NULL;

	if (!action)
		return err_set(err, ERR_NOT_FOUND, "Action '%.100s' not found in blueprint '%.100s'", start->action,
		    start->blueprint_name);
	if (json_get(action, "deferPhase"))
		return err_set(err, ERR_UNSUPPORTED, "deferPhase of action \"%.100s\" in this sandbox", start->action);
	if (!json_format(&run, err,
		"{'blueprint':%s,'action':%s,'time':%s,'spec':%j,'phase':0,'params':{'Object':%j,'ArtifactsIn':{},"
		"'ArtifactsOut':{},'Phases':{},'Options':{},'Time':%s,'Namespace':{'Name':%s},'Profile':{'Location':%j}"
		"}}",
		start->blueprint_name, start->action, start->time, action, start->object, start->time,
		json_text_at(start->object, "metadata/namespace"),
		json_at(start->profile, "spec/locationSpec/objectStore")) ||
	    !set_artifacts(json_edit(run), start, action, err))
		return false;
	*ret_run = TAKE(run);
	return true;
}

void executor_progress(const json_node *run, size_t *ret_done, size_t *ret_all)
{
	*ret_all = json_count(json_at(run, "spec/phases"));
	*ret_done = (size_t)json_int_at(run, "phase", 0);
}

/* --- one step -------------------------------------------------------------------------------------------------- */

struct step {
	json_node *run;
	const struct executor_api *api;
	int64_t now_ms, poll_max_ms;
	enum executor_result result;
	int64_t next_ms;
	char phase[254];
};

/* A failure that Kanister would see: it ends the run, and is no error of this process. */
static bool fail(struct step *s, const struct err *why, struct err *err)
{
	s->result = EXECUTOR_FAILED;
	return json_set_text(s->run, "failure", why->msg, err) && json_set_text(s->run, "failedPhase", s->phase, err) &&
	       s->api->save(s->api->ctx, err);
}

static bool fail_text(struct step *s, struct err *err, const char *text)
{
	struct err why = ERR_INIT;

	err_set(&why, ERR_REMOTE, "%s", text);
	return fail(s, &why, err);
}

/* Out of memory or disk is ours; everything else happened to Kanister. */
static bool is_ours(const struct err *why)
{
	return why->code == ERR_NOMEM || why->code == ERR_IO || why->code == ERR_INTERRUPTED;
}

static bool fail_or_return(struct step *s, const struct err *why, struct err *err)
{
	if (!is_ours(why))
		return fail(s, why, err);
	if (err)
		*err = *why;
	return false;
}

static bool again_in(struct step *s, int64_t delay_ms)
{
	s->result = EXECUTOR_AGAIN;
	s->next_ms = s->now_ms + (delay_ms < s->poll_max_ms ? delay_ms : s->poll_max_ms);
	return true;
}

/* The server was not reached: go on for a while, without knowing what arrived. */
static bool away(const struct step *s, const struct err *why)
{
	return (why->code == ERR_NET || why->code == ERR_TIMEOUT) &&
	       s->now_ms - json_int_at(s->run, "now/started", 0) < AWAY_MAX_MS;
}

static bool phase_done(struct step *s, const json_node *output, struct err *err)
{
	char path[300];
	int64_t phase = json_int_at(s->run, "phase", 0);

	snprintf(path, sizeof path, "params/Phases/%s", s->phase);
	if (!json_set_format(s->run, path, err, "{'Output':%j}", output) ||
	    !json_set_int(s->run, "phase", phase + 1, err))
		return false;
	json_remove_at(s->run, "now");
	s->result = EXECUTOR_AGAIN;
	s->next_ms = s->now_ms;
	return s->api->save(s->api->ctx, err);
}

/* --- KubeOps create -------------------------------------------------------------------------------------------- */

static bool parse_spec(const json_node *run, struct yaml_docs *ret, struct err *err)
{
	const struct yaml_limits limits = {.max_bytes = RENDER_MAX, .max_depth = 32, .max_nodes = 50000, .max_docs = 1};
	const char *spec = json_text_at(run, "now/args/spec");

	if (!spec || !*spec)
		return err_set(err, ERR_PARSE, "spec cannot be empty for create operation");
	if (!yaml_parse(spec, strlen(spec), &limits, ret, err))
		return err_wrap(err, "spec of the object to create");
	if (!ret->count || !json_text_at(json_root(ret->items[0]), "metadata/name"))
		return err_set(err, ERR_UNSUPPORTED, "a spec without metadata.name in this sandbox");
	return true;
}

/* The namespace in the YAML beats the argument. */
static const char *create_namespace(const json_node *run, const json_node *object)
{
	const char *own = json_text_at(object, "metadata/namespace");
	const char *arg = json_text_at(run, "now/args/namespace");

	return own && *own ? own : arg && *arg ? arg : "default";
}

static struct object_ref ref_of(const json_node *node)
{
	struct object_ref ref = {
	    .group = json_text_at(node, "group"),
	    .version = json_text_at(node, "apiVersion"),
	    .resource = json_text_at(node, "resource"),
	    .namespace_ = json_text_at(node, "namespace"),
	    .name = json_text_at(node, "name"),
	};

	ref.group = ref.group ? ref.group : "";
	ref.namespace_ = ref.namespace_ ? ref.namespace_ : "";
	return ref;
}

/* Before the first try: what is there already is somebody else's. From here on it is ours. */
static bool announce_create(struct step *s, const json_node *object, bool *ret_go_on, struct err *err)
{
	CLEANUP(json) struct json *reference = NULL;
	CLEANUP(json) struct json *there = NULL;
	struct err why = ERR_INIT;
	struct object_ref ref;

	*ret_go_on = false;
	if (!s->api->refer(s->api->ctx, object, &reference, &why))
		return away(s, &why) ? again_in(s, AWAY_POLL_MS) : fail_or_return(s, &why, err);
	if (!json_set_text(json_edit(reference), "name", json_text_at(object, "metadata/name"), err) ||
	    !json_set_text(json_edit(reference), "namespace", create_namespace(s->run, object), err))
		return false;
	ref = ref_of(json_root(reference));
	if (s->api->get(s->api->ctx, &ref, &there, &why)) {
		err_set(&why, ERR_EXISTS, "%s%s%s \"%s\" already exists", ref.resource, *ref.group ? "." : "",
		    ref.group, ref.name);
		return fail(s, &why, err);
	}
	if (why.code != ERR_NOT_FOUND)
		return away(s, &why) ? again_in(s, AWAY_POLL_MS) : fail_or_return(s, &why, err);
	*ret_go_on = true;
	return json_set_copy(s->run, "now/creating", json_root(reference), err) && s->api->save(s->api->ctx, err);
}

static bool step_create(struct step *s, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	CLEANUP(json) struct json *output = NULL;
	struct err why = ERR_INIT;
	const json_node *object;

	if (!parse_spec(s->run, &docs, &why))
		return fail_or_return(s, &why, err);
	object = json_root(docs.items[0]);
	if (!json_at(s->run, "now/creating")) {
		bool go_on;

		if (!announce_create(s, object, &go_on, err))
			return false;
		if (!go_on)
			return true;
	}
	if (!s->api->create(s->api->ctx, create_namespace(s->run, object), object, &why) && why.code != ERR_EXISTS)
		return away(s, &why) ? again_in(s, AWAY_POLL_MS) : fail_or_return(s, &why, err);
	return json_clone(json_at(s->run, "now/creating"), &output, err) &&
	       json_set_text(json_edit(output), "kind", "", err) && phase_done(s, json_root(output), err);
}

/* --- KubeOps delete -------------------------------------------------------------------------------------------- */

static bool step_delete(struct step *s, struct err *err)
{
	CLEANUP(json) struct json *there = NULL;
	CLEANUP(json) struct json *output = NULL;
	struct object_ref ref = ref_of(json_at(s->run, "now/args/objectReference"));
	struct err why = ERR_INIT;

	if (!ref.name || !ref.version || !ref.resource || !*ref.name || !*ref.version || !*ref.resource)
		return fail_text(s, err,
		    "missing one or more required fields name/namespace/group/apiVersion/resource in objectReference "
		    "for "
		    "delete operation");
	if (!s->api->get(s->api->ctx, &ref, &there, &why)) {
		if (why.code == ERR_NOT_FOUND && json_at(s->run, "now/deleting"))
			return json_clone(json_at(s->run, "now/args/objectReference"), &output, err) &&
			       phase_done(s, json_root(output), err);
		return away(s, &why) ? again_in(s, AWAY_POLL_MS) : fail_or_return(s, &why, err);
	}
	if (!json_at(s->run, "now/deleting") &&
	    (!json_set_bool(s->run, "now/deleting", true, err) || !s->api->save(s->api->ctx, err)))
		return false;
	if (!json_at(there ? json_root(there) : NULL, "metadata/deletionTimestamp") &&
	    !s->api->remove(s->api->ctx, &ref, &why) && why.code != ERR_NOT_FOUND)
		return away(s, &why) ? again_in(s, AWAY_POLL_MS) : fail_or_return(s, &why, err);
	return again_in(s, AWAY_POLL_MS);
}

static bool step_kubeops(struct step *s, struct err *err)
{
	const char *operation = json_text_at(s->run, "now/args/operation");
	struct err why = ERR_INIT;

	if (operation && !strcmp(operation, "create"))
		return step_create(s, err);
	if (operation && !strcmp(operation, "delete"))
		return step_delete(s, err);
	err_set(&why, ERR_PARSE, "invalid operation '%.100s'", operation ? operation : "");
	return fail(s, &why, err);
}

/* --- Wait ------------------------------------------------------------------------------------------------------ */

static bool evaluate(const struct step *s, const json_node *entry, bool *ret, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;
	const char *condition = json_text_at(entry, "condition");
	struct object_ref ref = ref_of(json_get(entry, "objectReference"));

	if (!ref.name || !ref.version || !ref.resource)
		return err_set(err, ERR_NOT_FOUND, "name, apiVersion or resource is missing in objectReference");
	return s->api->get(s->api->ctx, &ref, &object, err) &&
	       render_condition(condition ? condition : "", json_root(object), ret, err);
}

/*
 * One pass: any of the one list, or all of the other. An entry that cannot be evaluated ends the pass; what was wrong in the last
 * pass is put in front of the time-out's text.
 */
static bool pass(const struct step *s, struct err *err)
{
	const json_node *conditions = json_at(s->run, "now/args/conditions");
	const json_node *all = json_first(json_get(conditions, "allOf"));
	bool holds = false;

	for (const json_node *e = json_first(json_get(conditions, "anyOf")); e; e = json_next(e)) {
		if (!evaluate(s, e, &holds, err))
			return false;
		if (holds)
			return true;
	}
	holds = all != NULL;
	for (; all && holds; all = json_next(all))
		if (!evaluate(s, all, &holds, err))
			return false;
	return holds;
}

static bool wait_failed(struct step *s, const struct err *last, struct err *err)
{
	struct err why = ERR_INIT;

	if (last->code == ERR_NONE)
		return fail_text(s, err, WAIT_FAILED);
	err_set(&why, ERR_TIMEOUT, "%.700s: %s", last->msg, WAIT_FAILED);
	return fail(s, &why, err);
}

static bool step_wait(struct step *s, struct err *err)
{
	const char *timeout = json_text_at(s->run, "now/args/timeout");
	int64_t polls = json_int_at(s->run, "now/polls", 0);
	int64_t started = json_int_at(s->run, "now/started", 0), timeout_ms, left;
	struct err last = ERR_INIT, why = ERR_INIT;

	if (!duration_parse(timeout ? timeout : "", &timeout_ms, &why))
		return fail(s, &why, err);
	if (pass(s, &last))
		return phase_done(s, NULL, err);
	left = started + timeout_ms - s->now_ms;
	if (left <= 0)
		return wait_failed(s, &last, err);
	if (!json_set_int(s->run, "now/polls", polls + 1, err))
		return false;
	again_in(s, polls >= 7 ? BACKOFF_LAST_MS : BACKOFF_FIRST_MS << polls);
	if (s->next_ms > started + timeout_ms)
		s->next_ms = started + timeout_ms;
	return true;
}

/* --- the whole ------------------------------------------------------------------------------------------------- */

static bool begin_phase(struct step *s, const json_node *phase, struct err *err)
{
	CLEANUP(json) struct json *args = NULL;
	struct err why = ERR_INIT;

	if (json_get(phase, "args") && !render_tree(json_get(phase, "args"), json_at(s->run, "params"), &args, &why))
		return fail_or_return(s, &why, err);
	return json_set_format(
		   s->run, "now", err, "{'started':%l,'args':%j}", s->now_ms, args ? json_root(args) : NULL) &&
	       s->api->save(s->api->ctx, err);
}

static bool finish(struct step *s, struct err *err)
{
	const json_node *wanted = json_at(s->run, "spec/outputArtifacts");
	CLEANUP(json) struct json *artifacts = NULL;
	struct err why = ERR_INIT;

	if (wanted && !render_tree(wanted, json_at(s->run, "params"), &artifacts, &why))
		return fail_or_return(s, &why, err);
	if (artifacts && !json_set_copy(s->run, "artifacts", json_root(artifacts), err))
		return false;
	s->result = EXECUTOR_DONE;
	return true;
}

static bool step_phase(struct step *s, const json_node *phase, struct err *err)
{
	const char *func = json_string(json_get(phase, "func"));
	struct err why = ERR_INIT;

	if (!json_at(s->run, "now") && (!begin_phase(s, phase, err) || s->result == EXECUTOR_FAILED))
		return s->result == EXECUTOR_FAILED;
	switch (blueprint_func(func)) {
	case FUNC_KUBEOPS:
		return step_kubeops(s, err);
	case FUNC_WAIT:
		return step_wait(s, err);
	case FUNC_ELSEWHERE:
		err_set(&why, ERR_UNSUPPORTED, "function %s is not part of this sandbox", func);
		return fail(s, &why, err);
	case FUNC_UNKNOWN:
		break;
	}
	err_set(&why, ERR_PARSE, "Requested function {%.100s} has not been registered", func ? func : "");
	return fail(s, &why, err);
}

bool executor_step(json_node *run, const struct executor_api *api, int64_t now_ms, int64_t poll_max_ms,
    enum executor_result *ret, int64_t *ret_next_ms, struct err *err)
{
	struct step s = {.run = run, .api = api, .now_ms = now_ms, .poll_max_ms = poll_max_ms, .next_ms = now_ms};
	const json_node *phase;
	const char *name;
	char path[64];

	snprintf(path, sizeof path, "spec/phases/%lld", (long long)json_int_at(run, "phase", 0));
	phase = json_at(run, path);
	name = json_text_at(phase, "name");
	snprintf(s.phase, sizeof s.phase, "%s", name ? name : "");
	if (phase && (!*s.phase || strpbrk(s.phase, "/~"))) {
		if (!fail_text(&s, err, "a phase without a usable name"))
			return false;
	} else if (!(phase ? step_phase(&s, phase, err) : finish(&s, err))) {
		return false;
	}
	*ret = s.result;
	*ret_next_ms = s.next_ms;
	return true;
}
