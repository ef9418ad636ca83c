/* The Node object that the pods are on: made, and said to be ready every few minutes. */
#ifndef KUBELET_NODE_H
#define KUBELET_NODE_H

#include "sandbox/kubelet/remote.h"

struct node {
	int64_t reported_ms; /* wall; 0: not yet */
};

void node_sync(struct node *node, struct remote *r, int range, int64_t wall_ms);

#endif
