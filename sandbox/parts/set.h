/* The parts of one sandbox, made from its layout: one S3 server, and N mongods with an agent each or a control plane. */
#ifndef PARTS_SET_H
#define PARTS_SET_H

#include "base/cleanup.h"
#include "sandbox/parts/layout.h"
#include "sandbox/parts/part.h"
#include "sandbox/parts/secrets.h"

struct part_set {
	const struct layout *layout;
	size_t count;
	struct part parts[LAYOUT_PARTS_MAX];
};

/* A bit a part, in the order of the set. */
typedef uint32_t part_mask;

bool part_set_new(const struct layout *l, const struct secrets *s, struct part_set **ret, struct err *err);
void part_set_free(struct part_set *set);
CLEANUP_PTR(part_set, struct part_set, part_set_free)
/*
 * A name ("mongod-0"), a kind ("mongod", "pbm-agent", "s3") or "all", as the parts that it names. ERR_NOT_FOUND lists
 * the names.
 */
bool part_set_select(const struct part_set *set, const char *name, part_mask *ret, struct err *err);
part_mask part_set_all(const struct part_set *set);
part_mask part_set_kind(const struct part_set *set, const char *kind);
/*
 * Ends these parts, the agents first and etcd last: an agent whose database is gone waits for it instead of ending, and
 * so does an API server. at_once:
 * SIGKILL to all together. To be called again until it returns true: none of them has a process any more.
 */
bool part_set_end(struct part_set *set, part_mask mask, bool at_once, int64_t now_ms);
/*
 * What every real process gets: this HOME, and none of the variables of the caller's environment that
 * the AWS SDK, PBM or the S3 server would read.
 */
bool part_environment(const char *home, struct strings *env_set, struct strings *env_unset, struct err *err);
/* A part's name (KIND, or KIND-NUMBER), folders, log, limits and environment. */
bool part_begin(struct part_spec *spec, const struct layout *l, const char *kind, int number, struct err *err);

#endif
