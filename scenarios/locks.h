/*
 * What must be open before anything is destroyed, and what no scenario may do. Looked at before the first step and
 * again right before each destructive one. Every refusal is ERR_STATE, begins with "refused: " and has a hint; nothing
 * here changes anything.
 */
#ifndef SCENARIOS_LOCKS_H
#define SCENARIOS_LOCKS_H

#include "kube/client.h"

#define LOCK_LABEL "psmdb-drill/allow-disaster"

/*
 * Both locks of a namespace: the label with the value "true", and the name given by --confirm-destroy (NULL: not
 * given). gone_is_ours: this run deleted it itself, so one that is not there needs no label.
 */
bool lock_namespace(struct kube *k, const char *namespace_, const char *confirmed, bool gone_is_ours, struct err *err);

/* May this be a namespace under test? Kasten's and Kubernetes' own may not, whatever label they carry. */
bool lock_under_test(const char *namespace_, const char *kasten, struct err *err);

/*
 * May a scenario delete something of this kind there? Anything in the namespace under test; in Kasten's only its own kinds, and a
 * Secret; of the whole cluster anything but a namespace. several: not one by name. Outside of the namespace these may be
 * RestorePointContents alone, since each of them says whose it is. Whether it was named, and who uses it, is asked elsewhere.
 */
bool lock_delete(const struct kube_kind *kind, const char *namespace_, bool several, const char *under_test,
    const char *kasten, struct err *err);

/*
 * May a scenario apply this object? Not if it carries the label, alone or in a List; cluster-scoped kinds only with
 * allow_cluster. kasten: Kasten's namespace.
 */
bool lock_object(const json_node *object, const struct kube_kind *kind, bool allow_cluster, struct err *err);

/*
 * May a scenario change or delete what is there already? Unless this run has made it, only in the namespace under test,
 * and not if that is Kasten's. existing: the object as it is; NULL: it is not there.
 */
bool lock_existing(const json_node *existing, const struct kube_kind *kind, const char *under_test, const char *kasten,
    bool ours, struct err *err);

/*
 * May a scenario write into this namespace? Into the one under test and Kasten's; into others only with allow_cluster.
 */
bool lock_place(const json_node *object, const struct kube_kind *kind, const char *under_test, const char *kasten,
    bool allow_cluster, struct err *err);

/* Kinds that overwrite data when one is made: a restore of the operator's or of Kasten's. They need both locks, too. */
bool lock_overwrites(const struct kube_kind *kind);

#endif
