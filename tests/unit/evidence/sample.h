/* Shared by the tests of this room: a sink in memory that can be told to fail, and records to write. */
#ifndef TEST_EVIDENCE_SAMPLE_H
#define TEST_EVIDENCE_SAMPLE_H

#include "evidence/journal.h"

#include <criterion/criterion.h>
#include <string.h>

#define SAMPLE_T0 INT64_C(1700000000000)

struct memory_sink {
	struct buf text;
	int calls;
	int fail_at; /* the Nth write fails; 0: none */
};

static inline bool memory_write(void *ctx, const char *line, size_t len, struct err *err)
{
	struct memory_sink *m = ctx;

	if (++m->calls == m->fail_at)
		return err_set(err, ERR_IO, "write refused by the test");
	return buf_add(&m->text, line, len, err);
}

static inline struct record_sink memory_sink_init(struct memory_sink *m)
{
	*m = (struct memory_sink){.text = BUF_INIT(64 << 20)};
	return (struct record_sink){.write = memory_write, .ctx = m};
}

static inline struct journal_open sample_open(size_t streams)
{
	struct journal_open open = {.at_ms = SAMPLE_T0,
	    .ticker = "psmdb-ticker 0.1.0",
	    .cluster_kind = "replicaSet",
	    .cluster_id = "65f0a1b2c3d4e5f601234567",
	    .set_name = "rs0",
	    .clock_offset_ms = -3,
	    .clock_error_ms = 2,
	    .interval_us = 1000000,
	    .batch = 1,
	    .stream_count = streams};

	uuid_parse("5f1c2a34-9d0e-4b7a-8c11-2233445566ff", &open.run);
	for (size_t i = 0; i < streams; i++) {
		snprintf(open.streams[i].ns, sizeof open.streams[i].ns, "%s", i % 2 ? "drill.ticker" : "admin.ticker");
		open.streams[i].writer = (int32_t)(i / 2);
	}
	return open;
}

static inline struct journal_record issued(uint32_t stream, int64_t first, int64_t last)
{
	struct journal_record rec = {.type = JOURNAL_ISSUED,
	    .ms = first * 10,
	    .stream = stream,
	    .first = first,
	    .last = last,
	    .lo = {1700000000, (uint32_t)first},
	    .created_at_ms = SAMPLE_T0 + first,
	    .sum = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)first};

	for (int64_t seq = first; seq <= last; seq++)
		tick_digest_add(&rec.digest, seq, UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)seq);
	return rec;
}

static inline struct journal_record acked(uint32_t stream, int64_t first, int64_t last)
{
	return (struct journal_record){.type = JOURNAL_ACKED,
	    .ms = first * 10 + 3,
	    .stream = stream,
	    .first = first,
	    .last = last,
	    .hi = {1700000001, (uint32_t)last},
	    .exact = first == last};
}

static inline struct journal_record outcome(enum journal_type type, uint32_t stream, int64_t first, int64_t last)
{
	return (struct journal_record){.type = type,
	    .ms = first * 10 + 4,
	    .stream = stream,
	    .first = first,
	    .last = last,
	    .code = 64,
	    .reason = "waiting for replication timed out"};
}

static inline struct journal_record end_record(void)
{
	return (struct journal_record){.type = JOURNAL_END, .ms = 99999, .reason = "SIGTERM"};
}

/* What a reader says of these bytes at their end, and why. */
static inline enum journal_state read_journal(const char *text, size_t len, struct err *err)
{
	struct record_reader *records = NULL;
	struct journal_reader *r = NULL;
	struct journal_record rec;
	enum journal_state state;

	cr_assert(record_reader_memory(text, len, false, &records, err));
	if (!journal_reader_new(records, &r, err))
		return JOURNAL_BROKEN;
	while ((state = journal_next(r, &rec, err)) == JOURNAL_RECORD)
		;
	cr_assert_eq(journal_next(r, &rec, err), state, "a final state is final");
	journal_reader_free(r);
	return state;
}

#endif
