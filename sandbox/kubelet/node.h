/* The Node object that the pods are on: made, and said to be ready every few minutes. */
#ifndef KUBELET_NODE_H
#define KUBELET_NODE_H

#include "sandbox/kubelet/remote.h"

#define NODE_HOST 3 /* in the range */

struct node {
	int64_t reported_ms; /* wall; 0: not yet */
};

/* log_port: where the API server finds this kubelet; 0: nowhere. */
void node_sync(struct node *node, struct remote *r, int range, uint16_t log_port, int64_t wall_ms);

#endif
