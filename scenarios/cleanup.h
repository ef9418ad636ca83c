/*
 * Takes back what a run has made: the objects of its state, newest first, each only while it has the very uid that was
 * recorded, which the API server checks again (precondition). What carries the name but another uid is left, and so
 * is what would take data along that the run may not have made, or the way to it: namespaces, custom kinds, databases, volumes, secrets,
 * backups, restore points. No lock is asked for those, so none of them goes. Kasten's actions are its own record, and stay, too.
 */
#ifndef SCENARIOS_CLEANUP_H
#define SCENARIOS_CLEANUP_H

#include "kube/client.h"

#include <stdio.h>

struct cleanup_tally {
	size_t deleted, left, gone;
};

/*
 * objects: run_state_objects. elsewhere: the client of the cluster that was restored into; NULL: not given, then an object there is
 * an error (ERR_USAGE). A line for each to out. Stops at the first error.
 */
bool cleanup_objects(struct kube *k, struct kube *elsewhere, const json_node *objects, FILE *out,
    struct cleanup_tally *ret, struct err *err);

#endif
