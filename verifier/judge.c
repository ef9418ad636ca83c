#include "verifier/judge_internal.h"

#include <string.h>

/* Holes may be cut from the list (truncated); then absence is not known. */
static bool lists_everything(const struct observed *o)
{
	int64_t intact = 0;

	for (size_t i = 0; i < o->stream_count; i++)
		intact += o->streams[i].intact.total;
	return intact == o->intact;
}

bool judge_new(const struct judge_options *options, const struct bound *bound, const struct observed *observed,
    struct judge **ret, struct err *err)
{
	CLEANUP(judge) struct judge *j = calloc(1, sizeof *j);

	if (!j)
		return err_nomem(err);
	j->options = *options;
	j->bound = bound;
	j->observed = observed;
	j->has_data = observed && observed->ended && !observed->open.describes &&
		      (!observed->truncated || lists_everything(observed));
	j->b0 = bound ? bound->b0 : OPTIME_ZERO;
	j->b1_all = bound ? bound->b0 : OPTIME_MAX;
	for (size_t i = 0; bound && i < bound->set_count; i++)
		j->b1_all = optime_max(j->b1_all, bound->sets[i].b1);
	if (observed) {
		j->claimed = calloc(observed->stream_count + 1, sizeof *j->claimed);
		j->anomaly_used = calloc(observed->anomaly_count + 1, sizeof *j->anomaly_used);
		if (!j->claimed || !j->anomaly_used)
			return err_nomem(err);
	}
	*ret = TAKE(j);
	return true;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->journal_count; i++)
		journal_free(j->journals[i]);
	free(j->journals);
	timeline_facts_clear(&j->timeline);
	free(j->claimed);
	free(j->anomaly_used);
	free(j);
}

void judge_bound_sha256(struct judge *j, const char *hex)
{
	snprintf(j->bound_sha256, sizeof j->bound_sha256, "%s", hex);
}

bool judge_fault(struct judge *j, enum verdict_reason_code code, const struct err *what, struct err *err)
{
	struct judge_fault_note *note = &j->faults[j->fault_count];

	if (j->fault_count == sizeof j->faults / sizeof *j->faults)
		return err_set(err, ERR_LIMIT, "more than %zu files of evidence cannot be used", j->fault_count);
	note->code = code;
	memcpy(note->message, what->msg, sizeof note->message);
	memcpy(note->hint, what->hint, sizeof note->hint);
	j->fault_count++;
	return true;
}

bool judge_has_fault(const struct judge *j, enum verdict_reason_code code)
{
	for (size_t i = 0; i < j->fault_count; i++)
		if (j->faults[i].code == code)
			return true;
	return false;
}

const char *stream_text(const struct stream *s, char text[static STREAM_TEXT_MAX])
{
	snprintf(text, STREAM_TEXT_MAX, "%s writer %d%s%s", s->id.ns, (int)s->id.writer, s->home ? " on " : "",
	    s->home ? s->home->name : "");
	return text;
}

/* Did this run begin after the restore had ended? What the drill followed before did not, whatever its clock says. */
static bool began_later(const struct judge *j, const struct journal *journal)
{
	const struct moment *restored = &j->timeline.restore_finished;
	const struct drill_run *known = journal->known;

	if (!restored->known || (known && known->count && known->mentions[0].mono_ms < restored->mono_ms))
		return false;
	return journal_drill_wall_ms(j, journal, 0) > restored->at_ms;
}

/* Is this the cluster that was read, or one of its replica sets? */
static bool is_observed(const struct judge *j, const char *cluster_id)
{
	bool here = !strcmp(cluster_id, j->observed->open.cluster_id);

	for (size_t i = 0; i < j->observed->set_count && !here; i++)
		here =
		    !strcmp(cluster_id, j->observed->sets[i].id) || !strcmp(cluster_id, j->observed->sets[i].cluster);
	return cluster_id[0] && here;
}

/* A ticker that was started again on the restored cluster: its ticks are no evidence of what the backup held. */
static void exclude(struct judge *j)
{
	const struct journal *anchored = NULL;

	for (size_t i = 0; i < j->journal_count; i++)
		if (j->journals[i]->anchor_n)
			anchored = j->journals[i];
	for (size_t i = 0; j->observed && i < j->journal_count; i++) {
		struct journal *journal = j->journals[i];
		bool here = is_observed(j, journal->open.cluster_id);
		bool moved = anchored && !is_observed(j, anchored->open.cluster_id);

		journal->excluded = journal != anchored && here && (moved || began_later(j, journal));
	}
}

static void title(const struct judge *j, struct verdict *v)
{
	int64_t before = v->count[CLASS_OK];
	size_t used;

	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t s = 0; !j->journals[i]->excluded && s < j->journals[i]->open.stream_count; s++)
			before += j->journals[i]->streams[s].before_total - j->journals[i]->streams[s].count[CLASS_OK];
	used = (size_t)snprintf(v->title, sizeof v->title, "%s: ", verdict_result_text(v->result));
	if (v->result == VERDICT_PASS)
		used += (size_t)snprintf(v->title + used, sizeof v->title - used,
		    "%lld of %lld acknowledged operations before the restore point are there",
		    (long long)v->count[CLASS_OK], (long long)before);
	else if (v->count[CLASS_LOST])
		used += (size_t)snprintf(v->title + used, sizeof v->title - used,
		    "%lld of %lld acknowledged operations before the restore point are missing",
		    (long long)v->count[CLASS_LOST], (long long)before);
	else
		used += (size_t)snprintf(v->title + used, sizeof v->title - used, "%s",
		    v->reason_count ? verdict_reason_title(v->reasons[0].code) : "no reason was found");
	if (v->has_rpo && used < sizeof v->title)
		used += (size_t)snprintf(v->title + used, sizeof v->title - used, "; RPO %.1f s +- %.1f s",
		    (double)v->rpo_ms / 1000, (double)v->rpo_error_ms / 1000);
	if (v->has_rto && used < sizeof v->title)
		snprintf(v->title + used, sizeof v->title - used, "; RTO %s%.1f s", v->rto_complete ? "" : "over ",
		    (double)v->rto_ms / 1000);
}

static void verdict_drop(struct verdict **v)
{
	if (*v)
		verdict_clear(*v);
	free(*v);
}

bool judge_finish(struct judge *j, struct verdict *ret, struct err *err)
{
	/* too large for a stack that a caller may have made small */
	__attribute__((cleanup(verdict_drop))) struct verdict *v = malloc(sizeof *v);

	if (!v)
		return err_nomem(err);
	verdict_init(v);
	if (j->finished || j->current)
		return err_set(
		    err, ERR_STATE, j->current ? "a journal has not ended" : "the verdict was given already");
	exclude(j);
	if (!settle_classes(j, v, err) || !figures_fill(j, v, err) || !conditions_add(j, v, err) ||
	    !restore_add(j, v, err) || !before_add(j, v, err) || !continuity_add(j, v, err) ||
	    !thresholds_add(j, v, err) || !members_add(j, v, err) || !pauses_add(j, v, err))
		return false;
	verdict_settle(v);
	title(j, v);
	j->finished = true;
	*ret = *v;
	verdict_init(v);
	return true;
}
