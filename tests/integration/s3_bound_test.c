/* psmdb-verify bound against a real S3 server that holds the files of a real backup (names and metadata of PBM 2.5.0;
 * data files are fillers). */
#include "base/file.h"
#include "base/proc.h"
#include "base/stop.h"
#include "tests/support/tap.h"
#include "tests/support/weed_fixture.h"
#include "verifier/bound.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "2026-11-23T06:22:13Z"
#define OLDER "2026-11-22T06:22:13Z"
#define PREFIX "one/two"
#define BASE PREFIX "/" NAME
#define SLICE BASE "/rs0/oplog/20261123062220-8.20261123062225-19.s2"

static const char *const files[] = {"admin.pbmAgents", "admin.pbmBackups", "admin.pbmCmd", "admin.pbmConfig",
    "admin.pbmLock", "admin.pbmLog", "admin.pbmOpLog", "admin.pbmRRoles", "admin.pbmRUsers", "admin.system.roles",
    "admin.system.users", "admin.system.version", "drill.ticker"};

static struct tap tap;
static struct weed_fixture weed;
static struct s3 *s3;
static const char *program;
static char out_path[300];
static struct buf output = BUF_INIT(1 << 20);

static bool put_file(const char *key, const char *path)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	return file_read(path, &text, &err) && s3_put(s3, key, text.data, text.len, &err);
}

static bool put_backup(void)
{
	struct err err = ERR_INIT;
	bool ok = put_file(BASE ".pbm.json", DATA_DIR "/pbm-2.5.0.pbm.json") &&
		  put_file(BASE "/rs0/metadata.json", DATA_DIR "/pbm-2.5.0.metadata.json") &&
		  s3_put(s3, SLICE, "oplog", 5, &err) && s3_put(s3, PREFIX "/.pbm.init", "2.5.0", 5, &err) &&
		  put_file(PREFIX "/" OLDER ".pbm.json", DATA_DIR "/pbm-2.5.0.pbm.json");

	for (size_t i = 0; i < sizeof files / sizeof files[0] && ok; i++) {
		char key[256];

		snprintf(key, sizeof key, BASE "/rs0/%s.s2", files[i]);
		ok = s3_put(s3, key, files[i], strlen(files[i]), &err);
	}
	return ok;
}

/* Runs the command; its messages are in output, its --out in out_path. */
static int run(const char *access_key, const char *const *more)
{
	char access[64];
	const char *env[] = {access, "AWS_SECRET_ACCESS_KEY=drill/secret+2=", "no_proxy=*", NULL};
	const char *unset[] = {"AWS_REGION", "AWS_SESSION_TOKEN", NULL};
	const char *argv[24] = {program, "--endpoint", weed.http, "--out", out_path};
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_exit ex = {.status = -1};
	struct err err = ERR_INIT;
	int n = 5;

	while (*more && n < 23)
		argv[n++] = *more++;
	snprintf(access, sizeof access, "AWS_ACCESS_KEY_ID=%s", access_key);
	spec.argv = argv;
	spec.env_set = env;
	spec.env_unset = unset;
	buf_reset(&output);
	unlink(out_path);
	if (!proc_run(clock_system(), &spec, 60000, &output, &ex, &err))
		printf("# %s\n", err.msg);
	return ex.signaled ? -1 : ex.status;
}

#define RUN(...) run("AKDRILL", (const char *const[]){__VA_ARGS__, NULL})
#define PLACE "--bucket", "drill", "--prefix", PREFIX

static bool out_has(const char *text)
{
	BUF_CLEANUP struct buf out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	return file_read(out_path, &out, &err) && strstr(buf_str(&out), text);
}

static void pin(const char *pinned)
{
	struct bound b;
	struct err err = ERR_INIT;
	const struct bound_set *set;
	int status = RUN(PLACE);

	bound_init(&b);
	tap_ok(&tap, status == 0 && bound_read(out_path, &b, &err), "the latest complete backup is pinned", "%d %s%s",
	    status, buf_str(&output), err.msg);
	set = bound_find_set(&b, "rs0");
	tap_ok(&tap,
	    !strcmp(b.backup_name, NAME) && b.b0.t == 1795414945 && b.b0.i == 19 && set && !optime_cmp(set->b1, b.b0) &&
		!strcmp(b.cluster_figure, "only"),
	    "with its restore point", "%s %u,%u", b.backup_name, b.b0.t, b.b0.i);
	tap_ok(&tap, b.file_count == 3 + sizeof files / sizeof files[0] && !strcmp(b.destination, "s3://drill/" BASE),
	    "all its files and where it is", "%zu %s", b.file_count, b.destination);
	bound_clear(&b);
	rename(out_path, pinned);
	tap_ok(&tap, RUN(PLACE, "--backup", NAME) == 0, "a backup can be named", "%s", buf_str(&output));
}

static void refuse(void)
{
	int status = RUN(PLACE, "--backup", OLDER);

	tap_ok(&tap, status == 1 && strstr(buf_str(&output), "BACKUP_OTHER_NAME") && !file_exists(out_path),
	    "metadata under another backup's name is refused", "%d %s", status, buf_str(&output));
	status = RUN(PLACE, "--backup", "2020-01-01T00:00:00Z");
	tap_ok(&tap, status == 3 && strstr(buf_str(&output), "hint:"),
	    "a backup that is not there is an error with a hint", "%d %s", status, buf_str(&output));
	status = RUN("--bucket", "drill", "--prefix", "elsewhere");
	tap_ok(&tap, status == 3 && strstr(buf_str(&output), "elsewhere/"), "a prefix without backups too", "%d %s",
	    status, buf_str(&output));
	status = run("AKNOBODY", (const char *const[]){PLACE, NULL});
	tap_ok(&tap, status == 3 && strstr(buf_str(&output), "InvalidAccessKeyId") && strstr(buf_str(&output), "hint:"),
	    "an unreadable bucket too", "%d %s", status, buf_str(&output));
	status = RUN("--prefix", "x");
	tap_ok(&tap, status == 2, "no bucket is a usage error", "%d %s", status, buf_str(&output));
}

static void look_again(const char *pinned)
{
	struct err err = ERR_INIT;
	int status = RUN("--recheck", pinned);

	tap_ok(&tap, status == 0 && out_has("\"missing\":[],\"changed\":[],\"added\":[]"),
	    "an untouched bucket rechecks clean", "%d %s", status, buf_str(&output));
	s3_delete(s3, SLICE, &err);
	s3_put(s3, BASE "/rs0/drill.ticker.s2", "Drill.ticker", 12, &err);
	s3_put(s3, BASE "/rs0/new.s2", "x", 1, &err);
	status = RUN("--recheck", pinned);
	tap_ok(&tap, status == 1, "a bucket that has changed is a failure", "%d %s", status, buf_str(&output));
	tap_ok(&tap, out_has("\"missing\":[{\"key\":\"" SLICE "\",\"kind\":\"oplog\",\"replicaSet\":\"rs0\""),
	    "the missing slice is named", "%s", buf_str(&output));
	tap_ok(&tap, out_has("\"changed\":[{\"key\":\"" BASE "/rs0/drill.ticker.s2\""),
	    "a file of the same size and other bytes is changed", "%s", buf_str(&output));
	tap_ok(&tap, out_has("\"added\":[{\"key\":\"" BASE "/rs0/new.s2\""), "a new file is added", "%s",
	    buf_str(&output));
	status = RUN("--recheck", pinned, "--bucket", "other");
	tap_ok(&tap, status == 2, "another bucket than the pinned one is a usage error", "%d %s", status,
	    buf_str(&output));
	status = RUN(PLACE);
	tap_ok(&tap, status == 1 && strstr(buf_str(&output), "OPLOG_MISSING rs0") && !file_exists(out_path),
	    "without its oplog the backup is not pinned", "%d %s", status, buf_str(&output));
	s3_put(s3, SLICE, "oplog", 5, &err);
	s3_delete(s3, BASE "/rs0/drill.ticker.s2", &err);
	status = RUN(PLACE);
	tap_ok(&tap,
	    status == 1 && strstr(buf_str(&output), "DATA_MISSING rs0") && strstr(buf_str(&output), "drill.ticker.s2"),
	    "nor without a data file", "%d %s", status, buf_str(&output));
}

static void not_done(void)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	int status;

	file_read(DATA_DIR "/pbm-2.5.0.pbm.json", &text, &err);
	for (char *p = text.data; (p = strstr(p, "\"done\"")); p++)
		memcpy(p, "\"dump\"", 6);
	s3_put(s3, BASE ".pbm.json", text.data, text.len, &err);
	status = RUN(PLACE);
	tap_ok(&tap,
	    status == 3 && strstr(buf_str(&output), "has status \"dump\"") && strstr(buf_str(&output), "hint:"),
	    "a backup that is not done is refused with its status", "%d %s", status, buf_str(&output));
}

static void offline(void)
{
	int status = RUN("--metadata", DATA_DIR "/pbm-2.5.0.pbm.json");

	tap_ok(&tap, status == 0 && out_has("\"source\":\"file\"") && out_has("\"b0\":\"1795414945,19\""),
	    "a downloaded metadata file is enough", "%d %s", status, buf_str(&output));
}

int main(int argc, char **argv)
{
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	struct err err = ERR_INIT;
	char pinned[300];

	program = argc > 1 ? argv[1] : "";
	setenv("no_proxy", "*", 1);
	if (!stop_install(&err) || !weed_fixture_start(&weed, "127.13.3.1", 18500, &err)) {
		tap_ok(&tap, false, "the S3 server starts", "%s; %s", err.msg, err.hint);
		return tap_done(&tap);
	}
	snprintf(out_path, sizeof out_path, "%s/out.json", weed.dir);
	snprintf(pinned, sizeof pinned, "%s/bound.json", weed.dir);
	weed_fixture_config(&weed, &config);
	if (tap_ok(&tap, s3_new(&config, NULL, &s3, &err) && put_backup(), "a backup's files are in the bucket", "%s",
		err.msg)) {
		pin(pinned);
		refuse();
		look_again(pinned);
		not_done();
		offline();
	}
	s3_free(s3);
	buf_clear(&output);
	weed_fixture_stop(&weed);
	return tap_done(&tap);
}
