/*
 * A real S3 server (SeaweedFS) on an address of its own, for integration tests: HTTP and HTTPS, a bucket "drill", two
 * identities.
 *
 * weed is the one named by PSMDB_DRILL_WEED, else that of scripts/setup, else the one in PATH. Everything lies in one
 * folder, which weed_fixture_stop removes together with the process; if the test is killed, so is weed.
 */
#ifndef TESTS_SUPPORT_WEED_FIXTURE_H
#define TESTS_SUPPORT_WEED_FIXTURE_H

#include "base/err.h"
#include "s3/config.h"

#include <sys/types.h>

#define WEED_FIXTURE_BUCKET "drill"

struct weed_fixture {
	char dir[256]; /* temporary files of the test may lie here too */
	char http[128], https[128];
	char ca_file[300];
	pid_t pid; /* 0: not running */
	int port;  /* the first one */
};

/* Ports port to port + 5 and those 10,000 above are used. Returns when it serves; on failure nothing is left. */
bool weed_fixture_start(struct weed_fixture *w, const char *address, int port, struct err *err);
void weed_fixture_stop(struct weed_fixture *w);
/* Ends the process only. */
void weed_fixture_kill(struct weed_fixture *w);
/* May read, write and list the bucket "drill", and nothing else. */
void weed_fixture_config(const struct weed_fixture *w, struct s3_config *ret);

#endif
