#include "kasten/actions.h"

#include <criterion/criterion.h>
#include <string.h>

static struct json *parse(const char *text)
{
	struct err err = ERR_INIT;
	struct json *doc = NULL;

	cr_assert(json_format(&doc, &err, text), "%s: %s", text, err.msg);
	return doc;
}

Test(kasten_actions, four_states_are_final_and_one_is_good)
{
	static const struct {
		const char *action;
		enum kasten_state state;
		bool final, good;
	} cases[] = {
	    {"{}", KASTEN_NONE, false, false},
	    {"{'status':{'state':'Pending'}}", KASTEN_PENDING, false, false},
	    {"{'status':{'state':'Running'}}", KASTEN_RUNNING, false, false},
	    {"{'status':{'state':'AttemptFailed'}}", KASTEN_ATTEMPT_FAILED, false, false},
	    {"{'status':{'state':'Complete'}}", KASTEN_COMPLETE, true, true},
	    {"{'status':{'state':'Failed'}}", KASTEN_FAILED, true, false},
	    {"{'status':{'state':'Skipped'}}", KASTEN_SKIPPED, true, false},
	    {"{'status':{'state':'Cancelled'}}", KASTEN_CANCELLED, true, false},
	    {"{'status':{'state':'Deleting'}}", KASTEN_DELETING, false, false},
	    /* Kanister's ActionSets write it so; an action of Kasten's does not */
	    {"{'status':{'state':'complete'}}", KASTEN_OTHER, false, false},
	    {"{'status':{'state':7}}", KASTEN_NONE, false, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(json) struct json *doc = parse(cases[i].action);
		enum kasten_state state = kasten_state(json_root(doc));

		cr_expect_eq(state, cases[i].state, "%s", cases[i].action);
		cr_expect_eq(kasten_state_final(state), cases[i].final, "%s", cases[i].action);
		cr_expect_eq(kasten_state_good(state), cases[i].good, "%s", cases[i].action);
	}
}

Test(kasten_actions, the_innermost_cause_of_an_error_is_told)
{
	static const struct {
		const char *message, *cause, *text;
	} cases[] = {
	    {"Job failed to be executed", NULL, "Job failed to be executed"},
	    {"Job failed to be executed", "", "Job failed to be executed"},
	    {"Job failed",
		"{\"message\":\"Failed to run phase\",\"cause\":{\"message\":\"phase waitBackupEnd\",\"cause\":"
		"{\"message\":\"context deadline exceeded\"}}}",
		"Job failed: context deadline exceeded"},
	    {"Job failed", "{\"message\":\"outer\",\"cause\":\"{\\\"message\\\":\\\"inner\\\"}\"}",
		"Job failed: inner"},
	    {"Job failed", "{\"message\":\"outer\",\"cause\":\"plain text\"}", "Job failed: plain text"},
	    {"Job failed", "no JSON at all", "Job failed: no JSON at all"},
	    {"Job failed", "{\"message\":", "Job failed: {\"message\":"},
	    {NULL, "{\"message\":\"alone\"}", "alone"},
	    {"phase failed: timeout", "{\"message\":\"timeout\"}", "phase failed: timeout"},
	    {"two\nlines", NULL, "two lines"},
	    {NULL, NULL, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(json) struct json *doc = NULL;
		struct err err = ERR_INIT;
		char text[900];

		cr_assert(json_format(&doc, &err, "{'status':{'state':'Failed','error':{'message':%s,'cause':%s}}}",
		    cases[i].message, cases[i].cause));
		kasten_error(json_root(doc), text, sizeof text);
		cr_expect_str_eq(text, cases[i].text);
	}
}

Test(kasten_actions, an_error_never_passes_its_field)
{
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;
	char cause[3000], text[32];

	memset(cause, 'x', sizeof cause - 1);
	cause[sizeof cause - 1] = '\0';
	cr_assert(json_format(&doc, &err, "{'status':{'error':{'message':'m','cause':%s}}}", cause));
	for (size_t size = 1; size <= sizeof text; size++) {
		memset(text, '#', sizeof text);
		kasten_error(json_root(doc), text, size);
		cr_expect_lt(strnlen(text, sizeof text), size);
		cr_expect(size == sizeof text || text[size] == '#');
	}
}

Test(kasten_actions, a_policy_of_more_than_one_namespace_is_known)
{
	static const struct {
		const char *spec;
		bool only;
	} cases[] = {
	    {"{'selector':{'matchLabels':{'k10.kasten.io/appNamespace':'mongo-ns'}}}", true},
	    {"{'selector':{'matchLabels':{'k10.kasten.io/appNamespace':'other'}}}", false},
	    {"{'selector':{'matchLabels':{'app':'x'}}}", false},
	    {"{'selector':{'matchExpressions':[{'key':'k10.kasten.io/"
	     "appNamespace','operator':'In','values':['mongo-ns']}]}}",
		true},
	    {"{'selector':{'matchExpressions':[{'key':'k10.kasten.io/"
	     "appNamespace','operator':'In','values':['a','mongo-ns']}]}}",
		false},
	    {"{'selector':{'matchExpressions':[{'key':'k10.kasten.io/"
	     "appNamespace','operator':'NotIn','values':['mongo-ns']}]}}",
		false},
	    {"{'selector':{'matchLabels':{'k10.kasten.io/appNamespace':'mongo-ns'},'matchExpressions':[]}}", false},
	    {"{'selector':{}}", false},
	    {"{}", false},
	    {"{'actions':[{'action':'import'}]}", true},
	    {"{'actions':[{'action':'backup'},{'action':'import'}]}", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(json) struct json *spec = parse(cases[i].spec), *policy = NULL;
		struct err err = ERR_INIT;

		cr_assert(json_format(&policy, &err, "{'spec':%j}", json_root(spec)));
		cr_expect_eq(
		    kasten_policy_selects_only(json_root(policy), "mongo-ns"), cases[i].only, "%s", cases[i].spec);
	}
}

Test(kasten_actions, the_profile_of_any_of_its_actions_is_used)
{
	CLEANUP(json)
	struct json *policy =
	    parse("{'spec':{'actions':[{'action':'backup','backupParameters':{'profile':{'name':'a'}}},"
		  "{'action':'export','exportParameters':{'profile':{'name':'b'}}}]}}");

	const json_node *spec = json_get(json_root(policy), "spec");

	cr_expect(kasten_refers(spec, KASTEN_PROFILE, "a") && kasten_refers(spec, KASTEN_PROFILE, "b"));
	cr_expect_not(kasten_refers(spec, KASTEN_PROFILE, "c") || kasten_refers(spec, KASTEN_SECRET, "a"));
}

Test(kasten_actions, what_a_spec_names_is_found_however_deep)
{
	static const struct {
		const char *spec, *name;
		enum kasten_reference what;
	} cases[] = {
	    {"{'actions':[{'backupParameters':{'imageRepoProfile':{'name':'x'}}}]}", "x", KASTEN_PROFILE},
	    {"{'export':{'profile':{'name':'x'}}}", "x", KASTEN_PROFILE},
	    {"{'infra':{'credential':{'secret':{'name':'x'}}}}", "x", KASTEN_SECRET},
	    {"{'actions':[{'exportParameters':{'migrationToken':{'name':'x'}}}]}", "x", KASTEN_SECRET},
	    {"{'blueprintRef':{'name':'x'}}", "x", KASTEN_BLUEPRINT},
	    {"{'actions':[{'backupParameters':{'hooks':{'preHook':{'blueprint':'x'}}}}]}", "x", KASTEN_BLUEPRINT},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(json) struct json *spec = parse(cases[i].spec);

		for (int what = KASTEN_PROFILE; what <= KASTEN_BLUEPRINT; what++)
			cr_expect_eq(kasten_refers(json_root(spec), (enum kasten_reference)what, cases[i].name),
			    what == (int)cases[i].what, "%s", cases[i].spec);
		cr_expect_not(kasten_refers(json_root(spec), cases[i].what, "y"));
	}
}

Test(kasten_actions, a_policy_selects_by_label_or_by_expression)
{
	static const struct {
		const char *selector;
		bool selects;
	} cases[] = {
	    {"{'matchLabels':{'k10.kasten.io/appNamespace':'mongo-ns'}}", true},
	    {"{'matchLabels':{'k10.kasten.io/appNamespace':'other'}}", false},
	    {"{'matchExpressions':[{'key':'k10.kasten.io/appNamespace','operator':'In','values':['a','mongo-ns']}]}",
		true},
	    {"{'matchExpressions':[{'key':'k10.kasten.io/appNamespace','operator':'NotIn','values':['mongo-ns']}]}",
		false},
	    {"{'matchExpressions':[{'key':'app','operator':'In','values':['mongo-ns']}]}", false},
	    {"{}", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(json) struct json *selector = parse(cases[i].selector), *policy = NULL;
		struct err err = ERR_INIT;

		cr_assert(json_format(&policy, &err, "{'spec':{'selector':%j}}", json_root(selector)));
		cr_expect_eq(
		    kasten_policy_selects(json_root(policy), "mongo-ns"), cases[i].selects, "%s", cases[i].selector);
	}
}

Test(kasten_actions, a_policy_tells_its_profile_and_what_is_wrong_with_it)
{
	CLEANUP(json)
	struct json *doc =
	    parse("{'spec':{'actions':[{'action':'backup','backupParameters':{'profile':{'name':'s3-profile'}}}]},"
		  "'status':{'validation':'Failed','error':['profile not found',{'message':'no namespace'}]}}");
	CLEANUP(json) struct json *young = parse("{'spec':{'actions':[{'action':'export'}]}}");
	char text[64], why[64];

	kasten_policy_profile(json_root(doc), text, sizeof text);
	cr_expect_str_eq(text, "s3-profile");
	cr_expect(kasten_policy_has(json_root(doc), "backup"));
	cr_expect_not(kasten_policy_has(json_root(doc), "export"));
	kasten_validation(json_root(doc), text, sizeof text, why, sizeof why);
	cr_expect_str_eq(text, "Failed");
	cr_expect_str_eq(why, "profile not found; no namespace");
	kasten_policy_profile(json_root(young), text, sizeof text);
	cr_expect_str_eq(text, "");
	kasten_validation(json_root(young), text, sizeof text, why, sizeof why);
	cr_expect_str_eq(text, "");
	cr_expect_str_eq(why, "");
}

Test(kasten_actions, a_restore_names_the_psmdb_alone)
{
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;

	const struct kasten_restore r = {
	    .namespace_ = "mongo-ns", .name = "restore-1", .restore_point = "rp-1", .cluster = "my-cluster-name"};

	cr_assert(kasten_make_restore(&r, &doc, &err), "%s", err.msg);
	cr_expect(json_is_at(json_root(doc), "apiVersion", "actions.kio.kasten.io/v1alpha1"));
	cr_expect(json_is_at(json_root(doc), "metadata/name", "restore-1"));
	/* the namespace of the action is its target, or Kasten refuses it */
	cr_expect(json_is_at(json_root(doc), "metadata/namespace", "mongo-ns"));
	cr_expect(json_is_at(json_root(doc), "spec/targetNamespace", "mongo-ns"));
	cr_expect(json_is_at(json_root(doc), "spec/subject/name", "rp-1"));
	/* a misspelt word in a filter is no error: it restores everything */
	cr_assert_eq(json_count(json_at(json_root(doc), "spec/filters")), 1);
	cr_assert_eq(json_count(json_at(json_root(doc), "spec/filters/includeResources")), 1);
	cr_expect(json_is_at(json_root(doc), "spec/filters/includeResources/0/group", "psmdb.percona.com"));
	cr_expect(json_is_at(json_root(doc), "spec/filters/includeResources/0/resource", "perconaservermongodbs"));
	cr_expect(json_is_at(json_root(doc), "spec/filters/includeResources/0/name", "my-cluster-name"));
}

Test(kasten_actions, a_run_names_its_policy_in_kastens_namespace)
{
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;

	cr_assert(kasten_make_run("kasten-io", "run-1", "mongo-drill", "mongo-ns", &doc, &err), "%s", err.msg);
	cr_expect(json_is_at(json_root(doc), "metadata/name", "run-1"));
	cr_expect(json_is_at(json_root(doc), "metadata/namespace", "kasten-io"));
	cr_expect(json_is_at(json_root(doc), "spec/subject/kind", "Policy"));
	cr_expect(json_is_at(json_root(doc), "spec/subject/name", "mongo-drill"));
	/* from Kasten 8 on it is wanted there */
	cr_expect(json_is_at(json_root(doc), "spec/subject/namespace", "kasten-io"));
}

Test(kasten_actions, a_restore_takes_what_is_named_and_never_everything)
{
	CLEANUP(json) struct json *names = NULL, *doc = NULL, *none = NULL;
	struct err err = ERR_INIT;
	struct kasten_restore r = {
	    .namespace_ = "ns", .name = "a", .restore_point = "rp", .cluster = "c", .plain = true};

	cr_assert(json_format(&names, &err, "['s3-secret','c-secrets']"));
	r.secrets = json_root(names);
	cr_assert(kasten_make_restore(&r, &doc, &err), "%s", err.msg);
	cr_expect_eq(json_count(json_at(json_root(doc), "spec/filters/includeResources")), 3);
	cr_expect(json_is_at(json_root(doc), "spec/filters/includeResources/0/group", ""));
	cr_expect(json_is_at(json_root(doc), "spec/filters/includeResources/1/name", "c-secrets"));
	cr_expect(json_is_at(json_root(doc), "spec/filters/includeResources/2/resource", "perconaservermongodbs"));
	cr_expect(json_is_at(json_root(doc), "spec/transforms/0/json/0/op", "remove"));
	r = (struct kasten_restore){.namespace_ = "ns", .name = "a", .restore_point = "rp"};
	cr_assert_not(kasten_make_restore(&r, &none, &err));
	cr_expect(strstr(err.msg, "would restore everything"), "%s", err.msg);
}

Test(kasten_actions, an_import_holds_what_the_export_has_left)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1000);
	CLEANUP(json) struct json *policy = NULL, *import = NULL, *point = NULL;
	struct err err = ERR_INIT;
	char profile[64];

	cr_assert(json_format(&policy, &err,
	    "{'spec':{'actions':[{'action':'export','exportParameters':{'profile':{'name':'s3'},"
	    "'receiveString':'hush'}},{'action':'backup'}]}}"));
	cr_assert(kasten_receive_string(json_root(policy), &text, &err), "%s", err.msg);
	cr_expect_str_eq(buf_str(&text), "hush");
	kasten_export_profile(json_root(policy), profile, sizeof profile);
	cr_expect_str_eq(profile, "s3");
	cr_assert(
	    kasten_make_import("kasten-io", "i", "mongo-ns", profile, buf_str(&text), &import, &err), "%s", err.msg);
	cr_expect(json_is_at(json_root(import), "spec/actions/0/importParameters/receiveString", "hush"));
	cr_expect(json_is_at(json_root(import), "spec/actions/0/importParameters/profile/namespace", "kasten-io"));
	cr_assert(kasten_make_point("ns", "p", "content", &point, &err), "%s", err.msg);
	cr_expect(json_is_at(json_root(point), "spec/restorePointContentRef/name", "content"));
}

Test(kasten_actions, a_psmdb_beside_its_origin_does_nothing_by_itself)
{
	static const char *const expected[][2] = {
	    {"/metadata/finalizers", "[]"}, {"/spec/backup/pitr", "{\"enabled\":false}"}, {"/spec/backup/tasks", "[]"}};
	CLEANUP(json) struct json *doc = NULL, *plain = NULL;
	struct err err = ERR_INIT;
	struct kasten_restore r = {.namespace_ = "ns",
	    .name = "a",
	    .restore_point = "rp",
	    .cluster = "c",
	    .apart = true,
	    .profile = "s3",
	    .kasten = "kasten-io"};

	cr_assert(kasten_make_restore(&r, &doc, &err), "%s", err.msg);
	cr_expect(json_is_at(json_root(doc), "spec/profile/name", "s3"));
	cr_expect(json_is_at(json_root(doc), "spec/profile/namespace", "kasten-io"));
	cr_assert_eq(json_count(json_at(json_root(doc), "spec/transforms/0/json")), 3);
	for (size_t i = 0; i < 3; i++) {
		BUF_CLEANUP struct buf value = BUF_INIT(200);
		char path[64];

		snprintf(path, sizeof path, "spec/transforms/0/json/%zu", i);
		cr_expect(json_is_at(json_at(json_root(doc), path), "op", "add"));
		cr_expect(json_is_at(json_at(json_root(doc), path), "path", expected[i][0]));
		cr_expect(json_print(json_get(json_at(json_root(doc), path), "value"), false, &value, &err));
		cr_expect_str_eq(buf_str(&value), expected[i][1]);
	}
	r = (struct kasten_restore){.namespace_ = "ns", .name = "a", .restore_point = "rp", .cluster = "c"};
	cr_assert(kasten_make_restore(&r, &plain, &err), "%s", err.msg);
	cr_expect(!json_at(json_root(plain), "spec/profile") && !json_at(json_root(plain), "spec/transforms"));
}
