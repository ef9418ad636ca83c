#include "tests/support/weed_fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "s3/s3.h"
#include "tests/support/certificate.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UP_MS 60000

static const char identities[] =
    "{\"identities\":["
    "{\"name\":\"root\",\"credentials\":[{\"accessKey\":\"AKROOT\",\"secretKey\":\"root/secret+1\"}],"
    "\"actions\":[\"Admin\",\"Read\",\"Write\",\"List\",\"Tagging\"]},"
    "{\"name\":\"drill\",\"credentials\":[{\"accessKey\":\"AKDRILL\",\"secretKey\":\"drill/secret+2=\"}],"
    "\"actions\":[\"Read:drill\",\"Write:drill\",\"List:drill\",\"Tagging:drill\"]}]}";

static void find_weed(char *ret, size_t size)
{
	const char *named = getenv("PSMDB_DRILL_WEED"), *cache = getenv("PSMDB_DRILL_CACHE"), *home = getenv("HOME");

	if (named) {
		snprintf(ret, size, "%s", named);
		return;
	}
	if (cache)
		snprintf(ret, size, "%s/parts/bin/weed", cache);
	else
		snprintf(ret, size, "%s/.cache/psmdb-drill/parts/bin/weed", home ? home : "");
	if (access(ret, X_OK))
		snprintf(ret, size, "weed"); /* in PATH, or proc_start says that it is not there */
}

static bool spawn(struct weed_fixture *w, const char *address, int port, struct err *err)
{
	char weed[512], text[17][400], log[300];
	const char *argv[22];
	struct proc_spec spec = PROC_SPEC_INIT;
	const char *const no_aws[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CA_BUNDLE", NULL};
	int n = 0;

	find_weed(weed, sizeof weed);
	snprintf(text[n++], 400, "-dir=%s/data", w->dir);
	snprintf(text[n++], 400, "-ip=%s", address);
	snprintf(text[n++], 400, "-ip.bind=%s", address);
	snprintf(text[n++], 400, "-master.telemetry=false");
	snprintf(text[n++], 400, "-admin.ui=false");
	snprintf(text[n++], 400, "-webdav=false");
	snprintf(text[n++], 400, "-s3.port=%d", port);
	snprintf(text[n++], 400, "-s3.port.https=%d", port + 1);
	snprintf(text[n++], 400, "-s3.port.iceberg=0");
	snprintf(text[n++], 400, "-master.port=%d", port + 2);
	snprintf(text[n++], 400, "-volume.port=%d", port + 3);
	snprintf(text[n++], 400, "-filer.port=%d", port + 4);
	snprintf(text[n++], 400, "-admin.port=%d", port + 5);
	snprintf(text[n++], 400, "-s3.config=%s/s3.json", w->dir);
	snprintf(text[n++], 400, "-s3.cert.file=%s", w->ca_file);
	snprintf(text[n++], 400, "-s3.key.file=%s/key.pem", w->dir);
	w->port = port;
	argv[0] = weed;
	argv[1] = "-logtostderr=true"; /* else it logs into $TMPDIR */
	argv[2] = "mini";
	for (int i = 0; i < n; i++)
		argv[3 + i] = text[i];
	argv[3 + n] = NULL;
	snprintf(log, sizeof log, "%s/weed.log", w->dir);
	spec.argv = argv;
	spec.log_path = log;
	spec.dir = w->dir;
	spec.env_unset = no_aws;
	return proc_start(&spec, &w->pid, err);
}

static bool make_files(struct weed_fixture *w, const char *address, struct err *err)
{
	char path[300];

	snprintf(path, sizeof path, "%s/data", w->dir);
	if (!file_make_dirs(path, 0700, err))
		return false;
	snprintf(path, sizeof path, "%s/s3.json", w->dir);
	if (!file_write_atomic(path, identities, sizeof identities - 1, 0600, err))
		return false;
	snprintf(path, sizeof path, "%s/key.pem", w->dir);
	return certificate_make(address, w->ca_file, path) ||
	       err_set(err, ERR_IO, "make a certificate for %s", address);
}

/* Only an administrator can make the bucket, by writing to it; that it answers is the sign that the server is up. */
static bool serves(void *arg, struct err *err)
{
	struct weed_fixture *w = arg;
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	const struct s3_options options = {.max_attempts = 1, .timeout_ms = 2000};
	CLEANUP(s3) struct s3 *s3 = NULL;
	struct proc_exit ex;
	struct err not_yet = ERR_INIT;

	if (proc_reap(w->pid, &ex)) {
		w->pid = 0;
		return err_set(err, ERR_CHILD, "weed ended, see %s/weed.log", w->dir);
	}
	weed_fixture_config(w, &config);
	snprintf(config.access_key, sizeof config.access_key, "AKROOT");
	snprintf(config.secret_key, sizeof config.secret_key, "root/secret+1");
	if (!s3_new(&config, &options, &s3, err))
		return false;
	return s3_put(s3, "first", "x", 1, &not_yet) && s3_delete(s3, "first", &not_yet);
}

bool weed_fixture_start(struct weed_fixture *w, const char *address, int port, struct err *err)
{
	const char *temp = getenv("TMPDIR");

	*w = (struct weed_fixture){0};
	snprintf(w->dir, sizeof w->dir, "%s/weed-fixture-XXXXXX", temp ? temp : "/tmp");
	if (!mkdtemp(w->dir))
		return err_set(err, ERR_IO, "make folder \"%s\"", w->dir);
	snprintf(w->http, sizeof w->http, "http://%s:%d", address, port);
	snprintf(w->https, sizeof w->https, "https://%s:%d", address, port + 1);
	snprintf(w->ca_file, sizeof w->ca_file, "%s/cert.pem", w->dir);
	if (make_files(w, address, err) && spawn(w, address, port, err) &&
	    wait_for(clock_system(), "the S3 server", UP_MS, 100, NULL, serves, w, err))
		return true;
	weed_fixture_stop(w);
	return false;
}

void weed_fixture_kill(struct weed_fixture *w)
{
	struct proc_exit ex;
	struct err ignored = ERR_INIT;

	if (w->pid)
		proc_stop(clock_system(), w->pid, 0, &ex, &ignored);
	w->pid = 0;
}

/* weed makes sockets in /tmp, whatever it is told, and leaves them there. */
static void remove_sockets(int first_port)
{
	for (int i = 0; i < 12; i++) {
		char pattern[64];
		glob_t found;

		snprintf(pattern, sizeof pattern, "/tmp/seaweedfs-*-%d.sock", first_port + i % 6 + (i / 6) * 10000);
		if (glob(pattern, 0, NULL, &found))
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			unlink(found.gl_pathv[k]);
		globfree(&found);
	}
}

void weed_fixture_stop(struct weed_fixture *w)
{
	struct err ignored = ERR_INIT;

	weed_fixture_kill(w);
	remove_sockets(w->port);
	if (*w->dir)
		file_remove_tree(w->dir, &ignored);
	*w->dir = '\0';
}

void weed_fixture_config(const struct weed_fixture *w, struct s3_config *ret)
{
	*ret =
	    (struct s3_config){.bucket = WEED_FIXTURE_BUCKET, .access_key = "AKDRILL", .secret_key = "drill/secret+2="};
	memcpy(ret->endpoint, w->http, sizeof w->http);
}
