#include "verifier/judge_internal.h"

#include <string.h>

static void copy(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text);
}
#define COPY(to, from) copy((to), sizeof(to), (from))

/* --- restore point
 * --------------------------------------------------------------------------------------------------------------- */

/* Acknowledged ticks from before the restore point that are known to live in the set; -1: not known. */
static int64_t ticks_in(const struct judge *j, const struct bound_set *set)
{
	int64_t ticks = 0;
	bool unknown = false;

	for (size_t i = 0; i < j->journal_count; i++) {
		const struct journal *journal = j->journals[i];

		for (size_t s = 0; !journal->excluded && s < journal->open.stream_count; s++) {
			const struct stream *stream = &journal->streams[s];

			/* there is only one set: what is missing lived there as well */
			if (j->bound->set_count == 1)
				ticks += stream->before_total;
			for (size_t l = 0; j->bound->set_count > 1 && l < stream->link_count; l++) {
				ticks += stream->links[l].set == set ? stream->links[l].acked_before : 0;
				unknown = unknown || (!stream->links[l].set && stream->links[l].acked_before);
			}
		}
	}
	return !j->has_data || (!ticks && unknown) ? -1 : ticks;
}

static void fill_bound(const struct judge *j, struct verdict *v)
{
	const struct bound *b = j->bound;

	v->has_bound = b != NULL;
	if (!b)
		return;
	COPY(v->backup_name, b->backup_name);
	COPY(v->backup_opid, b->opid);
	COPY(v->bound_source, b->source);
	COPY(v->bound_precision, b->second_precision ? "second" : "operation");
	COPY(v->pbm_version, b->pbm_version);
	COPY(v->mongodb_version, b->mongodb_version);
	v->b0 = b->b0;
	v->set_count = b->set_count;
	for (size_t i = 0; i < b->set_count; i++) {
		COPY(v->sets[i].name, b->sets[i].name);
		v->sets[i].b0 = b->sets[i].b0;
		v->sets[i].b1 = b->sets[i].b1;
		v->sets[i].ticks = ticks_in(j, &b->sets[i]);
		if ((int64_t)b->sets[i].b1.t - b->b0.t > v->torn_width_s)
			v->torn_width_s = (int64_t)b->sets[i].b1.t - b->b0.t;
	}
}

static void fill_restore(const struct judge *j, struct verdict *v)
{
	const struct timeline_facts *t = &j->timeline;
	const struct observed_restore *r = judge_newest_restore(j);

	v->has_restore = r || t->restore_finished.known;
	if (r) {
		COPY(v->restore_state, r->status);
		COPY(v->restored_backup, r->backup);
		COPY(v->restore_detail, r->error);
		COPY(v->restore_reported_by, "PBM's own record");
	}
	if (t->restore_finished.known) {
		COPY(v->restore_state, t->restore_state);
		COPY(v->restore_reported_by, t->reported_by[0] ? t->reported_by : "timeline");
		if (t->restored_backup[0])
			COPY(v->restored_backup, t->restored_backup);
		if (t->restore_detail[0])
			COPY(v->restore_detail, t->restore_detail);
	}
	if (r && j->observed->has_backup)
		COPY(v->restored_opid, j->observed->backup.opid);
}

/* What the restore point's own width explains, for one namespace and writer. */
static int64_t allowance(const struct judge *j, const struct journal *journal, const struct stream *s)
{
	int64_t ticks = journal->open.batch > 1 ? journal->open.batch : 0, interval_us = journal->open.interval_us;
	int64_t width_s = (int64_t)s->b1.t - j->b0.t + 1;

	if (optime_cmp(j->b0, s->b1) < 0 && interval_us > 0)
		ticks += (width_s * 1000000 + interval_us - 1) / interval_us;
	return ticks;
}

static int64_t allowed(const struct judge *j)
{
	int64_t most[BOUND_SETS_MAX + 1] = {0}, sum = 0;

	if (j->options.max_undecided >= 0 || !j->bound)
		return j->options.max_undecided >= 0 ? j->options.max_undecided : 0;
	/* runs of a ticker follow each other: the restore point lies in one of them; on each set that has its own */
	for (size_t i = 0; i < j->journal_count; i++) {
		const struct journal *journal = j->journals[i];
		size_t set = BOUND_SETS_MAX;
		int64_t here = 0;

		for (size_t s = 0; !journal->excluded && s < journal->open.stream_count; s++) {
			here += allowance(j, journal, &journal->streams[s]);
			if (journal->streams[s].home)
				set = (size_t)(journal->streams[s].home - j->bound->sets);
		}
		most[set] = here > most[set] ? here : most[set];
	}
	for (size_t i = 0; i <= BOUND_SETS_MAX; i++)
		sum += most[i];
	return sum;
}

/* --- RPO
 * -------------------------------------------------------------------------------------------------------------------------
 */

static void fill_rpo(struct judge *j, struct verdict *v)
{
	const struct timeline_facts *t = &j->timeline;
	int64_t offset_ms, error_ms, b0_ms, half_ms = 500;

	v->max_rpo_ms = j->options.max_rpo_ms;
	if (!j->bound || !t->disaster.known || !judge_clock(j, &offset_ms, &error_ms))
		return;
	/* T counts whole seconds: the operation is from within [T, T+1); (T,0) and (T,max) are the second's edges */
	b0_ms = (int64_t)j->b0.t * 1000 + 500;
	if (j->b0.i == 0 || j->b0.i == UINT32_MAX) {
		half_ms = 0;
		b0_ms += j->b0.i ? 500 : -500;
	}
	v->has_rpo = true;
	j->rpo_paused_ms = pauses_in_rpo_ms(j);
	v->rpo_ms = t->disaster.at_ms + offset_ms - b0_ms - j->rpo_paused_ms;
	v->rpo_error_ms = half_ms + error_ms;
	for (size_t i = 0; i < j->journal_count; i++)
		v->rpo_at_least =
		    v->rpo_at_least || (!j->journals[i]->excluded && j->journals[i]->state != JOURNAL_SEALED);
}

/* --- RTO
 * -------------------------------------------------------------------------------------------------------------------------
 */

/* since_ms: since the disaster, with the pauses. */
static void add_phase(struct judge *j, struct verdict *v, const char *name, int64_t since_ms)
{
	struct verdict_phase *p = &v->phases[v->phase_count];
	int64_t paused_ms = pauses_in_rto_ms(&j->timeline, since_ms);
	int64_t from_ms = v->phase_count ? p[-1].to_ms : 0, to_ms = since_ms - paused_ms;

	COPY(p->name, name);
	p->from_ms = from_ms;
	p->to_ms = to_ms > from_ms ? to_ms : from_ms;
	v->phase_count++;
	j->rto_paused_ms = paused_ms > j->rto_paused_ms ? paused_ms : j->rto_paused_ms;
	v->has_rto = true;
	v->rto_ms = p->to_ms;
	COPY(v->rto_until, name);
}

/* A probe's instant since the disaster: wall clocks of two machines, both compared with the cluster's where that is
 * known. */
static int64_t probe_since_ms(const struct judge *j, const struct observed_probe *p)
{
	int64_t since = judge_ms(p->at_ms) - j->timeline.disaster.at_ms;

	if (j->timeline.target_known)
		since += judge_ms(j->observed->open.clock_offset_ms) - j->timeline.target_offset_ms;
	else if (j->timeline.clock_known)
		since += judge_ms(j->observed->open.clock_offset_ms) - j->timeline.clock_offset_ms;
	return since;
}

/* When it had succeeded everywhere; false: it was not tried, or failed on a replica set. */
static bool probes_since_ms(const struct judge *j, const char *name, int64_t *ret_ms)
{
	bool found = false;

	for (size_t p = 0; j->observed && p < j->observed->probe_count; p++) {
		const struct observed_probe *probe = &j->observed->probes[p];
		int64_t since_ms;

		if (strcmp(probe->name, name) != 0)
			continue;
		if (!probe->ok)
			return false;
		since_ms = probe_since_ms(j, probe);
		*ret_ms = found && *ret_ms > since_ms ? *ret_ms : since_ms;
		found = true;
	}
	return found;
}

static void fill_rto(struct judge *j, struct verdict *v)
{
	const struct timeline_facts *t = &j->timeline;
	const struct {
		const char *name;
		const struct moment *at;
	} steps[] = {
	    {"volumes gone", &t->volumes_gone},
	    {"cluster requested", &t->cluster_requested},
	    {"cluster ready", &t->cluster_ready},
	    {"restore requested", &t->restore_requested},
	    {"restore finished", &t->restore_finished},
	};
	static const struct {
		const char *probe, *name;
	} probes[] = {
	    {"login", "first login (wall clock)"},
	    {"read", "first majority read (wall clock)"},
	    {"write", "first majority write (wall clock)"},
	};

	v->max_rto_ms = j->options.max_rto_ms;
	if (!t->disaster.known)
		return;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (steps[i].at->known)
			add_phase(j, v, steps[i].name, timeline_since_disaster(t, steps[i].at));
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
		int64_t since_ms;

		if (!probes_since_ms(j, probes[i].probe, &since_ms))
			continue;
		add_phase(j, v, probes[i].name, since_ms);
		/* by the clock of another cluster */
		if (t->target_known)
			v->rto_error_ms = t->target_error_ms + judge_ms(j->observed->open.clock_error_ms);
		v->rto_complete = v->rto_complete || i == 2;
	}
}

bool thresholds_add(const struct judge *j, struct verdict *v, struct err *err)
{
	int64_t rpo_most_ms = v->rpo_ms + v->rpo_error_ms, rto_most_ms = v->rto_ms + v->rto_error_ms;

	/* not measurable: a missing disaster, bound or clock is a reason of its own */
	if (v->max_rpo_ms >= 0 && v->has_rpo && rpo_most_ms > v->max_rpo_ms &&
	    !verdict_add_reason(v, REASON_RPO_EXCEEDED, "take backups more often, or turn on point-in-time recovery",
		err,
		"the RPO is %.3f s +- %.3f s (disaster less restore point, %lld acknowledged operations gone), so it "
		"may be %.3f s; "
		"allowed are %.3f s",
		(double)v->rpo_ms / 1000, (double)v->rpo_error_ms / 1000, (long long)v->rpo_ops,
		(double)rpo_most_ms / 1000, (double)v->max_rpo_ms / 1000))
		return false;
	if (v->max_rpo_ms >= 0 && v->has_rpo && rpo_most_ms <= v->max_rpo_ms &&
	    rpo_most_ms + j->rpo_paused_ms > v->max_rpo_ms &&
	    !verdict_add_reason(v, REASON_RPO_PAUSED, "run it again in one go", err,
		"the RPO is %.3f s without, and %.3f s with the time in which the drill was interrupted and no tick "
		"seen; "
		"allowed are %.3f s",
		(double)rpo_most_ms / 1000, (double)(rpo_most_ms + j->rpo_paused_ms) / 1000,
		(double)v->max_rpo_ms / 1000))
		return false;
	if (v->max_rto_ms < 0)
		return true;
	if (v->has_rto && rto_most_ms <= v->max_rto_ms && rto_most_ms + j->rto_paused_ms > v->max_rto_ms &&
	    !verdict_add_reason(v, REASON_RTO_PAUSED, "run it again in one go", err,
		"from the disaster to \"%s\" it took %.1f s without, and %.1f s with the time in which the drill was "
		"interrupted, while the cluster may have gone on; allowed are %.1f s",
		v->rto_until, (double)v->rto_ms / 1000, (double)(v->rto_ms + j->rto_paused_ms) / 1000,
		(double)v->max_rto_ms / 1000))
		return false;
	if (v->has_rto && rto_most_ms > v->max_rto_ms)
		return verdict_add_reason(v, REASON_RTO_EXCEEDED, "look at the longest phase of the waterfall", err,
		    "from the disaster to \"%s\" it took %.1f s (+- %.1f s), allowed are %.1f s", v->rto_until,
		    (double)v->rto_ms / 1000, (double)v->rto_error_ms / 1000, (double)v->max_rto_ms / 1000);
	if (v->rto_complete || !j->timeline.disaster.known)
		return true;
	return verdict_add_reason(v, REASON_RESTORE_UNKNOWN,
	    "let collect probe login, read and write after the restore", err,
	    "no successful majority write after the restore was seen, so the RTO cannot be held against the allowed "
	    "%.1f s",
	    (double)v->max_rto_ms / 1000);
}

/* --- what else the verdict shows
 * --------------------------------------------------------------------------------------------- */

static bool of_judged_run(const struct judge *j, int32_t stream)
{
	return stream >= 0 && (size_t)stream < j->observed->stream_count && j->claimed[stream];
}

static bool fill_newest(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed *o = j->observed;
	const struct timeline_facts *t = &j->timeline;
	int64_t offset_ms, error_ms;

	v->newest = calloc(o->newest_count + 1, sizeof *v->newest);
	if (!v->newest)
		return err_nomem(err);
	v->newest_count = o->newest_count;
	for (size_t i = 0; i < o->newest_count; i++) {
		struct verdict_newest *n = &v->newest[i];

		COPY(n->ns, o->newest[i].ns);
		n->created_at_ms = o->newest[i].created_at_ms;
		n->seq = of_judged_run(j, o->newest[i].stream) ? o->newest[i].seq : 0;
		n->has_age_at_backup = j->bound != NULL;
		if (j->bound)
			n->age_at_backup_ms = ((int64_t)j->b0.t + 1) * 1000 - judge_ms(n->created_at_ms);
		n->has_age_at_disaster = t->disaster.known && judge_clock(j, &offset_ms, &error_ms);
		if (n->has_age_at_disaster)
			n->age_at_disaster_ms = t->disaster.at_ms + offset_ms - judge_ms(n->created_at_ms);
	}
	return true;
}

/* One line for a namespace, on however many replica sets it was read. */
static void add_namespace(struct verdict *v, const struct observed_namespace *n)
{
	struct verdict_namespace *to = NULL;

	for (size_t i = 0; n->replica_set[0] && i < v->namespace_count && !to; i++)
		if (!strcmp(v->namespaces[i].ns, n->ns))
			to = &v->namespaces[i];
	if (!to) {
		to = &v->namespaces[v->namespace_count++];
		COPY(to->ns, n->ns);
	}
	if (!to->exists) {
		to->indexes = (int64_t)n->index_count;
		COPY(to->options, n->options);
	}
	to->exists = to->exists || n->exists;
	if (__builtin_add_overflow(to->documents, n->documents, &to->documents))
		to->documents = INT64_MAX;
}

static bool fill_observed(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed *o = j->observed;

	if (!o)
		return true;
	snprintf(v->cluster_after, sizeof v->cluster_after, "%s %s", o->open.cluster_kind, o->open.cluster_id);
	v->logins = calloc(o->login_count + 1, sizeof *v->logins);
	v->namespaces = calloc(o->namespace_count + 1, sizeof *v->namespaces);
	if (!v->logins || !v->namespaces)
		return err_nomem(err);
	for (size_t i = 0; i < o->login_count; i++, v->login_count++) {
		COPY(v->logins[i].user, o->logins[i].user);
		v->logins[i].ok = o->logins[i].ok;
		COPY(v->logins[i].detail, o->logins[i].detail);
	}
	for (size_t i = 0; i < o->namespace_count; i++)
		add_namespace(v, &o->namespaces[i]);
	return fill_newest(j, v, err);
}

static bool fill_timeline(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct timeline_facts *t = &j->timeline;

	if (!t->known)
		return true;
	v->drill = t->open.drill;
	v->has_drill = true;
	COPY(v->scenario, t->open.scenario);
	v->events = calloc(t->event_count + 1, sizeof *v->events);
	if (!v->events)
		return err_nomem(err);
	if (t->event_count)
		memcpy(v->events, t->events, t->event_count * sizeof *v->events);
	v->event_count = t->event_count;
	v->events_truncated = t->events_truncated;
	for (size_t i = 0; i < t->version_count; i++, v->version_count++) {
		COPY(v->versions[i].name, t->versions[i].name);
		COPY(v->versions[i].value, t->versions[i].value);
	}
	return true;
}

bool figures_fill(struct judge *j, struct verdict *v, struct err *err)
{
	if (j->journal_count)
		snprintf(v->cluster_before, sizeof v->cluster_before, "%s %s", j->journals[0]->open.cluster_kind,
		    j->journals[0]->open.cluster_id);
	fill_bound(j, v);
	fill_restore(j, v);
	v->max_undecided = allowed(j);
	fill_rpo(j, v);
	fill_rto(j, v);
	return fill_timeline(j, v, err) && fill_observed(j, v, err);
}
