#include "kube/access.h"

#include <stdio.h>
#include <string.h>

bool kube_may(
    struct kube *k, const struct kube_right *right, const char *namespace_, enum kube_may *ret, struct err *err)
{
	CLEANUP(json) struct json *review = NULL, *answer = NULL;
	const char *slash = strchr(right->resource, '/');
	struct err why = ERR_INIT;
	struct kube_kind kind;
	char resource[128];

	snprintf(resource, sizeof resource, "%.*s", slash ? (int)(slash - right->resource) : (int)sizeof resource - 1,
	    right->resource);
	kube_kind_set(
	    &kind, "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", false);
	if (!json_format(&review, err,
		"{'apiVersion':'authorization.k8s.io/v1','kind':'SelfSubjectAccessReview','spec':{'resourceAttributes':"
		"{'verb':%s,'group':%s,'resource':%s}}}",
		right->verb, right->group, resource) ||
	    (slash && !json_set_text(json_edit(review), "spec/resourceAttributes/subresource", slash + 1, err)) ||
	    (namespace_ && !json_set_text(json_edit(review), "spec/resourceAttributes/namespace", namespace_, err)) ||
	    (right->name && !json_set_text(json_edit(review), "spec/resourceAttributes/name", right->name, err)))
		return false;
	if (kube_create(k, &kind, NULL, json_root(review), &answer, &why)) {
		*ret = json_bool_at(json_root(answer), "status/allowed", false) ? KUBE_MAY : KUBE_MAY_NOT;
		return true;
	}
	if (why.code == ERR_UNSUPPORTED || why.code == ERR_NOT_FOUND || why.code == ERR_AUTH) {
		*ret = KUBE_MAY_UNKNOWN;
		return true;
	}
	*err = why;
	return false;
}
