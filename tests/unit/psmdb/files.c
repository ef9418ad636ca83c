#include "psmdb/files.h"

#include "psmdb/backup.h"

#include <criterion/criterion.h>
#include <string.h>

#define NAME "2026-11-23T06:22:13Z"

Test(pbm_files, slice_name_tells_its_two_operation_times)
{
	struct optime from, to;

	cr_assert(pbm_slice_parse("20261123062220-8.20261123062225-19.s2", &from, &to));
	cr_assert(from.t == 1795414940 && from.i == 8);
	cr_assert(to.t == 1795414945 && to.i == 19);
	cr_assert(
	    pbm_slice_parse("20261123062220-8.20261123062225-4294967295", &from, &to), "no compression, no ending");
	cr_assert_eq(to.i, UINT32_MAX);
}

Test(pbm_files, other_names_are_no_slices)
{
	static const char *const cases[] = {"", "x", "20261123062220-8", "20261123062220-8.",
	    "20261123062220.20261123062225-1.s2", "20261323062220-8.20261123062225-19.s2",
	    "20261123062220-8.20261123062225-4294967296", "20261123062220-08.20261123062225-19",
	    "20261123062225-19.20261123062220-8.s2", "2026112306222x-8.20261123062225-19",
	    "19690101000000-1.19700101000000-1"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct optime from, to;

		cr_expect_not(pbm_slice_parse(cases[i], &from, &to), "%s", cases[i]);
	}
}

Test(pbm_files, only_the_backups_own_files_are_taken_and_told_apart)
{
	static const struct {
		const char *key, *rest;
		enum pbm_file_kind kind;
		const char *set;
	} cases[] = {
	    {"p/q/" NAME ".pbm.json", "", PBM_FILE_METADATA, ""},
	    {"p/q/" NAME "/rs0/metadata.json", "rs0/metadata.json", PBM_FILE_METADATA, "rs0"},
	    {"p/q/" NAME "/rs0/meta.pbm", "rs0/meta.pbm", PBM_FILE_METADATA, "rs0"},
	    {"p/q/" NAME "/rs0/admin.ticker.s2", "rs0/admin.ticker.s2", PBM_FILE_DATA, "rs0"},
	    {"p/q/" NAME "/rs0/oplog/20261123062220-8.20261123062225-19.s2",
		"rs0/oplog/20261123062220-8.20261123062225-19.s2", PBM_FILE_OPLOG, "rs0"},
	    {"p/q/" NAME "/0a/oplog.x.s2", "0a/oplog.x.s2", PBM_FILE_DATA, "0a"},
	    {"p/q/" NAME "/stray", "stray", PBM_FILE_OTHER, ""},
	    {"p/q/.pbm.init", NULL, 0, NULL},
	    {"p/q/" NAME "0/rs0/metadata.json", NULL, 0, NULL},
	    {"p/" NAME "/rs0/metadata.json", NULL, 0, NULL},
	    {"p/q/pbmPitr/rs0/20261123/20261123062220-8.20261123062225-19.oplog.s2", NULL, 0, NULL},
	};
	PBM_FILES_CLEANUP struct pbm_files files = {0};
	struct err err = ERR_INIT;
	size_t wanted = 0;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_assert(pbm_files_add(&files, "/p/q/", NAME, cases[i].key, 7, "e", &err));
		wanted += cases[i].rest != NULL;
	}
	pbm_files_sort(&files);
	cr_assert_eq(files.count, wanted);
	for (size_t i = 0; i < wanted; i++) {
		const struct pbm_file *f = pbm_files_find(&files, cases[i].rest);

		cr_assert(f, "%s", cases[i].rest);
		cr_expect_str_eq(f->key, cases[i].key);
		cr_expect_eq(f->kind, cases[i].kind, "%s", cases[i].rest);
		cr_expect_str_eq(f->set, cases[i].set);
	}
	cr_assert_null(pbm_files_find(&files, "rs0/nothing"));
}

Test(pbm_files, keys_join_as_pbm_joins_them)
{
	static const struct {
		const char *prefix, *key;
	} cases[] = {{"", "r"}, {"/", "r"}, {"p", "p/r"}, {"/p/q//", "p/q/r"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_CLEANUP struct buf key = BUF_INIT(64);
		struct err err = ERR_INIT;

		cr_assert(pbm_key(&key, cases[i].prefix, "r", &err));
		cr_expect_str_eq(buf_str(&key), cases[i].key);
	}
}

Test(pbm_files, backup_names_are_found_in_a_listing)
{
	char name[PBM_NAME_MAX] = "untouched";

	cr_assert_not(pbm_name_of_key("p/.pbm.init", "p", name));
	cr_assert_not(pbm_name_of_key("p/x/" NAME ".pbm.json", "p", name));
	cr_assert_not(pbm_name_of_key("p/notes.pbm.json", "p", name));
	cr_assert_not(pbm_name_of_key("q/" NAME ".pbm.json", "p", name));
	cr_assert_str_eq(name, "untouched");
	cr_assert(pbm_name_of_key("p/" NAME ".pbm.json", "p/", name));
	cr_assert_str_eq(name, NAME);
}
