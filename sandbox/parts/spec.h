/* What a part is: the command line, environment, folders and habits of one process. Owns all of its strings. */
#ifndef PARTS_SPEC_H
#define PARTS_SPEC_H

#include "base/err.h"
#include "sandbox/parts/probe.h"

#include <limits.h>
#include <stddef.h>

#define PART_NAME_MAX 32
#define SPEC_STRINGS_MAX 64

/* A NULL-ended array of owned strings, ready for exec. */
struct strings {
	char *items[SPEC_STRINGS_MAX + 1];
	size_t count;
};

struct part_spec {
	char name[PART_NAME_MAX]; /* unique in its set: "mongod-0" */
	char kind[PART_NAME_MAX]; /* "mongod", "pbm-agent", "s3" */
	struct strings argv;
	struct strings env_set;
	struct strings env_unset;
	char dir[PATH_MAX]; /* working folder */
	char log_path[PATH_MAX];
	char data_dir[PATH_MAX]; /* made before each start, removed by a wipe; "" if the part has none */
	struct probe_spec probe;
	bool restart;	       /* started again when it ends unasked, as a kubelet does, after a growing pause */
	int64_t stop_limit_ms; /* between SIGTERM and SIGKILL */
};

void strings_clear(struct strings *s); /* overwrites the strings: an environment may hold a password */
bool strings_add(struct strings *s, struct err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void part_spec_clear(struct part_spec *spec);

#endif
