#include "sandbox/kubelet/lifecycle.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define KILLED 137 /* 128 + SIGKILL */

static const char *const names[CONTAINER_STATES] = {"waiting", "running", "stopping", "back-off", "done"};

#define NEVER CONTAINER_STATES

static const enum container_state table[CONTAINER_STATES][CONTAINER_EVENTS] = {
    /*                     started            refused            stop                returns            ended */
    [CONTAINER_WAITING] = {CONTAINER_RUNNING, CONTAINER_WAITING, CONTAINER_DONE, NEVER, NEVER},
    [CONTAINER_RUNNING] = {NEVER, NEVER, CONTAINER_STOPPING, CONTAINER_BACKOFF, CONTAINER_DONE},
    [CONTAINER_STOPPING] = {NEVER, NEVER, CONTAINER_STOPPING, NEVER, CONTAINER_DONE},
    [CONTAINER_BACKOFF] = {CONTAINER_RUNNING, CONTAINER_BACKOFF, CONTAINER_DONE, NEVER, NEVER},
    [CONTAINER_DONE] = {NEVER, NEVER, CONTAINER_DONE, NEVER, NEVER},
};

const char *container_state_name(enum container_state state)
{
	return state < CONTAINER_STATES ? names[state] : "invalid";
}

bool container_next(enum container_state state, enum container_event event, enum container_state *ret)
{
	if (state >= CONTAINER_STATES || event >= CONTAINER_EVENTS || table[state][event] == NEVER)
		return false;
	*ret = table[state][event];
	return true;
}

bool restart_wanted(const char *policy, int exit_code)
{
	if (policy && !strcmp(policy, "Never"))
		return false;
	return !policy || strcmp(policy, "OnFailure") != 0 || exit_code != 0;
}

const char *seconds_text(int64_t wall_ms, char text[static SECONDS_TEXT_MAX])
{
	time_t seconds = wall_ms / 1000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, SECONDS_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

static bool ended_well(const struct container_view *c)
{
	return c->state == CONTAINER_DONE && c->end.known && !c->end.exit_code;
}

bool pod_initialized(const struct pod_view *v)
{
	for (size_t i = 0; i < v->init_count; i++)
		if (!ended_well(&v->inits[i]))
			return false;
	return true;
}

static bool init_failed(const struct pod_view *v)
{
	for (size_t i = 0; i < v->init_count; i++)
		if (v->inits[i].state == CONTAINER_DONE && !ended_well(&v->inits[i]))
			return true;
	return false;
}

const char *pod_phase(const struct pod_view *v)
{
	bool failed = init_failed(v), done = v->count > 0;

	for (size_t i = 0; i < v->count; i++) {
		const struct container_view *c = &v->containers[i];

		if (!c->was_started && c->state != CONTAINER_DONE)
			return failed ? "Failed" : "Pending";
		done = done && c->state == CONTAINER_DONE;
		failed = failed || !c->end.known || c->end.exit_code != 0;
	}
	return !done ? "Running" : failed ? "Failed" : "Succeeded";
}

/* {"terminated": {...}} */
static bool put_end(json_node *at, const char *path, const struct container_end *end, struct err *err)
{
	char started[SECONDS_TEXT_MAX], finished[SECONDS_TEXT_MAX];

	if (!json_set_format(at, path, err, "{'terminated':{'exitCode':%d,'reason':%s,'startedAt':%s,'finishedAt':%s}}",
		end->exit_code, end->exit_code ? "Error" : "Completed", seconds_text(end->started_ms, started),
		seconds_text(end->finished_ms, finished)))
		return false;
	if (end->signal) {
		char place[64];

		snprintf(place, sizeof place, "%s/terminated/signal", path);
		if (!json_set_int(at, place, end->signal, err))
			return false;
	}
	if (end->message[0]) {
		char place[64];

		snprintf(place, sizeof place, "%s/terminated/message", path);
		return json_set_text(at, place, end->message, err);
	}
	return true;
}

static bool put_state(json_node *at, const struct container_view *c, struct err *err)
{
	char started[SECONDS_TEXT_MAX];

	switch (c->state) {
	case CONTAINER_RUNNING:
	case CONTAINER_STOPPING:
		return json_set_text(at, "state/running/startedAt", seconds_text(c->started_ms, started), err);
	case CONTAINER_DONE:
		if (c->end.known)
			return put_end(at, "state", &c->end, err);
		break;
	case CONTAINER_WAITING:
	case CONTAINER_BACKOFF:
	case CONTAINER_STATES:
		break;
	}
	return json_set_text(at, "state/waiting/reason", c->reason[0] ? c->reason : "ContainerCreating", err) &&
	       (!c->message[0] || json_set_text(at, "state/waiting/message", c->message, err));
}

static bool container_status(const struct container_view *c, struct json **ret, struct err *err)
{
	bool runs = c->state == CONTAINER_RUNNING || c->state == CONTAINER_STOPPING;
	bool waits = c->state == CONTAINER_BACKOFF || c->state == CONTAINER_WAITING;
	const struct container_end *last = waits && c->end.known ? &c->end : &c->last;
	CLEANUP(json) struct json *doc = NULL;

	if (!json_format(&doc, err,
		"{'name':%s,'image':%s,'imageID':%s,'ready':%b,'started':%b,'restartCount':%l,'lastState':{},'state':{}"
		"}",
		c->name, c->image, c->image, c->ready && c->state == CONTAINER_RUNNING, runs, (int64_t)c->restarts) ||
	    (last->known && !put_end(json_edit(doc), "lastState", last, err)) || !put_state(json_edit(doc), c, err))
		return false;
	*ret = TAKE(doc);
	return true;
}

static const json_node *condition_before(const json_node *status, const char *type)
{
	for (const json_node *c = json_first(json_get(status, "conditions")); c; c = json_next(c))
		if (json_is_at(c, "type", type))
			return c;
	return NULL;
}

static bool put_condition(json_node *status, const struct pod_view *v, const char *type, bool yes, const char *reason,
    const char *message, struct err *err)
{
	const json_node *before = condition_before(v->before, type);
	const char *value = yes ? "True" : "False", *since = NULL;
	CLEANUP(json) struct json *doc = NULL;
	char now[SECONDS_TEXT_MAX];

	if (json_is_at(before, "status", value))
		since = json_text_at(before, "lastTransitionTime");
	return json_format(&doc, err, "{'type':%s,'status':%s,'lastProbeTime':null,'lastTransitionTime':%s}", type,
		   value, since ? since : seconds_text(v->now_ms, now)) &&
	       (!reason || yes || json_set_text(json_edit(doc), "reason", reason, err)) &&
	       (!message || !message[0] || yes || json_set_text(json_edit(doc), "message", message, err)) &&
	       json_set_copy(status, "conditions/-", json_root(doc), err);
}

static bool put_conditions(json_node *status, const struct pod_view *v, const char *phase, struct err *err)
{
	bool ready = !strcmp(phase, "Running"), finished = !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
	BUF_CLEANUP struct buf unready = BUF_INIT(4096);
	const char *reason = finished ? "PodCompleted" : "ContainersNotReady";

	buf_add_str(&unready, "containers with unready status: [", NULL);
	for (size_t i = 0; i < v->count; i++) {
		if (v->containers[i].ready && v->containers[i].state == CONTAINER_RUNNING)
			continue;
		buf_printf(
		    &unready, NULL, "%s%s", unready.data[unready.len - 1] == '[' ? "" : " ", v->containers[i].name);
		ready = false;
	}
	buf_add_char(&unready, ']', NULL);
	return json_set_format(status, "conditions", err, "[]") &&
	       put_condition(status, v, "Initialized", pod_initialized(v), "ContainersNotInitialized", NULL, err) &&
	       put_condition(status, v, "Ready", ready, reason, finished ? NULL : buf_str(&unready), err) &&
	       put_condition(status, v, "ContainersReady", ready, reason, finished ? NULL : buf_str(&unready), err) &&
	       put_condition(status, v, "PodScheduled", true, NULL, NULL, err);
}

static bool put_skipped(
    json_node *status, const struct pod_view *v, const char *name, const char *image, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	struct container_end end = {.known = true, .started_ms = v->start_ms, .finished_ms = v->start_ms};

	snprintf(end.message, sizeof end.message, "not run: the sandbox's programs need no preparation");
	return json_format(&doc, err,
		   "{'name':%s,'image':%s,'imageID':%s,'ready':true,'restartCount':0,'lastState':{}}", name, image,
		   image) &&
	       put_end(json_edit(doc), "state", &end, err) &&
	       json_set_copy(status, "initContainerStatuses/-", json_root(doc), err);
}

static bool put_init_container(json_node *status, const struct pod_view *v, const json_node *spec, struct err *err)
{
	const char *name = json_text_at(spec, "name"), *image = json_text_at(spec, "image");
	CLEANUP(json) struct json *doc = NULL;

	for (size_t i = 0; name && i < v->init_count; i++)
		if (!strcmp(v->inits[i].name, name))
			return container_status(&v->inits[i], &doc, err) &&
			       json_set_bool(json_edit(doc), "ready", ended_well(&v->inits[i]), err) &&
			       json_set_copy(status, "initContainerStatuses/-", json_root(doc), err);
	return put_skipped(status, v, name, image, err);
}

bool pod_status(const struct pod_view *v, struct json **ret, struct err *err)
{
	const json_node *init = json_get(v->spec, "initContainers");
	const char *phase = pod_phase(v);
	CLEANUP(json) struct json *doc = NULL;
	char started[SECONDS_TEXT_MAX];

	if (!json_format(&doc, err,
		"{'phase':%s,'hostIP':%s,'podIP':%s,'podIPs':[{'ip':%s}],'startTime':%s,"
		"'containerStatuses':[]}",
		phase, v->host_ip, v->pod_ip, v->pod_ip, seconds_text(v->start_ms, started)) ||
	    !put_conditions(json_edit(doc), v, phase, err) ||
	    (json_first(init) && !json_set_format(json_edit(doc), "initContainerStatuses", err, "[]")))
		return false;
	for (const json_node *i = json_first(init); i; i = json_next(i))
		if (!put_init_container(json_edit(doc), v, i, err))
			return false;
	for (size_t i = 0; i < v->count; i++) {
		CLEANUP(json) struct json *status = NULL;

		if (!container_status(&v->containers[i], &status, err) ||
		    !json_set_copy(json_edit(doc), "containerStatuses/-", json_root(status), err))
			return false;
	}
	*ret = TAKE(doc);
	return true;
}

static int64_t time_at(const json_node *node, const char *path, int64_t otherwise)
{
	const char *text = json_text_at(node, path);
	int64_t ms;

	return text && time_parse(text, &ms) ? ms : otherwise;
}

static void end_from(struct container_end *end, const json_node *terminated, int64_t now_ms)
{
	const char *message = json_text_at(terminated, "message");

	*end = (struct container_end){
	    .known = true,
	    .exit_code = (int)json_int_at(terminated, "exitCode", KILLED),
	    .signal = (int)json_int_at(terminated, "signal", 0),
	    .started_ms = time_at(terminated, "startedAt", now_ms),
	    .finished_ms = time_at(terminated, "finishedAt", now_ms),
	};
	snprintf(end->message, sizeof end->message, "%s", message ? message : "");
}

void container_view_resume(struct container_view *view, const json_node *status, const char *policy, int64_t now_ms)
{
	const json_node *running = json_at(status, "state/running"), *ended = json_at(status, "state/terminated");
	int64_t restarts = json_int_at(status, "restartCount", 0);

	view->restarts = restarts > 0 && restarts < INT32_MAX ? (uint32_t)restarts : 0;
	if (running) {
		view->end = (struct container_end){.known = true,
		    .exit_code = KILLED,
		    .signal = 9,
		    .started_ms = time_at(running, "startedAt", now_ms),
		    .finished_ms = now_ms};
		snprintf(view->end.message, sizeof view->end.message, "the kubelet ended, and its containers with it");
	} else if (ended) {
		end_from(&view->end, ended, now_ms);
	} else if (json_at(status, "lastState/terminated")) {
		end_from(&view->end, json_at(status, "lastState/terminated"), now_ms);
		view->was_started = true;
		return;
	} else {
		return;
	}
	view->was_started = true;
	if (!restart_wanted(policy, view->end.exit_code))
		view->state = CONTAINER_DONE;
}
