#include "asked.h"

TestSuite(api_admit, .init = start, .fini = end);

#define SERVICES "/api/v1/namespaces/default/services"

static int make_service(const char *name, const char *more)
{
	char body[500];

	snprintf(body, sizeof body, "{'metadata':{'name':'%s'},'spec':{'ports':[{'port':1}]%s}}", name, more);
	return ask("POST", SERVICES, body);
}

Test(api_admit, services_get_addresses_of_the_range_and_give_them_back)
{
	need_code(201, make_service("a", ""));
	expect_text("spec/clusterIP", "127.7.7.128");
	expect_text("spec/type", "ClusterIP");
	need_code(201, make_service("b", ""));
	expect_text("spec/clusterIP", "127.7.7.129");
	need_code(201, make_service("none", ",'clusterIP':'None'"));
	expect_text("spec/clusterIP", "None");
	need_code(201, make_service("c", ""));
	expect_text("spec/clusterIP", "127.7.7.130");
	expect_code(500, make_service("d", ""));
	need_code(200, ask("DELETE", SERVICES "/b", NULL));
	need_code(201, make_service("d", ""));
	expect_text("spec/clusterIP", "127.7.7.129");
	/* a write that does not name it keeps it */
	need_code(200, ask("PUT", SERVICES "/d", "{'metadata':{'name':'d'},'spec':{'ports':[{'port':2}]}}"));
	expect_text("spec/clusterIP", "127.7.7.129");
}

Test(api_admit, secrets_keep_texts_as_data)
{
	need_code(201, ask("POST", "/api/v1/namespaces/default/secrets",
			   "{'metadata':{'name':'s'},'data':{'a':'eA=='},'stringData':{'b':'y'}}"));
	expect_text("data/a", "eA==");
	expect_text("data/b", "eQ==");
	cr_expect(!has("stringData"));
	expect_text("type", "Opaque");
}

Test(api_admit, the_annotation_leaves_fewer_verbs_of_a_kind)
{
	const char *patch = "{'metadata':{'labels':{'a':'b'}}}";

	define_kinds();
	need_code(200, get("/apis/example.org/v1"));
	for (const json_node *r = json_first(json_at(json_root(said), "resources")); r; r = json_next(r)) {
		if (!json_is_at(r, "name", "plains"))
			continue;
		cr_expect_eq(json_count(json_get(r, "verbs")), 4);
		for (const json_node *v = json_first(json_get(r, "verbs")); v; v = json_next(v))
			cr_expect_str_neq(json_string(v), "watch");
	}
	need_code(201, ask("POST", PLAINS, "{'apiVersion':'example.org/v1','kind':'Plain','metadata':{'name':'p'}}"));
	expect_code(200, get(PLAINS "/p"));
	expect_code(200, get(PLAINS));
	expect_code(405, get(PLAINS "?watch=1"));
	expect_code(405, merge(PLAINS "/p", patch));
	expect_code(405, ask("PUT", PLAINS "/p", "{}"));
	expect_code(405, ask("DELETE", PLAINS, NULL));
	expect_code(200, ask("DELETE", PLAINS "/p", NULL));
}

#define ROLES "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"

Test(api_admit, names_are_made_and_checked)
{
	need_code(201, ask("POST", CMS, config_map("'generateName':'m-'")));
	cr_expect_eq(strlen(text_of("metadata/name")), 7);
	cr_expect_eq(strncmp(text_of("metadata/name"), "m-", 2), 0);
	static const char *const bad[] = {"A", "a_b", "-a", "a-", "a..b", "a/b", ".a", "a.", ""};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char metadata[64];

		snprintf(metadata, sizeof metadata, "'name':'%s'", bad[i]);
		cr_expect_eq(ask("POST", CMS, config_map(metadata)), 422, "%s", bad[i]);
	}
	need_code(201, ask("POST", ROLES, "{'metadata':{'name':'system:a'}}"));
}

Test(api_admit, a_name_in_the_url_is_checked_as_one_in_the_body)
{
	static const char *const bad[] = {"A", "a_b", "-a", "a%2Fb", "a%22b", "a."};
	char target[700], long_name[300];

	define_kinds();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(target, sizeof target, THINGS "/%s", bad[i]);
		cr_expect_eq(ask("POST", target, thing("", "")), 422, "%s", bad[i]);
		snprintf(target, sizeof target, THINGS "/%s?fieldManager=f", bad[i]);
		cr_expect_eq(apply(target, thing("", "")), 422, "%s", bad[i]);
	}
	memset(long_name, 'a', 254);
	long_name[254] = '\0';
	snprintf(target, sizeof target, THINGS "/%s", long_name);
	expect_code(422, ask("POST", target, thing("", "")));
	expect_code(
	    422, apply(ROLES "/a%2Fb?fieldManager=f", "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role'}"));
	need_code(200, get(THINGS));
	cr_expect_eq(json_count(json_at(json_root(said), "items")), 0);
	expect_code(201, ask("POST", THINGS "/good", thing("", "")));
}

Test(api_admit, a_generated_name_is_checked_too_and_never_too_long)
{
	char long_prefix[300], metadata[400];

	expect_code(422, ask("POST", CMS, config_map("'generateName':'Bad-'")));
	expect_code(422, ask("POST", CMS, config_map("'generateName':'a/'")));
	memset(long_prefix, 'a', sizeof long_prefix - 1);
	long_prefix[sizeof long_prefix - 1] = '\0';
	snprintf(metadata, sizeof metadata, "'generateName':'%s'", long_prefix);
	need_code(201, ask("POST", CMS, config_map(metadata)));
	cr_expect_eq(strlen(text_of("metadata/name")), 63);
	need_code(201, ask("POST", "/api/v1/namespaces", config_map(metadata)));
}

Test(api_admit, a_namespace_is_a_label)
{
	char name[65], metadata[100];

	memset(name, 'n', 64);
	name[64] = '\0';
	snprintf(metadata, sizeof metadata, "'name':'%s'", name);
	expect_code(422, ask("POST", "/api/v1/namespaces", config_map(metadata)));
	cr_expect(strstr(text_of("message"), "RFC 1123 label"), "%s", text_of("message"));
	expect_code(422, ask("POST", "/api/v1/namespaces", config_map("'name':'a.b'")));
	snprintf(metadata, sizeof metadata, "'name':'%s'", name + 1);
	expect_code(201, ask("POST", "/api/v1/namespaces", config_map(metadata)));
}

Test(api_admit, empty_maps_of_the_metadata_are_not_kept)
{
	need_code(201, ask("POST", CMS,
			   config_map("'name':'m','labels':{},'annotations':{},'finalizers':[],'ownerReferences':[]")));
	cr_expect(!has("metadata/labels") && !has("metadata/annotations") && !has("metadata/finalizers") &&
		  !has("metadata/ownerReferences"));
}

Test(api_admit, a_label_that_a_real_server_refuses_is_refused_on_every_way)
{
	static const struct {
		const char *label;
		int refused; /* 0: fine */
		const char *words;
	} cases[] = {{"'a b':'c'", 1, "name part must consist of"}, {"'-a':'c'", 1, "name part must consist of"},
	    {"'example.org/':'c'", 1, "name part must consist of"}, {"'a':'-x'", 1, "a valid label must be"},
	    {"'a':'x-'", 1, "a valid label must be"}, {"'a':'x y'", 1, "a valid label must be"},
	    {"'a.b/c':''", 0, NULL}, {"'A_b.c-1':'X_y.z-1'", 0, NULL}};
	char metadata[200], patch[200], name[16];

	need_code(201, ask("POST", CMS, config_map("'name':'there'")));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int made = cases[i].refused ? 422 : 201, changed = cases[i].refused ? 422 : 200;

		snprintf(name, sizeof name, "m%zu", i);
		snprintf(metadata, sizeof metadata, "'name':'%s','labels':{%s}", name, cases[i].label);
		expect_code(made, ask("POST", CMS, config_map(metadata)));
		if (cases[i].refused) {
			cr_expect(
			    strstr(text_of("message"), cases[i].words), "%s: %s", cases[i].label, text_of("message"));
			expect_text("details/causes/0/field", "metadata.labels");
		}
		snprintf(patch, sizeof patch, "{'metadata':{'labels':{%s}}}", cases[i].label);
		expect_code(changed, merge(CMS "/there", patch));
		snprintf(metadata, sizeof metadata, "'name':'there','labels':{%s}", cases[i].label);
		expect_code(changed, ask("PUT", CMS "/there", config_map(metadata)));
	}
	need_code(200, get(CMS "/there"));
	cr_expect_eq(json_count(json_at(json_root(said), "metadata/labels")), 1, "%s", buf_str(&response.body));
}

Test(api_admit, the_parts_of_a_label_have_63_characters_at_most)
{
	char part[65], patch[200];

	need_code(201, ask("POST", CMS, config_map("'name':'m'")));
	memset(part, 'x', 64);
	part[64] = '\0';
	snprintf(patch, sizeof patch, "{'metadata':{'labels':{'a':'%s'}}}", part);
	expect_code(422, merge(CMS "/m", patch));
	snprintf(patch, sizeof patch, "{'metadata':{'labels':{'example.org/%s':'b'}}}", part);
	expect_code(422, merge(CMS "/m", patch));
	snprintf(patch, sizeof patch, "{'metadata':{'labels':{'example.org/%s':'%s'}}}", part + 1, part + 1);
	expect_code(200, merge(CMS "/m", patch));
}

Test(api_admit, a_finalizer_without_a_domain_raises_a_warning)
{
	define_kinds();
	need_code(201, ask("POST", THINGS, thing("'name':'t','finalizers':['delete-psmdb-pods-in-order']", "")));
	cr_expect_eq(response.warning_count, 1);
	cr_expect(strstr(response.warnings[0], "prefer a domain-qualified finalizer name"));
	need_code(200, merge(THINGS "/t", "{'metadata':{'labels':{'a':'b'}}}"));
	cr_expect_eq(response.warning_count, 0, "one that was there before raises none");
}

Test(api_admit, definitions_are_established_at_once)
{
	define_kinds();
	need_code(200, get(CRDS_PATH "/things.example.org"));
	expect_text("status/conditions/1/type", "Established");
	expect_text("status/conditions/1/status", "True");
	expect_code(
	    422, ask("POST", CRDS_PATH, "{'metadata':{'name':'x.example.org'},'spec':{'group':'example.org'}}"));
}

/* A definition's name, group, plural, kind and version. */
static int define(const char *name, const char *group, const char *plural, const char *kind, const char *version)
{
	char body[2000];

	snprintf(body, sizeof body,
	    "{'metadata':{'name':'%s'},'spec':{'group':'%s','scope':'Namespaced','names':{'plural':'%s','kind':'%s'},"
	    "'versions':[{'name':'%s','served':true,'storage':true}]}}",
	    name, group, plural, kind, version);
	return ask("POST", CRDS_PATH, body);
}

Test(api_admit, a_definition_is_named_by_its_plural_and_group_and_these_are_names)
{
	char group[140], name[260];

	expect_code(422, define("x.example.org", "example.org", "y", "Y", "v1"));
	cr_expect(strstr(text_of("message"), "must be spec.names.plural+\".\"+spec.group"), "%s", text_of("message"));
	expect_text("details/causes/0/field", "metadata.name");
	expect_code(422, define("y.example.org.more", "example.org", "y", "Y", "v1"));
	expect_code(422, define("y", "example.org", "y", "Y", "v1"));
	/* "a.b" in "c" would have the name of "a" in "b.c" */
	expect_code(422, define("a.b.c", "c", "a.b", "A", "v1"));
	expect_code(422, define("y.example.org", "example.org", "\\'y", "Y", "v1"));
	expect_code(422, define("y.example.org", "example.org/a", "y", "Y", "v1"));
	expect_code(422, define("y.example.org", "example.org", "y", "Y\\'", "v1"));
	expect_code(422, define("y.example.org", "example.org", "y", "Y", "v1/x"));
	memset(group, 'g', 128);
	group[128] = '\0';
	snprintf(name, sizeof name, "y.%s", group);
	expect_code(422, define(name, group, "y", "Y", "v1"));
	expect_code(201, define("y.example.org", "example.org", "y", "Y", "v1"));
	expect_code(422, merge(CRDS_PATH "/y.example.org", "{'spec':{'group':'example.com'}}"));
	expect_code(422, merge(CRDS_PATH "/y.example.org", "{'spec':{'group':5}}"));
}
