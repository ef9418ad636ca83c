#include "psmdb/check.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NAME "2026-11-23T06:22:13Z"
#define AT(i)                                                                                                          \
	{                                                                                                              \
		100, (i)                                                                                               \
	}

/* Two sets, PBM 2.5.0; times are chosen so that slices of 1970 have short names. */
static struct pbm_set sets[2];
static struct pbm_backup backup;
static struct pbm_files files;
static struct pbm_findings findings;

static void set_up(void)
{
	memset(sets, 0, sizeof sets);
	findings = (struct pbm_findings){0};
	files = (struct pbm_files){0};
	for (int i = 0; i < 2; i++) {
		snprintf(sets[i].name, sizeof sets[i].name, "rs%d", i);
		snprintf(sets[i].status, sizeof sets[i].status, "done");
		snprintf(sets[i].metadata_name, sizeof sets[i].metadata_name, NAME "/rs%d/metadata.json", i);
		snprintf(sets[i].oplog_name, sizeof sets[i].oplog_name, NAME "/rs%d/oplog", i);
		sets[i].first_write = (struct optime)AT(1);
		sets[i].last_write = (struct optime)AT(9);
	}
	backup = (struct pbm_backup){.name = NAME,
	    .type = "logical",
	    .status = "done",
	    .compression = "s2",
	    .pbm_version = "2.5.0",
	    .last_write = AT(9),
	    .sets = sets,
	    .set_count = 2};
}

static void tear_down(void)
{
	pbm_findings_clear(&findings);
	pbm_files_clear(&files);
}

TestSuite(pbm_check, .init = set_up, .fini = tear_down);

static void have(const char *rest, uint64_t size)
{
	char key[512];
	struct err err = ERR_INIT;

	snprintf(key, sizeof key, "p/%s%s", NAME, rest);
	cr_assert(pbm_files_add(&files, "p", NAME, key, size, "e", &err), "%s", err.msg);
}

static void have_all_but(const char *missing)
{
	static const char *const all[] = {".pbm.json", "/rs0/metadata.json", "/rs0/drill.ticker.s2",
	    "/rs0/oplog/19700101000140-1.19700101000140-5.s2", "/rs0/oplog/19700101000140-5.19700101000140-9.s2",
	    "/rs1/metadata.json", "/rs1/oplog/19700101000140-1.19700101000140-9.s2"};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (!missing || strcmp(all[i], missing) != 0)
			have(all[i], 10);
}

static void check_files(void)
{
	struct err err = ERR_INIT;

	pbm_files_sort(&files);
	cr_assert(pbm_check_files(&backup, &files, &findings, &err), "%s", err.msg);
}

static void only_finding(enum pbm_finding_code code, const char *set, const char *detail)
{
	cr_assert_eq(findings.count, 1, "%zu findings, the first is %s", findings.count,
	    findings.count ? pbm_finding_name(findings.items[0].code) : "");
	cr_expect_eq(findings.items[0].code, code, "%s", pbm_finding_name(findings.items[0].code));
	cr_expect_str_eq(findings.items[0].set, set);
	cr_expect(strstr(findings.items[0].detail, detail), "%s", findings.items[0].detail);
}

Test(pbm_check, complete_backup_has_no_findings)
{
	struct err err = ERR_INIT;

	have_all_but(NULL);
	check_files();
	cr_assert(pbm_check_metadata(&backup, NAME, &findings, &err));
	cr_assert_eq(findings.count, 0);
}

Test(pbm_check, missing_oplog_is_named_with_its_set)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1024);
	struct err err = ERR_INIT;

	have_all_but("/rs1/oplog/19700101000140-1.19700101000140-9.s2");
	check_files();
	only_finding(PBM_FINDING_OPLOG_MISSING, "rs1", "rs1/oplog/");
	cr_assert(pbm_finding_text(&findings.items[0], &text, &err));
	cr_assert_str_eq(buf_str(&text), "OPLOG_MISSING rs1: no oplog slice is in the bucket (" NAME "/rs1/oplog/)");
}

Test(pbm_check, first_slice_gone_starts_late)
{
	have_all_but("/rs0/oplog/19700101000140-1.19700101000140-5.s2");
	check_files();
	only_finding(PBM_FINDING_OPLOG_STARTS_LATE, "rs0", "100,1 to 100,5");
}

Test(pbm_check, last_slice_gone_ends_early)
{
	have_all_but("/rs0/oplog/19700101000140-5.19700101000140-9.s2");
	check_files();
	only_finding(PBM_FINDING_OPLOG_ENDS_EARLY, "rs0", "100,5 to 100,9");
}

Test(pbm_check, slice_gone_in_between_is_a_gap)
{
	have_all_but("/rs0/oplog/19700101000140-5.19700101000140-9.s2");
	have("/rs0/oplog/19700101000140-7.19700101000140-9.s2", 10);
	check_files();
	only_finding(PBM_FINDING_OPLOG_GAP, "rs0", "100,5 to 100,7");
}

Test(pbm_check, overlapping_slices_are_no_gap)
{
	have_all_but(NULL);
	have("/rs0/oplog/19700101000140-2.19700101000140-4.s2", 10);
	check_files();
	cr_assert_eq(findings.count, 0);
}

Test(pbm_check, no_slice_is_needed_where_nothing_was_written_during_the_dump)
{
	sets[1].last_write = sets[1].first_write;
	have_all_but("/rs1/oplog/19700101000140-1.19700101000140-9.s2");
	check_files();
	cr_assert_eq(findings.count, 0);
}

Test(pbm_check, set_metadata_and_backup_metadata_must_be_there)
{
	have_all_but("/rs0/metadata.json");
	check_files();
	only_finding(PBM_FINDING_METADATA_MISSING, "rs0", "rs0/metadata.json");
	tear_down();
	have_all_but(".pbm.json");
	check_files();
	only_finding(PBM_FINDING_METADATA_MISSING, "", "");
}

Test(pbm_check, empty_file_and_nameless_slice_are_found)
{
	have_all_but(NULL);
	have("/rs0/x.y.s2", 0);
	check_files();
	only_finding(PBM_FINDING_FILE_EMPTY, "rs0", "x.y.s2");
	tear_down();
	have_all_but(NULL);
	have("/rs0/oplog/whatever.s2", 1);
	check_files();
	only_finding(PBM_FINDING_OPLOG_NAME, "rs0", "whatever");
}

Test(pbm_check, before_2_4_the_only_slice_is_the_one_that_the_metadata_names)
{
	snprintf(backup.pbm_version, sizeof backup.pbm_version, "2.3.0");
	for (int i = 0; i < 2; i++)
		snprintf(sets[i].oplog_name, sizeof sets[i].oplog_name, NAME "/rs%d/local.oplog.rs.bson.s2", i);
	have_all_but(NULL);
	have("/rs0/local.oplog.rs.bson.s2", 5);
	check_files();
	only_finding(PBM_FINDING_OPLOG_MISSING, "rs1", "rs1/local.oplog.rs.bson.s2");
}

Test(pbm_check, layouts_before_2_0_are_refused_rather_than_guessed)
{
	struct err err = ERR_INIT;

	snprintf(backup.pbm_version, sizeof backup.pbm_version, "1.8.1");
	cr_assert_not(pbm_check_files(&backup, &files, &findings, &err));
	cr_assert_eq(err.code, ERR_UNSUPPORTED);
}

Test(pbm_check, physical_backup_needs_files_for_each_set)
{
	snprintf(backup.type, sizeof backup.type, "physical");
	have(".pbm.json", 10);
	have("/rs0/WiredTiger.wt.s2", 10);
	check_files();
	only_finding(PBM_FINDING_DATA_MISSING, "rs1", "rs1/");
}

Test(pbm_check, metadata_by_itself_is_judged)
{
	static const struct {
		const char *status, *set_status, *name;
		struct optime last;
		enum pbm_finding_code code;
	} cases[] = {
	    {"error", "done", NAME, AT(9), PBM_FINDING_BACKUP_NOT_DONE},
	    {"done", "running", NAME, AT(9), PBM_FINDING_SET_NOT_DONE},
	    {"done", "done", "2020-01-01T00:00:00Z", AT(9), PBM_FINDING_BACKUP_OTHER_NAME},
	    {"done", "done", NAME, {0, 0}, PBM_FINDING_LAST_WRITE_MISSING},
	    {"done", "done", NAME, AT(8), PBM_FINDING_LAST_WRITE_ODD},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err err = ERR_INIT;

		set_up();
		snprintf(backup.status, sizeof backup.status, "%s", cases[i].status);
		snprintf(sets[0].status, sizeof sets[0].status, "%s", cases[i].set_status);
		backup.last_write = cases[i].last;
		cr_assert(pbm_check_metadata(&backup, cases[i].name, &findings, &err));
		cr_expect_eq(findings.count, 1, "case %zu: %zu", i, findings.count);
		cr_expect_eq(
		    findings.items[0].code, cases[i].code, "case %zu: %s", i, pbm_finding_name(findings.items[0].code));
		tear_down();
	}
}

Test(pbm_check, backup_without_sets_is_empty)
{
	struct err err = ERR_INIT;

	backup.set_count = 0;
	cr_assert(pbm_check_metadata(&backup, NAME, &findings, &err));
	only_finding(PBM_FINDING_BACKUP_EMPTY, "", "");
}

Test(pbm_check, each_collection_of_real_metadata_that_is_not_empty_needs_its_file)
{
	static const char *const present[] = {"admin.pbmAgents", "admin.pbmBackups", "admin.pbmCmd", "admin.pbmConfig",
	    "admin.pbmLock", "admin.pbmLog", "admin.pbmOpLog", "admin.pbmRRoles", "admin.pbmRUsers",
	    "admin.system.roles", "admin.system.users", "admin.system.version"};
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	cr_assert(file_read(DATA_DIR "/pbm-2.5.0.metadata.json", &text, &err));
	for (size_t i = 0; i < sizeof present / sizeof present[0]; i++) {
		char rest[128];

		snprintf(rest, sizeof rest, "/rs0/%s.s2", present[i]);
		have(rest, 1);
	}
	pbm_files_sort(&files);
	cr_assert(pbm_check_collections(&backup, &sets[0], buf_str(&text), text.len, &files, &findings, &err));
	only_finding(PBM_FINDING_DATA_MISSING, "rs0", "rs0/drill.ticker.s2");
}

Test(pbm_check, set_metadata_that_is_cut_is_broken)
{
	struct err err = ERR_INIT;

	cr_assert(pbm_check_collections(&backup, &sets[0], "{\"namespaces\":[", 15, &files, &findings, &err));
	only_finding(PBM_FINDING_METADATA_BROKEN, "rs0", "");
}

Test(pbm_check, time_series_are_stored_under_their_own_name)
{
	static const char text[] =
	    "{\"namespaces\":[{\"db\":\"d\",\"collection\":\"system.buckets.t\",\"size\":{\"$numberLong\":\"5\"}},{"
	    "\"db\":\"d\",\"collection\":\"e\",\"size\":{\"$numberInt\":\"0\"}}]}";
	struct err err = ERR_INIT;

	have("/rs0/d.t.s2", 1);
	pbm_files_sort(&files);
	cr_assert(pbm_check_collections(&backup, &sets[0], text, sizeof text - 1, &files, &findings, &err));
	cr_assert_eq(findings.count, 0);
}

Test(pbm_check, findings_have_a_bound_and_the_rest_is_counted)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	buf_add_str(&text, "{\"namespaces\":[", &err);
	for (int i = 0; i < PBM_FINDINGS_MAX + 5; i++)
		buf_printf(&text, &err, "%s{\"db\":\"d\",\"collection\":\"c%d\",\"size\":1}", i ? "," : "", i);
	buf_add_str(&text, "]}", &err);
	cr_assert(pbm_check_collections(&backup, &sets[0], buf_str(&text), text.len, &files, &findings, &err));
	cr_assert_eq(findings.count, PBM_FINDINGS_MAX);
	cr_assert_eq(findings.dropped, 5);
}
