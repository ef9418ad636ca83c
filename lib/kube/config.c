#include "kube/config.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "kube/config_file.h"
#include "kube/exec.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void kube_config_clear(struct kube_config *c)
{
	free(c->ca_pem);
	free(c->cert_pem);
	wipe(&c->key_pem);
	wipe(&c->token);
	/* it may hold a password */
	explicit_bzero(c->proxy_url, sizeof c->proxy_url);
	kube_exec_unref(c->exec);
	*c = (struct kube_config){0};
}

static bool copy(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return !from || *ret;
}

bool kube_config_copy(const struct kube_config *from, struct kube_config *ret, struct err *err)
{
	struct kube_config c = *from;

	c.ca_pem = c.cert_pem = c.key_pem = c.token = NULL;
	c.exec = kube_exec_ref(from->exec);
	if (!copy(from->ca_pem, &c.ca_pem) || !copy(from->cert_pem, &c.cert_pem) || !copy(from->key_pem, &c.key_pem) ||
	    !copy(from->token, &c.token)) {
		kube_config_clear(&c);
		return err_nomem(err);
	}
	*ret = c;
	return true;
}

/* --- in a pod ---------------------------------------------------------------------------------------------------- */

static bool read_namespace(const char *dir, char ret[static KUBE_NAME_MAX], struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(4096);
	char path[PATH_MAX];
	size_t len;

	snprintf(path, sizeof path, "%s/namespace", dir);
	if (!file_exists(path))
		return true;
	if (!file_read(path, &text, err))
		return false;
	len = strcspn(buf_str(&text), " \t\r\n");
	if (!len || len >= KUBE_NAME_MAX)
		return err_set(err, ERR_PARSE, "\"%s\" holds no namespace", path);
	snprintf(ret, KUBE_NAME_MAX, "%.*s", (int)len, buf_str(&text));
	return true;
}

static bool load_service_account(
    const char *dir, const char *host, const char *port, struct kube_config *ret, struct err *err)
{
	KUBE_CONFIG_CLEANUP struct kube_config c = {.namespace_ = "default"};
	BUF_CLEANUP struct buf ca = BUF_INIT(KUBE_PEM_MAX);
	bool v6 = strchr(host, ':') != NULL;
	char path[PATH_MAX];

	if ((size_t)snprintf(c.server, sizeof c.server, "https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "",
		port ? port : "443") >= sizeof c.server ||
	    (size_t)snprintf(c.token_file, sizeof c.token_file, "%s/token", dir) >= sizeof c.token_file)
		return err_set(err, ERR_LIMIT, "service account: a name is too long");
	snprintf(path, sizeof path, "%s/ca.crt", dir);
	if (!file_exists(c.token_file)) {
		err_set(err, ERR_NOT_FOUND, "no kubeconfig, and no service account's token at \"%s\"", c.token_file);
		return err_hint(err, "let the pod have its service account mounted, or name a kubeconfig");
	}
	if (!file_read(path, &ca, err) || !read_namespace(dir, c.namespace_, err))
		return err_wrap(err, "service account");
	c.ca_pem = TAKE(ca.data);
	*ret = c;
	c = (struct kube_config){0};
	return true;
}

/* --- where from -------------------------------------------------------------------------------------------------- */

static const char *process_env(const char *name)
{
	return getenv(name);
}

/* KUBECONFIG: paths with colons between them; those that are not there are passed over. */
static bool read_list(struct config_files *files, const char *list, struct err *err)
{
	while (*list) {
		size_t len = strcspn(list, ":");
		char path[PATH_MAX];

		if (len >= sizeof path)
			return err_set(err, ERR_LIMIT, "KUBECONFIG: a path is too long");
		snprintf(path, sizeof path, "%.*s", (int)len, list);
		if (len && !config_files_read(files, path, true, err))
			return false;
		list += len + (list[len] == ':');
	}
	return true;
}

bool kube_config_load(const struct kube_config_options *options, struct kube_config *ret, struct err *err)
{
	static const struct kube_config_options none;
	const struct kube_config_options *o = options ? options : &none;
	const char *(*env)(const char *) = o->get_env ? o->get_env : process_env;
	CLEANUP(free) struct config_files *files = calloc(1, sizeof *files);
	const char *list = env("KUBECONFIG"), *home = env("HOME"), *host = env("KUBERNETES_SERVICE_HOST");
	char path[PATH_MAX];
	bool ok = true;

	if (!files)
		return err_nomem(err);
	if (o->path) {
		ok = config_files_read(files, o->path, false, err);
	} else if (list && *list) {
		ok = read_list(files, list, err);
	} else if (home && *home && (size_t)snprintf(path, sizeof path, "%s/.kube/config", home) < sizeof path) {
		ok = config_files_read(files, path, true, err);
	}
	if (ok && files->count) {
		ok = config_files_resolve(files, o->context, ret, err);
	} else if (ok && host && *host && !o->context) {
		ok = load_service_account(o->service_account_dir ? o->service_account_dir : SERVICE_ACCOUNT_DIR, host,
		    env("KUBERNETES_SERVICE_PORT"), ret, err);
	} else if (ok) {
		err_set(err, ERR_NOT_FOUND, "no kubeconfig is there%s%s%s", list && *list ? " (KUBECONFIG=\"" : "",
		    list && *list ? list : "", list && *list ? "\")" : "");
		ok = err_hint(err, "name one with --kubeconfig or KUBECONFIG, or put it at ~/.kube/config");
	}
	config_files_clear(files);
	return ok;
}
