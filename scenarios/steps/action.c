#include "scenarios/steps/action.h"

#include "base/uuid.h"

#include <stdio.h>
#include <string.h>

#define POLL_MS 250

/* RunActions live with Kasten, the others with the application. */
struct action action_of(struct drill *d, const char *plural, const char *kind, const char *prefix, const char *asked,
    const char *made, const char *event)
{
	struct action a = {.namespace_ = strcmp(plural, "runactions") != 0 ? drill_namespace(d) : drill_kasten(d),
	    .prefix = prefix,
	    .asked = asked,
	    .made = made,
	    .event = event};

	kind_kasten(&a.kind, KASTEN_ACTIONS_GROUP, plural, kind);
	return a;
}

static bool adopt(struct drill *d, const struct action *a, const json_node *action, struct err *err)
{
	return (drill_is_ours(d, kube_uid(action)) || drill_created(d, &a->kind, action, err)) &&
	       drill_set_value(d, a->made, kube_name(action), err);
}

bool action_look(struct drill *d, const struct action *a, bool *ret_there, struct err *err)
{
	CLEANUP(json) struct json *now = NULL;
	const char *name = drill_found(d, a->asked);

	*ret_there = false;
	if (!name)
		return true;
	if (!part_look(d, &a->kind, a->namespace_, name, &now, err))
		return false;
	*ret_there = now != NULL;
	return !now || adopt(d, a, json_root(now), err);
}

const char *action_name(struct drill *d, const struct action *a, struct err *err)
{
	char text[UUID_TEXT_MAX], name[64];
	struct uuid id;

	if (!drill_found(d, a->asked)) {
		if (!uuid_random(&id, err))
			return NULL;
		uuid_format(&id, text);
		snprintf(name, sizeof name, "%s-%.8s", a->prefix, text);
		if (!drill_set_value(d, a->asked, name, err))
			return NULL;
	}
	return drill_found(d, a->asked);
}

bool action_send(struct drill *d, const struct action *a, const json_node *object, struct err *err)
{
	CLEANUP(json) struct json *made = NULL;
	struct err each = ERR_INIT;

	if (a->event && !drill_event(d, err, a->event, NULL))
		return false;
	if (kube_create(drill_kube(d), &a->kind, a->namespace_, object, &made, &each))
		return adopt(d, a, json_root(made), err);
	/* the name is this run's alone: the answer of an earlier attempt was lost */
	if (each.code == ERR_EXISTS && kube_get(drill_kube(d), &a->kind, a->namespace_, kube_name(object), &made, NULL))
		return adopt(d, a, json_root(made), err);
	*err = each;
	return false;
}

bool action_forget(struct drill *d, const struct action *a, struct err *err)
{
	return drill_set_value(d, a->asked, NULL, err) && drill_set_value(d, a->made, NULL, err);
}

bool action_see(struct drill *d, const struct action *a, struct action_seen *ret, struct err *err)
{
	CLEANUP(json) struct json *now = NULL;
	const char *name = drill_found(d, a->made);
	char object[400];

	if (!kube_get(drill_kube(d), &a->kind, a->namespace_, name, &now, err))
		return false;
	ret->state = kasten_state(json_root(now));
	kasten_state_text(json_root(now), ret->text, sizeof ret->text);
	kasten_error(json_root(now), ret->error, sizeof ret->error);
	snprintf(object, sizeof object, "%.120s %.253s", a->kind.kind, name);
	return drill_saw(d, object, ret->text, err);
}

bool action_wait(struct drill *d, const struct action *a, int64_t limit_ms, struct err *err)
{
	int64_t begun_ms = part_now_ms(d);
	struct part_pace pace = {0};
	struct action_seen seen;
	char what[600];

	for (;;) {
		struct err each = ERR_INIT;

		if (!action_see(d, a, &seen, &each)) {
			/* somebody has deleted it */
			if (each.code == ERR_NOT_FOUND)
				action_forget(d, a, NULL);
			*err = each;
			return false;
		}
		if (kasten_state_good(seen.state))
			return true;
		snprintf(what, sizeof what, "%s \"%s/%s\"", a->kind.kind, a->namespace_, drill_found(d, a->made));
		if (kasten_state_final(seen.state)) {
			snprintf(what + strlen(what), sizeof what - strlen(what), " has ended with %s", seen.text);
			action_forget(d, a, NULL);
			return part_fail(d, err, what, seen.error);
		}
		drill_progress(d, "%s %s", a->kind.kind, seen.text);
		if (part_now_ms(d) - begun_ms > limit_ms)
			return err_set(err, ERR_TIMEOUT, "waited %lld s for %s: it is %s", (long long)limit_ms / 1000,
			    what, seen.text);
		if (!part_pause_pace(d, &pace, POLL_MS, err))
			return false;
	}
}
