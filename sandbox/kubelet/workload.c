#include "sandbox/kubelet/workload.h"

#include "base/digest.h"
#include "base/num.h"

#include <stdio.h>
#include <string.h>

#define TEMPLATE_MAX ((size_t)1 << 20)
#define REVISION_LABEL "controller-revision-hash"
#define TEMPLATE_LABEL "pod-template-hash"

/* Letters and digits that make no words, as Kubernetes takes them. */
static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

static void spell(const unsigned char *bytes, size_t count, char *ret)
{
	for (size_t i = 0; i < count; i++)
		ret[i] = alphabet[bytes[i] % (sizeof alphabet - 1)];
	ret[count] = '\0';
}

bool template_revision(const json_node *template_, char ret[static REVISION_MAX], struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEMPLATE_MAX);
	unsigned char digest[SHA256_BYTES];

	if (!json_print(template_, false, &text, err))
		return err_wrap(err, "pod template");
	sha256_of(buf_str(&text), text.len, digest);
	spell(digest, 10, ret);
	return true;
}

static void add(struct workload_plan *plan, enum workload_do what, int ordinal, const char *name, const json_node *pod)
{
	struct workload_action *a = &plan->actions[plan->count];

	if (plan->count == sizeof plan->actions / sizeof *plan->actions)
		return; /* the rest comes with the next look */
	*a = (struct workload_action){.what = what, .ordinal = ordinal};
	snprintf(a->pod, sizeof a->pod, "%s", name);
	snprintf(a->uid, sizeof a->uid, "%s", pod ? object_uid(pod) : "");
	plan->count++;
}

static bool wanted(const json_node *object, int *ret, struct err *err)
{
	int64_t replicas = json_int_at(object, "spec/replicas", 1);

	if (replicas < 0 || replicas > REPLICAS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%lld replicas; the sandbox runs at most %d", (long long)replicas,
		    REPLICAS_MAX);
	*ret = (int)replicas;
	return true;
}

static bool has_revision(const json_node *pod, const char *label, const char *revision)
{
	const char *have = json_string(json_get(json_at(pod, "metadata/labels"), label));

	return have && !strcmp(have, revision);
}

/* --- StatefulSet ------------------------------------------------------------------------------------------------- */

int statefulset_ordinal(const char *set, const char *pod)
{
	size_t len = strlen(set);
	uint64_t ordinal;

	if (strncmp(pod, set, len) != 0 || pod[len] != '-' ||
	    !num_parse_u64(pod + len + 1, strlen(pod + len + 1), 9999, &ordinal))
		return -1;
	return (int)ordinal;
}

struct set_look {
	const json_node *set;
	const char *revision;
	bool parallel, rolling;
	int replicas;
	const json_node *pods[REPLICAS_MAX]; /* by ordinal */
	const json_node *surplus;	     /* the one with the highest ordinal beyond */
	int surplus_ordinal;
};

static void look(const struct world *w, struct set_look *l, struct workload_plan *plan)
{
	for (const json_node *p = world_first(w, WORLD_PODS); p; p = json_next(p)) {
		int ordinal = statefulset_ordinal(object_name(l->set), object_name(p));

		if (ordinal < 0 || strcmp(object_namespace(p), object_namespace(l->set)) != 0 ||
		    !object_controlled_by(p, object_uid(l->set)))
			continue;
		plan->replicas++;
		plan->ready += pod_ready(p) && !object_deleting(p);
		plan->updated += has_revision(p, REVISION_LABEL, l->revision);
		if (ordinal < l->replicas) {
			l->pods[ordinal] = p;
		} else if (!l->surplus || ordinal > l->surplus_ordinal) {
			l->surplus = p;
			l->surplus_ordinal = ordinal;
		}
	}
}

/* One ordinal; true: the next one may be looked at. */
static bool plan_ordinal(const struct set_look *l, int i, struct workload_plan *plan)
{
	const json_node *pod = l->pods[i];
	char name[OBJECT_NAME_MAX];

	snprintf(name, sizeof name, "%s-%d", object_name(l->set), i);
	if (!pod) {
		add(plan, WORKLOAD_CREATE, i, name, NULL);
		return l->parallel;
	}
	if (object_deleting(pod))
		return l->parallel;
	if (pod_finished(pod)) {
		add(plan, WORKLOAD_DELETE, i, name, pod);
		return l->parallel;
	}
	/* A claim may have gone while the pod that it was made for waited for it. */
	if (!json_text_at(pod, "status/podIP") && json_first(json_at(l->set, "spec/volumeClaimTemplates")))
		add(plan, WORKLOAD_CLAIMS, i, name, pod);
	return l->parallel || pod_ready(pod);
}

/* The highest pod of an older template, when every pod of a newer one is ready. */
static void plan_update(const struct set_look *l, struct workload_plan *plan)
{
	for (int i = l->replicas - 1; i >= 0; i--) {
		const json_node *pod = l->pods[i];

		if (!pod || object_deleting(pod))
			return;
		if (!has_revision(pod, REVISION_LABEL, l->revision)) {
			add(plan, WORKLOAD_DELETE, i, object_name(pod), pod);
			return;
		}
		if (!pod_ready(pod))
			return;
	}
}

bool statefulset_plan(
    const struct world *w, const json_node *set, const char *revision, struct workload_plan *ret, struct err *err)
{
	struct set_look l = {
	    .set = set,
	    .revision = revision,
	    .parallel = json_is_at(set, "spec/podManagementPolicy", "Parallel"),
	    .rolling = !json_is_at(set, "spec/updateStrategy/type", "OnDelete"),
	};
	bool steady = true;

	if (!wanted(set, &l.replicas, err))
		return false;
	*ret = (struct workload_plan){0};
	look(w, &l, ret);
	if (object_deleting(set))
		return true;
	for (int i = 0; i < l.replicas && steady; i++)
		steady = plan_ordinal(&l, i, ret);
	if (l.surplus && (steady || l.parallel) && !object_deleting(l.surplus)) {
		add(ret, WORKLOAD_DELETE, l.surplus_ordinal, object_name(l.surplus), l.surplus);
		return true;
	}
	if (l.rolling && !l.surplus && !ret->count)
		plan_update(&l, ret);
	return true;
}

/* The template's pod with what every controller adds. */
static bool make_pod(const json_node *owner, const char *kind, const char *name, struct json **ret, struct err *err)
{
	const json_node *template_ = json_at(owner, "spec/template");
	CLEANUP(json) struct json *doc = NULL;
	json_node *pod;

	if (!json_format(&doc, err,
		"{'apiVersion':'v1','kind':'Pod','metadata':{'name':%s,'namespace':%s,'labels':{},'annotations':{},"
		"'ownerReferences':[{'apiVersion':'apps/v1','kind':%s,'name':%s,'uid':%s,'controller':true,"
		"'blockOwnerDeletion':true}]},'spec':%j}",
		name, object_namespace(owner), kind, object_name(owner), object_uid(owner),
		json_get(template_, "spec")))
		return false;
	pod = json_edit(doc);
	if (json_at(template_, "metadata/labels") &&
	    !json_set_copy(pod, "metadata/labels", json_at(template_, "metadata/labels"), err))
		return false;
	if (json_at(template_, "metadata/annotations") &&
	    !json_set_copy(pod, "metadata/annotations", json_at(template_, "metadata/annotations"), err))
		return false;
	if (!json_set_text(pod, "spec/nodeName", "sandbox", err) ||
	    (!json_at(pod, "spec/restartPolicy") && !json_set_text(pod, "spec/restartPolicy", "Always", err)))
		return false;
	*ret = TAKE(doc);
	return true;
}

/* The volume of a claim template stands in for one of the same name. */
static bool set_claim_volume(json_node *pod, const char *volume, const char *claim, struct err *err)
{
	size_t i = 0;

	for (const json_node *v = json_first(json_at(pod, "spec/volumes")); v; v = json_next(v), i++) {
		char path[64];

		if (!json_is_at(v, "name", volume))
			continue;
		snprintf(path, sizeof path, "spec/volumes/%zu", i);
		return json_set_format(
		    pod, path, err, "{'name':%s,'persistentVolumeClaim':{'claimName':%s}}", volume, claim);
	}
	if (!json_is_array(json_at(pod, "spec/volumes")) && !json_set_format(pod, "spec/volumes", err, "[]"))
		return false;
	return json_set_format(
	    pod, "spec/volumes/-", err, "{'name':%s,'persistentVolumeClaim':{'claimName':%s}}", volume, claim);
}

static void claim_name(const json_node *set, const json_node *template_, int ordinal, char ret[static OBJECT_NAME_MAX])
{
	snprintf(ret, OBJECT_NAME_MAX, "%s-%s-%d", object_name(template_), object_name(set), ordinal);
}

bool statefulset_pod(const json_node *set, int ordinal, const char *revision, struct json **ret, struct err *err)
{
	const json_node *claims = json_at(set, "spec/volumeClaimTemplates");
	const char *service = json_text_at(set, "spec/serviceName");
	CLEANUP(json) struct json *doc = NULL;
	char name[OBJECT_NAME_MAX], number[16];
	json_node *pod;

	snprintf(name, sizeof name, "%s-%d", object_name(set), ordinal);
	snprintf(number, sizeof number, "%d", ordinal);
	if (!make_pod(set, "StatefulSet", name, &doc, err))
		return false;
	pod = json_edit(doc);
	if (!json_set_text(pod, "metadata/labels/statefulset.kubernetes.io~1pod-name", name, err) ||
	    !json_set_text(pod, "metadata/labels/apps.kubernetes.io~1pod-index", number, err) ||
	    !json_set_text(pod, "metadata/labels/" REVISION_LABEL, revision, err) ||
	    !json_set_text(pod, "spec/hostname", name, err) ||
	    (service && *service && !json_set_text(pod, "spec/subdomain", service, err)))
		return false;
	for (const json_node *c = json_first(claims); c; c = json_next(c)) {
		char claim[OBJECT_NAME_MAX];

		claim_name(set, c, ordinal, claim);
		if (!set_claim_volume(pod, object_name(c), claim, err))
			return false;
	}
	*ret = TAKE(doc);
	return true;
}

bool statefulset_claim(
    const json_node *set, const json_node *template_, int ordinal, struct json **ret, struct err *err)
{
	const json_node *labels = json_at(template_, "metadata/labels");
	CLEANUP(json) struct json *doc = NULL;
	char claim[OBJECT_NAME_MAX];

	claim_name(set, template_, ordinal, claim);
	if (!labels)
		labels = json_at(set, "spec/selector/matchLabels");
	if (!json_format(&doc, err,
		"{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':%s,'namespace':%s},'spec':%j}",
		claim, object_namespace(set), json_get(template_, "spec")) ||
	    (labels && !json_set_copy(json_edit(doc), "metadata/labels", labels, err)) ||
	    (json_at(template_, "metadata/annotations") && !json_set_copy(json_edit(doc), "metadata/annotations",
							       json_at(template_, "metadata/annotations"), err)))
		return false;
	*ret = TAKE(doc);
	return true;
}

/* --- Deployment -------------------------------------------------------------------------------------------------- */

/* Made from the slot, so that a pod whose creation is not seen yet is not made twice. */
void deployment_pod_name(const json_node *deployment, const char *revision, int slot, char ret[static OBJECT_NAME_MAX])
{
	char seed[512], tail[8];
	unsigned char digest[SHA256_BYTES];
	int len = snprintf(seed, sizeof seed, "%s/%s/%d", object_uid(deployment), revision, slot);

	sha256_of(seed, len < (int)sizeof seed ? (size_t)len : sizeof seed - 1, digest);
	spell(digest, 5, tail);
	snprintf(ret, OBJECT_NAME_MAX, "%s-%s-%s", object_name(deployment), revision, tail);
}

static bool is_pod_of(const json_node *deployment, const json_node *pod)
{
	return !strcmp(object_namespace(pod), object_namespace(deployment)) &&
	       object_controlled_by(pod, object_uid(deployment));
}

bool deployment_plan(const struct world *w, const json_node *deployment, const char *revision,
    struct workload_plan *ret, struct err *err)
{
	int replicas, kept = 0, leaving = 0;

	if (!wanted(deployment, &replicas, err))
		return false;
	*ret = (struct workload_plan){0};
	for (const json_node *p = world_first(w, WORLD_PODS); p; p = json_next(p)) {
		bool current;

		if (!is_pod_of(deployment, p))
			continue;
		if (object_deleting(p)) {
			leaving++;
			continue;
		}
		current = has_revision(p, TEMPLATE_LABEL, revision) && !pod_finished(p);
		ret->replicas++;
		ret->ready += pod_ready(p);
		ret->updated += current;
		if (object_deleting(deployment) || (current && kept++ < replicas))
			continue;
		add(ret, WORKLOAD_DELETE, 0, object_name(p), p);
		leaving++;
	}
	/* Those of before go first: two operators at once would be wrong, and no user waits here. */
	for (int slot = 0; slot < REPLICAS_MAX && kept < replicas && !leaving && !object_deleting(deployment); slot++) {
		char name[OBJECT_NAME_MAX];

		deployment_pod_name(deployment, revision, slot, name);
		if (world_find(w, WORLD_PODS, object_namespace(deployment), name))
			continue;
		add(ret, WORKLOAD_CREATE, slot, name, NULL);
		kept++;
	}
	return true;
}

bool deployment_pod(const json_node *deployment, int slot, const char *revision, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	char name[OBJECT_NAME_MAX];

	deployment_pod_name(deployment, revision, slot, name);
	if (!make_pod(deployment, "Deployment", name, &doc, err) ||
	    !json_set_text(json_edit(doc), "metadata/labels/" TEMPLATE_LABEL, revision, err))
		return false;
	*ret = TAKE(doc);
	return true;
}
