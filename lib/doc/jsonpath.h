/*
 * Kubernetes' JSONPath, the part that printer columns and Kanister's conditions use:
 * .a.b, $.a.b, a\.b for a key with a dot, ['x'], ["x"], [0], [-1], [*], .*, and filters
 * [?(@.type=="Ready")], [?(@.n>=2)] (also != < > <=), [?(@.x)]; all of it may stand in braces. Others ("..", slices,
 * unions, && and ||) are ERR_UNSUPPORTED.
 *
 * Bounds: JSONPATH_LEN_MAX bytes of path, JSONPATH_NODES_MAX values at a time.
 */
#ifndef DOC_JSONPATH_H
#define DOC_JSONPATH_H

#include "base/buf.h"
#include "doc/json.h"

#define JSONPATH_LEN_MAX 1024
#define JSONPATH_NODES_MAX 10000

/*
 * Appends the values with blanks between, strings as they are, others as JSON. ERR_NOT_FOUND if nothing is there;
 * out is as it was on failure.
 */
bool jsonpath_text(const json_node *root, const char *path, struct buf *out, struct err *err);

#endif
