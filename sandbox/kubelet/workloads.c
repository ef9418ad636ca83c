#include "sandbox/kubelet/workloads.h"

#include "base/clock.h"
#include "sandbox/kubelet/lifecycle.h"
#include "sandbox/kubelet/services.h"
#include "sandbox/kubelet/workload.h"
#include "sandbox/parts/loopback.h"

#include <string.h>

static void say(struct remote *r, enum world_kind kind, const struct err *err)
{
	remote_result(r, false, world_rows[kind].plural, err);
}

/* --- what a plan asks for ---------------------------------------------------------------------------------------- */

static void make_claims(struct remote *r, const struct world *w, const json_node *set, int ordinal)
{
	struct err err = ERR_INIT;

	for (const json_node *t = json_first(json_at(set, "spec/volumeClaimTemplates")); t; t = json_next(t)) {
		CLEANUP(json) struct json *claim = NULL;

		if (!statefulset_claim(set, t, ordinal, &claim, &err)) {
			say(r, WORLD_STATEFULSETS, &err);
			return;
		}
		if (!world_find(w, WORLD_CLAIMS, object_namespace(set), object_name(json_root(claim))))
			remote_create(r, WORLD_CLAIMS, json_root(claim));
	}
}

static void create_pod(struct remote *r, const struct world *w, enum world_kind kind, const json_node *owner,
    const struct workload_action *a, const char *revision)
{
	CLEANUP(json) struct json *pod = NULL;
	struct err err = ERR_INIT;
	bool ok;

	if (kind == WORLD_STATEFULSETS) {
		make_claims(r, w, owner, a->ordinal);
		ok = statefulset_pod(owner, a->ordinal, revision, &pod, &err);
	} else {
		ok = deployment_pod(owner, a->ordinal, revision, &pod, &err);
	}
	if (!ok)
		say(r, kind, &err);
	else if (remote_create(r, WORLD_PODS, json_root(pod)))
		log_line(r->log, LOG_INFO, "pod created", "ns", object_namespace(owner), "pod", a->pod, NULL);
}

static void delete_pod(struct remote *r, const struct world *w, const json_node *owner, const struct workload_action *a)
{
	const json_node *pod = world_find(w, WORLD_PODS, object_namespace(owner), a->pod);

	if (pod && !strcmp(object_uid(pod), a->uid) && remote_delete(r, WORLD_PODS, pod, -1))
		log_line(r->log, LOG_INFO, "pod deleted", "ns", object_namespace(owner), "pod", a->pod, NULL);
}

static void carry_out(struct remote *r, const struct world *w, enum world_kind kind, const json_node *owner,
    const struct workload_plan *plan, const char *revision)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct workload_action *a = &plan->actions[i];

		switch (a->what) {
		case WORKLOAD_CREATE:
			create_pod(r, w, kind, owner, a, revision);
			break;
		case WORKLOAD_CLAIMS:
			make_claims(r, w, owner, a->ordinal);
			break;
		case WORKLOAD_DELETE:
			delete_pod(r, w, owner, a);
			break;
		}
	}
}

/* --- status ------------------------------------------------------------------------------------------------------ */

static bool statefulset_status(
    const json_node *set, const struct workload_plan *plan, const char *revision, struct json **ret, struct err *err)
{
	const char *before = json_text_at(set, "status/currentRevision");
	bool all = plan->updated == plan->replicas || !before || !*before;

	return json_format(ret, err,
	    "{'status':{'observedGeneration':%l,'replicas':%d,'readyReplicas':%d,'availableReplicas':%d,"
	    "'currentReplicas':%d,'updatedReplicas':%d,'currentRevision':%s,'updateRevision':%s,'collisionCount':0}}",
	    json_int_at(set, "metadata/generation", 1), plan->replicas, plan->ready, plan->ready,
	    all ? plan->replicas : plan->replicas - plan->updated, plan->updated, all ? revision : before, revision);
}

static bool deployment_status(const json_node *d, const struct workload_plan *plan, struct json **ret, struct err *err)
{
	int64_t wanted = json_int_at(d, "spec/replicas", 1);
	const char *available = plan->ready >= wanted ? "True" : "False", *since = NULL;
	char now[SECONDS_TEXT_MAX];

	for (const json_node *c = json_first(json_at(d, "status/conditions")); c; c = json_next(c))
		if (json_is_at(c, "type", "Available") && json_is_at(c, "status", available))
			since = json_text_at(c, "lastTransitionTime");
	if (!since)
		since = seconds_text(clock_wall_ms(clock_system()), now);
	return json_format(ret, err,
	    "{'status':{'observedGeneration':%l,'replicas':%d,'readyReplicas':%d,'availableReplicas':%d,"
	    "'updatedReplicas':%d,'unavailableReplicas':%l,'conditions':[{'type':'Available','status':%s,"
	    "'reason':%s,'lastTransitionTime':%s}]}}",
	    json_int_at(d, "metadata/generation", 1), plan->replicas, plan->ready, plan->ready, plan->updated,
	    wanted > plan->ready ? wanted - plan->ready : (int64_t)0, available,
	    *available == 'T' ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable", since);
}

/* Every member of the patch is in the object as it is; a server may leave out a number that is zero. */
static bool is_there(const json_node *status, const json_node *patch)
{
	for (const json_node *p = json_first(patch); p; p = json_next(p))
		if (!json_equal(json_get(status, json_key(p)), p) &&
		    (json_get(status, json_key(p)) || !json_is_number(p) || json_int_at(patch, json_key(p), 1)))
			return false;
	return true;
}

static void put_status(struct remote *r, enum world_kind kind, const json_node *object, bool ok,
    const struct json *patch, const struct err *err)
{
	if (!ok)
		say(r, kind, err);
	else if (!is_there(json_get(object, "status"), json_get(json_root(patch), "status")))
		remote_patch(r, kind, object, "status", json_root(patch));
}

void workloads_sync(struct remote *r, const struct world *w)
{
	static const enum world_kind kinds[] = {WORLD_STATEFULSETS, WORLD_DEPLOYMENTS};

	for (size_t k = 0; k < 2; k++) {
		for (const json_node *o = world_first(w, kinds[k]); o; o = json_next(o)) {
			bool is_set = kinds[k] == WORLD_STATEFULSETS;
			CLEANUP(json) struct json *status = NULL;
			struct err err = ERR_INIT;
			struct workload_plan plan;
			char revision[REVISION_MAX];
			bool made;

			if (!template_revision(json_at(o, "spec/template"), revision, &err) ||
			    !(is_set ? statefulset_plan(w, o, revision, &plan, &err)
				     : deployment_plan(w, o, revision, &plan, &err))) {
				say(r, kinds[k], &err);
				continue;
			}
			carry_out(r, w, kinds[k], o, &plan, revision);
			made = is_set ? statefulset_status(o, &plan, revision, &status, &err)
				      : deployment_status(o, &plan, &status, &err);
			put_status(r, kinds[k], o, made, status, &err);
		}
	}
}

/* An API server that takes none of them once never takes any. */
static void endpoints_result(struct remote *r, bool ok, const char *what, const struct err *err)
{
	if (ok || !loopback_refused(err)) {
		remote_result(r, ok, what, err);
		return;
	}
	r->no_loopback = true;
	log_line(r->log, LOG_INFO,
	    "this API server takes no Endpoints of this machine's addresses; services work without", NULL);
}

static void put_endpoints(struct remote *r, const json_node *have, const json_node *want)
{
	const struct kube_kind *kind = &r->kinds[WORLD_ENDPOINTS];
	CLEANUP(json) struct json *patch = NULL;
	struct err err = ERR_INIT;

	if (r->down)
		return;
	if (!have)
		endpoints_result(
		    r, kube_create(r->kube, kind, object_namespace(want), want, NULL, &err), "create", &err);
	else
		endpoints_result(r,
		    json_format(&patch, &err, "{'metadata':{'ownerReferences':%j},'subsets':%j}",
			json_at(want, "metadata/ownerReferences"), json_get(want, "subsets")) &&
			kube_patch(r->kube, kind, object_namespace(have), object_name(have), NULL, KUBE_PATCH_MERGE,
			    json_root(patch), NULL, &err),
		    "patch", &err);
}

void endpoints_sync(struct remote *r, const struct world *w)
{
	for (const json_node *s = world_first(w, WORLD_SERVICES); s; s = json_next(s)) {
		const json_node *have = world_find(w, WORLD_ENDPOINTS, object_namespace(s), object_name(s));
		CLEANUP(json) struct json *want = NULL;
		struct err err = ERR_INIT;

		if (r->no_loopback)
			return;
		if (!service_has_selector(s) || object_deleting(s))
			continue;
		if (!endpoints_make(w, s, &want, &err)) {
			say(r, WORLD_ENDPOINTS, &err);
			continue;
		}
		if (have &&
		    (json_equal(json_get(have, "subsets"), json_get(json_root(want), "subsets")) ||
			(!json_first(json_get(have, "subsets")) && !json_first(json_get(json_root(want), "subsets")))))
			continue;
		put_endpoints(r, have, json_root(want));
	}
}
