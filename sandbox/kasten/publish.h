/*
 * Restore points: a content on disk, its RestorePointContent (cluster-scoped) and its RestorePoint (in the application's
 * namespace), made in this order. Each step may be repeated after a restart; the names are the job's, saved before.
 */
#ifndef SANDBOX_KASTEN_PUBLISH_H
#define SANDBOX_KASTEN_PUBLISH_H

#include "sandbox/kasten/kasten.h"

#define CONTENT_FORMAT "psmdb-sandbox-kasten-content"

struct publication {
	const char *content, *point; /* names */
	const char *namespace_;
	const json_node *labels;
	const char *action_time;
};
/* Both objects with their status. */
bool publish(struct kasten *k, const struct publication *p, struct err *err);

/*
 * The content's labels: those of the action that belong to restore points. An exported one gets the two of an export behind them by
 * the caller.
 */
bool publish_labels(const struct job *j, struct json **ret, struct err *err);

/* What a restore point stands for: its RestorePointContent's name and the saved content. NOT_FOUND says what is missing. */
bool publish_content(struct kasten *k, const char *namespace_, const char *point, struct json **ret_point,
    struct json **ret_content, struct err *err);

#endif
