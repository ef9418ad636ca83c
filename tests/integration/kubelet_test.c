/*
 * The kubelet against an API server, with a real mongod: what a user sees through the API, and what is there on the
 * disk, in /proc and on the sockets. One story, told in order.
 */
#include "base/file.h"
#include "base/proc.h"
#include "kube/watch.h"
#include "sandbox/kubelet/reach.h"
#include "sandbox/parts/address.h"
#include "sandbox/parts/binaries.h"
#include "tests/support/kube_api_fixture.h"
#include "tests/support/tap.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS "kubelet-test"
#define WAIT_MS 30000

struct stage {
	struct tap tap;
	struct kube_api_fixture *api;
	struct kube *kube;
	struct address_hold hold;
	struct kube_kind pods, claims, volumes, services, secrets, sets, namespaces, endpoints;
	char range[24]; /* "127.A.B" */
	pid_t kubelet;
	struct err err;
};

/* --- the stage --------------------------------------------------------------------------------------------------- */

static bool start_kubelet(struct stage *s)
{
	const char *const argv[] = {PSMDB_SANDBOX, "serve", "kubelet", "--dir", s->api->dir, "--range", s->range, NULL};
	struct proc_spec spec = PROC_SPEC_INIT;
	char log[300];

	snprintf(log, sizeof log, "%s/kubelet.log", s->api->dir);
	spec.argv = argv;
	spec.log_path = log;
	return proc_start(&spec, &s->kubelet, &s->err);
}

static bool take_range(struct stage *s)
{
	const struct address_want want = {
	    .hosts_first = 11, .hosts = 4, .main_port = 27017, .ports_host = 1, .range = -1, .seed = s->api->dir};
	char text[24];

	s->hold = (struct address_hold)ADDRESS_HOLD_INIT;
	if (!address_take(&want, &s->hold, &s->err))
		return false;
	address_range_text(s->hold.range, text);
	*strrchr(text, '.') = '\0';
	snprintf(s->range, sizeof s->range, "%s", text);
	return true;
}

/* The kubelet looks for its kubeconfig in its own folder. */
static bool give_kubeconfig(struct stage *s)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
	char path[300];

	snprintf(path, sizeof path, "%s/system.kubeconfig", s->api->dir);
	return file_exists(path) || (file_read(s->api->kubeconfig, &text, &s->err) &&
					file_write_atomic(path, buf_str(&text), text.len, 0600, &s->err));
}

static bool open_client(struct stage *s)
{
	const struct kube_config_options where = {.path = s->api->kubeconfig};
	const struct kube_options options = {.timeout_ms = 10000};
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};

	kube_kind_set(&s->pods, "", "v1", "pods", "Pod", true);
	kube_kind_set(&s->claims, "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true);
	kube_kind_set(&s->volumes, "", "v1", "persistentvolumes", "PersistentVolume", false);
	kube_kind_set(&s->services, "", "v1", "services", "Service", true);
	kube_kind_set(&s->endpoints, "", "v1", "endpoints", "Endpoints", true);
	kube_kind_set(&s->secrets, "", "v1", "secrets", "Secret", true);
	kube_kind_set(&s->sets, "apps", "v1", "statefulsets", "StatefulSet", true);
	kube_kind_set(&s->namespaces, "", "v1", "namespaces", "Namespace", false);
	return kube_config_load(&where, &config, &s->err) && kube_new(&config, &options, &s->kube, &s->err);
}

static bool create(struct stage *s, const struct kube_kind *kind, const char *text)
{
	CLEANUP(json) struct json *object = NULL;
	bool ok = json_format(&object, &s->err, text) &&
		  kube_create(s->kube, kind, kind->namespaced ? NS : NULL, json_root(object), NULL, &s->err);

	return tap_ok(&s->tap, ok || s->err.code == ERR_EXISTS, "an object is created", "%s", s->err.msg);
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */

struct wish {
	struct stage *stage;
	bool (*holds)(struct stage *s, const char *arg);
	const char *arg;
};

static bool wish_holds(void *arg, struct err *err)
{
	const struct wish *w = arg;

	(void)err;
	return w->holds(w->stage, w->arg);
}

static bool comes_true(
    struct stage *s, const char *sentence, bool (*holds)(struct stage *, const char *), const char *arg)
{
	struct wish wish = {s, holds, arg};
	struct err err = ERR_INIT;

	return tap_ok(&s->tap, wait_for(clock_system(), sentence, WAIT_MS, 20, NULL, wish_holds, &wish, &err), sentence,
	    "%s; see %s/kubelet.log", err.msg, s->api->dir);
}

/* A text of a pod; "" if there is none. */
static bool pod_text(struct stage *s, const char *name, const char *path, char *ret, size_t size)
{
	CLEANUP(json) struct json *pod = NULL;
	struct err err = ERR_INIT;
	const char *text;

	ret[0] = '\0';
	if (!kube_get(s->kube, &s->pods, NS, name, &pod, &err))
		return false;
	text = json_text_at(json_root(pod), path);
	snprintf(ret, size, "%s", text ? text : "");
	return true;
}

static bool pod_is_ready(struct stage *s, const char *name)
{
	CLEANUP(json) struct json *pod = NULL;
	struct err err = ERR_INIT;

	if (!kube_get(s->kube, &s->pods, NS, name, &pod, &err))
		return false;
	for (const json_node *c = json_first(json_at(json_root(pod), "status/conditions")); c; c = json_next(c))
		if (json_is_at(c, "type", "Ready"))
			return json_is_at(c, "status", "True") && !kube_deleting(json_root(pod));
	return false;
}

static bool pod_is_gone(struct stage *s, const char *name)
{
	struct err err = ERR_INIT;

	return !kube_get(s->kube, &s->pods, NS, name, NULL, &err) && err.code == ERR_NOT_FOUND;
}

static bool pod_succeeded(struct stage *s, const char *name)
{
	char phase[32];

	return pod_text(s, name, "status/phase", phase, sizeof phase) && !strcmp(phase, "Succeeded");
}

/* arg: the uid of before */
static bool another_mongod_is_ready(struct stage *s, const char *arg)
{
	char uid[64];

	return pod_text(s, "db-0", "metadata/uid", uid, sizeof uid) && strcmp(uid, arg) != 0 && pod_is_ready(s, "db-0");
}

static bool mongod_was_restarted(struct stage *s, const char *arg)
{
	CLEANUP(json) struct json *pod = NULL;
	struct err err = ERR_INIT;

	(void)arg;
	return kube_get(s->kube, &s->pods, NS, "db-0", &pod, &err) &&
	       json_int_at(json_root(pod), "status/containerStatuses/0/restartCount", 0) == 1 &&
	       pod_is_ready(s, "db-0");
}

static bool is_refused(struct stage *s, const char *name)
{
	char reason[64], message[512];

	return pod_text(s, name, "status/containerStatuses/0/state/waiting/reason", reason, sizeof reason) &&
	       pod_text(s, name, "status/containerStatuses/0/state/waiting/message", message, sizeof message) &&
	       !strcmp(reason, "ErrImagePull") && strstr(message, "psmdb-drill") != NULL;
}

/* --- behind the API's back --------------------------------------------------------------------------------------- */

/* Processes with this folder in their command line, this program aside. */
static int processes_of(const char *dir, const char *program)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (proc && (entry = readdir(proc))) {
		BUF_CLEANUP struct buf line = BUF_INIT(65536);
		char path[300];

		snprintf(path, sizeof path, "/proc/%.20s/cmdline", entry->d_name);
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || !file_read(path, &line, NULL) || !line.len)
			continue;
		count += strstr(buf_str(&line), program) && memmem(line.data, line.len, dir, strlen(dir));
	}
	if (proc)
		closedir(proc);
	return count;
}

/* "DIR/volumes/pvc-..." of the only volume; false: there is not exactly one. */
static bool only_volume(const struct stage *s, char *ret, size_t size)
{
	char folder[300];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	snprintf(folder, sizeof folder, "%s/volumes", s->api->dir);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "pvc-", 4) != 0)
			continue;
		snprintf(ret, size, "%s/%s", folder, entry->d_name);
		count++;
	}
	if (dir)
		closedir(dir);
	return count == 1;
}

static bool is_no_file(struct stage *s, const char *path)
{
	(void)s;
	return !file_exists(path);
}

static bool nobody_runs(struct stage *s, const char *program)
{
	return processes_of(s->api->dir, program) == 0;
}

static bool find_log(const struct stage *s, const char *pod, struct buf *out)
{
	char uid[64], path[700];

	if (!pod_text((struct stage *)(uintptr_t)s, pod, "metadata/uid", uid, sizeof uid))
		return false;
	snprintf(path, sizeof path, "%s/pods/%s_%s_%s/main.log", s->api->dir, NS, pod, uid);
	return file_read(path, out, NULL);
}

/* --- the story --------------------------------------------------------------------------------------------------- */

#define STATEFULSET                                                                                                    \
	"{'apiVersion':'apps/"                                                                                         \
	"v1','kind':'StatefulSet','metadata':{'name':'db'},'spec':{'replicas':1,'serviceName':'db',"                   \
	"'selector':{'matchLabels':{'app':'db'}},'template':{'metadata':{'labels':{'app':'db'}},'spec':{"              \
	"'containers':[{'name':'mongod','image':'percona/"                                                             \
	"percona-server-mongodb:6.0.4-3','args':['--bind_ip_all','--auth',"                                            \
	"'--dbpath=/data/db','--port=27017','--replSet=rs0','--keyFile=/etc/keys/"                                     \
	"key'],'volumeMounts':[{'name':'data',"                                                                        \
	"'mountPath':'/data/db'},{'name':'keys','mountPath':'/etc/keys'}]}],'volumes':[{'name':'keys','secret':{"      \
	"'secretName':'keyfile'}}]}},'volumeClaimTemplates':[{'metadata':{'name':'data'},'spec':{"                     \
	"'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}]}}"
#define POD(name, image, policy, words)                                                                                \
	"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'" name "'},'spec':{'restartPolicy':'" policy              \
	"','containers':[{'name':'main','image':'" image "','command':[" words "]}]}}"

#define INIT_POD(name, word)                                                                                           \
	"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'" name                                                    \
	"'},'spec':{'restartPolicy':'Never','initContainers':["                                                        \
	"{'name':'scripts','image':'percona/percona-server-mongodb-operator','command':['/init-entrypoint.sh']},"      \
	"{'name':'own','image':'psmdb-drill','command':['psmdb-ticker','" word "']}],'containers':[{'name':'main',"    \
	"'image':'psmdb-drill','command':['psmdb-ticker','--version']}]}}"

static void a_statefulset_runs(struct stage *s)
{
	char volume[700], ip[16], wanted[32], secret[700];

	create(s, &s->secrets,
	    "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'keyfile'},'data':{'key':'"
	    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY'}}");
	create(s, &s->sets, STATEFULSET);
	comes_true(s, "a StatefulSet's mongod becomes ready", pod_is_ready, "db-0");
	tap_ok(&s->tap, only_volume(s, volume, sizeof volume), "its claim is one directory", "%s", s->api->dir);
	snprintf(secret, sizeof secret, "%s/WiredTiger", volume);
	tap_ok(&s->tap, file_exists(secret), "the data is in it", "%s", secret);
	pod_text(s, "db-0", "status/podIP", ip, sizeof ip);
	snprintf(wanted, sizeof wanted, "%s.", s->range);
	tap_ok(&s->tap, !strncmp(ip, wanted, strlen(wanted)), "it has an address of the range", "\"%s\"", ip);
	tap_ok(&s->tap, reach_port(ip, 27017), "it listens there", "%s:27017", ip);
}

static bool service_answers(struct stage *s, const char *ip)
{
	(void)s;
	return reach_port(ip, 27017);
}

static bool name_leads_to(struct stage *s, const char *line)
{
	BUF_CLEANUP struct buf hosts = BUF_INIT(65536);
	char path[300];

	snprintf(path, sizeof path, "%s/hosts", s->api->dir);
	return file_read(path, &hosts, NULL) && strstr(buf_str(&hosts), line) != NULL;
}

static bool has_no_names(struct stage *s, const char *name)
{
	return !name_leads_to(s, name);
}

static void a_service_leads_to_it(struct stage *s)
{
	char ip[32], line[128], spec[300];

	/* an address of this test's range: a server of its own may give others, or none */
	snprintf(ip, sizeof ip, "%s.200", s->range);
	snprintf(spec, sizeof spec,
	    "{'apiVersion':'v1','kind':'Service','metadata':{'name':'db'},'spec':{'clusterIP':'%s','selector':{'app':'"
	    "db'},"
	    "'ports':[{'name':'mongodb','port':27017}]}}",
	    ip);
	create(s, &s->services, spec);
	comes_true(s, "a Service's address takes connections", service_answers, ip);
	snprintf(line, sizeof line, "%s db." NS ".svc.cluster.local ", ip);
	comes_true(s, "its name is in the hosts file", name_leads_to, line);
	kube_delete(s->kube, &s->services, NS, "db", NULL, &s->err);
	comes_true(s, "a deleted Service's name is not there any more", has_no_names, "db." NS);
}

static void a_deleted_pod_comes_back(struct stage *s)
{
	char uid[64], ip[16], again[16], volume[700], same[700];

	pod_text(s, "db-0", "metadata/uid", uid, sizeof uid);
	pod_text(s, "db-0", "status/podIP", ip, sizeof ip);
	only_volume(s, volume, sizeof volume);
	kube_delete(s->kube, &s->pods, NS, "db-0", NULL, &s->err);
	comes_true(s, "a deleted pod of a StatefulSet comes back", another_mongod_is_ready, uid);
	pod_text(s, "db-0", "status/podIP", again, sizeof again);
	tap_ok(&s->tap, !strcmp(ip, again), "it has its address again", "%s, before %s", again, ip);
	tap_ok(&s->tap, only_volume(s, same, sizeof same) && !strcmp(volume, same), "and its volume", "%s", same);
}

static void a_killed_kubelet(struct stage *s)
{
	struct proc_exit ex;
	char ip[16], again[16];

	pod_text(s, "db-0", "status/podIP", ip, sizeof ip);
	tap_ok(&s->tap, processes_of(s->api->dir, "mongod") == 1, "one mongod runs", "%d",
	    processes_of(s->api->dir, "mongod"));
	kill(s->kubelet, SIGKILL);
	proc_stop(clock_system(), s->kubelet, 1000, &ex, NULL);
	comes_true(s, "a killed kubelet leaves no mongod behind", nobody_runs, "mongod");
	tap_ok(&s->tap, start_kubelet(s), "the next kubelet starts", "%s", s->err.msg);
	comes_true(s, "it starts the pod again and counts that", mongod_was_restarted, NULL);
	pod_text(s, "db-0", "status/podIP", again, sizeof again);
	tap_ok(&s->tap, !strcmp(ip, again), "on the same address", "%s, before %s", again, ip);
}

static void a_claim_in_use(struct stage *s)
{
	CLEANUP(json) struct json *claim = NULL;
	char volume[700];

	only_volume(s, volume, sizeof volume);
	kube_delete(s->kube, &s->claims, NS, "data-db-0", NULL, &s->err);
	tap_ok(&s->tap,
	    kube_get(s->kube, &s->claims, NS, "data-db-0", &claim, &s->err) && kube_deleting(json_root(claim)) &&
		file_exists(volume) && pod_is_ready(s, "db-0"),
	    "a deleted claim stays as long as a pod uses it", "%s", s->err.msg);
	kube_delete(s->kube, &s->sets, NS, "db", NULL, &s->err);
	/* without the garbage collector of a whole cluster */
	kube_delete(s->kube, &s->pods, NS, "db-0", NULL, &s->err);
	comes_true(s, "the pod goes", pod_is_gone, "db-0");
	comes_true(s, "then the claim goes, and the data with it", is_no_file, volume);
	comes_true(s, "no mongod is left", nobody_runs, "mongod");
}

static void programs_of_the_project(struct stage *s)
{
	BUF_CLEANUP struct buf log = BUF_INIT(65536);

	create(s, &s->pods, POD("version", "registry.example/psmdb-drill:1", "Never", "'psmdb-ticker','--version'"));
	comes_true(s, "a pod of the project's image runs its program", pod_succeeded, "version");
	tap_ok(&s->tap, find_log(s, "version", &log) && strstr(buf_str(&log), " stdout psmdb-ticker "),
	    "its output is in its log", "%s", buf_str(&log));
	create(s, &s->pods, POD("unknown", "busybox", "Never", "'sh'"));
	comes_true(s, "another image is refused, and the message says which there are", is_refused, "unknown");
	kube_delete(s->kube, &s->pods, NS, "unknown", NULL, &s->err);
	kube_delete(s->kube, &s->pods, NS, "version", NULL, &s->err);
	comes_true(s, "a pod that never ran goes at once", pod_is_gone, "unknown");
	comes_true(s, "so does a finished one", pod_is_gone, "version");
}

static bool pod_failed(struct stage *s, const char *name)
{
	char phase[32];

	return pod_text(s, name, "status/phase", phase, sizeof phase) && !strcmp(phase, "Failed");
}

static void init_containers_come_first(struct stage *s)
{
	CLEANUP(json) struct json *pod = NULL;
	BUF_CLEANUP struct buf log = BUF_INIT(65536);

	create(s, &s->pods, INIT_POD("prepared", "--version"));
	comes_true(s, "a pod with init containers runs to its end", pod_succeeded, "prepared");
	tap_ok(&s->tap,
	    kube_get(s->kube, &s->pods, NS, "prepared", &pod, &s->err) &&
		json_count(json_at(json_root(pod), "status/initContainerStatuses")) == 2 &&
		json_text_at(json_root(pod), "status/initContainerStatuses/0/state/terminated/message") &&
		!json_text_at(json_root(pod), "status/initContainerStatuses/1/state/terminated/message") &&
		json_is_at(json_root(pod), "status/initContainerStatuses/1/state/terminated/reason", "Completed"),
	    "the project's are run, the others are said not to be", "%s", s->err.msg);
	create(s, &s->pods, INIT_POD("unprepared", "--nonsense"));
	comes_true(s, "one whose init container fails, fails", pod_failed, "unprepared");
	tap_ok(&s->tap, !find_log(s, "unprepared", &log), "and its own container is not run", "%s", buf_str(&log));
	kube_delete(s->kube, &s->pods, NS, "prepared", NULL, &s->err);
	kube_delete(s->kube, &s->pods, NS, "unprepared", NULL, &s->err);
	comes_true(s, "both go", pod_is_gone, "unprepared");
}

static void it_ends(struct stage *s)
{
	struct proc_exit ex = {0};
	int64_t began_ms = clock_mono_ms(clock_system());
	bool ok;

	create(s, &s->pods, POD("agent", "percona/percona-server-mongodb", "Always", "'mongod','--dbpath=$(HOME)'"));
	ok = proc_stop(clock_system(), s->kubelet, 4000, &ex, &s->err);
	s->kubelet = 0;
	tap_ok(&s->tap, ok && !ex.signaled && ex.status == 0, "it ends in order on SIGTERM", "exit %d", ex.status);
	tap_ok(&s->tap, clock_mono_ms(clock_system()) - began_ms < 2500, "quickly", "after %lld ms",
	    (long long)(clock_mono_ms(clock_system()) - began_ms));
	comes_true(s, "and leaves no process", nobody_runs, "mongod");
	kube_delete(s->kube, &s->pods, NS, "agent", &(struct kube_delete){.grace_seconds = 0}, &s->err);
	kube_delete(s->kube, &s->namespaces, NULL, NS, NULL, &s->err);
}

/* Pods' programs get libnss_wrapper in front of everything, which the address sanitizer would refuse. */
static void allow_preload(void)
{
	const char *given = getenv("ASAN_OPTIONS");
	char options[4096];

	snprintf(options, sizeof options, "%s%sverify_asan_link_order=0", given ? given : "", given ? ":" : "");
	setenv("ASAN_OPTIONS", options, 1);
}

int main(void)
{
	struct stage *s = calloc(1, sizeof *s);
	char why[256] = "", mongod[PATH_MAX];
	struct proc_exit ex;
	int status;

	if (!s)
		return 1;
	allow_preload();
	if (!binary_find(BINARY_MONGOD, mongod, NULL) || !kube_api_fixture_start(&s->api, why, sizeof why)) {
		printf("ok 1 - kubelet # SKIP %s\n1..1\n", why[0] ? why : "no mongod: run scripts/setup");
		free(s);
		return 0;
	}
	if (tap_ok(&s->tap, take_range(s) && give_kubeconfig(s) && open_client(s) && start_kubelet(s),
		"a kubelet starts", "%s", s->err.msg) &&
	    create(s, &s->namespaces, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'" NS "'}}")) {
		a_statefulset_runs(s);
		a_service_leads_to_it(s);
		a_deleted_pod_comes_back(s);
		a_killed_kubelet(s);
		a_claim_in_use(s);
		programs_of_the_project(s);
		init_containers_come_first(s);
		it_ends(s);
	}
	if (s->kubelet > 0)
		proc_stop(clock_system(), s->kubelet, 4000, &ex, NULL);
	kube_free(s->kube);
	address_release(&s->hold);
	status = tap_done(&s->tap);
	kube_api_fixture_stop(s->api, s->tap.failed > 0);
	free(s);
	return status;
}
