/*
 * A Kanister blueprint as far as a drill must trust it: has it the actions that Kasten will look for, and do they name a
 * storage that the cluster has? Kanister itself says nothing of either: an action with a misspelt name is never called.
 */
#ifndef KASTEN_BLUEPRINT_H
#define KASTEN_BLUEPRINT_H

#include "doc/json_edit.h"

#define KASTEN_BLUEPRINT_GROUP "cr.kanister.io"

bool kasten_blueprint_has(const json_node *blueprint, const char *action);
/* Names of actions that Kasten never calls, joined by ", "; "" if there are none. */
void kasten_blueprint_strays(const json_node *blueprint, char *ret, size_t size);
/* The storageName that its backup writes into the psmdb-backup; "" if it names none or by a template. */
void kasten_blueprint_storage(const json_node *blueprint, char *ret, size_t size);

#endif
