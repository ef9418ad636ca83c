#include "sample.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void write_all(struct memory_sink *m, size_t streams, const struct journal_record *recs, size_t count)
{
	struct record_sink sink = memory_sink_init(m);
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct journal_open open = sample_open(streams);
	struct err err = ERR_INIT;

	cr_assert(journal_writer_new(&sink, &open, &w, &err), "%s", err.msg);
	for (size_t i = 0; i < count; i++)
		cr_assert(journal_write(w, &recs[i], &err), "record %zu: %s", i, err.msg);
}

Test(journal, what_was_written_is_read_back_in_full)
{
	const struct journal_record recs[] = {issued(0, 1, 1), acked(0, 1, 1), issued(1, 1, 700), acked(1, 1, 300),
	    outcome(JOURNAL_UNKNOWN, 1, 301, 600), acked(1, 400, 450), outcome(JOURNAL_FAILED, 1, 601, 700),
	    issued(0, 2, 2), end_record()};
	struct memory_sink m;
	struct record_reader *records = NULL;
	CLEANUP(journal_reader) struct journal_reader *r = NULL;
	struct journal_record got;
	struct err err = ERR_INIT;
	const struct journal_open want = sample_open(2);

	write_all(&m, 2, recs, COUNT(recs));
	cr_assert(record_reader_memory(m.text.data, m.text.len, false, &records, NULL));
	cr_assert(journal_reader_new(records, &r, &err), "%s", err.msg);
	cr_assert(!memcmp(journal_reader_open_record(r), &want, sizeof want));
	for (size_t i = 0; i < COUNT(recs); i++) {
		struct journal_record w = recs[i];

		cr_assert_eq(journal_next(r, &got, &err), JOURNAL_RECORD, "%zu: %s", i, err.msg);
		w.n = i + 2;
		if (w.type == JOURNAL_ISSUED && w.first != w.last)
			w.created_at_ms = 0, w.sum = 0;
		if (w.type == JOURNAL_END)
			w.total_issued = 702, w.total_acked = 352, w.total_failed = 100, w.total_unknown = 249;
		cr_assert_eq(got.n, w.n);
		cr_assert_eq(got.type, w.type);
		cr_assert(
		    got.ms == w.ms && got.stream == w.stream && got.first == w.first && got.last == w.last, "%zu", i);
		cr_assert(!optime_cmp(got.lo, w.lo) && !optime_cmp(got.hi, w.hi) && got.exact == w.exact, "%zu", i);
		cr_assert(got.created_at_ms == w.created_at_ms && got.sum == w.sum &&
			      tick_digest_equal(&got.digest, &w.digest),
		    "%zu", i);
		cr_assert(got.code == w.code && !strcmp(got.reason, w.reason), "%zu", i);
		cr_assert(got.total_issued == w.total_issued && got.total_acked == w.total_acked &&
			      got.total_failed == w.total_failed && got.total_unknown == w.total_unknown,
		    "%zu: %lld unknown", i, (long long)got.total_unknown);
	}
	cr_assert_eq(journal_next(r, &got, &err), JOURNAL_SEALED);
	cr_assert_eq(journal_reader_head(r).n, COUNT(recs) + 1);
	buf_clear(&m.text);
}

Test(journal, the_writer_refuses_what_breaks_the_lifecycle)
{
	static const struct {
		const char *why;
		struct {
			enum journal_type type;
			uint32_t stream;
			int64_t first, last;
		} moves[4];
		size_t count; /* the last one is refused */
	} cases[] = {
	    {"the first is 1", {{JOURNAL_ISSUED, 0, 2, 2}}, 1},
	    {"no gap", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_ISSUED, 0, 3, 3}}, 2},
	    {"no repeat", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_ISSUED, 0, 1, 1}}, 2},
	    {"only what was issued", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_ACKED, 0, 2, 2}}, 2},
	    {"of that stream", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_ACKED, 1, 1, 1}}, 2},
	    {"acked twice", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_ACKED, 0, 1, 1}, {JOURNAL_ACKED, 0, 1, 1}}, 3},
	    {"acked, then failed", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_ACKED, 0, 1, 1}, {JOURNAL_FAILED, 0, 1, 1}}, 3},
	    {"acked, then unknown", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_ACKED, 0, 1, 1}, {JOURNAL_UNKNOWN, 0, 1, 1}},
		3},
	    {"failed, then acked", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_FAILED, 0, 1, 1}, {JOURNAL_ACKED, 0, 1, 1}}, 3},
	    {"unknown, then failed", {{JOURNAL_ISSUED, 0, 1, 1}, {JOURNAL_UNKNOWN, 0, 1, 1}, {JOURNAL_FAILED, 0, 1, 1}},
		3},
	    {"a part is final", {{JOURNAL_ISSUED, 0, 1, 9}, {JOURNAL_ACKED, 0, 5, 5}, {JOURNAL_ACKED, 0, 1, 9}}, 3},
	    {"across two blocks", {{JOURNAL_ISSUED, 0, 1, 1001}}, 1},
	    {"a stream that is not there", {{JOURNAL_ISSUED, 2, 1, 1}}, 1},
	    {"backwards", {{JOURNAL_ISSUED, 0, 1, 9}, {JOURNAL_ACKED, 0, 5, 4}}, 2},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct memory_sink m;
		struct record_sink sink = memory_sink_init(&m);
		CLEANUP(journal_writer) struct journal_writer *w = NULL;
		struct journal_open open = sample_open(2);

		cr_assert(journal_writer_new(&sink, &open, &w, NULL));
		for (size_t k = 0; k < cases[i].count; k++) {
			struct journal_record rec = outcome(cases[i].moves[k].type, cases[i].moves[k].stream,
			    cases[i].moves[k].first, cases[i].moves[k].last);
			struct err err = ERR_INIT;
			bool ok = journal_write(w, &rec, &err);

			cr_assert_eq(ok, k + 1 < cases[i].count, "%s, record %zu: %s", cases[i].why, k, err.msg);
			cr_assert_eq(err.code, ok ? ERR_NONE : ERR_STATE);
		}
		cr_assert_eq(read_journal(m.text.data, m.text.len, NULL), JOURNAL_UNSEALED, "%s", cases[i].why);
		buf_clear(&m.text);
	}
}

/* A writer of another make: chains whatever it is given. */
static void chain(struct buf *out, struct record_head *head, const char *type, const char *members)
{
	struct record_line line;

	record_line_init(&line);
	record_begin(&line, head, type);
	if (members[0]) {
		cr_assert(buf_add_char(&line.line, ',', NULL));
		cr_assert(buf_add_str(&line.line, members, NULL));
	}
	cr_assert(record_end(&line, head, NULL));
	cr_assert(buf_add(out, line.line.data, line.line.len, NULL));
	record_line_clear(&line);
}

#define ISSUED_1                                                                                                       \
	"\"ms\":1,\"s\":0,\"seq\":\"1\",\"lo\":\"1,1\",\"createdAt\":\"2026-11-23T06:00:00.000Z\",\"sum\":"            \
	"\"0123456789abcdef\""
#define ACKED_1 "\"ms\":2,\"s\":0,\"seq\":\"1\",\"hi\":\"1,2\",\"exact\":true"
#define OPEN                                                                                                           \
	"\"format\":\"psmdb-drill/"                                                                                    \
	"journal\",\"version\":1,\"run\":\"5f1c2a34-9d0e-4b7a-8c11-2233445566ff\",\"at\":\"2026-11-23T06:00:00Z\","    \
	"\"ticker\":\"other\",\"cluster\":{\"kind\":\"replicaSet\",\"id\":\"\",\"set\":\"rs0\"},\"clock\":{\"offset_"  \
	"ms\":0,\"error_ms\":0},"                                                                                      \
	"\"interval_us\":0,\"batch\":1,\"streams\":[{\"ns\":\"a.b\",\"writer\":0}]"

Test(journal, the_reader_refuses_what_breaks_lifecycle_or_form_and_names_the_record)
{
	static const struct {
		const char *says;
		struct {
			const char *type, *members;
		} recs[4];
	} cases[] = {
	    {"issued 2 to 2", {{"issued", "\"ms\":1,\"s\":0,\"seq\":\"2\",\"lo\":\"1,1\",\"createdAt\":\"2026-11-23T06:"
					  "00:00Z\",\"sum\":\"0123456789abcdef\""}}},
	    {"issued only up to 0", {{"acked", ACKED_1}}},
	    {"already have a final outcome", {{"issued", ISSUED_1}, {"acked", ACKED_1}, {"acked", ACKED_1}}},
	    {"cannot be proven failed",
		{{"issued", ISSUED_1}, {"unknown", "\"ms\":1,\"s\":0,\"seq\":\"1\",\"code\":1,\"reason\":\"\""},
		    {"failed", "\"ms\":1,\"s\":0,\"seq\":\"1\",\"code\":1,\"reason\":\"\""}}},
	    {"second open record", {{"open", OPEN}}},
	    {"type \"started\" is not known", {{"started", ""}}},
	    {"\"seq\" is not a decimal", {{"acked", "\"ms\":2,\"s\":0,\"seq\":1,\"hi\":\"1,2\",\"exact\":true"}}},
	    {"stream 1, but there are 1", {{"acked", "\"ms\":2,\"s\":1,\"seq\":\"1\",\"hi\":\"1,2\",\"exact\":true"}}},
	    {"\"hi\" is not an operation time",
		{{"acked", "\"ms\":2,\"s\":0,\"seq\":\"1\",\"hi\":\"1\",\"exact\":true"}}},
	    {"\"exact\" for more than one",
		{{"acked", "\"ms\":2,\"s\":0,\"from\":\"1\",\"to\":\"2\",\"hi\":\"1,2\",\"exact\":true"}}},
	    {"no range", {{"acked", "\"ms\":2,\"s\":0,\"from\":\"1\",\"to\":\"1\",\"hi\":\"1,2\",\"exact\":false"}}},
	    {"one block of 1000",
		{{"acked", "\"ms\":2,\"s\":0,\"from\":\"1000\",\"to\":\"1001\",\"hi\":\"1,2\",\"exact\":false"}}},
	    {"\"ms\" is missing", {{"end", "\"reason\":\"\""}}},
	    {"claims 2 ticks issued, but the records hold 1",
		{{"issued", ISSUED_1}, {"end", "\"ms\":1,\"reason\":\"\",\"issued\":\"2\",\"acked\":\"0\",\"failed\":"
					       "\"0\",\"unknown\":\"0\""}}},
	    {"claims 1 ticks unknown, but the records hold 0",
		{{"issued", ISSUED_1}, {"end", "\"ms\":1,\"reason\":\"\",\"issued\":\"1\",\"acked\":\"0\",\"failed\":"
					       "\"0\",\"unknown\":\"1\""}}},
	    {"stands behind the end",
		{{"end",
		     "\"ms\":1,\"reason\":\"\",\"issued\":\"0\",\"acked\":\"0\",\"failed\":\"0\",\"unknown\":\"0\""},
		    {"issued", ISSUED_1}}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf text = BUF_INIT(100000);
		struct record_head head;
		struct err err = ERR_INIT;

		record_head_init(&head);
		chain(&text, &head, "open", OPEN);
		for (size_t k = 0; k < COUNT(cases[i].recs) && cases[i].recs[k].type; k++)
			chain(&text, &head, cases[i].recs[k].type, cases[i].recs[k].members);
		cr_assert_eq(read_journal(text.data, text.len, &err), JOURNAL_BROKEN, "%s", cases[i].says);
		cr_assert(strstr(err.msg, cases[i].says), "%s: %s", cases[i].says, err.msg);
		cr_assert(strstr(err.msg, "record "), "%s", err.msg);
		cr_assert_eq(err.code, ERR_BROKEN);
		buf_clear(&text);
	}
}

Test(journal, members_in_another_order_or_with_escapes_mean_the_same)
{
	static const char *const forms[] = {ISSUED_1, "\"extra\":{\"a\":[1,2]}," ISSUED_1,
	    "\"s\":0,\"s\\u0065q\":\"1\",\"ms\":1,\"sum\":\"0123456789abcdef\",\"lo\":\"1,1\","
	    "\"createdAt\":\"2026-11-23T07:00:00+01:00\""};

	for (size_t i = 0; i < COUNT(forms); i++) {
		struct buf text = BUF_INIT(100000);
		struct record_reader *records = NULL;
		CLEANUP(journal_reader) struct journal_reader *r = NULL;
		struct journal_record rec;
		struct record_head head;
		struct err err = ERR_INIT;

		record_head_init(&head);
		chain(&text, &head, "open", OPEN);
		chain(&text, &head, "issued", forms[i]);
		cr_assert(record_reader_memory(text.data, text.len, false, &records, NULL));
		cr_assert(journal_reader_new(records, &r, &err), "%s", err.msg);
		cr_assert_eq(journal_next(r, &rec, &err), JOURNAL_RECORD, "%s: %s", forms[i], err.msg);
		cr_assert(rec.first == 1 && rec.sum == 0x0123456789abcdef && rec.created_at_ms == 1795413600000, "%lld",
		    (long long)rec.created_at_ms);
		buf_clear(&text);
	}
}

Test(journal, without_an_end_it_is_unsealed_and_a_cut_one_is_never_sealed)
{
	const struct journal_record recs[] = {issued(0, 1, 1), acked(0, 1, 1), end_record()};
	struct memory_sink m;

	write_all(&m, 1, recs, COUNT(recs));
	cr_assert_eq(read_journal(m.text.data, m.text.len, NULL), JOURNAL_SEALED);
	for (size_t len = (size_t)(strchr(m.text.data, '\n') - m.text.data) + 1; len < m.text.len; len++)
		cr_assert_eq(read_journal(m.text.data, len, NULL), JOURNAL_UNSEALED, "%zu", len);
	cr_assert(buf_add_char(&m.text, '{', NULL));
	cr_assert_eq(read_journal(m.text.data, m.text.len, NULL), JOURNAL_BROKEN, "even a torn line behind the end");
	buf_clear(&m.text);
}

Test(journal, another_format_version_or_file_is_refused)
{
	static const struct {
		const char *type, *members;
		enum err_code code;
	} cases[] = {
	    {"open", "\"format\":\"psmdb-drill/timeline\",\"version\":1", ERR_UNSUPPORTED},
	    {"open", "\"format\":\"psmdb-drill/journal\",\"version\":2", ERR_UNSUPPORTED},
	    {"open", "\"format\":\"psmdb-drill/journal\",\"version\":1", ERR_PARSE},
	    {"issued", ISSUED_1, ERR_PARSE},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf text = BUF_INIT(10000);
		struct record_reader *records = NULL;
		struct journal_reader *r = NULL;
		struct record_head head;
		struct err err = ERR_INIT;

		record_head_init(&head);
		chain(&text, &head, cases[i].type, cases[i].members);
		cr_assert(record_reader_memory(text.data, text.len, false, &records, NULL));
		cr_assert(!journal_reader_new(records, &r, &err));
		cr_assert_eq(err.code, cases[i].code, "%s", err.msg);
		cr_assert_null(r);
		buf_clear(&text);
	}
}

/* The Nth write fails, for every N: the head stays, the same record can be written again, and the file is that of an
 * untroubled run. */
Test(journal, a_failing_sink_leaves_nothing_half_done)
{
	const struct journal_record recs[] = {issued(0, 1, 1), acked(0, 1, 1), issued(0, 2, 500),
	    outcome(JOURNAL_UNKNOWN, 0, 2, 500), acked(0, 2, 400), end_record()};
	struct memory_sink calm;
	struct journal_open open = sample_open(1);

	write_all(&calm, 1, recs, COUNT(recs));
	for (int n = 1;; n++) {
		struct memory_sink m;
		struct record_sink sink = memory_sink_init(&m);
		CLEANUP(journal_writer) struct journal_writer *w = NULL;
		bool failed = false;
		struct err err = ERR_INIT;

		m.fail_at = n;
		if (!journal_writer_new(&sink, &open, &w, &err)) {
			cr_assert_eq(err.code, ERR_IO);
			cr_assert_null(w);
			cr_assert_eq(m.text.len, 0);
			failed = true;
			cr_assert(journal_writer_new(&sink, &open, &w, NULL));
		}
		for (size_t i = 0; i < COUNT(recs); i++) {
			struct record_head before = journal_writer_head(w), after;

			if (journal_write(w, &recs[i], NULL))
				continue;
			after = journal_writer_head(w);
			failed = true;
			cr_assert(before.n == after.n && !strcmp(before.chain, after.chain));
			cr_assert(journal_write(w, &recs[i], &err), "%s", err.msg);
		}
		cr_assert(
		    m.text.len == calm.text.len && !memcmp(m.text.data, calm.text.data, m.text.len), "write %d", n);
		buf_clear(&m.text);
		if (!failed)
			break;
		cr_assert_lt(n, 20);
	}
	buf_clear(&calm.text);
}

Test(journal, more_holes_than_can_be_held_are_a_limit_with_a_name)
{
	struct memory_sink m;
	struct record_sink sink = memory_sink_init(&m);
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct journal_open open = sample_open(1);
	struct err err = ERR_INIT;
	int64_t seq = 1;

	cr_assert(journal_writer_new(&sink, &open, &w, NULL));
	for (;; seq++) {
		struct journal_record a = issued(0, seq, seq), b = acked(0, seq, seq);

		cr_assert(journal_write(w, &a, NULL));
		if (seq % 2 && !journal_write(w, &b, &err))
			break;
	}
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert(strstr(err.msg, "65536"), "%s", err.msg);
	cr_assert_eq(seq, 2 * 65536 + 1);
	buf_clear(&m.text);
}

Test(journal, a_reason_that_is_too_long_or_no_text_is_cut_and_can_be_read_back)
{
	struct journal_record recs[] = {issued(0, 1, 1), outcome(JOURNAL_UNKNOWN, 0, 1, 1)};
	struct memory_sink m;
	struct err err = ERR_INIT;

	memset(recs[1].reason, '\xff', sizeof recs[1].reason - 1);
	write_all(&m, 1, recs, COUNT(recs));
	cr_assert_eq(read_journal(m.text.data, m.text.len, &err), JOURNAL_UNSEALED, "%s", err.msg);
	buf_clear(&m.text);
}
