#include "verifier/judge_internal.h"

#include "base/num.h"

#include <stdarg.h>
#include <string.h>

#define GAPS_MAX 4096

static void stream_clear(struct stream *s)
{
	free(s->links);
	seen_clear(&s->seen);
	lane_clear(&s->lane);
	free(s->pending);
	free(s->never);
	free(s->astride);
	free(s->altered);
	free(s->gaps);
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	for (size_t i = 0; journal->streams && i < journal->open.stream_count; i++)
		stream_clear(&journal->streams[i]);
	free(journal->streams);
	free(journal);
}
CLEANUP_PTR(journal, struct journal, journal_free)

/* The evidence contradicts itself: what follows in this journal is not to be believed. */
static bool broken(struct journal *journal, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool broken(struct journal *journal, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(journal->why, sizeof journal->why, fmt, args);
	va_end(args);
	journal->failed = true;
	return true;
}

int64_t journal_drill_wall_ms(const struct judge *j, const struct journal *journal, int64_t ms)
{
	int64_t server = journal->open.at_ms + ms + journal->open.clock_offset_ms;

	return j->timeline.clock_known ? server - j->timeline.clock_offset_ms : server;
}

int64_t stream_gap_limit_ms(const struct journal *journal)
{
	int64_t five =
	    journal->open.interval_us > INT64_MAX / 5 ? INT64_MAX / 1000 : journal->open.interval_us * 5 / 1000;

	return five > 10000 ? five : 10000;
}

bool judge_journal_begin(struct judge *j, const struct journal_open *open, struct err *err)
{
	CLEANUP(journal) struct journal *journal = NULL;

	if (j->finished || j->current || j->repeated)
		return err_set(err, ERR_STATE, "a journal begins before the last one has ended");
	if (j->journal_count == JUDGE_JOURNALS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d journals", JUDGE_JOURNALS_MAX);
	for (size_t i = 0; i < j->journal_count; i++)
		if (uuid_equal(&j->journals[i]->open.run, &open->run)) {
			/* the same ticks twice would be counted twice */
			j->repeated = true;
			j->repeated_count++;
			return true;
		}
	journal = calloc(1, sizeof *journal);
	if (!journal)
		return err_nomem(err);
	journal->open = *open;
	journal->open.at_ms = judge_ms(open->at_ms);
	journal->open.clock_offset_ms = judge_ms(open->clock_offset_ms);
	journal->open.clock_error_ms = judge_ms(open->clock_error_ms);
	journal->open.interval_us = judge_ms(open->interval_us);
	journal->known = timeline_run(&j->timeline, &open->run);
	if (journal->known)
		journal->known->given = true;
	journal->streams = calloc(open->stream_count ? open->stream_count : 1, sizeof *journal->streams);
	if (!journal->streams)
		return err_nomem(err);
	if (timeline_anchor(&j->timeline)->journal.known &&
	    uuid_equal(&timeline_anchor(&j->timeline)->journal.run, &open->run))
		journal->anchor_n = timeline_anchor(&j->timeline)->journal.n;
	for (size_t i = 0; i < open->stream_count; i++) {
		journal->streams[i].id = open->streams[i];
		journal->streams[i].gap_limit_ms = stream_gap_limit_ms(journal);
		if (!seen_build(j, journal, &journal->streams[i], err))
			return false;
	}
	if (!GROW(j->journals, j->journal_cap, j->journal_count, err))
		return false;
	j->current = j->journals[j->journal_count++] = TAKE(journal);
	return true;
}

/* --- classes
 * -----------------------------------------------------------------------------------------------------------------------
 */

struct claim {
	enum judge_claim what;
	struct optime lo, hi;
	bool exact;
};

void stream_note_lost(struct stream *s, int64_t first, int64_t last, struct optime hi)
{
	if (!s->lost_first.known || optime_cmp(hi, s->lost_first.hi) < 0)
		s->lost_first = (struct ack){.known = true, .seq = first, .hi = hi};
	if (!s->lost_last.known || optime_cmp(hi, s->lost_last.hi) >= 0)
		s->lost_last = (struct ack){.known = true, .seq = last, .hi = hi};
}

static bool note_absent(const struct judge *j, struct stream *s, const struct claim *c, int64_t first, int64_t last,
    enum tick_class class, struct err *err)
{
	s->acked_gone += last - first + 1;
	if (class == CLASS_LOST)
		stream_note_lost(s, first, last, c->hi);
	if (class != CLASS_AT_BOUND || !j->bound || !j->bound->second_precision)
		return true;
	if (!GROW(s->astride, s->astride_cap, s->astride_count, err))
		return false;
	s->astride[s->astride_count++] = (struct astride){first, last, c->hi};
	return true;
}

static void note_present(struct stream *s, const struct claim *c, int32_t l, int64_t ticks, bool before)
{
	struct link *link = &s->links[l];

	link->max_lo = optime_max(link->max_lo, c->lo);
	if (c->what != CLAIM_ACKED)
		return;
	link->acked_present += ticks;
	if (before)
		link->acked_before += ticks;
}

/* One class for first..last: all of one presence. */
static bool put_piece(const struct judge *j, struct stream *s, const struct claim *c, int64_t first, int64_t last,
    enum judge_presence presence, int32_t l, struct err *err)
{
	struct optime b1 = l >= 0 ? s->links[l].b1 : s->b1;
	enum judge_position position = judge_position(c->lo, c->hi, c->exact, j->b0, b1);
	enum tick_class class = judge_classify(c->what, position, presence);
	bool intact = presence == PRESENCE_INTACT || presence == PRESENCE_DUPLICATE;
	uint8_t flags =
	    (uint8_t)((presence != PRESENCE_ABSENT ? LANE_PRESENT : 0) | (position == POSITION_AFTER ? LANE_AFTER : 0));

	if (class == CLASS_COUNT)
		return true;
	if (c->what == CLAIM_ACKED && position == POSITION_BEFORE)
		s->before_total += last - first + 1;
	if (intact && l >= 0)
		note_present(s, c, l, last - first + 1, position == POSITION_BEFORE);
	if (presence == PRESENCE_ABSENT && c->what == CLAIM_ACKED && !note_absent(j, s, c, first, last, class, err))
		return false;
	return lane_put(&s->lane, first, last, class, flags, err);
}

static bool put_claim(
    const struct judge *j, struct stream *s, const struct claim *c, int64_t first, int64_t last, struct err *err)
{
	if (!j->has_data || s->unread)
		return true;
	s->at_piece = seen_find(&s->seen, s->at_piece, first);
	for (size_t i = s->at_piece; first <= last; i++) {
		const struct seen_piece *piece = i < s->seen.count ? &s->seen.pieces[i] : NULL;
		int64_t end = piece && piece->first <= last ? piece->first - 1 : last;

		if (first <= end && !put_piece(j, s, c, first, end, PRESENCE_ABSENT, -1, err))
			return false;
		if (first <= end)
			first = end + 1;
		if (first > last)
			return true;
		end = piece->last < last ? piece->last : last;
		if (!put_piece(j, s, c, first, end, piece->presence, piece->link, err))
			return false;
		first = end + 1;
	}
	return true;
}

/* --- records
 * -----------------------------------------------------------------------------------------------------------------------
 */

static bool take_issued(
    const struct judge *j, struct journal *journal, struct stream *s, const struct journal_record *rec, struct err *err)
{
	struct pending *tail = s->pending_count ? &s->pending[s->pending_count - 1] : NULL;

	if (rec->first <= s->last_issued || rec->last < rec->first || tick_block(rec->first) != tick_block(rec->last))
		return broken(journal, "record %llu issues ticks %lld to %lld behind tick %lld",
		    (unsigned long long)rec->n, (long long)rec->first, (long long)rec->last, (long long)s->last_issued);
	if (rec->first > s->last_issued + 1) {
		if (!GROW(s->never, s->never_cap, s->never_count, err))
			return false;
		s->never[s->never_count++] = (struct interval){s->last_issued + 1, rec->first - 1};
	}
	s->issued += rec->last - rec->first + 1;
	s->last_issued = rec->last;
	if (j->has_data && !s->unread && !blocks_issued(s, rec->first, rec->last, &rec->digest, err))
		return false;
	if (tail && tail->last + 1 == rec->first && !optime_cmp(tail->lo, rec->lo)) {
		tail->last = rec->last;
		return true;
	}
	if (!GROW(s->pending, s->pending_cap, s->pending_count, err))
		return false;
	s->pending[s->pending_count++] = (struct pending){rec->first, rec->last, rec->lo};
	return true;
}

/* Index of the first outstanding range whose last >= seq: the newest ones are asked for most. */
static size_t find_pending(const struct stream *s, int64_t seq)
{
	size_t low = 0, high = s->pending_count;

	if (high == 1 || (high > 1 && s->pending[high - 2].last < seq))
		return s->pending[high - 1].last >= seq ? high - 1 : high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->pending[mid].last < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Takes first..last (within one outstanding range) out. */
static bool cut_pending(struct stream *s, size_t at, int64_t first, int64_t last, struct err *err)
{
	struct pending *p = &s->pending[at];

	if (p->first == first && p->last == last) {
		s->pending_count--;
		memmove(p, p + 1, (s->pending_count - at) * sizeof *p);
	} else if (p->first == first) {
		p->first = last + 1;
	} else if (p->last == last) {
		p->last = first - 1;
	} else {
		if (!GROW(s->pending, s->pending_cap, s->pending_count, err))
			return false;
		p = &s->pending[at];
		memmove(p + 1, p, (s->pending_count - at) * sizeof *p);
		s->pending_count++;
		p[0].last = first - 1;
		p[1].first = last + 1;
	}
	return true;
}

static bool add_gap(struct stream *s, struct gap gap, struct err *err)
{
	if (s->gap_count == GAPS_MAX) {
		/* one long gap instead of many: never less than there was */
		s->gaps[GAPS_MAX - 1].to_ms = gap.to_ms;
		s->gaps[GAPS_MAX - 1].to_n = gap.to_n;
		return true;
	}
	if (!GROW(s->gaps, s->gap_cap, s->gap_count, err))
		return false;
	s->gaps[s->gap_count++] = gap;
	return true;
}

static bool note_ack(
    const struct judge *j, struct journal *journal, struct stream *s, const struct journal_record *rec, struct err *err)
{
	struct ack ack = {.known = true, .n = rec->n, .ms = rec->ms, .seq = rec->last, .hi = rec->hi};

	if (s->last_ack.known && rec->ms < s->last_ack.ms)
		return broken(journal,
		    "record %llu acknowledges at %lld ms, before the record in front of it (%lld ms)",
		    (unsigned long long)rec->n, (long long)rec->ms, (long long)s->last_ack.ms);
	s->acked += rec->last - rec->first + 1;
	s->last_hi = optime_max(s->last_hi, rec->hi);
	if (optime_cmp(rec->hi, j->b0) <= 0)
		s->acked_before = true;
	if (!s->first_ack.known)
		s->first_ack = ack;
	if (rec->n <= journal->anchor_n)
		s->anchor = ack;
	else if (s->last_ack.known && rec->ms - s->last_ack.ms > s->gap_limit_ms &&
		 !add_gap(s, (struct gap){s->last_ack.ms, rec->ms, rec->n}, err))
		return false;
	s->last_ack = ack;
	return true;
}

static bool take_outcome(
    const struct judge *j, struct journal *journal, struct stream *s, const struct journal_record *rec, struct err *err)
{
	struct claim claim = {.what = CLAIM_FAILED, .hi = OPTIME_MAX};
	char lo[OPTIME_TEXT_MAX], hi[OPTIME_TEXT_MAX];
	int64_t first = rec->first;

	if (rec->type == JOURNAL_ACKED)
		claim = (struct claim){.what = CLAIM_ACKED, .hi = rec->hi, .exact = rec->exact};
	while (first <= rec->last) {
		size_t at = find_pending(s, first);
		int64_t last;

		if (at == s->pending_count || s->pending[at].first > first)
			return broken(journal, "record %llu tells what became of tick %lld, which is not outstanding",
			    (unsigned long long)rec->n, (long long)first);
		last = s->pending[at].last < rec->last ? s->pending[at].last : rec->last;
		claim.lo = s->pending[at].lo;
		if (rec->type == JOURNAL_ACKED && optime_cmp(rec->hi, claim.lo) <= 0)
			return broken(journal,
			    "record %llu acknowledges tick %lld at %s, which the writer knew before it sent it (lo %s)",
			    (unsigned long long)rec->n, (long long)first, optime_format(rec->hi, hi),
			    optime_format(claim.lo, lo));
		if (rec->type == JOURNAL_ACKED && optime_cmp(claim.lo, s->b1) >= 0)
			s->reached = true;
		/* an unknown tick stays outstanding: the table treats both alike, and it may still be resolved */
		if (rec->type != JOURNAL_UNKNOWN &&
		    (!put_claim(j, s, &claim, first, last, err) || !cut_pending(s, at, first, last, err)))
			return false;
		first = last + 1;
	}
	return rec->type != JOURNAL_ACKED || note_ack(j, journal, s, rec, err);
}

static void check_mention(struct journal *journal, const struct record_head *head)
{
	const struct drill_run *known = journal->known;
	unsigned char chain[16];

	while (journal->at_mention < known->count && known->mentions[journal->at_mention].n < head->n)
		journal->at_mention++;
	if (journal->at_mention == known->count || known->mentions[journal->at_mention].n != head->n)
		return;
	if (!hex_decode(head->chain, sizeof chain, chain) ||
	    memcmp(chain, known->mentions[journal->at_mention].chain, sizeof chain))
		journal->contradicted_n = journal->contradicted_n ? journal->contradicted_n : head->n;
}

bool judge_journal_record(
    struct judge *j, const struct journal_record *rec, const struct record_head *head, struct err *err)
{
	struct journal *journal = j->current;
	struct stream *s;

	if (j->repeated)
		return true;
	if (!journal)
		return err_set(err, ERR_STATE, "a journal's record comes before its beginning");
	if (journal->failed)
		return true;
	if (head && journal->known)
		check_mention(journal, head);
	if (rec->type == JOURNAL_OPEN || rec->type == JOURNAL_END)
		return true;
	if (rec->stream >= journal->open.stream_count || rec->first < 1 || rec->last > TICK_SEQ_MAX)
		return broken(journal, "record %llu names a stream or tick that cannot be", (unsigned long long)rec->n);
	s = &journal->streams[rec->stream];
	if (rec->type == JOURNAL_ISSUED)
		return take_issued(j, journal, s, rec, err);
	return take_outcome(j, journal, s, rec, err);
}

/* --- the end
 * -----------------------------------------------------------------------------------------------------------------------
 */

/* Present ticks that the journal does not name: holes in what was issued, and what lies beyond its end. */
static bool put_unclaimed(struct judge *j, const struct journal *journal, struct stream *s, struct err *err)
{
	struct claim never = {.what = CLAIM_NEVER};

	for (size_t i = 0; i < s->never_count; i++)
		if (!put_claim(j, s, &never, s->never[i].first, s->never[i].last, err))
			return false;
	for (size_t i = seen_find(&s->seen, 0, s->last_issued + 1); i < s->seen.count; i++) {
		const struct seen_piece *piece = &s->seen.pieces[i];
		struct optime b1 = piece->link >= 0 ? s->links[piece->link].b1 : s->b1;
		struct claim beyond = {.what = CLAIM_NEVER};

		if (journal->state != JOURNAL_SEALED)
			beyond.what = j->bound && optime_cmp(s->last_hi, b1) >= 0 ? CLAIM_BEYOND_REACHED : CLAIM_BEYOND;
		if (!put_claim(j, s, &beyond, piece->first > s->last_issued ? piece->first : s->last_issued + 1,
			piece->last, err))
			return false;
	}
	return true;
}

static bool end_stream(struct judge *j, struct journal *journal, struct stream *s, struct err *err)
{
	if (!j->has_data || s->unread)
		return true;
	for (size_t i = 0; i < s->pending_count; i++) {
		struct claim claim = {.what = CLAIM_OPEN, .lo = s->pending[i].lo, .hi = OPTIME_MAX};

		if (!put_claim(j, s, &claim, s->pending[i].first, s->pending[i].last, err))
			return false;
	}
	s->pending_count = 0;
	return blocks_end(s, err) && put_unclaimed(j, journal, s, err);
}

bool judge_journal_end(
    struct judge *j, enum journal_state state, const struct err *why, const struct record_head *head, struct err *err)
{
	struct journal *journal = j->current;

	if (j->repeated) {
		j->repeated = false;
		return true;
	}
	if (!journal)
		return err_set(err, ERR_STATE, "a journal ends before its beginning");
	if (state != JOURNAL_SEALED && state != JOURNAL_UNSEALED && state != JOURNAL_BROKEN)
		return err_set(err, ERR_STATE, "a journal that was not read to its end cannot be judged");
	if (state == JOURNAL_BROKEN && !journal->failed)
		broken(journal, "%s", why ? why->msg : "no reason was given");
	journal->state = journal->failed ? JOURNAL_BROKEN : state;
	if (head)
		journal->head = *head;
	for (size_t i = 0; i < journal->open.stream_count; i++)
		if (!end_stream(j, journal, &journal->streams[i], err))
			return false;
	journal->ended = true;
	j->current = NULL;
	return true;
}
