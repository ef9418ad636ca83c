/*
 * What kinds the server has: a table of built-in ones, and those that CustomResourceDefinition objects in the store say.
 * Nothing is cached: a kind exists as long as its definition does.
 */
#ifndef API_RESOURCE_H
#define API_RESOURCE_H

#include "sandbox/api/store.h"

enum resource_verb {
	VERB_GET = 1,
	VERB_LIST = 2,
	VERB_WATCH = 4,
	VERB_CREATE = 8,
	VERB_UPDATE = 16,
	VERB_PATCH = 32,
	VERB_DELETE = 64,
	VERB_DELETECOLLECTION = 128,
	VERB_ALL = 255,
};

#define RESOURCE_SHORT_MAX 4

struct resource {
	char group[128]; /* "" is the core group */
	char version[64];
	char kind[128], list_kind[136];
	char plural[128], singular[128];
	char short_names[RESOURCE_SHORT_MAX][64];
	char category[64];
	char key[260]; /* of the store */
	char api_version[200];
	unsigned verbs;
	bool namespaced;
	bool has_status; /* the status subresource */
	bool custom;
	bool generations;   /* metadata.generation counts changes */
	struct object *crd; /* referenced; NULL for built-in kinds */
};

void resource_clear(struct resource *r);
#define RESOURCE_CLEANUP __attribute__((cleanup(resource_clear)))

/* The store is locked for all of these. */
bool resource_find(struct store *s, const char *group, const char *version, const char *plural, struct resource *ret);
/* It is still there: what was found before the store was locked may be gone. */
bool resource_is_served(struct store *s, const struct resource *r);
/* By the store's key, in the version in which it is stored; false if nothing serves it any more. */
bool resource_of_key(struct store *s, const char *key, struct resource *ret);
/* The group has this version, built in or by a definition. */
bool resource_group_exists(struct store *s, const char *group, const char *version, bool *ret_built_in);
/* Each version of each kind. Stops when each returns false. */
void resource_each(struct store *s, bool (*each)(void *ctx, const struct resource *r), void *ctx);

#define CRD_KEY "apiextensions.k8s.io/customresourcedefinitions"
#define NAMESPACES_KEY "/namespaces"
#define BINDINGS_KEY "/bindings" /* never stored */

/* "get", ... in the order of discovery; NULL behind the last. */
const char *resource_verb_name(unsigned index, unsigned *ret_verb);

#endif
