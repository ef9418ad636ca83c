#include "sandbox/operator/teardown.h"

#include "sandbox/operator/desired.h"

#include <stdio.h>
#include <string.h>

/* Pods of the set, also those that are just ending. */
static int pods_of(const struct space *w, const char *set)
{
	size_t len = strlen(set);
	int count = 0;

	for (const json_node *pod = space_first(w, SPACE_POD); pod; pod = json_next(pod)) {
		const char *name = kube_name(pod);

		count += !strncmp(name, set, len) && name[len] == '-' && strspn(name + len + 1, "0123456789") > 0 &&
			 !name[len + 1 + strspn(name + len + 1, "0123456789")];
	}
	return count;
}

/* Each data replica set to one member; true in *ret_done when they are. */
static bool scale_down(struct space *w, const struct cr *cr, bool *ret_done, struct err *err)
{
	*ret_done = true;
	for (int i = 0; i < cr->set_count; i++) {
		struct op_name name = op_name("%s-%s", cr->name, cr->sets[i].name);
		const json_node *have = space_get(w, SPACE_SET, name.text);
		CLEANUP(json) struct json *patch = NULL;

		if (cr->sets[i].config_server)
			continue;
		/* One that somebody else has deleted goes with all of its pods. */
		if (have && !kube_deleting(have) && json_int_at(have, "spec/replicas", 1) > 1 &&
		    (!json_format(&patch, err, "{'spec':{'replicas':1}}") ||
			!space_patch(w, SPACE_SET, have, json_root(patch), NULL, err)))
			return false;
		if (pods_of(w, name.text) > 1)
			*ret_done = false;
	}
	return true;
}

static bool labelled(const json_node *object, const struct cr *cr)
{
	const char *instance = kube_label(object, "app.kubernetes.io/instance");
	const char *manager = kube_label(object, "app.kubernetes.io/managed-by");

	return instance && manager && !strcmp(instance, cr->name) && !strcmp(manager, OP_MANAGER);
}

static bool remove_all(struct space *w, const struct cr *cr, struct err *err)
{
	const struct op_name secrets[] = {op_name("%s", cr->users_secret), op_name("internal-%s", cr->name),
	    op_name("%s", cr->internal_secret), op_name("%s", cr->encryption_secret)};

	for (int i = 0; i < cr->set_count; i++)
		if (!space_remove(w, SPACE_SET, op_name("%s-%s", cr->name, cr->sets[i].name).text, err))
			return false;
	if (!space_remove(w, SPACE_SET, op_name("%s-mongos", cr->name).text, err))
		return false;
	for (const json_node *claim = space_first(w, SPACE_CLAIM); claim; claim = json_next(claim))
		if (labelled(claim, cr) && !space_remove(w, SPACE_CLAIM, kube_name(claim), err))
			return false;
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		if (!space_remove(w, SPACE_SECRET, secrets[i].text, err))
			return false;
	return true;
}

bool teardown(struct space *w, const struct cr *cr, struct err *err)
{
	bool done = true;

	if (op_finalizer(cr->object, OP_FINALIZER_IN_ORDER)) {
		if (!scale_down(w, cr, &done, err))
			return false;
		return !done || space_drop_finalizer(w, SPACE_PSMDB, cr->object, OP_FINALIZER_IN_ORDER, err);
	}
	if (op_finalizer(cr->object, OP_FINALIZER_PVC))
		return remove_all(w, cr, err) &&
		       space_drop_finalizer(w, SPACE_PSMDB, cr->object, OP_FINALIZER_PVC, err);
	return true;
}

bool teardown_unread(struct space *w, const json_node *object, struct err *err)
{
	return op_finalizer(object, OP_FINALIZER_IN_ORDER)
		   ? space_drop_finalizer(w, SPACE_PSMDB, object, OP_FINALIZER_IN_ORDER, err)
		   : space_drop_finalizer(w, SPACE_PSMDB, object, OP_FINALIZER_PVC, err);
}
