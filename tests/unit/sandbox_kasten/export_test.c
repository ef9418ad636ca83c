/* What leaves the cluster with an export: sealed messages, receive strings, artefacts. And the manifests that bring it back. */
#include "sandbox/kasten/artefact.h"
#include "sandbox/kasten/blueprint.h"
#include "sandbox/kasten/check.h"
#include "sandbox/kasten/depot.h"
#include "sandbox/kasten/select.h"
#include "tests/unit/sandbox_kasten/support.h"

static const char wrong[] = "cipher: message authentication failed";

Test(kasten_export, what_was_sealed_opens_with_the_same_key_and_place_alone)
{
	static const char text[] = "a message";
	unsigned char key[SEAL_KEY_BYTES] = {1, 2, 3}, other[SEAL_KEY_BYTES] = {1, 2, 4};
	BUF_CLEANUP struct buf sealed = BUF_INIT(1000);
	BUF_CLEANUP struct buf plain = BUF_INIT(1000);
	struct err err = ERR_INIT;

	cr_assert(seal_close(key, "here", text, sizeof text, &sealed, &err), "%s", err.msg);
	cr_assert_eq(sealed.len, sizeof text + SEAL_OVERHEAD);
	cr_assert(seal_open(key, "here", sealed.data, sealed.len, &plain, &err), "%s", err.msg);
	cr_assert_str_eq(plain.data, text);
	cr_assert(!seal_open(other, "here", sealed.data, sealed.len, &plain, &err));
	cr_expect_str_eq(err.msg, wrong);
	cr_assert(!seal_open(key, "there", sealed.data, sealed.len, &plain, &err));
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 1;
		cr_expect(!seal_open(key, "here", sealed.data, sealed.len, &plain, &err), "byte %zu", i);
		sealed.data[i] ^= 1;
	}
	for (size_t len = 0; len < sealed.len; len++)
		cr_expect(!seal_open(key, "here", sealed.data, len, &plain, &err), "%zu bytes", len);
	cr_assert_eq(plain.len, sizeof text, "nothing was appended");
}

Test(kasten_export, an_empty_message_is_a_message)
{
	unsigned char key[SEAL_KEY_BYTES] = {0};
	BUF_CLEANUP struct buf sealed = BUF_INIT(100);
	BUF_CLEANUP struct buf plain = BUF_INIT(100);

	cr_assert(seal_close(key, "", "", 0, &sealed, NULL));
	cr_assert(seal_open(key, "", sealed.data, sealed.len, &plain, NULL));
	cr_assert_eq(plain.len, 0);
}

static struct receive make(const char *bucket, const char *path)
{
	struct receive r;
	struct err err = ERR_INIT;

	cr_assert(receive_new(bucket, path, &r, &err), "%s", err.msg);
	return r;
}

Test(kasten_export, a_receive_string_comes_back_as_it_went)
{
	struct receive r = make("b", "//kasten/x/"), again;
	BUF_CLEANUP struct buf text = BUF_INIT(RECEIVE_TEXT_MAX);
	BUF_CLEANUP struct buf second = BUF_INIT(RECEIVE_TEXT_MAX);
	struct err err = ERR_INIT;

	cr_assert(receive_format(&r, &text, &err), "%s", err.msg);
	cr_assert(receive_parse(buf_str(&text), &again, &err), "%s", err.msg);
	cr_expect_str_eq(again.bucket, "b");
	cr_expect_str_eq(again.path, "kasten/x", "no slashes at the ends");
	cr_expect_str_eq(again.collection, r.collection);
	cr_expect_arr_eq(again.key, r.key, SEAL_KEY_BYTES);
	cr_assert(receive_format(&r, &second, &err));
	cr_expect_str_neq(buf_str(&text), buf_str(&second), "sealed anew");
}

Test(kasten_export, a_receive_string_that_is_none_is_refused_in_kastens_words)
{
	struct receive r = make("b", NULL), again;
	BUF_CLEANUP struct buf text = BUF_INIT(RECEIVE_TEXT_MAX);
	BUF_CLEANUP struct buf long_one = BUF_INIT(2 * RECEIVE_TEXT_MAX);
	const char *cases[] = {"", "RECEIVE-STRING", "AAAA", "====", NULL, NULL};
	char bent[RECEIVE_TEXT_MAX + 1];

	cr_assert(receive_format(&r, &text, NULL));
	snprintf(bent, sizeof bent, "%s", buf_str(&text));
	bent[20] = bent[20] == 'A' ? 'B' : 'A';
	cases[4] = bent;
	while (long_one.len <= RECEIVE_TEXT_MAX)
		cr_assert(buf_add_str(&long_one, "AAAA", NULL));
	cases[5] = buf_str(&long_one);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = ERR_INIT;

		cr_expect(!receive_parse(cases[i], &again, &err), "%zu", i);
		cr_expect_eq(err.code, ERR_BROKEN);
		cr_expect_str_eq(err.msg, wrong);
	}
}

static const char content[] =
    "{'format':'psmdb-sandbox-kasten-content','version':1,'namespace':'n','artifacts':[],'objects':[]}";

static void format(const struct receive *r, const char *labels, const char *what, struct buf *out)
{
	CLEANUP(json) struct json *l = tree(labels);
	CLEANUP(json) struct json *c = tree(what);
	const struct artefact a = {"point-1", "2026-11-28T07:00:00Z", json_root(l), json_root(c)};
	struct err err = ERR_INIT;

	cr_assert(artefact_format(r, &a, out, &err), "%s", err.msg);
}

Test(kasten_export, an_artefact_is_read_in_its_own_place_alone)
{
	struct receive r = make("b", "kasten"), other = make("b", "kasten");
	BUF_CLEANUP struct buf bytes = BUF_INIT(1 << 16);
	CLEANUP(json) struct json *doc = NULL;
	char key[ARTEFACT_KEY_MAX], wanted[200];
	struct artefact a;
	struct err err = ERR_INIT;

	format(&r, "{'k10.kasten.io/exportType':'portableAppData'}", content, &bytes);
	cr_assert(artefact_parse(&r, "point-1", bytes.data, bytes.len, &doc, &a, &err), "%s", err.msg);
	cr_expect_str_eq(a.action_time, "2026-11-28T07:00:00Z");
	cr_expect_str_eq(json_string(json_get(a.labels, "k10.kasten.io/exportType")), "portableAppData");
	cr_expect(content_is_whole(a.content));
	artefact_key(&r, "point-1", key);
	snprintf(wanted, sizeof wanted, "kasten/migration/%s/point-1", r.collection);
	cr_expect_str_eq(key, wanted);
	json_free(doc);
	doc = NULL;
	cr_expect(!artefact_parse(&r, "point-2", bytes.data, bytes.len, &doc, &a, &err), "in the place of another");
	cr_expect(strstr(err.msg, wrong), "%s", err.msg);
	cr_expect(!artefact_parse(&other, "point-1", bytes.data, bytes.len, &doc, &a, &err), "with another key");
	cr_expect(strstr(err.msg, "\"point-1\""), "%s", err.msg);
	cr_expect_null(doc);
}

/* Sealed by whoever has the key, in the place of "point-1". */
Test(kasten_export, an_artefact_of_another_point_or_format_is_refused_though_it_opens)
{
	static const struct {
		const char *format, *name, *problem; /* NULL: fine */
		int version;
	} cases[] = {{"psmdb-sandbox-kasten-export", "point-1", NULL, 1},
	    {"psmdb-sandbox-kasten-export", "point-2", "the export of another restore point", 1},
	    {"psmdb-sandbox-kasten-export", "", "the export of another restore point", 1},
	    {"psmdb-sandbox-kasten-content", "point-1", "not of format", 1},
	    {"psmdb-sandbox-kasten-export", "point-1", "not of format \"psmdb-sandbox-kasten-export\", version 1", 2},
	    {"psmdb-sandbox-kasten-export", "point-1", "not of format", 0}};
	struct receive r = make("b", "kasten");
	char key[ARTEFACT_KEY_MAX];

	artefact_key(&r, "point-1", key);
	for (size_t i = 0; i < COUNT(cases); i++) {
		BUF_CLEANUP struct buf plain = BUF_INIT(1 << 16);
		BUF_CLEANUP struct buf sealed = BUF_INIT(1 << 16);
		CLEANUP(json) struct json *c = tree(content);
		CLEANUP(json) struct json *doc = NULL;
		CLEANUP(json) struct json *read = NULL;
		struct artefact a = {.name = NULL};
		struct err err = ERR_INIT;

		cr_assert(json_format(&doc, &err,
			      "{'format':%s,'version':%d,'name':%s,'labels':{},'actionTime':'2026-11-28T07:00:00Z','"
			      "content':%j}",
			      cases[i].format, cases[i].version, cases[i].name, json_root(c)),
		    "%s", err.msg);
		cr_assert(json_print(json_root(doc), false, &plain, &err), "%s", err.msg);
		cr_assert(seal_close(r.key, key, plain.data, plain.len, &sealed, &err), "%s", err.msg);
		cr_expect_eq(artefact_parse(&r, "point-1", sealed.data, sealed.len, &read, &a, &err), !cases[i].problem,
		    "%zu: %s", i, err.msg);
		if (!cases[i].problem)
			continue;
		cr_expect_eq(err.code, ERR_BROKEN, "%zu", i);
		cr_expect(strstr(err.msg, cases[i].problem) && strstr(err.msg, "\"point-1\""), "%zu: %s", i, err.msg);
		cr_expect(!read && !a.name, "%zu: nothing is handed out", i);
	}
}

Test(kasten_export, an_artefact_with_a_part_missing_is_refused)
{
	static const struct {
		const char *labels, *content;
	} cases[] = {{"[]", content}, {"{'a':1}", content}, {"{}", "{}"},
	    {"{}", "{'format':'psmdb-sandbox-kasten-content','objects':[]}"}, {"{}", "[]"}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct receive r = make("b", "");
		BUF_CLEANUP struct buf bytes = BUF_INIT(1 << 16);
		CLEANUP(json) struct json *doc = NULL;
		struct artefact a;
		struct err err = ERR_INIT;

		format(&r, cases[i].labels, cases[i].content, &bytes);
		cr_expect(!artefact_parse(&r, "point-1", bytes.data, bytes.len, &doc, &a, &err), "%zu", i);
		cr_expect(strstr(err.msg, "labels, time or content are missing"), "%s", err.msg);
	}
}

Test(kasten_export, names_in_a_bucket_that_could_lead_elsewhere_are_none)
{
	static const char *const good[] = {"mongo-ns-scheduled-abc-exported-def", "a.b", "0"};
	static const char *const bad[] = {"", "..", ".a", "-a", "a/b", "A", "a b", "a\n"};
	char long_one[ARTEFACT_NAME_MAX + 2];

	memset(long_one, 'a', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = '\0';
	cr_expect(!artefact_name_valid(long_one));
	cr_expect(artefact_name_valid(long_one + 1));
	for (size_t i = 0; i < COUNT(good); i++)
		cr_expect(artefact_name_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		cr_expect(!artefact_name_valid(bad[i]), "%s", bad[i]);
}

Test(kasten_export, a_profile_says_where_the_bucket_is)
{
	CLEANUP(json) struct json *profile = manifest("profile.yaml", "Profile");
	CLEANUP(json)
	struct json *secret = tree("{'data':{'aws_access_key_id':'QUs=','aws_secret_access_key':'c2VjcmV0'}}");
	CLEANUP(json) struct json *half = tree("{'data':{'aws_access_key_id':'QUs='}}");
	S3_CONFIG_CLEANUP struct s3_config c = {0};
	struct err err = ERR_INIT;

	cr_assert(depot_config(json_root(profile), json_root(secret), &c, &err), "%s", err.msg);
	cr_expect_str_eq(c.endpoint, "https://s3.example.com");
	cr_expect_str_eq(c.access_key, "AK");
	cr_expect_str_eq(c.secret_key, "secret");
	cr_expect(!depot_config(json_root(profile), json_root(half), &c, &err));
	cr_expect(strstr(err.msg, "aws_secret_access_key"), "%s", err.msg);
}

/* --- the manifests of an import ------------------------------------------------------------------------------------ */

Test(kasten_export, the_blueprint_without_restore_is_the_other_one_but_for_that)
{
	CLEANUP(json) struct json *with = manifest("psmdb-bp.yaml", "Blueprint");
	CLEANUP(json) struct json *without = manifest("psmdb-bp-no-restore.yaml", "Blueprint");
	BUF_CLEANUP struct buf report = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	cr_assert(blueprint_validate(json_root(without), &report, &err), "%s", err.msg);
	cr_expect_null(strstr(buf_str(&report), "warning"), "%s", buf_str(&report));
	cr_expect_null(blueprint_action(json_root(without), "restore"));
	cr_expect(!json_equal(json_root(with), json_root(without)));
	cr_assert(json_remove_at(json_edit(with), "actions/restore"));
	cr_expect(json_equal(json_root(with), json_root(without)));
}

Test(kasten_export, the_import_policy_is_valid)
{
	CLEANUP(json) struct json *policy = manifest("import-policy.yaml", "Policy");
	CLEANUP(json)
	struct json *profiles = tree("{'items':[{'metadata':{'name':'s3-profile','namespace':'kasten-io'},"
				     "'status':{'validation':'Success'}}]}");
	CLEANUP(json) struct json *errors = NULL;

	cr_assert(check_policy(json_root(policy), json_root(profiles), &errors, NULL));
	cr_expect_eq(json_count(json_root(errors)), 0, "%s", json_text_at(json_root(errors), "0"));
}

Test(kasten_export, the_restore_from_an_import_wants_the_psmdb_and_its_keys_and_nothing_else)
{
	static const struct {
		const char *group, *resource, *name;
		bool wanted;
	} cases[] = {{"psmdb.percona.com", "perconaservermongodbs", "my-cluster-name", true},
	    {"", "secrets", "s3-secret", true}, {"", "secrets", "my-cluster-name-secrets", false},
	    {"psmdb.percona.com", "perconaservermongodbbackups", "my-cluster-name", false},
	    {"", "configmaps", "s3-secret", false}, {"apps", "secrets", "s3-secret", false}};
	CLEANUP(json) struct json *action = manifest("restore-action-import.yaml", "RestoreAction");

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json) struct json *object = NULL;

		cr_assert(json_format(&object, NULL, "{'metadata':{'name':%s}}", cases[i].name));
		const struct filter_subject subject = {cases[i].group, "v1", cases[i].resource, json_root(object)};

		cr_expect_eq(filter_wants(json_at(json_root(action), "spec/filters"), &subject), cases[i].wanted,
		    "%s/%s", cases[i].resource, cases[i].name);
	}
}
