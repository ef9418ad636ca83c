/*
 * The XML of S3's answers, read with libxml2's pull reader: no network, no DTD, no entities but XML's own five,
 * bounded depth and texts.
 */
#ifndef S3_XML_H
#define S3_XML_H

#include "base/buf.h"
#include "s3/s3.h"

#define S3_TOKEN_MAX 4096

struct s3_page {
	bool truncated;
	char next_token[S3_TOKEN_MAX];
	size_t count; /* objects in it */
};

/* One page of ListObjectsV2; each object goes to on_object (as in s3_list). Honours EncodingType url. */
bool s3_parse_list(
    const char *text, size_t len, s3_on_object on_object, void *ctx, struct s3_page *ret, struct err *err);

struct s3_fault {
	char code[64];
	char message[256];
	char region[64];
};

/* S3's <Error>. False if the text is nothing of the kind (a proxy's page). Texts are neutralised: they may go to a
 * terminal. */
bool s3_parse_error(const char *text, size_t len, struct s3_fault *ret);

#endif
