#include "kube/config_file.h"

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "doc/json_edit.h"
#include "kube/exec.h"
#include "net/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct yaml_limits limits = YAML_LIMITS_DEFAULT;

void config_files_clear(struct config_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		yaml_docs_clear(&files->items[i].docs);
	files->count = 0;
}

static bool set_paths(struct config_file *file, const char *path, struct err *err)
{
	char here[PATH_MAX] = "";
	const char *slash = strrchr(path, '/');
	size_t dir_len = slash ? (size_t)(slash - path) : 0;
	int len;

	if (*path != '/' && !getcwd(here, sizeof here))
		return err_errno(err, ERR_IO, errno, "working folder");
	if ((size_t)snprintf(file->path, sizeof file->path, "%s", path) >= sizeof file->path)
		return err_set(err, ERR_LIMIT, "kubeconfig: the path is too long");
	len = snprintf(file->dir, sizeof file->dir, "%s%s%.*s", here, dir_len && *here ? "/" : "", (int)dir_len, path);
	if (len < 0 || (size_t)len >= sizeof file->dir)
		return err_set(err, ERR_LIMIT, "kubeconfig \"%s\": the path is too long", path);
	return true;
}

static bool add(struct config_files *files, const char *path, struct yaml_docs *docs, struct err *err)
{
	struct config_file *file = &files->items[files->count];

	if (docs->count > 1 || (docs->count && !json_is_object(json_root(docs->items[0]))))
		return err_set(err, ERR_PARSE, "kubeconfig \"%s\": it is not one mapping", path);
	if (!set_paths(file, path, err))
		return false;
	/* an empty file is one that names nothing */
	file->docs = *docs;
	*docs = (struct yaml_docs){0};
	files->count++;
	return true;
}

bool config_files_parse(struct config_files *files, const char *path, const char *text, size_t len, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};

	if (files->count == KUBE_CONFIG_FILES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d kubeconfig files", KUBE_CONFIG_FILES_MAX);
	if (!yaml_parse(text, len, &limits, &docs, err))
		return err_wrap(err, "kubeconfig \"%s\"", path);
	return add(files, path, &docs, err);
}

bool config_files_read(struct config_files *files, const char *path, bool missing_ok, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(limits.max_bytes);
	bool ok;

	if (missing_ok && access(path, F_OK) && errno == ENOENT)
		return true;
	ok = file_read(path, &text, err);
	if (!ok)
		return err_wrap(err, "kubeconfig");
	ok = config_files_parse(files, path, buf_str(&text), text.len, err);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return ok;
}

bool config_file_path(const struct config_file *file, const char *path, char ret[static PATH_MAX], struct err *err)
{
	int len =
	    *path == '/' ? snprintf(ret, PATH_MAX, "%s", path) : snprintf(ret, PATH_MAX, "%s/%s", file->dir, path);

	if (len < 0 || len >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "kubeconfig \"%s\": a path is too long", file->path);
	return true;
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

struct entry {
	const struct config_file *file;
	const json_node *node; /* what stands beside "name" */
	const char *what, *name;
};

static const json_node *root_of(const struct config_file *file)
{
	return file->docs.count ? json_root(file->docs.items[0]) : NULL;
}

static bool find(const struct config_files *files, const char *list, const char *what, const char *name,
    struct entry *ret, struct err *err)
{
	for (size_t i = 0; i < files->count; i++)
		for (const json_node *n = json_first(json_get(root_of(&files->items[i]), list)); n; n = json_next(n))
			if (json_is_at(n, "name", name)) {
				*ret =
				    (struct entry){&files->items[i], json_get(n, what), what, json_text_at(n, "name")};
				return true;
			}
	err_set(err, ERR_NOT_FOUND, "kubeconfig \"%s\"%s: no %s \"%.200s\"", files->items[0].path,
	    files->count > 1 ? " and others" : "", what, name);
	return false;
}

static bool wrong(const struct entry *e, enum err_code code, const char *key, const char *why, struct err *err)
{
	return err_set(err, code, "kubeconfig \"%s\": %s \"%.200s\": %s %s", e->file->path, e->what, e->name, key, why);
}

/* NULL if it is not there, or empty. A number, say, would be refused by kubectl, too. */
static bool find_text(const struct entry *e, const char *key, const char **ret, struct err *err)
{
	const json_node *node = json_get(e->node, key);
	const char *text = json_string(node);

	if (node && !json_is_null(node) && !text)
		return wrong(e, ERR_PARSE, key, "is no text", err);
	*ret = text && *text ? text : NULL;
	return true;
}

/* "" if it is not there. */
static bool text_of(const struct entry *e, const char *key, char *ret, size_t size, struct err *err)
{
	const char *text;

	if (!find_text(e, key, &text, err))
		return false;
	if ((size_t)snprintf(ret, size, "%s", text ? text : "") >= size)
		return wrong(e, ERR_LIMIT, key, "is too long", err);
	return true;
}

static bool decode(const struct entry *e, const char *key, const char *text, char **ret, struct err *err)
{
	BUF_CLEANUP struct buf plain = BUF_INIT(KUBE_PEM_MAX);

	if (!base64_decode(text, strlen(text), &plain, err) || !plain.len || memchr(plain.data, '\0', plain.len)) {
		if (plain.data)
			explicit_bzero(plain.data, plain.len);
		return wrong(e, ERR_PARSE, key, "is not base64 of a PEM text", err);
	}
	*ret = TAKE(plain.data);
	return true;
}

/* A PEM text from KEY-data or from the file KEY; NULL if there is neither. */
static bool pem_of(const struct entry *e, const char *key, const char *data_key, char **ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(KUBE_PEM_MAX);
	char path[PATH_MAX], full[PATH_MAX];
	const char *data;

	if (!find_text(e, data_key, &data, err))
		return false;
	if (data)
		return decode(e, data_key, data, ret, err);
	if (!text_of(e, key, path, sizeof path, err))
		return false;
	if (!*path)
		return true;
	if (!config_file_path(e->file, path, full, err) || !file_read(full, &text, err))
		return err_wrap(err, "kubeconfig \"%s\": %s \"%.200s\": %s", e->file->path, e->what, e->name, key);
	*ret = TAKE(text.data);
	return *ret || wrong(e, ERR_PARSE, key, "is an empty file", err);
}

/* --- what they say ----------------------------------------------------------------------------------------------- */

static bool take_cluster(const struct entry *e, struct kube_config *c, struct err *err)
{
	struct url url;
	size_t len;

	if (!text_of(e, "server", c->server, sizeof c->server, err) ||
	    !text_of(e, "tls-server-name", c->tls_server_name, sizeof c->tls_server_name, err) ||
	    !text_of(e, "proxy-url", c->proxy_url, sizeof c->proxy_url, err))
		return false;
	len = strlen(c->server);
	while (len && c->server[len - 1] == '/')
		c->server[--len] = '\0';
	if (!len)
		return wrong(e, ERR_PARSE, "server", "is missing", err);
	if (!url_parse(c->server, &url, err))
		return err_wrap(err, "kubeconfig \"%s\": cluster \"%.200s\": server", e->file->path, e->name);
	if (strchr(c->server, '?'))
		return wrong(e, ERR_PARSE, "server", "has a query", err);
	c->insecure = json_bool_at(e->node, "insecure-skip-tls-verify", false);
	if (!pem_of(e, "certificate-authority", "certificate-authority-data", &c->ca_pem, err))
		return false;
	if (c->insecure && c->ca_pem)
		return wrong(e, ERR_PARSE, "insecure-skip-tls-verify", "stands beside a certificate authority", err);
	return true;
}

static bool refuse_unknown(const struct entry *e, struct err *err)
{
	/* "as" would be the one that does harm when it is passed over: one would act with more rights than meant */
	static const char *const keys[] = {"auth-provider", "username", "password", "as", "as-uid", "as-groups"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_get(e->node, keys[i]) && !json_is_null(json_get(e->node, keys[i])))
			return wrong(e, ERR_UNSUPPORTED, keys[i], "is not supported", err);
	return true;
}

static bool take_user(const struct entry *e, const struct entry *cluster, struct kube_config *c, struct err *err)
{
	const char *token;
	const json_node *exec = json_get(e->node, "exec");
	char path[PATH_MAX];

	if (!refuse_unknown(e, err) || !pem_of(e, "client-certificate", "client-certificate-data", &c->cert_pem, err) ||
	    !pem_of(e, "client-key", "client-key-data", &c->key_pem, err) ||
	    !text_of(e, "tokenFile", path, sizeof path, err) || !find_text(e, "token", &token, err))
		return false;
	if (!c->cert_pem != !c->key_pem)
		return wrong(e, ERR_PARSE, c->cert_pem ? "client-key" : "client-certificate", "is missing", err);
	if (*path && !config_file_path(e->file, path, c->token_file, err))
		return false;
	if (token && !(c->token = strdup(token)))
		return err_nomem(err);
	if (!json_is_object(exec))
		return true;
	if (config_exec(e->file, exec, cluster->node, c, &c->exec, err))
		return true;
	return err_wrap(err, "kubeconfig \"%s\": user \"%.200s\": exec", e->file->path, e->name);
}

static const char *current_context(const struct config_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		const char *name = json_text_at(root_of(&files->items[i]), "current-context");

		if (name && *name)
			return name;
	}
	return NULL;
}

bool config_files_resolve(
    const struct config_files *files, const char *context, struct kube_config *ret, struct err *err)
{
	KUBE_CONFIG_CLEANUP struct kube_config c = {0};
	const char *name = context && *context ? context : current_context(files);
	char cluster_name[KUBE_NAME_MAX * 2], user_name[KUBE_NAME_MAX * 2];
	struct entry of_context, cluster, user;

	if (!name) {
		err_set(err, ERR_NOT_FOUND, "kubeconfig \"%s\": no current-context", files->items[0].path);
		return err_hint(err, "name a context");
	}
	if (!find(files, "contexts", "context", name, &of_context, err))
		return false;
	if ((size_t)snprintf(c.context, sizeof c.context, "%s", name) >= sizeof c.context)
		return wrong(&of_context, ERR_LIMIT, "name", "is too long", err);
	if (!text_of(&of_context, "namespace", c.namespace_, sizeof c.namespace_, err) ||
	    !text_of(&of_context, "cluster", cluster_name, sizeof cluster_name, err) ||
	    !text_of(&of_context, "user", user_name, sizeof user_name, err) ||
	    !find(files, "clusters", "cluster", cluster_name, &cluster, err) || !take_cluster(&cluster, &c, err))
		return false;
	if (*user_name &&
	    (!find(files, "users", "user", user_name, &user, err) || !take_user(&user, &cluster, &c, err)))
		return false;
	if (!*c.namespace_)
		strcpy(c.namespace_, "default");
	*ret = c;
	c = (struct kube_config){0};
	return true;
}
