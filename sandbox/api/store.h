/*
 * All objects of the embedded API server: in memory, in order, with one resourceVersion that rises with each change,
 * a history of the last changes for watches, and a log on disk.
 *
 * Guarantees: a change is in the log before the call that makes it returns, so that a killed server loses nothing that it
 * answered for (not against the loss of power: nothing is synced). A torn last line of the log is dropped when it is
 * read; any other damage is an error. Versions go on behind a restart; the history does not.
 *
 * Locking: everything here but opening, closing and watchers' removal wants the store locked; objects are immutable and
 * may be kept, by reference, without the lock. No thread waits for anything but memory and the log while it holds it.
 */
#ifndef API_STORE_H
#define API_STORE_H

#include "base/clock.h"
#include "sandbox/api/object.h"

struct store;

struct store_options {
	const struct clock *clock; /* NULL: the system's */
	const char *path;	   /* of the log; NULL: in memory only */
	size_t history;		   /* changes that watches can go back; 0: 5,000 */
	size_t history_bytes;	   /* and the JSON text of their objects, before and after; 0: 128 MiB */
};

/* Which kind of object: "group/plural", "/pods" for the core group. */
struct store_kind {
	char *key;
	struct object **items; /* by namespace, then name */
	size_t count, cap;
};

bool db_new(const struct store_options *options, struct store **ret, struct err *err);
void db_close(struct store *s);
CLEANUP_PTR(store, struct store, db_close)
const struct clock *db_clock(const struct store *s);

void db_lock(struct store *s);
void db_unlock(struct store *s);

uint64_t db_version(const struct store *s);
/* NULL if there never was an object of that kind. */
const struct store_kind *db_kind_of(const struct store *s, const char *key);
size_t db_kind_count(const struct store *s);
const struct store_kind *db_kind_at(const struct store *s, size_t index);
/* The first place at or behind (namespace, name): where a namespace's objects begin with name "". */
size_t db_seek(const struct store_kind *kind, const char *namespace_, const char *name);
/* Borrowed; NULL if there is none. */
struct object *db_get(const struct store *s, const char *key, const char *namespace_, const char *name);

/* Creates or replaces; takes doc also on failure. ret is borrowed and may be NULL. */
bool db_put(struct store *s, const char *key, struct json *doc, struct object **ret, struct err *err);
/* The last state with the version of its deletion in the history. ERR_NOT_FOUND. */
bool db_remove(struct store *s, const char *key, const char *namespace_, const char *name, struct err *err);

/* --- changes ----------------------------------------------------------------------------------------------------- */

struct store_event {
	uint64_t version;
	const char *key;       /* of the kind; lives as long as the store */
	struct object *object; /* the state now; of a deletion the last one with the deletion's version */
	struct object *before; /* NULL for a creation */
	bool removed;
};

/* Positions count all changes since the store was opened. */
uint64_t db_position(const struct store *s);
/* The position behind all changes up to version; false if some of them are no longer known. */
bool db_position_of(const struct store *s, uint64_t version, uint64_t *ret);
/* NULL behind the last one. ret_lost: the position has left the history. */
const struct store_event *db_event_at(const struct store *s, uint64_t position, bool *ret_lost);
/* The version from which a watch can still start. */
uint64_t db_oldest(const struct store *s);

/* fd (an eventfd) gets 1 added on each change of that kind (NULL: any). The store does not own fd. */
struct store_watcher {
	struct store_watcher *next, **link;
	const char *key;
	int fd;
};
void db_watch(struct store *s, struct store_watcher *watcher);
void db_unwatch(struct store *s, struct store_watcher *watcher);

#endif
