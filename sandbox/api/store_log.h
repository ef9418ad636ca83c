/*
 * The store's log: JSON lines, appended with one write(2) each, rewritten as a whole when it has grown far over what is
 * alive. A lock beside it keeps a second server away.
 */
#ifndef API_STORE_LOG_H
#define API_STORE_LOG_H

#include "sandbox/api/object.h"

struct store_log;

struct store_record {
	uint64_t version;
	const char *key;
	const json_node *put; /* NULL: a removal */
	const char *namespace_, *name;
};

/* Reads what is there; each record in order. ERR_STATE: somebody else holds the lock. */
bool store_log_open(const char *path, bool (*on_record)(void *ctx, const struct store_record *record, struct err *err),
    void *ctx, struct store_log **ret, struct err *err);
void store_log_close(struct store_log *log);

bool store_log_put(struct store_log *log, const char *key, const struct object *object, struct err *err);
bool store_log_remove(struct store_log *log, const char *key, uint64_t version, const char *namespace_,
    const char *name, struct err *err);
/* It is time to write it anew: live_bytes is what that would take. */
bool store_log_is_long(const struct store_log *log, size_t live_bytes);
/* Between begin and end each living object is put once; end replaces the log. A failure leaves the old one: drop the new one then. */
bool store_log_rewrite_begin(struct store_log *log, uint64_t version, struct err *err);
bool store_log_rewrite_put(struct store_log *log, const char *key, const struct object *object, struct err *err);
bool store_log_rewrite_end(struct store_log *log, struct err *err);
void store_log_rewrite_drop(struct store_log *log);

#endif
