/*
 * The bucket that exports go to, through a profile: artefacts (artefact.h) put, listed, read and removed.
 *
 * Errors are the action's own, not this process's: a bucket that cannot be reached or says no is REMOTE (BROKEN for what it holds
 * that cannot be read), so that an attempt fails instead of being waited for. They name the bucket, the profile and the object.
 */
#ifndef SANDBOX_KASTEN_DEPOT_H
#define SANDBOX_KASTEN_DEPOT_H

#include "s3/s3.h"
#include "sandbox/kasten/artefact.h"
#include "sandbox/kasten/kasten.h"

#define DEPOT_NAMES_MAX 1000

struct depot {
	struct s3 *s3;
	struct receive receive;
};
#define DEPOT_INIT                                                                                                     \
	{                                                                                                              \
		NULL                                                                                                   \
	}
void depot_close(struct depot *d);
#define DEPOT_CLEANUP __attribute__((cleanup(depot_close)))

/*
 * profile_ref: {name, namespace} of a profile, which must be valid and of the location that the receive string
 * speaks of. BROKEN "cipher: message authentication failed" for a receive string that is none.
 */
bool depot_open(
    struct kasten *k, const json_node *profile_ref, const char *receive, struct depot *ret, struct err *err);
bool depot_put(struct depot *d, const struct artefact *a, struct err *err);
bool depot_get(struct depot *d, const char *name, struct json **ret_doc, struct artefact *ret, struct err *err);
/* An array of names, in the bucket's order; objects of other names are left out. LIMIT beyond DEPOT_NAMES_MAX. */
bool depot_names(struct depot *d, struct json **ret, struct err *err);
/* One that is not there is no error. */
bool depot_remove(struct depot *d, const char *name, struct err *err);

/* Bucket, path, endpoint and keys of a profile with its secret. Pure. */
bool depot_config(const json_node *profile, const json_node *secret, struct s3_config *ret, struct err *err);
/* A new receive string for exports through this profile, appended to out. */
bool depot_receive(const json_node *profile, struct buf *out, struct err *err);

#endif
