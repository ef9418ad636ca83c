/*
 * What a shard owns of a sharded namespace, by the chunks in the config database. A migration that was broken off, or
 * that has not been cleaned up yet, leaves documents on a shard that does not own them; no client sees these orphans.
 *
 * Read once, while the balancer is stopped. Memory: OWNER_RANGES_MAX ranges (neighbouring chunks count as one).
 *
 * Not told apart, so that nothing is left out: values of types that are no numbers, strings, binary data, ObjectIds,
 * booleans, dates, timestamps or null; in a hashed field also binary data, booleans, timestamps and strings over 1,000
 * bytes.
 */
#ifndef VERIFIER_COLLECT_OWNER_H
#define VERIFIER_COLLECT_OWNER_H

#include "base/cleanup.h"
#include "verifier/collect_link.h"

#include <bson/bson.h>

#define OWNER_FIELDS_MAX 16
#define OWNER_RANGES_MAX 20000

struct owner;

/*
 * *ret NULL: nothing is to be left out, since the namespace is not sharded (ret_why is "" then), or because this
 * cannot be told (ret_why says why). config: of the config server.
 */
bool owner_load(struct link *config, const char *ns, const char *shard, struct owner **ret, char *ret_why, size_t size,
    struct err *err);
/* The same of all shards' chunks, each with the number (at least 0) that home gives its shard; -1: not known. */
bool owner_load_homes(struct link *config, const char *ns, int (*home)(void *ctx, const char *shard), void *ctx,
    struct owner **ret, char *ret_why, size_t size, struct err *err);
void owner_free(struct owner *o);
CLEANUP_PTR(owner, struct owner, owner_free)

/* Of one document's bytes; what cannot be told is owned. ctx: a struct owner. */
bool owner_owns(void *ctx, const void *bson, size_t len);
/* The number of the range that it is in; -1: in none, not known, or not told. */
int owner_home(const struct owner *o, const void *bson, size_t len);
/* Do they answer alike? */
bool owner_equal(const struct owner *a, const struct owner *b);
/* Documents since owner_load or owner_restart whose owner could not be told. */
int64_t owner_untold(const struct owner *o);

/* --- for tests: the same of documents that are at hand
 * --------------------------------------------------------------------------------- */

/* key: config.collections' "key". false with a reason in ret_why: it cannot be evaluated. */
bool owner_new(const bson_t *key, struct owner **ret, char *ret_why, size_t size);
/* A chunk that the shard owns; in the order of their minima. false: it cannot be evaluated, or there are too many. */
bool owner_add(struct owner *o, const bson_t *min, const bson_t *max);
bool owner_add_home(struct owner *o, const bson_t *min, const bson_t *max, int home);

#endif
