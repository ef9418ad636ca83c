/* pods/NAME/log: the files that the kubelet writes. */
#include "sandbox/api/call.h"

#include "base/clock.h"
#include "sandbox/api/log_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct followed {
	struct store *store;
	char namespace_[NAME_LEN_MAX + 1], name[NAME_LEN_MAX + 1], uid[64], container[NAME_LEN_MAX + 1];
};

static bool over(void *arg)
{
	const struct followed *f = arg;
	struct object *pod;
	bool done;

	db_lock(f->store);
	pod = db_get(f->store, "/pods", f->namespace_, f->name);
	done = log_file_over(pod ? object_root(pod) : NULL, f->uid, f->container);
	db_unlock(f->store);
	return done;
}

static bool choose_container(struct call *c, const json_node *pod, char ret[static NAME_LEN_MAX + 1])
{
	const char *asked = query_get(&c->query, "container");
	const json_node *containers = json_at(pod, "spec/containers");

	if (!asked && json_count(containers) > 1) {
		BUF_CLEANUP struct buf names = BUF_INIT(2048);

		for (const json_node *n = json_first(containers); n; n = json_next(n))
			buf_printf(&names, NULL, "%s%s", names.len ? " " : "",
			    json_text_at(n, "name") ? json_text_at(n, "name") : "");
		return status_bad_request(c->response,
		    "a container name must be specified for pod %s, choose one of: [%s]", c->name, buf_str(&names));
	}
	for (const json_node *n = json_first(containers); n; n = json_next(n))
		if (json_text_at(n, "name") && (!asked || json_is_at(n, "name", asked))) {
			snprintf(ret, NAME_LEN_MAX + 1, "%s", json_text_at(n, "name"));
			return true;
		}
	return status_bad_request(c->response, "container %.128s is not valid for pod %s", asked ? asked : "", c->name);
}

static bool refuse(struct call *c, const json_node *pod, const char *container, const struct err *why)
{
	if (why->code == ERR_USAGE)
		return status_bad_request(c->response, "%s", why->msg);
	if (why->code != ERR_NOT_FOUND)
		return status_bad_request(
		    c->response, "the log of container \"%s\" in pod \"%s\" cannot be read", container, c->name);
	if (query_flag(&c->query, "previous"))
		return status_bad_request(
		    c->response, "previous terminated container \"%s\" in pod \"%s\" not found", container, c->name);
	if (!json_at(pod, "status/containerStatuses/0/state/terminated") &&
	    !json_at(pod, "status/containerStatuses/0/state/running"))
		return status_bad_request(c->response,
		    "container \"%s\" in pod \"%s\" is waiting to start: ContainerCreating", container, c->name);
	return true; /* it has not written anything */
}

static bool begin(struct call *c, const struct object *pod, struct followed *f, struct api_stream **ret)
{
	struct log_file_options options = {.over = over, .free = free, .arg = f};
	struct err err = ERR_INIT;

	if (!choose_container(c, object_root(pod), f->container))
		return false;
	if (!c->api->pod_dir || !log_file_safe(pod->namespace_) || !log_file_safe(pod->name) ||
	    !log_file_safe(pod->uid) || !log_file_safe(f->container))
		return status_bad_request(c->response, "logs of pod %s are not to be had", c->name);
	snprintf(f->namespace_, sizeof f->namespace_, "%s", pod->namespace_);
	snprintf(f->name, sizeof f->name, "%s", pod->name);
	snprintf(f->uid, sizeof f->uid, "%s", pod->uid);
	snprintf(options.path, sizeof options.path, "%.2000s/%s_%s_%s/%s%s.log", c->api->pod_dir, f->namespace_,
	    f->name, f->uid, f->container, query_flag(&c->query, "previous") ? ".previous" : "");
	return (log_file_query(&c->query, clock_wall_ms(db_clock(c->store)), &options, &err) &&
		   log_file_open(&options, ret, &err)) ||
	       refuse(c, object_root(pod), f->container, &err);
}

bool call_pod_log(struct call *c)
{
	CLEANUP(object) struct object *pod = NULL;
	struct api_stream *stream = NULL;
	struct followed *f;
	struct err err = ERR_INIT;

	db_lock(c->store);
	pod = db_get(c->store, c->res.key, c->namespace_, c->name);
	if (pod)
		object_ref(pod);
	db_unlock(c->store);
	if (!pod)
		return status_not_found(c->response, &c->res, c->name);
	f = calloc(1, sizeof *f);
	if (!f)
		return !err_nomem(&err) && status_internal(c->response, &err);
	f->store = c->store;
	if (!begin(c, pod, f, &stream)) {
		free(f);
		return false;
	}
	if (!stream)
		free(f);
	c->response->code = 200;
	c->response->content_type = "text/plain";
	c->response->stream = stream;
	return true;
}
