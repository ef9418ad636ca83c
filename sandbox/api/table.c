#include "sandbox/api/table.h"

#include "base/clock.h"
#include "doc/json_writer.h"
#include "doc/jsonpath.h"

#include <stdio.h>
#include <string.h>

#define CELL_MAX 1024
#define COLUMNS_MAX 24

bool table_is_wanted(const char *accept)
{
	const char *table = accept ? strstr(accept, "as=Table") : NULL,
		   *json = accept ? strstr(accept, "application/json") : NULL;

	return table && json && strstr(accept, "g=meta.k8s.io");
}

/* --- columns ------------------------------------------------------------------------------------------------------ */

struct cell {
	char text[CELL_MAX];
};

typedef void cell_of(const json_node *o, struct cell *ret);

static void put(struct cell *c, const char *text)
{
	snprintf(c->text, sizeof c->text, "%s", text && *text ? text : "<none>");
}

static void age(const char *time, struct cell *c)
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
	age(json_text_at(o, "metadata/creationTimestamp"), c);
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
		age(last, &since);
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

static void capacity(const json_node *o, struct cell *c)
{
	const char *text = json_text_at(o, "status/capacity/storage");

	snprintf(c->text, sizeof c->text, "%s",
	    text				       ? text
	    : json_text_at(o, "spec/capacity/storage") ? json_text_at(o, "spec/capacity/storage")
						       : "");
}

static void modes(const json_node *o, struct cell *c)
{
	const char *mode = json_text_at(o, "spec/accessModes/0");

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

static void no_external(const json_node *o, struct cell *c)
{
	(void)o;
	put(c, NULL);
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

static void secret_type(const json_node *o, struct cell *c)
{
	put(c, json_text_at(o, "type"));
}

static void data_count(const json_node *o, struct cell *c)
{
	snprintf(c->text, sizeof c->text, "%zu", json_count(json_at(o, "data")));
}

static void replicas(const json_node *o, struct cell *c)
{
	snprintf(c->text, sizeof c->text, "%lld/%lld", (long long)json_int_at(o, "status/readyReplicas", 0),
	    (long long)json_int_at(o, "spec/replicas", 1));
}

static void up_to_date(const json_node *o, struct cell *c)
{
	snprintf(c->text, sizeof c->text, "%lld", (long long)json_int_at(o, "status/updatedReplicas", 0));
}

static void available(const json_node *o, struct cell *c)
{
	snprintf(c->text, sizeof c->text, "%lld", (long long)json_int_at(o, "status/availableReplicas", 0));
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

	age(last ? last : json_text_at(o, "metadata/creationTimestamp"), c);
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

struct column {
	const char *key; /* of the store; NULL: every other built-in kind */
	const char *name;
	cell_of *cell;
	int priority;
};

/* The name comes first everywhere. */
static const struct column columns[] = {
    {"/pods", "Ready", pod_ready, 0},
    {"/pods", "Status", pod_status, 0},
    {"/pods", "Restarts", pod_restarts, 0},
    {"/pods", "Age", object_age, 0},
    {"/pods", "IP", pod_ip, 1},
    {"/pods", "Node", pod_node, 1},
    {"/persistentvolumeclaims", "Status", phase, 0},
    {"/persistentvolumeclaims", "Volume", volume, 0},
    {"/persistentvolumeclaims", "Capacity", capacity, 0},
    {"/persistentvolumeclaims", "Access Modes", modes, 0},
    {"/persistentvolumeclaims", "StorageClass", storage_class, 0},
    {"/persistentvolumeclaims", "Age", object_age, 0},
    {"/persistentvolumes", "Capacity", capacity, 0},
    {"/persistentvolumes", "Access Modes", modes, 0},
    {"/persistentvolumes", "Reclaim Policy", reclaim, 0},
    {"/persistentvolumes", "Status", phase, 0},
    {"/persistentvolumes", "Claim", claim, 0},
    {"/persistentvolumes", "StorageClass", storage_class, 0},
    {"/persistentvolumes", "Age", object_age, 0},
    {"/services", "Type", service_type, 0},
    {"/services", "Cluster-IP", cluster_ip, 0},
    {"/services", "External-IP", no_external, 0},
    {"/services", "Port(s)", service_ports, 0},
    {"/services", "Age", object_age, 0},
    {"/secrets", "Type", secret_type, 0},
    {"/secrets", "Data", data_count, 0},
    {"/secrets", "Age", object_age, 0},
    {"/configmaps", "Data", data_count, 0},
    {"/configmaps", "Age", object_age, 0},
    {"/namespaces", "Status", phase, 0},
    {"/namespaces", "Age", object_age, 0},
    {"/nodes", "Status", node_status, 0},
    {"/nodes", "Age", object_age, 0},
    {"/nodes", "Version", node_version, 0},
    {"/endpoints", "Endpoints", endpoints, 0},
    {"/endpoints", "Age", object_age, 0},
    {"apps/statefulsets", "Ready", replicas, 0},
    {"apps/statefulsets", "Age", object_age, 0},
    {"apps/deployments", "Ready", replicas, 0},
    {"apps/deployments", "Up-to-date", up_to_date, 0},
    {"apps/deployments", "Available", available, 0},
    {"apps/deployments", "Age", object_age, 0},
    {CRD_KEY, "Created At", created_at, 0},
    {NULL, "Age", object_age, 0},
};
#define COLUMNS (sizeof columns / sizeof *columns)

/* Events have no name column in front. */
static const struct column event_columns[] = {
    {"/events", "Last Seen", event_seen, 0},
    {"/events", "Type", event_type, 0},
    {"/events", "Reason", event_reason, 0},
    {"/events", "Object", event_object, 0},
    {"/events", "Message", event_message, 0},
};

struct plan {
	bool events;
	const struct column *built_in[COLUMNS_MAX];
	const json_node *custom[COLUMNS_MAX];
	size_t count;
};

static const json_node *version_of(const struct resource *res)
{
	for (const json_node *v = json_first(json_at(object_root(res->crd), "spec/versions")); v; v = json_next(v))
		if (json_is_at(v, "name", res->version))
			return v;
	return NULL;
}

static void make_plan(const struct resource *res, struct plan *p)
{
	bool known = false;

	*p = (struct plan){.events = !strcmp(res->key, "/events")};
	for (size_t i = 0; p->events && i < sizeof event_columns / sizeof *event_columns; i++)
		p->built_in[p->count++] = &event_columns[i];
	if (p->events)
		return;
	if (res->crd)
		for (const json_node *c = json_first(json_at(version_of(res), "additionalPrinterColumns"));
		     c && p->count < COLUMNS_MAX; c = json_next(c))
			p->custom[p->count++] = c;
	if (p->count)
		return;
	for (size_t i = 0; i < COLUMNS; i++)
		known |= columns[i].key && !strcmp(columns[i].key, res->key);
	for (size_t i = 0; i < COLUMNS && p->count < COLUMNS_MAX; i++)
		if (known ? columns[i].key && !strcmp(columns[i].key, res->key) : !columns[i].key)
			p->built_in[p->count++] = &columns[i];
}

static void put_definition(
    struct json_writer *w, const char *name, const char *type, const char *format, int64_t priority)
{
	json_object(w, NULL);
	json_put_string(w, "name", name);
	json_put_string(w, "type", type);
	json_put_string(w, "format", format);
	json_put_string(w, "description", "");
	json_put_int(w, "priority", priority);
	json_end_object(w);
}

static void put_definitions(struct json_writer *w, const struct plan *p)
{
	json_array(w, "columnDefinitions");
	if (!p->events)
		put_definition(w, "Name", "string", "name", 0);
	for (size_t i = 0; i < p->count; i++) {
		const char *name = p->custom[i] ? json_text_at(p->custom[i], "name") : p->built_in[i]->name;

		const char *type = p->custom[i] ? json_text_at(p->custom[i], "type") : NULL;

		put_definition(w, name ? name : "", type ? type : "string", "",
		    p->custom[i] ? json_int_at(p->custom[i], "priority", 0) : p->built_in[i]->priority);
	}
	json_end_array(w);
}

static void put_cell(struct json_writer *w, const struct plan *p, size_t i, const json_node *root)
{
	BUF_CLEANUP struct buf text = BUF_INIT(CELL_MAX);
	struct cell cell = {""};
	const char *path;

	if (p->built_in[i]) {
		p->built_in[i]->cell(root, &cell);
		json_put_string(w, NULL, cell.text);
		return;
	}
	path = json_text_at(p->custom[i], "jsonPath");
	if (!path || !jsonpath_text(root, path, &text, NULL)) {
		json_put_string(w, NULL, "");
		return;
	}
	if (json_is_at(p->custom[i], "type", "date")) {
		age(buf_str(&text), &cell);
		json_put_string(w, NULL, cell.text);
	} else if (text.len) {
		json_put_string(w, NULL, buf_str(&text));
	} else {
		json_put_null(w, NULL);
	}
}

/* The rows' objects are metadata alone, as asked for by default; written as text, because the tree has it already. */
static bool put_row(const struct plan *p, const struct object *object, struct buf *out, struct err *err)
{
	const json_node *root = object_root(object);
	struct json_writer w;

	if (!buf_add_str(out, "{\"cells\":", err))
		return false;
	json_writer_init(&w, out);
	json_array(&w, NULL);
	if (!p->events)
		json_put_string(&w, NULL, object->name);
	for (size_t i = 0; i < p->count; i++)
		put_cell(&w, p, i, root);
	json_end_array(&w);
	return json_writer_ok(&w, err) &&
	       buf_add_str(out,
		   ",\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":",
		   err) &&
	       json_print(json_at(root, "metadata"), false, out, err) && buf_add_str(out, "}}", err);
}

bool table_print(const struct resource *res, struct object *const *items, size_t count, const char *meta,
    struct buf *out, struct err *err)
{
	struct json_writer w;
	struct plan plan;

	make_plan(res, &plan);
	if (!buf_printf(
		out, err, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",%s,\"columnDefinitions\":", meta))
		return false;
	/* the array alone, behind its name */
	BUF_CLEANUP struct buf head = BUF_INIT(16384);
	json_writer_init(&w, &head);
	json_object(&w, NULL);
	put_definitions(&w, &plan);
	json_end_object(&w);
	if (!json_writer_ok(&w, err) ||
	    !buf_add(out, head.data + strlen("{\"columnDefinitions\":"),
		head.len - strlen("{\"columnDefinitions\":") - 1, err) ||
	    !buf_add_str(out, ",\"rows\":[", err))
		return false;
	for (size_t i = 0; i < count; i++)
		if ((i && !buf_add_char(out, ',', err)) || !put_row(&plan, items[i], out, err))
			return false;
	return buf_add_str(out, "]}", err);
}

bool table_print_event(const struct resource *res, const struct object *object, struct buf *out, struct err *err)
{
	struct object *items[1] = {(struct object *)object};
	char meta[80];

	snprintf(meta, sizeof meta, "\"metadata\":{\"resourceVersion\":\"%llu\"}", (unsigned long long)object->version);
	return table_print(res, items, 1, meta, out, err);
}
