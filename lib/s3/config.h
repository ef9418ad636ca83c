/*
 * Where a bucket is and how to get in. Secrets come from files or the environment, never from a command line, and are
 * wiped by s3_config_clear.
 */
#ifndef S3_CONFIG_H
#define S3_CONFIG_H

#include "base/err.h"

#include <stdbool.h>

struct s3_config {
	char endpoint[512]; /* "https://host:port"; empty: Amazon's for the region */
	char region[64];    /* empty: us-east-1 */
	char bucket[256];
	char prefix[1024]; /* PBM's prefix inside the bucket; may be empty */
	char access_key[256];
	char secret_key[512];
	char session_token[8192]; /* may be empty */
	bool virtual_host;	  /* https://bucket.host/key in place of https://host/bucket/key */
	char ca_file[1024];	  /* PEM; empty: the system's authorities */
	bool insecure;		  /* verify no certificate */
};

void s3_config_clear(struct s3_config *c);
#define S3_CONFIG_CLEANUP __attribute__((cleanup(s3_config_clear)))

/*
 * Fills c from a JSON file; fields that the file does not name stay:
 *   {"endpoint", "region", "bucket", "prefix", "forcePathStyle": true, "caFile", "insecure": false,
 *    "accessKeyFile", "secretKeyFile", "sessionTokenFile"}
 * Any other key is refused, so that a secret written there by mistake is noticed.
 */
bool s3_config_load(const char *path, struct s3_config *c, struct err *err);

/*
 * Credentials: from the files (both or neither; NULL: not given), else from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
 * and AWS_SESSION_TOKEN as get_env (getenv, or a test's) tells them. Credentials that c already has stay when neither
 * is there. ERR_AUTH naming what to set when there are none at all.
 */
bool s3_config_load_credentials(struct s3_config *c, const char *access_key_file, const char *secret_key_file,
    const char *session_token_file, char *(*get_env)(const char *name), struct err *err);

/* Bucket named, endpoint and bucket well-formed, credentials there. */
bool s3_config_check(const struct s3_config *c, struct err *err);

#endif
