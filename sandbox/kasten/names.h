/*
 * The names of Kasten's and Kanister's API: the sandbox's own copy, because the reading side (lib/kasten) must not share a
 * mistake with the side that writes.
 */
#ifndef SANDBOX_KASTEN_NAMES_H
#define SANDBOX_KASTEN_NAMES_H

#define KASTEN_NAMESPACE "kasten-io"

#define KASTEN_CONFIG_GROUP "config.kio.kasten.io"
#define KASTEN_ACTIONS_GROUP "actions.kio.kasten.io"
#define KASTEN_APPS_GROUP "apps.kio.kasten.io"
#define KANISTER_GROUP "cr.kanister.io"
#define KASTEN_VERSION "v1alpha1"
#define KASTEN_CONFIG_VERSION KASTEN_CONFIG_GROUP "/" KASTEN_VERSION
#define KASTEN_ACTIONS_VERSION KASTEN_ACTIONS_GROUP "/" KASTEN_VERSION
#define KASTEN_APPS_VERSION KASTEN_APPS_GROUP "/" KASTEN_VERSION

#define KANISTER_BLUEPRINT_ANNOTATION "kanister.kasten.io/blueprint"

#define LABEL_APP_NAME "k10.kasten.io/appName"
#define LABEL_APP_NAMESPACE "k10.kasten.io/appNamespace"
#define LABEL_APP_TYPE "k10.kasten.io/appType"
#define LABEL_POLICY_NAME "k10.kasten.io/policyName"
#define LABEL_POLICY_NAMESPACE "k10.kasten.io/policyNamespace"
#define LABEL_RUN_NAME "k10.kasten.io/runActionName"
#define LABEL_RUN_NAMESPACE "k10.kasten.io/runActionNamespace"
#define LABEL_EXPORT_PROFILE "k10.kasten.io/exportProfile"
#define LABEL_EXPORT_TYPE "k10.kasten.io/exportType"

/* Holds a restore point content that is being deleted until its blueprints' "delete" has run. */
#define CONTENT_FINALIZER "apps.kio.kasten.io/retire"

#define VALIDATION_SUCCESS "Success"
#define VALIDATION_FAILED "Failed"

#endif
