#include "kube/exec.h"

#include "base/cleanup.h"
#include "base/proc.h"
#include "base/text.h"
#include "doc/json_edit.h"

#include <pthread.h>
#include <string.h>

#define ANSWER_MAX (1 << 20)
#define V1 "client.authentication.k8s.io/v1"
#define V1BETA1 "client.authentication.k8s.io/v1beta1"

struct kube_exec {
	pthread_mutex_t lock; /* guards what is below "held"; the rest is only read */
	int refs;	      /* atomic */
	char api_version[64];
	char *command, *install_hint, *cluster;
	char *args[KUBE_EXEC_ARGS_MAX + 2]; /* [0] is the command */
	char *env[KUBE_EXEC_ARGS_MAX + 2];  /* the last one is for KUBERNETES_EXEC_INFO */
	size_t arg_count, env_count;
	bool interactive;
	bool held;
	struct kube_credential credential;
	int64_t expires_ms;
	uint64_t turn;
};

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void kube_credential_clear(struct kube_credential *c)
{
	wipe(c->token);
	free(c->cert_pem);
	wipe(c->key_pem);
	*c = (struct kube_credential){0};
}

struct kube_exec *kube_exec_new(void)
{
	struct kube_exec *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	pthread_mutex_init(&e->lock, NULL);
	e->refs = 1;
	e->arg_count = 1;
	return e;
}

struct kube_exec *kube_exec_ref(struct kube_exec *e)
{
	if (e)
		__atomic_add_fetch(&e->refs, 1, __ATOMIC_RELAXED);
	return e;
}

void kube_exec_unref(struct kube_exec *e)
{
	if (!e || __atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 1; i < e->arg_count; i++)
		wipe(e->args[i]);
	for (size_t i = 0; i < e->env_count; i++)
		wipe(e->env[i]);
	free(e->command);
	free(e->install_hint);
	free(e->cluster);
	kube_credential_clear(&e->credential);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

bool kube_exec_set(struct kube_exec *e, const char *api_version, const char *command, bool interactive,
    const char *install_hint, struct err *err)
{
	if (strcmp(api_version, V1) && strcmp(api_version, V1BETA1))
		return err_set(err, ERR_UNSUPPORTED, "apiVersion \"%.64s\" (known: " V1 ", " V1BETA1 ")", api_version);
	strcpy(e->api_version, api_version);
	e->interactive = interactive;
	e->command = strdup(command);
	e->install_hint = install_hint ? strdup(install_hint) : NULL;
	e->args[0] = e->command;
	return (e->command && (!install_hint || e->install_hint)) || err_nomem(err);
}

bool kube_exec_add_arg(struct kube_exec *e, const char *arg, struct err *err)
{
	if (e->arg_count > KUBE_EXEC_ARGS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d arguments", KUBE_EXEC_ARGS_MAX);
	e->args[e->arg_count] = strdup(arg);
	return e->args[e->arg_count++] || err_nomem(err);
}

bool kube_exec_add_env(struct kube_exec *e, const char *name, const char *value, struct err *err)
{
	char *text = NULL;

	if (!*name || strchr(name, '='))
		return err_set(err, ERR_PARSE, "\"%.64s\" is no name of an environment variable", name);
	if (e->env_count >= KUBE_EXEC_ARGS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d environment variables", KUBE_EXEC_ARGS_MAX);
	if (asprintf(&text, "%s=%s", name, value) < 0)
		return err_nomem(err);
	e->env[e->env_count++] = text;
	return true;
}

bool kube_exec_set_cluster(struct kube_exec *e, const char *json, struct err *err)
{
	e->cluster = json ? strdup(json) : NULL;
	return !json || e->cluster || err_nomem(err);
}

/* --- the answer -------------------------------------------------------------------------------------------------- */

static bool says(const json_node *status, const char *key)
{
	const char *text = json_text_at(status, key);

	return text && *text;
}

static bool copy_text(const json_node *status, const char *key, char **ret)
{
	const char *text = json_text_at(status, key);

	*ret = says(status, key) ? strdup(text) : NULL;
	return !says(status, key) || *ret;
}

bool kube_exec_parse(const char *text, size_t len, const char *api_version, struct kube_credential *ret,
    int64_t *ret_expires_ms, struct err *err)
{
	static const struct json_limits limits = JSON_LIMITS_DEFAULT;
	CLEANUP(json) struct json *doc = NULL;
	struct kube_credential c = {0};
	const json_node *status;
	const char *expires;
	int64_t expires_ms = INT64_MAX;

	if (!json_parse(text, len, &limits, &doc, err))
		return false;
	if (!json_is_at(json_root(doc), "kind", "ExecCredential"))
		return err_set(err, ERR_PARSE, "it is no ExecCredential");
	if (!json_is_at(json_root(doc), "apiVersion", api_version))
		return err_set(err, ERR_PARSE, "its apiVersion is not \"%s\"", api_version);
	status = json_get(json_root(doc), "status");
	if (!says(status, "token") && !(says(status, "clientCertificateData") && says(status, "clientKeyData")))
		return err_set(err, ERR_PARSE, "it holds neither a token nor a client certificate with its key");
	expires = json_text_at(status, "expirationTimestamp");
	if (expires && !time_parse(expires, &expires_ms))
		return err_set(err, ERR_PARSE, "its expirationTimestamp is no time of RFC 3339");
	if (!copy_text(status, "token", &c.token) || !copy_text(status, "clientCertificateData", &c.cert_pem) ||
	    !copy_text(status, "clientKeyData", &c.key_pem)) {
		kube_credential_clear(&c);
		return err_nomem(err);
	}
	*ret = c;
	*ret_expires_ms = expires_ms;
	return true;
}

/* --- the run ----------------------------------------------------------------------------------------------------- */

static bool make_info(const struct kube_exec *e, char **ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	CLEANUP(json) struct json *cluster = NULL;
	BUF_CLEANUP struct buf text = BUF_INIT(ANSWER_MAX);
	static const struct json_limits limits = JSON_LIMITS_DEFAULT;

	if (!json_format(
		&doc, err, "{'apiVersion':%s,'kind':'ExecCredential','spec':{'interactive':false}}", e->api_version))
		return false;
	if (e->cluster && (!json_parse(e->cluster, strlen(e->cluster), &limits, &cluster, err) ||
			      !json_set_copy(json_edit(doc), "spec/cluster", json_root(cluster), err)))
		return false;
	if (!buf_add_str(&text, "KUBERNETES_EXEC_INFO=", err) || !json_print(json_root(doc), false, &text, err))
		return false;
	*ret = TAKE(text.data);
	return true;
}

/* What it prints to stderr is for people, and may follow a prompt: it goes to our own stderr only when that is a log. */
static bool run(
    struct kube_exec *e, const struct clock *clock, const volatile int *stop, struct buf *out, struct err *err)
{
	const char *env[KUBE_EXEC_ARGS_MAX + 2] = {0};
	CLEANUP(free) char *info = NULL;
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_exit ex;
	char text[64];

	if (!make_info(e, &info, err))
		return false;
	for (size_t i = 0; i < e->env_count; i++)
		env[i] = e->env[i];
	env[e->env_count] = info;
	spec.argv = (const char *const *)e->args;
	spec.env_set = env;
	spec.stop = stop;
	spec.only_stdout = true;
	if (!proc_run(clock, &spec, KUBE_EXEC_TIMEOUT_MS, out, &ex, err)) {
		if (err && err->code == ERR_NOT_FOUND && e->install_hint)
			err_hint(err, "%.400s", e->install_hint);
		return false;
	}
	if (ex.signaled || ex.status)
		return err_set(err, ERR_AUTH, "it ended with %s", proc_exit_text(&ex, text));
	return true;
}

static bool renew(struct kube_exec *e, const struct clock *clock, const volatile int *stop, struct err *err)
{
	BUF_CLEANUP struct buf out = BUF_INIT(ANSWER_MAX);
	struct kube_credential got;
	bool ok;

	ok = run(e, clock, stop, &out, err);
	if (ok && !(ok = kube_exec_parse(buf_str(&out), out.len, e->api_version, &got, &e->expires_ms, err)))
		err_wrap(err, "its answer");
	if (out.data)
		explicit_bzero(out.data, out.cap);
	if (!ok) {
		err_wrap(err, "credential plugin \"%s\"", e->command);
		return err_hint(err, "run it by hand; it may want you to log in");
	}
	kube_credential_clear(&e->credential);
	e->credential = got;
	e->credential.turn = ++e->turn;
	e->held = true;
	return true;
}

static bool copy_credential(const struct kube_credential *from, struct kube_credential *ret, struct err *err)
{
	struct kube_credential c = {.turn = from->turn};

	c.token = from->token ? strdup(from->token) : NULL;
	c.cert_pem = from->cert_pem ? strdup(from->cert_pem) : NULL;
	c.key_pem = from->key_pem ? strdup(from->key_pem) : NULL;
	if ((from->token && !c.token) || (from->cert_pem && !c.cert_pem) || (from->key_pem && !c.key_pem)) {
		kube_credential_clear(&c);
		return err_nomem(err);
	}
	*ret = c;
	return true;
}

bool kube_exec_get(struct kube_exec *e, const struct clock *clock, const volatile int *stop,
    struct kube_credential *ret, struct err *err)
{
	bool ok;

	if (e->interactive)
		return err_set(err, ERR_UNSUPPORTED,
		    "credential plugin \"%s\" wants a terminal (interactiveMode: Always)", e->command);
	pthread_mutex_lock(&e->lock);
	ok = (e->held && clock_wall_ms(clock) < e->expires_ms) || renew(e, clock, stop, err);
	ok = ok && copy_credential(&e->credential, ret, err);
	pthread_mutex_unlock(&e->lock);
	return ok;
}

void kube_exec_forget(struct kube_exec *e, uint64_t turn)
{
	pthread_mutex_lock(&e->lock);
	if (e->credential.turn == turn)
		e->held = false;
	pthread_mutex_unlock(&e->lock);
}
