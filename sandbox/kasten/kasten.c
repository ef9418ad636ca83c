#include "sandbox/kasten/kasten.h"

#include "base/uuid.h"
#include "sandbox/kasten/check.h"
#include "sandbox/kasten/names.h"

#include <string.h>

#define TICK_MS 250   /* actions cannot be watched: they are listed */
#define SWEEP_MS 700  /* profiles, policies, restore points */
#define KINDS_MS 1000 /* until discovery has them all */
#define AFTER_ERROR_MS 1000

/* --- shared helpers -------------------------------------------------------------------------------------------- */

int64_t kasten_now(const struct kasten *k)
{
	return clock_wall_ms(k->clock);
}

bool kasten_suffix(char ret[static KASTEN_SUFFIX + 1], struct err *err)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	unsigned char bytes[KASTEN_SUFFIX];

	if (!random_bytes(bytes, sizeof bytes, err))
		return false;
	for (size_t i = 0; i < KASTEN_SUFFIX; i++)
		ret[i] = letters[bytes[i] % (sizeof letters - 1)];
	ret[KASTEN_SUFFIX] = '\0';
	return true;
}

bool kasten_save(struct kasten *k, struct job *j, struct err *err)
{
	if (!store_put(&k->store, STORE_JOBS, job_uid(j), j->root, err))
		return false;
	j->dirty = false;
	return true;
}

bool kasten_is_passing(const struct err *err)
{
	static const enum err_code passing[] = {
	    ERR_NET, ERR_TIMEOUT, ERR_AUTH, ERR_CONFLICT, ERR_GONE, ERR_IO, ERR_NOMEM, ERR_INTERRUPTED};

	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (err->code == passing[i])
			return true;
	return false;
}

bool kasten_refuse(struct kasten *k, struct job *j, const char *message, const struct err *why, struct err *err)
{
	if (kasten_is_passing(why)) {
		if (err)
			*err = *why;
		return false;
	}
	return why->code == ERR_REMOTE ? job_fail_attempt(j, kasten_now(k), message, why->msg, err)
				       : job_fail(j, kasten_now(k), message, why->msg, err);
}

bool kasten_profile(struct kasten *k, const json_node *reference, struct json **ret, struct err *err)
{
	const char *name = json_text_at(reference, "name");

	if (!name || !*name)
		return err_set(err, ERR_STATE, "spec.profile is missing");
	return kube_get(k->kube, &k->kinds[KIND_PROFILE], reference_namespace(reference), name, ret, err);
}

bool kasten_put_status(
    struct kasten *k, enum kasten_kind kind, const json_node *object, const json_node *status, struct err *err)
{
	CLEANUP(json) struct json *patch = NULL;
	const struct kube_kind *known = &k->kinds[kind];

	if (!json_format(&patch, err, "{'status':%j}", status))
		return false;
	for (const json_node *old = json_first(json_get(object, "status")); old; old = json_next(old)) {
		char path[300];

		snprintf(path, sizeof path, "status/%.250s", json_key(old));
		if (!json_get(status, json_key(old)) && !strpbrk(json_key(old), "/~") &&
		    !json_set_text(json_edit(patch), path, NULL, err))
			return false;
	}
	return kube_patch(k->kube, known, known->namespaced ? kube_namespace(object) : NULL, kube_name(object),
	    known->has_status ? "status" : NULL, KUBE_PATCH_MERGE, json_root(patch), NULL, err);
}

bool kasten_ensure(
    struct kasten *k, enum kasten_kind kind, const char *namespace_, const json_node *object, struct err *err)
{
	struct err why = ERR_INIT;

	if (kube_create(k->kube, &k->kinds[kind], namespace_, object, NULL, &why) || why.code == ERR_EXISTS)
		return true;
	if (err)
		*err = why;
	return false;
}

/* --- kinds ----------------------------------------------------------------------------------------------------- */

static const struct {
	const char *version, *kind;
} kind_names[KINDS] = {
    [KIND_POLICY] = {KASTEN_CONFIG_VERSION, "Policy"},
    [KIND_PROFILE] = {KASTEN_CONFIG_VERSION, "Profile"},
    [KIND_RUN] = {KASTEN_ACTIONS_VERSION, "RunAction"},
    [KIND_BACKUP] = {KASTEN_ACTIONS_VERSION, "BackupAction"},
    [KIND_EXPORT] = {KASTEN_ACTIONS_VERSION, "ExportAction"},
    [KIND_RESTORE] = {KASTEN_ACTIONS_VERSION, "RestoreAction"},
    [KIND_IMPORT] = {KASTEN_ACTIONS_VERSION, "ImportAction"},
    [KIND_RETIRE] = {KASTEN_ACTIONS_VERSION, "RetireAction"},
    [KIND_POINT] = {KASTEN_APPS_VERSION, "RestorePoint"},
    [KIND_CONTENT] = {KASTEN_APPS_VERSION, "RestorePointContent"},
    [KIND_BLUEPRINT] = {KANISTER_GROUP "/v1alpha1", "Blueprint"},
    [KIND_NAMESPACE] = {"v1", "Namespace"},
    [KIND_SECRET] = {"v1", "Secret"},
};

/* A custom kind that is not there yet is no error: it is asked for again. */
static bool find_kinds(struct kasten *k, struct err *err)
{
	for (int i = 0; i < KINDS; i++) {
		struct err why = ERR_INIT;

		if (k->known[i])
			continue;
		k->known[i] = kube_kind_of(k->kube, kind_names[i].version, kind_names[i].kind, &k->kinds[i], &why);
		if (k->known[i])
			continue;
		if (why.code != ERR_UNSUPPORTED && why.code != ERR_NOT_FOUND) {
			/* the server is away: nothing goes on before it was asked again */
			k->next_kinds_ms = 0;
			if (err)
				*err = why;
			return false;
		}
		k->next_kinds_ms = kasten_now(k) + KINDS_MS;
	}
	return true;
}

/* --- jobs ------------------------------------------------------------------------------------------------------ */

static enum kasten_kind object_kind(enum job_kind kind)
{
	static const enum kasten_kind of[JOB_KINDS] = {
	    KIND_RUN, KIND_BACKUP, KIND_EXPORT, KIND_RESTORE, KIND_IMPORT, KIND_RETIRE};

	return of[kind];
}

static bool add_job(struct kasten *k, struct job *j, struct err *err)
{
	if (k->count == KASTEN_JOBS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d actions at once", KASTEN_JOBS_MAX);
	k->jobs[k->count++] = j;
	return true;
}

static bool drop_job(struct kasten *k, size_t index, struct err *err)
{
	struct job *j = k->jobs[index];

	if (!store_remove(&k->store, STORE_JOBS, job_uid(j), err))
		return false;
	k->jobs[index] = k->jobs[--k->count];
	job_free(j);
	return true;
}

static struct job *find_job(const struct kasten *k, const char *uid)
{
	for (size_t i = 0; i < k->count; i++)
		if (!strcmp(job_uid(k->jobs[i]), uid))
			return k->jobs[i];
	return NULL;
}

static void log_job(const struct kasten *k, enum log_level level, const struct job *j, const char *what)
{
	char attempt[16];

	snprintf(attempt, sizeof attempt, "%d", job_attempt(j));
	log_line(k->log, level, what, "kind", job_kind_name(j->kind), "namespace",
	    job_namespace(j) ? job_namespace(j) : "", "name", job_name(j), "state", job_state_name(job_state(j)),
	    "step", job_step(j), "attempt", attempt, NULL);
}

/* An action that has a state, but no job: the store was lost. */
static bool orphaned(struct kasten *k, enum job_kind kind, const json_node *object, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;

	log_line(k->log, LOG_WARN, "an action without a record", "kind", job_kind_name(kind), "name", kube_name(object),
	    NULL);
	return json_clone(json_get(object, "status"), &status, err) &&
	       json_set_text(json_edit(status), "state", job_state_name(JOB_FAILED), err) &&
	       json_set_format(json_edit(status), "error", err, "{'message':%s,'cause':%s}",
		   "The record of this action is lost", "{}") &&
	       kasten_put_status(k, object_kind(kind), object, json_root(status), err);
}

static bool adopt(struct kasten *k, enum job_kind kind, const json_node *object, struct err *err)
{
	const char *state = json_text_at(object, "status/state");
	struct job *j = kube_uid(object) ? find_job(k, kube_uid(object)) : NULL;

	if (j) {
		j->seen = true;
		return true;
	}
	if (job_state_is_final(state) || kube_deleting(object))
		return true;
	if (state && *state)
		return orphaned(k, kind, object, err);
	if (!job_new(kind, object, kasten_now(k), &j, err))
		return false;
	if (!add_job(k, j, err) || !kasten_save(k, j, err)) {
		if (k->count && k->jobs[k->count - 1] == j)
			k->count--;
		job_free(j);
		return false;
	}
	j->seen = true;
	log_job(k, LOG_INFO, j, "action");
	return true;
}

static bool list_actions(struct kasten *k, enum job_kind kind, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	enum kasten_kind objects = object_kind(kind);

	if (!k->known[objects])
		return true;
	if (!kube_list(k->kube, &k->kinds[objects], NULL, NULL, &list, err))
		return false;
	for (size_t i = 0; i < k->count; i++)
		if (k->jobs[i]->kind == kind)
			k->jobs[i]->seen = false;
	for (const json_node *o = json_first(json_get(json_root(list), "items")); o; o = json_next(o))
		if (!adopt(k, kind, o, err))
			return false;
	for (size_t i = k->count; i-- > 0;)
		if (k->jobs[i]->kind == kind && !k->jobs[i]->seen) {
			log_job(k, LOG_INFO, k->jobs[i], "the action's object is gone");
			if (!drop_job(k, i, err))
				return false;
		}
	return true;
}

static bool step_job(struct kasten *k, struct job *j, struct err *err)
{
	static bool (*const steps[JOB_KINDS])(struct kasten *, struct job *, struct err *) = {
	    run_step, backup_step, export_step, restore_step, import_step, retire_step};
	struct err why = ERR_INIT;

	if (job_state(j) == JOB_PENDING || job_state(j) == JOB_ATTEMPT_FAILED) {
		if (!job_begin_attempt(j, "check", kasten_now(k), err))
			return false;
	} else if (!steps[j->kind](k, j, &why)) {
		j->next_ms = kasten_now(k) + AFTER_ERROR_MS;
		if (kasten_is_passing(&why)) {
			if (err)
				*err = why;
			return false;
		}
		if (!job_fail_attempt(j, kasten_now(k), why.msg, NULL, err))
			return false;
	}
	if (job_state(j) == JOB_ATTEMPT_FAILED)
		j->next_ms = kasten_now(k) + JOB_RETRY_MS;
	return true;
}

/* The object as it is from us. After a restart that is not known: anything may be there that must be taken away. */
static bool make_shown(const struct job *j, struct json **ret, struct err *err)
{
	if (!j->shown)
		return json_format(ret, err,
		    "{'metadata':{'name':%s,'namespace':%s},'status':{'endTime':1,'error':1,'restorePoint':1,'"
		    "policySpec':1}}",
		    job_name(j), job_namespace(j));
	return json_format(ret, err, "{'metadata':{'name':%s,'namespace':%s},'status':%j}", job_name(j),
	    job_namespace(j), json_root(j->shown));
}

/* The object's status follows the job; when the last one is there, the job has done its work. */
static bool show_job(struct kasten *k, struct job *j, bool *ret_finished, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;
	CLEANUP(json) struct json *object = NULL;
	struct err why = ERR_INIT;

	*ret_finished = false;
	if (!job_status(j, &status, err))
		return false;
	if (!j->shown || !json_equal(json_root(status), json_root(j->shown))) {
		if (!make_shown(j, &object, err))
			return false;
		if (!kasten_put_status(k, object_kind(j->kind), json_root(object), json_root(status), &why) &&
		    why.code != ERR_NOT_FOUND) {
			if (err)
				*err = why;
			return false;
		}
		json_free(j->shown);
		j->shown = TAKE(status);
	}
	*ret_finished = job_is_final(j);
	return true;
}

static bool advance(struct kasten *k, size_t index, bool *ret_finished, struct err *err)
{
	struct job *j = k->jobs[index];
	enum job_state before = job_state(j);

	*ret_finished = false;
	if (!job_is_final(j) && kasten_now(k) >= j->next_ms && !step_job(k, j, err))
		return false;
	if (j->dirty && !kasten_save(k, j, err))
		return false;
	if (job_state(j) != before) {
		k->moved = true;
		log_job(k, job_state(j) == JOB_FAILED ? LOG_WARN : LOG_INFO, j, "action");
	}
	return show_job(k, j, ret_finished, err);
}

/* --- the loop -------------------------------------------------------------------------------------------------- */

static bool load_one(void *ctx, const char *name, struct err *err)
{
	struct kasten *k = ctx;
	CLEANUP(json) struct json *doc = NULL;
	struct err why = ERR_INIT;
	struct job *j;

	(void)err;
	if (!store_get(&k->store, STORE_JOBS, name, &doc, &why) || !job_load(doc, &j, &why)) {
		log_line(k->log, LOG_WARN, "an action's record cannot be used", "file", name, "error", why.msg, NULL);
		return true;
	}
	(void)TAKE(doc);
	if (!add_job(k, j, err)) {
		job_free(j);
		return false;
	}
	log_job(k, LOG_INFO, j, "action goes on");
	return true;
}

bool kasten_open(struct kasten *k, const char *store_dir, struct err *err)
{
	return store_open(store_dir, &k->store, err) && store_each(&k->store, STORE_JOBS, load_one, k, err);
}

void kasten_close(struct kasten *k)
{
	for (size_t i = 0; i < k->count; i++)
		job_free(k->jobs[i]);
	k->count = 0;
}

/* What is under way needs no look at what is new. */
static bool look(struct kasten *k, struct err *err)
{
	int64_t now = kasten_now(k);

	if (now < k->next_look_ms && now >= k->next_look_ms - TICK_MS)
		return true;
	if (now >= k->next_kinds_ms && !find_kinds(k, err))
		return false;
	for (int kind = 0; kind < JOB_KINDS; kind++)
		if (!list_actions(k, (enum job_kind)kind, err))
			return false;
	k->next_look_ms = now + TICK_MS;
	return true;
}

static bool sweep(struct kasten *k, struct err *err)
{
	int64_t now = kasten_now(k);

	if (now < k->next_sweep_ms && now >= k->next_sweep_ms - SWEEP_MS)
		return true;
	k->next_sweep_ms = now + SWEEP_MS;
	return kasten_sweep(k, err);
}

static bool act(struct kasten *k, struct err *err)
{
	struct err first = ERR_INIT;

	for (size_t i = k->count; i-- > 0;) {
		struct err why = ERR_INIT;
		bool finished;

		if (advance(k, i, &finished, &why) && (!finished || drop_job(k, i, &why)))
			continue;
		if (first.code == ERR_NONE && why.code != ERR_NONE)
			first = why; /* the others go on */
	}
	if (first.code == ERR_NONE)
		return true;
	if (err)
		*err = first;
	return false;
}

/* A kind whose definition was deleted is looked for again. */
static void forget_kinds(struct kasten *k)
{
	for (int i = 0; i < KINDS; i++)
		k->known[i] = false;
	k->next_kinds_ms = 0;
}

/* Runs wait for actions of their own: what these have done is no news to wait for. */
static void wake_runs(struct kasten *k)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->jobs[i]->kind == JOB_RUN && job_state(k->jobs[i]) == JOB_RUNNING)
			k->jobs[i]->next_ms = 0;
}

void kasten_tick(struct kasten *k, int64_t *ret_next_ms)
{
	int64_t now = kasten_now(k), next = now + TICK_MS;
	struct err why = ERR_INIT, of_sweep = ERR_INIT;
	bool ok;

	k->moved = false;
	ok = look(k, &why) && act(k, &why);
	if (k->moved) {
		wake_runs(k);
		k->next_look_ms = 0;
	}
	next = k->next_look_ms < next ? k->next_look_ms : next;
	/* What is wrong with the one keeps the other from nothing. */
	if (!sweep(k, &of_sweep) && ok) {
		ok = false;
		why = of_sweep;
	}
	if (!ok && (why.code == ERR_UNSUPPORTED || why.code == ERR_NOT_FOUND))
		forget_kinds(k);
	if (!ok && !k->away)
		log_line(k->log, LOG_WARN, "will be tried again", "error", why.msg, NULL);
	if (ok && k->away)
		log_line(k->log, LOG_INFO, "goes on", NULL);
	k->away = !ok;
	for (size_t i = 0; i < k->count; i++)
		if (k->jobs[i]->next_ms < next)
			next = k->jobs[i]->next_ms;
	*ret_next_ms = ok ? next : now + AFTER_ERROR_MS / 2;
}
