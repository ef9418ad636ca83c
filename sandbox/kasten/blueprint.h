/*
 * Kanister's Blueprint as an object: finding an action, and the checks that "kanctl validate blueprint" makes. Pure.
 *
 * This sandbox executes the functions KubeOps and Wait. Others that Kanister has are known by name, so that a blueprint that uses
 * them is told apart from one with a typing error; executing them fails.
 */
#ifndef SANDBOX_KASTEN_BLUEPRINT_H
#define SANDBOX_KASTEN_BLUEPRINT_H

#include "doc/json_edit.h"

/* NULL: there is none of exactly this name (Kasten then calls nothing, without a word). */
const json_node *blueprint_action(const json_node *blueprint, const char *name);

/* The names that Kasten calls: backup, restore, delete and the hooks around them. */
bool blueprint_action_is_called(const char *name);

enum blueprint_func { FUNC_UNKNOWN, FUNC_KUBEOPS, FUNC_WAIT, FUNC_ELSEWHERE };
enum blueprint_func blueprint_func(const char *name);

/*
 * Functions registered, arguments required and known, phase names unique over all actions. One line a phase is appended to report
 * (may be NULL): "validation of phase X in action Y passed" or "... failed: why"; then a line for each thing that Kanister does not look
 * at but that cannot work here ("warning: ..."). False with the first failure.
 */
bool blueprint_validate(const json_node *blueprint, struct buf *report, struct err *err);

#endif
