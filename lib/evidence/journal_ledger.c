#include "evidence/journal_ledger.h"

void journal_ledger_init(struct journal_ledger *l, size_t stream_count)
{
	*l = (struct journal_ledger){.stream_count = stream_count};
	for (size_t i = 0; i < stream_count; i++) {
		intervals_init(&l->streams[i].final, JOURNAL_INTERVALS_MAX);
		intervals_init(&l->streams[i].doubted, JOURNAL_INTERVALS_MAX);
	}
}

void journal_ledger_clear(struct journal_ledger *l)
{
	for (size_t i = 0; i < l->stream_count; i++) {
		intervals_clear(&l->streams[i].final);
		intervals_clear(&l->streams[i].doubted);
	}
	l->stream_count = 0;
}

static bool refuse(const struct journal_record *rec, struct err *err, const char *why, int64_t number)
{
	static const char *const verbs[] = {"open", "issued", "acked", "failed", "unknown", "end"};

	return err_set(err, ERR_STATE, "%s %lld to %lld of stream %u: %s %lld", verbs[rec->type], (long long)rec->first,
	    (long long)rec->last, rec->stream, why, (long long)number);
}

static bool check_outcome(const struct journal_ledger_stream *s, const struct journal_record *rec, struct err *err)
{
	if (rec->last > s->issued)
		return refuse(rec, err, "it was issued only up to", s->issued);
	if (intervals_count_in(&s->final, rec->first, rec->last))
		return refuse(rec, err,
		    "ticks that already have a final outcome:", intervals_count_in(&s->final, rec->first, rec->last));
	if (rec->type == JOURNAL_FAILED && intervals_count_in(&s->doubted, rec->first, rec->last))
		return refuse(rec, err, "ticks that were unknown and cannot be proven failed:",
		    intervals_count_in(&s->doubted, rec->first, rec->last));
	if (s->final.count >= s->final.max || s->doubted.count >= s->doubted.max)
		return err_set(err, ERR_LIMIT, "stream %u has more than %d separate intervals of outcomes", rec->stream,
		    JOURNAL_INTERVALS_MAX);
	return true;
}

bool journal_ledger_check(const struct journal_ledger *l, const struct journal_record *rec, struct err *err)
{
	const struct journal_ledger_stream *s;

	if (rec->stream >= l->stream_count)
		return err_set(err, ERR_STATE, "stream %u of %zu", rec->stream, l->stream_count);
	s = &l->streams[rec->stream];
	if (rec->first < 1 || rec->last < rec->first || rec->last > TICK_SEQ_MAX)
		return refuse(rec, err, "sequences are ascending, from 1 to", TICK_SEQ_MAX);
	if (tick_block(rec->first) != tick_block(rec->last))
		return refuse(rec, err, "a range lies within one block of", TICK_BLOCK);
	if (rec->type != JOURNAL_ISSUED)
		return check_outcome(s, rec, err);
	if (rec->first != s->issued + 1)
		return refuse(rec, err, "the next sequence of this stream is", s->issued + 1);
	return true;
}

bool journal_ledger_apply(struct journal_ledger *l, const struct journal_record *rec, struct err *err)
{
	struct journal_ledger_stream *s = &l->streams[rec->stream];
	int64_t ticks = rec->last - rec->first + 1;
	int64_t doubted = s->doubted.count ? intervals_count_in(&s->doubted, rec->first, rec->last) : 0;

	if (rec->type == JOURNAL_ISSUED) {
		s->issued = rec->last;
		l->issued += ticks;
		return true;
	}
	if (!intervals_add_range(rec->type == JOURNAL_UNKNOWN ? &s->doubted : &s->final, rec->first, rec->last, err))
		return false;
	if (rec->type == JOURNAL_UNKNOWN) {
		l->unknown += ticks - doubted;
	} else if (rec->type == JOURNAL_ACKED) {
		l->acked += ticks;
		l->unknown -= doubted;
	} else {
		l->failed += ticks;
	}
	return true;
}
