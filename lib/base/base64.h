/* Base64 of RFC 4648 with padding, as Kubernetes has it in Secrets and kubeconfigs. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Appended to out. */
bool base64_encode(const void *bytes, size_t len, struct buf *out, struct err *err);
/* Appended to out; ERR_PARSE for anything that base64_encode would not have written, but newlines are skipped. Nothing
 * is appended on failure, and no message holds any of the text. */
bool base64_decode(const char *text, size_t len, struct buf *out, struct err *err);

#endif
