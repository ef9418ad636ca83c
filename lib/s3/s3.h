/*
 * A bucket: list, get, put, delete, head. Signature Version 4 is made here (sigv4.h); lib/net carries the requests
 * and retries them.
 *
 * Keys are full keys inside the bucket, any bytes but NUL; the config's prefix is not applied here. Errors name
 * bucket and key, never a credential, and carry a hint: ERR_AUTH (wrong key, wrong secret, no permission, clock too
 * far off), ERR_NOT_FOUND (bucket or key), ERR_NET (unreachable), ERR_REMOTE (other region, anything else that S3
 * refuses), ERR_LIMIT (an answer larger than asked for), ERR_PARSE (an answer that is not S3's).
 */
#ifndef S3_S3_H
#define S3_S3_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "s3/config.h"

#include <stdint.h>

struct s3;

struct s3_options {
	const struct clock *clock; /* NULL: the system's; signatures take the wall clock from it */
	const volatile int *stop;  /* may be NULL */
	int stop_fd;		   /* base/stop.h; 0: none */
	int max_attempts;	   /* 0: lib/net's default */
	int64_t timeout_ms;	   /* for each operation (each page of a list); 0: 60 s */
};

/* The config is copied; options may be NULL. */
bool s3_new(const struct s3_config *config, const struct s3_options *options, struct s3 **ret, struct err *err);
void s3_free(struct s3 *s3);
CLEANUP_PTR(s3, struct s3, s3_free)

#define S3_ETAG_MAX 80
struct s3_object {
	const char *key; /* lives during the callback; NULL from s3_head and s3_get */
	uint64_t size_bytes;
	char etag[S3_ETAG_MAX]; /* without its quotes */
	int64_t modified_ms;	/* 0: unknown */
};

/* Returning false ends the listing with the error it set. */
typedef bool (*s3_on_object)(void *ctx, const struct s3_object *object, struct err *err);

/* Every object whose key begins with prefix, page by page; ERR_LIMIT after max_objects. */
bool s3_list(struct s3 *s3, const char *prefix, size_t max_objects, s3_on_object on_object, void *ctx, struct err *err);
/* The same without objects in "folders": those whose key has a '/' behind the prefix. */
bool s3_list_folder(
    struct s3 *s3, const char *prefix, size_t max_objects, s3_on_object on_object, void *ctx, struct err *err);
/* Appends the object to body; ERR_LIMIT beyond body->max. ret may be NULL. */
bool s3_get(struct s3 *s3, const char *key, struct buf *body, struct s3_object *ret, struct err *err);
bool s3_put(struct s3 *s3, const char *key, const void *bytes, size_t len, struct err *err);
/* Deleting a key that is not there is no error, as in S3. */
bool s3_delete(struct s3 *s3, const char *key, struct err *err);
bool s3_head(struct s3 *s3, const char *key, struct s3_object *ret, struct err *err);

#endif
