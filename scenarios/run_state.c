#include "scenarios/run_state.h"

#include "base/clock.h"
#include "base/file.h"
#include "scenarios/run_dir.h"

#include <stdio.h>
#include <string.h>

#define FORMAT "psmdb-drill/state"
#define STATE_MAX_BYTES ((size_t)4 << 20)
#define OBJECTS_MAX 1000

bool run_state_new(struct run_state *s, const char *dir, const char *scenario, const char *folder, const char *sha256,
    size_t steps, struct err *err)
{
	*s = (struct run_state){.doc = NULL};
	if (!run_path(dir, RUN_STATE, s->path, err) ||
	    !json_format(&s->doc, err,
		"{'format':'" FORMAT "','version':1,'scenario':%s,'folder':%s,'sha256':%s,'options':{},'parameters':{},"
		"'values':{},'seen':[],'steps':[],'objects':[]}",
		scenario, folder, sha256))
		return false;
	for (size_t i = 0; i < steps; i++)
		if (!json_set_format(json_edit(s->doc), "steps/-", err, "{'state':'pending'}"))
			return false;
	return run_state_save(s, err);
}

static bool known_state(const char *state)
{
	return state && (!strcmp(state, "pending") || !strcmp(state, "running") || !strcmp(state, "done") ||
			    !strcmp(state, "failed"));
}

static bool check(const json_node *root, struct err *err)
{
	const char *format = json_text_at(root, "format");

	if (!format || strcmp(format, FORMAT) != 0 || json_int_at(root, "version", 0) != 1)
		return err_set(err, ERR_PARSE, "it is not of format \"%s\", version 1", FORMAT);
	if (!json_text_at(root, "scenario") || !json_text_at(root, "folder") || !json_text_at(root, "sha256") ||
	    !json_is_array(json_at(root, "steps")) || !json_is_array(json_at(root, "objects")) ||
	    !json_is_object(json_at(root, "values")) || !json_is_object(json_at(root, "parameters")) ||
	    !json_is_object(json_at(root, "options")) || !json_is_array(json_at(root, "seen")))
		return err_set(err, ERR_PARSE, "a member is missing, or of another kind");
	for (const json_node *n = json_first(json_at(root, "steps")); n; n = json_next(n))
		if (!known_state(json_text_at(n, "state")))
			return err_set(err, ERR_PARSE, "a step has no state, or one that is not known");
	for (const json_node *n = json_first(json_at(root, "seen")); n; n = json_next(n))
		if (!json_text_at(n, "object") || !json_text_at(n, "state"))
			return err_set(err, ERR_PARSE, "what was seen has no object or state");
	for (const json_node *n = json_first(json_at(root, "objects")); n; n = json_next(n))
		if (!json_text_at(n, "plural") || !json_text_at(n, "name") || !json_text_at(n, "uid"))
			return err_set(err, ERR_PARSE, "an object has no plural, name or uid");
	return true;
}

bool run_state_parse(struct run_state *s, const char *text, size_t len, struct err *err)
{
	const struct json_limits limits = {.max_bytes = STATE_MAX_BYTES, .max_depth = 16, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;

	if (!json_parse(text, len, &limits, &doc, err) || !check(json_root(doc), err))
		return false;
	s->doc = TAKE(doc);
	return true;
}

bool run_state_load(struct run_state *s, const char *dir, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(STATE_MAX_BYTES);
	struct run_state r = {.doc = NULL};

	if (!run_path(dir, RUN_STATE, r.path, err))
		return false;
	if (!file_read(r.path, &text, err)) {
		if (err && err->code == ERR_NOT_FOUND) {
			err_set(err, ERR_NOT_FOUND, "\"%s\" is no run of a scenario: it has no " RUN_STATE, dir);
			err_hint(err, "give the directory that \"psmdb-drill run\" has printed");
		}
		return false;
	}
	if (!run_state_parse(&r, buf_str(&text), text.len, err))
		return err_wrap(err, "\"%s\"", r.path);
	*s = r;
	return true;
}

bool run_state_save(struct run_state *s, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(STATE_MAX_BYTES);

	return json_print(json_root(s->doc), true, &text, err) && buf_add_char(&text, '\n', err) &&
	       file_write_atomic(s->path, text.data, text.len, 0600, err);
}

void run_state_clear(struct run_state *s)
{
	json_free(s->doc);
	s->doc = NULL;
}

const char *run_state_text(const struct run_state *s, const char *path)
{
	return json_text_at(json_root(s->doc), path);
}

bool run_state_put(struct run_state *s, const char *path, const char *text, struct err *err)
{
	return text ? json_set_text(json_edit(s->doc), path, text, err)
		    : (json_remove_at(json_edit(s->doc), path), true);
}

static const json_node *step_node_of(const struct run_state *s, size_t step)
{
	char path[32];

	snprintf(path, sizeof path, "steps/%zu", step);
	return json_at(json_root(s->doc), path);
}

const char *run_state_step(const struct run_state *s, size_t step)
{
	const char *state = json_text_at(step_node_of(s, step), "state");

	return state ? state : "pending";
}

bool run_state_step_set(
    struct run_state *s, size_t step, const char *state, const char *error, int64_t now_wall_ms, struct err *err)
{
	json_node *node = (json_node *)step_node_of(s, step);
	char when[TIME_TEXT_MAX];

	time_format(now_wall_ms, when);
	if (!node)
		return err_set(err, ERR_STATE, "the state has no step %zu", step + 1);
	json_remove_at(node, "error");
	return json_set_text(node, "state", state, err) &&
	       json_set_text(node, strcmp(state, "running") != 0 ? "end" : "start", when, err) &&
	       (!error || json_set_text(node, "error", error, err)) && run_state_save(s, err);
}

size_t run_state_next(const struct run_state *s)
{
	size_t count = json_count(json_at(json_root(s->doc), "steps")), i = 0;

	while (i < count && !strcmp(run_state_step(s, i), "done"))
		i++;
	return i;
}

bool run_state_created(struct run_state *s, const struct kube_kind *kind, const json_node *object, size_t step,
    bool elsewhere, struct err *err)
{
	const json_node *list = run_state_objects(s);
	const char *uid = kube_uid(object);

	if (!uid || !kube_name(object))
		return err_set(err, ERR_REMOTE, "the API server has answered a %s without name or uid", kind->kind);
	for (const json_node *n = json_first(list); n; n = json_next(n))
		if (json_is_at(n, "uid", uid))
			return true;
	if (json_count(list) >= OBJECTS_MAX)
		return err_set(err, ERR_LIMIT, "the run has made more than %d objects", OBJECTS_MAX);
	return json_set_format(json_edit(s->doc), "objects/-", err,
		   "{'group':%s,'version':%s,'plural':%s,'kind':%s,'namespaced':%b,'namespace':%s,'name':%s,'uid':%s,'"
		   "step':%d,'elsewhere':%b}",
		   kind->group, kind->version, kind->plural, kind->kind, kind->namespaced, kube_namespace(object),
		   kube_name(object), uid, (int)step, elsewhere) &&
	       run_state_save(s, err);
}

const json_node *run_state_objects(const struct run_state *s)
{
	return json_at(json_root(s->doc), "objects");
}

void run_state_kind(const json_node *o, struct kube_kind *ret)
{
	const char *group = json_text_at(o, "group"), *version = json_text_at(o, "version"),
		   *kind = json_text_at(o, "kind");

	kube_kind_set(ret, group ? group : "", version ? version : "v1", json_text_at(o, "plural"), kind ? kind : "",
	    json_bool_at(o, "namespaced", true));
}
