/*
 * The objects that the operator makes for a psmdb, as it wants them: pure, from the object to the objects. Each carries
 * OP_DESIRED_ANNOTATION, a digest of the rest, by which a change of the psmdb is seen.
 *
 * Where these differ from the operator's own: pods of a StatefulSet start together (podManagementPolicy Parallel), so
 * that a cluster is there in seconds; no init container and no TLS; the cluster's members know each other by the key file; probes
 * are plain TCP.
 */
#ifndef OPERATOR_DESIRED_H
#define OPERATOR_DESIRED_H

#include "sandbox/operator/cr.h"

/* [ownerReference of the psmdb] */
bool desired_owner(const struct cr *cr, struct json **ret, struct err *err);
/* replicas: the set's size, or fewer while a cluster is taken down in order */
bool desired_set(const struct cr *cr, const struct cr_set *set, int replicas, struct json **ret, struct err *err);
bool desired_set_service(const struct cr *cr, const struct cr_set *set, struct json **ret, struct err *err);
bool desired_set_budget(const struct cr *cr, const struct cr_set *set, struct json **ret, struct err *err);
/* The Service of mongos: with a selector if there are mongos pods, else its Endpoints are the operator's. */
bool desired_mongos_service(const struct cr *cr, struct json **ret, struct err *err);
/* address NULL: none at the moment */
bool desired_mongos_endpoints(const struct cr *cr, const char *address, struct json **ret, struct err *err);
/* The same, with the address in an annotation (parts/loopback.h). */
bool desired_mongos_note(const struct cr *cr, const char *address, struct json **ret, struct err *err);
/* config_db: "cfg/host:port,..." */
bool desired_mongos(const struct cr *cr, const char *config_db, struct json **ret, struct err *err);
/* A Secret with this data; owned: it goes with the psmdb. */
bool desired_secret(
    const struct cr *cr, const char *name, const json_node *data, bool owned, struct json **ret, struct err *err);

#endif
