#include "sandbox/kubelet/services.h"

#include "sandbox/parts/loopback.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ZONE "svc.cluster.local"

static bool text_is(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* --- Endpoints --------------------------------------------------------------------------------------------------- */

/* targetPort as a number: it may name a port of the pod's containers. 0: there is none. */
static int64_t target_port(const json_node *port, const json_node *pod)
{
	const json_node *target = json_get(port, "targetPort");
	const char *name = json_string(target);

	if (json_is_number(target))
		return json_int_at(port, "targetPort", 0);
	if (!name)
		return json_int_at(port, "port", 0);
	for (const json_node *c = json_first(json_at(pod, "spec/containers")); c; c = json_next(c))
		for (const json_node *p = json_first(json_get(c, "ports")); p; p = json_next(p))
			if (json_is_at(p, "name", name))
				return json_int_at(p, "containerPort", 0);
	return 0;
}

static bool add_address(json_node *subset, const json_node *service, const json_node *pod, bool ready, struct err *err)
{
	const char *list = ready ? "addresses" : "notReadyAddresses", *hostname = json_text_at(pod, "spec/hostname");
	CLEANUP(json) struct json *doc = NULL;
	char path[32];

	if (!json_get(subset, list) && !json_set_format(subset, list, err, "[]"))
		return false;
	if (!json_format(&doc, err,
		"{'ip':%s,'nodeName':%s,'targetRef':{'kind':'Pod','namespace':%s,'name':%s,'uid':%s}}",
		json_text_at(pod, "status/podIP"), json_text_at(pod, "spec/nodeName"), object_namespace(pod),
		object_name(pod), object_uid(pod)))
		return false;
	if (hostname && text_is(json_text_at(pod, "spec/subdomain"), object_name(service)) &&
	    !json_set_text(json_edit(doc), "hostname", hostname, err))
		return false;
	snprintf(path, sizeof path, "%s/-", list);
	return json_set_copy(subset, path, json_root(doc), err);
}

static bool add_ports(json_node *subset, const json_node *service, const json_node *pod, struct err *err)
{
	if (!json_set_format(subset, "ports", err, "[]"))
		return false;
	for (const json_node *p = json_first(json_at(service, "spec/ports")); p; p = json_next(p)) {
		const char *name = json_text_at(p, "name"), *protocol = json_text_at(p, "protocol");
		CLEANUP(json) struct json *doc = NULL;
		int64_t number = target_port(p, pod);

		if (!number)
			continue;
		if (!json_format(&doc, err, "{'port':%l,'protocol':%s}", number, protocol ? protocol : "TCP") ||
		    (name && !json_set_text(json_edit(doc), "name", name, err)) ||
		    !json_set_copy(subset, "ports/-", json_root(doc), err))
			return false;
	}
	return true;
}

static bool is_behind(const json_node *service, const json_node *pod)
{
	return text_is(object_namespace(pod), object_namespace(service)) && json_text_at(pod, "status/podIP") &&
	       !pod_finished(pod) && !object_deleting(pod) &&
	       labels_match(json_at(service, "spec/selector"), json_at(pod, "metadata/labels"));
}

/*
 * Pods of one Service are taken to have the same ports (one subset), as they have where one template makes them. */
static bool make_subset(const struct world *w, const json_node *service, json_node *subset, struct err *err)
{
	bool all = json_bool_at(service, "spec/publishNotReadyAddresses", false);

	for (const json_node *p = world_first(w, WORLD_PODS); p; p = json_next(p)) {
		if (!is_behind(service, p))
			continue;
		if (!json_get(subset, "ports") && !add_ports(subset, service, p, err))
			return false;
		if (!add_address(subset, service, p, all || pod_ready(p), err))
			return false;
	}
	return true;
}

bool endpoints_make(const struct world *w, const json_node *service, struct json **ret, struct err *err)
{
	const json_node *labels = json_at(service, "metadata/labels");
	CLEANUP(json) struct json *doc = NULL;
	CLEANUP(json) struct json *subset = NULL;

	if (!json_format(&doc, err,
		"{'apiVersion':'v1','kind':'Endpoints','metadata':{'name':%s,'namespace':%s,'labels':{},"
		"'ownerReferences':[{'apiVersion':'v1','kind':'Service','name':%s,'uid':%s}]},'subsets':[]}",
		object_name(service), object_namespace(service), object_name(service), object_uid(service)) ||
	    (labels && !json_set_copy(json_edit(doc), "metadata/labels", labels, err)) ||
	    !json_format(&subset, err, "{}") || !make_subset(w, service, json_edit(subset), err))
		return false;
	if (json_first(json_root(subset)) && !json_set_copy(json_edit(doc), "subsets/-", json_root(subset), err))
		return false;
	*ret = TAKE(doc);
	return true;
}

/* What an API server did not take as an address is noted. */
static bool take_note(const json_node *service, json_node *endpoints, struct err *err)
{
	const char *address = json_text_at(endpoints, "metadata/annotations/" LOOPBACK_BACKEND);
	CLEANUP(json) struct json *subset = NULL;

	if (!address || !*address || json_first(json_get(endpoints, "subsets")))
		return true;
	if (!json_format(&subset, err, "{'addresses':[{'ip':%s}],'ports':[]}", address))
		return false;
	for (const json_node *p = json_first(json_at(service, "spec/ports")); p; p = json_next(p)) {
		CLEANUP(json) struct json *port = NULL;

		if (!json_format(&port, err, "{'port':%l}", target_port(p, NULL)) ||
		    (json_text_at(p, "name") &&
			!json_set_text(json_edit(port), "name", json_text_at(p, "name"), err)) ||
		    !json_set_copy(json_edit(subset), "ports/-", json_root(port), err))
			return false;
	}
	return json_set_format(endpoints, "subsets", err, "[]") &&
	       json_set_copy(endpoints, "subsets/-", json_root(subset), err);
}

bool endpoints_settle(const struct world *w, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;

	if (!json_format(&list, err, "{'items':[]}"))
		return false;
	for (const json_node *s = world_first(w, WORLD_SERVICES); s; s = json_next(s)) {
		const json_node *have = world_find(w, WORLD_ENDPOINTS, object_namespace(s), object_name(s));
		CLEANUP(json) struct json *made = NULL;

		if (service_has_selector(s)) {
			if (!endpoints_make(w, s, &made, err))
				return false;
		} else if (have && (!json_clone(have, &made, err) || !take_note(s, json_edit(made), err))) {
			return false;
		}
		have = made ? json_root(made) : NULL;
		if (have && !json_set_copy(json_edit(list), "items/-", have, err))
			return false;
	}
	*ret = TAKE(list);
	return true;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static bool is_address(const char *ip)
{
	struct in_addr ignored;

	return ip && inet_pton(AF_INET, ip, &ignored) == 1;
}

static bool add_host(struct buf *out, const char *ip, const char *service, const char *ns, struct err *err)
{
	return !is_address(ip) ||
	       buf_printf(out, err, "%s %s.%s." ZONE " %s.%s.svc %s.%s\n", ip, service, ns, service, ns, service, ns);
}

static bool add_headless(
    const json_node *endpoints, const char *service, const char *ns, struct buf *out, struct err *err)
{
	for (const json_node *s = json_first(json_get(endpoints, "subsets")); s; s = json_next(s)) {
		for (const json_node *a = json_first(json_get(s, "addresses")); a; a = json_next(a)) {
			const char *ip = json_text_at(a, "ip"), *hostname = json_text_at(a, "hostname");

			if (!add_host(out, ip, service, ns, err))
				return false;
			if (is_address(ip) && hostname &&
			    !buf_printf(out, err, "%s %s.%s.%s." ZONE "\n", ip, hostname, service, ns))
				return false;
		}
	}
	return true;
}

/* A name is put into a file in which blanks and newlines mean something. */
static bool is_host_name(const char *name)
{
	return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")];
}

bool hosts_text(const struct world *w, struct buf *out, struct err *err)
{
	if (!buf_add_str(out, "127.0.0.1 localhost\n", err))
		return false;
	for (const json_node *s = world_first(w, WORLD_SERVICES); s; s = json_next(s)) {
		const char *ip = json_text_at(s, "spec/clusterIP"), *name = object_name(s), *ns = object_namespace(s);
		const json_node *endpoints = world_find(w, WORLD_ENDPOINTS, ns, name);

		if (!is_host_name(name) || !is_host_name(ns))
			continue;
		if (!(text_is(ip, "None") ? add_headless(endpoints, name, ns, out, err)
					  : add_host(out, ip, name, ns, err)))
			return false;
	}
	return true;
}

/* --- routes ------------------------------------------------------------------------------------------------------ */

static bool set_address(struct route_address *a, const char *ip, int64_t port)
{
	if (!is_address(ip) || port < 1 || port > 65535)
		return false;
	snprintf(a->ip, sizeof a->ip, "%s", ip);
	a->port = (uint16_t)port;
	return true;
}

/* The port of a subset that a Service's port leads to: the one of the same name, or the only one. */
static int64_t backend_port(const json_node *subset, const json_node *service_port)
{
	const char *name = json_text_at(service_port, "name");

	for (const json_node *p = json_first(json_get(subset, "ports")); p; p = json_next(p)) {
		const char *have = json_text_at(p, "name");

		if (text_is(name ? name : "", have ? have : ""))
			return json_int_at(p, "port", 0);
	}
	return 0;
}

static void add_backends(struct route *route, const json_node *endpoints, const json_node *service_port)
{
	for (const json_node *s = json_first(json_get(endpoints, "subsets")); s; s = json_next(s)) {
		int64_t port = backend_port(s, service_port);

		for (const json_node *a = json_first(json_get(s, "addresses")); a; a = json_next(a))
			if (route->count < BACKENDS_MAX &&
			    set_address(&route->backends[route->count], json_text_at(a, "ip"), port))
				route->count++;
	}
}

void routes_make(const struct world *w, struct routes *ret)
{
	ret->count = 0;
	for (const json_node *s = world_first(w, WORLD_SERVICES); s; s = json_next(s)) {
		const json_node *endpoints = world_find(w, WORLD_ENDPOINTS, object_namespace(s), object_name(s));

		for (const json_node *p = json_first(json_at(s, "spec/ports")); p; p = json_next(p)) {
			struct route *route = &ret->items[ret->count];
			const char *protocol = json_text_at(p, "protocol");

			if (ret->count == ROUTES_MAX)
				return;
			*route = (struct route){0};
			if ((protocol && !text_is(protocol, "TCP")) ||
			    !set_address(&route->front, json_text_at(s, "spec/clusterIP"), json_int_at(p, "port", 0)))
				continue;
			add_backends(route, endpoints, p);
			ret->count++;
		}
	}
}
