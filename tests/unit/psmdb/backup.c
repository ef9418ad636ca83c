#include "psmdb/backup.h"

#include "base/buf.h"
#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static bool parse(const char *text, struct pbm_backup *b, struct err *err)
{
	return pbm_backup_parse(text, strlen(text), b, err);
}

Test(pbm_backup, file_that_pbm_2_5_0_wrote_is_read)
{
	BUF_CLEANUP struct buf text = BUF_INIT(PBM_METADATA_MAX);
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0};
	struct err err = ERR_INIT;

	cr_assert(file_read(DATA_DIR "/pbm-2.5.0.pbm.json", &text, &err), "%s", err.msg);
	cr_assert(pbm_backup_parse(buf_str(&text), text.len, &b, &err), "%s", err.msg);
	cr_expect_str_eq(b.name, "2026-11-23T06:22:13Z");
	cr_expect_str_eq(b.opid, "6b03db955829128dd5b8b0be");
	cr_expect_str_eq(b.type, "logical");
	cr_expect_str_eq(b.compression, "s2");
	cr_expect_str_eq(b.pbm_version, "2.5.0");
	cr_expect_str_eq(b.mongodb_version, "6.0.5");
	cr_expect_str_eq(b.fcv, "6.0");
	cr_expect_str_eq(b.bucket, "drill");
	cr_expect_str_eq(b.prefix, "one/two");
	cr_expect_eq(b.size_bytes, 102692);
	cr_expect_eq(b.start_ts, 1795414934);
	cr_expect_eq(b.last_transition_ts, 1795414946);
	cr_expect(b.first_write.t == 1795414940 && b.first_write.i == 8);
	cr_expect(b.last_write.t == 1795414945 && b.last_write.i == 19);
	cr_expect(pbm_backup_is_done(&b));
	cr_assert_eq(b.set_count, 1);
	cr_expect_str_eq(b.sets[0].name, "rs0");
	cr_expect_str_eq(b.sets[0].node, "127.13.0.3:27017");
	cr_expect_str_eq(b.sets[0].metadata_name, "2026-11-23T06:22:13Z/rs0/metadata.json");
	cr_expect_str_eq(b.sets[0].oplog_name, "2026-11-23T06:22:13Z/rs0/oplog");
	cr_expect(b.sets[0].last_write.t == 1795414945 && b.sets[0].last_write.i == 19);
	cr_expect_eq(pbm_backup_figure(&b), PBM_FIGURE_ONLY);
}

Test(pbm_backup, file_that_pbm_2_12_0_wrote_is_read)
{
	BUF_CLEANUP struct buf text = BUF_INIT(PBM_METADATA_MAX);
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0};
	struct err err = ERR_INIT;

	cr_assert(file_read(DATA_DIR "/pbm-2.12.0.pbm.json", &text, &err), "%s", err.msg);
	cr_assert(pbm_backup_parse(buf_str(&text), text.len, &b, &err), "%s", err.msg);
	cr_expect_str_eq(b.name, "2026-11-23T07:12:49Z");
	cr_expect_str_eq(b.pbm_version, "2.12.0");
	cr_expect(b.last_write.t == 1795417974 && b.last_write.i == 18);
	cr_expect(pbm_backup_is_done(&b));
	cr_assert_eq(b.set_count, 1);
	cr_expect(b.sets[0].first_write.t == 1795417970 && b.sets[0].first_write.i == 55);
}

Test(pbm_backup, largest_operation_time_survives)
{
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0};
	struct err err = ERR_INIT;

	cr_assert(parse("{\"name\":\"n\",\"status\":\"done\",\"last_write_ts\":{\"T\":4294967295,\"I\":4294967295},"
			"\"size\":{\"$numberLong\":\"9223372036854775807\"}}",
		      &b, &err),
	    "%s", err.msg);
	cr_assert_eq(optime_cmp(b.last_write, OPTIME_MAX), 0);
	cr_assert_eq(b.size_bytes, INT64_MAX);
}

Test(pbm_backup, failed_backup_keeps_its_error_made_harmless)
{
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0};
	struct err err = ERR_INIT;

	cr_assert(parse("{\"name\":\"n\",\"status\":\"error\",\"error\":\"agent \\u001b[31mlost\",\"replsets\":null}",
		      &b, &err),
	    "%s", err.msg);
	cr_assert_not(pbm_backup_is_done(&b));
	cr_assert(strstr(b.error, "lost"));
	cr_assert_not(strchr(b.error, '\x1b'));
}

Test(pbm_backup, what_cannot_be_believed_is_refused)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"", "backup metadata"},
	    {"[]", "not an object"},
	    {"{\"status\":\"done\"}", "\"name\""},
	    {"{\"name\":\"n\"}", "\"status\""},
	    {"{\"name\":\"../n\",\"status\":\"done\"}", "slash"},
	    {"{\"name\":\"n\\n\",\"status\":\"done\"}", "control"},
	    {"{\"name\":\"n\",\"name\":\"m\",\"status\":\"done\"}", "twice"},
	    {"{\"name\":\"n\",\"status\":\"done\",\"last_write_ts\":17}", "T and I"},
	    {"{\"name\":\"n\",\"status\":\"done\",\"last_write_ts\":{\"T\":4294967296,\"I\":0}}", "last_write_ts"},
	    {"{\"name\":\"n\",\"status\":\"done\",\"last_write_ts\":{\"T\":-1,\"I\":0}}", "last_write_ts"},
	    {"{\"name\":\"n\",\"status\":\"done\",\"last_write_ts\":{\"T\":1.5,\"I\":0}}", "last_write_ts"},
	    {"{\"name\":\"n\",\"status\":\"done\",\"replsets\":{}}", "not a list"},
	    {"{\"name\":\"n\",\"status\":\"done\",\"replsets\":[{}]}", "replica set 1"},
	    {"{\"name\":\"n\",\"status\":\"done\",\"replsets\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "twice"},
	    {"{\"name\":\"n\",\"status\":\"done\",\"replsets\":[{\"name\":\"a/b\"}]}", "slash"},
	    {"{\"name\":\"n\",\"status\":7}", "not a text"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		PBM_BACKUP_CLEANUP struct pbm_backup b = {0};
		struct err err = ERR_INIT;

		cr_expect_not(parse(cases[i].text, &b, &err), "case %zu", i);
		cr_expect(strstr(err.msg, cases[i].message), "case %zu: %s", i, err.msg);
	}
}

Test(pbm_backup, replica_sets_have_a_bound)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 16);
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0};
	struct err err = ERR_INIT;

	buf_add_str(&text, "{\"name\":\"n\",\"status\":\"done\",\"replsets\":[", &err);
	for (int i = 0; i <= PBM_SETS_MAX; i++)
		buf_printf(&text, &err, "%s{\"name\":\"rs%d\"}", i ? "," : "", i);
	buf_add_str(&text, "]}", &err);
	cr_assert_not(parse(buf_str(&text), &b, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
}

Test(pbm_backup, cluster_wide_figure_is_the_latest_up_to_2_3_and_the_earliest_from_2_4)
{
	static const struct {
		const char *type, *version;
		size_t sets;
		enum pbm_figure figure;
	} cases[] = {
	    {"logical", "2.0.4", 1, PBM_FIGURE_ONLY},
	    {"logical", "2.0.4", 3, PBM_FIGURE_MAX},
	    {"logical", "2.3.0", 3, PBM_FIGURE_MAX},
	    {"logical", "2.4.0", 3, PBM_FIGURE_MIN},
	    {"logical", "v2.5.0", 3, PBM_FIGURE_MIN},
	    {"logical", "2.12.0", 3, PBM_FIGURE_MIN},
	    {"logical", "10.0.0", 3, PBM_FIGURE_MIN},
	    {"logical", "", 3, PBM_FIGURE_MIN},
	    {"physical", "2.12.0", 3, PBM_FIGURE_MAX},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pbm_backup b = {.set_count = cases[i].sets};

		snprintf(b.type, sizeof b.type, "%s", cases[i].type);
		snprintf(b.pbm_version, sizeof b.pbm_version, "%s", cases[i].version);
		cr_expect_eq(pbm_backup_figure(&b), cases[i].figure, "case %zu", i);
	}
}
