/*
 * Event objects, as "kubectl describe" shows them. They are for people alone: nothing is decided from them, one that
 * cannot be written is forgotten, and the oldest go first when there are more than EVENTS_MAX of this kubelet's.
 */
#ifndef KUBELET_EVENTS_H
#define KUBELET_EVENTS_H

#include "sandbox/kubelet/remote.h"

#define EVENTS_MAX 200

struct events;

struct events *events_new(struct remote *r, const struct clock *clock); /* NULL: no memory */
void events_free(struct events *e);
CLEANUP_PTR(events, struct events, events_free)
/* Takes in what a kubelet before this one has left. */
void events_begin(struct events *e);

/* warning: "Warning" instead of "Normal". e may be NULL. */
void events_add(struct events *e, const json_node *about, const char *kind, bool warning, const char *reason,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
