/*
 * Which pod has which address of the sandbox's range: hosts POD_HOST_FIRST to POD_HOST_LAST, kept in a file.
 *
 * A pod of a StatefulSet gets the same address again after it was made anew, however long that takes, because a
 * replica set's configuration holds addresses; such a memory is given up, oldest first, only when no other address is left.
 */
#ifndef KUBELET_ADDRESSES_H
#define KUBELET_ADDRESSES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define POD_HOST_FIRST 11
#define POD_HOST_LAST 127
#define POD_HOSTS (POD_HOST_LAST - POD_HOST_FIRST + 1)
#define POD_KEY_MAX 330 /* "namespace/name" */

struct address_entry {
	char key[POD_KEY_MAX];
	int host;
	bool keep; /* remembered when nobody uses it */
	bool used;
};

struct addresses {
	struct address_entry entries[POD_HOSTS]; /* in the order in which they were given out */
	size_t count;
	int last; /* host given out last, so that an address is not reused at once */
};

/* The same key gets the same host. ERR_LIMIT: all are in use. *ret_changed: the file should be written. */
bool addresses_take(struct addresses *a, const char *key, bool keep, int *ret_host, bool *ret_changed, struct err *err);
/* Nobody uses it any more. True: the file should be written. */
bool addresses_release(struct addresses *a, const char *key);

/* A missing file is an empty book. Nothing is in use after loading. */
bool addresses_load(const char *path, struct addresses *ret, struct err *err);
bool addresses_save(const char *path, const struct addresses *a, struct err *err);
/* What is in the file. Hosts outside the range, twice the same host or key: ERR_PARSE. */
bool addresses_parse(const char *text, size_t len, struct addresses *ret, struct err *err);

#endif
