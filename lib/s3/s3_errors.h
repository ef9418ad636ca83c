/* From S3's answer to an error with a hint. */
#ifndef S3_ERRORS_H
#define S3_ERRORS_H

#include "net/http.h"
#include "s3/config.h"

/* Always false. what: "list bucket \"b\"", "get \"key\" from bucket \"b\"". */
bool s3_refused(const struct s3_config *config, const char *what, const struct http_response *res, struct err *err);

#endif
