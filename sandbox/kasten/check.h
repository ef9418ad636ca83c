/*
 * What Kasten validates before it lets a policy run: profiles and policies. Pure: the objects are given.
 *
 * The result is an array of texts, empty if all is well, fit for status.error.
 */
#ifndef SANDBOX_KASTEN_CHECK_H
#define SANDBOX_KASTEN_CHECK_H

#include "doc/json_edit.h"

/* secret: the object that the profile names, NULL if there is none. The location itself is not asked. */
bool check_profile(const json_node *profile, const json_node *secret, struct json **ret_errors, struct err *err);

/* profiles: {"items": [...]} with their validated states. */
bool check_policy(const json_node *policy, const json_node *profiles, struct json **ret_errors, struct err *err);

/* The first action of this name in a policy's spec, or NULL. */
const json_node *policy_action(const json_node *policy_spec, const char *action);

/* The secret's place that a profile names; false if it names none. */
bool profile_secret(const json_node *profile, const char **ret_namespace, const char **ret_name);

/* Of a reference {name, namespace} to a profile or a secret: Kasten's, unless it says another one. */
const char *reference_namespace(const json_node *reference);

/* By name and namespace among a list's items; NULL: none. */
const json_node *find_item(const json_node *list, const char *namespace_, const char *name);

#endif
