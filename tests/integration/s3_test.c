/* lib/s3 and lib/net against a real S3 server. */
#include "base/stop.h"
#include "s3/s3.h"
#include "tests/support/tap.h"
#include "tests/support/weed_fixture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS "127.13.2.1"
#define PORT 18400
#define MANY 1205

static const char *const ugly[] = {
    "ugly/2023-04-03T07:46:17Z.pbm.json",
    "ugly/2023-04-03T07:46:17Z/rs0/oplog/20230403074617-1.20230403074620-2.s2",
    "ugly/a blank",
    "ugly/a+plus",
    "ugly/100%",
    "ugly/%2F",
    "ugly/gr\u00fc\u00df \u4e16\u754c",
    "ugly/~!$&'()*,;=:@[]{}|^`\"<>#?",
    "ugly/_underscore-hyphen.dot",
};
#define UGLY (sizeof ugly / sizeof ugly[0])

static struct tap tap;
static struct weed_fixture weed;

static struct s3 *connect_with(void (*change)(struct s3_config *c))
{
	const struct s3_options options = {.max_attempts = 2, .timeout_ms = 10000};
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	struct err err = ERR_INIT;
	struct s3 *s3 = NULL;

	weed_fixture_config(&weed, &config);
	if (change)
		change(&config);
	if (!s3_new(&config, &options, &s3, &err))
		printf("# %s\n", err.msg);
	return s3;
}

struct seen {
	char keys[MANY + 64][128];
	size_t count;
	uint64_t bytes;
	bool good;
};

static bool note(void *ctx, const struct s3_object *o, struct err *err)
{
	struct seen *seen = ctx;

	if (seen->count == MANY + 64)
		return err_set(err, ERR_LIMIT, "too many");
	snprintf(seen->keys[seen->count++], sizeof seen->keys[0], "%s", o->key);
	seen->bytes += o->size_bytes;
	seen->good &= strlen(o->etag) == 32 && o->modified_ms > 1600000000000;
	return true;
}

static bool has(const struct seen *seen, const char *key)
{
	for (size_t i = 0; i < seen->count; i++)
		if (!strcmp(seen->keys[i], key))
			return true;
	return false;
}

static void ugly_keys(struct s3 *s3)
{
	struct seen *seen = calloc(1, sizeof *seen);
	struct err err = ERR_INIT;

	seen->good = true;
	for (size_t i = 0; i < UGLY; i++) {
		BUF_CLEANUP struct buf body = BUF_INIT(1024);
		struct s3_object o;

		err = (struct err)ERR_INIT;
		tap_ok(&tap,
		    s3_put(s3, ugly[i], ugly[i], strlen(ugly[i]), &err) && s3_get(s3, ugly[i], &body, NULL, &err) &&
			!strcmp(buf_str(&body), ugly[i]) && s3_head(s3, ugly[i], &o, &err) && o.size_bytes == body.len,
		    "a key that is not plain is put, got and looked up", "%s: %s, body \"%s\"", ugly[i], err.msg,
		    buf_str(&body));
	}
	tap_ok(&tap, s3_list(s3, "ugly/", 100, note, seen, &err), "the listing of them ends well", "%s", err.msg);
	for (size_t i = 0; i < UGLY; i++)
		tap_ok(&tap, has(seen, ugly[i]), "the listing holds it as it was put", "%s", ugly[i]);
	tap_ok(&tap, seen->count == UGLY && seen->good, "nothing else, each with ETag and time", "%zu", seen->count);
	for (size_t i = 0; i < UGLY; i++)
		tap_ok(&tap, s3_delete(s3, ugly[i], &err), "it is deleted", "%s", err.msg);
	seen->count = 0;
	tap_ok(&tap, s3_list(s3, "ugly/", 100, note, seen, &err) && !seen->count, "and gone", "%zu left: %s",
	    seen->count, err.msg);
	free(seen);
}

static void pages(struct s3 *s3)
{
	struct seen *seen = calloc(1, sizeof *seen);
	struct err err = ERR_INIT;
	bool ok = true;

	for (int i = 0; i < MANY && ok; i++) {
		char key[64];

		snprintf(key, sizeof key, "many/%04d:x", i);
		ok = s3_put(s3, key, key, 4, &err);
	}
	tap_ok(&tap, ok, "more objects than a page holds are put", "%s", err.msg);
	ok = s3_list(s3, "many/", 5000, note, seen, &err);
	for (int i = 0; i < MANY && ok; i++) {
		char key[64];

		snprintf(key, sizeof key, "many/%04d:x", i);
		ok = has(seen, key);
	}
	tap_ok(&tap, ok && seen->count == MANY && seen->bytes == 4 * MANY, "all of them are listed, each once",
	    "%zu: %s", seen->count, err.msg);
	err = (struct err)ERR_INIT;
	seen->count = 0;
	tap_ok(&tap, !s3_list(s3, "many/", 1100, note, seen, &err) && err.code == ERR_LIMIT && strstr(err.msg, "1100"),
	    "the bound on objects holds across pages", "%s", err.msg);
	free(seen);
}

static void folders(struct s3 *s3)
{
	struct seen *seen = calloc(1, sizeof *seen);
	struct err err = ERR_INIT;

	s3_put(s3, "f/one", "1", 1, &err);
	s3_put(s3, "f/one.pbm.json", "1", 1, &err);
	s3_put(s3, "f/sub/two", "2", 1, &err);
	s3_put(s3, "f2", "2", 1, &err);
	tap_ok(&tap,
	    s3_list_folder(s3, "f/", 100, note, seen, &err) && seen->count == 2 && has(seen, "f/one") &&
		has(seen, "f/one.pbm.json"),
	    "a folder is listed without what is in its folders", "%zu: %s", seen->count, err.msg);
	seen->count = 0;
	tap_ok(&tap, s3_list(s3, "f/", 100, note, seen, &err) && seen->count == 3, "a prefix with all below it",
	    "%zu: %s", seen->count, err.msg);
	seen->count = 0;
	tap_ok(&tap, s3_list(s3, "nothing/", 100, note, seen, &err) && !seen->count,
	    "a prefix of nothing is empty, not an error", "%s", err.msg);
	free(seen);
}

static void bodies(struct s3 *s3)
{
	static char big[1 << 20];
	BUF_CLEANUP struct buf body = BUF_INIT(sizeof big), small = BUF_INIT(1000);
	struct s3_object o = {0};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i * 2654435761u >> 13);
	tap_ok(&tap,
	    s3_put(s3, "big", big, sizeof big, &err) && s3_get(s3, "big", &body, &o, &err) && body.len == sizeof big &&
		!memcmp(body.data, big, sizeof big) && o.size_bytes == sizeof big && strlen(o.etag) == 32,
	    "a mebibyte of any bytes comes back", "%zu: %s", body.len, err.msg);
	tap_ok(&tap, !s3_get(s3, "big", &small, NULL, &err) && err.code == ERR_LIMIT,
	    "more than was asked for is refused", "%s", err.msg);
	err = (struct err)ERR_INIT;
	buf_reset(&body);
	tap_ok(&tap, s3_put(s3, "empty", "", 0, &err) && s3_get(s3, "empty", &body, NULL, &err) && !body.len,
	    "an empty object too", "%s", err.msg);
	tap_ok(&tap, s3_delete(s3, "never-there", &err), "deleting what is not there is no error", "%s", err.msg);
	tap_ok(&tap,
	    !s3_get(s3, "never-there", &body, NULL, &err) && err.code == ERR_NOT_FOUND &&
		strstr(err.msg, "never-there"),
	    "getting it is, and the key is named", "%s", err.msg);
	err = (struct err)ERR_INIT;
	tap_ok(&tap, !s3_head(s3, "never-there", &o, &err) && err.code == ERR_NOT_FOUND, "looking it up too", "%s",
	    err.msg);
}

static void wrong_access_key(struct s3_config *c)
{
	snprintf(c->access_key, sizeof c->access_key, "AKNOBODY");
}

static void wrong_secret_key(struct s3_config *c)
{
	snprintf(c->secret_key, sizeof c->secret_key, "hush-hush");
}

static void other_bucket(struct s3_config *c)
{
	snprintf(c->bucket, sizeof c->bucket, "nobodys");
}

static void closed_port(struct s3_config *c)
{
	snprintf(c->endpoint, sizeof c->endpoint, "http://" ADDRESS ":%d", PORT + 9);
}

static void https_unknown(struct s3_config *c)
{
	snprintf(c->endpoint, sizeof c->endpoint, "%s", weed.https);
}

static void https_known(struct s3_config *c)
{
	https_unknown(c);
	snprintf(c->ca_file, sizeof c->ca_file, "%s", weed.ca_file);
}

static void https_insecure(struct s3_config *c)
{
	https_unknown(c);
	c->insecure = true;
}

static void refusals(void)
{
	static const struct {
		void (*change)(struct s3_config *c);
		enum err_code code;
		const char *message, *hint, *sentence;
	} cases[] = {
	    {wrong_access_key, ERR_AUTH, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID", "a wrong access key is told apart"},
	    {wrong_secret_key, ERR_AUTH, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY",
		"a wrong secret key is told apart"},
	    {other_bucket, ERR_AUTH, "\"nobodys\"", "", "a bucket that the key may not see is refused and named"},
	    {closed_port, ERR_NET, ADDRESS, "server is running", "a closed port is a network error"},
	    {https_unknown, ERR_NET, "", "CA file", "a certificate of an unknown authority is refused"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(s3) struct s3 *s3 = connect_with(cases[i].change);
		BUF_CLEANUP struct buf body = BUF_INIT(100);
		struct err err = ERR_INIT;

		tap_ok(&tap,
		    s3 && !s3_get(s3, "x", &body, NULL, &err) && err.code == cases[i].code &&
			strstr(err.msg, cases[i].message) && strstr(err.hint, cases[i].hint),
		    cases[i].sentence, "%s: %s / %s", err_phrase(err.code), err.msg, err.hint);
		tap_ok(&tap, !strstr(err.msg, "hush") && !strstr(err.hint, "hush"), "and no secret is in the message",
		    "%s", err.msg);
	}
}

static void tls(void)
{
	static void (*const changes[])(struct s3_config * c) = {https_known, https_insecure};

	for (int i = 0; i < 2; i++) {
		CLEANUP(s3) struct s3 *s3 = connect_with(changes[i]);
		struct err err = ERR_INIT;

		tap_ok(&tap, s3 && s3_put(s3, "tls", "x", 1, &err),
		    i ? "TLS works unverified if asked for" : "TLS works with the authority's file", "%s", err.msg);
	}
}

/* As root the server tells NoSuchBucket. */
static void as_root_elsewhere(struct s3_config *c)
{
	other_bucket(c);
	snprintf(c->access_key, sizeof c->access_key, "AKROOT");
	snprintf(c->secret_key, sizeof c->secret_key, "root/secret+1");
}

static void missing_bucket(void)
{
	CLEANUP(s3) struct s3 *s3 = connect_with(as_root_elsewhere);
	BUF_CLEANUP struct buf body = BUF_INIT(100);
	struct seen *seen = calloc(1, sizeof *seen);
	struct err err = ERR_INIT;

	tap_ok(&tap,
	    !s3_list(s3, "", 10, note, seen, &err) && err.code == ERR_NOT_FOUND && strstr(err.msg, "NoSuchBucket") &&
		strstr(err.hint, "bucket's name"),
	    "a missing bucket is told apart from a missing key", "%s / %s", err.msg, err.hint);
	free(seen);
}

int main(void)
{
	struct err err = ERR_INIT;
	struct s3 *s3;
	BUF_CLEANUP struct buf body = BUF_INIT(100);

	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("ALL_PROXY");
	unsetenv("all_proxy");
	if (!stop_install(&err) || !weed_fixture_start(&weed, ADDRESS, PORT, &err)) {
		tap_ok(&tap, false, "the S3 server starts", "%s; %s", err.msg, err.hint);
		return tap_done(&tap);
	}
	s3 = connect_with(NULL);
	ugly_keys(s3);
	bodies(s3);
	folders(s3);
	refusals();
	missing_bucket();
	tls();
	pages(s3);
	weed_fixture_kill(&weed);
	tap_ok(&tap, !s3_get(s3, "big", &body, NULL, &err) && err.code == ERR_NET,
	    "a server that dies is a network error", "%s", err.msg);
	s3_free(s3);
	weed_fixture_stop(&weed);
	return tap_done(&tap);
}
