#include "sandbox/kubelet/events.h"

#include "base/uuid.h"
#include "sandbox/kubelet/lifecycle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPONENT "psmdb-sandbox-kubelet"

struct written {
	char ns[64], name[254];
};

struct events {
	struct remote *remote;
	const struct clock *clock;
	struct kube_kind kind;
	struct written ring[EVENTS_MAX]; /* the oldest at next, once it is full */
	size_t next;
};

struct events *events_new(struct remote *r, const struct clock *clock)
{
	struct events *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->remote = r;
	e->clock = clock;
	kube_kind_set(&e->kind, "", "v1", "events", "Event", true);
	return e;
}

void events_free(struct events *e)
{
	free(e);
}

static void forget(struct events *e, const struct written *w)
{
	struct err err = ERR_INIT;

	if (w->name[0] && !kube_delete(e->remote->kube, &e->kind, w->ns, w->name, NULL, &err))
		remote_result(e->remote, err.code == ERR_NOT_FOUND, "event", &err);
}

static void remember(struct events *e, const char *ns, const char *name)
{
	struct written *slot = &e->ring[e->next];

	forget(e, slot);
	snprintf(slot->ns, sizeof slot->ns, "%s", ns);
	snprintf(slot->name, sizeof slot->name, "%s", name);
	e->next = (e->next + 1) % EVENTS_MAX;
}

void events_begin(struct events *e)
{
	CLEANUP(json) struct json *list = NULL;
	struct err err = ERR_INIT;

	if (e->remote->down ||
	    !remote_result(e->remote, kube_list(e->remote->kube, &e->kind, NULL, NULL, &list, &err), "events", &err))
		return;
	for (const json_node *o = json_first(json_get(json_root(list), "items")); o; o = json_next(o))
		if (json_is_at(o, "source/component", COMPONENT))
			remember(e, object_namespace(o), object_name(o));
}

static bool make(struct events *e, const json_node *about, const char *kind, const char *type, const char *reason,
    const char *message, struct json **ret, struct err *err)
{
	char now[SECONDS_TEXT_MAX], name[254];
	uint64_t number;

	if (!random_bytes(&number, sizeof number, err))
		return false;
	snprintf(name, sizeof name, "%.230s.%016llx", object_name(about), (unsigned long long)number);
	seconds_text(clock_wall_ms(e->clock), now);
	return json_format(ret, err,
	    "{'apiVersion':'v1','kind':'Event','metadata':{'name':%s,'namespace':%s},'type':%s,'reason':%s,'message':%"
	    "s,"
	    "'count':1,'firstTimestamp':%s,'lastTimestamp':%s,'source':{'component':'" COMPONENT "','host':'sandbox'},"
	    "'involvedObject':{'apiVersion':'v1','kind':%s,'namespace':%s,'name':%s,'uid':%s}}",
	    name, object_namespace(about), type, reason, message, now, now, kind, object_namespace(about),
	    object_name(about), object_uid(about));
}

void events_add(
    struct events *e, const json_node *about, const char *kind, bool warning, const char *reason, const char *fmt, ...)
{
	CLEANUP(json) struct json *event = NULL;
	struct err err = ERR_INIT;
	char message[1024];
	va_list ap;

	if (!e || e->remote->down)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	if (!make(e, about, kind, warning ? "Warning" : "Normal", reason, message, &event, &err))
		return;
	/* A namespace on its way out takes no more of them: no failure to speak of, and none that calls for another look. */
	if (kube_create(e->remote->kube, &e->kind, object_namespace(about), json_root(event), NULL, &err))
		remember(e, object_namespace(about), object_name(json_root(event)));
}
