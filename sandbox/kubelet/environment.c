#include "sandbox/kubelet/environment.h"

#include "base/base64.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX ((size_t)1 << 20)

struct making {
	const struct world *world;
	const json_node *pod;
	const struct mounts *mounts;
	const struct environment_facts *facts;
	struct words *env;
};

/* "my-svc" as "MY_SVC". */
static void variable_prefix(const char *service, char ret[static 256])
{
	size_t i = 0;

	for (; service[i] && i < 255; i++)
		ret[i] = service[i] == '-' ? '_' : (char)toupper((unsigned char)service[i]);
	ret[i] = '\0';
}

static bool add_service(const struct making *m, const json_node *service, struct err *err)
{
	const char *ip = json_text_at(service, "spec/clusterIP");
	const json_node *ports = json_at(service, "spec/ports");
	char prefix[256], name[512], text[32];

	if (!ip || !*ip || !strcmp(ip, "None") || !json_first(ports))
		return true;
	variable_prefix(object_name(service), prefix);
	snprintf(name, sizeof name, "%s_SERVICE_HOST", prefix);
	if (!words_env_set(m->env, name, ip, err))
		return false;
	for (const json_node *p = json_first(ports); p; p = json_next(p)) {
		const char *port_name = json_text_at(p, "name");
		char port_prefix[256];

		snprintf(text, sizeof text, "%d", (int)json_int_at(p, "port", 0));
		snprintf(name, sizeof name, "%s_SERVICE_PORT", prefix);
		if (p == json_first(ports) && !words_env_set(m->env, name, text, err))
			return false;
		if (!port_name || !*port_name)
			continue;
		variable_prefix(port_name, port_prefix);
		snprintf(name, sizeof name, "%s_SERVICE_PORT_%s", prefix, port_prefix);
		if (!words_env_set(m->env, name, text, err))
			return false;
	}
	return true;
}

static bool add_services(const struct making *m, struct err *err)
{
	if (!json_bool_at(m->pod, "spec/enableServiceLinks", true))
		return true;
	for (const json_node *s = world_first(m->world, WORLD_SERVICES); s; s = json_next(s))
		if (!strcmp(object_namespace(s), object_namespace(m->pod)) && !add_service(m, s, err))
			return false;
	return true;
}

/* One entry of a Secret's or a ConfigMap's data, under this variable's name. */
static bool add_data(
    const struct making *m, enum world_kind kind, const char *variable, const char *data, struct err *err)
{
	BUF_CLEANUP struct buf plain = BUF_INIT(VALUE_MAX);
	bool ok = true;

	if (kind == WORLD_SECRETS)
		ok = base64_decode(data, strlen(data), &plain, err);
	/* exec knows no NUL inside */
	if (ok && memchr(buf_str(&plain), '\0', plain.len))
		ok = err_set(err, ERR_PARSE, "the value holds a NUL");
	ok = ok && words_env_set(m->env, variable, kind == WORLD_SECRETS ? buf_str(&plain) : data, err);
	if (plain.data)
		explicit_bzero(plain.data, plain.len);
	return ok;
}

static const char *kind_word(enum world_kind kind)
{
	return kind == WORLD_SECRETS ? "secret" : "configmap";
}

/* False with err->code NONE: optional, and not there. */
static bool find_source(
    const struct making *m, enum world_kind kind, const json_node *ref, const json_node **ret, struct err *err)
{
	const char *name = json_text_at(ref, "name");

	*ret = name ? world_find(m->world, kind, object_namespace(m->pod), name) : NULL;
	if (*ret || json_bool_at(ref, "optional", false))
		return *ret != NULL;
	return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", kind_word(kind), name ? name : "");
}

static bool add_key_ref(
    const struct making *m, enum world_kind kind, const char *variable, const json_node *ref, struct err *err)
{
	const char *key = json_text_at(ref, "key"), *data;
	struct err missing = ERR_INIT;
	const json_node *source;

	if (!find_source(m, kind, ref, &source, &missing)) {
		if (missing.code && err)
			*err = missing;
		return !missing.code;
	}
	data = key ? json_string(json_get(json_get(source, "data"), key)) : NULL;
	if (data)
		return add_data(m, kind, variable, data, err);
	return json_bool_at(ref, "optional", false) ||
	       err_set(err, ERR_NOT_FOUND, "couldn't find key \"%s\" in %s \"%s\"", key ? key : "", kind_word(kind),
		   object_name(source));
}

static bool add_all_of(
    const struct making *m, enum world_kind kind, const char *prefix, const json_node *ref, struct err *err)
{
	struct err missing = ERR_INIT;
	const json_node *source;

	if (!find_source(m, kind, ref, &source, &missing)) {
		if (missing.code && err)
			*err = missing;
		return !missing.code;
	}
	for (const json_node *d = json_first(json_get(source, "data")); d; d = json_next(d)) {
		char name[512];

		if (snprintf(name, sizeof name, "%s%s", prefix, json_key(d)) >= (int)sizeof name || !json_string(d))
			return err_set(err, ERR_PARSE, "a key of %s \"%s\" is no variable's name", kind_word(kind),
			    object_name(source));
		if (!add_data(m, kind, name, json_string(d), err))
			return false;
	}
	return true;
}

/* metadata.labels['key'] and metadata.annotations['key'] */
static const char *keyed_field(const json_node *pod, const char *path)
{
	static const char *const maps[] = {"labels", "annotations"};
	char key[320];

	for (size_t i = 0; i < 2; i++) {
		char head[32];
		int len = snprintf(head, sizeof head, "metadata.%s['", maps[i]);
		size_t rest = strlen(path) > (size_t)len ? strlen(path) - (size_t)len : 0;

		if (strncmp(path, head, (size_t)len) != 0 || rest < 3 || rest >= sizeof key ||
		    strcmp(path + strlen(path) - 2, "']") != 0)
			continue;
		memcpy(key, path + len, rest - 2);
		key[rest - 2] = '\0';
		const char *value = json_string(json_get(json_get(json_get(pod, "metadata"), maps[i]), key));

		return value ? value : "";
	}
	return NULL;
}

static const char *field(const struct making *m, const char *path)
{
	static const struct {
		const char *path, *place;
	} plain[] = {
	    {"metadata.name", "metadata/name"},
	    {"metadata.namespace", "metadata/namespace"},
	    {"metadata.uid", "metadata/uid"},
	    {"spec.nodeName", "spec/nodeName"},
	    {"spec.serviceAccountName", "spec/serviceAccountName"},
	};

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		if (!strcmp(path, plain[i].path)) {
			const char *text = json_text_at(m->pod, plain[i].place);

			return text ? text : "";
		}
	}
	if (!strcmp(path, "status.podIP") || !strcmp(path, "status.podIPs"))
		return m->facts->pod_ip;
	if (!strcmp(path, "status.hostIP"))
		return m->facts->host_ip;
	return keyed_field(m->pod, path);
}

static bool add_value_from(const struct making *m, const char *variable, const json_node *from, struct err *err)
{
	const char *path = json_text_at(from, "fieldRef/fieldPath"), *value;
	const json_node *ref;

	if ((ref = json_get(from, "secretKeyRef")))
		return add_key_ref(m, WORLD_SECRETS, variable, ref, err);
	if ((ref = json_get(from, "configMapKeyRef")))
		return add_key_ref(m, WORLD_CONFIGMAPS, variable, ref, err);
	value = path ? field(m, path) : NULL;
	if (value)
		return words_env_set(m->env, variable, value, err);
	err_set(err, ERR_UNSUPPORTED, "the sandbox has no such source of a value");
	return err_hint(err, "it has secretKeyRef, configMapKeyRef and fieldRef");
}

static bool add_plain(const struct making *m, const char *variable, const char *value, struct err *err)
{
	BUF_CLEANUP struct buf expanded = BUF_INIT(VALUE_MAX);
	BUF_CLEANUP struct buf translated = BUF_INIT(VALUE_MAX);
	bool ok = words_expand(value, m->env, &expanded, err);

	/* A value made of a secret's is left as it is: a password may well hold a slash. */
	if (ok && !strcmp(buf_str(&expanded), value))
		ok = words_translate(value, m->mounts->pairs, m->mounts->count, &translated, err) &&
		     words_env_set(m->env, variable, buf_str(&translated), err);
	else if (ok)
		ok = words_env_set(m->env, variable, buf_str(&expanded), err);
	if (expanded.data)
		explicit_bzero(expanded.data, expanded.len);
	return ok;
}

static bool add_env_from(const struct making *m, const json_node *from, struct err *err)
{
	const char *prefix = json_text_at(from, "prefix");
	const json_node *ref;

	prefix = prefix ? prefix : "";
	if ((ref = json_get(from, "secretRef")))
		return add_all_of(m, WORLD_SECRETS, prefix, ref, err);
	if ((ref = json_get(from, "configMapRef")))
		return add_all_of(m, WORLD_CONFIGMAPS, prefix, ref, err);
	return err_set(err, ERR_PARSE, "an envFrom that names neither a secret nor a configmap");
}

bool environment_make(const struct world *w, const json_node *pod, const json_node *container,
    const struct mounts *mounts, const struct environment_facts *facts, struct words *ret, struct err *err)
{
	const struct making m = {w, pod, mounts, facts, ret};

	if (!add_services(&m, err))
		return false;
	for (const json_node *f = json_first(json_get(container, "envFrom")); f; f = json_next(f))
		if (!add_env_from(&m, f, err))
			return false;
	for (const json_node *e = json_first(json_get(container, "env")); e; e = json_next(e)) {
		const char *name = json_text_at(e, "name"), *value = json_text_at(e, "value");
		const json_node *from = json_get(e, "valueFrom");

		if (!name)
			return err_set(err, ERR_PARSE, "a variable without a name");
		if (!(from ? add_value_from(&m, name, from, err) : add_plain(&m, name, value ? value : "", err)))
			return err_wrap(err, "variable \"%s\"", name);
	}
	return true;
}
