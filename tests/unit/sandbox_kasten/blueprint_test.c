#include "sandbox/kasten/blueprint.h"
#include "tests/unit/sandbox_kasten/support.h"

Test(kasten_blueprint, the_projects_own_one_is_valid_without_a_warning)
{
	CLEANUP(json) struct json *blueprint = manifest("psmdb-bp.yaml", "Blueprint");
	BUF_CLEANUP struct buf report = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	cr_assert(blueprint_validate(json_root(blueprint), &report, &err), "%s", err.msg);
	cr_expect_null(strstr(buf_str(&report), "warning"), "%s", buf_str(&report));
	cr_expect(strstr(buf_str(&report), "validation of phase createBackup in action backup passed\n"));
	cr_expect(blueprint_action(json_root(blueprint), "backup"));
	cr_expect(blueprint_action(json_root(blueprint), "restore"));
	cr_expect(blueprint_action(json_root(blueprint), "delete"));
	cr_expect_null(blueprint_action(json_root(blueprint), "Backup"));
}

struct case_ {
	const char *blueprint, *problem; /* NULL: valid */
	const char *in_report;
};

Test(kasten_blueprint, what_kanctl_finds_and_what_it_does_not)
{
	static const struct case_ cases[] = {
	    {"{}", "no actions", ""},
	    {"{'actions':[]}", "no actions", ""},
	    {"{'actions':{'backup':{'phases':[{'func':'KubeOp','name':'a','args':{}}]}}}",
		"function \"KubeOp\" is not registered", "validation of phase a in action backup failed"},
	    {"{'actions':{'backup':{'phases':[{'func':'KubeOps','name':'a','args':{'spec':'x'}}]}}}",
		"required argument \"operation\"", "failed"},
	    {"{'actions':{'backup':{'phases':[{'func':'Wait','name':'a','args':{'timeout':'5s'}}]}}}",
		"required argument \"conditions\"", "failed"},
	    {"{'actions':{'backup':{'phases':[{'func':'Wait','name':'a','args':{'timeout':'5s','conditions':{},'until':"
	     "'x'}}]}}}",
		"argument \"until\" is not supported", "failed"},
	    {"{'actions':{'backup':{'phases':[{'func':'KubeOps','name':'a','args':{'operation':'create'}}]},"
	     "'restore':{'phases':[{'func':'KubeOps','name':'a','args':{'operation':'create'}}]}}}",
		"Duplicated phase name is not allowed. Violating phase 'a'", "phase a in action backup passed"},
	    {"{'actions':{'backup':{'phases':[{'func':'KubeOps','args':{'operation':'create'}}]}}}", "has no name",
		"failed"},
	    /* not found by Kanister, and told here as a warning */
	    {"{'actions':{'Backup':{'phases':[]}}}", NULL, "warning: action Backup is never called"},
	    {"{'actions':{'restore':{'inputArtifactNames':['cloud'],'phases':[]}}}", NULL,
		"warning: action restore needs artifact cloud"},
	    {"{'actions':{'backup':{'phases':[{'func':'KubeTask','name':'a','args':{'anything':1}}]}}}", NULL,
		"warning: this sandbox cannot execute function KubeTask"},
	    {"{'actions':{'backup':{'phases':[{'func':'KubeOps','name':'a','args':{'operation':'burn','spec':'{{'}}]}}"
	     "}",
		NULL, "passed"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json) struct json *blueprint = tree(cases[i].blueprint);
		BUF_CLEANUP struct buf report = BUF_INIT(1 << 16);
		struct err err = ERR_INIT;
		bool valid = blueprint_validate(json_root(blueprint), &report, &err);

		cr_expect_eq(valid, cases[i].problem == NULL, "%s: %s", cases[i].blueprint, err.msg);
		if (cases[i].problem)
			cr_expect(strstr(err.msg, cases[i].problem), "%s: %s", cases[i].blueprint, err.msg);
		cr_expect(strstr(buf_str(&report), cases[i].in_report), "%s: %s", cases[i].blueprint, buf_str(&report));
	}
}
