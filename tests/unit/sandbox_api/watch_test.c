#include "asked.h"

#include <poll.h>

TestSuite(api_watch, .init = start, .fini = end);

static struct api_stream *watching;
static struct buf events = BUF_INIT(1 << 20);

/* In place of the one before. */
static void watch(const char *target)
{
	if (watching)
		watching->free(watching);
	need_code(200, get(target));
	watching = response.stream;
	response.stream = NULL;
	cr_assert(watching);
}

/* What came since the last time; *ret_goes_on may be NULL. */
static const char *came(bool *ret_goes_on)
{
	bool goes_on;

	buf_reset(&events);
	goes_on = watching->fill(watching, &events);
	if (ret_goes_on)
		*ret_goes_on = goes_on;
	return buf_str(&events);
}

/* "ADDED m1\nDELETED m2\n" of what came. */
static const char *said_in_short(void)
{
	static char text[4096];
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	size_t n = 0;

	text[0] = '\0';
	for (const char *line = came(NULL); *line; line += strcspn(line, "\n") + 1) {
		CLEANUP(json) struct json *doc = NULL;
		const char *name;

		cr_assert(json_parse(line, strcspn(line, "\n"), &limits, &doc, NULL));
		name = json_text_at(json_root(doc), "object/metadata/name");
		n += (size_t)snprintf(
		    text + n, sizeof text - n, "%s %s\n", json_text_at(json_root(doc), "type"), name ? name : "-");
	}
	return text;
}
#define expect_events(wanted) cr_expect_str_eq(said_in_short(), wanted)

static void stop_watching(void)
{
	watching->free(watching);
	watching = NULL;
	buf_clear(&events);
}

static void make(const char *name)
{
	char metadata[200];

	snprintf(metadata, sizeof metadata, "'name':'%s','labels':{'on':'yes'}", name);
	need_code(201, ask("POST", CMS, config_map(metadata)));
}

static const char *version_of_list(void)
{
	static char target[200];

	need_code(200, get(CMS));
	snprintf(target, sizeof target, CMS "?watch=1&resourceVersion=%s", text_of("metadata/resourceVersion"));
	return target;
}

Test(api_watch, begins_with_what_is_there_or_with_what_comes)
{
	make("a");
	watch(CMS "?watch=1");
	expect_events("ADDED a\n");
	watch(CMS "?watch=true&resourceVersion=0");
	expect_events("ADDED a\n");
	watch(version_of_list());
	expect_events("");
	make("b");
	expect_events("ADDED b\n");
	need_code(200, merge(CMS "/b", "{'data':{'x':'y'}}"));
	need_code(200, ask("DELETE", CMS "/a", NULL));
	expect_events("MODIFIED b\nDELETED a\n");
	stop_watching();
}

Test(api_watch, goes_on_from_a_version_without_a_gap)
{
	char target[200];

	make("a");
	snprintf(target, sizeof target, "%s", version_of_list());
	make("b");
	make("c");
	watch(target);
	expect_events("ADDED b\nADDED c\n");
	stop_watching();
}

Test(api_watch, a_change_wakes_it)
{
	struct pollfd fd;

	watch(CMS "?watch=1");
	came(NULL);
	fd = (struct pollfd){.fd = watching->fd, .events = POLLIN};
	cr_expect_eq(poll(&fd, 1, 0), 0);
	make("a");
	cr_expect_eq(poll(&fd, 1, 0), 1);
	expect_events("ADDED a\n");
	stop_watching();
}

Test(api_watch, leaving_the_selection_is_a_deletion_and_entering_it_a_creation)
{
	make("a");
	watch(CMS "?watch=1&labelSelector=on%3Dyes");
	expect_events("ADDED a\n");
	need_code(200, merge(CMS "/a", "{'metadata':{'labels':{'on':'no'}}}"));
	expect_events("DELETED a\n");
	need_code(200, merge(CMS "/a", "{'data':{'x':'y'}}"));
	expect_events("");
	need_code(200, merge(CMS "/a", "{'metadata':{'labels':{'on':'yes'}}}"));
	expect_events("ADDED a\n");
	stop_watching();
}

Test(api_watch, one_name_and_one_namespace_are_enough)
{
	watch(CMS "?watch=1&fieldSelector=metadata.name%3Db");
	make("a");
	make("b");
	expect_events("ADDED b\n");
	watch("/api/v1/namespaces/kube-system/configmaps?watch=1");
	expect_events("");
	make("c");
	expect_events("");
	watch("/api/v1/namespaces/none/configmaps?watch=1");
	expect_events("");
	stop_watching();
}

Test(api_watch, the_deleted_object_has_the_version_of_its_deletion)
{
	char version[32];

	make("a");
	snprintf(version, sizeof version, "%s", text_of("metadata/resourceVersion"));
	watch(version_of_list());
	need_code(200, ask("DELETE", CMS "/a", NULL));
	cr_expect(strstr(came(NULL), "\"resourceVersion\":\"") &&
		      atoi(strstr(buf_str(&events), "\"resourceVersion\":\"") + 19) > atoi(version),
	    "%s", buf_str(&events));
	stop_watching();
}

Test(api_watch, a_version_too_old_is_410_as_an_event_and_the_end)
{
	bool goes_on;

	end();
	start_with(3);
	for (int i = 0; i < 6; i++) {
		char name[8];

		snprintf(name, sizeof name, "m%d", i);
		make(name);
	}
	watch(CMS "?watch=1&resourceVersion=1");
	cr_expect(strstr(came(&goes_on), "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\"") &&
		      strstr(buf_str(&events), "\"reason\":\"Expired\"") && strstr(buf_str(&events), "\"code\":410"),
	    "%s", buf_str(&events));
	cr_expect(!goes_on);
	stop_watching();
}

Test(api_watch, one_that_falls_behind_is_told_so)
{
	bool goes_on;

	end();
	start_with(3);
	watch(CMS "?watch=1");
	came(NULL);
	for (int i = 0; i < 6; i++) {
		char name[8];

		snprintf(name, sizeof name, "m%d", i);
		make(name);
	}
	cr_expect(strstr(came(&goes_on), "\"code\":410"), "%s", buf_str(&events));
	cr_expect(!goes_on);
	stop_watching();
}

static void make_large(const char *name)
{
	char metadata[2000];

	snprintf(metadata, sizeof metadata, "'name':'%s','annotations':{'pad':'%01500d'}", name, 0);
	need_code(201, ask("POST", CMS, config_map(metadata)));
}

Test(api_watch, large_changes_are_forgotten_sooner)
{
	bool goes_on;
	char target[200];

	end();
	start_with_bounds(0, 8000);
	watch(CMS "?watch=1");
	came(NULL);
	make_large("a");
	expect_events("ADDED a\n");
	make_large("b");
	make_large("c");
	snprintf(target, sizeof target, "%s", version_of_list());
	make_large("d");
	make_large("e");
	make_large("f");
	cr_expect(strstr(came(&goes_on), "\"code\":410"), "%s", buf_str(&events));
	cr_expect(!goes_on);
	watch(target);
	expect_events("ADDED d\nADDED e\nADDED f\n");
	make("small");
	expect_events("ADDED small\n");
	watch(CMS "?watch=1&resourceVersion=3");
	cr_expect(strstr(came(&goes_on), "\"code\":410"), "%s", buf_str(&events));
	cr_expect(!goes_on);
	stop_watching();
}

Test(api_watch, one_change_that_is_larger_than_all_of_the_history_is_said_to_be_lost)
{
	bool goes_on;

	end();
	start_with_bounds(0, 1000);
	watch(CMS "?watch=1");
	came(NULL);
	make_large("a");
	cr_expect(strstr(came(&goes_on), "\"code\":410"), "%s", buf_str(&events));
	cr_expect(!goes_on);
	watch(version_of_list());
	make("b");
	expect_events("ADDED b\n");
	stop_watching();
}

Test(api_watch, a_version_of_the_future_is_silent)
{
	bool goes_on;

	watch(CMS "?watch=1&resourceVersion=99999");
	cr_expect_str_eq(came(&goes_on), "");
	cr_expect(goes_on);
	stop_watching();
}

Test(api_watch, bookmarks_come_after_a_minute_if_anything_came_before)
{
	watch(CMS "?watch=1&allowWatchBookmarks=true");
	now_ms += 61000;
	expect_events("");
	make("a");
	expect_events("ADDED a\nBOOKMARK -\n");
	expect_events("");
	now_ms += 61000;
	cr_expect(strstr(came(NULL), "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\","
				     "\"metadata\":{\"resourceVersion\":\""),
	    "%s", buf_str(&events));
	stop_watching();
}

Test(api_watch, a_bookmark_comes_shortly_before_its_end)
{
	watch(CMS "?watch=1&allowWatchBookmarks=true&timeoutSeconds=10");
	make("a");
	now_ms += 7900;
	expect_events("ADDED a\n");
	now_ms += 200;
	expect_events("BOOKMARK -\n");
	now_ms += 500;
	expect_events("");
	stop_watching();
}

Test(api_watch, ends_in_silence_when_its_time_is_over)
{
	bool goes_on;

	watch(CMS "?watch=1&timeoutSeconds=5");
	cr_expect_str_eq(came(&goes_on), "");
	cr_expect(goes_on);
	now_ms += 5001;
	cr_expect_str_eq(came(&goes_on), "");
	cr_expect(!goes_on);
	stop_watching();
}

Test(api_watch, a_kind_that_goes_ends_its_watches)
{
	bool goes_on;

	define_kinds();
	need_code(201, ask("POST", THINGS, thing("'name':'t'", "")));
	watch(THINGS "?watch=1");
	expect_events("ADDED t\n");
	need_code(200, ask("DELETE", CRDS_PATH "/things.example.org", NULL));
	settle();
	cr_expect(strstr(came(&goes_on), "DELETED"));
	cr_expect(!goes_on);
	stop_watching();
}

Test(api_watch, on_an_object_it_is_no_watch)
{
	make("a");
	need_code(200, get(CMS "/a?watch=1"));
	cr_expect(!response.stream);
	expect_text("metadata/name", "a");
}
