/* May this client do that? The server's own answer (SelfSubjectAccessReview), which takes no right to ask for. */
#ifndef KUBE_ACCESS_H
#define KUBE_ACCESS_H

#include "kube/client.h"

enum kube_may { KUBE_MAY_UNKNOWN, KUBE_MAY, KUBE_MAY_NOT };

struct kube_right {
	const char *verb, *group, *resource; /* "pods", or "pods/log" */
	const char *name;		     /* of one object; NULL: any */
};

/* namespace_: NULL for what belongs to the whole cluster. UNKNOWN where the server has no such reviews, or lets nobody ask. */
bool kube_may(
    struct kube *k, const struct kube_right *right, const char *namespace_, enum kube_may *ret, struct err *err);

#endif
