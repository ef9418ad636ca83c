/*
 * What a user would apply to a cluster before a drill, applied to a sandbox: custom kinds, namespaces, the operator's
 * bundle, and the shipped manifests with the values changed that are the sandbox's own (endpoint, bucket, keys).
 *
 * Every step is a server-side apply, so that an interrupted installation can be done again. One that was finished is
 * marked in Kasten's namespace and not repeated: a sandbox that is started again keeps what a drill has made of it.
 */
#ifndef UP_INSTALL_H
#define UP_INSTALL_H

#include "kube/client.h"
#include "sandbox/parts/layout.h"
#include "sandbox/parts/secrets.h"

#define INSTALL_NAMESPACE "mongo-ns"
#define INSTALL_KASTEN "kasten-io"
#define INSTALL_CLUSTER "my-cluster-name"

struct install {
	struct kube *kube;
	const struct layout *layout;
	const struct secrets *secrets;
	const struct clock *clock;
	const volatile int *stop;
	void (*progress)(void *arg, const char *what);
	void *progress_arg;
};

/*
 * Custom kinds and Kasten's namespace: what a cluster's administrator has installed. The operator's own kinds come with its bundle and are
 * left out without_operator.
 */
bool install_kinds(const struct install *in, bool without_operator, struct err *err);
/* DIR/bundle.yaml: the operator with its kinds, to be applied (server-side) in a namespace, as Percona's own file of that name. */
bool install_write_bundle(const struct layout *l, struct err *err);
/*
 * Another cluster, to restore into: Kasten's profile, and the blueprint without "restore". No namespace, no operator. Once, as
 * install_demo. ERR_STATE, with nothing applied, where the demo or its namespace is.
 */
bool install_bare(const struct install *in, bool *ret_made, struct err *err);
/*
 * The demo's cluster: namespace (with the label that allows a disaster), operator, secret, psmdb, blueprint, profile, policy. Only if the namespace is
 * not there: a sandbox that is started again keeps what it had, also what a drill has destroyed.
 */
bool install_demo(const struct install *in, bool *ret_made, struct err *err);
/* Until the psmdb is ready; says what it waits for. */
bool install_wait_ready(const struct install *in, int64_t timeout_ms, struct err *err);

#endif
