#include "scenarios/cluster_id.h"

#include <stdio.h>
#include <string.h>

bool cluster_id(struct kube *k, char ret[static CLUSTER_ID_MAX], struct err *err)
{
	CLEANUP(json) struct json *ns = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;

	ret[0] = '\0';
	kube_kind_set(&kind, "", "v1", "namespaces", "Namespace", false);
	if (kube_get(k, &kind, NULL, "kube-system", &ns, &each)) {
		snprintf(ret, CLUSTER_ID_MAX, "%s", kube_uid(json_root(ns)) ? kube_uid(json_root(ns)) : "");
		return true;
	}
	if (each.code == ERR_NOT_FOUND || each.code == ERR_AUTH)
		return true;
	*err = each;
	return false;
}

bool cluster_id_is(struct kube *k, const char *kept, struct err *err)
{
	const char *server = kube_config_of(k)->server;
	char id[CLUSTER_ID_MAX];

	if (!kept)
		return true;
	if (!cluster_id(k, id, err))
		return false;
	if (!id[0]) {
		err_set(err, ERR_AUTH, "refused: whether \"%s\" is the cluster that the run began with cannot be seen",
		    server);
		return err_hint(err, "its namespace kube-system must be readable, as it was then");
	}
	if (!strcmp(kept, id))
		return true;
	err_set(err, ERR_STATE, "refused: this is another cluster than the one that the run began with");
	return err_hint(err, "\"%s\" is not it: give the --kubeconfig and --context of that one", server);
}
