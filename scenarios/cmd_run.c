#include "base/cli.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/stop.h"
#include "base/uuid.h"
#include "scenarios/cluster_id.h"
#include "scenarios/commands.h"
#include "scenarios/drill_run.h"
#include "scenarios/run_dir.h"
#include "scenarios/step.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SCENARIO_BYTES_MAX ((size_t)1 << 20)
#define AWAY_LIMIT_MS 60000

struct run_args {
	const char *run, *resume;
	bool dry_run;
	int64_t timeout_ms; /* 0: no limit */
	char operator_path[PATH_MAX];
	struct drill_options options;
};

static int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 80 : size.ws_col;
}

static void prepare(struct drill *d, const struct drill_options *options)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool live = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;

	*d = (struct drill){.options = options, .clock = clock_system(), .stop = stop_flag(), .stop_fd = stop_fd()};
	show_init(&d->show, stdout, d->clock, live, live && !(no_color && *no_color), terminal_width());
}

/* runs/20261123T080000Z-1a2b3c */
static bool default_dir(char ret[static PATH_MAX], struct err *err)
{
	struct uuid id;
	char text[UUID_TEXT_MAX], when[32];
	time_t now = time(NULL);
	struct tm tm;

	if (!uuid_random(&id, err))
		return false;
	uuid_format(&id, text);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(ret, PATH_MAX, "runs/%s-%.6s", when, text);
	return file_make_dirs("runs", 0700, err);
}

/* Only where locks are asked: any other run may go without an API server. */
static bool id_of(struct drill *d, struct kube *k, char ret[static CLUSTER_ID_MAX], struct err *err)
{
	ret[0] = '\0';
	return !k || !scenario_asks_locks(&d->scenario) || cluster_id(k, ret, err);
}

/* "" where it is not asked, or may not be seen. */
struct which {
	char here[CLUSTER_ID_MAX], elsewhere[CLUSTER_ID_MAX];
};

static bool two_clusters(struct drill *d, const char *a, const char *b, struct err *err)
{
	if (!d->elsewhere || (a[0] && b[0] && strcmp(a, b) != 0))
		return true;
	if (!a[0] || !b[0]) {
		err_set(err, ERR_AUTH, "refused: whether these are two clusters cannot be seen");
		return err_hint(err, "namespace kube-system must be readable in both");
	}
	err_set(err, ERR_USAGE, "refused: the cluster to restore into is the very one that the backup is of");
	return err_hint(err, "without --to-context, case-2 restores into the same cluster");
}

static bool which_clusters(struct drill *d, struct which *ret, struct err *err)
{
	return id_of(d, d->kube, ret->here, err) && id_of(d, d->elsewhere, ret->elsewhere, err) &&
	       two_clusters(d, ret->here, ret->elsewhere, err);
}

static bool keep_options(struct drill *d, const struct which *w, struct err *err)
{
	const struct drill_options *o = d->options;

	return (!w->here[0] || run_state_put(&d->state, "cluster-uid", w->here, err)) &&
	       (!w->elsewhere[0] || run_state_put(&d->state, "elsewhere-uid", w->elsewhere, err)) &&
	       json_set_copy(json_edit(d->state.doc), "parameters", json_root(d->parameters), err) &&
	       run_state_put(&d->state, "options/max-rpo", o->max_rpo, err) &&
	       run_state_put(&d->state, "options/max-rto", o->max_rto, err) &&
	       run_state_put(&d->state, "options/operator", o->operator_file, err) && run_state_save(&d->state, err);
}

static bool begin(struct drill *d, const char *run, const struct buf *text, const struct which *w, struct err *err)
{
	char dir[PATH_MAX], hash[SHA256_TEXT_MAX];

	if (run)
		snprintf(dir, sizeof dir, "%s", run);
	else if (!default_dir(dir, err))
		return false;
	if (!run_create(dir, d->scenario.name, d->clock, err))
		return false;
	if (!realpath(dir, d->dir))
		return err_set(err, ERR_IO, "run directory \"%s\" cannot be reached", dir);
	return run_lock(d->dir, &d->lock_fd, err) && file_make_dirs(drill_path(d, RUN_LOGS), 0700, err) &&
	       file_write_atomic(drill_path(d, STATE_SCENARIO), buf_str(text), text->len, 0600, err) &&
	       run_state_new(&d->state, d->dir, d->scenario.name, d->folder,
		   sha256_text(buf_str(text), text->len, hash), d->scenario.count, err) &&
	       keep_options(d, w, err);
}

static bool same_clusters(struct drill *d, struct err *err)
{
	return cluster_id_is(d->kube, run_state_text(&d->state, "cluster-uid"), err) &&
	       (!d->elsewhere || cluster_id_is(d->elsewhere, run_state_text(&d->state, "elsewhere-uid"), err));
}

/* The options of the first call hold, unless they are given again. */
static const char *kept(struct drill *d, const char *path, const char *given)
{
	return given ? given : run_state_text(&d->state, path);
}

static bool take_up(
    struct drill *d, struct drill_options *options, const char *resume, struct buf *text, struct err *err)
{
	const json_node *p;
	char hash[SHA256_TEXT_MAX];
	int64_t sign_ms;

	if (!realpath(resume, d->dir))
		return err_set(err, ERR_NOT_FOUND, "there is no run directory \"%s\"", resume);
	if (!run_lock(d->dir, &d->lock_fd, err))
		return false;
	/* before anything is written there */
	d->rested_ms = run_last_sign_ms(d->lock_fd, &sign_ms) ? clock_wall_ms(d->clock) - sign_ms : -1;
	run_sweep(d->dir);
	if (!run_state_load(&d->state, d->dir, err))
		return false;
	snprintf(d->folder, sizeof d->folder, "%s", run_state_text(&d->state, "folder"));
	if (!drill_open(d, drill_path(d, STATE_SCENARIO), text, err))
		return false;
	if (strcmp(sha256_text(buf_str(text), text->len, hash), run_state_text(&d->state, "sha256")) != 0) {
		err_set(err, ERR_STATE, "the run's copy of its scenario has been changed since it began");
		return err_hint(err, "begin a new run");
	}
	if (json_count(json_at(json_root(d->state.doc), "steps")) != d->scenario.count)
		return err_set(err, ERR_PARSE, "the run's state has another number of steps than its scenario");
	for (p = json_first(json_at(json_root(d->state.doc), "parameters")); p; p = json_next(p))
		if (json_is_string(p) && !json_set_text(json_edit(d->parameters), json_key(p), json_string(p), err))
			return false;
	/* killed between its first two writes: its parameters are not known */
	if (!run_state_text(&d->state, "parameters/namespace"))
		return err_set(err, ERR_STATE, "the run had not begun when it ended: begin a new one");
	/* never a namespace that was cut */
	if (!drill_value(d, "namespace") || strlen(drill_value(d, "namespace")) >= sizeof d->namespace_)
		return err_set(err, ERR_PARSE, "the run's state names no namespace");
	strcpy(d->namespace_, drill_value(d, "namespace"));
	options->max_rpo = kept(d, "options/max-rpo", options->max_rpo);
	options->max_rto = kept(d, "options/max-rto", options->max_rto);
	options->operator_file = kept(d, "options/operator", options->operator_file);
	return true;
}

/* A word that a shell takes as it is; NULL: nothing. */
static void say_word(FILE *out, const char *before, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";

	if (!word)
		return;
	fputs(before, out);
	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	/* a name of the server's may hold what a terminal obeys */
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){iscntrl((unsigned char)*word) ? '?' : *word, '\0'}, out);
	fputc('\'', out);
}

static void say_cluster(struct drill *d, FILE *out)
{
	say_word(out, " --kubeconfig ", d->options->kubeconfig);
	say_word(out, " --context ", d->options->context);
	say_word(out, " --to-kubeconfig ", d->options->to_kubeconfig);
	say_word(out, " --to-context ", d->options->to_context);
}

static void say_ways_on(struct drill *d, FILE *out)
{
	size_t next = run_state_next(&d->state);
	bool destroyed = false, disaster = false;

	for (size_t i = 0; i < d->scenario.count; i++)
		disaster |= (d->scenario.steps[i].def->flags & STEP_ENDS) != 0;
	for (size_t i = 0; i <= next && i < d->scenario.count; i++)
		destroyed |= (d->scenario.steps[i].def->flags & STEP_DESTROYS) &&
			     strcmp(run_state_step(&d->state, i), "pending") != 0;
	show_end_line(&d->show);
	fprintf(out, "\nThe cluster is left as it is: %s\n",
	    destroyed && disaster
		? "the disaster has begun, so the database of the namespace may be gone or half restored"
	    : destroyed ? "what a step deletes may be gone"
			: "nothing was destroyed");
	say_word(out, "  go on:     psmdb-drill run --resume ", d->dir);
	say_cluster(d, out);
	if (scenario_asks_locks(&d->scenario))
		fprintf(out, " --confirm-destroy %s", d->namespace_);
	for (size_t i = 0; i < d->options->confirm_pvc.count; i++)
		say_word(out, " --confirm-pvc ", d->options->confirm_pvc.items[i]);
	for (size_t i = 0; i < d->options->confirm_delete.count; i++)
		say_word(out, " --confirm-delete ", d->options->confirm_delete.items[i]);
	for (size_t i = 0; i < d->options->secret_env.count; i++)
		say_word(out, " --secret-env ", d->options->secret_env.items[i]);
	fprintf(out, "%s%s\n", d->options->allow_cluster_changes ? " --allow-cluster-changes" : "",
	    d->options->allow_faults ? " --allow-faults" : "");
	say_word(out, "  clean up:  psmdb-drill cleanup ", d->dir);
	say_cluster(d, out);
	fprintf(out, "   (what this run has made, and nothing else)\n");
}

/* With the known failure behind it as the hint. */
static struct err with_cause(const struct drill *d, const struct err *why)
{
	struct err shown = *why;

	if (!d->failure_code[0])
		return shown;
	err_set(&shown, why->code, "%s", why->msg);
	err_hint(&shown, "%s: %s; %s", d->failure_code, d->failure.msg, d->failure.hint);
	return shown;
}

static int failed(struct drill *d, const struct err *why)
{
	struct err err = ERR_INIT, shown = with_cause(d, why);

	/* what was judged stays */
	if (why->code != ERR_INTERRUPTED && !drill_found(d, "verdict-status") && !drill_write_error(d, &shown, &err))
		err_print("psmdb-drill run", &err);
	say_ways_on(d, stderr);
	fprintf(stderr, "  evidence:  %s\n\n", d->dir);
	err_print("psmdb-drill run", &shown);
	/* whatever it was: the run had begun, and its verdict is ERROR */
	return why->code == ERR_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_ERROR;
}

static bool refollow(struct drill *d, struct err *err)
{
	const char *ns = run_state_text(&d->state, "follow/namespace"), *pod = run_state_text(&d->state, "follow/pod"),
		   *of = run_state_text(&d->state, "follow/container");
	char namespace_[KUBE_NAME_MAX], name[KUBE_NAME_MAX], container[KUBE_NAME_MAX];

	if (!ns || !pod)
		return true;
	snprintf(namespace_, sizeof namespace_, "%s", ns);
	snprintf(name, sizeof name, "%s", pod);
	snprintf(container, sizeof container, "%s", of ? of : "");
	return drill_follow(d, namespace_, name, container, err);
}

/* A run that takes too long is stopped as by Ctrl-C: everything that waits knows how to end in order. */
static bool limit(int64_t timeout_ms, struct err *err)
{
	struct sigevent by = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM};
	struct itimerspec when = {.it_value = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000}};
	timer_t timer;

	return !timeout_ms || (!timer_create(CLOCK_MONOTONIC, &by, &timer) && !timer_settime(timer, 0, &when, NULL)) ||
	       err_errno(err, ERR_IO, errno, "set the clock of --timeout");
}

static void say_away(void *ctx, int64_t away_ms, const char *why)
{
	(void)why;
	drill_progress(ctx, "the API server is away for %lld s; asking again for %d s", (long long)away_ms / 1000,
	    AWAY_LIMIT_MS / 1000);
}

/* How long nobody went on: no part of what is lost, nor of the recovery. */
static bool note_rest(struct drill *d, const struct run_args *a, struct err *err)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)d->rested_ms);
	return !a->resume || d->rested_ms < 0 || drill_event(d, err, "run.resumed", "paused_ms", text, NULL);
}

static bool play(struct drill *d, const struct run_args *a, int *ret_status, struct err *err)
{
	int64_t begun_ms = clock_mono_ms(d->clock);

	kube_be_patient(d->kube, AWAY_LIMIT_MS, say_away, d);
	if (d->elsewhere)
		kube_be_patient(d->elsewhere, AWAY_LIMIT_MS, say_away, d);
	if (limit(a->timeout_ms, err) && note_rest(d, a, err) && refollow(d, err) && drill_run(d, ret_status, err))
		return true;
	if (err->code == ERR_INTERRUPTED && a->timeout_ms && clock_mono_ms(d->clock) - begun_ms >= a->timeout_ms) {
		struct err why = *err;

		err_set(err, ERR_TIMEOUT, "the run has taken longer than --timeout allows (%lld s): %s",
		    (long long)a->timeout_ms / 1000, why.msg);
		err_hint(err, "resume it, with more time");
	}
	return false;
}

/* As they are given. */
static void say_unconfirmed(struct drill *d, FILE *out)
{
	for (const json_node *n = d->unconfirmed ? json_first(json_root(d->unconfirmed)) : NULL; n; n = json_next(n)) {
		say_word(out, "  --confirm-delete ", json_string(n));
		fprintf(out, "%s\n", json_next(n) ? " \\" : "");
	}
}

static int go(struct drill *d, const struct run_args *a, const struct buf *text)
{
	struct err err = ERR_INIT;
	int status = EXIT_ERROR;
	size_t from = d->state.doc ? run_state_next(&d->state) : 0;
	struct which which = {.here = ""};

	/* what may fail at the server is asked before there is a run, and first of all which servers these are */
	if (!drill_connect(d, &err) || !(d->state.doc ? same_clusters(d, &err) : which_clusters(d, &which, &err)) ||
	    !drill_check(d, from, &err)) {
		err = with_cause(d, &err);
		say_unconfirmed(d, stderr);
		return err_print("psmdb-drill run", &err);
	}
	if (a->dry_run) {
		printf("everything that can be asked without changing anything is as scenario \"%s\" needs it\n",
		    d->scenario.name);
		return EXIT_PASS;
	}
	if (!d->state.doc && !begin(d, a->run, text, &which, &err))
		return err_print("psmdb-drill run", &err);
	printf("run %s of scenario %s in namespace %s\n", d->dir, d->scenario.name, d->namespace_);
	if (!play(d, a, &status, &err))
		return failed(d, &err);
	printf("evidence and reports: %s\n", d->dir);
	return status;
}

/* A shipped scenario may have a variant that goes to another cluster: case-2 and case-2-elsewhere. */
static bool find(const struct drill_options *o, const char *name, char ret[static PATH_MAX], struct err *err)
{
	char variant[SCENARIO_NAME_MAX];
	int len = snprintf(variant, sizeof variant, "%s-elsewhere", name);

	if ((o->to_context || o->to_kubeconfig) && len < SCENARIO_NAME_MAX && scenario_find(variant, ret, NULL))
		return true;
	return scenario_find(name, ret, err);
}

static bool deletes_named(const struct drill_options *o, struct err *err)
{
	for (size_t i = 0; i < o->confirm_delete.count; i++) {
		const char *text = o->confirm_delete.items[i], *slash = strchr(text, '/');

		if (!slash || slash == text || !slash[1] || strchr(slash + 1, '/'))
			return err_set(err, ERR_USAGE, "--confirm-delete \"%.200s\" is not KIND/NAME", text);
	}
	return true;
}

int cmd_run(int argc, char **argv)
{
	struct run_args a = {0};
	struct drill_options *o = &a.options;
	const struct opt opts[] = {
	    {.name = "run",
		.kind = OPT_STRING,
		.ret = &a.run,
		.arg = "DIR",
		.help = "directory for the evidence, made if missing (default: runs/TIME-RANDOM)"},
	    {.name = "resume",
		.kind = OPT_STRING,
		.ret = &a.resume,
		.arg = "DIR",
		.help = "take a run up again that was interrupted or has failed"},
	    {.name = "kubeconfig",
		.kind = OPT_STRING,
		.ret = &o->kubeconfig,
		.arg = "FILE",
		.help = "as for kubectl (default: KUBECONFIG, ~/.kube/config, the pod's service account)"},
	    {.name = "context",
		.kind = OPT_STRING,
		.ret = &o->context,
		.arg = "NAME",
		.help = "the kubeconfig's context (default: its current one)"},
	    {.name = "to-context",
		.kind = OPT_STRING,
		.ret = &o->to_context,
		.arg = "NAME",
		.help = "another cluster, by its context: restore into that one; this one stays as it is"},
	    {.name = "to-kubeconfig",
		.kind = OPT_STRING,
		.ret = &o->to_kubeconfig,
		.arg = "FILE",
		.help = "the other cluster's kubeconfig (default: the same file)"},
	    {.name = "namespace",
		.kind = OPT_STRING,
		.ret = &o->namespace_,
		.arg = "NAME",
		.help = "the parameter \"namespace\": where the cluster under test is"},
	    {.name = "set",
		.kind = OPT_LIST,
		.ret = &o->set,
		.arg = "NAME=VALUE",
		.help = "a parameter of the scenario, may be given several times"},
	    {.name = "confirm-destroy",
		.kind = OPT_STRING,
		.ret = &o->confirm_destroy,
		.arg = "NAMESPACE",
		.help = "yes, everything in this namespace may be lost"},
	    {.name = "confirm-pvc",
		.kind = OPT_LIST,
		.ret = &o->confirm_pvc,
		.arg = "NAME",
		.help = "yes, this PVC that is not the psmdb's may be lost, too"},
	    {.name = "confirm-delete",
		.kind = OPT_LIST,
		.ret = &o->confirm_delete,
		.arg = "KIND/NAME",
		.help = "yes, this object outside of the namespace may be deleted, too; KIND with its group; NAME '*': "
			"each that a step selects"},
	    {.name = "allow-cluster-changes",
		.kind = OPT_FLAG,
		.ret = &o->allow_cluster_changes,
		.arg = "",
		.help = "steps may make objects that belong to the whole cluster"},
	    {.name = "allow-faults",
		.kind = OPT_FLAG,
		.ret = &o->allow_faults,
		.arg = "",
		.help = "steps may damage the backup on purpose, to see the drill fail"},
	    {.name = "secret-env",
		.kind = OPT_LIST,
		.ret = &o->secret_env,
		.arg = "NAME",
		.help = "an environment variable that a step \"secret\" may read; its value is never shown or kept"},
	    {.name = "operator",
		.kind = OPT_STRING,
		.ret = &o->operator_file,
		.arg = "FILE",
		.help = "the operator's manifest (its bundle), for scenarios that install it again"},
	    {.name = "max-rpo",
		.kind = OPT_STRING,
		.ret = &o->max_rpo,
		.arg = "TIME",
		.help = "FAIL if more is lost (default: no limit)"},
	    {.name = "max-rto",
		.kind = OPT_STRING,
		.ret = &o->max_rto,
		.arg = "TIME",
		.help = "FAIL if the recovery takes longer (default: no limit)"},
	    {.name = "timeout",
		.kind = OPT_DURATION,
		.ret = &a.timeout_ms,
		.arg = "TIME",
		.min = 1000,
		.max = INT64_C(7) * 24 * 3600000,
		.help = "interrupt the run after this time; it can be resumed (default: no limit)"},
	    {.name = "dry-run",
		.kind = OPT_FLAG,
		.ret = &a.dry_run,
		.arg = "",
		.help = "ask the API server all that can be asked, change nothing, write nothing"},
	    {.name = NULL},
	};
	const struct opt_command command = {.program = argv[0],
	    .args = "SCENARIO",
	    .about =
		"Plays a scenario against a cluster: destroys on purpose, restores, and says what was lost. SCENARIO "
		"is a shipped one (\"psmdb-drill list\") or a file. Nothing destructive runs unless the namespace has "
		"the label "
		"psmdb-drill/allow-disaster=true and is named by --confirm-destroy. Ctrl-C leaves the cluster as it "
		"is, says so, "
		"and how to go on.",
	    .opts = opts,
	    .more = "Examples:\n"
		    "  psmdb-drill run case-1 --confirm-destroy mongo-ns --max-rpo 15m --max-rto 30m\n"
		    "  psmdb-drill run case-2 --operator bundle.yaml --confirm-destroy mongo-ns\n"
		    "  psmdb-drill run case-2 --to-context other --operator bundle.yaml --confirm-destroy mongo-ns\n"
		    "  psmdb-drill run uninstall --operator bundle.yaml --confirm-destroy mongo-ns --dry-run\n"
		    "  psmdb-drill run --resume runs/20261123T080000Z-1a2b3c --confirm-destroy mongo-ns\n\n"
		    "Exit status: 0 PASS, 1 FAIL, 2 usage, 3 refused or failed: the drill could not go on,\n"
		    "4 INCONCLUSIVE, 130 interrupted.",
	    .max_args = 1};
	CLEANUP(free) struct drill *d = calloc(1, sizeof *d);
	BUF_CLEANUP struct buf text = BUF_INIT(SCENARIO_BYTES_MAX);
	char path[PATH_MAX], **args;
	struct err err = ERR_INIT;
	size_t count;
	bool ok;
	int status;

	if (!cli_options(&command, argc, argv, &args, &count, &status))
		return status;
	if (!d || !stop_install(&err))
		return err_print(argv[0], &err);
	prepare(d, o);
	if ((count == 1) == (a.resume != NULL)) {
		err_set(&err, ERR_USAGE,
		    count ? "a scenario and --resume exclude each other" : "name a scenario, or a run with --resume");
		err_hint(&err, "see \"%s --help\"", argv[0]);
		return err_print(argv[0], &err);
	}
	if (a.resume && a.run) {
		err_set(&err, ERR_USAGE, "--run and --resume exclude each other: a run keeps its directory");
		return err_print(argv[0], &err);
	}
	if (a.resume && (o->set.count || o->namespace_)) {
		err_set(&err, ERR_USAGE, "%s and --resume exclude each other: a run keeps its parameters",
		    o->set.count ? "--set" : "--namespace");
		return err_print(argv[0], &err);
	}
	if (!deletes_named(o, &err))
		return err_print(argv[0], &err);
	if (o->operator_file && !realpath(o->operator_file, a.operator_path)) {
		err_errno(&err, ERR_NOT_FOUND, errno, "--operator \"%s\"", o->operator_file);
		return err_print(argv[0], &err);
	}
	if (o->operator_file)
		o->operator_file = a.operator_path;
	ok = a.resume ? take_up(d, o, a.resume, &text, &err)
		      : find(o, args[0], path, &err) && drill_open(d, path, &text, &err);
	status = ok ? go(d, &a, &text) : err_print(argv[0], &err);
	drill_close(d);
	return status;
}
