/*
 * Inside this room only: what a tree is made of. Other rooms read trees with doc/json.h and change them with
 * doc/json_edit.h.
 *
 * A tree that this room builds or changes is never deeper than JSON_DEPTH_MAX levels, so that whatever walks it may
 * recurse and whatever is printed can be parsed again.
 */
#ifndef DOC_JSON_TREE_H
#define DOC_JSON_TREE_H

#include "base/buf.h"
#include "doc/json.h"

#include <cjson/cJSON.h>

struct json {
	cJSON *root;
};

#define JSON_DEPTH_MAX 64
#define JSON_INT_MAX 9007199254740992 /* 2^53 */

CLEANUP_PTR(node, cJSON, cJSON_Delete)

/* A document around a tree, which it takes over; on failure too (the tree is freed then). */
bool json_wrap(cJSON *root, struct json **ret, struct err *err);
/* A copy without its key; ERR_LIMIT if it is deeper than max_depth. */
cJSON *json_copy(const cJSON *from, int max_depth, struct err *err);
/* Puts the content of from in the place of the content of to, which keeps its key and its place; from is freed. */
void json_assign(cJSON *to, cJSON *from);
/* Levels below and with the node: 1 for a scalar or an empty object. */
int json_depth(const cJSON *node);
/* A string node; invalid UTF-8 becomes U+FFFD. */
cJSON *json_new_text(const char *text, size_t len, struct err *err);

/*
 * A number's node has its digits in valuestring if it is a whole one within 64 bits that a double does not hold; else
 * there is none.
 */
bool json_is_beyond_double(int64_t value);
cJSON *json_new_int(int64_t value, struct err *err);
/* A whole number within 64 bits; false for any other node, and for NULL. */
bool json_integer(const cJSON *node, int64_t *ret);
/* Behind the number that begins at `at`; NULL: it is none. ret_whole: without fraction and exponent. */
const char *json_number_end(const char *at, const char *end, bool *ret_whole);
/* The digits of the tree that was made of this text. */
bool json_keep_digits(cJSON *root, const char *text, size_t len, struct err *err);

/* Text as a JSON string in double quotes, escaped; invalid UTF-8 and NUL become U+FFFD. */
bool json_quote(struct buf *out, const char *text, size_t len, struct err *err);

/*
 * One step of a path: up to a slash or the end. Keys are compared as they stand in the path, escaped, so a step has
 * no maximal length.
 */
struct json_step {
	const char *text;
	size_t len;
	bool last;
};
/* Where the next step begins is kept in *path. */
struct json_step json_step(const char **path);
/* The member or element; NULL: not there. */
cJSON *json_step_into(const cJSON *node, const struct json_step *step);
/* The step as a key, unescaped; the caller frees it. NULL: no memory. */
char *json_step_key(const struct json_step *step);
/* An array's index without leading zeros, at most max. */
bool json_step_index(const struct json_step *step, size_t max, size_t *ret);

#endif
