/*
 * A psmdb that is being deleted: what its finalizers ask for, step by step. Everything else goes by owner references.
 */
#ifndef OPERATOR_TEARDOWN_H
#define OPERATOR_TEARDOWN_H

#include "sandbox/operator/space.h"

/* Does what can be done now, and takes a finalizer off when it is done with it. */
bool teardown(struct space *w, const struct cr *cr, struct err *err);
/* For an object that cannot be understood: its finalizers are taken off. */
bool teardown_unread(struct space *w, const json_node *object, struct err *err);

#endif
