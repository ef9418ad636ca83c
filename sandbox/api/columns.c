#include "sandbox/api/columns.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static void put(struct cell *c, const char *text)
{
	snprintf(c->text, sizeof c->text, "%s", text && *text ? text : "<none>");
}

static void put_number(struct cell *c, int64_t number)
{
	*c = (struct cell){.is_number = true, .number = number};
}

void cell_age(const char *time, struct cell *c)
{
	int64_t then_ms, s;

	if (!time || !time_parse(time, &then_ms)) {
		put(c, "<unknown>");
		return;
	}
	s = (clock_wall_ms(clock_system()) - then_ms) / 1000;
	s = s < 0 ? 0 : s;
	if (s < 120)
		snprintf(c->text, sizeof c->text, "%llds", (long long)s);
	else if (s < 600 && s % 60)
		snprintf(c->text, sizeof c->text, "%lldm%llds", (long long)s / 60, (long long)s % 60);
	else if (s < 10800)
		snprintf(c->text, sizeof c->text, "%lldm", (long long)s / 60);
	else if (s < 172800)
		snprintf(c->text, sizeof c->text, "%lldh", (long long)s / 3600);
	else
		snprintf(c->text, sizeof c->text, "%lldd", (long long)s / 86400);
}

static void object_age(const json_node *o, struct cell *c)
{
	cell_age(json_text_at(o, "metadata/creationTimestamp"), c);
}

static void none(const json_node *o, struct cell *c)
{
	(void)o;
	put(c, NULL);
}

static void pod_ready(const json_node *o, struct cell *c)
{
	size_t ready = 0;

	for (const json_node *s = json_first(json_at(o, "status/containerStatuses")); s; s = json_next(s))
		ready += json_bool_at(s, "ready", false);
	snprintf(c->text, sizeof c->text, "%zu/%zu", ready, json_count(json_at(o, "spec/containers")));
}

static void pod_status(const json_node *o, struct cell *c)
{
	const char *text = json_text_at(o, "status/reason");

	if (!text)
		text = json_text_at(o, "status/phase");
	for (const json_node *s = json_first(json_at(o, "status/containerStatuses")); s; s = json_next(s)) {
		const char *waiting = json_text_at(s, "state/waiting/reason"),
			   *ended = json_text_at(s, "state/terminated/reason");

		text = waiting ? waiting : ended ? ended : text;
	}
	put(c, root_deleting(o) ? "Terminating" : text);
}

static void pod_restarts(const json_node *o, struct cell *c)
{
	const char *last = NULL; /* RFC 3339 in UTC: as text in order of time */
	struct cell since;
	int64_t n = 0;

	for (const json_node *s = json_first(json_at(o, "status/containerStatuses")); s; s = json_next(s)) {
		const char *ended = json_text_at(s, "lastState/terminated/finishedAt");

		n += json_int_at(s, "restartCount", 0);
		last = ended && (!last || strcmp(ended, last) > 0) ? ended : last;
	}
	if (n && last) {
		cell_age(last, &since);
		snprintf(c->text, sizeof c->text, "%lld (%.32s ago)", (long long)n, since.text);
	} else {
		snprintf(c->text, sizeof c->text, "%lld", (long long)n);
	}
}

static void pod_ip(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "status/podIP"));
}

static void pod_node(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "spec/nodeName"));
}

static void phase(const json_node *o, struct cell *c)
{
	put(c, root_deleting(o) ? "Terminating" : json_text_at(o, "status/phase"));
}

static void volume(const json_node *o, struct cell *c)
{
	snprintf(c->text, sizeof c->text, "%s",
	    json_text_at(o, "spec/volumeName") ? json_text_at(o, "spec/volumeName") : "");
}

/* A claim has them once it has a volume. */
static bool has_room(const json_node *o)
{
	return json_text_at(o, "spec/volumeName") || json_at(o, "spec/capacity");
}

static void capacity(const json_node *o, struct cell *c)
{
	const char *text = has_room(o) ? json_text_at(o, "status/capacity/storage") : NULL;

	snprintf(c->text, sizeof c->text, "%s",
	    text				       ? text
	    : json_text_at(o, "spec/capacity/storage") ? json_text_at(o, "spec/capacity/storage")
						       : "");
}

static void modes(const json_node *o, struct cell *c)
{
	const char *mode = has_room(o) ? json_text_at(o, "spec/accessModes/0") : NULL;

	snprintf(c->text, sizeof c->text, "%s",
	    !mode			     ? ""
	    : !strcmp(mode, "ReadWriteOnce") ? "RWO"
	    : !strcmp(mode, "ReadWriteMany") ? "RWX"
					     : mode);
}

static void storage_class(const json_node *o, struct cell *c)
{
	const char *name = json_text_at(o, "spec/storageClassName");

	snprintf(c->text, sizeof c->text, "%s", name ? name : "");
}

static void attributes_class(const json_node *o, struct cell *c)
{
	const char *name = json_text_at(o, "spec/volumeAttributesClassName");

	put(c, name ? name : "<unset>");
}

static void volume_mode(const json_node *o, struct cell *c)
{
	const char *mode = json_text_at(o, "spec/volumeMode");

	put(c, mode ? mode : "Filesystem");
}

static void status_reason(const json_node *o, struct cell *c)
{
	const char *reason = json_text_at(o, "status/reason");

	snprintf(c->text, sizeof c->text, "%s", reason ? reason : "");
}

static void reclaim(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "spec/persistentVolumeReclaimPolicy"));
}

static void claim(const json_node *o, struct cell *c)
{
	const char *ns = json_text_at(o, "spec/claimRef/namespace"), *name = json_text_at(o, "spec/claimRef/name");

	snprintf(c->text, sizeof c->text, "%s/%s", ns ? ns : "", name ? name : "");
}

static void service_type(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "spec/type"));
}

static void cluster_ip(const json_node *o, struct cell *c)
{
	const char *ip = json_text_at(o, "spec/clusterIP");

	put(c, ip && !strcmp(ip, "None") ? "None" : ip);
}

static void service_ports(const json_node *o, struct cell *c)
{
	size_t n = 0;

	c->text[0] = '\0';
	for (const json_node *p = json_first(json_at(o, "spec/ports")); p && n < sizeof c->text - 40;
	     p = json_next(p)) {
		const char *protocol = json_text_at(p, "protocol");

		n += (size_t)snprintf(c->text + n, sizeof c->text - n, "%s%lld/%.8s", n ? "," : "",
		    (long long)json_int_at(p, "port", 0), protocol ? protocol : "TCP");
	}
}

/* Labels in the order of their names. */
static void put_labels(const json_node *labels, struct cell *c)
{
	const json_node *next = NULL;
	const char *last = "";
	size_t n = 0;

	do {
		next = NULL;
		for (const json_node *l = json_first(labels); l; l = json_next(l))
			if (strcmp(json_key(l), last) > 0 && (!next || strcmp(json_key(l), json_key(next)) < 0))
				next = l;
		if (next && n < sizeof c->text)
			n += (size_t)snprintf(c->text + n, sizeof c->text - n, "%s%s=%s", n ? "," : "", json_key(next),
			    json_string(next) ? json_string(next) : "");
		last = next ? json_key(next) : last;
	} while (next);
	if (!n)
		put(c, NULL);
}

static void service_selector(const json_node *o, struct cell *c)
{
	put_labels(json_at(o, "spec/selector"), c);
}

static void match_labels(const json_node *o, struct cell *c)
{
	put_labels(json_at(o, "spec/selector/matchLabels"), c);
}

static void put_containers(const json_node *o, const char *field, struct cell *c)
{
	size_t n = 0;

	for (const json_node *k = json_first(json_at(o, "spec/template/spec/containers")); k && n < sizeof c->text;
	     k = json_next(k))
		n += (size_t)snprintf(c->text + n, sizeof c->text - n, "%s%s", n ? "," : "",
		    json_text_at(k, field) ? json_text_at(k, field) : "");
}

static void container_names(const json_node *o, struct cell *c)
{
	put_containers(o, "name", c);
}

static void container_images(const json_node *o, struct cell *c)
{
	put_containers(o, "image", c);
}

static void secret_count(const json_node *o, struct cell *c)
{
	put_number(c, (int64_t)json_count(json_at(o, "secrets")));
}

static void secret_type(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "type"));
}

static void data_count(const json_node *o, struct cell *c)
{
	put_number(c, (int64_t)json_count(json_at(o, "data")));
}

static void replicas(const json_node *o, struct cell *c)
{
	snprintf(c->text, sizeof c->text, "%lld/%lld", (long long)json_int_at(o, "status/readyReplicas", 0),
	    (long long)json_int_at(o, "spec/replicas", 1));
}

static void up_to_date(const json_node *o, struct cell *c)
{
	put_number(c, json_int_at(o, "status/updatedReplicas", 0));
}

static void available(const json_node *o, struct cell *c)
{
	put_number(c, json_int_at(o, "status/availableReplicas", 0));
}

static void endpoints(const json_node *o, struct cell *c)
{
	size_t n = 0;

	c->text[0] = '\0';
	for (const json_node *s = json_first(json_at(o, "subsets")); s; s = json_next(s))
		for (const json_node *a = json_first(json_at(s, "addresses")); a && n < sizeof c->text - 100;
		     a = json_next(a))
			n += (size_t)snprintf(c->text + n, sizeof c->text - n, "%s%.60s:%lld", n ? "," : "",
			    json_text_at(a, "ip") ? json_text_at(a, "ip") : "",
			    (long long)json_int_at(s, "ports/0/port", 0));
	if (!n)
		put(c, NULL);
}

static void event_seen(const json_node *o, struct cell *c)
{
	const char *last = json_text_at(o, "lastTimestamp");

	cell_age(last ? last : json_text_at(o, "metadata/creationTimestamp"), c);
}

static void event_type(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "type"));
}

static void event_reason(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "reason"));
}

static void event_object(const json_node *o, struct cell *c)
{
	const char *kind = json_text_at(o, "involvedObject/kind"), *name = json_text_at(o, "involvedObject/name");

	snprintf(c->text, sizeof c->text, "%s/%s", kind ? kind : "", name ? name : "");
	for (char *p = c->text; *p && *p != '/'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
}

static void event_message(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "message"));
}

static void created_at(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "metadata/creationTimestamp"));
}

static void node_status(const json_node *o, struct cell *c)
{
	const char *text = "NotReady";

	for (const json_node *n = json_first(json_at(o, "status/conditions")); n; n = json_next(n))
		if (json_is_at(n, "type", "Ready") && json_is_at(n, "status", "True"))
			text = "Ready";
	put(c, text);
}

static void node_version(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "status/nodeInfo/kubeletVersion"));
}

static void role_ref(const json_node *o, struct cell *c)
{
	const char *kind = json_text_at(o, "roleRef/kind"), *name = json_text_at(o, "roleRef/name");

	snprintf(c->text, sizeof c->text, "%s/%s", kind ? kind : "", name ? name : "");
}

/* Of this kind; accounts with their namespace in front. */
static void put_subjects(const json_node *o, const char *kind, struct cell *c)
{
	size_t n = 0;

	for (const json_node *s = json_first(json_at(o, "subjects")); s && n < sizeof c->text; s = json_next(s)) {
		const char *ns = json_text_at(s, "namespace"), *name = json_text_at(s, "name");
		bool account = !strcmp(kind, "ServiceAccount");

		if (json_is_at(s, "kind", kind))
			n += (size_t)snprintf(c->text + n, sizeof c->text - n, "%s%s%s%s", n ? ", " : "",
			    account && ns ? ns : "", account ? "/" : "", name ? name : "");
	}
}

static void users(const json_node *o, struct cell *c)
{
	put_subjects(o, "User", c);
}

static void groups(const json_node *o, struct cell *c)
{
	put_subjects(o, "Group", c);
}

static void accounts(const json_node *o, struct cell *c)
{
	put_subjects(o, "ServiceAccount", c);
}

/* A number or a percentage. */
static void put_bound(const json_node *bound, struct cell *c)
{
	const char *text = json_string(bound);

	if (!bound)
		snprintf(c->text, sizeof c->text, "N/A");
	else if (text)
		put(c, text);
	else
		snprintf(c->text, sizeof c->text, "%lld", (long long)json_number(bound, 0));
}

static void min_available(const json_node *o, struct cell *c)
{
	put_bound(json_at(o, "spec/minAvailable"), c);
}

static void max_unavailable(const json_node *o, struct cell *c)
{
	put_bound(json_at(o, "spec/maxUnavailable"), c);
}

static void disruptions(const json_node *o, struct cell *c)
{
	put_number(c, json_int_at(o, "status/disruptionsAllowed", 0));
}

static const struct column columns[] = {
    {"/pods", "Ready", pod_ready, 0, NULL},
    {"/pods", "Status", pod_status, 0, NULL},
    {"/pods", "Restarts", pod_restarts, 0, NULL},
    {"/pods", "Age", object_age, 0, NULL},
    {"/pods", "IP", pod_ip, 1, NULL},
    {"/pods", "Node", pod_node, 1, NULL},
    {"/pods", "Nominated Node", none, 1, NULL},
    {"/pods", "Readiness Gates", none, 1, NULL},
    {"/persistentvolumeclaims", "Status", phase, 0, NULL},
    {"/persistentvolumeclaims", "Volume", volume, 0, NULL},
    {"/persistentvolumeclaims", "Capacity", capacity, 0, NULL},
    {"/persistentvolumeclaims", "Access Modes", modes, 0, NULL},
    {"/persistentvolumeclaims", "StorageClass", storage_class, 0, NULL},
    {"/persistentvolumeclaims", "VolumeAttributesClass", attributes_class, 0, NULL},
    {"/persistentvolumeclaims", "Age", object_age, 0, NULL},
    {"/persistentvolumeclaims", "VolumeMode", volume_mode, 1, NULL},
    {"/persistentvolumes", "Capacity", capacity, 0, NULL},
    {"/persistentvolumes", "Access Modes", modes, 0, NULL},
    {"/persistentvolumes", "Reclaim Policy", reclaim, 0, NULL},
    {"/persistentvolumes", "Status", phase, 0, NULL},
    {"/persistentvolumes", "Claim", claim, 0, NULL},
    {"/persistentvolumes", "StorageClass", storage_class, 0, NULL},
    {"/persistentvolumes", "VolumeAttributesClass", attributes_class, 0, NULL},
    {"/persistentvolumes", "Reason", status_reason, 0, NULL},
    {"/persistentvolumes", "Age", object_age, 0, NULL},
    {"/persistentvolumes", "VolumeMode", volume_mode, 1, NULL},
    {"/services", "Type", service_type, 0, NULL},
    {"/services", "Cluster-IP", cluster_ip, 0, NULL},
    {"/services", "External-IP", none, 0, NULL},
    {"/services", "Port(s)", service_ports, 0, NULL},
    {"/services", "Age", object_age, 0, NULL},
    {"/services", "Selector", service_selector, 1, NULL},
    {"/secrets", "Type", secret_type, 0, NULL},
    {"/secrets", "Data", data_count, 0, NULL},
    {"/secrets", "Age", object_age, 0, NULL},
    {"/configmaps", "Data", data_count, 0, NULL},
    {"/configmaps", "Age", object_age, 0, NULL},
    {"/serviceaccounts", "Secrets", secret_count, 0, NULL},
    {"/serviceaccounts", "Age", object_age, 0, NULL},
    {"/namespaces", "Status", phase, 0, NULL},
    {"/namespaces", "Age", object_age, 0, NULL},
    {"/nodes", "Status", node_status, 0, NULL},
    {"/nodes", "Roles", none, 0, NULL},
    {"/nodes", "Age", object_age, 0, NULL},
    {"/nodes", "Version", node_version, 0, NULL},
    {"/endpoints", "Endpoints", endpoints, 0, NULL},
    {"/endpoints", "Age", object_age, 0, NULL},
    {"/events", "Last Seen", event_seen, 0, NULL},
    {"/events", "Type", event_type, 0, NULL},
    {"/events", "Reason", event_reason, 0, NULL},
    {"/events", "Object", event_object, 0, NULL},
    {"/events", "Message", event_message, 0, NULL},
    {"apps/statefulsets", "Ready", replicas, 0, NULL},
    {"apps/statefulsets", "Age", object_age, 0, NULL},
    {"apps/statefulsets", "Containers", container_names, 1, NULL},
    {"apps/statefulsets", "Images", container_images, 1, NULL},
    {"apps/deployments", "Ready", replicas, 0, NULL},
    {"apps/deployments", "Up-to-date", up_to_date, 0, NULL},
    {"apps/deployments", "Available", available, 0, NULL},
    {"apps/deployments", "Age", object_age, 0, NULL},
    {"apps/deployments", "Containers", container_names, 1, NULL},
    {"apps/deployments", "Images", container_images, 1, NULL},
    {"apps/deployments", "Selector", match_labels, 1, NULL},
    {"policy/poddisruptionbudgets", "Min Available", min_available, 0, NULL},
    {"policy/poddisruptionbudgets", "Max Unavailable", max_unavailable, 0, NULL},
    {"policy/poddisruptionbudgets", "Allowed Disruptions", disruptions, 0, "integer"},
    {"policy/poddisruptionbudgets", "Age", object_age, 0, NULL},
    {"rbac.authorization.k8s.io/roles", "Created At", created_at, 0, "date"},
    {"rbac.authorization.k8s.io/clusterroles", "Created At", created_at, 0, "date"},
    {"rbac.authorization.k8s.io/rolebindings", "Role", role_ref, 0, NULL},
    {"rbac.authorization.k8s.io/rolebindings", "Age", object_age, 0, NULL},
    {"rbac.authorization.k8s.io/rolebindings", "Users", users, 1, NULL},
    {"rbac.authorization.k8s.io/rolebindings", "Groups", groups, 1, NULL},
    {"rbac.authorization.k8s.io/rolebindings", "ServiceAccounts", accounts, 1, NULL},
    {"rbac.authorization.k8s.io/clusterrolebindings", "Role", role_ref, 0, NULL},
    {"rbac.authorization.k8s.io/clusterrolebindings", "Age", object_age, 0, NULL},
    {"rbac.authorization.k8s.io/clusterrolebindings", "Users", users, 1, NULL},
    {"rbac.authorization.k8s.io/clusterrolebindings", "Groups", groups, 1, NULL},
    {"rbac.authorization.k8s.io/clusterrolebindings", "ServiceAccounts", accounts, 1, NULL},
    {CRD_KEY, "Created At", created_at, 0, "date"},
    {NULL, "Age", object_age, 0, NULL},
};
#define COLUMNS (sizeof columns / sizeof *columns)

size_t columns_of(const char *key, const struct column *ret[COLUMNS_MAX])
{
	bool known = false;
	size_t n = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		known |= columns[i].key && !strcmp(columns[i].key, key);
	for (size_t i = 0; i < COLUMNS && n < COLUMNS_MAX; i++)
		if (known ? columns[i].key && !strcmp(columns[i].key, key) : !columns[i].key)
			ret[n++] = &columns[i];
	return n;
}
