#include "verifier/collect_tally.h"

#include "base/num.h"
#include "verifier/collect_suspect.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3339 has no other years: such a date is damage, and would hide the newest real one */
#define TIME_LEAST_MS (-62167219200000)
#define TIME_MOST_MS 253402300799999

/* A power of two above twice the most streams, so that probing ends. */
#define SLOTS 4096
static_assert(OBSERVED_STREAMS_MAX * 2 < SLOTS, "the table stays sparse");

/* A document without a tick's fields whose _id may yet turn out to be a stream's. */
struct stranger {
	unsigned char id[12];
	int home;
	int64_t created_at_ms;
};

struct tally {
	char ns[TICK_NS_MAX];
	char replica_set[TALLY_HOME_MAX];
	struct tally_limits limits;
	struct tally_counts counts;
	struct tick_stream cache; /* tick_check's */
	struct tally_stream *last;
	struct tally_stream **streams; /* in the order of discovery, sorted by tally_finish */
	size_t stream_count, stream_cap;
	struct tally_stream *slots[SLOTS]; /* by prefix */
	struct suspect *suspects;
	size_t suspect_count, suspect_cap;
	struct stranger *strangers;
	size_t stranger_count, stranger_cap;
	bool dropped;	 /* a stranger was not remembered */
	bool incomplete; /* ... and a stream was met after that */
	int64_t newest_ms;
	const struct tally_stream *newest_stream; /* NULL: not an intact tick */
	int64_t newest_seq;
	bool (*owns)(void *ctx, const void *bson, size_t len); /* NULL: everything */
	void *owner;
	int (*find_home)(void *ctx, const void *bson, size_t len); /* NULL: all are at home in replica_set */
	void *homes;
	const char (*home_names)[TALLY_HOME_MAX];
	int home; /* of the document that is added */
};

bool tally_new(
    const char *ns, const char *replica_set, const struct tally_limits *limits, struct tally **ret, struct err *err)
{
	struct tally *t;

	if (strlen(ns) >= sizeof t->ns || strlen(replica_set) >= sizeof t->replica_set)
		return err_set(
		    err, ERR_LIMIT, "namespace \"%s\" or replica set \"%s\" has too long a name", ns, replica_set);
	t = calloc(1, sizeof *t);
	if (!t)
		return err_nomem(err);
	memcpy(t->ns, ns, strlen(ns) + 1);
	memcpy(t->replica_set, replica_set, strlen(replica_set) + 1);
	t->limits = *limits;
	t->home = -1;
	if (t->limits.streams > OBSERVED_STREAMS_MAX)
		t->limits.streams = OBSERVED_STREAMS_MAX;
	tally_restart(t);
	*ret = t;
	return true;
}

static void clear_suspects(struct tally *t)
{
	for (size_t i = 0; i < t->suspect_count; i++)
		suspect_clear(&t->suspects[i]);
	t->suspect_count = 0;
}

static void clear_stream(struct tally_stream *s)
{
	intervals_clear(&s->seen.intact);
	free(s->seen.blocks);
	s->seen.blocks = NULL;
	s->seen.block_count = s->seen.block_cap = 0;
	s->vouched = false;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	clear_suspects(t);
	for (size_t i = 0; i < t->stream_count; i++) {
		clear_stream(t->streams[i]);
		free(t->streams[i]);
	}
	free(t->streams);
	free(t->suspects);
	free(t->strangers);
	free(t);
}

void tally_restart(struct tally *t)
{
	clear_suspects(t);
	for (size_t i = 0; i < t->stream_count; i++)
		clear_stream(t->streams[i]);
	t->counts = (struct tally_counts){0};
	t->stranger_count = 0;
	t->dropped = t->incomplete = false;
	t->newest_ms = INT64_MIN;
	t->newest_stream = NULL;
	t->newest_seq = 0;
}

bool tally_incomplete(const struct tally *t)
{
	return t->incomplete;
}

/* --- streams
 * ---------------------------------------------------------------------------------------------------------------------
 */

static size_t slot_of(const unsigned char prefix[static 6])
{
	/* the prefix is a hash itself */
	return ((size_t)prefix[0] | (size_t)prefix[1] << 8) % SLOTS;
}

static bool same_key(const struct tick_stream *a, const struct tick_stream *b)
{
	return a->writer == b->writer && uuid_equal(&a->run, &b->run);
}

/* The one at the document's home. */
static struct tally_stream *find_stream(const struct tally *t, const struct tick_stream *key)
{
	struct tally_stream *s;

	for (size_t i = slot_of(key->prefix); (s = t->slots[i]); i = (i + 1) % SLOTS)
		if (s->home == t->home && same_key(&s->key, key))
			return s;
	return NULL;
}

/* At the end. Of those of all homes, the one that has an intact tick seq; else the one at this home; else the first by name. */
static struct tally_stream *choose_stream(const struct tally *t, const struct tick_stream *key, int64_t seq, int home)
{
	struct tally_stream *s, *best = NULL;
	int best_rank = -1;

	for (size_t i = slot_of(key->prefix); (s = t->slots[i]); i = (i + 1) % SLOTS) {
		int rank = (s->number >= 0 ? 4 : 0) + (intervals_has(&s->seen.intact, seq) ? 2 : 0) + (s->home == home);

		if (!same_key(&s->key, key) || rank < best_rank ||
		    (rank == best_rank && strcmp(s->seen.replica_set, best->seen.replica_set) > 0))
			continue;
		best = s;
		best_rank = rank;
	}
	return best;
}

/* At any home. */
static struct tally_stream *find_id(const struct tally *t, const unsigned char id[static 12])
{
	struct tally_stream *s;

	for (size_t i = slot_of(id); (s = t->slots[i]); i = (i + 1) % SLOTS)
		if (tick_id_seq(&s->key, id) > 0)
			return s;
	return NULL;
}

/* *ret is NULL if there are too many already. */
static bool add_stream(struct tally *t, const struct tick_stream *key, struct tally_stream **ret, struct err *err)
{
	struct tally_stream *s;
	size_t i = slot_of(key->prefix);

	if (t->stream_count == t->limits.streams) {
		*ret = NULL;
		return true;
	}
	if (t->stream_count == t->stream_cap) {
		size_t cap = t->stream_cap ? t->stream_cap * 2 : 16;
		struct tally_stream **streams = reallocarray(t->streams, cap, sizeof *streams);

		if (!streams)
			return err_nomem(err);
		t->streams = streams;
		t->stream_cap = cap;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		return err_nomem(err);
	s->key = *key;
	memcpy(s->seen.ns, t->ns, sizeof s->seen.ns);
	s->home = t->home;
	memcpy(s->seen.replica_set, t->home < 0 ? t->replica_set : t->home_names[t->home], sizeof s->seen.replica_set);
	s->seen.run = key->run;
	s->seen.writer = key->writer;
	intervals_init(&s->seen.intact, t->limits.intervals);
	while (t->slots[i])
		i = (i + 1) % SLOTS;
	t->slots[i] = t->streams[t->stream_count++] = s;
	t->incomplete = t->incomplete || t->dropped;
	*ret = s;
	return true;
}

static bool get_stream(struct tally *t, const struct tick_stream *key, struct tally_stream **ret, struct err *err)
{
	*ret = find_stream(t, key);
	return *ret || add_stream(t, key, ret, err);
}

/* --- intact ticks
 * ---------------------------------------------------------------------------------------------------------------- */

static bool insert_block(struct observed_stream *s, size_t at, int64_t block, struct err *err)
{
	if (s->block_count == s->block_cap) {
		size_t cap = s->block_cap ? s->block_cap * 2 : 16;
		struct observed_block *blocks = reallocarray(s->blocks, cap, sizeof *blocks);

		if (!blocks)
			return err_nomem(err);
		s->blocks = blocks;
		s->block_cap = cap;
	}
	memmove(s->blocks + at + 1, s->blocks + at, (s->block_count - at) * sizeof *s->blocks);
	s->blocks[at] = (struct observed_block){.block = block};
	s->block_count++;
	return true;
}

static bool get_block(struct observed_stream *s, int64_t block, struct observed_block **ret, struct err *err)
{
	size_t low = 0, high = s->block_count;

	if (high && s->blocks[high - 1].block == block) {
		*ret = &s->blocks[high - 1];
		return true;
	}
	if (high && s->blocks[high - 1].block < block)
		low = high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->blocks[mid].block < block)
			low = mid + 1;
		else
			high = mid;
	}
	if ((low == s->block_count || s->blocks[low].block != block) && !insert_block(s, low, block, err))
		return false;
	*ret = &s->blocks[low];
	return true;
}

static void note_newest(struct tally *t, const struct tick_view *view, const struct tally_stream *stream)
{
	if (view->created_at_ms < TIME_LEAST_MS || view->created_at_ms > TIME_MOST_MS)
		return;
	if (view->created_at_ms < t->newest_ms ||
	    (view->created_at_ms == t->newest_ms && (t->newest_stream || !stream)))
		return;
	t->newest_ms = view->created_at_ms;
	t->newest_stream = stream;
	t->newest_seq = stream ? view->seq : 0;
}

static bool add_suspect(struct tally *t, const void *bson, size_t len, enum tick_fault fault,
    const struct tick_view *view, struct err *err);

/* ret_new: false if this tick was there already. */
static bool record_intact(
    struct tally *t, struct tally_stream *s, const struct tick_view *view, bool *ret_new, struct err *err)
{
	struct err full = ERR_INIT;
	struct observed_block *block;

	if (!intervals_add(&s->seen.intact, view->seq, ret_new, &full)) {
		if (full.code != ERR_LIMIT) {
			if (err)
				*err = full;
			return false;
		}
		/* one hole too many to be told: the tick is counted, not listed */
		t->counts.truncated = true;
		*ret_new = true;
		return true;
	}
	if (!*ret_new)
		return true;
	if (!get_block(&s->seen, tick_block(view->seq), &block, err))
		return false;
	block->ticks++;
	tick_digest_add(&block->digest, view->seq, view->sum);
	return true;
}

static bool add_intact(struct tally *t, const void *bson, size_t len, const struct tick_view *view, struct err *err)
{
	struct tally_stream *s = t->last;
	bool fresh;

	if (!s || s->key.writer != view->writer || s->home != t->home || !uuid_equal(&s->key.run, &view->run)) {
		if (!get_stream(t, &t->cache, &s, err))
			return false;
		if (!s) {
			t->counts.beyond_streams++;
			note_newest(t, view, NULL);
			return true;
		}
		t->last = s;
	}
	if (!record_intact(t, s, view, &fresh, err))
		return false;
	note_newest(t, view, s);
	if (!fresh)
		return add_suspect(t, bson, len, TICK_INTACT, view, err);
	t->counts.intact++;
	return true;
}

/* --- the others
 * ------------------------------------------------------------------------------------------------------------------ */

/* Room for one more element; the caller has checked count < most. */
static void *grow(void *array, size_t size, size_t count, size_t *cap, size_t most, struct err *err)
{
	size_t want = *cap ? *cap * 2 : 64;
	void *bigger;

	if (count < *cap)
		return array;
	if (want > most)
		want = most;
	bigger = reallocarray(array, want, size);
	if (!bigger)
		err_nomem(err);
	else
		*cap = want;
	return bigger;
}

static bool add_suspect(
    struct tally *t, const void *bson, size_t len, enum tick_fault fault, const struct tick_view *view, struct err *err)
{
	struct suspect *suspects;

	t->counts.anomalies++;
	if (t->suspect_count >= t->limits.anomalies) {
		t->counts.truncated = true;
		return true;
	}
	suspects = grow(t->suspects, sizeof *suspects, t->suspect_count, &t->suspect_cap, t->limits.anomalies, err);
	if (!suspects)
		return false;
	t->suspects = suspects;
	suspect_take(bson, len, fault, view, &suspects[t->suspect_count]);
	suspects[t->suspect_count++].home = t->home;
	return true;
}

static bool add_damaged(
    struct tally *t, const void *bson, size_t len, enum tick_fault fault, const struct tick_view *view, struct err *err)
{
	struct tick_stream claimed;
	struct tally_stream *s = NULL;

	/* two of _id, fields and randomdata agree: such a stream exists, even if none of its ticks is intact */
	if (suspect_vouches(bson, len, t->ns, view, &claimed)) {
		if (!get_stream(t, &claimed, &s, err))
			return false;
		if (s)
			s->vouched = true;
	}
	return add_suspect(t, bson, len, fault, view, err);
}

static bool add_stranger(struct tally *t, const void *bson, size_t len, const struct tick_view *view, struct err *err)
{
	struct stranger *strangers;

	if (view->has_id && find_id(t, view->id))
		return add_suspect(t, bson, len, TICK_NOT_A_TICK, view, err);
	t->counts.not_ticks++;
	if (!view->has_id)
		return true;
	if (t->stranger_count >= t->limits.strangers) {
		t->dropped = true;
		return true;
	}
	strangers =
	    grow(t->strangers, sizeof *strangers, t->stranger_count, &t->stranger_cap, t->limits.strangers, err);
	if (!strangers)
		return false;
	t->strangers = strangers;
	memcpy(strangers[t->stranger_count].id, view->id, sizeof view->id);
	strangers[t->stranger_count].home = t->home;
	strangers[t->stranger_count++].created_at_ms = view->created_at_ms;
	return true;
}

void tally_owner(struct tally *t, bool (*owns)(void *ctx, const void *bson, size_t len), void *ctx)
{
	t->owns = owns;
	t->owner = ctx;
}

void tally_homes(struct tally *t, int (*home)(void *ctx, const void *bson, size_t len), void *ctx,
    const char (*names)[TALLY_HOME_MAX])
{
	t->find_home = home;
	t->homes = ctx;
	t->home_names = names;
}

bool tally_add(struct tally *t, const void *bson, size_t len, struct err *err)
{
	struct tick_view view;
	enum tick_fault fault;

	if (t->owns && !t->owns(t->owner, bson, len)) {
		t->counts.orphans++;
		return true;
	}
	if (t->find_home)
		t->home = t->find_home(t->homes, bson, len);
	fault = tick_check(bson, len, t->ns, &t->cache, &view);
	t->counts.documents++;
	if (fault == TICK_INTACT)
		return add_intact(t, bson, len, &view, err);
	note_newest(t, &view, NULL);
	if (fault == TICK_NOT_A_TICK)
		return add_stranger(t, bson, len, &view, err);
	return add_damaged(t, bson, len, fault, &view, err);
}

/* --- the end
 * ---------------------------------------------------------------------------------------------------------------------
 */

static int compare_streams(const void *a, const void *b)
{
	const struct tally_stream *x = *(struct tally_stream *const *)a, *y = *(struct tally_stream *const *)b;
	int order = memcmp(x->key.run.bytes, y->key.run.bytes, sizeof x->key.run.bytes);

	if (!order)
		order = (x->key.writer > y->key.writer) - (x->key.writer < y->key.writer);
	return order ? order : strcmp(x->seen.replica_set, y->seen.replica_set);
}

/* Those without evidence are left over from an earlier pass. They go to the end, behind the ones that count. */
static void number_streams(struct tally *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->stream_count; i++) {
		struct tally_stream *s = t->streams[i];

		if (!s->seen.intact.total && !s->vouched)
			continue;
		t->streams[i] = t->streams[kept];
		t->streams[kept++] = s;
	}
	if (kept)
		qsort(t->streams, kept, sizeof *t->streams, compare_streams);
	for (size_t i = 0; i < t->stream_count; i++)
		t->streams[i]->number = i < kept ? (int32_t)i : -1;
}

static bool settle_strangers(struct tally *t, struct err *err)
{
	for (size_t i = 0; i < t->stranger_count; i++) {
		struct tick_view view = {.has_id = true, .created_at_ms = t->strangers[i].created_at_ms};

		memcpy(view.id, t->strangers[i].id, sizeof view.id);
		if (!find_id(t, view.id))
			continue;
		t->home = t->strangers[i].home;
		t->counts.not_ticks--;
		if (!add_suspect(t, NULL, 0, TICK_NOT_A_TICK, &view, err))
			return false;
	}
	t->stranger_count = 0;
	return true;
}

static void settle_suspect(const struct tally *t, struct suspect *s)
{
	struct tally_stream *by_id = s->view.has_id ? find_id(t, s->view.id) : NULL, *by_fields = NULL;
	struct tick_stream claimed;

	if (by_id)
		by_id = choose_stream(t, &by_id->key, tick_id_seq(&by_id->key, s->view.id), s->home);
	if (s->has_fields) {
		tick_stream_init(&claimed, &s->view.run, t->ns, s->view.writer);
		by_fields = choose_stream(t, &claimed, s->view.seq, s->home);
	}
	suspect_settle(s, by_id, by_fields, t->ns);
}

static int compare_suspects(const void *a, const void *b)
{
	const struct suspect *x = a, *y = b;
	int32_t i = x->stream ? x->stream->number : -1, j = y->stream ? y->stream->number : -1;

	if (i != j)
		return i < j ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return memcmp(x->view.id, y->view.id, sizeof x->view.id);
}

bool tally_finish(struct tally *t, struct err *err)
{
	number_streams(t);
	if (!settle_strangers(t, err))
		return false;
	for (size_t i = 0; i < t->suspect_count; i++)
		settle_suspect(t, &t->suspects[i]);
	if (t->suspect_count)
		qsort(t->suspects, t->suspect_count, sizeof *t->suspects, compare_suspects);
	return true;
}

void tally_forget_homes(struct tally *t)
{
	for (size_t i = 0; i < t->stream_count; i++)
		if (t->streams[i]->home >= 0)
			memcpy(t->streams[i]->seen.replica_set, t->replica_set, sizeof t->replica_set);
}

struct tally_counts tally_counts(const struct tally *t)
{
	return t->counts;
}

size_t tally_streams(const struct tally *t)
{
	size_t count = 0;

	while (count < t->stream_count && t->streams[count]->number >= 0)
		count++;
	return count;
}

const struct observed_stream *tally_stream(const struct tally *t, size_t i)
{
	return &t->streams[i]->seen;
}

size_t tally_anomalies(const struct tally *t)
{
	return t->suspect_count;
}

void tally_anomaly(const struct tally *t, size_t i, int32_t first_stream, struct observed_anomaly *ret)
{
	const struct suspect *s = &t->suspects[i];

	*ret = (struct observed_anomaly){
	    .kind = s->duplicate ? OBSERVED_DUPLICATE : OBSERVED_CORRUPT,
	    .stream = s->stream && s->stream->number >= 0 ? first_stream + s->stream->number : -1,
	    .seq = s->seq,
	    .fault = s->fault,
	    .created_at_ms = s->view.created_at_ms,
	};
	memcpy(ret->ns, t->ns, sizeof ret->ns);
	suspect_id_text(s, ret->id, sizeof ret->id);
	suspect_detail(s, t->ns, ret->detail, sizeof ret->detail);
}

bool tally_newest(const struct tally *t, int32_t first_stream, struct observed_newest *ret)
{
	if (t->newest_ms == INT64_MIN)
		return false;
	*ret = (struct observed_newest){.created_at_ms = t->newest_ms, .stream = -1, .seq = t->newest_seq};
	memcpy(ret->ns, t->ns, sizeof ret->ns);
	if (t->newest_stream)
		ret->stream = first_stream + t->newest_stream->number;
	return true;
}
