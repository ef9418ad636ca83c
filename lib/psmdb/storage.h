/*
 * A backup storage in S3 as a psmdb (spec.backup.storages.NAME) or a backup (status.s3) names it, and what an S3
 * client needs from it.
 */
#ifndef PSMDB_STORAGE_H
#define PSMDB_STORAGE_H

#include "doc/json.h"
#include "s3/config.h"

struct psmdb_storage {
	char name[64]; /* "" if read from a status */
	char bucket[256], prefix[1024], region[64], endpoint[512];
	char credentials_secret[254]; /* "" if the spec names none (an instance role) */
	bool insecure;		      /* verify no certificate */
};

/* The storage of this name; name NULL: the only one, or the one marked main. ERR_NOT_FOUND names those that there are;
 * ERR_UNSUPPORTED if it is not in S3. */
bool psmdb_storage_of_cluster(const json_node *cluster, const char *name, struct psmdb_storage *ret, struct err *err);
/* status.s3 or spec.backupSource.s3 */
bool psmdb_storage_read(const json_node *s3, struct psmdb_storage *ret, struct err *err);
/* Everything but the credentials, which stay as they are. */
void psmdb_storage_config(const struct psmdb_storage *s, struct s3_config *ret);

/*
 * A value of a Secret, decoded, into a text of size bytes: ERR_NOT_FOUND, ERR_LIMIT, or ERR_PARSE if it is no base64 or
 * holds a NUL. The value is never in a message.
 */
bool psmdb_secret_text(const json_node *secret, const char *key, char *ret, size_t size, struct err *err);
/* AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the storage's secret. */
bool psmdb_storage_credentials(const json_node *secret, struct s3_config *ret, struct err *err);

#endif
