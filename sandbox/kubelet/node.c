#include "sandbox/kubelet/node.h"

#include "sandbox/kubelet/lifecycle.h"
#include "sandbox/kubelet/pods.h"
#include "sandbox/parts/address.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define REPORT_MS 300000

static bool make_node(struct remote *r, const struct kube_kind *kind, struct err *err)
{
	CLEANUP(json) struct json *node = NULL;

	if (kube_get(r->kube, kind, NULL, NODE_NAME, &node, err))
		return true;
	if (err->code != ERR_NOT_FOUND)
		return false;
	*err = (struct err)ERR_INIT;
	return json_format(&node, err,
		   "{'apiVersion':'v1','kind':'Node','metadata':{'name':%s,'labels':{'kubernetes.io/hostname':%s,"
		   "'kubernetes.io/os':'linux'}},'spec':{}}",
		   NODE_NAME, NODE_NAME) &&
	       (kube_create(r->kube, kind, NULL, json_root(node), NULL, err) || err->code == ERR_EXISTS);
}

static bool report(
    struct remote *r, const struct kube_kind *kind, int range, uint16_t log_port, int64_t wall_ms, struct err *err)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE), cpus = sysconf(_SC_NPROCESSORS_ONLN);
	CLEANUP(json) struct json *patch = NULL;
	char now[SECONDS_TEXT_MAX], ip[ADDRESS_MAX];
	struct utsname machine = {0};

	uname(&machine);
	seconds_text(wall_ms, now);
	return json_format(&patch, err,
		   "{'status':{'addresses':[{'type':'InternalIP','address':%s},{'type':'Hostname','address':%s}],"
		   "'capacity':{'cpu':'%l','memory':'%lKi','pods':'%d'},"
		   "'allocatable':{'cpu':'%l','memory':'%lKi','pods':'%d'},"
		   "'conditions':[{'type':'Ready','status':'True','reason':'KubeletReady',"
		   "'message':'the sandbox runs pods as processes','lastHeartbeatTime':%s,'lastTransitionTime':%s}],"
		   "'nodeInfo':{'architecture':%s,'kernelVersion':%s,'kubeletVersion':'v1.30.0-psmdb-sandbox-%s',"
		   "'operatingSystem':'linux','osImage':'psmdb-sandbox','containerRuntimeVersion':'process://1'}}}",
		   address_text(range, NODE_HOST, ip), NODE_NAME, (int64_t)cpus, (int64_t)pages * (page / 1024),
		   PODS_MAX, (int64_t)cpus, (int64_t)pages * (page / 1024), PODS_MAX, now, now, machine.machine,
		   machine.release, PSMDB_DRILL_VERSION) &&
	       (!log_port || json_set_format(json_edit(patch), "status/daemonEndpoints", err,
				 "{'kubeletEndpoint':{'Port':%d}}", (int)log_port)) &&
	       kube_patch(r->kube, kind, NULL, NODE_NAME, "status", KUBE_PATCH_MERGE, json_root(patch), NULL, err);
}

void node_sync(struct node *node, struct remote *r, int range, uint16_t log_port, int64_t wall_ms)
{
	struct kube_kind kind;
	struct err err = ERR_INIT;

	if (r->down || (node->reported_ms && wall_ms - node->reported_ms < REPORT_MS))
		return;
	kube_kind_set(&kind, "", "v1", "nodes", "Node", false);
	if (remote_result(
		r, make_node(r, &kind, &err) && report(r, &kind, range, log_port, wall_ms, &err), "node", &err))
		node->reported_ms = wall_ms;
}
