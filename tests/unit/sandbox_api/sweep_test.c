#include "asked.h"

#define OBJECT_MAX_BYTES (16 << 20) /* what the store takes */

static void begin(void)
{
	start();
	define_kinds();
}

TestSuite(api_sweep, .init = begin, .fini = end);

/*
 * An object that is so large that its deletion cannot be written, as no request could make one: with a finalizer, so that
 * it would have to be.
 */
static void put_stuck(const char *key, const char *kind, const char *ns, const char *name, const char *owner)
{
	CLEANUP(json) struct json *doc = NULL;
	CLEANUP(free) char *fill = NULL;
	BUF_CLEANUP struct buf text = BUF_INIT(OBJECT_MAX_BYTES);
	struct err err = ERR_INIT;
	size_t len;

	cr_assert(json_format(&doc, &err,
		      "{'apiVersion':'v1','kind':%s,'metadata':{'name':%s,'namespace':%s,'uid':%s,'finalizers':['t/f'],"
		      "'resourceVersion':'1000','ownerReferences':[{'uid':%s}]},'fill':''}",
		      kind, name, ns, name, owner),
	    "%s", err.msg);
	cr_assert(json_print(json_root(doc), false, &text, &err), "%s", err.msg);
	len = OBJECT_MAX_BYTES - text.len - 8;
	fill = malloc(len + 1);
	memset(fill, 'x', len);
	fill[len] = '\0';
	cr_assert(json_set_text(json_edit(doc), "fill", fill, &err), "%s", err.msg);
	db_lock(store);
	cr_assert(db_put(store, key, TAKE(doc), NULL, &err), "%s", err.msg);
	db_unlock(store);
}

/* Without its text, which is more than a test's failure can show. */
static bool is_there(const char *key, const char *ns, const char *name)
{
	bool there;

	db_lock(store);
	there = db_get(store, key, ns, name) != NULL;
	db_unlock(store);
	return there;
}

/* Until it changes nothing more but what it cannot. */
static void sweep_in_vain(void)
{
	for (int i = 0; i < 5; i++) {
		struct err err = ERR_INIT;
		bool changed;

		cr_expect_not(api_sweep(&api, &changed, &err));
		cr_expect_neq(err.code, ERR_NONE);
	}
}

Test(api_sweep, an_orphan_that_cannot_be_deleted_holds_up_no_other)
{
	put_stuck("/configmaps", "ConfigMap", "default", "a", "gone");
	need_code(201, ask("POST", CMS,
			   config_map("'name':'b','ownerReferences':[{'apiVersion':'v1','kind':'Pod',"
				      "'name':'p','uid':'gone'}]")));
	sweep_in_vain();
	cr_expect(is_there("/configmaps", "default", "a"));
	expect_code(404, get(CMS "/b"));
}

Test(api_sweep, a_namespace_that_cannot_be_emptied_says_so_and_holds_up_no_other)
{
	static const char *const names[] = {"n1", "n2"};

	for (size_t i = 0; i < 2; i++) {
		char text[100];

		snprintf(text, sizeof text, "{'metadata':{'name':'%s'}}", names[i]);
		need_code(201, ask("POST", "/api/v1/namespaces", text));
	}
	put_stuck("/configmaps", "ConfigMap", "n1", "a", "n1");
	need_code(201, ask("POST", "/api/v1/namespaces/n1/configmaps", config_map("'name':'b'")));
	need_code(201, ask("POST", "/api/v1/namespaces/n2/configmaps", config_map("'name':'b'")));
	need_code(200, ask("DELETE", "/api/v1/namespaces/n1", NULL));
	need_code(200, ask("DELETE", "/api/v1/namespaces/n2", NULL));
	sweep_in_vain();
	expect_code(404, get("/api/v1/namespaces/n1/configmaps/b"));
	expect_code(200, get("/api/v1/namespaces/n1"));
	expect_text(
	    "status/conditions/3/message", "Some resources are remaining: configmaps. has 1 resource instances");
	expect_code(404, get("/api/v1/namespaces/n2"));
}

Test(api_sweep, a_definition_whose_objects_cannot_be_deleted_stays_and_holds_up_no_other)
{
	put_stuck("example.org/plains", "Plain", "default", "a", "n1");
	need_code(201, ask("POST", THINGS, thing("'name':'b'", "")));
	need_code(200, ask("DELETE", CRDS_PATH "/plains.example.org", NULL));
	need_code(200, ask("DELETE", CRDS_PATH "/things.example.org", NULL));
	sweep_in_vain();
	expect_code(200, get(CRDS_PATH "/plains.example.org"));
	expect_code(404, get(CRDS_PATH "/things.example.org"));
}
