#include "evidence/bound.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <string.h>

static char path[] = "/tmp/psmdb-drill-bound-XXXXXX";

static void make_file(void)
{
	close(mkstemp(path));
}

static void remove_file(void)
{
	unlink(path);
}

static void sample(struct bound *b)
{
	bound_init(b);
	*b = (struct bound){.pinned_at_ms = 1700000000123,
	    .source = "bucket",
	    .backup_name = "2026-11-23T06:00:00Z",
	    .opid = "65f0a1b2c3d4e5f601234567",
	    .type = "logical",
	    .pbm_version = "2.3.0",
	    .mongodb_version = "6.0.5-4",
	    .fcv = "6.0",
	    .start_ts = 1700000000,
	    .last_transition_ts = 1700000009,
	    .metadata_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    .metadata_bytes = 4711,
	    .destination = "s3://bucket/prefix",
	    .cluster_last_write = {1700000005, 3},
	    .cluster_figure = "min",
	    .b0 = {1700000005, 3},
	    .sets = {{"rs0", {1700000005, 3}, {1700000005, 3}, {1700000005, 3}},
		{"rs1", {1700000007, 1}, {1700000005, 3}, {1700000007, 1}}},
	    .set_count = 2};
	for (int i = 0; i < 5; i++) {
		char key[64];

		snprintf(key, sizeof key, "2026-11-23T06:00:00Z/rs0/c%d.s2", i);
		cr_assert(bound_add_file(b, key, (INT64_C(1) << 60) + i, "\"abc\"", "data", "rs0", NULL));
	}
}

Test(bound, comes_back_as_it_was_written, .init = make_file, .fini = remove_file)
{
	BOUND_CLEANUP struct bound b, got;
	struct err err = ERR_INIT;

	sample(&b);
	bound_init(&got);
	cr_assert(bound_write(&b, path, &err), "%s", err.msg);
	cr_assert(bound_read(path, &got, &err), "%s", err.msg);
	cr_assert_eq(got.file_count, 5);
	for (size_t i = 0; i < 5; i++) {
		cr_assert_str_eq(got.files[i].key, b.files[i].key);
		cr_assert(got.files[i].bytes == b.files[i].bytes && !strcmp(got.files[i].etag, "\"abc\""));
	}
	for (size_t i = 0; i < got.file_count; i++)
		free(got.files[i].key);
	free(got.files);
	got.files = b.files; /* now the rest is equal byte for byte */
	cr_assert(!memcmp(&got, &b, sizeof b));
	got.files = NULL;
	got.file_count = 0;
	cr_assert_str_eq(bound_find_set(&b, "rs1")->name, "rs1");
	cr_assert_null(bound_find_set(&b, "rs2"));
}

Test(bound, what_cannot_be_a_restore_point_is_neither_written_nor_read, .init = make_file, .fini = remove_file)
{
	static const char *const says[] = {"source", "clusterFigure", "0 replica sets", "b0 is 0,0",
	    "not that of the cluster", "later than its b1", "twice", "no name", "\"only\" with 2"};

	for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
		BOUND_CLEANUP struct bound b;
		struct err err = ERR_INIT;

		sample(&b);
		switch (i) {
		case 0:
			strcpy(b.source, "guess");
			break;
		case 1:
			strcpy(b.cluster_figure, "");
			break;
		case 2:
			b.set_count = 0;
			break;
		case 3:
			b.b0 = OPTIME_ZERO;
			break;
		case 4:
			b.sets[1].b0.i++;
			break;
		case 5:
			b.sets[1].b1.t -= 100;
			break;
		case 6:
			strcpy(b.sets[1].name, "rs0");
			break;
		case 7:
			strcpy(b.sets[0].name, "");
			break;
		case 8:
			strcpy(b.cluster_figure, "only");
			break;
		}
		cr_assert(!bound_write(&b, path, &err), "%s", says[i]);
		cr_assert(strstr(err.msg, says[i]), "%s: %s", says[i], err.msg);
	}
}

Test(bound, a_text_that_was_altered_is_refused, .init = make_file, .fini = remove_file)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
	    {"psmdb-drill/bound", "psmdb-drill/bouns", "format"},
	    {"\"version\":1", "\"version\":2", "version 2"},
	    {"\"b0\":\"1700000005,3\"", "\"b0\":\"1700000006,3\"", "not that of the cluster"},
	    {"\"b1\":\"1700000007,1\"", "\"b1\":\"1700000004,1\"", "later than its b1"},
	    {"\"operation\"", "\"minuteish\"", "precision"},
	    {"\"kind\":\"data\"", "\"kind\":\"date\"", "kind"},
	    {"\"bytes\":\"1", "\"bytes\":\"-", "file 0"},
	    {"\"name\":\"rs1\"", "\"name\":\"rs0\"", "twice"},
	};
	BUF_CLEANUP struct buf text = BUF_INIT(100000);
	BOUND_CLEANUP struct bound b;

	sample(&b);
	cr_assert(bound_write(&b, path, NULL));
	cr_assert(file_read(path, &text, NULL));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bound got;
		struct err err = ERR_INIT;
		char *at = strstr(text.data, cases[i].from);

		cr_assert_not_null(at, "%s", cases[i].from);
		memcpy(at, cases[i].to, strlen(cases[i].to));
		cr_assert(!bound_parse(text.data, text.len, &got, &err), "%s", cases[i].to);
		cr_assert(strstr(err.msg, cases[i].says), "%s: %s", cases[i].says, err.msg);
		memcpy(at, cases[i].from, strlen(cases[i].from));
	}
}

/* Moved by hand, in all places alike, while PBM's own figures stay. */
static void moved(struct bound *b, struct optime b0, struct optime b1)
{
	b->b0 = b->sets[0].b0 = b->sets[1].b0 = b0;
	b->sets[0].b1 = b->sets[1].b1 = b1;
}

Test(bound, a_restore_point_that_does_not_follow_from_its_figures_is_refused, .init = make_file, .fini = remove_file)
{
	static const struct {
		const char *source;
		bool second;
		struct optime b0, b1;
		bool good;
	} rows[] = {
	    {"bucket", false, {1700000004, 3}, {1700000007, 1}, false},
	    {"bucket", false, {1700000005, 3}, {1700000009, 1}, false},
	    {"file", false, {1700000005, 2}, {1700000005, 2}, false},
	    {"customResource", true, {1700000004, UINT32_MAX}, {1700000005, UINT32_MAX}, true},
	    {"customResource", true, {1700000005, 3}, {1700000005, UINT32_MAX}, false},
	    {"customResource", true, {1700000004, UINT32_MAX}, {1700000006, UINT32_MAX}, false},
	    {"pitr", false, {1700000099, 0}, {1700000099, 0}, true},
	    {"pitr", false, {1700000099, 0}, {1700000099, 1}, false},
	    {"pitr", false, {1700000099, 1}, {1700000099, 1}, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		BOUND_CLEANUP struct bound b;
		struct err err = ERR_INIT;

		sample(&b);
		strcpy(b.source, rows[i].source);
		b.second_precision = rows[i].second;
		moved(&b, rows[i].b0, rows[i].b1);
		cr_expect_eq(bound_write(&b, path, &err), rows[i].good, "row %zu: %s", i, err.msg);
		cr_expect(rows[i].good || strstr(err.msg, "does not follow"), "row %zu: %s", i, err.msg);
	}
}

Test(bound, files_out_of_bounds_are_refused_by_name)
{
	BOUND_CLEANUP struct bound b;
	char key[1100];
	struct err err = ERR_INIT;

	bound_init(&b);
	memset(key, 'k', sizeof key - 1);
	key[sizeof key - 1] = '\0';
	cr_assert(!bound_add_file(&b, key, 1, "", "data", "", &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert(!bound_add_file(&b, "k", -1, "", "data", "", &err));
	cr_assert(!bound_add_file(&b, "k", 1, "", "date", "", &err));
	cr_assert(!bound_add_file(&b, "k", 1, key, "data", "", &err));
	cr_assert_eq(b.file_count, 0);
	for (int i = 0; i < BOUND_FILES_MAX; i++)
		cr_assert(bound_add_file(&b, "k", 1, "", "data", "", NULL));
	cr_assert(!bound_add_file(&b, "k", 1, "", "data", "", &err));
	cr_assert(strstr(err.msg, "100000"), "%s", err.msg);
}
