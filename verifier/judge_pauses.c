/* Interruptions of the drill itself: a person's pause is neither the database's loss nor the restore's time. */
#include "base/clock.h"
#include "verifier/judge_internal.h"

#include <string.h>

static int64_t newest_ack_ms(const struct judge *j)
{
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < j->journal_count; i++) {
		const struct journal *journal = j->journals[i];

		for (size_t s = 0; !journal->excluded && s < journal->open.stream_count; s++) {
			const struct ack *ack = &journal->streams[s].last_ack;
			int64_t at_ms = ack->known ? journal_drill_wall_ms(j, journal, ack->ms) : INT64_MIN;

			newest = at_ms > newest ? at_ms : newest;
		}
	}
	return newest;
}

/* Only from the outage on: before it the ticker must go on, whether the drill looks or not. */
static int64_t outage_begun_ms(const struct timeline_facts *t)
{
	for (size_t i = t->outage_count; i-- > 0;)
		if (t->outages[i].from_ms <= t->disaster.at_ms && t->outages[i].to_ms >= t->disaster.at_ms)
			return t->outages[i].from_ms;
	return INT64_MAX;
}

/* Of a pause before the disaster: the part behind the outage's begin in which nothing was acknowledged any more. */
static int64_t idle_ms(const struct judge *j, const struct pause *p)
{
	int64_t from_ms = p->from_ms, begun_ms = outage_begun_ms(&j->timeline), acked_ms = newest_ack_ms(j);

	from_ms = begun_ms > from_ms ? begun_ms : from_ms;
	from_ms = acked_ms > from_ms ? acked_ms : from_ms;
	return p->after_disaster || from_ms >= p->to.at_ms ? 0 : p->to.at_ms - from_ms;
}

int64_t pauses_in_rpo_ms(const struct judge *j)
{
	int64_t sum = 0;

	for (size_t i = 0; j->timeline.disaster.known && i < j->timeline.pause_count; i++)
		sum += idle_ms(j, &j->timeline.pauses[i]);
	return sum;
}

int64_t pauses_in_rto_ms(const struct timeline_facts *t, int64_t since_ms)
{
	int64_t sum = 0;

	for (size_t i = 0; i < t->pause_count; i++)
		if (t->pauses[i].after_disaster && timeline_since_disaster(t, &t->pauses[i].to) <= since_ms)
			sum += t->pauses[i].to.at_ms - t->pauses[i].from_ms;
	return sum;
}

static void describe(const struct judge *j, const struct verdict *v, const struct pause *p, struct cause *c)
{
	int64_t idle = idle_ms(j, p), since = timeline_since_disaster(&j->timeline, &p->to);
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	/* what came later than the last phase is in no figure */
	bool recovery = p->after_disaster && v->has_rto && since <= v->rto_ms + j->rto_paused_ms;

	if (!idle && !recovery)
		return;
	cause_add(c, "from %s to %s, %.1f s%s%.1f s%s", time_format(p->from_ms, from), time_format(p->to.at_ms, to),
	    (double)(p->to.at_ms - p->from_ms) / 1000,
	    recovery ? " of the recovery, of which " : " of the disaster, of which ",
	    (double)(recovery ? p->to.at_ms - p->from_ms : idle) / 1000,
	    recovery ? " are not in the RTO" : ", without an acknowledged tick, are not in the RPO");
}

bool pauses_add(const struct judge *j, struct verdict *v, struct err *err)
{
	struct cause pauses = {0};

	for (size_t i = 0; j->timeline.disaster.known && i < j->timeline.pause_count; i++)
		describe(j, v, &j->timeline.pauses[i], &pauses);
	return cause_end(&pauses, v, REASON_PAUSED,
	    "what the cluster did by itself meanwhile is not in the figures either; run it again in one go for exact "
	    "ones",
	    "the drill was interrupted, and taken up again: ", err);
}
