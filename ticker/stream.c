#include "ticker/stream.h"

#include "ticker/link.h"
#include "ticker/outcome.h"
#include "ticker/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t retry_first_ms = 100, retry_most_ms = 1000;
static const int64_t ms_ns = 1000000;

struct stream {
	struct run *run;
	uint32_t index;
	struct tick_stream ticks;
	struct link *link;
	struct schedule schedule;
	int64_t seq; /* of the next tick */
	int64_t refused_in_a_row;
	bool doubting, waiting; /* said so in the log */

	/* the outstanding command */
	int64_t first;
	unsigned char (*bytes)[TICK_BSON_BYTES];
};

/* --- before a command --- */

/* Before the first command after trouble. False: not now. */
static bool ready(struct stream *s)
{
	struct err err = ERR_INIT;
	int64_t pause_ms;

	if (link_trusted(s->link))
		return true;
	switch (link_look(s->link, &err)) {
	case CLUSTER_SAME:
		s->waiting = false;
		return true;
	case CLUSTER_OTHER:
		run_fail(s->run, &err);
		return false;
	case CLUSTER_UNREACHABLE:
		if (!s->waiting)
			log_line(&s->run->log, LOG_WARN, "waiting for the server", "ns", s->ticks.ns, "cause", err.msg,
			    NULL);
		s->waiting = true;
		break;
	}
	/* a server counts, logs and may punish logins that it refuses */
	pause_ms = err.code == ERR_AUTH ? retry_most_ms : retry_first_ms;
	clock_sleep_until(s->run->clock, clock_mono_ns(s->run->clock) + pause_ms * ms_ns, &s->run->stop);
	return false;
}

/* --- one command --- */

static bool note(struct stream *s, struct journal_record *rec, int offset, int count, bool was_unknown)
{
	struct err err = ERR_INIT;

	if (!count)
		return true;
	rec->stream = s->index;
	rec->first = s->first + offset;
	rec->last = rec->first + count - 1;
	if (gate_note(s->run->gate, rec, was_unknown, &err))
		return true;
	run_fail(s->run, &err);
	return false;
}

static bool note_doubt(struct stream *s, int offset, int count, int32_t code, const char *reason)
{
	struct journal_record rec = {.type = JOURNAL_UNKNOWN, .code = code};

	snprintf(rec.reason, sizeof rec.reason, "%s", reason);
	return note(s, &rec, offset, count, false);
}

static bool note_ack(struct stream *s, int offset, int count, bool exact, bool was_unknown)
{
	struct journal_record rec = {.type = JOURNAL_ACKED, .hi = link_seen(s->link)->optime, .exact = exact};
	const struct clock *clock = s->run->clock;

	if (count)
		metrics_acked(&s->run->metrics, s->index, clock_mono_ns(clock), clock_wall_ms(clock));
	return note(s, &rec, offset, count, was_unknown);
}

/* Builds the documents and journals them. */
static bool issue(struct stream *s, int count)
{
	struct journal_record rec = {
	    .type = JOURNAL_ISSUED, .stream = s->index, .first = s->seq, .last = s->seq + count - 1};
	struct err err = ERR_INIT;

	rec.created_at_ms = clock_wall_ms(s->run->clock);
	rec.lo = link_latest(s->link);
	for (int i = 0; i < count; i++) {
		rec.sum = tick_build(&s->ticks, s->seq + i, rec.created_at_ms, s->bytes[i]);
		tick_digest_add(&rec.digest, s->seq + i, rec.sum);
	}
	s->first = s->seq;
	if (!gate_issue(s->run->gate, &rec, &err)) {
		run_fail(s->run, &err);
		return false;
	}
	s->seq += count;
	return true;
}

/* --- a command in doubt --- */

static const unsigned char (*ours(const struct stream *s, int offset))[TICK_BSON_BYTES]
{
	return (const unsigned char(*)[TICK_BSON_BYTES])(s->bytes + offset);
}

/* Sends the documents once more. True: their fate is known and noted, or the run failed. */
static bool try_again(struct stream *s, int offset, int count)
{
	const bson_error_t *error;
	struct err err = ERR_INIT;
	enum outcome_again again;

	switch (link_look(s->link, &err)) {
	case CLUSTER_UNREACHABLE:
		return false;
	case CLUSTER_OTHER:
		run_fail(s->run, &err);
		return true;
	case CLUSTER_SAME:
		break;
	}
	error = link_insert(s->link, ours(s, offset), count, false);
	again = outcome_of_again(link_seen(s->link), error, count);
	if (again == AGAIN_UNKNOWN || !link_went_to_known(s->link))
		return false;
	if (again == AGAIN_PRESENT) {
		switch (link_read_back(s->link, ours(s, offset), count)) {
		case PRESENT_OURS:
			break;
		case PRESENT_NOT_TOLD:
			return false;
		case PRESENT_OTHER:
			err_set(&err, ERR_BROKEN,
			    "another document has the _id of tick %" PRId64 " or a later one in \"%s\"",
			    s->first + offset, s->ticks.ns);
			err_hint(&err, "something else writes there: look at the collection, and start again");
			run_fail(s->run, &err);
			return true;
		}
	}
	note_ack(s, offset, count, false, true);
	return true;
}

static int64_t give_up_at(const struct stream *s, int64_t since_ns)
{
	int64_t stop_ns = atomic_load(&s->run->stop_ns),
		from = run_stopping(s->run) && stop_ns < since_ns ? stop_ns : since_ns;

	return from + s->run->options->give_up_ms * ms_ns;
}

/* True: its fate is known, or the run is at its end. */
static bool resolve(struct stream *s, int offset, int count)
{
	const struct clock *clock = s->run->clock;
	int64_t since_ns = clock_mono_ns(clock), pause_ms = retry_first_ms;

	for (;;) {
		int64_t now_ns = clock_mono_ns(clock), until_ns = give_up_at(s, since_ns);

		if (now_ns >= until_ns)
			return false;
		if (try_again(s, offset, count))
			return true;
		now_ns = clock_mono_ns(clock) + pause_ms * ms_ns;
		clock_sleep_until(clock, now_ns < until_ns ? now_ns : until_ns, NULL);
		pause_ms = pause_ms * 2 > retry_most_ms ? retry_most_ms : pause_ms * 2;
	}
}

static void log_doubt(struct stream *s, const struct outcome *o)
{
	char seq[24], code[16];

	if (s->doubting)
		return;
	snprintf(seq, sizeof seq, "%" PRId64, s->first);
	snprintf(code, sizeof code, "%d", o->code);
	log_line(&s->run->log, LOG_WARN, o->unknown ? "tick in doubt" : "tick refused", "ns", s->ticks.ns, "seq", seq,
	    "code", code, "reason", o->reason, NULL);
	s->doubting = true;
}

/* The first command of a stream proves that it may write; without that there is no run. */
static void fail_first(struct stream *s, const struct outcome *o)
{
	struct err err = ERR_INIT;
	char what[TICK_NS_MAX + 64];

	snprintf(what, sizeof what, "write the first tick into \"%s\"", s->ticks.ns);
	if (link_error(s->link))
		mongo_error(link_error(s->link), NULL, &err, what);
	else
		err_set(&err, ERR_REMOTE, "%s: %s (code %d)", what, o->reason, o->code);
	run_fail(s->run, &err);
}

/* A server that refuses all is asked less and less often, down to once a second. */
static void calm_down(struct stream *s)
{
	int64_t pause_ms = retry_first_ms * ++s->refused_in_a_row;

	clock_sleep_until(s->run->clock,
	    clock_mono_ns(s->run->clock) + (pause_ms > retry_most_ms ? retry_most_ms : pause_ms) * ms_ns,
	    &s->run->stop);
}

static bool settle(struct stream *s, struct outcome *o)
{
	bool first = s->first == 1, known = true;
	struct journal_record refused = {.type = JOURNAL_FAILED, .code = o->code};

	snprintf(refused.reason, sizeof refused.reason, "%s", o->reason);
	if (!note_ack(s, 0, o->acked, o->exact, false) || !note(s, &refused, o->acked, o->failed, false) ||
	    !note_doubt(s, o->acked + o->failed, o->unknown, o->code, o->reason))
		return false;
	if (o->failed || o->unknown) {
		log_doubt(s, o);
		if (o->unknown || outcome_code_is_of_login(o->code))
			link_distrust(s->link);
	}
	if (o->unknown)
		known = resolve(s, o->acked + o->failed, o->unknown);
	if (first && (o->failed || !known)) {
		fail_first(s, o);
		return false;
	}
	if (!o->failed && known) {
		if (s->doubting && !run_stopping(s->run))
			log_line(&s->run->log, LOG_INFO, "ticks go through again", "ns", s->ticks.ns, NULL);
		s->doubting = false;
		s->refused_in_a_row = 0;
	} else if (o->failed) {
		calm_down(s);
	}
	return true;
}

static bool one_command(struct stream *s, int count, int64_t due_ns)
{
	const bson_error_t *error;
	int64_t sent_ns;
	struct err err = ERR_INIT;
	struct outcome o;

	if (!issue(s, count))
		return false;
	sent_ns = clock_mono_ns(s->run->clock);
	if (s->schedule.rate > 0)
		histogram_add(&s->run->metrics.late, sent_ns - due_ns);
	error = link_insert(s->link, ours(s, 0), count, true);
	histogram_add(&s->run->metrics.command, clock_mono_ns(s->run->clock) - sent_ns);
	outcome_of_first(link_seen(s->link), error, count, &o);
	if (o.acked && !link_went_to_known(s->link)) {
		/* an acknowledgement counts only if it is this cluster's */
		enum cluster cluster = link_look(s->link, &err);

		/* another may have answered than the one that is found now */
		if (cluster == CLUSTER_SAME && !link_went_to_known(s->link))
			cluster = CLUSTER_UNREACHABLE;
		switch (cluster) {
		case CLUSTER_SAME:
			break;
		case CLUSTER_OTHER:
			note_doubt(s, 0, count, 0, "acknowledged by another cluster");
			run_fail(s->run, &err);
			return false;
		case CLUSTER_UNREACHABLE:
			o = (struct outcome){.unknown = count};
			snprintf(o.reason, sizeof o.reason, "acknowledged by a server that could not be identified");
		}
	}
	return settle(s, &o);
}

/* --- the stream --- */

static bool has_ended(const struct stream *s, int64_t due_ns)
{
	const struct options *o = s->run->options;

	return o->duration_ms && due_ns - s->run->start_ns >= o->duration_ms * ms_ns;
}

static int next_count(const struct stream *s)
{
	const struct options *o = s->run->options;
	int count = schedule_batch_at(s->seq, (int)o->batch);
	int64_t left = o->count ? o->count - (s->seq - 1) : count;

	return left < count ? (int)left : count;
}

void *stream_main(void *stream)
{
	struct stream *s = stream;
	struct run *run = s->run;
	int64_t skipped = 0;
	int count;

	schedule_init(&s->schedule, run->start_ns, run->options->rate);
	while (!run_stopping(run) && (count = next_count(s)) > 0) {
		int64_t due_ns = schedule_take(&s->schedule, clock_mono_ns(run->clock), count);

		atomic_fetch_add(&run->skipped, s->schedule.skipped - skipped);
		skipped = s->schedule.skipped;
		if (has_ended(s, due_ns) || !clock_sleep_until(run->clock, due_ns, &run->stop))
			break;
		if (ready(s) && !one_command(s, count, due_ns))
			break;
	}
	run_stream_ended(run);
	return NULL;
}

bool stream_new(struct run *run, uint32_t index, const char *ns, int32_t writer, struct stream **ret, struct err *err)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return err_nomem(err);
	s->run = run;
	s->index = index;
	s->seq = 1;
	tick_stream_init(&s->ticks, &run->id, ns, writer);
	s->bytes = calloc((size_t)run->options->batch, sizeof *s->bytes);
	if (!s->bytes)
		err_nomem(err);
	if (!s->bytes || !link_open(&run->plan, ns, &s->link, err)) {
		stream_free(s);
		return false;
	}
	*ret = s;
	return true;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	link_free(s->link);
	free(s->bytes);
	free(s);
}
