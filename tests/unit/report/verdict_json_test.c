#include "base/file.h"
#include "doc/json.h"
#include "evidence/verdict.h"
#include "tests/unit/report/samples.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (8u << 20)

/* Writes a verdict to a file of this process and reads the bytes back. */
static bool written(const struct verdict *v, struct buf *ret, struct err *err)
{
	char path[] = "/tmp/verdict_json_test.XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	cr_assert(fd >= 0);
	close(fd);
	ok = verdict_write(v, path, err) && file_read(path, ret, err);
	unlink(path);
	return ok;
}

static void assert_written(const struct verdict *v, struct buf *ret)
{
	struct err err = ERR_INIT;

	cr_assert(written(v, ret, &err), "%s", err.msg);
}

static void assert_parsed(const struct buf *text, struct verdict *ret)
{
	struct err err = ERR_INIT;

	cr_assert(verdict_parse(buf_str(text), text->len, ret, &err), "%s", err.msg);
}

static bool same_bytes(const void *a, const void *b, size_t len)
{
	return !len || !memcmp(a, b, len); /* memcmp takes no NULL */
}

/* Byte for byte: behind a text's NUL there are zeros on both sides. */
static void assert_same(const struct verdict *a, const struct verdict *b)
{
	cr_expect_eq(a->result, b->result);
	cr_expect_eq(a->judged_at_ms, b->judged_at_ms);
	cr_expect(same_bytes(a->count, b->count, sizeof a->count));
	cr_expect(same_bytes(a->sets, b->sets, sizeof a->sets));
	cr_expect(same_bytes(a->phases, b->phases, sizeof a->phases));
	cr_expect(same_bytes(a->inputs, b->inputs, sizeof a->inputs));
	cr_expect(same_bytes(a->versions, b->versions, sizeof a->versions));
	cr_expect(same_bytes(a->reasons, b->reasons, a->reason_count * sizeof *a->reasons));
	cr_expect(same_bytes(a->newest, b->newest, a->newest_count * sizeof *a->newest));
	cr_expect(same_bytes(a->logins, b->logins, a->login_count * sizeof *a->logins));
	cr_expect(same_bytes(a->namespaces, b->namespaces, a->namespace_count * sizeof *a->namespaces));
	cr_expect(same_bytes(a->events, b->events, a->event_count * sizeof *a->events));
	cr_assert_eq(a->stream_count, b->stream_count);
	for (size_t i = 0; i < a->stream_count; i++) {
		struct verdict_stream s = a->streams[i], t = b->streams[i];

		cr_assert_eq(s.range_count, t.range_count);
		cr_assert_eq(s.bad_count, t.bad_count);
		cr_expect(same_bytes(s.ranges, t.ranges, s.range_count * sizeof *s.ranges));
		cr_expect(same_bytes(s.bad, t.bad, s.bad_count * sizeof *s.bad));
		s.ranges = s.bad = t.ranges = t.bad = NULL;
		cr_expect(same_bytes(&s, &t, sizeof s));
	}
}

/* The plain members, between the arrays: pointers apart they are equal byte for byte. */
static void assert_same_bytes(const struct verdict *a, const struct verdict *b)
{
	struct verdict x = *a, y = *b;

	x.reasons = y.reasons = NULL;
	x.streams = y.streams = NULL;
	x.newest = y.newest = NULL;
	x.logins = y.logins = NULL;
	x.namespaces = y.namespaces = NULL;
	x.events = y.events = NULL;
	for (size_t i = 0; i < sizeof x; i++)
		cr_assert_eq(((const char *)&x)[i], ((const char *)&y)[i], "byte %zu of struct verdict differs", i);
}

Test(verdict_json, what_is_written_is_read_back_field_by_field)
{
	for (size_t i = 0; i < sample_count; i++) {
		VERDICT_CLEANUP struct verdict v, again;
		BUF_CLEANUP struct buf first = BUF_INIT(FILE_MAX), second = BUF_INIT(FILE_MAX);

		sample_make(samples[i].name, &v);
		verdict_init(&again);
		assert_written(&v, &first);
		assert_parsed(&first, &again);
		assert_written(&again, &second);
		cr_assert_str_eq(buf_str(&first), buf_str(&second), "%s", samples[i].name);
		if (!strcmp(samples[i].name, "hostile")) /* bytes that are no UTF-8 do not survive */
			continue;
		assert_same(&v, &again);
		assert_same_bytes(&v, &again);
	}
}

Test(verdict_json, a_text_cut_inside_a_character_still_fits_its_field_when_read)
{
	VERDICT_CLEANUP struct verdict v, again;
	BUF_CLEANUP struct buf text = BUF_INIT(FILE_MAX);

	sample_make("pass", &v);
	verdict_init(&again);
	memset(v.title, '\xff', sizeof v.title - 1);
	memset(v.scenario, 'x', sizeof v.scenario - 2);
	v.scenario[sizeof v.scenario - 2] = '\xc3';
	v.scenario[sizeof v.scenario - 1] = '\0';
	assert_written(&v, &text);
	assert_parsed(&text, &again);
	cr_assert_eq(strlen(again.title), (sizeof v.title - 1) / 3 * 3);
	cr_assert_eq(strlen(again.scenario), sizeof v.scenario - 2);
}

Test(verdict_json, times_outside_the_calendar_and_ages_beyond_doubles_survive_as_unknown_and_bounded)
{
	VERDICT_CLEANUP struct verdict v, again;
	BUF_CLEANUP struct buf text = BUF_INIT(FILE_MAX);

	sample_make("pass", &v);
	verdict_init(&again);
	v.newest[0].created_at_ms = INT64_MAX;
	v.newest[0].age_at_backup_ms = INT64_MAX;
	v.newest[0].has_age_at_disaster = false;
	assert_written(&v, &text);
	assert_parsed(&text, &again);
	cr_assert_eq(again.newest[0].created_at_ms, INT64_MIN);
	cr_assert_eq(again.newest[0].age_at_backup_ms, 9007199254740991);
	cr_assert(!again.newest[0].has_age_at_disaster);
}

Test(verdict_json, a_result_that_its_reasons_do_not_bear_out_is_neither_written_nor_read)
{
	static const struct {
		const char *sample;
		enum verdict_result result;
	} lies[] = {
	    {"silent_loss", VERDICT_PASS},
	    {"silent_loss", VERDICT_INCONCLUSIVE},
	    {"inconclusive", VERDICT_PASS},
	    {"inconclusive", VERDICT_FAIL},
	    {"pass", VERDICT_FAIL},
	    {"pass", VERDICT_INCONCLUSIVE},
	};

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		VERDICT_CLEANUP struct verdict v, again;
		BUF_CLEANUP struct buf text = BUF_INIT(FILE_MAX), changed = BUF_INIT(FILE_MAX),
				       none = BUF_INIT(FILE_MAX);
		struct err err = ERR_INIT;
		char was[40], is[40];
		const char *at;

		sample_make(lies[i].sample, &v);
		verdict_init(&again);
		assert_written(&v, &text);
		snprintf(was, sizeof was, "\"result\":\"%s\"", verdict_result_text(v.result));
		snprintf(is, sizeof is, "\"result\":\"%s\"", verdict_result_text(lies[i].result));
		at = strstr(buf_str(&text), was);
		cr_assert(at);
		cr_assert(buf_add(&changed, text.data, (size_t)(at - text.data), &err) &&
			  buf_add_str(&changed, is, &err) && buf_add_str(&changed, at + strlen(was), &err));
		cr_expect(!verdict_parse(changed.data, changed.len, &again, &err), "row %zu was read", i);
		cr_expect_eq(err.code, ERR_BROKEN);
		v.result = lies[i].result;
		cr_expect(!written(&v, &none, &err), "row %zu was written", i);
	}
}

static void replace(const struct buf *text, const char *was, const char *is, struct buf *ret)
{
	const char *at = strstr(buf_str(text), was);
	struct err err = ERR_INIT;

	cr_assert(at, "no %s in the sample", was);
	cr_assert(buf_add(ret, text->data, (size_t)(at - text->data), &err) && buf_add_str(ret, is, &err) &&
		  buf_add_str(ret, at + strlen(was), &err));
}

Test(verdict_json, damaged_files_are_refused_with_the_place)
{
	static const struct {
		const char *was, *is;
		enum err_code code;
		const char *message;
	} rows[] = {
	    {"\"version\":1", "\"version\":2", ERR_UNSUPPORTED, "version 2"},
	    {"psmdb-drill/verdict", "psmdb-drill/journal", ERR_UNSUPPORTED, "psmdb-drill/journal"},
	    {"\"result\":\"FAIL\"", "\"result\":\"GOOD\"", ERR_PARSE, "GOOD"},
	    {"\"code\":\"LOST\"", "\"code\":\"LATER\"", ERR_UNSUPPORTED, "LATER"},
	    {"\"issued\":\"1264\"", "\"issued\":1264", ERR_PARSE, "issued"},
	    {"\"acked\":", "\"akced\":", ERR_PARSE, "acked"},
	    {"\"lost\":\"75\"", "\"lost\":\"x\"", ERR_PARSE, "lost"},
	    {"[\"471\",\"508\",\"lost\"]", "[\"508\",\"471\",\"lost\"]", ERR_PARSE, "ranges 1"},
	    {"[\"471\",\"508\",\"lost\"]", "[\"470\",\"508\",\"lost\"]", ERR_PARSE, "ranges 1"},
	    {"[\"471\",\"508\",\"lost\"]", "[\"471\",\"508\",\"gone\"]", ERR_PARSE, "ranges 1"},
	    {"[\"471\",\"508\",\"lost\"]", "[\"471\",\"508\"]", ERR_PARSE, "ranges 1"},
	    {"[\"471\",\"508\",\"lost\"]", "[\"471\",\"508\",\"lost\",\"1\"]", ERR_PARSE, "ranges 1"},
	    {"\"b0\":\"1795413480,3\"", "\"b0\":\"1795413480\"", ERR_PARSE, "b0"},
	    {"\"maxMs\":120000", "\"maxMs\":-5", ERR_LIMIT, "maxMs"},
	    {"\"judgedAt\":\"2026", "\"judgedAt\":\"206", ERR_PARSE, "judgedAt"},
	    {"\"sha256\":\"", "\"sha256\":\"00000000000000000000000000000000000000000000000000000000000000000000",
		ERR_LIMIT, "sha256"},
	};
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf text = BUF_INIT(FILE_MAX);

	sample_make("silent_loss", &v);
	assert_written(&v, &text);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		BUF_CLEANUP struct buf changed = BUF_INIT(FILE_MAX);
		struct verdict ret;
		struct err err = ERR_INIT;

		memset(&ret, 0x5a, sizeof ret);
		replace(&text, rows[i].was, rows[i].is, &changed);
		cr_expect(!verdict_parse(changed.data, changed.len, &ret, &err), "row %zu was read", i);
		cr_expect_eq(err.code, rows[i].code, "row %zu: code %d: %s", i, err.code, err.msg);
		cr_expect(strstr(err.msg, rows[i].message), "row %zu: \"%s\"", i, err.msg);
		cr_expect_eq(((unsigned char *)&ret)[0], 0x5a, "row %zu: the output was touched", i);
	}
}

Test(verdict_json, every_cut_of_a_file_is_refused_without_a_leak)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf text = BUF_INIT(FILE_MAX);

	sample_make("silent_loss", &v);
	assert_written(&v, &text);
	for (size_t len = 0; len + 2 < text.len; len += 7) {
		struct verdict ret;
		struct err err = ERR_INIT;

		cr_assert(!verdict_parse(text.data, len, &ret, &err), "cut at %zu", len);
	}
}

Test(verdict_json, too_many_ranges_are_cut_stream_by_stream_and_marked)
{
	VERDICT_CLEANUP struct verdict v, again;
	BUF_CLEANUP struct buf text = BUF_INIT(64u << 20);

	sample_make("pass", &v);
	verdict_init(&again);
	free(v.streams[0].ranges);
	free(v.streams[1].ranges);
	free(v.streams[0].bad);
	free(v.streams[1].bad);
	free(v.streams);
	v.stream_count = 200;
	v.streams = calloc(v.stream_count, sizeof *v.streams);
	cr_assert(v.streams);
	for (size_t i = 0; i < v.stream_count; i++) {
		v.streams[i].ranges = calloc(VERDICT_RANGES_MAX, sizeof *v.streams[i].ranges);
		cr_assert(v.streams[i].ranges);
		v.streams[i].range_count = VERDICT_RANGES_MAX;
		for (int64_t k = 0; k < VERDICT_RANGES_MAX; k++)
			v.streams[i].ranges[k] = (struct verdict_range){k, k, CLASS_OK};
	}
	assert_written(&v, &text);
	assert_parsed(&text, &again);
	cr_assert_eq(again.stream_count, 200);
	cr_assert_eq(again.streams[199].range_count, 1000);
	cr_assert(again.streams[199].ranges_truncated);
	cr_assert(!again.streams[199].bad_truncated);
}

static void assert_enum(const json_node *values, size_t count, const char *(*text)(int))
{
	const json_node *value = json_first(values);

	cr_assert_eq(json_count(values), count);
	for (size_t i = 0; i < count; i++, value = json_next(value))
		cr_expect_str_eq(json_string(value), text((int)i));
}

static const char *class_text(int c)
{
	return tick_class_text((enum tick_class)c);
}

static const char *reason_text(int c)
{
	return verdict_reason_text((enum verdict_reason_code)c);
}

Test(verdict_json, the_schema_knows_the_classes_and_reasons_of_the_code)
{
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	CLEANUP(json) struct json *doc = NULL;
	BUF_CLEANUP struct buf text = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	const json_node *root, *code;

	cr_assert(
	    file_read(SCHEMA, &text, &err) && json_parse(buf_str(&text), text.len, &limits, &doc, &err), "%s", err.msg);
	root = json_root(doc);
	assert_enum(json_get(json_get(json_get(root, "$defs"), "class"), "enum"), CLASS_COUNT, class_text);
	code = json_get(
	    json_get(json_get(json_get(json_get(root, "properties"), "reasons"), "items"), "properties"), "code");
	assert_enum(json_get(code, "enum"), REASON_COUNT, reason_text);
	cr_expect_eq(json_count(json_get(json_get(json_get(root, "$defs"), "counts"), "properties")), CLASS_COUNT);
}
