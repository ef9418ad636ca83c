/* What an object must be, and what the server puts in itself. */
#include "sandbox/api/call.h"

#include "base/base64.h"
#include "base/num.h"
#include "base/uuid.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_LEN_MAX 63
#define GROUP_LEN_MAX 127   /* what struct resource holds */
#define GENERATE_ATTEMPTS 8 /* at a name that is free, as a real server from 1.31 on */
#define GENERATE_LEN_MAX 58 /* of a generateName, as a real server cuts it: with the suffix it is a label */

/* --- identity ----------------------------------------------------------------------------------------------------- */

static bool mismatch(struct call *c, json_node *root)
{
	const char *version = json_text_at(root, "apiVersion"), *kind = json_text_at(root, "kind");
	const char *ns = json_text_at(root, "metadata/namespace");

	if (c->res.custom && (!version || !kind))
		return !status_bad_request(c->response, "Object 'Kind' is missing in the request body");
	if (version && strcmp(version, c->res.api_version) != 0)
		return !status_bad_request(c->response,
		    "the API version in the data (%.128s) does not match the expected API version (%s)", version,
		    c->res.api_version);
	if (kind && strcmp(kind, c->res.kind) != 0)
		return !(c->res.custom
			     ? status_invalid(c->response, &c->res, c->name ? c->name : "", "FieldValueInvalid", "kind",
				   "Invalid value: \"%.64s\": must be %s", kind, c->res.kind)
			     : status_bad_request(c->response, "%.64s in version \"%s\" cannot be handled as a %s",
				   kind, c->res.version, c->res.kind));
	if (ns && *ns && strcmp(ns, c->namespace_) != 0)
		return !status_bad_request(c->response,
		    "the namespace of the provided object does not match the namespace sent on the "
		    "request");
	return false;
}

static bool dns_name(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > NAME_LEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = !i || i == len - 1 || name[i - 1] == '.' || name[i + 1] == '.';

		if (!(islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) || (!edge && name[i] == '-') ||
			(i && i < len - 1 && name[i] == '.' && name[i - 1] != '-' && name[i + 1] != '.')))
			return false;
	}
	return true;
}

/* Names of roles may hold colons. */
static bool path_name(const char *name)
{
	return *name && strlen(name) <= NAME_LEN_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       !strpbrk(name, "/%");
}

static bool dns_label(const char *name)
{
	return dns_name(name) && strlen(name) <= LABEL_LEN_MAX && !strchr(name, '.');
}

struct name_rule {
	bool (*fits)(const char *name);
	const char *text;
};

static const struct name_rule *name_rule(const struct call *c)
{
	static const struct name_rule
	    role = {path_name,
		"a name that is part of a path must not be empty, '.' or '..', and must not hold '/' or '%'"},
	    label = {dns_label, "a lowercase RFC 1123 label must consist of at most 63 lower case "
				"alphanumeric characters or '-', and must start and end with an alphanumeric "
				"character"},
	    subdomain = {dns_name, "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
				   "characters, '-' or '.', and must start and end with an alphanumeric "
				   "character"};

	if (strstr(c->res.group, "rbac."))
		return &role;
	return strcmp(c->res.key, NAMESPACES_KEY) ? &subdomain : &label;
}

/* Wherever the name came from: the body, the path, or generateName. */
static bool check_name(struct call *c, const char *name)
{
	const struct name_rule *rule = name_rule(c);

	return rule->fits(name) || status_invalid(c->response, &c->res, name, "FieldValueInvalid", "metadata.name",
				       "Invalid value: \"%.253s\": %s", name, rule->text);
}

static bool random_suffix(char ret[static 6])
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	struct uuid id;

	if (!uuid_random(&id, NULL))
		return false;
	for (int i = 0; i < 5; i++)
		ret[i] = letters[((const unsigned char *)&id)[i] % (sizeof letters - 1)];
	ret[5] = '\0';
	return true;
}

/* Empty lists and maps of the metadata are as good as none, and are not kept. */
static void drop_empty(json_node *root)
{
	static const char *const paths[] = {
	    "metadata/labels", "metadata/annotations", "metadata/finalizers", "metadata/ownerReferences"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const json_node *there = json_at(root, paths[i]);

		if (there &&
		    (json_is_null(there) || ((json_is_object(there) || json_is_array(there)) && !json_first(there))))
			json_remove_at(root, paths[i]);
	}
}

/* ret is what an object gets that does not name itself. */
static bool make_name(struct call *c, const json_node *root, const char *name, char ret[static NAME_LEN_MAX + 1])
{
	const char *generate = json_text_at(root, "metadata/generateName");
	bool made = generate && *generate;
	char suffix[6];

	if (name && strlen(name) <= NAME_LEN_MAX) {
		snprintf(ret, NAME_LEN_MAX + 1, "%s", name);
		return true;
	}
	if (name)
		return check_name(c, name);
	for (int attempt = 0; made && attempt < GENERATE_ATTEMPTS; attempt++) {
		made = random_suffix(suffix);
		snprintf(ret, NAME_LEN_MAX + 1, "%.*s%s", GENERATE_LEN_MAX, generate, suffix);
		if (!db_get(c->store, c->res.key, c->namespace_, ret))
			break;
	}
	return made || status_invalid(c->response, &c->res, "", "FieldValueRequired", "metadata.name",
			   "Required value: name or generateName is required");
}

static bool admit_name(struct call *c, json_node *root, const char *name)
{
	const char *given = json_text_at(root, "metadata/name");
	char made[NAME_LEN_MAX + 1];
	struct err err = ERR_INIT;

	if (name && given && strcmp(name, given) != 0)
		return status_bad_request(c->response,
		    "the name of the object (%.253s) does not match the name on the URL (%.253s)", given, name);
	if (given && *given)
		return check_name(c, given);
	return make_name(c, root, name, made) && check_name(c, made) &&
	       (json_set_text(root, "metadata/name", made, &err) || status_internal(c->response, &err));
}

static bool deeper_than(const json_node *node, int levels)
{
	if (!json_is_object(node) && !json_is_array(node))
		return false;
	for (const json_node *m = json_first(node); m && levels; m = json_next(m))
		if (deeper_than(m, levels - 1))
			return true;
	return !levels;
}

/* managedFields are the server's own. */
static bool too_deep(const json_node *root)
{
	for (const json_node *m = json_first(root); m; m = json_next(m))
		if (strcmp(json_key(m), "metadata") != 0 && deeper_than(m, OBJECT_DEPTH_MAX - 1))
			return true;
	for (const json_node *m = json_first(json_at(root, "metadata")); m; m = json_next(m))
		if (strcmp(json_key(m), "managedFields") != 0 && deeper_than(m, OBJECT_DEPTH_MAX - 2))
			return true;
	return false;
}

/* name: from the path (NULL on a collection). */
bool admit_identity(struct call *c, json_node *root, const char *name)
{
	struct err err = ERR_INIT;

	if (!json_is_object(root))
		return status_bad_request(c->response, "the object provided is no object");
	if (mismatch(c, root))
		return false;
	if (json_at(root, "metadata") && !json_is_object(json_at(root, "metadata")))
		return status_bad_request(c->response, "json: cannot unmarshal metadata");
	/* what the server or a controller puts into it would find no place */
	if (json_at(root, "status") && !json_is_object(json_at(root, "status")) &&
	    !json_is_null(json_at(root, "status")))
		return status_bad_request(c->response, "json: cannot unmarshal status: it is no object");
	if (too_deep(root))
		return status_bad_request(
		    c->response, "json: an object nested deeper than %d levels", OBJECT_DEPTH_MAX);
	drop_empty(root);
	if (!admit_name(c, root, name))
		return false;
	if ((*c->namespace_ && !json_set_text(root, "metadata/namespace", c->namespace_, &err)) ||
	    !json_set_text(root, "apiVersion", c->res.api_version, &err) ||
	    !json_set_text(root, "kind", c->res.kind, &err))
		return status_internal(c->response, &err);
	if (!*c->namespace_)
		json_remove_at(root, "metadata/namespace");
	return true;
}

/* --- validity ----------------------------------------------------------------------------------------------------- */

static bool texts_only(const json_node *map)
{
	for (const json_node *m = json_first(map); m; m = json_next(m))
		if (!json_is_string(m))
			return false;
	return !map || json_is_object(map) || json_is_null(map);
}

static bool is_key(const struct call *c, const char *key)
{
	return !strcmp(c->res.key, key);
}

static bool needs(struct call *c, const json_node *root, const char *path, const char *field)
{
	return json_at(root, path) ? true
				   : status_invalid(c->response, &c->res, json_text_at(root, "metadata/name"),
					 "FieldValueRequired", field, "Required value");
}

static bool bad_definition(struct call *c, const char *name, const char *field, const char *value, const char *rule)
{
	return status_invalid(c->response, &c->res, name, "FieldValueInvalid", field, "Invalid value: \"%.253s\": %s",
	    value ? value : "", rule);
}

/* A kind is a label but for its capitals. */
static bool kind_name(const char *kind)
{
	char lower[LABEL_LEN_MAX + 2];
	size_t n = 0;

	for (; kind[n] && n < sizeof lower - 1; n++)
		lower[n] = (char)tolower((unsigned char)kind[n]);
	lower[n] = '\0';
	return dns_label(lower);
}

/* Its parts become paths, keys of the store and parts of answers. */
static bool check_definition(struct call *c, const json_node *root)
{
	static const char label[] = "must be a lowercase RFC 1123 label, and for a kind one but for its capitals";
	const char *name = json_text_at(root, "metadata/name"), *group = json_text_at(root, "spec/group"),
		   *plural = json_text_at(root, "spec/names/plural"), *kind = json_text_at(root, "spec/names/kind"),
		   *list = json_text_at(root, "spec/names/listKind");
	size_t len = plural ? strlen(plural) : 0;

	if (!group || !dns_name(group) || strlen(group) > GROUP_LEN_MAX)
		return bad_definition(
		    c, name, "spec.group", group, "must be a lowercase RFC 1123 subdomain of at most 127 characters");
	if (!plural || !dns_label(plural))
		return bad_definition(c, name, "spec.names.plural", plural, label);
	if (!kind || !kind_name(kind))
		return bad_definition(c, name, "spec.names.kind", kind, label);
	if (json_at(root, "spec/names/listKind") && (!list || !kind_name(list)))
		return bad_definition(c, name, "spec.names.listKind", list, label);
	for (const json_node *v = json_first(json_at(root, "spec/versions")); v; v = json_next(v))
		if (!json_text_at(v, "name") || !dns_label(json_text_at(v, "name")))
			return bad_definition(c, name, "spec.versions.name", json_text_at(v, "name"), label);
	if (strncmp(name, plural, len) != 0 || name[len] != '.' || strcmp(name + len + 1, group) != 0)
		return bad_definition(c, name, "metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
	return true;
}

/* Of a label's value, or of its key behind the prefix. */
static bool is_label_part(const char *text, size_t len)
{
	if (len > LABEL_LEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && (!strchr("-_.", text[i]) || !i || i == len - 1))
			return false;
	return true;
}

static bool labels_fit(struct call *c, const json_node *root)
{
	const char *name = json_text_at(root, "metadata/name");

	for (const json_node *l = json_first(json_at(root, "metadata/labels")); l; l = json_next(l)) {
		const char *key = json_key(l), *value = json_string(l), *slash = strrchr(key, '/'),
			   *part = slash ? slash + 1 : key;

		if (!*part || !is_label_part(part, strlen(part)))
			return status_invalid(c->response, &c->res, name, "FieldValueInvalid", "metadata.labels",
			    "Invalid value: \"%.128s\": name part must consist of alphanumeric characters, '-', '_' or "
			    "'.', and must "
			    "start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
			    "'123-abc', regex used "
			    "for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
			    key);
		if (value && !is_label_part(value, strlen(value)))
			return status_invalid(c->response, &c->res, name, "FieldValueInvalid", "metadata.labels",
			    "Invalid value: \"%.128s\": a valid label must be an empty string or consist of "
			    "alphanumeric characters, "
			    "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  "
			    "or 'my_value',  or "
			    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
			    value);
	}
	return true;
}

/* A pod's node is said by its binding. */
static bool node_stays(struct call *c, const json_node *root, const json_node *before)
{
	const char *was = json_text_at(before, "spec/nodeName"), *is = json_text_at(root, "spec/nodeName");

	return !before || !strcmp(was ? was : "", is ? is : "") ||
	       status_invalid(c->response, &c->res, json_text_at(root, "metadata/name"), "FieldValueForbidden", "spec",
		   "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
		   "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
		   "existing "
		   "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
		   "negative)");
}

bool admit_validate(struct call *c, json_node *root, const json_node *before)
{
	const char *name = json_text_at(root, "metadata/name");

	if (!texts_only(json_at(root, "metadata/labels")) || !texts_only(json_at(root, "metadata/annotations")))
		return status_bad_request(c->response, "json: labels and annotations are maps of strings");
	if (!labels_fit(c, root))
		return false;
	if (json_at(root, "metadata/finalizers") && !json_is_array(json_at(root, "metadata/finalizers")) &&
	    !json_is_null(json_at(root, "metadata/finalizers")))
		return status_bad_request(c->response, "json: finalizers are a list of strings");
	for (const json_node *f = json_first(json_at(root, "metadata/finalizers")); f; f = json_next(f)) {
		if (!json_string(f))
			return status_bad_request(c->response, "json: finalizers are a list of strings");
		if (!strchr(json_string(f), '/') && strcmp(json_string(f), "foregroundDeletion") != 0 &&
		    strcmp(json_string(f), "orphan") != 0 && c->res.custom &&
		    (!before || !root_has_finalizer(before, json_string(f))))
			call_warn(c,
			    "metadata.finalizers: \"%.128s\": prefer a domain-qualified finalizer name to avoid "
			    "accidental "
			    "conflicts with other finalizer writers",
			    json_string(f));
		if (before && root_deleting(before) && !root_has_finalizer(before, json_string(f)))
			return status_invalid(c->response, &c->res, name, "FieldValueForbidden", "metadata.finalizers",
			    "Forbidden: no new finalizers can be added if the object is being deleted, found new "
			    "finalizers "
			    "[]string{\"%.128s\"}",
			    json_string(f));
	}
	if (is_key(c, "/pods"))
		return needs(c, root, "spec/containers/0", "spec.containers") && node_stays(c, root, before);
	if (is_key(c, "/services"))
		return needs(c, root, "spec/ports", "spec.ports");
	if (is_key(c, "apps/statefulsets") || is_key(c, "apps/deployments"))
		return needs(c, root, "spec/selector", "spec.selector") &&
		       needs(c, root, "spec/template", "spec.template");
	if (is_key(c, CRD_KEY))
		return needs(c, root, "spec/group", "spec.group") &&
		       needs(c, root, "spec/names/plural", "spec.names.plural") &&
		       needs(c, root, "spec/names/kind", "spec.names.kind") &&
		       needs(c, root, "spec/versions", "spec.versions") && check_definition(c, root);
	return true;
}

/* "" if there is none. */
static const char *stored_version(const json_node *definition)
{
	for (const json_node *v = json_first(json_at(definition, "spec/versions")); v; v = json_next(v))
		if (json_bool_at(v, "storage", false) && json_text_at(v, "name"))
			return json_text_at(v, "name");
	return "";
}

/* --- defaults ----------------------------------------------------------------------------------------------------- */

static bool address_taken(struct store *s, const char *address)
{
	const struct store_kind *services = db_kind_of(s, "/services");

	for (size_t i = 0; services && i < services->count; i++)
		if (json_is_at(object_root(services->items[i]), "spec/clusterIP", address))
			return true;
	return false;
}

static bool give_cluster_ip(struct call *c, json_node *root, struct err *err)
{
	uint32_t first = ntohl(c->api->service_first.s_addr), last = ntohl(c->api->service_last.s_addr);
	const char *asked = json_text_at(root, "spec/clusterIP");

	if ((asked && *asked) || !first || json_is_at(root, "spec/type", "ExternalName"))
		return true;
	for (uint32_t a = first; a <= last; a++) {
		struct in_addr at = {htonl(a)};
		char text[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &at, text, sizeof text);
		if (!address_taken(c->store, text))
			return json_set_text(root, "spec/clusterIP", text, err) &&
			       json_set_format(root, "spec/clusterIPs", err, "[%s]", text);
	}
	return err_set(err, ERR_LIMIT, "no service address is free");
}

static bool secret_data(json_node *root, struct err *err)
{
	CLEANUP(json) struct json *given = NULL;
	const json_node *texts = json_at(root, "stringData");

	if (!json_at(root, "type") && !json_set_text(root, "type", "Opaque", err))
		return false;
	if (!texts)
		return true;
	if (!json_clone(texts, &given, err))
		return false;
	json_remove_at(root, "stringData");
	if (!json_is_object(json_at(root, "data")) && !json_set_format(root, "data", err, "{}"))
		return false;
	for (const json_node *t = json_first(json_root(given)); t; t = json_next(t)) {
		BUF_CLEANUP struct buf text = BUF_INIT(4u << 20), path = BUF_INIT(1024);
		const char *value = json_string(t);
		CLEANUP(json) struct json *one = NULL;

		if (!value)
			return err_set(err, ERR_PARSE, "stringData holds something that is no string");
		if (!base64_encode(value, strlen(value), &text, err) || !json_format(&one, err, "{'data':{}}"))
			return false;
		/* keys of secrets hold no '/' */
		if (strchr(json_key(t), '/'))
			return err_set(err, ERR_PARSE, "a secret's key holds '/'");
		if (!buf_printf(&path, err, "data/%s", json_key(t)) ||
		    !json_set_text(root, buf_str(&path), buf_str(&text), err))
			return false;
	}
	return true;
}

static bool new_status(struct call *c, json_node *root, struct err *err)
{
	char now[32];

	call_now(c->store, now);
	if (is_key(c, "/pods"))
		return json_set_format(root, "status", err, "{'phase':'Pending'}");
	if (is_key(c, "/persistentvolumeclaims") || is_key(c, "/persistentvolumes"))
		return json_set_format(root, "status", err, "{'phase':'Pending'}");
	if (is_key(c, "/services"))
		return json_set_format(root, "status", err, "{'loadBalancer':{}}");
	if (is_key(c, NAMESPACES_KEY))
		return json_set_format(root, "status", err, "{'phase':'Active'}") &&
		       json_set_format(root, "spec", err, "{'finalizers':['kubernetes']}") &&
		       json_set_text(root, "metadata/labels/kubernetes.io~1metadata.name",
			   json_text_at(root, "metadata/name"), err);
	if (is_key(c, CRD_KEY))
		return json_set_format(root, "status", err,
			   "{'conditions':[{'type':'NamesAccepted','status':'True','reason':'NoConflicts','message':'"
			   "no conflicts "
			   "found','lastTransitionTime':%s},{'type':'Established','status':'True','reason':'"
			   "InitialNamesAccepted',"
			   "'message':'the initial names have been "
			   "accepted','lastTransitionTime':%s}],'acceptedNames':%j,"
			   "'storedVersions':[%s]}",
			   now, now, json_at(root, "spec/names"), stored_version(root)) &&
		       root_add_finalizer(root, "customresourcecleanup.apiextensions.k8s.io", err);
	return true;
}

static bool pod_defaults(json_node *root, struct err *err)
{
	return (json_at(root, "spec/restartPolicy") || json_set_text(root, "spec/restartPolicy", "Always", err)) &&
	       (json_at(root, "spec/terminationGracePeriodSeconds") ||
		   json_set_int(root, "spec/terminationGracePeriodSeconds", 30, err));
}

bool admit_defaults(struct call *c, json_node *root, const json_node *before)
{
	struct err err = ERR_INIT;
	bool ok = true;

	if (!before)
		ok = new_status(c, root, &err);
	if (is_key(c, "/services")) {
		const char *kept = json_text_at(before, "spec/clusterIP");

		if (before && kept && !json_at(root, "spec/clusterIP"))
			ok = ok && json_set_text(root, "spec/clusterIP", kept, &err);
		ok = ok && (json_at(root, "spec/type") || json_set_text(root, "spec/type", "ClusterIP", &err)) &&
		     give_cluster_ip(c, root, &err);
	} else if (is_key(c, "/secrets")) {
		ok = ok && secret_data(root, &err);
	} else if (is_key(c, "/pods")) {
		ok = ok && pod_defaults(root, &err);
	} else if (is_key(c, NAMESPACES_KEY) && before && !json_at(root, "spec/finalizers") &&
		   strcmp(c->sub ? c->sub : "", "finalize")) {
		ok = ok && (!json_at(before, "spec") || json_set_copy(root, "spec", json_at(before, "spec"), &err));
	}
	if (ok)
		return true;
	return err.code == ERR_PARSE ? status_bad_request(c->response, "%s", err.msg)
				     : status_internal(c->response, &err);
}
