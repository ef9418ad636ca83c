/*
 * Where a backup is, as Percona's operator writes it into a backup object's status.destination:
 *
 *   up to 1.14   PREFIX/NAME, or NAME: no scheme, no bucket (that one is in status.s3.bucket)
 *   from 1.15    s3://BUCKET/PREFIX/NAME
 *
 * A PerconaServerMongoDBRestore wants s3://... from all versions, so the missing half must be added on 1.14 and must
 * not be doubled later.
 */
#ifndef PSMDB_DESTINATION_H
#define PSMDB_DESTINATION_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

struct pbm_destination {
	char bucket[256];  /* "" if the text does not say */
	char prefix[1024]; /* "" if none; no slashes around it */
	char name[128];	   /* the backup's name */
};

/* ERR_UNSUPPORTED for another scheme (azure://, gs://, a file path). */
bool pbm_destination_parse(const char *text, struct pbm_destination *ret, struct err *err);
/* s3://BUCKET/PREFIX/NAME. bucket (status.s3.bucket) fills in what the text does not say; ERR_STATE if both say
 * different things. */
bool pbm_destination_url(const struct pbm_destination *d, const char *bucket, struct buf *out, struct err *err);

#endif
