#include "psmdb/object_read.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void object_text(const json_node *object, const char *path, char *ret, size_t size)
{
	text_copy(ret, size, json_text_at(object, path));
}

bool object_name(const json_node *object, const char *path, char *ret, size_t size, struct err *err)
{
	const char *text = json_text_at(object, path);
	size_t len = text ? strlen(text) : 0;

	if (len >= size)
		return err_set(err, ERR_LIMIT, "\"%s\" is longer than %zu bytes", path, size - 1);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-._:", text[i]))
			return err_set(err, ERR_PARSE, "\"%s\" is no name", path);
	memcpy(ret, text ? text : "", len);
	ret[len] = '\0';
	return true;
}

bool object_identity(const json_node *object, char *ret_namespace, char *ret_name, size_t name_size, char *ret_uid,
    size_t uid_size, struct err *err)
{
	if (!object_name(object, "metadata/name", ret_name, name_size, err) ||
	    !object_name(object, "metadata/namespace", ret_namespace, name_size, err) ||
	    !object_name(object, "metadata/uid", ret_uid, uid_size, err))
		return false;
	return *ret_name || err_set(err, ERR_PARSE, "the object has no name");
}

int64_t object_time(const json_node *object, const char *path)
{
	const char *text = json_text_at(object, path);
	int64_t ms;

	return text && time_parse(text, &ms) ? ms : -1;
}

size_t object_finalizers(const json_node *object, char (*ret)[64], size_t max)
{
	size_t count = 0;

	for (const json_node *f = json_first(json_at(object, "metadata/finalizers")); f && count < max;
	     f = json_next(f)) {
		const char *text = json_string(f);

		if (text && strlen(text) < sizeof ret[0])
			text_copy(ret[count++], sizeof ret[0], text);
	}
	return count;
}
