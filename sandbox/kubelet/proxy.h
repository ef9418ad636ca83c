/*
 * ClusterIPs: for each route a listener, for each connection a relay to one of the route's backends, in turn. All in
 * the kubelet's poll loop, nothing blocks.
 *
 * At most PROXY_LINKS_MAX connections at a time (more wait in the listener's backlog), 64 KiB in flight in each
 * direction. When one side ends its half, so does the relay, and the other half goes on. A connection whose backend
 * left the route is cut, both sides at once, with a reset; one to a route without backends is refused so, too.
 */
#ifndef KUBELET_PROXY_H
#define KUBELET_PROXY_H

#include "base/log.h"
#include "sandbox/kubelet/services.h"

#include <poll.h>

#define PROXY_LINKS_MAX 256
#define PROXY_FDS_MAX (ROUTES_MAX + 2 * PROXY_LINKS_MAX)

struct proxy;

struct proxy *proxy_new(const struct log *log); /* NULL: no memory */
void proxy_free(struct proxy *p);
CLEANUP_PTR(proxy, struct proxy, proxy_free)

/* Takes the routes over: listens on new ones, cuts what is gone. A front that cannot be bound is logged and tried
 * again with the next call; false then. */
bool proxy_update(struct proxy *p, const struct routes *routes);
/* Fills in what to poll for; returns how many. */
size_t proxy_poll(struct proxy *p, struct pollfd *fds, size_t max);
/* The same array after poll(). */
void proxy_step(struct proxy *p, const struct pollfd *fds, size_t count);
size_t proxy_links(const struct proxy *p);

#endif
