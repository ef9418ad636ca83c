/*
 * One exported restore point as an object in a bucket: its labels, its times and the whole content, sealed with the
 * key of the receive string under its place in the bucket. Pure.
 *
 * What is read comes from outside: a sealed message of another place, a wrong key, a missing part are refused.
 */
#ifndef SANDBOX_KASTEN_ARTEFACT_H
#define SANDBOX_KASTEN_ARTEFACT_H

#include "doc/json_edit.h"
#include "sandbox/kasten/receive.h"

#define ARTEFACT_MAX (64 << 20)
#define ARTEFACT_NAME_MAX 200
#define ARTEFACT_KEY_MAX (RECEIVE_PATH_MAX + UUID_TEXT_MAX + ARTEFACT_NAME_MAX + 32)

/* What every content of a restore point says of itself. */
#define CONTENT_FORMAT "psmdb-sandbox-kasten-content"
/* Objects, and artifacts of blueprints. */
bool content_is_whole(const json_node *content);

/* Fit for an object's name and for a file's: lower-case letters, digits, '-' and '.', of a bounded length. */
bool artefact_name_valid(const char *name);
/* "PATH/migration/COLLECTION/" and, if name is given, the name behind it. */
void artefact_key(const struct receive *r, const char *name, char ret[static ARTEFACT_KEY_MAX]);

struct artefact {
	const char *name; /* of the exported RestorePointContent */
	const char *action_time;
	const json_node *labels, *content;
};
/* Appended to out. */
bool artefact_format(const struct receive *r, const struct artefact *a, struct buf *out, struct err *err);
/* ret points into *ret_doc. BROKEN, naming name: "cipher: message authentication failed", or what is missing. */
bool artefact_parse(const struct receive *r, const char *name, const void *bytes, size_t len, struct json **ret_doc,
    struct artefact *ret, struct err *err);

#endif
