#include "scenarios/drill_run.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/place.h"
#include "base/proc.h"
#include "evidence/verdict.h"
#include "scenarios/locks.h"
#include "scenarios/run_dir.h"
#include "scenarios/step.h"
#include "scenarios/step_args.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_LIMIT_MS 60000
#define KASTEN_DEFAULT "kasten-io"

/* --- opening ------------------------------------------------------------------------------------------------------ */

static bool set_parameter(struct drill *d, const char *name, const char *value, struct err *err)
{
	if (json_get(json_root(d->parameters), name))
		return json_set_text(json_edit(d->parameters), name, value, err);
	err_set(err, ERR_USAGE, "scenario \"%s\" has no parameter \"%s\"", d->scenario.name, name);
	return err_hint(err, "\"psmdb-drill explain %s\" lists them", d->scenario.name);
}

static bool set_parameters(struct drill *d, struct err *err)
{
	if (!(d->scenario.parameters ? json_clone(d->scenario.parameters, &d->parameters, err)
				     : json_format(&d->parameters, err, "{}")))
		return false;
	/* numbers and booleans are what they are written as */
	for (const json_node *p = json_first(d->scenario.parameters); p; p = json_next(p)) {
		BUF_CLEANUP struct buf text = BUF_INIT(256);

		if (json_is_string(p))
			continue;
		if (!json_print(p, false, &text, err) ||
		    !json_set_text(json_edit(d->parameters), json_key(p), buf_str(&text), err))
			return false;
	}
	for (size_t i = 0; i < d->options->set.count; i++) {
		const char *pair = d->options->set.items[i], *equals = strchr(pair, '=');
		char name[SCENARIO_NAME_MAX];

		if (!equals || equals == pair || (size_t)(equals - pair) >= sizeof name)
			return err_set(err, ERR_USAGE, "--set \"%.64s\" is not NAME=VALUE", pair);
		memcpy(name, pair, (size_t)(equals - pair));
		name[equals - pair] = '\0';
		if (!set_parameter(d, name, equals + 1, err))
			return false;
	}
	return !d->options->namespace_ || set_parameter(d, "namespace", d->options->namespace_, err);
}

static bool set_namespace(struct drill *d, struct err *err)
{
	const char *ns = drill_value(d, "namespace");

	if (!ns || !*ns) {
		err_set(err, ERR_USAGE, "scenario \"%s\" names no namespace", d->scenario.name);
		return err_hint(err, "it needs a parameter \"namespace\"");
	}
	if (strlen(ns) >= sizeof d->namespace_)
		return err_set(err, ERR_USAGE, "parameter \"namespace\" is too long");
	strcpy(d->namespace_, ns);
	return true;
}

bool drill_open(struct drill *d, const char *scenario_path, struct buf *text, struct err *err)
{
	char copy[PATH_MAX], share[PATH_MAX];

	if (!d->folder[0]) {
		snprintf(copy, sizeof copy, "%s", scenario_path);
		snprintf(d->folder, sizeof d->folder, "%s", dirname(copy));
	}
	if (place_share("manifests", share, NULL)) {
		snprintf(d->share, sizeof d->share, "%s", share);
		*strrchr(d->share, '/') = '\0';
	}
	return scenario_read(scenario_path, text, &d->scenario, err) && set_parameters(d, err) && set_namespace(d, err);
}

static bool connect_to(struct drill *d, const char *kubeconfig, const char *context, struct kube **ret, struct err *err)
{
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	const struct kube_config_options where = {.path = kubeconfig, .context = context};
	const struct kube_options options = {.clock = d->clock, .stop = d->stop, .stop_fd = d->stop_fd};

	return kube_config_load(&where, &config, err) && kube_new(&config, &options, ret, err);
}

bool drill_connect(struct drill *d, struct err *err)
{
	const struct drill_options *o = d->options;
	const char *file = o->to_kubeconfig ? o->to_kubeconfig : o->kubeconfig;

	if (!connect_to(d, o->kubeconfig, o->context, &d->kube, err))
		return false;
	return (!o->to_kubeconfig && !o->to_context) || connect_to(d, file, o->to_context, &d->elsewhere, err) ||
	       err_wrap(err, "the cluster to restore into (--to-context)");
}

void drill_close(struct drill *d)
{
	struct proc_exit ex;

	if (d->follow.pid > 0)
		proc_stop(d->clock, d->follow.pid, 5000, &ex, NULL);
	d->follow.pid = 0;
	if (d->lock_fd > 0)
		close(d->lock_fd);
	kube_free(d->kube);
	kube_free(d->elsewhere);
	scenario_clear(&d->scenario);
	run_state_clear(&d->state);
	json_free(d->parameters);
	json_free(d->unconfirmed);
	json_free(d->going);
}

const char *drill_kasten(struct drill *d)
{
	const char *ns = drill_value(d, "kasten-namespace");

	return ns ? ns : KASTEN_DEFAULT;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static const char *lookup(void *ctx, const char *name)
{
	return drill_value(ctx, name);
}

bool drill_args(struct drill *d, size_t step, bool strict, struct json **ret, struct err *err)
{
	const struct scenario_step *s = &d->scenario.steps[step];
	CLEANUP(json) struct json *args = NULL;

	/* a value put in may be of the wrong kind: "${before}" for a time */
	if (!scenario_fill(s->args, lookup, d, strict, &args, err) || !step_settle_args(s->def, args, err))
		return false;
	*ret = TAKE(args);
	return true;
}

bool drill_title(struct drill *d, size_t step, const json_node *args, struct buf *out, struct err *err)
{
	const struct scenario_step *s = &d->scenario.steps[step];

	if (s->title[0])
		return buf_add_str(out, s->title, err);
	return s->def->describe ? s->def->describe(d, args, out, err) : buf_add_str(out, s->def->verb, err);
}

/* A scenario that leaves its cluster needs to know whereto; any other goes nowhere. */
static bool check_move(struct drill *d, struct err *err)
{
	bool leaves = false;

	for (size_t i = 0; i < d->scenario.count; i++)
		leaves |= (d->scenario.steps[i].def->flags & STEP_LEAVES) != 0;
	if (leaves == (d->elsewhere != NULL))
		return true;
	if (leaves) {
		err_set(err, ERR_USAGE, "scenario \"%s\" restores into another cluster, and none is given",
		    d->scenario.name);
		return err_hint(err, "give --to-context NAME, or --to-kubeconfig FILE");
	}
	err_set(err, ERR_USAGE, "scenario \"%s\" stays in its cluster: --to-context is for others", d->scenario.name);
	return err_hint(err, "\"psmdb-drill list\" shows the scenarios; their step is \"leave-cluster\"");
}

static bool lock(struct drill *d, struct err *err)
{
	bool ours = d->state.doc && !drill_is_elsewhere(d) && drill_found(d, DRILL_LOST_NAMESPACE);

	return lock_under_test(d->namespace_, drill_kasten(d), err) &&
	       lock_namespace(drill_kube(d), d->namespace_, d->options->confirm_destroy, ours, err);
}

/* Of each cluster in which something is destroyed. */
static bool check_locks(struct drill *d, size_t from, struct err *err)
{
	const struct kube *asked = NULL;

	for (size_t i = from; i < d->scenario.count; i++) {
		d->step = i;
		if (!scenario_step_asks_locks(&d->scenario, i) || asked == drill_kube(d))
			continue;
		asked = drill_kube(d);
		if (!lock(d, err))
			return drill_is_elsewhere(d) ? err_wrap(err, "the cluster to restore into") : false;
	}
	return true;
}

/* Told at once, so that nobody has to ask again and again. */
static bool all_confirmed(struct drill *d, struct err *err)
{
	size_t count = d->unconfirmed ? json_count(json_root(d->unconfirmed)) : 0;

	if (!count)
		return true;
	err_set(err, ERR_STATE,
	    "refused: what lies outside of namespace \"%s\" is deleted only if it is named, and %zu %s not",
	    d->namespace_, count, count == 1 ? "is" : "are");
	return err_hint(err, "look at each, and give --confirm-delete %s%s",
	    json_string(json_first(json_root(d->unconfirmed))), count > 1 ? " and the others" : "");
}

bool drill_check(struct drill *d, size_t from, struct err *err)
{
	if (!check_move(d, err) || !check_locks(d, from, err))
		return false;
	for (size_t i = from; i < d->scenario.count; i++) {
		const struct step_def *def = d->scenario.steps[i].def;
		CLEANUP(json) struct json *args = NULL;

		d->step = i;
		if (!drill_args(d, i, false, &args, err) || (def->check && !def->check(d, json_root(args), err)))
			return err_wrap(err, "step %zu (%s)", i + 1, d->scenario.steps[i].def->verb);
	}
	return all_confirmed(d, err);
}

static bool run_step(struct drill *d, size_t step, struct err *err)
{
	const struct step_def *def = d->scenario.steps[step].def;
	BUF_CLEANUP struct buf title = BUF_INIT(1024);
	CLEANUP(json) struct json *args = NULL;

	d->step = step;
	if (!drill_args(d, step, true, &args, err) || !drill_title(d, step, json_root(args), &title, err))
		return false;
	show_step(&d->show, step + 1, d->scenario.count, buf_str(&title));
	if (!run_state_step_set(&d->state, step, "running", NULL, clock_wall_ms(d->clock), err) ||
	    !drill_event(d, err, "step.start", "step", def->verb, "title", buf_str(&title), NULL))
		return false;
	if (scenario_step_asks_locks(&d->scenario, step) && !lock(d, err))
		return false;
	return def->run(d, json_root(args), err);
}

static bool end_step(struct drill *d, size_t step, bool ok, const struct err *why, struct err *err)
{
	const char *verb = d->scenario.steps[step].def->verb;

	return run_state_step_set(
		   &d->state, step, ok ? "done" : "failed", ok ? NULL : why->msg, clock_wall_ms(d->clock), err) &&
	       drill_event(d, err, "step.end", "step", verb, "result", ok ? "ok" : "failed", ok ? NULL : "detail",
		   ok ? NULL : why->msg, NULL);
}

static size_t next_step(struct drill *d)
{
	size_t next = run_state_next(&d->state), count = d->scenario.count;
	const char *status = drill_found(d, "verdict-status");

	return next == count && (d->scenario.steps[count - 1].def->flags & STEP_AGAIN) && status &&
		       atoi(status) != EXIT_PASS
		   ? count - 1
		   : next;
}

bool drill_run(struct drill *d, int *ret_status, struct err *err)
{
	const char *status;

	json_free(d->going);
	d->going = NULL;
	for (size_t i = next_step(d); i < d->scenario.count; i++) {
		struct err why = ERR_INIT, second = ERR_INIT;
		bool ok = run_step(d, i, &why);

		if (d->stop && *d->stop) {
			show_step_end(&d->show, false, "interrupted");
			/* the state keeps it as running: it is done again */
			drill_event(d, NULL, "step.end", "step", d->scenario.steps[i].def->verb, "result", "failed",
			    "detail", "interrupted", NULL);
			return err_set(err, ERR_INTERRUPTED, "interrupted in step %zu (%s)", i + 1,
			    d->scenario.steps[i].def->verb);
		}
		show_step_end(&d->show, ok, ok ? "done" : "failed");
		if (!end_step(d, i, ok, &why, &second) && ok)
			why = second, ok = false;
		if (!ok) {
			*err = why;
			return err_wrap(err, "step %zu (%s)", i + 1, d->scenario.steps[i].def->verb);
		}
	}
	status = drill_found(d, "verdict-status");
	*ret_status = status ? atoi(status) : EXIT_PASS;
	return true;
}

/* --- the verdict of a drill that could not go on ------------------------------------------------------------------- */

static void name_drill(struct drill *d, struct verdict *v)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;
	CLEANUP(timeline_reader) struct timeline_reader *reader = NULL;

	if (!record_reader_open(drill_path(d, RUN_TIMELINE), false, &records, NULL) ||
	    !timeline_reader_new(TAKE(records), &reader, NULL))
		return;
	v->drill = timeline_reader_open_record(reader)->drill;
	v->has_drill = true;
}

bool drill_write_verdict(struct drill *d, struct verdict *v, bool show, struct err *err)
{
	const char *args[] = {"report", "--run", d->dir, "--color", d->show.color ? "always" : "never", NULL};
	int status;

	v->judged_at_ms = clock_wall_ms(d->clock);
	snprintf(v->judge, sizeof v->judge, "psmdb-drill %s", PSMDB_DRILL_VERSION);
	snprintf(v->scenario, sizeof v->scenario, "%s", d->scenario.name);
	name_drill(d, v);
	return verdict_write(v, drill_path(d, "verdict.json"), err) &&
	       drill_child(d, "psmdb-verify", args, NULL, show, REPORT_LIMIT_MS, &status, NULL, err);
}

bool drill_write_error(struct drill *d, const struct err *why, struct err *err)
{
	VERDICT_CLEANUP struct verdict v;
	const volatile int *stop = d->stop;
	bool ok;

	verdict_init(&v);
	v.result = VERDICT_ERROR;
	snprintf(v.title, sizeof v.title, "the drill could not go on: %.220s", why->msg);
	/* a run that was stopped because of its time limit gets its reports all the same */
	d->stop = NULL;
	/* on standard output it is said in another way already */
	ok = verdict_add_reason(&v, REASON_DRILL_STOPPED, why->hint, err, "%s", why->msg) &&
	     drill_write_verdict(d, &v, false, err);
	d->stop = stop;
	return ok;
}
