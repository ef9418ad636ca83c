#include "../net/fake_server.h"
#include "kube/config.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "kube/config_file.h"
#include "kube/client.h"
#include "kube/exec.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static char dir[64];
static char kubeconfig_env[256], home_env[128], host_env[64];

static const char *env(const char *name)
{
	if (!strcmp(name, "KUBECONFIG"))
		return *kubeconfig_env ? kubeconfig_env : NULL;
	if (!strcmp(name, "HOME"))
		return *home_env ? home_env : NULL;
	if (!strcmp(name, "KUBERNETES_SERVICE_HOST"))
		return *host_env ? host_env : NULL;
	return !strcmp(name, "KUBERNETES_SERVICE_PORT") ? "6443" : NULL;
}

static const char *put(const char *name, const char *text)
{
	static char paths[8][128];
	static int next;
	char *path = paths[next++ % 8];
	struct err err = ERR_INIT;

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	cr_assert(file_write_atomic(path, text, strlen(text), 0700, &err), "%s", err.msg);
	return path;
}

static void set_up(void)
{
	strcpy(dir, "/tmp/kube_config_XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	*kubeconfig_env = *home_env = *host_env = '\0';
}

static void tear_down(void)
{
	struct err err = ERR_INIT;

	file_remove_tree(dir, &err);
}

TestSuite(kube_config, .init = set_up, .fini = tear_down);

static bool load(const char *path, const char *context, struct kube_config *ret, struct err *err)
{
	struct kube_config_options o = {.path = path, .context = context, .get_env = env, .service_account_dir = dir};

	return kube_config_load(&o, ret, err);
}

#define FULL                                                                                                           \
	"apiVersion: v1\nkind: Config\ncurrent-context: one\n"                                                         \
	"contexts:\n- name: one\n  context: {cluster: c1, user: u1, namespace: mongo-ns}\n"                            \
	"- name: two\n  context: {cluster: c2, user: u2}\n"                                                            \
	"- name: three\n  context: {cluster: c1, user: u3}\n"                                                          \
	"- name: nobody\n  context: {cluster: c1}\n"                                                                   \
	"clusters:\n- name: c1\n  cluster:\n    server: https://10.0.0.1:6443/\n    certificate-authority: ca.crt\n"   \
	"    tls-server-name: kubernetes\n    proxy-url: http://proxy:3128\n"                                          \
	"- name: c2\n  cluster: {server: 'https://[::1]:6443/k8s/clusters/c-1', insecure-skip-tls-verify: true}\n"     \
	"users:\n- name: u1\n  user: {token: hush, tokenFile: sub/token}\n"                                            \
	"- name: u2\n  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}\n"                             \
	"- name: u3\n  user: {token: hush}\n"

Test(kube_config, context_names_cluster_user_and_namespace)
{
	KUBE_CONFIG_CLEANUP struct kube_config c = {0}, two = {0}, three = {0}, nobody = {0};
	struct err err = ERR_INIT;
	char token[128];
	const char *path = put("config", FULL);

	put("ca.crt", "CA");
	cr_assert(load(path, NULL, &c, &err), "%s", err.msg);
	cr_assert_str_eq(c.context, "one");
	cr_assert_str_eq(c.namespace_, "mongo-ns");
	cr_assert_str_eq(c.server, "https://10.0.0.1:6443");
	cr_assert_str_eq(c.ca_pem, "CA");
	cr_assert_str_eq(c.tls_server_name, "kubernetes");
	cr_assert_str_eq(c.proxy_url, "http://proxy:3128");
	snprintf(token, sizeof token, "%s/sub/token", dir);
	cr_assert_str_eq(c.token_file, token);
	cr_assert(load(path, "two", &two, &err), "%s", err.msg);
	cr_assert_str_eq(two.server, "https://[::1]:6443/k8s/clusters/c-1");
	cr_assert(two.insecure && !strcmp(two.namespace_, "default"));
	cr_assert_str_eq(two.cert_pem, "CERT");
	cr_assert_str_eq(two.key_pem, "KEY");
	cr_assert(load(path, "three", &three, &err), "%s", err.msg);
	cr_assert_str_eq(three.token, "hush");
	cr_assert(load(path, "nobody", &nobody, &err), "%s", err.msg);
	cr_assert(!nobody.token && !nobody.cert_pem && !*nobody.token_file);
}

Test(kube_config, first_of_several_files_to_name_something_wins)
{
	KUBE_CONFIG_CLEANUP struct kube_config c = {0};
	struct err err = ERR_INIT;
	const char *first = put("first", "users:\n- name: u\n  user: {token: first}\n");
	const char *second = put("second", "current-context: x\nusers:\n- name: u\n  user: {token: second}\n"
					   "clusters:\n- name: c\n  cluster: {server: 'https://second'}\n");
	const char *third = put("third", "current-context: y\ncontexts:\n- name: x\n  context: {cluster: c, user: u}\n"
					 "clusters:\n- name: c\n  cluster: {server: 'https://third'}\n");

	snprintf(kubeconfig_env, sizeof kubeconfig_env, "%s:%s/none:%s:%s", first, dir, second, third);
	cr_assert(load(NULL, NULL, &c, &err), "%s", err.msg);
	cr_assert_str_eq(c.context, "x");
	cr_assert_str_eq(c.token, "first");
	cr_assert_str_eq(c.server, "https://second");
}

Test(kube_config, home_comes_before_the_service_account)
{
	KUBE_CONFIG_CLEANUP struct kube_config c = {0}, pod = {0};
	struct err err = ERR_INIT;
	char path[128];

	snprintf(path, sizeof path, "%s/.kube", dir);
	mkdir(path, 0700);
	strcpy(home_env, dir);
	strcpy(host_env, "fd00::1");
	put("token", "t");
	put("ca.crt", "CA");
	put("namespace", "mongo-ns\n");
	cr_assert(load(NULL, NULL, &pod, &err), "%s", err.msg);
	cr_assert_str_eq(pod.server, "https://[fd00::1]:6443");
	cr_assert_str_eq(pod.namespace_, "mongo-ns");
	cr_assert_str_eq(pod.ca_pem, "CA");
	cr_assert_str_eq(strrchr(pod.token_file, '/'), "/token");
	put("ca.crt", "CA");
	put(".kube/config", "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\n"
			    "clusters: [{name: c, cluster: {server: 'http://x'}}]\n");
	cr_assert(load(NULL, NULL, &c, &err), "%s", err.msg);
	cr_assert_str_eq(c.server, "http://x");
}

#define ONE(cluster, user)                                                                                             \
	"current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nclusters:\n- {name: c, cluster: "  \
	"{" cluster "}}\nusers:\n- {name: u, user: {" user "}}\n"
#define SERVER "server: 'https://x'"

static const struct {
	const char *text, *msg;
	enum err_code code;
} wrong[] = {
    {"a: [", "line", ERR_PARSE},
    {"- a\n", "it is not one mapping", ERR_PARSE},
    {"a: 1\n---\nb: 1\n", "it is not one mapping", ERR_PARSE},
    {"kind: Config\n", "no current-context", ERR_NOT_FOUND},
    {"current-context: q\n", "no context \"q\"", ERR_NOT_FOUND},
    {"current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\n", "no cluster \"c\"", ERR_NOT_FOUND},
    {"current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
     "clusters: [{name: c, cluster: {server: 'http://x'}}]\n",
	"no user \"u\"", ERR_NOT_FOUND},
    {ONE("", "token: hush"), "cluster \"c\": server is missing", ERR_PARSE},
    {ONE("server: 'ftp://x'", "token: hush"), "cluster \"c\": server", ERR_USAGE},
    {ONE("server: 7", "token: hush"), "server is no text", ERR_PARSE},
    {ONE(SERVER ", certificate-authority-data: '%%'", ""), "certificate-authority-data is not base64", ERR_PARSE},
    {ONE(SERVER ", certificate-authority: none", ""), "certificate-authority", ERR_NOT_FOUND},
    {ONE(SERVER ", insecure-skip-tls-verify: true, certificate-authority-data: Q0E=", ""), "beside", ERR_PARSE},
    {ONE(SERVER, "auth-provider: {name: gcp}"), "auth-provider is not supported", ERR_UNSUPPORTED},
    {ONE(SERVER, "username: hush, password: hush"), "username is not supported", ERR_UNSUPPORTED},
    {ONE(SERVER, "token: 12345"), "user \"u\": token is no text", ERR_PARSE},
    {ONE(SERVER ", certificate-authority-data: [hush]", ""), "certificate-authority-data is no text", ERR_PARSE},
    {ONE(SERVER, "as: hush"), "as is not supported", ERR_UNSUPPORTED},
    {ONE(SERVER, "client-key-data: aHVzaA=="), "client-certificate is missing", ERR_PARSE},
    {ONE(SERVER, "exec: {apiVersion: client.authentication.k8s.io/v1}"), "exec: it lacks its command", ERR_PARSE},
    {ONE(SERVER, "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}"), "v1alpha1", ERR_UNSUPPORTED},
};

Test(kube_config, what_is_wrong_is_named_without_secrets)
{
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct kube_config c;
		struct err err = ERR_INIT;
		const char *path = put("config", wrong[i].text);

		cr_assert(!load(path, NULL, &c, &err), "%s", wrong[i].text);
		cr_expect_eq(err.code, wrong[i].code, "%zu: %d %s", i, (int)err.code, err.msg);
		cr_expect(strstr(err.msg, wrong[i].msg), "%s", err.msg);
		cr_expect(strstr(err.msg, path), "%s", err.msg);
		cr_expect(!strstr(err.msg, "hush"), "%s", err.msg);
	}
}

Test(kube_config, nothing_at_all_is_not_found)
{
	struct kube_config c;
	struct err err = ERR_INIT;

	cr_assert(!load(NULL, NULL, &c, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(strstr(err.hint, "KUBECONFIG"));
	cr_assert(!load("/nowhere/at/all", NULL, &c, &err));
	cr_assert(strstr(err.msg, "/nowhere/at/all"), "%s", err.msg);
}

/* --- credential plugins ------------------------------------------------------------------------------------------ */

static int64_t wall_ms = 1795867200000; /* 2026-11-28T08:00:00Z, or near it */

static int64_t wall(void *ctx)
{
	(void)ctx;
	return wall_ms;
}

static struct clock clock_at_wall(void)
{
	struct clock c = *clock_system();

	c.wall_ms = wall;
	return c;
}

/* Counts its runs in a file, and answers what another file holds. */
#define PLUGIN                                                                                                         \
	"#!/bin/sh\necho run >> \"$DIR/runs\"\necho \"$KUBERNETES_EXEC_INFO\" > \"$DIR/info\"\necho \"$1\" > "         \
	"\"$DIR/arg\"\necho chatter >&2\ncat \"$DIR/answer\"\n"
#define CREDENTIAL(status)                                                                                             \
	"{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{" status "}}"

static void load_plugin(struct kube_config *c)
{
	char text[2048];
	struct err err = ERR_INIT;

	put("plugin", PLUGIN);
	snprintf(text, sizeof text,
	    ONE(SERVER ", certificate-authority-data: Q0E=, extensions: [{name: client.authentication.k8s.io/exec, "
		       "extension: {audience: a}}]",
		"exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: ['$(touch x) ; \"'], "
		"env: "
		"[{name: DIR, value: '%s'}], provideClusterInfo: true}"),
	    dir);
	cr_assert(load(put("config", text), NULL, c, &err), "%s", err.msg);
	cr_assert_not_null(c->exec);
}

static char *content(const char *name)
{
	static char text[1024];
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "r");
	text[f ? fread(text, 1, sizeof text - 1, f) : 0] = '\0';
	if (f)
		fclose(f);
	return text;
}

Test(kube_config, plugin_is_run_without_a_shell_and_its_answer_kept_until_it_expires)
{
	KUBE_CONFIG_CLEANUP struct kube_config c = {0}, copy = {0};
	struct clock clock = clock_at_wall();
	struct kube_credential got = {0};
	struct err err = ERR_INIT;

	load_plugin(&c);
	cr_assert(kube_config_copy(&c, &copy, &err));
	put("answer", CREDENTIAL("\"token\":\"one\",\"expirationTimestamp\":\"2026-11-28T13:00:00Z\""));
	cr_assert(kube_exec_get(c.exec, &clock, NULL, &got, &err), "%s", err.msg);
	cr_assert_str_eq(got.token, "one");
	kube_credential_clear(&got);
	cr_assert_str_eq(content("arg"), "$(touch x) ; \"\n");
	cr_assert_str_eq(content("info"),
	    "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":"
	    "false,\"cluster\":{\"server\":\"https://x\",\"certificate-authority-data\":\"Q0E=\",\"config\":"
	    "{\"audience\":\"a\"}}}}\n");
	put("answer", CREDENTIAL("\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\""));
	cr_assert(kube_exec_get(copy.exec, &clock, NULL, &got, &err), "%s", err.msg);
	cr_assert_str_eq(got.token, "one");
	cr_assert_str_eq(content("runs"), "run\n");
	kube_credential_clear(&got);
	wall_ms += 5 * 3600000 + 1;
	cr_assert(kube_exec_get(copy.exec, &clock, NULL, &got, &err), "%s", err.msg);
	cr_assert(!got.token && !strcmp(got.cert_pem, "C") && !strcmp(got.key_pem, "K"));
	cr_assert_str_eq(content("runs"), "run\nrun\n");
	kube_exec_forget(c.exec, got.turn);
	kube_credential_clear(&got);
	cr_assert(kube_exec_get(c.exec, &clock, NULL, &got, &err), "%s", err.msg);
	cr_assert_str_eq(content("runs"), "run\nrun\nrun\n");
	kube_credential_clear(&got);
}

Test(kube_config, plugin_that_fails_is_named)
{
	static const struct {
		const char *answer, *msg;
	} cases[] = {
	    {"hush", "its answer: JSON"},
	    {"{\"kind\":\"hush\"}", "it is no ExecCredential"},
	    {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"hush\"}", "its apiVersion is not"},
	    {CREDENTIAL("\"clientKeyData\":\"hush\""), "neither a token nor"},
	    {CREDENTIAL("\"token\":\"\""), "neither a token nor"},
	    {CREDENTIAL("\"clientCertificateData\":\"\",\"clientKeyData\":\"hush\""), "neither a token nor"},
	    {CREDENTIAL("\"token\":\"hush\",\"expirationTimestamp\":\"soon\""), "expirationTimestamp"},
	};
	KUBE_CONFIG_CLEANUP struct kube_config c = {0};
	struct kube_credential got = {0};
	struct err err = ERR_INIT;

	load_plugin(&c);
	for (size_t i = 0; i < COUNT(cases); i++) {
		put("answer", cases[i].answer);
		cr_assert(!kube_exec_get(c.exec, clock_system(), NULL, &got, &err));
		cr_expect(strstr(err.msg, cases[i].msg) && strstr(err.msg, "/plugin\""), "%s", err.msg);
		cr_expect(!strstr(err.msg, "hush"), "%s", err.msg);
	}
	put("plugin", "#!/bin/sh\nexit 3\n");
	cr_assert(!kube_exec_get(c.exec, clock_system(), NULL, &got, &err));
	cr_assert_eq(err.code, ERR_AUTH);
	cr_assert(strstr(err.msg, "exit status 3"), "%s", err.msg);
}

Test(kube_config, refused_token_makes_the_plugin_run_again_once)
{
	static const char *const answers[] = {
	    "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"};
	KUBE_CONFIG_CLEANUP struct kube_config c = {0};
	struct fake_server server;
	struct err err = ERR_INIT;
	struct kube *k;

	load_plugin(&c);
	put("answer", CREDENTIAL("\"token\":\"one\""));
	fake_server_start(&server, answers, COUNT(answers));
	snprintf(c.server, sizeof c.server, "http://127.13.1.1:%d", server.port);
	cr_assert(kube_new(&c, NULL, &k, &err));
	cr_assert(kube_get_raw(k, "/version", NULL, &err), "%s", err.msg);
	cr_assert_str_eq(content("runs"), "run\nrun\n");
	kube_free(k);
	fake_server_stop(&server, NULL);
}
