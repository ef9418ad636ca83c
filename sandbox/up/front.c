#include "sandbox/up/front.h"

#include "base/file.h"
#include "base/stop.h"
#include "doc/json.h"
#include "kube/watch.h"
#include "mongo/client.h"
#include "sandbox/api/credentials.h"
#include "sandbox/parts/cmd.h"
#include "sandbox/parts/guest.h"
#include "sandbox/parts/launch.h"
#include "sandbox/up/install.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRONT "psmdb-sandbox"
#define DIR_HELP "the sandbox's folder (default: $PSMDB_SANDBOX_DIR, else ~/.local/state/psmdb-drill/sandbox)"
#define STATUS_LIMIT_MS 5000
#define READY_PAUSE_NS INT64_C(100000000)

/* given, or the default. */
static bool front_dir(const char *given, char ret[static PATH_MAX], struct err *err)
{
	const char *named = getenv("PSMDB_SANDBOX_DIR"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len;

	if (given || (named && *named))
		len = snprintf(ret, PATH_MAX, "%s", given ? given : named);
	else if (state && *state)
		len = snprintf(ret, PATH_MAX, "%s/psmdb-drill/sandbox", state);
	else if (home && *home)
		len = snprintf(ret, PATH_MAX, "%s/.local/state/psmdb-drill/sandbox", home);
	else
		return err_set(err, ERR_USAGE, "there is no place for the sandbox: neither --dir nor HOME is given");
	return len < PATH_MAX || err_set(err, ERR_LIMIT, "the sandbox's folder has too long a path");
}

/* --- up ---------------------------------------------------------------------------------------------------------- */

struct up {
	bool bare, no_wait, made;
	struct setup setup;
	int64_t begun_ms;
};

static bool prepare(void *arg, const struct layout *l, struct err *err)
{
	char address[ADDRESS_MAX];

	(void)arg;
	return install_write_bundle(l, err) &&
	       api_credentials_ensure(l->dir, layout_api_address(l, address), (uint16_t)(l->ports + API_PORT), err);
}

static void told(void *arg, const char *what)
{
	struct up *u = arg;

	if (u->setup.progress)
		u->setup.progress(u->setup.progress_arg, what, clock_mono_ms(u->setup.clock) - u->begun_ms);
}

static int64_t left_ms(const struct up *u)
{
	int64_t left = u->setup.timeout_ms - (clock_mono_ms(u->setup.clock) - u->begun_ms);

	return left > 1 ? left : 1;
}

static bool open_kube(
    const struct layout *l, const volatile int *stop, int64_t timeout_ms, struct kube **ret, struct err *err)
{
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	struct layout_path path = layout_file(l, "kubeconfig");
	const struct kube_config_options where = {.path = path.text};
	const struct kube_options options = {.stop = stop, .timeout_ms = timeout_ms, .manager = FRONT};

	return kube_config_load(&where, &config, err) && kube_new(&config, &options, ret, err);
}

/* A real server takes requests before its own objects are there, and refuses some of them until then. */
static bool wait_api(const struct up *u, struct kube *kube, struct err *err)
{
	struct err each = ERR_INIT;

	while (!kube_get_raw(kube, "/readyz", NULL, &each)) {
		if (left_ms(u) <= 1)
			return err_set(err, ERR_TIMEOUT, "the API server is not ready: %.500s", each.msg);
		each = (struct err)ERR_INIT;
		if (!clock_sleep_until(u->setup.clock, clock_mono_ns(u->setup.clock) + READY_PAUSE_NS, u->setup.stop))
			return err_set(err, ERR_INTERRUPTED, "interrupted");
	}
	return true;
}

static bool install(struct up *u, struct err *err)
{
	CLEANUP(kube) struct kube *kube = NULL;
	const struct install in = {.layout = u->setup.layout,
	    .secrets = u->setup.secrets,
	    .clock = u->setup.clock,
	    .stop = u->setup.stop,
	    .progress = told,
	    .progress_arg = u};
	struct install with = in;

	if (!open_kube(u->setup.layout, u->setup.stop, 30000, &kube, err))
		return false;
	with.kube = kube;
	if (!wait_api(u, kube, err))
		return false;
	told(u, "the API server answers");
	if (!install_kinds(&with, u->bare, err) ||
	    !(u->bare ? install_bare(&with, &u->made, err) : install_demo(&with, &u->made, err)))
		return false;
	return u->bare || !u->made || u->no_wait || install_wait_ready(&with, left_ms(u), err);
}

static bool set_up(void *arg, const struct setup *setup, struct connection *c, struct err *err)
{
	struct up *u = arg;

	u->setup = *setup;
	u->begun_ms = clock_mono_ms(setup->clock);
	if (connection_phase(c, PHASE_STARTING, err) &&
	    connection_request(c, OP_START, (const char *const[]){"all"}, 1, left_ms(u), err)) {
		told(u, layout_is_guest(setup->layout)
			    ? "API server, kubelet and Kasten run, and use another sandbox's bucket"
			    : "S3 server, API server, kubelet and Kasten run");
		if (install(u, err) && connection_phase(c, PHASE_READY, err))
			return true;
	}
	if (setup->stop && *setup->stop)
		err_set(err, ERR_INTERRUPTED, "interrupted");
	return false;
}

static void say_next(const struct launch *launch, const struct up *u)
{
	if (launch->foreground)
		return;
	printf("export KUBECONFIG=%s/kubeconfig\n", launch->dir);
	if (u->bare && isatty(STDERR_FILENO))
		fprintf(stderr,
		    "the cluster is there, without an operator: install it with\n"
		    "  kubectl create namespace " INSTALL_NAMESPACE " && kubectl -n " INSTALL_NAMESPACE
		    " apply --server-side -f %s/bundle.yaml\n",
		    launch->dir);
	if (!u->bare && isatty(STDERR_FILENO))
		fprintf(stderr, "the cluster is there: try\n  kubectl -n " INSTALL_NAMESPACE " get psmdb,pods,pvc\n"
				"  psmdb-drill run case-1 --confirm-destroy " INSTALL_NAMESPACE "\n");
}

static bool choose_api(const char *name, enum launch_api *ret, struct err *err)
{
	if (!name)
		return true;
	if (strcmp(name, "embedded") != 0 && strcmp(name, "real") != 0)
		return err_set(
		    err, ERR_USAGE, "option \"--apiserver\": \"%.64s\" is neither \"embedded\" nor \"real\"", name);
	*ret = *name == 'r' ? LAUNCH_API_REAL : LAUNCH_API_EMBEDDED;
	return true;
}

int front_up(int argc, char **argv)
{
	const char *given = NULL, *bucket_of = NULL, *server = NULL;
	int64_t timeout_ms = 180000;
	struct up u = {0};
	struct launch launch = {.control_plane = true,
	    .clock = clock_system(),
	    .progress = cmd_progress,
	    .prepare = prepare,
	    .set_up = set_up,
	    .arg = &u};
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &given, "DIR", DIR_HELP),
	    CMD_OPT("bare", OPT_FLAG, &u.bare, "",
		"a cluster to restore into: no namespace, no psmdb, no operator (DIR/bundle.yaml installs it), and the "
		"blueprint without restore"),
	    CMD_OPT("bucket-of", OPT_STRING, &bucket_of, "DIR",
		"use the S3 server of this other sandbox, which must be up, in place of one's own: another cluster"),
	    CMD_OPT("apiserver", OPT_STRING, &server, "KIND",
		"\"embedded\", this program's own, or \"real\", kube-apiserver with etcd (default: as before, or "
		"embedded)"),
	    CMD_OPT("no-wait", OPT_FLAG, &u.no_wait, "", "do not wait until the psmdb is ready"),
	    CMD_OPT("foreground", OPT_FLAG, &launch.foreground, "", "stay, and end everything on Ctrl-C"),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME", "until everything must be ready (default: 3m)",
		.min = 1000, .max = 3600000),
	    {0},
	};
	const struct opt_command command = {FRONT " up", "",
	    "Plays a Kubernetes cluster on this machine: an API server, an operator, Kasten and a kubelet around real "
	    "mongods, PBM agents and an S3 server; applies the shipped manifests, and prints how to reach it. A folder "
	    "that was a sandbox before is started again with all that it had.",
	    opts,
	    "Without --bare the namespace " INSTALL_NAMESPACE
	    " is made, with the label psmdb-drill/allow-disaster=true: it is a playground.\n\n"
	    "The real API server takes half a gigabyte and some seconds more, and knows what the embedded one leaves "
	    "out "
	    "(RBAC, schemas, admission). Its programs are looked for in the folder KUBEBUILDER_ASSETS, in PATH and in "
	    "the cache of "
	    "scripts/setup; \"scripts/setup --real-apiserver\" builds them.\n\n"
	    "Example: eval \"$(psmdb-sandbox up)\" && kubectl get psmdb -A\n\n"
	    "Exit status: 0 done, 2 usage, 3 it could not be done, 130 interrupted.",
	    0, 0};
	char dir[PATH_MAX], host[LAYOUT_DIR_MAX];
	struct err err = ERR_INIT;
	bool made, ok;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (!choose_api(server, &launch.api, &err) || !front_dir(given, dir, &err) ||
	    (bucket_of && !cmd_dir(bucket_of, host, &err)))
		return cmd_fail(&err);
	launch.bucket_of = bucket_of ? host : NULL;
	made = !file_exists(dir);
	if (!stop_install(&err) || !file_make_dirs(dir, 0700, &err) || !cmd_dir(dir, launch.dir, &err))
		return cmd_fail(&err);
	launch.timeout_ms = timeout_ms;
	launch.stop = stop_flag();
	mongo_init();
	ok = launch_up(&launch, &err);
	mongo_cleanup();
	if (ok) {
		say_next(&launch, &u);
		return EXIT_PASS;
	}
	if (made)
		rmdir(launch.dir); /* only if it is empty */
	return cmd_fail(&err);
}

/* --- down, logs -------------------------------------------------------------------------------------------------- */

int front_down(int argc, char **argv)
{
	const char *given = NULL;
	int64_t timeout_ms = 60000;
	bool purge_too = false;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &given, "DIR", DIR_HELP),
	    CMD_OPT("purge", OPT_FLAG, &purge_too, "",
		"end the processes at once (SIGKILL) and remove the sandbox's files, backups and secrets included"),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME", "until everything must have ended (default: 60s)",
		.min = 1000, .max = 3600000),
	    {0},
	};
	const struct opt_command command = {FRONT " down", "",
	    "Ends every process of a sandbox, also of one whose supervisor was killed. Without --purge it can be "
	    "started again with all that it had.",
	    opts, cmd_exit_statuses, 0, 0};
	char dir[PATH_MAX];
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	return front_dir(given, dir, &err) && cmd_end(dir, purge_too, timeout_ms, &err) ? EXIT_PASS : cmd_fail(&err);
}

int front_logs(int argc, char **argv)
{
	const char *given = NULL;
	const struct opt opts[] = {CMD_OPT("dir", OPT_STRING, &given, "DIR", DIR_HELP), {0}};
	const struct opt_command command = {FRONT " logs", "PART",
	    "Prints the log of a part of the sandbox itself: s3, api, kubelet, kasten, supervisor; with the real API "
	    "server "
	    "also etcd and controllers. What runs in pods "
	    "is "
	    "seen with \"kubectl logs\".",
	    opts, cmd_exit_statuses, 1, 1};
	char dir[PATH_MAX], **args;
	struct err err = ERR_INIT;
	size_t count;
	int status;

	if (!cli_options(&command, argc, argv, &args, &count, &status))
		return status;
	return front_dir(given, dir, &err) && cmd_print_log(dir, args[0], &err) ? EXIT_PASS : cmd_fail(&err);
}

/* --- status ------------------------------------------------------------------------------------------------------ */

static void print_psmdb(const json_node *o)
{
	const char *state = json_text_at(o, "status/state"), *note = kube_annotation(o, "psmdb-drill/note");

	printf("psmdb         %s/%s  %s  %d of %d ready\n", kube_namespace(o), kube_name(o), state ? state : "new",
	    (int)json_int_at(o, "status/ready", 0), (int)json_int_at(o, "status/size", 0));
	if (note)
		printf("              note: %s\n", note);
}

static void print_pod(const json_node *o)
{
	const char *phase = json_text_at(o, "status/phase"), *address = json_text_at(o, "status/podIP");

	printf("pod           %s/%s  %s  %s\n", kube_namespace(o), kube_name(o), phase ? phase : "Pending",
	    address ? address : "-");
}

/* False: the bucket is another sandbox's, and is not to be had now. */
static bool bucket_there(const json_node *state, struct err *err)
{
	CLEANUP(free) struct layout *host = calloc(1, sizeof *host);
	const char *of = json_text_at(state, "s3/of");

	return !of || (host ? guest_host(of, host, err) : err_nomem(err));
}

/* Where the bucket is, if it is another sandbox's. */
static void print_bucket(const json_node *state, const struct err *why)
{
	const char *of = json_text_at(state, "s3/of"), *endpoint = json_text_at(state, "s3/endpoint");

	if (!of)
		return;
	printf("bucket        %s, of the sandbox in %s\n", endpoint ? endpoint : "-", of);
	if (*why->msg)
		printf("              %s\n", why->msg);
	if (*why->hint)
		printf("              %s\n", why->hint);
}

static bool print_all(struct kube *kube, const char *name, void (*print)(const json_node *), struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct kube_kind kind;

	struct err why = ERR_INIT;

	/* a bare cluster has no operator's kinds yet */
	if (!kube_find_kind(kube, name, &kind, &why)) {
		*err = why;
		return why.code == ERR_UNSUPPORTED;
	}
	if (!kube_list(kube, &kind, NULL, NULL, &list, err))
		return false;
	for (const json_node *o = json_first(json_get(json_root(list), "items")); o; o = json_next(o))
		print(o);
	return true;
}

static bool print_cluster(const json_node *state, struct err *err)
{
	CLEANUP(kube) struct kube *kube = NULL;
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	const struct kube_config_options where = {.path = json_text_at(state, "api/kubeconfig")};
	const struct kube_options options = {.timeout_ms = STATUS_LIMIT_MS, .manager = FRONT};

	if (!where.path)
		return true;
	printf("KUBECONFIG=%s\n", where.path);
	if (!json_int_at(state, "supervisor", 0))
		return true;
	return kube_config_load(&where, &config, err) && kube_new(&config, &options, &kube, err) &&
	       print_all(kube, "perconaservermongodbs.psmdb.percona.com", print_psmdb, err) &&
	       print_all(kube, "pods", print_pod, err);
}

int front_status(int argc, char **argv)
{
	struct json_limits limits = JSON_LIMITS_DEFAULT;
	BUF_CLEANUP struct buf text = BUF_INIT(2 * STATE_MAX_BYTES);
	CLEANUP(json) struct json *doc = NULL;
	const char *given = NULL;
	bool as_json = false, there;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &given, "DIR", DIR_HELP),
	    CMD_OPT("json", OPT_FLAG, &as_json, "", "the parts as one JSON object, the same as in DIR/state.json"),
	    {0},
	};
	const struct opt_command command = {FRONT " status", "", "Shows a sandbox: its parts, its psmdb and its pods.",
	    opts,
	    "exit status: 0 all parts are ready, 2 usage error, 3 there is no sandbox, not all parts are ready, or the "
	    "bucket is of another sandbox that is down (also with --json)",
	    0, 0};
	char dir[PATH_MAX];
	struct err err = ERR_INIT, no_bucket = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (!front_dir(given, dir, &err) || !cmd_state(dir, &text, &err) ||
	    !json_parse(buf_str(&text), text.len, &limits, &doc, &err))
		return cmd_fail(&err);
	there = bucket_there(json_root(doc), &no_bucket);
	if (as_json) {
		printf("%s\n", buf_str(&text));
	} else {
		cmd_print_parts(json_root(doc));
		if (!print_cluster(json_root(doc), &err))
			return cmd_fail(&err);
		print_bucket(json_root(doc), &no_bucket);
	}
	return there && cmd_all_ready(json_root(doc)) ? EXIT_PASS : EXIT_ERROR;
}
