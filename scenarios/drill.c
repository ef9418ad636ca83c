/* What steps ask a run for. */
#include "scenarios/drill.h"

#include "base/file.h"
#include "base/place.h"
#include "base/proc.h"
#include "evidence/record.h"
#include "scenarios/drill_run.h"
#include "scenarios/run_dir.h"
#include "scenarios/step.h"

#include <stdlib.h>
#include <string.h>

#define CHILD_OUTPUT_MAX ((size_t)1 << 20)

struct kube *drill_kube(struct drill *d)
{
	return drill_is_elsewhere(d) ? d->elsewhere : d->kube;
}

bool drill_is_elsewhere(struct drill *d)
{
	for (size_t i = 0; i < d->step && i < d->scenario.count; i++)
		if (d->scenario.steps[i].def->flags & STEP_LEAVES)
			return true;
	return false;
}

struct kube *drill_kube_elsewhere(struct drill *d)
{
	return d->elsewhere;
}

const char *drill_namespace(struct drill *d)
{
	return d->namespace_;
}

const struct clock *drill_clock(struct drill *d)
{
	return d->clock;
}

const volatile int *drill_stop(struct drill *d)
{
	return d->stop;
}

const char *drill_path(struct drill *d, const char *name)
{
	size_t i = 0;

	while (i < d->path_count && strcmp(d->paths[i].name, name) != 0)
		i++;
	if (i == d->path_count) {
		if (i == DRILL_PATHS_MAX)
			i = 0;
		else
			d->path_count++;
		snprintf(d->paths[i].name, sizeof d->paths[i].name, "%s", name);
		if (!run_path(d->dir, name, d->paths[i].path, NULL))
			d->paths[i].path[0] = '\0';
	}
	return d->paths[i].path;
}

static bool below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return len && !strncmp(path, folder, len) && path[len] == '/';
}

/* The shared folder of a build tree is made of links into the sources: what it holds counts by where it really is. */
static bool shared(struct drill *d, const char *real)
{
	static const char *const rooms[] = {"manifests", "scenarios"};
	char path[PATH_MAX], resolved[PATH_MAX];

	for (size_t i = 0; d->share[0] && i < sizeof rooms / sizeof *rooms; i++)
		if (snprintf(path, sizeof path, "%s/%s", d->share, rooms[i]) < PATH_MAX && realpath(path, resolved) &&
		    below(real, resolved))
			return true;
	return false;
}

bool drill_file(struct drill *d, const char *name, char ret[static PATH_MAX], struct err *err)
{
	char path[2 * PATH_MAX], real[PATH_MAX];

	if (*name == '/')
		return err_set(err, ERR_USAGE, "file \"%.200s\" is not named relative to the scenario", name);
	snprintf(path, sizeof path, "%s/%s", d->folder, name);
	if (!realpath(path, real)) {
		err_set(err, ERR_NOT_FOUND, "there is no file \"%.200s\" beside the scenario", name);
		return err_hint(err, "the scenario's folder is \"%.300s\"", d->folder);
	}
	if (!below(real, d->folder) && !shared(d, real)) {
		err_set(err, ERR_USAGE, "file \"%.200s\" lies outside the scenario's folder", name);
		return err_hint(err, "files are read below \"%.200s\" and from the shipped manifests", d->folder);
	}
	strcpy(ret, real);
	return true;
}

const char *drill_found(struct drill *d, const char *name)
{
	return d->state.doc ? json_string(json_get(json_at(json_root(d->state.doc), "values"), name)) : NULL;
}

const char *drill_value(struct drill *d, const char *name)
{
	const char *text = drill_found(d, name);

	return text ? text : json_string(json_get(d->parameters ? json_root(d->parameters) : NULL, name));
}

bool drill_set_value(struct drill *d, const char *name, const char *text, struct err *err)
{
	char path[128];

	snprintf(path, sizeof path, "values/%s", name);
	return run_state_put(&d->state, path, text, err) && run_state_save(&d->state, err);
}

const char *drill_option(struct drill *d, const char *name)
{
	if (!strcmp(name, "max-rpo"))
		return d->options->max_rpo;
	if (!strcmp(name, "operator"))
		return d->options->operator_file;
	return !strcmp(name, "max-rto") ? d->options->max_rto : NULL;
}

bool drill_allows_faults(struct drill *d)
{
	return d->options->allow_faults;
}

bool drill_pvc_confirmed(struct drill *d, const char *name)
{
	for (size_t i = 0; i < d->options->confirm_pvc.count; i++)
		if (!strcmp(d->options->confirm_pvc.items[i], name))
			return true;
	return false;
}

static bool names_kind(const char *text, size_t len, const struct kube_kind *kind)
{
	const char *const names[] = {kind->plural, kind->kind};
	size_t group = strlen(kind->group);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i]);

		if (len >= n && !strncasecmp(text, names[i], n) &&
		    (group ? text[n] == '.' && len - n - 1 == group && !strncmp(text + n + 1, kind->group, group)
			   : len == n))
			return true;
	}
	return false;
}

bool drill_delete_confirmed(struct drill *d, const struct kube_kind *kind, const char *name)
{
	for (size_t i = 0; name && i < d->options->confirm_delete.count; i++) {
		const char *text = d->options->confirm_delete.items[i], *slash = strchr(text, '/');

		if (slash && names_kind(text, (size_t)(slash - text), kind) &&
		    (!strcmp(slash + 1, name) || !strcmp(slash + 1, "*")))
			return true;
	}
	return false;
}

static const char *as_named(const struct kube_kind *kind, const char *name, char ret[static 3 * KUBE_NAME_MAX])
{
	snprintf(ret, 3 * KUBE_NAME_MAX, "%s%s%s/%s", kind->plural, kind->group[0] ? "." : "", kind->group, name);
	return ret;
}

static bool is_in(const struct json *list, const struct kube_kind *kind, const char *name)
{
	char text[3 * KUBE_NAME_MAX];

	as_named(kind, name, text);
	for (const json_node *n = list ? json_first(json_root(list)) : NULL; n; n = json_next(n))
		if (!strcmp(json_string(n), text))
			return true;
	return false;
}

static bool put_in(struct json **list, const struct kube_kind *kind, const char *name, struct err *err)
{
	char text[3 * KUBE_NAME_MAX];

	return is_in(*list, kind, name) || ((*list || json_format(list, err, "[]")) &&
					       json_set_text(json_edit(*list), "-", as_named(kind, name, text), err));
}

bool drill_ask_to_confirm(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err)
{
	return put_in(&d->unconfirmed, kind, name, err);
}

bool drill_will_go(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err)
{
	return put_in(&d->going, kind, name, err);
}

bool drill_goes(struct drill *d, const struct kube_kind *kind, const char *name)
{
	return name && is_in(d->going, kind, name);
}

/* --- what it says ------------------------------------------------------------------------------------------------- */

void drill_say(struct drill *d, const char *fmt, ...)
{
	char text[SHOW_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	show_line(&d->show, text);
}

void drill_progress(struct drill *d, const char *fmt, ...)
{
	char text[SHOW_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	show_progress(&d->show, text);
	drill_mind_follower(d);
}

bool drill_event(struct drill *d, struct err *err, const char *name, ...)
{
	struct timeline_record rec = {.is_head = false};
	bool ok = true;
	const char *key;
	va_list ap;

	/* before anything that takes time: the event is now */
	run_stamp(d->clock, &rec);
	snprintf(rec.name, sizeof rec.name, "%s", name);
	va_start(ap, name);
	while (ok && (key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		ok = timeline_put(&rec, key, value ? value : "", err);
	}
	va_end(ap);
	/* an instant without its journal record is worth less, but not nothing */
	run_newest_journal(d->dir, &rec.journal, NULL);
	return ok && timeline_append(drill_path(d, RUN_TIMELINE), &rec, err);
}

bool drill_saw(struct drill *d, const char *object, const char *state, struct err *err)
{
	json_node *seen = (json_node *)json_at(json_root(d->state.doc), "seen");
	json_node *entry = NULL;
	char old[128] = "";

	for (const json_node *o = json_first(seen); o && !entry; o = json_next(o))
		if (json_is_at(o, "object", object))
			entry = (json_node *)o;
	if (entry) {
		snprintf(old, sizeof old, "%s", json_text_at(entry, "state"));
		if (!strcmp(old, state))
			return true;
	}
	d->changes++;
	return (entry ? json_set_text(entry, "state", state, err)
		      : json_set_format(
			    json_edit(d->state.doc), "seen/-", err, "{'object':%s,'state':%s}", object, state)) &&
	       run_state_save(&d->state, err) &&
	       drill_event(d, err, "x-state", "object", object, "from", old, "to", state, NULL);
}

void drill_failure(struct drill *d, const char *code, const char *cause, const char *remedy)
{
	if (d->failure_code[0])
		return;
	snprintf(d->failure_code, sizeof d->failure_code, "%s", code);
	err_set(&d->failure, ERR_STATE, "%s", cause);
	err_hint(&d->failure, "%s", remedy);
	if (d->state.doc) /* else the run has not begun */
		drill_event(d, NULL, "x-signature", "code", code, "cause", cause, "remedy", remedy, NULL);
}

/* --- what it has made --------------------------------------------------------------------------------------------- */

bool drill_created(struct drill *d, const struct kube_kind *kind, const json_node *object, struct err *err)
{
	return run_state_created(&d->state, kind, object, d->step, drill_is_elsewhere(d), err);
}

bool drill_is_ours(struct drill *d, const char *uid)
{
	for (const json_node *o = json_first(run_state_objects(&d->state)); uid && o; o = json_next(o))
		if (json_is_at(o, "uid", uid))
			return true;
	return false;
}

/* --- waiting and children ----------------------------------------------------------------------------------------- */

struct minding {
	struct drill *d;
	kube_done done;
	void *ctx;
};

static bool minded(void *ctx, const json_node *object, struct err *err)
{
	struct minding *m = ctx;

	drill_mind_follower(m->d);
	return m->done(m->ctx, object, err);
}

bool drill_wait(struct drill *d, const struct kube_kind *kind, const char *namespace_, const char *name,
    const char *what, int64_t timeout_ms, kube_done done, void *ctx, struct json **ret_last, struct err *err)
{
	struct minding m = {d, done, ctx};
	const struct kube_wait wait = {.what = what, .timeout_ms = timeout_ms, .done = minded, .ctx = &m};

	return kube_wait(drill_kube(d), kind, namespace_, name, &wait, ret_last, err);
}

static void say_output(struct drill *d, const struct buf *out)
{
	const char *p = buf_str(out);

	show_end_line(&d->show);
	while (*p) {
		size_t len = strcspn(p, "\n");

		/* the program has made it harmless already, and its layout is its own */
		fprintf(d->show.out, "%.*s\n", (int)len, p);
		p += len + (p[len] == '\n');
	}
	fflush(d->show.out);
}

bool drill_child(struct drill *d, const char *program, const char *const *args, const char *const *env_set, bool show,
    int64_t timeout_ms, int *ret_status, struct buf *out, struct err *err)
{
	BUF_CLEANUP struct buf own = BUF_INIT(CHILD_OUTPUT_MAX);
	struct buf *text = out ? out : &own;
	struct proc_spec spec = PROC_SPEC_INIT;
	const char *argv[64];
	struct proc_exit ex;
	char path[PATH_MAX];
	size_t count = 0;

	if (!place_program(program, path, err))
		return false;
	argv[count++] = path;
	for (; *args && count < sizeof argv / sizeof *argv - 1; args++)
		argv[count++] = *args;
	argv[count] = NULL;
	spec.argv = argv;
	spec.env_set = env_set;
	spec.stop = d->stop;
	if (!proc_run(d->clock, &spec, timeout_ms, text, &ex, err))
		return err_wrap(err, "%s %s", program, argv[1] ? argv[1] : "");
	if (show)
		say_output(d, text);
	if (ex.signaled) {
		char how[64];

		return err_set(err, ERR_CHILD, "%s %s: %s", program, argv[1] ? argv[1] : "", proc_exit_text(&ex, how));
	}
	*ret_status = ex.status;
	return true;
}
