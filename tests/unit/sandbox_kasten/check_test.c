#include "sandbox/kasten/check.h"
#include "tests/unit/sandbox_kasten/support.h"

static const char secret[] = "{'data':{'aws_access_key_id':'YQ==','aws_secret_access_key':'Yg=='}}";
static const char profiles[] =
    "{'items':[{'metadata':{'name':'s3-profile','namespace':'kasten-io'},'status':{'validation':'Success'}},"
    "{'metadata':{'name':'bad','namespace':'kasten-io'},'status':{'validation':'Failed'}}]}";

/* The first error, or "" */
static const char *first(const struct json *errors)
{
	const char *text = json_text_at(json_root(errors), "0");

	return text ? text : "";
}

Test(kasten_check, the_projects_own_profile_and_policy_are_valid)
{
	CLEANUP(json) struct json *profile = manifest("profile.yaml", "Profile");
	CLEANUP(json) struct json *policy = manifest("policy.yaml", "Policy");
	CLEANUP(json) struct json *s = tree(secret);
	CLEANUP(json) struct json *p = tree(profiles);
	CLEANUP(json) struct json *of_profile = NULL;
	CLEANUP(json) struct json *of_policy = NULL;
	const char *namespace_, *name;

	cr_assert(check_profile(json_root(profile), json_root(s), &of_profile, NULL));
	cr_expect_str_eq(first(of_profile), "");
	cr_assert(profile_secret(json_root(profile), &namespace_, &name));
	cr_expect_str_eq(namespace_, "kasten-io");
	cr_expect_str_eq(name, "k10-s3-secret");
	cr_assert(check_policy(json_root(policy), json_root(p), &of_policy, NULL));
	cr_expect_str_eq(first(of_policy), "");
}

struct change {
	const char *path, *value; /* value: JSON with ', NULL: the place is removed */
	const char *error;
};

static void change(struct json *doc, const struct change *c)
{
	CLEANUP(json) struct json *value = c->value ? tree(c->value) : NULL;

	if (!value)
		cr_assert(json_remove_at(json_edit(doc), c->path), "%s", c->path);
	else
		cr_assert(json_set_copy(json_edit(doc), c->path, json_root(value), NULL), "%s", c->path);
}

Test(kasten_check, profiles_that_are_not_valid)
{
	static const struct change cases[] = {
	    {"spec/type", "'Infra'", "spec.type is not Location"},
	    {"spec/locationSpec/objectStore/name", NULL, "bucket"},
	    {"spec/locationSpec/objectStore/objectStoreType", "'AZ'", "only S3"},
	    {"spec/locationSpec/credential/secretType", "'AzStorageAccount'", "not AwsAccessKey"},
	    {"spec/locationSpec/credential/secret", NULL, "secret.name is missing"},
	};
	CLEANUP(json) struct json *good = tree(secret);
	CLEANUP(json) struct json *half = tree("{'data':{'aws_access_key_id':'YQ=='}}");
	CLEANUP(json) struct json *whole = manifest("profile.yaml", "Profile");
	CLEANUP(json) struct json *missing = NULL;
	CLEANUP(json) struct json *incomplete = NULL;

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json) struct json *profile = manifest("profile.yaml", "Profile");
		CLEANUP(json) struct json *errors = NULL;

		change(profile, &cases[i]);
		cr_assert(check_profile(json_root(profile), json_root(good), &errors, NULL));
		cr_expect(strstr(first(errors), cases[i].error), "%s: %s", cases[i].path, first(errors));
	}
	cr_assert(check_profile(json_root(whole), NULL, &missing, NULL));
	cr_expect_str_eq(first(missing), "secret \"kasten-io/k10-s3-secret\" not found");
	cr_assert(check_profile(json_root(whole), json_root(half), &incomplete, NULL));
	cr_expect(strstr(first(incomplete), "has no key aws_secret_access_key"), "%s", first(incomplete));
}

Test(kasten_check, policies_that_are_not_valid)
{
	static const struct change cases[] = {
	    {"spec/frequency", "'hourly'", "\"hourly\" is not known"},
	    {"spec/frequency", NULL, ""}, /* on demand without saying so */
	    {"spec/actions", "[]", "spec.actions is empty"},
	    {"spec/actions/0/action", "'backUp'", "action \"backUp\" is not known"},
	    {"spec/actions/0", NULL, "export must come after backup"},
	    {"spec/actions/0/action", "'import'", ""}, /* see below: other errors come */
	    {"spec/selector", NULL, "selects nothing"},
	    {"spec/selector/matchExpressions/0/operator", "'in'", "\"in\" is no operator"},
	    {"spec/selector/matchExpressions/0/values", "[]", "needs values"},
	    {"spec/actions/0/backupParameters/profile/name", "'other'",
		"profile \"kasten-io/other\" of action backup not found"},
	    {"spec/actions/0/backupParameters/profile/name", "'bad'", "is not valid"},
	    {"spec/actions/1/exportParameters/profile", NULL, "action export has no profile"},
	    {"spec/actions/1/exportParameters/profile/namespace", "'elsewhere'", "not found"},
	};
	CLEANUP(json) struct json *p = tree(profiles);

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json) struct json *policy = manifest("policy.yaml", "Policy");
		CLEANUP(json) struct json *errors = NULL;

		change(policy, &cases[i]);
		cr_assert(check_policy(json_root(policy), json_root(p), &errors, NULL));
		if (*cases[i].error)
			cr_expect(strstr(first(errors), cases[i].error), "%s: %s", cases[i].path, first(errors));
		else if (!cases[i].value)
			cr_expect_str_eq(first(errors), "");
	}
}

Test(kasten_check, a_restore_needs_an_import_and_an_import_a_receive_string)
{
	CLEANUP(json) struct json *p = tree(profiles);
	CLEANUP(json) struct json *restore = tree("{'spec':{'actions':[{'action':'restore'}]}}");
	CLEANUP(json)
	struct json *import =
	    tree("{'spec':{'actions':[{'action':'import','importParameters':{'profile':{'name':'s3-profile'}}}]}}");
	CLEANUP(json) struct json *of_restore = NULL;
	CLEANUP(json) struct json *of_import = NULL;

	cr_assert(check_policy(json_root(restore), json_root(p), &of_restore, NULL));
	cr_expect_str_eq(first(of_restore), "action restore must come after import");
	cr_assert(check_policy(json_root(import), json_root(p), &of_import, NULL));
	cr_expect_str_eq(first(of_import), "action import has no receiveString");
}
