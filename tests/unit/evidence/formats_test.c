/* docs/formats.md against the code: its examples are read and written again byte for byte, its lists are complete. */
#include "evidence/bound.h"
#include "evidence/journal.h"
#include "evidence/observed.h"
#include "evidence/timeline.h"
#include "evidence/verdict.h"

#include "base/file.h"
#include "base/num.h"
#include "sample.h"

static struct buf doc = BUF_INIT(1 << 20);

static void read_doc(void)
{
	struct err err = ERR_INIT;

	cr_assert(file_read(FORMATS_MD, &doc, &err), "%s", err.msg);
}

static void clear_doc(void)
{
	buf_clear(&doc);
}

TestSuite(formats, .init = read_doc, .fini = clear_doc);

/* The block behind <!-- example: NAME -->, without its fences. */
static const char *example(const char *name, size_t *ret_len)
{
	char mark[64];
	const char *at, *end;

	snprintf(mark, sizeof mark, "<!-- example: %s -->\n```", name);
	at = strstr(doc.data, mark);
	cr_assert_not_null(at, "%s", mark);
	at = strchr(at + strlen(mark), '\n') + 1;
	end = strstr(at, "```");
	*ret_len = (size_t)(end - at);
	return at;
}

static struct record_reader *reader(const char *name)
{
	struct record_reader *r = NULL;
	size_t len;
	const char *text = example(name, &len);

	cr_assert(record_reader_memory(text, len, false, &r, NULL));
	return r;
}

Test(formats, the_journal_is_real_and_is_written_the_same)
{
	CLEANUP(journal_reader) struct journal_reader *r = NULL;
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct memory_sink m;
	struct record_sink sink = memory_sink_init(&m);
	enum journal_state state;
	struct journal_record rec;
	struct err err = ERR_INIT;
	const struct journal_open *open;
	size_t len;
	const char *text = example("journal", &len);

	cr_assert(journal_reader_new(reader("journal"), &r, &err), "%s", err.msg);
	open = journal_reader_open_record(r);
	cr_assert(journal_writer_new(&sink, open, &w, NULL));
	while ((state = journal_next(r, &rec, &err)) == JOURNAL_RECORD) {
		cr_assert(journal_write(w, &rec, &err), "%s", err.msg);
		if (rec.type == JOURNAL_ISSUED && rec.first == rec.last) {
			unsigned char bson[TICK_BSON_BYTES];
			struct tick_stream stream;

			tick_stream_init(
			    &stream, &open->run, open->streams[rec.stream].ns, open->streams[rec.stream].writer);
			cr_assert_eq(
			    tick_build(&stream, rec.first, rec.created_at_ms, bson), rec.sum, "the sum of a real tick");
		}
	}
	cr_assert_eq(state, JOURNAL_SEALED, "%s", err.msg);
	cr_assert(m.text.len == len && !memcmp(m.text.data, text, len));
	buf_clear(&m.text);
}

Test(formats, the_worked_chain_is_right)
{
	const char *line = strstr(doc.data, "```text\n") + 8, *end = strchr(line, '\n'),
		   *chain = strstr(doc.data, "sha256sum");
	char first[33], input[1000], want[RECORD_CHAIN_TEXT_MAX];
	unsigned char digest[SHA256_BYTES];
	size_t len;
	const char *second = strchr(example("journal", &len), '\n') + 1;

	cr_assert(!strncmp(second, line, (size_t)(end - line)), "it is the journal's second line");
	while (strncmp(chain, "printf '%s%s' '", 15))
		chain--;
	memcpy(first, chain + 15, 32);
	memcpy(input, first, 32);
	memcpy(input + 32, line, (size_t)(end - line));
	sha256_of(input, 32 + (size_t)(end - line), digest);
	hex_encode(digest, 16, want);
	cr_assert(
	    !strncmp(second + (end - line), ",\"chain\":\"", 10) && !strncmp(second + (end - line) + 10, want, 32),
	    "%s", want);
}

Test(formats, timeline_observation_and_bound_are_accepted)
{
	CLEANUP(timeline_reader) struct timeline_reader *t = NULL;
	CLEANUP(record_reader) struct record_reader *records = reader("observed");
	OBSERVED_CLEANUP struct observed o;
	BOUND_CLEANUP struct bound b;
	struct timeline_record rec;
	struct err err = ERR_INIT;
	size_t len;
	const char *text = example("bound", &len);
	int count = 0;

	observed_init(&o);
	bound_init(&b);
	cr_assert(observed_load(records, &o, &err), "%s", err.msg);
	cr_assert(o.ended && o.intact == 2 && o.anomaly_count == 1);
	cr_assert(bound_parse(text, len, &b, &err), "%s", err.msg);
	cr_assert_eq(b.file_count, 2);
	cr_assert(timeline_reader_new(reader("timeline"), &t, &err), "%s", err.msg);
	while (timeline_next(t, &rec, &err) == RECORD_OK)
		count++;
	cr_assert_eq(count, 3, "%s", err.msg);
}

static void has(const char *fmt, const char *text)
{
	char want[300];

	snprintf(want, sizeof want, fmt, text);
	cr_assert(strstr(doc.data, want), "docs/formats.md lacks %s", want);
}

Test(formats, every_event_class_and_reason_is_listed)
{
	char row[600];

	for (size_t i = 0; timeline_event_names[i]; i++)
		has("`%s`", timeline_event_names[i]);
	for (int c = 0; c < CLASS_COUNT; c++) {
		snprintf(row, sizeof row, "| `%s` | %s | %s |", tick_class_text((enum tick_class)c),
		    tick_class_fails((enum tick_class)c) ? "yes" : "no", tick_class_meaning((enum tick_class)c));
		has("%s", row);
	}
	for (int c = 0; c < REASON_COUNT; c++) {
		snprintf(row, sizeof row, "| `%s` | %s | %s |", verdict_reason_text((enum verdict_reason_code)c),
		    verdict_severity_text(verdict_reason_severity((enum verdict_reason_code)c)),
		    verdict_reason_title((enum verdict_reason_code)c));
		has("%s", row);
	}
}
