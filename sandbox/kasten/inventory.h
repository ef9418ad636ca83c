/*
 * What is in a namespace: every kind that discovery lists, and every object of it.
 */
#ifndef SANDBOX_KASTEN_INVENTORY_H
#define SANDBOX_KASTEN_INVENTORY_H

#include "kube/client.h"

#define INVENTORY_KINDS_MAX 512

struct inventory {
	struct kube_kind kinds[INVENTORY_KINDS_MAX];
	size_t count;
};

/* From an APIResourceList: its namespaced kinds that can be listed and belong to an application. Pure. */
bool inventory_read(const json_node *resource_list, struct inventory *inventory, struct err *err);
/* Each group's preferred version. */
bool inventory_kinds(struct kube *kube, struct inventory **ret, struct err *err);

typedef bool inventory_each(void *ctx, const struct kube_kind *kind, const json_node *object, struct err *err);
/* Objects that are not being deleted, with apiVersion and kind put in where the list left them out. */
bool inventory_walk(struct kube *kube, const struct inventory *inventory, const char *namespace_, inventory_each *each,
    void *ctx, struct err *err);

#endif
