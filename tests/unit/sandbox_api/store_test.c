#include "asked.h"

#include "base/file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128];

static void make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/api-store-XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/store.jsonl", dir);
}

static void remove_dir(void)
{
	file_remove_tree(dir, NULL);
}

TestSuite(api_store, .init = make_dir, .fini = remove_dir);

static bool open_it(struct err *err)
{
	const struct store_options options = {.path = path};

	store = NULL;
	*err = (struct err)ERR_INIT;
	return db_new(&options, &store, err);
}

static void open_well(void)
{
	struct err err = ERR_INIT;

	cr_assert(open_it(&err), "%s", err.msg);
	api = (struct api){.store = store};
}

static void close_it(void)
{
	forget_answer();
	db_close(store);
}

static void add_text(const char *text)
{
	FILE *f = fopen(path, "a");

	cr_assert(f && fputs(text, f) >= 0 && !fclose(f));
}

static void make(const char *name)
{
	char metadata[100];

	snprintf(metadata, sizeof metadata, "'name':'%s'", name);
	need_code(201, ask("POST", "/api/v1/namespaces", config_map(metadata)));
}

Test(api_store, all_that_was_answered_is_there_again_and_versions_go_on)
{
	uint64_t version;

	open_well();
	make("a");
	make("b");
	need_code(200, merge("/api/v1/namespaces/a", "{'metadata':{'labels':{'x':'y'}}}"));
	need_code(200, ask("DELETE", "/api/v1/namespaces/b", NULL));
	settle();
	version = db_version(store);
	close_it();
	open_well();
	cr_expect_eq(db_version(store), version);
	expect_code(200, get("/api/v1/namespaces/a"));
	expect_text("metadata/labels/x", "y");
	expect_code(404, get("/api/v1/namespaces/b"));
	make("c");
	cr_expect_gt(strtoull(text_of("metadata/resourceVersion"), NULL, 10), version);
	close_it();
}

Test(api_store, a_name_with_quotes_can_be_removed_and_read_again)
{
	open_well();
	need_code(201,
	    ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", "{'metadata':{'name':'system:\\'a\\\\b'}}"));
	need_code(200, ask("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:%22a%5Cb", NULL));
	close_it();
	open_well();
	expect_code(404, get("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:%22a%5Cb"));
	close_it();
}

/* The API refuses such a kind; the log does not rely on that. */
Test(api_store, a_kind_with_quotes_can_be_read_again)
{
	struct err err = ERR_INIT;
	struct json *doc = NULL;

	open_well();
	cr_assert(json_format(&doc, &err, "{'metadata':{'name':'a'}}"));
	cr_assert(db_put(store, "a\"b\\/c", doc, NULL, &err), "%s", err.msg);
	close_it();
	open_well();
	cr_expect(db_get(store, "a\"b\\/c", "", "a"));
	close_it();
}

/* "{'a':{'a':...{}}}" of so many levels; "/a/a/..." of so many steps. */
static const char *nested(int levels)
{
	static char text[1000];
	char *to = text;

	for (int i = 1; i < levels; i++)
		to = stpcpy(to, "{'a':");
	to = stpcpy(to, "{}");
	for (int i = 1; i < levels; i++)
		*to++ = '}';
	*to = '\0';
	return text;
}

static const char *steps(int count)
{
	static char text[500];

	text[0] = '\0';
	for (int i = 0; i < count; i++)
		strcpy(text + 2 * i, "/a");
	return text;
}

#define NESTED CMS "/nested"

static void need_the_same_after_a_restart(void)
{
	CLEANUP(json) struct json *before = NULL;
	struct err err = ERR_INIT;

	need_code(200, get(NESTED));
	cr_assert(json_clone(json_root(said), &before, &err), "%s", err.msg);
	close_it();
	open_well();
	need_code(200, get(NESTED));
	cr_expect(json_equal(json_root(said), json_root(before)));
}

Test(api_store, whatever_depth_was_taken_can_be_read_again_and_the_rest_is_400)
{
	char body[1600];
	int deepest = 0;

	open_well();
	make("default");
	for (int levels = 40; levels < 80; levels++) {
		int code;

		snprintf(body, sizeof body, "{'metadata':{'name':'nested'},'data':%s}", nested(levels - 1));
		code = ask(deepest ? "PUT" : "POST", deepest ? NESTED : CMS, body);
		cr_assert(code == 200 || code == 201 || code == 400, "%d levels: %d %s", levels, code,
		    buf_str(&response.body));
		cr_expect(code == 400 || levels <= 60, "%d", levels);
		if (code == 400)
			break;
		deepest = levels;
		need_the_same_after_a_restart();
	}
	cr_expect_gt(deepest, 48);
	/* what was given out is taken back, with the managedFields that are deeper still */
	char *whole;

	need_code(200, get(NESTED));
	whole = strdup(buf_str(&response.body));
	expect_code(200, ask("PUT", NESTED, whole));
	free(whole);
	close_it();
}

Test(api_store, a_patch_makes_nothing_that_is_deeper)
{
	char body[1600];
	bool refused = false;

	open_well();
	make("default");
	snprintf(body, sizeof body, "{'metadata':{'name':'nested'},'data':%s}", nested(30));
	need_code(201, ask("POST", CMS, body));
	for (int levels = 10; levels < 50; levels++) {
		int code;

		snprintf(body, sizeof body, "[{'op':'add','path':'/data%s/b','value':%s}]", steps(29), nested(levels));
		code = json_patch_it(NESTED, body);
		cr_assert(code == 200 || code == 400, "%d levels: %d %s", levels, code, buf_str(&response.body));
		refused |= code == 400;
		need_the_same_after_a_restart();
	}
	cr_expect(refused);
	close_it();
}

Test(api_store, a_watch_from_before_the_restart_is_told_to_list_again)
{
	open_well();
	make("a");
	make("b");
	close_it();
	open_well();
	make("c");
	need_code(200, get("/api/v1/namespaces?watch=1&resourceVersion=1"));
	BUF_CLEANUP struct buf out = BUF_INIT(65536);

	cr_expect(!response.stream->fill(response.stream, &out));
	cr_expect(strstr(buf_str(&out), "\"code\":410"), "%s", buf_str(&out));
	close_it();
}

Test(api_store, a_torn_last_line_is_cut_wherever_it_was_torn)
{
	BUF_CLEANUP struct buf whole = BUF_INIT(1 << 20);
	size_t last;

	open_well();
	make("a");
	make("b");
	close_it();
	cr_assert(file_read(path, &whole, NULL));
	last = whole.len - 1;
	while (whole.data[last - 1] != '\n')
		last--;
	for (size_t cut = last; cut < whole.len; cut += 7) {
		struct err err = ERR_INIT;

		cr_assert(file_write_atomic(path, whole.data, cut, 0600, &err));
		open_well();
		cr_expect_eq(get("/api/v1/namespaces/a"), 200);
		cr_expect_eq(get("/api/v1/namespaces/b"), 404, "cut at %zu of %zu", cut, whole.len);
		make("again");
		close_it();
		open_well();
		cr_expect_eq(get("/api/v1/namespaces/again"), 200);
		close_it();
	}
}

Test(api_store, other_damage_is_an_error_that_names_the_line)
{
	static const char *const lines[] = {"nonsense\n", "{}\n", "{\"rv\":\"x\"}\n",
	    "{\"rv\":9,\"as\":\"/configmaps\",\"put\":5}\n", "{\"rv\":9,\"as\":\"/configmaps\",\"name\":\"x\"}\n",
	    "{\"rv\":9,\"as\":\"/configmaps\",\"put\":{}}\n", "\n"};
	BUF_CLEANUP struct buf whole = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	open_well();
	make("a");
	close_it();
	cr_assert(file_read(path, &whole, NULL));
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		cr_assert(file_write_atomic(path, whole.data, whole.len, 0600, &err));
		add_text(lines[i]);
		cr_expect(!open_it(&err), "%s", lines[i]);
		cr_expect(err.code != ERR_NONE);
		if (i < 3)
			cr_expect(strstr(err.msg, "line 3"), "%s", err.msg);
	}
}

Test(api_store, two_servers_do_not_share_one)
{
	struct store *first;
	struct err err = ERR_INIT;

	open_well();
	first = store;
	cr_expect(!open_it(&err));
	cr_expect_eq(err.code, ERR_STATE);
	cr_expect(strstr(err.msg, "is in use"));
	db_close(first);
	open_well();
	close_it();
}

Test(api_store, a_log_that_grows_far_over_what_is_alive_is_written_anew)
{
	struct stat st;
	static char body[200100];

	memset(body, 'x', sizeof body);
	open_well();
	make("default");
	for (int i = 0; i < 80; i++) {
		int n = snprintf(body, 200, "{'metadata':{'labels':{'i':'%d'},'annotations':{'pad':'", i);

		body[n] = 'x';
		memcpy(body + sizeof body - 8, "'}}}", 5);
		need_code(200, merge("/api/v1/namespaces/default", body));
	}
	close_it();
	cr_assert(!stat(path, &st));
	cr_expect_lt(st.st_size, 12 << 20);
	open_well();
	need_code(200, get("/api/v1/namespaces/default"));
	expect_text("metadata/labels/i", "79");
	close_it();
}

static bool there(const char *name)
{
	char target[100];

	snprintf(target, sizeof target, "/api/v1/namespaces/%s", name);
	return get(target) == 200;
}

/* The old log goes on, and is whole. */
static void need_a_store_that_goes_on(const char *old)
{
	cr_expect(there(old));
	make("later");
	close_it();
	open_well();
	cr_expect(there(old) && there("later"));
	close_it();
}

Test(api_store, a_log_that_cannot_be_written_anew_stays_in_use)
{
	char fresh[140];

	open_well();
	make("a");
	close_it();
	snprintf(fresh, sizeof fresh, "%s.new", path);
	cr_assert(!mkdir(fresh, 0700));
	open_well();
	need_a_store_that_goes_on("a");
}

Test(api_store, a_half_written_new_log_is_taken_away)
{
	struct rlimit before, small = {4096, RLIM_INFINITY};
	char fresh[140], name[16];

	snprintf(fresh, sizeof fresh, "%s.new", path);
	open_well();
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "n%d", i);
		make(name);
	}
	close_it();
	signal(SIGXFSZ, SIG_IGN);
	cr_assert(!getrlimit(RLIMIT_FSIZE, &before));
	small.rlim_max = before.rlim_max;
	cr_assert(!setrlimit(RLIMIT_FSIZE, &small));
	open_well();
	cr_assert(!setrlimit(RLIMIT_FSIZE, &before));
	cr_expect(!file_exists(fresh));
	need_a_store_that_goes_on("n49");
}
