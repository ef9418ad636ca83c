#include "asked.h"

static void begin(void)
{
	start();
	define_kinds();
	for (int i = 0; i < 7; i++) {
		char metadata[200];

		snprintf(metadata, sizeof metadata, "'name':'t%d','labels':{'n':'%d','all':'1'%s}", i, i % 3,
		    i == 5 ? ",'only':''" : "");
		need_code(201, ask("POST", THINGS, thing(metadata, "")));
	}
}

TestSuite(api_list, .init = begin, .fini = end);

/* The last digits of the names in a list. */
static const char *names(void)
{
	static char text[64];
	size_t n = 0;

	for (const json_node *i = json_first(json_at(json_root(said), "items")); i; i = json_next(i))
		text[n++] = json_text_at(i, "metadata/name")[1];
	text[n] = '\0';
	return text;
}

Test(api_list, selects_by_labels)
{
	static const struct {
		const char *selector, *names;
	} cases[] = {
	    {"", "0123456"},
	    {"n%3D1", "14"},
	    {"n%3D%3D1", "14"},
	    {"n!%3D1", "02356"},
	    {"n%20in%20(0,1)", "01346"},
	    {"n%20notin%20(0,1)", "25"},
	    {"n", "0123456"},
	    {"!n", ""},
	    {"only", "5"},
	    {"only%3D", "5"},
	    {"!only,n%3D2", "2"},
	    {"all%3D1,n%20in%20(2)", "25"},
	    {"other!%3Dx", "0123456"},
	    {"other%20notin%20(x)", "0123456"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char target[300];

		snprintf(target, sizeof target, THINGS "?labelSelector=%s", cases[i].selector);
		expect_code(200, get(target));
		cr_expect_str_eq(names(), cases[i].names, "%s: %s", cases[i].selector, names());
	}
}

Test(api_list, refuses_selectors_that_say_nothing)
{
	static const char *const selectors[] = {
	    "n%3D%3D%3D1", "n%20in", "n%20in%20(", "n%20in%20(a", "%3D1", "((", ",", "a%20b", "!", "n%20in%20a"};

	for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
		char target[300];

		snprintf(target, sizeof target, THINGS "?labelSelector=%s", selectors[i]);
		cr_expect_eq(get(target), 400, "%s", selectors[i]);
	}
	expect_code(400, get(THINGS "?fieldSelector=spec.a%3D1"));
	expect_code(400, get(THINGS "?fieldSelector=nonsense"));
}

Test(api_list, selects_by_name_and_namespace)
{
	need_code(200, get(THINGS "?fieldSelector=metadata.name%3Dt3"));
	cr_expect_str_eq(names(), "3");
	need_code(200, get("/apis/example.org/v1/things?fieldSelector=metadata.namespace!%3Ddefault"));
	cr_expect_str_eq(names(), "");
}

Test(api_list, goes_on_behind_the_last_name_though_that_is_gone)
{
	char target[900];

	need_code(200, get(THINGS "?limit=3"));
	cr_expect_str_eq(names(), "012");
	cr_expect_eq(int_of("metadata/remainingItemCount"), 4);
	snprintf(target, sizeof target, THINGS "?limit=3&continue=%s", text_of("metadata/continue"));
	need_code(200, ask("DELETE", THINGS "/t2", NULL));
	need_code(200, get(target));
	cr_expect_str_eq(names(), "345");
	snprintf(target, sizeof target, THINGS "?limit=3&continue=%s", text_of("metadata/continue"));
	need_code(200, get(target));
	cr_expect_str_eq(names(), "6");
	expect_text("metadata/continue", "");
	need_code(200, get(THINGS "?limit=3&labelSelector=all"));
	cr_expect(!has("metadata/remainingItemCount"));
	need_code(200, get(THINGS "?limit=3&resourceVersion=0"));
	cr_expect_eq(json_count(json_at(json_root(said), "items")), 6);
}

/* The next page of the list that was answered last. */
static int next_page(void)
{
	char target[900];

	snprintf(target, sizeof target, THINGS "?limit=3&continue=%s", text_of("metadata/continue"));
	return get(target);
}

Test(api_list, all_pages_are_of_the_moment_of_the_first)
{
	char target[900], version[32];

	need_code(200, get(THINGS "?limit=3"));
	snprintf(version, sizeof version, "%s", text_of("metadata/resourceVersion"));
	snprintf(target, sizeof target, THINGS "?limit=3&continue=%s", text_of("metadata/continue"));
	need_code(200, ask("DELETE", THINGS "/t4", NULL));
	need_code(201, ask("POST", THINGS, thing("'name':'t35'", "")));
	need_code(200, merge(THINGS "/t5", "{'spec':{'a':'late'}}"));
	need_code(201, ask("POST", THINGS, thing("'name':'t4'", ",'spec':{'a':'again'}")));
	need_code(200, ask("DELETE", THINGS "/t35", NULL));
	need_code(201, ask("POST", THINGS, thing("'name':'t7'", "")));
	need_code(200, get(target));
	cr_expect_str_eq(names(), "345");
	cr_expect(!has("items/1/spec/a") && !has("items/2/spec/a"));
	expect_text("metadata/resourceVersion", version);
	cr_expect_eq(int_of("metadata/remainingItemCount"), 1);
	need_code(200, next_page());
	cr_expect_str_eq(names(), "6");
	expect_text("metadata/resourceVersion", version);
}

Test(api_list, a_page_that_nobody_can_know_any_more_is_410_with_a_way_on)
{
	end();
	start_with(3);
	define_kinds();
	for (int i = 0; i < 4; i++) {
		char metadata[40];

		snprintf(metadata, sizeof metadata, "'name':'t%d'", i);
		need_code(201, ask("POST", THINGS, thing(metadata, "")));
	}
	need_code(200, get(THINGS "?limit=2"));
	char target[900];

	snprintf(target, sizeof target, THINGS "?limit=2&continue=%s", text_of("metadata/continue"));
	for (int i = 0; i < 4; i++)
		need_code(200, merge(THINGS "/t3", i % 2 ? "{'spec':{'a':'x'}}" : "{'spec':{'a':'y'}}"));
	expect_code(410, get(target));
	expect_text("reason", "Expired");
	need_code(200, next_page());
	cr_expect_str_eq(names(), "23");
}

Test(api_list, tokens_that_nobody_gave_out_are_refused)
{
	/* "9999999 default/t1", "1 default", "x default/t1", "1 " with a NUL behind the slash, half a digit, none at all */
	static const char *const tokens[] = {"393939393939392064656661756c742f7431", "312064656661756c74",
	    "782064656661756c742f7431", "3120612f00", "312", "zz", "31"};

	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
		char target[300];

		snprintf(target, sizeof target, THINGS "?limit=3&continue=%s", tokens[i]);
		cr_expect_eq(get(target), 400, "%s", tokens[i]);
	}
}

Test(api_list, custom_items_say_what_they_are)
{
	need_code(200, get(THINGS));
	expect_text("kind", "ThingList");
	expect_text("items/0/kind", "Thing");
	need_code(200, get("/api/v1/namespaces"));
	cr_expect(!has("metadata/continue"));
}
