#include "kube/auth.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>

#define TOKEN_MAX 65536

void kube_auth_init(
    struct kube_auth *a, const struct kube_config *config, const struct clock *clock, const volatile int *stop)
{
	*a = (struct kube_auth){.config = config, .clock = clock, .stop = stop};
}

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void kube_auth_clear(struct kube_auth *a)
{
	wipe(&a->token);
	kube_credential_clear(&a->plugin);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Looked at before each request: a service account's token is replaced every hour or so. */
static bool fresh_file(struct kube_auth *a, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TOKEN_MAX);
	const char *path = a->config->token_file;
	struct stat now;
	size_t len;

	if (stat(path, &now))
		return a->token || err_errno(err, ERR_IO, errno, "token file \"%s\"", path);
	if (a->token && same_file(&now, &a->seen))
		return true;
	if (!file_read(path, &text, err))
		return err_wrap(err, "token");
	len = strcspn(buf_str(&text), " \t\r\n");
	if (!len)
		return err_set(err, ERR_AUTH, "token file \"%s\" is empty", path);
	wipe(&a->token);
	a->token = strndup(buf_str(&text), len);
	explicit_bzero(text.data, text.len);
	a->seen = now;
	return a->token || err_nomem(err);
}

bool kube_auth_fresh(struct kube_auth *a, struct err *err)
{
	struct kube_credential now = {0};

	if (*a->config->token_file)
		return fresh_file(a, err);
	if (a->config->token || !a->config->exec)
		return true;
	if (!kube_exec_get(a->config->exec, a->clock, a->stop, &now, err))
		return false;
	kube_credential_clear(&a->plugin);
	a->plugin = now;
	return true;
}

bool kube_auth_forget(struct kube_auth *a)
{
	if (*a->config->token_file) {
		a->seen = (struct stat){0};
		return true;
	}
	if (a->config->token || !a->config->exec)
		return false;
	kube_exec_forget(a->config->exec, a->plugin.turn);
	return true;
}

static const char *token_of(const struct kube_auth *a)
{
	if (*a->config->token_file)
		return a->token;
	return a->config->token ? a->config->token : a->plugin.token;
}

bool kube_auth_prepare(void *ctx, struct http_headers *headers, struct err *err)
{
	const struct kube_auth *a = ctx;
	const char *token = token_of(a);
	BUF_CLEANUP struct buf value = BUF_INIT(TOKEN_MAX + 16);
	bool ok;

	if (!token)
		return true;
	ok = buf_printf(&value, err, "Bearer %s", token) &&
	     http_headers_set(headers, "Authorization", buf_str(&value), err);
	if (value.data)
		explicit_bzero(value.data, value.len);
	return ok;
}

bool kube_auth_anonymous(const struct kube_auth *a)
{
	return !token_of(a) && !a->config->cert_pem && !a->plugin.cert_pem;
}
