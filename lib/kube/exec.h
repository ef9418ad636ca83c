/*
 * Inside of this room: exec plugins of a kubeconfig, run as kubectl runs them: without a shell, with
 * KUBERNETES_EXEC_INFO in the environment, for an ExecCredential on stdout. The answer is kept until it expires and is
 * shared by all copies of a configuration; a plugin is run by one thread at a time.
 */
#ifndef KUBE_EXEC_H
#define KUBE_EXEC_H

#include "base/clock.h"
#include "kube/config.h"

#include <stdint.h>

#define KUBE_EXEC_ARGS_MAX 128
#define KUBE_EXEC_TIMEOUT_MS 60000

struct kube_exec *kube_exec_new(void); /* one reference; NULL: out of memory */
struct kube_exec *kube_exec_ref(struct kube_exec *e);
void kube_exec_unref(struct kube_exec *e);

/* While the configuration is read. The command with a slash is relative to the kubeconfig's folder. */
bool kube_exec_set(struct kube_exec *e, const char *api_version, const char *command, bool interactive,
    const char *install_hint, struct err *err);
bool kube_exec_add_arg(struct kube_exec *e, const char *arg, struct err *err);
bool kube_exec_add_env(struct kube_exec *e, const char *name, const char *value, struct err *err);
/* A JSON text of the cluster for KUBERNETES_EXEC_INFO (provideClusterInfo); NULL: none. */
bool kube_exec_set_cluster(struct kube_exec *e, const char *json, struct err *err);

struct kube_credential {
	uint64_t turn; /* counts the plugin's answers, from 1 */
	char *token;   /* NULL: none */
	char *cert_pem, *key_pem;
};
void kube_credential_clear(struct kube_credential *c);

/* A copy of what is valid now; runs the plugin if there is nothing. */
bool kube_exec_get(struct kube_exec *e, const struct clock *clock, const volatile int *stop,
    struct kube_credential *ret, struct err *err);
/* The answer of that turn was refused: it is not used again. */
void kube_exec_forget(struct kube_exec *e, uint64_t turn);

/* An ExecCredential; *ret_expires_ms is INT64_MAX if it says none. For kube_exec_get and the fuzz target. */
bool kube_exec_parse(const char *text, size_t len, const char *api_version, struct kube_credential *ret,
    int64_t *ret_expires_ms, struct err *err);

#endif
