/*
 * Restore points: a content on disk, its RestorePointContent (cluster-scoped) and its RestorePoint (in the application's
 * namespace), made in this order. Each step may be repeated after a restart; the names are the job's, saved before.
 *
 * The record of a content is either the content itself, or a reference to where it was exported to: then it is read from that bucket
 * each time, and is lost with it.
 */
#ifndef SANDBOX_KASTEN_PUBLISH_H
#define SANDBOX_KASTEN_PUBLISH_H

#include "sandbox/kasten/artefact.h"
#include "sandbox/kasten/kasten.h"

struct publication {
	const char *content, *point; /* names; no point: the content alone, Unbound */
	const char *namespace_;
	const json_node *labels;
	const char *action_time;
};
/* The objects with their status. */
bool publish(struct kasten *k, const struct publication *p, struct err *err);

/*
 * The content's labels: those of the action that belong to restore points. An exported one gets the two of an export behind them by
 * the caller.
 */
bool publish_labels(const struct job *j, struct json **ret, struct err *err);

struct reference {
	const char *receive;	  /* the receive string */
	const char *name;	  /* of the artefact */
	const json_node *profile; /* {name, namespace} */
	bool own;		  /* this cluster exported it: it goes with its content */
};
/* The record of a content that is in a bucket. */
bool publish_reference(struct kasten *k, const char *content, const struct reference *r, struct err *err);

/*
 * The saved content of a RestorePointContent, from the disk or from its bucket; profile_ref (may be NULL) in the place of the
 * profile that the reference names. NOT_FOUND: there is no record.
 */
bool publish_load(
    struct kasten *k, const char *content, const json_node *profile_ref, struct json **ret, struct err *err);
/* Its record, and what this cluster exported for it. */
bool publish_forget(struct kasten *k, const char *content, struct err *err);

/* What a restore point stands for: its object and its content. NOT_FOUND says what is missing. */
bool publish_content(struct kasten *k, const char *namespace_, const char *point, const json_node *profile_ref,
    struct json **ret_point, struct json **ret_content, struct err *err);

#endif
