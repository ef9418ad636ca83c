/* The exec section of a kubeconfig's user. */
#include "base/base64.h"
#include "base/cleanup.h"
#include "doc/json_edit.h"
#include "kube/config_file.h"
#include "kube/exec.h"

#include <string.h>

CLEANUP_PTR(kube_exec, struct kube_exec, kube_exec_unref)

static bool add_args(struct kube_exec *e, const json_node *args, struct err *err)
{
	for (const json_node *a = json_first(args); a; a = json_next(a)) {
		if (!json_string(a))
			return err_set(err, ERR_PARSE, "an argument is no text");
		if (!kube_exec_add_arg(e, json_string(a), err))
			return false;
	}
	return true;
}

static bool add_env(struct kube_exec *e, const json_node *list, struct err *err)
{
	for (const json_node *n = json_first(list); n; n = json_next(n)) {
		const char *name = json_text_at(n, "name"), *value = json_text_at(n, "value");

		if (!name || !value)
			return err_set(err, ERR_PARSE, "an env entry lacks its name or value");
		if (!kube_exec_add_env(e, name, value, err))
			return false;
	}
	return true;
}

/* What a plugin is told of the cluster: its address and, under this name, what the kubeconfig has for the plugin. */
static bool set_cluster(struct kube_exec *e, const json_node *cluster, const struct kube_config *c, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	BUF_CLEANUP struct buf ca = BUF_INIT(KUBE_PEM_MAX * 2);
	BUF_CLEANUP struct buf text = BUF_INIT(KUBE_PEM_MAX * 2);

	if (!json_format(&doc, err, "{'server':%s}", c->server) ||
	    (c->ca_pem && (!base64_encode(c->ca_pem, strlen(c->ca_pem), &ca, err) ||
			      !json_set_text(json_edit(doc), "certificate-authority-data", buf_str(&ca), err))) ||
	    (c->insecure && !json_set_bool(json_edit(doc), "insecure-skip-tls-verify", true, err)) ||
	    (*c->tls_server_name && !json_set_text(json_edit(doc), "tls-server-name", c->tls_server_name, err)) ||
	    (*c->proxy_url && !json_set_text(json_edit(doc), "proxy-url", c->proxy_url, err)))
		return false;
	for (const json_node *n = json_first(json_get(cluster, "extensions")); n; n = json_next(n))
		if (json_is_at(n, "name", "client.authentication.k8s.io/exec") && json_get(n, "extension") &&
		    !json_set_copy(json_edit(doc), "config", json_get(n, "extension"), err))
			return false;
	return json_print(json_root(doc), false, &text, err) && kube_exec_set_cluster(e, buf_str(&text), err);
}

bool config_exec(const struct config_file *file, const json_node *exec, const json_node *cluster,
    const struct kube_config *so_far, struct kube_exec **ret, struct err *err)
{
	CLEANUP(kube_exec) struct kube_exec *e = kube_exec_new();
	const char *command = json_text_at(exec, "command"), *version = json_text_at(exec, "apiVersion");
	char path[PATH_MAX];

	if (!e)
		return err_nomem(err);
	if (!command || !*command || !version)
		return err_set(err, ERR_PARSE, "it lacks its %s", version ? "command" : "apiVersion");
	/* without a slash it is looked up in PATH */
	if (strchr(command, '/')) {
		if (!config_file_path(file, command, path, err))
			return false;
		command = path;
	}
	if (!kube_exec_set(e, version, command, json_is_at(exec, "interactiveMode", "Always"),
		json_text_at(exec, "installHint"), err) ||
	    !add_args(e, json_get(exec, "args"), err) || !add_env(e, json_get(exec, "env"), err) ||
	    (json_bool_at(exec, "provideClusterInfo", false) && !set_cluster(e, cluster, so_far, err)))
		return false;
	*ret = TAKE(e);
	return true;
}
