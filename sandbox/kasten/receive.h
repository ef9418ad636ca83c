/*
 * The receive string of an export: what another cluster must know to read what was exported. It says where in the bucket
 * the exports of one policy lie and carries the key that they are sealed with, so it is worth as much as a password.
 *
 * The text is base64 of a sealed message; its own key is fixed, so that the seal tells a changed or an invented string
 * from one that Kasten wrote, and hides nothing.
 */
#ifndef SANDBOX_KASTEN_RECEIVE_H
#define SANDBOX_KASTEN_RECEIVE_H

#include "base/buf.h"
#include "base/uuid.h"
#include "sandbox/kasten/seal.h"

#define RECEIVE_TEXT_MAX 4096
#define RECEIVE_BUCKET_MAX 256
#define RECEIVE_PATH_MAX 1024

struct receive {
	char bucket[RECEIVE_BUCKET_MAX];
	char path[RECEIVE_PATH_MAX]; /* of the profile, without slashes at its ends; may be empty */
	char collection[UUID_TEXT_MAX];
	unsigned char key[SEAL_KEY_BYTES];
};

/* A new collection with a key of its own. path: as in the profile, NULL for none. */
bool receive_new(const char *bucket, const char *path, struct receive *ret, struct err *err);
void receive_clear(struct receive *r);
#define RECEIVE_CLEANUP __attribute__((cleanup(receive_clear)))

/* Appended to out. */
bool receive_format(const struct receive *r, struct buf *out, struct err *err);
/* BROKEN "cipher: message authentication failed" for anything that receive_format has not written. No message holds any of it. */
bool receive_parse(const char *text, struct receive *ret, struct err *err);

/* The path of a profile without slashes at its ends. */
bool receive_path(const char *path, char ret[static RECEIVE_PATH_MAX], struct err *err);

#endif
