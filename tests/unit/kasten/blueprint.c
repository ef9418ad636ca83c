#include "kasten/blueprint.h"

#include "doc/yaml.h"

#include <criterion/criterion.h>

static struct json *parse(const char *text)
{
	struct err err = ERR_INIT;
	struct json *doc = NULL;

	cr_assert(json_format(&doc, &err, text), "%s: %s", text, err.msg);
	return doc;
}

Test(kasten_blueprint, the_one_that_is_shipped_has_what_a_drill_needs)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct err err = ERR_INIT;
	char text[64];

	cr_assert(yaml_read(MANIFESTS "/psmdb-bp.yaml", &limits, &docs, &err), "%s", err.msg);
	cr_assert_eq(docs.count, 1);
	cr_expect(kasten_blueprint_has(json_root(docs.items[0]), "backup"));
	cr_expect(kasten_blueprint_has(json_root(docs.items[0]), "restore"));
	cr_expect(kasten_blueprint_has(json_root(docs.items[0]), "delete"));
	kasten_blueprint_strays(json_root(docs.items[0]), text, sizeof text);
	cr_expect_str_eq(text, "");
	kasten_blueprint_storage(json_root(docs.items[0]), text, sizeof text);
	cr_expect_str_eq(text, "my-s3-storage");
}

Test(kasten_blueprint, a_misspelt_action_is_a_stray_and_one_without_phases_is_none)
{
	CLEANUP(json)
	struct json *doc = parse("{'actions':{'Backup':{'phases':[{'func':'Wait'}]},'restore':{'phases':[]},"
				 "'delete':{'phases':[{'func':'KubeOps'}]},'restored':{}}}");
	char text[64], tiny[8];

	cr_expect_not(kasten_blueprint_has(json_root(doc), "backup"));
	cr_expect_not(kasten_blueprint_has(json_root(doc), "restore"));
	cr_expect(kasten_blueprint_has(json_root(doc), "delete"));
	kasten_blueprint_strays(json_root(doc), text, sizeof text);
	cr_expect_str_eq(text, "Backup, restored");
	kasten_blueprint_strays(json_root(doc), tiny, sizeof tiny);
	cr_expect_str_eq(tiny, "Backup,");
	cr_expect_not(kasten_blueprint_has(NULL, "backup"));
}

Test(kasten_blueprint, the_storage_is_read_out_of_the_text_of_a_spec)
{
	static const struct {
		const char *spec, *storage;
	} cases[] = {
	    {"kind: PerconaServerMongoDBBackup\nspec:\n  storageName: my-s3-storage\n", "my-s3-storage"},
	    {"kind: PerconaServerMongoDBBackup\nspec:\n  storageName: \"quoted\" # why\n", "quoted"},
	    {"kind: PerconaServerMongoDBBackup\nspec: {clusterName: c, storageName: 's3'}", "s3"},
	    {"kind: PerconaServerMongoDBBackup\nspec: {storageName: s3}", "s3"},
	    {"kind: PerconaServerMongoDBBackup\nspec: {storageName: s3, clusterName: c}", "s3"},
	    {"kind: PerconaServerMongoDBBackup\nspec:\n  storageName: {{ .Options.storage }}\n", ""},
	    {"kind: PerconaServerMongoDBBackup\nspec:\n  clusterName: c\n", ""},
	    {"kind: PerconaServerMongoDBRestore\nspec:\n  storageName: other\n", ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(json) struct json *doc = NULL;
		struct err err = ERR_INIT;
		char text[64];

		cr_assert(json_format(&doc, &err,
		    "{'actions':{'backup':{'phases':[{'func':'Wait'},{'func':'KubeOps','args':{'spec':%s}}]}}}",
		    cases[i].spec));
		kasten_blueprint_storage(json_root(doc), text, sizeof text);
		cr_expect_str_eq(text, cases[i].storage, "%s: \"%s\"", cases[i].spec, text);
	}
}
