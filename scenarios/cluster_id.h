/* Which cluster is this? The uid of its namespace kube-system tells one from another. */
#ifndef SCENARIOS_CLUSTER_ID_H
#define SCENARIOS_CLUSTER_ID_H

#include "kube/client.h"

#define CLUSTER_ID_MAX 64

/* "" if it may not be read. */
bool cluster_id(struct kube *k, char ret[static CLUSTER_ID_MAX], struct err *err);
/* kept: that of the run's cluster (NULL: it was not known, so any will do). ERR_STATE: another; ERR_AUTH: it cannot be seen any more. */
bool cluster_id_is(struct kube *k, const char *kept, struct err *err);

#endif
