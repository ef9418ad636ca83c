#include "story.h"

#include <criterion/criterion.h>
#include <string.h>

static void *grown(void *items, size_t *cap, size_t count, size_t size)
{
	if (count < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 64;
	items = reallocarray(items, *cap, size);
	cr_assert_not_null(items);
	return items;
}

struct uuid story_run(int number)
{
	struct uuid run = {{0xaa, (unsigned char)number}};

	return run;
}

uint64_t story_sum(int64_t seq)
{
	return (uint64_t)seq * 0x9e3779b97f4a7c15u + 3;
}

struct record_head story_head(const struct story_journal *j, uint64_t n)
{
	struct record_head head = {.n = n};

	snprintf(head.chain, sizeof head.chain, "%016llx%016llx", (unsigned long long)(j->salt + 77),
	    (unsigned long long)(n * 0x9e3779b97f4a7c15u));
	return head;
}

/* --- journals
 * ----------------------------------------------------------------------------------------------------------------------
 */

struct story_journal *story_journal(struct story *s, int run)
{
	struct story_journal *j = &s->journals[s->journal_count++];

	*j = (struct story_journal){.state = JOURNAL_SEALED, .salt = (uint64_t)run};
	j->open.run = story_run(run);
	j->open.at_ms = STORY_WALL;
	j->open.interval_us = 1000000;
	j->open.batch = 1;
	j->open.clock_error_ms = 20;
	strcpy(j->open.cluster_kind, "replicaSet");
	strcpy(j->open.cluster_id, "65aaaaaaaaaaaaaaaaaaaaaa");
	return j;
}

uint32_t story_stream(struct story_journal *j, const char *ns, int32_t writer)
{
	struct journal_stream *stream = &j->open.streams[j->open.stream_count];

	strcpy(stream->ns, ns);
	stream->writer = writer;
	return (uint32_t)j->open.stream_count++;
}

static struct journal_record *add(struct story_journal *j, struct journal_record rec)
{
	j->records = grown(j->records, &j->cap, j->count, sizeof *j->records);
	j->records[j->count] = rec;
	return &j->records[j->count++];
}

struct journal_record *story_issued(
    struct story_journal *j, uint32_t stream, int64_t ms, int64_t first, int64_t last, struct optime lo)
{
	struct journal_record rec = {
	    .type = JOURNAL_ISSUED, .ms = ms, .stream = stream, .first = first, .last = last, .lo = lo};

	for (int64_t seq = first; seq <= last; seq++)
		tick_digest_add(&rec.digest, seq, story_sum(seq));
	return add(j, rec);
}

struct journal_record *story_acked(
    struct story_journal *j, uint32_t stream, int64_t ms, int64_t first, int64_t last, struct optime hi, bool exact)
{
	return add(j, (struct journal_record){.type = JOURNAL_ACKED,
			  .ms = ms,
			  .stream = stream,
			  .first = first,
			  .last = last,
			  .hi = hi,
			  .exact = exact});
}

struct journal_record *story_outcome(
    struct story_journal *j, enum journal_type type, uint32_t stream, int64_t ms, int64_t first, int64_t last)
{
	return add(j, (struct journal_record){.type = type, .ms = ms, .stream = stream, .first = first, .last = last});
}

struct journal_record *story_outcome_of(struct story *s, int64_t seq)
{
	struct story_journal *j = &s->journals[0];

	for (size_t i = 0; i < j->count; i++)
		if (j->records[i].type != JOURNAL_ISSUED && j->records[i].first == seq)
			return &j->records[i];
	cr_assert_fail("tick %lld has no outcome", (long long)seq);
	return NULL;
}

void story_cut(struct story_journal *j, size_t count)
{
	j->count = count;
}

/* --- observation
 * -------------------------------------------------------------------------------------------------------------------
 */

static struct observed_block *block_of(struct observed_stream *o, int64_t block)
{
	size_t at = o->block_count;

	for (size_t i = 0; i < o->block_count; i++)
		if (o->blocks[i].block == block)
			return &o->blocks[i];
	o->blocks = grown(o->blocks, &o->block_cap, o->block_count, sizeof *o->blocks);
	for (; at && o->blocks[at - 1].block > block; at--)
		o->blocks[at] = o->blocks[at - 1];
	o->blocks[at] = (struct observed_block){.block = block};
	o->block_count++;
	return &o->blocks[at];
}

void story_see(struct observed_stream *o, int64_t first, int64_t last)
{
	for (int64_t seq = first; seq <= last; seq++) {
		struct observed_block *block = block_of(o, tick_block(seq));
		bool new;

		cr_assert(intervals_add(&o->intact, seq, &new, NULL));
		cr_assert(new);
		block->ticks++;
		tick_digest_add(&block->digest, seq, story_sum(seq));
	}
}

void story_unsee(struct observed_stream *o, int64_t seq)
{
	struct observed_block *block = block_of(o, tick_block(seq));

	cr_assert(intervals_has(&o->intact, seq));
	cr_assert(intervals_remove(&o->intact, seq, NULL));
	tick_digest_remove(&block->digest, seq, story_sum(seq));
	if (!--block->ticks) {
		size_t at = (size_t)(block - o->blocks);

		memmove(block, block + 1, (--o->block_count - at) * sizeof *block);
	}
}

void story_alter(struct observed_stream *o, int64_t seq)
{
	struct observed_block *block = block_of(o, tick_block(seq));

	tick_digest_remove(&block->digest, seq, story_sum(seq));
	tick_digest_add(&block->digest, seq, story_sum(seq) ^ 1);
}

struct observed_stream *story_observe(
    struct story *s, const char *ns, int32_t writer, int run, const char *set, int64_t first, int64_t last)
{
	struct observed *o = &s->observed;
	struct observed_stream *stream;

	o->streams = reallocarray(o->streams, o->stream_count + 1, sizeof *o->streams);
	cr_assert_not_null(o->streams);
	stream = &o->streams[o->stream_count++];
	*stream = (struct observed_stream){.writer = writer, .run = story_run(run)};
	strcpy(stream->ns, ns);
	strcpy(stream->replica_set, set);
	intervals_init(&stream->intact, OBSERVED_INTERVALS_MAX);
	story_see(stream, first, last);
	return stream;
}

void story_anomaly(struct story *s, enum observed_anomaly_kind kind, int32_t stream, int64_t seq)
{
	struct observed *o = &s->observed;

	o->anomalies = reallocarray(o->anomalies, o->anomaly_count + 1, sizeof *o->anomalies);
	cr_assert_not_null(o->anomalies);
	o->anomalies[o->anomaly_count++] =
	    (struct observed_anomaly){.kind = kind, .stream = stream, .seq = seq, .fault = TICK_BAD_SUM};
	o->anomalies_total++;
}

void story_restore(struct story *s, const char *backup, const char *status)
{
	struct observed *o = &s->observed;
	struct observed_restore *r;

	o->restores = reallocarray(o->restores, o->restore_count + 1, sizeof *o->restores);
	cr_assert_not_null(o->restores);
	r = &o->restores[o->restore_count++];
	*r = (struct observed_restore){.start_ts = 1060, .finish_ts = 1095};
	strcpy(r->name, "2026-01-01T00:01:00.123Z");
	strcpy(r->backup, backup);
	strcpy(r->status, status);
}

/* --- timeline
 * ----------------------------------------------------------------------------------------------------------------------
 */

/* The newest record of the first journal by then, were it flawless. */
static void mention(struct story *s, struct timeline_record *rec, int64_t ms)
{
	int64_t acked = ms / 1000 < STORY_TICKS ? ms / 1000 : STORY_TICKS;
	uint64_t n = (uint64_t)(acked * 2 + 1);
	struct record_head head = story_head(&s->journals[0], n);

	if (ms < 1000 || !s->journal_count)
		return;
	rec->journal = (struct timeline_journal){.known = true, .run = s->journals[0].open.run, .n = n};
	memcpy(rec->journal.chain, head.chain, sizeof head.chain);
}

struct timeline_record *story_event(struct story *s, int64_t ms, const char *name)
{
	size_t at = s->timeline_count;
	struct timeline_record *rec;

	s->timeline = grown(s->timeline, &s->timeline_cap, s->timeline_count, sizeof *s->timeline);
	for (; at && s->timeline[at - 1].mono_ms > STORY_MONO + ms; at--)
		s->timeline[at] = s->timeline[at - 1];
	s->timeline_count++;
	rec = &s->timeline[at];
	memset(rec, 0, sizeof *rec);
	rec->at_ms = STORY_WALL + ms;
	rec->mono_ms = STORY_MONO + ms;
	rec->is_head = !strcmp(name, "head");
	if (!rec->is_head)
		strcpy(rec->name, name);
	mention(s, rec, ms);
	return rec;
}

void story_add(struct timeline_record *rec, const char *key, const char *value)
{
	struct timeline_pair *pair = NULL;

	for (size_t i = 0; i < rec->data_count; i++)
		if (!strcmp(rec->data[i].key, key))
			pair = &rec->data[i];
	pair = pair ? pair : &rec->data[rec->data_count++];
	strcpy(pair->key, key);
	strcpy(pair->value, value);
}

struct timeline_record *story_event_with(
    struct story *s, int64_t ms, const char *name, const char *key, const char *value)
{
	struct timeline_record *rec = story_event(s, ms, name);

	story_add(rec, key, value);
	return rec;
}

struct timeline_record *story_find_event(struct story *s, const char *name)
{
	for (size_t i = 0; i < s->timeline_count; i++)
		if (!strcmp(s->timeline[i].name, name))
			return &s->timeline[i];
	cr_assert_fail("no event \"%s\"", name);
	return NULL;
}

void story_forget(struct story *s, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->timeline_count; i++)
		if (strcmp(s->timeline[i].name, name) != 0)
			s->timeline[kept++] = s->timeline[i];
	s->timeline_count = kept;
}

void story_forget_heads(struct story *s, int64_t from_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->timeline_count; i++)
		if (!s->timeline[i].is_head || s->timeline[i].mono_ms < STORY_MONO + from_ms)
			s->timeline[kept++] = s->timeline[i];
	s->timeline_count = kept;
}

/* --- the flawless one
 * -------------------------------------------------------------------------------------------------------------- */

static void tell_bound(struct bound *b)
{
	bound_init(b);
	strcpy(b->source, "bucket");
	strcpy(b->backup_name, "2026-01-01T00:00:20Z");
	strcpy(b->opid, "65bbbbbbbbbbbbbbbbbbbbbb");
	strcpy(b->cluster_figure, "only");
	b->b0 = b->cluster_last_write = (struct optime){1020, 1};
	b->set_count = 1;
	b->sets[0] = (struct bound_set){.name = "rs0", .last_write = b->b0, .b0 = b->b0, .b1 = b->b0};
}

static void tell_observation(struct story *s)
{
	struct observed *o = &s->observed;
	static const char *const probes[] = {"login", "read", "write"};

	observed_init(o);
	strcpy(o->open.read_concern, "majority");
	strcpy(o->open.cluster_kind, "replicaSet");
	strcpy(o->open.cluster_id, "65cccccccccccccccccccccc");
	o->open.at_ms = STORY_WALL + 104500;
	o->open.read_after = (struct optime){1104, 1};
	o->namespaces = calloc(1, sizeof *o->namespaces);
	cr_assert_not_null(o->namespaces);
	strcpy(o->namespaces[o->namespace_count++].ns, "drill.ticker");
	for (size_t i = 0; i < 3; i++, o->probe_count++) {
		o->probes[i] = (struct observed_probe){
		    .at_ms = STORY_WALL + 102000 + (int64_t)i * 1000, .ok = true, .attempts = 1};
		strcpy(o->probes[i].name, probes[i]);
	}
	o->login_count = 1;
	o->logins[0].ok = true;
	strcpy(o->logins[0].user, "databaseAdmin");
	story_restore(s, s->bound.backup_name, "done");
	o->has_backup = true;
	strcpy(o->backup.name, s->bound.backup_name);
	strcpy(o->backup.opid, s->bound.opid);
	strcpy(o->backup.status, "done");
	o->backup.last_write = s->bound.cluster_last_write;
	o->newest_count = 1;
	o->newest[0] = (struct observed_newest){.ns = "drill.ticker", .created_at_ms = STORY_WALL + 19900, .seq = 20};
	o->ended = true;
	story_observe(s, "drill.ticker", 0, 1, "rs0", 1, 20);
}

static void tell_timeline(struct story *s)
{
	struct timeline_record *rec;

	for (int64_t ms = 500; ms <= 40500; ms += 1000)
		story_event(s, ms, "head");
	story_event(s, 0, "drill.start");
	rec = story_event_with(s, 100, "clock", "offset_ms", "0");
	story_add(rec, "error_ms", "100");
	story_event_with(s, 200, "versions", "mongod", "6.0.5");
	story_event(s, 15500, "backup.requested");
	story_event_with(s, 22000, "backup.finished", "backup", s->bound.backup_name);
	story_event(s, 25000, "bound.pinned");
	story_event(s, 40500, "disaster");
	story_event(s, 45500, "volumes.gone");
	story_event(s, 46500, "cluster.requested");
	story_event(s, 80500, "cluster.ready");
	story_event(s, 81500, "restore.requested");
	rec = story_event_with(s, 100500, "restore.finished", "backup", s->bound.backup_name);
	story_add(rec, "state", "done");
	story_add(rec, "reported_by", "psmdb-restore/restore1");
}

void story_init(struct story *s)
{
	struct story_journal *j;

	memset(s, 0, sizeof *s);
	s->options = (struct judge_options)JUDGE_OPTIONS_DEFAULT;
	verdict_init(&s->verdict);
	tell_bound(&s->bound);
	j = story_journal(s, 1);
	story_stream(j, "drill.ticker", 0);
	for (uint32_t k = 1; k <= STORY_TICKS; k++) {
		story_issued(j, 0, 1000 * k - 100, k, k, (struct optime){1000 + k - 1, 1});
		story_acked(j, 0, 1000 * k, k, k, (struct optime){1000 + k, 1}, true);
	}
	tell_observation(s);
	tell_timeline(s);
	s->timeline_state = RECORD_END;
}

void story_clear(struct story *s)
{
	for (size_t i = 0; i < s->journal_count; i++)
		free(s->journals[i].records);
	free(s->timeline);
	observed_clear(&s->observed);
	bound_clear(&s->bound);
	verdict_clear(&s->verdict);
}

/* --- judging
 * -----------------------------------------------------------------------------------------------------------------------
 */

static void feed_journal(struct judge *judge, struct story_journal *j, struct err *err)
{
	struct record_head head = story_head(j, 1);
	uint64_t n = 1;

	cr_assert(judge_journal_begin(judge, &j->open, err), "%s", err->msg);
	for (size_t i = 0; i < j->count; i++) {
		struct journal_record rec = j->records[i];

		n = rec.n ? rec.n : n + 1;
		rec.n = n;
		head = story_head(j, n);
		cr_assert(judge_journal_record(judge, &rec, &head, err), "%s", err->msg);
	}
	if (j->state == JOURNAL_SEALED)
		head = story_head(j, n + 1);
	cr_assert(judge_journal_end(judge, j->state, &j->why, &head, err), "%s", err->msg);
}

void story_judge(struct story *s)
{
	struct timeline_open open = {.drill = story_run(200), .scenario = "case-1"};
	struct err err = ERR_INIT;
	struct judge *judge = NULL;

	s->observed.intact = s->unlisted;
	for (size_t i = 0; i < s->observed.stream_count; i++)
		s->observed.intact += s->observed.streams[i].intact.total;
	verdict_clear(&s->verdict);
	cr_assert(
	    judge_new(&s->options, s->no_bound ? NULL : &s->bound, s->no_observed ? NULL : &s->observed, &judge, &err));
	judge_bound_sha256(judge, s->bound_sha256);
	if (s->has_before)
		judge_before(judge, &s->before);
	if (!s->no_timeline) {
		cr_assert(judge_timeline_open(judge, &open, &err));
		for (size_t i = 0; i < s->timeline_count; i++)
			cr_assert(judge_timeline(judge, &s->timeline[i], &err), "%s", err.msg);
		cr_assert(judge_timeline_end(judge, s->timeline_state, &err, &err));
	}
	for (size_t i = 0; i < s->journal_count; i++)
		feed_journal(judge, &s->journals[i], &err);
	cr_assert(judge_finish(judge, &s->verdict, &err), "%s", err.msg);
	judge_free(judge);
}

const struct verdict_reason *story_reason(const struct story *s, enum verdict_reason_code code)
{
	for (size_t i = 0; i < s->verdict.reason_count; i++)
		if (s->verdict.reasons[i].code == code)
			return &s->verdict.reasons[i];
	return NULL;
}

const char *story_reasons(const struct story *s)
{
	static char text[8192];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s->verdict.reason_count && used < sizeof text; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s: %s", i ? "\n" : "",
		    verdict_reason_text(s->verdict.reasons[i].code), s->verdict.reasons[i].message);
	return used ? text : "no reasons";
}

void story_shard(struct story *s, const char *name, struct optime b1)
{
	struct bound_set *set = &s->bound.sets[s->bound.set_count++];

	*set = (struct bound_set){.last_write = b1, .b0 = s->bound.b0, .b1 = b1};
	strcpy(set->name, name);
}

void story_expect(struct story *s, enum verdict_reason_code code, enum verdict_result result)
{
	const struct verdict_reason *reason;

	story_judge(s);
	cr_expect_reason(s, code);
	cr_expect_result(s, result);
	reason = story_reason(s, code);
	cr_expect(!reason || (reason->message[0] && reason->hint[0]));
}

void story_expect_pass(struct story *s)
{
	story_judge(s);
	cr_expect_result(s, VERDICT_PASS);
}
