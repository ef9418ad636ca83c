#include "sandbox/kasten/artefact.h"

#include <string.h>

#define FORMAT "psmdb-sandbox-kasten-export"

bool content_is_whole(const json_node *content)
{
	return json_is_at(content, "format", CONTENT_FORMAT) && json_is_array(json_get(content, "objects")) &&
	       json_is_array(json_get(content, "artifacts"));
}

bool artefact_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len && len <= ARTEFACT_NAME_MAX && *name != '.' && *name != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

void artefact_key(const struct receive *r, const char *name, char ret[static ARTEFACT_KEY_MAX])
{
	snprintf(ret, ARTEFACT_KEY_MAX, "%s%smigration/%s/%.*s", r->path, *r->path ? "/" : "", r->collection,
	    ARTEFACT_NAME_MAX, name ? name : "");
}

bool artefact_format(const struct receive *r, const struct artefact *a, struct buf *out, struct err *err)
{
	BUF_CLEANUP struct buf plain = BUF_INIT(ARTEFACT_MAX);
	CLEANUP(json) struct json *doc = NULL;
	char key[ARTEFACT_KEY_MAX];

	artefact_key(r, a->name, key);
	return json_format(&doc, err,
		   "{'format':'" FORMAT "','version':1,'name':%s,'labels':%j,'actionTime':%s,'content':%j}", a->name,
		   a->labels, a->action_time, a->content) &&
	       json_print(json_root(doc), false, &plain, err) &&
	       seal_close(r->key, key, plain.data, plain.len, out, err);
}

/* Labels are copied onto an object: texts only. */
static bool are_labels(const json_node *labels)
{
	if (!json_is_object(labels))
		return false;
	for (const json_node *l = json_first(labels); l; l = json_next(l))
		if (!json_string(l))
			return false;
	return true;
}

static bool read_parts(const json_node *root, const char *name, struct artefact *ret, struct err *err)
{
	struct artefact a = {json_text_at(root, "name"), json_text_at(root, "actionTime"), json_get(root, "labels"),
	    json_get(root, "content")};

	if (!json_is_at(root, "format", FORMAT) || json_int_at(root, "version", 0) != 1)
		return err_set(err, ERR_BROKEN, "it is not of format \"" FORMAT "\", version 1");
	if (!a.name || strcmp(a.name, name) != 0)
		return err_set(err, ERR_BROKEN, "it is the export of another restore point");
	if (!a.action_time || !are_labels(a.labels) || !content_is_whole(a.content))
		return err_set(err, ERR_BROKEN, "labels, time or content are missing");
	*ret = a;
	return true;
}

bool artefact_parse(const struct receive *r, const char *name, const void *bytes, size_t len, struct json **ret_doc,
    struct artefact *ret, struct err *err)
{
	static const struct json_limits limits = {.max_bytes = ARTEFACT_MAX, .max_depth = 64, .unique_keys = false};
	BUF_CLEANUP struct buf plain = BUF_INIT(ARTEFACT_MAX);
	CLEANUP(json) struct json *doc = NULL;
	char key[ARTEFACT_KEY_MAX];

	artefact_key(r, name, key);
	if (!seal_open(r->key, key, bytes, len, &plain, err) ||
	    !json_parse(buf_str(&plain), plain.len, &limits, &doc, err) || !read_parts(json_root(doc), name, ret, err))
		return err_wrap(err, "exported restore point \"%.200s\"", name);
	*ret_doc = TAKE(doc);
	return true;
}
