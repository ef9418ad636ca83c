/*
 * How to reach a cluster: kubeconfig files as kubectl reads them, or the service account of a pod.
 *
 * Order: an explicit path; else KUBECONFIG (several files, merged as kubectl does: the first to name something wins);
 * else ~/.kube/config; else, in a pod, the service account. Understood: contexts, client certificates and keys (files or inline
 * data), token, tokenFile (read again when it changes), certificate-authority(-data), insecure-skip-tls-verify, tls-server-name,
 * proxy-url, exec plugins (run as kubectl runs them, without a shell; ERR_UNSUPPORTED where they want a terminal).
 * Relative paths are relative to the file that names them. auth-provider and username/password are refused by name.
 * No message holds a token, key or certificate; kube_config_clear wipes them.
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "base/buf.h"
#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

#define KUBE_NAME_MAX 254 /* a DNS subdomain and a NUL */

struct kube_exec; /* an exec plugin's command, arguments and environment */

struct kube_config {
	char context[KUBE_NAME_MAX];	/* "" in a pod */
	char namespace_[KUBE_NAME_MAX]; /* "default" if nothing says otherwise */
	char server[1024];		/* https://host:port[/path], without a slash at the end */
	char *ca_pem;			/* NULL: the system's authorities */
	char *cert_pem, *key_pem;	/* client certificate; both or neither */
	char *token;			/* NULL: none */
	char token_file[PATH_MAX];	/* "": none; wins over token */
	char tls_server_name[256];
	char proxy_url[1024];
	bool insecure;
	struct kube_exec *exec; /* NULL: none */
};

struct kube_config_options {
	const char *path;			  /* NULL: as described above */
	const char *context;			  /* NULL: current-context */
	const char *(*get_env)(const char *name); /* NULL: getenv */
	const char *service_account_dir;	  /* NULL: where Kubernetes mounts it into pods */
};

bool kube_config_load(const struct kube_config_options *options, struct kube_config *ret, struct err *err);
/* Copies share a credential plugin and what it last answered. */
bool kube_config_copy(const struct kube_config *from, struct kube_config *ret, struct err *err);
void kube_config_clear(struct kube_config *c);
#define KUBE_CONFIG_CLEANUP __attribute__((cleanup(kube_config_clear)))

#endif
