#include "sandbox/kubelet/container_logs.h"

#include "base/file.h"
#include "sandbox/api/credentials.h"
#include "sandbox/api/log_file.h"
#include "sandbox/api/server.h"
#include "sandbox/kubelet/node.h"
#include "sandbox/parts/address.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEM_MAX 16384
#define NAME_MAX_BYTES 254

struct container_logs {
	const struct kubelet_config *config;
	struct kube_cache *pods;
	struct server *server;
	struct buf cert, key, ca;
};

/* One log that is followed. */
struct followed {
	const struct container_logs *logs;
	char ns[NAME_MAX_BYTES], pod[NAME_MAX_BYTES], uid[64], container[NAME_MAX_BYTES];
};

static bool over(void *arg)
{
	const struct followed *f = arg;
	CLEANUP(json) struct json *pod = NULL;

	return log_file_over(
	    kube_cache_get(f->logs->pods, f->ns, f->pod, &pod, NULL) ? json_root(pod) : NULL, f->uid, f->container);
}

/* As a kubelet: a text, which the API server makes a Status of. */
static void __attribute__((format(printf, 3, 4))) refuse(struct api_response *r, int code, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	r->code = code;
	r->content_type = "text/plain; charset=utf-8";
	buf_reset(&r->body);
	buf_add_str(&r->body, text, NULL);
}

static bool has_container(const json_node *pod, const char *name)
{
	static const char *const lists[] = {"spec/containers", "spec/initContainers"};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		for (const json_node *c = json_first(json_at(pod, lists[i])); c; c = json_next(c))
			if (json_is_at(c, "name", name))
				return true;
	return false;
}

/* Whether the container has ever run, as far as the API server knows. */
static bool has_run(const json_node *pod, const char *name)
{
	for (const json_node *s = json_first(json_at(pod, "status/containerStatuses")); s; s = json_next(s))
		if (json_is_at(s, "name", name))
			return json_at(s, "state/running") || json_at(s, "state/terminated");
	return false;
}

static void open_log(struct followed *f, const json_node *pod, const struct query *q, struct api_response *ret)
{
	const struct kubelet_config *config = f->logs->config;
	struct log_file_options options = {.over = over, .free = free, .arg = f};
	bool previous = query_flag(q, "previous");
	struct err err = ERR_INIT;

	snprintf(options.path, sizeof options.path, "%.2000s/pods/%s_%s_%s/%s%s.log", config->dir, f->ns, f->pod,
	    f->uid, f->container, previous ? ".previous" : "");
	if (log_file_query(q, clock_wall_ms(config->clock), &options, &err) &&
	    log_file_open(&options, &ret->stream, &err)) {
		ret->code = 200;
		ret->content_type = "text/plain";
		return;
	}
	if (err.code == ERR_USAGE)
		refuse(ret, 400, "%s", err.msg);
	else if (err.code != ERR_NOT_FOUND)
		refuse(ret, 500, "the log of container \"%s\" in pod \"%s\" cannot be read", f->container, f->pod);
	else if (previous)
		refuse(ret, 400, "previous terminated container \"%s\" in pod \"%s\" not found", f->container, f->pod);
	else if (!has_run(pod, f->container))
		refuse(ret, 400, "container \"%s\" in pod \"%s\" is waiting to start: ContainerCreating", f->container,
		    f->pod);
	else
		refuse(ret, 200, "%s", ""); /* it has not written anything */
	free(f);
}

static void answer(const struct container_logs *logs, const struct query *q, struct api_response *ret)
{
	CLEANUP(json) struct json *pod = NULL;
	struct followed *f;

	if (q->odd || q->segment_count != 4 || strcmp(q->segments[0], "containerLogs") != 0) {
		refuse(ret, 404, "404 page not found\n");
		return;
	}
	for (size_t i = 1; i < 4; i++)
		if (!log_file_safe(q->segments[i]) || strlen(q->segments[i]) >= NAME_MAX_BYTES) {
			refuse(ret, 400, "\"%.64s\" is no name", q->segments[i]);
			return;
		}
	if (!kube_cache_get(logs->pods, q->segments[1], q->segments[2], &pod, NULL)) {
		refuse(ret, 404, "pod \"%s\" not found", q->segments[2]);
		return;
	}
	if (!has_container(json_root(pod), q->segments[3])) {
		refuse(ret, 404, "container \"%s\" not found in pod \"%s\"", q->segments[3], q->segments[2]);
		return;
	}
	f = calloc(1, sizeof *f);
	if (!f)
		return;
	f->logs = logs;
	snprintf(f->ns, sizeof f->ns, "%s", q->segments[1]);
	snprintf(f->pod, sizeof f->pod, "%s", q->segments[2]);
	snprintf(f->container, sizeof f->container, "%s", q->segments[3]);
	snprintf(f->uid, sizeof f->uid, "%s", object_uid(json_root(pod)));
	open_log(f, json_root(pod), q, ret);
}

static void handle(void *arg, const struct api_request *request, struct api_response *ret)
{
	QUERY_CLEANUP struct query q = {0};
	struct err err = ERR_INIT;

	api_response_init(ret);
	if (strcmp(request->method, "GET") != 0)
		refuse(ret, 405, "405 method not allowed\n");
	else if (!query_parse(request->target, &q, &err))
		refuse(ret, 400, "%s", err.msg);
	else
		answer(arg, &q, ret);
}

static bool read_pem(const char *dir, const char *rest, struct buf *ret, struct err *err)
{
	char path[PATH_MAX];

	buf_init(ret, PEM_MAX);
	return (snprintf(path, sizeof path, "%s/%s", dir, rest) < PATH_MAX ||
		   err_set(err, ERR_LIMIT, "the path \"%s\" is too long", dir)) &&
	       file_read(path, ret, err);
}

bool container_logs_start(
    const struct kubelet_config *config, struct kube_cache *pods, struct container_logs **ret, struct err *err)
{
	struct container_logs *logs = calloc(1, sizeof *logs);
	struct server_options options = {.port = config->log_port, .handle = handle, .arg = logs};
	char address[ADDRESS_MAX];
	bool ok;

	if (!logs)
		return err_nomem(err);
	logs->config = config;
	logs->pods = pods;
	options.address = address_text(config->range, NODE_HOST, address);
	ok = read_pem(config->dir, API_TLS_CERT, &logs->cert, err) &&
	     read_pem(config->dir, API_TLS_KEY, &logs->key, err) && read_pem(config->dir, API_TLS_CA, &logs->ca, err);
	options.cert_pem = buf_str(&logs->cert);
	options.key_pem = buf_str(&logs->key);
	options.client_ca_pem = buf_str(&logs->ca);
	if (ok && server_start(&options, &logs->server, err)) {
		*ret = logs;
		return true;
	}
	container_logs_stop(logs);
	return false;
}

void container_logs_stop(struct container_logs *logs)
{
	if (!logs)
		return;
	server_stop(logs->server);
	buf_clear(&logs->cert);
	buf_clear(&logs->key);
	buf_clear(&logs->ca);
	free(logs);
}
