#include "sandbox/operator/job.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SOON_MS 300   /* between two tries of a step */
#define POLL_MS 500   /* between two looks at what runs */
#define LIST_EVERY 10 /* looks; the list of all backups knows of lost agents, and is a little slower */
#define STORAGE_MS 8000
#define COMMAND_LIMIT_MS 60000
#define DELETE_LIMIT_MS 120000
#define FOREVER INT64_MAX

/* How long a step may be tried again. */
static const int64_t step_limits_ms[STEP_COUNT] = {
    [STEP_ADOPT] = 60000,
    [STEP_CONFIG] = 30000,
    [STEP_AGENTS] = 120000,
    [STEP_RESYNC] = 120000,
    [STEP_AGENTS_AGAIN] = 120000,
    [STEP_KNOWN] = 30000,
    [STEP_SEND] = 60000,
};

/* From each step to these. */
#define TO(id) (1u << STEP_##id)
static const unsigned moves[STEP_COUNT] = {
    [STEP_ADOPT] = TO(CONFIG) | TO(POLL) | TO(END),
    [STEP_CONFIG] = TO(AGENTS) | TO(END),
    [STEP_AGENTS] = TO(RESYNC) | TO(SEND) | TO(END),
    [STEP_RESYNC] = TO(AGENTS_AGAIN) | TO(END),
    [STEP_AGENTS_AGAIN] = TO(KNOWN) | TO(SEND) | TO(END),
    [STEP_KNOWN] = TO(SEND) | TO(END),
    [STEP_SEND] = TO(POLL) | TO(ADOPT) | TO(END),
    [STEP_POLL] = TO(END),
};

const char *pbm_job_step_text(enum job_step step)
{
	static const char *const texts[] = {
#define X(id, text) [STEP_##id] = (text),
	    JOB_STEPS(X)
#undef X
	};

	return texts[step];
}

bool pbm_job_is_for(const struct pbm_job *j, enum job_kind kind, const char *uid)
{
	return j->order.kind == kind && !strcmp(j->order.uid, uid);
}

static int64_t limit_of(enum job_step step, int64_t now_ms)
{
	return step_limits_ms[step] ? now_ms + step_limits_ms[step] : FOREVER;
}

static void enter(struct pbm_job *j, enum job_step step, int64_t now_ms)
{
	assert(moves[j->step] & 1u << step);
	j->step = step;
	j->due_ms = now_ms;
	j->limit_ms = limit_of(step, now_ms);
}

void pbm_job_begin(struct pbm_job *j, const struct pbm_order *order, const struct clock *clock)
{
	int64_t now_ms = clock_mono_ms(clock);

	pbm_job_free(j);
	j->order = *order;
	j->step = *order->name		      ? STEP_POLL
		  : order->adopt_since_ms     ? STEP_ADOPT
		  : order->kind == JOB_DELETE ? STEP_AGENTS
					      : STEP_CONFIG;
	snprintf(j->name, sizeof j->name, "%s", order->name);
	j->due_ms = now_ms;
	j->limit_ms = limit_of(j->step, now_ms);
}

void pbm_job_free(struct pbm_job *j)
{
	child_kill(&j->child);
	explicit_bzero(&j->order, sizeof j->order);
	*j = (struct pbm_job)JOB_INIT;
}

static void fail(struct pbm_job *j, const char *text, int64_t now_ms)
{
	j->failed = true;
	snprintf(j->error, sizeof j->error, "%s", text);
	enter(j, STEP_END, now_ms);
}

/* --- commands ---------------------------------------------------------------------------------------------------- */

static void put(struct pbm_job_args *a, const char *text)
{
	a->items[a->count++] = text;
}

static void put_all(struct pbm_job_args *a, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(a, texts[i]);
}

#define PUT(a, ...)                                                                                                    \
	put_all(a, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void send_args(const struct pbm_job *j, struct pbm_job_args *a)
{
	const struct pbm_order *o = &j->order;

	if (o->kind == JOB_BACKUP) {
		snprintf(a->text[0], sizeof a->text[0], "--compression=%s", o->compression);
		PUT(a, "backup", "--type=logical", a->text[0]);
		if (o->level >= 0) {
			snprintf(a->text[1], sizeof a->text[1], "--compression-level=%lld", (long long)o->level);
			put(a, a->text[1]);
		}
	} else if (o->kind == JOB_DELETE) {
		PUT(a, "delete-backup", o->backup, "--yes");
	} else if (*o->point) {
		snprintf(a->text[0], sizeof a->text[0], "--time=%s", o->point);
		snprintf(a->text[1], sizeof a->text[1], "--base-snapshot=%s", o->backup);
		PUT(a, "restore", a->text[0], a->text[1]);
	} else {
		PUT(a, "restore", o->backup);
	}
}

static bool lists_now(const struct pbm_job *j)
{
	return j->order.kind == JOB_BACKUP && j->polls % LIST_EVERY == LIST_EVERY - 1;
}

void pbm_job_step_args(const struct pbm_job *j, struct pbm_job_args *a)
{
	static const char *const config[] = PBM_CONFIG_ARGS;
	static const char *const status[] = PBM_STATUS_ARGS;
	bool backup = j->order.kind == JOB_BACKUP;

	*a = (struct pbm_job_args){0};
	switch (j->step) {
	case STEP_CONFIG:
		put_all(a, config, PBM_CONFIG_ARG_COUNT);
		break;
	case STEP_AGENTS:
	case STEP_AGENTS_AGAIN:
		put_all(a, status, PBM_STATUS_ARG_COUNT);
		return;
	case STEP_RESYNC:
		PUT(a, "config", "--force-resync", "--wait");
		break;
	case STEP_KNOWN:
		PUT(a, "describe-backup", j->order.backup);
		break;
	case STEP_ADOPT:
		if (backup)
			PUT(a, "status", "--sections", "backups");
		else
			PUT(a, "list", "--restore");
		break;
	case STEP_SEND:
		send_args(j, a);
		break;
	case STEP_POLL:
		if (lists_now(j))
			PUT(a, "status", "--sections", "backups");
		else
			PUT(a, backup ? "describe-backup" : "describe-restore", j->name);
		break;
	default:
		return;
	}
	PUT(a, "--out", "json");
}

static bool start(struct pbm_job *j, const struct pbm *pbm, struct err *err)
{
	const struct pbm_order *o = &j->order;
	struct pbm_storage storage = {o->endpoint, o->region, o->bucket, o->prefix, o->access_key, o->secret_key,
	    o->insecure, *o->compression ? o->compression : NULL};
	CLEANUP(fd) int config = -1;
	struct pbm_command command;
	struct pbm_job_args args;
	bool ok;

	if (j->step == STEP_CONFIG && !pbm_config_file(&storage, &config, err))
		return false;
	pbm_job_step_args(j, &args);
	if (!pbm_command_make(pbm, args.items, args.count, &command, err))
		return false;
	if (config >= 0)
		command.proc.stdin_fd = config;
	ok = child_start(
	    &j->child, &command.proc, pbm->clock, o->kind == JOB_DELETE ? DELETE_LIMIT_MS : COMMAND_LIMIT_MS, err);
	pbm_command_clear(&command);
	return ok;
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

static void again(struct pbm_job *j, const char *why, int64_t now_ms)
{
	char text[ANSWER_TEXT_MAX + 100];

	if (now_ms < j->limit_ms) {
		j->due_ms = now_ms + SOON_MS;
		return;
	}
	switch (j->step) {
	case STEP_CONFIG:
		snprintf(text, sizeof text, "set pbm config: %.800s", why);
		break;
	case STEP_RESYNC:
		snprintf(text, sizeof text, "resync backup list: %.800s", why);
		break;
	default:
		snprintf(text, sizeof text, "PBM is not ready: %.800s", why);
		break;
	}
	fail(j, text, now_ms);
}

static void words(const struct pbm_job *j, char text[static ANSWER_TEXT_MAX])
{
	struct answer a;

	if (j->child.timed_out) {
		snprintf(text, ANSWER_TEXT_MAX, "pbm did not end in time");
		return;
	}
	answer_of_command(buf_str(&j->child.out), &a);
	snprintf(text, ANSWER_TEXT_MAX, "%s", a.text);
}

static bool went_well(const struct pbm_job *j)
{
	return !j->child.timed_out && !j->child.exit.signaled && !j->child.exit.status;
}

/*
 * Agents look at their storage every 5 s, so that their first complaint may be an old one. If it lasts, a backup is sent
 * all the same, as the operator does it: it fails with PBM's own text. A restore could not even read the list of backups.
 */
static bool storage_is_bad(struct pbm_job *j, const char *why, int64_t now_ms)
{
	char text[ANSWER_TEXT_MAX];

	if (now_ms < j->limit_ms - step_limits_ms[j->step] + STORAGE_MS)
		return false;
	if (j->order.kind != JOB_BACKUP) {
		snprintf(text, sizeof text, "resync backup list: %.800s", why);
		fail(j, text, now_ms);
		return true;
	}
	snprintf(j->doubt, sizeof j->doubt, ": %.400s", why);
	enter(j, STEP_SEND, now_ms);
	return true;
}

static void after_agents(struct pbm_job *j, int agents, int64_t now_ms)
{
	char why[ANSWER_TEXT_MAX];

	if (!went_well(j)) {
		words(j, why);
		return again(j, why, now_ms);
	}
	switch (pbm_status_read(buf_str(&j->child.out), agents, why, sizeof why)) {
	case PBM_IDLE:
		return enter(j,
		    j->order.kind != JOB_RESTORE ? STEP_SEND
		    : j->step == STEP_AGENTS	 ? STEP_RESYNC
						 : STEP_KNOWN,
		    now_ms);
	case PBM_STORAGE:
		if (storage_is_bad(j, why, now_ms))
			return;
		break;
	case PBM_NOT_YET:
		break;
	}
	again(j, why, now_ms);
}

static void after_known(struct pbm_job *j, int64_t now_ms)
{
	char text[ANSWER_TEXT_MAX + 100];
	struct answer a;

	answer_of_describe(buf_str(&j->child.out), &a);
	switch (a.state) {
	case ANSWER_DONE:
		return enter(j, STEP_SEND, now_ms);
	case ANSWER_NOT_FOUND:
		j->unknown = true;
		return enter(j, STEP_END, now_ms);
	case ANSWER_STARTING:
	case ANSWER_RUNNING:
	case ANSWER_ERROR:
		snprintf(text, sizeof text, "backup wasn't successful: status: %s, error: %.800s",
		    a.state == ANSWER_ERROR ? "error" : "running", a.text);
		return fail(j, text, now_ms);
	default:
		return again(j, a.text, now_ms);
	}
}

static void after_delete(struct pbm_job *j, int64_t now_ms)
{
	struct answer a;

	answer_of_command(buf_str(&j->child.out), &a);
	if (went_well(j) || a.state == ANSWER_NOT_FOUND) {
		j->unknown = !went_well(j);
		return enter(j, STEP_END, now_ms);
	}
	fail(j, a.text, now_ms);
}

static void after_send(struct pbm_job *j, int64_t wall_ms, int64_t now_ms)
{
	char text[sizeof j->error];
	struct answer a;

	if (j->order.kind == JOB_DELETE)
		return after_delete(j, now_ms);
	answer_of_command(buf_str(&j->child.out), &a);
	switch (a.state) {
	case ANSWER_NAMED:
		snprintf(j->name, sizeof j->name, "%s", a.name);
		return enter(j, STEP_POLL, now_ms);
	case ANSWER_REFUSED:
	case ANSWER_NOT_FOUND:
		/* "no available agent(s)" does not say why they are not */
		snprintf(text, sizeof text, "%s%s", a.text, j->doubt);
		return fail(j, text, now_ms);
	default:
		/* Somebody was quicker, or it is not known whether it was sent: perhaps it is ours. */
		if (!j->order.adopt_since_ms)
			j->order.adopt_since_ms = wall_ms - 5000;
		enter(j, STEP_ADOPT, now_ms);
		j->due_ms = now_ms + 2 * POLL_MS;
	}
}

static void after_adopt(struct pbm_job *j, int64_t now_ms)
{
	struct answer a;

	answer_since(buf_str(&j->child.out), j->order.adopt_since_ms, &a);
	if (a.state == ANSWER_NAMED) {
		snprintf(j->name, sizeof j->name, "%s", a.name);
		return enter(j, STEP_POLL, now_ms);
	}
	if (a.state == ANSWER_NOT_FOUND)
		return enter(j, STEP_CONFIG, now_ms);
	again(j, a.text, now_ms);
}

static void after_poll(struct pbm_job *j, int64_t now_ms)
{
	struct answer a;

	if (lists_now(j)) {
		/* Only its bad news counts: the description has more of the good ones. */
		answer_of_backups(buf_str(&j->child.out), j->name, &a);
		if (a.state != ANSWER_ERROR)
			a.state = ANSWER_UNREADABLE;
	} else {
		answer_of_describe(buf_str(&j->child.out), &a);
	}
	j->polls++;
	j->due_ms = now_ms + POLL_MS;
	if (a.state == ANSWER_UNREADABLE || a.state == ANSWER_REFUSED)
		return;
	j->answered = true;
	j->answer = a;
	if (a.state == ANSWER_DONE || a.state == ANSWER_ERROR)
		enter(j, STEP_END, now_ms);
}

static void step_ended(struct pbm_job *j, const struct pbm *pbm, int agents)
{
	int64_t now_ms = clock_mono_ms(pbm->clock);
	char why[ANSWER_TEXT_MAX];

	switch (j->step) {
	case STEP_CONFIG:
	case STEP_RESYNC:
		if (went_well(j))
			return enter(j, j->step == STEP_CONFIG ? STEP_AGENTS : STEP_AGENTS_AGAIN, now_ms);
		words(j, why);
		return again(j, why, now_ms);
	case STEP_AGENTS:
	case STEP_AGENTS_AGAIN:
		return after_agents(j, agents, now_ms);
	case STEP_KNOWN:
		return after_known(j, now_ms);
	case STEP_SEND:
		return after_send(j, clock_wall_ms(pbm->clock), now_ms);
	case STEP_ADOPT:
		return after_adopt(j, now_ms);
	case STEP_POLL:
		return after_poll(j, now_ms);
	default:
		return;
	}
}

bool pbm_job_tick(struct pbm_job *j, const struct pbm *pbm, int agents, struct err *err)
{
	if (j->order.kind == JOB_FREE || j->step == STEP_END)
		return false;
	if (child_running(&j->child)) {
		if (!child_poll(&j->child, pbm->clock))
			return false;
		step_ended(j, pbm, agents);
		return true;
	}
	if (clock_mono_ms(pbm->clock) < j->due_ms || (j->step == STEP_SEND && !j->may_send))
		return false;
	return start(j, pbm, err);
}

int64_t pbm_job_due_ms(const struct pbm_job *j)
{
	if (j->order.kind == JOB_FREE || j->step == STEP_END || (j->step == STEP_SEND && !j->may_send))
		return INT64_MAX;
	return child_running(&j->child) ? j->child.deadline_ms : j->due_ms;
}
