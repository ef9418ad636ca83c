/*
 * Bodies in Kubernetes' protobuf form, which kubectl's own commands (create namespace, create secret ...) send and for
 * which they know no other: read into the JSON that the rest of the server works on. Only the kinds that people make
 * that way are known; answers are always JSON.
 */
#ifndef API_PROTOBUF_H
#define API_PROTOBUF_H

#include "base/buf.h"

#define PROTOBUF_MEDIA_TYPE "application/vnd.kubernetes.protobuf"

/* Appends JSON to out. ERR_UNSUPPORTED: a kind that is not known here; ERR_PARSE: damaged. Fields without a meaning here
 * (managedFields and the like) are left out. */
bool protobuf_to_json(const char *bytes, size_t len, struct buf *out, struct err *err);

#endif
