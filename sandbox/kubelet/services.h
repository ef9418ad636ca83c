/*
 * What Services mean, decided from what is there: which Endpoints a selector gives, which names resolve to what, and
 * where a connection to a ClusterIP leads. Pure.
 */
#ifndef KUBELET_SERVICES_H
#define KUBELET_SERVICES_H

#include "sandbox/kubelet/world.h"

#include <stdint.h>

/* The Endpoints object of a Service with a selector: ready pods (all of them with publishNotReadyAddresses). */
bool endpoints_make(const struct world *w, const json_node *service, struct json **ret, struct err *err);
static inline bool service_has_selector(const json_node *service)
{
	return json_first(json_at(service, "spec/selector")) != NULL;
}

/*
 * The Endpoints that Services have: those of a selector as they should be now, the others as they are stored, or noted by the
 * operator (annotation psmdb-sandbox/backend: ADDRESS) where an API server takes none of this machine's. For names
 * and routes, which so need not wait for an API server to store them, nor for one that would refuse.
 */
bool endpoints_settle(const struct world *w, struct json **ret, struct err *err);

/*
 * A hosts file: SVC.NS.svc.cluster.local, SVC.NS.svc, SVC.NS of each Service (its ClusterIP, or the addresses of a
 * headless one), POD.SVC.NS.svc.cluster.local of endpoints with a hostname. A name without an address is not there.
 */
bool hosts_text(const struct world *w, struct buf *out, struct err *err);

/* One port of a Service with a ClusterIP. */
#define ROUTES_MAX 256
#define BACKENDS_MAX 16
struct route_address {
	char ip[16];
	uint16_t port;
};
struct route {
	struct route_address front;
	struct route_address backends[BACKENDS_MAX];
	size_t count;
};
struct routes {
	struct route items[ROUTES_MAX];
	size_t count;
};
/* What does not fit is left out. */
void routes_make(const struct world *w, struct routes *ret);

#endif
