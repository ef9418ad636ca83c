#include "verifier/bound.h"

#include <criterion/criterion.h>
#include <string.h>

static bool pin(const char *path, struct bound *b, struct pbm_findings *findings, struct err *err)
{
	return bound_pin_file(path, 1700000200000, b, findings, err);
}

static void is_at(const struct bound *b, const char *set, uint32_t b0, uint32_t b1)
{
	const struct bound_set *s = bound_find_set(b, set);

	cr_assert(s, "%s", set);
	cr_expect_eq(s->b0.t, b0, "%s: %u", set, s->b0.t);
	cr_expect_eq(s->b1.t, b1, "%s: %u", set, s->b1.t);
}

Test(bound, from_2_4_each_shard_is_undecided_between_the_earliest_last_write_and_its_own)
{
	BOUND_CLEANUP struct bound b = {0};
	PBM_FINDINGS_CLEANUP struct pbm_findings findings = {0};
	struct err err = ERR_INIT;

	cr_assert(pin(DATA_DIR "/two-shards-2.5.0.pbm.json", &b, &findings, &err), "%s", err.msg);
	cr_assert_eq(findings.count, 0);
	cr_expect_str_eq(b.cluster_figure, "min");
	cr_expect(b.b0.t == 1700000090 && b.b0.i == 7);
	is_at(&b, "cfg", 1700000090, 1700000100);
	is_at(&b, "rs0", 1700000090, 1700000090);
	is_at(&b, "rs1", 1700000090, 1700000140);
	cr_expect_str_eq(b.source, "file");
	cr_expect_eq(b.file_count, 0);
}

Test(bound, up_to_2_3_every_shard_goes_up_to_the_latest_last_write)
{
	BOUND_CLEANUP struct bound b = {0};
	PBM_FINDINGS_CLEANUP struct pbm_findings findings = {0};
	struct err err = ERR_INIT;

	cr_assert(pin(DATA_DIR "/two-shards-2.0.4.pbm.json", &b, &findings, &err), "%s", err.msg);
	cr_expect_str_eq(b.cluster_figure, "max");
	is_at(&b, "cfg", 1700000140, 1700000140);
	is_at(&b, "rs0", 1700000140, 1700000140);
	is_at(&b, "rs1", 1700000140, 1700000140);
}

Test(bound, failed_backup_is_no_restore_point)
{
	BOUND_CLEANUP struct bound b = {0};
	PBM_FINDINGS_CLEANUP struct pbm_findings findings = {0};
	struct err err = ERR_INIT;

	cr_assert_not(pin(DATA_DIR "/failed.pbm.json", &b, &findings, &err));
	cr_assert_eq(err.code, ERR_STATE);
	cr_assert(strstr(err.msg, "\"error\": lost agent"), "%s", err.msg);
}

static void pinned_file(struct bound *b, const char *key, int64_t bytes, const char *etag)
{
	struct err err = ERR_INIT;

	cr_assert(bound_add_file(b, key, bytes, etag, "data", "rs0", &err));
}

static void file_now(struct pbm_files *f, const char *key, uint64_t bytes, const char *etag)
{
	struct err err = ERR_INIT;

	cr_assert(pbm_files_add(f, "", "N", key, bytes, etag, &err));
}

Test(bound, comparison_finds_what_is_missing_changed_and_added)
{
	BOUND_CLEANUP struct bound b = {0};
	PBM_FILES_CLEANUP struct pbm_files files = {0};
	BOUND_CHANGES_CLEANUP struct bound_changes c = {0};
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	pinned_file(&b, "N/rs0/same", 1, "e");
	pinned_file(&b, "N/rs0/z-missing", 1, "e");
	pinned_file(&b, "N/rs0/a-missing", 1, "e");
	pinned_file(&b, "N/rs0/other-size", 1, "e");
	pinned_file(&b, "N/rs0/other-etag", 1, "e");
	file_now(&files, "N/rs0/other-etag", 1, "f");
	file_now(&files, "N/rs0/other-size", 2, "e");
	file_now(&files, "N/rs0/same", 1, "e");
	file_now(&files, "N/rs0/added", 1, "e");
	pbm_files_sort(&files);
	cr_assert(bound_compare(&b, &files, &c, &err));
	cr_expect_eq(c.missing, 2);
	cr_expect_eq(c.changed, 2);
	cr_expect_eq(c.added, 1);
	cr_expect_eq(c.count, 5);
	cr_assert(bound_changes_json(&b, &c, 0, &text, &err));
	cr_expect(
	    strstr(buf_str(&text),
		"\"missing\":[{\"key\":\"N/rs0/"
		"a-missing\",\"kind\":\"data\",\"replicaSet\":\"rs0\",\"pinned\":{\"bytes\":\"1\",\"etag\":\"e\"}},"
		"{\"key\":\"N/rs0/z-missing\""),
	    "%s", buf_str(&text));
	cr_expect(strstr(buf_str(&text),
		      "\"added\":[{\"key\":\"N/rs0/added\",\"kind\":\"data\",\"replicaSet\":\"rs0\",\"now\":{"),
	    "%s", buf_str(&text));
}

Test(bound, nothing_pinned_and_nothing_there_is_no_change)
{
	BOUND_CLEANUP struct bound b = {0};
	BOUND_CHANGES_CLEANUP struct bound_changes c = {0};
	struct pbm_files files = {0};
	struct err err = ERR_INIT;

	cr_assert(bound_compare(&b, &files, &c, &err));
	cr_assert_eq(c.count, 0);
}
