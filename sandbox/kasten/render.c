#include "sandbox/kasten/render.h"

#include "doc/jsonpath.h"
#include "doc/template.h"

#include <string.h>

#define PATHS_MAX 64 /* of one condition */

static bool render_node(
    json_node *root, const char *path, const json_node *from, const json_node *params, struct err *err);

static bool render_text(json_node *root, const char *path, const char *text, const json_node *params, struct err *err)
{
	BUF_CLEANUP struct buf out = BUF_INIT(RENDER_MAX);

	return template_render(text, strlen(text), params, &out, err) && json_set_text(root, path, buf_str(&out), err);
}

/* path + "/" + step, escaped as a JSON pointer */
static bool step_path(struct buf *out, const char *path, const char *step, struct err *err)
{
	if (*path && (!buf_add_str(out, path, err) || !buf_add_char(out, '/', err)))
		return false;
	for (const char *p = step; *p; p++) {
		bool ok = *p == '~'   ? buf_add_str(out, "~0", err)
			  : *p == '/' ? buf_add_str(out, "~1", err)
				      : buf_add_char(out, *p, err);

		if (!ok)
			return false;
	}
	return true;
}

static bool render_children(
    json_node *root, const char *path, const json_node *from, const json_node *params, struct err *err)
{
	size_t index = 0;

	for (const json_node *child = json_first(from); child; child = json_next(child), index++) {
		BUF_CLEANUP struct buf place = BUF_INIT(8192);
		char number[24];

		snprintf(number, sizeof number, "%zu", index);
		if (json_key(child) && !strcmp(json_key(child), "condition"))
			continue;
		if (!step_path(&place, path, json_is_array(from) ? number : json_key(child), err) ||
		    !render_node(root, buf_str(&place), child, params, err))
			return false;
	}
	return true;
}

static bool render_node(
    json_node *root, const char *path, const json_node *from, const json_node *params, struct err *err)
{
	if (json_is_string(from))
		return render_text(root, path, json_string(from), params, err);
	return render_children(root, path, from, params, err);
}

bool render_tree(const json_node *tree, const json_node *params, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *copy = NULL;

	if (!json_clone(tree, &copy, err) || !render_node(json_edit(copy), "", tree, params, err))
		return false;
	*ret = TAKE(copy);
	return true;
}

/* A "{ $" with what follows up to the next closing brace, and the expression in it. */
struct place {
	const char *start, *end; /* of the whole, braces included */
	char path[512];		 /* "{.status.state}" */
};

/* The next one from p on. Kanister looks for an opening brace, blanks, a dollar, and no closing brace until the end. */
static bool next_place(const char *p, struct place *ret, bool *ret_found, struct err *err)
{
	*ret_found = false;
	for (; (p = strchr(p, '{')); p++) {
		const char *dollar = p + 1 + strspn(p + 1, " \t\r\n");
		const char *close;
		size_t len;

		if (*dollar != '$' || !(close = strchr(dollar, '}')))
			continue;
		dollar++;
		dollar += strspn(dollar, " \t\r\n");
		for (len = (size_t)(close - dollar); len && strchr(" \t\r\n", dollar[len - 1]); len--)
			;
		if (len > sizeof ret->path - 3)
			return err_set(err, ERR_LIMIT, "a path of %zu bytes in a condition", len);
		snprintf(ret->path, sizeof ret->path, "{%.*s}", (int)len, dollar);
		ret->start = p;
		ret->end = close + 1;
		*ret_found = true;
		return true;
	}
	return true;
}

static bool replace_places(const char *condition, const json_node *object, struct buf *out, struct err *err)
{
	const char *p = condition;

	for (int i = 0; i < PATHS_MAX; i++) {
		struct place place;
		bool found;

		if (!next_place(p, &place, &found, err))
			return false;
		if (!found)
			return buf_add_str(out, p, err);
		if (!buf_add(out, p, (size_t)(place.start - p), err) || !jsonpath_text(object, place.path, out, err))
			return false;
		p = place.end;
	}
	return err_set(err, ERR_LIMIT, "more than %d paths in a condition", PATHS_MAX);
}

static bool is_true(const char *text)
{
	text += strspn(text, " \t\r\n\v\f");
	return !strncmp(text, "true", 4) && !text[4 + strspn(text + 4, " \t\r\n\v\f")];
}

bool render_condition(const char *condition, const json_node *object, bool *ret_true, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(RENDER_MAX);
	BUF_CLEANUP struct buf out = BUF_INIT(RENDER_MAX);

	if (!replace_places(condition, object, &text, err) ||
	    !template_render(buf_str(&text), text.len, NULL, &out, err))
		return false;
	*ret_true = is_true(buf_str(&out));
	return true;
}
