#include "verifier/judge_internal.h"

#include "base/num.h"

#include <inttypes.h>
#include <string.h>

#define RUNS_MAX 1024
#define MENTIONS_MAX 65536 /* of one run: 18 hours of one a second, then the older half is thinned */

void timeline_facts_clear(struct timeline_facts *t)
{
	for (size_t i = 0; i < t->run_count; i++)
		free(t->runs[i].mentions);
	free(t->runs);
	free(t->events);
	*t = (struct timeline_facts){0};
}

struct drill_run *timeline_run(struct timeline_facts *t, const struct uuid *run)
{
	for (size_t i = 0; i < t->run_count; i++)
		if (uuid_equal(&t->runs[i].run, run))
			return &t->runs[i];
	return NULL;
}

const struct request *timeline_anchor(const struct timeline_facts *t)
{
	if (t->matched.at.known)
		return &t->matched;
	return t->frozen.at.known ? &t->frozen : &t->request;
}

int64_t timeline_since_disaster(const struct timeline_facts *t, const struct moment *m)
{
	int64_t since = m->mono_ms - t->disaster.mono_ms;

	return since >= 0 ? since : m->at_ms - t->disaster.at_ms;
}

static void thin(struct drill_run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->count; i++)
		if (i >= run->count / 2 || i % 2 == 0)
			run->mentions[kept++] = run->mentions[i];
	run->count = kept;
}

static bool mention(struct timeline_facts *t, const struct timeline_journal *journal, int64_t mono_ms, struct err *err)
{
	struct drill_run *run = timeline_run(t, &journal->run);
	struct mention m = {.n = journal->n, .mono_ms = mono_ms}, *last;

	if (!journal->known || !hex_decode(journal->chain, sizeof m.chain, m.chain))
		return true;
	if (!run) {
		if (t->run_count == RUNS_MAX)
			return err_set(err, ERR_LIMIT, "the timeline names more than %d runs of the ticker", RUNS_MAX);
		if (!GROW(t->runs, t->run_cap, t->run_count, err))
			return false;
		run = &t->runs[t->run_count++];
		*run = (struct drill_run){.run = journal->run};
	}
	last = run->count ? &run->mentions[run->count - 1] : NULL;
	if (last && last->n == m.n && memcmp(last->chain, m.chain, sizeof m.chain))
		run->contradicted = true;
	/* several processes append: one may be a record behind */
	if (last && last->n >= m.n)
		return true;
	if (run->count == MENTIONS_MAX)
		thin(run);
	if (!GROW(run->mentions, run->cap, run->count, err))
		return false;
	run->mentions[run->count++] = m;
	return true;
}

static void copy(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text ? text : "");
}

/* A figure that is not there, or not one, must not read as 0: nothing missing, no error. */
static bool number(struct judge *j, const struct timeline_record *rec, const char *key, int64_t least, int64_t *ret)
{
	const char *text = timeline_data(rec, key);
	int64_t value;

	if (text && num_parse_i64(text, strlen(text), &value) && value >= least && value <= JUDGE_MS_MAX) {
		*ret = value;
		return true;
	}
	cause_add(&j->timeline.malformed,
	    "record %llu, event \"%s\": \"%s\" is %s%.40s%s, not a number from %lld to %lld",
	    (unsigned long long)rec->n, rec->name, key, text ? "\"" : "absent", text ? text : "", text ? "\"" : "",
	    (long long)least, (long long)JUDGE_MS_MAX);
	return false;
}

static void on_request(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	/* what follows the disaster says nothing of the backup that was to survive it */
	if (j->timeline.disaster.known)
		return;
	j->timeline.request = (struct request){*now, rec->journal};
}

static void on_backup(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	const char *backup = timeline_data(rec, "backup");

	(void)now;
	if (j->timeline.disaster.known)
		return;
	if (j->bound && backup && backup[0] && !strcmp(backup, j->bound->backup_name))
		j->timeline.matched = j->timeline.request;
}

static void on_pinned(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;

	(void)now;
	if (t->disaster.known)
		return;
	t->frozen = t->request;
	copy(t->pinned_backup, sizeof t->pinned_backup, timeline_data(rec, "backup"));
	copy(t->pinned_sha256, sizeof t->pinned_sha256, timeline_data(rec, "sha256"));
}

static void on_disaster(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;

	if (t->disaster.known)
		return;
	t->disaster = *now;
	t->disaster_journal = rec->journal;
	if (!t->frozen.at.known)
		t->frozen = t->request;
	/* what an earlier restore did is not part of this one */
	t->volumes_gone = t->cluster_requested = t->cluster_ready = t->restore_requested = t->restore_finished =
	    (struct moment){0};
	t->restored_backup[0] = t->restore_state[0] = t->reported_by[0] = t->restore_detail[0] = '\0';
}

static void on_outage_start(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;

	(void)rec;
	if (t->outage_open || t->outage_count == JUDGE_OUTAGES_MAX)
		return;
	t->outages[t->outage_count++] = (struct outage){now->at_ms, INT64_MAX};
	t->outage_open = true;
}

static void on_outage_end(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;

	(void)rec;
	if (t->outage_open)
		t->outages[t->outage_count - 1].to_ms = now->at_ms;
	t->outage_open = false;
}

static void first(struct moment *m, const struct moment *now)
{
	if (!m->known)
		*m = *now;
}

static void on_volumes(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	(void)rec;
	first(&j->timeline.volumes_gone, now);
}

static void on_cluster_requested(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	(void)rec;
	first(&j->timeline.cluster_requested, now);
}

static void on_cluster_ready(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	(void)rec;
	first(&j->timeline.cluster_ready, now);
}

static void on_restore_requested(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	(void)rec;
	first(&j->timeline.restore_requested, now);
}

static void on_restore_finished(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;

	/* the last one: a restore may have been tried again */
	t->restore_finished = *now;
	copy(t->restored_backup, sizeof t->restored_backup, timeline_data(rec, "backup"));
	copy(t->restore_state, sizeof t->restore_state, timeline_data(rec, "state"));
	copy(t->reported_by, sizeof t->reported_by, timeline_data(rec, "reported_by"));
	copy(t->restore_detail, sizeof t->restore_detail, timeline_data(rec, "detail"));
}

static void on_recheck(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;

	(void)now;
	t->rechecked = true;
	t->files_missing = t->files_changed = 0;
	(void)number(j, rec, "missing", 0, &t->files_missing);
	(void)number(j, rec, "changed", 0, &t->files_changed);
	copy(t->recheck_detail, sizeof t->recheck_detail, timeline_data(rec, "detail"));
}

static void on_clock(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;

	int64_t offset_ms, error_ms;

	(void)now;
	/* the last comparison before the disaster is the one that counts */
	if (t->disaster.known && t->clock_known)
		return;
	if (!number(j, rec, "offset_ms", -JUDGE_MS_MAX, &offset_ms) || !number(j, rec, "error_ms", 0, &error_ms))
		return;
	t->clock_offset_ms = offset_ms;
	t->clock_error_ms = error_ms;
	t->clock_known = true;
}

static void on_target_clock(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;
	int64_t offset_ms, error_ms;

	(void)now;
	/* the last one: it is nearest to what was read there */
	if (!number(j, rec, "offset_ms", -JUDGE_MS_MAX, &offset_ms) || !number(j, rec, "error_ms", 0, &error_ms))
		return;
	t->target_offset_ms = offset_ms;
	t->target_error_ms = error_ms;
	t->target_known = true;
}

/* It says how long the run was at rest; what was recorded meanwhile was no rest. */
static void on_resumed(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;
	int64_t paused_ms, from_ms;

	if (!number(j, rec, "paused_ms", 0, &paused_ms) || t->pause_count == JUDGE_PAUSES_MAX)
		return;
	from_ms = now->at_ms - paused_ms > t->newest_ms ? now->at_ms - paused_ms : t->newest_ms;
	if (from_ms < now->at_ms)
		t->pauses[t->pause_count++] = (struct pause){from_ms, *now, t->disaster.known};
}

static void on_versions(struct judge *j, const struct timeline_record *rec, const struct moment *now)
{
	struct timeline_facts *t = &j->timeline;
	const size_t versions_max = sizeof t->versions / sizeof *t->versions,
		     notes_max = sizeof t->notes / sizeof *t->notes;

	(void)now;
	for (size_t i = 0; i < rec->data_count; i++) {
		const struct timeline_pair *pair = &rec->data[i];
		size_t at = 0;

		if (!strncmp(pair->key, "note_", 5)) {
			while (at < t->note_count && strcmp(t->notes[at].name, pair->key))
				at++;
			if (at == notes_max)
				continue;
			t->note_count = at == t->note_count ? at + 1 : t->note_count;
			copy(t->notes[at].name, sizeof t->notes[at].name, pair->key);
			copy(t->notes[at].value, sizeof t->notes[at].value, pair->value);
			continue;
		}
		while (at < t->version_count && strcmp(t->versions[at].name, pair->key))
			at++;
		if (at == versions_max)
			continue;
		t->version_count = at == t->version_count ? at + 1 : t->version_count;
		copy(t->versions[at].name, sizeof t->versions[at].name, pair->key);
		copy(t->versions[at].value, sizeof t->versions[at].value, pair->value);
	}
}

static const struct {
	const char *name;
	void (*take)(struct judge *j, const struct timeline_record *rec, const struct moment *now);
} understood[] = {
    {"backup.requested", on_request},
    {"backup.finished", on_backup},
    {"bound.pinned", on_pinned},
    {"disaster", on_disaster},
    {"outage.start", on_outage_start},
    {"outage.end", on_outage_end},
    {"volumes.gone", on_volumes},
    {"cluster.requested", on_cluster_requested},
    {"cluster.ready", on_cluster_ready},
    {"restore.requested", on_restore_requested},
    {"restore.finished", on_restore_finished},
    {"bucket.recheck", on_recheck},
    {"clock", on_clock},
    {"clock.target", on_target_clock},
    {"run.resumed", on_resumed},
    {"versions", on_versions},
};

static bool show(struct timeline_facts *t, const struct timeline_record *rec, struct err *err)
{
	struct verdict_event *event;
	size_t used = 0;

	if (t->event_count == VERDICT_EVENTS_MAX) {
		t->events_truncated = true;
		return true;
	}
	if (!GROW(t->events, t->event_cap, t->event_count, err))
		return false;
	if (!t->event_count)
		t->first_mono_ms = judge_ms(rec->mono_ms);
	event = &t->events[t->event_count++];
	*event = (struct verdict_event){.at_ms = rec->at_ms, .since_ms = judge_ms(rec->mono_ms) - t->first_mono_ms};
	copy(event->name, sizeof event->name, rec->name);
	for (size_t i = 0; i < rec->data_count && used < sizeof event->text; i++)
		used += (size_t)snprintf(event->text + used, sizeof event->text - used, "%s%s=%s", i ? " " : "",
		    rec->data[i].key, rec->data[i].value);
	return true;
}

bool judge_timeline_open(struct judge *j, const struct timeline_open *open, struct err *err)
{
	if (j->timeline.known || j->journal_count || j->finished)
		return err_set(err, ERR_STATE, "the timeline comes once, and before the journals");
	j->timeline.known = true;
	j->timeline.open = *open;
	return true;
}

bool judge_timeline(struct judge *j, const struct timeline_record *rec, struct err *err)
{
	struct timeline_facts *t = &j->timeline;
	struct moment now = {true, judge_ms(rec->at_ms), judge_ms(rec->mono_ms)};

	if (!t->known || j->journal_count)
		return err_set(err, ERR_STATE, "the timeline comes once, and before the journals");
	if (!mention(t, &rec->journal, now.mono_ms, err))
		return false;
	for (size_t i = 0; !rec->is_head && i < sizeof understood / sizeof *understood; i++)
		if (!strcmp(understood[i].name, rec->name))
			understood[i].take(j, rec, &now);
	t->newest_ms = now.at_ms;
	if (rec->is_head)
		return true;
	return show(t, rec, err);
}

bool judge_timeline_end(struct judge *j, enum record_state state, const struct err *why, struct err *err)
{
	if (!j->timeline.known)
		return err_set(err, ERR_STATE, "a timeline ends before its beginning");
	if (state != RECORD_END && state != RECORD_TORN && state != RECORD_BROKEN)
		return err_set(err, ERR_STATE, "a timeline that was not read to its end cannot be judged");
	j->timeline.broken = state == RECORD_BROKEN;
	if (j->timeline.broken)
		copy(j->timeline.broken_why, sizeof j->timeline.broken_why, why ? why->msg : NULL);
	return true;
}
