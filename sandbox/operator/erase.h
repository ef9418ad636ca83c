/* Deleting a backup in the bucket without pbm's command, as operator 1.14 does when the cluster is gone or just going. */
#ifndef OPERATOR_ERASE_H
#define OPERATOR_ERASE_H

#include "sandbox/operator/job.h"

/*
 * Removes PREFIX/NAME.pbm.json, and the two files a replica set of the layout before PBM 2.0. What PBM 2 has below
 * PREFIX/NAME/ stays behind: that is how version 1.14 leaves it. place: where, and the credentials. Takes seconds at most.
 */
bool erase_record(const json_node *backup, const struct pbm_order *place, const struct clock *clock,
    const volatile int *stop, struct err *err);

/*
 * The whole backup: every file below its name, then its record. As PBM does it inside the operator, with nobody else's help: no agent
 * is needed, and no Secret, because PBM knows the keys.
 */
bool erase_backup(const json_node *backup, const struct pbm_order *place, const struct clock *clock,
    const volatile int *stop, struct err *err);

#endif
