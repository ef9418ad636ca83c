/* What is left of an installation, and what could not be looked at: the verdict of step "prove-removed". */
#include "evidence/verdict.h"
#include "steps_fixture.h"

TestSuite(prove, .init = set_up, .fini = tear_down);

#define LIST(items) OK("{\"kind\":\"List\",\"metadata\":{},\"items\":[" items "]}")

/* The verdict; its reports are made by another program, which is not there. */
static void prove(const char *const *answers, size_t count, struct verdict *ret)
{
	char path[PATH_MAX], *seen = NULL;

	step("prove-removed", "{'timeout':'0s'}", true, answers, count, &seen);
	wrote_nothing(seen);
	err = (struct err)ERR_INIT;
	snprintf(path, sizeof path, "%s/verdict.json", dir);
	cr_assert(verdict_read(path, ret, &err), "%s", err.msg);
}

static const char *message_of(const struct verdict *v, enum verdict_reason_code code)
{
	for (size_t i = 0; i < v->reason_count; i++)
		if (v->reasons[i].code == code)
			return v->reasons[i].message;
	return "";
}

#define KINDS(name, kind, namespaced)                                                                                  \
	OK("{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"" name "\",\"kind\":\"" kind                      \
	   "\",\"namespaced\":" namespaced ",\"verbs\":[\"get\",\"list\",\"delete\"]}]}")
#define GROUP(name)                                                                                                    \
	OK("{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"" name "\",\"preferredVersion\":{\"version\":\"v1\"}}]" \
	   "}")
#define FORBIDDEN                                                                                                      \
	JSON("403 Forbidden", "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"code\":403}")

Test(prove, what_is_about_the_namespace_alone_is_left_wherever_it_is)
{
	static const struct {
		const char *group, *kind, *list;
		bool left;
	} cases[] = {
	    {GROUP("rbac.authorization.k8s.io"), KINDS("clusterrolebindings", "ClusterRoleBinding", "false"),
		LIST("{\"metadata\":{\"name\":\"b\"},\"subjects\":[{\"name\":\"x\",\"namespace\":\"ns\"}]}"), true},
	    {GROUP("rbac.authorization.k8s.io"), KINDS("clusterrolebindings", "ClusterRoleBinding", "false"),
		LIST("{\"metadata\":{\"name\":\"b\"},\"subjects\":[{\"name\":\"x\",\"namespace\":\"ns\"},{\"name\":"
		     "\"y\"}]}"),
		false},
	    {GROUP("admissionregistration.k8s.io"),
		KINDS("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "false"),
		LIST("{\"metadata\":{\"name\":\"w\"},\"webhooks\":[{\"clientConfig\":{\"service\":{\"namespace\":"
		     "\"ns\"}}}]}"),
		true},
	    {GROUP("apiregistration.k8s.io"), KINDS("apiservices", "APIService", "false"),
		LIST("{\"metadata\":{\"name\":\"a\"},\"spec\":{\"service\":{\"namespace\":\"ns\"}}}"), true},
	    {GROUP("snapshot.storage.k8s.io"), KINDS("volumesnapshotcontents", "VolumeSnapshotContent", "false"),
		LIST("{\"metadata\":{\"name\":\"s\"},\"spec\":{\"volumeSnapshotRef\":{\"namespace\":\"ns\"}}}"), true},
	    {GROUP("config.kio.kasten.io"), KINDS("policies", "Policy", "false"),
		LIST("{\"metadata\":{\"name\":\"p\"},\"spec\":{\"selector\":{\"matchLabels\":{\"k10.kasten.io/"
		     "appNamespace\":\"ns\"}},\"actions\":[{\"action\":\"backup\"}]}}"),
		true},
	    {GROUP("config.kio.kasten.io"), KINDS("policies", "Policy", "false"),
		LIST("{\"metadata\":{\"name\":\"p\"},\"spec\":{\"actions\":[{\"action\":\"import\"}]}}"), false},
	    {GROUP("apiextensions.k8s.io"), KINDS("customresourcedefinitions", "CustomResourceDefinition", "false"),
		LIST("{\"metadata\":{\"name\":\"c\"},\"spec\":{\"group\":\"psmdb.percona.com\"}}"), false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *answers[] = {OK("{\"kind\":\"APIResourceList\",\"resources\":[]}"), cases[i].group,
		    cases[i].kind, cases[i].list};
		VERDICT_CLEANUP struct verdict v;

		verdict_init(&v);
		prove(answers, COUNT(answers), &v);
		cr_expect_eq(v.removal_left, cases[i].left, "%zu: %s", i, message_of(&v, REASON_LEFT_BEHIND));
		cr_expect_eq(v.result, cases[i].left ? VERDICT_FAIL : VERDICT_PASS);
		cr_expect(v.removal_kinds == 1 && v.removal_kinds_unread == 0);
	}
}

Test(prove, what_could_not_be_looked_at_is_no_pass)
{
	static const char down[] = ANSWER("503 Service Unavailable", "text/plain", "service unavailable");
	const char *forbidden[] = {CORE, GROUPS, NONE, FORBIDDEN},
		   *unread[] = {CORE, GROUP("x.io"), down, down, down, NONE, NONE},
		   *odd[] = {CORE, OK("{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"x.io\"}]}"), NONE, NONE};
	const struct {
		const char *const *answers;
		size_t count;
		const char *says;
	} cases[] = {{forbidden, COUNT(forbidden), "persistentvolumeclaims"}, {unread, COUNT(unread), "x.io"},
	    {odd, COUNT(odd), "x.io"}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		VERDICT_CLEANUP struct verdict v;

		verdict_init(&v);
		prove(cases[i].answers, cases[i].count, &v);
		cr_expect_eq(v.result, VERDICT_INCONCLUSIVE, "%zu", i);
		cr_expect_eq(v.removal_kinds_unread, 1);
		cr_expect(strstr(message_of(&v, REASON_NOT_LOOKED_AT), cases[i].says), "%s",
		    message_of(&v, REASON_NOT_LOOKED_AT));
	}
}

Test(prove, the_places_of_many_backups_are_not_cut_in_the_middle)
{
	const char *answers[] = {CORE, GROUPS, NONE, NONE};
	BUF_CLEANUP struct buf places = BUF_INIT(1 << 16);
	VERDICT_CLEANUP struct verdict v;
	const char *message;

	verdict_init(&v);
	for (int i = 0; i < 100; i++)
		cr_assert(buf_printf(&places, &err, "%ss3://drill/pbm/2026-11-23T05:58:%02dZ", i ? " " : "", i));
	cr_assert(drill_set_value(&d, "kept-backups", buf_str(&places), &err));
	prove(answers, COUNT(answers), &v);
	message = message_of(&v, REASON_BACKUPS_KEPT);
	cr_assert(!strncmp(message, "s3://drill/pbm/2026-11-23T05:58:00Z s3://", 40), "%s", message);
	cr_assert(strstr(message, "Z and 74 more: see \"kept-backups\" in state.json"), "%s", message);
}
